// SPDX-License-Identifier: Apache-2.0
/*
 * A list's lengths stand before what they are the lengths of, and the first of them is known when
 * the last entry is. So entries are spooled, in their final form, to a file without a name; then
 * the list is hashed and signed, and written to another:
 *
 *     spool:  entry entry entry ...
 *     list:   outer length | tbs length | head | entries' length | spool's bytes | extensions |
 *             signature
 *
 * Ed25519 signs the bytes, not a hash of them: the list is mapped for that.
 */
#include "ca/crl_build.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "crypto/sign.h"
#include "pki/asn1_write.h"
#include "pki/serials.h"

enum {
    PIECE = 256 << 10,
    ENTRY_MAX = 96,
    HEAD_MAX = 64 << 10,
    DAY_S = 24 * 60 * 60,
};

#define REASON_REMOVED 8

struct hf_crl_builder {
    struct hf_crl_plan plan;
    char *folder;
    int spool_fd;
    uint64_t spooled; /* bytes, those in the piece among them */
    uint64_t n_entries;
    enum hf_err err;
    int64_t day; /* whose date is in day_text */
    char day_text[8];
    size_t piece_len;
    uint8_t piece[PIECE];
};

/* --- Entries ------------------------------------------------------------------------------------
 */

enum hf_err hf_crl_builder_new(const struct hf_crl_plan *plan, const char *folder,
                               struct hf_crl_builder **out)
{
    if (plan->next_update <= plan->this_update || plan->number < 1 || plan->base < 0 ||
        (plan->base && plan->base > plan->number)) {
        return hf_fail(HF_E_INVALID, "a list numbered %lld, on %lld, can't be from %lld to %lld",
                       (long long)plan->number, (long long)plan->base, (long long)plan->this_update,
                       (long long)plan->next_update);
    }
    struct hf_crl_builder *builder = HF_NEW(struct hf_crl_builder);
    if (!builder) {
        return HF_E_NOMEM;
    }
    builder->plan = *plan;
    builder->day = INT64_MIN;
    builder->spool_fd = -1;
    builder->folder = hf_strdup(folder ? folder : "/tmp");
    enum hf_err err =
        builder->folder ? hf_crl_file_open(builder->folder, &builder->spool_fd) : HF_E_NOMEM;
    if (err != HF_OK) {
        hf_crl_builder_free(builder);
        return err;
    }
    *out = builder;
    return HF_OK;
}

void hf_crl_builder_free(struct hf_crl_builder *builder)
{
    if (builder) {
        if (builder->spool_fd >= 0) {
            close(builder->spool_fd);
        }
        hf_free(builder->folder);
        hf_free(builder);
    }
}

static void put_two(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)('0' + value / 10 % 10);
    at[1] = (uint8_t)('0' + value % 10);
}

/* The date of a day: entries come in no order of time, but few days have many. */
static bool set_day(struct hf_crl_builder *builder, int64_t day)
{
    time_t at = day * DAY_S;
    struct tm parts;
    if (day == builder->day) {
        return true;
    }
    if (!gmtime_r(&at, &parts) || parts.tm_year < 50 || parts.tm_year + 1900 > 9999) {
        return false;
    }
    char text[16];
    snprintf(text, sizeof(text), "%04d%02d%02d", parts.tm_year + 1900, parts.tm_mon + 1,
             parts.tm_mday);
    memcpy(builder->day_text, text, sizeof(builder->day_text));
    builder->day = day;
    return true;
}

/* Time as in RFC 5280 5.1.2.6: UTCTime through 2049. Gives its length; 0: no such date. */
static size_t put_time(struct hf_crl_builder *builder, uint8_t *at, int64_t when)
{
    int64_t day = when / DAY_S - (when % DAY_S < 0);
    unsigned rest = (unsigned)(when - day * DAY_S);
    if (!set_day(builder, day)) {
        return 0;
    }
    bool is_short = memcmp(builder->day_text, "2050", 4) < 0;
    size_t n = is_short ? 6 : 8;
    at[0] = is_short ? HF_DER_UTC_TIME : HF_DER_GENERALIZED_TIME;
    at[1] = (uint8_t)(n + 7);
    memcpy(at + 2, builder->day_text + (8 - n), n);
    put_two(at + 2 + n, rest / 3600);
    put_two(at + 4 + n, rest / 60 % 60);
    put_two(at + 6 + n, rest % 60);
    at[8 + n] = 'Z';
    return n + 9;
}

static size_t put_serial(uint8_t *at, struct hf_bytes serial)
{
    while (serial.len > 1 && serial.ptr[0] == 0) {
        serial = hf_bytes_from(serial, 1);
    }
    size_t pad = serial.len == 0 || (serial.ptr[0] & 0x80);
    at[0] = HF_DER_INTEGER;
    at[1] = (uint8_t)(serial.len + pad);
    at[2] = 0;
    if (serial.len) {
        memcpy(at + 2 + pad, serial.ptr, serial.len);
    }
    return 2 + pad + serial.len;
}

/* An unspecified reason is left out (5.3.1). */
static size_t put_reason(uint8_t *at, int reason)
{
    static const uint8_t extension[] = {
        HF_DER_SEQUENCE,     12, HF_DER_SEQUENCE,   10, HF_DER_OID, 3, 0x55, 0x1d, 0x15,
        HF_DER_OCTET_STRING, 3,  HF_DER_ENUMERATED, 1};
    if (reason == 0) {
        return 0;
    }
    memcpy(at, extension, sizeof(extension));
    at[sizeof(extension)] = (uint8_t)reason;
    return sizeof(extension) + 1;
}

static enum hf_err flush(struct hf_crl_builder *builder)
{
    struct hf_bytes piece = hf_bytes_of(builder->piece, builder->piece_len);
    builder->piece_len = 0;
    return hf_crl_file_write(builder->spool_fd, piece);
}

static enum hf_err add(struct hf_crl_builder *builder, struct hf_bytes serial, int64_t revoked_at,
                       int reason)
{
    if (serial.len > HF_SERIAL_MAX || !hf_revoked_for_name((unsigned)reason) ||
        (reason == REASON_REMOVED && !builder->plan.base)) {
        return hf_fail(HF_E_INVALID,
                       "a serial number of %zu bytes, or the reason %d, can't be on "
                       "this list",
                       serial.len, reason);
    }
    if (builder->piece_len + ENTRY_MAX > PIECE) {
        HF_TRY(flush(builder));
    }
    uint8_t *entry = builder->piece + builder->piece_len;
    size_t n = 2;
    n += put_serial(entry + n, serial);
    size_t date = put_time(builder, entry + n, revoked_at);
    if (!date) {
        return hf_fail(HF_E_INVALID, "%lld is no date for a list", (long long)revoked_at);
    }
    n += date;
    n += put_reason(entry + n, reason);
    entry[0] = HF_DER_SEQUENCE;
    entry[1] = (uint8_t)(n - 2);
    builder->piece_len += n;
    builder->spooled += n;
    builder->n_entries++;
    return HF_OK;
}

enum hf_err hf_crl_builder_add(struct hf_crl_builder *builder, struct hf_bytes serial,
                               int64_t revoked_at, int reason)
{
    if (builder->err == HF_OK) {
        builder->err = add(builder, serial, revoked_at, reason);
    }
    return builder->err;
}

/* --- What stands around them --------------------------------------------------------------------
 */

static void put_uris(struct hf_asn1 *der, const char *const *uris, size_t n)
{
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(0)); /* distributionPoint */
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(0)); /* fullName */
    for (size_t i = 0; i < n; i++) {
        hf_asn1_text(der, HF_ASN1_CONTEXT(6), uris[i]);
    }
    hf_asn1_close(der);
    hf_asn1_close(der);
}

/* Opens an extension; two closes end it. */
static void open_extension(struct hf_asn1 *der, struct hf_bytes oid, bool critical)
{
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_oid(der, oid);
    if (critical) {
        hf_asn1_true(der);
    }
    hf_asn1_open(der, HF_DER_OCTET_STRING);
}

static void close_extension(struct hf_asn1 *der)
{
    hf_asn1_close(der);
    hf_asn1_close(der);
}

static void put_key_id(struct hf_asn1 *der, const struct hf_cert *issuer)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer->x509);
    if (!id) {
        return; /* a CA certificate that names none has none to be named */
    }
    open_extension(der, HF_OID("\x55\x1d\x23"), false);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_put(der, HF_ASN1_CONTEXT(0),
                hf_bytes_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)));
    hf_asn1_close(der);
    close_extension(der);
}

static void put_number(struct hf_asn1 *der, struct hf_bytes oid, bool critical, int64_t number)
{
    open_extension(der, oid, critical);
    hf_asn1_uint(der, (uint64_t)number);
    close_extension(der);
}

/* 5.2: each in the order of the RFC. */
static enum hf_err put_extensions(const struct hf_crl_plan *plan, struct hf_buf *out)
{
    struct hf_asn1 der = hf_asn1_writer(out);
    hf_asn1_open(&der, HF_DER_CONTEXT_0);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    put_key_id(&der, plan->issuer);
    put_number(&der, HF_OID("\x55\x1d\x14"), false, plan->number);
    if (plan->base) {
        put_number(&der, HF_OID("\x55\x1d\x1b"), true, plan->base);
    }
    if (plan->n_points) {
        open_extension(&der, HF_OID("\x55\x1d\x1c"), true);
        hf_asn1_open(&der, HF_DER_SEQUENCE);
        put_uris(&der, plan->points, plan->n_points);
        hf_asn1_close(&der);
        close_extension(&der);
    }
    if (plan->n_freshest && !plan->base) { /* 5.2.6: not in deltas */
        open_extension(&der, HF_OID("\x55\x1d\x2e"), false);
        hf_asn1_open(&der, HF_DER_SEQUENCE);
        hf_asn1_open(&der, HF_DER_SEQUENCE);
        put_uris(&der, plan->freshest, plan->n_freshest);
        hf_asn1_close(&der);
        hf_asn1_close(&der);
        close_extension(&der);
    }
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    return hf_asn1_end(&der);
}

/* Version, algorithm, issuer, dates. */
static enum hf_err put_head(const struct hf_crl_plan *plan, struct hf_buf *out)
{
    unsigned char *name = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(plan->issuer->x509), &name);
    if (len <= 0) {
        return hf_fail(HF_E_CRYPTO, "the issuer's name can't be written");
    }
    struct hf_asn1 der = hf_asn1_writer(out);
    hf_asn1_uint(&der, 1);
    hf_asn1_raw(&der, plan->signer->algorithm);
    hf_asn1_raw(&der, hf_bytes_of(name, (size_t)len));
    hf_asn1_time(&der, plan->this_update);
    hf_asn1_time(&der, plan->next_update);
    OPENSSL_free(name);
    return hf_asn1_end(&der);
}

/* Tag and length of an element with so many bytes within. */
static size_t put_length(uint8_t out[static 10], uint8_t tag, uint64_t len)
{
    size_t n = 0;
    for (uint64_t rest = len; len > 127 && rest; rest >>= 8) {
        n++;
    }
    out[0] = tag;
    out[1] = (uint8_t)(n ? 0x80 | n : len);
    for (size_t i = 0; i < n; i++) {
        out[2 + i] = (uint8_t)(len >> 8 * (n - 1 - i));
    }
    return 2 + n;
}

/* --- Putting it together ------------------------------------------------------------------------
 */

/* Where bytes go: into the signature, to the file, or both. */
struct press {
    int fd;              /* -1: nowhere */
    struct hf_hash hash; /* of what went there */
    EVP_MD_CTX *sign;    /* NULL: not now */
    EVP_MD_CTX *check;
};

static enum hf_err print(struct press *press, struct hf_bytes bytes)
{
    if (press->sign && (EVP_DigestSignUpdate(press->sign, bytes.ptr, bytes.len) != 1 ||
                        EVP_DigestVerifyUpdate(press->check, bytes.ptr, bytes.len) != 1)) {
        return hf_fail(HF_E_CRYPTO, "a list can't be hashed");
    }
    if (press->fd < 0) {
        return HF_OK;
    }
    hf_hash_update(&press->hash, bytes);
    return hf_crl_file_write(press->fd, bytes);
}

static enum hf_err print_spool(struct press *press, struct hf_crl_builder *builder)
{
    if (lseek(builder->spool_fd, 0, SEEK_SET) != 0) {
        return hf_fail_errno("a list's entries");
    }
    for (uint64_t left = builder->spooled; left;) {
        size_t want = left < PIECE ? (size_t)left : PIECE;
        ssize_t n = read(builder->spool_fd, builder->piece, want);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? hf_fail_errno("a list's entries")
                         : hf_fail(HF_E_IO, "a list's entries were cut short");
        }
        HF_TRY(print(press, hf_bytes_of(builder->piece, (size_t)n)));
        left -= (uint64_t)n;
    }
    return HF_OK;
}

static const EVP_MD *digest_of(enum hf_key_kind kind)
{
    switch (kind) {
    case HF_KEY_KIND_ED25519:
        return NULL;
    case HF_KEY_KIND_P384:
        return EVP_sha384();
    case HF_KEY_KIND_P521:
        return EVP_sha512();
    default:
        return EVP_sha256();
    }
}

static enum hf_err begin_signature(const struct hf_signer *signer, EVP_MD_CTX **out_sign,
                                   EVP_MD_CTX **out_check)
{
    const EVP_MD *digest = digest_of(signer->kind);
    *out_sign = EVP_MD_CTX_new();
    *out_check = EVP_MD_CTX_new();
    if (!*out_sign || !*out_check ||
        EVP_DigestSignInit(*out_sign, NULL, digest, NULL, signer->key) != 1 ||
        EVP_DigestVerifyInit(*out_check, NULL, digest, NULL, signer->key) != 1) {
        return hf_fail(HF_E_CRYPTO, "the key of the list's issuer can't sign");
    }
    return HF_OK;
}

struct parts {
    struct hf_buf head, tail;     /* of the tbs, around the entries */
    uint8_t entries[10], tbs[10]; /* their tags and lengths */
    size_t entries_len, tbs_len;  /* bytes of these; 0: there are no entries (5.1.2.6) */
    uint64_t tbs_size;            /* all of it */
};

static enum hf_err measure(struct hf_crl_builder *builder, struct parts *parts)
{
    HF_TRY(put_head(&builder->plan, &parts->head));
    HF_TRY(put_extensions(&builder->plan, &parts->tail));
    uint64_t inner = hf_buf_len(&parts->head) + hf_buf_len(&parts->tail);
    if (builder->n_entries) {
        parts->entries_len = put_length(parts->entries, HF_DER_SEQUENCE, builder->spooled);
        inner += parts->entries_len + builder->spooled;
    }
    parts->tbs_len = put_length(parts->tbs, HF_DER_SEQUENCE, inner);
    parts->tbs_size = parts->tbs_len + inner;
    return HF_OK;
}

static enum hf_err print_tbs(struct press *press, struct hf_crl_builder *builder,
                             const struct parts *parts)
{
    HF_TRY(print(press, hf_bytes_of(parts->tbs, parts->tbs_len)));
    HF_TRY(print(press, hf_buf_bytes(&parts->head)));
    HF_TRY(print(press, hf_bytes_of(parts->entries, parts->entries_len)));
    HF_TRY(print_spool(press, builder));
    return print(press, hf_buf_bytes(&parts->tail));
}

/* AlgorithmIdentifier and BIT STRING. */
static enum hf_err put_signature(const struct hf_signer *signer, struct hf_bytes signature,
                                 struct hf_buf *out)
{
    struct hf_asn1 der = hf_asn1_writer(out);
    hf_asn1_raw(&der, signer->algorithm);
    hf_asn1_open_bits(&der);
    hf_asn1_raw(&der, signature);
    hf_asn1_close(&der);
    return hf_asn1_end(&der);
}

/* The outer length stands first, and counts the signature. */
static enum hf_err print_outer(struct press *press, const struct parts *parts, size_t end_len,
                               struct hf_crl_file *file)
{
    uint8_t outer[10];
    uint64_t inner = parts->tbs_size + end_len;
    size_t n = put_length(outer, HF_DER_SEQUENCE, inner);
    file->size = n + inner;
    press->fd = file->fd;
    hf_hash_init(&press->hash, HF_HASH_SHA256);
    return print(press, hf_bytes_of(outer, n));
}

/* How long an ECDSA signature is shows when it is made: the list is hashed, signed, then written.
 */
static enum hf_err sign_hashed(struct press *press, struct hf_crl_builder *builder,
                               const struct parts *parts, struct hf_crl_file *file)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf end = HF_BUF_INIT(HEAD_MAX);
    uint8_t signature[HF_SIGNATURE_MAX];
    size_t size = sizeof(signature);
    HF_TRY(print_tbs(press, builder, parts));
    if (EVP_DigestSignFinal(press->sign, signature, &size) != 1 ||
        EVP_DigestVerifyFinal(press->check, signature, size) != 1) {
        return hf_fail(HF_E_CRYPTO, "a list can't be signed, or its signature isn't good");
    }
    EVP_MD_CTX_free(HF_TAKE(press->sign));
    HF_TRY(put_signature(builder->plan.signer, hf_bytes_of(signature, size), &end));
    HF_TRY(print_outer(press, parts, hf_buf_len(&end), file));
    HF_TRY(print_tbs(press, builder, parts));
    return print(press, hf_buf_bytes(&end));
}

/* Without a hash the bytes must be there first; but the signature's length is known. */
static enum hf_err sign_whole(struct press *press, struct hf_crl_builder *builder,
                              const struct parts *parts, struct hf_crl_file *file)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf end = HF_BUF_INIT(HEAD_MAX);
    uint8_t signature[HF_SIGNATURE_MAX] = {0};
    size_t size = (size_t)EVP_PKEY_get_size(builder->plan.signer->key);
    EVP_MD_CTX *sign = HF_TAKE(press->sign);
    struct hf_bytes blank = hf_bytes_of(signature, size);
    enum hf_err err = put_signature(builder->plan.signer, blank, &end);
    err = err == HF_OK ? print_outer(press, parts, hf_buf_len(&end), file) : err;
    err = err == HF_OK ? print_tbs(press, builder, parts) : err;
    press->sign = sign;
    HF_TRY(err);
    size_t from = (size_t)(file->size - parts->tbs_size) - hf_buf_len(&end);
    size_t len = (size_t)parts->tbs_size;
    uint8_t *map = mmap(NULL, from + len, PROT_READ, MAP_SHARED, file->fd, 0);
    if (map == MAP_FAILED) {
        return hf_fail_errno("a list can't be mapped");
    }
    bool good = EVP_DigestSign(press->sign, signature, &size, map + from, len) == 1 &&
                EVP_DigestVerify(press->check, signature, size, map + from, len) == 1 &&
                size == blank.len;
    munmap(map, from + len);
    if (!good) {
        return hf_fail(HF_E_CRYPTO, "a list can't be signed, or its signature isn't good");
    }
    EVP_MD_CTX_free(HF_TAKE(press->sign));
    hf_buf_reset(&end);
    HF_TRY(put_signature(builder->plan.signer, hf_bytes_of(signature, size), &end));
    return print(press, hf_buf_bytes(&end));
}

static enum hf_err assemble(struct hf_crl_builder *builder, const struct parts *parts,
                            struct hf_crl_file *file)
{
    struct press press = {.fd = -1};
    bool whole = digest_of(builder->plan.signer->kind) == NULL;
    enum hf_err err = begin_signature(builder->plan.signer, &press.sign, &press.check);
    if (err == HF_OK) {
        err = (whole ? sign_whole : sign_hashed)(&press, builder, parts, file);
    }
    EVP_MD_CTX_free(press.sign);
    EVP_MD_CTX_free(press.check);
    if (err == HF_OK) {
        hf_hash_final(&press.hash, file->sha256);
        file->n_entries = builder->n_entries;
    }
    return err;
}

enum hf_err hf_crl_builder_end(struct hf_crl_builder *builder, struct hf_crl_file *out)
{
    struct parts parts = {.head = HF_BUF_INIT(HEAD_MAX), .tail = HF_BUF_INIT(HEAD_MAX)};
    struct hf_crl_file file = HF_CRL_FILE_NONE;
    enum hf_err err = builder->err == HF_OK ? flush(builder) : builder->err;
    err = err == HF_OK ? measure(builder, &parts) : err;
    err = err == HF_OK ? hf_crl_file_open(builder->folder, &file.fd) : err;
    err = err == HF_OK ? assemble(builder, &parts, &file) : err;
    hf_buf_done(&parts.head);
    hf_buf_done(&parts.tail);
    builder->err = HF_E_CLOSED; /* it is used up */
    if (err != HF_OK) {
        hf_crl_file_done(&file);
        return err;
    }
    *out = file;
    return HF_OK;
}
