// SPDX-License-Identifier: Apache-2.0
/* The part of the reference that isn't about keys: what templates can say, and which headers are
 * taken out of what clients send. Both are tables of src/http. */
#include "config/reference_forward.h"

#include "http/strip.h"
#include "http/template.h"

static enum hf_err put_variables(struct hf_buf *out)
{
    struct hf_template_doc doc;
    HF_TRY(hf_buf_append_str(
        out, "\n## Variables of templates\n\n"
             "`forward.headers` and `access-log.template` are text with these in it; `{{` and "
             "`}}` are\nbraces that mean themselves. What comes of a value stays within its header "
             "or line: other\nbytes than visible ASCII, and spaces at its ends, become `\\xNN` "
             "(`\\NN` in a DN), and a comma\nwithin an element of a list `\\x2c`.\n\n"
             "| variable | where | what |\n|---|---|---|\n"));
    for (size_t i = 0; hf_template_doc(i, &doc); i++) {
        HF_TRY(hf_buf_printf(out, "| `{%s}` | %s | %s |\n", doc.name,
                             doc.uses & HF_TEMPLATE_HEADER ? "headers, log" : "log", doc.doc));
    }
    return HF_OK;
}

static enum hf_err put_stripped(struct hf_buf *out)
{
    HF_TRY(hf_buf_append_str(
        out,
        "\n## Headers that clients may not send\n\n"
        "They say who a client is, and are taken out of the requests and trailers of everybody "
        "who is no\nlisted proxy (`trusted-proxies`, `trusted-clients`), together with those "
        "that `forward.headers`\nand `forward.strip` name. Case doesn't count, and every mark "
        "is as good as a dash:\n`X_Forwarded_For` is `x-forwarded-for`.\n\n"));
    for (size_t i = 0; hf_strip_builtin(i); i++) {
        HF_TRY(hf_buf_printf(out, "%s`%s`", i ? ", " : "", hf_strip_builtin(i)));
    }
    return hf_buf_append_str(out, "\n");
}

enum hf_err hf_reference_forward(struct hf_buf *out)
{
    HF_TRY(put_variables(out));
    return put_stripped(out);
}
