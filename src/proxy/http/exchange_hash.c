// SPDX-License-Identifier: Apache-2.0
/* What of a request `balance: hash` goes by. */
#include "proxy/http/exchange_impl.h"

/* The value of a cookie; false: the request hasn't got it. */
static bool find_cookie(const struct hf_http_msg *msg, const char *name, struct hf_bytes *out)
{
    struct hf_bytes wanted = hf_bytes_str(name);
    const struct hf_http_field *field = NULL;
    while ((field = hf_http_msg_find_name(msg, HF_HTTP_COOKIE, field))) {
        struct hf_bytes rest = hf_http_msg_value(msg, field);
        while (rest.len) {
            size_t len = 0;
            while (len < rest.len && rest.ptr[len] != ';') {
                len++;
            }
            struct hf_bytes pair = hf_bytes_of(rest.ptr, len);
            rest = hf_bytes_from(rest, len + 1);
            while (pair.len && pair.ptr[0] == ' ') {
                pair = hf_bytes_from(pair, 1);
            }
            if (pair.len > wanted.len && pair.ptr[wanted.len] == '=' &&
                hf_bytes_eq(hf_bytes_of(pair.ptr, wanted.len), wanted)) {
                *out = hf_bytes_from(pair, wanted.len + 1);
                return true;
            }
        }
    }
    return false;
}

static bool find_key(const struct hf_exchange *x, struct hf_bytes *out)
{
    const struct hf_cfg_upstream *cfg = x->upstream->cfg;
    const struct hf_session *session = x->session;
    switch (cfg->hash_by) {
    case HF_HASH_BY_ADDRESS:
        *out = hf_bytes_str(*x->client ? x->client : x->down_address);
        return true;
    case HF_HASH_BY_IDENTITY:
        if (session->identity && session->verified) {
            *out = hf_bytes_str(hf_identity_display(session->identity));
            return true;
        }
        return false;
    case HF_HASH_BY_HEADER:
        return hf_http_msg_get_str(x->request, cfg->hash_name, out);
    case HF_HASH_BY_COOKIE:
        return find_cookie(x->request, cfg->hash_name, out);
    }
    return false;
}

void hf_exchange_hash(struct hf_exchange *x)
{
    struct hf_bytes key;
    x->has_hash = x->upstream->cfg->balance == HF_BALANCE_HASH && find_key(x, &key);
    if (x->has_hash) {
        x->hash = hf_balance_hash(key);
    }
}
