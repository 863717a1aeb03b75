// SPDX-License-Identifier: Apache-2.0
#include "shim.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

/* What the flags expect of a handshake that is complete. */

static void check_text(const char *what, const char *got, const char *wanted)
{
    if (wanted && strcmp(got ? got : "", wanted) != 0) {
        die("%s mismatch: got %s, wanted %s", what, got ? got : "(none)", wanted);
    }
}

static void check_number(const char *what, int got, int wanted)
{
    if (wanted && got != wanted) {
        die("%s mismatch: got %04x, wanted %04x", what, (unsigned)got, (unsigned)wanted);
    }
}

static struct hf_chain *get_chain(const struct shim *shim)
{
    struct hf_chain *chain;
    if (hf_tls_get_peer_chain(shim->tls, &chain) != HF_OK) {
        die("no memory for the peer's chain");
    }
    return chain;
}

static void check_chain(const struct shim *shim)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = get_chain(shim);
    const char *path = shim->flags->expect_peer_cert_file;
    FILE *file = path ? fopen(path, "r") : NULL;
    size_t n = 0;
    if (!path) {
        return;
    }
    if (!chain || !file) {
        die("no peer chain, or can't read %s", path);
    }
    for (X509 *x509; (x509 = PEM_read_X509(file, NULL, NULL, NULL)); n++) {
        if (n >= chain->n_certs || X509_cmp(x509, chain->certs[n]->x509) != 0) {
            die("certificate %zu of the peer did not match", n + 1);
        }
        X509_free(x509);
    }
    fclose(file);
    if (n != chain->n_certs) {
        die("got %zu certificates of the peer, wanted %zu", chain->n_certs, n);
    }
}

static void check_peer(const struct shim *shim)
{
    const struct bogo_flags *flags = shim->flags;
    bool wanted = !flags->server || flags->require_any_client_certificate;
    struct hf_bytes staple = shim->tls->peer_staple;
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = get_chain(shim);
    if (wanted && !chain) {
        die("received no peer certificate but expected one");
    }
    if (flags->expect_ocsp_response.len &&
        !(shim->is_resume && !staple.len) && /* a resumption carries no certificate message */
        (!hf_bytes_eq(staple, flags->expect_ocsp_response) || !shim->staple_seen)) {
        die("OCSP response mismatch");
    }
    bool asked = !flags->server || flags->verify_peer || flags->require_any_client_certificate;
    if (flags->expect_verify_result && asked && !shim->is_resume && shim->n_judged == 0) {
        die("the peer was not judged");
    }
    check_chain(shim);
}

static void check_parameters(const struct shim *shim, const struct hf_tls_info *info)
{
    const struct bogo_flags *flags = shim->flags;
    const struct hf_native *conn = shim_native(shim);
    check_number("version", conn->door ? HF_TLS_1_2 : HF_TLS_1_3, flags->expect_version);
    if (conn->door) {
        if (flags->expect_curve_id || flags->expect_cipher || flags->expect_cipher_aes ||
            flags->expect_peer_signature_algorithm) {
            unimplemented("these numbers through the door");
        }
        return;
    }
    check_number("curve", conn->group, flags->expect_curve_id);
    check_number("cipher", conn->suite->id, flags->expect_cipher);
    check_number("cipher", conn->suite->id, flags->expect_cipher_aes);
    if (!info->resumed) { /* it isn't kept with a session */
        check_number("peer signature algorithm", info->peer_scheme,
                     flags->expect_peer_signature_algorithm);
    }
}

void shim_check(const struct shim *shim)
{
    const struct bogo_flags *flags = shim->flags;
    struct hf_tls_info info;
    hf_tls_info(shim->tls, &info);
    if (!info.complete) {
        die("the handshake is not complete");
    }
    bool resumed = shim->is_resume && !flags->expect_session_miss;
    if (info.resumed != resumed) {
        die("session unexpectedly was%s reused", info.resumed ? "" : " not");
    }
    check_parameters(shim, &info);
    check_text("server name", info.sni, flags->expect_server_name);
    const char *alpn = flags->server ? flags->select_alpn : flags->expect_alpn;
    check_text("alpn proto", info.alpn, alpn ? alpn : "");
    if ((flags->expect_hrr && !info.retried) || (flags->expect_no_hrr && info.retried)) {
        die("got %sHRR, but wanted the opposite", info.retried ? "" : "no ");
    }
    check_peer(shim);
}
