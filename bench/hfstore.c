// SPDX-License-Identifier: Apache-2.0
/*
 * What the CA's store costs:
 *
 *     hfstore fill URL N      issues N certificates, in groups as they come; CPU and time of each
 *     hfstore revoke URL N    revokes N of them that aren't
 *     hfstore pages URL       reads pages of every list, at its beginning and far into it
 *     hfstore crl URL         reads everything that is revoked, as a CRL would
 *
 * Figures on stdout, one a line.
 */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mem.h"
#include "ca/store.h"
#include "ca/store/bulk.h"
#include "os/clock.h"

enum { DER_SIZE = 700, FAR = 40, RUNS = 9, REVOKE_PAGE = 1000 };

static struct hf_store *store;
static int64_t authority;

static int die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, hf_err_text());
    return 1;
}

static double now_s(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void report(const char *what, long n, double wall, double cpu)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%s: %ld in %.1f s: %.1f us each, %.1f us of CPU each; peak memory %ld MB\n", what, n,
           wall, wall * 1e6 / (double)n, cpu * 1e6 / (double)n, usage.ru_maxrss / 1024);
}

/* A CA's own that issues, or the one made here. */
static enum hf_err take_authority(void *ctx, const struct hf_store_authority *a)
{
    (void)ctx;
    authority = !authority || strcmp(a->name, "issuing") == 0 ? a->id : authority;
    return HF_OK;
}

static enum hf_err prepare(const char *url)
{
    struct hf_store_options options = {.url = url, .create = true, .clock = &hf_os_clock};
    HF_TRY(hf_store_open(&options, &store));
    struct hf_store_authority_put put = {
        .op = {.kind = HF_STORE_AUTHORITY_PUT, .actor = "bench"},
        .authority = {.name = "bench", .state = HF_AUTHORITY_ACTIVE},
    };
    HF_TRY(hf_store_authorities(store, take_authority, NULL));
    if (!authority) {
        HF_TRY(hf_store_do(store, &put.op));
        authority = put.authority.id;
    }
    return HF_OK;
}

/* --- Filling -----------------------------------------------------------------------------------
 */

static enum hf_err issue_one(struct hf_bulk *bulk, int64_t now, long i)
{
    static const char *const profiles[] = {"user", "service", "device", "server"};
    uint8_t serial[16];
    uint8_t der[DER_SIZE];
    char identity[64];
    char subject[128];
    char sans[128];
    HF_TRY(hf_rng_fill(&hf_os_rng, hf_span_of(serial, sizeof(serial))));
    serial[0] = (uint8_t)((serial[0] & 0x7f) | 1);
    memset(der, 0x30, sizeof(der));
    memcpy(der, serial, sizeof(serial));
    snprintf(identity, sizeof(identity), "spiffe://example.org/ns/n%ld/app%ld", i % 1000, i);
    snprintf(subject, sizeof(subject), "CN=app%ld,OU=Unit %ld,O=Example", i, i % 50);
    snprintf(sans, sizeof(sans), "URI:%s", identity);
    struct hf_store_issue issue = {
        .op = {.kind = HF_STORE_ISSUE, .actor = "bench"},
        .cert = {.authority = authority,
                 .serial = hf_bytes_of(serial, sizeof(serial)),
                 .der = hf_bytes_of(der, sizeof(der)),
                 .profile = i % 10000 == 0 ? "rare" : profiles[i % 4],
                 .identity = identity,
                 .subject = subject,
                 .sans = sans,
                 .key_type = i % 7 ? "EC P-256" : "RSA 2048",
                 .not_before = now,
                 .not_after = now + 86400 + (i * 7919) % (365 * 86400),
                 .requester = i % 3 ? "spiffe://example.org/agent" : "cli:root"},
    };
    SHA256(der, sizeof(der), issue.cert.sha256);
    SHA256(serial, sizeof(serial), issue.cert.spki_sha256);
    return hf_bulk_issue(bulk, &issue);
}

static int fill(long n)
{
    struct hf_bulk bulk;
    int64_t now = hf_clock_wall_s(&hf_os_clock);
    double wall = now_s(CLOCK_MONOTONIC);
    double cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    enum hf_err err = hf_bulk_init(&bulk, store);
    for (long i = 0; err == HF_OK && i < n; i++) {
        err = issue_one(&bulk, now, i);
    }
    if (hf_bulk_done(&bulk) != HF_OK || err != HF_OK) {
        return die("fill");
    }
    report("issue", n, now_s(CLOCK_MONOTONIC) - wall, now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    return 0;
}

/* --- Revoking ----------------------------------------------------------------------------------
 */

struct serials {
    uint8_t (*serial)[16];
    long n, max;
};

static enum hf_err keep_serial(void *ctx, const struct hf_store_cert *cert)
{
    struct serials *serials = ctx;
    if (serials->n < serials->max && cert->serial.len == 16) {
        memcpy(serials->serial[serials->n++], cert->serial.ptr, 16);
    }
    return HF_OK;
}

static enum hf_err gather(struct serials *serials)
{
    struct hf_store_page page = {.more = true};
    char cursor[HF_STORE_CURSOR_SIZE] = "";
    while (page.more && serials->n < serials->max) {
        struct hf_store_query query = {.revoked = HF_NO, .limit = REVOKE_PAGE, .cursor = cursor};
        HF_TRY(hf_store_certs(store, &query, keep_serial, serials, &page));
        memcpy(cursor, page.cursor, sizeof(cursor));
    }
    return HF_OK;
}

static int revoke(long n)
{
    struct hf_bulk bulk;
    struct serials serials = {hf_alloc((size_t)n * 16), 0, n};
    enum hf_err err = serials.serial ? gather(&serials) : HF_E_NOMEM;
    double wall = now_s(CLOCK_MONOTONIC);
    double cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    if (err == HF_OK) {
        err = hf_bulk_init(&bulk, store);
    }
    for (long i = 0; err == HF_OK && i < serials.n; i++) {
        struct hf_store_revoke one = {
            .op = {.kind = HF_STORE_REVOKE, .actor = "bench"},
            .authority = authority,
            .serial = hf_bytes_of(serials.serial[i], 16),
            .reason = 1,
        };
        err = hf_bulk_revoke(&bulk, &one);
    }
    if (err != HF_OK || hf_bulk_done(&bulk) != HF_OK) {
        return die("revoke");
    }
    report("revoke", serials.n, now_s(CLOCK_MONOTONIC) - wall,
           now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    hf_free(serials.serial);
    return 0;
}

/* --- Pages -------------------------------------------------------------------------------------
 */

static enum hf_err ignore(void *ctx, const struct hf_store_cert *cert)
{
    (void)ctx;
    (void)cert;
    return HF_OK;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The same page several times: the first is what a cold cache costs. */
static enum hf_err time_page(const struct hf_store_query *query, struct hf_store_page *page,
                             double *first, double *median)
{
    double times[RUNS];
    for (int i = 0; i < RUNS; i++) {
        double begun = now_s(CLOCK_MONOTONIC);
        HF_TRY(hf_store_certs(store, query, ignore, NULL, page));
        times[i] = (now_s(CLOCK_MONOTONIC) - begun) * 1e3;
    }
    *first = times[0];
    qsort(times, RUNS, sizeof(times[0]), compare);
    *median = times[RUNS / 2];
    return HF_OK;
}

static enum hf_err time_list(const char *name, struct hf_store_query query)
{
    struct hf_store_page page = {.more = true};
    double first = 0;
    double worst = 0;
    double median = 0;
    double slowest = 0;
    int n = 0;
    size_t rows = 0;
    char cursor[HF_STORE_CURSOR_SIZE] = "";
    for (; page.more && n < FAR; n++) {
        query.cursor = cursor;
        HF_TRY(time_page(&query, &page, &first, &median));
        worst = first > worst ? first : worst;
        slowest = median > slowest ? median : slowest;
        rows += page.n;
        memcpy(cursor, page.cursor, sizeof(cursor));
    }
    printf("%-32s %3d pages, %5zu rows: slowest page %6.2f ms again, %6.2f ms at first\n", name, n,
           rows, slowest, worst);
    return HF_OK;
}

static int pages(void)
{
    int64_t now = hf_clock_wall_s(&hf_os_clock);
    const struct {
        const char *name;
        struct hf_store_query query;
    } lists[] = {
        {"all, newest first", {0}},
        {"all, with DER", {.with_der = true}},
        {"1000 a page", {.limit = 1000}},
        {"by expiry", {.order = HF_ORDER_EXPIRY}},
        {"expiring within 30 days", {.order = HF_ORDER_EXPIRY, .expires_before = now + 30 * 86400}},
        {"expiring, of a profile",
         {.order = HF_ORDER_EXPIRY, .expires_before = now + 30 * 86400, .profile = "device"}},
        {"a profile", {.profile = "user"}},
        {"a rare profile", {.profile = "rare"}},
        {"a rare profile, revoked", {.profile = "rare", .revoked = HF_YES}},
        {"revoked", {.revoked = HF_YES}},
        {"not revoked", {.revoked = HF_NO}},
        {"never seen", {.seen = HF_NO}},
        {"seen", {.seen = HF_YES}},
        {"an identity", {.identity = "spiffe://example.org/ns/n500/app500"}},
        {"a requester", {.requester = "cli:root"}},
        {"RSA keys, with DER", {.key_type = "RSA*", .with_der = true}},
        {"text: app4711", {.text = "app4711"}},
        {"text: app47 (a beginning)", {.text = "app47"}},
        {"text: example (everything)", {.text = "example"}},
        {"text: example n500", {.text = "example n500"}},
        {"text: unit app99", {.text = "unit app99"}},
        {"text: nothing", {.text = "zzzz"}},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(lists); i++) {
        if (time_list(lists[i].name, lists[i].query) != HF_OK) {
            return die(lists[i].name);
        }
    }
    return 0;
}

/* --- A CRL's reading ---------------------------------------------------------------------------
 */

static enum hf_err add_up(void *ctx, const struct hf_store_revocation *entry)
{
    *(long *)ctx += entry->serial.len != 0;
    return HF_OK;
}

static int crl(void)
{
    long n = 0;
    int64_t seq;
    double wall = now_s(CLOCK_MONOTONIC);
    double cpu = now_s(CLOCK_PROCESS_CPUTIME_ID);
    if (hf_store_revoked(store, authority, -1, 1, add_up, &n, &seq) != HF_OK) {
        return die("crl");
    }
    report("read of the revoked", n ? n : 1, now_s(CLOCK_MONOTONIC) - wall,
           now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[1] : "";
    long n = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
    if (argc < 3) {
        fprintf(stderr, "hfstore fill|revoke URL N | hfstore pages|crl URL\n");
        return 2;
    }
    if (prepare(argv[2]) != HF_OK) {
        return die(argv[2]);
    }
    int status = strcmp(verb, "fill") == 0     ? fill(n)
                 : strcmp(verb, "revoke") == 0 ? revoke(n)
                 : strcmp(verb, "pages") == 0  ? pages()
                 : strcmp(verb, "crl") == 0    ? crl()
                                               : 2;
    hf_store_close(store);
    return status;
}
