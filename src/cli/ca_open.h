// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CA_OPEN_H
#define HF_CLI_CA_OPEN_H

/* What the commands under `handfast ca` have in common: where the CA is, how its keys are opened,
 * and how the end of an operation is told. */

#include <jansson.h>

#include "ca/row_json.h"
#include "ca/service.h"
#include "ca/store_key.h"
#include "cli/ca_commands.h"
#include "cli/ca_which.h"

struct hf_ca_values {
    const char *dir, *store;
    struct hf_store_passphrase passphrase;
    struct hf_texts known_keys;
    bool json;
};

#define HF_CA_OPTION(type, name_, kind_, value_, member, ...) \
    { \
        .name = (name_), .kind = (kind_), .value = (value_), .offset = offsetof(type, member), \
        __VA_ARGS__ \
    }

/* Where: for every command. */
#define HF_CA_OPTIONS_WHERE(type, member) \
    HF_CA_OPTION(type, "dir", HF_OPT_TEXT, "DIR", member.dir, .doc = "the folder of the CA"), \
        HF_CA_OPTION(type, "store", HF_OPT_TEXT, "URL", member.store, \
                     .doc = "the CA's database in place of a folder: postgres://..., " \
                            "sqlite:FILE")

#define HF_CA_OPTIONS_JSON(type, member) \
    HF_CA_OPTION(type, "json", HF_OPT_SWITCH, NULL, member.json, .doc = "print JSON")

/* How keys are opened: for commands that sign. */
#define HF_CA_OPTIONS_KEYS(type, member) \
    HF_CA_OPTION(type, "passphrase-file", HF_OPT_TEXT, "FILE", member.passphrase.file, \
                 .doc = "the passphrase of the CA's keys: the first line of FILE"), \
        HF_CA_OPTION(type, "passphrase-env", HF_OPT_TEXT, "VARIABLE", member.passphrase.env, \
                     .doc = "... what the environment variable holds"), \
        HF_CA_OPTION(type, "passphrase-credential", HF_OPT_TEXT, "NAME", \
                     member.passphrase.credential, \
                     .doc = "... the systemd credential of this name")

/* Keys that nothing is issued for: for commands that take somebody's key. */
#define HF_CA_OPTIONS_KNOWN(type, member) \
    HF_CA_OPTION(type, "known-keys", HF_OPT_TEXTS, "FILE", member.known_keys, \
                 .doc = \
                     "refuse the keys on this list (docs/ca-profiles.md); may be given several " \
                     "times")

/* hf_ca_where gives the URL of the store; the caller frees it. Errors: HF_E_USAGE (neither or both
 * were given), HF_E_NOT_FOUND (no CA in the folder), HF_E_UNSUPPORTED (one of the old form). */
enum hf_err hf_ca_where(const struct hf_ca_values *values, char **out) HF_MUST_CHECK;

/* hf_ca_cli_open opens the service, with as many threads as one command needs. */
enum hf_err hf_ca_cli_open(const struct hf_ca_values *values,
                           struct hf_ca_service **out) HF_MUST_CHECK;
void hf_ca_service_closep(struct hf_ca_service **service);

/* hf_ca_store_open opens the store alone, for commands that only read. */
enum hf_err hf_ca_store_open(const struct hf_ca_values *values,
                             struct hf_store **out) HF_MUST_CHECK;
void hf_store_closep(struct hf_store **store);

/* hf_ca_actor is who runs this command, for the audit: "alice (uid 1000)". */
#define HF_CA_ACTOR_SIZE 128
void hf_ca_actor(char out[static HF_CA_ACTOR_SIZE]);

/* hf_ca_cli_run runs the operation as the local operator. Refused, it fails with the sentence.
 * Errors: HF_E_DENIED, HF_E_USAGE where what was asked was wrong. */
enum hf_err hf_ca_cli_run(struct hf_ca_service *service, struct hf_ca_op *op) HF_MUST_CHECK;

/* hf_ca_folder_roots writes DIR/root.pem anew when the roots that are to be handed out are other
 * ones than it holds; nothing without a folder. */
enum hf_err hf_ca_folder_roots(const struct hf_ca_values *values,
                               struct hf_ca_service *service) HF_MUST_CHECK;

/* hf_csr_write_pem appends a CERTIFICATE REQUEST block. */
enum hf_err hf_csr_write_pem(struct hf_bytes der, struct hf_buf *out) HF_MUST_CHECK;

/* hf_cli_json prints the tree and lets go of it. */
enum hf_err hf_cli_json(struct hf_cli *cli, json_t *value) HF_MUST_CHECK;

#endif
