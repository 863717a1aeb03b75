// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_TLS_IMPL_H
#define HF_TLS_TLS_IMPL_H

/*
 * What an engine behind the seam implements, and what the seam does for every engine. Only files
 * under src/tls include this.
 *
 * An engine's own structs begin with struct hf_tls_ctx, struct hf_tls and struct hf_tls_session;
 * hf_tls_base_init and _done keep those parts. Configs that reach an engine have been checked for
 * what doesn't depend on the engine: versions in order and filled in, a judge, a clock, a random
 * source, ALPN names of legal length, at least one policy and identity in the server role, ticket
 * keys when tickets are on.
 */

#include <stdatomic.h>

#include "tls/tls.h"

struct hf_tls_ops {
    const char *name; /* hf_tls_info.engine */
    enum hf_err (*server_ctx_new)(const struct hf_tls_server_config *config,
                                  struct hf_tls_ctx **out);
    enum hf_err (*client_ctx_new)(const struct hf_tls_client_config *config,
                                  struct hf_tls_ctx **out);
    void (*ctx_free)(struct hf_tls_ctx *ctx);
    enum hf_err (*set_ticket_keys)(struct hf_tls_ctx *ctx, const struct hf_tls_ticket_keys *keys);
    enum hf_err (*set_staple)(struct hf_tls_ctx *ctx, const struct hf_credential *credential,
                              struct hf_bytes staple);
    enum hf_err (*new_server)(struct hf_tls_ctx *ctx, void *conn_ctx, struct hf_tls **out);
    enum hf_err (*new_client)(struct hf_tls_ctx *ctx, void *conn_ctx, const char *sni,
                              const struct hf_tls_session *session, struct hf_tls **out);
    void (*free)(struct hf_tls *tls);
    enum hf_tls_step (*handshake)(struct hf_tls *tls, struct hf_tls_io *io);
    enum hf_tls_step (*read)(struct hf_tls *tls, struct hf_tls_io *io, struct hf_span into,
                             size_t *out_n);
    enum hf_tls_step (*write)(struct hf_tls *tls, struct hf_tls_io *io, struct hf_bytes plain,
                              size_t *out_n);
    enum hf_tls_step (*close)(struct hf_tls *tls, struct hf_tls_io *io);
    void (*abort)(struct hf_tls *tls, struct hf_tls_io *io, uint8_t alert);
    void (*quiet)(struct hf_tls *tls);
    struct hf_tls_job *(*job)(struct hf_tls *tls); /* NULL: the engine never pauses for a job */
    void (*job_run)(struct hf_tls_job *job);
    void (*info)(const struct hf_tls *tls, struct hf_tls_info *out);
    enum hf_err (*export_key)(struct hf_tls *tls, const char *label, struct hf_bytes context,
                              struct hf_span out);
    struct hf_tls_session *(*take_session)(struct hf_tls *tls);
    void (*session_free)(struct hf_tls_session *session);
    enum hf_err (*ask)(struct hf_tls *tls, struct hf_tls_io *io); /* NULL: it can't */
    enum hf_err (*unpack)(struct hf_tls *tls, const struct hf_ders *ders,
                          struct hf_chain **out); /* NULL: it never packs */
};

struct hf_tls_ctx {
    const struct hf_tls_ops *ops;
    atomic_uint refs;
    struct hf_tls_judge judge;
    const struct hf_clock *clock;
    const struct hf_rng *rng;
    const struct hf_tls_keylog *keylog; /* NULL: none */
};

struct hf_tls {
    const struct hf_tls_ops *ops;
    struct hf_tls_ctx *ctx; /* owned reference */
    void *conn_ctx;
    struct hf_chain *peer_chain;            /* owned reference, or NULL: none, or packed */
    struct hf_ders *peer_ders;              /* owned reference: the chain, packed; or NULL */
    struct hf_bytes peer_staple;            /* the engine's memory */
    const struct hf_bytes *peer_ca_staples; /* likewise; see struct hf_tls_peer */
    struct hf_tls_failure *failure;         /* owned; NULL: none */
};

struct hf_tls_session {
    const struct hf_tls_ops *ops;
};

/* struct hf_tls_job begins every engine's job. */
struct hf_tls_job {
    const struct hf_tls_ops *ops;
};

void hf_tls_ctx_base_init(struct hf_tls_ctx *base, const struct hf_tls_ops *ops,
                          const struct hf_tls_common *common, const struct hf_tls_judge *judge);
void hf_tls_base_init(struct hf_tls *base, struct hf_tls_ctx *ctx, void *conn_ctx);
void hf_tls_base_done(struct hf_tls *base);

/* hf_tls_set_failure keeps the first failure of a connection; later ones are consequences. */
void hf_tls_set_failure(struct hf_tls *tls, enum hf_reason reason, const char *format, ...)
    HF_PRINTF(3, 4);

/* hf_tls_set_peer_chain takes over a reference; NULL forgets the chain. */
void hf_tls_set_peer_chain(struct hf_tls *tls, struct hf_chain *chain);

/* hf_tls_pack_peer keeps the chain as bytes alone from now on. For engines that have unpack. */
void hf_tls_pack_peer(struct hf_tls *tls);

/* hf_tls_judge_peer asks the judge about tls->peer_chain. An answer that refuses without naming an
 * alert gets handshake_failure; one that waits where that can't be is a refusal. */
struct hf_tls_answer hf_tls_judge_peer(struct hf_tls *tls, const struct hf_tls_policy *policy,
                                       const char *sni, bool resumed);

/* hf_tls_alpn_encode encodes the list as ProtocolNameList entries (RFC 7301), without its outer
 * length. Errors: HF_E_INVALID for an empty or over-long name. */
enum hf_err hf_tls_alpn_encode(const char *const *alpn, struct hf_buf *out) HF_MUST_CHECK;

extern const struct hf_tls_ops hf_tls_libssl, hf_tls_native;

#endif
