// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_PROXY_PROTOCOL_H
#define HF_PROXY_PROXY_PROTOCOL_H

/*
 * The PROXY protocol, versions 1 and 2 (haproxy's doc/proxy-protocol.txt, 2020/03/05): what a proxy
 * says of the client before the client's first byte. Sans-I/O, both directions.
 */

#include "base/buf.h"
#include "os/sock.h"

/* The longest header taken: 16 bytes, addresses, and TLVs with a client certificate. */
#define HF_PROXY_HEADER_SIZE_MAX (16u << 10)
#define HF_PROXY_V1_SIZE_MAX     107

/* Bits of hf_proxy_tls.client. */
enum { HF_PP2_CLIENT_SSL = 1, HF_PP2_CLIENT_CERT_CONN = 2, HF_PP2_CLIENT_CERT_SESS = 4 };

/* The TLS TLVs. Strings are not terminated; absent ones have len 0. */
struct hf_proxy_tls {
    uint8_t client;          /* 0: no TLS */
    uint32_t verify;         /* 0: a client certificate was sent and is good */
    struct hf_bytes version; /* "TLSv1.3" */
    struct hf_bytes cn;
    struct hf_bytes cipher;
    struct hf_bytes sig_alg; /* of the certificate, "SHA256" */
    struct hf_bytes key_alg; /* of the certificate's key, "EC256" */
    struct hf_bytes cert;    /* the client's certificate in DER (PP2_SUBTYPE_SSL_CLIENT_CERT) */
};

struct hf_proxy_header {
    bool local;            /* the proxy's own connection: addresses mean nothing */
    struct hf_addr source; /* len 0: not told (UNKNOWN, UNSPEC) */
    struct hf_addr destination;
    struct hf_bytes alpn;      /* version 2 only, from here on */
    struct hf_bytes authority; /* the SNI */
    struct hf_bytes unique_id; /* at most 128 bytes */
    struct hf_proxy_tls tls;
};

enum hf_proxy_step { HF_PROXY_DONE, HF_PROXY_MORE, HF_PROXY_BAD };

/*
 * hf_proxy_decode reads a header of either version off the front of `in`. DONE: *out_used bytes
 * were its own, and views in *out point into `in`. MORE: it may still become one. BAD: it never
 * will; hf_err_text() says why; *out is then of no use. A checksum is checked when there is one. A
 * field of ours that comes twice is BAD; other fields are passed over.
 */
enum hf_proxy_step hf_proxy_decode(struct hf_bytes in, struct hf_proxy_header *out,
                                   size_t *out_used) HF_MUST_CHECK;

/* hf_proxy_encode_v1 appends a version 1 line; what is neither IPv4 nor IPv6 becomes UNKNOWN. */
enum hf_err hf_proxy_encode_v1(const struct hf_proxy_header *header,
                               struct hf_buf *out) HF_MUST_CHECK;

/* hf_proxy_encode_v2 appends a version 2 header with the TLVs that are set, and a checksum. A
 * client certificate that would pass HF_PROXY_HEADER_SIZE_MAX or the buffer's cap is left out. On
 * failure nothing is appended. Errors: HF_E_TOO_LARGE, HF_E_INVALID for a unique id over 128 bytes.
 */
enum hf_err hf_proxy_encode_v2(const struct hf_proxy_header *header,
                               struct hf_buf *out) HF_MUST_CHECK;

#endif
