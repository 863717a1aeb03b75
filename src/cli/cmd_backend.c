// SPDX-License-Identifier: Apache-2.0
#include <string.h>
#include <unistd.h>

#include "cli/backend.h"
#include "cli/commands.h"
#include "config/materials.h"
#include "os/clock.h"
#include "os/signals.h"

enum { BACKLOG = 1024, CONNECTIONS_MAX = 4096, BODY_MAX = 1 << 20, CHAIN_DEPTH = 8 };

struct values {
    const char *listen;
    bool proxy_protocol;
    const char *cert;
    const char *key;
    const char *roots;
};

static const struct hf_option options[] = {
    {.name = "listen",
     .letter = 'l',
     .kind = HF_OPT_TEXT,
     .value = "ADDRESS",
     .doc = "where to accept: address:port, [address]:port or unix:/path; port 0 takes a free one",
     .required = true,
     .offset = offsetof(struct values, listen)},
    {.name = "proxy-protocol",
     .kind = HF_OPT_SWITCH,
     .doc = "every connection begins with a PROXY header, version 1 or 2; believe it",
     .offset = offsetof(struct values, proxy_protocol)},
    {.name = "cert",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "speak TLS with this certificate: PEM with its chain, DER or PKCS#12",
     .offset = offsetof(struct values, cert)},
    {.name = "key",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "its private key, where that isn't in the file of --cert",
     .offset = offsetof(struct values, key)},
    {.name = "roots",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "require client certificates that lead to one of these CA certificates",
     .offset = offsetof(struct values, roots)},
};

/* Everything that lives while the command runs. */
struct running {
    struct hf_cli *cli;
    struct hf_backend backend;
    struct hf_httpd_filter filter;
    struct hf_httpd *httpd;
    struct hf_signals signals;
    struct hf_addr addr;
    int listen_fd;
};

static void say(void *ctx, const char *line)
{
    hf_cli_say(ctx, "%s", line);
}

/* --- TLS ----------------------------------------------------------------------------------------
 */

static struct hf_cfg_string flag(const char *text, const char *name)
{
    /* The config owns its strings; these are argv's, and the config here is freed by nobody. */
    union {
        const char *given;
        char *taken;
    } value = {text};
    return (struct hf_cfg_string){.value = value.taken, .mark = {.flag = name}};
}

static enum hf_err make_tls(struct running *running, struct hf_credential *credential)
{
    static const char *const alpn[] = {"http/1.1", NULL};
    struct hf_backend *backend = &running->backend;
    struct hf_credential *identities[] = {credential};
    bool too_long = false;
    struct hf_tls_policy policy = {.ask = backend->trust ? HF_TLS_ASK_REQUIRED : HF_TLS_ASK_NONE};
    if (backend->trust) {
        policy.n_ca_names = hf_trust_names_der(backend->trust, &policy.ca_names, &too_long);
    }
    struct hf_tls_server_config config = {
        .common = {.min_version = HF_TLS_1_2,
                   .max_version = HF_TLS_1_3,
                   .alpn = alpn,
                   .clock = &hf_os_clock,
                   .rng = &hf_os_rng},
        .identities = identities,
        .n_identities = 1,
        .policies = &policy,
        .n_policies = 1,
        .judge = hf_backend_judge,
    };
    return hf_tls_server_ctx_new(&config, &backend->tls);
}

static enum hf_err print_findings(struct hf_cli *cli, struct hf_findings *findings)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1u << 20);
    HF_TRY(hf_findings_format(findings, &text));
    fwrite(hf_buf_bytes(&text).ptr, 1, hf_buf_len(&text), cli->err);
    return HF_OK;
}

/* Reads the files through the same code as a config's, so that they are refused in its words. */
static enum hf_err load_tls(struct running *running, const struct values *values)
{
    static char name[] = "backend";
    struct hf_cfg_identity identity = {.name = name,
                                       .mark = {.flag = "--cert"},
                                       .cert = flag(values->cert, "--cert"),
                                       .key = flag(values->key, "--key")};
    struct hf_cfg_trust trust = {
        .name = name, .roots = flag(values->roots, "--roots"), .depth = CHAIN_DEPTH};
    struct hf_config config = {.identities = &identity,
                               .n_identities = 1,
                               .trusts = &trust,
                               .n_trusts = values->roots != NULL};
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    struct hf_materials *materials = NULL;
    enum hf_err err = hf_materials_load(&config, &findings, &materials);
    if (findings.n && print_findings(running->cli, &findings) != HF_OK) {
        err = HF_E_NOMEM;
    }
    if (err == HF_E_CONFIG) {
        (void)hf_fail(err, "TLS can't be served with these files");
    }
    if (err == HF_OK) {
        struct hf_trust *roots = values->roots ? hf_materials_trust(materials, &trust) : NULL;
        running->backend.trust = roots ? hf_trust_ref(roots) : NULL;
        err = make_tls(running, hf_materials_identity(materials, &identity));
    }
    hf_materials_unref(materials);
    return err;
}

/* --- Running ------------------------------------------------------------------------------------
 */

static void on_signal(struct hf_signals *signals, int number, pid_t sender)
{
    (void)sender;
    if (number == SIGTERM || number == SIGINT) {
        hf_loop_stop(signals->loop);
    }
}

static enum hf_err start(struct running *running)
{
    struct hf_backend *backend = &running->backend;
    static const struct hf_httpd_limits limits = {.n_connections = CONNECTIONS_MAX,
                                                  .body_max = BODY_MAX,
                                                  .idle_ms = 300000,
                                                  .request_ms = 30000,
                                                  .answer_ms = 120000,
                                                  .write_ms = 60000};
    struct hf_httpd_config config = {
        .loop = backend->loop, .ctx = backend, .limits = &limits, .filter = &running->filter};
    config.routes = hf_backend_routes(&config.n_routes);
    running->filter = hf_backend_filter(backend);
    HF_TRY(hf_httpd_new(&config, &running->httpd));
    HF_TRY(hf_sock_listen(&running->addr, BACKLOG, 0600, &running->listen_fd));
    HF_TRY(hf_sock_local(running->listen_fd, &running->addr));
    HF_TRY(hf_httpd_listen(running->httpd, running->listen_fd));
    return hf_signals_open(&running->signals, backend->loop, on_signal);
}

static void announce(const struct running *running)
{
    char text[HF_ADDR_TEXT_SIZE];
    const char *scheme = running->backend.tls ? "https://" : "http://";
    bool tcp = running->addr.sa.sa_family != AF_UNIX;
    hf_addr_format(&running->addr, text);
    fprintf(running->cli->out, "listening on %s%s%s\n", tcp ? scheme : "", text, tcp ? "/" : "");
    fflush(running->cli->out);
}

static void stop(struct running *running)
{
    hf_httpd_free(running->httpd);
    hf_backend_end_slow(&running->backend);
    hf_signals_close(&running->signals);
    hf_loop_free(running->backend.loop);
    hf_tls_ctx_unref(running->backend.tls);
    hf_trust_unref(running->backend.trust);
    bool ours = running->listen_fd >= 0; /* or else the path is that of another program */
    hf_closep(&running->listen_fd);
    if (ours && running->addr.sa.sa_family == AF_UNIX && running->addr.un.sun_path[0]) {
        (void)unlink(running->addr.un.sun_path);
    }
}

static enum hf_err serve(struct running *running, const struct values *values)
{
    HF_TRY(hf_loop_new(&hf_os_clock, &running->backend.loop));
    if (values->cert) {
        HF_TRY(load_tls(running, values));
    }
    HF_TRY(start(running));
    announce(running);
    return hf_loop_run(running->backend.loop);
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    if (!values->cert && (values->key || values->roots)) {
        return hf_cli_usage(cli, "--key and --roots are for TLS: give --cert too");
    }
    struct running running = {
        .cli = cli,
        .backend = {.proxy_protocol = values->proxy_protocol, .say = say, .say_ctx = cli},
        .listen_fd = -1};
    hf_list_init(&running.backend.slow);
    if (hf_addr_parse(values->listen, &running.addr) != HF_OK) {
        return hf_cli_fail(cli, hf_fail_context(HF_E_USAGE, "--listen"));
    }
    enum hf_err err = serve(&running, values);
    stop(&running);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_backend = {
    .name = "backend",
    .summary = "serve HTTP that names its clients, for demos and tests",
    .about =
        "Answers requests with who the client is, by the PROXY header that a proxy put first, or "
        "by the client certificate when it speaks TLS itself: plain text, or JSON for those who "
        "accept it. One thread, a bounded number of connections; not for production.\n"
        "\n"
        "GET /bytes/N gives N bytes of a known pattern, POST /echo gives the body back (at most 1 "
        "MiB), GET /slow?ms=N waits before it answers, every other path says hello.\n"
        "\n"
        "With --proxy-protocol whoever can connect can say that it is anybody: listen where only "
        "the proxy can.",
    .example = "handfast backend --listen 127.0.0.1:8080 --proxy-protocol\n"
               "handfast backend --listen 127.0.0.1:8443 --cert server.pem --key server.key "
               "--roots ca.pem\n"
               "curl -H 'Accept: application/json' http://127.0.0.1:8080/\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
