// SPDX-License-Identifier: Apache-2.0
/* What is asked for, held against the profile and the issuer: what a certificate would be refused
 * for is found here, in words for who asks. The linter looks once more at what came of it. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "ca/cert_make_impl.h"

static const int64_t last_date = INT64_C(253402300799); /* 9999-12-31T23:59:59Z */

enum { PATH_LEN_MAX = 127 };

enum hf_err hf_cert_making_refuse(struct hf_cert_making *m, enum hf_refusal why, enum hf_err err)
{
    m->why = why;
    return err;
}

static enum hf_err choose_subject(struct hf_cert_making *m)
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

static enum hf_err check_lifetime(struct hf_cert_making *m)
{
    if (m->facts->lifetime_s > m->profile->lifetime_max_s || m->facts->lifetime_s < 0) {
        return hf_cert_making_refuse(m, HF_REFUSAL_LIFETIME,
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

static enum hf_err check_issuer_lives(struct hf_cert_making *m, int64_t end)
{
    if (m->issuer && hf_issuer_is_too_deep(m->issuer)) {
        return hf_cert_making_refuse(m, HF_REFUSAL_ISSUER,
                                     hf_fail(HF_E_INVALID,
                                             "a CA above this one has a path length that doesn't "
                                             "allow it: nobody would accept what it issues"));
    }
    if (m->issuer && (end <= m->now || hf_issuer_begin(m->issuer) > m->now)) {
        return hf_cert_making_refuse(m, HF_REFUSAL_ISSUER_ENDED,
                                     hf_fail(HF_E_INVALID,
                                             "the CA's certificate has %s; it can't issue",
                                             end <= m->now ? "ended" : "not begun yet"));
    }
    return HF_OK;
}

static enum hf_err choose_dates(struct hf_cert_making *m)
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
        return hf_cert_making_refuse(
            m, HF_REFUSAL_LIFETIME,
            hf_fail(HF_E_INVALID, "the certificate would end before it begins"));
    }
    return HF_OK;
}

/* A CA below another has at least one less below it. */
static enum hf_err choose_path_len(struct hf_cert_making *m)
{
    int wanted = m->facts->path_len ? *m->facts->path_len : m->profile->path_len;
    int above = m->issuer ? hf_issuer_path_len(m->issuer) : -1;
    m->path_len = wanted;
    if (m->profile->kind != HF_PROFILE_KIND_CA) {
        return HF_OK;
    }
    if (above == 0) {
        return hf_cert_making_refuse(
            m, HF_REFUSAL_ISSUER,
            hf_fail(HF_E_INVALID, "this CA, or one above it, has a path length by which no CA may "
                                  "follow below it"));
    }
    if (above > 0 && (wanted < 0 || wanted >= above)) {
        m->path_len = above - 1;
    }
    if (m->path_len > PATH_LEN_MAX) {
        return hf_cert_making_refuse(m, HF_REFUSAL_ISSUER,
                                     hf_fail(HF_E_INVALID, "a path length of %d", m->path_len));
    }
    return HF_OK;
}

static enum hf_err check_constraints(struct hf_cert_making *m)
{
    if (m->facts->constraints && m->profile->kind != HF_PROFILE_KIND_CA) {
        return hf_cert_making_refuse(
            m, HF_REFUSAL_ISSUER,
            hf_fail(HF_E_INVALID, "name constraints are for CAs only (RFC 5280 4.2.1.10)"));
    }
    if (!m->issuer) {
        return HF_OK;
    }
    enum hf_err err = hf_issuer_permits(m->issuer, hf_buf_bytes(&m->out->subject), m->names);
    return err == HF_E_INVALID ? hf_cert_making_refuse(m, HF_REFUSAL_NAME_CONSTRAINTS, err) : err;
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

static enum hf_err check_host_cn(struct hf_cert_making *m, const char *cn)
{
    uint8_t address[16];
    struct hf_alt_name name;
    const struct hf_alt_names alone = {&name, 1, 1};
    if (!cn_as_name(cn, address, &name) || hf_alt_names_have(m->names, name.kind, name.value)) {
        return HF_OK;
    }
    enum hf_err err = hf_cert_profile_allows(m->profile, &name);
    if (err == HF_E_INVALID) {
        return hf_cert_making_refuse(
            m, HF_REFUSAL_NAME_DENIED,
            hf_fail_context(err, "the CN, which clients may take for a host name"));
    }
    HF_TRY(err);
    err = m->issuer ? hf_issuer_permits(m->issuer, hf_buf_bytes(&m->out->subject), &alone) : HF_OK;
    return err == HF_E_INVALID ? hf_cert_making_refuse(m, HF_REFUSAL_NAME_CONSTRAINTS, err) : err;
}

static bool is_blank_around(const char *text)
{
    return *text == ' ' || (*text && text[strlen(text) - 1] == ' ');
}

/* Names that people, logs and lists would take for another's: blanks that don't show (RFC 4518 2.6
 * compares without them), and a CN that is read as the SPIFFE ID of somebody. */
static enum hf_err check_look(struct hf_cert_making *m)
{
    for (size_t i = 0; i < m->subject.n; i++) {
        const struct hf_subject_part *part = &m->subject.part[i];
        if (is_blank_around(part->text)) {
            return hf_cert_making_refuse(m, HF_REFUSAL_SUBJECT,
                                         hf_fail(HF_E_INVALID,
                                                 "the subject's %s has blanks around it",
                                                 hf_attr_word(part->attr)));
        }
        if (part->attr == HF_ATTR_CN && strncasecmp(part->text, "spiffe:", 7) == 0 &&
            !hf_alt_names_have(m->names, HF_ALT_URI, hf_bytes_str(part->text))) {
            return hf_cert_making_refuse(m, HF_REFUSAL_SUBJECT,
                                         hf_fail(HF_E_INVALID,
                                                 "the CN looks like a SPIFFE ID, and isn't among "
                                                 "the names as a URI"));
        }
    }
    return HF_OK;
}

/* Where there is no DNS name, OpenSSL's X509_check_host believes the CN: so a CN that looks like a
 * host is held to what holds for hosts, or it would be a way around the rules for names. */
static enum hf_err check_host_cns(struct hf_cert_making *m)
{
    const char *cn;
    for (size_t i = 0;
         is_for_servers(m->profile) && (cn = hf_subject_get(&m->subject, HF_ATTR_CN, i)); i++) {
        HF_TRY(check_host_cn(m, cn));
    }
    return HF_OK;
}

static enum hf_err check_urls(struct hf_cert_making *m, const char *const *urls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (hf_alt_name_check(HF_ALT_URI, hf_bytes_str(urls[i])) != HF_OK) {
            return hf_cert_making_refuse(m, HF_REFUSAL_ISSUER, HF_E_INVALID);
        }
    }
    return HF_OK;
}

enum hf_err hf_cert_making_check(struct hf_cert_making *m)
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
