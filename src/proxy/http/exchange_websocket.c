// SPDX-License-Identifier: Apache-2.0
/*
 * WebSocket from one version of HTTP to the other. In HTTP/1.1 the client sends a key, and the
 * server proves by what it makes of it that it speaks WebSocket (RFC 6455 4); in HTTP/2 :protocol
 * says all that, and there is no key (RFC 8441 5). So where only the server speaks HTTP/1.1 the key
 * is ours, and where only the client does so is the proof. Between equals both pass through.
 */
#include <openssl/evp.h>
#include <string.h>

#include "base/base64.h"
#include "base/map.h"
#include "proxy/http/down.h"
#include "proxy/http/exchange_impl.h"
#include "proxy/http/up.h"

enum { SHA1_SIZE = 20, KEY_LEN = 24, ACCEPT_LEN = 28 };

static const char key_field[] = "sec-websocket-key";
static const char accept_field[] = "sec-websocket-accept";

static bool is_websocket(const struct hf_http_msg *msg)
{
    return msg->protocol.len && hf_bytes_eq_str(hf_http_msg_text(msg, msg->protocol), "websocket");
}

/* The proof: base64 of SHA-1 of the key and a constant (RFC 6455 4.2.2). */
static enum hf_err prove(const char *key, struct hf_buf *out)
{
    static const char constant[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t text[KEY_LEN + sizeof(constant) - 1];
    uint8_t digest[SHA1_SIZE];
    memcpy(text, key, KEY_LEN);
    memcpy(text + KEY_LEN, constant, sizeof(constant) - 1);
    if (!EVP_Digest(text, sizeof(text), digest, NULL, EVP_sha1(), NULL)) {
        return hf_fail(HF_E_CRYPTO, "SHA-1 is not available, and WebSocket can't do without");
    }
    return hf_base64_encode(hf_bytes_of(digest, sizeof(digest)), out);
}

/* 16 bytes that nobody can guess: the request's number, hashed with the process's key. */
static enum hf_err draw_key(struct hf_exchange *x)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(KEY_LEN);
    uint64_t drawn[2];
    for (uint64_t i = 0; i < HF_N_ELEMENTS(drawn); i++) {
        const uint64_t from[] = {x->id, i, 0x776562736f636b65};
        drawn[i] = hf_hash64(hf_bytes_of(from, sizeof(from)));
    }
    HF_TRY(hf_base64_encode(hf_bytes_of(drawn, sizeof(drawn)), &text));
    memcpy(x->socket_key, hf_buf_bytes(&text).ptr, KEY_LEN);
    x->socket_key_ours = true;
    return HF_OK;
}

static enum hf_err find_key(struct hf_exchange *x)
{
    struct hf_bytes given;
    if (*x->socket_key) {
        return HF_OK; /* another server was asked before */
    }
    if (!hf_http_msg_get_str(x->request, key_field, &given)) {
        return x->down_stream ? draw_key(x) : HF_OK;
    }
    if (given.len == KEY_LEN) { /* otherwise it's for the server to refuse */
        memcpy(x->socket_key, given.ptr, KEY_LEN);
    }
    return HF_OK;
}

enum hf_err hf_exchange_websocket_ask(struct hf_exchange *x)
{
    if (!is_websocket(x->request)) {
        return HF_OK;
    }
    HF_TRY(find_key(x));
    if (x->up->kind->is_h2) {
        (void)hf_http_msg_remove_str(x->request, key_field);
        return HF_OK;
    }
    return *x->socket_key ? hf_http_msg_set_str(x->request, key_field, x->socket_key) : HF_OK;
}

enum hf_err hf_exchange_websocket_granted(struct hf_exchange *x, struct hf_http_msg *msg)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf proof = HF_BUF_INIT(ACCEPT_LEN);
    struct hf_bytes given = hf_bytes_str("");
    if (!is_websocket(x->request) || !*x->socket_key) {
        return HF_OK;
    }
    HF_TRY(prove(x->socket_key, &proof));
    if (x->up->kind->is_h2) {
        return x->down_stream
                   ? HF_OK
                   : hf_http_msg_set(msg, hf_bytes_str(accept_field), hf_buf_bytes(&proof));
    }
    if (!x->socket_key_ours) {
        return HF_OK;
    }
    (void)hf_http_msg_get_str(msg, accept_field, &given);
    if (!hf_bytes_eq(given, hf_buf_bytes(&proof))) {
        return hf_fail(HF_E_MALFORMED, "the server grants WebSocket without having read the key");
    }
    (void)hf_http_msg_remove_str(msg, accept_field);
    return HF_OK;
}
