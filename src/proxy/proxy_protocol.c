// SPDX-License-Identifier: Apache-2.0
/*
 * Both versions in one file, as a receiver has to tell them apart by their first bytes. What is
 * read is bounded before it is complete: a version 1 line by 107 bytes, a version 2 header by its
 * own length field and HF_PROXY_HEADER_SIZE_MAX.
 */
#include "proxy/proxy_protocol.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const uint8_t v2_signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                         0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

enum { V2_HEAD = 16, V2_VERSION = 0x20, V2_LOCAL = 0, V2_PROXY = 1 };
enum {
    FAMILY_UNSPEC = 0x00,
    FAMILY_INET_STREAM = 0x11,
    FAMILY_INET6_STREAM = 0x21,
    FAMILY_UNIX_STREAM = 0x31,
};
enum {
    TLV_ALPN = 0x01,
    TLV_AUTHORITY = 0x02,
    TLV_CRC32C = 0x03,
    TLV_NOOP = 0x04,
    TLV_UNIQUE_ID = 0x05,
    TLV_SSL = 0x20,
    TLV_SSL_VERSION = 0x21,
    TLV_SSL_CN = 0x22,
    TLV_SSL_CIPHER = 0x23,
    TLV_SSL_SIG_ALG = 0x24,
    TLV_SSL_KEY_ALG = 0x25,
    TLV_SSL_CLIENT_CERT = 0x28,
};
enum { UNIX_PATH = 108, UNIQUE_ID_MAX = 128 };

/* CRC-32C (RFC 3720 B.4), a bit at a time: a header is short and comes once a connection. */
static uint32_t crc32c(uint32_t crc, struct hf_bytes bytes)
{
    crc = ~crc;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
        }
    }
    return ~crc;
}

/* --- Version 1: reading -------------------------------------------------------------------------
 */

static enum hf_err parse_port(const char *text, in_port_t *out)
{
    uint64_t port;
    if (text[0] == '0' && text[1]) {
        return hf_fail(HF_E_MALFORMED, "a port in the PROXY line starts with 0");
    }
    HF_TRY(hf_parse_uint(text, 65535, &port));
    *out = htons((uint16_t)port);
    return HF_OK;
}

static enum hf_err parse_v1_addr(int family, const char *host, const char *port,
                                 struct hf_addr *out)
{
    *out = (struct hf_addr){0};
    in_port_t number;
    HF_TRY(parse_port(port, &number));
    bool v4 = family == AF_INET;
    void *into = v4 ? (void *)&out->in.sin_addr : (void *)&out->in6.sin6_addr;
    if (inet_pton(family, host, into) != 1) {
        return hf_fail(HF_E_MALFORMED, "the PROXY line has a bad address");
    }
    out->sa.sa_family = (sa_family_t)family;
    out->len = v4 ? sizeof(out->in) : sizeof(out->in6);
    if (v4) {
        out->in.sin_port = number;
    } else {
        out->in6.sin6_port = number;
    }
    return HF_OK;
}

/* Cuts text at single spaces; more or fewer than n fields, or an empty one, is wrong. */
static enum hf_err split(char *text, char **fields, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        fields[i] = text;
        char *space = strchr(text, ' ');
        bool last = i + 1 == n;
        if (*text == '\0' || *text == ' ' || (space == NULL) != last) {
            return hf_fail(HF_E_MALFORMED, "the PROXY line has not the fields that it should");
        }
        if (space) {
            *space = '\0';
            text = space + 1;
        }
    }
    return HF_OK;
}

static enum hf_err parse_v1(char *line, struct hf_proxy_header *out)
{
    enum { PROTOCOL, SOURCE, DESTINATION, SOURCE_PORT, DESTINATION_PORT, N_FIELDS };
    char *fields[N_FIELDS];
    if (strncmp(line, "UNKNOWN", 7) == 0 && (line[7] == '\0' || line[7] == ' ')) {
        return HF_OK;
    }
    HF_TRY(split(line, fields, N_FIELDS));
    int family = strcmp(fields[PROTOCOL], "TCP4") == 0   ? AF_INET
                 : strcmp(fields[PROTOCOL], "TCP6") == 0 ? AF_INET6
                                                         : AF_UNSPEC;
    if (family == AF_UNSPEC) {
        return hf_fail(HF_E_MALFORMED, "the PROXY line names neither TCP4, TCP6 nor UNKNOWN");
    }
    HF_TRY(parse_v1_addr(family, fields[SOURCE], fields[SOURCE_PORT], &out->source));
    return parse_v1_addr(family, fields[DESTINATION], fields[DESTINATION_PORT], &out->destination);
}

static enum hf_proxy_step decode_v1(struct hf_bytes in, struct hf_proxy_header *out,
                                    size_t *out_used)
{
    enum { HEAD = 6 }; /* "PROXY " */
    size_t most = in.len < HF_PROXY_V1_SIZE_MAX ? in.len : HF_PROXY_V1_SIZE_MAX;
    const uint8_t *end = memmem(in.ptr, most, "\r\n", 2);
    if (!end) {
        if (most == HF_PROXY_V1_SIZE_MAX) {
            (void)hf_fail(HF_E_MALFORMED, "the PROXY line does not end within %d bytes",
                          HF_PROXY_V1_SIZE_MAX);
            return HF_PROXY_BAD;
        }
        return HF_PROXY_MORE;
    }
    char line[HF_PROXY_V1_SIZE_MAX + 1];
    size_t len = (size_t)(end - in.ptr) - HEAD;
    memcpy(line, in.ptr + HEAD, len);
    line[len] = '\0';
    if (strlen(line) != len) {
        (void)hf_fail(HF_E_MALFORMED, "the PROXY line has a NUL");
        return HF_PROXY_BAD;
    }
    if (parse_v1(line, out) != HF_OK) {
        return HF_PROXY_BAD;
    }
    *out_used = (size_t)(end - in.ptr) + 2;
    return HF_PROXY_DONE;
}

/* --- Version 2: reading -------------------------------------------------------------------------
 */

static enum hf_err read_ip(struct hf_reader *reader, int family, struct hf_addr *source,
                           struct hf_addr *destination)
{
    bool v4 = family == AF_INET;
    struct hf_addr *addrs[2] = {source, destination};
    struct hf_bytes ip[2];
    uint16_t port[2];
    for (int i = 0; i < 2; i++) {
        HF_TRY(hf_read_bytes(reader, v4 ? 4 : 16, &ip[i]));
    }
    for (int i = 0; i < 2; i++) {
        HF_TRY(hf_read_u16(reader, &port[i]));
        *addrs[i] = (struct hf_addr){.len = v4 ? sizeof(addrs[i]->in) : sizeof(addrs[i]->in6)};
        addrs[i]->sa.sa_family = (sa_family_t)family;
        memcpy(v4 ? (void *)&addrs[i]->in.sin_addr : (void *)&addrs[i]->in6.sin6_addr, ip[i].ptr,
               ip[i].len);
        *(v4 ? &addrs[i]->in.sin_port : &addrs[i]->in6.sin6_port) = htons(port[i]);
    }
    return HF_OK;
}

static enum hf_err read_unix(struct hf_reader *reader, struct hf_addr *source,
                             struct hf_addr *destination)
{
    struct hf_addr *addrs[2] = {source, destination};
    for (int i = 0; i < 2; i++) {
        struct hf_bytes path;
        HF_TRY(hf_read_bytes(reader, UNIX_PATH, &path));
        *addrs[i] = (struct hf_addr){.len = sizeof(addrs[i]->un)};
        addrs[i]->un.sun_family = AF_UNIX;
        _Static_assert(sizeof(addrs[i]->un.sun_path) == UNIX_PATH, "the protocol's path size");
        memcpy(addrs[i]->un.sun_path, path.ptr, path.len);
    }
    return HF_OK;
}

static enum hf_err read_addresses(struct hf_reader *reader, uint8_t family,
                                  struct hf_proxy_header *out)
{
    switch (family) {
    case FAMILY_INET_STREAM:
        return read_ip(reader, AF_INET, &out->source, &out->destination);
    case FAMILY_INET6_STREAM:
        return read_ip(reader, AF_INET6, &out->source, &out->destination);
    case FAMILY_UNIX_STREAM:
        return read_unix(reader, &out->source, &out->destination);
    case FAMILY_UNSPEC: /* no address is told; fields may follow all the same */
        return HF_OK;
    default:
        return hf_fail(HF_E_MALFORMED, "PROXY address family 0x%02x is not one of streams", family);
    }
}

/* A TLV: type, 16-bit length, value. */
static enum hf_err read_tlv(struct hf_reader *reader, uint8_t *out_type, struct hf_bytes *out)
{
    HF_TRY(hf_read_u8(reader, out_type));
    return hf_read_vec16(reader, out);
}

static enum hf_err read_ssl(struct hf_bytes value, struct hf_proxy_tls *out)
{
    struct hf_reader reader = hf_reader_of(value);
    HF_TRY(hf_read_u8(&reader, &out->client));
    HF_TRY(hf_read_u32(&reader, &out->verify));
    while (reader.rest.len) {
        uint8_t type;
        struct hf_bytes text;
        HF_TRY(read_tlv(&reader, &type, &text));
        switch (type) {
        case TLV_SSL_VERSION:
            out->version = text;
            break;
        case TLV_SSL_CN:
            out->cn = text;
            break;
        case TLV_SSL_CIPHER:
            out->cipher = text;
            break;
        case TLV_SSL_SIG_ALG:
            out->sig_alg = text;
            break;
        case TLV_SSL_KEY_ALG:
            out->key_alg = text;
            break;
        case TLV_SSL_CLIENT_CERT:
            out->cert = text;
            break;
        default: /* the protocol asks receivers to pass over what they don't know */
            break;
        }
    }
    return HF_OK;
}

/* The checksum is over the whole header with its own four bytes as zeros. */
static enum hf_err check_crc(struct hf_bytes header, struct hf_bytes field)
{
    static const uint8_t zeros[4];
    if (field.len != sizeof(zeros)) {
        return hf_fail(HF_E_MALFORMED, "the PROXY header's checksum has %zu bytes", field.len);
    }
    size_t at = (size_t)(field.ptr - header.ptr);
    uint32_t crc = crc32c(0, hf_bytes_of(header.ptr, at));
    crc = crc32c(crc, hf_bytes_of(zeros, sizeof(zeros)));
    crc = crc32c(crc, hf_bytes_from(header, at + sizeof(zeros)));
    uint32_t told = 0;
    struct hf_reader reader = hf_reader_of(field);
    HF_TRY(hf_read_u32(&reader, &told));
    if (told != crc) {
        return hf_fail(HF_E_MALFORMED, "the PROXY header's checksum is wrong");
    }
    return HF_OK;
}

static enum hf_err read_tlvs(struct hf_bytes header, struct hf_reader *reader,
                             struct hf_proxy_header *out)
{
    while (reader->rest.len) {
        uint8_t type;
        struct hf_bytes value;
        HF_TRY(read_tlv(reader, &type, &value));
        switch (type) {
        case TLV_ALPN:
            out->alpn = value;
            break;
        case TLV_AUTHORITY:
            out->authority = value;
            break;
        case TLV_UNIQUE_ID:
            if (value.len > UNIQUE_ID_MAX) {
                return hf_fail(HF_E_MALFORMED, "the PROXY header's unique id is too long");
            }
            out->unique_id = value;
            break;
        case TLV_CRC32C:
            HF_TRY(check_crc(header, value));
            break;
        case TLV_SSL:
            HF_TRY(read_ssl(value, &out->tls));
            break;
        default:
            break;
        }
    }
    return HF_OK;
}

static enum hf_err read_v2(struct hf_bytes header, struct hf_proxy_header *out)
{
    uint8_t command = header.ptr[12];
    uint8_t family = header.ptr[13];
    if ((command & 0xf0) != V2_VERSION || (command & 0x0f) > V2_PROXY) {
        return hf_fail(HF_E_MALFORMED, "PROXY header version and command 0x%02x are unknown",
                       command);
    }
    struct hf_reader reader = hf_reader_of(hf_bytes_from(header, V2_HEAD));
    out->local = (command & 0x0f) == V2_LOCAL;
    if (out->local) {
        return HF_OK; /* the rest is to be thrown away, whatever it says */
    }
    HF_TRY(read_addresses(&reader, family, out));
    return read_tlvs(header, &reader, out);
}

static enum hf_proxy_step decode_v2(struct hf_bytes in, struct hf_proxy_header *out,
                                    size_t *out_used)
{
    if (in.len < V2_HEAD) {
        return HF_PROXY_MORE;
    }
    size_t size = V2_HEAD + ((size_t)in.ptr[14] << 8 | in.ptr[15]);
    if (size > HF_PROXY_HEADER_SIZE_MAX) {
        (void)hf_fail(HF_E_TOO_LARGE, "the PROXY header has %zu bytes; at most %u are taken", size,
                      HF_PROXY_HEADER_SIZE_MAX);
        return HF_PROXY_BAD;
    }
    if (in.len < size) {
        return HF_PROXY_MORE;
    }
    if (read_v2(hf_bytes_of(in.ptr, size), out) != HF_OK) {
        return HF_PROXY_BAD;
    }
    *out_used = size;
    return HF_PROXY_DONE;
}

static bool could_be(struct hf_bytes in, const void *head, size_t head_len)
{
    size_t n = in.len < head_len ? in.len : head_len;
    return n == 0 || memcmp(in.ptr, head, n) == 0;
}

enum hf_proxy_step hf_proxy_decode(struct hf_bytes in, struct hf_proxy_header *out,
                                   size_t *out_used)
{
    static const char v1_head[6] = {'P', 'R', 'O', 'X', 'Y', ' '};
    *out = (struct hf_proxy_header){0};
    *out_used = 0;
    if (could_be(in, v2_signature, sizeof(v2_signature))) {
        return in.len < sizeof(v2_signature) ? HF_PROXY_MORE : decode_v2(in, out, out_used);
    }
    if (could_be(in, v1_head, sizeof(v1_head))) {
        return in.len < sizeof(v1_head) ? HF_PROXY_MORE : decode_v1(in, out, out_used);
    }
    (void)hf_fail(HF_E_MALFORMED, "what came first is no PROXY header");
    return HF_PROXY_BAD;
}

/* --- Writing ------------------------------------------------------------------------------------
 */

static bool same_family(const struct hf_proxy_header *header, int family)
{
    return header->source.len && header->destination.len && header->source.sa.sa_family == family &&
           header->destination.sa.sa_family == family;
}

enum hf_err hf_proxy_encode_v1(const struct hf_proxy_header *header, struct hf_buf *out)
{
    char source[INET6_ADDRSTRLEN];
    char destination[INET6_ADDRSTRLEN];
    if (same_family(header, AF_INET) && !header->local) {
        inet_ntop(AF_INET, &header->source.in.sin_addr, source, sizeof(source));
        inet_ntop(AF_INET, &header->destination.in.sin_addr, destination, sizeof(destination));
        return hf_buf_printf(out, "PROXY TCP4 %s %s %u %u\r\n", source, destination,
                             ntohs(header->source.in.sin_port),
                             ntohs(header->destination.in.sin_port));
    }
    if (same_family(header, AF_INET6) && !header->local) {
        inet_ntop(AF_INET6, &header->source.in6.sin6_addr, source, sizeof(source));
        inet_ntop(AF_INET6, &header->destination.in6.sin6_addr, destination, sizeof(destination));
        return hf_buf_printf(out, "PROXY TCP6 %s %s %u %u\r\n", source, destination,
                             ntohs(header->source.in6.sin6_port),
                             ntohs(header->destination.in6.sin6_port));
    }
    return hf_buf_append_str(out, "PROXY UNKNOWN\r\n");
}

static enum hf_err write_addresses(const struct hf_proxy_header *header, struct hf_buf *out)
{
    const struct hf_addr *addrs[2] = {&header->source, &header->destination};
    bool v4 = same_family(header, AF_INET);
    if (same_family(header, AF_UNIX)) {
        for (int i = 0; i < 2; i++) {
            uint8_t path[UNIX_PATH] = {0};
            size_t len = addrs[i]->len - offsetof(struct sockaddr_un, sun_path);
            memcpy(path, addrs[i]->un.sun_path, len < sizeof(path) ? len : sizeof(path));
            HF_TRY(hf_buf_append(out, hf_bytes_of(path, sizeof(path))));
        }
        return HF_OK;
    }
    if (!v4 && !same_family(header, AF_INET6)) {
        return HF_OK;
    }
    for (int i = 0; i < 2; i++) {
        const void *ip =
            v4 ? (const void *)&addrs[i]->in.sin_addr : (const void *)&addrs[i]->in6.sin6_addr;
        HF_TRY(hf_buf_append(out, hf_bytes_of(ip, v4 ? 4 : 16)));
    }
    for (int i = 0; i < 2; i++) {
        HF_TRY(hf_buf_u16(out, ntohs(v4 ? addrs[i]->in.sin_port : addrs[i]->in6.sin6_port)));
    }
    return HF_OK;
}

static enum hf_err write_tlv(struct hf_buf *out, uint8_t type, struct hf_bytes value)
{
    if (value.len == 0) {
        return HF_OK;
    }
    if (value.len > UINT16_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a PROXY field of %zu bytes", value.len);
    }
    HF_TRY(hf_buf_u8(out, type));
    HF_TRY(hf_buf_u16(out, (uint16_t)value.len));
    return hf_buf_append(out, value);
}

static enum hf_err write_ssl(const struct hf_proxy_tls *tls, struct hf_buf *out)
{
    if (!tls->client) {
        return HF_OK;
    }
    struct hf_buf_vec vec;
    HF_TRY(hf_buf_u8(out, TLV_SSL));
    HF_TRY(hf_buf_vec_open(out, 2, &vec));
    HF_TRY(hf_buf_u8(out, tls->client));
    HF_TRY(hf_buf_u32(out, tls->verify));
    HF_TRY(write_tlv(out, TLV_SSL_VERSION, tls->version));
    HF_TRY(write_tlv(out, TLV_SSL_CN, tls->cn));
    HF_TRY(write_tlv(out, TLV_SSL_CIPHER, tls->cipher));
    HF_TRY(write_tlv(out, TLV_SSL_SIG_ALG, tls->sig_alg));
    HF_TRY(write_tlv(out, TLV_SSL_KEY_ALG, tls->key_alg));
    if (tls->cert.len <= HF_PROXY_HEADER_SIZE_MAX / 2) {
        HF_TRY(write_tlv(out, TLV_SSL_CLIENT_CERT, tls->cert));
    }
    return hf_buf_vec_close(out, vec);
}

static uint8_t family_of(const struct hf_proxy_header *header)
{
    return same_family(header, AF_INET)    ? FAMILY_INET_STREAM
           : same_family(header, AF_INET6) ? FAMILY_INET6_STREAM
           : same_family(header, AF_UNIX)  ? FAMILY_UNIX_STREAM
                                           : FAMILY_UNSPEC;
}

/* The checksum's place comes last; its value is put there once all else stands. */
static enum hf_err write_crc(struct hf_buf *out, size_t start, struct hf_buf_vec vec)
{
    static const uint8_t zeros[4];
    HF_TRY(write_tlv(out, TLV_CRC32C, hf_bytes_of(zeros, sizeof(zeros))));
    HF_TRY(hf_buf_vec_close(out, vec));
    uint8_t *end = out->mem + out->end;
    uint32_t crc = crc32c(0, hf_bytes_from(hf_buf_bytes(out), start));
    for (int i = 0; i < 4; i++) {
        end[i - 4] = (uint8_t)(crc >> (8 * (3 - i)));
    }
    return HF_OK;
}

enum hf_err hf_proxy_encode_v2(const struct hf_proxy_header *header, struct hf_buf *out)
{
    size_t start = hf_buf_len(out);
    struct hf_buf_vec vec;
    uint8_t family = header->local ? FAMILY_UNSPEC : family_of(header);
    HF_TRY(hf_buf_append(out, hf_bytes_of(v2_signature, sizeof(v2_signature))));
    HF_TRY(hf_buf_u8(out, V2_VERSION | (header->local ? V2_LOCAL : V2_PROXY)));
    HF_TRY(hf_buf_u8(out, family));
    HF_TRY(hf_buf_vec_open(out, 2, &vec));
    if (!header->local) {
        HF_TRY(write_addresses(header, out));
        HF_TRY(write_tlv(out, TLV_ALPN, header->alpn));
        HF_TRY(write_tlv(out, TLV_AUTHORITY, header->authority));
        HF_TRY(write_tlv(out, TLV_UNIQUE_ID, header->unique_id));
        HF_TRY(write_ssl(&header->tls, out));
    }
    return write_crc(out, start, vec);
}
