// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"

#include <string.h>

/*
 * key_share (RFC 8446 4.2.8). A server takes the share of the group that it likes best among those
 * that came; whether its length and point are good is the derivation's to find (4.2.8.2).
 */

enum { SHARES_MAX = 64 }; /* entries of one ClientHello */

static enum hf_err write_entry(struct hf_buf *body, uint16_t group, struct hf_bytes key)
{
    struct hf_buf_vec vec;
    HF_TRY(hf_buf_u16(body, group));
    HF_TRY(hf_buf_vec_open(body, 2, &vec));
    HF_TRY(hf_buf_append(body, key));
    return hf_buf_vec_close(body, vec);
}

static enum hf_err write_pair(struct hf_buf *body, const struct hf_kex *pair)
{
    return write_entry(body, (uint16_t)pair->group,
                       hf_bytes_of(pair->public_key, pair->public_len));
}

static enum hf_err read_entry(struct hf_reader *reader, uint16_t *out_group, struct hf_bytes *out)
{
    HF_TRY(hf_read_u16(reader, out_group));
    HF_TRY(hf_read_vec16(reader, out));
    if (out->len == 0) {
        return hf_fail(HF_E_MALFORMED, "an empty key share");
    }
    return HF_OK;
}

static void keep(struct hf_native_hs *hs, uint16_t group, struct hf_bytes key)
{
    hs->share_group = group;
    hs->share_len = (uint8_t)(key.len <= sizeof(hs->share) ? key.len : 0); /* 0: can't be good */
    memcpy(hs->share, key.ptr, hs->share_len);
}

/* --- ClientHello --------------------------------------------------------------------------------
 */

enum hf_err hf_ext_share_write_ch(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    const struct hf_native_hs *hs = conn->hs;
    struct hf_buf_vec list;
    *out_include = true;
    HF_TRY(hf_buf_vec_open(body, 2, &list));
    for (size_t i = 0; i < hs->n_kex; i++) {
        HF_TRY(write_pair(body, &hs->kex[i]));
    }
    return hf_buf_vec_close(body, list);
}

static enum hf_err refuse_twice(struct hf_native *conn, const uint16_t *groups, size_t n,
                                uint16_t group)
{
    for (size_t i = 0; i < n; i++) {
        if (groups[i] == group) {
            return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                                  "duplicate key share of group %u", group);
        }
    }
    if (n == SHARES_MAX) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER, "more than %d key shares",
                              SHARES_MAX);
    }
    return HF_OK;
}

/* After a HelloRetryRequest there is the one share that was asked for (RFC 8446 4.2.8). */
static enum hf_err check_retried(struct hf_native *conn, const uint16_t *groups, size_t n)
{
    const struct hf_native_hs *hs = conn->hs;
    if (hs->retried && hs->retry_group && (n != 1 || groups[0] != hs->retry_group)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "wrong curve: the second ClientHello has not the one key share that "
                              "was asked for");
    }
    return HF_OK;
}

/* Our place in the order of preference; n_groups: not ours. */
static size_t rank(const struct hf_native_ctx *ctx, uint16_t group)
{
    size_t at = 0;
    while (at < ctx->n_groups && ctx->groups[at] != group) {
        at++;
    }
    return at;
}

enum hf_err hf_ext_share_read_ch(struct hf_native *conn, struct hf_bytes body)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    uint16_t groups[SHARES_MAX];
    size_t n = 0, best = ctx->n_groups;
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes list;
    HF_TRY(hf_read_vec16(&reader, &list));
    HF_TRY(hf_read_end(&reader));
    conn->hs->share_group = 0;
    for (reader = hf_reader_of(list); reader.rest.len;) {
        uint16_t group;
        struct hf_bytes key;
        HF_TRY(read_entry(&reader, &group, &key));
        HF_TRY(refuse_twice(conn, groups, n, group));
        groups[n++] = group;
        size_t at = rank(ctx, group);
        if (at < best && (conn->hs->groups & 1u << at)) {
            best = at;
            keep(conn->hs, group, key);
        }
    }
    return check_retried(conn, groups, n);
}

/* --- ServerHello --------------------------------------------------------------------------------
 */

enum hf_err hf_ext_share_write_sh(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    *out_include = true;
    return write_pair(body, &conn->hs->kex[0]);
}

enum hf_err hf_ext_share_read_sh(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    uint16_t group;
    struct hf_bytes key;
    HF_TRY(read_entry(&reader, &group, &key));
    HF_TRY(hf_read_end(&reader));
    for (size_t i = 0; i < conn->hs->n_kex; i++) {
        if ((uint16_t)conn->hs->kex[i].group == group) {
            keep(conn->hs, group, key);
            return HF_OK;
        }
    }
    return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                          "wrong curve: a key share of group %u, which was not offered", group);
}

/* --- HelloRetryRequest --------------------------------------------------------------------------
 */

enum hf_err hf_ext_share_write_hrr(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    *out_include = conn->hs->retry_group != 0;
    return hf_buf_u16(body, conn->hs->retry_group);
}

/* The group must be one that we named and gave no share for (RFC 8446 4.2.8). */
enum hf_err hf_ext_share_read_hrr(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    uint16_t group;
    HF_TRY(hf_read_u16(&reader, &group));
    HF_TRY(hf_read_end(&reader));
    bool known = rank(hf_native_ctx(conn), group) < hf_native_ctx(conn)->n_groups;
    for (size_t i = 0; i < conn->hs->n_kex; i++) {
        known = known && (uint16_t)conn->hs->kex[i].group != group;
    }
    if (!known) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "wrong curve: a retry with group %u makes no sense", group);
    }
    conn->hs->retry_group = group;
    return HF_OK;
}
