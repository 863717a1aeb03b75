// SPDX-License-Identifier: Apache-2.0
/*
 * Selectors. Each kind is one row of `kinds`: how its pattern is compiled, how it is matched, and
 * whether it looks at names at all - those that don't (fingerprints, serial numbers) can be relied
 * on even when the names are mangled.
 */
#include "policy/selector.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "policy/glob.h"

struct network {
    int family;
    unsigned bits;
    uint8_t prefix[sizeof(struct in6_addr)];
};

struct hf_selector {
    const struct kind *kind;
    struct hf_buf pattern; /* compiled, or digits */
    struct network network;
    struct hf_dn_parts *dn; /* points into text */
    char *text;             /* what is behind the colon; after it room for the values of dn */
};

struct kind {
    const char *name;
    enum hf_err (*compile)(struct hf_selector *selector, struct hf_bytes text);
    bool (*match)(const struct hf_selector *selector, const struct hf_selector_view *view);
    bool names; /* looks at names */
};

/* --- Names --------------------------------------------------------------------------------------
 */

/* A name as it was in the certificate: printable text has its backslashes doubled. out has room for
 * HF_IDENTITY_TEXT_MAX bytes. */
static struct hf_bytes plain(const char *name, uint8_t *out)
{
    size_t n = 0;
    for (const char *c = name; *c && n < HF_IDENTITY_TEXT_MAX; c++) {
        out[n++] = (uint8_t)*c;
        c += c[0] == '\\' && c[1] == '\\';
    }
    return hf_bytes_of(out, n);
}

static bool any_name(const struct hf_selector *selector, const struct hf_names_list *names,
                     bool (*match)(struct hf_bytes pattern, struct hf_bytes name))
{
    uint8_t storage[HF_IDENTITY_TEXT_MAX];
    for (size_t i = 0; i < names->n; i++) {
        if (match(hf_buf_bytes(&selector->pattern), plain(names->name[i], storage))) {
            return true;
        }
    }
    return false;
}

static enum hf_err compile_text(struct hf_selector *selector, struct hf_bytes text)
{
    return hf_glob_compile(text, &selector->pattern);
}

static bool cover_dns(struct hf_bytes pattern, struct hf_bytes name)
{
    return hf_glob_match_segments(pattern, name, ".", HF_GLOB_FOLD);
}

static bool match_dns(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return any_name(selector, &view->identity->dns, cover_dns);
}

/* Cuts at the last "@"; false when there is none. */
static bool cut_email(struct hf_bytes text, struct hf_bytes *out_local, struct hf_bytes *out_domain)
{
    const uint8_t *at = text.len ? memrchr(text.ptr, '@', text.len) : NULL;
    if (!at) {
        return false;
    }
    *out_local = hf_bytes_of(text.ptr, (size_t)(at - text.ptr));
    *out_domain = hf_bytes_from(text, out_local->len + 1);
    return true;
}

static enum hf_err compile_email(struct hf_selector *selector, struct hf_bytes text)
{
    struct hf_bytes local;
    struct hf_bytes domain;
    HF_TRY(compile_text(selector, text));
    if (!cut_email(hf_buf_bytes(&selector->pattern), &local, &domain) || local.len == 0 ||
        domain.len == 0) {
        return hf_fail(HF_E_INVALID, "an email pattern is \"local@domain\", such as *@example.org");
    }
    return HF_OK;
}

static bool cover_email(struct hf_bytes pattern, struct hf_bytes name)
{
    struct hf_bytes wanted_local;
    struct hf_bytes wanted_domain;
    struct hf_bytes local;
    struct hf_bytes domain;
    return cut_email(pattern, &wanted_local, &wanted_domain) && cut_email(name, &local, &domain) &&
           hf_glob_match_segments(wanted_local, local, "@", 0) && cover_dns(wanted_domain, domain);
}

static bool match_email(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return any_name(selector, &view->identity->email, cover_email);
}

/* "scheme://authority" and what follows; without "//" everything is what follows. */
static struct hf_bytes take_authority(struct hf_bytes *uri)
{
    const uint8_t *slashes = uri->len ? memmem(uri->ptr, uri->len, "://", 3) : NULL;
    size_t n = slashes ? (size_t)(slashes - uri->ptr) + 3 : 0;
    while (slashes && n < uri->len && uri->ptr[n] != '/' && uri->ptr[n] != '?' &&
           uri->ptr[n] != '#') {
        n++;
    }
    struct hf_bytes authority = hf_bytes_of(uri->ptr, n);
    *uri = hf_bytes_from(*uri, n);
    return authority;
}

static bool cover_uri(struct hf_bytes pattern, struct hf_bytes name)
{
    struct hf_bytes wanted = take_authority(&pattern);
    struct hf_bytes given = take_authority(&name);
    /* Where there is no authority ("urn:isbn:...") colons are what gives structure. */
    const char *separators = given.len ? "/?#&" : "/?#&:";
    return hf_glob_match_segments(wanted, given, ".:@/", HF_GLOB_FOLD) &&
           hf_glob_match_segments(pattern, name, separators, 0);
}

static bool match_uri(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return any_name(selector, &view->identity->uri, cover_uri);
}

/* The kind's name is the scheme, so the pattern is what was written, kind and all. */
static enum hf_err compile_spiffe(struct hf_selector *selector, struct hf_bytes text)
{
    if (text.len < 3 || memcmp(text.ptr, "//", 2) != 0 || text.ptr[2] == '/') {
        return hf_fail(HF_E_INVALID, "a SPIFFE ID is spiffe://TRUST-DOMAIN/PATH");
    }
    HF_TRY(hf_buf_append_str(&selector->pattern, "spiffe:"));
    return compile_text(selector, text);
}

static bool match_spiffe(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    const char *spiffe = view->identity->spiffe;
    return spiffe && cover_uri(hf_buf_bytes(&selector->pattern), hf_bytes_str(spiffe));
}

/* --- Attributes of the subject and the issuer ---------------------------------------------------
 */

static bool match_cn(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    uint8_t storage[HF_IDENTITY_TEXT_MAX];
    const char *cn = view->identity->cn;
    return cn && hf_glob_match(hf_buf_bytes(&selector->pattern), plain(cn, storage), 0);
}

static bool match_attribute(const struct hf_selector *selector, const struct hf_selector_view *view,
                            const char *type)
{
    for (size_t i = 0; i < view->subject.n; i++) {
        const struct hf_dn_part *part = &view->subject.part[i];
        if (hf_bytes_eq_str(part->type, type) &&
            hf_glob_match(hf_buf_bytes(&selector->pattern), part->value, 0)) {
            return true;
        }
    }
    return false;
}

static bool match_o(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return match_attribute(selector, view, "O");
}

static bool match_ou(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return match_attribute(selector, view, "OU");
}

static enum hf_err compile_dn(struct hf_selector *selector, struct hf_bytes text)
{
    selector->text = hf_alloc_zero(2, text.len);
    selector->dn = HF_NEW(struct hf_dn_parts);
    if (!selector->text || !selector->dn) {
        return HF_E_NOMEM;
    }
    memcpy(selector->text, text.ptr, text.len);
    HF_TRY(hf_dn_parts_parse(hf_bytes_of(selector->text, text.len), true,
                             (uint8_t *)selector->text + text.len, selector->dn));
    return HF_OK;
}

static bool match_dn(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return hf_dn_parts_cover(selector->dn, &view->subject);
}

static bool match_dn_exact(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return hf_dn_parts_equal(selector->dn, &view->subject);
}

static bool match_issuer(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return hf_dn_parts_cover(selector->dn, &view->issuer);
}

static bool match_issuer_exact(const struct hf_selector *selector,
                               const struct hf_selector_view *view)
{
    return hf_dn_parts_equal(selector->dn, &view->issuer);
}

/* --- Addresses ----------------------------------------------------------------------------------
 */

static bool parse_address(const char *text, struct network *out)
{
    static const int families[] = {AF_INET, AF_INET6};
    for (size_t i = 0; i < HF_N_ELEMENTS(families); i++) {
        if (inet_pton(families[i], text, out->prefix) == 1) {
            out->family = families[i];
            out->bits = families[i] == AF_INET ? 32 : 128;
            return true;
        }
    }
    return false;
}

static bool in_network(const struct network *network, const struct network *address)
{
    unsigned whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    if (network->family != address->family ||
        memcmp(network->prefix, address->prefix, whole) != 0) {
        return false;
    }
    return rest == 0 || (network->prefix[whole] ^ address->prefix[whole]) >> (8 - rest) == 0;
}

static enum hf_err compile_ip(struct hf_selector *selector, struct hf_bytes text)
{
    char address[64];
    uint64_t bits;
    struct network *network = &selector->network;
    if (text.len >= sizeof(address)) {
        return hf_fail(HF_E_INVALID, "an IP pattern is an address or a network");
    }
    memcpy(address, text.ptr, text.len);
    address[text.len] = '\0';
    char *slash = strchr(address, '/');
    if (slash) {
        *slash = '\0';
    }
    if (strlen(address) + (slash ? strlen(slash + 1) + 1 : 0) != text.len ||
        !parse_address(address, network)) {
        return hf_fail(HF_E_INVALID, "an IP pattern is an address or a network, such as 192.0.2.1, "
                                     "192.0.2.0/24 or 2001:db8::/32");
    }
    if (slash) {
        HF_TRY(hf_parse_uint(slash + 1, network->bits, &bits));
        network->bits = (unsigned)bits;
    }
    return HF_OK;
}

static bool match_ip(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    const struct hf_names_list *names = &view->identity->ip;
    for (size_t i = 0; i < names->n; i++) {
        struct network address = {0};
        if (parse_address(names->name[i], &address) && in_network(&selector->network, &address)) {
            return true;
        }
    }
    return false;
}

/* --- Numbers ------------------------------------------------------------------------------------
 */

/* Hex digits in lower case, without colons. */
static enum hf_err compile_digits(struct hf_selector *selector, struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ':' && i > 0 && i + 1 < text.len) {
            continue;
        }
        if (!isxdigit(text.ptr[i])) {
            return hf_fail(HF_E_INVALID, "this is not a number in hexadecimal digits");
        }
        HF_TRY(hf_buf_u8(&selector->pattern, (uint8_t)tolower(text.ptr[i])));
    }
    return HF_OK;
}

static enum hf_err compile_serial(struct hf_selector *selector, struct hf_bytes text)
{
    HF_TRY(compile_digits(selector, text));
    while (hf_buf_len(&selector->pattern) > 1 && hf_buf_bytes(&selector->pattern).ptr[0] == '0') {
        hf_buf_consume(&selector->pattern, 1);
    }
    return HF_OK;
}

static enum hf_err compile_sha256(struct hf_selector *selector, struct hf_bytes text)
{
    HF_TRY(compile_digits(selector, text));
    size_t len = hf_buf_len(&selector->pattern);
    return len == 2 * HF_SHA256_SIZE
               ? HF_OK
               : hf_fail(HF_E_INVALID, "a SHA-256 fingerprint has 64 hexadecimal digits, not %zu",
                         len);
}

static bool match_serial(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return hf_bytes_eq_str(hf_buf_bytes(&selector->pattern), view->identity->serial);
}

static bool match_cert(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return hf_bytes_eq_str(hf_buf_bytes(&selector->pattern), view->identity->sha256);
}

static bool match_spki(const struct hf_selector *selector, const struct hf_selector_view *view)
{
    return hf_bytes_eq_str(hf_buf_bytes(&selector->pattern), view->identity->spki_sha256);
}

/* --- The table ----------------------------------------------------------------------------------
 */

static const struct kind kinds[] = {
    {"spiffe", compile_spiffe, match_spiffe, true},
    {"dns", compile_text, match_dns, true},
    {"email", compile_email, match_email, true},
    {"uri", compile_text, match_uri, true},
    {"ip", compile_ip, match_ip, true},
    {"cn", compile_text, match_cn, true},
    {"o", compile_text, match_o, true},
    {"ou", compile_text, match_ou, true},
    {"dn", compile_dn, match_dn, true},
    {"dn-exact", compile_dn, match_dn_exact, true},
    {"issuer", compile_dn, match_issuer, true},
    {"issuer-exact", compile_dn, match_issuer_exact, true},
    {"serial", compile_serial, match_serial, false},
    {"cert-sha256", compile_sha256, match_cert, false},
    {"spki-sha256", compile_sha256, match_spki, false},
};

static const struct kind *find_kind(struct hf_bytes text)
{
    const uint8_t *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    struct hf_bytes name = hf_bytes_of(text.ptr, colon ? (size_t)(colon - text.ptr) : 0);
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        if (hf_bytes_eq_str(name, kinds[i].name)) {
            return &kinds[i];
        }
    }
    return NULL;
}

bool hf_selector_is(struct hf_bytes text)
{
    return find_kind(text) != NULL;
}

static enum hf_err unknown_kind(struct hf_bytes text)
{
    const char *names[HF_N_ELEMENTS(kinds) + 1] = {0};
    char given[32];
    const uint8_t *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    size_t len = colon ? (size_t)(colon - text.ptr) : text.len;
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        names[i] = kinds[i].name;
    }
    len = len < sizeof(given) ? len : sizeof(given) - 1;
    for (size_t i = 0; i < len; i++) {
        given[i] = (char)tolower(text.ptr[i]);
    }
    given[len] = '\0';
    const char *closest = hf_closest(given, names);
    return hf_fail(HF_E_INVALID,
                   "no selector begins like this; write KIND:PATTERN, such as "
                   "dns:*.example.org or cn:alice%s%s%s",
                   closest ? "; did you mean " : "", closest ? closest : "", closest ? ":" : "");
}

enum hf_err hf_selector_new(struct hf_bytes text, struct hf_selector **out)
{
    *out = NULL;
    const struct kind *kind = find_kind(text);
    if (text.len > HF_SELECTOR_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a selector is longer than %d bytes", HF_SELECTOR_MAX);
    }
    if (!kind) {
        return unknown_kind(text);
    }
    struct hf_bytes pattern = hf_bytes_from(text, strlen(kind->name) + 1);
    if (pattern.len == 0) {
        return hf_fail(HF_E_INVALID, "%s: says nothing; write a pattern behind it", kind->name);
    }
    struct hf_selector *selector = HF_NEW(struct hf_selector);
    if (!selector) {
        return HF_E_NOMEM;
    }
    selector->kind = kind;
    selector->pattern = HF_BUF_INIT(2 * HF_SELECTOR_MAX);
    enum hf_err err = kind->compile(selector, pattern);
    if (err != HF_OK) {
        hf_selector_free(selector);
        return err == HF_E_MALFORMED ? HF_E_INVALID : err;
    }
    *out = selector;
    return HF_OK;
}

void hf_selector_free(struct hf_selector *selector)
{
    if (selector) {
        hf_buf_done(&selector->pattern);
        hf_free(selector->text);
        hf_free(selector->dn);
        hf_free(selector);
    }
}

void hf_selector_view_init(struct hf_selector_view *view, const struct hf_identity *identity)
{
    uint8_t *second = view->storage + HF_IDENTITY_TEXT_MAX;
    struct hf_bytes subject = hf_bytes_str(identity->subject);
    struct hf_bytes issuer = hf_bytes_str(identity->issuer);
    view->identity = identity;
    view->names_bad = identity->mangled || subject.len > HF_IDENTITY_TEXT_MAX ||
                      issuer.len > HF_IDENTITY_TEXT_MAX ||
                      hf_dn_parts_parse(subject, false, view->storage, &view->subject) != HF_OK ||
                      hf_dn_parts_parse(issuer, false, second, &view->issuer) != HF_OK;
}

enum hf_match hf_selector_match(const struct hf_selector *selector,
                                const struct hf_selector_view *view)
{
    if (selector->kind->names && view->names_bad) {
        return HF_MATCH_UNKNOWN;
    }
    return selector->kind->match(selector, view) ? HF_MATCH_YES : HF_MATCH_NO;
}
