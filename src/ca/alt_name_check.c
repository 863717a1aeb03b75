// SPDX-License-Identifier: Apache-2.0
/*
 * What each kind of alternative name must look like. Stricter than what verifiers take: a CA that
 * puts a strange name into a certificate lets each verifier choose what it means.
 */
#include <string.h>

#include "ca/alt_name.h"
#include "pki/identity.h"

enum { LABEL_MAX = 63, DNS_MAX = 253, LOCAL_PART_MAX = 64, EMAIL_MAX = 254 };

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

/* Letters, digits and the characters of `more`. */
static bool all_word(struct hf_bytes bytes, const char *more)
{
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.ptr[i];
        if (!is_letter(c) && !is_digit(c) && !hf_byte_in(c, more)) {
            return false;
        }
    }
    return true;
}

static bool all_digits(struct hf_bytes bytes)
{
    size_t n = 0;
    while (n < bytes.len && is_digit(bytes.ptr[n])) {
        n++;
    }
    return n == bytes.len;
}

static bool is_ascii(struct hf_bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] <= 0x20 || bytes.ptr[i] >= 0x7f) {
            return false;
        }
    }
    return true;
}

/* Text of a name for messages, cut and made printable. */
struct shown {
    char text[96];
};

static const char *show(struct hf_bytes value, struct shown *out)
{
    size_t len = 0;
    for (size_t i = 0; i < value.len && len < sizeof(out->text) - 4; i++) {
        uint8_t c = value.ptr[i];
        out->text[len++] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    memcpy(out->text + len, len < value.len ? "..." : "", len < value.len ? 4 : 1);
    return out->text;
}

/* --- DNS --------------------------------------------------------------------------------------*/

static bool is_label(struct hf_bytes label)
{
    return label.len > 0 && label.len <= LABEL_MAX && label.ptr[0] != '-' &&
           label.ptr[label.len - 1] != '-' && all_word(label, "-_");
}

/* How many labels the name has; 0 when it is none, or a number: RFC 1123 2.1 wants a letter in the
 * last one, so that no name looks like an address. */
static size_t count_labels(struct hf_bytes name)
{
    size_t n = 0;
    for (;;) {
        const uint8_t *dot = name.len ? memchr(name.ptr, '.', name.len) : NULL;
        struct hf_bytes label = dot ? hf_bytes_of(name.ptr, (size_t)(dot - name.ptr)) : name;
        if (!is_label(label)) {
            return 0;
        }
        n++;
        if (!dot) {
            return all_digits(label) ? 0 : n;
        }
        name = hf_bytes_from(name, label.len + 1);
    }
}

static enum hf_err check_dns(struct hf_bytes name)
{
    struct shown shown;
    bool wildcard = name.len > 2 && name.ptr[0] == '*' && name.ptr[1] == '.';
    size_t n = 0;
    if (!is_ascii(name)) {
        return hf_fail(HF_E_INVALID,
                       "a DNS name is written in ASCII without spaces; \"%s\" would be in its "
                       "\"xn--\" form",
                       show(name, &shown));
    }
    if (name.len <= DNS_MAX) {
        n = count_labels(wildcard ? hf_bytes_from(name, 2) : name);
    }
    if (n == 0) {
        return hf_fail(
            HF_E_INVALID,
            "\"%s\" is not a DNS name (letters, digits and hyphens between dots, the "
            "last part no number, at most 253 in all; \"*\" as the whole first part only)",
            show(name, &shown));
    }
    if (wildcard && n < 2) {
        return hf_fail(HF_E_INVALID,
                       "\"%s\" is too wide: clients match a wildcard only above two labels, as in "
                       "*.example.org",
                       show(name, &shown));
    }
    return HF_OK;
}

/* --- The others -------------------------------------------------------------------------------*/

static enum hf_err check_email(struct hf_bytes email)
{
    const uint8_t *at = email.len ? memrchr(email.ptr, '@', email.len) : NULL;
    size_t len = at ? (size_t)(at - email.ptr) : 0;
    struct hf_bytes local = hf_bytes_of(email.ptr, len);
    struct hf_bytes domain = at ? hf_bytes_from(email, len + 1) : hf_bytes_of(NULL, 0);
    bool good = len > 0 && len <= LOCAL_PART_MAX && email.len <= EMAIL_MAX &&
                all_word(local, "!#$%&'*+-/=?^_`{|}~.") && local.ptr[0] != '.' &&
                local.ptr[len - 1] != '.' && domain.len && domain.ptr[0] != '*' &&
                check_dns(domain) == HF_OK;
    struct shown shown;
    return good ? HF_OK
                : hf_fail(HF_E_INVALID, "\"%s\" is not an email address", show(email, &shown));
}

static enum hf_err check_uri(struct hf_bytes uri)
{
    const uint8_t *colon = uri.len ? memchr(uri.ptr, ':', uri.len) : NULL;
    size_t len = colon ? (size_t)(colon - uri.ptr) : 0;
    bool good = len > 0 && len + 1 < uri.len && uri.len <= HF_ALT_TEXT_MAX &&
                is_letter(uri.ptr[0]) && all_word(hf_bytes_of(uri.ptr, len), "+-.") &&
                is_ascii(uri) && !memmem(uri.ptr, uri.len, "%00", 3);
    for (size_t i = 0; good && i < uri.len; i++) {
        good = !hf_byte_in(uri.ptr[i], "\"<>\\^`{|}");
    }
    struct shown shown;
    if (!good) {
        return hf_fail(HF_E_INVALID, "\"%s\" is not a URI with a scheme in plain ASCII",
                       show(uri, &shown));
    }
    if (uri.len >= 7 && strncasecmp((const char *)uri.ptr, "spiffe:", 7) == 0) {
        enum hf_err err = hf_spiffe_check(uri);
        return err == HF_OK ? HF_OK : hf_fail_context(err, "\"%s\"", show(uri, &shown));
    }
    return HF_OK;
}

static enum hf_err check_ip(struct hf_bytes value)
{
    return value.len == 4 || value.len == 16
               ? HF_OK
               : hf_fail(HF_E_INVALID, "an IP address of %zu bytes", value.len);
}

static enum hf_err check_upn(struct hf_bytes upn)
{
    const uint8_t *at = upn.len ? memchr(upn.ptr, '@', upn.len) : NULL;
    size_t len = at ? (size_t)(at - upn.ptr) : 0;
    bool good = len > 0 && upn.len <= EMAIL_MAX && is_ascii(upn) &&
                check_dns(hf_bytes_from(upn, len + 1)) == HF_OK &&
                !memchr(upn.ptr + len + 1, '*', upn.len - len - 1);
    struct shown shown;
    return good ? HF_OK
                : hf_fail(HF_E_INVALID, "\"%s\" is not a user principal name (user@realm)",
                          show(upn, &shown));
}

enum hf_err hf_alt_name_check(enum hf_alt_kind kind, struct hf_bytes value)
{
    static enum hf_err (*const checks[])(struct hf_bytes value) = {
        [HF_ALT_DNS] = check_dns, [HF_ALT_EMAIL] = check_email, [HF_ALT_URI] = check_uri,
        [HF_ALT_IP] = check_ip,   [HF_ALT_UPN] = check_upn,
    };
    return checks[kind](value);
}

/* --- Normal forms -----------------------------------------------------------------------------*/

static bool is_hex(uint8_t c)
{
    return is_digit(c) || (c >= 'A' && c <= 'F');
}

static uint8_t hex_digit(uint8_t c)
{
    return is_digit(c) ? (uint8_t)(c - '0') : (uint8_t)(c - 'A' + 10);
}

/* What is percent-encoded must need it, and be in capitals: "%61" is another way to write "a", and
 * "%2f" one to write "%2F". */
static bool encoded_well(struct hf_bytes uri)
{
    for (size_t i = 0; i < uri.len; i++) {
        if (uri.ptr[i] != '%') {
            continue;
        }
        if (uri.len - i < 3 || !is_hex(uri.ptr[i + 1]) || !is_hex(uri.ptr[i + 2])) {
            return false;
        }
        uint8_t c = (uint8_t)(hex_digit(uri.ptr[i + 1]) << 4 | hex_digit(uri.ptr[i + 2]));
        if (is_letter(c) || is_digit(c) || hf_byte_in(c, "-._~")) {
            return false;
        }
    }
    return true;
}

static bool has_upper(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z') {
            return true;
        }
    }
    return false;
}

/* The longest front of text without any of these. */
static struct hf_bytes front(struct hf_bytes text, const char *ends)
{
    size_t n = 0;
    while (n < text.len && !hf_byte_in(text.ptr[n], ends)) {
        n++;
    }
    return hf_bytes_of(text.ptr, n);
}

/* RFC 3986 6.2.2. A user in front of the host reads like the host. */
static bool is_normal_uri(struct hf_bytes uri)
{
    size_t scheme_len = front(uri, ":").len;
    struct hf_bytes rest = hf_bytes_from(uri, scheme_len + 1);
    if (has_upper(hf_bytes_of(uri.ptr, scheme_len)) || !encoded_well(uri)) {
        return false;
    }
    if (rest.len < 2 || rest.ptr[0] != '/' || rest.ptr[1] != '/') {
        return true;
    }
    struct hf_bytes authority = front(hf_bytes_from(rest, 2), "/?#");
    struct hf_bytes path = front(hf_bytes_from(rest, 2 + authority.len), "?#");
    if (has_upper(authority) || memchr(authority.ptr, '@', authority.len)) {
        return false;
    }
    while (path.len) {
        struct hf_bytes segment = front(hf_bytes_from(path, 1), "/");
        if (hf_bytes_eq_str(segment, ".") || hf_bytes_eq_str(segment, "..")) {
            return false;
        }
        path = hf_bytes_from(path, 1 + segment.len);
    }
    return true;
}

static bool is_mapped(struct hf_bytes ip)
{
    static const uint8_t mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return ip.len == 16 && memcmp(ip.ptr, mapped, sizeof(mapped)) == 0;
}

enum hf_err hf_alt_name_check_normal(enum hf_alt_kind kind, struct hf_bytes value)
{
    struct shown shown;
    if (kind == HF_ALT_IP && is_mapped(value)) {
        return hf_fail(HF_E_INVALID,
                       "an IPv4 address written as IPv6 (::ffff:%u.%u.%u.%u): write it as IPv4",
                       value.ptr[12], value.ptr[13], value.ptr[14], value.ptr[15]);
    }
    return kind != HF_ALT_URI || is_normal_uri(value)
               ? HF_OK
               : hf_fail(HF_E_INVALID,
                         "\"%s\" is not in its normal form: scheme and host in small letters, no "
                         "user, no \".\" or \"..\" between slashes, nothing percent-encoded that "
                         "can be written as it is, and the rest in capitals",
                         show(value, &shown));
}
