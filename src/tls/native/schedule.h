// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_SCHEDULE_H
#define HF_TLS_NATIVE_SCHEDULE_H

/*
 * The key schedule (RFC 8446 7.1). struct hf_schedule walks down the column of secrets:
 *
 *      init or init_psk --> binder key
 *      handshake(shared) --> client and server handshake traffic
 *      master()          --> client and server application traffic, exporter
 *      resumption()      --> resumption master; then the schedule can go
 *
 * Steps are taken in this order; taking one out of order is our bug and asserts. `hash` parameters
 * are transcript hashes of the suite's length. Only what takes a caller's label can fail. Any view
 * into secrets is wiped by hf_schedule_done or hf_secret_done by whoever holds it.
 */

#include "base/secret.h"
#include "crypto/hmac.h"

enum hf_schedule_stage {
    HF_SCHEDULE_NONE,
    HF_SCHEDULE_EARLY,
    HF_SCHEDULE_EARLY_PSK,
    HF_SCHEDULE_HANDSHAKE,
    HF_SCHEDULE_MASTER,
};

struct hf_schedule {
    enum hf_hash_alg alg;
    enum hf_schedule_stage stage;
    struct hf_hmac secret; /* the stage's secret, keyed for expansion */
};

/* hf_schedule_init is the early secret without a PSK, hf_schedule_init_psk with one. */
void hf_schedule_init(struct hf_schedule *schedule, enum hf_hash_alg alg);
void hf_schedule_init_psk(struct hf_schedule *schedule, enum hf_hash_alg alg, struct hf_bytes psk);
void hf_schedule_done(struct hf_schedule *schedule);

/* hf_schedule_binder writes the binder over the hash of the truncated ClientHello (RFC 8446
 * 4.2.11.2). "res binder" for tickets; external PSKs aren't ours. */
void hf_schedule_binder(const struct hf_schedule *schedule, struct hf_bytes hash,
                        uint8_t out[static HF_HASH_MAX]);

/* hf_schedule_handshake mixes in the (EC)DHE secret; hash is over ClientHello..ServerHello. */
void hf_schedule_handshake(struct hf_schedule *schedule, struct hf_bytes shared,
                           struct hf_bytes hash, struct hf_secret *out_client,
                           struct hf_secret *out_server);

/* hf_schedule_master goes on to the master secret; hash is over ClientHello..server Finished. */
void hf_schedule_master(struct hf_schedule *schedule, struct hf_bytes hash,
                        struct hf_secret *out_client, struct hf_secret *out_server,
                        struct hf_secret *out_exporter);

/* hf_schedule_resumption; hash is over ClientHello..client Finished. */
void hf_schedule_resumption(const struct hf_schedule *schedule, struct hf_bytes hash,
                            struct hf_secret *out);

/* --- Derived from secrets that outlive the schedule --- */

/* hf_finished_mac is the verify_data for a handshake or application traffic secret (4.4.4). */
void hf_finished_mac(enum hf_hash_alg alg, const struct hf_secret *base, struct hf_bytes hash,
                     uint8_t out[static HF_HASH_MAX]);

/* hf_traffic_keys are the write key and nonce of a traffic secret (7.3). */
void hf_traffic_keys(enum hf_hash_alg alg, const struct hf_secret *traffic, struct hf_span out_key,
                     uint8_t out_iv[static 12]);

/* hf_traffic_update puts the next generation in the secret's place (7.2). */
void hf_traffic_update(enum hf_hash_alg alg, struct hf_secret *traffic);

/* hf_ticket_psk is the PSK of a ticket (4.6.1). nonce: at most 255 bytes. */
void hf_ticket_psk(enum hf_hash_alg alg, const struct hf_secret *resumption, struct hf_bytes nonce,
                   struct hf_secret *out_psk);

/* hf_exporter is TLS-Exporter (7.5) over the exporter master secret. Errors: HF_E_INVALID for a
 * label that is empty or too long, or too much output. */
enum hf_err hf_exporter(enum hf_hash_alg alg, const struct hf_secret *exporter,
                        struct hf_bytes label, struct hf_bytes context,
                        struct hf_span out) HF_MUST_CHECK;

/* hf_channel_binding is "tls-exporter" (RFC 9266). */
#define HF_CHANNEL_BINDING_LEN 32
void hf_channel_binding(enum hf_hash_alg alg, const struct hf_secret *exporter,
                        uint8_t out[static HF_CHANNEL_BINDING_LEN]);

#endif
