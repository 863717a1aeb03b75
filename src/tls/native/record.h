// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_RECORD_H
#define HF_TLS_NATIVE_RECORD_H

/*
 * The record layer of TLS 1.3 (RFC 8446 5): framing, protection, padding, limits, and the keys of
 * each direction with their updates. Sans-I/O; knows nothing of messages but the KeyUpdate it
 * sends.
 *
 * Each direction starts without protection and is given keys by traffic secret. Expanded keys are
 * made when a record needs them and given back by hf_record_quiet; a quiet direction holds its
 * traffic secret and sequence number only. One thread at a time. Secrets wiped by hf_record_done.
 */

#include "base/buf.h"
#include "base/secret.h"
#include "crypto/crypto.h"
#include "tls/native/suite.h"

#define HF_RECORD_HEADER_LEN 5
#define HF_RECORD_PLAIN_MAX  16384 /* RFC 8446 5.1 */
#define HF_RECORD_EXPANSION  256   /* most that protection may add (RFC 8446 5.2) */
#define HF_RECORD_LIMIT_MIN  64    /* least record_size_limit (RFC 8449 4) */
#define HF_RECORD_EMPTY_MAX  32    /* records in a row that carry nothing */
#define HF_RECORD_EARLY_MAX  16384 /* bytes of refused early data that are skipped */

enum hf_record_type {
    HF_RECORD_CHANGE_CIPHER_SPEC = 20,
    HF_RECORD_ALERT = 21,
    HF_RECORD_HANDSHAKE = 22,
    HF_RECORD_DATA = 23,
};

/* What to do with early data that was offered but not accepted (RFC 8446 4.2.10). */
enum hf_record_early {
    HF_RECORD_EARLY_NONE,  /* none can come */
    HF_RECORD_EARLY_OUTER, /* after a HelloRetryRequest: skip records of outer type 23 */
    HF_RECORD_EARLY_TRIAL, /* skip records until one opens */
};

struct hf_record_dir {
    const struct hf_suite *suite; /* NULL: no protection yet */
    struct hf_secret secret;      /* the traffic secret, of which key and nonce are made */
    uint64_t seq;                 /* of the next record */
    struct hf_record_keys *keys;  /* NULL: quiet */
};

struct hf_record {
    struct hf_record_dir in;
    struct hf_record_dir out;

    /* Settings; the holder may change them at any time. */
    uint16_t in_limit;          /* we announced record_size_limit: most of an inner plaintext with
                                   its type; 0: not announced */
    uint16_t out_limit;         /* the peer's record_size_limit; 0: not announced */
    uint16_t pad_to;            /* inner plaintexts are padded to a multiple; 0 and 1: not */
    bool first_hello;           /* plaintext records sent carry version 3.1 (RFC 8446 5.1) */
    bool allow_ccs;             /* change_cipher_spec is dropped rather than refused */
    bool allow_plain_alert;     /* with keys in place, an unprotected alert may still come */
    enum hf_record_early early; /* set together with early_left = HF_RECORD_EARLY_MAX */
    uint16_t early_left;

    uint8_t n_empty; /* in a row */
    bool asked;      /* the peer was asked for a KeyUpdate and hasn't sent it yet */
};

void hf_record_init(struct hf_record *record);
void hf_record_done(struct hf_record *record);

/* hf_record_quiet gives back the expanded keys; the next record remakes them. */
void hf_record_quiet(struct hf_record *record);

/* hf_record_set_in/out give a direction new keys; its sequence starts over. Cannot fail: keys are
 * expanded when they are needed. */
void hf_record_set_in(struct hf_record *record, const struct hf_suite *suite,
                      const struct hf_secret *traffic);
void hf_record_set_out(struct hf_record *record, const struct hf_suite *suite,
                       const struct hf_secret *traffic);

/* --- Receiving --- */

enum hf_record_step {
    HF_RECORD_GOT,    /* one record's content is out */
    HF_RECORD_MORE,   /* what there is ends within a record; nothing was taken of it */
    HF_RECORD_FAILED, /* over: out->alert is to be sent; hf_err_text() has the sentence */
};

struct hf_record_in {
    enum hf_record_type type; /* ALERT, HANDSHAKE or DATA */
    bool was_protected;
    struct hf_span content; /* in the input's memory; HANDSHAKE and ALERT are never empty */
    uint8_t alert;          /* HF_RECORD_FAILED only */
};

/*
 * hf_record_open takes one record from the front of *in, which is advanced past it (and past
 * records that carry nothing: change_cipher_spec where allowed, skipped early data), and opens it
 * in place. On HF_RECORD_FAILED *in stays at the failing record. Alerts: record_overflow,
 * bad_record_mac, unexpected_message, protocol_version (an unprotected record whose major version
 * isn't 3), internal_error.
 */
enum hf_record_step hf_record_open(struct hf_record *record, struct hf_crypto *crypto,
                                   struct hf_span *in, struct hf_record_in *out) HF_MUST_CHECK;

/*
 * hf_record_open_into is hf_record_open, but the content of a protected record goes to `into` when
 * that has room for it (and for its padding); otherwise it stays in the input. out->content says
 * where it is. Spares the copy of application data.
 */
enum hf_record_step hf_record_open_into(struct hf_record *record, struct hf_crypto *crypto,
                                        struct hf_span *in, struct hf_span into,
                                        struct hf_record_in *out) HF_MUST_CHECK;

/* hf_record_update_in goes to the next generation of receiving keys (RFC 8446 7.2). The holder has
 * checked that the KeyUpdate ended its record. */
void hf_record_update_in(struct hf_record *record);

/* --- Sending --- */

/*
 * hf_record_seal appends records that carry content from its front, as many whole ones as out has
 * room for; *out_taken is how much that was, less than content.len when room ran out. Empty content
 * makes one record of type DATA with nothing in it, and nothing for other types. content may not
 * lie in out. Errors: HF_E_NOMEM, HF_E_CRYPTO (also when the key's limit is passed: see
 * hf_record_update_due).
 */
enum hf_err hf_record_seal(struct hf_record *record, struct hf_crypto *crypto,
                           enum hf_record_type type, struct hf_bytes content, struct hf_buf *out,
                           size_t *out_taken) HF_MUST_CHECK;

/* hf_record_seal_all is hf_record_seal for what must go out whole: HF_E_TOO_LARGE when out has not
 * the room, and then nothing is appended. */
enum hf_err hf_record_seal_all(struct hf_record *record, struct hf_crypto *crypto,
                               enum hf_record_type type, struct hf_bytes content,
                               struct hf_buf *out) HF_MUST_CHECK;

/* hf_record_sealed_len is how many bytes hf_record_seal_all would append. */
size_t hf_record_sealed_len(const struct hf_record *record, enum hf_record_type type,
                            size_t content_len);

/* hf_record_ccs appends the change_cipher_spec of middlebox compatibility mode (RFC 8446 D.4). */
enum hf_err hf_record_ccs(struct hf_buf *out) HF_MUST_CHECK;

/* hf_record_update_due: the sending keys have protected so many records that a KeyUpdate is to be
 * sent before more data. hf_record_update_out seals a KeyUpdate (update_requested when ask) and
 * goes to the next generation of sending keys. Errors: those of hf_record_seal_all. */
bool hf_record_update_due(const struct hf_record *record);
enum hf_err hf_record_update_out(struct hf_record *record, struct hf_crypto *crypto, bool ask,
                                 struct hf_buf *out) HF_MUST_CHECK;

/* hf_record_update_wanted: the peer's keys near their limit and it wasn't asked for a KeyUpdate
 * yet: call hf_record_update_out with ask. */
bool hf_record_update_wanted(const struct hf_record *record);

#endif
