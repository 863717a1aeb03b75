// SPDX-License-Identifier: Apache-2.0
/* A secret never stands in a message: what is wrong with a line is told by its number. */
#include "tls/ticket_keys.h"

#include <string.h>

enum { NAME_LEN = 16, SECRET_LEN = 32, LINE_LEN = 2 * NAME_LEN + 1 + 2 * SECRET_LEN };

enum hf_err hf_ticket_keys_draw(struct hf_tls_ticket_keys *keys, const struct hf_rng *rng)
{
    struct hf_tls_ticket_key key = {.secret.len = SECRET_LEN};
    HF_TRY(hf_rng_fill(rng, hf_span_of(key.name, sizeof(key.name))));
    HF_TRY(hf_rng_fill(rng, hf_span_of(key.secret.byte, key.secret.len)));
    memmove(&keys->key[1], &keys->key[0], sizeof(keys->key) - sizeof(keys->key[0]));
    keys->key[0] = key;
    keys->n_keys += keys->n_keys < HF_TLS_TICKET_KEYS;
    hf_secret_done(&key.secret);
    return HF_OK;
}

void hf_ticket_keys_wipe(struct hf_tls_ticket_keys *keys)
{
    hf_wipe(keys, sizeof(*keys));
}

static enum hf_err encode_key(const struct hf_tls_ticket_key *key, struct hf_buf *out)
{
    char name[2 * NAME_LEN + 1], secret[2 * SECRET_LEN + 1];
    hf_hex(hf_bytes_of(key->name, NAME_LEN), name);
    hf_hex(hf_bytes_of(key->secret.byte, SECRET_LEN), secret);
    enum hf_err err = hf_buf_printf(out, "%s %s\n", name, secret);
    hf_wipe(secret, sizeof(secret));
    return err;
}

enum hf_err hf_ticket_keys_encode(const struct hf_tls_ticket_keys *keys, struct hf_buf *out)
{
    HF_TRY(hf_buf_append_str(out, "# Handfast ticket keys: the first seals, all open. Secret.\n"));
    for (size_t i = 0; i < keys->n_keys; i++) {
        HF_TRY(encode_key(&keys->key[i], out));
    }
    return HF_OK;
}

static bool is_known(const struct hf_tls_ticket_keys *keys, const struct hf_tls_ticket_key *key)
{
    for (size_t i = 0; i < keys->n_keys; i++) {
        if (memcmp(keys->key[i].name, key->name, NAME_LEN) == 0) {
            return true;
        }
    }
    return false;
}

static enum hf_err decode_line(struct hf_bytes line, size_t number, struct hf_tls_ticket_keys *out)
{
    char digits[LINE_LEN + 1];
    if (out->n_keys == HF_TLS_TICKET_KEYS) {
        return hf_fail(HF_E_MALFORMED, "line %zu: more than %d keys", number, HF_TLS_TICKET_KEYS);
    }
    struct hf_tls_ticket_key *key = &out->key[out->n_keys];
    if (line.len != LINE_LEN || line.ptr[2 * NAME_LEN] != ' ') {
        return hf_fail(HF_E_MALFORMED, "line %zu: not a key: 32 hex digits, a space, 64 hex digits",
                       number);
    }
    memcpy(digits, line.ptr, LINE_LEN);
    digits[2 * NAME_LEN] = digits[LINE_LEN] = '\0';
    key->secret.len = SECRET_LEN;
    enum hf_err err = hf_unhex(digits, hf_span_of(key->name, NAME_LEN));
    err = err ? err : hf_unhex(digits + 2 * NAME_LEN + 1, hf_span_of(key->secret.byte, SECRET_LEN));
    hf_wipe(digits, sizeof(digits));
    if (err) {
        return hf_fail(HF_E_MALFORMED, "line %zu: a key is written in hex digits", number);
    }
    if (is_known(out, key)) {
        return hf_fail(HF_E_MALFORMED, "line %zu: a key of this name is there already", number);
    }
    out->n_keys++;
    return HF_OK;
}

static struct hf_bytes take_line(struct hf_bytes *text)
{
    const uint8_t *end = text->len ? memchr(text->ptr, '\n', text->len) : NULL;
    size_t len = end ? (size_t)(end - text->ptr) : text->len;
    struct hf_bytes line = hf_bytes_of(text->ptr, len);
    *text = hf_bytes_from(*text, end ? len + 1 : len);
    line.len -= line.len && line.ptr[line.len - 1] == '\r';
    return line;
}

enum hf_err hf_ticket_keys_decode(struct hf_bytes text, struct hf_tls_ticket_keys *out)
{
    enum hf_err err = HF_OK;
    *out = (struct hf_tls_ticket_keys){.n_keys = 0};
    for (size_t number = 1; text.len && !err; number++) {
        struct hf_bytes line = take_line(&text);
        if (line.len && line.ptr[0] != '#') {
            err = decode_line(line, number, out);
        }
    }
    if (!err && out->n_keys == 0) {
        err =
            hf_fail(HF_E_MALFORMED, "holds no ticket key; make one with handfast ticket-keys new");
    }
    if (err) {
        hf_ticket_keys_wipe(out);
    }
    return err;
}
