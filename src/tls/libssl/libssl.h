// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_LIBSSL_LIBSSL_H
#define HF_TLS_LIBSSL_LIBSSL_H

/*
 * The engine over OpenSSL's libssl: what its files share. Functions named hf_ls_*; nothing outside
 * this folder includes it.
 *
 *   conn.c    connections: the operations of the seam, one SSL each
 *   bio.c     how libssl reads io.in and writes io.out: no memory BIO between
 *   ctx.c     contexts: one SSL_CTX a policy
 *   names.c   suites, ciphers and groups by name, with errors in words
 *   peer.c    the hello, the peer's chain, the judge
 *   ticket.c  session tickets: keys, what they carry, judging again
 *   client.c  the client role: our certificate, sessions
 *   staple.c  OCSP responses, ours and servers'
 *   alert.c   alerts of our own choice, which libssl has no call for
 *   offers.c  what a ClientHello listed, for the sentence about nothing in common
 *   reason.c  libssl's error queue to enum hf_reason and words
 */

#include <openssl/ssl.h>
#include <pthread.h>

#include "tls/offer.h"
#include "tls/pick.h"
#include "tls/seen.h"
#include "tls/tls_impl.h"

#define HF_LS_CLIENT_TICKETS_TRIED_MAX 4  /* tickets of one hello that are opened and judged */
#define HF_LS_ALERT_ROOM               96 /* of io.out, kept free for an alert in the end */
#define HF_LS_FIRST_BYTES              8  /* kept to tell what came when it wasn't TLS */

/* A ticket key made ready: AES-256-CBC and HMAC-SHA256, encrypt then MAC, as libssl frames it. */
struct hf_ls_ticket_key {
    uint8_t name[16];
    uint8_t aes[32];
    uint8_t mac[32];
};

/* Our identities in the shape that libssl wants. */
struct hf_ls_identity {
    struct hf_credential *credential; /* a reference */
    STACK_OF(X509) * chain;           /* without the leaf; owned */
    struct hf_bytes staple;           /* OCSP response; owned, under the context's staple_lock */
};

struct hf_ls_ctx {
    struct hf_tls_ctx base;
    SSL_CTX **ssl_ctx; /* one a policy; [0] is where connections begin */
    size_t n_ssl_ctx;
    struct hf_ls_identity *identities;
    size_t n_identities;
    pthread_rwlock_t staple_lock; /* held for the length of a copy */
    struct hf_seen seen;          /* CA certificates of peers; the one thing that changes */
    char *groups;                 /* as in the config, for messages */
    struct hf_buf alpn;           /* encoded, in our order */
    char **alpn_names;            /* the same as strings, NULL-terminated; NULL: none */
    bool alpn_required;
    /* server role */
    struct hf_picker picker;
    bool strict_sni;
    bool tickets;
    int64_t ticket_lifetime_s;
    pthread_rwlock_t ticket_lock; /* of the keys; held for the length of a copy */
    struct hf_ls_ticket_key ticket_keys[HF_TLS_TICKET_KEYS];
    size_t n_ticket_keys;
    EVP_CIPHER *ticket_cipher;
};

/* What protects the records that we write, followed from libssl's callbacks for alert.c's sake. */
struct hf_ls_epoch {
    bool sealed;
    uint8_t secret_len; /* TLS 1.3 */
    uint8_t secret[48]; /* TLS 1.3: the traffic secret */
    uint64_t sequence;  /* of the next record */
};

/* What a ClientHello lists, kept for the sentence about nothing in common. */
struct hf_ls_offers {
    uint16_t version[8], suite[48], group[24], scheme[32];
    uint8_t n_version, n_suite, n_group, n_scheme;
    uint8_t alpn_len;
    uint8_t alpn[120]; /* names that fit, as in the extension */
};

enum hf_ls_state { HF_LS_HANDSHAKE, HF_LS_OPEN, HF_LS_OVER };

struct hf_ls_conn {
    struct hf_tls base;
    struct hf_ls_ctx *ctx; /* the same as base.ctx */
    SSL *ssl;
    struct hf_tls_io *io;   /* only during a call */
    size_t in_taken;        /* bytes that libssl took during the handshake */
    unsigned n_key_updates; /* in a row, without data between */
    size_t in_granted;      /* bytes of io.in that libssl may take: whole records */
    enum hf_ls_state state;
    bool client;
    bool was_open; /* the handshake was complete */
    bool closed_by_us;
    bool closed_by_peer;
    bool muted;     /* what libssl writes is dropped: a refusal of ours is on its way */
    bool no_memory; /* io.out could not grow */
    bool waits;     /* the judge does: libssl is neither read to nor written from */
    bool admitted;  /* by the judge, the last time it was asked */
    bool denied;
    uint8_t deny_alert;
    uint8_t alert_sent, alert_received;
    bool chain_of_ticket;  /* base.peer_chain came out of a ticket or session */
    bool ticket_withheld;  /* the ticket being made can't carry what it must */
    uint8_t tickets_tried; /* of this hello */
    uint8_t n_first;
    uint8_t first[HF_LS_FIRST_BYTES];
    struct hf_ls_offers *offers; /* server, until the handshake's end: what the client lists */
    struct hf_ls_epoch epoch;
    struct hf_ls_epoch epoch_waiting; /* of what had gone out when the judge began to wait */
    const struct hf_tls_policy *policy;
    const struct hf_pick_set *identities;
    int64_t ticket_expires_at;      /* of the ticket that this connection resumed; 0: none */
    char *sni;                      /* printable */
    enum hf_reason hint;            /* reason found by a callback before libssl fails */
    struct hf_tls_session *session; /* client: newest ticket */
};

struct hf_ls_session {
    struct hf_tls_session base;
    SSL_SESSION *ssl;
    struct hf_chain *chain; /* the server's, or NULL */
    int64_t expires_at;
};

static inline struct hf_ls_ctx *hf_ls_ctx_of(struct hf_tls_ctx *ctx)
{
    return HF_CONTAINER_OF(ctx, struct hf_ls_ctx, base);
}

static inline struct hf_ls_conn *hf_ls_conn_of(struct hf_tls *tls)
{
    return HF_CONTAINER_OF(tls, struct hf_ls_conn, base);
}

static inline struct hf_ls_conn *hf_ls_conn_of_ssl(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

/* --- ctx.c --- */
enum hf_err hf_ls_server_ctx_new(const struct hf_tls_server_config *config,
                                 struct hf_tls_ctx **out) HF_MUST_CHECK;
enum hf_err hf_ls_client_ctx_new(const struct hf_tls_client_config *config,
                                 struct hf_tls_ctx **out) HF_MUST_CHECK;
void hf_ls_ctx_free(struct hf_tls_ctx *ctx);
const struct hf_ls_identity *hf_ls_identity_of(const struct hf_ls_ctx *ctx,
                                               const struct hf_credential *credential);

/* --- names.c: each sets what the config says, or fails in words (HF_E_INVALID) --- */
enum hf_err hf_ls_set_suites(SSL_CTX *ssl_ctx, const char *suites) HF_MUST_CHECK;
enum hf_err hf_ls_set_ciphers(SSL_CTX *ssl_ctx, const char *ciphers) HF_MUST_CHECK;
const char *hf_ls_groups(const char *wanted); /* wanted, or the default */
enum hf_err hf_ls_set_groups(SSL_CTX *ssl_ctx, const char *groups) HF_MUST_CHECK;
const char *hf_ls_group_name(int nid); /* as in RFC 8446 4.2.7; NULL: none */

/* --- bio.c --- */
BIO_METHOD *hf_ls_bio_method(void); /* NULL: out of memory; made once, never freed */
bool hf_ls_bio_has_record(struct hf_ls_conn *conn);

/* --- peer.c: callbacks of libssl --- */
int hf_ls_on_hello(SSL *ssl, int *alert, void *ctx);
int hf_ls_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                  const unsigned char *in, unsigned in_len, void *ctx);
int hf_ls_on_chain(X509_STORE_CTX *store, void *ctx);
void hf_ls_on_message(int write, int version, int type, const void *bytes, size_t len, SSL *ssl,
                      void *arg);
void hf_ls_on_secret(const SSL *ssl, const char *line);
void hf_ls_judge(struct hf_ls_conn *conn);

/* hf_ls_judge_again asks a judge who waits. */
void hf_ls_judge_again(struct hf_ls_conn *conn);

/* --- staple.c --- */
enum hf_err hf_ls_set_staple(struct hf_tls_ctx *ctx, const struct hf_credential *credential,
                             struct hf_bytes staple) HF_MUST_CHECK;
int hf_ls_on_status_wanted(SSL *ssl, void *arg);

/* hf_ls_take_staple views what the server has sent beside its certificate, until SSL_free. */
void hf_ls_take_staple(struct hf_ls_conn *conn);

/* --- ticket.c --- */
enum hf_err hf_ls_ticket_keys_init(struct hf_ls_ctx *ctx,
                                   const struct hf_tls_ticket_keys *keys) HF_MUST_CHECK;
enum hf_err hf_ls_set_ticket_keys(struct hf_tls_ctx *ctx,
                                  const struct hf_tls_ticket_keys *keys) HF_MUST_CHECK;
int hf_ls_on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                        EVP_MAC_CTX *mac, int seal);
int hf_ls_on_ticket_make(SSL *ssl, void *arg);
SSL_TICKET_RETURN hf_ls_on_ticket_open(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                       size_t name_len, SSL_TICKET_STATUS status, void *arg);

/* --- client.c --- */
int hf_ls_on_certificate_wanted(SSL *ssl, void *arg);
int hf_ls_on_session(SSL *ssl, SSL_SESSION *session);
enum hf_err hf_ls_offer_session(struct hf_ls_conn *conn,
                                const struct hf_tls_session *session) HF_MUST_CHECK;
void hf_ls_judge_offered(struct hf_ls_conn *conn);
struct hf_tls_session *hf_ls_take_session(struct hf_tls *tls);
void hf_ls_session_free(struct hf_tls_session *session);

/* --- alert.c --- */
/* hf_ls_alert appends a fatal alert, protected as the connection is at this moment. */
void hf_ls_alert(struct hf_ls_conn *conn, struct hf_tls_io *io, uint8_t alert);
/* The three events that the epoch follows. */
void hf_ls_epoch_record(struct hf_ls_conn *conn, uint8_t record_type);
void hf_ls_epoch_tls12(struct hf_ls_conn *conn);
void hf_ls_epoch_secret(struct hf_ls_conn *conn, struct hf_bytes secret);
void hf_ls_epoch_update(struct hf_ls_conn *conn);

/* --- offers.c --- */

/* hf_ls_take_offers keeps what the hello lists; within libssl's hello callback. Without memory
 * nothing is kept, and the sentence is a poorer one. */
void hf_ls_take_offers(struct hf_ls_conn *conn);

/* hf_ls_offers_reason says what is really missing where libssl finds no cipher: the group. */
enum hf_reason hf_ls_offers_reason(const struct hf_ls_conn *conn, enum hf_reason reason);

#define HF_LS_OFFERS_TEXT 512

/* hf_ls_offers_text writes what each side offers of what reason says isn't in common. False: the
 * reason is another, or the hello was never read. */
bool hf_ls_offers_text(const struct hf_ls_conn *conn, enum hf_reason reason,
                       char out[static HF_LS_OFFERS_TEXT]);

/* --- reason.c --- */
/* hf_ls_fail records why libssl failed, from its error queue, which is empty afterwards. */
void hf_ls_fail(struct hf_ls_conn *conn);
/* hf_ls_library_error records hf_fail(HF_E_CRYPTO) with libssl's reason and empties the queue. */
enum hf_err hf_ls_library_error(const char *what);

#endif
