// SPDX-License-Identifier: Apache-2.0
/*
 * hfprim: what each primitive costs, ours beside libcrypto's, on one thread and on each of two that
 * run at once. The second number tells what threads share: it should be the first.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "primitives.h"

enum { N_THREADS = 2 };

struct job {
    struct bench_kit *kit;
    void (*run)(struct bench_kit *kit);
    pthread_barrier_t *start;
    double ns;
};

static void *measure(void *arg)
{
    struct job *job = arg;
    pthread_barrier_wait(job->start);
    job->ns = bench_ns(job->run, job->kit);
    return NULL;
}

/* The slower of two threads that do the same at once. */
static double two_at_once(struct bench_kit *const kits[N_THREADS],
                          void (*run)(struct bench_kit *kit))
{
    pthread_t threads[N_THREADS];
    pthread_barrier_t start;
    struct job jobs[N_THREADS];
    pthread_barrier_init(&start, NULL, N_THREADS);
    for (size_t i = 0; i < N_THREADS; i++) {
        jobs[i] = (struct job){.kit = kits[i], .run = run, .start = &start};
        if (pthread_create(&threads[i], NULL, measure, &jobs[i]) != 0) {
            fprintf(stderr, "hfprim: a thread can't be started\n");
            exit(1);
        }
    }
    double worst = 0;
    for (size_t i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
        worst = jobs[i].ns > worst ? jobs[i].ns : worst;
    }
    pthread_barrier_destroy(&start);
    return worst;
}

static void print_cell(double ns)
{
    if (ns > 0) {
        printf(" %10.0f", ns);
    } else {
        printf(" %10s", "-");
    }
}

static void print_table(struct bench_kit *const kits[N_THREADS])
{
    printf("%-34s %10s %10s %10s %10s   ns of CPU\n", "", "ours", "two", "libcrypto", "two");
    for (const struct bench_primitive *p = bench_primitives; p->name; p++) {
        printf("%-34s", p->name);
        print_cell(bench_ns(p->ours, kits[0]));
        print_cell(two_at_once(kits, p->ours));
        print_cell(p->raw ? bench_ns(p->raw, kits[0]) : 0);
        print_cell(p->raw ? two_at_once(kits, p->raw) : 0);
        printf("\n");
        fflush(stdout);
    }
}

static void print_sum(void)
{
    struct bench_sum sum;
    if (bench_sum_of_primitives(&sum) == HF_OK) {
        printf("\nsum of primitives (sign + verify + generate + derive): "
               "%.1f + %.1f + %.1f + %.1f = %.1f us\n",
               sum.sign / 1e3, sum.verify / 1e3, sum.generate / 1e3, sum.derive / 1e3,
               sum.total / 1e3);
    }
}

int main(int argc, char **argv)
{
    struct bench_kit *kits[N_THREADS] = {NULL};
    if (argc > 1) {
        bool help = strcmp(argv[1], "--help") == 0;
        fprintf(help ? stdout : stderr, "usage: hfprim\nPrints what each primitive costs.\n");
        return help ? 0 : 2;
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        if (bench_kit_new(&kits[i]) != HF_OK) {
            fprintf(stderr, "hfprim: %s\n", hf_err_text());
            return 1;
        }
    }
    for (int alg = HF_AEAD_AES_128_GCM; alg <= HF_AEAD_CHACHA20_POLY1305; alg += 2) {
        printf("%s by %s\n", alg ? "ChaCha20-Poly1305" : "AES-GCM",
               hf_aead_backend_name((enum hf_aead_alg)alg));
    }
    print_table(kits);
    print_sum();
    for (size_t i = 0; i < N_THREADS; i++) {
        bench_kit_free(kits[i]);
    }
    return 0;
}
