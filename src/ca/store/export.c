// SPDX-License-Identifier: Apache-2.0
/*
 * A folder as `openssl ca` keeps one, so that another tool can go on with what this one has issued.
 * The key isn't among it: it may be in a token, or sealed, and moving it is a decision of its own.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/mem.h"
#include "ca/store/store_impl.h"
#include "ca/store_import.h"
#include "os/clock.h"
#include "os/file.h"
#include "pki/write.h"

enum { PEM_CAP = 256 << 10, PAGE = 500 };

#define INDEX_CAP (1u << 30)

struct exporting {
    struct hf_store *store;
    const char *dir;
    int64_t authority;
    struct hf_buf index;
    bool found;
    int64_t n;
};

static const char *const reason_names[] = {
    [0] = "unspecified",        [1] = "keyCompromise", [2] = "CACompromise",
    [3] = "affiliationChanged", [4] = "superseded",    [5] = "cessationOfOperation",
    [6] = "certificateHold",    [9] = "unspecified",   [10] = "CACompromise",
};

static enum hf_err write_file(const struct exporting *to, const char *name, struct hf_bytes bytes)
{
    HF_CLEANUP(hf_freep) char *path = hf_path_join(to->dir, name);
    return path ? hf_file_create(path, bytes, 0644) : HF_E_NOMEM;
}

static enum hf_err write_pem(const struct exporting *to, const char *name,
                             const struct hf_cert *cert)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(PEM_CAP);
    HF_TRY(hf_cert_write_pem(cert, &pem));
    return write_file(to, name, hf_buf_bytes(&pem));
}

/* --- A line of the index -----------------------------------------------------------------------
 */

/* Two digits of the year until 2049, as RFC 5280 4.1.2.5 has it. */
static void put_time(int64_t when, char out[static 32])
{
    time_t time = (time_t)when;
    struct tm tm;
    gmtime_r(&time, &tm);
    strftime(out, 32, "%Y%m%d%H%M%SZ", &tm);
    if (tm.tm_year >= 50 && tm.tm_year < 150) {
        memmove(out, out + 2, strlen(out) - 1);
    }
}

static enum hf_err put_line(struct exporting *to, const struct hf_store_cert *row, const char *hex,
                            const char *subject)
{
    char end[32];
    char revoked[32] = "";
    const char *reason = "";
    bool bad = row->status != HF_STATUS_GOOD;
    put_time(row->not_after, end);
    if (bad) {
        put_time(row->revoked_at, revoked);
        reason = reason_names[row->reason >= 0 && row->reason <= 10 ? row->reason : 0];
    }
    return hf_buf_printf(&to->index, "%c\t%s\t%s%s%s\t%s\tunknown\t%s\n", bad ? 'R' : 'V', end,
                         revoked, bad ? "," : "", reason ? reason : "unspecified", hex, subject);
}

/* The subject as openssl writes it, "/CN=alice/O=Example". */
static enum hf_err export_known(struct exporting *to, const struct hf_store_cert *row,
                                const char *hex)
{
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    char subject[4096];
    char name[128];
    snprintf(name, sizeof(name), "newcerts/%s.pem", hex);
    HF_TRY(hf_cert_from_der(row->der, &cert));
    HF_TRY(write_pem(to, name, cert));
    X509_NAME_oneline(X509_get_subject_name(cert->x509), subject, sizeof(subject));
    return put_line(to, row, hex, subject);
}

static enum hf_err export_cert(void *ctx, const struct hf_store_cert *row)
{
    struct exporting *to = ctx;
    char hex[2 * HF_STORE_SERIAL_MAX + 1];
    hf_hex(row->serial, hex);
    for (char *c = hex; *c; c++) {
        *c = (char)(*c >= 'a' && *c <= 'f' ? *c - 32 : *c);
    }
    to->n++;
    return row->der.len ? export_known(to, row, hex) : put_line(to, row, hex, row->subject);
}

static enum hf_err export_certs(struct exporting *to)
{
    struct hf_store_page page = {.more = true};
    char cursor[HF_STORE_CURSOR_SIZE] = "";
    while (page.more) {
        struct hf_store_query query = {
            .authority = to->authority, .limit = PAGE, .cursor = cursor, .with_der = true};
        HF_TRY(hf_store_certs(to->store, &query, export_cert, to, &page));
        memcpy(cursor, page.cursor, sizeof(cursor));
    }
    return write_file(to, "index.txt", hf_buf_bytes(&to->index));
}

/* --- The rest ----------------------------------------------------------------------------------
 */

static enum hf_err export_authority(void *ctx, const struct hf_store_authority *a)
{
    struct exporting *to = ctx;
    if (a->id != to->authority) {
        return HF_OK;
    }
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    to->found = true;
    if (a->cert.len == 0) {
        return HF_OK; /* it is pending */
    }
    HF_TRY(hf_cert_from_der(a->cert, &cert));
    return write_pem(to, "cacert.pem", cert);
}

static enum hf_err take_number(void *ctx, const struct hf_rows *rows)
{
    *(int64_t *)ctx = hf_db_number(rows, 0);
    return HF_OK;
}

/* Where openssl counts on from: a number drawn anew, so that it meets none of ours. */
static enum hf_err export_serial(struct exporting *to)
{
    uint8_t serial[16];
    char text[2 * sizeof(serial) + 2];
    HF_TRY(hf_rng_fill(&hf_os_rng, hf_span_of(serial, sizeof(serial))));
    serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
    hf_hex(hf_bytes_of(serial, sizeof(serial)), text);
    strcpy(text + 2 * sizeof(serial), "\n");
    return write_file(to, "serial", hf_bytes_str(text));
}

/* In hex with an even number of digits. */
static enum hf_err export_number(struct exporting *to)
{
    int64_t last = 0;
    char text[40];
    HF_TRY(hf_store_read(to->store,
                         "SELECT COALESCE(MAX(number), 0) FROM crl_numbers WHERE authority = $1",
                         HF_DB_ARGS(hf_db_int(to->authority)), take_number, &last, NULL));
    snprintf(text, sizeof(text), "%016llX\n", (unsigned long long)last + 1);
    HF_TRY(write_file(to, "crlnumber", hf_bytes_str(text)));
    HF_TRY(write_file(to, "index.txt.attr", hf_bytes_str("unique_subject = no\n")));
    return export_serial(to);
}

static enum hf_err export_all(struct exporting *to)
{
    HF_CLEANUP(hf_freep) char *certs = hf_path_join(to->dir, "newcerts");
    if (!certs) {
        return HF_E_NOMEM;
    }
    if (mkdir(to->dir, 0755) != 0 || mkdir(certs, 0755) != 0) {
        return hf_fail_errno("%s", to->dir);
    }
    HF_TRY(hf_store_authorities(to->store, export_authority, to));
    if (!to->found) {
        return hf_fail(HF_E_NOT_FOUND, "there is no authority %lld", (long long)to->authority);
    }
    HF_TRY(export_certs(to));
    return export_number(to);
}

enum hf_err hf_store_export(struct hf_store *store, int64_t authority, const char *dir,
                            int64_t *out_n)
{
    struct exporting to = {
        .store = store, .dir = dir, .authority = authority, .index = HF_BUF_INIT(INDEX_CAP)};
    enum hf_err err = export_all(&to);
    hf_buf_done(&to.index);
    *out_n = to.n;
    return err;
}
