// SPDX-License-Identifier: Apache-2.0
#include "tls/libssl/libssl.h"

/*
 * The client role: which certificate of ours answers the server's request, and sessions kept for
 * resumption. A session remembers the server's chain; before it is offered, the judge is asked
 * about that chain again, and a session that it no longer admits isn't offered at all.
 *
 * Sessions are copied on the way out and in: libssl marks the session of a connection that was cut
 * without close_notify as not to be resumed, and with a proxy's peers that is daily life.
 */

#include <openssl/err.h>

#include "base/mem.h"

/* --- Our certificate --- */

/* Does the server take this signature algorithm, and is it led to a CA that it names? */
static bool fits(SSL *ssl, const struct hf_ls_identity *ours)
{
    const int wanted = CERT_PKEY_EE_SIGNATURE | CERT_PKEY_ISSUER_NAME;
    X509 *leaf = ours->credential->chain->certs[0]->x509;
    return (SSL_check_chain(ssl, leaf, ours->credential->key, ours->chain) & wanted) == wanted;
}

int hf_ls_on_certificate_wanted(SSL *ssl, void *arg)
{
    (void)arg;
    struct hf_ls_ctx *ctx = hf_ls_conn_of_ssl(ssl)->ctx;
    const struct hf_ls_identity *chosen = ctx->n_identities ? &ctx->identities[0] : NULL;
    for (size_t i = 0; ctx->n_identities > 1 && i < ctx->n_identities; i++) {
        if (fits(ssl, &ctx->identities[i])) {
            chosen = &ctx->identities[i];
            break;
        }
    }
    if (!chosen) {
        return 1;
    }
    X509 *leaf = chosen->credential->chain->certs[0]->x509;
    return SSL_use_cert_and_key(ssl, leaf, chosen->credential->key, chosen->chain, 1);
}

/* --- Sessions --- */

/* How long the server says that it takes the session back; TLS 1.2 may not say (0). */
static int64_t lifetime(const SSL_SESSION *session)
{
    int64_t timeout = SSL_SESSION_get_timeout(session);
    int64_t hint = (int64_t)SSL_SESSION_get_ticket_lifetime_hint(session);
    return hint > 0 && hint < timeout ? hint : timeout;
}

/* Called by libssl for each new session, and by conn.c once a resumed handshake is complete: libssl
 * keeps quiet about a ticket that TLS 1.2 renewed. (The old one is as good there.) */
int hf_ls_on_session(SSL *ssl, SSL_SESSION *session)
{
    struct hf_ls_conn *conn = hf_ls_conn_of_ssl(ssl);
    if (!SSL_SESSION_is_resumable(session)) {
        return 0;
    }
    struct hf_ls_session *kept = HF_NEW(struct hf_ls_session);
    if (!kept) {
        return 0;
    }
    kept->base.ops = &hf_tls_libssl;
    kept->ssl = SSL_SESSION_dup(session);
    kept->expires_at = hf_clock_wall_s(conn->base.ctx->clock) + lifetime(session);
    kept->chain = conn->base.peer_chain ? hf_chain_ref(conn->base.peer_chain) : NULL;
    if (!kept->ssl) {
        hf_ls_session_free(&kept->base);
        return 0;
    }
    hf_tls_session_free(conn->session);
    conn->session = &kept->base;
    return 0; /* session itself stays with libssl */
}

struct hf_tls_session *hf_ls_take_session(struct hf_tls *tls)
{
    return HF_TAKE(hf_ls_conn_of(tls)->session);
}

void hf_ls_session_free(struct hf_tls_session *session)
{
    struct hf_ls_session *ours = HF_CONTAINER_OF(session, struct hf_ls_session, base);
    SSL_SESSION_free(ours->ssl);
    hf_chain_unref(ours->chain);
    hf_free(ours);
}

enum hf_err hf_ls_offer_session(struct hf_ls_conn *conn, const struct hf_tls_session *session)
{
    if (!session) {
        return HF_OK;
    }
    const struct hf_ls_session *ours =
        HF_CONTAINER_OF((struct hf_tls_session *)(uintptr_t)session, struct hf_ls_session, base);
    if (!ours->chain || ours->expires_at <= hf_clock_wall_s(conn->base.ctx->clock)) {
        return HF_OK;
    }
    SSL_SESSION *copy = SSL_SESSION_dup(ours->ssl);
    bool set = copy && SSL_set_session(conn->ssl, copy) == 1;
    SSL_SESSION_free(copy);
    if (!set) {
        return hf_ls_library_error("session to resume");
    }
    hf_tls_set_peer_chain(&conn->base, hf_chain_ref(ours->chain));
    conn->chain_of_ticket = true;
    return HF_OK;
}

void hf_ls_judge_offered(struct hf_ls_conn *conn)
{
    if (!conn->chain_of_ticket) {
        return;
    }
    conn->admitted = hf_tls_judge_peer(&conn->base, NULL, conn->sni, true).admit;
    if (!conn->admitted) {
        (void)SSL_set_session(conn->ssl, NULL);
        hf_tls_set_peer_chain(&conn->base, NULL);
        conn->chain_of_ticket = false;
    }
}
