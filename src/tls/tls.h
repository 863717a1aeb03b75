// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_TLS_H
#define HF_TLS_TLS_H

/*
 * The TLS seam: what the rest of Handfast knows of TLS. Sans-I/O: bytes from the peer go in, bytes
 * for the peer come out, and whoever holds the connection moves them. Behind it stand engines;
 * nothing above it can tell which, and no header of libssl is included outside src/tls.
 *
 *      peer's bytes --> io.in   +---------+   plain  --> hf_tls_read
 *                               | hf_tls  |
 *      peer's bytes <-- io.out  +---------+   plain  <-- hf_tls_write
 *
 * Every call takes a struct hf_tls_io. It consumes from the front of io.in (advancing it) and
 * appends to io.out. Bytes left in io.in are an incomplete record: present them again, followed by
 * more. An engine may overwrite the bytes that io.in views. Alerts to the peer are appended to
 * io.out like everything else: on HF_TLS_FAILED and HF_TLS_CLOSED send what is there, then close.
 *
 * A connection belongs to one thread at a time. A context is immutable and shared by all.
 */

#include "base/buf.h"
#include "base/clock.h"
#include "base/secret.h"
#include "pki/credential.h"
#include "pki/ders.h"
#include "pki/reason.h"

#define HF_TLS_RECORD_MAX      (16384 + 256 + 5)       /* a protected record with its header */
#define HF_TLS_OUT_MIN         (2 * HF_TLS_RECORD_MAX) /* least cap of io.out */
#define HF_TLS_PEER_FLIGHT_MAX (96u << 10) /* handshake bytes that a peer may make us keep */
#define HF_TLS_TICKET_KEYS     3

enum hf_tls_step {
    HF_TLS_DONE,         /* the call did what it was asked */
    HF_TLS_WANT_INPUT,   /* io.in is used up (but for a partial record): call again with more */
    HF_TLS_WANT_OUTPUT,  /* io.out has too little room: drain it and call again */
    HF_TLS_WANT_JOB,     /* run hf_tls_job(), then call again */
    HF_TLS_WANT_VERDICT, /* of a handshake: call again when the judge, who waits, can answer */
    HF_TLS_CLOSED,       /* the peer sent close_notify: no more plaintext will come */
    HF_TLS_FAILED,       /* over; hf_tls_failure() says why */
};

struct hf_tls_io {
    struct hf_span in;
    struct hf_buf *out;
};

enum hf_tls_version { HF_TLS_1_2 = 0x0303, HF_TLS_1_3 = 0x0304 };
enum hf_tls_ask { HF_TLS_ASK_NONE, HF_TLS_ASK_OPTIONAL, HF_TLS_ASK_REQUIRED };

/* --- Who judges the peer ------------------------------------------------------------------------
 */

struct hf_tls;
struct hf_tls_policy;

struct hf_tls_peer {
    const struct hf_chain *chain;       /* NULL: none was sent */
    const struct hf_tls_policy *policy; /* the one that the SNI chose; NULL in the client role */
    const char *sni;                    /* as sent; NULL: none */
    bool resumed;
    struct hf_bytes staple; /* OCSP response that came with the chain; empty: none */
    /* likewise with the CA certificates of the chain: one for each of its certificates, empty where
     * none came; NULL: none at all. TLS 1.3 and the native engine only: libssl shows the leaf's */
    const struct hf_bytes *ca_staples;
};

struct hf_tls_answer {
    bool admit;
    uint8_t alert; /* to send when not admitted */
    bool wait;     /* with admit false: the judge can't say yet, and is asked again at the next
                      call; till then nothing goes out and nothing is read. Counts in full
                      handshakes, about a chain that came; elsewhere it is a refusal */
};

/*
 * struct hf_tls_judge decides on the peer: called once the peer's chain is known (or known to be
 * missing though asked for) and again at every resumption, with the chain of the original
 * handshake; before any application byte. A resumption that is not admitted falls back to a full
 * handshake where the protocol allows. conn_ctx is the one given to hf_tls_new_*.
 */
struct hf_tls_judge {
    struct hf_tls_answer (*judge)(void *conn_ctx, const struct hf_tls_peer *peer);
};

/* --- Contexts -----------------------------------------------------------------------------------
 */

/* struct hf_tls_policy is how clients are asked; one is the default, others go with SNI patterns.
 */
struct hf_tls_policy {
    const char *sni; /* NULL: the default; otherwise exact or "*.example.org" */
    enum hf_tls_ask ask;
    const struct hf_bytes *ca_names; /* DER Names for certificate_authorities */
    size_t n_ca_names;
    void *tag;         /* the caller's; handed back in hf_tls_peer.policy */
    uint8_t realm[32]; /* a ticket resumes only under the same realm: a hash of what judges */
};

struct hf_tls_ticket_key {
    uint8_t name[16];
    struct hf_secret secret; /* 32 bytes or more of key material */
};

/* struct hf_tls_ticket_keys: the first seals, all open. Copied into the context. */
struct hf_tls_ticket_keys {
    struct hf_tls_ticket_key key[HF_TLS_TICKET_KEYS];
    size_t n_keys;
};

/* Which engine stands behind a context. AUTO: the best one of this build for the versions asked.
 * NATIVE speaks TLS 1.3 alone: a server that allows 1.2 as well leaves such clients to libssl, a
 * client that does, and anything below 1.3 only, is libssl's altogether. */
enum hf_tls_engine { HF_TLS_ENGINE_AUTO, HF_TLS_ENGINE_LIBSSL, HF_TLS_ENGINE_NATIVE };

/* struct hf_tls_keylog is told each secret as a line of the NSS key log format (os/keylog.h writes
 * them to a file). line is called on any thread and must not keep the text. */
struct hf_tls_keylog {
    void *ctx;
    void (*line)(void *ctx, const char *line);
};

struct hf_tls_common {
    enum hf_tls_engine engine;
    enum hf_tls_version min_version, max_version; /* 0: TLS 1.2, TLS 1.3 */
    const char *suites;  /* TLS 1.3 suites in order, "TLS_AES_128_GCM_SHA256:..."; NULL: default */
    const char *ciphers; /* TLS 1.2 ciphers in libssl's spelling; NULL: default (AEAD with ECDHE) */
    const char *groups;  /* "X25519:P-256:P-384"; NULL: default */
    const char *const *alpn; /* in order of preference; NULL-terminated; NULL: none */
    bool ask_staple; /* ask the peer for an OCSP response beside its certificate. libssl does in the
                        client role, and has it in time for the judge in TLS 1.3 */
    const struct hf_clock *clock;
    const struct hf_rng *rng;
    const struct hf_tls_keylog *keylog; /* unsafe-keylog; NULL: none */

    /* What the native engine alone does; libssl passes these over. */
    const char *signatures;       /* schemes taken from peers, "ed25519:rsa_pss_rsae_sha256..." by
                                     their names in RFC 8446 4.2.3; NULL: all */
    const char *own_signatures;   /* schemes that we sign with, in order; NULL: all */
    const char *cert_compression; /* "zlib:brotli:zstd" in order (RFC 8879); NULL: off */
    uint16_t record_size_limit;   /* announced to the peer (RFC 8449), 64 to 16385; 0: not */
    uint16_t record_padding;      /* records are padded to a multiple of this; 0: not */
    bool separate_jobs; /* hand jobs out (HF_TLS_WANT_JOB); otherwise they run within the call */
};

struct hf_tls_server_config {
    struct hf_tls_common common;
    struct hf_credential *const
        *identities; /* chosen by SNI: exact SAN, then wildcard, then first */
    size_t n_identities;
    const struct hf_tls_policy *policies; /* policies[0] is the default */
    size_t n_policies;
    bool strict_sni;    /* refuse unknown names with unrecognized_name; no SNI is unknown too */
    bool alpn_required; /* refuse a client whose ALPN list has nothing in common (RFC 7301) */
    bool tickets;
    unsigned n_tickets;        /* sent after a full TLS 1.3 handshake; 0: the default of 1 */
    int64_t ticket_lifetime_s; /* at most 7 days (RFC 8446 4.6.1) */
    struct hf_tls_ticket_keys ticket_keys;
    struct hf_tls_judge judge;
    const struct hf_bytes
        *staples; /* OCSP responses, one for each identity, empty: none; or NULL */

    /* The native engine alone: */
    bool cookie;              /* a HelloRetryRequest carries the handshake's state as a cookie */
    bool post_handshake_auth; /* keep what hf_tls_ask_certificate needs: 232 bytes a connection */
};

struct hf_tls_client_config {
    struct hf_tls_common common;
    /* The first that fits the server's request (signature algorithms, CA names) is sent; when none
     * fits the first of all, so that a server with an incomplete list still sees who we are. */
    struct hf_credential *const *identities;
    size_t n_identities;
    struct hf_tls_judge judge;

    /* The native engine alone: */
    const struct hf_bytes *staples;  /* as in hf_tls_server_config */
    const struct hf_bytes *ca_names; /* DER Names for certificate_authorities; none: not sent */
    size_t n_ca_names;
    unsigned n_key_shares;    /* in the first ClientHello; 0: the default of 1 */
    bool no_middlebox_compat; /* leave RFC 8446 D.4 away */
    bool post_handshake_auth; /* let the server ask for our certificate later */
};

struct hf_tls_ctx;

/* Everything is copied or referenced, but what clock, rng and keylog point at must outlive the
 * context; the config may go after the call. Errors: HF_E_INVALID in words (an unknown suite, group
 * ...), HF_E_UNSUPPORTED (an engine that this build hasn't), HF_E_CRYPTO, HF_E_NOMEM. */
enum hf_err hf_tls_server_ctx_new(const struct hf_tls_server_config *config,
                                  struct hf_tls_ctx **out) HF_MUST_CHECK;
enum hf_err hf_tls_client_ctx_new(const struct hf_tls_client_config *config,
                                  struct hf_tls_ctx **out) HF_MUST_CHECK;
struct hf_tls_ctx *hf_tls_ctx_ref(struct hf_tls_ctx *ctx);

/* hf_tls_ctx_set_ticket_keys replaces the ticket keys of a server context: the one thing of it that
 * ever changes. Any thread; handshakes wait for the length of a copy at most. Errors: HF_E_INVALID
 * (no key, or a bad one; a client context, or one without tickets), HF_E_CRYPTO: the old keys stay.
 */
enum hf_err hf_tls_ctx_set_ticket_keys(struct hf_tls_ctx *ctx,
                                       const struct hf_tls_ticket_keys *keys) HF_MUST_CHECK;
void hf_tls_ctx_unref(struct hf_tls_ctx *ctx);

/* hf_tls_ctx_set_staple replaces the OCSP response that goes with one of the context's identities,
 * empty: none goes; the bytes are copied. Any thread; handshakes wait for the length of a copy at
 * most. An identity that isn't the context's is passed over. Errors: HF_E_NOMEM. */
enum hf_err hf_tls_ctx_set_staple(struct hf_tls_ctx *ctx, const struct hf_credential *credential,
                                  struct hf_bytes staple) HF_MUST_CHECK;

/* --- Connections --------------------------------------------------------------------------------
 */

enum hf_err hf_tls_new_server(struct hf_tls_ctx *ctx, void *conn_ctx,
                              struct hf_tls **out) HF_MUST_CHECK;

/* sni: NULL sends none. session: from hf_tls_take_session of an earlier connection, or NULL. */
struct hf_tls_session;
enum hf_err hf_tls_new_client(struct hf_tls_ctx *ctx, void *conn_ctx, const char *sni,
                              const struct hf_tls_session *session,
                              struct hf_tls **out) HF_MUST_CHECK;
void hf_tls_free(struct hf_tls *tls);

/* hf_tls_handshake goes on with the handshake; HF_TLS_DONE once it is complete and judged. */
enum hf_tls_step hf_tls_handshake(struct hf_tls *tls, struct hf_tls_io *io) HF_MUST_CHECK;

/*
 * hf_tls_read decrypts into `into`: HF_TLS_DONE with *out_n > 0, or another step with *out_n == 0.
 * into.len should be at least 16384; less works but costs a copy. Key updates, tickets and alerts
 * are handled within, which may append to io.out.
 */
enum hf_tls_step hf_tls_read(struct hf_tls *tls, struct hf_tls_io *io, struct hf_span into,
                             size_t *out_n) HF_MUST_CHECK;

/* hf_tls_write encrypts from the front of plain while io.out has room; *out_n is what it took.
 * HF_TLS_DONE: all of it. HF_TLS_WANT_OUTPUT: *out_n of it. */
enum hf_tls_step hf_tls_write(struct hf_tls *tls, struct hf_tls_io *io, struct hf_bytes plain,
                              size_t *out_n) HF_MUST_CHECK;

/* hf_tls_close appends close_notify; reading may go on. */
enum hf_tls_step hf_tls_close(struct hf_tls *tls, struct hf_tls_io *io) HF_MUST_CHECK;

/*
 * hf_tls_ask_certificate asks a client for its certificate after the handshake (RFC 8446 4.6.2).
 * The answer comes in the course of hf_tls_read, is judged like any other, and shows in
 * hf_tls_info.n_post_auths and hf_tls_peer_chain. Errors: HF_E_UNSUPPORTED (the client didn't offer
 * it, or this engine, version or config can't), HF_E_BUSY (one is under way).
 */
enum hf_err hf_tls_ask_certificate(struct hf_tls *tls, struct hf_tls_io *io) HF_MUST_CHECK;

/* hf_tls_abort appends a fatal alert and ends the connection: every later call is HF_TLS_FAILED. No
 * alert is appended where half a record waits for room (HF_TLS_WANT_OUTPUT came last). */
void hf_tls_abort(struct hf_tls *tls, struct hf_tls_io *io, uint8_t alert);

/* hf_tls_quiet gives back buffers and expanded keys of a connection that is idle; they are remade
 * at the next call. Costs a few microseconds then; call it after seconds of silence. */
void hf_tls_quiet(struct hf_tls *tls);

/* --- Jobs: slow or risky work handed out by the handshake ---------------------------------------
 */

struct hf_tls_job;

/* hf_tls_job is the work that HF_TLS_WANT_JOB waits for, NULL otherwise; hf_tls_job_run does it on
 * this thread (any thread may, while nothing else touches the connection). Then call the paused
 * function again. */
struct hf_tls_job *hf_tls_job(struct hf_tls *tls);
void hf_tls_job_run(struct hf_tls_job *job);

/* --- What is known of a connection --------------------------------------------------------------
 */

/* Strings live as long as the connection; NULL when not (yet) known. */
struct hf_tls_info {
    const char *version; /* "TLSv1.3" */
    const char *suite;   /* IANA name */
    const char *group;   /* "x25519", "secp256r1" ...; NULL for TLS 1.2 without ECDHE */
    const char *alpn;
    const char *sni;    /* server: as the client sent it, at most 255 printable bytes */
    const char *engine; /* "libssl" */
    bool complete;
    bool asked; /* for the peer's certificate; always so in the client role */
    bool resumed;
    uint8_t alert_sent; /* HF_ALERT_NONE: none; close_notify isn't counted */
    uint8_t alert_received;
    struct hf_credential *identity; /* ours that was sent; borrowed; NULL: none */
    bool retried;                   /* with a HelloRetryRequest */
    uint16_t peer_scheme; /* of the peer's CertificateVerify (RFC 8446 4.2.3); 0: none or unknown */
    uint8_t n_post_auths; /* answers to hf_tls_ask_certificate so far */
};
void hf_tls_info(const struct hf_tls *tls, struct hf_tls_info *out);

/*
 * hf_tls_get_peer_chain gives what the peer sent (or sent originally, when resumed): a reference,
 * or NULL where it sent none. After the handshake a connection keeps the bytes alone, so that the
 * chain may have to be parsed again. Errors: HF_E_NOMEM, which is not "none".
 *
 * hf_tls_get_peer_ders gives the same as bytes, and never parses.
 */
enum hf_err hf_tls_get_peer_chain(struct hf_tls *tls, struct hf_chain **out) HF_MUST_CHECK;
enum hf_err hf_tls_get_peer_ders(struct hf_tls *tls, struct hf_ders **out) HF_MUST_CHECK;

struct hf_tls_failure {
    enum hf_reason reason; /* HF_REASON_OK when it was the judge who refused */
    char text[512];        /* particulars in words, with the library's reason where there is one */
};

/* hf_tls_failure says why HF_TLS_FAILED was returned; NULL before that. A refusal by the judge has
 * reason HF_REASON_OK here: the judge knows better. */
const struct hf_tls_failure *hf_tls_failure(const struct hf_tls *tls);

/* hf_tls_export: keying material (RFC 8446 7.5, RFC 5705). Errors: HF_E_INVALID before the end of
 * the handshake. context.ptr NULL: none. */
enum hf_err hf_tls_export(struct hf_tls *tls, const char *label, struct hf_bytes context,
                          struct hf_span out) HF_MUST_CHECK;

/* --- Client sessions ----------------------------------------------------------------------------
 */

/* hf_tls_take_session hands over the newest ticket that came, or NULL. Single use is the caller's
 * to keep. hf_tls_session_free accepts NULL. */
struct hf_tls_session *hf_tls_take_session(struct hf_tls *tls);
void hf_tls_session_free(struct hf_tls_session *session);

#endif
