// SPDX-License-Identifier: Apache-2.0
/*
 * The bytes of a TBSCertificate (RFC 5280 4.1), written from front to back:
 *
 *      SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, key, [3] extensions }
 *
 * The order of work: what is asked for is held against the profile and the issuer; the TBS is
 * written; the linter, which shares no code with the writer, reads it back; then it is signed.
 */
#include "ca/cert_make_impl.h"

enum { SERIAL_TRIES = 16 };

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

static enum hf_err write_tbs(struct hf_cert_making *m)
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
    hf_cert_making_extensions(m, &der);
    hf_asn1_close(&der);
    return hf_asn1_end(&der);
}

static enum hf_err lint(struct hf_cert_making *m)
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
    return hf_cert_making_refuse(
        m, HF_REFUSAL_LINT,
        hf_fail(HF_E_INVALID,
                "the certificate would break a rule (%s, %s): %s; it was not "
                "signed",
                first->check->name, first->check->source, first->text));
}

static enum hf_err make(struct hf_cert_making *m, const struct hf_rng *rng)
{
    HF_TRY(hf_cert_making_check(m));
    HF_TRY(draw_serial(rng, m->out->serial));
    enum hf_err err = write_tbs(m);
    if (err == HF_E_INVALID) { /* of a date, a constraint or the size */
        return hf_cert_making_refuse(m, HF_REFUSAL_ISSUER, err);
    }
    HF_TRY(err);
    HF_TRY(lint(m));
    return hf_signer_seal(m->signer, hf_buf_bytes(&m->out->tbs), &m->out->der);
}

/* Runs it, with what belongs to every kind of making around it. */
static enum hf_err run(struct hf_cert_making *m, const struct hf_rng *rng, enum hf_refusal *out_why)
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
    struct hf_cert_making making = {.profile = profile,
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
    struct hf_cert_making making = {
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
