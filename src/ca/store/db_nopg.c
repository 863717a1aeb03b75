// SPDX-License-Identifier: Apache-2.0
/* A build without libpq. */
#include "ca/store/db.h"

enum hf_err hf_db_pg_open(const struct hf_db_options *options, struct hf_db **out)
{
    (void)options;
    (void)out;
    return hf_fail(HF_E_UNSUPPORTED, "this handfast was built without PostgreSQL (libpq-dev); a "
                                     "store can be sqlite:PATH");
}
