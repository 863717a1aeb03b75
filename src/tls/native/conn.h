// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_CONN_H
#define HF_TLS_NATIVE_CONN_H

/*
 * A connection of the native engine, in two parts: struct hf_native stays as long as the connection
 * and is kept small, struct hf_native_hs exists while a handshake runs and is freed, wiped, at its
 * end. Only files of src/tls/native include this.
 */

#include "base/fsm.h"
#include "tls/native/ctx.h"
#include "tls/native/ext.h"
#include "tls/native/job.h"
#include "tls/native/msg.h"
#include "tls/native/record.h"
#include "tls/native/schedule.h"
#include "tls/native/transcript.h"
#include "tls/tls_impl.h"

/* --- Limits on what a peer can make us keep or do ----------------------------------------------
 */

#define HF_NATIVE_PSK_TRIES     4    /* tickets of one ClientHello that are opened */
#define HF_NATIVE_COOKIE_MAX    1024 /* of a server's cookie that a client echoes */
#define HF_NATIVE_KEY_UPDATES   32   /* in a row, without data between */
#define HF_NATIVE_USER_CANCELED 4    /* alerts in a row that are passed over */
#define HF_NATIVE_STAPLE_MAX    (16u << 10)
#define HF_NATIVE_CONTEXT_MAX   255          /* certificate_request_context (RFC 8446 4.3.2) */
#define HF_NATIVE_FLIGHT_MAX    (256u << 10) /* of ours, encoded */

/* --- While a handshake runs ---------------------------------------------------------------------
 */

struct hf_native_session;

struct hf_native_hs {
    struct hf_native_job job;
    struct hf_buf out;   /* our flight, encoded and not yet sealed */
    struct hf_buf hello; /* client: our ClientHello; server: raw bytes for the libssl door */
    size_t n_in;         /* bytes of the peer's flight so far, against HF_TLS_PEER_FLIGHT_MAX */
    bool flush;          /* seal `out` before the next act: the flight ends or keys change */
    bool ccs_due;        /* send change_cipher_spec before what is in `out` */
    bool ccs_sent;
    bool keep; /* server: an answer after the handshake is still to come */

    struct hf_transcript transcript;
    struct hf_schedule schedule;
    struct hf_secret client_secret; /* handshake traffic */
    struct hf_secret server_secret;
    struct hf_secret client_app; /* application traffic */
    struct hf_secret server_app;
    struct hf_secret shared; /* (EC)DHE, between derive and ServerHello */

    uint8_t client_random[32];
    uint8_t session_id[32]; /* legacy_session_id */
    uint8_t session_id_len;

    uint32_t offered; /* extensions that we asked with: in ClientHello or CertificateRequest */

    /* Key exchange. */
    uint16_t newest;      /* server: version that the client offers, unknown ones left out */
    bool retried;         /* a HelloRetryRequest was sent or received */
    uint16_t retry_group; /* its group; 0: none */
    uint32_t groups;      /* peer's supported_groups, bits by our preference */
    struct hf_kex kex[HF_NATIVE_GROUPS]; /* ours, by our preference; public_len 0: not made */
    uint8_t n_kex;                       /* how many key shares go into the ClientHello */
    uint16_t share_group;                /* of the peer's share that we take; 0: none */
    uint8_t share[HF_KEX_PUBLIC_MAX];
    uint8_t share_len;
    uint8_t cookie[HF_NATIVE_COOKIE_MAX]; /* client: to echo */
    uint16_t cookie_len;
    bool cookie_taken; /* server: the transcript was resumed from the cookie */

    /* Authentication. */
    uint32_t schemes;      /* the peer's signature_algorithms, bits by hf_native_scheme_bit */
    uint32_t cert_schemes; /* its signature_algorithms_cert, or the same */
    struct hf_native_session *session; /* client: offered; a reference */
    bool psk_dhe;                      /* peer: psk_key_exchange_modes has psk_dhe_ke */
    bool psk_offered;                  /* client: pre_shared_key is in the ClientHello */
    bool psk_accepted;
    uint16_t psk_index; /* server: identity selected */
    bool early_offered;
    bool limit_told;      /* the client has a record_size_limit */
    bool staple_asked;    /* by the peer */
    uint16_t compression; /* for our Certificate; HF_COMPRESSION_NONE: none */
    bool cert_asked;      /* client: a CertificateRequest came; server: we sent one */
    bool cert_sent;       /* ours was not empty */
    bool cert_seen;       /* the peer's was not empty */
    size_t cert_at;       /* the entry of the peer's that is being read */
    struct hf_bytes
        *ca_staples; /* of its entries above the leaf, by entry; owned; NULL: none came */
    bool sni_known;  /* server: the name chose the identity: acknowledge it */
    uint16_t sign_scheme;
    uint8_t context[HF_NATIVE_CONTEXT_MAX]; /* certificate_request_context */
    uint8_t context_len;
    const struct hf_verify_key *peer_key; /* of the peer chain's leaf */
    bool peer_known;                      /* the chain was in ctx->known_chains */
    bool verdict_due;            /* the judge waits: nothing goes on before it has answered */
    struct hf_bytes authorities; /* body of the peer's certificate_authorities, while handled */
    int64_t psk_until_s;         /* server: no ticket of a resumption lives longer; 0: no bound */
};

/* --- The connection ------------------------------------------------------------------------------
 */

struct hf_native {
    struct hf_tls base;
    struct hf_native_hs *hs; /* NULL when no handshake runs */
    struct hf_tls *door;     /* the libssl connection that took over, or NULL */
    const struct hf_native_role *role;
    struct hf_fsm fsm;
    struct hf_record record;
    struct hf_buf in;    /* handshake bytes of the peer not yet handled */
    struct hf_buf plain; /* data for which the reader's span was too small */
    size_t in_taken;     /* of `in`: the message handled last */
    const struct hf_suite *suite;
    struct hf_secret exporter;
    struct hf_secret resumption;       /* client: for tickets that come */
    struct hf_transcript *after;       /* through the client's Finished, for post-handshake auth */
    struct hf_native_session *session; /* client: the newest that came */
    const struct hf_native_identity *own; /* what we authenticate with */
    const struct hf_tls_policy *policy;
    struct hf_buf staple; /* the peer's OCSP response; empty: none */
    char *sni;
    const char *alpn; /* in the context's list */
    uint16_t group;
    uint16_t peer_scheme;  /* of its CertificateVerify; 0: none */
    uint8_t alert;         /* to be sent because of the failure being reported */
    enum hf_reason reason; /* of that failure */
    uint8_t alert_sent;
    uint8_t alert_received;
    uint8_t n_key_updates; /* in a row */
    uint8_t n_user_canceled;
    bool server;
    bool greeted; /* a record came */
    bool complete;
    bool resumed;
    bool failed;
    bool closed_in;       /* close_notify came */
    bool closed_out;      /* close_notify was sent */
    bool update_owed;     /* the peer asked for a KeyUpdate of ours */
    bool update_asked;    /* we asked, and it hasn't answered */
    bool post_auth;       /* the client offered post_handshake_auth */
    bool admitted;        /* by the judge */
    bool retried;         /* with a HelloRetryRequest, for hf_tls_info */
    uint8_t n_post_auths; /* answers to requests after the handshake */
};

static inline struct hf_native *hf_native_of(struct hf_tls *tls)
{
    return HF_CONTAINER_OF(tls, struct hf_native, base);
}

static inline struct hf_native_ctx *hf_native_ctx(const struct hf_native *conn)
{
    return HF_CONTAINER_OF(conn->base.ctx, struct hf_native_ctx, base);
}

/* hf_native_hs_new gives the connection an empty handshake state; _free wipes it and gives it back.
 */
enum hf_err hf_native_hs_new(struct hf_native *conn) HF_MUST_CHECK;
void hf_native_hs_free(struct hf_native *conn);

/* hf_native_ca_staples_free: there is a handshake; of ext_status.c. */
void hf_native_ca_staples_free(struct hf_native *conn);

/* --- Failing -------------------------------------------------------------------------------------
 * The failing place says which alert and a sentence; the drive sends the one and keeps the other.
 * An error that reaches it without either is decode_error when a reader or parser gave it
 * (HF_E_TRUNCATED, HF_E_MALFORMED), else internal_error.
 */

/* hf_native_fail: the peer broke the protocol. Yields HF_E_PEER. */
#define hf_native_fail(conn, alert, ...) \
    (hf_native_set_alert((conn), (alert), HF_REASON_PROTOCOL), hf_fail(HF_E_PEER, __VA_ARGS__))

/* hf_native_refuse: a reason with its own alert (pki/reason.h). Yields HF_E_PEER. */
#define hf_native_refuse(conn, reason, ...) \
    (hf_native_set_alert((conn), hf_reason_alert(reason), (reason)), \
     hf_fail(HF_E_PEER, __VA_ARGS__))

void hf_native_set_alert(struct hf_native *conn, uint8_t alert, enum hf_reason reason);

/* --- The drive: records to messages, acts, flights (drive.c) ------------------------------------
 */

/* hf_native_drive runs the machine until it needs something or is connected (HF_TLS_DONE). */
enum hf_tls_step hf_native_drive(struct hf_native *conn, struct hf_tls_io *io);

/* hf_native_fail_out ends the connection after err: sends the alert, keeps the failure. */
enum hf_tls_step hf_native_fail_out(struct hf_native *conn, struct hf_tls_io *io, enum hf_err err);

/* hf_native_on_alert handles a received alert: HF_TLS_DONE goes on, CLOSED or FAILED end. */
enum hf_tls_step hf_native_on_alert(struct hf_native *conn, struct hf_tls_io *io,
                                    struct hf_bytes content);

/* hf_native_take_handshake keeps the content of a handshake record; the drive handles what is
 * whole.
 */
enum hf_err hf_native_take_handshake(struct hf_native *conn, struct hf_bytes content) HF_MUST_CHECK;

/* hf_native_record_failed takes over why a record could not be opened. */
enum hf_err hf_native_record_failed(struct hf_native *conn,
                                    const struct hf_record_in *got) HF_MUST_CHECK;

/* hf_native_flush seals the flight: HF_TLS_DONE, HF_TLS_WANT_OUTPUT or HF_TLS_FAILED. */
enum hf_tls_step hf_native_flush(struct hf_native *conn, struct hf_tls_io *io);

/* hf_native_send_alert appends an alert under the keys of the moment, if there is room. */
void hf_native_send_alert(struct hf_native *conn, struct hf_tls_io *io, uint8_t alert);

void hf_native_move(struct hf_native *conn, uint8_t state);

/* hf_native_server_ask begins a request for a certificate after the handshake. */
enum hf_err hf_native_server_ask(struct hf_native *conn) HF_MUST_CHECK;

/* --- The operations of the seam on data (data.c) -------------------------------------------------
 */

enum hf_tls_step hf_native_read(struct hf_tls *tls, struct hf_tls_io *io, struct hf_span into,
                                size_t *out_n);
enum hf_tls_step hf_native_write(struct hf_tls *tls, struct hf_tls_io *io, struct hf_bytes plain,
                                 size_t *out_n);
enum hf_tls_step hf_native_close(struct hf_tls *tls, struct hf_tls_io *io);

/* --- The libssl door (door.c): TLS 1.2 on a connection whose hello came here first ---------------
 */

enum hf_tls_step hf_native_door_step(struct hf_native *conn, enum hf_tls_step step);
enum hf_tls_step hf_native_door_handshake(struct hf_native *conn, struct hf_tls_io *io);

#endif
