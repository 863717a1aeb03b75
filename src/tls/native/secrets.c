// SPDX-License-Identifier: Apache-2.0
#include "tls/native/secrets.h"

#include <stdio.h>

#include "base/mem.h"
#include "tls/native/conn.h"

/* The glue between handshake state and key schedule, and the key log's lines. */

static void log_secret(const struct hf_native *conn, const char *label,
                       const struct hf_secret *secret)
{
    enum { LABEL_MAX = 32 };
    const struct hf_tls_keylog *keylog = conn->base.ctx->keylog;
    char line[LABEL_MAX + 2 * (32 + HF_SECRET_MAX) + 4];
    char random[2 * 32 + 1], hex[2 * HF_SECRET_MAX + 1];
    if (!keylog) {
        return;
    }
    hf_hex(hf_bytes_of(conn->hs->client_random, 32), random);
    hf_hex(hf_secret_bytes(secret), hex);
    snprintf(line, sizeof(line), "%s %s %s", label, random, hex);
    keylog->line(keylog->ctx, line);
    hf_wipe(line, sizeof(line));
    hf_wipe(hex, sizeof(hex));
}

void hf_native_ask_derive(struct hf_native *conn, const struct hf_kex *pair)
{
    struct hf_native_hs *hs = conn->hs;
    hs->job.derive.pair = pair;
    hs->job.derive.peer = hf_bytes_of(hs->share, hs->share_len);
    hs->job.derive.shared = &hs->shared;
    hf_native_job_ask(conn, HF_JOB_DERIVE);
}

enum hf_err hf_native_take_derived(struct hf_native *conn)
{
    enum hf_err err = hf_native_job_take(conn);
    if (err == HF_E_INVALID) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "bad key share: not a usable point");
    }
    return err;
}

void hf_native_handshake_secrets(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    uint8_t digest[HF_HASH_MAX];
    if (!hs->psk_accepted) {
        hf_schedule_init(&hs->schedule, conn->suite->hash);
    }
    hf_schedule_handshake(&hs->schedule, hf_secret_bytes(&hs->shared),
                          hf_transcript_peek(&hs->transcript, digest), &hs->client_secret,
                          &hs->server_secret);
    hf_secret_done(&hs->shared);
    hf_wipe(hs->kex, sizeof(hs->kex));
    log_secret(conn, "CLIENT_HANDSHAKE_TRAFFIC_SECRET", &hs->client_secret);
    log_secret(conn, "SERVER_HANDSHAKE_TRAFFIC_SECRET", &hs->server_secret);
}

void hf_native_master_secrets(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    uint8_t digest[HF_HASH_MAX];
    hf_schedule_master(&hs->schedule, hf_transcript_peek(&hs->transcript, digest), &hs->client_app,
                       &hs->server_app, &conn->exporter);
    log_secret(conn, "CLIENT_TRAFFIC_SECRET_0", &hs->client_app);
    log_secret(conn, "SERVER_TRAFFIC_SECRET_0", &hs->server_app);
    log_secret(conn, "EXPORTER_SECRET", &conn->exporter);
}

void hf_native_resumption_secret(struct hf_native *conn)
{
    uint8_t digest[HF_HASH_MAX];
    hf_schedule_resumption(&conn->hs->schedule, hf_transcript_peek(&conn->hs->transcript, digest),
                           &conn->resumption);
}

enum hf_err hf_native_keep_transcript(struct hf_native *conn)
{
    conn->after = HF_NEW(struct hf_transcript);
    if (!conn->after) {
        return HF_E_NOMEM;
    }
    *conn->after = conn->hs->transcript;
    return HF_OK;
}

enum hf_err hf_native_complete(struct hf_native *conn)
{
    bool asked = !conn->server || conn->policy->ask != HF_TLS_ASK_NONE;
    bool needed = !conn->server || conn->policy->ask == HF_TLS_ASK_REQUIRED;
    if ((asked && !conn->admitted) || (needed && !conn->base.peer_chain)) {
        return hf_fail(HF_E_INTERNAL, "the handshake ended without a verdict");
    }
    conn->complete = true;
    return HF_OK;
}
