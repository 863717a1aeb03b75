// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "config/tree.h"

/* One "${...}" taken apart; views into the text. */
struct reference {
    struct hf_bytes name;
    struct hf_bytes fallback; /* ptr NULL: none was written */
    const char *end;          /* behind the brace */
};

static bool is_name(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = text.ptr[i];
        if (c != '_' && !isalpha(c) && (i == 0 || !isdigit(c))) {
            return false;
        }
    }
    return text.len > 0 && text.len <= 255;
}

/* Takes apart what starts behind "${"; false when it has no end or no name. */
static bool read_reference(const char *text, struct reference *out)
{
    const char *end = strchr(text, '}');
    if (!end) {
        return false;
    }
    struct hf_bytes inner = hf_bytes_of(text, (size_t)(end - text));
    const char *dash = memmem(inner.ptr, inner.len, ":-", 2);
    *out = (struct reference){.name = inner, .end = end + 1};
    if (dash) {
        out->name = hf_bytes_of(text, (size_t)(dash - text));
        out->fallback = hf_bytes_of(dash + 2, (size_t)(end - dash - 2));
    }
    return is_name(out->name);
}

/* Appends what the reference stands for. HF_E_CONFIG: there is a finding. */
static enum hf_err append_value(const struct reference *reference, struct hf_mark mark,
                                struct hf_findings *findings, struct hf_buf *out)
{
    char name[256] = {0};
    memcpy(name, reference->name.ptr, reference->name.len);
    const char *value = getenv(name);
    if (reference->fallback.ptr && (!value || !*value)) {
        return hf_buf_append(out, reference->fallback);
    }
    if (!value) {
        hf_findings_add(findings, HF_FINDING_UNSET_VARIABLE, mark,
                        "the environment variable %s is not set; set it, or write a default as "
                        "${%s:-value}",
                        name, name);
        return HF_E_CONFIG;
    }
    return hf_buf_append_str(out, value);
}

static enum hf_err expand_into(const char *text, struct hf_mark mark, struct hf_findings *findings,
                               struct hf_buf *out)
{
    while (*text) {
        struct reference reference;
        size_t literal = strcspn(text, "$");
        HF_TRY(hf_buf_append(out, hf_bytes_of(text, literal)));
        text += literal;
        if (strncmp(text, "$${", 3) == 0) {
            HF_TRY(hf_buf_append_str(out, "${"));
            text += 3;
        } else if (strncmp(text, "${", 2) != 0) {
            HF_TRY(hf_buf_append(out, hf_bytes_of(text, *text ? 1 : 0)));
            text += *text ? 1 : 0;
        } else if (read_reference(text + 2, &reference)) {
            HF_TRY(append_value(&reference, mark, findings, out));
            text = reference.end;
        } else {
            hf_findings_add(findings, HF_FINDING_BAD_VALUE, mark,
                            "\"%.40s\" is not a reference to a variable; write ${NAME} or "
                            "${NAME:-default}, or $${ for a literal ${",
                            text);
            return HF_E_CONFIG;
        }
    }
    return HF_OK;
}

const char *hf_expand(const char *text, struct hf_mark mark, struct hf_arena *arena,
                      struct hf_findings *findings, enum hf_err *err)
{
    *err = HF_OK;
    if (!strstr(text, "${")) {
        return text;
    }
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(HF_CONFIG_VALUE_MAX);
    *err = expand_into(text, mark, findings, &out);
    if (*err == HF_E_TOO_LARGE) {
        hf_findings_add(findings, HF_FINDING_LIMIT, mark,
                        "the value with its variables put in is longer than %u bytes",
                        HF_CONFIG_VALUE_MAX);
        *err = HF_E_CONFIG;
    }
    if (*err != HF_OK) {
        return NULL;
    }
    struct hf_bytes bytes = hf_buf_bytes(&out);
    const char *copy = hf_arena_strndup(arena, (const char *)bytes.ptr, bytes.len);
    *err = copy ? HF_OK : HF_E_NOMEM;
    return copy;
}
