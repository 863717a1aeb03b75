// SPDX-License-Identifier: Apache-2.0
#include "tls/libssl/libssl.h"

/*
 * What libssl tells us while it shakes hands, and what we make of it:
 *
 *   the hello     the server name, which chooses identities and policy, before anything else looks
 *                 at tickets or certificates
 *   the chain     handed to the judge in place of libssl's own verification
 *   an empty Certificate message: to the judge as well, with no chain
 *   alerts, records and secrets: for hf_tls_info and for alert.c
 *
 * A judge who can't say yet stops libssl where it stands: the BIO reads nothing and writes nothing
 * until it has answered, so that no message of ours follows and no data is taken.
 *
 * When the judge refuses, libssl is muted on the spot: whatever alert it would make of the refusal
 * is dropped, and conn.c sends the judge's own.
 */

#include <openssl/err.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* --- Judging --- */

static void deny(struct hf_ls_conn *conn, uint8_t alert)
{
    conn->denied = true;
    conn->deny_alert = alert;
    conn->muted = true;
}

void hf_ls_judge(struct hf_ls_conn *conn)
{
    struct hf_tls_answer answer = hf_tls_judge_peer(&conn->base, conn->policy, conn->sni, false);
    conn->admitted = answer.admit;
    if (answer.wait && !conn->waits) {
        conn->epoch_waiting = conn->epoch;
    }
    conn->waits = answer.wait;
    if (!answer.admit && !answer.wait) {
        deny(conn, answer.alert);
    }
}

/* What libssl made ready meanwhile never went out, and doesn't where we refuse: the alert is the
 * next record. */
void hf_ls_judge_again(struct hf_ls_conn *conn)
{
    hf_ls_judge(conn);
    if (conn->denied) {
        conn->epoch = conn->epoch_waiting;
    }
    if (!conn->waits) {
        hf_wipe(&conn->epoch_waiting, sizeof(conn->epoch_waiting));
    }
}

/* A chain that can't even be shown to the judge. */
static void deny_unread(struct hf_ls_conn *conn, enum hf_reason reason, uint8_t alert)
{
    hf_tls_set_failure(&conn->base, reason, "%s", hf_err_text());
    deny(conn, alert);
}

static void chain_failed(struct hf_ls_conn *conn, enum hf_err err)
{
    switch (err) {
    case HF_E_NOMEM:
        deny_unread(conn, HF_REASON_INTERNAL, HF_ALERT_INTERNAL_ERROR);
        break;
    case HF_E_TOO_LARGE:
        deny_unread(conn, HF_REASON_CHAIN_TOO_LONG, HF_ALERT_BAD_CERTIFICATE);
        break;
    default:
        deny_unread(conn, HF_REASON_BAD_CERTIFICATE, HF_ALERT_BAD_CERTIFICATE);
        break;
    }
}

static enum hf_err chain_of(struct hf_seen *seen, STACK_OF(X509) * sent, struct hf_chain **out)
{
    struct hf_cert *certs[HF_CHAIN_MAX];
    size_t n = 0;
    enum hf_err err = HF_OK;
    if (sk_X509_num(sent) > HF_CHAIN_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "the peer sent %d certificates, more than %d",
                       sk_X509_num(sent), HF_CHAIN_MAX);
    }
    while (!err && n < (size_t)sk_X509_num(sent)) {
        err = hf_seen_x509(seen, sk_X509_value(sent, (int)n), &certs[n]);
        n += err ? 0 : 1;
    }
    err = err ? err : hf_chain_new(certs, n, out);
    while (n > 0) {
        hf_cert_unref(certs[--n]);
    }
    return err;
}

int hf_ls_on_chain(X509_STORE_CTX *store, void *ctx)
{
    (void)ctx;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct hf_ls_conn *conn = hf_ls_conn_of_ssl(ssl);
    struct hf_chain *chain = NULL;
    enum hf_err err = chain_of(&conn->ctx->seen, X509_STORE_CTX_get0_untrusted(store), &chain);
    hf_tls_set_peer_chain(&conn->base, chain);
    conn->chain_of_ticket = false;
    if (err) {
        chain_failed(conn, err);
    } else {
        hf_ls_take_staple(conn);
        hf_ls_judge(conn);
    }
    X509_STORE_CTX_set_error(store, conn->denied ? X509_V_ERR_APPLICATION_VERIFICATION : X509_V_OK);
    return conn->denied ? 0 : 1;
}

/* --- The hello --- */

/* Keeps the name for people; out gets it for matching, "" when it can't match. */
static enum hf_err take_name(struct hf_ls_conn *conn, char out[static HF_SNI_MAX + 1])
{
    const unsigned char *body;
    size_t len;
    struct hf_bytes name;
    out[0] = '\0';
    hf_free(HF_TAKE(conn->sni));
    if (SSL_client_hello_get0_ext(conn->ssl, TLSEXT_TYPE_server_name, &body, &len) != 1 ||
        hf_sni_parse(hf_bytes_of(body, len), &name) != HF_OK) {
        return HF_OK; /* libssl refuses a malformed one itself (decode_error) */
    }
    struct hf_buf text HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(HF_SNI_TEXT_MAX);
    HF_TRY(hf_append_printable(&text, name, HF_SNI_MAX));
    conn->sni = hf_strndup((const char *)hf_buf_bytes(&text).ptr, hf_buf_len(&text));
    if (!conn->sni) {
        return HF_E_NOMEM;
    }
    if (name.len <= HF_SNI_MAX && !memchr(name.ptr, '\0', name.len)) {
        memcpy(out, name.ptr, name.len);
        out[name.len] = '\0';
    }
    return HF_OK;
}

static int verify_mode(enum hf_tls_ask ask)
{
    static const int modes[] = {
        [HF_TLS_ASK_NONE] = SSL_VERIFY_NONE,
        [HF_TLS_ASK_OPTIONAL] = SSL_VERIFY_PEER,
        [HF_TLS_ASK_REQUIRED] = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
    };
    return modes[ask];
}

static bool use_identities(struct hf_ls_conn *conn, const struct hf_pick_set *set)
{
    if (conn->identities == set) {
        return true;
    }
    SSL_certs_clear(conn->ssl);
    for (size_t i = 0; i < set->n_identities; i++) {
        const struct hf_ls_identity *ours = hf_ls_identity_of(conn->ctx, set->identity[i]);
        const struct hf_cert *leaf = ours->credential->chain->certs[0];
        if (SSL_use_cert_and_key(conn->ssl, leaf->x509, ours->credential->key, ours->chain, 1) !=
            1) {
            return false;
        }
    }
    conn->identities = set;
    return true;
}

static bool use_pick(struct hf_ls_conn *conn, const struct hf_pick *pick)
{
    SSL_CTX *wanted = conn->ctx->ssl_ctx[pick->policy_index];
    conn->policy = pick->policy;
    if (SSL_get_SSL_CTX(conn->ssl) != wanted) {
        if (SSL_set_SSL_CTX(conn->ssl, wanted) != wanted) {
            return false;
        }
        conn->identities = &conn->ctx->picker.first; /* every SSL_CTX holds the first one */
    }
    SSL_set_verify(conn->ssl, verify_mode(pick->policy->ask), NULL);
    return use_identities(conn, pick->identities);
}

int hf_ls_on_hello(SSL *ssl, int *alert, void *ctx)
{
    (void)ctx;
    struct hf_ls_conn *conn = hf_ls_conn_of_ssl(ssl);
    char name[HF_SNI_MAX + 1];
    struct hf_pick pick;
    hf_ls_take_offers(conn);
    conn->tickets_tried = 0;
    conn->admitted = false;
    *alert = SSL_AD_INTERNAL_ERROR;
    if (take_name(conn, name) != HF_OK) {
        conn->hint = HF_REASON_INTERNAL;
        return SSL_CLIENT_HELLO_ERROR;
    }
    hf_picker_pick(&conn->ctx->picker, name, &pick);
    if (conn->ctx->strict_sni && !pick.known) {
        conn->hint = HF_REASON_UNKNOWN_SNI;
        *alert = SSL_AD_UNRECOGNIZED_NAME;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (!use_pick(conn, &pick)) {
        conn->hint = HF_REASON_INTERNAL;
        return SSL_CLIENT_HELLO_ERROR;
    }
    return SSL_CLIENT_HELLO_SUCCESS;
}

int hf_ls_on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                  const unsigned char *in, unsigned in_len, void *ctx)
{
    (void)ctx;
    struct hf_ls_ctx *ours = hf_ls_conn_of_ssl(ssl)->ctx;
    struct hf_bytes list = hf_buf_bytes(&ours->alpn);
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, list.ptr, (unsigned)list.len, in, in_len) ==
        OPENSSL_NPN_NEGOTIATED) {
        *out = chosen;
        return SSL_TLSEXT_ERR_OK;
    }
    return ours->alpn_required ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
}

/* --- Messages, alerts, secrets --- */

enum { HANDSHAKE_HEADER = 4, LIST_LENGTH = 3 };

/* Is this Certificate message empty? One byte of context comes first in TLS 1.3. */
static bool no_certificate(const uint8_t *message, size_t len, int version)
{
    size_t at = HANDSHAKE_HEADER + (version == TLS1_3_VERSION ? 1 : 0);
    return len == at + LIST_LENGTH && message[at] == 0 && message[at + 1] == 0 &&
           message[at + 2] == 0;
}

static void on_handshake_read(struct hf_ls_conn *conn, int version, const uint8_t *message,
                              size_t len)
{
    if (message[0] == SSL3_MT_KEY_UPDATE && version == TLS1_3_VERSION) {
        conn->n_key_updates++;
    }
    bool from_client = !conn->client && message[0] == SSL3_MT_CERTIFICATE;
    if (!from_client || conn->denied || !no_certificate(message, len, version)) {
        return;
    }
    hf_tls_set_peer_chain(&conn->base, NULL);
    conn->chain_of_ticket = false;
    hf_ls_judge(conn);
}

static void on_alert(struct hf_ls_conn *conn, int write, int version, const uint8_t *alert)
{
    /* TLS 1.3 doesn't look at the level (RFC 8446 6) */
    bool harmless = alert[1] == HF_ALERT_CLOSE_NOTIFY || alert[1] == HF_ALERT_USER_CANCELED;
    bool fatal = version == TLS1_3_VERSION ? !harmless : alert[0] == SSL3_AL_FATAL;
    if (!fatal || (write && conn->muted)) {
        return;
    }
    if (write) {
        conn->alert_sent = alert[1];
    } else {
        conn->alert_received = alert[1];
    }
}

/* Follows what we write, for alert.c; nothing that a muted libssl writes goes out. */
static void on_written(struct hf_ls_conn *conn, int version, int type, const uint8_t *bytes)
{
    if (conn->muted) {
        return;
    }
    if (type == SSL3_RT_HEADER) {
        hf_ls_epoch_record(conn, bytes[0]);
    } else if (type == SSL3_RT_CHANGE_CIPHER_SPEC && version <= TLS1_2_VERSION) {
        hf_ls_epoch_tls12(conn);
    } else if (type == SSL3_RT_HANDSHAKE && bytes[0] == SSL3_MT_KEY_UPDATE) {
        hf_ls_epoch_update(conn);
    }
}

void hf_ls_on_message(int write, int version, int type, const void *bytes, size_t len, SSL *ssl,
                      void *arg)
{
    (void)arg;
    struct hf_ls_conn *conn = hf_ls_conn_of_ssl(ssl);
    if (!conn || len == 0) {
        return;
    }
    if (type == SSL3_RT_ALERT && len == 2) {
        on_alert(conn, write, version, bytes);
    } else if (write) {
        on_written(conn, version, type, bytes);
    } else if (type == SSL3_RT_HANDSHAKE) {
        on_handshake_read(conn, version, bytes, len);
    }
}

/* "LABEL <client random> <secret>", once for each secret at the moment it comes into use. */
void hf_ls_on_secret(const SSL *ssl, const char *line)
{
    struct hf_ls_conn *conn = hf_ls_conn_of_ssl(ssl);
    if (!conn) {
        return;
    }
    const struct hf_tls_keylog *keylog = conn->base.ctx->keylog;
    if (keylog) {
        keylog->line(keylog->ctx, line);
    }
    static const char *const labels[2][2] = {
        {"SERVER_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_TRAFFIC_SECRET_0 "},
        {"CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "CLIENT_TRAFFIC_SECRET_0 "},
    };
    for (size_t i = 0; i < 2 && !conn->muted; i++) {
        const char *label = labels[conn->client][i];
        if (strncmp(line, label, strlen(label)) == 0) {
            const char *digits = strrchr(line, ' ') + 1;
            uint8_t secret[sizeof(conn->epoch.secret)];
            struct hf_span span = hf_span_of(secret, strlen(digits) / 2);
            if (span.len <= sizeof(secret) && hf_unhex(digits, span) == HF_OK) {
                hf_ls_epoch_secret(conn, hf_span_bytes(span));
            }
            hf_wipe(secret, sizeof(secret));
        }
    }
}
