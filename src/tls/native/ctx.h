// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_CTX_H
#define HF_TLS_NATIVE_CTX_H

/*
 * What connections of one listener or upstream share: choices as arrays in order of preference,
 * identities ready to sign, policies, ticket keys. Immutable after it is made.
 */

#include <pthread.h>

#include "base/cache.h"
#include "crypto/kex.h"
#include "crypto/sign.h"
#include "tls/native/suite.h"
#include "tls/native/ticket_seal.h"
#include "tls/pick.h"
#include "tls/seen.h"
#include "tls/tls_impl.h"

#define HF_NATIVE_SUITES  3
#define HF_NATIVE_GROUPS  3
#define HF_NATIVE_SCHEMES 16

/* Schemes that may sign certificates and no handshake (RFC 8446 4.2.3). */
#define HF_SCHEME_RSA_PKCS1_SHA256 0x0401
#define HF_SCHEME_RSA_PKCS1_SHA384 0x0501
#define HF_SCHEME_RSA_PKCS1_SHA512 0x0601
#define HF_SCHEME_RSA_PKCS1_SHA1   0x0201
#define HF_SCHEME_ECDSA_SHA1       0x0203
#define HF_SCHEME_ED448            0x0808

#define HF_NATIVE_COMPRESSIONS 3

struct hf_native_identity {
    struct hf_credential *credential;
    struct hf_sign_key *key;
    struct hf_bytes staple; /* OCSP response for the leaf; empty: none; under staple_lock */
    uint32_t chain_schemes; /* bits of the schemes that signed the chain, self-signed left out */
    bool chain_known;       /* every signature of the chain has a bit */
};

struct hf_native_ctx {
    struct hf_tls_ctx base;
    bool server;
    bool inline_jobs;
    bool allow_1_2; /* server: a lower ClientHello goes to the door */
    struct hf_tls_ctx *door;

    const struct hf_suite *suites[HF_NATIVE_SUITES];
    size_t n_suites;
    uint16_t groups[HF_NATIVE_GROUPS];
    size_t n_groups;
    size_t n_shares;                    /* client: key shares in the first ClientHello */
    uint16_t accept[HF_NATIVE_SCHEMES]; /* schemes taken from peers, in order */
    size_t n_accept;
    uint16_t sign[HF_NATIVE_SCHEMES]; /* schemes that we sign with, in order */
    size_t n_sign;
    uint16_t compressions[HF_NATIVE_COMPRESSIONS];
    size_t n_compressions;

    char **alpn; /* NULL-terminated, owned */
    struct hf_native_identity *identities;
    size_t n_identities;
    struct hf_map by_credential; /* the pointer's bytes -> struct hf_native_identity */
    struct hf_picker picker;     /* server */

    bool strict_sni;
    bool alpn_required;
    bool tickets;
    bool cookie;
    bool ask_staple;
    struct hf_bytes ca_names; /* client: body of certificate_authorities, owned; empty: not sent */
    bool compat;              /* client: middlebox compatibility mode */
    bool post_auth; /* server: keep what asking after the handshake needs; client: offer it */
    unsigned n_tickets;
    int64_t ticket_lifetime_s;
    uint16_t record_limit; /* 0: not announced */
    uint16_t pad_to;
    pthread_rwlock_t staple_lock; /* of the identities' staples; held for the length of a copy */
    pthread_rwlock_t seal_lock;   /* of seal; never held for longer than a ticket takes */
    struct hf_ticket_seal seal;
    struct hf_ticket_seal cookie_seal;
    struct hf_cache *known_chains; /* of peers that were admitted; see peer.c */
    struct hf_seen seen;           /* CA certificates of all peers */
};

enum hf_err hf_native_server_ctx_new(const struct hf_tls_server_config *config,
                                     struct hf_tls_ctx **out) HF_MUST_CHECK;
enum hf_err hf_native_client_ctx_new(const struct hf_tls_client_config *config,
                                     struct hf_tls_ctx **out) HF_MUST_CHECK;
void hf_native_ctx_free(struct hf_tls_ctx *ctx);

/* hf_ticket_seal_make and _open with the context's keys of the moment. */
enum hf_err hf_native_ticket_make(struct hf_native_ctx *ctx, struct hf_crypto *crypto,
                                  struct hf_bytes plain, struct hf_buf *out) HF_MUST_CHECK;
enum hf_err hf_native_ticket_open(struct hf_native_ctx *ctx, struct hf_crypto *crypto,
                                  struct hf_bytes ticket, struct hf_buf *out) HF_MUST_CHECK;
enum hf_err hf_native_set_ticket_keys(struct hf_tls_ctx *ctx,
                                      const struct hf_tls_ticket_keys *keys) HF_MUST_CHECK;

enum hf_err hf_native_set_staple(struct hf_tls_ctx *ctx, const struct hf_credential *credential,
                                 struct hf_bytes staple) HF_MUST_CHECK;

/* hf_native_staple_append appends the identity's staple of the moment, if it has one. */
enum hf_err hf_native_staple_append(struct hf_native_ctx *ctx,
                                    const struct hf_native_identity *identity,
                                    struct hf_buf *out) HF_MUST_CHECK;

/* hf_native_identity_of gives the engine's side of a credential that is among the context's. */
const struct hf_native_identity *hf_native_identity_of(const struct hf_native_ctx *ctx,
                                                       const struct hf_credential *credential);

/* hf_native_sign_scheme is the first of ctx->sign that the identity can use and the peer takes; 0:
 * none. */
uint16_t hf_native_sign_scheme(const struct hf_native_ctx *ctx,
                               const struct hf_native_identity *identity, uint32_t schemes);

/* hf_native_chain_fits: is the chain signed by schemes that the peer takes in certificates? */
bool hf_native_chain_fits(const struct hf_native_identity *identity, uint32_t cert_schemes);

/* hf_native_issued_by: does the chain lead to one of the CAs in the body of a list of authorities
 * (RFC 8446 4.2.4)? Without names every CA will do. */
bool hf_native_issued_by(const struct hf_native_identity *identity, struct hf_bytes authorities);

/* --- Names and numbers of choices (choices.c) ---------------------------------------------------
 */

/* hf_native_scheme_bit is the bit of a signature scheme in the engine's bit sets, 0 for one that
 * isn't in RFC 8446 4.2.3. Sets also hold PKCS#1 v1.5 and SHA-1 schemes, which sign certificates
 * but no handshake. */
uint32_t hf_native_scheme_bit(uint16_t scheme);

/* hf_native_choices reads the lists of a config, NULL meaning the default. Errors: HF_E_INVALID in
 * words. */
enum hf_err hf_native_choices(struct hf_native_ctx *ctx,
                              const struct hf_tls_common *common) HF_MUST_CHECK;

#endif
