// SPDX-License-Identifier: Apache-2.0
/*
 * The bytes of a TBSCertificate (RFC 5280 4.1), written from front to back:
 *
 *      SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, key, [3] extensions }
 *
 * The order of work: what is asked for is held against the profile and the issuer; the TBS is
 * written; the linter, which shares no code with the writer, reads it back; then it is signed.
 */
#include "ca/cert_make.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ca/issuer_impl.h"
#include "ca/oid.h"
#include "pki/asn1_write.h"

static const int64_t last_date = INT64_C(253402300799); /* 9999-12-31T23:59:59Z */

enum { PATH_LEN_MAX = 127, SERIAL_TRIES = 16 };

/* One certificate on its way. */
struct making {
    const struct hf_cert_profile *profile;
    const struct hf_cert_facts *facts;
    const struct hf_issuer *issuer; /* NULL: it signs itself */
    const struct hf_signer *signer;
    int64_t now;
    const struct hf_alt_names *names;
    struct hf_subject subject;
    int path_len;
    enum hf_refusal why;
    struct hf_made_cert *out;
};

static enum hf_err refuse(struct making *m, enum hf_refusal why, enum hf_err err)
{
    m->why = why;
    return err;
}

/* --- What is asked for ------------------------------------------------------------------------*/

static enum hf_err choose_subject(struct making *m)
{
    struct hf_asn1 der = hf_asn1_writer(&m->out->subject);
    if (m->facts->subject_der.len) {
        hf_asn1_raw(&der, m->facts->subject_der);
        return hf_asn1_end(&der);
    }
    HF_TRY(hf_cert_profile_subject(m->profile, m->facts->subject, m->names, &m->subject, &m->why));
    hf_subject_write(&m->subject, &der);
    return hf_asn1_end(&der);
}

static bool subject_is_empty(const struct making *m)
{
    return hf_buf_len(&m->out->subject) <= 2;
}

static enum hf_err check_lifetime(struct making *m)
{
    if (m->facts->lifetime_s > m->profile->lifetime_max_s || m->facts->lifetime_s < 0) {
        return refuse(m, HF_REFUSAL_LIFETIME,
                      hf_fail(HF_E_INVALID,
                              "%lld seconds are asked for; the profile %s gives at "
                              "most %lld",
                              (long long)m->facts->lifetime_s, m->profile->name,
                              (long long)m->profile->lifetime_max_s));
    }
    return HF_OK;
}

static int64_t max_of(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum hf_err check_issuer_lives(struct making *m, int64_t end)
{
    if (m->issuer && hf_issuer_is_too_deep(m->issuer)) {
        return refuse(m, HF_REFUSAL_ISSUER,
                      hf_fail(HF_E_INVALID, "a CA above this one has a path length that doesn't "
                                            "allow it: nobody would accept what it issues"));
    }
    if (m->issuer && (end <= m->now || hf_issuer_begin(m->issuer) > m->now)) {
        return refuse(m, HF_REFUSAL_ISSUER_ENDED,
                      hf_fail(HF_E_INVALID, "the CA's certificate has %s; it can't issue",
                              end <= m->now ? "ended" : "not begun yet"));
    }
    return HF_OK;
}

static enum hf_err choose_dates(struct making *m)
{
    const struct hf_cert_facts *facts = m->facts;
    int64_t end = m->issuer ? hf_issuer_end(m->issuer) : last_date;
    int64_t life = facts->lifetime_s ? facts->lifetime_s : m->profile->lifetime_s;
    int64_t from = facts->not_before ? facts->not_before : m->now - m->profile->backdate_s;
    HF_TRY(check_lifetime(m));
    HF_TRY(check_issuer_lives(m, end));
    if (!facts->not_before && m->issuer) {
        from = max_of(from, hf_issuer_begin(m->issuer));
    }
    int64_t until = facts->not_after ? facts->not_after : max_of(from, m->now) + life;
    end = end < last_date ? end : last_date;
    m->out->capped = until > end;
    m->out->not_before = from;
    m->out->not_after = m->out->capped ? end : until;
    if (from < 0 || m->out->not_after <= from) {
        return refuse(m, HF_REFUSAL_LIFETIME,
                      hf_fail(HF_E_INVALID, "the certificate would end before it begins"));
    }
    return HF_OK;
}

/* A CA below another has at least one less below it. */
static enum hf_err choose_path_len(struct making *m)
{
    int wanted = m->facts->path_len ? *m->facts->path_len : m->profile->path_len;
    int above = m->issuer ? hf_issuer_path_len(m->issuer) : -1;
    m->path_len = wanted;
    if (m->profile->kind != HF_PROFILE_KIND_CA) {
        return HF_OK;
    }
    if (above == 0) {
        return refuse(m, HF_REFUSAL_ISSUER,
                      hf_fail(HF_E_INVALID,
                              "this CA, or one above it, has a path length by which no CA may "
                              "follow below it"));
    }
    if (above > 0 && (wanted < 0 || wanted >= above)) {
        m->path_len = above - 1;
    }
    if (m->path_len > PATH_LEN_MAX) {
        return refuse(m, HF_REFUSAL_ISSUER,
                      hf_fail(HF_E_INVALID, "a path length of %d", m->path_len));
    }
    return HF_OK;
}

static enum hf_err check_constraints(struct making *m)
{
    if (m->facts->constraints && m->profile->kind != HF_PROFILE_KIND_CA) {
        return refuse(
            m, HF_REFUSAL_ISSUER,
            hf_fail(HF_E_INVALID, "name constraints are for CAs only (RFC 5280 4.2.1.10)"));
    }
    if (!m->issuer) {
        return HF_OK;
    }
    enum hf_err err = hf_issuer_permits(m->issuer, hf_buf_bytes(&m->out->subject), m->names);
    return err == HF_E_INVALID ? refuse(m, HF_REFUSAL_NAME_CONSTRAINTS, err) : err;
}

static bool is_for_servers(const struct hf_cert_profile *profile)
{
    struct hf_bytes server = hf_eku_by_word("server-auth");
    for (size_t i = 0; i < profile->n_eku; i++) {
        if (hf_bytes_eq(profile->eku[i], server)) {
            return true;
        }
    }
    return false;
}

/* The name that a client may take the CN for: an address, or a host, at the end of which there may
 * be a dot. False: for none. */
static bool cn_as_name(const char *cn, uint8_t address[static 16], struct hf_alt_name *out)
{
    size_t len = strlen(cn);
    for (size_t i = 0; i < 2; i++) {
        if (inet_pton(i ? AF_INET6 : AF_INET, cn, address) == 1) {
            *out = (struct hf_alt_name){HF_ALT_IP, hf_bytes_of(address, i ? 16 : 4)};
            return true;
        }
    }
    len -= len && cn[len - 1] == '.';
    *out = (struct hf_alt_name){HF_ALT_DNS, hf_bytes_of(cn, len)};
    return strchr(cn, '.') && hf_alt_name_check(HF_ALT_DNS, out->value) == HF_OK;
}

static enum hf_err check_host_cn(struct making *m, const char *cn)
{
    uint8_t address[16];
    struct hf_alt_name name;
    const struct hf_alt_names alone = {&name, 1, 1};
    if (!cn_as_name(cn, address, &name) || hf_alt_names_have(m->names, name.kind, name.value)) {
        return HF_OK;
    }
    enum hf_err err = hf_cert_profile_allows(m->profile, &name);
    if (err == HF_E_INVALID) {
        return refuse(m, HF_REFUSAL_NAME_DENIED,
                      hf_fail_context(err, "the CN, which clients may take for a host name"));
    }
    HF_TRY(err);
    err = m->issuer ? hf_issuer_permits(m->issuer, hf_buf_bytes(&m->out->subject), &alone) : HF_OK;
    return err == HF_E_INVALID ? refuse(m, HF_REFUSAL_NAME_CONSTRAINTS, err) : err;
}

static bool is_blank_around(const char *text)
{
    return *text == ' ' || (*text && text[strlen(text) - 1] == ' ');
}

/* Names that people, logs and lists would take for another's: blanks that don't show (RFC 4518 2.6
 * compares without them), and a CN that is read as the SPIFFE ID of somebody. */
static enum hf_err check_look(struct making *m)
{
    for (size_t i = 0; i < m->subject.n; i++) {
        const struct hf_subject_part *part = &m->subject.part[i];
        if (is_blank_around(part->text)) {
            return refuse(m, HF_REFUSAL_SUBJECT,
                          hf_fail(HF_E_INVALID, "the subject's %s has blanks around it",
                                  hf_attr_word(part->attr)));
        }
        if (part->attr == HF_ATTR_CN && strncasecmp(part->text, "spiffe:", 7) == 0 &&
            !hf_alt_names_have(m->names, HF_ALT_URI, hf_bytes_str(part->text))) {
            return refuse(m, HF_REFUSAL_SUBJECT,
                          hf_fail(HF_E_INVALID, "the CN looks like a SPIFFE ID, and isn't among "
                                                "the names as a URI"));
        }
    }
    return HF_OK;
}

/* Where there is no DNS name, OpenSSL's X509_check_host believes the CN: so a CN that looks like a
 * host is held to what holds for hosts, or it would be a way around the rules for names. */
static enum hf_err check_host_cns(struct making *m)
{
    const char *cn;
    for (size_t i = 0;
         is_for_servers(m->profile) && (cn = hf_subject_get(&m->subject, HF_ATTR_CN, i)); i++) {
        HF_TRY(check_host_cn(m, cn));
    }
    return HF_OK;
}

static enum hf_err check_urls(struct making *m, const char *const *urls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (hf_alt_name_check(HF_ALT_URI, hf_bytes_str(urls[i])) != HF_OK) {
            return refuse(m, HF_REFUSAL_ISSUER, HF_E_INVALID);
        }
    }
    return HF_OK;
}

static enum hf_err check_request(struct making *m)
{
    const struct hf_cert_facts *facts = m->facts;
    HF_TRY(hf_cert_profile_check_key(m->profile, facts->key, &m->why));
    HF_TRY(hf_cert_profile_check_names(m->profile, m->names, &m->why));
    HF_TRY(choose_subject(m));
    HF_TRY(check_look(m));
    HF_TRY(choose_dates(m));
    HF_TRY(choose_path_len(m));
    HF_TRY(check_constraints(m));
    HF_TRY(check_host_cns(m));
    HF_TRY(check_urls(m, facts->crl_urls, facts->n_crl_urls));
    HF_TRY(check_urls(m, facts->ocsp_urls, facts->n_ocsp_urls));
    return check_urls(m, facts->issuer_urls, facts->n_issuer_urls);
}

/* 128 random bits. One in 256 draws begins with a zero byte and is drawn again, so that every
 * serial has the same length when it's written. */
static enum hf_err draw_serial(const struct hf_rng *rng, uint8_t out[static HF_MADE_SERIAL_SIZE])
{
    for (int i = 0; i < SERIAL_TRIES; i++) {
        HF_TRY(hf_rng_fill(rng, hf_span_of(out, HF_MADE_SERIAL_SIZE)));
        if (out[0]) {
            return HF_OK;
        }
    }
    return hf_fail(HF_E_CRYPTO, "the random source gives zeros; no serial number can be drawn");
}

/* --- Extensions -------------------------------------------------------------------------------*/

#define CE(last) HF_OID("\x55\x1d" last)
#define PE(last) HF_OID("\x2b\x06\x01\x05\x05\x07\x01" last)
#define AD(last) HF_OID("\x2b\x06\x01\x05\x05\x07\x30" last)

enum { TAG_URI = 0x86, TLS_STATUS_REQUEST = 5 };

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

static void put_key_ids(const struct making *m, struct hf_asn1 *der)
{
    const struct hf_public_key *key = m->facts->key;
    struct hf_bytes own =
        m->facts->key_id.len ? m->facts->key_id : hf_bytes_of(key->key_id, sizeof(key->key_id));
    if (m->issuer) {
        open_extension(der, CE("\x23"), false);
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_put(der, HF_ASN1_CONTEXT(0), hf_issuer_key_id(m->issuer));
        hf_asn1_close(der);
        close_extension(der);
    }
    open_extension(der, CE("\x0e"), false);
    hf_asn1_put(der, HF_DER_OCTET_STRING, own);
    close_extension(der);
}

static void put_usage(const struct making *m, struct hf_asn1 *der)
{
    open_extension(der, CE("\x0f"), true);
    hf_asn1_flags(der, hf_cert_profile_usage(m->profile, m->facts->key->kind));
    close_extension(der);
}

static void put_basic_constraints(const struct making *m, struct hf_asn1 *der)
{
    open_extension(der, CE("\x13"), true);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    if (m->profile->kind == HF_PROFILE_KIND_CA) {
        hf_asn1_true(der);
        if (m->path_len >= 0) {
            hf_asn1_uint(der, (uint64_t)m->path_len);
        }
    }
    hf_asn1_close(der);
    close_extension(der);
}

static void put_eku(const struct making *m, struct hf_asn1 *der)
{
    if (m->profile->n_eku == 0) {
        return;
    }
    open_extension(der, CE("\x25"), false);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    for (size_t i = 0; i < m->profile->n_eku; i++) {
        hf_asn1_oid(der, m->profile->eku[i]);
    }
    hf_asn1_close(der);
    close_extension(der);
}

/* RFC 5280 4.2.1.6: with an empty subject the alternative names are critical. */
static void put_names(const struct making *m, struct hf_asn1 *der)
{
    if (m->names->n) {
        open_extension(der, CE("\x11"), subject_is_empty(m));
        hf_alt_names_write(m->names, der);
        close_extension(der);
    }
}

static void put_policies(const struct making *m, struct hf_asn1 *der)
{
    if (m->profile->n_policies == 0) {
        return;
    }
    open_extension(der, CE("\x20"), false);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    for (size_t i = 0; i < m->profile->n_policies; i++) {
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_oid(der, m->profile->policies[i]);
        hf_asn1_close(der);
    }
    hf_asn1_close(der);
    close_extension(der);
}

static void put_constraints(const struct making *m, struct hf_asn1 *der)
{
    const struct hf_made_constraints *c = m->facts->constraints;
    if (c && c->n_permitted + c->n_excluded) {
        open_extension(der, CE("\x1e"), true);
        hf_name_constraints_write(c->permitted, c->n_permitted, c->excluded, c->n_excluded, der);
        close_extension(der);
    }
}

/* One distribution point, of which all URLs give the same list (RFC 5280 4.2.1.13). */
static void put_crl_urls(const struct making *m, struct hf_asn1 *der)
{
    if (m->facts->n_crl_urls == 0) {
        return;
    }
    open_extension(der, CE("\x1f"), false);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(0)); /* distributionPoint */
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(0)); /* fullName */
    for (size_t i = 0; i < m->facts->n_crl_urls; i++) {
        hf_asn1_text(der, TAG_URI, m->facts->crl_urls[i]);
    }
    hf_asn1_close(der);
    hf_asn1_close(der);
    hf_asn1_close(der);
    hf_asn1_close(der);
    close_extension(der);
}

static void put_access(struct hf_asn1 *der, struct hf_bytes method, const char *const *urls,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_oid(der, method);
        hf_asn1_text(der, TAG_URI, urls[i]);
        hf_asn1_close(der);
    }
}

static void put_authority_access(const struct making *m, struct hf_asn1 *der)
{
    const struct hf_cert_facts *facts = m->facts;
    if (facts->n_ocsp_urls + facts->n_issuer_urls == 0) {
        return;
    }
    open_extension(der, PE("\x01"), false);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    put_access(der, AD("\x01"), facts->ocsp_urls, facts->n_ocsp_urls);
    put_access(der, AD("\x02"), facts->issuer_urls, facts->n_issuer_urls);
    hf_asn1_close(der);
    close_extension(der);
}

static void put_tls_feature(const struct making *m, struct hf_asn1 *der)
{
    if (m->profile->must_staple) {
        open_extension(der, PE("\x18"), false);
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_uint(der, TLS_STATUS_REQUEST);
        hf_asn1_close(der);
        close_extension(der);
    }
}

/* RFC 6960 4.2.2.2.1: nobody asks whether the signer of the answer is revoked. */
static void put_no_check(const struct making *m, struct hf_asn1 *der)
{
    if (m->profile->kind == HF_PROFILE_KIND_OCSP) {
        open_extension(der, HF_OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x05"), false);
        hf_asn1_null(der);
        close_extension(der);
    }
}

static void put_extensions(const struct making *m, struct hf_asn1 *der)
{
    static void (*const puts[])(const struct making *m, struct hf_asn1 *der) = {
        put_key_ids,     put_usage,    put_basic_constraints,
        put_eku,         put_names,    put_policies,
        put_constraints, put_crl_urls, put_authority_access,
        put_tls_feature, put_no_check,
    };
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(3));
    hf_asn1_open(der, HF_DER_SEQUENCE);
    for (size_t i = 0; i < HF_N_ELEMENTS(puts); i++) {
        puts[i](m, der);
    }
    hf_asn1_close(der);
    hf_asn1_close(der);
}

/* --- The whole --------------------------------------------------------------------------------*/

static enum hf_err write_tbs(struct making *m)
{
    struct hf_asn1 der = hf_asn1_writer(&m->out->tbs);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_open(&der, HF_ASN1_CONTEXT_CONSTRUCTED(0));
    hf_asn1_uint(&der, 2); /* version 3 */
    hf_asn1_close(&der);
    hf_asn1_magnitude(&der, hf_bytes_of(m->out->serial, sizeof(m->out->serial)));
    hf_asn1_raw(&der, m->signer->algorithm);
    hf_asn1_raw(&der, m->issuer ? hf_issuer_subject(m->issuer) : hf_buf_bytes(&m->out->subject));
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_time(&der, m->out->not_before);
    hf_asn1_time(&der, m->out->not_after);
    hf_asn1_close(&der);
    hf_asn1_raw(&der, hf_buf_bytes(&m->out->subject));
    hf_asn1_raw(&der, m->facts->key->spki);
    put_extensions(m, &der);
    hf_asn1_close(&der);
    return hf_asn1_end(&der);
}

static enum hf_err lint(struct making *m)
{
    struct hf_lint_against against = {
        .issuer = m->issuer ? hf_issuer_cert(m->issuer) : NULL,
        .profile = m->profile,
    };
    HF_TRY(hf_lint_tbs(hf_buf_bytes(&m->out->tbs), &against, &m->out->lint));
    if (m->out->lint.n_errors == 0) {
        return HF_OK;
    }
    const struct hf_lint_finding *first = &m->out->lint.finding[0];
    return refuse(m, HF_REFUSAL_LINT,
                  hf_fail(HF_E_INVALID,
                          "the certificate would break a rule (%s, %s): %s; it was not "
                          "signed",
                          first->check->name, first->check->source, first->text));
}

static enum hf_err make(struct making *m, const struct hf_rng *rng)
{
    HF_TRY(check_request(m));
    HF_TRY(draw_serial(rng, m->out->serial));
    enum hf_err err = write_tbs(m);
    if (err == HF_E_INVALID) { /* of a date, a constraint or the size */
        return refuse(m, HF_REFUSAL_ISSUER, err);
    }
    HF_TRY(err);
    HF_TRY(lint(m));
    return hf_signer_seal(m->signer, hf_buf_bytes(&m->out->tbs), &m->out->der);
}

/* Runs it, with what belongs to every kind of making around it. */
static enum hf_err run(struct making *m, const struct hf_rng *rng, enum hf_refusal *out_why)
{
    static const struct hf_alt_names none;
    *m->out = (struct hf_made_cert){.tbs = HF_BUF_INIT(HF_MADE_DER_MAX),
                                    .der = HF_BUF_INIT(HF_MADE_DER_MAX),
                                    .subject = HF_BUF_INIT(HF_MADE_DER_MAX)};
    m->names = m->facts->names ? m->facts->names : &none;
    enum hf_err err = make(m, rng);
    hf_subject_done(&m->subject);
    if (err != HF_OK) {
        hf_buf_done(&m->out->tbs);
        hf_buf_done(&m->out->der);
        hf_buf_done(&m->out->subject);
        *out_why = err == HF_E_INVALID ? m->why : HF_REFUSAL_NONE;
    }
    return err;
}

enum hf_err hf_cert_make(const struct hf_cert_profile *profile, const struct hf_cert_facts *facts,
                         const struct hf_issuer *issuer, int64_t now, const struct hf_rng *rng,
                         struct hf_made_cert *out, enum hf_refusal *out_why)
{
    struct making making = {.profile = profile,
                            .facts = facts,
                            .issuer = issuer,
                            .signer = hf_issuer_signer(issuer),
                            .now = now,
                            .out = out};
    return run(&making, rng, out_why);
}

enum hf_err hf_cert_make_root(const struct hf_cert_profile *profile,
                              const struct hf_cert_facts *facts, EVP_PKEY *key, int64_t now,
                              const struct hf_rng *rng, struct hf_made_cert *out,
                              enum hf_refusal *out_why)
{
    struct hf_signer signer;
    *out = (struct hf_made_cert){0};
    *out_why = HF_REFUSAL_NONE;
    HF_TRY(hf_signer_of(key, &signer));
    if (EVP_PKEY_eq(facts->key->key, key) != 1) {
        return hf_fail(HF_E_INTERNAL, "a root that signs itself with the key of another");
    }
    struct making making = {
        .profile = profile, .facts = facts, .signer = &signer, .now = now, .out = out};
    return run(&making, rng, out_why);
}

void hf_made_cert_done(struct hf_made_cert *made)
{
    hf_buf_done(&made->tbs);
    hf_buf_done(&made->der);
    hf_buf_done(&made->subject);
    *made = (struct hf_made_cert){0};
}

/* --- Requests ---------------------------------------------------------------------------------*/

static void put_request_attribute(const struct hf_alt_names *names, bool for_ca,
                                  struct hf_asn1 *der)
{
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_oid(der, HF_OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"));
    hf_asn1_open(der, HF_ASN1_SET);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    if (for_ca) {
        open_extension(der, CE("\x13"), true);
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_true(der);
        hf_asn1_close(der);
        close_extension(der);
    }
    if (names && names->n) {
        open_extension(der, CE("\x11"), false);
        hf_alt_names_write(names, der);
        close_extension(der);
    }
    hf_asn1_close(der);
    hf_asn1_close(der);
    hf_asn1_close(der);
}

enum hf_err hf_csr_make(const struct hf_subject *subject, const struct hf_alt_names *names,
                        bool for_ca, EVP_PKEY *key, struct hf_buf *out)
{
    HF_CLEANUP(hf_public_key_freep) struct hf_public_key *public = NULL;
    HF_CLEANUP(hf_buf_done) struct hf_buf info = HF_BUF_INIT(HF_CSR_DER_MAX);
    struct hf_signer signer;
    HF_TRY(hf_public_key_of(key, &public));
    HF_TRY(hf_signer_of(key, &signer));
    struct hf_asn1 der = hf_asn1_writer(&info);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_uint(&der, 0);
    hf_subject_write(subject, &der);
    hf_asn1_raw(&der, public->spki);
    hf_asn1_open(&der, HF_DER_CONTEXT_0);
    if (for_ca || (names && names->n)) {
        put_request_attribute(names, for_ca, &der);
    }
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    HF_TRY(hf_asn1_end(&der));
    return hf_signer_seal(&signer, hf_buf_bytes(&info), out);
}
