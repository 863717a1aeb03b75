// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_PROXY_PROTOCOL_WIRE_H
#define HF_PROXY_PROXY_PROTOCOL_WIRE_H

/* The numbers of PROXY protocol version 2, shared by its reader and its writer. */

#include "base/bytes.h"

#define HF_PP2_SIGNATURE      "\r\n\r\n\0\r\nQUIT\n"
#define HF_PP2_SIGNATURE_SIZE 12

enum { HF_PP2_HEAD_SIZE = 16, HF_PP2_UNIX_PATH_SIZE = 108, HF_PP2_UNIQUE_ID_MAX = 128 };

/* The byte of version and command. */
enum { HF_PP2_LOCAL = 0x20, HF_PP2_PROXY = 0x21 };

enum hf_pp2_family {
    HF_PP2_UNSPEC = 0x00,
    HF_PP2_INET_STREAM = 0x11,
    HF_PP2_INET6_STREAM = 0x21,
    HF_PP2_UNIX_STREAM = 0x31,
};

enum hf_pp2_type {
    HF_PP2_TYPE_ALPN = 0x01,
    HF_PP2_TYPE_AUTHORITY = 0x02,
    HF_PP2_TYPE_CRC32C = 0x03,
    HF_PP2_TYPE_UNIQUE_ID = 0x05,
    HF_PP2_TYPE_SSL = 0x20,
    HF_PP2_SUBTYPE_SSL_VERSION = 0x21,
    HF_PP2_SUBTYPE_SSL_CN = 0x22,
    HF_PP2_SUBTYPE_SSL_CIPHER = 0x23,
    HF_PP2_SUBTYPE_SSL_SIG_ALG = 0x24,
    HF_PP2_SUBTYPE_SSL_KEY_ALG = 0x25,
    HF_PP2_SUBTYPE_SSL_CLIENT_CERT = 0x28,
};

/* hf_pp2_crc32c continues a CRC-32C (RFC 3720, B.4) over more bytes; it begins with 0. */
uint32_t hf_pp2_crc32c(uint32_t crc, struct hf_bytes bytes);

#endif
