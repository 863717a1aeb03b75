// SPDX-License-Identifier: Apache-2.0
/*
 * A store at work, for tests that kill it, starve it, or start two at once:
 *
 *     store_driver work URL THREADS N [TIMEOUT_MS]   issues, revokes and takes CRL numbers
 *     store_driver check URL < acknowledged          is everything there, and whole?
 *
 * `work` writes a line for each operation when it has been acknowledged, never before:
 * "issued SERIAL", "revoked SERIAL", "crl NUMBER"; and "failed CODE SENTENCE" for one that wasn't.
 */
#include <openssl/sha.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ca/store.h"
#include "os/clock.h"
#include "os/thread.h"

enum { THREADS_MAX = 64, SERIAL_SIZE = 16 };

static struct hf_store *store;
static int64_t authority;
static atomic_int left;

static void say(const char *verb, const char *what, const char *more)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "%s %s %s\n", verb, what, more);
    if (write(STDOUT_FILENO, line, (size_t)n) != n) {
        exit(3); /* nobody listens any more */
    }
}

static int die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, hf_err_text());
    return 1;
}

static enum hf_err open_store(const char *url, unsigned timeout_ms)
{
    struct hf_store_options options = {
        .url = url, .create = true, .clock = &hf_os_clock, .timeout_ms = timeout_ms};
    return hf_store_open(&options, &store);
}

static enum hf_err take_authority(void *ctx, const struct hf_store_authority *a)
{
    (void)ctx;
    authority = a->id;
    return HF_OK;
}

/* Several may start at once: one of them makes it. */
static enum hf_err find_authority(void)
{
    struct hf_store_authority_put put = {
        .op = {.kind = HF_STORE_AUTHORITY_PUT, .actor = "driver"},
        .authority = {.name = "driver", .state = HF_AUTHORITY_ACTIVE},
    };
    enum hf_err err = hf_store_do(store, &put.op);
    return err == HF_OK || err == HF_E_EXISTS ? hf_store_authorities(store, take_authority, NULL)
                                              : err;
}

/* --- Work --------------------------------------------------------------------------------------
 */

static bool act(struct hf_store_op *op, const char *done, const char *what)
{
    enum hf_err err = hf_store_do(store, op);
    if (err == HF_OK) {
        say(done, what, "");
    } else {
        say("failed", hf_err_name(err), hf_err_text());
    }
    return err == HF_OK;
}

static void issue_and_revoke(void)
{
    uint8_t serial[SERIAL_SIZE];
    char hex[2 * SERIAL_SIZE + 1];
    if (hf_rng_fill(&hf_os_rng, hf_span_of(serial, sizeof(serial))) != HF_OK) {
        abort();
    }
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 1);
    hf_hex(hf_bytes_of(serial, sizeof(serial)), hex);
    struct hf_store_issue issue = {
        .op = {.kind = HF_STORE_ISSUE, .actor = "driver"},
        .cert = {.authority = authority,
                 .serial = hf_bytes_of(serial, sizeof(serial)),
                 .der = hf_bytes_of(serial, sizeof(serial)),
                 .identity = hex,
                 .not_after = hf_clock_wall_s(&hf_os_clock) + 86400},
    };
    SHA256(serial, sizeof(serial), issue.cert.sha256);
    struct hf_store_revoke revoke = {
        .op = {.kind = HF_STORE_REVOKE, .actor = "driver"},
        .authority = authority,
        .serial = issue.cert.serial,
        .reason = 1,
    };
    if (act(&issue.op, "issued", hex)) {
        (void)act(&revoke.op, "revoked", hex);
    }
}

static void take_number(void)
{
    char text[32];
    struct hf_store_crl_number take = {.op = {.kind = HF_STORE_CRL_NUMBER, .actor = "driver"},
                                       .authority = authority};
    if (hf_store_do(store, &take.op) == HF_OK) {
        snprintf(text, sizeof(text), "%lld", (long long)take.number);
        say("crl", text, "");
    }
}

static void run(void *arg)
{
    (void)arg;
    for (int n; (n = atomic_fetch_sub(&left, 1)) > 0;) {
        issue_and_revoke();
        if (n % 5 == 0) {
            take_number();
        }
    }
}

static int work(const char *url, unsigned n_threads, int n, unsigned timeout_ms)
{
    static struct hf_thread threads[THREADS_MAX];
    if (open_store(url, timeout_ms) != HF_OK || find_authority() != HF_OK) {
        return die(url);
    }
    say("ready", "", "");
    atomic_store(&left, n);
    for (unsigned i = 0; i < n_threads && i < THREADS_MAX; i++) {
        if (hf_thread_start(&threads[i], "driver", run, NULL) != HF_OK) {
            return die("thread");
        }
    }
    for (unsigned i = 0; i < n_threads && i < THREADS_MAX; i++) {
        hf_thread_join(&threads[i]);
    }
    hf_store_close(store);
    return 0;
}

/* --- Check -------------------------------------------------------------------------------------
 */

static int wrong(const char *what, const char *which)
{
    fprintf(stderr, "%s: %s\n", what, which);
    return 1;
}

static int check_cert(const char *verb, const char *hex)
{
    uint8_t serial[SERIAL_SIZE];
    struct hf_store_standing standing;
    if (hf_unhex(hex, hf_span_of(serial, sizeof(serial))) != HF_OK ||
        hf_store_standing(store, authority, hf_bytes_of(serial, sizeof(serial)), &standing) !=
            HF_OK) {
        return die(hex);
    }
    if (!standing.known) {
        return wrong("a certificate that was acknowledged is lost", hex);
    }
    if (strcmp(verb, "revoked") == 0 && standing.status != HF_STATUS_REVOKED) {
        return wrong("a revocation that was acknowledged is lost", hex);
    }
    return 0;
}

static int check_lines(int64_t *out_highest)
{
    char line[512];
    while (fgets(line, sizeof(line), stdin)) {
        char verb[16];
        char what[64];
        if (sscanf(line, "%15s %63s", verb, what) == 2) {
            if (strcmp(verb, "crl") == 0) {
                int64_t number = strtoll(what, NULL, 10);
                *out_highest = number > *out_highest ? number : *out_highest;
            } else if (strcmp(verb, "failed") != 0 && check_cert(verb, what) != 0) {
                return 1;
            }
        }
    }
    return 0;
}

static int check_rest(int64_t highest)
{
    struct hf_store_verified verified;
    struct hf_store_crl_number take = {.op = {.kind = HF_STORE_CRL_NUMBER, .actor = "driver"},
                                       .authority = authority};
    if (hf_store_audit_verify(store, 0, NULL, &verified) != HF_OK) {
        return die("audit");
    }
    if (verified.bad_seq) {
        return wrong("the audit is broken", verified.what);
    }
    if (hf_store_do(store, &take.op) != HF_OK) {
        return die("crl");
    }
    if (take.number <= highest) {
        return wrong("a CRL number came back", "");
    }
    printf("%lld lines of audit\n", (long long)verified.lines);
    return 0;
}

static int check(const char *url)
{
    int64_t highest = 0;
    if (open_store(url, 0) != HF_OK || find_authority() != HF_OK) {
        return die(url);
    }
    int status = check_lines(&highest);
    if (status == 0) {
        status = check_rest(highest);
    }
    hf_store_close(store);
    return status;
}

int main(int argc, char **argv)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    if (argc == 3 && strcmp(argv[1], "check") == 0) {
        return check(argv[2]);
    }
    if ((argc == 5 || argc == 6) && strcmp(argv[1], "work") == 0) {
        return work(argv[2], (unsigned)atoi(argv[3]), atoi(argv[4]),
                    argc == 6 ? (unsigned)atoi(argv[5]) : 0);
    }
    fprintf(stderr, "store_driver work URL THREADS N [TIMEOUT_MS] | store_driver check URL\n");
    return 2;
}
