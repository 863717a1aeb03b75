// SPDX-License-Identifier: Apache-2.0

/*
 * hfmem: client and server of the seam in one process, no sockets between, to see what an engine
 * itself costs. Counted is the CPU time of the calls into the server's half. The client's half is
 * libssl, but for `scale`, where both are ours. Beside it, in the same run: the public-key
 * operations that a handshake consists of and the sealing of a record, as plain calls of libcrypto.
 *
 * The judge admits everybody: this is the cost for a client whose chain is known.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mem.h"
#include "os/clock.h"
#include "primitives.h"
#include "support.h"

enum { BUF_CAP = 256 << 10, WARM_ROUNDS = 20, SAMPLES_MAX = 200000 };
enum { BULK = 64 << 10 };

/* One half: its connection, and what has come for it. */
struct half {
    struct hf_tls_ctx *ctx;
    struct hf_tls *tls;
    struct hf_buf in, out;
    enum hf_tls_step step;
    double us;
};

struct bench {
    struct hf_credential *server_identity, *client_identity;
    struct half server, client;
    struct hf_tls_session *session; /* NULL: full handshakes */
    unsigned long n_operations, n_resumed;
    double *samples; /* server's microseconds of each operation */
    size_t n_samples;
};

static uint8_t plain[BULK];

/* This thread's CPU time in microseconds. */
static double thread_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* --- Primitives --- */

enum { SIGN, VERIFY, GENERATE, DERIVE, SEAL, N_PRIMITIVES };

static const char *const primitive_names[N_PRIMITIVES] = {"ECDSA P-256 sign", "ECDSA P-256 verify",
                                                          "X25519 generate", "X25519 derive",
                                                          "AES-128-GCM seal 16 KiB"};

/* Microseconds of each, as libcrypto does it. */
static enum hf_err measure_primitives(double out[N_PRIMITIVES])
{
    struct bench_kit *kit;
    HF_TRY(bench_kit_new(&kit));
    for (size_t i = 0; i < N_PRIMITIVES; i++) {
        out[i] = 0;
        for (const struct bench_primitive *each = bench_primitives; each->name; each++) {
            if (strcmp(each->name, primitive_names[i]) == 0) {
                out[i] = bench_ns(each->raw, kit) / 1e3;
            }
        }
    }
    bench_kit_free(kit);
    return HF_OK;
}

/* --- Moving bytes --- */

static enum hf_tls_step call(struct half *half, size_t *out_read)
{
    struct hf_bytes in = hf_buf_bytes(&half->in);
    struct hf_tls_io io = {hf_span_of((uint8_t *)(uintptr_t)in.ptr, in.len), &half->out};
    struct hf_span into = hf_span_of(plain, sizeof(plain));
    double start = thread_us();
    enum hf_tls_step step;
    for (;;) {
        step = out_read ? hf_tls_read(half->tls, &io, into, out_read)
                        : hf_tls_handshake(half->tls, &io);
        if (step != HF_TLS_WANT_JOB) {
            break;
        }
        hf_tls_job_run(hf_tls_job(half->tls));
    }
    half->us += thread_us() - start;
    hf_buf_consume(&half->in, in.len - io.in.len);
    return half->step = step;
}

static enum hf_err move(struct half *from, struct half *to)
{
    HF_TRY(hf_buf_append(&to->in, hf_buf_bytes(&from->out)));
    hf_buf_reset(&from->out);
    return HF_OK;
}

static void half_reset(struct half *half)
{
    double start = thread_us();
    hf_tls_free(half->tls);
    half->us += thread_us() - start;
    half->tls = NULL;
    hf_buf_reset(&half->in);
    hf_buf_reset(&half->out);
}

static enum hf_err failed(const struct bench *bench)
{
    const struct hf_tls_failure *server = hf_tls_failure(bench->server.tls);
    const struct hf_tls_failure *client = hf_tls_failure(bench->client.tls);
    return hf_fail(HF_E_PEER, "server: %s; client: %s", server ? server->text : "waiting",
                   client ? client->text : "waiting");
}

/* --- Operations --- */

static enum hf_err connect_halves(struct bench *bench)
{
    half_reset(&bench->server);
    half_reset(&bench->client);
    double start = thread_us();
    HF_TRY(hf_tls_new_server(bench->server.ctx, NULL, &bench->server.tls));
    bench->server.us += thread_us() - start;
    HF_TRY(hf_tls_new_client(bench->client.ctx, NULL, "bench.example", bench->session,
                             &bench->client.tls));
    for (int turn = 0; turn < 4; turn++) {
        (void)call(&bench->client, NULL);
        HF_TRY(move(&bench->client, &bench->server));
        (void)call(&bench->server, NULL);
        HF_TRY(move(&bench->server, &bench->client));
        if (bench->server.step == HF_TLS_DONE && bench->client.step == HF_TLS_DONE) {
            return HF_OK;
        }
    }
    return failed(bench);
}

static void keep_session(struct bench *bench)
{
    size_t n;
    (void)call(&bench->client, &n); /* the tickets are in what came last */
    struct hf_tls_session *newest = hf_tls_take_session(bench->client.tls);
    if (newest) {
        hf_tls_session_free(bench->session);
        bench->session = newest;
    }
}

static enum hf_err run_handshake(struct bench *bench)
{
    HF_TRY(connect_halves(bench));
    bench->n_operations++;
    return HF_OK;
}

static enum hf_err run_resume(struct bench *bench)
{
    struct hf_tls_info info;
    HF_TRY(connect_halves(bench));
    hf_tls_info(bench->server.tls, &info);
    bench->n_operations++;
    bench->n_resumed += info.resumed;
    keep_session(bench);
    return HF_OK;
}

/* BULK bytes from one half to the other; both halves' time is counted, each in its own. */
static enum hf_err transfer(struct half *from, struct half *to)
{
    struct hf_tls_io io = {{NULL, 0}, &from->out};
    size_t n, got = 0;
    double start = thread_us();
    enum hf_tls_step step = hf_tls_write(from->tls, &io, hf_bytes_of(plain, BULK), &n);
    from->us += thread_us() - start;
    if (step != HF_TLS_DONE) {
        return hf_fail(HF_E_PEER, "write stopped at %zu bytes", n);
    }
    HF_TRY(move(from, to));
    while (got < BULK) {
        if (call(to, &n) != HF_TLS_DONE) {
            return hf_fail(HF_E_PEER, "read stopped at %zu bytes", got);
        }
        got += n;
    }
    return HF_OK;
}

static enum hf_err run_down(struct bench *bench)
{
    bench->n_operations++;
    return transfer(&bench->server, &bench->client);
}

static enum hf_err run_up(struct bench *bench)
{
    bench->n_operations++;
    return transfer(&bench->client, &bench->server);
}

/* --- Contexts --- */

static struct hf_tls_common common_of(enum hf_tls_engine engine)
{
    return (struct hf_tls_common){.engine = engine,
                                  .min_version = HF_TLS_1_3,
                                  .max_version = HF_TLS_1_3,
                                  .suites = "TLS_AES_128_GCM_SHA256",
                                  .groups = "X25519",
                                  .clock = &hf_os_clock,
                                  .rng = &hf_os_rng};
}

static enum hf_err make_server(struct bench *bench, enum hf_tls_engine engine, bool tickets)
{
    const struct hf_tls_policy policy = {.ask = HF_TLS_ASK_REQUIRED};
    struct hf_tls_server_config config = {
        .common = common_of(engine),
        .identities = &bench->server_identity,
        .n_identities = 1,
        .policies = &policy,
        .n_policies = 1,
        .tickets = tickets,
        .ticket_lifetime_s = 3600,
        .ticket_keys.n_keys = 1,
        .judge = {bench_admit},
    };
    struct hf_secret *secret = &config.ticket_keys.key[0].secret;
    secret->len = 32;
    HF_TRY(hf_rng_fill(&hf_os_rng, hf_span_of(secret->byte, secret->len)));
    return hf_tls_server_ctx_new(&config, &bench->server.ctx);
}

static enum hf_err make_client(struct bench *bench, enum hf_tls_engine engine)
{
    const struct hf_tls_client_config config = {
        .common = common_of(engine),
        .identities = &bench->client_identity,
        .n_identities = 1,
        .judge = {bench_admit},
    };
    return hf_tls_client_ctx_new(&config, &bench->client.ctx);
}

static void bench_done(struct bench *bench)
{
    struct half *halves[] = {&bench->server, &bench->client};
    for (size_t i = 0; i < 2; i++) {
        half_reset(halves[i]);
        hf_tls_ctx_unref(halves[i]->ctx);
        hf_buf_done(&halves[i]->in);
        hf_buf_done(&halves[i]->out);
        *halves[i] = (struct half){0};
    }
    hf_tls_session_free(bench->session);
    bench->session = NULL;
}

/* --- Measures --- */

struct mode {
    const char *name;   /* on the command line */
    const char *suffix; /* in the report */
    enum hf_err (*run)(struct bench *bench);
    bool tickets, kept; /* kept: one connection carries all operations */
};

static const struct mode modes[] = {
    {"handshake", "", run_handshake, false, false},
    {"resume", "", run_resume, true, false},
    {"bulk", ", sealing", run_down, false, true},
    {"bulk", ", opening", run_up, false, true},
};

/* What the mode can't do without. */
static double bound_of(const struct mode *mode, const double primitives[N_PRIMITIVES])
{
    double exchange = primitives[GENERATE] + primitives[DERIVE];
    if (mode->kept) {
        return primitives[SEAL] * (1073741824.0 / 16384) / 1e3; /* ms for 1 GiB */
    }
    return mode->tickets ? exchange : exchange + primitives[SIGN] + primitives[VERIFY];
}

static enum hf_err repeat(struct bench *bench, const struct mode *mode, unsigned long seconds)
{
    for (int i = 0; i < WARM_ROUNDS; i++) {
        HF_TRY(mode->run(bench));
    }
    bench->n_operations = bench->n_resumed = 0;
    int64_t end = hf_clock_mono_ns(&hf_os_clock) + (int64_t)seconds * 1000000000;
    for (bench->n_samples = 0; bench->n_samples < SAMPLES_MAX; bench->n_samples++) {
        bench->server.us = 0;
        HF_TRY(mode->run(bench));
        bench->samples[bench->n_samples] = bench->server.us;
        if (hf_clock_mono_ns(&hf_os_clock) > end) {
            break;
        }
    }
    return HF_OK;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static enum hf_err measure(struct bench *bench, const struct mode *mode, enum hf_tls_engine engine,
                           unsigned long seconds)
{
    HF_TRY(make_server(bench, engine, mode->tickets));
    HF_TRY(make_client(bench, HF_TLS_ENGINE_LIBSSL));
    bench->server.in = bench->server.out = HF_BUF_INIT(BUF_CAP);
    bench->client.in = bench->client.out = HF_BUF_INIT(BUF_CAP);
    if (mode->kept) {
        HF_TRY(connect_halves(bench));
    }
    HF_TRY(repeat(bench, mode, seconds));
    if (mode->tickets && bench->n_resumed != bench->n_operations) {
        return hf_fail(HF_E_INTERNAL, "%lu of %lu handshakes weren't resumed",
                       bench->n_operations - bench->n_resumed, bench->n_operations);
    }
    return HF_OK;
}

/* The median, and the tenth percentile: that one is compared with the primitives, which are the
 * least of several rounds, so that other work on the machine weighs little on either. */
static void report(struct bench *bench, const struct mode *mode, const char *engine,
                   const double primitives[N_PRIMITIVES], bool first)
{
    qsort(bench->samples, bench->n_samples, sizeof(double), by_value);
    double factor = mode->kept ? (1073741824.0 / BULK) / 1e3 : 1;
    double median = bench->samples[bench->n_samples / 2] * factor;
    double low = bench->samples[bench->n_samples / 10] * factor;
    printf("%s\n  {\"engine\": \"%s%s\", \"value\": %.2f, \"low\": %.2f, \"unit\": \"%s\", "
           "\"operations\": %lu, \"ratio\": %.3f}",
           first ? "" : ",", engine, mode->suffix, median, low,
           mode->kept ? "ms/GiB" : "us/handshake", bench->n_operations,
           low / bound_of(mode, primitives));
}

/* Every engine of this build, in every measure of this mode. */
static enum hf_err measure_all(struct bench *bench, const char *mode, unsigned long seconds,
                               const double primitives[N_PRIMITIVES])
{
    static const char *const engines[] = {"libssl", "native"};
    bool first = true;
    for (size_t i = 0; i < HF_N_ELEMENTS(modes) * HF_N_ELEMENTS(engines); i++) {
        const struct mode *each = &modes[i / HF_N_ELEMENTS(engines)];
        const char *name = engines[i % HF_N_ELEMENTS(engines)];
        enum hf_tls_engine engine;
        if (strcmp(each->name, mode) != 0) {
            continue;
        }
        HF_TRY(bench_engine(name, &engine));
        enum hf_err err = measure(bench, each, engine, seconds);
        if (!err) {
            report(bench, each, name, primitives, first);
            first = false;
        }
        bench_done(bench);
        if (err && err != HF_E_UNSUPPORTED) {
            return err;
        }
    }
    return first ? hf_fail(HF_E_USAGE, "no such mode: %s", mode) : HF_OK;
}

/* --- Several threads on one server context -------------------------------------------------------
 * As workers do it. Each thread's own CPU time and its own waits are counted, so that other work on
 * the machine counts for little: whatever threads do to each other, by locks or by shared memory,
 * is dearer handshakes or waits.
 */

enum { THREADS_MAX = 2 };

struct worker {
    pthread_t thread;
    struct bench bench;
    unsigned long seconds;
    double samples[SAMPLES_MAX];
    unsigned long n_waits;
    enum hf_err err;
};

static unsigned long waits_so_far(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_THREAD, &usage);
    return (unsigned long)usage.ru_nvcsw; /* there is nothing to wait for but locks */
}

static void *work(void *ctx)
{
    struct worker *worker = ctx;
    unsigned long before = waits_so_far();
    worker->err = repeat(&worker->bench, &modes[0], worker->seconds);
    worker->n_waits = waits_so_far() - before;
    return NULL;
}

static enum hf_err start_worker(struct worker *worker, const struct bench *shared,
                                unsigned long seconds)
{
    worker->bench = (struct bench){.client_identity = shared->client_identity,
                                   .samples = worker->samples,
                                   .server.ctx = hf_tls_ctx_ref(shared->server.ctx)};
    worker->bench.server.in = worker->bench.server.out = HF_BUF_INIT(BUF_CAP);
    worker->bench.client.in = worker->bench.client.out = HF_BUF_INIT(BUF_CAP);
    worker->seconds = seconds;
    HF_TRY(make_client(&worker->bench, HF_TLS_ENGINE_NATIVE));
    return pthread_create(&worker->thread, NULL, work, worker) ? HF_E_NOMEM : HF_OK;
}

/* Runs n threads; prints the mean over them of their median handshake. */
static enum hf_err scale_to(const struct bench *shared, struct worker *workers, size_t n,
                            unsigned long seconds)
{
    double sum = 0;
    unsigned long n_operations = 0, n_waits = 0;
    enum hf_err err = HF_OK;
    size_t started = 0;
    while (started < n && !err) {
        err = start_worker(&workers[started], shared, seconds);
        started += !err;
    }
    for (size_t i = 0; i < started; i++) {
        struct worker *worker = &workers[i];
        (void)pthread_join(worker->thread, NULL);
        err = err ? err : worker->err;
        qsort(worker->samples, worker->bench.n_samples, sizeof(double), by_value);
        sum += worker->samples[worker->bench.n_samples / 2];
        n_operations += worker->bench.n_operations;
        n_waits += worker->n_waits;
        bench_done(&worker->bench);
    }
    printf("%s\n  {\"threads\": %zu, \"value\": %.2f, \"operations\": %lu, \"waits\": %lu}",
           n > 1 ? "," : "", n, sum / (double)n, n_operations, n_waits);
    return err;
}

static enum hf_err scale(struct bench *bench, unsigned long seconds)
{
    struct worker *workers = hf_alloc_zero(THREADS_MAX, sizeof(*workers));
    if (!workers) {
        return HF_E_NOMEM;
    }
    enum hf_err err = make_server(bench, HF_TLS_ENGINE_NATIVE, false);
    for (size_t n = 1; n <= THREADS_MAX && !err; n++) {
        err = scale_to(bench, workers, n, seconds);
    }
    hf_free(workers);
    return err;
}

static enum hf_err run(char **words)
{
    struct bench bench = {0};
    double primitives[N_PRIMITIVES];
    HF_TRY(bench_credential(words[3], words[4], &bench.server_identity));
    HF_TRY(bench_credential(words[5], words[6], &bench.client_identity));
    HF_TRY(measure_primitives(primitives));
    bench.samples = hf_alloc(SAMPLES_MAX * sizeof(double));
    if (!bench.samples) {
        return HF_E_NOMEM;
    }
    printf("{\"mode\": \"%s\",\n \"primitives\": {", words[1]);
    for (size_t i = 0; i < N_PRIMITIVES; i++) {
        printf("%s\"%s\": %.2f", i ? ", " : "", primitive_names[i], primitives[i]);
    }
    printf("},\n \"engines\": [");
    unsigned long seconds = strtoul(words[2], NULL, 10);
    enum hf_err err = strcmp(words[1], "scale") == 0
                          ? scale(&bench, seconds)
                          : measure_all(&bench, words[1], seconds, primitives);
    bench_done(&bench);
    hf_credential_unref(bench.server_identity);
    hf_credential_unref(bench.client_identity);
    hf_free(bench.samples);
    printf("\n ]}\n");
    return err;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "usage: hfmem handshake|resume|bulk|scale SECONDS SERVER-CERT SERVER-KEY "
                        "CLIENT-CERT CLIENT-KEY\n");
        return 2;
    }
    if (run(argv)) {
        fprintf(stderr, "hfmem: %s\n", hf_err_text());
        return 1;
    }
    return 0;
}
