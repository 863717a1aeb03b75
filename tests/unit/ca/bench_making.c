// SPDX-License-Identifier: Apache-2.0
/* What it costs to make a certificate of a request: build/tests/unit/ca/bench_ca_making [N [p256]].
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ca/csr.h"
#include "ca/weak_key.h"
#include "making.h"

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void need(enum hf_err err)
{
    if (err != HF_OK) {
        fprintf(stderr, "%s\n", hf_err_text());
        exit(1);
    }
}

/* The steps, and what each took in all. */
enum { PARSE, WEAK, MAKE, N_STEPS };
static const char *const steps[] = {"request read, its signature checked", "key checked",
                                    "certificate written, linted, signed, signature checked"};

static void one(struct hf_bytes request, const struct hf_cert_profile *profile,
                const struct hf_issuer *issuer, double *spent)
{
    static const char *const crl[] = {"http://ca.example.org/crl/7.crl"};
    static const char *const ocsp[] = {"http://ca.example.org/ocsp"};
    struct hf_csr *csr = NULL;
    struct hf_made_cert made;
    enum hf_refusal why;
    double begin = cpu_us();
    need(hf_csr_parse(request, "bench", &csr, &why));
    double parsed = cpu_us();
    need(hf_weak_key_check(csr->key, NULL, &why, NULL));
    double checked = cpu_us();
    const struct hf_cert_facts facts = {.key = csr->key,
                                        .subject = &csr->subject,
                                        .names = &csr->names,
                                        .crl_urls = crl,
                                        .n_crl_urls = 1,
                                        .ocsp_urls = ocsp,
                                        .n_ocsp_urls = 1};
    need(hf_cert_make(profile, &facts, issuer, MAKING_NOW, &hf_os_rng, &made, &why));
    hf_made_cert_done(&made);
    hf_csr_free(csr);
    double end = cpu_us();
    spent[PARSE] += parsed - begin;
    spent[WEAK] += checked - parsed;
    spent[MAKE] += end - checked;
}

static void bench(enum hf_key_kind kind, long n)
{
    struct making_ca root = making_root(kind);
    struct making_ca issuing = making_below(&root, kind, NULL);
    struct hf_cert_profile *profile = making_builtin("service");
    EVP_PKEY *key = making_key(kind == HF_KEY_KIND_RSA3072 ? HF_KEY_KIND_RSA2048 : kind);
    struct hf_subject subject = {0};
    struct hf_alt_names names = {0};
    struct hf_buf request = HF_BUF_INIT(1 << 16);
    double spent[N_STEPS] = {0}, all = 0;
    need(hf_subject_parse("CN=db-7,O=Example", &subject));
    need(hf_alt_names_add_text(&names, "DNS:db-7.example.org"));
    need(hf_alt_names_add_text(&names, "URI:spiffe://example.org/db/7"));
    need(hf_csr_make(&subject, &names, false, key, &request));
    for (long i = 0; i < n; i++) {
        one(hf_buf_bytes(&request), profile, issuing.issuer, spent);
    }
    printf("%s:\n", hf_key_kind_text(kind));
    for (size_t i = 0; i < N_STEPS; i++) {
        printf("  %7.1f us  %s\n", spent[i] / (double)n, steps[i]);
        all += spent[i];
    }
    printf("  %7.1f us  in all: %.0f a second on one core\n", all / (double)n,
           1e6 * (double)n / all);
    hf_buf_done(&request);
    hf_alt_names_done(&names);
    hf_subject_done(&subject);
    EVP_PKEY_free(key);
    hf_cert_profile_unref(profile);
    making_ca_done(&issuing);
    making_ca_done(&root);
}

int main(int argc, char **argv)
{
    static const enum hf_key_kind kinds[] = {HF_KEY_KIND_P256, HF_KEY_KIND_ED25519,
                                             HF_KEY_KIND_RSA3072};
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 5000;
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        if (argc < 3 || hf_key_kind_by_word(argv[2]) == kinds[i]) {
            bench(kinds[i], kinds[i] == HF_KEY_KIND_RSA3072 ? n / 50 + 1 : n);
        }
    }
    return 0;
}
