// SPDX-License-Identifier: Apache-2.0
/*
 * Reading, of both versions in one file, as a receiver has to tell them apart by their first bytes.
 * What is read is bounded before it is complete: a version 1 line by 107 bytes, a version 2 header
 * by its own length field and HF_PROXY_HEADER_SIZE_MAX. Fields that we use may come once; what we
 * don't know is passed over, as the specification asks.
 */
#include "proxy/proxy_protocol.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "proxy/proxy_protocol_wire.h"

#define V1_HEAD "PROXY "
enum { V1_HEAD_SIZE = sizeof(V1_HEAD) - 1 };

/* --- Version 1 ------------------------------------------------------------------------------ */

static enum hf_err parse_port(const char *text, uint16_t *out)
{
    uint64_t port;
    if (text[0] == '0' && text[1]) {
        return hf_fail(HF_E_MALFORMED, "a port in the PROXY line starts with 0");
    }
    HF_TRY(hf_parse_uint(text, UINT16_MAX, &port));
    *out = (uint16_t)port;
    return HF_OK;
}

static enum hf_err parse_v1_addr(int family, const char *host, const char *port,
                                 struct hf_addr *out)
{
    bool v4 = family == AF_INET;
    struct hf_addr addr = {.len = v4 ? sizeof(addr.in) : sizeof(addr.in6)};
    uint16_t number;
    HF_TRY(parse_port(port, &number));
    void *into = v4 ? (void *)&addr.in.sin_addr : (void *)&addr.in6.sin6_addr;
    if (inet_pton(family, host, into) != 1) {
        return hf_fail(HF_E_MALFORMED, "the PROXY line has a bad address");
    }
    addr.sa.sa_family = (sa_family_t)family;
    hf_addr_set_port(&addr, number);
    *out = addr;
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

/* text: what stands between "PROXY " and the line's end. */
static enum hf_err read_v1(struct hf_bytes text, struct hf_proxy_header *out)
{
    char line[HF_PROXY_V1_SIZE_MAX + 1];
    memcpy(line, text.ptr, text.len);
    line[text.len] = '\0';
    if (strlen(line) != text.len) {
        return hf_fail(HF_E_MALFORMED, "the PROXY line has a NUL");
    }
    return parse_v1(line, out);
}

static enum hf_proxy_step decode_v1(struct hf_bytes in, struct hf_proxy_header *out,
                                    size_t *out_used)
{
    size_t most = in.len < HF_PROXY_V1_SIZE_MAX ? in.len : HF_PROXY_V1_SIZE_MAX;
    const uint8_t *end = memmem(in.ptr, most, "\r\n", 2);
    if (!end && most < HF_PROXY_V1_SIZE_MAX) {
        return HF_PROXY_MORE;
    }
    if (!end) {
        (void)hf_fail(HF_E_MALFORMED, "the PROXY line does not end within %d bytes",
                      HF_PROXY_V1_SIZE_MAX);
        return HF_PROXY_BAD;
    }
    size_t len = (size_t)(end - in.ptr);
    if (read_v1(hf_bytes_of(in.ptr + V1_HEAD_SIZE, len - V1_HEAD_SIZE), out) != HF_OK) {
        return HF_PROXY_BAD;
    }
    *out_used = len + 2;
    return HF_PROXY_DONE;
}

/* --- Version 2 ------------------------------------------------------------------------------ */

/* Four bits at a time: fast enough for what comes once a connection, and the table fits the eye. */
uint32_t hf_pp2_crc32c(uint32_t crc, struct hf_bytes bytes)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    crc = ~crc;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= bytes.ptr[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

static void set_ip(struct hf_addr *out, int family, struct hf_bytes ip, uint16_t port)
{
    bool v4 = family == AF_INET;
    *out = (struct hf_addr){.len = v4 ? sizeof(out->in) : sizeof(out->in6)};
    out->sa.sa_family = (sa_family_t)family;
    memcpy(v4 ? (void *)&out->in.sin_addr : (void *)&out->in6.sin6_addr, ip.ptr, ip.len);
    hf_addr_set_port(out, port);
}

static enum hf_err read_ips(struct hf_reader *reader, int family, struct hf_proxy_header *out)
{
    size_t size = family == AF_INET ? 4 : 16;
    struct hf_bytes source, destination;
    uint16_t source_port, destination_port;
    HF_TRY(hf_read_bytes(reader, size, &source));
    HF_TRY(hf_read_bytes(reader, size, &destination));
    HF_TRY(hf_read_u16(reader, &source_port));
    HF_TRY(hf_read_u16(reader, &destination_port));
    set_ip(&out->source, family, source, source_port);
    set_ip(&out->destination, family, destination, destination_port);
    return HF_OK;
}

/* A path ends at its first NUL; an abstract name begins with one, and ends where only NULs follow.
 */
static size_t unix_len(struct hf_bytes path)
{
    size_t len = path.len;
    if (path.ptr[0]) {
        return strnlen((const char *)path.ptr, path.len - 1) + 1;
    }
    while (len > 0 && path.ptr[len - 1] == '\0') {
        len--;
    }
    return len;
}

static enum hf_err read_unix(struct hf_reader *reader, struct hf_addr *out)
{
    struct hf_bytes path;
    HF_TRY(hf_read_bytes(reader, HF_PP2_UNIX_PATH_SIZE, &path));
    *out = (struct hf_addr){0};
    _Static_assert(sizeof(out->un.sun_path) == HF_PP2_UNIX_PATH_SIZE, "the protocol's path size");
    out->un.sun_family = AF_UNIX;
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + unix_len(path));
    memcpy(out->un.sun_path, path.ptr, path.len);
    return HF_OK;
}

static enum hf_err read_addresses(struct hf_reader *reader, uint8_t family,
                                  struct hf_proxy_header *out)
{
    switch (family) {
    case HF_PP2_INET_STREAM:
        return read_ips(reader, AF_INET, out);
    case HF_PP2_INET6_STREAM:
        return read_ips(reader, AF_INET6, out);
    case HF_PP2_UNIX_STREAM:
        HF_TRY(read_unix(reader, &out->source));
        return read_unix(reader, &out->destination);
    default: /* UNSPEC: no address is told; fields may follow all the same */
        return HF_OK;
    }
}

/* A TLV: type, 16-bit length, value. */
static enum hf_err read_tlv(struct hf_reader *reader, uint8_t *out_type, struct hf_bytes *out)
{
    HF_TRY(hf_read_u8(reader, out_type));
    return hf_read_vec16(reader, out);
}

/* Which is it, when a field comes twice? We don't guess. An empty one counts as absent. */
static enum hf_err take_once(struct hf_bytes *field, uint8_t type, struct hf_bytes value)
{
    if (field->len) {
        return hf_fail(HF_E_MALFORMED, "the PROXY header has field 0x%02x twice", type);
    }
    *field = value;
    return HF_OK;
}

static struct hf_bytes *ssl_field(struct hf_proxy_tls *tls, uint8_t type)
{
    switch (type) {
    case HF_PP2_SUBTYPE_SSL_VERSION:
        return &tls->version;
    case HF_PP2_SUBTYPE_SSL_CN:
        return &tls->cn;
    case HF_PP2_SUBTYPE_SSL_CIPHER:
        return &tls->cipher;
    case HF_PP2_SUBTYPE_SSL_SIG_ALG:
        return &tls->sig_alg;
    case HF_PP2_SUBTYPE_SSL_KEY_ALG:
        return &tls->key_alg;
    case HF_PP2_SUBTYPE_SSL_CLIENT_CERT:
        return &tls->cert;
    default:
        return NULL;
    }
}

static enum hf_err read_ssl(struct hf_bytes value, struct hf_proxy_tls *out)
{
    struct hf_reader reader = hf_reader_of(value);
    HF_TRY(hf_read_u8(&reader, &out->client));
    HF_TRY(hf_read_u32(&reader, &out->verify));
    while (reader.rest.len) {
        uint8_t type = 0;
        struct hf_bytes text;
        HF_TRY(read_tlv(&reader, &type, &text));
        struct hf_bytes *field = ssl_field(out, type);
        if (field) {
            HF_TRY(take_once(field, type, text));
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
    uint32_t crc = hf_pp2_crc32c(0, hf_bytes_of(header.ptr, at));
    crc = hf_pp2_crc32c(crc, hf_bytes_of(zeros, sizeof(zeros)));
    crc = hf_pp2_crc32c(crc, hf_bytes_from(header, at + sizeof(zeros)));
    uint32_t told = 0;
    struct hf_reader reader = hf_reader_of(field);
    HF_TRY(hf_read_u32(&reader, &told));
    if (told != crc) {
        return hf_fail(HF_E_MALFORMED, "the PROXY header's checksum is wrong");
    }
    return HF_OK;
}

/* What the TLVs of the header hold, to find those that come twice. */
struct fields {
    struct hf_bytes crc;
    struct hf_bytes ssl;
};

static enum hf_err take_tlv(struct hf_proxy_header *out, struct fields *fields, uint8_t type,
                            struct hf_bytes value)
{
    switch (type) {
    case HF_PP2_TYPE_ALPN:
        return take_once(&out->alpn, type, value);
    case HF_PP2_TYPE_AUTHORITY:
        return take_once(&out->authority, type, value);
    case HF_PP2_TYPE_UNIQUE_ID:
        if (value.len > HF_PP2_UNIQUE_ID_MAX) {
            return hf_fail(HF_E_MALFORMED, "the PROXY header's unique id is too long");
        }
        return take_once(&out->unique_id, type, value);
    case HF_PP2_TYPE_CRC32C:
        return take_once(&fields->crc, type, value);
    case HF_PP2_TYPE_SSL:
        HF_TRY(take_once(&fields->ssl, type, value));
        return read_ssl(value, &out->tls);
    default:
        return HF_OK;
    }
}

static enum hf_err read_tlvs(struct hf_bytes header, struct hf_reader *reader,
                             struct hf_proxy_header *out)
{
    struct fields fields = {0};
    bool summed = false;
    while (reader->rest.len) {
        uint8_t type = 0;
        struct hf_bytes value;
        HF_TRY(read_tlv(reader, &type, &value));
        HF_TRY(take_tlv(out, &fields, type, value));
        summed = summed || type == HF_PP2_TYPE_CRC32C;
    }
    return summed ? check_crc(header, fields.crc) : HF_OK;
}

static enum hf_err check_head(uint8_t command, uint8_t family, size_t size)
{
    if (command != HF_PP2_LOCAL && command != HF_PP2_PROXY) {
        return hf_fail(HF_E_MALFORMED, "PROXY header version and command 0x%02x are unknown",
                       command);
    }
    bool known = family == HF_PP2_UNSPEC || family == HF_PP2_INET_STREAM ||
                 family == HF_PP2_INET6_STREAM || family == HF_PP2_UNIX_STREAM;
    if (command == HF_PP2_PROXY && !known) {
        return hf_fail(HF_E_MALFORMED, "PROXY address family 0x%02x is not one of streams", family);
    }
    if (size > HF_PROXY_HEADER_SIZE_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "the PROXY header has %zu bytes; at most %u are taken", size,
                       HF_PROXY_HEADER_SIZE_MAX);
    }
    return HF_OK;
}

static enum hf_err read_v2(struct hf_bytes header, uint8_t family, struct hf_proxy_header *out)
{
    struct hf_reader reader = hf_reader_of(hf_bytes_from(header, HF_PP2_HEAD_SIZE));
    HF_TRY(read_addresses(&reader, family, out));
    return read_tlvs(header, &reader, out);
}

static enum hf_proxy_step decode_v2(struct hf_bytes in, struct hf_proxy_header *out,
                                    size_t *out_used)
{
    if (in.len < HF_PP2_HEAD_SIZE) {
        return HF_PROXY_MORE;
    }
    uint8_t command = in.ptr[12];
    uint8_t family = in.ptr[13];
    size_t size = HF_PP2_HEAD_SIZE + ((size_t)in.ptr[14] << 8 | in.ptr[15]);
    if (check_head(command, family, size) != HF_OK) {
        return HF_PROXY_BAD;
    }
    if (in.len < size) {
        return HF_PROXY_MORE;
    }
    out->local = command == HF_PP2_LOCAL; /* the rest is then thrown away, whatever it says */
    if (!out->local && read_v2(hf_bytes_of(in.ptr, size), family, out) != HF_OK) {
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
    *out = (struct hf_proxy_header){0};
    *out_used = 0;
    if (could_be(in, HF_PP2_SIGNATURE, HF_PP2_SIGNATURE_SIZE)) {
        return decode_v2(in, out, out_used);
    }
    if (could_be(in, V1_HEAD, V1_HEAD_SIZE)) {
        return decode_v1(in, out, out_used);
    }
    (void)hf_fail(HF_E_MALFORMED, "what came first is no PROXY header");
    return HF_PROXY_BAD;
}
