// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_HOST_H
#define HF_CA_HOST_H

/*
 * struct hf_ca_host is a CA as a daemon serves it: open all the time, with what must happen by
 * itself. It follows the store, so that what any process or node revokes is known here at once, and
 * says that nobody knows (hf_live_lose) when the store was out of reach for lost_ms;
 * publishes revocation lists before half of their life is gone, and soon after a revocation; has
 * its OCSP signers delegated and renewed.
 *
 *     store --change--> host's thread: journal --> live view --> proxies (on_live), feed, OCSP
 *                                  \--> lists that are due --> crew: build --> shown, published
 */

#include "base/log.h"
#include "ca/obeyed.h"
#include "ca/service.h"
#include "http/service.h"
#include "pki/live.h"

struct hf_ca_host;

struct hf_ca_host_options {
    const char *name; /* of the CA, in logs and sentences */
    struct hf_ca_service_options service;
    struct hf_log *log;
    int64_t crl_lifetime_s; /* from this update to next update */
    int64_t crl_delay_ms;   /* from a revocation to a list that has it, at most, but for building */
    int64_t delta_lifetime_s; /* of delta lists; 0: none are made, and revocations make full ones */
    int64_t ocsp_lifetime_s;
    int64_t lost_ms;        /* how long the store may be out of reach before the view is lost */
    const char *crl_folder; /* where lists are put as files, too; NULL: nowhere */

    /* on_live is told of each new view, which is its to unref; on the host's thread. NULL: nobody
     * wants to know. */
    void (*on_live)(void *ctx, struct hf_live *live);
    void *ctx;
};

/*
 * hf_ca_host_open opens the CA and loads what it has revoked: hf_ca_host_live has it when this
 * returns. Lists and OCSP come up soon after. Errors: those of hf_ca_service_open, of the store.
 */
enum hf_err hf_ca_host_open(const struct hf_ca_host_options *options,
                            struct hf_ca_host **out) HF_MUST_CHECK;

/* hf_ca_host_live gives a reference to the view now. Any thread. */
struct hf_live *hf_ca_host_live(struct hf_ca_host *host);

/* The services of its parts; borrowed. */
struct hf_service *hf_ca_host_public(struct hf_ca_host *host);
struct hf_service *hf_ca_host_feed(struct hf_ca_host *host);
struct hf_ca_service *hf_ca_host_service(struct hf_ca_host *host);

/* hf_ca_host_obeyed: to be told (hf_obeyed_tell) how far views of on_live are obeyed, and asked by
 * the API. Where nobody tells, revocations are answered late. */
struct hf_obeyed *hf_ca_host_obeyed(struct hf_ca_host *host);

/* hf_ca_host_drain answers those who wait for news. */
void hf_ca_host_drain(struct hf_ca_host *host);

/* hf_ca_host_close ends the threads; every call to its services has been answered then. */
void hf_ca_host_close(struct hf_ca_host *host);

#endif
