// SPDX-License-Identifier: Apache-2.0
#include "tls/native/peer.h"

#include <openssl/x509v3.h>

#include "tls/native/conn.h"

/* RFC 8446 4.4.2.2: the certificate must let its key sign. */
static bool may_sign(const struct hf_cert *leaf)
{
    return (X509_get_key_usage(leaf->x509) & KU_DIGITAL_SIGNATURE) != 0;
}

static enum hf_err parse(struct hf_native *conn, const struct hf_bytes *ders, size_t n,
                         struct hf_chain **out)
{
    enum hf_err err = hf_chain_from_ders(ders, n, out);
    if (err == HF_E_MALFORMED || err == HF_E_TOO_LARGE) {
        return hf_native_refuse(conn, HF_REASON_BAD_CERTIFICATE, "%.200s", hf_err_text());
    }
    return err;
}

static enum hf_err take_key(struct hf_native *conn, const struct hf_cert *leaf)
{
    EVP_PKEY *key = X509_get0_pubkey(leaf->x509);
    if (!key) {
        return hf_native_refuse(conn, HF_REASON_BAD_CERTIFICATE, "its key can't be parsed");
    }
    enum hf_err err = hf_verify_key_new(key, &conn->hs->peer_key);
    if (err == HF_E_UNSUPPORTED) {
        return hf_native_fail(conn, HF_ALERT_UNSUPPORTED_CERTIFICATE,
                              "wrong signature type: no scheme of ours fits its key");
    }
    return err;
}

enum hf_err hf_peer_set(struct hf_native *conn, const struct hf_bytes *ders, size_t n)
{
    struct hf_chain *chain HF_CLEANUP(hf_chain_unrefp) = NULL;
    HF_TRY(parse(conn, ders, n, &chain));
    if (!may_sign(chain->certs[0])) {
        return hf_native_fail(conn, HF_ALERT_UNSUPPORTED_CERTIFICATE,
                              "wrong key usage: its key is not for digital signatures");
    }
    HF_TRY(take_key(conn, chain->certs[0]));
    hf_tls_set_peer_chain(&conn->base, HF_TAKE(chain));
    return HF_OK;
}

enum hf_err hf_peer_restore(struct hf_native *conn, const struct hf_bytes *ders, size_t n)
{
    struct hf_chain *chain = NULL;
    if (n) {
        HF_TRY(hf_chain_from_ders(ders, n, &chain));
    }
    hf_tls_set_peer_chain(&conn->base, chain);
    return HF_OK;
}

enum hf_err hf_peer_judge(struct hf_native *conn)
{
    struct hf_tls_answer answer =
        hf_tls_judge_peer(&conn->base, conn->policy, conn->sni, conn->resumed);
    conn->admitted = answer.admit;
    if (answer.admit) {
        return HF_OK;
    }
    hf_native_set_alert(conn, answer.alert, HF_REASON_OK);
    return hf_fail(HF_E_PEER, "the peer was not admitted");
}
