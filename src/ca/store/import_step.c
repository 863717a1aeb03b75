// SPDX-License-Identifier: Apache-2.0
/*
 * `step-ca export`: the configuration in JSON, with the files that it names in base64.
 *
 *     {"root": ["certs/root_ca.crt"], "intermediate": "certs/intermediate_ca.crt",
 *      "intermediateKey": "secrets/intermediate_ca_key", "files": {"certs/root_ca.crt": "LS0t..."}}
 */
#include <jansson.h>
#include <string.h>

#include "base/base64.h"
#include "ca/store_import.h"

enum { FILE_CAP = 256 << 10 };

void hf_step_export_done(struct hf_step_export *step)
{
    hf_buf_done(&step->root);
    hf_buf_done(&step->intermediate);
    hf_buf_wipe(&step->key);
    hf_buf_done(&step->key);
}

/* The file that a member names. A key may be in a KMS instead, which is a URI and no file. */
static enum hf_err take_file(const json_t *export, const json_t *name, const char *label,
                             bool needed, struct hf_buf *out)
{
    const char *path = json_string_value(name);
    const json_t *file = path ? json_object_get(json_object_get(export, "files"), path) : NULL;
    const char *text = json_string_value(file);
    *out = HF_BUF_INIT(FILE_CAP);
    if (!text) {
        return needed ? hf_fail(HF_E_MALFORMED,
                                "%s: not what `step-ca export` writes: a certificate is missing",
                                label)
                      : HF_OK;
    }
    enum hf_err err = hf_base64_decode(hf_bytes_of(text, json_string_length(file)), out);
    return err == HF_OK ? HF_OK : hf_fail_context(err, "%s: file %s", label, path);
}

static enum hf_err read_export(const json_t *export, const char *label, struct hf_step_export *out)
{
    const json_t *roots = json_object_get(export, "root");
    HF_TRY(take_file(export, json_is_array(roots) ? json_array_get(roots, 0) : roots, label, true,
                     &out->root));
    HF_TRY(take_file(export, json_object_get(export, "intermediate"), label, true,
                     &out->intermediate));
    return take_file(export, json_object_get(export, "intermediateKey"), label, false, &out->key);
}

enum hf_err hf_step_export_parse(struct hf_bytes json, const char *label,
                                 struct hf_step_export *out)
{
    json_error_t where;
    json_t *export = json_loadb((const char *)json.ptr, json.len, JSON_REJECT_DUPLICATES, &where);
    *out = (struct hf_step_export){.key = HF_BUF_INIT(FILE_CAP)};
    if (!export) {
        return hf_fail(HF_E_MALFORMED, "%s:%d: %s", label, where.line, where.text);
    }
    enum hf_err err = read_export(export, label, out);
    json_decref(export);
    if (err != HF_OK) {
        hf_step_export_done(out);
        *out = (struct hf_step_export){0};
    }
    return err;
}
