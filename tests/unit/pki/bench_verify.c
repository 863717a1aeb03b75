// SPDX-License-Identifier: Apache-2.0
/*
 * What a peer's chain costs, by the number of threads at it; run by hand:
 *
 *     ninja -C build tests/unit/pki/bench_pki_verify && build/tests/unit/pki/bench_pki_verify
 *
 * store     a chain of two against an X509_STORE that all threads share
 * stack     the same against a plain stack, as hf_trust_verify does when it sees a chain first
 * parse     hf_chain_from_ders
 * identity  hf_identity_new of a fresh certificate
 * known     hf_trust_verify, identity and key of a chain that was seen before
 */
#include <openssl/x509_vfy.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pki/identity.h"
#include "testpki.h"

enum { ROUNDS = 4000, THREADS_MAX = 4 };

static struct {
    struct hf_chain *chain;
    struct hf_trust *trust;
    struct hf_bytes ders[2];
    X509_STORE *store;
    STACK_OF(X509) * stack;
} w;

static void need(bool good)
{
    if (!good) {
        abort();
    }
}

static void verify(X509_STORE *store, STACK_OF(X509) * stack)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *untrusted = sk_X509_new_null();
    sk_X509_push(untrusted, w.chain->certs[1]->x509);
    need(X509_STORE_CTX_init(ctx, store, w.chain->certs[0]->x509, untrusted));
    if (stack) {
        X509_STORE_CTX_set0_trusted_stack(ctx, stack);
    }
    X509_VERIFY_PARAM_set_time(X509_STORE_CTX_get0_param(ctx), (time_t)TESTPKI_NOW);
    need(X509_verify_cert(ctx) == 1);
    sk_X509_free(untrusted);
    X509_STORE_CTX_free(ctx);
}

static void by_store(void)
{
    verify(w.store, NULL);
}

static void by_stack(void)
{
    verify(NULL, w.stack);
}

static void by_parsing(void)
{
    struct hf_chain *chain = NULL;
    need(hf_chain_from_ders(w.ders, 2, &chain) == HF_OK);
    hf_chain_unref(chain);
}

static void by_naming(void)
{
    struct hf_cert *cert = NULL;
    struct hf_identity *id = NULL;
    need(hf_cert_from_x509(w.chain->certs[0]->x509, &cert) == HF_OK &&
         hf_identity_new(cert, &id) == HF_OK);
    hf_identity_unref(id);
    hf_cert_unref(cert);
}

static void by_memory(void)
{
    struct hf_identity *id = NULL;
    const struct hf_verify_key *key = NULL;
    struct hf_verify_result result;
    need(hf_trust_verify(w.trust, w.chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, &result) == HF_OK &&
         result.reason == HF_REASON_OK && hf_identity_new(w.chain->certs[0], &id) == HF_OK &&
         hf_cert_verify_key(w.chain->certs[0], &key) == HF_OK);
    hf_identity_unref(id);
    hf_verify_result_done(&result);
}

static const struct way {
    const char *name;
    void (*run)(void);
    int rounds;
} ways[] = {
    {"store", by_store, ROUNDS},        {"stack", by_stack, ROUNDS},
    {"parse", by_parsing, ROUNDS},      {"identity", by_naming, ROUNDS},
    {"known", by_memory, 100 * ROUNDS},
};

static void *run_rounds(void *ctx)
{
    const struct way *way = ctx;
    for (int i = 0; i < way->rounds; i++) {
        way->run();
    }
    return NULL;
}

/* CPU time of all threads, in microseconds per round. */
static double measure(const struct way *way, size_t n_threads)
{
    struct timespec before, after;
    pthread_t threads[THREADS_MAX];
    void *ctx = (void *)(uintptr_t)way;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (size_t i = 0; i < n_threads; i++) {
        need(pthread_create(&threads[i], NULL, run_rounds, ctx) == 0);
    }
    for (size_t i = 0; i < n_threads; i++) {
        pthread_join(threads[i], NULL);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    double us = (double)(after.tv_sec - before.tv_sec) * 1e6 +
                (double)(after.tv_nsec - before.tv_nsec) / 1e3;
    return us / ((double)way->rounds * (double)n_threads);
}

int main(void)
{
    struct testpki *root = testpki_root("Root");
    struct testpki *middle = testpki_intermediate(root, "Issuing");
    struct testpki *leaf = testpki_leaf(middle, "alice", HF_USAGE_CLIENT, "DNS:alice.example");
    w.chain = testpki_chain(leaf);
    w.trust = testpki_trust(root, 2);
    w.ders[0] = leaf->cert->der;
    w.ders[1] = middle->cert->der;
    w.store = X509_STORE_new();
    w.stack = sk_X509_new_null();
    need(X509_STORE_add_cert(w.store, root->x509) && sk_X509_push(w.stack, root->x509));
    printf("us of CPU per chain   1 thread  2 threads  4 threads\n");
    for (size_t i = 0; i < HF_N_ELEMENTS(ways); i++) {
        printf("%-20s", ways[i].name);
        for (size_t n = 1; n <= THREADS_MAX; n *= 2) {
            printf("%11.2f", measure(&ways[i], n));
        }
        printf("\n");
    }
    sk_X509_free(w.stack);
    X509_STORE_free(w.store);
    hf_trust_unref(w.trust);
    hf_chain_unref(w.chain);
    testpki_free(leaf);
    testpki_free(middle);
    testpki_free(root);
    return 0;
}
