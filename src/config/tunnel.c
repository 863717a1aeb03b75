// SPDX-License-Identifier: Apache-2.0
/*
 * A tunnel from flags:
 *
 *      client side:  plain listener -> upstream with TLS, our certificate, their roots
 *      server side:  TLS listener with our certificate, their roots -> plain upstream
 *
 * Every name in it is "tunnel".
 */
#include "config/tunnel.h"

#include <string.h>

#include "config/tree.h"

#define NAME "tunnel"

struct builder {
    struct hf_arena *arena;
    bool failed; /* sticky: out of memory */
};

static struct hf_mark of_flag(const char *flag)
{
    return (struct hf_mark){.flag = flag};
}

/* --- Making the tree ---------------------------------------------------------------------------
 */

static struct hf_node *put(struct builder *builder, struct hf_node *parent, const char *key,
                           enum hf_node_kind kind, const char *flag)
{
    struct hf_node *node = hf_node_new(builder->arena, kind, of_flag(flag));
    if (!node || !parent) {
        builder->failed = true;
        return NULL;
    }
    node->key_mark = node->mark;
    hf_node_add(parent, node, key);
    return node;
}

static struct hf_node *put_map(struct builder *builder, struct hf_node *parent, const char *key,
                               const char *flag)
{
    return put(builder, parent, key, HF_NODE_MAP, flag);
}

/* A flag that was not given leaves no trace. */
static void put_text(struct builder *builder, struct hf_node *parent, const char *key,
                     const char *text, const char *flag)
{
    struct hf_node *node = text ? put(builder, parent, key, HF_NODE_SCALAR, flag) : NULL;
    if (node) {
        node->text = text;
    }
}

static void put_identity(struct builder *builder, struct hf_node *root,
                         const struct hf_tunnel_flags *flags)
{
    if (!flags->cert) {
        return;
    }
    struct hf_node *all = put_map(builder, root, "identities", "--cert");
    struct hf_node *one = put_map(builder, all, NAME, "--cert");
    put_text(builder, one, "cert", flags->cert, "--cert");
    put_text(builder, one, "key", flags->key, "--key");
    put_text(builder, one, "chain", flags->chain, "--chain");
    put_text(builder, one, "passphrase-file", flags->passphrase_file, "--passphrase-file");
}

static void put_trust(struct builder *builder, struct hf_node *root,
                      const struct hf_tunnel_flags *flags)
{
    if (flags->roots) {
        struct hf_node *all = put_map(builder, root, "trust", "--roots");
        struct hf_node *one = put_map(builder, all, NAME, "--roots");
        put_text(builder, one, "roots", flags->roots, "--roots");
    }
}

static void put_upstream_tls(struct builder *builder, struct hf_node *upstream,
                             const struct hf_tunnel_flags *flags)
{
    struct hf_node *tls = put_map(builder, upstream, "tls", "--to");
    put_text(builder, tls, "identity", flags->cert ? NAME : NULL, "--cert");
    put_text(builder, tls, "trust", flags->roots ? NAME : NULL, "--roots");
    put_text(builder, tls, "name", flags->name, "--name");
    put_text(builder, tls, "sni", flags->sni, "--sni");
    put_text(builder, tls, "unsafe-skip-verify", flags->unsafe_skip_verify ? "true" : NULL,
             "--unsafe-skip-verify");
}

static void put_upstream(struct builder *builder, struct hf_node *root,
                         const struct hf_tunnel_flags *flags)
{
    struct hf_node *all = put_map(builder, root, "upstreams", "--to");
    struct hf_node *one = put_map(builder, all, NAME, "--to");
    struct hf_node *servers = put(builder, one, "servers", HF_NODE_LIST, "--to");
    for (size_t i = 0; i < flags->n_to; i++) {
        put_text(builder, servers, NULL, flags->to[i], "--to");
    }
    put_text(builder, one, "proxy-protocol", flags->proxy_protocol, "--proxy-protocol");
    if (!flags->server) {
        put_upstream_tls(builder, one, flags);
    }
}

static void put_listener(struct builder *builder, struct hf_node *root,
                         const struct hf_tunnel_flags *flags)
{
    struct hf_node *all = put_map(builder, root, "listeners", "--listen");
    struct hf_node *one = put_map(builder, all, NAME, "--listen");
    put_text(builder, one, "listen", flags->listen, "--listen");
    put_text(builder, one, "to", NAME, "--to");
    put_text(builder, one, "idle-timeout", flags->idle_timeout, "--idle-timeout");
    put_text(builder, one, "max-connections", flags->max_connections, "--max-connections");
    put_text(builder, one, "plain", flags->server ? NULL : "true", "--listen");
    put_text(builder, one, "identities", flags->server ? NAME : NULL, "--cert");
    put_text(builder, one, "trust", flags->server ? NAME : NULL, "--roots");
}

static struct hf_node *make_tree(struct builder *builder, const struct hf_tunnel_flags *flags)
{
    struct hf_node *root = hf_node_new(builder->arena, HF_NODE_MAP, of_flag(NULL));
    put_text(builder, root, "admin", flags->admin, "--admin");
    put_text(builder, root, "metrics", flags->metrics, "--metrics");
    put_text(builder, root, "workers", flags->workers, "--workers");
    struct hf_node *log = put_map(builder, root, "log", "--log-level");
    put_text(builder, log, "format", flags->log_format, "--log-format");
    put_text(builder, log, "level", flags->log_level, "--log-level");
    put_identity(builder, root, flags);
    put_trust(builder, root, flags);
    put_upstream(builder, root, flags);
    put_listener(builder, root, flags);
    return builder->failed ? NULL : root;
}

/* --- Flags that don't go together --------------------------------------------------------------
 */

/* A flag that was given but not with these; why ends the sentence. */
static void forbid(struct hf_findings *findings, bool given, const char *flag, const char *why)
{
    if (given) {
        hf_findings_add(findings, HF_FINDING_CONFLICT, of_flag(flag), "%s", why);
    }
}

static void demand(struct hf_findings *findings, const char *value, const char *flag,
                   const char *why)
{
    if (!value) {
        hf_findings_add(findings, HF_FINDING_MISSING_KEY, of_flag(flag), "%s", why);
    }
}

static bool goes_to_unix(const struct hf_tunnel_flags *flags)
{
    for (size_t i = 0; i < flags->n_to; i++) {
        if (strncmp(flags->to[i], "unix:", 5) == 0) {
            return true;
        }
    }
    return false;
}

static void check_flags(const struct hf_tunnel_flags *flags, struct hf_findings *findings)
{
    static const char client_only[] =
        "is for the client side, which checks a server; remove it, or --server";
    forbid(findings, !flags->cert && flags->key, "--key", "needs --cert beside it");
    forbid(findings, !flags->cert && flags->chain, "--chain", "needs --cert beside it");
    forbid(findings, !flags->cert && flags->passphrase_file, "--passphrase-file",
           "needs --cert beside it");
    bool tells_tls = flags->proxy_protocol && strcmp(flags->proxy_protocol, "v2-tls") == 0;
    forbid(findings, tells_tls && !flags->server, "--proxy-protocol",
           "v2-tls tells of a client's certificate, and clients of this side show none; write v2");
    if (flags->server) {
        demand(findings, flags->cert, "--cert", "is missing; name the server's certificate");
        demand(findings, flags->roots, "--roots",
               "is missing; name the CA certificates that clients are verified against");
        forbid(findings, flags->name, "--name", client_only);
        forbid(findings, flags->sni, "--sni", client_only);
        forbid(findings, flags->unsafe_skip_verify, "--unsafe-skip-verify", client_only);
    } else if (flags->unsafe_skip_verify) {
        forbid(findings, flags->roots, "--roots",
               "has no effect with --unsafe-skip-verify; remove one of them");
        forbid(findings, flags->name, "--name",
               "has no effect with --unsafe-skip-verify; remove it, or write it as --sni");
    } else {
        demand(findings, flags->roots, "--roots",
               "is missing; name the CA certificates that the server is verified against");
        demand(findings, goes_to_unix(flags) ? flags->name : "", "--name",
               "is missing; a unix socket has no host name, so say which name the server's "
               "certificate must have");
    }
}

enum hf_err hf_config_from_tunnel(const struct hf_tunnel_flags *flags, struct hf_findings *findings,
                                  struct hf_config **out)
{
    HF_CLEANUP(hf_arena_done) struct hf_arena arena = {0};
    struct builder builder = {.arena = &arena};
    *out = NULL;
    HF_TRY(hf_findings_file(findings, "command line"));
    check_flags(flags, findings);
    if (findings->n_errors) {
        return hf_fail(HF_E_CONFIG, "the flags don't go together");
    }
    struct hf_node *root = make_tree(&builder, flags);
    return root ? hf_config_from_tree(root, "command line", ".", findings, out) : HF_E_NOMEM;
}
