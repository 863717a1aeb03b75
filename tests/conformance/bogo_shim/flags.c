// SPDX-License-Identifier: Apache-2.0
#include "flags.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_UNIMPLEMENTED = 89 };

enum kind { BOOL, INT, TEXT, BASE64, LIST };

struct flag {
    const char *name;
    enum kind kind;
    size_t at;
};

#define FLAG(name, kind, field) \
    { \
        "-" name, kind, offsetof(struct bogo_flags, field) \
    }

/*
 * What "ignored" means, by kind: versions below 1.3 with their renegotiation, ciphers and PSKs
 * (-cipher and -psk don't speak of TLS 1.3); what always holds (no session ids, the properties of
 * extended master secrets); and flags that choose by which callback something is configured that
 * we configure in one way.
 */
static const struct flag table[] = {
    FLAG("port", INT, port),
    FLAG("resume-count", INT, resume_count),
    FLAG("server", BOOL, server),
    FLAG("async", BOOL, async),
    FLAG("key-file", TEXT, key_file),
    FLAG("cert-file", TEXT, cert_file),
    FLAG("signing-prefs", LIST, signing_prefs),
    FLAG("verify-prefs", LIST, verify_prefs),
    FLAG("expect-peer-verify-pref", LIST, expect_peer_verify_prefs),
    FLAG("require-any-client-certificate", BOOL, require_any_client_certificate),
    FLAG("verify-peer", BOOL, verify_peer),
    FLAG("verify-fail", BOOL, verify_fail),
    FLAG("expect-verify-result", BOOL, expect_verify_result),
    FLAG("reverify-on-resume", BOOL, reverify_on_resume),
    FLAG("use-custom-verify-callback", BOOL, use_custom_verify_callback),
    FLAG("use-client-ca-list", TEXT, use_client_ca_list),
    FLAG("expect-client-ca-list", TEXT, expect_client_ca_list),
    FLAG("expect-peer-cert-file", TEXT, expect_peer_cert_file),
    FLAG("expect-peer-signature-algorithm", INT, expect_peer_signature_algorithm),
    FLAG("min-version", INT, min_version),
    FLAG("max-version", INT, max_version),
    FLAG("expect-version", INT, expect_version),
    FLAG("no-tls13", BOOL, no_tls13),
    FLAG("curves", LIST, curves),
    FLAG("expect-curve-id", INT, expect_curve_id),
    FLAG("expect-cipher", INT, expect_cipher),
    FLAG("expect-cipher-aes", INT, expect_cipher_aes),
    FLAG("expect-hrr", BOOL, expect_hrr),
    FLAG("expect-no-hrr", BOOL, expect_no_hrr),
    FLAG("host-name", TEXT, host_name),
    FLAG("expect-server-name", TEXT, expect_server_name),
    FLAG("advertise-alpn", TEXT, advertise_alpn),
    FLAG("expect-alpn", TEXT, expect_alpn),
    FLAG("select-alpn", TEXT, select_alpn),
    FLAG("decline-alpn", BOOL, decline_alpn),
    FLAG("reject-alpn", BOOL, reject_alpn),
    FLAG("enable-ocsp-stapling", BOOL, enable_ocsp_stapling),
    FLAG("ocsp-response", BASE64, ocsp_response),
    FLAG("expect-ocsp-response", BASE64, expect_ocsp_response),
    FLAG("decline-ocsp-callback", BOOL, decline_ocsp_callback),
    FLAG("fail-ocsp-callback", BOOL, fail_ocsp_callback),
    FLAG("install-cert-compression-algs", BOOL, install_cert_compression_algs),
    FLAG("install-one-cert-compression-alg", INT, install_one_cert_compression_alg),
    FLAG("expect-early-data-reason", TEXT, expect_early_data_reason),
    FLAG("use-ocsp-callback", BOOL, ignored),
    FLAG("set-ocsp-in-callback", BOOL, ignored),
    FLAG("max-send-fragment", INT, max_send_fragment),
    FLAG("no-ticket", BOOL, no_ticket),
    FLAG("expect-session-miss", BOOL, expect_session_miss),
    FLAG("expect-no-session", BOOL, expect_no_session),
    FLAG("resumption-delay", INT, resumption_delay),
    FLAG("no-op-extra-handshake", BOOL, no_op_extra_handshake),
    FLAG("handshake-twice", BOOL, no_op_extra_handshake),
    FLAG("export-keying-material", INT, export_keying_material),
    FLAG("export-label", TEXT, export_label),
    FLAG("export-context", TEXT, export_context),
    FLAG("use-export-context", BOOL, use_export_context),
    FLAG("use-exporter-between-reads", BOOL, use_exporter_between_reads),
    FLAG("export-traffic-secrets", BOOL, export_traffic_secrets),
    FLAG("write-different-record-sizes", BOOL, write_different_record_sizes),
    FLAG("shim-writes-first", BOOL, shim_writes_first),
    FLAG("shim-shuts-down", BOOL, shim_shuts_down),
    FLAG("check-close-notify", BOOL, check_close_notify),
    FLAG("read-with-unfinished-write", BOOL, read_with_unfinished_write),
    FLAG("send-alert", BOOL, send_alert),
    FLAG("key-update", BOOL, key_update),
    FLAG("read-size", INT, read_size),
    FLAG("is-handshaker-supported", BOOL, is_handshaker_supported),
    FLAG("no-tls1", BOOL, ignored),
    FLAG("no-tls11", BOOL, ignored),
    FLAG("no-tls12", BOOL, no_tls12),
    FLAG("renegotiate-freely", BOOL, ignored),
    FLAG("renegotiate-ignore", BOOL, ignored),
    FLAG("renegotiate-once", BOOL, ignored),
    FLAG("renegotiate-explicit", BOOL, ignored),
    FLAG("cipher", TEXT, ignored_text),
    FLAG("psk", TEXT, ignored_text),
    FLAG("psk-identity", TEXT, ignored_text),
    FLAG("expect-no-session-id", BOOL, ignored),
    FLAG("expect-extended-master-secret", BOOL, ignored),
    FLAG("expect-cipher-no-aes", INT, ignored_number),
    FLAG("signed-cert-timestamps", TEXT, ignored_text),
    FLAG("install-ddos-callback", BOOL, ignored),
    FLAG("server-preference", BOOL, ignored),
    FLAG("implicit-handshake", BOOL, ignored),
    FLAG("use-early-callback", BOOL, ignored),
    FLAG("use-old-client-cert-callback", BOOL, ignored),
    FLAG("enforce-rsa-key-usage", BOOL, ignored),
    FLAG("expect-ticket-renewal", BOOL, ignored),
};

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s\n", what, name);
    exit(EXIT_UNIMPLEMENTED);
}

static const struct flag *find(const char *name)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        if (strcmp(table[i].name, name) == 0) {
            return &table[i];
        }
    }
    fail("unknown flag", name);
    return NULL;
}

static struct hf_bytes decode(const char *text)
{
    size_t len = strlen(text);
    uint8_t *out = calloc(1, len + 3);
    int n = out ? EVP_DecodeBlock(out, (const uint8_t *)text, (int)len) : -1;
    if (n < 0) {
        fail("not base64", text);
    }
    size_t padding = (size_t)(len && text[len - 1] == '=') + (len > 1 && text[len - 2] == '=');
    return hf_bytes_of(out, (size_t)n - padding);
}

static void set(struct bogo_flags *flags, const struct flag *flag, const char *value)
{
    void *at = (char *)flags + flag->at;
    struct bogo_list *list = at;
    switch (flag->kind) {
    case BOOL:
        *(bool *)at = true;
        break;
    case INT:
        *(int *)at = atoi(value);
        break;
    case TEXT:
        *(const char **)at = value;
        break;
    case BASE64:
        *(struct hf_bytes *)at = decode(value);
        break;
    case LIST:
        if (list->n < BOGO_LIST_MAX) {
            list->value[list->n++] = atoi(value);
        }
        break;
    }
}

/* Takes "-on-initial" off "-on-initial-flag", leaving "-flag". */
static bool strip(const char **name, const char *prefix)
{
    size_t len = strlen(prefix);
    bool has = strncmp(*name, prefix, len) == 0 && (*name)[len] == '-';
    *name += has ? len : 0;
    return has;
}

void bogo_flags_read(int argc, char **argv, struct bogo_flags *first, struct bogo_flags *resume)
{
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        bool skip = strip(&name, "-on-handshaker");
        (void)strip(&name, "-on-shim");
        bool on_first = strip(&name, "-on-initial");
        bool on_resume = strip(&name, "-on-resume");
        if (strip(&name, "-on-retry")) {
            fail("early data is not ours", argv[i]);
        }
        const struct flag *flag = find(name);
        const char *value = NULL;
        if (flag->kind != BOOL) {
            value = ++i < argc ? argv[i] : (fail("flag without value", name), "");
        }
        if (!skip && !on_resume) {
            set(first, flag, value);
        }
        if (!skip && !on_first) {
            set(resume, flag, value);
        }
    }
}
