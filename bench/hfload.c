// SPDX-License-Identifier: Apache-2.0

/*
 * hfload: the client of script/bench. It shows a client certificate, loads one server, and prints
 * one line of JSON. It talks with its driver over the standard streams:
 *
 *     hfload            driver
 *     "ready\n"  --->           every slot is warm, nothing is under way
 *                <---  "go\n"   the driver has read the server's CPU time or memory
 *     {...}      --->           what was done; then it ends
 *
 * The end of its input ends it at any time. Bounded in time and in operations.
 */

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "load.h"
#include "os/clock.h"
#include "support.h"

enum { OPENING_AT_ONCE = 64, STALL_MS = 20000, SECONDS_MAX = 120, SLOTS_MAX = 20000 };

static const char usage[] =
    "usage: hfload --mode handshake|resume|requests|down|up|idle|cut --connect ADDRESS:PORT\n"
    "              --cert FILE --key FILE [--sni NAME] [--connections N] [--seconds N]\n"
    "              [--operations N] [--bytes N] [--engine auto|libssl|native]\n"
    "              [--fleet FILE]   the issuer's key: each connection shows its own certificate\n";

struct options {
    const char *mode, *connect, *cert, *key, *sni, *engine, *fleet_key;
    unsigned long connections, seconds, operations, bytes;
};

static const char *const mode_names[] = {
    [LOAD_HANDSHAKE] = "handshake",
    [LOAD_RESUME] = "resume",
    [LOAD_REQUESTS] = "requests",
    [LOAD_DOWN] = "down",
    [LOAD_UP] = "up",
    [LOAD_IDLE] = "idle",
    [LOAD_CUT] = "cut",
};

/* --- What slots report --- */

void load_fail(struct load *load, enum hf_err err, const char *where)
{
    if (!load->err) {
        load->err = hf_fail_context(err, "%s", where);
    }
    hf_loop_stop(load->loop);
}

static void start_more(struct load *load)
{
    size_t allowed = load->n_warm + OPENING_AT_ONCE;
    while (load->n_started < load->n_slots && load->n_started < allowed && !load->err) {
        slot_start(&load->slots[load->n_started++]);
    }
}

/* Tickets are used from the second connection on. */
static unsigned warm_operations(const struct load *load)
{
    return load->mode == LOAD_RESUME ? 2 : 1;
}

bool load_done_one(struct slot *slot)
{
    struct load *load = slot->load;
    if (!load->measuring) {
        if (slot->n_done < warm_operations(load)) {
            return true;
        }
        load->n_warm++;
        start_more(load);
        if (load->n_warm == load->n_slots) {
            hf_loop_stop(load->loop);
        }
        return false;
    }
    load->n_operations++;
    if (load->n_operations >= load->limit) {
        load->stopping = true;
        hf_loop_stop(load->loop);
    }
    return !load->stopping;
}

/* --- Time --- */

struct end_timer {
    struct hf_timer timer;
    struct load *load;
    uint64_t progress; /* when it was last looked at */
};

static void on_end(struct hf_timer *timer)
{
    struct load *load = HF_CONTAINER_OF(timer, struct end_timer, timer)->load;
    load->stopping = true;
    hf_loop_stop(load->loop);
}

static void on_stall(struct hf_timer *timer)
{
    struct end_timer *stall = HF_CONTAINER_OF(timer, struct end_timer, timer);
    if (stall->load->n_progress == stall->progress) {
        load_fail(stall->load, hf_fail(HF_E_TIMEOUT, "nothing moved for %d s", STALL_MS / 1000),
                  "load");
        return;
    }
    stall->progress = stall->load->n_progress;
    hf_timer_set(stall->load->loop, timer, STALL_MS);
}

/* Runs the loop until enough is done; seconds 0: until the slots say so. */
static enum hf_err run_for(struct load *load, unsigned long seconds)
{
    struct end_timer end = {.timer.on_due = on_end, .load = load};
    struct end_timer stall = {.timer.on_due = on_stall, .load = load};
    stall.progress = load->n_progress;
    hf_timer_set(load->loop, &stall.timer, STALL_MS);
    if (seconds) {
        hf_timer_set(load->loop, &end.timer, (int64_t)seconds * 1000);
    }
    enum hf_err err = load->err ? load->err : hf_loop_run(load->loop);
    hf_timer_cancel(&end.timer);
    hf_timer_cancel(&stall.timer);
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

static double seconds_since(int64_t start_ns)
{
    return (double)(hf_clock_mono_ns(&hf_os_clock) - start_ns) / 1e9;
}

static void report(const struct load *load, double seconds)
{
    printf("{\"mode\": \"%s\", \"connections\": %zu, \"operations\": %" PRIu64
           ", \"bytes\": %" PRIu64 ", \"resumed\": %" PRIu64
           ", \"seconds\": %.3f, \"version\": \"%s\", \"suite\": \"%s\"}\n",
           mode_names[load->mode], load->n_slots, load->n_operations, load->n_bytes,
           load->n_resumed, seconds, load->version, load->suite);
}

static enum hf_err measure(struct load *load, unsigned long seconds)
{
    int64_t start = hf_clock_mono_ns(&hf_os_clock);
    load->measuring = true;
    for (size_t i = 0; i < load->n_slots && !load->err; i++) {
        slot_go(&load->slots[i]);
    }
    HF_TRY(run_for(load, seconds));
    report(load, seconds_since(start));
    return HF_OK;
}

/* The driver is told when the waiting has begun, and that so many were cut. */
static enum hf_err wait_for_cuts(struct load *load, unsigned long seconds)
{
    HF_TRY(cuts_wait(load, seconds));
    puts("cut");
    fflush(stdout);
    char line[8];
    if (!fgets(line, sizeof(line), stdin)) {
        return hf_fail(HF_E_CLOSED, "the driver went away");
    }
    cuts_read(load);
    printf("{\"mode\": \"cut\", \"connections\": %zu, \"cut\": %" PRIu64 ", \"told\": %" PRIu64
           ", \"first_ns\": %" PRId64 ", \"middle_ns\": %" PRId64 ", \"last_ns\": %" PRId64 "}\n",
           load->n_slots, load->n_cut, load->n_told, load->first_cut_ns, load->middle_cut_ns,
           load->last_cut_ns);
    return HF_OK;
}

static enum hf_err run(struct load *load, const struct options *options)
{
    HF_TRY(hf_loop_new(&hf_os_clock, &load->loop));
    start_more(load);
    HF_TRY(run_for(load, 0));
    HF_TRY(wait_for_go());
    if (load->mode == LOAD_IDLE) {
        report(load, 0);
        return HF_OK;
    }
    if (load->mode == LOAD_CUT) {
        return wait_for_cuts(load, options->seconds);
    }
    return measure(load, options->seconds);
}

/* --- Contexts --- */

static enum hf_err ctx_with(enum hf_tls_engine engine, struct hf_credential *credential,
                            struct hf_tls_ctx **out)
{
    struct hf_tls_client_config config = {
        .common = {.engine = engine, .clock = &hf_os_clock, .rng = &hf_os_rng},
        .identities = &credential,
        .n_identities = 1,
        .judge = {bench_admit},
    };
    return hf_tls_client_ctx_new(&config, out);
}

enum hf_err load_ctx(struct load *load, const struct slot *slot, struct hf_tls_ctx **out)
{
    struct hf_credential *member;
    if (!load->fleet) {
        *out = hf_tls_ctx_ref(load->ctx);
        return HF_OK;
    }
    HF_TRY(fleet_member(load->fleet, (unsigned)(slot - load->slots), &member));
    enum hf_err err = ctx_with(load->engine, member, out);
    hf_credential_unref(member);
    return err;
}

static enum hf_err make_ctx(const struct options *options, struct load *load, struct fleet *fleet)
{
    struct hf_credential *credential = NULL;
    HF_TRY(bench_engine(options->engine, &load->engine));
    HF_TRY(bench_credential(options->cert, options->key, &credential));
    if (options->fleet_key) {
        load->fleet = fleet;
        return fleet_open(fleet, credential, options->fleet_key);
    }
    enum hf_err err = ctx_with(load->engine, credential, &load->ctx);
    hf_credential_unref(credential);
    return err;
}

/* --- Options --- */

static enum hf_err find_mode(const char *name, enum load_mode *out)
{
    for (size_t i = 0; name && i < HF_N_ELEMENTS(mode_names); i++) {
        if (strcmp(name, mode_names[i]) == 0) {
            *out = (enum load_mode)i;
            return HF_OK;
        }
    }
    return hf_fail(HF_E_USAGE, "no such mode: %s", name ? name : "(none)");
}

static enum hf_err check(const struct options *options)
{
    if (!options->connect || !options->cert || !options->key) {
        return hf_fail(HF_E_USAGE, "--connect, --cert and --key must be given");
    }
    if (options->connections == 0 || options->connections > SLOTS_MAX) {
        return hf_fail(HF_E_USAGE, "--connections is 1 to %d", SLOTS_MAX);
    }
    if (options->seconds == 0 || options->seconds > SECONDS_MAX || options->operations == 0) {
        return hf_fail(HF_E_USAGE, "--seconds is 1 to %d, --operations at least 1", SECONDS_MAX);
    }
    return HF_OK;
}

static enum hf_err parse(int argc, char **argv, struct options *out)
{
    static const struct option longs[] = {
        {"mode", 1, NULL, 'm'},       {"connect", 1, NULL, 'c'}, {"cert", 1, NULL, 'e'},
        {"key", 1, NULL, 'k'},        {"sni", 1, NULL, 'n'},     {"connections", 1, NULL, 'C'},
        {"seconds", 1, NULL, 's'},    {"bytes", 1, NULL, 'b'},   {"engine", 1, NULL, 'E'},
        {"operations", 1, NULL, 'o'}, {"fleet", 1, NULL, 'f'},   {NULL, 0, NULL, 0},
    };
    *out = (struct options){.sni = "bench.example",
                            .engine = "auto",
                            .connections = 16,
                            .seconds = 5,
                            .operations = 1000000,
                            .bytes = 1 << 20};
    for (int option; (option = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (option) {
        case 'm':
            out->mode = optarg;
            break;
        case 'c':
            out->connect = optarg;
            break;
        case 'e':
            out->cert = optarg;
            break;
        case 'k':
            out->key = optarg;
            break;
        case 'n':
            out->sni = optarg;
            break;
        case 'f':
            out->fleet_key = optarg;
            break;
        case 'E':
            out->engine = optarg;
            break;
        case 'C':
            out->connections = strtoul(optarg, NULL, 10);
            break;
        case 's':
            out->seconds = strtoul(optarg, NULL, 10);
            break;
        case 'o':
            out->operations = strtoul(optarg, NULL, 10);
            break;
        case 'b':
            out->bytes = strtoul(optarg, NULL, 10);
            break;
        default:
            return hf_fail(HF_E_USAGE, "unknown option");
        }
    }
    return check(out);
}

static enum hf_err make_load(const struct options *options, struct load *load, struct fleet *fleet)
{
    HF_TRY(find_mode(options->mode, &load->mode));
    HF_TRY(hf_addr_parse(options->connect, &load->server));
    HF_TRY(make_ctx(options, load, fleet));
    load->sni = options->sni;
    load->bytes = options->bytes;
    load->limit = options->operations;
    load->n_slots = options->connections;
    load->slots = hf_alloc_zero(load->n_slots, sizeof(*load->slots));
    if (!load->slots) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < load->n_slots; i++) {
        load->slots[i].load = load;
        load->slots[i].watch.fd = -1;
    }
    return HF_OK;
}

int main(int argc, char **argv)
{
    struct options options;
    struct load load = {0};
    struct fleet fleet = {0};
    enum hf_err err = parse(argc, argv, &options);
    err = err ? err : make_load(&options, &load, &fleet);
    err = err ? err : run(&load, &options);
    if (err) {
        fprintf(stderr, "hfload: %s\n%s", hf_err_text(), err == HF_E_USAGE ? usage : "");
    }
    for (size_t i = 0; i < load.n_started; i++) {
        slot_done(&load.slots[i]);
    }
    hf_free(load.slots);
    hf_tls_ctx_unref(load.ctx);
    fleet_done(&fleet);
    if (load.loop) {
        hf_loop_free(load.loop);
    }
    return err ? (err == HF_E_USAGE ? 2 : 1) : 0;
}
