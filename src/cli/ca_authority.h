// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CA_AUTHORITY_H
#define HF_CLI_CA_AUTHORITY_H

/* Shared by `ca authority ...`, `ca cross-sign` and `ca init`; for nobody else. */

#include "ca/authority_make.h"
#include "ca/outputs.h"
#include "cli/ca_open.h"
#include "cli/passphrase.h"

enum { HF_AUTHORITY_FILE_CAP = 1 << 20 };

struct hf_authority_values {
    struct hf_ca_values ca;
    const char *subject, *parent, *key_type, *pkcs11, *successor_of;
    const char *by, *csr, *cert, *key, *out, *root_name;
    struct hf_passphrase_from key_passphrase;
    int64_t lifetime_ms;
    const char *path_len;
    struct hf_texts permit, exclude, crl_url, ocsp_url, issuer_url;
    bool force;
};

#define HF_AUTHORITY_OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct hf_authority_values, name_, kind_, value_, member, __VA_ARGS__)

#define HF_AUTHORITY_OPTIONS_CA \
    HF_CA_OPTIONS_WHERE(struct hf_authority_values, ca), \
        HF_CA_OPTIONS_KEYS(struct hf_authority_values, ca), \
        HF_CA_OPTIONS_JSON(struct hf_authority_values, ca)

#define HF_AUTHORITY_OPTIONS_CONTENTS \
    HF_AUTHORITY_OPTION("lifetime", HF_OPT_DURATION, "TIME", lifetime_ms, \
                        .doc = "how long it is valid"), \
        HF_AUTHORITY_OPTION("path-length", HF_OPT_TEXT, "N", path_len, \
                            .doc = \
                                "how many CAs there may be below it, or \"none\" for no limit"), \
        HF_AUTHORITY_OPTION("permit", HF_OPT_TEXTS, "KIND:NAME", permit, \
                            .doc = \
                                "a name constraint: only names below this, as DNS:example.org, " \
                                "IP:10.0.0.0/8"), \
        HF_AUTHORITY_OPTION("exclude", HF_OPT_TEXTS, "KIND:NAME", exclude, \
                            .doc = "a name constraint: no names below this")

#define HF_AUTHORITY_OPTIONS_URLS \
    HF_AUTHORITY_OPTION( \
        "crl-url", HF_OPT_TEXTS, "URL", crl_url, \
        .doc = "where its CRL is, put into what it issues; {authority} and {shard} are filled " \
               "in"), \
        HF_AUTHORITY_OPTION("ocsp-url", HF_OPT_TEXTS, "URL", ocsp_url, \
                            .doc = "where the OCSP responder is"), \
        HF_AUTHORITY_OPTION("issuer-url", HF_OPT_TEXTS, "URL", issuer_url, \
                            .doc = "where its certificate is")

#define HF_AUTHORITY_OPTIONS_KEY_MADE \
    HF_AUTHORITY_OPTION("subject", HF_OPT_TEXT, "DN", subject, \
                        .doc = "its name, as \"CN=Example Issuing CA 2,O=Example\"", \
                        .required = true), \
        HF_AUTHORITY_OPTION("key-type", HF_OPT_TEXT, "TYPE", key_type, \
                            .doc = "p256 (the default), p384, ed25519, rsa3072, rsa4096"), \
        HF_AUTHORITY_OPTION("pkcs11", HF_OPT_TEXT, "URI", pkcs11, \
                            .doc = \
                                "its key is in this token (PKCS#11); the passphrase is the PIN")

struct hf_authority_work {
    struct hf_cli *cli;
    const struct hf_authority_values *values;
    struct hf_ca_service *service;
    struct hf_authorities *set;
    char actor[HF_CA_ACTOR_SIZE];
};

void hf_authority_work_done(struct hf_authority_work *work);

/* hf_authority_work_open opens the CA; hf_authority_work_find finds one of it by name. */
enum hf_err hf_authority_work_open(struct hf_authority_work *work) HF_MUST_CHECK;
enum hf_err hf_authority_work_find(const struct hf_authority_work *work, const char *name,
                                   const struct hf_authority **out) HF_MUST_CHECK;

/* hf_authority_work_tell prints what was done to whom, or how it is now as JSON. */
enum hf_err hf_authority_work_tell(struct hf_authority_work *work, const char *name,
                                   const char *did) HF_MUST_CHECK;

/* What is asked for, from the options. Views. */
enum hf_err hf_authority_fill_settings(const struct hf_authority_values *values,
                                       struct hf_authority_settings *out) HF_MUST_CHECK;
enum hf_err hf_authority_fill_urls(const char *flag, const struct hf_texts *from,
                                   char **out) HF_MUST_CHECK;
enum hf_err hf_authority_read_path_len(const char *text, int *out) HF_MUST_CHECK;
struct hf_made_constraints hf_authority_constraints(const struct hf_authority_values *values);

/* Files: hf_authority_check_out says whether --out may be written, before anything is done that
 * can't be taken back. */
enum hf_err hf_authority_read_chain(const char *path, struct hf_chain **out) HF_MUST_CHECK;
enum hf_err hf_authority_check_out(const struct hf_authority_values *values) HF_MUST_CHECK;
enum hf_err hf_authority_write_out(const struct hf_authority_values *values, struct hf_bytes bytes,
                                   unsigned mode) HF_MUST_CHECK;

/* HF_AUTHORITY_RUN makes run_<verb> of verb(work), HF_AUTHORITY_COMMAND a command of it. */
#define HF_AUTHORITY_RUN(verb) \
    static enum hf_exit run_##verb(struct hf_cli *cli, const void *given) \
    { \
        HF_CLEANUP(hf_authority_work_done) \
        struct hf_authority_work work = {.cli = cli, .values = given}; \
        enum hf_err err = verb(&work); \
        return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err); \
    }

#define HF_AUTHORITY_COMMAND(variable, name_, summary_, options_, run_, args_, n_args_, ...) \
    const struct hf_command variable = {.name = (name_), \
                                        .summary = (summary_), \
                                        HF_OPTIONS(options_), \
                                        .values_size = sizeof(struct hf_authority_values), \
                                        .run = (run_), \
                                        .args = (args_), \
                                        .min_args = (n_args_), \
                                        .max_args = (n_args_), \
                                        __VA_ARGS__}

extern const struct hf_command hf_cmd_ca_authority_make;
extern const struct hf_command hf_cmd_ca_authority_request;
extern const struct hf_command hf_cmd_ca_authority_install;
extern const struct hf_command hf_cmd_ca_authority_sign;
extern const struct hf_command hf_cmd_ca_authority_take;
extern const struct hf_command hf_cmd_ca_authority_add_key;
extern const struct hf_command hf_cmd_ca_authority_add_cert;

#endif
