// SPDX-License-Identifier: Apache-2.0
#include "tls/libssl/libssl.h"

/*
 * Alerts of our own choice. libssl has no call to send one: a verify callback reaches nine of them
 * by way of an X509 error, and after the handshake there is close_notify alone. The judge's alert
 * has to arrive exactly, and a session that is cut has to say why; so this file writes the record.
 *
 * It follows how libssl protects what it writes (struct hf_ls_epoch), through public callbacks:
 *
 *   TLS 1.3  the key log callback gives the traffic secret at the moment libssl starts to use it;
 *            a KeyUpdate that we write moves it on (RFC 8446 7.2)
 *   TLS 1.2  our ChangeCipherSpec; the keys come from the master secret (RFC 5246 6.3)
 *   both     the message callback shows each record, which counts the sequence number
 *
 * The alert is the last record of the connection: from here on libssl is muted, so no sequence
 * number and no nonce is used twice. TLS 1.2's explicit nonce is drawn at random, beside libssl's
 * counter that began at a random place. CBC suites (only where a config asks for them) get no
 * alert once encryption is on; the connection is then cut without.
 *
 * TLS 1.2 lacks some alerts; the nearest that it has is sent: see on_wire().
 */

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>

enum {
    ALERT_RECORD = 21,
    DATA_RECORD = 23,
    LEVEL_WARNING = 1,
    LEVEL_FATAL = 2,
    RECORD_HEADER = 5,
    ALERT_SIZE = 2,
    KEY_MAX = 32,
    IV_SIZE = 12,
    SALT_SIZE = 4, /* of GCM and CCM in TLS 1.2; the rest of the nonce goes with the record */
    TAG_MAX = 16,
    KEY_BLOCK_MAX = 2 * (KEY_MAX + IV_SIZE),
};

/* --- Following libssl --- */

void hf_ls_epoch_record(struct hf_ls_conn *conn, uint8_t record_type)
{
    bool tls13 = SSL_version(conn->ssl) == TLS1_3_VERSION;
    /* in TLS 1.3 every protected record looks like data; others are the compatibility CCS */
    if (conn->epoch.sealed && (!tls13 || record_type == DATA_RECORD)) {
        conn->epoch.sequence++;
    }
}

void hf_ls_epoch_tls12(struct hf_ls_conn *conn)
{
    conn->epoch.sealed = true;
    conn->epoch.sequence = 0;
}

void hf_ls_epoch_secret(struct hf_ls_conn *conn, struct hf_bytes secret)
{
    if (secret.len > sizeof(conn->epoch.secret)) {
        return; /* no hash of TLS 1.3 is longer */
    }
    memcpy(conn->epoch.secret, secret.ptr, secret.len);
    conn->epoch.secret_len = (uint8_t)secret.len;
    conn->epoch.sealed = true;
    conn->epoch.sequence = 0;
}

/* --- Key derivation --- */

static bool derive(const char *kdf_name, const OSSL_PARAM *params, struct hf_span out)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, kdf_name, NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    bool ok = ctx && EVP_KDF_derive(ctx, out.ptr, out.len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

static const EVP_MD *digest_of(SSL *ssl)
{
    const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);
    return suite ? SSL_CIPHER_get_handshake_digest(suite) : NULL;
}

/* OSSL_PARAM takes plain pointers for what it only reads. */
static OSSL_PARAM param_bytes(const char *key, const void *bytes, size_t len)
{
    return OSSL_PARAM_construct_octet_string(key, (void *)(uintptr_t)bytes, len);
}

static OSSL_PARAM param_digest(const EVP_MD *digest)
{
    return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                            (char *)(uintptr_t)EVP_MD_get0_name(digest), 0);
}

/* HKDF-Expand-Label(secret, label, "", out.len) of RFC 8446 7.1. */
static bool expand_label(struct hf_ls_conn *conn, const char *label, struct hf_span out)
{
    const EVP_MD *digest = digest_of(conn->ssl);
    if (!digest) {
        return false;
    }
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        param_digest(digest),
        param_bytes(OSSL_KDF_PARAM_KEY, conn->epoch.secret, conn->epoch.secret_len),
        param_bytes(OSSL_KDF_PARAM_PREFIX, "tls13 ", 6),
        param_bytes(OSSL_KDF_PARAM_LABEL, label, strlen(label)),
        OSSL_PARAM_construct_end(),
    };
    return derive(OSSL_KDF_NAME_TLS1_3_KDF, params, out);
}

void hf_ls_epoch_update(struct hf_ls_conn *conn)
{
    uint8_t next[sizeof(conn->epoch.secret)];
    struct hf_span span = hf_span_of(next, conn->epoch.secret_len);
    if (expand_label(conn, "traffic upd", span)) {
        hf_ls_epoch_secret(conn, hf_span_bytes(span));
    } else {
        conn->epoch.secret_len = 0; /* no alert of ours any more */
    }
    hf_wipe(next, sizeof(next));
}

/* The key block of TLS 1.2 (RFC 5246 6.3) for an AEAD: both write keys, then both IVs. */
static bool key_block(SSL *ssl, struct hf_span out)
{
    const EVP_MD *digest = digest_of(ssl);
    const SSL_SESSION *session = SSL_get_session(ssl);
    if (!digest || !session) {
        return false;
    }
    uint8_t master[SSL_MAX_MASTER_KEY_LENGTH];
    uint8_t randoms[2 * SSL3_RANDOM_SIZE];
    size_t master_len = SSL_SESSION_get_master_key(session, master, sizeof(master));
    SSL_get_server_random(ssl, randoms, SSL3_RANDOM_SIZE);
    SSL_get_client_random(ssl, randoms + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
    const OSSL_PARAM params[] = {
        param_digest(digest),
        param_bytes(OSSL_KDF_PARAM_SECRET, master, master_len),
        param_bytes(OSSL_KDF_PARAM_SEED, "key expansion", 13),
        param_bytes(OSSL_KDF_PARAM_SEED, randoms, sizeof(randoms)),
        OSSL_PARAM_construct_end(),
    };
    bool ok = derive(OSSL_KDF_NAME_TLS1_PRF, params, out);
    hf_wipe(master, sizeof(master));
    return ok;
}

/* --- Sealing --- */

struct sealer {
    const EVP_CIPHER *cipher;
    size_t tag_len;
    uint8_t key[KEY_MAX];
    uint8_t nonce[IV_SIZE];
};

/* Which AEAD; false for anything else. */
static bool sealer_init(struct sealer *sealer, SSL *ssl)
{
    const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);
    if (!suite || !SSL_CIPHER_is_aead(suite)) {
        return false;
    }
    sealer->cipher = EVP_get_cipherbynid(SSL_CIPHER_get_cipher_nid(suite));
    bool short_tag = strstr(SSL_CIPHER_standard_name(suite), "_CCM_8") != NULL;
    sealer->tag_len = short_tag ? 8 : TAG_MAX;
    return sealer->cipher && EVP_CIPHER_get_key_length(sealer->cipher) <= KEY_MAX;
}

static bool sealer_run(const struct sealer *sealer, struct hf_bytes aad, struct hf_bytes plain,
                       uint8_t *out)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ccm = EVP_CIPHER_get_mode(sealer->cipher) == EVP_CIPH_CCM_MODE;
    int tag_len = (int)sealer->tag_len;
    int n = 0;
    bool ok = ctx && EVP_EncryptInit_ex(ctx, sealer->cipher, NULL, NULL, NULL) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, IV_SIZE, NULL) == 1 &&
              (!ccm || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, tag_len, NULL) == 1) &&
              EVP_EncryptInit_ex(ctx, NULL, NULL, sealer->key, sealer->nonce) == 1 &&
              (!ccm || EVP_EncryptUpdate(ctx, NULL, &n, NULL, (int)plain.len) == 1) &&
              EVP_EncryptUpdate(ctx, NULL, &n, aad.ptr, (int)aad.len) == 1 &&
              EVP_EncryptUpdate(ctx, out, &n, plain.ptr, (int)plain.len) == 1 &&
              EVP_EncryptFinal_ex(ctx, out + n, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, tag_len, out + plain.len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* The sequence number, big-endian, added over the end of the IV (RFC 8446 5.3, RFC 7905 2). */
static void mix_sequence(uint8_t nonce[static IV_SIZE], uint64_t sequence)
{
    for (size_t i = 0; i < 8; i++) {
        nonce[IV_SIZE - 1 - i] ^= (uint8_t)(sequence >> (8 * i));
    }
}

static size_t put_header(uint8_t *out, uint8_t type, size_t body)
{
    const uint8_t header[RECORD_HEADER] = {type, 3, 3, (uint8_t)(body >> 8), (uint8_t)body};
    memcpy(out, header, sizeof(header));
    return sizeof(header);
}

/* RFC 8446 5.2. Gives the record's length, 0 when it can't be made. */
static size_t seal_13(struct hf_ls_conn *conn, const uint8_t alert[static ALERT_SIZE], uint8_t *out)
{
    struct sealer sealer;
    if (conn->epoch.secret_len == 0 || !sealer_init(&sealer, conn->ssl)) {
        return 0;
    }
    size_t key_len = (size_t)EVP_CIPHER_get_key_length(sealer.cipher);
    const uint8_t inner[] = {alert[0], alert[1], ALERT_RECORD};
    size_t header = put_header(out, DATA_RECORD, sizeof(inner) + sealer.tag_len);
    bool ok = expand_label(conn, "key", hf_span_of(sealer.key, key_len)) &&
              expand_label(conn, "iv", hf_span_of(sealer.nonce, IV_SIZE));
    mix_sequence(sealer.nonce, conn->epoch.sequence);
    ok = ok && sealer_run(&sealer, hf_bytes_of(out, header), hf_bytes_of(inner, sizeof(inner)),
                          out + header);
    size_t len = header + sizeof(inner) + sealer.tag_len;
    hf_wipe(&sealer, sizeof(sealer));
    return ok ? len : 0;
}

/* Takes our half out of the key block, and the nonce that goes with this record. */
static bool keys_12(struct hf_ls_conn *conn, struct sealer *sealer, size_t iv_len)
{
    size_t key_len = (size_t)EVP_CIPHER_get_key_length(sealer->cipher);
    uint8_t block[KEY_BLOCK_MAX];
    if (!key_block(conn->ssl, hf_span_of(block, 2 * (key_len + iv_len)))) {
        return false;
    }
    size_t half = conn->client ? 0 : 1;
    memcpy(sealer->key, block + half * key_len, key_len);
    memcpy(sealer->nonce, block + 2 * key_len + half * iv_len, iv_len);
    hf_wipe(block, sizeof(block));
    if (iv_len == IV_SIZE) {
        mix_sequence(sealer->nonce, conn->epoch.sequence);
        return true;
    }
    struct hf_span explicit_part = hf_span_of(sealer->nonce + SALT_SIZE, IV_SIZE - SALT_SIZE);
    return hf_rng_fill(conn->base.ctx->rng, explicit_part) == HF_OK;
}

/* RFC 5246 6.2.3.3, with the nonces of RFC 5288 (GCM), RFC 6655 (CCM), RFC 7905 (ChaCha20). */
static size_t seal_12(struct hf_ls_conn *conn, const uint8_t alert[static ALERT_SIZE], uint8_t *out)
{
    struct sealer sealer;
    if (!sealer_init(&sealer, conn->ssl)) {
        return 0;
    }
    int mode = EVP_CIPHER_get_mode(sealer.cipher);
    bool salted = mode == EVP_CIPH_GCM_MODE || mode == EVP_CIPH_CCM_MODE;
    size_t shown = salted ? IV_SIZE - SALT_SIZE : 0;
    if (!keys_12(conn, &sealer, salted ? SALT_SIZE : IV_SIZE)) {
        return 0;
    }
    uint8_t aad[8 + RECORD_HEADER];
    for (size_t i = 0; i < 8; i++) {
        aad[7 - i] = (uint8_t)(conn->epoch.sequence >> (8 * i));
    }
    put_header(aad + 8, ALERT_RECORD, ALERT_SIZE);
    size_t at = put_header(out, ALERT_RECORD, shown + ALERT_SIZE + sealer.tag_len);
    memcpy(out + at, sealer.nonce + SALT_SIZE, shown);
    at += shown;
    bool ok = sealer_run(&sealer, hf_bytes_of(aad, sizeof(aad)), hf_bytes_of(alert, ALERT_SIZE),
                         out + at);
    at += ALERT_SIZE + sealer.tag_len;
    hf_wipe(&sealer, sizeof(sealer));
    return ok ? at : 0;
}

/* --- Sending --- */

/* Alerts that came with TLS 1.3 (RFC 8446 6), and what TLS 1.2 says in their place. */
static uint8_t on_wire(const struct hf_ls_conn *conn, uint8_t alert)
{
    static const struct {
        uint8_t alert, tls12;
    } table[] = {
        {HF_ALERT_CERTIFICATE_REQUIRED, HF_ALERT_HANDSHAKE_FAILURE},
        {HF_ALERT_MISSING_EXTENSION, HF_ALERT_HANDSHAKE_FAILURE},
    };
    bool tls13 = SSL_version(conn->ssl) == TLS1_3_VERSION;
    for (size_t i = 0; i < HF_N_ELEMENTS(table) && !tls13; i++) {
        if (table[i].alert == alert) {
            return table[i].tls12;
        }
    }
    return alert;
}

static bool emit(struct hf_ls_conn *conn, struct hf_tls_io *io, uint8_t level, uint8_t alert)
{
    uint8_t record[RECORD_HEADER + IV_SIZE + ALERT_SIZE + 1 + TAG_MAX];
    const uint8_t body[ALERT_SIZE] = {level, alert};
    size_t len;
    if (!conn->epoch.sealed) {
        len = put_header(record, ALERT_RECORD, ALERT_SIZE);
        memcpy(record + len, body, sizeof(body));
        len += sizeof(body);
    } else if (SSL_version(conn->ssl) == TLS1_3_VERSION) {
        len = seal_13(conn, body, record);
    } else {
        len = seal_12(conn, body, record);
    }
    conn->epoch.sequence++;
    return len && hf_buf_append(io->out, hf_bytes_of(record, len)) == HF_OK;
}

void hf_ls_alert(struct hf_ls_conn *conn, struct hf_tls_io *io, uint8_t alert)
{
    bool canceled = alert == HF_ALERT_USER_CANCELED;
    conn->muted = true;
    alert = on_wire(conn, alert);
    if (!emit(conn, io, canceled ? LEVEL_WARNING : LEVEL_FATAL, alert)) {
        return;
    }
    conn->alert_sent = alert;
    if (canceled) { /* says why, ends nothing; close_notify comes behind it (RFC 8446 6.1) */
        (void)emit(conn, io, LEVEL_WARNING, HF_ALERT_CLOSE_NOTIFY);
    }
}
