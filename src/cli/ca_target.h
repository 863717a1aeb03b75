// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CA_TARGET_H
#define HF_CLI_CA_TARGET_H

/* A store that is there, or that a command makes: whole, or not at all. */

#include "ca/folder.h"
#include "cli/ca_open.h"

struct hf_ca_target {
    struct hf_folder folder; /* part NULL: the folder was there */
    struct hf_store *store;
};
#define HF_CA_TARGET_NONE ((struct hf_ca_target){.folder = HF_FOLDER_NONE})

enum hf_err hf_ca_target_open(const struct hf_ca_values *values,
                              struct hf_ca_target *out) HF_MUST_CHECK;

/* hf_ca_target_finish closes the store, gives a new folder its name, and writes its root.pem. */
enum hf_err hf_ca_target_finish(const struct hf_ca_values *values,
                                struct hf_ca_target *target) HF_MUST_CHECK;
void hf_ca_target_done(struct hf_ca_target *target);

#endif
