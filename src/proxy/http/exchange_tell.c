// SPDX-License-Identifier: Apache-2.0
/*
 * What the backend, the access log and the client are told of a request, and what the client may
 * not tell: where an exchange meets http/forward.h and http/access.h.
 *
 * meet comes first of all, so that neither routes nor rules ever look at a header in which a client
 * says who it is; tell comes last before the request goes out.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "http/forwarded.h"
#include "http/trace.h"
#include "proxy/http/down_impl.h"
#include "proxy/http/exchange_impl.h"
#include "proxy/session_judge.h"

enum { DETAIL_MAX = 512 };

/* --- Who it is ----------------------------------------------------------------------------------
 */

static bool is_listed(const struct hf_cfg_listener *cfg, const struct hf_addr *addr)
{
    for (size_t i = 0; i < cfg->n_trusted_proxies; i++) {
        if (hf_cidr_contains(&cfg->trusted_proxies[i], addr)) {
            return true;
        }
    }
    return false;
}

/* By its certificate. */
static enum hf_err is_trusted_client(const struct hf_down *down, bool *out)
{
    const struct hf_session *session = down->session;
    const struct hf_route_table *table = down->door->cfg->trusted_table;
    struct hf_requester requester = {0};
    *out = false;
    if (!table || !session->verified) {
        return HF_OK;
    }
    HF_TRY(hf_requester_init(&requester, table, session->identity));
    *out = hf_requester_rule(&requester, table, 0, HF_RULE_ALLOW) == HF_MATCH_YES;
    hf_requester_done(&requester);
    return HF_OK;
}

enum hf_err hf_down_meet(struct hf_down *down)
{
    const struct hf_session *session = down->session;
    struct hf_addr peer;
    struct hf_addr door = {.len = 0};
    char text[HF_ADDR_TEXT_SIZE];
    hf_session_peer(session, &peer);
    HF_TRY(is_trusted_client(down, &down->trusted));
    down->trusted = down->trusted || is_listed(down->door->cfg, &peer);
    down->may_probe =
        hf_session_may_probe(session, down->door->cfg->probes_on ? &down->door->cfg->probes : NULL);
    if (peer.sa.sa_family != AF_UNIX) {
        hf_addr_format_ip(&peer, text);
        snprintf(down->address, sizeof(down->address), "%s", text);
    }
    down->port = (uint16_t)hf_addr_port(&peer);
    if (session->told) {
        door = session->told->destination;
    } else if (hf_sock_local(session->client.watch.fd, &door) != HF_OK) {
        door = (struct hf_addr){.len = 0}; /* it has gone already, and will be seen to have */
    }
    down->door_port = (uint16_t)hf_addr_port(&door);
    return HF_OK;
}

void hf_exchange_from(struct hf_exchange *x)
{
    x->trusted = x->down->trusted;
    x->judged = x->down->judged;
    memcpy(x->down_address, x->down->address, sizeof(x->down_address));
    x->down_port = x->down->port;
    x->door_port = x->down->door_port;
}

/* The last address of X-Forwarded-For that is no listed proxy's: those further to the front were
 * said by somebody whom nobody vouches for. */
static void find_client(struct hf_exchange *x)
{
    const struct hf_http_field *field = NULL;
    HF_CLEANUP(hf_buf_done) struct hf_buf list = HF_BUF_INIT(16 << 10);
    while ((field = hf_http_msg_find_name(x->request, HF_HTTP_X_FORWARDED_FOR, field))) {
        if (hf_buf_append_str(&list, ",") != HF_OK ||
            hf_buf_append(&list, hf_http_msg_value(x->request, field)) != HF_OK) {
            return;
        }
    }
    struct hf_bytes rest = hf_buf_bytes(&list);
    struct hf_bytes node;
    while (hf_forwarded_last(&rest, &node)) {
        char text[HF_CLIENT_ADDRESS_SIZE];
        struct hf_addr addr;
        int n = snprintf(text, sizeof(text), "%.*s", (int)node.len, (const char *)node.ptr);
        if (n >= (int)sizeof(text) || hf_addr_parse_ip(text, 0, &addr) != HF_OK) {
            return;
        }
        hf_addr_format_ip(&addr, x->client);
        if (!is_listed(x->door->cfg, &addr)) {
            return;
        }
    }
}

/* --- Ids ----------------------------------------------------------------------------------------
 */

/* Ids needn't be secret, only new, and unknown to those who would like to guess one: the number of
 * the request, hashed with the process's key, costs no call of the system. */
struct draw {
    uint64_t request;
    uint64_t n;
};

static enum hf_err fill(void *ctx, struct hf_span out)
{
    struct draw *draw = ctx;
    while (out.len) {
        draw->n++;
        uint64_t hash = hf_hash64(hf_bytes_of(draw, sizeof(*draw)));
        size_t len = out.len < sizeof(hash) ? out.len : sizeof(hash);
        memcpy(out.ptr, &hash, len);
        out = hf_span_of(out.ptr + len, out.len - len);
    }
    return HF_OK;
}

static void own_id(const struct hf_exchange *x, char out[static HF_SESSION_ID_SIZE])
{
    hf_format_id(x->id, out);
}

enum hf_err hf_exchange_meet(struct hf_exchange *x)
{
    char own[HF_SESSION_ID_SIZE];
    struct draw draw = {x->id, 0};
    const struct hf_rng rng = {&draw, fill};
    own_id(x, own);
    HF_TRY(hf_request_ids_init(&x->ids, x->request, x->trusted, own, &rng));
    if (x->trusted) {
        find_client(x);
    } else {
        (void)hf_strip_apply(x->gen->snapshot->teller->strip, x->request);
    }
    return HF_OK;
}

/* --- The facts ----------------------------------------------------------------------------------
 */

/* Facts with what they point at. */
struct told {
    struct hf_facts facts;
    struct hf_ending ending;
    struct hf_request_ids ids;
    struct hf_ders *chain;
    char connection[HF_SESSION_ID_SIZE];
    char rule[HF_REQUEST_RULE_MAX];
    char detail[DETAIL_MAX];
};

static void told_done(struct told *told)
{
    hf_ders_unref(told->chain);
}

static const char *text_or_null(const char *text)
{
    return *text ? text : NULL;
}

static void fill_connection(const struct hf_exchange *x, struct told *told)
{
    struct hf_facts *facts = &told->facts;
    const struct hf_session *session = x->session;
    hf_session_id_format(session, told->connection);
    facts->identity = session->identity;
    facts->verified = session->verified;
    facts->verdict = x->judged;
    facts->connection_id = told->connection;
    facts->listener = x->door->cfg->name;
    facts->peer_address = text_or_null(x->down_address);
    facts->client_address = *x->client ? x->client : facts->peer_address;
    facts->client_port = *x->client ? 0 : x->down_port;
    facts->server_port = x->door_port;
    facts->trusted = x->trusted;
    facts->user = hf_exchange_auth_user(x);
}

static enum hf_err fill_tls(const struct hf_exchange *x, bool chain, struct told *told)
{
    struct hf_tls *tls = x->session->client.tls;
    struct hf_tls_info info;
    if (!tls) {
        return HF_OK;
    }
    hf_tls_info(tls, &info);
    struct hf_facts *facts = &told->facts;
    facts->own = info.identity ? info.identity->identity : NULL;
    facts->sni = info.sni;
    facts->alpn = info.alpn;
    facts->tls_version = info.version;
    facts->tls_suite = info.suite;
    facts->resumed = info.resumed;
    if (chain) {
        HF_TRY(hf_tls_get_peer_ders(tls, &told->chain));
        facts->chain = told->chain;
    }
    return HF_OK;
}

static const char *protocol_of(const struct hf_exchange *x)
{
    if (x->down_stream) {
        return "HTTP/2.0";
    }
    return x->h1.head.minor ? "HTTP/1.1" : "HTTP/1.0";
}

static void fill_request(const struct hf_exchange *x, struct told *told)
{
    struct hf_facts *facts = &told->facts;
    const struct hf_http_msg *msg = x->request;
    told->ids = x->ids;
    if (!*told->ids.request) {
        own_id(x, told->ids.request); /* it came to nothing before it was met */
    }
    facts->ids = &told->ids;
    facts->now_ms = x->hub->worker->clock->wall_ms(x->hub->worker->clock->ctx);
    if (x->verdict.route != HF_ROUTE_NONE) {
        facts->route = hf_route_table_name(x->door->cfg->route_table, x->verdict.route);
    }
    if (!msg) {
        return;
    }
    facts->request = msg;
    facts->method = hf_http_msg_text(msg, msg->method_text);
    facts->scheme = hf_http_msg_text(msg, msg->scheme);
    facts->host = hf_http_msg_text(msg, x->authority);
    facts->path = hf_http_msg_text(msg, x->path);
    facts->query = hf_http_msg_text(msg, x->query);
    facts->has_query = msg->has_query;
    facts->protocol = protocol_of(x);
    if (msg->form == HF_TARGET_ASTERISK) {
        facts->path = hf_bytes_str("*");
    }
}

static enum hf_err fill_facts(const struct hf_exchange *x, bool chain, struct told *told)
{
    fill_connection(x, told);
    fill_request(x, told);
    return fill_tls(x, chain, told);
}

/* --- The backend --------------------------------------------------------------------------------
 */

enum hf_err hf_exchange_tell(struct hf_exchange *x)
{
    HF_CLEANUP(told_done) struct told told = {.chain = NULL};
    const struct hf_snapshot *snapshot = x->gen->snapshot;
    struct hf_forward *forward = snapshot->teller->forwards[x->upstream - snapshot->upstreams];
    HF_TRY(fill_facts(x, hf_forward_wants_chain(forward), &told));
    told.facts.memo = &x->down->memo;
    return hf_forward_apply(forward, &told.facts, x->request);
}

void hf_exchange_judge_trailers(struct hf_exchange *x)
{
    (void)hf_strip_apply(x->gen->snapshot->teller->strip, x->trailers);
}

/* --- The keys of tokens -------------------------------------------------------------------------
 */

bool hf_exchange_serves_keys(struct hf_exchange *x)
{
    const char *path = x->door->cfg->jwks_path.value;
    const struct hf_signer *signer = x->gen->snapshot->teller->signer;
    bool reads = x->request->method == HF_METHOD_GET || x->request->method == HF_METHOD_HEAD;
    if (!path || !signer || !reads ||
        !hf_bytes_eq_str(hf_http_msg_text(x->request, x->request->path), path)) {
        return false;
    }
    static char type[] = "application/jwk-set+json";
    static char name[] = "content-type";
    struct hf_cfg_pair field = {name, type, {0}};
    struct hf_cfg_respond respond = {.status = 200, .headers = {&field, 1}};
    respond.body.value = (char *)(uintptr_t)hf_signer_jwks(signer).ptr; /* only read */
    hf_exchange_respond(x, &respond);
    return true;
}

/* --- The access log -----------------------------------------------------------------------------
 */

static int64_t span_us(int64_t from_ns, int64_t to_ns)
{
    return from_ns && to_ns >= from_ns ? (to_ns - from_ns) / 1000 : -1;
}

static const char *cause_of(const struct hf_exchange *x)
{
    if (x->mishap == HF_MISHAP_NONE) {
        return NULL;
    }
    if (x->mishap == HF_MISHAP_REFUSED) {
        return hf_reason_code(x->verdict.reason);
    }
    return x->fault ? hf_http_fault_code(x->fault) : hf_mishap_code(x->mishap);
}

static void fill_ending(const struct hf_exchange *x, struct told *told)
{
    int64_t now_ns = hf_clock_mono_ns(x->hub->worker->clock);
    hf_request_rule_name(x->door->cfg->route_table, &x->verdict, told->rule);
    told->ending = (struct hf_ending){
        .verdict = x->verdict.reason,
        .rule = text_or_null(told->rule),
        .status = x->status,
        .upstream = x->upstream ? x->upstream->cfg->name : NULL,
        .server = x->server ? x->server->cfg->text : NULL,
        .upstream_status = x->up_status,
        .tries = x->n_tries,
        .cause = cause_of(x),
        .bytes_in = x->n_in,
        .bytes_out = x->n_out,
        .total_us = span_us(x->since_ns, now_ns),
        .connect_us = span_us(x->reach_ns, x->sent_ns),
        .first_byte_us = span_us(x->sent_ns, x->first_ns),
    };
    if (x->mishap == HF_MISHAP_REFUSED || x->verdict.would_refuse) {
        hf_request_verdict_text(x->door->cfg->route_table, &x->verdict, told->detail,
                                sizeof(told->detail));
        told->ending.detail = told->detail;
    }
    if (x->verdict.would_refuse) {
        told->ending.would_refuse = hf_reason_code(x->verdict.reason);
        told->ending.verdict = HF_REASON_OK;
    }
    told->facts.outcome = &told->ending;
}

void hf_exchange_log_access(const struct hf_exchange *x)
{
    HF_CLEANUP(told_done) struct told told = {.chain = NULL};
    const struct hf_snapshot *snapshot = x->gen->snapshot;
    const struct hf_teller_log *log = &snapshot->teller->logs[x->door - snapshot->doors];
    if (!hf_access_is_on(log->access)) {
        return;
    }
    if (fill_facts(x, hf_access_wants_chain(log->access), &told) == HF_OK) {
        fill_ending(x, &told);
        hf_access_write(log->access, &log->log, &told.facts);
    }
}
