// SPDX-License-Identifier: Apache-2.0
/* URLs that we ask ourselves, and the places (scheme, host, port) that we may be sent to. What
 * libcurl makes of them counts; here is refused what people would mistake for something else. */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "config/value.h"

/* What follows "http://" or "https://"; "", which is no authority: neither. */
static const char *after_scheme(const char *text)
{
    static const char *const schemes[] = {"https://", "http://"};
    for (size_t i = 0; i < HF_N_ELEMENTS(schemes); i++) {
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0) {
            return text + strlen(schemes[i]);
        }
    }
    return "";
}

static bool is_port(const char *text, size_t len)
{
    char digits[8];
    uint64_t port = 0;
    if (len == 0 || len >= sizeof(digits)) {
        return false;
    }
    memcpy(digits, text, len);
    digits[len] = '\0';
    return hf_parse_uint(digits, UINT16_MAX, &port) == HF_OK && port > 0;
}

/* Where the host ends: before the last colon, unless that is within an address. */
static size_t host_len(const char *text, size_t len)
{
    for (size_t i = len; i > 0 && text[i - 1] != ']'; i--) {
        if (text[i - 1] == ':') {
            return i - 1;
        }
    }
    return len;
}

static bool is_host(const char *text, size_t len)
{
    bool brackets = len > 2 && text[0] == '[' && text[len - 1] == ']';
    size_t first = brackets ? 1 : 0;
    for (size_t i = first; i < len - first; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr(brackets ? "-._:" : "-._", text[i])) {
            return false;
        }
    }
    return len > 0;
}

/* "host", "host:8080", "[::1]:8080" */
static bool is_authority(const char *text, size_t len)
{
    size_t host = host_len(text, len);
    return is_host(text, host) && (host == len || is_port(text + host + 1, len - host - 1));
}

static bool is_printable(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

void hf_decode_url(struct hf_decoder *decoder, const struct hf_key *key, const struct hf_node *node,
                   void *at)
{
    const char *rest = after_scheme(node->text);
    if (!is_authority(rest, strcspn(rest, "/?#")) || strchr(rest, '#') || !is_printable(rest)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.200s\" is not a URL such as http://crl.example.org/ca.crl, without user, "
                    "fragment and white space",
                    node->text);
        return;
    }
    hf_decode_text(decoder, key, node, at);
}

void hf_decode_origin(struct hf_decoder *decoder, const struct hf_key *key,
                      const struct hf_node *node, void *at)
{
    const char *rest = after_scheme(node->text);
    if (!is_authority(rest, strlen(rest))) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.200s\" is not scheme, host and perhaps port, as in "
                    "http://crl.example.org or https://pki.example.org:8443",
                    node->text);
        return;
    }
    hf_decode_text(decoder, key, node, at);
}
