// SPDX-License-Identifier: Apache-2.0
#include "ca/crl_date.h"

/* 0: there was none. */
static enum hf_err last_of(struct hf_store *store, int64_t authority, unsigned shard, bool delta,
                           int64_t *out)
{
    struct hf_store_crl last;
    enum hf_err err = hf_store_crl_last(store, authority, shard, delta, &last);
    *out = err == HF_OK ? last.this_update : 0;
    return err == HF_E_NOT_FOUND ? HF_OK : err;
}

enum hf_err hf_crl_dates_of(struct hf_store *store, int64_t authority, unsigned shard, int64_t now,
                            struct hf_crl_dates *out)
{
    int64_t full;
    int64_t delta;
    HF_TRY(last_of(store, authority, shard, false, &full));
    HF_TRY(last_of(store, authority, shard, true, &delta));
    int64_t last = delta > full ? delta : full;
    bool held = last > now && last - now <= HF_CRL_HELD_S;
    *out = (struct hf_crl_dates){
        .this_update = held ? last : now,
        .unexpired_at = full < now ? full : now,
        .held = held,
        .went_back = last > now && !held,
    };
    return HF_OK;
}
