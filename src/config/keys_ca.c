// SPDX-License-Identifier: Apache-2.0
/* The keys of one CA that the daemon serves. */
#include "config/keys_impl.h"
#include "config/semantics.h"

static const struct hf_key ca_keys[] = {
    {.name = "store",
     .kind = HF_KIND_TEXT,
     .required = true,
     .doc = "Where the CA is: the folder that `handfast ca init` made, `sqlite:PATH` or "
            "`postgres://...`.",
     .example = "/var/lib/handfast/ca",
     HF_KEY_FIELD(hf_cfg_ca, store)},
    {.name = "passphrase-file",
     .kind = HF_KIND_FILE,
     .doc = "File whose first line is the passphrase of the CA's keys; nobody else may be able to "
            "read it.",
     .example = "ca.pass",
     HF_KEY_FIELD(hf_cfg_ca, passphrase_file)},
    {.name = "passphrase-env",
     .kind = HF_KIND_ENV,
     .doc = "The same from an environment variable.",
     .example = "CA_PASSPHRASE",
     HF_KEY_FIELD(hf_cfg_ca, passphrase_env)},
    {.name = "passphrase-credential",
     .kind = HF_KIND_LABEL,
     .doc = "The same from a systemd credential (`LoadCredential=`).",
     .example = "ca-passphrase",
     HF_KEY_FIELD(hf_cfg_ca, passphrase_credential)},
};

const struct hf_section hf_section_ca = {
    .noun = "ca",
    .doc = "A certification authority of this machine or of a database, whose revocations reach "
           "the listeners at once. Routes serve it to others with `service`.",
    .sample = NULL,
    .size = sizeof(struct hf_cfg_ca),
    .check = hf_check_ca,
    HF_SECTION_KEYS(ca_keys)};
