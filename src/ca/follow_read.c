// SPDX-License-Identifier: Apache-2.0
/*
 * Reads a feed's answer, line by line. All of it is looked at before anything is taken over: first
 * that each line is well made and the last one is `end`, then what they say.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/feed.h"
#include "ca/follow.h"
#include "pki/crl.h"

enum { WORDS_MAX = 6, LINE_MAX_ = 512 };

struct line {
    char text[LINE_MAX_];
    char *word[WORDS_MAX];
    size_t n;
};

/* Cuts the next line off, into words. False: there is none that is whole. */
static bool next_line(struct hf_bytes *rest, struct line *out)
{
    const uint8_t *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->ptr) : 0;
    if (!end || len >= sizeof(out->text)) {
        return false;
    }
    memcpy(out->text, rest->ptr, len);
    out->text[len] = 0;
    *rest = hf_bytes_from(*rest, len + 1);
    out->n = 0;
    char *place = NULL;
    for (char *word = strtok_r(out->text, " ", &place); word && out->n < WORDS_MAX;
         word = strtok_r(NULL, " ", &place)) {
        out->word[out->n++] = word;
    }
    return true;
}

static bool number(const char *text, uint64_t most, int64_t *out)
{
    uint64_t value;
    if (hf_parse_uint(text, most, &value) != HF_OK) {
        return false;
    }
    *out = (int64_t)value;
    return true;
}

struct authority {
    int64_t id;
    uint8_t spki_sha256[HF_SHA256_SIZE];
    struct hf_serials_builder revoked;
};

struct answer {
    char store[64];
    int64_t from, end;
    struct authority *authorities;
    size_t n;
};

static void answer_done(struct answer *answer)
{
    for (size_t i = 0; i < answer->n; i++) {
        hf_serials_builder_done(&answer->authorities[i].revoked);
    }
    hf_free(answer->authorities);
}

static struct authority *find(struct answer *answer, int64_t id)
{
    for (size_t i = 0; i < answer->n; i++) {
        if (answer->authorities[i].id == id) {
            return &answer->authorities[i];
        }
    }
    return NULL;
}

static enum hf_err add_authority(struct answer *answer, const struct line *line)
{
    struct authority one = {.revoked = {.max = hf_crl_limits_default.n_max}};
    if (line->n != 4 || !number(line->word[1], INT64_MAX, &one.id) || find(answer, one.id) ||
        strlen(line->word[2]) != 2 * sizeof(one.spki_sha256) ||
        hf_unhex(line->word[2], hf_span_of(one.spki_sha256, sizeof(one.spki_sha256))) != HF_OK ||
        answer->n == HF_LIVE_AUTHORITIES_MAX) {
        return hf_fail(HF_E_MALFORMED, "an authority that is none");
    }
    struct authority *grown = hf_realloc(answer->authorities, (answer->n + 1) * sizeof(*grown));
    if (!grown) {
        return HF_E_NOMEM;
    }
    answer->authorities = grown;
    answer->authorities[answer->n++] = one;
    return HF_OK;
}

/* "+ 2 1f2e 1 1795230000" or "- 2 1f2e" */
static enum hf_err read_change(struct answer *answer, const struct line *line,
                               struct authority **out_authority, struct hf_serial *out_serial,
                               struct hf_revocation_entry *out_entry)
{
    int64_t id, why = 0, at = 0;
    bool plus = *line->word[0] == '+';
    if (line->n != (plus ? 5u : 3u) || !number(line->word[1], INT64_MAX, &id) ||
        hf_serial_from_hex(line->word[2], out_serial) != HF_OK ||
        (plus && (!number(line->word[3], 10, &why) || !number(line->word[4], INT64_MAX, &at) ||
                  !hf_revoked_for_name((unsigned)why)))) {
        return hf_fail(HF_E_MALFORMED, "a revocation that is none");
    }
    *out_authority = find(answer, id);
    *out_entry = (struct hf_revocation_entry){at, (enum hf_revoked_for)why};
    return *out_authority ? HF_OK : hf_fail(HF_E_MALFORMED, "a revocation under nobody");
}

/* Calls take for each change; NULL: only looks. */
static enum hf_err each_change(struct hf_bytes rest, struct answer *answer, void *ctx,
                               enum hf_err (*take)(void *ctx, struct authority *authority,
                                                   const struct hf_serial *serial,
                                                   struct hf_revocation_entry entry, bool released))
{
    struct line line;
    while (next_line(&rest, &line) && line.n && strcmp(line.word[0], "end") != 0) {
        struct authority *authority;
        struct hf_serial serial;
        struct hf_revocation_entry entry;
        if (strcmp(line.word[0], "authority") == 0) {
            continue;
        }
        if (strcmp(line.word[0], "+") != 0 && strcmp(line.word[0], "-") != 0) {
            return hf_fail(HF_E_MALFORMED, "a line that is none");
        }
        HF_TRY(read_change(answer, &line, &authority, &serial, &entry));
        if (take) {
            HF_TRY(take(ctx, authority, &serial, entry, *line.word[0] == '-'));
        }
    }
    bool ends = line.n == 2 && strcmp(line.word[0], "end") == 0 &&
                number(line.word[1], INT64_MAX, &answer->end) && !rest.len;
    return ends ? HF_OK : hf_fail(HF_E_TRUNCATED, "the answer of a feed is cut short");
}

static enum hf_err read_head(struct hf_bytes *rest, struct answer *answer)
{
    struct line line;
    struct hf_bytes head = *rest;
    bool good = next_line(rest, &line) && head.len > sizeof(HF_FEED_HEAD) &&
                memcmp(head.ptr, HF_FEED_HEAD "\n", sizeof(HF_FEED_HEAD)) == 0;
    good = good && next_line(rest, &line) && line.n == 2 && strcmp(line.word[0], "store") == 0 &&
           strlen(line.word[1]) < sizeof(answer->store);
    if (good) {
        snprintf(answer->store, sizeof(answer->store), "%s", line.word[1]);
    }
    good = good && next_line(rest, &line) && line.n == 2 && strcmp(line.word[0], "from") == 0 &&
           number(line.word[1], INT64_MAX, &answer->from);
    return good ? HF_OK : hf_fail(HF_E_MALFORMED, "this is no feed of revocations");
}

static enum hf_err read_authorities(struct hf_bytes rest, struct answer *answer)
{
    struct line line;
    while (next_line(&rest, &line) && line.n && strcmp(line.word[0], "authority") == 0) {
        HF_TRY(add_authority(answer, &line));
    }
    return HF_OK;
}

/* --- Taking over --------------------------------------------------------------------------------
 */

static enum hf_err gather(void *ctx, struct authority *authority, const struct hf_serial *serial,
                          struct hf_revocation_entry entry, bool released)
{
    (void)ctx;
    return released ? hf_fail(HF_E_MALFORMED, "something is taken back that wasn't said")
                    : hf_serials_add(&authority->revoked, serial, entry);
}

/* All anew, in a book of its own until it is whole. */
static enum hf_err take_all(struct hf_bytes rest, struct answer *answer, const char *name,
                            struct hf_feed_state *state)
{
    struct hf_live_book *book = NULL;
    HF_TRY(each_change(rest, answer, NULL, gather));
    HF_TRY(hf_live_book_new(name, &book));
    for (size_t i = 0; i < answer->n; i++) {
        struct authority *one = &answer->authorities[i];
        enum hf_err err = hf_live_book_set(book, one->id, one->spki_sha256, &one->revoked);
        if (err != HF_OK) {
            hf_live_book_free(book);
            return err;
        }
    }
    if (state->book) {
        hf_live_book_follow(book, state->book);
    }
    hf_live_book_free(state->book);
    state->book = book;
    return HF_OK;
}

static enum hf_err change(void *ctx, struct authority *authority, const struct hf_serial *serial,
                          struct hf_revocation_entry entry, bool released)
{
    return hf_live_book_change(ctx, authority->id, serial, entry, released);
}

/* New authorities begin empty: the journal has all that they have revoked. */
static enum hf_err take_changes(struct hf_bytes rest, struct answer *answer,
                                struct hf_feed_state *state)
{
    HF_TRY(each_change(rest, answer, NULL, NULL));
    for (size_t i = 0; i < answer->n; i++) {
        struct authority *one = &answer->authorities[i];
        if (!hf_live_book_has(state->book, one->id)) {
            HF_TRY(hf_live_book_set(state->book, one->id, one->spki_sha256, &one->revoked));
        }
    }
    return each_change(rest, answer, state->book, change);
}

enum hf_err hf_feed_read(struct hf_bytes bytes, const char *name, struct hf_feed_state *state)
{
    HF_CLEANUP(answer_done) struct answer answer = {.n = 0};
    HF_TRY(read_head(&bytes, &answer));
    HF_TRY(read_authorities(bytes, &answer));
    bool anew = answer.from == 0 || !state->book;
    if (!anew && (answer.from != state->seq || strcmp(answer.store, state->store) != 0)) {
        return hf_fail(HF_E_MISMATCH, "the feed goes on elsewhere than where we are");
    }
    if (answer.from && !state->book) {
        return hf_fail(HF_E_MISMATCH, "the feed goes on, and nothing is known yet");
    }
    HF_TRY(anew ? take_all(bytes, &answer, name, state) : take_changes(bytes, &answer, state));
    memcpy(state->store, answer.store, sizeof(state->store));
    state->seq = answer.end;
    return HF_OK;
}

void hf_feed_state_done(struct hf_feed_state *state)
{
    hf_live_book_free(state->book);
    *state = (struct hf_feed_state){.book = NULL};
}
