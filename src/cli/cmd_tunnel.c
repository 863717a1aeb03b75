// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "config/tunnel.h"
#include "proxy/daemon.h"

struct values {
    struct hf_tunnel_flags flags; /* `to` comes from below */
    struct hf_texts to;
};

#define FLAG(member) .offset = offsetof(struct values, flags.member)

static const struct hf_option options[] = {
    {.name = "listen",
     .kind = HF_OPT_TEXT,
     .value = "ADDRESS",
     .doc = "where to accept: address:port, [address]:port, :port or unix:/path",
     .required = true,
     FLAG(listen)},
    {.name = "to",
     .kind = HF_OPT_TEXTS,
     .value = "SERVER",
     .doc = "where to relay to: host:port or unix:/path; several are used in turn",
     .required = true,
     .offset = offsetof(struct values, to)},
    {.name = "server",
     .kind = HF_OPT_SWITCH,
     .doc = "be the server side: accept TLS and require client certificates, relay in plain text",
     FLAG(server)},
    {.name = "cert",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "our certificate with its chain: PEM, DER or PKCS#12",
     FLAG(cert)},
    {.name = "key",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "its private key, where that isn't in the file of --cert",
     FLAG(key)},
    {.name = "chain",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "more CA certificates to send, where --cert holds the leaf alone",
     FLAG(chain)},
    {.name = "passphrase-file",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "a file whose first line decrypts the key",
     FLAG(passphrase_file)},
    {.name = "roots",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "the CA certificates that the peer is verified against",
     FLAG(roots)},
    {.name = "name",
     .kind = HF_OPT_TEXT,
     .value = "HOST",
     .doc = "the name that the server's certificate must carry, where it isn't that of --to",
     FLAG(name)},
    {.name = "sni",
     .kind = HF_OPT_TEXT,
     .value = "HOST",
     .doc = "the server name to ask for, where it isn't --name",
     FLAG(sni)},
    {.name = "proxy-protocol",
     .kind = HF_OPT_TEXT,
     .value = "VERSION",
     .doc = "tell --to who connects: v1, v2, or v2-tls with the client's certificate (--server)",
     FLAG(proxy_protocol)},
    {.name = "idle-timeout",
     .kind = HF_OPT_TEXT,
     .value = "TIME",
     .doc = "close connections that are silent both ways for this long; 0: never",
     FLAG(idle_timeout)},
    {.name = "max-connections",
     .kind = HF_OPT_TEXT,
     .value = "N",
     .doc = "the most connections at once; 0: no limit",
     FLAG(max_connections)},
    {.name = "workers",
     .kind = HF_OPT_TEXT,
     .value = "N",
     .doc = "threads that serve connections, or auto",
     FLAG(workers)},
    {.name = "admin",
     .kind = HF_OPT_TEXT,
     .value = "SOCKET",
     .doc = "the admin socket, unix:/path",
     FLAG(admin)},
    {.name = "metrics",
     .kind = HF_OPT_TEXT,
     .value = "ADDRESS",
     .doc = "where Prometheus metrics are served",
     FLAG(metrics)},
    {.name = "log-format",
     .kind = HF_OPT_TEXT,
     .value = "FORMAT",
     .doc = "text or json",
     FLAG(log_format)},
    {.name = "log-level",
     .kind = HF_OPT_TEXT,
     .value = "LEVEL",
     .doc = "error, warn, info or debug",
     FLAG(log_level)},
    {.name = "unsafe-skip-verify",
     .kind = HF_OPT_SWITCH,
     .doc = "believe any server; whoever can stand in between reads and changes everything",
     FLAG(unsafe_skip_verify)},
};

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    struct hf_tunnel_flags flags = values->flags;
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    struct hf_config *config = NULL;
    flags.to = values->to.item;
    flags.n_to = values->to.n;
    enum hf_err err = hf_config_from_tunnel(&flags, &findings, &config);
    if (err == HF_E_CONFIG) {
        hf_cli_print_findings(cli->err, &findings);
        return hf_cli_usage(cli, "the tunnel can't be built from these flags");
    }
    if (err == HF_OK) {
        err = hf_daemon_run(config, &(struct hf_daemon_options){.config_path = NULL});
    }
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_tunnel = {
    .name = "tunnel",
    .summary = "run one mutual TLS tunnel from flags, as client or as server side",
    .about =
        "As the client side (the default) it accepts plain connections, which belong on loopback, "
        "and carries them over TLS to --to, showing --cert and verifying the server against "
        "--roots. With --server it is the other end: it accepts TLS from clients whose "
        "certificate --roots vouch for, and relays to --to in plain text.\n"
        "\n"
        "Everything that the flags don't say has the default of the config file. SIGTERM or "
        "SIGINT ends it and lets open connections finish; a second one ends them at once.",
    .example = "handfast tunnel --listen 127.0.0.1:5432 --to db.example:8443 --cert c.pem --key "
               "c.key --roots ca.pem\n"
               "handfast tunnel --server --listen 0.0.0.0:8443 --to 127.0.0.1:5432 --cert s.pem "
               "--key s.key --roots ca.pem\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
