// SPDX-License-Identifier: Apache-2.0
/* What balancing hashes: "address", "identity", "header:NAME", "cookie:NAME"; and the statuses that
 * a check expects. */
#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "config/value.h"

static const struct {
    const char *word; /* with a colon: a name follows */
    enum hf_cfg_hash_by by;
} words[] = {
    {"address", HF_HASH_BY_ADDRESS},
    {"identity", HF_HASH_BY_IDENTITY},
    {"header:", HF_HASH_BY_HEADER},
    {"cookie:", HF_HASH_BY_COOKIE},
};

/* A token (RFC 9110 5.6.2), of which header fields' and cookies' names consist. */
static bool is_token(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr("!#$%&'*+-.^_`|~", text[i])) {
            return false;
        }
    }
    return len > 0;
}

static void set_name(struct hf_decoder *decoder, struct hf_cfg_upstream *upstream, const char *name)
{
    upstream->hash_name = hf_value_keep(decoder, name);
    for (char *p = upstream->hash_name; p && *p && upstream->hash_by == HF_HASH_BY_HEADER; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
}

void hf_decode_hash_by(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, void *at)
{
    struct hf_cfg_upstream *upstream = at;
    for (size_t i = 0; i < HF_N_ELEMENTS(words); i++) {
        size_t len = strlen(words[i].word);
        bool named = words[i].word[len - 1] == ':';
        if (strncmp(node->text, words[i].word, len) != 0 ||
            (named ? !is_token(node->text + len) : node->text[len] != '\0')) {
            continue;
        }
        upstream->hash_by = words[i].by;
        if (named) {
            set_name(decoder, upstream, node->text + len);
        }
        return;
    }
    hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                "\"%.80s\" can't be hashed by; write address, identity, header:NAME or cookie:NAME",
                node->text);
}

/* "200" or "200-299" */
static bool parse_statuses(const char *text, struct hf_cfg_statuses *out)
{
    char first[4] = "";
    uint64_t from;
    uint64_t to;
    size_t len = strcspn(text, "-");
    if (len != 3) {
        return false;
    }
    memcpy(first, text, len);
    const char *last = text[len] ? text + len + 1 : first;
    if (hf_parse_uint(first, 599, &from) != HF_OK || hf_parse_uint(last, 599, &to) != HF_OK ||
        from < 100 || to < from) {
        return false;
    }
    *out = (struct hf_cfg_statuses){(uint16_t)from, (uint16_t)to};
    return true;
}

void hf_decode_status(struct hf_decoder *decoder, const struct hf_key *key,
                      const struct hf_node *node, void *at)
{
    if (!parse_statuses(node->text, at)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.80s\" is not a status or a range of them; write one such as 200 or "
                    "200-299",
                    node->text);
    }
}
