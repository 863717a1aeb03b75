// SPDX-License-Identifier: Apache-2.0
/*
 *     number -> dates -> entries from the store -> signed file -> recorded
 *        \<-------------- another list was faster ---------------/
 *
 * The record is what makes numbers and contents agree between processes: it takes no list that is
 * below the last one.
 */
#include "ca/crl_make.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/crl_build.h"
#include "pki/serials.h"

enum { TRIES = 16, NAME_SIZE = 4096 };

/* One try. */
struct making {
    const struct hf_crl_make *what;
    struct hf_crl_made *made;
    struct hf_crl_builder *builder;
};

/* --- Entries ------------------------------------------------------------------------------------
 */

static enum hf_err add(const struct making *making, struct hf_bytes serial, int64_t at, int reason)
{
    return hf_crl_builder_add(making->builder, serial, hf_crl_entry_date(&making->made->dates, at),
                              reason);
}

static enum hf_err add_revoked(void *ctx, const struct hf_store_revocation *r)
{
    return add(ctx, r->serial, r->at, r->act == HF_ACT_HOLD ? HF_REVOKED_FOR_HOLD : r->reason);
}

/* What a delta says of one serial: the last line of the journal counts. */
struct change {
    uint8_t serial[HF_STORE_SERIAL_MAX];
    uint8_t len;
    uint8_t act;
    int8_t reason;
    int64_t at;
    int64_t seq;
};

struct changes {
    struct change *item;
    size_t n, size, max;
    unsigned shard;
};

static enum hf_err take_change(void *ctx, const struct hf_store_revocation *r)
{
    struct changes *changes = ctx;
    if (r->shard != changes->shard || r->serial.len > HF_STORE_SERIAL_MAX) {
        return HF_OK;
    }
    if (changes->n == changes->max) {
        return hf_fail(HF_E_TOO_LARGE, "over %zu changes are too many for one delta CRL",
                       changes->max);
    }
    if (changes->n == changes->size) {
        size_t size = changes->size ? 2 * changes->size : 64;
        struct change *grown = hf_realloc(changes->item, size * sizeof(*grown));
        if (!grown) {
            return HF_E_NOMEM;
        }
        changes->item = grown;
        changes->size = size;
    }
    struct change *change = &changes->item[changes->n++];
    *change = (struct change){.len = (uint8_t)r->serial.len,
                              .act = (uint8_t)r->act,
                              .reason = (int8_t)r->reason,
                              .at = r->at,
                              .seq = r->seq};
    memcpy(change->serial, r->serial.ptr, r->serial.len);
    return HF_OK;
}

static int by_serial(const void *a, const void *b)
{
    const struct change *x = a;
    const struct change *y = b;
    int order = x->len != y->len ? x->len - y->len : memcmp(x->serial, y->serial, x->len);
    return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

static bool same_serial(const struct change *a, const struct change *b)
{
    return a->len == b->len && memcmp(a->serial, b->serial, a->len) == 0;
}

static enum hf_err add_changes(const struct making *making, struct changes *changes)
{
    if (changes->n) {
        qsort(changes->item, changes->n, sizeof(changes->item[0]), by_serial);
    }
    for (size_t i = 0; i < changes->n; i++) {
        const struct change *change = &changes->item[i];
        if (i + 1 < changes->n && same_serial(change, change + 1)) {
            continue;
        }
        int reason = change->act == HF_ACT_RELEASE ? HF_REVOKED_FOR_REMOVED
                     : change->act == HF_ACT_HOLD  ? HF_REVOKED_FOR_HOLD
                                                   : change->reason;
        HF_TRY(add(making, hf_bytes_of(change->serial, change->len), change->at, reason));
    }
    return HF_OK;
}

/* What came while we read is read again by the next. Errors: HF_E_TOO_LARGE, too many. */
static enum hf_err read_changes(const struct hf_crl_make *what, struct changes *changes,
                                int64_t *out_seq)
{
    struct hf_store_heads heads;
    *changes = (struct changes){.shard = what->shard, .max = what->delta_max};
    HF_TRY(hf_store_heads(what->store, &heads));
    *out_seq = heads.journal;
    return hf_store_journal(what->store, what->authority->id, what->base_seq, 0, take_change,
                            changes);
}

static enum hf_err add_all(struct making *making, struct hf_store_crl *crl)
{
    const struct hf_authority *authority = making->what->authority;
    return hf_store_revoked(
        making->what->store, authority->id, authority->settings.shards ? (int)crl->shard : -1,
        making->made->dates.unexpired_at, add_revoked, making, &crl->journal_seq);
}

/* --- The list -----------------------------------------------------------------------------------
 */

/* Where the delta of a list is: the list's address with "-delta" before its ending. */
static void delta_addresses(const struct hf_authority_addresses *full,
                            struct hf_authority_addresses *out)
{
    out->n = 0;
    for (size_t i = 0; i < full->n; i++) {
        const char *url = full->url[i];
        size_t len = strlen(url);
        bool has_ending = len > 4 && strcmp(url + len - 4, ".crl") == 0;
        int n = snprintf(out->text[out->n], sizeof(out->text[0]), "%.*s-delta%s",
                         (int)(has_ending ? len - 4 : len), url, has_ending ? ".crl" : "");
        if (n > 0 && n < (int)sizeof(out->text[0])) {
            out->url[out->n] = out->text[out->n];
            out->n++;
        }
    }
}

void hf_crl_name(const struct hf_authority *authority, unsigned shard, bool delta, char *out,
                 size_t size)
{
    char number[16] = "";
    if (authority->settings.shards) {
        snprintf(number, sizeof(number), "-%u", shard);
    }
    snprintf(out, size, "%s%s%s", authority->name, number, delta ? "-delta" : "");
}

enum hf_err hf_crl_path(const char *folder, const struct hf_authority *authority, unsigned shard,
                        bool delta, char *out, size_t size)
{
    char name[NAME_SIZE];
    hf_crl_name(authority, shard, delta, name, sizeof(name));
    int n = snprintf(out, size, "%s/%s.crl", folder, name);
    return n < (int)size ? HF_OK : hf_fail(HF_E_TOO_LARGE, "the path of %s.crl is too long", name);
}

/* Puts it together. changes: NULL for a full list. */
static enum hf_err build(const struct hf_crl_make *what, struct changes *changes,
                         struct hf_crl_made *made)
{
    const struct hf_authority *authority = what->authority;
    struct hf_authority_addresses points, freshest = {.n = 0};
    struct making making = {.what = what, .made = made};
    hf_authority_addresses(authority->settings.crl_url, authority->name, what->shard, &points);
    if (what->delta_lifetime_s) {
        delta_addresses(&points, &freshest);
    }
    const struct hf_crl_plan plan = {
        .issuer = authority->cert,
        .signer = hf_issuer_signer(authority->issuer),
        .number = made->crl.number,
        .base = made->crl.base_number,
        .this_update = made->crl.this_update,
        .next_update = made->crl.next_update,
        .points = points.url,
        .n_points = authority->settings.shards ? points.n : 0,
        .freshest = freshest.url,
        .n_freshest = freshest.n,
    };
    HF_TRY(hf_crl_builder_new(&plan, what->folder, &making.builder));
    enum hf_err err = changes ? add_changes(&making, changes) : add_all(&making, &made->crl);
    err = err == HF_OK ? hf_crl_builder_end(making.builder, &made->file) : err;
    hf_crl_builder_free(making.builder);
    return err;
}

static enum hf_err record(const struct hf_crl_make *what, struct hf_crl_made *made)
{
    made->crl.n_entries = (int64_t)made->file.n_entries;
    memcpy(made->crl.sha256, made->file.sha256, sizeof(made->crl.sha256));
    struct hf_store_crl_record record = {
        .op = {.kind = HF_STORE_CRL_RECORD, .actor = what->actor},
        .crl = made->crl,
    };
    return hf_store_do(what->store, &record.op);
}

static enum hf_err take_number(const struct hf_crl_make *what, int64_t *out)
{
    struct hf_store_crl_number take = {
        .op = {.kind = HF_STORE_CRL_NUMBER, .actor = what->actor},
        .authority = what->authority->id,
        .shard = what->shard,
    };
    HF_TRY(hf_store_do(what->store, &take.op));
    *out = take.number;
    return HF_OK;
}

static enum hf_err begin(const struct hf_crl_make *what, struct hf_store_crl *crl,
                         struct hf_crl_dates *dates)
{
    *crl = (struct hf_store_crl){.authority = what->authority->id, .shard = what->shard};
    HF_TRY(take_number(what, &crl->number));
    return hf_crl_dates_of(what->store, crl->authority, what->shard, hf_clock_wall_s(what->clock),
                           dates);
}

static enum hf_err try_once(const struct hf_crl_make *what, struct hf_crl_made *made)
{
    struct hf_store_crl *crl = &made->crl;
    struct changes changes = {.n = 0};
    HF_TRY(begin(what, crl, &made->dates));
    enum hf_err err = what->delta ? read_changes(what, &changes, &crl->journal_seq) : HF_OK;
    crl->delta = what->delta && err != HF_E_TOO_LARGE;
    crl->base_number = crl->delta ? what->base : 0;
    crl->this_update = made->dates.this_update;
    crl->next_update = crl->this_update + (crl->delta ? what->delta_lifetime_s : what->lifetime_s);
    if (err == HF_OK || err == HF_E_TOO_LARGE) {
        err = build(what, crl->delta ? &changes : NULL, made);
    }
    hf_free(changes.item);
    return err == HF_OK ? record(what, made) : err;
}

enum hf_err hf_crl_make(const struct hf_crl_make *what, struct hf_crl_made *out)
{
    enum hf_err err = HF_E_EXISTS;
    for (int tries = 0; tries < TRIES && err == HF_E_EXISTS; tries++) {
        *out = (struct hf_crl_made){.file = HF_CRL_FILE_NONE};
        err = try_once(what, out);
        if (err != HF_OK) {
            hf_crl_file_done(&out->file);
        }
    }
    return err;
}
