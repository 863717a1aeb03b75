// SPDX-License-Identifier: Apache-2.0
/*
 * When lists are made, and of what.
 *
 *   - A full list is due when there is none, and when half of its life is gone. Without deltas also
 *     `crl_delay_ms` after a revocation that it doesn't have.
 *   - A delta is due so long after a revocation, and when half of its own life is gone.
 *   - Building takes at most a tenth of the time: after a long build there is a pause.
 *
 * An expired certificate stays on the list until it was on one that was made after its end (RFC
 * 5280 3.3), which is what the date of the list before is for. Numbers come from the store, which
 * never gives one twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/crl_build.h"
#include "ca/host_impl.h"
#include "os/file.h"

enum {
    CHANGES_MAX = 65536, /* in a delta; beyond, a full list is made */
    RETRY_MS = 30 * 1000,
    PAUSE_FACTOR = 10,
    FAR_MS = 60 * 60 * 1000, /* nothing is due for so long */
    PATH_MAX_ = 4096,
};

void hf_host_crl_done(struct hf_host_crl *crl)
{
    hf_blob_unref(crl->blob);
    *crl = (struct hf_host_crl){0};
}

/* --- Entries ------------------------------------------------------------------------------------
 */

struct adding {
    struct hf_crl_builder *builder;
    const struct hf_crl_dates *dates;
};

static enum hf_err add_revoked(void *ctx, const struct hf_store_revocation *r)
{
    const struct adding *adding = ctx;
    int reason = r->act == HF_ACT_HOLD ? HF_REVOKED_FOR_HOLD : r->reason;
    return hf_crl_builder_add(adding->builder, r->serial, hf_crl_entry_date(adding->dates, r->at),
                              reason);
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
    size_t n, size;
    unsigned shard;
};

static enum hf_err add_change(void *ctx, const struct hf_store_revocation *r)
{
    struct changes *changes = ctx;
    if (r->shard != changes->shard || r->serial.len > HF_STORE_SERIAL_MAX) {
        return HF_OK;
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

static enum hf_err add_changes(struct changes *changes, const struct adding *adding)
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
        HF_TRY(hf_crl_builder_add(adding->builder, hf_bytes_of(change->serial, change->len),
                                  hf_crl_entry_date(adding->dates, change->at), reason));
    }
    return HF_OK;
}

static enum hf_err add_delta(struct hf_host_build *build, const struct adding *adding)
{
    struct hf_store *store = hf_ca_store(build->host->service);
    struct changes changes = {.shard = build->shard};
    struct hf_store_heads heads;
    enum hf_err err = hf_store_heads(store, &heads);
    if (err == HF_OK) {
        err = hf_store_journal(store, build->authority->id, build->base_seq, CHANGES_MAX,
                               add_change, &changes);
    }
    err = err == HF_OK ? add_changes(&changes, adding) : err;
    build->made.seq = heads.journal; /* what came while we read is read again by the next */
    hf_free(changes.item);
    return err;
}

/* --- Building, on the crew ----------------------------------------------------------------------
 */

static enum hf_err take_number(struct hf_host_build *build)
{
    struct hf_store_crl_number number = {
        .op = {.kind = HF_STORE_CRL_NUMBER, .actor = "system"},
        .authority = build->authority->id,
        .shard = build->shard,
    };
    HF_TRY(hf_store_do(hf_ca_store(build->host->service), &number.op));
    build->made.number = number.number;
    return HF_OK;
}

/* "issuing", "issuing-3", "issuing-3-delta" */
static void list_name(const struct hf_authority *authority, unsigned shard, bool delta, char *out,
                      size_t size)
{
    char number[16] = "";
    if (authority->settings.shards) {
        snprintf(number, sizeof(number), "-%u", shard);
    }
    snprintf(out, size, "%s%s%s", authority->name, number, delta ? "-delta" : "");
}

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

static enum hf_err publish(const struct hf_host_build *build, const struct hf_crl_file *file)
{
    char name[PATH_MAX_], path[PATH_MAX_];
    if (!build->host->crl_folder) {
        return HF_OK;
    }
    list_name(build->authority, build->shard, build->delta, name, sizeof(name));
    int n = snprintf(path, sizeof(path), "%s/%s.crl", build->host->crl_folder, name);
    if (n >= (int)sizeof(path)) {
        return hf_fail(HF_E_TOO_LARGE, "the path of %s.crl is too long", name);
    }
    return hf_crl_file_publish(file, path);
}

static enum hf_err record(struct hf_host_build *build)
{
    struct hf_store_crl_record record = {
        .op = {.kind = HF_STORE_CRL_RECORD, .actor = "system"},
        .crl = {.authority = build->authority->id,
                .shard = build->shard,
                .delta = build->delta,
                .number = build->made.number,
                .base_number = build->made.base,
                .this_update = build->made.this_update,
                .next_update = build->made.next_update,
                .journal_seq = build->made.seq,
                .n_entries = (int64_t)build->made.n_entries},
    };
    memcpy(record.crl.sha256, build->made.sha256, sizeof(record.crl.sha256));
    return hf_store_do(hf_ca_store(build->host->service), &record.op);
}

static enum hf_err finish(struct hf_host_build *build, struct hf_crl_builder *builder)
{
    struct hf_crl_file file = HF_CRL_FILE_NONE;
    HF_TRY(hf_crl_builder_end(builder, &file));
    memcpy(build->made.sha256, file.sha256, sizeof(build->made.sha256));
    build->made.n_entries = file.n_entries;
    enum hf_err err = hf_crl_file_map(&file, &build->made.blob);
    err = err == HF_OK ? record(build) : err; /* before anybody sees it */
    err = err == HF_OK ? publish(build, &file) : err;
    hf_crl_file_done(&file);
    return err;
}

static enum hf_err build_list(struct hf_host_build *build)
{
    struct hf_store *store = hf_ca_store(build->host->service);
    const struct hf_ca_host_options *options = &build->host->options;
    const struct hf_authority *authority = build->authority;
    struct hf_authority_addresses points, freshest = {.n = 0};
    struct hf_crl_builder *builder = NULL;
    HF_TRY(take_number(build));
    HF_TRY(hf_crl_dates_of(store, authority->id, build->shard, hf_host_now_s(build->host),
                           &build->dates));
    build->made.this_update = build->dates.this_update;
    build->made.next_update = build->made.this_update +
                              (build->delta ? options->delta_lifetime_s : options->crl_lifetime_s);
    build->made.base = build->delta ? build->base : 0;
    hf_authority_addresses(authority->settings.crl_url, authority->name, build->shard, &points);
    if (options->delta_lifetime_s) {
        delta_addresses(&points, &freshest);
    }
    struct hf_crl_plan plan = {
        .issuer = authority->cert,
        .signer = hf_issuer_signer(authority->issuer),
        .number = build->made.number,
        .base = build->made.base,
        .this_update = build->made.this_update,
        .next_update = build->made.next_update,
        .points = points.url,
        .n_points = authority->settings.shards ? points.n : 0,
        .freshest = freshest.url,
        .n_freshest = freshest.n,
    };
    HF_TRY(hf_crl_builder_new(&plan, build->host->crl_folder, &builder));
    struct adding adding = {builder, &build->dates};
    enum hf_err err =
        build->delta
            ? add_delta(build, &adding)
            : hf_store_revoked(store, authority->id,
                               authority->settings.shards ? (int)build->shard : -1,
                               build->dates.unexpired_at, add_revoked, &adding, &build->made.seq);
    err = err == HF_OK ? finish(build, builder) : err;
    hf_crl_builder_free(builder);
    return err;
}

/* --- And back on the host's thread --------------------------------------------------------------
 */

static void say(struct hf_ca_host *host, const struct hf_host_build *build, int64_t took_ms)
{
    char name[PATH_MAX_];
    struct hf_log_line line;
    list_name(build->authority, build->shard, build->delta, name, sizeof(name));
    hf_log_begin(&line, host->options.log, build->err == HF_OK ? HF_LOG_INFO : HF_LOG_ERROR, "crl");
    hf_log_str(&line, "ca", host->name);
    hf_log_str(&line, "list", name);
    if (build->err == HF_OK) {
        hf_log_int(&line, "number", build->made.number);
        hf_log_int(&line, "entries", (int64_t)build->made.n_entries);
        hf_log_int(&line, "took_ms", took_ms);
        if (build->dates.held || build->dates.went_back) {
            hf_log_str(&line, "text",
                       build->dates.held
                           ? "the clock was set back: it is dated like the list before"
                           : "the list before was made by a clock far ahead: this one is dated "
                             "before it");
        }
    } else {
        hf_log_str(&line, "text", build->why);
    }
    hf_log_end(&line);
}

static void take_over(struct hf_host_shard *shard, struct hf_host_build *build, int64_t now_ms)
{
    struct hf_host_crl *crl = build->delta ? &shard->delta : &shard->full;
    hf_host_crl_done(crl);
    *crl = build->made;
    build->made = (struct hf_host_crl){0};
    if (!build->delta) {
        hf_host_crl_done(&shard->delta); /* it adds to the list before */
    }
    shard->quiet_ms = now_ms + PAUSE_FACTOR * (now_ms - build->began_ms);
}

static int64_t newest_seq(const struct hf_host_shard *shard)
{
    return shard->delta.seq > shard->full.seq ? shard->delta.seq : shard->full.seq;
}

static void on_built(struct hf_task *task)
{
    struct hf_host_build *build = HF_CONTAINER_OF(task, struct hf_host_build, done);
    struct hf_ca_host *host = build->host;
    int64_t now_ms = hf_loop_now_ms(host->loop);
    struct hf_host_authority *owner = hf_host_find(host, build->authority->id);
    struct hf_host_shard *shard =
        owner && build->shard < owner->n_shards ? &owner->shards[build->shard] : NULL;
    host->building = false;
    say(host, build, now_ms - build->began_ms);
    if (shard && build->err == HF_OK) {
        take_over(shard, build, now_ms);
        bool has_all = newest_seq(shard) >= shard->changed_seq;
        shard->changed_ms = has_all ? 0 : now_ms;
        host->stale = true;
    } else if (shard) {
        shard->quiet_ms = now_ms + RETRY_MS;
        shard->again |= !build->delta;
    }
    hf_host_crl_done(&build->made);
    hf_authority_unref(build->authority);
    hf_free(build);
    hf_host_look(host);
}

static void run(struct hf_crew_task *task, bool dropped)
{
    struct hf_host_build *build = HF_CONTAINER_OF(task, struct hf_host_build, task);
    build->err = dropped ? hf_fail(HF_E_CLOSED, "the CA is being closed") : build_list(build);
    if (build->err != HF_OK) {
        snprintf(build->why, sizeof(build->why), "%s", hf_err_text());
    }
    build->done.run = on_built;
    hf_loop_post(build->host->loop, &build->done);
}

static void begin(struct hf_ca_host *host, struct hf_host_authority *owner, unsigned shard,
                  bool delta)
{
    struct hf_host_build *build = HF_NEW(struct hf_host_build);
    struct hf_host_shard *lists = &owner->shards[shard];
    if (!build) {
        lists->quiet_ms = hf_loop_now_ms(host->loop) + RETRY_MS;
        return;
    }
    *build = (struct hf_host_build){
        .task = {.run = run},
        .host = host,
        .authority = hf_authority_ref(owner->authority),
        .shard = shard,
        .delta = delta,
        .base = lists->full.number,
        .base_seq = lists->full.seq,
        .began_ms = hf_loop_now_ms(host->loop),
    };
    host->building = true;
    lists->again = lists->again && delta; /* of the clock that is right now */
    if (hf_crew_add(host->crew, &build->task) != HF_OK) {
        host->building = false;
        lists->quiet_ms = hf_loop_now_ms(host->loop) + RETRY_MS;
        hf_authority_unref(build->authority);
        hf_free(build);
    }
}

/* --- What is due --------------------------------------------------------------------------------
 */

/* Milliseconds until half of a list's life is gone. */
static int64_t until_half(const struct hf_ca_host *host, const struct hf_host_crl *crl)
{
    int64_t half = crl->this_update + (crl->next_update - crl->this_update) / 2;
    int64_t left = half - hf_host_now_s(host);
    return crl->blob && left > 0 ? left * 1000 : 0;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Until this shard wants a list, and whether that is a delta. */
static int64_t due_of(const struct hf_ca_host *host, const struct hf_host_shard *shard,
                      bool *out_delta)
{
    int64_t now_ms = hf_loop_now_ms(host->loop);
    bool deltas = host->options.delta_lifetime_s > 0;
    int64_t full = until_half(host, &shard->full);
    int64_t news = FAR_MS;
    *out_delta = false;
    full = shard->again ? 0 : full;
    if (shard->changed_ms) {
        int64_t left = shard->changed_ms + host->options.crl_delay_ms - now_ms;
        news = left > 0 ? left : 0;
    }
    if (deltas && shard->full.blob) {
        int64_t delta = least(news, until_half(host, &shard->delta));
        *out_delta = delta < full;
        full = least(full, delta);
    } else {
        full = least(full, news);
    }
    int64_t quiet = shard->quiet_ms - now_ms;
    return full > quiet ? full : quiet;
}

int64_t hf_host_crl_due(struct hf_ca_host *host)
{
    int64_t next = FAR_MS;
    for (size_t i = 0; i < host->n_authorities && !host->building; i++) {
        struct hf_host_authority *owner = &host->authorities[i];
        for (unsigned s = 0; owner->authority->issuer && s < owner->n_shards; s++) {
            bool delta;
            int64_t due = due_of(host, &owner->shards[s], &delta);
            if (due == 0) {
                begin(host, owner, s, delta);
                next = RETRY_MS;
                break;
            }
            next = least(next, due);
        }
    }
    return host->building ? FAR_MS : next; /* its end has a look again */
}

void hf_host_crl_changed(struct hf_ca_host *host, int64_t authority, unsigned shard, int64_t seq)
{
    struct hf_host_authority *owner = hf_host_find(host, authority);
    if (!owner) {
        return;
    }
    struct hf_host_shard *lists =
        &owner->shards[shard < owner->n_shards ? shard : owner->n_shards - 1];
    lists->changed_seq = seq;
    if (!lists->changed_ms && lists->full.blob) {
        lists->changed_ms = hf_loop_now_ms(host->loop);
    }
}
