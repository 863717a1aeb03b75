// SPDX-License-Identifier: Apache-2.0
/*
 * Writing, of both versions. A header is appended whole or not at all: half a header in front of a
 * client's bytes would be taken for something else.
 */
#include <arpa/inet.h>
#include <string.h>

#include "proxy/proxy_protocol.h"
#include "proxy/proxy_protocol_wire.h"

/* Both addresses are of this family. AF_UNSPEC: they aren't told, or don't go together. */
static int family_of(const struct hf_proxy_header *header)
{
    bool told = !header->local && header->source.len && header->destination.len;
    bool same = header->source.sa.sa_family == header->destination.sa.sa_family;
    return told && same ? header->source.sa.sa_family : AF_UNSPEC;
}

/* --- Version 1 ------------------------------------------------------------------------------ */

enum hf_err hf_proxy_encode_v1(const struct hf_proxy_header *header, struct hf_buf *out)
{
    char source[INET6_ADDRSTRLEN];
    char destination[INET6_ADDRSTRLEN];
    int family = family_of(header);
    if (family != AF_INET && family != AF_INET6) {
        return hf_buf_append_str(out, "PROXY UNKNOWN\r\n");
    }
    bool v4 = family == AF_INET;
    const struct hf_addr *from = &header->source, *to = &header->destination;
    inet_ntop(family, v4 ? (const void *)&from->in.sin_addr : &from->in6.sin6_addr, source,
              sizeof(source));
    inet_ntop(family, v4 ? (const void *)&to->in.sin_addr : &to->in6.sin6_addr, destination,
              sizeof(destination));
    return hf_buf_printf(out, "PROXY %s %s %s %d %d\r\n", v4 ? "TCP4" : "TCP6", source, destination,
                         hf_addr_port(from), hf_addr_port(to));
}

/* --- Version 2 ------------------------------------------------------------------------------ */

static enum hf_err write_ips(const struct hf_proxy_header *header, bool v4, struct hf_buf *out)
{
    const struct hf_addr *addrs[2] = {&header->source, &header->destination};
    for (int i = 0; i < 2; i++) {
        const void *ip = v4 ? (const void *)&addrs[i]->in.sin_addr : &addrs[i]->in6.sin6_addr;
        HF_TRY(hf_buf_append(out, hf_bytes_of(ip, v4 ? 4 : 16)));
    }
    for (int i = 0; i < 2; i++) {
        HF_TRY(hf_buf_u16(out, (uint16_t)hf_addr_port(addrs[i])));
    }
    return HF_OK;
}

static enum hf_err write_unix(const struct hf_addr *addr, struct hf_buf *out)
{
    uint8_t path[HF_PP2_UNIX_PATH_SIZE] = {0};
    size_t head = offsetof(struct sockaddr_un, sun_path);
    size_t len = addr->len > head ? addr->len - head : 0;
    memcpy(path, addr->un.sun_path, len < sizeof(path) ? len : sizeof(path));
    return hf_buf_append(out, hf_bytes_of(path, sizeof(path)));
}

static enum hf_err write_addresses(const struct hf_proxy_header *header, struct hf_buf *out)
{
    switch (family_of(header)) {
    case AF_INET:
        return write_ips(header, true, out);
    case AF_INET6:
        return write_ips(header, false, out);
    case AF_UNIX:
        HF_TRY(write_unix(&header->source, out));
        return write_unix(&header->destination, out);
    default:
        return HF_OK;
    }
}

static enum hf_err write_tlv(struct hf_buf *out, enum hf_pp2_type type, struct hf_bytes value)
{
    struct hf_buf_vec vec;
    if (value.len == 0) {
        return HF_OK;
    }
    HF_TRY(hf_buf_u8(out, (uint8_t)type));
    HF_TRY(hf_buf_vec_open(out, 2, &vec));
    HF_TRY(hf_buf_append(out, value));
    return hf_buf_vec_close(out, vec);
}

static enum hf_err write_ssl(const struct hf_proxy_tls *tls, bool with_cert, struct hf_buf *out)
{
    struct hf_buf_vec vec;
    if (!tls->client) {
        return HF_OK;
    }
    HF_TRY(hf_buf_u8(out, HF_PP2_TYPE_SSL));
    HF_TRY(hf_buf_vec_open(out, 2, &vec));
    HF_TRY(hf_buf_u8(out, tls->client));
    HF_TRY(hf_buf_u32(out, tls->verify));
    HF_TRY(write_tlv(out, HF_PP2_SUBTYPE_SSL_VERSION, tls->version));
    HF_TRY(write_tlv(out, HF_PP2_SUBTYPE_SSL_CN, tls->cn));
    HF_TRY(write_tlv(out, HF_PP2_SUBTYPE_SSL_CIPHER, tls->cipher));
    HF_TRY(write_tlv(out, HF_PP2_SUBTYPE_SSL_SIG_ALG, tls->sig_alg));
    HF_TRY(write_tlv(out, HF_PP2_SUBTYPE_SSL_KEY_ALG, tls->key_alg));
    if (with_cert) {
        HF_TRY(write_tlv(out, HF_PP2_SUBTYPE_SSL_CLIENT_CERT, tls->cert));
    }
    return hf_buf_vec_close(out, vec);
}

static enum hf_err write_fields(const struct hf_proxy_header *header, bool with_cert,
                                struct hf_buf *out)
{
    if (header->unique_id.len > HF_PP2_UNIQUE_ID_MAX) {
        return hf_fail(HF_E_INVALID, "a unique id of %zu bytes, where PROXY takes %d",
                       header->unique_id.len, HF_PP2_UNIQUE_ID_MAX);
    }
    HF_TRY(write_addresses(header, out));
    HF_TRY(write_tlv(out, HF_PP2_TYPE_ALPN, header->alpn));
    HF_TRY(write_tlv(out, HF_PP2_TYPE_AUTHORITY, header->authority));
    HF_TRY(write_tlv(out, HF_PP2_TYPE_UNIQUE_ID, header->unique_id));
    return write_ssl(&header->tls, with_cert, out);
}

/* The checksum's place comes last, as zeros; its value is put there once all else stands. */
static enum hf_err close_header(struct hf_buf *out, size_t start, struct hf_buf_vec vec)
{
    static const uint8_t zeros[4];
    HF_TRY(write_tlv(out, HF_PP2_TYPE_CRC32C, hf_bytes_of(zeros, sizeof(zeros))));
    HF_TRY(hf_buf_vec_close(out, vec));
    struct hf_bytes header = hf_bytes_from(hf_buf_bytes(out), start);
    if (header.len > HF_PROXY_HEADER_SIZE_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a PROXY header of %zu bytes", header.len);
    }
    uint32_t crc = hf_pp2_crc32c(0, header);
    out->end -= sizeof(zeros);
    return hf_buf_u32(out, crc);
}

static uint8_t wire_family(const struct hf_proxy_header *header)
{
    int family = family_of(header);
    return family == AF_INET    ? HF_PP2_INET_STREAM
           : family == AF_INET6 ? HF_PP2_INET6_STREAM
           : family == AF_UNIX  ? HF_PP2_UNIX_STREAM
                                : HF_PP2_UNSPEC;
}

static enum hf_err write_v2(const struct hf_proxy_header *header, bool with_cert,
                            struct hf_buf *out)
{
    size_t start = hf_buf_len(out);
    struct hf_buf_vec vec;
    HF_TRY(hf_buf_append(out, hf_bytes_of(HF_PP2_SIGNATURE, HF_PP2_SIGNATURE_SIZE)));
    HF_TRY(hf_buf_u8(out, header->local ? HF_PP2_LOCAL : HF_PP2_PROXY));
    HF_TRY(hf_buf_u8(out, wire_family(header)));
    HF_TRY(hf_buf_vec_open(out, 2, &vec));
    if (!header->local) {
        HF_TRY(write_fields(header, with_cert, out));
    }
    return close_header(out, start, vec);
}

enum hf_err hf_proxy_encode_v2(const struct hf_proxy_header *header, struct hf_buf *out)
{
    size_t before = hf_buf_len(out);
    enum hf_err err = write_v2(header, true, out);
    if (err == HF_E_TOO_LARGE && header->tls.cert.len) {
        out->end = out->start + before;
        err = write_v2(header, false, out);
    }
    if (err != HF_OK) {
        out->end = out->start + before;
    }
    return err;
}
