// SPDX-License-Identifier: Apache-2.0
/* OCSP answers: what is read keeps its limits, and what is read twice says the same. */
#include <stdlib.h>

#include "fuzz.h"
#include "pki/ocsp_answer.h"
#include "pki/ocsp_request.h"

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* What an answer names, a request can name. */
static void ask_again(const struct hf_ocsp_answer *answer)
{
    struct hf_ocsp_id ids[HF_OCSP_SERIALS_MAX];
    struct hf_buf out = HF_BUF_INIT(HF_OCSP_REQUEST_MAX);
    for (size_t i = 0; i < answer->n_singles; i++) {
        struct hf_ocsp_id again;
        const struct hf_ocsp_single *single = &answer->single[i];
        ids[i] = single->id;
        need(hf_ocsp_status_name(single->said.status) != NULL);
        need(!single->said.next_update || single->said.next_update >= single->said.this_update);
        hf_buf_reset(&out);
        need(hf_ocsp_id_write(&single->id, &out) == HF_OK);
        struct hf_reader reader = hf_reader_of(hf_buf_bytes(&out));
        need(hf_ocsp_id_read(&reader, &again) == HF_OK && hf_ocsp_id_eq(&again, &single->id));
    }
    hf_buf_reset(&out);
    need(!answer->n_singles ||
         hf_ocsp_request_write(ids, answer->n_singles, answer->nonce, &out) == HF_OK);
    hf_buf_done(&out);
}

/* Of any two answers at most one overrules the other, and neither only where they say the same. */
static void order(const struct hf_ocsp_answer *answer)
{
    for (size_t i = 0; i + 1 < answer->n_singles; i++) {
        struct hf_ocsp_known a = {.said = answer->single[i].said,
                                  .produced_at = answer->produced_at};
        struct hf_ocsp_known b = {.said = answer->single[i + 1].said,
                                  .produced_at = answer->produced_at};
        bool first = hf_ocsp_known_overrules(&a, &b), second = hf_ocsp_known_overrules(&b, &a);
        need(!(first && second));
        need(first || second ||
             (a.said.status == b.said.status && a.said.this_update == b.said.this_update));
    }
}

/* What is said of any of the certificates that came along, by any other. */
static void look_up(const struct hf_ocsp_answer *answer)
{
    const struct hf_ocsp_origin origin = {.from = "fuzz"};
    const struct hf_ocsp_dates dates = {.skew_s = 60, .open_s = 600};
    for (size_t i = 0; i < answer->n_certs; i++) {
        struct hf_cert *cert = answer->cert[i], *issuer = answer->cert[answer->n_certs - 1 - i];
        struct hf_ocsp_known *known = NULL;
        struct hf_ocsp_aged aged;
        if (hf_ocsp_known_new(answer, cert, issuer, &origin, &known) == HF_OK) {
            hf_ocsp_known_at(known, answer->produced_at, &dates, &aged);
            need(!hf_ocsp_known_overrules(known, known));
        }
        hf_ocsp_known_unref(known);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_ocsp_answer *answer = NULL;
    struct hf_cert *signer = NULL;
    if (hf_ocsp_answer_read(hf_bytes_of(data, size), &answer) != HF_OK) {
        need(answer == NULL);
        return 0;
    }
    need(answer->n_singles <= HF_OCSP_SERIALS_MAX && answer->n_certs <= HF_OCSP_CERTS_MAX);
    need(answer->n_singles + answer->n_strange > 0 && answer->nonce.len <= HF_OCSP_NONCE_MAX);
    ask_again(answer);
    order(answer);
    look_up(answer);
    for (size_t i = 0; i < answer->n_certs; i++) {
        need(hf_ocsp_answer_signer(answer, answer->cert[i], &signer) != HF_OK || signer);
    }
    hf_ocsp_answer_unref(answer);
    return 0;
}
