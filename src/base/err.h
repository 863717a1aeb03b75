// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_ERR_H
#define HF_BASE_ERR_H

/*
 * One result type for every function that can fail: enum hf_err, HF_OK being zero.
 *
 * The failing place calls hf_fail(), which records the code, the source line and a sentence in a
 * thread-local record, and returns the code. Callers pass the code up with HF_TRY and may add to
 * the sentence with hf_fail_context(). One place per program (a command's main, a session's end)
 * reads hf_err_text() and logs it, once.
 *
 * The record belongs to the thread and holds the last failure only; it isn't cleared by success.
 */

#include <stddef.h>

#include "base/attr.h"

/* The table: code, its stable name in logs and JSON, what it means. */
#define HF_ERR_TABLE(X) \
    X(OK, "ok", "no error") \
    X(NOMEM, "out-of-memory", "memory could not be allocated") \
    X(IO, "io", "the operating system refused an operation") \
    X(NOT_FOUND, "not-found", "the thing named does not exist") \
    X(EXISTS, "exists", "the thing named exists already") \
    X(PERMISSION, "permission", "permissions forbid it, or are too wide for a secret") \
    X(TRUNCATED, "truncated", "the input ends before its own lengths say so") \
    X(MALFORMED, "malformed", "the input breaks the rules of its format") \
    X(TOO_LARGE, "too-large", "a named size limit was passed") \
    X(INVALID, "invalid", "a value is outside what is accepted") \
    X(UNSUPPORTED, "unsupported", "a form that is well made but not handled") \
    X(PASSPHRASE, "passphrase", "a passphrase is missing or wrong") \
    X(MISMATCH, "mismatch", "two things that must agree do not") \
    X(CRYPTO, "crypto", "the cryptographic library reported a failure") \
    X(PEER, "peer", "the peer broke the protocol or refused us") \
    X(DENIED, "denied", "the verdict was deny") \
    X(TIMEOUT, "timeout", "a deadline passed") \
    X(CLOSED, "closed", "the other side has closed") \
    X(BUSY, "busy", "a limit of concurrent use was reached") \
    X(CONFIG, "config", "the configuration has errors") \
    X(USAGE, "usage", "the command line is wrong") \
    X(INTERNAL, "internal", "a bug of ours")

#define HF_ERR_ENUM(id, name, text) HF_E_##id,
enum hf_err { HF_ERR_TABLE(HF_ERR_ENUM) HF_E_N };
#undef HF_ERR_ENUM
#define HF_OK HF_E_OK

#define HF_ERR_TEXT_MAX 1024

/* hf_err_name gives the stable short name of a code, such as "truncated". */
const char *hf_err_name(enum hf_err err);

/* hf_err_text gives the sentence of this thread's last failure. Valid until the next failure. */
const char *hf_err_text(void);

/* hf_err_place gives "file.c:123" of this thread's last failure, for debug logs only. */
const char *hf_err_place(void);

/* A failure is never HF_OK; knowing it, the compiler sees that outputs are set where they're used.
 */
static inline enum hf_err hf_err_failed(enum hf_err err)
{
    if (err == HF_OK) {
        __builtin_unreachable();
    }
    return err;
}

/* hf_fail(HF_E_x, "format", ...) records a failure here and yields its code. HF_OK counts as
 * HF_E_INTERNAL: failing to fail would open a door. */
#define hf_fail(err, ...) hf_err_failed(hf_fail_at(__FILE__, __LINE__, (err), __VA_ARGS__))
enum hf_err hf_fail_at(const char *file, int line, enum hf_err err, const char *format, ...)
    HF_PRINTF(4, 5);

/* hf_fail_errno records "what: strerror(errno)" and yields the code that fits errno. */
#define hf_fail_errno(...) hf_err_failed(hf_fail_errno_at(__FILE__, __LINE__, __VA_ARGS__))
enum hf_err hf_fail_errno_at(const char *file, int line, const char *format, ...) HF_PRINTF(3, 4);

/* hf_fail_context puts "format: " before the recorded sentence and yields err unchanged; HF_OK is
 * no failure, and records nothing. */
enum hf_err hf_fail_context(enum hf_err err, const char *format, ...) HF_PRINTF(2, 3);

/* HF_TRY(expr) returns from the calling function with expr's code unless it is HF_OK. */
#define HF_TRY(expr) \
    do { \
        enum hf_err err_ = (expr); \
        if (err_ != HF_OK) { \
            return err_; \
        } \
    } while (0)

#endif
