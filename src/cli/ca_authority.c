// SPDX-License-Identifier: Apache-2.0
/* What the commands about CAs have in common. */
#include "cli/ca_authority.h"

#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "pki/pem.h"

void hf_authority_work_done(struct hf_authority_work *work)
{
    hf_authorities_unref(work->set);
    hf_ca_service_close(work->service);
}

enum hf_err hf_authority_work_open(struct hf_authority_work *work)
{
    hf_ca_actor(work->actor);
    HF_TRY(hf_ca_cli_open(&work->values->ca, &work->service));
    work->set = hf_ca_authorities(work->service);
    return HF_OK;
}

enum hf_err hf_authority_work_find(const struct hf_authority_work *work, const char *name,
                                   const struct hf_authority **out)
{
    *out = hf_authorities_find(work->set, name);
    return *out ? HF_OK : hf_fail(HF_E_NOT_FOUND, "there is no authority \"%.64s\"", name);
}

enum hf_err hf_authority_work_tell(struct hf_authority_work *work, const char *name,
                                   const char *did)
{
    if (work->values->ca.json) {
        hf_ca_reload(work->service);
        hf_authorities_unref(work->set);
        work->set = hf_ca_authorities(work->service);
        const struct hf_authority *one = NULL;
        HF_TRY(hf_authority_work_find(work, name, &one));
        return hf_cli_json(work->cli, hf_row_authority(one));
    }
    fprintf(work->cli->out, "%s \"%s\"\n", did, name);
    return HF_OK;
}

enum hf_err hf_authority_fill_urls(const char *flag, const struct hf_texts *from, char **out)
{
    if (from->n > HF_AUTHORITY_URLS_MAX) {
        return hf_fail(HF_E_USAGE, "--%s: at most %d", flag, HF_AUTHORITY_URLS_MAX);
    }
    for (size_t i = 0; i < from->n; i++) {
        out[i] = (char *)(uintptr_t)from->item[i]; /* only read */
    }
    return HF_OK;
}

enum hf_err hf_authority_fill_settings(const struct hf_authority_values *values,
                                       struct hf_authority_settings *out)
{
    out->successor_of = (char *)(uintptr_t)values->successor_of;
    HF_TRY(hf_authority_fill_urls("crl-url", &values->crl_url, out->crl_url));
    HF_TRY(hf_authority_fill_urls("ocsp-url", &values->ocsp_url, out->ocsp_url));
    return hf_authority_fill_urls("issuer-url", &values->issuer_url, out->issuer_url);
}

enum hf_err hf_authority_read_path_len(const char *text, int *out)
{
    if (!text || strcmp(text, "none") == 0) {
        *out = text ? -1 : HF_PATH_LEN_STANDARD;
        return HF_OK;
    }
    if (strlen(text) != 1 || text[0] < '0' || text[0] > '9') {
        return hf_fail(HF_E_USAGE, "--path-length is 0 to 9, or \"none\"");
    }
    *out = text[0] - '0';
    return HF_OK;
}

struct hf_made_constraints hf_authority_constraints(const struct hf_authority_values *values)
{
    return (struct hf_made_constraints){
        .permitted = values->permit.item,
        .n_permitted = values->permit.n,
        .excluded = values->exclude.item,
        .n_excluded = values->exclude.n,
    };
}

enum hf_err hf_authority_read_chain(const char *path, struct hf_chain **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_AUTHORITY_FILE_CAP);
    HF_TRY(hf_file_read(path, &text));
    return hf_certs_parse(hf_buf_bytes(&text), path, HF_CHAIN_MAX, out);
}

enum hf_err hf_authority_check_out(const struct hf_authority_values *values)
{
    HF_CLEANUP(hf_outputs_done) struct hf_outputs outputs = {.replace = values->force};
    return values->out ? hf_outputs_add(&outputs, values->out, hf_bytes_str(""), 0644) : HF_OK;
}

enum hf_err hf_authority_write_out(const struct hf_authority_values *values, struct hf_bytes bytes,
                                   unsigned mode)
{
    return values->force ? hf_file_write_atomic(values->out, bytes, mode)
                         : hf_file_create(values->out, bytes, mode);
}
