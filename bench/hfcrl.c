// SPDX-License-Identifier: Apache-2.0

/*
 * hfcrl: what a big revocation list costs, ours and libcrypto's X509_CRL side by side, each in a
 * process of its own so that memory can be told apart.
 *
 *      hfcrl make N FILE CA      a list of N random 128-bit serials, and the CA's certificate
 *      hfcrl sign N FILE CA KEY  such a list of a CA that there is
 *      hfcrl native FILE CA      load, check the signature, look up
 *      hfcrl openssl FILE CA
 *
 * Prints one JSON object: seconds of CPU to load and check, bytes that the process grew by, ns of a
 * lookup.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "pki/crl.h"

enum { PIECE = 64 << 10, LOOKUPS = 1000000, OPENSSL_LOOKUPS = 100000, RELOADS = 10 };

static void need(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "hfcrl: %s failed: %s\n", what, hf_err_text());
        exit(1);
    }
}

static double cpu_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long status_kib(const char *key)
{
    char line[256];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    need(file != NULL, "/proc/self/status");
    while (fgets(line, sizeof(line), file)) {
        if (strncmp(line, key, strlen(key)) == 0) {
            kib = strtol(line + strlen(key) + 1, NULL, 10);
        }
    }
    (void)fclose(file);
    return kib;
}

/* The n-th serial of the list: 16 bytes, the highest bit clear as CAs make them. */
static void nth(uint64_t n, uint8_t out[static 16])
{
    uint64_t x = n;
    for (int half = 0; half < 2; half++) {
        x += 0x9e3779b97f4a7c15u;
        uint64_t z = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        memcpy(out + 8 * half, &z, 8);
    }
    out[0] = (uint8_t)((out[0] & 0x7f) | 0x40);
}

/* --- Making -------------------------------------------------------------------------------------
 */

static X509 *make_ca(EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
    need(X509_set_version(x509, 2) && X509_set_pubkey(x509, key) &&
             X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"Bench CA", -1,
                                        -1, 0) &&
             X509_set_issuer_name(x509, name) && X509_gmtime_adj(X509_getm_notBefore(x509), 0) &&
             X509_gmtime_adj(X509_getm_notAfter(x509), 86400L * 365),
         "CA");
    X509_EXTENSION *bc = X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints, "critical,CA:TRUE");
    need(bc && X509_add_ext(x509, bc, -1) && X509_sign(x509, key, EVP_sha256()), "CA");
    X509_EXTENSION_free(bc);
    return x509;
}

/* The bytes of a length in DER, in its shortest form (X.690 10.1); how many they are. */
static size_t length_of(size_t len, uint8_t out[static 5])
{
    size_t n = len < 0x80 ? 0 : len < 0x100 ? 1 : len < 0x10000 ? 2 : len < 0x1000000 ? 3 : 4;
    out[0] = (uint8_t)(n ? 0x80 | n : len);
    for (size_t i = 0; i < n; i++) {
        out[1 + i] = (uint8_t)(len >> 8 * (n - 1 - i));
    }
    return 1 + n;
}

static size_t header_size(size_t len)
{
    uint8_t bytes[5];
    return 1 + length_of(len, bytes);
}

static void append(struct hf_buf *out, const void *bytes, size_t len)
{
    need(hf_buf_append(out, hf_bytes_of(bytes, len)) == HF_OK, "memory");
}

static void length(struct hf_buf *out, uint8_t tag, size_t len)
{
    uint8_t bytes[5];
    append(out, &tag, 1);
    append(out, bytes, length_of(len, bytes));
}

/* ENTRY is 2 + 2 + 16 + 15 bytes. */
static void make_entries(size_t n, struct hf_buf *out)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t entry[35] = {0x30, 33, 0x02, 16};
        nth(i, entry + 4);
        memcpy(entry + 20,
               "\x17\x0d"
               "260101000000Z",
               15);
        append(out, entry, sizeof(entry));
    }
}

static void write_list(size_t n, const char *path, X509 *ca, EVP_PKEY *key)
{
    static const uint8_t ecdsa[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                    0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    struct hf_buf tbs = HF_BUF_INIT(1u << 30);
    struct hf_buf list = HF_BUF_INIT(1u << 30);
    uint8_t *name = NULL;
    int name_len = i2d_X509_NAME(X509_get_subject_name(ca), &name);
    size_t entries = n * 35;
    length(&tbs, 0x30, 3 + sizeof(ecdsa) + (size_t)name_len + 30 + header_size(entries) + entries);
    append(&tbs, "\x02\x01\x01", 3);
    append(&tbs, ecdsa, sizeof(ecdsa));
    append(&tbs, name, (size_t)name_len);
    append(&tbs,
           "\x17\x0d"
           "260101000000Z"
           "\x17\x0d"
           "490101000000Z",
           30);
    length(&tbs, 0x30, entries);
    make_entries(n, &tbs);

    uint8_t signature[128];
    size_t signature_len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct hf_bytes bytes = hf_buf_bytes(&tbs);
    need(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) > 0 &&
             EVP_DigestSign(ctx, signature, &signature_len, bytes.ptr, bytes.len) > 0,
         "signing");
    length(&list, 0x30, bytes.len + sizeof(ecdsa) + 3 + signature_len);
    append(&list, bytes.ptr, bytes.len);
    append(&list, ecdsa, sizeof(ecdsa));
    uint8_t head[3] = {0x03, (uint8_t)(signature_len + 1), 0};
    append(&list, head, sizeof(head));
    append(&list, signature, signature_len);

    FILE *file = fopen(path, "wb");
    bytes = hf_buf_bytes(&list);
    need(file && fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len && fclose(file) == 0, path);
    OPENSSL_free(name);
    EVP_MD_CTX_free(ctx);
    hf_buf_done(&tbs);
    hf_buf_done(&list);
}

static void make(size_t n, const char *path, const char *ca_path)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *ca = make_ca(key);
    FILE *file = fopen(ca_path, "wb");
    need(file && PEM_write_X509(file, ca) && fclose(file) == 0, ca_path);
    write_list(n, path, ca, key);
    EVP_PKEY_free(key);
    X509_free(ca);
}

static X509 *read_ca(const char *path)
{
    BIO *bio = BIO_new_file(path, "rb");
    X509 *ca = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    need(ca != NULL, path);
    BIO_free(bio);
    return ca;
}

static void sign(size_t n, const char *path, const char *ca_path, const char *key_path)
{
    X509 *ca = read_ca(ca_path);
    BIO *bio = BIO_new_file(key_path, "rb");
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    need(key != NULL, key_path);
    write_list(n, path, ca, key);
    BIO_free(bio);
    EVP_PKEY_free(key);
    X509_free(ca);
}

/* --- Ours ---------------------------------------------------------------------------------------
 */

static struct hf_crl *load(const char *path)
{
    static uint8_t piece[PIECE];
    struct hf_crl_reader *reader = NULL;
    struct hf_crl_lists lists;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    need(fd >= 0 && hf_crl_reader_new(&hf_crl_limits_default, path, &reader) == HF_OK, path);
    for (ssize_t n; (n = read(fd, piece, sizeof(piece))) > 0;) {
        need(hf_crl_reader_feed(reader, hf_bytes_of(piece, (size_t)n)) == HF_OK, "reading");
    }
    need(hf_crl_reader_end(reader, &lists) == HF_OK && lists.n == 1, "reading");
    struct hf_crl *crl = hf_crl_ref(lists.item[0]);
    hf_crl_lists_done(&lists);
    hf_crl_reader_free(reader);
    (void)close(fd);
    return crl;
}

/* What is looked up: serials of the list, others, or both in turns. */
enum which { MIXED, PRESENT, ABSENT, N_WHICH };

struct times {
    double ns[N_WHICH];
};

static void report(double load_s, long grown_kib, long peak_kib, const struct times *times,
                   size_t n, long after_kib)
{
    printf("{\"entries\": %zu, \"load_s\": %.4f, \"grown_kib\": %ld, \"peak_kib\": %ld, "
           "\"lookup_ns\": %.1f, \"present_ns\": %.1f, \"absent_ns\": %.1f, "
           "\"reloaded_kib\": %ld}\n",
           n, load_s, grown_kib, peak_kib, times->ns[MIXED], times->ns[PRESENT], times->ns[ABSENT],
           after_kib);
}

/* The i-th serial to look up; the order is far from the list's. */
static uint64_t pick(enum which which, size_t i, size_t n)
{
    uint64_t at = (uint64_t)i * 7919;
    return which == MIXED ? at % (2 * n) : at % n + (which == ABSENT ? n : 0);
}

typedef bool find_fn(void *list, const uint8_t serial[static 16]);

/* Seconds for so many lookups. The answer to each chooses the next serial, so that none begins
 * before the one before has ended. find NULL: what choosing and making them costs. */
static double walk(find_fn *find, void *list, enum which which, size_t n, size_t lookups)
{
    size_t found = 0, hit = 0;
    double from = cpu_s();
    for (size_t i = 0; i < lookups; i++) {
        uint8_t serial[16];
        nth(pick(which, i + (hit ? lookups : 0), n), serial);
        hit = find ? find(list, serial) : serial[3] == 255 && serial[9] == 255;
        __asm__ volatile("" : "+r"(hit));
        found += hit;
    }
    double took = cpu_s() - from;
    need(!find || which == MIXED || found == (which == PRESENT ? lookups : 0), "lookup");
    return took;
}

static struct times ask(find_fn *find, void *list, size_t n, size_t lookups)
{
    struct times times;
    for (int which = 0; which < N_WHICH; which++) {
        double making = walk(NULL, NULL, (enum which)which, n, lookups);
        double both = walk(find, list, (enum which)which, n, lookups);
        times.ns[which] = (both - making) / (double)lookups * 1e9;
    }
    return times;
}

static bool find_native(void *list, const uint8_t bytes[static 16])
{
    const struct hf_crl *crl = list;
    struct hf_serial serial = {.len = 16};
    memcpy(serial.byte, bytes, 16);
    return hf_serials_find(crl->serials, &serial, NULL);
}

static void native(const char *path, X509 *ca)
{
    struct hf_cert *issuer = NULL;
    need(hf_cert_from_x509(ca, &issuer) == HF_OK, "CA");
    long before = status_kib("VmRSS");
    double from = cpu_s();
    struct hf_crl *crl = load(path);
    need(hf_crl_verified(crl, issuer), "checking the signature");
    double load_s = cpu_s() - from;
    long grown = status_kib("VmRSS") - before, peak = status_kib("VmHWM") - before;
    size_t n = hf_serials_count(crl->serials);
    struct times times = ask(find_native, crl, n, LOOKUPS);
    for (int i = 0; i < RELOADS; i++) {
        struct hf_crl *next = load(path);
        hf_crl_unref(crl);
        crl = next;
    }
    report(load_s, grown, peak, &times, n, status_kib("VmRSS") - before);
    hf_crl_unref(crl);
    hf_cert_unref(issuer);
}

/* --- libcrypto ----------------------------------------------------------------------------------
 */

static X509_CRL *load_openssl(const char *path)
{
    BIO *bio = BIO_new_file(path, "rb");
    X509_CRL *crl = bio ? d2i_X509_CRL_bio(bio, NULL) : NULL;
    need(crl != NULL, path);
    BIO_free(bio);
    return crl;
}

struct openssl_list {
    X509_CRL *crl;
    ASN1_INTEGER *serial;
};

static bool find_openssl(void *ctx, const uint8_t bytes[static 16])
{
    struct openssl_list *list = ctx;
    X509_REVOKED *entry = NULL;
    need(ASN1_STRING_set(list->serial, bytes, 16) == 1, "serial");
    return X509_CRL_get0_by_serial(list->crl, &entry, list->serial) == 1;
}

static void openssl(const char *path, X509 *ca)
{
    long before = status_kib("VmRSS");
    double from = cpu_s();
    X509_CRL *crl = load_openssl(path);
    X509_REVOKED *entry = NULL;
    need(X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1, "checking the signature");
    (void)X509_CRL_get0_by_cert(crl, &entry, ca); /* sorts at the first lookup */
    double load_s = cpu_s() - from;
    long grown = status_kib("VmRSS") - before, peak = status_kib("VmHWM") - before;
    size_t n = (size_t)sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl));
    struct openssl_list list = {crl, ASN1_INTEGER_new()};
    struct times times = ask(find_openssl, &list, n, OPENSSL_LOOKUPS);
    for (int i = 0; i < RELOADS; i++) {
        X509_CRL *next = load_openssl(path);
        X509_CRL_free(crl);
        crl = next;
    }
    report(load_s, grown, peak, &times, n, status_kib("VmRSS") - before);
    ASN1_INTEGER_free(list.serial);
    X509_CRL_free(crl);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0) {
        make(strtoul(argv[2], NULL, 10), argv[3], argv[4]);
        return 0;
    }
    if (argc == 6 && strcmp(argv[1], "sign") == 0) {
        sign(strtoul(argv[2], NULL, 10), argv[3], argv[4], argv[5]);
        return 0;
    }
    if (argc != 4 || (strcmp(argv[1], "native") != 0 && strcmp(argv[1], "openssl") != 0)) {
        fprintf(stderr, "usage: hfcrl make N FILE CA | sign N FILE CA KEY | native FILE CA | "
                        "openssl FILE CA\n");
        return 2;
    }
    X509 *ca = read_ca(argv[3]);
    if (strcmp(argv[1], "native") == 0) {
        native(argv[2], ca);
    } else {
        openssl(argv[2], ca);
    }
    X509_free(ca);
    return 0;
}
