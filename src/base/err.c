// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What the thread's last failure was. A fixed buffer, so that running out of memory can be told. */
static _Thread_local struct {
    const char *file;
    int line;
    char text[HF_ERR_TEXT_MAX];
    char place[128];
} last_failure;

static const char *const err_names[HF_E_N] = {
#define ERR_NAME(id, name, text) [HF_E_##id] = name,
    HF_ERR_TABLE(ERR_NAME)
#undef ERR_NAME
};

const char *hf_err_name(enum hf_err err)
{
    return (unsigned)err < HF_E_N ? err_names[err] : "unknown";
}

const char *hf_err_text(void)
{
    return last_failure.text;
}

const char *hf_err_place(void)
{
    const char *slash = last_failure.file ? strrchr(last_failure.file, '/') : NULL;
    const char *base = slash ? slash + 1 : last_failure.file;
    snprintf(last_failure.place, sizeof(last_failure.place), "%s:%d", base ? base : "?",
             last_failure.line);
    return last_failure.place;
}

/* Writes "format: after" into the record. By way of a second buffer, since both may be made from
 * the sentence that is there now. */
HF_PRINTF(2, 0)
static void record(const char *after, const char *format, va_list args)
{
    char text[HF_ERR_TEXT_MAX];
    int n = vsnprintf(text, sizeof(text), format, args);
    if (after && n >= 0 && (size_t)n < sizeof(text)) {
        snprintf(text + n, sizeof(text) - (size_t)n, ": %s", after);
    }
    memcpy(last_failure.text, text, sizeof(text));
}

enum hf_err hf_fail_at(const char *file, int line, enum hf_err err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    record(NULL, format, args);
    va_end(args);
    last_failure.file = file;
    last_failure.line = line;
    return err == HF_OK ? HF_E_INTERNAL : err;
}

static enum hf_err err_of_errno(int number)
{
    static const struct {
        int number;
        enum hf_err err;
    } table[] = {
        {ENOMEM, HF_E_NOMEM},     {ENOENT, HF_E_NOT_FOUND},  {ENOTDIR, HF_E_NOT_FOUND},
        {EEXIST, HF_E_EXISTS},    {EACCES, HF_E_PERMISSION}, {EPERM, HF_E_PERMISSION},
        {EROFS, HF_E_PERMISSION}, {ETIMEDOUT, HF_E_TIMEOUT}, {EADDRINUSE, HF_E_BUSY},
        {EMFILE, HF_E_BUSY},      {ENFILE, HF_E_BUSY},       {EAGAIN, HF_E_BUSY},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        if (table[i].number == number) {
            return table[i].err;
        }
    }
    return HF_E_IO;
}

enum hf_err hf_fail_errno_at(const char *file, int line, const char *format, ...)
{
    int number = errno;
    va_list args;
    va_start(args, format);
    record(strerror(number), format, args);
    va_end(args);
    last_failure.file = file;
    last_failure.line = line;
    return err_of_errno(number);
}

enum hf_err hf_fail_context(enum hf_err err, const char *format, ...)
{
    if (err != HF_OK) {
        va_list args;
        va_start(args, format);
        record(last_failure.text, format, args);
        va_end(args);
    }
    return err;
}
