// SPDX-License-Identifier: Apache-2.0

/*
 * hfreq: the client of script/bench for requests over HTTP/1.1 and HTTP/2, with a client
 * certificate. It talks with its driver as hfload does: "ready", then "go" comes, then one line of
 * JSON. The end of its input ends it at any time. Bounded in time.
 */

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/clock.h"
#include "req.h"
#include "support.h"

enum { OPENING_AT_ONCE = 64, STALL_MS = 20000, SECONDS_MAX = 120, CONNS_MAX = 20000 };

static const char usage[] =
    "usage: hfreq --mode closed|open|idle --connect ADDRESS:PORT --cert FILE --key FILE | --plain\n"
    "             [--h2] [--sni NAME] [--connections N] [--streams N] [--seconds N] [--rate N]\n"
    "             [--requests FILE [--once]] [--times FILE]\n"
    "--times: of the open loop, a line a request: when it was due, and how long it took (ns, us)\n";

struct options {
    const char *mode, *connect, *cert, *key, *sni, *requests, *times;
    unsigned long connections, streams, seconds;
    double rate;
    bool h2, once, plain;
};

/* --- What connections report --- */

void req_fail(struct req_load *load, enum hf_err err, const char *where)
{
    if (!load->err) {
        load->err = hf_fail_context(err, "%s", where);
    }
    hf_loop_stop(load->loop);
}

static void start_more(struct req_load *load)
{
    size_t allowed = load->n_warm + OPENING_AT_ONCE;
    while (load->n_started < load->n_conns && load->n_started < allowed && !load->err) {
        req_conn_start(&load->conns[load->n_started++]);
    }
}

void req_answered(struct req_conn *conn, int64_t began_ns)
{
    struct req_load *load = conn->load;
    conn->n_done++;
    if (!load->measuring) {
        load->n_warm++;
        start_more(load);
        if (load->n_warm == load->n_conns) {
            hf_loop_stop(load->loop);
        }
        return;
    }
    load->n_operations++;
    if (load->open_loop) {
        req_pace_answered(load->pace, conn, began_ns);
    } else if (load->script.once && load->script.at >= load->script.n) {
        load->stopping = true;
        hf_loop_stop(load->loop);
    } else if (!load->stopping) {
        req_conn_request(conn, began_ns);
    }
}

/* --- Time --- */

struct watchman {
    struct hf_timer end, stall;
    struct req_load *load;
    uint64_t progress; /* when it was last looked at */
};

static void on_end(struct hf_timer *timer)
{
    struct req_load *load = HF_CONTAINER_OF(timer, struct watchman, end)->load;
    load->stopping = true;
    hf_loop_stop(load->loop);
}

static void on_stall(struct hf_timer *timer)
{
    struct watchman *man = HF_CONTAINER_OF(timer, struct watchman, stall);
    if (man->load->n_progress == man->progress) {
        req_fail(man->load, hf_fail(HF_E_TIMEOUT, "nothing moved for %d s", STALL_MS / 1000),
                 "load");
        return;
    }
    man->progress = man->load->n_progress;
    hf_timer_set(man->load->loop, timer, STALL_MS);
}

/* Runs the loop until it is stopped; seconds 0: without an end of its own. */
static enum hf_err run_for(struct req_load *load, unsigned long seconds)
{
    struct watchman man = {
        .end.on_due = on_end, .stall.on_due = on_stall, .load = load, .progress = load->n_progress};
    hf_timer_set(load->loop, &man.stall, STALL_MS);
    if (seconds) {
        hf_timer_set(load->loop, &man.end, (int64_t)seconds * 1000);
    }
    enum hf_err err = load->err ? load->err : hf_loop_run(load->loop);
    hf_timer_cancel(&man.end);
    hf_timer_cancel(&man.stall);
    return err ? err : load->err;
}

/* --- The run --- */

static enum hf_err wait_for_go(void)
{
    char line[8];
    puts("ready");
    fflush(stdout);
    return fgets(line, sizeof(line), stdin) ? HF_OK : hf_fail(HF_E_CLOSED, "the driver went away");
}

static void report(struct req_load *load, double seconds)
{
    struct req_times times = {0};
    if (load->open_loop) {
        req_pace_times(load->pace, &times);
    }
    printf("{\"connections\": %zu, \"streams\": %zu, \"operations\": %" PRIu64
           ", \"seconds\": %.3f, \"p50_us\": %.0f, \"p99_us\": %.0f, \"p999_us\": %.0f"
           ", \"max_us\": %.0f, \"waiting\": %" PRIu64 ", \"bytes\": 0, \"resumed\": 0}\n",
           load->n_conns, load->n_streams, load->n_operations, seconds, times.p50_us, times.p99_us,
           times.p999_us, times.max_us, times.n_waiting);
}

static void begin_closed(struct req_load *load)
{
    for (size_t i = 0; i < load->n_conns; i++) {
        while (!load->err && req_conn_has_room(&load->conns[i])) {
            req_conn_request(&load->conns[i], 0);
        }
    }
}

static enum hf_err measure(struct req_load *load, const struct options *options)
{
    int64_t start = hf_clock_mono_ns(&hf_os_clock);
    load->measuring = true;
    if (load->open_loop) {
        HF_TRY(req_pace_start(load->pace));
    } else {
        begin_closed(load);
    }
    HF_TRY(run_for(load, options->seconds));
    if (options->times && load->open_loop) {
        HF_TRY(req_pace_write(load->pace, options->times));
    }
    report(load, (double)(hf_clock_mono_ns(&hf_os_clock) - start) / 1e9);
    return HF_OK;
}

static enum hf_err run(struct req_load *load, const struct options *options)
{
    start_more(load);
    HF_TRY(run_for(load, 0));
    HF_TRY(wait_for_go());
    if (load->idle) {
        report(load, 0);
        return HF_OK;
    }
    return measure(load, options);
}

/* --- Options --- */

static enum hf_err make_ctx(const struct options *options, const struct req_version *version,
                            struct hf_tls_ctx **out)
{
    struct hf_credential *credential = NULL;
    struct hf_tls_client_config config = {
        .common = {.clock = &hf_os_clock, .rng = &hf_os_rng, .alpn = version->alpn},
        .identities = &credential,
        .n_identities = 1,
        .judge = {bench_admit},
    };
    HF_TRY(bench_credential(options->cert, options->key, &credential));
    enum hf_err err = hf_tls_client_ctx_new(&config, out);
    hf_credential_unref(credential);
    return err;
}

static enum hf_err check(const struct options *options)
{
    bool known = options->plain || (options->cert && options->key);
    if (!options->mode || !options->connect || !known) {
        return hf_fail(HF_E_USAGE, "--mode, --connect, --cert and --key must be given");
    }
    if (options->connections == 0 || options->connections > CONNS_MAX || options->streams == 0) {
        return hf_fail(HF_E_USAGE, "--connections is 1 to %d, --streams at least 1", CONNS_MAX);
    }
    if (options->seconds == 0 || options->seconds > SECONDS_MAX) {
        return hf_fail(HF_E_USAGE, "--seconds is 1 to %d", SECONDS_MAX);
    }
    if (strcmp(options->mode, "open") == 0 && !(options->rate >= 1)) {
        return hf_fail(HF_E_USAGE, "--mode open wants --rate, requests a second");
    }
    return HF_OK;
}

static enum hf_err parse(int argc, char **argv, struct options *out)
{
    static const struct option longs[] = {
        {"mode", 1, NULL, 'm'},    {"connect", 1, NULL, 'c'},  {"cert", 1, NULL, 'e'},
        {"key", 1, NULL, 'k'},     {"sni", 1, NULL, 'n'},      {"connections", 1, NULL, 'C'},
        {"seconds", 1, NULL, 's'}, {"streams", 1, NULL, 'S'},  {"rate", 1, NULL, 'r'},
        {"h2", 0, NULL, '2'},      {"requests", 1, NULL, 'R'}, {"once", 0, NULL, 'o'},
        {"plain", 0, NULL, 'p'},   {"times", 1, NULL, 't'},    {NULL, 0, NULL, 0},
    };
    const struct {
        int option;
        const char **text;
        unsigned long *number;
    } table[] = {
        {'m', &out->mode, NULL},    {'c', &out->connect, NULL}, {'e', &out->cert, NULL},
        {'k', &out->key, NULL},     {'n', &out->sni, NULL},     {'C', NULL, &out->connections},
        {'s', NULL, &out->seconds}, {'S', NULL, &out->streams}, {'R', &out->requests, NULL},
        {'t', &out->times, NULL},
    };
    *out = (struct options){.sni = "bench.example", .connections = 16, .streams = 1, .seconds = 5};
    for (int option; (option = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        bool known = option == '2' || option == 'r' || option == 'o' || option == 'p';
        for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
            if (table[i].option == option) {
                known = true;
                if (table[i].text) {
                    *table[i].text = optarg;
                } else {
                    *table[i].number = strtoul(optarg, NULL, 10);
                }
            }
        }
        out->h2 = out->h2 || option == '2';
        out->once = out->once || option == 'o';
        out->plain = out->plain || option == 'p';
        out->rate = option == 'r' ? strtod(optarg, NULL) : out->rate;
        if (!known) {
            return hf_fail(HF_E_USAGE, "unknown option");
        }
    }
    return check(out);
}

static enum hf_err make_load(const struct options *options, struct req_load *load)
{
    load->version = options->h2 ? &req_h2 : &req_h1;
    load->n_streams = options->h2 ? options->streams : 1;
    load->open_loop = strcmp(options->mode, "open") == 0;
    load->idle = strcmp(options->mode, "idle") == 0;
    load->sni = options->sni;
    load->script.once = options->once;
    HF_TRY(options->requests ? req_script_read(options->requests, &load->script) : HF_OK);
    HF_TRY(hf_addr_parse(options->connect, &load->server));
    HF_TRY(options->plain ? HF_OK : make_ctx(options, load->version, &load->ctx));
    HF_TRY(hf_loop_new(&hf_os_clock, &load->loop));
    load->conns = hf_alloc_zero(options->connections, sizeof(*load->conns));
    if (!load->conns) {
        return HF_E_NOMEM;
    }
    load->n_conns = options->connections;
    for (size_t i = 0; i < load->n_conns; i++) {
        load->conns[i].load = load;
        load->conns[i].watch.fd = -1;
    }
    return load->open_loop ? req_pace_new(load, options->rate, &load->pace) : HF_OK;
}

int main(int argc, char **argv)
{
    struct options options;
    struct req_load load = {0};
    enum hf_err err = parse(argc, argv, &options);
    err = err ? err : make_load(&options, &load);
    err = err ? err : run(&load, &options);
    if (err) {
        fprintf(stderr, "hfreq: %s\n%s", hf_err_text(), err == HF_E_USAGE ? usage : "");
    }
    req_pace_free(load.pace);
    for (size_t i = 0; i < load.n_started; i++) {
        req_conn_done(&load.conns[i]);
    }
    hf_free(load.conns);
    req_script_done(&load.script);
    hf_tls_ctx_unref(load.ctx);
    if (load.loop) {
        hf_loop_free(load.loop);
    }
    return err ? (err == HF_E_USAGE ? 2 : 1) : 0;
}
