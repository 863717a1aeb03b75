// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CA_FILES_H
#define HF_CLI_CA_FILES_H

/*
 * The files around a certificate that was just made. They are written under temporary names before
 * the certificate is stored, and take their own names when it is: with a full disk, or a folder
 * that isn't there, nothing was issued.
 */

#include "ca/outputs.h"
#include "ca/service.h"
#include "cli/cli.h"
#include "cli/passphrase.h"
#include "pki/bundle.h"

struct hf_ca_file_values {
    const char *out;
    struct hf_passphrase_from p12_passphrase;
    struct hf_texts formats;
    bool p12_legacy, no_p12, force;
};

#define HF_CA_FILE_OPTION(type, name_, kind_, value_, member, ...) \
    { \
        .name = (name_), .kind = (kind_), .value = (value_), .offset = offsetof(type, member), \
        __VA_ARGS__ \
    }

#define HF_CA_OPTIONS_FORMAT(type, member) \
    HF_CA_FILE_OPTION(type, "format", HF_OPT_TEXTS, "FORMAT", member.formats, \
                      .doc = \
                          "also write it as der (PREFIX.cer), pkcs7 or pkcs7-pem " \
                          "(PREFIX.p7b), truststore (the root, for Java: " \
                          "PREFIX.truststore.p12), openssh (PREFIX.ssh), kubernetes (a Secret: " \
                          "PREFIX.yaml); may be given several times")

#define HF_CA_OPTIONS_FILES(type, member) \
    HF_CA_FILE_OPTION(type, "out", HF_OPT_TEXT, "PREFIX", member.out, \
                      .doc = "write PREFIX.pem, and PREFIX.key and PREFIX.p12 where the key was " \
                             "made here (default: the name)"), \
        HF_CA_FILE_OPTION(type, "p12-passphrase-file", HF_OPT_TEXT, "FILE", \
                          member.p12_passphrase.file, \
                          .doc = "protect PREFIX.p12 with the first line of FILE, not with a " \
                                 "generated passphrase in PREFIX.p12.pass"), \
        HF_CA_FILE_OPTION(type, "p12-passphrase-env", HF_OPT_TEXT, "VARIABLE", \
                          member.p12_passphrase.env, \
                          .doc = "protect PREFIX.p12 with what the environment variable holds"), \
        HF_CA_FILE_OPTION(type, "p12-legacy", HF_OPT_SWITCH, NULL, member.p12_legacy, \
                          .doc = "protect PREFIX.p12 with 3DES, for programs from before 2019"), \
        HF_CA_OPTIONS_FORMAT(type, member), \
        HF_CA_FILE_OPTION(type, "no-p12", HF_OPT_SWITCH, NULL, member.no_p12, \
                          .doc = "write no PREFIX.p12"), \
        HF_CA_FILE_OPTION(type, "force", HF_OPT_SWITCH, NULL, member.force, \
                          .doc = "replace output files that exist")

struct hf_ca_files {
    const struct hf_ca_file_values *values;
    const char *friendly_name;
    char *prefix;
    struct hf_outputs outputs;
    struct hf_secret_text p12_passphrase;
    bool p12_generated;
};

/* hf_ca_files_init checks the flags. name is what PREFIX is by default. Errors: HF_E_USAGE. */
enum hf_err hf_ca_files_init(struct hf_ca_files *files, const struct hf_ca_file_values *values,
                             const char *name) HF_MUST_CHECK;
void hf_ca_files_done(struct hf_ca_files *files);

/* hf_ca_files_add writes all of them under temporary names: for hf_ca_op.made. */
enum hf_err hf_ca_files_add(struct hf_ca_files *files, struct hf_ca_op *op) HF_MUST_CHECK;

/* hf_ca_files_tell prints what was issued and which files it is in; JSON with json. */
enum hf_err hf_ca_files_tell(struct hf_cli *cli, const struct hf_ca_files *files,
                             const struct hf_ca_op *op, bool json) HF_MUST_CHECK;

#endif
