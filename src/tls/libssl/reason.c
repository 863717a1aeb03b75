// SPDX-License-Identifier: Apache-2.0
#include "tls/libssl/libssl.h"

/*
 * From libssl's error queue to a reason of ours and a sentence. The queue may hold several errors,
 * the deepest first; the first one that the table knows decides. The queue is always emptied.
 */

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int reason; /* SSL_R_* */
    enum hf_reason ours;
} table[] = {
    {SSL_R_HTTP_REQUEST, HF_REASON_PLAIN_HTTP},
    {SSL_R_HTTPS_PROXY_REQUEST, HF_REASON_PLAIN_HTTP},
    {SSL_R_UNSUPPORTED_PROTOCOL, HF_REASON_NO_COMMON_VERSION},
    {SSL_R_VERSION_TOO_LOW, HF_REASON_NO_COMMON_VERSION},
    {SSL_R_VERSION_TOO_HIGH, HF_REASON_NO_COMMON_VERSION},
    {SSL_R_NO_PROTOCOLS_AVAILABLE, HF_REASON_NO_COMMON_VERSION},
    {SSL_R_INAPPROPRIATE_FALLBACK, HF_REASON_NO_COMMON_VERSION},
    {SSL_R_NO_SHARED_CIPHER, HF_REASON_NO_COMMON_SUITE},
    {SSL_R_NO_CIPHERS_AVAILABLE, HF_REASON_NO_COMMON_SUITE},
    {SSL_R_NO_SUITABLE_KEY_SHARE, HF_REASON_NO_COMMON_GROUP},
    {SSL_R_NO_SUITABLE_GROUPS, HF_REASON_NO_COMMON_GROUP},
    {SSL_R_NO_SHARED_GROUPS, HF_REASON_NO_COMMON_GROUP},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, HF_REASON_NO_COMMON_SIGNATURE},
    {SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, HF_REASON_NO_COMMON_SIGNATURE},
    {SSL_R_WRONG_SIGNATURE_TYPE, HF_REASON_NO_COMMON_SIGNATURE},
    {SSL_R_NO_APPLICATION_PROTOCOL, HF_REASON_NO_COMMON_ALPN},
    {SSL_R_BAD_SIGNATURE, HF_REASON_BAD_PROOF},
    {SSL_R_DIGEST_CHECK_FAILED, HF_REASON_BAD_PROOF},
    {SSL_R_BINDER_DOES_NOT_VERIFY, HF_REASON_BAD_PROOF},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, HF_REASON_NO_CERTIFICATE},
    {SSL_R_EXCESSIVE_MESSAGE_SIZE, HF_REASON_PROTOCOL},
    {ERR_R_MALLOC_FAILURE, HF_REASON_INTERNAL},
};

static enum hf_reason reason_of(unsigned long error)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == table[i].reason) {
            return table[i].ours;
        }
    }
    /* only certificates make libssl parse ASN.1 of the peer */
    return ERR_GET_LIB(error) == ERR_LIB_ASN1 ? HF_REASON_BAD_CERTIFICATE : HF_REASON_OK;
}

/* Takes the queue: the reason, and the error whose words tell it best. */
static enum hf_reason take_queue(unsigned long *out_error)
{
    enum hf_reason reason = HF_REASON_OK;
    *out_error = 0;
    for (unsigned long error; (error = ERR_get_error()) != 0;) {
        enum hf_reason ours = reason == HF_REASON_OK ? reason_of(error) : HF_REASON_OK;
        if (ours != HF_REASON_OK || *out_error == 0) {
            reason = ours;
            *out_error = error;
        }
    }
    return reason;
}

/* --- What came when it wasn't TLS --- */

static bool looks_like_http(const struct hf_ls_conn *conn)
{
    static const char *const starts[] = {"GET ", "POST", "PUT ", "HEAD", "OPTI", "DELE",
                                         "PATC", "CONN", "TRAC", "PRI ", "HTTP"};
    for (size_t i = 0; conn->n_first >= 4 && i < HF_N_ELEMENTS(starts); i++) {
        if (memcmp(conn->first, starts[i], 4) == 0) {
            return true;
        }
    }
    return false;
}

static bool looks_like_tls(const struct hf_ls_conn *conn)
{
    return conn->n_first < 2 ||
           (conn->first[0] >= 20 && conn->first[0] <= 23 && conn->first[1] == 3);
}

/* --- Words --- */

static void fail_with(struct hf_ls_conn *conn, enum hf_reason reason, const char *library)
{
    struct hf_tls *tls = &conn->base;
    char offers[HF_LS_OFFERS_TEXT];
    if (conn->alert_received != HF_ALERT_NONE &&
        reason == hf_reason_of_peer_alert(conn->alert_received)) {
        uint8_t alert = conn->alert_received;
        hf_tls_set_failure(
            tls, reason, "the %s %s%s (alert %s)", conn->client ? "server" : "client",
            hf_alert_is_about_certificate(alert) ? "rejected our certificate: it " : "",
            hf_alert_text(alert), hf_alert_name(alert));
    } else if (reason == HF_REASON_UNKNOWN_SNI) {
        hf_tls_set_failure(tls, reason,
                           conn->sni ? "no identity for the server name \"%s\""
                                     : "the client asks for no server name%s",
                           conn->sni ? conn->sni : "");
    } else if (hf_ls_offers_text(conn, reason, offers)) {
        hf_tls_set_failure(tls, reason, "%s", offers);
    } else {
        hf_tls_set_failure(tls, reason, "%s (libssl: %s)", hf_reason_text(reason), library);
    }
}

static enum hf_reason refine(struct hf_ls_conn *conn, enum hf_reason reason)
{
    if (conn->hint != HF_REASON_OK) {
        return conn->hint;
    }
    if (conn->alert_received != HF_ALERT_NONE) {
        return hf_reason_of_peer_alert(conn->alert_received);
    }
    if (conn->no_memory) {
        return HF_REASON_INTERNAL;
    }
    if (conn->state == HF_LS_HANDSHAKE && !looks_like_tls(conn)) {
        return looks_like_http(conn) ? HF_REASON_PLAIN_HTTP : HF_REASON_NOT_TLS;
    }
    if (reason != HF_REASON_OK) {
        return hf_ls_offers_reason(conn, reason);
    }
    return conn->alert_sent == HF_ALERT_INTERNAL_ERROR ? HF_REASON_INTERNAL : HF_REASON_PROTOCOL;
}

void hf_ls_fail(struct hf_ls_conn *conn)
{
    unsigned long error;
    enum hf_reason reason = refine(conn, take_queue(&error));
    const char *library = error ? ERR_reason_error_string(error) : NULL;
    fail_with(conn, reason, library ? library : "no reason given");
}

enum hf_err hf_ls_library_error(const char *what)
{
    unsigned long error = ERR_peek_last_error();
    const char *library = error ? ERR_reason_error_string(error) : NULL;
    ERR_clear_error();
    return hf_fail(HF_E_CRYPTO, "%s: %s", what, library ? library : "libssl gave no reason");
}
