// SPDX-License-Identifier: Apache-2.0
/*
 * The table: what a template can say, and where each is got. How values are made safe is not here
 * but in template.c, by kind, so that no row can forget it; the rows that write themselves write
 * hex, digits, base64 and the like alone.
 */
#include <openssl/evp.h>
#include <string.h>
#include <time.h>

#include "base/base64.h"
#include "base/text.h"
#include "http/encode.h"
#include "http/msg.h"
#include "http/template_impl.h"

#define BOTH (HF_TEMPLATE_HEADER | HF_TEMPLATE_LOG)
#define LOG  HF_TEMPLATE_LOG

static struct hf_bytes text_of(const char *text)
{
    return text ? hf_bytes_str(text) : hf_bytes_of(NULL, 0);
}

/* --- peer: names -------------------------------------------------------------------------------*/

static const char *get_display(const struct hf_identity *peer)
{
    return hf_identity_display(peer);
}

#define NAME_GETTER(member) \
    static const char *get_##member(const struct hf_identity *peer) \
    { \
        return peer->member; \
    }
#define LIST_GETTER(member) \
    static const struct hf_names_list *get_##member(const struct hf_identity *peer) \
    { \
        return &peer->member; \
    }
static enum hf_err write_id(const struct hf_facts *facts, struct hf_buf *out)
{
    struct hf_peer_id id = hf_facts_id(facts);
    if (!id.name) {
        return HF_OK;
    }
    HF_TRY(hf_buf_append_str(out, id.prefix));
    return hf_append_safe(out, hf_bytes_str(id.name),
                          *id.prefix == 'd' && id.prefix[2] == ':' ? HF_TEXT_DN : HF_TEXT_ESCAPED);
}

NAME_GETTER(spiffe)
NAME_GETTER(subject)
NAME_GETTER(issuer)
NAME_GETTER(cn)
NAME_GETTER(o)
NAME_GETTER(ou)
LIST_GETTER(dns)
LIST_GETTER(uri)
LIST_GETTER(email)
LIST_GETTER(ip)

/* --- peer: the certificate ---------------------------------------------------------------------*/

static enum hf_err write_str(struct hf_buf *out, const char *text)
{
    return text ? hf_buf_append_str(out, text) : HF_OK;
}

static enum hf_err write_time(struct hf_buf *out, int64_t unix_s)
{
    char text[HF_TIME_TEXT_SIZE];
    if (unix_s == INT64_MAX) { /* RFC 5280 4.1.2.5: no end that is known */
        return hf_buf_append_str(out, "9999-12-31T23:59:59Z");
    }
    hf_format_time(unix_s, text);
    return hf_buf_append_str(out, text);
}

static struct hf_bytes leaf_der(const struct hf_facts *facts)
{
    bool told = hf_facts_peer(facts) && facts->chain && facts->chain->n_ders;
    return told ? facts->chain->der[0] : hf_bytes_of(NULL, 0);
}

static enum hf_err write_serial(const struct hf_facts *facts, struct hf_buf *out)
{
    const struct hf_identity *peer = hf_facts_peer(facts);
    return peer ? write_str(out, peer->serial) : HF_OK;
}

static enum hf_err write_fingerprint(const struct hf_facts *facts, struct hf_buf *out)
{
    const struct hf_identity *peer = hf_facts_peer(facts);
    return peer ? write_str(out, peer->sha256) : HF_OK;
}

static enum hf_err write_sha1(const struct hf_facts *facts, struct hf_buf *out)
{
    struct hf_bytes der = leaf_der(facts);
    uint8_t digest[20];
    char hex[2 * sizeof(digest) + 1];
    if (!der.len) {
        return HF_OK;
    }
    if (!EVP_Digest(der.ptr, der.len, digest, NULL, EVP_sha1(), NULL)) {
        return hf_fail(HF_E_CRYPTO, "SHA-1 isn't to be had from libcrypto");
    }
    hf_hex(hf_bytes_of(digest, sizeof(digest)), hex);
    return hf_buf_append_str(out, hex);
}

static enum hf_err write_spki(const struct hf_facts *facts, struct hf_buf *out)
{
    const struct hf_identity *peer = hf_facts_peer(facts);
    return peer ? write_str(out, peer->spki_sha256) : HF_OK;
}

static enum hf_err write_not_before(const struct hf_facts *facts, struct hf_buf *out)
{
    const struct hf_identity *peer = hf_facts_peer(facts);
    return peer ? write_time(out, peer->not_before) : HF_OK;
}

static enum hf_err write_not_after(const struct hf_facts *facts, struct hf_buf *out)
{
    const struct hf_identity *peer = hf_facts_peer(facts);
    return peer ? write_time(out, peer->not_after) : HF_OK;
}

static enum hf_err write_verified(const struct hf_facts *facts, struct hf_buf *out)
{
    return hf_buf_append_str(out, facts->identity && facts->verified ? "true" : "false");
}

/* nginx's $ssl_client_verify, with our code for its reason. */
static enum hf_err write_verify(const struct hf_facts *facts, struct hf_buf *out)
{
    if (!facts->identity) {
        return hf_buf_append_str(out, "NONE");
    }
    return facts->verified ? hf_buf_append_str(out, "SUCCESS")
                           : hf_buf_printf(out, "FAILED:%s", hf_reason_code(facts->verdict));
}

static enum hf_err write_cert_pem(const struct hf_facts *facts, struct hf_buf *out)
{
    struct hf_bytes der = leaf_der(facts);
    return der.len ? hf_append_pem_escaped(out, der) : HF_OK;
}

static enum hf_err write_cert_base64(const struct hf_facts *facts, struct hf_buf *out)
{
    struct hf_bytes der = leaf_der(facts);
    return der.len ? hf_base64_encode(der, out) : HF_OK;
}

static enum hf_err write_chain_pem(const struct hf_facts *facts, struct hf_buf *out)
{
    size_t n = leaf_der(facts).len ? facts->chain->n_ders : 0;
    for (size_t i = 0; i < n; i++) {
        HF_TRY(hf_append_pem_escaped(out, facts->chain->der[i]));
    }
    return HF_OK;
}

/* --- the connection ----------------------------------------------------------------------------*/

#define TEXT_GETTER(name, value) \
    static struct hf_bytes get_##name(const struct hf_facts *facts, const char *argument) \
    { \
        (void)argument; \
        return value; \
    }
#define NUMBER_GETTER(name, value) \
    static int64_t get_##name(const struct hf_facts *facts) \
    { \
        return value; \
    }
TEXT_GETTER(tls_version, text_of(facts->tls_version))
TEXT_GETTER(tls_suite, text_of(facts->tls_suite))
TEXT_GETTER(sni, text_of(facts->sni))
TEXT_GETTER(alpn, text_of(facts->alpn))
TEXT_GETTER(client_address, text_of(facts->client_address))
TEXT_GETTER(peer_address, text_of(facts->peer_address))
TEXT_GETTER(listener, text_of(facts->listener))
TEXT_GETTER(connection_id, text_of(facts->connection_id))
NUMBER_GETTER(client_port, facts->client_port ? facts->client_port : -1)
NUMBER_GETTER(server_port, facts->server_port ? facts->server_port : -1)

static enum hf_err write_resumed(const struct hf_facts *facts, struct hf_buf *out)
{
    return facts->tls_version ? hf_buf_append_str(out, facts->resumed ? "true" : "false") : HF_OK;
}

/* --- the request -------------------------------------------------------------------------------*/

static struct hf_bytes get_header(const struct hf_facts *facts, const char *argument)
{
    struct hf_bytes value = {NULL, 0};
    if (facts->request && !hf_http_msg_get_str(facts->request, argument, &value)) {
        value.len = 0;
    }
    return value;
}

TEXT_GETTER(user, text_of(facts->user))
TEXT_GETTER(request_id, text_of(facts->ids ? facts->ids->request : NULL))
TEXT_GETTER(method, facts->method)
TEXT_GETTER(scheme, facts->scheme)
TEXT_GETTER(host, facts->host)
TEXT_GETTER(path, facts->path)
TEXT_GETTER(query, facts->query)
TEXT_GETTER(protocol, text_of(facts->protocol))
TEXT_GETTER(route, text_of(facts->route))
TEXT_GETTER(trace_id, text_of(facts->ids ? facts->ids->trace : NULL))
TEXT_GETTER(span_id, text_of(facts->ids ? facts->ids->span : NULL))
TEXT_GETTER(parent_id, text_of(facts->ids ? facts->ids->parent : NULL))
NUMBER_GETTER(time_unix, facts->now_ms / 1000)
NUMBER_GETTER(time_ms, facts->now_ms)

static enum hf_err write_now(const struct hf_facts *facts, struct hf_buf *out)
{
    return write_time(out, facts->now_ms / 1000);
}

/* Apache's %t, in UTC. */
static enum hf_err write_time_clf(const struct hf_facts *facts, struct hf_buf *out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = (time_t)(facts->now_ms / 1000);
    struct tm tm;
    if (!gmtime_r(&now, &tm)) {
        return HF_OK;
    }
    return hf_buf_printf(out, "%02d/%.3s/%d:%02d:%02d:%02d +0000", tm.tm_mday,
                         months + 3 * (size_t)tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                         tm.tm_sec);
}

/* --- the outcome -------------------------------------------------------------------------------*/

#define OUTCOME_TEXT(name, member) \
    TEXT_GETTER(name, text_of(facts->outcome ? facts->outcome->member : NULL))
#define OUTCOME_NUMBER(name, value) NUMBER_GETTER(name, facts->outcome ? (int64_t)(value) : -1)
OUTCOME_TEXT(rule, rule)
OUTCOME_TEXT(upstream, upstream)
OUTCOME_TEXT(server, server)
OUTCOME_TEXT(cause, cause)
OUTCOME_TEXT(would_refuse, would_refuse)
OUTCOME_TEXT(detail, detail)
TEXT_GETTER(verdict, text_of(facts->outcome ? hf_reason_code(facts->outcome->verdict) : NULL))
OUTCOME_NUMBER(status, facts->outcome->status ? (int)facts->outcome->status : -1)
OUTCOME_NUMBER(upstream_status,
               facts->outcome->upstream_status ? (int)facts->outcome->upstream_status : -1)
OUTCOME_NUMBER(tries, facts->outcome->tries)
OUTCOME_NUMBER(bytes_in, facts->outcome->bytes_in)
OUTCOME_NUMBER(bytes_out, facts->outcome->bytes_out)
OUTCOME_NUMBER(total_us, facts->outcome->total_us)
OUTCOME_NUMBER(connect_us, facts->outcome->connect_us)
OUTCOME_NUMBER(first_byte_us, facts->outcome->first_byte_us)

/* --- the table ---------------------------------------------------------------------------------*/

#define TEXT(key, about, uses, fn) \
    { \
        key, about, uses, HF_VARIABLE_TEXT, false, \
        { \
            .text = fn \
        } \
    }
#define NAME(key, about, uses, fn) \
    { \
        key, about, uses, HF_VARIABLE_NAME, false, \
        { \
            .name = fn \
        } \
    }
#define DN(key, about, fn) \
    { \
        key, about, BOTH, HF_VARIABLE_DN, false, \
        { \
            .name = fn \
        } \
    }
#define NAMES(key, about, fn) \
    { \
        key, about, BOTH, HF_VARIABLE_NAMES, false, \
        { \
            .names = fn \
        } \
    }
#define NUMBER(key, about, uses, fn) \
    { \
        key, about, uses, HF_VARIABLE_NUMBER, false, \
        { \
            .number = fn \
        } \
    }
#define WRITE(key, about, fn) \
    { \
        key, about, BOTH, HF_VARIABLE_WRITE, false, \
        { \
            .write = fn \
        } \
    }
#define CHAIN(key, about, fn) \
    { \
        key, about, BOTH, HF_VARIABLE_WRITE, true, \
        { \
            .write = fn \
        } \
    }

const struct hf_variable hf_variables[] = {
    WRITE("peer.id",
          "SPIFFE ID, or the first there is of `dn:`, `dns:`, `email:`, `uri:`, `cert-sha256:`",
          write_id),
    NAME("peer.name",
         "the name that people know the client by; a CN may look like a SPIFFE ID, so it is for "
         "logs",
         LOG, get_display),
    NAME("peer.spiffe", "SPIFFE ID", BOTH, get_spiffe),
    DN("peer.dn", "subject, RFC 4514", get_subject),
    DN("peer.issuer", "issuer, RFC 4514", get_issuer),
    NAME("peer.cn", "most specific common name", BOTH, get_cn),
    NAME("peer.o", "organization", BOTH, get_o),
    NAME("peer.ou", "organizational unit", BOTH, get_ou),
    NAMES("peer.dns", "DNS names", get_dns),
    NAMES("peer.uri", "URIs", get_uri),
    NAMES("peer.email", "email addresses", get_email),
    NAMES("peer.ip", "IP addresses", get_ip),
    WRITE("peer.serial", "serial number, in hex", write_serial),
    WRITE("peer.fingerprint", "SHA-256 of the certificate, in hex", write_fingerprint),
    CHAIN("peer.fingerprint_sha1",
          "SHA-1 of the certificate, in hex, for backends that know no other", write_sha1),
    WRITE("peer.spki", "SHA-256 of the public key, in hex", write_spki),
    WRITE("peer.not_before", "begin of validity, `2026-11-20T23:06:00Z`", write_not_before),
    WRITE("peer.not_after", "end of validity", write_not_after),
    WRITE("peer.verified", "`true` or `false`", write_verified),
    WRITE("peer.verify", "`SUCCESS`, `NONE` or `FAILED:code`, as nginx has it", write_verify),
    CHAIN("peer.cert_pem_urlencoded", "certificate in PEM, percent-encoded, as nginx has it",
          write_cert_pem),
    CHAIN("peer.cert_base64", "certificate in DER, base64", write_cert_base64),
    CHAIN("peer.chain_pem_urlencoded",
          "certificate and chain as they were sent, PEM, percent-encoded", write_chain_pem),
    TEXT("tls.version", "`TLSv1.3`", BOTH, get_tls_version),
    TEXT("tls.cipher", "cipher suite, IANA's name", BOTH, get_tls_suite),
    TEXT("tls.sni", "server name that was asked for", BOTH, get_sni),
    TEXT("tls.alpn", "protocol agreed by ALPN", BOTH, get_alpn),
    WRITE("tls.resumed", "`true` or `false`", write_resumed),
    TEXT("client.address", "client's address; behind a listed proxy, what that says", BOTH,
         get_client_address),
    NUMBER("client.port", "client's port", BOTH, get_client_port),
    TEXT("connection.address", "address of who is connected", BOTH, get_peer_address),
    TEXT("connection.id", "id of the connection, as in the log", BOTH, get_connection_id),
    TEXT("listener", "name of the listener", BOTH, get_listener),
    NUMBER("listener.port", "port that was connected to", BOTH, get_server_port),
    TEXT("request.id", "id of the request, as in the log", BOTH, get_request_id),
    TEXT("request.method", "method", BOTH, get_method),
    TEXT("request.scheme", "`https` or `http`", BOTH, get_scheme),
    TEXT("request.host", "host asked for, with its port", BOTH, get_host),
    {"request.target", "path and query, as they came", BOTH, HF_VARIABLE_TARGET, false, {NULL}},
    TEXT("request.path", "path", BOTH, get_path),
    TEXT("request.query", "query, without `?`", BOTH, get_query),
    TEXT("request.protocol", "`HTTP/1.1`, `HTTP/2.0`", BOTH, get_protocol),
    TEXT("request.header.*", "first header of that name", BOTH, get_header),
    TEXT("route", "name of the route", BOTH, get_route),
    TEXT("user", "user of the password, or `sub` of the token, that the route asked for", BOTH,
         get_user),
    TEXT("trace.id", "trace, W3C", BOTH, get_trace_id),
    TEXT("trace.span", "our span in it", BOTH, get_span_id),
    TEXT("trace.parent", "the sender's span", BOTH, get_parent_id),
    WRITE("time", "`2026-11-20T23:06:00Z`", write_now),
    WRITE("time.clf", "`20/Nov/2026:23:06:00 +0000`", write_time_clf),
    NUMBER("time.unix", "seconds since 1970", BOTH, get_time_unix),
    NUMBER("time.ms", "milliseconds since 1970", BOTH, get_time_ms),
    NUMBER("status", "status sent to the client", LOG, get_status),
    TEXT("verdict", "code of the verdict, `ok` or why it was refused", LOG, get_verdict),
    TEXT("rule", "rule that decided", LOG, get_rule),
    TEXT("upstream", "name of the upstream", LOG, get_upstream),
    TEXT("upstream.server", "server that answered", LOG, get_server),
    NUMBER("upstream.status", "status that it sent", LOG, get_upstream_status),
    NUMBER("upstream.tries", "servers tried", LOG, get_tries),
    NUMBER("bytes.in", "body bytes from the client", LOG, get_bytes_in),
    NUMBER("bytes.out", "body bytes to the client", LOG, get_bytes_out),
    NUMBER("took.us", "microseconds from head to end of answer", LOG, get_total_us),
    NUMBER("took.connect_us", "microseconds until the server's connection was there", LOG,
           get_connect_us),
    NUMBER("took.first_byte_us", "microseconds from there to the head of its answer", LOG,
           get_first_byte_us),
    TEXT("cause", "code of what made it end otherwise than it should", LOG, get_cause),
    TEXT("would_refuse", "code of the reason why a trial rule would have refused it", LOG,
         get_would_refuse),
    TEXT("detail", "a sentence about the refusal", LOG, get_detail),
};
const size_t hf_n_variables = HF_N_ELEMENTS(hf_variables);
