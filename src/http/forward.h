// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_FORWARD_H
#define HF_HTTP_FORWARD_H

/*
 * Telling the backend who the client is. A struct hf_forward is compiled once per upstream from its
 * options; hf_forward_apply then makes a client's request one of ours:
 *
 *   1. what the client says of itself in headers that only a proxy may set is taken out (http/
 *      strip.h), unless the client is a listed proxy
 *   2. the identity goes in, in each of the chosen spellings
 *   3. so do the client's address, the request's id and its trace
 *
 * Immutable, counted by references, any thread.
 *
 * Nothing is told of an identity that wasn't verified, unless the options say so; the token never
 * tells one. Names out of a certificate whose names can't be relied on (hf_identity.mangled) are
 * not told: its fingerprint, serial number and bytes are.
 */

#include "http/facts.h"
#include "http/strip.h"
#include "http/token.h"

/* The spellings of an identity: id, word in the config, header. */
#define HF_SPELLING_TABLE(X) \
    X(XFCC, "x-forwarded-client-cert", "x-forwarded-client-cert") \
    X(CLIENT_CERT, "client-cert", "client-cert") \
    X(CLIENT_CERT_CHAIN, "client-cert-chain", "client-cert-chain") \
    X(TOKEN, "token", NULL)

#define HF_SPELLING_ENUM(id, word, header) HF_SPELL_##id,
enum hf_spelling { HF_SPELLING_TABLE(HF_SPELLING_ENUM) HF_SPELL_N };
#undef HF_SPELLING_ENUM

/* The spellings of an address: id, word in the config. */
#define HF_ADDRESS_TABLE(X) \
    X(X_FORWARDED, "x-forwarded") /* X-Forwarded-For, -Proto, -Host, -Port */ \
    X(FORWARDED, "forwarded")     /* RFC 7239 */ \
    X(X_REAL_IP, "x-real-ip")

#define HF_ADDRESS_ENUM(id, word) HF_ADDRESS_##id,
enum hf_address_spelling { HF_ADDRESS_TABLE(HF_ADDRESS_ENUM) HF_ADDRESS_N };
#undef HF_ADDRESS_ENUM

/* What happens to x-forwarded-client-cert that a trusted proxy sent. From others it never passes.
 */
enum hf_xfcc_mode {
    HF_XFCC_SET,      /* ours takes its place */
    HF_XFCC_APPEND,   /* ours goes behind it */
    HF_XFCC_SANITIZE, /* it doesn't pass, and there is none of ours */
};

/* Parts of an element of x-forwarded-client-cert, in Envoy's order: id, word in the config. */
#define HF_XFCC_TABLE(X) \
    X(BY, "by") \
    X(HASH, "hash") \
    X(CERT, "cert") \
    X(CHAIN, "chain") \
    X(SUBJECT, "subject") \
    X(URI, "uri") \
    X(DNS, "dns")

#define HF_XFCC_ENUM(id, word) HF_XFCC_PART_##id,
enum hf_xfcc_part { HF_XFCC_TABLE(HF_XFCC_ENUM) HF_XFCC_PART_N };
#undef HF_XFCC_ENUM

enum hf_trace_mode {
    HF_TRACE_SPAN, /* a valid traceparent goes on with a span of ours; otherwise one is made */
    HF_TRACE_PASS, /* a valid one goes on as it is; otherwise there is none */
    HF_TRACE_OFF,  /* there is none */
};

/* struct hf_forward_header is a header of the operator's own: its value is a template. */
struct hf_forward_header {
    const char *name;
    const char *value;
};

#define HF_TOKEN_HEADER      "x-handfast-token"
#define HF_FORWARD_VALUE_MAX (16u << 10) /* bytes of one value, where the options say nothing */

struct hf_forward_options {
    unsigned identity; /* bits, 1 << enum hf_spelling */
    unsigned address;  /* bits, 1 << enum hf_address_spelling */
    enum hf_xfcc_mode xfcc_mode;
    unsigned xfcc_parts; /* bits, 1 << enum hf_xfcc_part */
    const struct hf_forward_header *headers;
    size_t n_headers;
    const char *token_header;   /* "authorization": as a bearer; NULL: HF_TOKEN_HEADER */
    const char *token_audience; /* the `aud` of the token */
    struct hf_signer *signer;   /* may be NULL without HF_SPELL_TOKEN */
    struct hf_strip *strip;
    enum hf_trace_mode trace;
    bool request_id;  /* tell it as X-Request-Id */
    bool unverified;  /* tell of identities that were not verified, too */
    size_t value_max; /* 0: HF_FORWARD_VALUE_MAX */
};

struct hf_forward;

/* hf_forward_check_name: may a header of this name tell who a client is? Errors: HF_E_INVALID in
 * words: it isn't a name, or it frames or routes a message, or means something else. */
enum hf_err hf_forward_check_name(const char *name) HF_MUST_CHECK;

/* hf_forward_new compiles; what options point at is needed during the call only, but strip and
 * signer get a reference. Errors: HF_E_INVALID in words (a template, a header's name that may not
 * be set), HF_E_NOMEM. */
enum hf_err hf_forward_new(const struct hf_forward_options *options,
                           struct hf_forward **out) HF_MUST_CHECK;
/* hf_forward_wants_chain: does it look at facts->chain? */
bool hf_forward_wants_chain(const struct hf_forward *forward);
struct hf_forward *hf_forward_ref(struct hf_forward *forward);
void hf_forward_unref(struct hf_forward *forward);

/*
 * hf_forward_apply strips, then adds. Call it after hop-by-hop fields were taken out (a client
 * could nominate ours in Connection), last before the request goes out, once: a retry sends what it
 * made.
 *
 * What a listed proxy sent goes on: x-forwarded-client-cert by its mode, Client-Cert and
 * Client-Cert-Chain as they are, X-Forwarded-For and Forwarded with its own address appended. The
 * operator's own headers and the token are always ours.
 *
 * The facts may view the message.
 *
 * Errors: HF_E_MALFORMED (a listed proxy's header can't be appended to: answer 400), HF_E_TOO_LARGE
 * (a value passes value_max, or the message its own limits: answer 431), HF_E_CRYPTO (the token
 * can't be signed), HF_E_NOMEM. After a failure the message must not be sent.
 */
enum hf_err hf_forward_apply(struct hf_forward *forward, const struct hf_facts *facts,
                             struct hf_http_msg *msg) HF_MUST_CHECK;

/* hf_forward_trailers takes the same headers out of a client's trailers, whoever it is. */
void hf_forward_trailers(const struct hf_forward *forward, struct hf_http_msg *trailers);

/*
 * struct hf_forward_memo is what a connection remembers between requests: the XFCC element of its
 * client, and tokens not yet near their end. hf_forward_apply makes it where facts->memo points at
 * NULL; about 1 KiB per upstream used, at most HF_FORWARD_MEMO_MAX of them. Free it when the
 * connection ends, when it has been idle, and when its identity changes. Accepts NULL.
 */
#define HF_FORWARD_MEMO_MAX 4
void hf_forward_memo_free(struct hf_forward_memo *memo);

#endif
