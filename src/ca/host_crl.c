// SPDX-License-Identifier: Apache-2.0
/*
 * When lists are made; how, crl_make.c knows.
 *
 *   - A full list is due when there is none, and when half of its life is gone. Without deltas also
 *     `crl_delay_ms` after a revocation that it doesn't have.
 *   - A delta is due so long after a revocation, and when half of its own life is gone.
 *   - Building takes a tenth of the time or little more: after a long build there is a pause.
 *   - After a failure it is tried again soon, and then less and less often.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/crl_make.h"
#include "ca/host_impl.h"

enum {
    DELTA_MAX = 65536,
    LOOK_MS = 250, /* after one that couldn't be begun */
    PAUSE_FACTOR = 10,
    PAUSE_MAX_MS = 10 * 1000,
    FAR_MS = 60 * 60 * 1000, /* nothing is due for so long */
    PATH_MAX_ = 4096,
};

void hf_host_crl_done(struct hf_host_crl *crl)
{
    hf_blob_unref(crl->blob);
    *crl = (struct hf_host_crl){0};
}

/* --- Building, on the crew ----------------------------------------------------------------------
 */

static enum hf_err publish(const struct hf_host_build *build, const struct hf_crl_file *file)
{
    char path[PATH_MAX_];
    if (!build->host->crl_folder) {
        return HF_OK;
    }
    HF_TRY(hf_crl_path(build->host->crl_folder, build->authority, build->shard, build->delta, path,
                       sizeof(path)));
    return hf_crl_file_publish(file, path);
}

static enum hf_err keep(struct hf_host_build *build, const struct hf_crl_made *made)
{
    build->delta = made->crl.delta;
    build->dates = made->dates;
    build->made = (struct hf_host_crl){
        .number = made->crl.number,
        .base = made->crl.base_number,
        .this_update = made->crl.this_update,
        .next_update = made->crl.next_update,
        .seq = made->crl.journal_seq,
        .n_entries = made->file.n_entries,
    };
    memcpy(build->made.sha256, made->file.sha256, sizeof(build->made.sha256));
    HF_TRY(hf_crl_file_map(&made->file, &build->made.blob));
    return publish(build, &made->file);
}

static enum hf_err build_list(struct hf_host_build *build)
{
    const struct hf_ca_host_options *options = &build->host->options;
    const struct hf_crl_make what = {
        .store = hf_ca_store(build->host->service),
        .authority = build->authority,
        .clock = options->service.clock,
        .actor = "system",
        .folder = build->host->crl_folder,
        .shard = build->shard,
        .delta = build->delta,
        .base = build->base,
        .base_seq = build->base_seq,
        .delta_max = DELTA_MAX,
        .lifetime_s = options->crl_lifetime_s,
        .delta_lifetime_s = options->delta_lifetime_s,
    };
    struct hf_crl_made made;
    HF_TRY(hf_crl_make(&what, &made));
    enum hf_err err = keep(build, &made);
    hf_crl_file_done(&made.file);
    return err;
}

/* --- And back on the host's thread --------------------------------------------------------------
 */

static void say(struct hf_ca_host *host, const struct hf_host_build *build, int64_t took_ms)
{
    char name[PATH_MAX_];
    struct hf_log_line line;
    hf_crl_name(build->authority, build->shard, build->delta, name, sizeof(name));
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

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void pause_after_failure(struct hf_host_shard *shard, int64_t now_ms)
{
    shard->pause_ms = hf_host_longer(shard->pause_ms);
    shard->quiet_ms = now_ms + shard->pause_ms;
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
    shard->pause_ms = 0;
    shard->quiet_ms = now_ms + least(PAUSE_FACTOR * (now_ms - build->began_ms), PAUSE_MAX_MS);
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
        pause_after_failure(shard, now_ms);
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
        pause_after_failure(lists, hf_loop_now_ms(host->loop));
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
        pause_after_failure(lists, hf_loop_now_ms(host->loop));
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
                next = LOOK_MS;
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
