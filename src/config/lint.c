// SPDX-License-Identifier: Apache-2.0
/* What a config and its files together show. Each lint is one small function; ids and levels are in
 * HF_FINDING_TABLE. */
#include "config/lint_impl.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "pki/dn.h"
#include "pki/ocsp.h"
#include "pki/staple.h"
#include "pki/verify_text.h"

enum { NAME_SIZE = 160 };

static void subject_of(const struct hf_cert *cert, char out[static NAME_SIZE])
{
    hf_dn_text(X509_get_subject_name(cert->x509), out, NAME_SIZE);
}

static void issuer_of(const struct hf_cert *cert, char out[static NAME_SIZE])
{
    hf_dn_text(X509_get_issuer_name(cert->x509), out, NAME_SIZE);
}

static bool is_issued_by(const struct hf_cert *cert, const struct hf_cert *issuer)
{
    return X509_NAME_cmp(X509_get_issuer_name(cert->x509), X509_get_subject_name(issuer->x509)) ==
           0;
}

/* --- Dates -------------------------------------------------------------------------------------
 */

/* The time between two instants, for people. */
static void gap_text(int64_t from_s, int64_t to_s, char out[static 48])
{
    int64_t most = INT64_MAX / 1000;
    int64_t gap = to_s > most ? most : to_s - from_s; /* from_s is near now: no overflow */
    hf_format_duration(gap * 1000, out, 48);
}

static void lint_dates(const struct hf_lint *lint, const struct hf_cert *cert, struct hf_mark mark,
                       enum hf_finding_id if_expired)
{
    char subject[NAME_SIZE];
    char gap[48];
    char when[HF_TIME_TEXT_SIZE];
    subject_of(cert, subject);
    if (cert->not_before > lint->now_s) {
        gap_text(lint->now_s, cert->not_before, gap);
        hf_format_time(cert->not_before, when);
        hf_findings_add(lint->findings, HF_FINDING_NOT_YET_VALID, mark,
                        "\"%s\" is not valid for another %s, until %s; wait, or check the clock",
                        subject, gap, when);
        return;
    }
    hf_format_time(cert->not_after, when);
    if (cert->not_after < lint->now_s) {
        gap_text(cert->not_after, lint->now_s, gap);
        hf_findings_add(lint->findings, if_expired, mark,
                        "\"%s\" expired %s ago, at %s; replace it", subject, gap, when);
    } else if (cert->not_after - lint->now_s < HF_LINT_EXPIRING_S) {
        gap_text(lint->now_s, cert->not_after, gap);
        hf_findings_add(lint->findings, HF_FINDING_EXPIRING, mark,
                        "\"%s\" expires in %s, at %s; renew it", subject, gap, when);
    }
}

/* --- Chains ------------------------------------------------------------------------------------
 */

/* Is the issuer of cert among the roots of any trust of this config? */
static bool issuer_is_known(const struct hf_lint *lint, const struct hf_cert *cert)
{
    for (size_t i = 0; i < lint->config->n_trusts; i++) {
        const struct hf_trust *trust =
            hf_materials_trust(lint->materials, &lint->config->trusts[i]);
        const struct hf_chain *roots = trust ? hf_trust_roots(trust) : NULL;
        for (size_t j = 0; roots && j < roots->n_certs; j++) {
            if (is_issued_by(cert, roots->certs[j])) {
                return true;
            }
        }
    }
    return false;
}

/*
 * A leaf alone, whose issuer nobody here knows, is nearly always one whose intermediate was
 * forgotten; the other case, an issuer that peers have as their root, can't be told apart. So this
 * is a warning, and only for a leaf alone.
 */
static void lint_complete(const struct hf_lint *lint, const struct hf_cfg_identity *identity,
                          const struct hf_chain *chain)
{
    const struct hf_cert *leaf = chain->certs[0];
    char issuer[NAME_SIZE];
    if (chain->n_certs > 1 || is_issued_by(leaf, leaf) || issuer_is_known(lint, leaf)) {
        return;
    }
    issuer_of(leaf, issuer);
    hf_findings_add(lint->findings, HF_FINDING_CHAIN_INCOMPLETE, identity->cert.mark,
                    "%s holds no certificate of the CA \"%s\" that issued it; unless peers have "
                    "that CA as their root, append it, or name its file as chain",
                    identity->cert.value, issuer);
}

static void lint_order(const struct hf_lint *lint, const struct hf_cfg_identity *identity,
                       const struct hf_chain *chain)
{
    for (size_t i = 0; i + 1 < chain->n_certs; i++) {
        if (!is_issued_by(chain->certs[i], chain->certs[i + 1])) {
            char subject[NAME_SIZE];
            char issuer[NAME_SIZE];
            subject_of(chain->certs[i + 1], subject);
            issuer_of(chain->certs[i], issuer);
            hf_findings_add(lint->findings, HF_FINDING_CHAIN_ORDER, identity->cert.mark,
                            "certificate %zu of the chain is \"%s\", where the issuer of the one "
                            "before, \"%s\", belongs; put each behind the one that it signed",
                            i + 2, subject, issuer);
            return;
        }
    }
}

/* --- Use ---------------------------------------------------------------------------------------
 */

static const struct hf_cfg_listener *listener_with(const struct hf_config *config,
                                                   const struct hf_cfg_identity *identity)
{
    for (size_t i = 0; i < config->n_listeners; i++) {
        for (size_t j = 0; j < config->listeners[i].n_identities; j++) {
            if (config->listeners[i].identities[j] == identity) {
                return &config->listeners[i];
            }
        }
    }
    return NULL;
}

static const struct hf_cfg_upstream *upstream_with(const struct hf_config *config,
                                                   const struct hf_cfg_identity *identity)
{
    for (size_t i = 0; i < config->n_upstreams; i++) {
        const struct hf_cfg_upstream *upstream = &config->upstreams[i];
        for (size_t j = 0; j < upstream->n_tls_identities; j++) {
            if (upstream->tls_identities[j] == identity) {
                return upstream;
            }
        }
    }
    return NULL;
}

/* where: "listener \"api\" shows it to clients" */
static void lint_usage(const struct hf_lint *lint, const struct hf_cfg_identity *identity,
                       const struct hf_chain *chain, enum hf_usage usage, const char *where,
                       const char *name)
{
    int purpose = usage == HF_USAGE_CLIENT ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER;
    for (size_t i = 0; i < chain->n_certs; i++) {
        X509 *x509 = chain->certs[i]->x509;
        if (X509_check_purpose(x509, purpose, i > 0) <= 0) {
            char text[HF_VERIFY_TEXT_MAX];
            struct hf_finding_cert what = {.x509 = x509, .depth = (int)i, .usage = usage};
            hf_verify_explain_usage(&what, text);
            hf_findings_add(lint->findings, HF_FINDING_WRONG_USAGE, identity->cert.mark,
                            "%s, but %s \"%s\" shows it to its %s; use another certificate", text,
                            where, name, usage == HF_USAGE_CLIENT ? "servers" : "clients");
            return;
        }
    }
}

static void lint_names(const struct hf_lint *lint, const struct hf_cfg_identity *identity,
                       const struct hf_identity *holder)
{
    if (holder->dns.n == 0 && holder->ip.n == 0) {
        hf_findings_add(lint->findings, HF_FINDING_NO_SAN, identity->cert.mark,
                        "the certificate in %s has no DNS name and no address as subjectAltName, "
                        "and clients don't read the CN; issue it with its host names",
                        identity->cert.value);
    }
}

/* Whose feed it is shown to. */
static const struct hf_cfg_ca *ca_with(const struct hf_config *config,
                                       const struct hf_cfg_identity *identity)
{
    for (size_t i = 0; i < config->n_cas; i++) {
        if (config->cas[i].identity == identity) {
            return &config->cas[i];
        }
    }
    return NULL;
}

static void lint_use(const struct hf_lint *lint, const struct hf_cfg_identity *identity,
                     const struct hf_credential *credential)
{
    const struct hf_cfg_listener *listener = listener_with(lint->config, identity);
    const struct hf_cfg_upstream *upstream = upstream_with(lint->config, identity);
    const struct hf_cfg_ca *ca = ca_with(lint->config, identity);
    if (!listener && !upstream && !ca) {
        hf_findings_add(lint->findings, HF_FINDING_UNUSED, identity->mark,
                        "no listener and no upstream uses identity \"%s\"; remove it",
                        identity->name);
    }
    if (!credential) {
        return;
    }
    if (listener) {
        lint_usage(lint, identity, credential->chain, HF_USAGE_SERVER, "listener", listener->name);
        lint_names(lint, identity, credential->identity);
    }
    if (upstream) {
        lint_usage(lint, identity, credential->chain, HF_USAGE_CLIENT, "upstream", upstream->name);
    }
    if (ca) {
        lint_usage(lint, identity, credential->chain, HF_USAGE_CLIENT, "ca", ca->name);
    }
}

static void lint_staple(const struct hf_lint *lint, const struct hf_cfg_identity *identity,
                        const struct hf_credential *credential)
{
    struct hf_staple staple;
    struct hf_bytes der = hf_materials_staple(lint->materials, identity);
    if (der.len == 0 || hf_staple_read(der, credential->chain, &staple) != HF_OK) {
        return;
    }
    if (staple.revoked) {
        hf_findings_add(lint->findings, HF_FINDING_STAPLE, identity->staple.mark,
                        "%s says that the certificate of identity \"%s\" is revoked; get a new "
                        "certificate",
                        identity->staple.value, identity->name);
    } else if (staple.ends_at <= lint->now_s) {
        hf_findings_add(lint->findings, HF_FINDING_STAPLE, identity->staple.mark,
                        "%s has ended: a client that looks at it refuses us; fetch a new one from "
                        "the CA's responder and reload",
                        identity->staple.value);
    }
}

/* RFC 7633: whoever heeds it refuses the certificate without a response. */
static void lint_must_staple(const struct hf_lint *lint, const struct hf_cfg_identity *identity,
                             const struct hf_credential *credential)
{
    if (hf_ocsp_must_staple(credential->chain->certs[0]) && !identity->fetch_staple &&
        !identity->staple.value) {
        hf_findings_add(
            lint->findings, HF_FINDING_MUST_STAPLE, identity->cert.mark,
            "the certificate of identity \"%s\" must be shown with an OCSP response, and "
            "clients that look refuse it without; set fetch-staple",
            identity->name);
    }
}

static void lint_identity(const struct hf_lint *lint, const struct hf_cfg_identity *identity)
{
    const struct hf_credential *credential = hf_materials_identity(lint->materials, identity);
    lint_use(lint, identity, credential);
    if (!credential) {
        return;
    }
    for (size_t i = 0; i < credential->chain->n_certs; i++) {
        lint_dates(lint, credential->chain->certs[i], identity->cert.mark, HF_FINDING_EXPIRED);
    }
    lint_staple(lint, identity, credential);
    lint_must_staple(lint, identity, credential);
    lint_order(lint, identity, credential->chain);
    lint_complete(lint, identity, credential->chain);
}

/* --- Trusts ------------------------------------------------------------------------------------
 */

static bool trust_is_used(const struct hf_config *config, const struct hf_cfg_trust *trust)
{
    for (size_t i = 0; i < config->n_listeners; i++) {
        const struct hf_cfg_listener *listener = &config->listeners[i];
        bool used = listener->trust == trust;
        for (size_t j = 0; j < listener->n_sni; j++) {
            used = used || listener->sni[j].trust == trust;
        }
        if (used) {
            return true;
        }
    }
    for (size_t i = 0; i < config->n_upstreams; i++) {
        if (config->upstreams[i].tls_trust == trust) {
            return true;
        }
    }
    for (size_t i = 0; i < config->n_auth; i++) {
        if (config->auth[i].jwt.jwks_trust == trust) {
            return true;
        }
    }
    return false;
}

static void lint_names_list(const struct hf_lint *lint, const struct hf_cfg_trust *cfg,
                            const struct hf_trust *trust)
{
    const struct hf_bytes *names;
    bool too_long = false;
    (void)hf_trust_names_der(trust, &names, &too_long);
    if (too_long) {
        hf_findings_add(lint->findings, HF_FINDING_NAMES_TOO_LONG,
                        cfg->names_file.value ? cfg->names_file.mark : cfg->roots.mark,
                        "the CA names of trust \"%s\" take more than %u KiB, on which many clients "
                        "fail, so none are sent; list fewer in a file under names, or write "
                        "names: none",
                        cfg->name, HF_TRUST_NAMES_MAX >> 10);
    }
}

static void lint_trust(const struct hf_lint *lint, const struct hf_cfg_trust *cfg)
{
    const struct hf_trust *trust = hf_materials_trust(lint->materials, cfg);
    if (!trust_is_used(lint->config, cfg)) {
        hf_findings_add(lint->findings, HF_FINDING_UNUSED, cfg->mark,
                        "nothing uses trust \"%s\"; remove it", cfg->name);
    }
    if (!trust) {
        return;
    }
    const struct hf_chain *roots = hf_trust_roots(trust);
    for (size_t i = 0; i < roots->n_certs; i++) {
        lint_dates(lint, roots->certs[i], cfg->roots.mark, HF_FINDING_ROOT_EXPIRED);
    }
    lint_names_list(lint, cfg, trust);
}

/* --- Doors -------------------------------------------------------------------------------------
 */

static void lint_keylog(const struct hf_lint *lint, const struct hf_cfg_tls *tls)
{
    if (tls->unsafe_keylog.value) {
        hf_findings_add(lint->findings, HF_FINDING_UNSAFE, tls->unsafe_keylog.mark,
                        "unsafe-keylog is on: whoever reads %s reads the traffic; remove it when "
                        "done",
                        tls->unsafe_keylog.value);
    }
}

/* The backend learns who the client is only by the TLS part of the PROXY protocol. */
static void lint_client_mode(const struct hf_lint *lint, const struct hf_cfg_listener *listener,
                             enum hf_client_mode mode, struct hf_mark mark)
{
    if (mode == HF_CLIENT_REQUEST_UNVERIFIED) {
        hf_findings_add(lint->findings, HF_FINDING_UNVERIFIED, mark,
                        "listener \"%s\" lets in every client, whatever its certificate; write "
                        "client: require once the log shows that all have good ones",
                        listener->name);
    } else if (mode == HF_CLIENT_REQUEST && listener->to &&
               listener->to->proxy_out != HF_PROXY_OUT_V2_TLS) {
        hf_findings_add(lint->findings, HF_FINDING_REQUEST_UNUSED, mark,
                        "listener \"%s\" lets in clients without a certificate, and upstream "
                        "\"%s\" isn't told who has one; write client: require, or "
                        "proxy-protocol: v2-tls in the upstream",
                        listener->name, listener->to->name);
    }
}

static void lint_trial(const struct hf_lint *lint, const struct hf_cfg_listener *listener)
{
    if (listener->report_only) {
        hf_findings_add(lint->findings, HF_FINDING_REPORT_ONLY, listener->report_only_mark,
                        "listener \"%s\" refuses nobody: report-only lets in whom the certificate "
                        "would keep out; see handfast reports, and take it out when nobody is left "
                        "there whom you would miss",
                        listener->name);
    }
}

static bool is_loopback(const struct hf_addr *addr)
{
    switch (addr->sa.sa_family) {
    case AF_INET:
        return ntohl(addr->in.sin_addr.s_addr) >> 24 == 127;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&addr->in6.sin6_addr);
    default:
        return true; /* unix: permissions of the path rule */
    }
}

static void lint_plain(const struct hf_lint *lint, const struct hf_cfg_listener *listener)
{
    for (size_t i = 0; i < listener->n_listen; i++) {
        if (!is_loopback(&listener->listen[i].addr)) {
            hf_findings_add(lint->findings, HF_FINDING_PLAIN_EXPOSED, listener->listen[i].mark,
                            "listener \"%s\" takes plain text from the network on %s; listen on "
                            "127.0.0.1 or a unix socket, or use TLS",
                            listener->name, listener->listen[i].text);
        }
    }
}

static void lint_listener(const struct hf_lint *lint, const struct hf_cfg_listener *listener)
{
    if (listener->plain) {
        lint_plain(lint, listener);
        return;
    }
    lint_keylog(lint, &listener->tls);
    lint_trial(lint, listener);
    lint_client_mode(lint, listener, listener->client,
                     listener->client_mark.line ? listener->client_mark : listener->mark);
    for (size_t i = 0; i < listener->n_sni; i++) {
        if (listener->sni[i].client != listener->client) {
            lint_client_mode(lint, listener, listener->sni[i].client, listener->sni[i].mark);
        }
    }
}

static bool upstream_is_used(const struct hf_config *config, const struct hf_cfg_upstream *upstream)
{
    for (size_t i = 0; i < config->n_listeners; i++) {
        const struct hf_cfg_listener *listener = &config->listeners[i];
        for (size_t j = 0; j < listener->n_routes; j++) {
            if (listener->routes[j].to == upstream) {
                return true;
            }
        }
        if (listener->to == upstream) {
            return true;
        }
    }
    return false;
}

static void lint_upstream(const struct hf_lint *lint, const struct hf_cfg_upstream *upstream)
{
    if (!upstream_is_used(lint->config, upstream)) {
        hf_findings_add(lint->findings, HF_FINDING_UNUSED, upstream->mark,
                        "no listener relays to upstream \"%s\"; remove it", upstream->name);
    }
    if (upstream->unsafe_skip_verify) {
        hf_findings_add(lint->findings, HF_FINDING_UNSAFE, upstream->unsafe_skip_verify_mark,
                        "unsafe-skip-verify is on: upstream \"%s\" can be impersonated; give it a "
                        "trust instead",
                        upstream->name);
    }
    if (upstream->forward.unsafe_unverified) {
        hf_findings_add(lint->findings, HF_FINDING_UNSAFE, upstream->forward.unsafe_unverified_mark,
                        "unsafe-unverified is on: upstream \"%s\" is told names that anybody can "
                        "write into a certificate, and must verify them itself",
                        upstream->name);
    }
    lint_keylog(lint, &upstream->tls);
}

static bool expr_uses(const struct hf_cfg_auth_expr *expr, const struct hf_cfg_auth *auth)
{
    bool found = expr && expr->verifier == auth;
    for (size_t i = 0; expr && i < expr->n_parts && !found; i++) {
        found = expr_uses(&expr->parts[i], auth);
    }
    return found;
}

static bool auth_is_used(const struct hf_config *config, const struct hf_cfg_auth *auth)
{
    for (size_t i = 0; i < config->n_listeners; i++) {
        const struct hf_cfg_listener *listener = &config->listeners[i];
        for (size_t j = 0; j < listener->n_routes; j++) {
            if (expr_uses(listener->routes[j].auth, auth)) {
                return true;
            }
        }
    }
    return false;
}

static void lint_auth(const struct hf_lint *lint, const struct hf_cfg_auth *auth)
{
    if (!auth_is_used(lint->config, auth)) {
        hf_findings_add(lint->findings, HF_FINDING_UNUSED, auth->mark,
                        "no route asks for auth \"%s\"; remove it", auth->name);
    }
    if (auth->jwt.unsafe_any_audience) {
        hf_findings_add(lint->findings, HF_FINDING_UNSAFE, auth->jwt.unsafe_any_audience_mark,
                        "unsafe-any-audience is on: a token for any other service of the issuer "
                        "does for auth \"%s\"; name an audience",
                        auth->name);
    }
}

void hf_lint(const struct hf_config *config, const struct hf_materials *materials, int64_t now_s,
             struct hf_findings *findings)
{
    const struct hf_lint lint = {config, materials, now_s, findings};
    for (size_t i = 0; i < config->n_identities; i++) {
        lint_identity(&lint, &config->identities[i]);
    }
    for (size_t i = 0; i < config->n_trusts; i++) {
        lint_trust(&lint, &config->trusts[i]);
    }
    for (size_t i = 0; i < config->n_auth; i++) {
        lint_auth(&lint, &config->auth[i]);
    }
    for (size_t i = 0; i < config->n_upstreams; i++) {
        lint_upstream(&lint, &config->upstreams[i]);
    }
    for (size_t i = 0; i < config->n_listeners; i++) {
        lint_listener(&lint, &config->listeners[i]);
    }
    hf_lint_keys(&lint);
    hf_lint_http(&lint);
}
