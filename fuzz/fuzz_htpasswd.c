// SPDX-License-Identifier: Apache-2.0
/* Files of users, and the field that a client sends. Nothing is hashed here: whatever hash is
 * accepted must be bounded in cost, which is checked, and crypt(3) is not ours. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "policy/basic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_htpasswd *users = NULL;
    struct hf_basic basic = {0};
    if (hf_basic_parse(hf_bytes_of(data, size), &basic) == HF_OK &&
        (strlen(basic.user.ptr) != basic.user.len || strchr(basic.user.ptr, ':') ||
         strlen(basic.password.ptr) != basic.password.len)) {
        abort();
    }
    if (hf_htpasswd_new(hf_bytes_of(data, size), "users", &users) == HF_OK) {
        bool known;
        const char *hash = hf_htpasswd_find(users, "nobody", &known);
        if (!hash || hash[0] != '$') {
            abort();
        }
    }
    hf_basic_done(&basic);
    hf_htpasswd_unref(users);
    return 0;
}
