// SPDX-License-Identifier: Apache-2.0
/*
 * Keys as OpenSSH writes them: RFC 4253 6.6, RFC 5656 3.1 and RFC 8709 4 for the public half, and
 * OpenSSH's PROTOCOL.key for the private one. Encrypting it would take bcrypt's own key derivation,
 * which no library here has; ssh-keygen -p does it.
 */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/hash.h"
#include "pki/bundle_impl.h"
#include "pki/ossl.h"
#include "pki/write.h"

enum { CAP = 64 << 10, BLOCK = 8, NUMBER_MAX = 1024, ED25519_SIZE = 32 };

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

static enum hf_err put_string(struct hf_buf *out, struct hf_bytes bytes)
{
    HF_TRY(hf_buf_u32(out, (uint32_t)bytes.len));
    return hf_buf_append(out, bytes);
}

static enum hf_err put_text(struct hf_buf *out, const char *text)
{
    return put_string(out, hf_bytes_str(text));
}

/* A number of the key, as mpint: no leading zeros but one where the top bit is set. */
static enum hf_err put_number(struct hf_buf *out, const EVP_PKEY *key, const char *param)
{
    BIGNUM *number = NULL;
    uint8_t bytes[1 + NUMBER_MAX] = {0};
    if (!EVP_PKEY_get_bn_param(key, param, &number) || BN_num_bytes(number) > NUMBER_MAX) {
        BN_clear_free(number);
        return hf_fail_ossl(HF_E_CRYPTO, "a number of the key can't be had");
    }
    size_t len = (size_t)BN_bn2bin(number, bytes + 1);
    BN_clear_free(number);
    bool pad = len && bytes[1] & 0x80;
    enum hf_err err = put_string(out, hf_bytes_of(bytes + !pad, len + pad));
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return err;
}

/* --- Kinds of keys ----------------------------------------------------------------------------*/

struct kind {
    int type;
    const char *group;        /* libcrypto's name of an EC group */
    const char *name, *curve; /* as SSH has them */
    enum hf_err (*put_public)(const struct kind *kind, const EVP_PKEY *key, struct hf_buf *out);
    enum hf_err (*put_private)(const struct kind *kind, const EVP_PKEY *key, struct hf_buf *out);
};

static enum hf_err put_rsa_public(const struct kind *kind, const EVP_PKEY *key, struct hf_buf *out)
{
    (void)kind;
    HF_TRY(put_number(out, key, OSSL_PKEY_PARAM_RSA_E));
    return put_number(out, key, OSSL_PKEY_PARAM_RSA_N);
}

static enum hf_err put_rsa_private(const struct kind *kind, const EVP_PKEY *key, struct hf_buf *out)
{
    static const char *const params[] = {
        OSSL_PKEY_PARAM_RSA_N,       OSSL_PKEY_PARAM_RSA_E,
        OSSL_PKEY_PARAM_RSA_D,       OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
        OSSL_PKEY_PARAM_RSA_FACTOR1, OSSL_PKEY_PARAM_RSA_FACTOR2};
    (void)kind;
    for (size_t i = 0; i < HF_N_ELEMENTS(params); i++) {
        HF_TRY(put_number(out, key, params[i]));
    }
    return HF_OK;
}

static enum hf_err put_ec_public(const struct kind *kind, const EVP_PKEY *key, struct hf_buf *out)
{
    uint8_t point[256];
    size_t len = 0;
    if (!EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
                                         &len) ||
        len == 0 || point[0] != 4) {
        return hf_fail_ossl(HF_E_CRYPTO, "the point of the key can't be had");
    }
    HF_TRY(put_text(out, kind->curve));
    return put_string(out, hf_bytes_of(point, len));
}

static enum hf_err put_ec_private(const struct kind *kind, const EVP_PKEY *key, struct hf_buf *out)
{
    HF_TRY(put_ec_public(kind, key, out));
    return put_number(out, key, OSSL_PKEY_PARAM_PRIV_KEY);
}

static enum hf_err put_ed25519_public(const struct kind *kind, const EVP_PKEY *key,
                                      struct hf_buf *out)
{
    uint8_t raw[ED25519_SIZE];
    size_t len = sizeof(raw);
    (void)kind;
    if (!EVP_PKEY_get_raw_public_key(key, raw, &len)) {
        return hf_fail_ossl(HF_E_CRYPTO, "the key can't be had");
    }
    return put_string(out, hf_bytes_of(raw, len));
}

static enum hf_err put_ed25519_private(const struct kind *kind, const EVP_PKEY *key,
                                       struct hf_buf *out)
{
    uint8_t both[2 * ED25519_SIZE];
    size_t len = ED25519_SIZE, public_len = ED25519_SIZE;
    HF_TRY(put_ed25519_public(kind, key, out));
    if (!EVP_PKEY_get_raw_private_key(key, both, &len) ||
        !EVP_PKEY_get_raw_public_key(key, both + ED25519_SIZE, &public_len)) {
        return hf_fail_ossl(HF_E_CRYPTO, "the key can't be had");
    }
    enum hf_err err = put_string(out, hf_bytes_of(both, sizeof(both)));
    OPENSSL_cleanse(both, sizeof(both));
    return err;
}

static const struct kind kinds[] = {
    {EVP_PKEY_RSA, NULL, "ssh-rsa", NULL, put_rsa_public, put_rsa_private},
    {EVP_PKEY_EC, "prime256v1", "ecdsa-sha2-nistp256", "nistp256", put_ec_public, put_ec_private},
    {EVP_PKEY_EC, "secp384r1", "ecdsa-sha2-nistp384", "nistp384", put_ec_public, put_ec_private},
    {EVP_PKEY_EC, "secp521r1", "ecdsa-sha2-nistp521", "nistp521", put_ec_public, put_ec_private},
    {EVP_PKEY_ED25519, NULL, "ssh-ed25519", NULL, put_ed25519_public, put_ed25519_private},
};

static enum hf_err find_kind(const EVP_PKEY *key, const struct kind **out)
{
    char group[40] = "";
    size_t len = 0;
    int type = EVP_PKEY_get_base_id(key);
    if (type == EVP_PKEY_EC) {
        (void)EVP_PKEY_get_group_name(key, group, sizeof(group), &len);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        if (kinds[i].type == type && (!kinds[i].group || strcmp(kinds[i].group, group) == 0)) {
            *out = &kinds[i];
            return HF_OK;
        }
    }
    hf_ossl_forget();
    return hf_fail(HF_E_UNSUPPORTED, "OpenSSH has no keys of this type");
}

/* --- The files --------------------------------------------------------------------------------*/

static enum hf_err put_blob(const struct kind *kind, const EVP_PKEY *key, struct hf_buf *out)
{
    HF_TRY(put_text(out, kind->name));
    return kind->put_public(kind, key, out);
}

static enum hf_err write_public(const struct kind *kind, const EVP_PKEY *key, const char *comment,
                                struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf blob = HF_BUF_INIT(CAP);
    HF_TRY(put_blob(kind, key, &blob));
    HF_TRY(hf_buf_printf(out, "%s ", kind->name));
    HF_TRY(hf_base64_encode(hf_buf_bytes(&blob), out));
    return hf_buf_printf(out, " %s\n", comment);
}

/* Two equal numbers, which tell a reader of an encrypted file that its passphrase was right; then
 * the key, its comment, and 1, 2, 3 ... up to a whole block. */
static enum hf_err put_section(const struct kind *kind, const EVP_PKEY *key, const char *comment,
                               uint32_t number, struct hf_buf *out)
{
    HF_TRY(hf_buf_u32(out, number));
    HF_TRY(hf_buf_u32(out, number));
    HF_TRY(put_text(out, kind->name));
    HF_TRY(kind->put_private(kind, key, out));
    HF_TRY(put_text(out, comment));
    for (uint8_t i = 1; hf_buf_len(out) % BLOCK; i++) {
        HF_TRY(hf_buf_u8(out, i));
    }
    return HF_OK;
}

static enum hf_err write_private(const struct kind *kind, const EVP_PKEY *key, const char *comment,
                                 struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf blob = HF_BUF_INIT(CAP);
    HF_CLEANUP(wiped_buf_done) struct hf_buf section = HF_BUF_INIT(CAP);
    HF_CLEANUP(wiped_buf_done) struct hf_buf whole = HF_BUF_INIT(CAP);
    uint8_t digest[HF_HASH_MAX];
    HF_TRY(put_blob(kind, key, &blob));
    hf_hash_once(HF_HASH_SHA256, hf_buf_bytes(&blob), digest);
    uint32_t number = (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
                      (uint32_t)digest[2] << 8 | digest[3];
    HF_TRY(put_section(kind, key, comment, number, &section));
    HF_TRY(hf_buf_append(&whole, hf_bytes_of("openssh-key-v1", sizeof("openssh-key-v1"))));
    HF_TRY(put_text(&whole, "none"));
    HF_TRY(put_text(&whole, "none"));
    HF_TRY(put_text(&whole, ""));
    HF_TRY(hf_buf_u32(&whole, 1));
    HF_TRY(put_string(&whole, hf_buf_bytes(&blob)));
    HF_TRY(put_string(&whole, hf_buf_bytes(&section)));
    return hf_pem_block("OPENSSH PRIVATE KEY", hf_buf_bytes(&whole), out);
}

static enum hf_err check_comment(const char *comment)
{
    for (const char *c = comment; *c; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            return hf_fail(HF_E_INVALID, "the name has a control character in it");
        }
    }
    return HF_OK;
}

enum hf_err hf_bundle_openssh(const struct hf_bundle *bundle, struct hf_buf *out)
{
    const char *comment = bundle->name ? bundle->name : "handfast";
    const EVP_PKEY *key =
        bundle->key ? bundle->key : X509_get0_pubkey(bundle->chain->certs[0]->x509);
    const struct kind *kind = NULL;
    if (!key) {
        return hf_fail_ossl(HF_E_INVALID, "the certificate's key can't be read");
    }
    if (bundle->passphrase && bundle->key) {
        return hf_fail(HF_E_UNSUPPORTED, "an OpenSSH key is written without a passphrase; give it "
                                         "one with: ssh-keygen -p -f FILE");
    }
    HF_TRY(check_comment(comment));
    HF_TRY(find_kind(key, &kind));
    return bundle->key ? write_private(kind, key, comment, out)
                       : write_public(kind, key, comment, out);
}
