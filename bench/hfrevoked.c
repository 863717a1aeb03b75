// SPDX-License-Identifier: Apache-2.0
/*
 * What telling of revocations costs a CA:
 *
 *     hfrevoked crl URL     a full list of everything that is revoked in a store, as published
 *     hfrevoked ocsp N      N OCSP answers signed on the spot, from the request's bytes to the
 * answer's
 *
 * One object of JSON on stdout. `hfstore` fills a store.
 */
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "ca/crl_build.h"
#include "ca/ocsp_reply.h"
#include "ca/store.h"
#include "os/clock.h"
#include "pki/ocsp_request.h"

static const uint8_t ecdsa_sha256[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                       0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};

static int die(const char *what)
{
    fprintf(stderr, "hfrevoked: %s: %s\n", what, hf_err_text());
    return 1;
}

static double cpu_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double wall_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long peak_kib(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

/* A CA of the moment: P-256, signed by itself. */
static bool make_ca(EVP_PKEY **out_key, struct hf_cert **out_cert)
{
    X509 *x509 = X509_new();
    *out_key = EVP_EC_gen("P-256");
    bool good =
        x509 && *out_key && X509_set_version(x509, X509_VERSION_3) &&
        ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) &&
        X509_gmtime_adj(X509_getm_notBefore(x509), -60) &&
        X509_gmtime_adj(X509_getm_notAfter(x509), 86400) && X509_set_pubkey(x509, *out_key) &&
        X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                                   (const unsigned char *)"Bench", -1, -1, 0) &&
        X509_set_issuer_name(x509, X509_get_subject_name(x509)) &&
        X509_sign(x509, *out_key, EVP_sha256()) && hf_cert_from_x509(x509, out_cert) == HF_OK;
    X509_free(x509);
    return good;
}

/* --- Lists --------------------------------------------------------------------------------------
 */

static int64_t authority;

static enum hf_err take_authority(void *ctx, const struct hf_store_authority *a)
{
    (void)ctx;
    authority = a->id;
    return HF_OK;
}

static enum hf_err add(void *ctx, const struct hf_store_revocation *r)
{
    return hf_crl_builder_add(ctx, r->serial, r->at, r->reason);
}

static int bench_crl(const char *url)
{
    struct hf_store *store = NULL;
    struct hf_crl_builder *builder = NULL;
    struct hf_crl_file file = HF_CRL_FILE_NONE;
    struct hf_cert *cert = NULL;
    EVP_PKEY *key = NULL;
    int64_t seq;
    struct hf_store_options options = {.url = url, .clock = &hf_os_clock};
    if (!make_ca(&key, &cert) || hf_store_open(&options, &store) != HF_OK ||
        hf_store_authorities(store, take_authority, NULL) != HF_OK) {
        return die(url);
    }
    struct hf_signer signer = {.key = key,
                               .kind = HF_KEY_KIND_P256,
                               .algorithm = hf_bytes_of(ecdsa_sha256, sizeof(ecdsa_sha256))};
    int64_t now = hf_clock_wall_s(&hf_os_clock);
    struct hf_crl_plan plan = {.issuer = cert,
                               .signer = &signer,
                               .number = 1,
                               .this_update = now,
                               .next_update = now + 86400};
    double wall = wall_s(), cpu = cpu_s();
    if (hf_crl_builder_new(&plan, NULL, &builder) != HF_OK ||
        hf_store_revoked(store, authority, -1, 0, add, builder, &seq) != HF_OK ||
        hf_crl_builder_end(builder, &file) != HF_OK) {
        return die("the list");
    }
    printf("{\"entries\": %llu, \"bytes\": %llu, \"wall_s\": %.3f, \"cpu_s\": %.3f, "
           "\"peak_kib\": %ld}\n",
           (unsigned long long)file.n_entries, (unsigned long long)file.size, wall_s() - wall,
           cpu_s() - cpu, peak_kib());
    hf_crl_builder_free(builder);
    hf_crl_file_done(&file);
    hf_store_close(store);
    hf_cert_unref(cert);
    EVP_PKEY_free(key);
    return 0;
}

/* --- OCSP ---------------------------------------------------------------------------------------
 */

static int bench_ocsp(long n)
{
    struct hf_cert *cert = NULL;
    EVP_PKEY *key = NULL;
    struct hf_ocsp_signer *signer = NULL;
    struct hf_ocsp_id id;
    struct hf_ocsp_ask ask;
    struct hf_buf request = HF_BUF_INIT(HF_OCSP_REQUEST_MAX);
    struct hf_buf out = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    int64_t now = hf_clock_wall_s(&hf_os_clock);
    struct hf_ocsp_said said = {.this_update = now, .next_update = now + 3600};
    struct hf_crypto *crypto = hf_crypto_here();
    if (!crypto || !make_ca(&key, &cert) || hf_ocsp_signer_new(cert, key, cert, &signer) != HF_OK ||
        hf_ocsp_id_of(cert, cert, HF_OCSP_SHA1, &id) != HF_OK ||
        hf_ocsp_request_write(&id, 1, hf_bytes_str("a nonce of some length"), &request) != HF_OK) {
        return die("a responder");
    }
    double cpu = cpu_s();
    for (long i = 0; i < n; i++) {
        hf_buf_reset(&out);
        if (hf_ocsp_ask_read(hf_buf_bytes(&request), &ask) != HF_OK ||
            hf_ocsp_reply_write(crypto, signer, &ask, &said, now, &out) != HF_OK) {
            return die("an answer");
        }
    }
    printf("{\"answers\": %ld, \"cpu_us\": %.2f}\n", n, (cpu_s() - cpu) * 1e6 / (double)n);
    hf_buf_done(&request);
    hf_buf_done(&out);
    hf_ocsp_signer_unref(signer);
    hf_cert_unref(cert);
    EVP_PKEY_free(key);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "crl") == 0) {
        return bench_crl(argv[2]);
    }
    if (argc == 3 && strcmp(argv[1], "ocsp") == 0) {
        return bench_ocsp(strtol(argv[2], NULL, 10));
    }
    fprintf(stderr, "usage: hfrevoked crl URL | ocsp N\n");
    return 2;
}
