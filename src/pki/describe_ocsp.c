// SPDX-License-Identifier: Apache-2.0
/*
 * Facts of an OCSP answer: one object for each certificate that it is about, with the dates under
 * the names that a CRL has them. Whose signature it is isn't looked at: that takes the issuer,
 * which isn't in the file.
 */
#include "base/text.h"
#include "pki/describe_impl.h"
#include "pki/dn.h"
#include "pki/ocsp_answer.h"

static void put_responder(struct hf_describer *d, json_t *object,
                          const struct hf_ocsp_answer *answer)
{
    const unsigned char *at = answer->by_name.ptr;
    X509_NAME *name =
        answer->by_name.len ? d2i_X509_NAME(NULL, &at, (long)answer->by_name.len) : NULL;
    char text[HF_IDENTITY_TEXT_MAX];
    if (name) {
        hf_dn_text(name, text, sizeof(text));
        hf_put_text(d, object, "responder", text);
    } else {
        hf_put_hex(d, object, "responder_key_sha1", answer->by_key);
    }
    X509_NAME_free(name);
}

static void put_dates(struct hf_describer *d, json_t *object, const struct hf_ocsp_said *said)
{
    int64_t now = d->input->now_s;
    char gap[48];
    hf_put_time(d, object, "this_update", said->this_update);
    if (said->next_update) {
        hf_put_time(d, object, "next_update", said->next_update);
        hf_put(d, object, "seconds_left", json_integer(said->next_update - now));
    }
    if (said->next_update && now > said->next_update) {
        hf_format_duration((now - said->next_update) * 1000, gap, sizeof(gap));
        hf_add_problem(d, "stale", "the OCSP answer should have been replaced %s ago", gap);
    } else if (now < said->this_update) {
        hf_format_duration((said->this_update - now) * 1000, gap, sizeof(gap));
        hf_add_problem(d, "not-yet-valid", "the OCSP answer is from the future: %s from now", gap);
    }
}

static void put_status(struct hf_describer *d, json_t *object, const struct hf_ocsp_said *said)
{
    hf_put_text(d, object, "status", hf_ocsp_status_name(said->status));
    if (said->status == HF_OCSP_REVOKED) {
        hf_put_time(d, object, "revoked_at", said->revoked_at);
        hf_put_text(d, object, "reason", said->gives_why ? hf_revoked_for_name(said->why) : NULL);
    }
}

static void put_id(struct hf_describer *d, json_t *object, const struct hf_ocsp_id *id)
{
    size_t size = hf_ocsp_hash_size(id->hash);
    struct hf_bytes serial = hf_bytes_of(id->serial.byte, id->serial.len);
    static const uint8_t zero = 0;
    hf_put_hex(d, object, "serial", serial.len ? serial : hf_bytes_of(&zero, 1));
    hf_put_text(d, object, "id_hash", hf_ocsp_hash_name(id->hash));
    hf_put_hex(d, object, "issuer_name_hash", hf_bytes_of(id->issuer_name, size));
    hf_put_hex(d, object, "issuer_key_hash", hf_bytes_of(id->issuer_key, size));
}

static void describe_single(struct hf_describer *d, const struct hf_ocsp_answer *answer,
                            const struct hf_ocsp_single *single)
{
    json_t *object = json_object();
    hf_put_text(d, object, "kind", "OCSP answer");
    hf_put(d, object, "what",
           json_sprintf("the certificate is %s", hf_ocsp_status_name(single->said.status)));
    put_id(d, object, &single->id);
    put_status(d, object, &single->said);
    put_responder(d, object, answer);
    hf_put_time(d, object, "produced_at", answer->produced_at);
    put_dates(d, object, &single->said);
    hf_put(d, object, "nonce", json_boolean(answer->nonce.len > 0));
    hf_append(d, d->objects, object);
}

enum hf_err hf_describe_ocsp(struct hf_describer *d, struct hf_bytes der)
{
    struct hf_ocsp_answer *answer HF_CLEANUP(hf_ocsp_answer_unrefp) = NULL;
    HF_TRY(hf_ocsp_answer_read(der, &answer));
    for (size_t i = 0; i < answer->n_singles; i++) {
        describe_single(d, answer, &answer->single[i]);
    }
    for (size_t i = 0; i < answer->n_certs; i++) {
        HF_TRY(hf_describe_cert(d, answer->cert[i]->der));
    }
    return HF_OK;
}
