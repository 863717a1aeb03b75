// SPDX-License-Identifier: Apache-2.0
#include "tls/native/schedule.h"

/*
 * RFC 8446 7.1, down the column:
 *
 *      0 or PSK ->  Extract = early secret      -> binder key
 *                   Derive "derived"
 *      (EC)DHE  ->  Extract = handshake secret  -> c hs traffic, s hs traffic
 *                   Derive "derived"
 *      0        ->  Extract = master secret     -> c ap traffic, s ap traffic, exp master, res
 * master
 *
 * struct hf_schedule holds the stage's secret as an HMAC key with its pads hashed, since each
 * secret but the first is expanded several times. Without a PSK the first two lines depend on the
 * hash alone and are a table.
 */

#include <assert.h>
#include <string.h>

#include "crypto/hkdf.h"

static const struct {
    uint8_t len;
    uint8_t byte[48];
} derived_without_psk[] = {
    [HF_HASH_SHA256] = {32, {0x6f, 0x26, 0x15, 0xa1, 0x08, 0xc7, 0x02, 0xc5, 0x67, 0x8f, 0x54,
                             0xfc, 0x9d, 0xba, 0xb6, 0x97, 0x16, 0xc0, 0x76, 0x18, 0x9c, 0x48,
                             0x25, 0x0c, 0xeb, 0xea, 0xc3, 0x57, 0x6c, 0x36, 0x11, 0xba}},
    [HF_HASH_SHA384] = {48,
                        {0x15, 0x91, 0xda, 0xc5, 0xcb, 0xbf, 0x03, 0x30, 0xa4, 0xa8, 0x4d, 0xe9,
                         0xc7, 0x53, 0x33, 0x0e, 0x92, 0xd0, 0x1f, 0x0a, 0x88, 0x21, 0x4b, 0x44,
                         0x64, 0x97, 0x2f, 0xd6, 0x68, 0x04, 0x9e, 0x93, 0xe5, 0x2f, 0x2b, 0x16,
                         0xfa, 0xd9, 0x22, 0xfd, 0xc0, 0x58, 0x44, 0x78, 0x42, 0x8f, 0x28, 0x2b}},
};

/* --- Expansion ----------------------------------------------------------------------------------
 */

/* Our own labels and lengths always fit, so that failing is our bug. */
static void expand(const struct hf_hmac *key, const char *label, struct hf_bytes context,
                   struct hf_span out)
{
    enum hf_err err = hf_hkdf_expand_label(key, hf_bytes_str(label), context, out);
    assert(err == HF_OK);
    (void)err;
}

/* Derive-Secret with a transcript hash that is known already. */
static void derive(const struct hf_hmac *key, const char *label, struct hf_bytes hash,
                   struct hf_secret *out)
{
    out->len = hf_hash_size(key->inner.alg);
    expand(key, label, hash, hf_span_of(out->byte, out->len));
}

static void key_secret(struct hf_hmac *out, enum hf_hash_alg alg, const struct hf_secret *secret)
{
    hf_hmac_init(out, alg, hf_secret_bytes(secret));
}

/* --- The column ---------------------------------------------------------------------------------
 */

/* Extracts the next stage's secret from a salt and new key material. */
static void enter(struct hf_schedule *schedule, enum hf_schedule_stage stage, struct hf_bytes salt,
                  struct hf_bytes ikm)
{
    struct hf_secret secret;
    hf_hkdf_extract(schedule->alg, salt, ikm, &secret);
    key_secret(&schedule->secret, schedule->alg, &secret);
    schedule->stage = stage;
    hf_secret_done(&secret);
}

/* Derive-Secret(secret, "derived", ""), the salt of the next stage. */
static void derive_salt(const struct hf_schedule *schedule, struct hf_secret *out)
{
    uint8_t empty[HF_HASH_MAX];
    hf_hash_once(schedule->alg, hf_bytes_of(NULL, 0), empty);
    derive(&schedule->secret, "derived", hf_bytes_of(empty, hf_hash_size(schedule->alg)), out);
}

void hf_schedule_init(struct hf_schedule *schedule, enum hf_hash_alg alg)
{
    *schedule = (struct hf_schedule){.alg = alg, .stage = HF_SCHEDULE_EARLY};
}

void hf_schedule_init_psk(struct hf_schedule *schedule, enum hf_hash_alg alg, struct hf_bytes psk)
{
    *schedule = (struct hf_schedule){.alg = alg};
    enter(schedule, HF_SCHEDULE_EARLY_PSK, hf_bytes_of(NULL, 0), psk);
}

void hf_schedule_done(struct hf_schedule *schedule)
{
    hf_wipe(schedule, sizeof(*schedule));
}

void hf_schedule_handshake(struct hf_schedule *schedule, struct hf_bytes shared,
                           struct hf_bytes hash, struct hf_secret *out_client,
                           struct hf_secret *out_server)
{
    struct hf_secret salt = {.len = 0};
    if (schedule->stage == HF_SCHEDULE_EARLY) {
        salt.len = derived_without_psk[schedule->alg].len;
        memcpy(salt.byte, derived_without_psk[schedule->alg].byte, salt.len);
    } else {
        assert(schedule->stage == HF_SCHEDULE_EARLY_PSK);
        derive_salt(schedule, &salt);
    }
    enter(schedule, HF_SCHEDULE_HANDSHAKE, hf_secret_bytes(&salt), shared);
    derive(&schedule->secret, "c hs traffic", hash, out_client);
    derive(&schedule->secret, "s hs traffic", hash, out_server);
    hf_secret_done(&salt);
}

void hf_schedule_master(struct hf_schedule *schedule, struct hf_bytes hash,
                        struct hf_secret *out_client, struct hf_secret *out_server,
                        struct hf_secret *out_exporter)
{
    static const uint8_t zeros[HF_HASH_MAX];
    assert(schedule->stage == HF_SCHEDULE_HANDSHAKE);
    struct hf_secret salt;
    derive_salt(schedule, &salt);
    enter(schedule, HF_SCHEDULE_MASTER, hf_secret_bytes(&salt),
          hf_bytes_of(zeros, hf_hash_size(schedule->alg)));
    derive(&schedule->secret, "c ap traffic", hash, out_client);
    derive(&schedule->secret, "s ap traffic", hash, out_server);
    derive(&schedule->secret, "exp master", hash, out_exporter);
    hf_secret_done(&salt);
}

void hf_schedule_resumption(const struct hf_schedule *schedule, struct hf_bytes hash,
                            struct hf_secret *out)
{
    assert(schedule->stage == HF_SCHEDULE_MASTER);
    derive(&schedule->secret, "res master", hash, out);
}

/* --- Finished, binders --------------------------------------------------------------------------
 */

void hf_finished_mac(enum hf_hash_alg alg, const struct hf_secret *base, struct hf_bytes hash,
                     uint8_t out[static HF_HASH_MAX])
{
    struct hf_hmac key;
    struct hf_secret finished = {.len = hf_hash_size(alg)};
    key_secret(&key, alg, base);
    expand(&key, "finished", hf_bytes_of(NULL, 0), hf_span_of(finished.byte, finished.len));
    key_secret(&key, alg, &finished);
    hf_hmac_once(&key, hash, out);
    hf_hmac_done(&key);
    hf_secret_done(&finished);
}

void hf_schedule_binder(const struct hf_schedule *schedule, struct hf_bytes hash,
                        uint8_t out[static HF_HASH_MAX])
{
    assert(schedule->stage == HF_SCHEDULE_EARLY_PSK);
    struct hf_secret binder;
    uint8_t empty[HF_HASH_MAX];
    hf_hash_once(schedule->alg, hf_bytes_of(NULL, 0), empty);
    derive(&schedule->secret, "res binder", hf_bytes_of(empty, hf_hash_size(schedule->alg)),
           &binder);
    hf_finished_mac(schedule->alg, &binder, hash, out);
    hf_secret_done(&binder);
}

/* --- Traffic ------------------------------------------------------------------------------------
 */

void hf_traffic_keys(enum hf_hash_alg alg, const struct hf_secret *traffic, struct hf_span out_key,
                     uint8_t out_iv[static 12])
{
    struct hf_hmac key;
    key_secret(&key, alg, traffic);
    expand(&key, "key", hf_bytes_of(NULL, 0), out_key);
    expand(&key, "iv", hf_bytes_of(NULL, 0), hf_span_of(out_iv, 12));
    hf_hmac_done(&key);
}

void hf_traffic_update(enum hf_hash_alg alg, struct hf_secret *traffic)
{
    struct hf_hmac key;
    key_secret(&key, alg, traffic);
    expand(&key, "traffic upd", hf_bytes_of(NULL, 0), hf_span_of(traffic->byte, traffic->len));
    hf_hmac_done(&key);
}

/* --- After the handshake ------------------------------------------------------------------------
 */

void hf_ticket_psk(enum hf_hash_alg alg, const struct hf_secret *resumption, struct hf_bytes nonce,
                   struct hf_secret *out_psk)
{
    struct hf_hmac key;
    key_secret(&key, alg, resumption);
    derive(&key, "resumption", nonce, out_psk);
    hf_hmac_done(&key);
}

enum hf_err hf_exporter(enum hf_hash_alg alg, const struct hf_secret *exporter,
                        struct hf_bytes label, struct hf_bytes context, struct hf_span out)
{
    struct hf_hmac key;
    struct hf_secret secret = {.len = hf_hash_size(alg)};
    uint8_t hash[HF_HASH_MAX];
    struct hf_bytes hash_view = hf_bytes_of(hash, secret.len);
    key_secret(&key, alg, exporter);
    hf_hash_once(alg, hf_bytes_of(NULL, 0), hash);
    enum hf_err err =
        hf_hkdf_expand_label(&key, label, hash_view, hf_span_of(secret.byte, secret.len));
    if (err == HF_OK) {
        key_secret(&key, alg, &secret);
        hf_hash_once(alg, context, hash);
        err = hf_hkdf_expand_label(&key, hf_bytes_str("exporter"), hash_view, out);
    }
    hf_hmac_done(&key);
    hf_secret_done(&secret);
    return err;
}

void hf_channel_binding(enum hf_hash_alg alg, const struct hf_secret *exporter,
                        uint8_t out[static HF_CHANNEL_BINDING_LEN])
{
    enum hf_err err = hf_exporter(alg, exporter, hf_bytes_str("EXPORTER-Channel-Binding"),
                                  hf_bytes_of(NULL, 0), hf_span_of(out, HF_CHANNEL_BINDING_LEN));
    assert(err == HF_OK);
    (void)err;
}
