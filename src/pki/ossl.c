// SPDX-License-Identifier: Apache-2.0
#include "pki/ossl.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

/* The deepest error names the cause, later ones only who passed it on. */
static const char *take_reason(enum hf_err *err)
{
    unsigned long first = ERR_peek_error();
    const char *text = first ? ERR_reason_error_string(first) : NULL;
    for (unsigned long code = first; code; code = ERR_get_error()) {
        if (ERR_GET_REASON(code) == ERR_R_MALLOC_FAILURE) {
            *err = HF_E_NOMEM;
        }
    }
    ERR_clear_error();
    return text;
}

enum hf_err hf_fail_ossl_at(const char *file, int line, enum hf_err err, const char *format, ...)
{
    char what[HF_ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    const char *reason = take_reason(&err);
    if (err == HF_E_NOMEM) {
        return hf_fail_at(file, line, err, "out of memory: %s", what);
    }
    return hf_fail_at(file, line, err, "%s%s%s", what, reason ? ": " : "", reason ? reason : "");
}

void hf_ossl_forget(void)
{
    ERR_clear_error();
}
