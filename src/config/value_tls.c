// SPDX-License-Identifier: Apache-2.0
/* Protocols, versions, and lists of suites, ciphers and groups. Whether the TLS library knows the
 * names is for config/tls_settings.c to find out. */
#include <ctype.h>
#include <string.h>

#include "config/value.h"

enum { TLS_LIST_MAX = 4096 };

void hf_decode_alpn(struct hf_decoder *decoder, const struct hf_key *key,
                    const struct hf_node *node, void *at)
{
    size_t len = strlen(node->text);
    if (len == 0 || len > 255) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "a protocol's name has 1 to 255 bytes (RFC 7301), such as http/1.1");
        return;
    }
    hf_value_set(decoder, node, node->text, at);
}
typedef bool take_item(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *item, void *ctx);

/* Calls take for a scalar or for each scalar of a list; false when anything was wrong. */
static bool each_item(struct hf_decoder *decoder, const struct hf_key *key,
                      const struct hf_node *node, take_item *take, void *ctx)
{
    bool good = node->kind == HF_NODE_SCALAR ? take(decoder, key, node, ctx) : node->n > 0;
    if (node->kind == HF_NODE_EMPTY && node->text) {
        return false;
    }
    if (node->kind != HF_NODE_SCALAR && (node->kind != HF_NODE_LIST || node->n == 0)) {
        hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, node->mark,
                    "must be a list with at least one entry, such as %s", key->example);
        return false;
    }
    for (const struct hf_node *item = node->first; item; item = item->next) {
        if (item->kind == HF_NODE_SCALAR) {
            good = take(decoder, key, item, ctx) && good;
        } else if (item->kind != HF_NODE_EMPTY || !item->text) {
            hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, item->mark,
                        "every entry must be a single value, such as in %s", key->example);
            good = false;
        }
    }
    return good;
}

static bool take_version(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *item, void *ctx)
{
    struct hf_cfg_tls *tls = ctx;
    const struct hf_word *word = hf_word_find(key->words, item->text);
    if (!word) {
        hf_value_refuse_word(decoder, key, item, NULL);
        return false;
    }
    enum hf_tls_version version = (enum hf_tls_version)word->value;
    tls->min_version = tls->min_version && tls->min_version < version ? tls->min_version : version;
    tls->max_version = tls->max_version > version ? tls->max_version : version;
    return true;
}

void hf_decode_versions(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    (void)each_item(decoder, key, node, take_version, at);
}

/* Suites, ciphers and groups are joined with ":", as libssl reads them. */
static bool take_tls_word(struct hf_decoder *decoder, const struct hf_key *key,
                          const struct hf_node *item, void *ctx)
{
    struct hf_buf *joined = ctx;
    bool good = *item->text;
    for (const char *p = item->text; *p; p++) {
        good = good && (isalnum((unsigned char)*p) || strchr("_-+.!@=:", *p));
    }
    if (!good) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, item->mark,
                    "\"%.60s\" is not accepted; write names such as %s", item->text, key->example);
        return false;
    }
    enum hf_err err = hf_buf_printf(joined, "%s%s", hf_buf_len(joined) ? ":" : "", item->text);
    if (err == HF_E_TOO_LARGE) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, item->mark, "the list is too long");
    } else if (err != HF_OK) {
        decoder->err = err;
    }
    return err == HF_OK;
}

void hf_decode_tls_words(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *node, void *at)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf joined = HF_BUF_INIT(TLS_LIST_MAX);
    if (!each_item(decoder, key, node, take_tls_word, &joined)) {
        return;
    }
    const char *text = hf_buf_cstr(&joined);
    if (!text) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    hf_value_set(decoder, node, text, at);
}
