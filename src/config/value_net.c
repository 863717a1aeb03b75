// SPDX-License-Identifier: Apache-2.0
/* Host names, server names, and addresses of both sides. Nothing is looked up. */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "config/value.h"

enum { HOST_MAX = 253, LABEL_MAX = 63 };

/* --- Names -------------------------------------------------------------------------------------*/

/* LDH labels (RFC 1123), and the underscore that container names bring along. */
static bool is_host_name(const char *text, size_t len)
{
    size_t label = 0;
    if (len == 0 || len > HOST_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool dot = text[i] == '.';
        bool dash = text[i] == '-';
        bool edge = label == 0 || i + 1 == len || text[i + 1] == '.';
        if (dot ? label == 0
                : !(isalnum((unsigned char)text[i]) || text[i] == '_' || (dash && !edge))) {
            return false;
        }
        label = dot ? 0 : label + 1;
        if (label > LABEL_MAX) {
            return false;
        }
    }
    return true;
}

/* An IPv4 or IPv6 address without port or brackets. */
static bool is_address(const char *text)
{
    struct in6_addr out;
    return inet_pton(AF_INET, text, &out) == 1 || inet_pton(AF_INET6, text, &out) == 1;
}

/* Ends in a label of digits alone: no name can, so a mistyped IPv4 address (RFC 1123 2.1). */
static bool looks_numeric(const char *text, size_t len)
{
    size_t digits = 0;
    while (digits < len && isdigit((unsigned char)text[len - 1 - digits])) {
        digits++;
    }
    return digits > 0 && (digits == len || text[len - 1 - digits] == '.');
}

bool hf_value_is_host(const char *text)
{
    size_t len = strlen(text);
    return is_host_name(text, len) && !looks_numeric(text, len);
}

static void set_lower(struct hf_decoder *decoder, const struct hf_node *node, void *at)
{
    struct hf_cfg_string *out = at;
    hf_value_set(decoder, node, node->text, out);
    for (char *p = out->value; p && *p; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
}

void hf_decode_host(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    if (!hf_value_is_host(node->text) && !is_address(node->text)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.80s\" is not a host name or an address; write it without port, such as %s",
                    node->text, key->example);
        return;
    }
    set_lower(decoder, node, at);
}

void hf_decode_sni(struct hf_decoder *decoder, const struct hf_key *key, const struct hf_node *node,
                   void *at)
{
    if (!hf_value_is_host(node->text)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.80s\" is not a host name (an address can't be a server name, RFC 6066); "
                    "write one such as %s",
                    node->text, key->example);
        return;
    }
    set_lower(decoder, node, at);
}

void hf_decode_pattern(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, void *at)
{
    const char *rest = strncmp(node->text, "*.", 2) == 0 ? node->text + 2 : node->text;
    if (!hf_value_is_host(rest)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.80s\" is not a server name; write one such as api.example.org or "
                    "\"*.example.org\"",
                    node->text);
        return;
    }
    set_lower(decoder, node, at);
}
/* --- Addresses ---------------------------------------------------------------------------------*/

void hf_decode_address(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, void *at)
{
    struct hf_cfg_addr *out = at;
    struct hf_addr addr;
    enum hf_err err = hf_addr_parse(node->text, &addr);
    if (err != HF_OK) {
        hf_value_refuse(decoder, key, node, err);
        return;
    }
    *out = (struct hf_cfg_addr){addr, hf_value_keep(decoder, node->text), node->mark};
}

void hf_decode_unix(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    if (strncmp(node->text, "unix:", 5) != 0) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.80s\" is not a unix socket; write one such as %s", node->text,
                    key->example);
        return;
    }
    hf_decode_address(decoder, key, node, at);
}

static void complain_server(struct hf_decoder *decoder, const struct hf_key *key,
                            const struct hf_node *node)
{
    hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                "\"%.80s\" is not a server; write host:port, address:port, [address]:port or "
                "unix:/path",
                node->text);
}

/* "name:port": the name is looked up later. */
static void decode_named_server(struct hf_decoder *decoder, const struct hf_key *key,
                                const struct hf_node *node, struct hf_cfg_server *out)
{
    const char *colon = strrchr(node->text, ':');
    size_t len = colon ? (size_t)(colon - node->text) : 0;
    uint64_t port = 0;
    if (!is_host_name(node->text, len) || looks_numeric(node->text, len) ||
        hf_parse_uint(colon + 1, 65535, &port) != HF_OK || port == 0) {
        complain_server(decoder, key, node);
        return;
    }
    out->host = hf_arena_strndup(decoder->arena, node->text, len);
    out->port = (uint16_t)port;
    if (!out->host) {
        decoder->err = HF_E_NOMEM;
    }
}

/* "address:port" or "[address]:port": the host is the address without its brackets. */
static void keep_host(struct hf_decoder *decoder, const char *text, struct hf_cfg_server *out)
{
    bool bracket = text[0] == '[';
    const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
    const char *start = text + bracket;
    out->host = end ? hf_arena_strndup(decoder->arena, start, (size_t)(end - start)) : NULL;
    out->port = (uint16_t)hf_addr_port(&out->addr);
    if (!out->host) {
        decoder->err = HF_E_NOMEM;
    }
}

void hf_decode_server(struct hf_decoder *decoder, const struct hf_key *key,
                      const struct hf_node *node, void *at)
{
    struct hf_cfg_server out = {.mark = node->mark};
    out.is_address = node->text[0] != ':' && hf_addr_parse(node->text, &out.addr) == HF_OK;
    if (!out.is_address) {
        decode_named_server(decoder, key, node, &out);
    } else if (out.addr.sa.sa_family != AF_UNIX && hf_addr_port(&out.addr) == 0) {
        complain_server(decoder, key, node);
    } else if (out.addr.sa.sa_family != AF_UNIX) {
        keep_host(decoder, node->text, &out);
    }
    out.text = hf_value_keep(decoder, node->text);
    *(struct hf_cfg_server *)at = out;
}

void hf_decode_cidr(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    struct hf_cidr cidr;
    enum hf_err err = hf_cidr_parse(node->text, &cidr);
    if (err != HF_OK) {
        hf_value_refuse(decoder, key, node, err);
        return;
    }
    *(struct hf_cidr *)at = cidr;
}
