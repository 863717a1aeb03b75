// SPDX-License-Identifier: Apache-2.0
#include "tls/native/record.h"

/*
 * A record received is opened where it lies, or straight into the reader's memory. A record sent is
 * encrypted from the caller's plaintext into the output; nothing is copied between.
 *
 * What may come is decided in this order, and what no line allows is refused:
 *
 *      type          keys in place       without keys
 *      20            one byte of 1, while allow_ccs: dropped
 *      21            2 bytes, while      alert
 *                    allow_plain_alert
 *      22            -                   handshake
 *      23            opened              dropped while early data is skipped
 *
 * legacy_record_version is not looked at, as RFC 8446 5.1 wants, but for its first byte: a peer of
 * another protocol should be told so at once.
 */

#include <assert.h>
#include <string.h>

#include "base/slab.h"
#include "pki/alert.h"
#include "tls/native/schedule.h"

enum {
    IV_LEN = HF_AEAD_NONCE_LEN,
    MAJOR_VERSION = 3,
    INNER_MAX = HF_RECORD_PLAIN_MAX + 1, /* content, type and padding (RFC 8446 5.4) */
    UPDATE_MARGIN = 1 << 10,             /* records left to a key when a KeyUpdate is due */
    KEY_UPDATE = 24,
};

struct hf_record_keys {
    struct hf_aead aead;
    uint8_t iv[IV_LEN];
};

/* --- Keys ---------------------------------------------------------------------------------------
 */

/* A burst of new connections makes two of these each and gives them back when it is quiet again. */
static struct hf_slab key_blocks = HF_SLAB_INIT(sizeof(struct hf_record_keys));

static void drop_keys(struct hf_record_dir *dir)
{
    if (dir->keys) {
        hf_aead_done(&dir->keys->aead);
        hf_wipe(dir->keys->iv, IV_LEN);
        hf_slab_give(&key_blocks, HF_TAKE(dir->keys));
    }
}

static enum hf_err expand_keys(struct hf_record_dir *dir, struct hf_crypto *crypto,
                               enum hf_aead_dir aead_dir)
{
    if (dir->keys) {
        return HF_OK;
    }
    struct hf_record_keys *keys = hf_slab_take(&key_blocks);
    if (!keys) {
        return HF_E_NOMEM;
    }
    uint8_t key[HF_AEAD_KEY_MAX];
    size_t key_len = hf_aead_key_len(dir->suite->aead);
    hf_traffic_keys(dir->suite->hash, &dir->secret, hf_span_of(key, key_len), keys->iv);
    enum hf_err err =
        hf_aead_init(&keys->aead, crypto, dir->suite->aead, aead_dir, hf_bytes_of(key, key_len));
    hf_wipe(key, sizeof(key));
    if (err != HF_OK) {
        hf_wipe(keys->iv, IV_LEN);
        hf_slab_give(&key_blocks, keys);
        return err;
    }
    dir->keys = keys;
    return HF_OK;
}

static void set_dir(struct hf_record_dir *dir, const struct hf_suite *suite,
                    const struct hf_secret *traffic)
{
    drop_keys(dir);
    dir->suite = suite;
    dir->secret = *traffic;
    dir->seq = 0;
}

static void next_generation(struct hf_record_dir *dir)
{
    drop_keys(dir);
    hf_traffic_update(dir->suite->hash, &dir->secret);
    dir->seq = 0;
}

/* RFC 8446 5.3. */
static void make_nonce(const struct hf_record_dir *dir, uint8_t out[static IV_LEN])
{
    memcpy(out, dir->keys->iv, IV_LEN);
    for (size_t i = 0; i < sizeof(dir->seq); i++) {
        out[IV_LEN - 1 - i] ^= (uint8_t)(dir->seq >> (8 * i));
    }
}

void hf_record_init(struct hf_record *record)
{
    *record = (struct hf_record){.n_empty = 0};
}

void hf_record_done(struct hf_record *record)
{
    hf_record_quiet(record);
    hf_wipe(record, sizeof(*record));
}

void hf_record_quiet(struct hf_record *record)
{
    drop_keys(&record->in);
    drop_keys(&record->out);
}

void hf_record_set_in(struct hf_record *record, const struct hf_suite *suite,
                      const struct hf_secret *traffic)
{
    set_dir(&record->in, suite, traffic);
}

void hf_record_set_out(struct hf_record *record, const struct hf_suite *suite,
                       const struct hf_secret *traffic)
{
    set_dir(&record->out, suite, traffic);
}

void hf_record_update_in(struct hf_record *record)
{
    assert(record->in.suite);
    next_generation(&record->in);
    record->asked = false;
}

/* --- Receiving ----------------------------------------------------------------------------------
 */

/* What open_record and its parts return; only the first three leave hf_record_open. */
enum outcome {
    GOT = HF_RECORD_GOT,
    MORE = HF_RECORD_MORE,
    FAILED = HF_RECORD_FAILED,
    DROPPED, /* the record carried nothing: go on with the next */
};

struct header {
    uint8_t type;
    uint8_t major;
    size_t len;
};

static enum outcome refuse(struct hf_record_in *out, uint8_t alert, const char *why)
{
    out->alert = alert;
    (void)hf_fail(HF_E_PEER, "%s", why);
    return FAILED;
}

/* A failure of ours; its sentence is recorded already. */
static enum outcome refuse_internal(struct hf_record_in *out)
{
    out->alert = HF_ALERT_INTERNAL_ERROR;
    return FAILED;
}

static enum outcome drop(struct hf_record *record, struct hf_record_in *out)
{
    if (++record->n_empty > HF_RECORD_EMPTY_MAX) {
        return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE, "too many records in a row carry nothing");
    }
    return DROPPED;
}

static enum outcome skip_early(struct hf_record *record, size_t len, struct hf_record_in *out)
{
    if (len > record->early_left) {
        return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE,
                      "more early data came than a client may send without leave");
    }
    record->early_left = (uint16_t)(record->early_left - len);
    return DROPPED;
}

/* Everything that can be told of a record from its header. */
static enum outcome check_header(const struct hf_record *record, struct header header,
                                 struct hf_record_in *out)
{
    bool maybe_protected = header.type == HF_RECORD_DATA;
    size_t most = HF_RECORD_PLAIN_MAX + (maybe_protected ? HF_RECORD_EXPANSION : 0);
    if (header.type < HF_RECORD_CHANGE_CIPHER_SPEC || header.type > HF_RECORD_DATA) {
        return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE, "what came is no TLS record");
    }
    if (header.major != MAJOR_VERSION) {
        return refuse(out, HF_ALERT_PROTOCOL_VERSION, "a record of no TLS version came");
    }
    if (header.len > most) {
        return refuse(out, HF_ALERT_RECORD_OVERFLOW, "a record is longer than 2^14 bytes allow");
    }
    if (header.type == HF_RECORD_CHANGE_CIPHER_SPEC && !record->allow_ccs) {
        return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE, "change_cipher_spec came out of place");
    }
    if (header.type == HF_RECORD_DATA && !record->in.suite &&
        record->early != HF_RECORD_EARLY_OUTER) {
        return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE,
                      "application data came before there were keys");
    }
    if (header.type == HF_RECORD_HANDSHAKE && record->in.suite) {
        return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE, "an unprotected handshake record came");
    }
    if (header.type == HF_RECORD_ALERT && record->in.suite &&
        !(record->allow_plain_alert && header.len == 2)) {
        return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE, "an unprotected alert came");
    }
    return GOT;
}

static enum outcome take_plain(struct hf_record *record, uint8_t type, struct hf_span body,
                               struct hf_record_in *out)
{
    if (type == HF_RECORD_CHANGE_CIPHER_SPEC) {
        if (body.len != 1 || body.ptr[0] != 1) {
            return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE, "change_cipher_spec is malformed");
        }
        return drop(record, out);
    }
    if (body.len == 0) {
        return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE, "a handshake or alert record is empty");
    }
    out->type = (enum hf_record_type)type;
    out->was_protected = false;
    out->content = body;
    return GOT;
}

/* What decryption gave: content, type and padding. The last byte is apart from those before it. */
struct inner {
    struct hf_span head;
    uint8_t last;
};

/* RFC 8446 5.4: the type is the last byte that isn't zero. Leaves the content in inner->head. */
static uint8_t strip(struct inner *inner)
{
    uint8_t type = inner->last;
    while (type == 0 && inner->head.len > 0) {
        type = inner->head.ptr[--inner->head.len];
    }
    return type;
}

static enum outcome take_inner(struct hf_record *record, struct inner inner,
                               struct hf_record_in *out)
{
    size_t most = record->in_limit ? record->in_limit : INNER_MAX;
    if (inner.head.len + 1 > most) {
        return refuse(out, HF_ALERT_RECORD_OVERFLOW, "a record's plaintext passes the limit");
    }
    uint8_t type = strip(&inner);
    if (type != HF_RECORD_ALERT && type != HF_RECORD_HANDSHAKE && type != HF_RECORD_DATA) {
        return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE, "a record has no known content type");
    }
    out->type = (enum hf_record_type)type;
    out->was_protected = true;
    out->content = inner.head;
    if (inner.head.len > 0) {
        record->n_empty = 0;
        return GOT;
    }
    if (type != HF_RECORD_DATA) {
        return refuse(out, HF_ALERT_UNEXPECTED_MESSAGE, "a handshake or alert record is empty");
    }
    return drop(record, out) == DROPPED ? GOT : FAILED;
}

/* Decrypts; the content goes to `into` if it fits there. */
static enum hf_err decrypt(struct hf_record_dir *dir, struct hf_bytes header, struct hf_span body,
                           struct hf_span into, struct inner *out)
{
    uint8_t nonce[IV_LEN];
    make_nonce(dir, nonce);
    if (body.len <= HF_AEAD_TAG_LEN) { /* a tag with nothing before it has no type either */
        *out = (struct inner){.head = hf_span_of(body.ptr, 0)};
        return hf_aead_open(&dir->keys->aead, nonce, header, body);
    }
    size_t head_len = body.len - HF_AEAD_TAG_LEN - 1;
    bool apart = head_len > 0 && head_len <= into.len;
    out->head = hf_span_of(apart ? into.ptr : body.ptr, head_len);
    HF_TRY(hf_aead_open_apart(&dir->keys->aead, nonce, header, body, apart ? head_len : 0,
                              out->head.ptr));
    out->last = body.ptr[head_len];
    return HF_OK;
}

static enum outcome take_protected(struct hf_record *record, struct hf_crypto *crypto,
                                   struct hf_bytes header, struct hf_span body, struct hf_span into,
                                   struct hf_record_in *out)
{
    struct hf_record_dir *dir = &record->in;
    if (dir->seq == UINT64_MAX) {
        (void)hf_fail(HF_E_CRYPTO, "the receiving keys have no sequence numbers left");
        return refuse_internal(out);
    }
    if (expand_keys(dir, crypto, HF_AEAD_OPEN) != HF_OK) {
        return refuse_internal(out);
    }
    struct inner inner;
    enum hf_err err = decrypt(dir, header, body, into, &inner);
    if (err == HF_E_MISMATCH && record->early == HF_RECORD_EARLY_TRIAL) {
        return skip_early(record, body.len, out);
    }
    if (err == HF_E_MISMATCH) {
        return refuse(out, HF_ALERT_BAD_RECORD_MAC, "a record can't be decrypted");
    }
    if (err != HF_OK) {
        return refuse_internal(out);
    }
    dir->seq++;
    record->early = HF_RECORD_EARLY_NONE;
    return take_inner(record, inner, out);
}

/* Takes the record at the front; *in is advanced unless it fails or is incomplete. */
static enum outcome take_record(struct hf_record *record, struct hf_crypto *crypto,
                                struct hf_span *in, struct hf_span into, struct hf_record_in *out)
{
    if (in->len < HF_RECORD_HEADER_LEN) {
        return MORE;
    }
    struct header header = {in->ptr[0], in->ptr[1], (size_t)(in->ptr[3] << 8 | in->ptr[4])};
    enum outcome outcome = check_header(record, header, out);
    if (outcome != GOT) {
        return outcome;
    }
    if (in->len - HF_RECORD_HEADER_LEN < header.len) {
        return MORE;
    }
    struct hf_span body = hf_span_of(in->ptr + HF_RECORD_HEADER_LEN, header.len);
    if (header.type != HF_RECORD_DATA) {
        outcome = take_plain(record, header.type, body, out);
    } else if (!record->in.suite) {
        outcome = skip_early(record, header.len, out);
    } else {
        outcome = take_protected(record, crypto, hf_bytes_of(in->ptr, HF_RECORD_HEADER_LEN), body,
                                 into, out);
    }
    if (outcome != FAILED) {
        *in = hf_span_of(body.ptr + body.len, in->len - HF_RECORD_HEADER_LEN - body.len);
    }
    return outcome;
}

enum hf_record_step hf_record_open_into(struct hf_record *record, struct hf_crypto *crypto,
                                        struct hf_span *in, struct hf_span into,
                                        struct hf_record_in *out)
{
    *out = (struct hf_record_in){.alert = HF_ALERT_NONE};
    enum outcome outcome;
    do {
        outcome = take_record(record, crypto, in, into, out);
    } while (outcome == DROPPED);
    return (enum hf_record_step)outcome;
}

enum hf_record_step hf_record_open(struct hf_record *record, struct hf_crypto *crypto,
                                   struct hf_span *in, struct hf_record_in *out)
{
    return hf_record_open_into(record, crypto, in, hf_span_of(NULL, 0), out);
}

/* --- Sending ------------------------------------------------------------------------------------
 */

/* How one record will look on the wire. */
struct layout {
    size_t content; /* bytes of the caller's content */
    size_t inner;   /* with type and padding; equals content without protection */
    size_t total;   /* with header and tag */
};

static size_t inner_most(const struct hf_record *record)
{
    bool limited = record->out_limit && record->out_limit < INNER_MAX;
    return limited ? record->out_limit : INNER_MAX;
}

static struct layout lay_out(const struct hf_record *record, size_t content_len)
{
    if (!record->out.suite) {
        size_t len = content_len < HF_RECORD_PLAIN_MAX ? content_len : HF_RECORD_PLAIN_MAX;
        return (struct layout){len, len, HF_RECORD_HEADER_LEN + len};
    }
    size_t most = inner_most(record);
    size_t content = content_len < most - 1 ? content_len : most - 1;
    size_t inner = content + 1;
    if (record->pad_to > 1) {
        size_t padded = (inner + record->pad_to - 1) / record->pad_to * record->pad_to;
        inner = padded < most ? padded : most;
    }
    return (struct layout){content, inner, HF_RECORD_HEADER_LEN + inner + HF_AEAD_TAG_LEN};
}

size_t hf_record_sealed_len(const struct hf_record *record, enum hf_record_type type,
                            size_t content_len)
{
    if (content_len == 0) {
        return type == HF_RECORD_DATA ? lay_out(record, 0).total : 0;
    }
    size_t total = 0;
    while (content_len > 0) {
        struct layout layout = lay_out(record, content_len);
        total += layout.total;
        content_len -= layout.content;
    }
    return total;
}

static void write_header(uint8_t *at, uint8_t type, uint8_t minor, size_t len)
{
    at[0] = type;
    at[1] = MAJOR_VERSION;
    at[2] = minor;
    at[3] = (uint8_t)(len >> 8);
    at[4] = (uint8_t)len;
}

static void write_plain(const struct hf_record *record, enum hf_record_type type,
                        const uint8_t *content, struct layout layout, uint8_t *at)
{
    write_header(at, (uint8_t)type, record->first_hello ? 1 : 3, layout.inner);
    memcpy(at + HF_RECORD_HEADER_LEN, content, layout.content);
}

/* The type and the padding are written where they will be encrypted. */
static enum hf_err write_protected(struct hf_record *record, struct hf_crypto *crypto,
                                   enum hf_record_type type, const uint8_t *content,
                                   struct layout layout, uint8_t *at)
{
    struct hf_record_dir *dir = &record->out;
    if (dir->seq >= dir->suite->seal_limit) {
        return hf_fail(HF_E_CRYPTO, "the sending keys have protected all that they safely can");
    }
    HF_TRY(expand_keys(dir, crypto, HF_AEAD_SEAL));
    uint8_t *body = at + HF_RECORD_HEADER_LEN;
    uint8_t *tail = body + layout.content;
    size_t tail_len = layout.inner - layout.content;
    write_header(at, HF_RECORD_DATA, 3, layout.inner + HF_AEAD_TAG_LEN);
    tail[0] = (uint8_t)type;
    memset(tail + 1, 0, tail_len - 1);
    uint8_t nonce[IV_LEN];
    make_nonce(dir, nonce);
    HF_TRY(hf_aead_seal(&dir->keys->aead, nonce, hf_bytes_of(at, HF_RECORD_HEADER_LEN),
                        hf_bytes_of(content, layout.content), hf_bytes_of(tail, tail_len), body));
    dir->seq++;
    return HF_OK;
}

static enum hf_err seal_one(struct hf_record *record, struct hf_crypto *crypto,
                            enum hf_record_type type, const uint8_t *content, struct layout layout,
                            struct hf_buf *out)
{
    struct hf_span room;
    HF_TRY(hf_buf_reserve(out, layout.total, &room));
    if (record->out.suite) {
        HF_TRY(write_protected(record, crypto, type, content, layout, room.ptr));
    } else {
        write_plain(record, type, content, layout, room.ptr);
    }
    hf_buf_commit(out, layout.total);
    return HF_OK;
}

enum hf_err hf_record_seal(struct hf_record *record, struct hf_crypto *crypto,
                           enum hf_record_type type, struct hf_bytes content, struct hf_buf *out,
                           size_t *out_taken)
{
    *out_taken = 0;
    bool once = content.len == 0 && type == HF_RECORD_DATA;
    while (once || *out_taken < content.len) {
        struct layout layout = lay_out(record, content.len - *out_taken);
        if (layout.total > hf_buf_room(out)) {
            break;
        }
        HF_TRY(seal_one(record, crypto, type, content.ptr + *out_taken, layout, out));
        *out_taken += layout.content;
        once = false;
    }
    return HF_OK;
}

enum hf_err hf_record_seal_all(struct hf_record *record, struct hf_crypto *crypto,
                               enum hf_record_type type, struct hf_bytes content,
                               struct hf_buf *out)
{
    size_t total = hf_record_sealed_len(record, type, content.len);
    if (total > hf_buf_room(out)) {
        return hf_fail(HF_E_TOO_LARGE, "records of %zu bytes don't fit into the output", total);
    }
    size_t taken;
    HF_TRY(hf_record_seal(record, crypto, type, content, out, &taken));
    assert(taken == content.len);
    return HF_OK;
}

enum hf_err hf_record_ccs(struct hf_buf *out)
{
    static const uint8_t ccs[] = {HF_RECORD_CHANGE_CIPHER_SPEC, MAJOR_VERSION, 3, 0, 1, 1};
    return hf_buf_append(out, hf_bytes_of(ccs, sizeof(ccs)));
}

/* --- Updates ------------------------------------------------------------------------------------
 */

static bool nears_limit(const struct hf_record_dir *dir)
{
    return dir->suite && dir->seq >= dir->suite->seal_limit - UPDATE_MARGIN;
}

bool hf_record_update_due(const struct hf_record *record)
{
    return nears_limit(&record->out);
}

bool hf_record_update_wanted(const struct hf_record *record)
{
    return nears_limit(&record->in) && !record->asked;
}

enum hf_err hf_record_update_out(struct hf_record *record, struct hf_crypto *crypto, bool ask,
                                 struct hf_buf *out)
{
    assert(record->out.suite);
    const uint8_t message[] = {KEY_UPDATE, 0, 0, 1, ask};
    HF_TRY(hf_record_seal_all(record, crypto, HF_RECORD_HANDSHAKE,
                              hf_bytes_of(message, sizeof(message)), out));
    next_generation(&record->out);
    record->asked = record->asked || ask;
    return HF_OK;
}
