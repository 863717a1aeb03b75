// SPDX-License-Identifier: Apache-2.0
/* One-time enrolment tokens: a person's approval given beforehand. The store knows them by their
 * hash alone; the token is told once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/service_impl.h"

enum { BYTES = 20, LIFETIME_STANDARD_S = 3600, LIFETIME_MAX_S = 366 * 86400, USES_MAX = 1000000 };

static const char prefix[] = "hft-"; /* so that scanners for secrets can find it */

static enum hf_err draw(struct hf_ca_work *work)
{
    uint8_t bytes[BYTES];
    char text[sizeof(prefix) + 2 * BYTES];
    HF_TRY(hf_rng_fill(work->service->rng, hf_span_of(bytes, sizeof(bytes))));
    memcpy(text, prefix, sizeof(prefix));
    hf_hex(hf_bytes_of(bytes, sizeof(bytes)), text + sizeof(prefix) - 1);
    work->token = hf_strdup(text);
    hf_wipe(bytes, sizeof(bytes));
    hf_wipe(text, sizeof(text));
    return work->token ? hf_ca_token_hash(work->token, work->token_hash) : HF_E_NOMEM;
}

static void told(struct hf_ca_work *work)
{
    char id[24];
    char when[HF_TIME_TEXT_SIZE];
    snprintf(id, sizeof(id), "%lld", (long long)work->token_add.token.id);
    hf_format_time(work->token_add.token.expires_at, when);
    work->outcome = HF_CA_DONE;
    work->op->id = hf_strdup(id);
    work->op->token = HF_TAKE(work->token);
    hf_ca_says(work, "token %s for the profile \"%s\", good until %s", id, work->profile->name,
               when);
}

enum hf_err hf_ca_verb_token(struct hf_ca_work *work)
{
    const struct hf_ca_op *op = work->op;
    int64_t lifetime_s = op->token_lifetime_s ? op->token_lifetime_s : LIFETIME_STANDARD_S;
    if (!hf_ca_has(work, HF_CA_MAY_TOKEN)) {
        return hf_ca_refuse(work, HF_CA_FORBIDDEN, "%.200s may not make tokens", op->caller.name);
    }
    if (lifetime_s < 0 || lifetime_s > LIFETIME_MAX_S || op->token_uses > USES_MAX) {
        return hf_ca_refuse(work, HF_CA_INVALID,
                            "a token lasts at most a year, for at most %d uses", USES_MAX);
    }
    HF_TRY(hf_ca_choose_profile(work, op->ask.profile));
    HF_TRY(draw(work));
    work->token_add = (struct hf_store_token_add){
        .op = {.kind = HF_STORE_TOKEN_ADD, .actor = op->caller.name, .detail = hf_ca_detail(work)},
        .token = {.profile = work->profile->name,
                  .limits = op->ask.name,
                  .note = op->note,
                  .creator = op->caller.name,
                  .uses_left = op->token_uses ? op->token_uses : 1,
                  .expires_at = hf_clock_wall_s(work->service->clock) + lifetime_s},
    };
    memcpy(work->token_add.token.hash, work->token_hash, sizeof(work->token_hash));
    work->write = &work->token_add.op;
    work->stored = told;
    return HF_OK;
}

static void told_removed(struct hf_ca_work *work)
{
    work->outcome = HF_CA_DONE;
    hf_ca_says(work, "token %lld is cancelled", (long long)work->token_remove.id);
}

enum hf_err hf_ca_verb_untoken(struct hf_ca_work *work)
{
    uint64_t id = 0;
    if (!hf_ca_has(work, HF_CA_MAY_TOKEN)) {
        return hf_ca_refuse(work, HF_CA_FORBIDDEN, "%.200s may not cancel tokens",
                            work->op->caller.name);
    }
    HF_TRY(hf_parse_uint(work->op->request ? work->op->request : "", INT64_MAX, &id));
    work->token_remove = (struct hf_store_token_remove){
        .op = {.kind = HF_STORE_TOKEN_REMOVE,
               .actor = work->op->caller.name,
               .detail = hf_ca_detail(work)},
        .id = (int64_t)id,
    };
    work->write = &work->token_remove.op;
    work->stored = told_removed;
    return HF_OK;
}
