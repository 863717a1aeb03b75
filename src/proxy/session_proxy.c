// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_proxy.h"

#include "base/mem.h"
#include "proxy/proxy_protocol.h"

static enum hf_proxy_header_read take(struct hf_session *session, size_t *out_used)
{
    struct hf_proxy_header header;
    switch (hf_proxy_decode(hf_buf_bytes(&session->client.held_in), &header, out_used)) {
    case HF_PROXY_MORE:
        return HF_PROXY_HEADER_MORE;
    case HF_PROXY_BAD:
        return HF_PROXY_HEADER_BAD;
    case HF_PROXY_DONE:
        break;
    }
    if (!header.local && header.source.len) {
        session->told = HF_NEW(struct hf_told);
        if (!session->told) {
            return HF_PROXY_HEADER_BAD;
        }
        *session->told = (struct hf_told){header.source, header.destination};
    }
    return HF_PROXY_HEADER_DONE;
}

static enum hf_proxy_header_read at_end_of_input(const struct hf_session *session)
{
    if (hf_buf_len(&session->client.held_in) == 0) {
        return HF_PROXY_HEADER_PROBE;
    }
    (void)hf_fail(HF_E_TRUNCATED, "the connection ended within the PROXY header");
    return HF_PROXY_HEADER_BAD;
}

enum hf_proxy_header_read hf_session_read_proxy_header(struct hf_session *session)
{
    struct hf_leg *leg = &session->client;
    struct hf_span room;
    size_t n = 0;
    bool empty = false;
    if (hf_buf_reserve(&leg->held_in, HF_PROXY_HEADER_SIZE_MAX, &room) != HF_OK ||
        hf_sock_read(leg->watch.fd, room, &n, &empty) != HF_OK) {
        return HF_PROXY_HEADER_BAD;
    }
    hf_buf_commit(&leg->held_in, n);
    if (n == 0) {
        return empty ? HF_PROXY_HEADER_MORE : at_end_of_input(session);
    }
    size_t used = 0;
    enum hf_proxy_header_read read = take(session, &used);
    if (read == HF_PROXY_HEADER_DONE) {
        hf_buf_consume(&leg->held_in, used);
        leg->spent = hf_buf_len(&leg->held_in) == 0;
    }
    return read;
}

/* The header's TLS part, from what is known of the client's handshake. */
static void fill_tls(const struct hf_session *session, const struct hf_ders *chain,
                     struct hf_tls_info *info, struct hf_proxy_header *header)
{
    if (!session->client.tls) {
        return;
    }
    hf_tls_info(session->client.tls, info);
    struct hf_proxy_tls *tls = &header->tls;
    tls->client = HF_PP2_CLIENT_SSL;
    tls->verify = session->verified ? 0 : 1;
    tls->version = hf_bytes_str(info->version ? info->version : "");
    tls->cipher = hf_bytes_str(info->suite ? info->suite : "");
    header->alpn = hf_bytes_str(info->alpn ? info->alpn : "");
    header->authority = hf_bytes_str(info->sni ? info->sni : "");
    if (chain) {
        tls->client |= HF_PP2_CLIENT_CERT_SESS;
        tls->client |= info->resumed ? 0 : HF_PP2_CLIENT_CERT_CONN;
        tls->cert = chain->der[0];
    }
    if (session->verified && session->identity && session->identity->cn &&
        !session->identity->mangled) {
        tls->cn = hf_bytes_str(session->identity->cn);
    }
}

/* Where the client connected to: as a PROXY header told, or as the socket says. */
static struct hf_addr local_addr(const struct hf_session *session)
{
    struct hf_addr local = {0};
    if (session->told) {
        local = session->told->destination;
    } else if (hf_sock_local(session->client.watch.fd, &local) != HF_OK) {
        local.len = 0; /* the header then says UNKNOWN */
    }
    return local;
}

static enum hf_err encode(const struct hf_session *session, struct hf_buf *out)
{
    char id[HF_SESSION_ID_SIZE];
    struct hf_tls_info info;
    struct hf_proxy_header header = {0};
    struct hf_ders *chain HF_CLEANUP(hf_ders_unrefp) = NULL;
    if (session->door->to->cfg->proxy_out == HF_PROXY_OUT_NONE) {
        return HF_OK;
    }
    hf_session_peer(session, &header.source);
    header.destination = local_addr(session);
    hf_session_id_format(session, id);
    switch (session->door->to->cfg->proxy_out) {
    case HF_PROXY_OUT_NONE:
        break;
    case HF_PROXY_OUT_V1:
        return hf_proxy_encode_v1(&header, out);
    case HF_PROXY_OUT_V2:
        return hf_proxy_encode_v2(&header, out);
    case HF_PROXY_OUT_V2_TLS:
        header.unique_id = hf_bytes_str(id);
        if (session->client.tls) {
            HF_TRY(hf_tls_get_peer_ders(session->client.tls, &chain));
        }
        fill_tls(session, chain, &info, &header);
        return hf_proxy_encode_v2(&header, out);
    }
    return hf_fail(HF_E_INTERNAL, "no such PROXY protocol version");
}

enum hf_err hf_session_send_proxy_header(struct hf_session *session)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf header = HF_BUF_INIT(HF_PROXY_HEADER_SIZE_MAX);
    HF_TRY(encode(session, &header));
    if (hf_buf_len(&header) == 0) {
        return HF_OK;
    }
    enum hf_move move = hf_leg_send(&session->server, hf_buf_bytes(&header));
    return move == HF_MOVE_IDLE || move == HF_MOVE_BLOCKED ? HF_OK : HF_E_IO;
}
