// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BOGO_FLAGS_H
#define HF_BOGO_FLAGS_H

/*
 * The command line that BoringSSL's runner gives to a shim: one struct for the first connection and
 * one for those that resume it. A flag that the table doesn't have is something that we can't do;
 * the shim then exits with 89, which the runner counts as unimplemented.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define BOGO_LIST_MAX 64

struct bogo_list {
    int value[BOGO_LIST_MAX];
    size_t n;
};

struct bogo_flags {
    /* which connection */
    int port;
    int resume_count;
    bool server;
    bool async; /* one byte at a time, jobs delayed */
    /* identity and trust */
    const char *key_file, *cert_file;
    struct bogo_list signing_prefs, verify_prefs, expect_peer_verify_prefs;
    bool require_any_client_certificate, verify_peer, verify_fail, expect_verify_result;
    bool reverify_on_resume;
    bool use_custom_verify_callback; /* names the alert of -verify-fail */
    const char *use_client_ca_list, *expect_client_ca_list;
    const char *expect_peer_cert_file;
    int expect_peer_signature_algorithm;
    /* parameters */
    int min_version, max_version, expect_version;
    bool no_tls12, no_tls13;
    struct bogo_list curves;
    int expect_curve_id, expect_cipher, expect_cipher_aes;
    bool expect_hrr, expect_no_hrr;
    const char *host_name, *expect_server_name;
    const char *advertise_alpn, *expect_alpn, *select_alpn;
    bool decline_alpn, reject_alpn;
    bool enable_ocsp_stapling, decline_ocsp_callback, fail_ocsp_callback;
    struct hf_bytes ocsp_response, expect_ocsp_response;
    int max_send_fragment;
    bool install_cert_compression_algs;
    int install_one_cert_compression_alg;
    /* sessions */
    bool no_ticket, expect_session_miss, expect_no_session;
    int resumption_delay;
    const char *expect_early_data_reason;
    /* what happens after the handshake */
    bool no_op_extra_handshake;
    int export_keying_material;
    const char *export_label, *export_context;
    bool use_export_context, use_exporter_between_reads, export_traffic_secrets;
    bool write_different_record_sizes, shim_writes_first, shim_shuts_down, check_close_notify;
    bool read_with_unfinished_write, send_alert, key_update;
    int read_size;
    bool is_handshaker_supported;
    /* flags that ask for nothing of an engine without TLS 1.2 or without such callbacks */
    bool ignored;
    const char *ignored_text;
    int ignored_number;
};

/* bogo_flags_read fills both; exits with 89 on a flag that isn't in the table. */
void bogo_flags_read(int argc, char **argv, struct bogo_flags *first, struct bogo_flags *resume);

#endif
