// SPDX-License-Identifier: Apache-2.0
/*
 * Names that are compared rather than shown: host names against certificate patterns (RFC 9525 6.3)
 * and SPIFFE IDs (the SPIFFE-ID specification, sections 2 and 2.3).
 */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "pki/identity.h"

enum { SPIFFE_MAX = 2048, SPIFFE_DOMAIN_MAX = 255 };

static const char lower_digits[] = "abcdefghijklmnopqrstuvwxyz0123456789.-_";
static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool is_one_of(uint8_t c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Views the bytes before the first slash and leaves reader at it. */
static struct hf_bytes take_until_slash(struct hf_bytes *rest)
{
    const uint8_t *slash = rest->len ? memchr(rest->ptr, '/', rest->len) : NULL;
    size_t n = slash ? (size_t)(slash - rest->ptr) : rest->len;
    struct hf_bytes part = hf_bytes_of(rest->ptr, n);
    *rest = hf_bytes_from(*rest, n);
    return part;
}

static enum hf_err check_domain(struct hf_bytes domain)
{
    if (domain.len == 0) {
        return hf_fail(HF_E_INVALID, "the SPIFFE ID has no trust domain");
    }
    if (domain.len > SPIFFE_DOMAIN_MAX) {
        return hf_fail(HF_E_INVALID, "the trust domain of the SPIFFE ID is longer than %d bytes",
                       SPIFFE_DOMAIN_MAX);
    }
    for (size_t i = 0; i < domain.len; i++) {
        if (!is_one_of(domain.ptr[i], lower_digits)) {
            return hf_fail(HF_E_INVALID,
                           "the trust domain of the SPIFFE ID may only hold lower-case letters, "
                           "digits, \".\", \"-\" and \"_\" (no port, no user)");
        }
    }
    return HF_OK;
}

static enum hf_err check_segment(struct hf_bytes segment)
{
    if (segment.len == 0) {
        return hf_fail(HF_E_INVALID,
                       "the path of the SPIFFE ID has an empty segment or ends with a slash");
    }
    if (hf_bytes_eq_str(segment, ".") || hf_bytes_eq_str(segment, "..")) {
        return hf_fail(HF_E_INVALID, "the path of the SPIFFE ID has the segment \"%.*s\"",
                       (int)segment.len, (const char *)segment.ptr);
    }
    for (size_t i = 0; i < segment.len; i++) {
        if (!is_one_of(segment.ptr[i], lower_digits) && !is_one_of(segment.ptr[i], upper)) {
            return hf_fail(HF_E_INVALID,
                           "the path of the SPIFFE ID may only hold letters, digits, \".\", \"-\" "
                           "and \"_\" (no query, no fragment, no percent-encoding)");
        }
    }
    return HF_OK;
}

enum hf_err hf_spiffe_check(struct hf_bytes uri)
{
    struct hf_bytes scheme = hf_bytes_str("spiffe://");
    if (uri.len < scheme.len || memcmp(uri.ptr, scheme.ptr, scheme.len) != 0) {
        return hf_fail(HF_E_INVALID, "a SPIFFE ID begins with \"spiffe://\"");
    }
    if (uri.len > SPIFFE_MAX) {
        return hf_fail(HF_E_INVALID, "the SPIFFE ID is longer than %d bytes", SPIFFE_MAX);
    }
    struct hf_bytes rest = hf_bytes_from(uri, scheme.len);
    HF_TRY(check_domain(take_until_slash(&rest)));
    while (rest.len) {
        rest = hf_bytes_from(rest, 1);
        HF_TRY(check_segment(take_until_slash(&rest)));
    }
    return HF_OK;
}

bool hf_is_address(const char *host)
{
    uint8_t address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* Length of host without one trailing dot, which means "fully qualified" and is in no certificate.
 */
static size_t host_len(const char *host)
{
    size_t len = strlen(host);
    return len && host[len - 1] == '.' ? len - 1 : len;
}

static bool same_name(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && a_len != 0 && strncasecmp(a, b, a_len) == 0;
}

bool hf_host_match(const char *pattern, const char *host)
{
    size_t pattern_len = strlen(pattern);
    size_t len = host_len(host);
    if (strncmp(pattern, "*.", 2) != 0) {
        return same_name(pattern, pattern_len, host, len);
    }
    const char *dot = memchr(host, '.', len);
    if (!dot || dot == host || hf_is_address(host)) {
        return false; /* the star stands for exactly one label that isn't empty */
    }
    return pattern_len > 2 &&
           same_name(pattern + 1, pattern_len - 1, dot, len - (size_t)(dot - host));
}

/* Compares addresses, not spellings: "::1" and "0:0::1" are one host. */
static bool same_address(const char *a, const char *b)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < HF_N_ELEMENTS(families); i++) {
        uint8_t x[sizeof(struct in6_addr)] = {0};
        uint8_t y[sizeof(struct in6_addr)] = {0};
        if (inet_pton(families[i], a, x) == 1 && inet_pton(families[i], b, y) == 1) {
            return memcmp(x, y, sizeof(x)) == 0;
        }
    }
    return false;
}

bool hf_cert_names_host(const struct hf_identity *identity, const char *host)
{
    bool address = hf_is_address(host);
    const struct hf_names_list *names = address ? &identity->ip : &identity->dns;
    for (size_t i = 0; i < names->n; i++) {
        if (address ? same_address(names->name[i], host) : hf_host_match(names->name[i], host)) {
            return true;
        }
    }
    return false;
}
