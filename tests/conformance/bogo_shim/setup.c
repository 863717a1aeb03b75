// SPDX-License-Identifier: Apache-2.0
#include "shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/kex.h"
#include "crypto/scheme.h"
#include "os/clock.h"

/* Flags into a context of the seam. What is made here lives as long as the process. */

/* Some of the runner's certificates have expired, and a session doesn't outlive its certificate: so
 * the shim begins on 1 May 2014. Its clock stands still, because ticket ages are checked exactly.
 */
static int64_t offset_ms;
enum { BEGINNING_S = 1398902400 };

int64_t shim_now_ms(void)
{
    return (int64_t)BEGINNING_S * 1000 + offset_ms;
}

void shim_advance(int seconds)
{
    offset_ms += 1000 * (int64_t)seconds;
}

static int64_t wall_ms(void *ctx)
{
    (void)ctx;
    return shim_now_ms();
}

static int64_t mono_ns(void *ctx)
{
    (void)ctx;
    return hf_clock_mono_ns(&hf_os_clock);
}

static const struct hf_clock shifted_clock = {NULL, mono_ns, wall_ms};

/* --- Files and identities ------------------------------------------------------------------------
 */

static struct hf_bytes read_file(const char *path)
{
    enum { FILE_MAX = 1 << 20 };
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(FILE_MAX);
    if (!file || !bytes) {
        die("can't read %s", path);
    }
    size_t n = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    return hf_bytes_of(bytes, n);
}

static struct hf_credential *load(const struct bogo_flags *flags)
{
    const struct hf_credential_source source = {.cert = read_file(flags->cert_file),
                                                .cert_label = flags->cert_file,
                                                .key = read_file(flags->key_file),
                                                .key_label = flags->key_file};
    struct hf_credential *credential;
    if (hf_credential_new(&source, &credential) != HF_OK) {
        die("credential: %s", hf_err_text());
    }
    return credential;
}

/* --- Lists by name
 * -------------------------------------------------------------------------------- */

static void append(char *out, size_t size, const char *name)
{
    size_t len = strlen(out);
    snprintf(out + len, size - len, "%s%s", len ? ":" : "", name);
}

/* PKCS#1 v1.5 and SHA-1 can't be used in TLS 1.3 and fall out of the lists. An empty list is the
 * default: what remains to be seen is that the peer's use of them is refused. */
static const char *scheme_names(const struct bogo_list *list)
{
    static char buffers[2][1024];
    static size_t used;
    char *out = buffers[used++ % 2];
    out[0] = '\0';
    for (size_t i = 0; i < list->n; i++) {
        const struct hf_scheme *scheme = hf_scheme_find((uint16_t)list->value[i]);
        if (scheme) {
            append(out, sizeof(buffers[0]), scheme->name);
        }
    }
    return *out ? out : NULL;
}

static const char *compression_names(const struct bogo_flags *flags)
{
    static const char *const names[] = {"shorter", "longer", "random"}; /* 0xff01 ... */
    int one = flags->install_one_cert_compression_alg;
    if (one) {
        return one > 0xff00 && one <= 0xff03 ? names[one - 0xff01] : NULL;
    }
    return flags->install_cert_compression_algs ? "longer:shorter:random" : NULL;
}

static const char *group_name(int number)
{
    return number == HF_KEX_X25519 ? "X25519"
           : number == HF_KEX_P256 ? "P-256"
           : number == HF_KEX_P384 ? "P-384"
                                   : NULL;
}

static const char *group_names(const struct bogo_list *list)
{
    static char out[256];
    out[0] = '\0';
    for (size_t i = 0; i < list->n; i++) {
        const char *name = group_name(list->value[i]);
        if (!name) {
            unimplemented("a curve that is not ours");
        }
        append(out, sizeof(out), name);
    }
    return *out ? out : NULL;
}

/* "\x03foo\x03bar" to a list of names. */
static const char *const *alpn_names(const char *wire)
{
    static const char *names[16];
    size_t n = 0;
    while (wire && *wire && n < HF_N_ELEMENTS(names) - 1) {
        size_t len = (unsigned char)*wire;
        names[n++] = strndup(wire + 1, len);
        wire += 1 + len;
    }
    names[n] = NULL;
    return n ? names : NULL;
}

/* "hex,hex" to DER names. */
static size_t ca_names(const char *text, struct hf_bytes *out, size_t max)
{
    size_t n = 0;
    if (!text || text[0] == '<') {
        return 0; /* <NULL> and <EMPTY> */
    }
    char *copy = strdup(text);
    for (char *at = strtok(copy, ","); at && n < max; at = strtok(NULL, ",")) {
        size_t len = strlen(at) / 2;
        uint8_t *der = malloc(len ? len : 1);
        if (hf_unhex(at, hf_span_of(der, len)) != HF_OK) {
            die("names: %s", hf_err_text());
        }
        out[n++] = hf_bytes_of(der, len);
    }
    return n;
}

/* --- The judge
 * ------------------------------------------------------------------------------------ */

static struct hf_tls_answer judge(void *conn_ctx, const struct hf_tls_peer *peer)
{
    struct shim *shim = conn_ctx;
    const struct bogo_flags *flags = shim->flags;
    /* a client that wasn't told to verify goes on all the same */
    bool strict = flags->server || flags->verify_peer || flags->use_custom_verify_callback;
    bool asked = strict && (!peer->resumed || flags->reverify_on_resume);
    shim->n_judged++;
    shim->staple_seen = peer->staple.len != 0;
    shim->judge_refused = flags->verify_fail && asked && peer->chain;
    if (flags->fail_ocsp_callback && !peer->resumed) {
        return (struct hf_tls_answer){.alert = HF_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE};
    }
    return (struct hf_tls_answer){
        .admit = !shim->judge_refused,
        .alert = flags->use_custom_verify_callback ? HF_ALERT_CERTIFICATE_UNKNOWN
                                                   : HF_ALERT_HANDSHAKE_FAILURE,
    };
}

/* --- Contexts
 * ------------------------------------------------------------------------------------- */

/* A server that isn't told otherwise allows TLS 1.2 too, and leaves it to libssl. */
static bool through_door(const struct bogo_flags *flags)
{
    return flags->server && !flags->no_tls12 && flags->min_version < HF_TLS_1_3;
}

static void set_common(const struct bogo_flags *flags, struct hf_tls_common *common)
{
    if (flags->no_tls13 || (flags->max_version && flags->max_version < HF_TLS_1_3)) {
        unimplemented("versions below TLS 1.3");
    }
    if (flags->expect_early_data_reason && strcmp(flags->expect_early_data_reason, "disabled")) {
        unimplemented("early data");
    }
    if (flags->signing_prefs.n && !scheme_names(&flags->signing_prefs)) {
        unimplemented("to sign without a scheme of TLS 1.3");
    }
    *common = (struct hf_tls_common){
        .engine = HF_TLS_ENGINE_NATIVE,
        .min_version = through_door(flags) ? HF_TLS_1_2 : HF_TLS_1_3,
        .max_version = HF_TLS_1_3,
        .clock = &shifted_clock,
        .rng = &hf_os_rng,
        .groups = group_names(&flags->curves),
        .signatures = scheme_names(&flags->verify_prefs),
        .own_signatures = scheme_names(&flags->signing_prefs),
        .cert_compression = compression_names(flags),
        .ask_staple = flags->enable_ocsp_stapling && !flags->server,
        .separate_jobs = flags->async,
    };
}

static void set_ticket_keys(struct hf_tls_ticket_keys *keys)
{
    static uint8_t secret[32];
    static bool drawn;
    if (!drawn && hf_rng_fill(&hf_os_rng, hf_span_of(secret, sizeof(secret))) != HF_OK) {
        die("random: %s", hf_err_text());
    }
    drawn = true;
    keys->n_keys = 1;
    memcpy(keys->key[0].secret.byte, secret, sizeof(secret));
    keys->key[0].secret.len = sizeof(secret);
}

static enum hf_err setup_server(struct shim *shim, struct hf_credential *credential)
{
    static struct hf_bytes names[16];
    const struct bogo_flags *flags = shim->flags;
    static const char *alpn[2];
    struct hf_tls_policy policy = {.ca_names = names};
    if (flags->fail_ocsp_callback) {
        unimplemented("a staple that fails to be found");
    }
    policy.n_ca_names = ca_names(flags->use_client_ca_list, names, HF_N_ELEMENTS(names));
    policy.ask = flags->require_any_client_certificate ? HF_TLS_ASK_REQUIRED
                 : flags->verify_peer                  ? HF_TLS_ASK_OPTIONAL
                                                       : HF_TLS_ASK_NONE;
    struct hf_tls_server_config config = {
        .identities = &credential,
        .n_identities = 1,
        .policies = &policy,
        .n_policies = 1,
        .tickets = !flags->no_ticket,
        .n_tickets = 2,
        .ticket_lifetime_s = 2 * 24 * 3600,
        .judge = {judge},
        .staples = flags->decline_ocsp_callback ? NULL : &flags->ocsp_response,
        .alpn_required = flags->reject_alpn,
    };
    set_common(flags, &config.common);
    set_ticket_keys(&config.ticket_keys);
    alpn[0] = flags->reject_alpn    ? "no such protocol"
              : flags->decline_alpn ? NULL
                                    : flags->select_alpn;
    config.common.alpn = alpn;
    return hf_tls_server_ctx_new(&config, &shim->ctx);
}

static enum hf_err setup_client(struct shim *shim, struct hf_credential *credential)
{
    const struct bogo_flags *flags = shim->flags;
    struct hf_tls_client_config config = {
        .identities = &credential,
        .n_identities = credential ? 1 : 0,
        .judge = {judge},
        .staples = &flags->ocsp_response,
    };
    set_common(flags, &config.common);
    config.common.alpn = alpn_names(flags->advertise_alpn);
    return hf_tls_client_ctx_new(&config, &shim->ctx);
}

void shim_setup(struct shim *shim)
{
    const struct bogo_flags *flags = shim->flags;
    struct hf_credential *credential = flags->cert_file ? load(flags) : NULL;
    enum hf_err err =
        flags->server ? setup_server(shim, credential) : setup_client(shim, credential);
    if (err != HF_OK) {
        die("context: %s", hf_err_text());
    }
    hf_credential_unref(credential);
}
