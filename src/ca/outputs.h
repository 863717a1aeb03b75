// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_OUTPUTS_H
#define HF_CA_OUTPUTS_H

/*
 * Files that must appear together and only after something else has succeeded. Each is written and
 * synced under a temporary name beside its own; hf_outputs_publish then gives them their names.
 *
 *     outputs_add, outputs_add ...   (the disk may be full: nothing has happened)
 *     hf_ca_record                   (may fail: nothing has happened)
 *     outputs_publish                (renames only)
 */

#include "base/bytes.h"

#define HF_OUTPUTS_MAX 16

struct hf_outputs {
    struct {
        char *path;
        char *temporary; /* NULL: published */
    } file[HF_OUTPUTS_MAX];
    size_t n;
    bool replace; /* files that exist may be replaced */
};

/* hf_outputs_add writes bytes under a temporary name. Errors: HF_E_EXISTS unless `replace`. */
enum hf_err hf_outputs_add(struct hf_outputs *outputs, const char *path, struct hf_bytes bytes,
                           unsigned mode) HF_MUST_CHECK;

/* hf_outputs_publish gives all files their names. On failure those not yet published keep their
 * temporary ones, which the sentence tells. */
enum hf_err hf_outputs_publish(struct hf_outputs *outputs) HF_MUST_CHECK;

/* hf_outputs_done removes what was never published. */
void hf_outputs_done(struct hf_outputs *outputs);

#endif
