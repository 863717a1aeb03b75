// SPDX-License-Identifier: Apache-2.0

/*
 * The traces of RFC 8448, byte for byte: key exchange, transcript, key schedule and record layer
 * are run from the private keys, and every record of the trace is sealed again and opened again.
 */

#include <stdio.h>
#include <stdlib.h>

#include "crypto/kex.h"
#include "tls/native/record.h"
#include "tls/native/schedule.h"
#include "tls/native/transcript.h"
#include "vectors.h"

#define TRACES HF_VECTORS "/rfc8448.txt"

enum { FIELDS_MAX = 32, LINE_MAX_ = 256, FINISHED_LEN = 36, BINDERS_LEN = 35 };

/* --- Reading the file ---------------------------------------------------------------------------
 */

struct field {
    char name[32];
    struct vector value;
};

struct trace {
    struct field field[FIELDS_MAX];
    size_t n_fields;
};

static void add_digits(struct vector *value, char *digits)
{
    digits += strspn(digits, " ");
    digits[strcspn(digits, "\n")] = '\0';
    size_t n = strlen(digits) / 2;
    assert_true(value->len + n <= VECTOR_MAX);
    assert_int_equal(hf_unhex(digits, hf_span_of(value->byte + value->len, n)), HF_OK);
    value->len += n;
}

static void read_line(struct trace *trace, char *line)
{
    char *equals = strstr(line, " =");
    if (line[0] == ' ') {
        add_digits(&trace->field[trace->n_fields - 1].value, line);
    } else if (equals) {
        assert_true(trace->n_fields < FIELDS_MAX);
        struct field *field = &trace->field[trace->n_fields++];
        snprintf(field->name, sizeof(field->name), "%.*s", (int)(equals - line), line);
        add_digits(&field->value, equals + 2);
    }
}

static struct trace *read_trace(const char *name)
{
    struct trace *trace = calloc(1, sizeof(*trace));
    FILE *file = fopen(TRACES, "r");
    assert_true(trace && file);
    char line[LINE_MAX_], wanted[40];
    snprintf(wanted, sizeof(wanted), "[%s]\n", name);
    bool within = false;
    while (fgets(line, sizeof(line), file)) {
        if (line[0] == '[') {
            within = strcmp(line, wanted) == 0;
        } else if (within) {
            read_line(trace, line);
        }
    }
    fclose(file);
    assert_true(trace->n_fields > 0);
    return trace;
}

/* Empty when the trace has no such field. */
static struct hf_bytes get(const struct trace *trace, const char *name)
{
    for (size_t i = 0; i < trace->n_fields; i++) {
        if (strcmp(trace->field[i].name, name) == 0) {
            return view(&trace->field[i].value);
        }
    }
    return hf_bytes_of(NULL, 0);
}

static struct hf_bytes message_of(struct hf_bytes plain_record)
{
    return hf_bytes_from(plain_record, HF_RECORD_HEADER_LEN);
}

/* --- Walking a trace ----------------------------------------------------------------------------
 */

/* Both ends at once: the server's records and the client's. */
struct walk {
    struct hf_crypto *crypto;
    struct trace *trace;
    struct hf_transcript transcript;
    struct hf_schedule schedule;
    struct hf_record server, client;
    struct hf_secret client_hs, server_hs, client_ap, server_ap, exporter, resumption;
    struct hf_buf out;
};

static void assert_bytes(struct hf_bytes got, struct hf_bytes expected)
{
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.ptr, expected.ptr, expected.len);
}

/* The sender's seal of the content gives the trace's record (after a change_cipher_spec that may
 * stand before it), and the receiver opens that record to the content. */
static void assert_record(struct walk *w, struct hf_record *from, struct hf_record *to,
                          enum hf_record_type type, struct hf_bytes content, struct hf_bytes record)
{
    hf_buf_reset(&w->out);
    if (record.ptr[0] == HF_RECORD_CHANGE_CIPHER_SPEC) {
        assert_int_equal(hf_record_ccs(&w->out), HF_OK);
    }
    assert_int_equal(hf_record_seal_all(from, w->crypto, type, content, &w->out), HF_OK);
    assert_bytes(hf_buf_bytes(&w->out), record);

    uint8_t copy[2 * VECTOR_MAX];
    memcpy(copy, record.ptr, record.len);
    struct hf_span in = hf_span_of(copy, record.len);
    struct hf_record_in opened;
    assert_int_equal(hf_record_open(to, w->crypto, &in, &opened), HF_RECORD_GOT);
    assert_int_equal(opened.type, type);
    assert_true(opened.was_protected);
    assert_bytes(hf_span_bytes(opened.content), content);
    assert_int_equal(in.len, 0);
}

static void share_secret(struct walk *w, struct hf_secret *out)
{
    struct hf_bytes group = get(w->trace, "group");
    struct hf_secret other;
    static const struct {
        const char *private_key, *own_share, *peer_share;
    } side[] = {{"client-private", "client-share", "server-share"},
                {"server-private", "server-share", "client-share"}};
    for (size_t i = 0; i < 2; i++) {
        struct hf_kex kex = {.group = (enum hf_kex_group)group.ptr[1]};
        struct hf_bytes key = get(w->trace, side[i].private_key);
        struct hf_bytes share = get(w->trace, side[i].own_share);
        memcpy(kex.private_key, key.ptr, key.len);
        memcpy(kex.public_key, share.ptr, share.len);
        assert_int_equal(
            hf_kex_derive(w->crypto, &kex, get(w->trace, side[i].peer_share), i ? &other : out),
            HF_OK);
    }
    assert_bytes(hf_secret_bytes(out), hf_secret_bytes(&other));
}

static void start(struct walk *w, const char *name, struct hf_bytes psk)
{
    *w = (struct walk){.trace = read_trace(name), .out = HF_BUF_INIT(4096)};
    assert_int_equal(hf_crypto_new(&w->crypto), HF_OK);
    hf_record_init(&w->server);
    hf_record_init(&w->client);
    w->server.allow_ccs = w->client.allow_ccs = true;
    if (psk.len) {
        hf_schedule_init_psk(&w->schedule, HF_HASH_SHA256, psk);
    } else {
        hf_schedule_init(&w->schedule, HF_HASH_SHA256);
    }
}

static void take_hellos(struct walk *w)
{
    hf_transcript_init(&w->transcript, HF_HASH_SHA256);
    struct hf_bytes retry = get(w->trace, "retry");
    if (retry.len) {
        hf_transcript_add(&w->transcript, message_of(get(w->trace, "client-hello-1")));
        hf_transcript_retry(&w->transcript);
        hf_transcript_add(&w->transcript, message_of(retry));
    }
    hf_transcript_add(&w->transcript, message_of(get(w->trace, "client-hello")));
    hf_transcript_add(&w->transcript, message_of(get(w->trace, "server-hello")));
    struct hf_secret shared;
    uint8_t hash[HF_HASH_MAX];
    share_secret(w, &shared);
    hf_schedule_handshake(&w->schedule, hf_secret_bytes(&shared),
                          hf_transcript_peek(&w->transcript, hash), &w->client_hs, &w->server_hs);
    const struct hf_suite *suite = hf_suite_find(HF_SUITE_AES_128_GCM_SHA256);
    hf_record_set_out(&w->server, suite, &w->server_hs);
    hf_record_set_in(&w->server, suite, &w->client_hs);
    hf_record_set_out(&w->client, suite, &w->client_hs);
    hf_record_set_in(&w->client, suite, &w->server_hs);
}

/* The Finished over what the transcript holds is the given message's. */
static void assert_finished(struct walk *w, const struct hf_secret *base, struct hf_bytes message)
{
    uint8_t hash[HF_HASH_MAX], mac[HF_HASH_MAX];
    hf_finished_mac(HF_HASH_SHA256, base, hf_transcript_peek(&w->transcript, hash), mac);
    assert_int_equal(message.len, FINISHED_LEN);
    assert_memory_equal(message.ptr, "\x14\x00\x00\x20", 4);
    assert_memory_equal(message.ptr + 4, mac, 32);
}

static void take_server_flight(struct walk *w)
{
    static const char *const names[] = {"encrypted-extensions", "certificate-request",
                                        "certificate", "certificate-verify"};
    struct hf_buf flight = HF_BUF_INIT(4096);
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        hf_transcript_add(&w->transcript, get(w->trace, names[i]));
        assert_int_equal(hf_buf_append(&flight, get(w->trace, names[i])), HF_OK);
    }
    struct hf_bytes finished = get(w->trace, "server-finished");
    assert_finished(w, &w->server_hs, finished);
    hf_transcript_add(&w->transcript, finished);
    assert_int_equal(hf_buf_append(&flight, finished), HF_OK);
    assert_record(w, &w->server, &w->client, HF_RECORD_HANDSHAKE, hf_buf_bytes(&flight),
                  get(w->trace, "server-flight"));
    hf_buf_done(&flight);
    uint8_t hash[HF_HASH_MAX];
    hf_schedule_master(&w->schedule, hf_transcript_peek(&w->transcript, hash), &w->client_ap,
                       &w->server_ap, &w->exporter);
    const struct hf_suite *suite = hf_suite_find(HF_SUITE_AES_128_GCM_SHA256);
    hf_record_set_out(&w->server, suite, &w->server_ap);
    hf_record_set_in(&w->client, suite, &w->server_ap);
}

/* The client's flight is opened first, since its messages aren't in the file. */
static void take_client_flight(struct walk *w)
{
    struct hf_bytes record = get(w->trace, "client-flight");
    uint8_t copy[VECTOR_MAX];
    memcpy(copy, record.ptr, record.len);
    struct hf_span in = hf_span_of(copy, record.len);
    struct hf_record_in opened;
    struct hf_record peek;
    hf_record_init(&peek);
    peek.allow_ccs = true;
    hf_record_set_in(&peek, w->server.in.suite, &w->client_hs);
    assert_int_equal(hf_record_open(&peek, w->crypto, &in, &opened), HF_RECORD_GOT);
    hf_record_done(&peek);

    struct hf_bytes flight = hf_span_bytes(opened.content);
    size_t before = flight.len - FINISHED_LEN;
    if (get(w->trace, "end-of-early-data-record").len) {
        hf_transcript_add(&w->transcript, hf_bytes_of("\x05\x00\x00\x00", 4));
    }
    hf_transcript_add(&w->transcript, hf_bytes_of(flight.ptr, before));
    assert_finished(w, &w->client_hs, hf_bytes_from(flight, before));
    hf_transcript_add(&w->transcript, hf_bytes_from(flight, before));
    assert_record(w, &w->client, &w->server, HF_RECORD_HANDSHAKE, flight, record);
    uint8_t hash[HF_HASH_MAX];
    hf_schedule_resumption(&w->schedule, hf_transcript_peek(&w->transcript, hash), &w->resumption);
    hf_record_set_out(&w->client, w->client.out.suite, &w->client_ap);
    hf_record_set_in(&w->server, w->server.in.suite, &w->client_ap);
}

/* The NewSessionTicket is opened, its nonce taken, and sealed again. */
static void take_ticket(struct walk *w, struct hf_secret *out_psk)
{
    struct hf_bytes record = get(w->trace, "ticket-record");
    uint8_t copy[VECTOR_MAX];
    memcpy(copy, record.ptr, record.len);
    struct hf_span in = hf_span_of(copy, record.len);
    struct hf_record_in opened;
    struct hf_record peek;
    hf_record_init(&peek);
    hf_record_set_in(&peek, w->client.in.suite, &w->server_ap);
    assert_int_equal(hf_record_open(&peek, w->crypto, &in, &opened), HF_RECORD_GOT);
    hf_record_done(&peek);
    struct hf_bytes ticket = hf_span_bytes(opened.content);
    assert_record(w, &w->server, &w->client, HF_RECORD_HANDSHAKE, ticket, record);
    /* header (4), lifetime (4), age_add (4), then the nonce with its length */
    hf_ticket_psk(HF_HASH_SHA256, &w->resumption, hf_bytes_of(ticket.ptr + 13, ticket.ptr[12]),
                  out_psk);
}

static void take_data(struct walk *w)
{
    struct hf_bytes close_notify = hf_bytes_of("\x01\x00", 2);
    if (get(w->trace, "client-data").len) {
        assert_record(w, &w->client, &w->server, HF_RECORD_DATA, get(w->trace, "client-data"),
                      get(w->trace, "client-data-record"));
        assert_record(w, &w->server, &w->client, HF_RECORD_DATA, get(w->trace, "server-data"),
                      get(w->trace, "server-data-record"));
    }
    assert_record(w, &w->client, &w->server, HF_RECORD_ALERT, close_notify,
                  get(w->trace, "client-close"));
    assert_record(w, &w->server, &w->client, HF_RECORD_ALERT, close_notify,
                  get(w->trace, "server-close"));
}

static void finish(struct walk *w)
{
    hf_record_done(&w->server);
    hf_record_done(&w->client);
    hf_schedule_done(&w->schedule);
    hf_buf_done(&w->out);
    hf_crypto_free(w->crypto);
    free(w->trace);
}

/* --- The traces ---------------------------------------------------------------------------------
 */

/* Section 3; the secrets that the RFC prints are compared as well. */
static void walk_simple(struct hf_secret *out_psk)
{
    struct walk w;
    start(&w, "simple", hf_bytes_of(NULL, 0));
    take_hellos(&w);
    assert_hex(w.client_hs.byte, w.client_hs.len,
               "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
    assert_hex(w.server_hs.byte, w.server_hs.len,
               "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
    take_server_flight(&w);
    assert_hex(w.client_ap.byte, w.client_ap.len,
               "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
    assert_hex(w.server_ap.byte, w.server_ap.len,
               "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643");
    assert_hex(w.exporter.byte, w.exporter.len,
               "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50");
    take_client_flight(&w);
    assert_hex(w.resumption.byte, w.resumption.len,
               "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c");
    take_ticket(&w, out_psk);
    assert_hex(out_psk->byte, out_psk->len,
               "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3");
    take_data(&w);
    finish(&w);
}

static void simple_handshake(void **state)
{
    (void)state;
    struct hf_secret psk;
    walk_simple(&psk);
}

/* Section 4, with the ticket of section 3. Early data isn't ours; all around it is. */
static void resumed_handshake(void **state)
{
    (void)state;
    struct hf_secret psk;
    struct walk w;
    uint8_t hash[HF_HASH_MAX], binder[HF_HASH_MAX];
    walk_simple(&psk);
    start(&w, "resumed", hf_secret_bytes(&psk));
    struct hf_bytes hello = message_of(get(w.trace, "client-hello"));
    hf_transcript_init(&w.transcript, HF_HASH_SHA256);
    hf_transcript_add(&w.transcript, hf_bytes_of(hello.ptr, hello.len - BINDERS_LEN));
    hf_schedule_binder(&w.schedule, hf_transcript_peek(&w.transcript, hash), binder);
    assert_memory_equal(hello.ptr + hello.len - 32, binder, 32);
    take_hellos(&w);
    take_server_flight(&w);
    take_client_flight(&w);
    take_data(&w);
    finish(&w);
}

/* Sections 5 to 7. */
static void walk_full(const char *name)
{
    struct walk w;
    start(&w, name, hf_bytes_of(NULL, 0));
    take_hellos(&w);
    take_server_flight(&w);
    take_client_flight(&w);
    take_data(&w);
    finish(&w);
}

static void handshake_with_retry(void **state)
{
    (void)state;
    walk_full("retry");
}

static void handshake_with_client_authentication(void **state)
{
    (void)state;
    walk_full("client-auth");
}

static void handshake_in_compatibility_mode(void **state)
{
    (void)state;
    walk_full("compatibility");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_handshake),
        cmocka_unit_test(resumed_handshake),
        cmocka_unit_test(handshake_with_retry),
        cmocka_unit_test(handshake_with_client_authentication),
        cmocka_unit_test(handshake_in_compatibility_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
