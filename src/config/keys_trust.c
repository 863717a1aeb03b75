// SPDX-License-Identifier: Apache-2.0
/* The keys of one trust. */
#include "config/keys_impl.h"

static const struct hf_word names_words[] = {
    {"from-roots", HF_TRUST_NAMES_FROM_ROOTS}, {"none", HF_TRUST_NAMES_NONE}, {NULL, 0}};

static const struct hf_key trust_keys[] = {
    {.name = "roots",
     .kind = HF_KIND_FILE,
     .required = true,
     .doc = "The CA certificates, in PEM, that a peer's chain must lead to.",
     .example = "partners-ca.pem",
     HF_KEY_FIELD(hf_cfg_trust, roots)},
    {.name = "names",
     .kind = HF_KIND_NAMES,
     .words = names_words,
     .standard = "from-roots",
     .doc = "The CA names told to clients, so that they pick a fitting certificate: `from-roots`, "
            "`none`, or a PEM file of certificates whose subjects are told. A list over 16 KiB is "
            "not sent, with a warning, because many clients fail on it.",
     .example = "from-roots",
     .offset = 0},
    {.name = "depth",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 14,
     .standard = "3",
     .doc = "How many CA certificates may stand between a peer's certificate and the root.",
     .example = "1",
     HF_KEY_FIELD(hf_cfg_trust, depth)},
};

const struct hf_section hf_section_trust = {
    .noun = "trust",
    .doc = "Whom we believe: the roots that a peer's certificate is verified against.",
    .sample = "trust:\n  partners: {roots: partners-ca.pem, depth: 1}\n",
    .size = sizeof(struct hf_cfg_trust),
    HF_SECTION_KEYS(trust_keys)};
