// SPDX-License-Identifier: Apache-2.0
/*
 * Addresses as text and as networks. No system call but for the index of an IPv6 scope, and no
 * look-up of names: what isn't an address is refused with a sentence that says how to write one.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "os/sock.h"

#define UNIX_PREFIX     "unix:"
#define UNIX_PREFIX_LEN (sizeof(UNIX_PREFIX) - 1)
#define UNIX_NAME_MAX   (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
#define UNIX_HEAD       offsetof(struct sockaddr_un, sun_path)

static void set_v4(struct hf_addr *out, const void *address, uint16_t port)
{
    *out = (struct hf_addr){.len = sizeof(out->in)};
    out->in.sin_family = AF_INET;
    out->in.sin_port = htons(port);
    memcpy(&out->in.sin_addr, address, sizeof(out->in.sin_addr));
}

static void set_v6(struct hf_addr *out, const void *address, uint32_t scope, uint16_t port)
{
    *out = (struct hf_addr){.len = sizeof(out->in6)};
    out->in6.sin6_family = AF_INET6;
    out->in6.sin6_port = htons(port);
    out->in6.sin6_scope_id = scope;
    memcpy(&out->in6.sin6_addr, address, sizeof(out->in6.sin6_addr));
}

/* "unix:/path" or "unix:@name"; an abstract name starts with NUL on the wire, and has no other. */
static enum hf_err parse_unix(const char *text, struct hf_addr *out)
{
    const char *name = text + UNIX_PREFIX_LEN;
    size_t len = strlen(name);
    if (len == 0 || (len == 1 && name[0] == '@')) {
        return hf_fail(HF_E_INVALID, "\"%s\" lacks a path; write unix:/run/name.sock", text);
    }
    if (len > UNIX_NAME_MAX) {
        return hf_fail(HF_E_INVALID, "the unix path \"%.40s...\" has %zu bytes; the most is %zu",
                       name, len, UNIX_NAME_MAX);
    }
    bool abstract = name[0] == '@';
    *out = (struct hf_addr){.len = (socklen_t)(UNIX_HEAD + len + (abstract ? 0 : 1))};
    out->un.sun_family = AF_UNIX;
    memcpy(out->un.sun_path, name, len);
    out->un.sun_path[0] = abstract ? '\0' : name[0];
    return HF_OK;
}

/* The number behind '%': an interface's name or index. */
static bool parse_scope(const char *text, uint32_t *out)
{
    uint64_t index;
    *out = if_nametoindex(text);
    if (*out == 0 && hf_parse_uint(text, UINT32_MAX, &index) == HF_OK) {
        *out = (uint32_t)index;
    }
    return *out != 0;
}

static bool parse_v6(const char *text, uint16_t port, struct hf_addr *out)
{
    char copy[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];
    uint32_t scope = 0;
    struct in6_addr v6;
    if (strlen(text) >= sizeof(copy)) {
        return false;
    }
    strcpy(copy, text);
    char *percent = strchr(copy, '%');
    if (percent) {
        *percent = '\0';
        if (!parse_scope(percent + 1, &scope)) {
            return false;
        }
    }
    if (inet_pton(AF_INET6, copy, &v6) != 1) {
        return false;
    }
    set_v6(out, &v6, scope, port);
    return true;
}

enum hf_err hf_addr_parse_ip(const char *text, uint16_t port, struct hf_addr *out)
{
    struct in_addr v4;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        set_v4(out, &v4, port);
        return HF_OK;
    }
    if (parse_v6(text, port, out)) {
        return HF_OK;
    }
    return hf_fail(HF_E_INVALID, "\"%.60s\" is not an IPv4 or IPv6 address", text);
}

static enum hf_err parse_host(const char *text, const char *host, bool bracketed, uint16_t port,
                              struct hf_addr *out)
{
    bool v6 = strchr(host, ':') != NULL;
    if (v6 && !bracketed) {
        return hf_fail(HF_E_INVALID,
                       "\"%.80s\" is ambiguous; write an IPv6 address as [address]:port", text);
    }
    if (bracketed != v6 || hf_addr_parse_ip(host, port, out) != HF_OK) {
        return hf_fail(HF_E_INVALID,
                       "\"%.80s\" is not an address with a port; write 127.0.0.1:8443, "
                       "[::1]:8443, :8443 or unix:/path",
                       text);
    }
    return HF_OK;
}

static enum hf_err parse_port(const char *text, const char *digits, uint16_t *out)
{
    uint64_t port;
    if (!digits || hf_parse_uint(digits, UINT16_MAX, &port) != HF_OK) {
        return hf_fail(HF_E_INVALID, "\"%.80s\" lacks a port; write address:port, port 0 to 65535",
                       text);
    }
    *out = (uint16_t)port;
    return HF_OK;
}

enum hf_err hf_addr_parse(const char *text, struct hf_addr *out)
{
    if (strncmp(text, UNIX_PREFIX, UNIX_PREFIX_LEN) == 0) {
        return parse_unix(text, out);
    }
    char host[80];
    uint16_t port = 0;
    const char *colon = strrchr(text, ':');
    HF_TRY(parse_port(text, colon ? colon + 1 : NULL, &port));
    size_t len = (size_t)(colon - text);
    if (len == 0) {
        set_v6(out, &in6addr_any, 0, port);
        return HF_OK;
    }
    bool bracketed = text[0] == '[' && text[len - 1] == ']' && len > 2;
    size_t trim = bracketed ? 1 : 0;
    snprintf(host, sizeof(host), "%.*s", (int)(len - 2 * trim), text + trim);
    return parse_host(text, host, bracketed, port, out);
}

static void format_unix(const struct hf_addr *addr, char *out)
{
    size_t len = addr->len > UNIX_HEAD ? addr->len - UNIX_HEAD : 0;
    len = len <= UNIX_NAME_MAX ? len : UNIX_NAME_MAX;
    const char *name = addr->un.sun_path;
    bool abstract = len > 0 && name[0] == '\0';
    size_t at = UNIX_PREFIX_LEN;
    memcpy(out, UNIX_PREFIX, UNIX_PREFIX_LEN);
    for (size_t i = 0; i < len && (abstract || name[i]); i++) {
        unsigned char c = (unsigned char)name[i];
        out[at++] = abstract && i == 0 ? '@' : c < ' ' || c >= 0x7f ? '?' : (char)c;
    }
    out[at] = '\0';
}

void hf_addr_format_ip(const struct hf_addr *addr, char out[static HF_ADDR_TEXT_SIZE])
{
    if (addr->sa.sa_family == AF_INET) {
        inet_ntop(AF_INET, &addr->in.sin_addr, out, HF_ADDR_TEXT_SIZE);
    } else if (addr->sa.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &addr->in6.sin6_addr, out, HF_ADDR_TEXT_SIZE);
        if (addr->in6.sin6_scope_id) {
            size_t len = strlen(out);
            snprintf(out + len, HF_ADDR_TEXT_SIZE - len, "%%%u", addr->in6.sin6_scope_id);
        }
    } else {
        hf_addr_format(addr, out);
    }
}

void hf_addr_format(const struct hf_addr *addr, char out[static HF_ADDR_TEXT_SIZE])
{
    char ip[HF_ADDR_TEXT_SIZE];
    switch (addr->sa.sa_family) {
    case AF_INET:
        hf_addr_format_ip(addr, ip);
        snprintf(out, HF_ADDR_TEXT_SIZE, "%.64s:%d", ip, hf_addr_port(addr));
        return;
    case AF_INET6:
        hf_addr_format_ip(addr, ip);
        snprintf(out, HF_ADDR_TEXT_SIZE, "[%.64s]:%d", ip, hf_addr_port(addr));
        return;
    case AF_UNIX:
        format_unix(addr, out);
        return;
    default:
        snprintf(out, HF_ADDR_TEXT_SIZE, "(no address)");
    }
}

bool hf_addr_eq(const struct hf_addr *a, const struct hf_addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family) {
        return false;
    }
    switch (a->sa.sa_family) {
    case AF_INET:
        return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    case AF_INET6:
        return a->in6.sin6_port == b->in6.sin6_port &&
               a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
               memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr)) == 0;
    default:
        return a->len == b->len && memcmp(&a->storage, &b->storage, a->len) == 0;
    }
}

int hf_addr_port(const struct hf_addr *addr)
{
    return addr->sa.sa_family == AF_INET    ? ntohs(addr->in.sin_port)
           : addr->sa.sa_family == AF_INET6 ? ntohs(addr->in6.sin6_port)
                                            : 0;
}

void hf_addr_set_port(struct hf_addr *addr, uint16_t port)
{
    if (addr->sa.sa_family == AF_INET) {
        addr->in.sin_port = htons(port);
    } else if (addr->sa.sa_family == AF_INET6) {
        addr->in6.sin6_port = htons(port);
    }
}

void hf_addr_unmap(struct hf_addr *addr)
{
    if (addr->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr)) {
        struct in6_addr mapped = addr->in6.sin6_addr;
        set_v4(addr, mapped.s6_addr + 12, ntohs(addr->in6.sin6_port));
    }
}

static bool is_every(const struct hf_addr *addr)
{
    static const struct in6_addr any6 = IN6ADDR_ANY_INIT;
    return addr->sa.sa_family == AF_INET ? addr->in.sin_addr.s_addr == htonl(INADDR_ANY)
                                         : memcmp(&addr->in6.sin6_addr, &any6, sizeof(any6)) == 0;
}

/* [::] takes clients of both families, 0.0.0.0 those of its own. */
static bool takes(const struct hf_addr *every, const struct hf_addr *other)
{
    return is_every(every) && (every->sa.sa_family == AF_INET6 || other->sa.sa_family == AF_INET);
}

bool hf_addr_overlaps(const struct hf_addr *a, const struct hf_addr *b)
{
    if (a->sa.sa_family == AF_UNIX || b->sa.sa_family == AF_UNIX || hf_addr_eq(a, b) ||
        hf_addr_port(a) != hf_addr_port(b) || hf_addr_port(a) == 0) {
        return false;
    }
    struct hf_addr plain_a = *a;
    struct hf_addr plain_b = *b;
    hf_addr_unmap(&plain_a);
    hf_addr_unmap(&plain_b);
    return takes(&plain_a, &plain_b) || takes(&plain_b, &plain_a);
}

/* --- Networks ------------------------------------------------------------------------------- */

static enum hf_err bad_cidr(const char *text)
{
    return hf_fail(HF_E_INVALID,
                   "\"%.60s\" is not a network; write 10.0.0.0/8, 2001:db8::/32, one address, or "
                   "unix:",
                   text);
}

static bool has_bits_beyond(const struct hf_cidr *cidr, size_t size)
{
    for (size_t i = 0; i < size * 8; i++) {
        if (i >= cidr->bits && cidr->prefix[i / 8] & (0x80 >> i % 8)) {
            return true;
        }
    }
    return false;
}

/* Networks of v4-mapped addresses become the v4 networks that they mean. */
static void set_prefix(struct hf_cidr *cidr, const struct hf_addr *addr, uint64_t bits)
{
    *cidr = (struct hf_cidr){.family = (uint8_t)addr->sa.sa_family, .bits = (uint8_t)bits};
    if (cidr->family == AF_INET) {
        memcpy(cidr->prefix, &addr->in.sin_addr, 4);
    } else if (IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr) && bits >= 96) {
        *cidr = (struct hf_cidr){.family = AF_INET, .bits = (uint8_t)(bits - 96)};
        memcpy(cidr->prefix, addr->in6.sin6_addr.s6_addr + 12, 4);
    } else {
        memcpy(cidr->prefix, &addr->in6.sin6_addr, 16);
    }
}

enum hf_err hf_cidr_parse(const char *text, struct hf_cidr *out)
{
    if (strcmp(text, UNIX_PREFIX) == 0) {
        *out = (struct hf_cidr){.family = AF_UNIX};
        return HF_OK;
    }
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    struct hf_addr addr;
    if (len >= sizeof(address)) {
        return bad_cidr(text);
    }
    snprintf(address, sizeof(address), "%.*s", (int)len, text);
    if (strchr(address, '%') || hf_addr_parse_ip(address, 0, &addr) != HF_OK) {
        return bad_cidr(text);
    }
    uint64_t most = addr.sa.sa_family == AF_INET ? 32 : 128;
    uint64_t bits = most;
    if (slash && hf_parse_uint(slash + 1, most, &bits) != HF_OK) {
        return bad_cidr(text);
    }
    set_prefix(out, &addr, bits);
    if (has_bits_beyond(out, out->family == AF_INET ? 4 : 16)) {
        return hf_fail(HF_E_INVALID,
                       "\"%.60s\" has bits set beyond its prefix of %u; clear them, or write the "
                       "address alone",
                       text, (unsigned)bits);
    }
    return HF_OK;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned mask = 0xffu << (8 - bits % 8) & 0xff;
    return memcmp(a, b, whole) == 0 && (bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

bool hf_cidr_contains(const struct hf_cidr *cidr, const struct hf_addr *addr)
{
    struct hf_addr plain = *addr;
    hf_addr_unmap(&plain);
    if (plain.sa.sa_family != cidr->family) {
        return false;
    }
    switch (cidr->family) {
    case AF_INET:
        return same_bits(cidr->prefix, (const uint8_t *)&plain.in.sin_addr, cidr->bits);
    case AF_INET6:
        return same_bits(cidr->prefix, plain.in6.sin6_addr.s6_addr, cidr->bits);
    default:
        return cidr->family == AF_UNIX;
    }
}
