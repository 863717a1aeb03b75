// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_HOST_IMPL_H
#define HF_CA_HOST_IMPL_H

/* Shared by the files of the host; for nobody else. All is the host thread's, where not said. */

#include <pthread.h>

#include "ca/crew.h"
#include "ca/crl_date.h"
#include "ca/crl_file.h"
#include "ca/feed.h"
#include "ca/host.h"
#include "ca/public.h"
#include "os/loop.h"
#include "os/thread.h"

/* A list that is shown. */
struct hf_host_crl {
    struct hf_blob *blob; /* NULL: there is none yet */
    uint8_t sha256[HF_SHA256_SIZE];
    int64_t number, base;
    int64_t this_update, next_update;
    int64_t seq; /* of the journal, that it knows of */
    uint64_t n_entries;
};

/* The lists of one shard of an authority: the full one, and its delta. */
struct hf_host_shard {
    struct hf_host_crl full, delta;
    int64_t changed_seq; /* of the journal: the last change */
    int64_t changed_ms;  /* loop time when the first change was seen that no list has; 0: none */
    int64_t quiet_ms;    /* not before: after a failure, or a long build */
    int64_t pause_ms;    /* after the last failure; 0: a list was made since */
    bool again;          /* the clock was set: what was made by it is to be made again */
};

struct hf_host_authority {
    struct hf_authority *authority; /* a reference */
    struct hf_host_shard *shards;
    unsigned n_shards; /* at least one */
    struct hf_ocsp_signer *signer;
    int64_t signer_until;    /* Unix seconds: renewed from then on */
    int64_t signer_quiet_ms; /* loop time: not before */
    int64_t signer_pause_ms; /* after the last failure; 0: it was none */
};

/* A list being built, on the crew. */
struct hf_host_build {
    struct hf_crew_task task;
    struct hf_task done;
    struct hf_ca_host *host;
    struct hf_authority *authority;
    unsigned shard;
    bool delta;
    struct hf_crl_dates dates;
    int64_t base, base_seq; /* delta */
    int64_t began_ms;
    struct hf_host_crl made;
    enum hf_err err;
    char why[256];
};

struct hf_ca_host {
    struct hf_ca_host_options options;
    char *name, *crl_folder;
    struct hf_ca_service *service;
    struct hf_crew *crew;
    struct hf_public *public;
    struct hf_feed *feed;
    struct hf_obeyed obeyed; /* any thread */
    struct hf_live_book *book;
    int64_t seq; /* of the journal, that the book knows of */
    bool has_seq;
    int64_t told_seq; /* what the last view that was handed on knew */
    size_t n_told;

    struct hf_host_authority *authorities;
    size_t n_authorities;
    bool building; /* one list at a time */
    bool stale;    /* the view that is shown isn't what there is */

    int64_t heard_ns; /* when the store was last read, by the monotonic clock */
    bool lost;        /* too long ago: the live view says so */
    bool complained;  /* that it can't be read */
    bool anew;        /* all of it is to be read again */
    int64_t ahead_s;  /* of the monotonic clock, when it was last looked at */

    struct hf_loop *loop;
    struct hf_thread thread;
    struct hf_timer timer;
    struct hf_store_watch watch;
    bool watching;
    atomic_bool closing;

    pthread_mutex_t mutex; /* of those below: any thread */
    struct hf_live *live;
    bool told; /* on_change is on its way */
    struct hf_task change;
};

/* --- host.c -------------------------------------------------------------------------------------
 */

int64_t hf_host_now_s(const struct hf_ca_host *host);

/* hf_host_longer gives the pause after a failure: twice the one before (0: there was none), up to
 * half a minute. */
int64_t hf_host_longer(int64_t before_ms);

/* hf_host_look has the timer look at what is due, now. */
void hf_host_look(struct hf_ca_host *host);
struct hf_host_authority *hf_host_find(struct hf_ca_host *host, int64_t id);

/* --- host_clock.c -------------------------------------------------------------------------------
 */

/* hf_host_clock_begin notes what the clock says. hf_host_clock_look, if it was set since, has all
 * lists made again; true: it was set back, and what is known of revocations must be read anew. */
void hf_host_clock_begin(struct hf_ca_host *host);
bool hf_host_clock_look(struct hf_ca_host *host);

/* --- host_crl.c ---------------------------------------------------------------------------------
 */

/* hf_host_crl_due begins to build the list that is most wanted, if there is one; gives how long
 * from now the next will be due, in milliseconds. */
int64_t hf_host_crl_due(struct hf_ca_host *host);
void hf_host_crl_done(struct hf_host_crl *crl);

/* hf_host_crl_changed notes that this line of the journal is about this shard. */
void hf_host_crl_changed(struct hf_ca_host *host, int64_t authority, unsigned shard, int64_t seq);

/* --- host_ocsp.c --------------------------------------------------------------------------------
 */

/* hf_host_ocsp_due has signers delegated where there is none, or an old one; gives how long until
 * the next. */
int64_t hf_host_ocsp_due(struct hf_ca_host *host);

/* --- host_view.c --------------------------------------------------------------------------------
 */

/* hf_host_show brings what there is to the public part. */
enum hf_err hf_host_show(struct hf_ca_host *host) HF_MUST_CHECK;

#endif
