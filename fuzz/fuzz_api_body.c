// SPDX-License-Identifier: Apache-2.0
/*
 * What a request to the CA's API says: the first byte chooses the route, a line of its own is the
 * URL's query, and the rest is the body. Whatever is taken holds what its route wants, no more than
 * it allows, and within its bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "ca/api_impl.h"
#include "fuzz.h"

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_texts(const struct hf_api_job *job)
{
    const struct hf_api_input *in = &job->input;
    const struct {
        const char *text;
        enum hf_api_field field;
    } texts[] = {{in->profile, HF_API_PROFILE}, {in->authority, HF_API_AUTHORITY},
                 {in->name, HF_API_NAME},       {in->key_type, HF_API_KEY_TYPE},
                 {in->csr, HF_API_CSR},         {in->token, HF_API_TOKEN},
                 {in->note, HF_API_NOTE},       {in->identity, HF_API_IDENTITY}};
    for (size_t i = 0; i < HF_N_ELEMENTS(texts); i++) {
        bool may = job->route->fields & 1u << texts[i].field;
        bool must = job->route->required & 1u << texts[i].field;
        need(!texts[i].text || may);
        need(texts[i].text || !must);
        need(!texts[i].text || strlen(texts[i].text) <= job->call->request.body.len * 2);
    }
    need(in->names.n <= HF_API_NAMES_MAX);
    need(in->uses >= 0 && in->uses <= 1000000 && in->lifetime_s >= 0);
    need(in->reason >= 0 && in->reason <= 10);
}

static void ask_query(struct hf_api_job *job)
{
    static const char *const known[] = {"limit", "cursor", "text", NULL};
    for (size_t i = 0; known[i]; i++) {
        struct hf_buf value;
        bool found = false;
        enum hf_err err = hf_api_query(job, known[i], &found, &value);
        need(err != HF_OK || found || hf_buf_len(&value) == 0);
        hf_buf_done(&value);
    }
    (void)!hf_api_check_query(job, known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "content-typeapplication/json";
    struct hf_http_field field = {.name_len = 12, .value_at = 12, .value_len = 16};
    struct hf_bytes rest = hf_bytes_of(data, size);
    size_t line = 0;
    if (size < 2) {
        return 0;
    }
    rest = hf_bytes_from(rest, 1);
    while (line < rest.len && rest.ptr[line] != '\n') {
        line++;
    }
    struct hf_service_call call = {.request = {.query = hf_bytes_of(rest.ptr, line),
                                               .body = hf_bytes_from(rest, line + 1),
                                               .id = "fuzz",
                                               .headers = {hf_bytes_str(head), &field, 1}}};
    struct hf_api_job *job = calloc(1, sizeof(*job));
    need(job != NULL);
    job->call = &call;
    job->route = &hf_api_routes[data[0] % hf_api_n_routes];
    if (hf_api_read_body(job) == HF_OK) {
        check_texts(job);
    }
    ask_query(job);
    json_decref(job->body);
    free(job);
    return 0;
}
