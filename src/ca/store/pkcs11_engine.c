// SPDX-License-Identifier: Apache-2.0
/*
 * Keys in PKCS#11 tokens, through the engine of libp11 (Debian: libengine-pkcs11-openssl), which
 * gives an EVP_PKEY that signs in the token. It is loaded when the first such key is asked for, and
 * one instance for each module stays for good: keys hold on to it.
 *
 * libcrypto calls its engines deprecated, in favour of providers; the provider for PKCS#11 isn't in
 * Debian 12. This file is the only one that sees engines.
 */
#undef OPENSSL_NO_DEPRECATED
#undef OPENSSL_API_COMPAT
#define OPENSSL_API_COMPAT 10101
#define OPENSSL_SUPPRESS_DEPRECATED

#include <openssl/engine.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "ca/store_key.h"
#include "pki/ossl.h"

enum { MODULES_MAX = 8, PATH_SIZE = 512, PIN_SIZE = 256 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char path[PATH_SIZE]; /* of the module; "": the engine's own default */
    ENGINE *engine;
} modules[MODULES_MAX];
static size_t n_modules;

/* --- The URI -----------------------------------------------------------------------------------
 */

/* The value of one attribute of the URI, with its %XX undone. False: it isn't there, or too long.
 */
static bool attribute(const char *uri, const char *name, char *out, size_t out_size)
{
    size_t len = strlen(name);
    for (const char *at = strstr(uri, name); at; at = strstr(at + 1, name)) {
        if (!strchr(":;?&", at[-1]) || at[len] != '=') {
            continue;
        }
        size_t n = 0;
        for (at += len + 1; *at && !strchr(";?&", *at); at++) {
            uint8_t byte = (uint8_t)*at;
            char hex[3] = {at[0], at[0] ? at[1] : '\0', '\0'};
            if (*at == '%') {
                memcpy(hex, at + 1, strnlen(at + 1, 2));
                if (strlen(hex) != 2 || hf_unhex(hex, hf_span_of(&byte, 1)) != HF_OK) {
                    return false;
                }
                at += 2;
            }
            if (n + 1 >= out_size) {
                return false;
            }
            out[n++] = (char)byte;
        }
        out[n] = '\0';
        return true;
    }
    return false;
}

/* libp11 doesn't know module-path, and takes an unknown attribute for a mistake. */
static void without_query(const char *uri, char *out, size_t out_size)
{
    snprintf(out, out_size, "%.*s", (int)strcspn(uri, "?"), uri);
}

/* --- The engine --------------------------------------------------------------------------------
 */

static bool set_up(ENGINE *engine, const char *so, const char *module)
{
    return ENGINE_ctrl_cmd_string(engine, "SO_PATH", so, 0) &&
           ENGINE_ctrl_cmd_string(engine, "ID", "pkcs11", 0) &&
           ENGINE_ctrl_cmd_string(engine, "LIST_ADD", "0", 0) &&
           ENGINE_ctrl_cmd_string(engine, "LOAD", NULL, 0) &&
           ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 0) && /* it would write on stderr */
           (!module[0] || ENGINE_ctrl_cmd_string(engine, "MODULE_PATH", module, 0)) &&
           ENGINE_init(engine);
}

static enum hf_err load_engine(const char *module, ENGINE **out)
{
    const char *dir = OPENSSL_info(OPENSSL_INFO_ENGINES_DIR);
    char so[PATH_SIZE];
    /* "ENGINESDIR" is a value such as "/usr/lib/x86_64-linux-gnu/engines-3" */
    snprintf(so, sizeof(so), "%s/pkcs11.so", dir ? dir : "");
    if (access(so, R_OK) != 0) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "keys in PKCS#11 tokens need the engine of libp11, and %s isn't there; "
                       "install libengine-pkcs11-openssl",
                       so);
    }
    if (module[0] && access(module, R_OK) != 0) {
        return hf_fail(HF_E_NOT_FOUND, "%s: there is no such PKCS#11 module", module);
    }
    ENGINE_load_dynamic();
    ENGINE *engine = ENGINE_by_id("dynamic");
    if (!engine || !set_up(engine, so, module)) {
        ENGINE_free(engine);
        return hf_fail_ossl(HF_E_UNSUPPORTED, "the PKCS#11 module %s could not be loaded",
                            module[0] ? module : "of p11-kit");
    }
    *out = engine;
    return HF_OK;
}

static enum hf_err engine_for(const char *module, ENGINE **out)
{
    for (size_t i = 0; i < n_modules; i++) {
        if (strcmp(modules[i].path, module) == 0) {
            *out = modules[i].engine;
            return HF_OK;
        }
    }
    if (n_modules == MODULES_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "more than %d PKCS#11 modules", MODULES_MAX);
    }
    HF_TRY(load_engine(module, out));
    snprintf(modules[n_modules].path, PATH_SIZE, "%s", module);
    modules[n_modules++].engine = *out;
    return HF_OK;
}

/* --- Keys --------------------------------------------------------------------------------------
 */

/* What libp11 says, somewhere in libcrypto's queue: a word of the token's own return values. */
static bool queue_says_pin(void)
{
    bool found = false;
    const char *data;
    int flags;
    unsigned long code;
    while ((code = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        const char *reason = ERR_reason_error_string(code);
        found |= (reason && strcasestr(reason, "pin")) ||
                 ((flags & ERR_TXT_STRING) && strcasestr(data, "pin"));
    }
    return found;
}

static enum hf_err why_not(const char *uri)
{
    return queue_says_pin()
               ? hf_fail(HF_E_PASSPHRASE, "%s: the token refuses the PIN, or wants one", uri)
               : hf_fail(HF_E_NOT_FOUND,
                         "%s: there is no such private key in any token that answers", uri);
}

static enum hf_err pin_of(const char *uri, struct hf_bytes pin, char *out)
{
    char path[PATH_SIZE];
    out[0] = '\0';
    if (pin.ptr) {
        if (pin.len >= PIN_SIZE || memchr(pin.ptr, 0, pin.len)) {
            return hf_fail(HF_E_PASSPHRASE, "a PIN has at most %d bytes, and no NUL", PIN_SIZE - 1);
        }
        memcpy(out, pin.ptr, pin.len);
        out[pin.len] = '\0';
    } else if (attribute(uri, "pin-source", path, sizeof(path))) {
        HF_CLEANUP(hf_secret_text_done) struct hf_secret_text text = {0};
        const char *file = strncmp(path, "file:", 5) == 0 ? path + 5 : path;
        HF_TRY(hf_store_passphrase_read(&(struct hf_store_passphrase){.file = file}, &text));
        return pin_of(uri, hf_bytes_of(text.ptr, text.len), out);
    }
    return HF_OK;
}

static enum hf_err load_key(const char *uri, const char *pin, EVP_PKEY **out)
{
    char module[PATH_SIZE] = "";
    char plain[PATH_SIZE];
    ENGINE *engine = NULL;
    (void)attribute(uri, "module-path", module, sizeof(module));
    HF_TRY(engine_for(module, &engine));
    without_query(uri, plain, sizeof(plain));
    if (pin[0] && !ENGINE_ctrl_cmd_string(engine, "PIN", pin, 0)) {
        return hf_fail_ossl(HF_E_PASSPHRASE, "%s: the PIN was not taken", plain);
    }
    *out = ENGINE_load_private_key(engine, plain, NULL, NULL);
    return *out ? HF_OK : why_not(plain);
}

enum hf_err hf_store_key_pkcs11(const char *uri, struct hf_bytes pin, EVP_PKEY **out)
{
    char text[PIN_SIZE];
    *out = NULL;
    if (strncmp(uri, "pkcs11:", 7) != 0 || strlen(uri) >= PATH_SIZE) {
        return hf_fail(HF_E_INVALID, "\"%.80s\" is no PKCS#11 URI (RFC 7512) of less than %d bytes",
                       uri, PATH_SIZE);
    }
    if (strstr(uri, "pin-value=")) {
        return hf_fail(HF_E_INVALID, "a PIN doesn't belong into a URI, which is stored and shown");
    }
    enum hf_err err = pin_of(uri, pin, text);
    if (err == HF_OK) {
        pthread_mutex_lock(&lock);
        err = load_key(uri, text, out);
        pthread_mutex_unlock(&lock);
    }
    hf_wipe(text, sizeof(text));
    return err;
}
