// SPDX-License-Identifier: Apache-2.0
#include "suite.h"

int main(void)
{
    const struct suite libssl = {HF_TLS_ENGINE_LIBSSL, HF_TLS_ENGINE_LIBSSL, HF_TLS_1_2,
                                 HF_TLS_1_3};
    return suite_run(&libssl);
}
