// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_EXT_H
#define HF_TLS_NATIVE_EXT_H

/*
 * Extensions: which there are, in which message each may stand, and the two drivers that read and
 * write a block of them. What one extension means is in its own ext_<name>.c; which of those
 * functions runs for which message is in ext_table.c.
 */

#include "base/buf.h"

struct hf_native;

/* The messages that carry extensions, by the abbreviations of RFC 8446 4.2. */
enum hf_ext_place {
    HF_EXT_IN_CH,
    HF_EXT_IN_SH,
    HF_EXT_IN_HRR,
    HF_EXT_IN_EE,
    HF_EXT_IN_CR,
    HF_EXT_IN_CT,
    HF_EXT_IN_NST,
    HF_EXT_IN_N
};

/*
 * The permission matrix: RFC 8446 4.2's table, with RFC 8449 (record_size_limit) and RFC 8879
 * (compress_certificate), in the order of the numbers. Extensions that we recognise but never
 * negotiate are here too, because a recognised extension in the wrong message ends the handshake.
 */
#define HF_EXT_TABLE(X) \
    /* id                     type  name                        CH SH HRR EE CR CT NST */ \
    X(SERVER_NAME, 0, "server_name", /*                      */ 1, 0, 0, 1, 0, 0, 0) \
    X(MAX_FRAGMENT_LENGTH, 1, "max_fragment_length", /*      */ 1, 0, 0, 1, 0, 0, 0) \
    X(STATUS_REQUEST, 5, "status_request", /*                */ 1, 0, 0, 0, 1, 1, 0) \
    X(SUPPORTED_GROUPS, 10, "supported_groups", /*           */ 1, 0, 0, 1, 0, 0, 0) \
    X(SIGNATURE_ALGORITHMS, 13, "signature_algorithms", /*   */ 1, 0, 0, 0, 1, 0, 0) \
    X(USE_SRTP, 14, "use_srtp", /*                           */ 1, 0, 0, 1, 0, 0, 0) \
    X(HEARTBEAT, 15, "heartbeat", /*                         */ 1, 0, 0, 1, 0, 0, 0) \
    X(ALPN, 16, "application_layer_protocol_negotiation", /* */ 1, 0, 0, 1, 0, 0, 0) \
    X(SCT, 18, "signed_certificate_timestamp", /*            */ 1, 0, 0, 0, 1, 1, 0) \
    X(CLIENT_CERT_TYPE, 19, "client_certificate_type", /*    */ 1, 0, 0, 1, 0, 0, 0) \
    X(SERVER_CERT_TYPE, 20, "server_certificate_type", /*    */ 1, 0, 0, 1, 0, 0, 0) \
    X(PADDING, 21, "padding", /*                             */ 1, 0, 0, 0, 0, 0, 0) \
    X(COMPRESS_CERTIFICATE, 27, "compress_certificate", /*   */ 1, 0, 0, 0, 1, 0, 0) \
    X(RECORD_SIZE_LIMIT, 28, "record_size_limit", /*         */ 1, 0, 0, 1, 0, 0, 0) \
    X(PRE_SHARED_KEY, 41, "pre_shared_key", /*               */ 1, 1, 0, 0, 0, 0, 0) \
    X(EARLY_DATA, 42, "early_data", /*                       */ 1, 0, 0, 1, 0, 0, 1) \
    X(SUPPORTED_VERSIONS, 43, "supported_versions", /*       */ 1, 1, 1, 0, 0, 0, 0) \
    X(COOKIE, 44, "cookie", /*                               */ 1, 0, 1, 0, 0, 0, 0) \
    X(PSK_MODES, 45, "psk_key_exchange_modes", /*            */ 1, 0, 0, 0, 0, 0, 0) \
    X(CERT_AUTHORITIES, 47, "certificate_authorities", /*    */ 1, 0, 0, 0, 1, 0, 0) \
    X(OID_FILTERS, 48, "oid_filters", /*                     */ 0, 0, 0, 0, 1, 0, 0) \
    X(POST_HANDSHAKE_AUTH, 49, "post_handshake_auth", /*     */ 1, 0, 0, 0, 0, 0, 0) \
    X(SIGNATURE_ALGORITHMS_CERT, 50, "signature_algorithms_cert", /*  */ 1, 0, 0, 0, 1, 0, 0) \
    X(KEY_SHARE, 51, "key_share", /*                         */ 1, 1, 1, 0, 0, 0, 0)

#define HF_EXT_ENUM(id, type, name, ch, sh, hrr, ee, cr, ct, nst) HF_EXT_##id,
enum hf_ext_id { HF_EXT_TABLE(HF_EXT_ENUM) HF_EXT_N };
#undef HF_EXT_ENUM

#define HF_EXT_BIT(id) (1u << (id))
#define HF_EXT_MAX     100 /* extensions of one block, known or not */

/* struct hf_ext_set is a block that was read: views into it, and where pre_shared_key stood. */
struct hf_ext_set {
    uint32_t present;    /* bits by hf_ext_id */
    enum hf_ext_id last; /* the last one; HF_EXT_N: none, or one that we don't know */
    struct hf_bytes body[HF_EXT_N];
};

static inline bool hf_ext_has(const struct hf_ext_set *set, enum hf_ext_id id)
{
    return (set->present & HF_EXT_BIT(id)) != 0;
}

/*
 * hf_ext_split reads a block of extensions (without its length) of a message. In an answer every
 * extension must be among `offered`; in a request (CH, CR, NST) unknown ones are passed over.
 * Alerts: decode_error (lengths, too many, a type twice), illegal_parameter (known, but not for
 * this message), unsupported_extension (not offered).
 */
enum hf_err hf_ext_split(struct hf_native *conn, enum hf_ext_place place, struct hf_bytes block,
                         uint32_t offered, struct hf_ext_set *out) HF_MUST_CHECK;

/* hf_ext_read hands each extension of the set to its reader, in the order of the reader table. */
enum hf_err hf_ext_read(struct hf_native *conn, enum hf_ext_place place,
                        const struct hf_ext_set *set) HF_MUST_CHECK;

/*
 * hf_ext_write appends a block with its length: each writer of the place's table in order. *out_set
 * says which were written. Errors: those of hf_buf and of the writers.
 */
enum hf_err hf_ext_write(struct hf_native *conn, enum hf_ext_place place, struct hf_buf *buf,
                         uint32_t *out_set) HF_MUST_CHECK;

const char *hf_ext_name(enum hf_ext_id id);

/* --- One extension in one message --------------------------------------------------------------
 * A writer appends the body and sets *out_include, or leaves it false: the extension is then left
 * out and what it appended is taken back. A reader gets the body; trailing bytes are its to refuse
 * (HF_E_MALFORMED becomes decode_error).
 */
typedef enum hf_err hf_ext_writer(struct hf_native *conn, struct hf_buf *body, bool *out_include);
typedef enum hf_err hf_ext_reader(struct hf_native *conn, struct hf_bytes body);

struct hf_ext_writers {
    enum hf_ext_id id;
    hf_ext_writer *write;
};

struct hf_ext_readers {
    enum hf_ext_id id;
    hf_ext_reader *read;
};

/* By place; each ends with id HF_EXT_N. */
extern const struct hf_ext_writers *const hf_ext_writers[HF_EXT_IN_N];
extern const struct hf_ext_readers *const hf_ext_readers[HF_EXT_IN_N];

#endif
