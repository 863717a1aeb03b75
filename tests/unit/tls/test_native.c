// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "suite.h"

/* The native engine against itself and against libssl, in both roles, and with the door to TLS 1.2
 * open. The argument names the pair. */

static const struct {
    const char *name;
    struct suite suite;
} pairs[] = {
    {"both", {HF_TLS_ENGINE_NATIVE, HF_TLS_ENGINE_NATIVE, HF_TLS_1_3, HF_TLS_1_3}},
    {"server", {HF_TLS_ENGINE_NATIVE, HF_TLS_ENGINE_LIBSSL, HF_TLS_1_3, HF_TLS_1_3}},
    {"client", {HF_TLS_ENGINE_LIBSSL, HF_TLS_ENGINE_NATIVE, HF_TLS_1_3, HF_TLS_1_3}},
    {"door", {HF_TLS_ENGINE_NATIVE, HF_TLS_ENGINE_LIBSSL, HF_TLS_1_2, HF_TLS_1_3}},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < HF_N_ELEMENTS(pairs); i++) {
        if (strcmp(argv[1], pairs[i].name) == 0) {
            return suite_run(&pairs[i].suite);
        }
    }
    fprintf(stderr, "usage: %s both|server|client|door\n", argv[0]);
    return 2;
}
