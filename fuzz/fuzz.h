// SPDX-License-Identifier: Apache-2.0
#ifndef HF_FUZZ_FUZZ_H
#define HF_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* What every target defines: one input, any bytes. Ends the program when something is wrong with
 * us, never because of the input; always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
