// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_PROBE_H
#define HF_PROXY_PROBE_H

/*
 * struct hf_probe is one check of one server, from looking up its name to its answer. It does what
 * real traffic does: the same addresses, PROXY header, TLS context (so the same identity, trust and
 * name) and judge; then what the check's type asks for.
 *
 *      dial -> [PROXY header] -> [TLS] -> tcp, tls: good
 *                                      -> http: GET, over HTTP/1.1 or HTTP/2
 *                                      -> grpc: grpc.health.v1.Health/Check, over HTTP/2
 */

#include "http/h2.h"
#include "os/resolve.h"
#include "proxy/leg.h"
#include "proxy/snapshot.h"

struct hf_probe;

/* What the probes of a thread share; outlives them, and the end of the turn that frees the last. */
struct hf_probe_env {
    struct hf_loop *loop;
    struct hf_resolver *resolver;
    const struct hf_clock *clock;
    struct hf_ledger *const *ledger; /* where the thread has what is known of revocation now */
    struct hf_ocsp_desk *desk;       /* NULL: nobody is asked by OCSP */
    struct hf_crl_desk *crl_desk;    /* NULL: no lists are on their way */
    struct hf_scratch *scratch;
    unsigned shard;
    struct hf_http_msg_pool msgs; /* set by hf_probe_env_init, like what follows */
    struct hf_h2_config h2;
};

void hf_probe_env_init(struct hf_probe_env *env);
void hf_probe_env_done(struct hf_probe_env *env);

/* Called once, from the loop, never from within hf_probe_start. why: "connect: Connection refused",
 * "GET /healthz answered 503"; "" when good. The probe may be freed in here. */
typedef void hf_probe_fn(void *ctx, bool good, const char *why);

/* hf_probe_start: the server's upstream has check_on; the check's timeout is from now to the end.
 */
enum hf_err hf_probe_start(struct hf_probe_env *env, const struct hf_server *server,
                           hf_probe_fn *on_end, void *ctx, struct hf_probe **out) HF_MUST_CHECK;

/* hf_probe_free ends it, silently when it hadn't. From within on_end too. NULL is fine. */
void hf_probe_free(struct hf_probe *probe);

#endif
