// SPDX-License-Identifier: Apache-2.0
/*
 * Handshake messages in any state, without the keys that would keep a fuzzer out: after some honest
 * records have gone each way, the input is put where the contents of opened handshake records go.
 *
 *      byte 0   bit 0 who gets them, bit 1 ticket offered, bits 2-4 honest records before
 *      byte 1   bit 0: a connected server has asked for a certificate
 *      rest     pieces: length (2), contents
 */
#include "fuzz.h"
#include "tls_pair.h"

static void exchange(struct fuzz_side *victim, struct fuzz_side *other, size_t n_records)
{
    for (int i = 0; i < 3; i++) {
        fuzz_side_step(victim);
        (void)fuzz_pass_records(victim, other, SIZE_MAX);
        fuzz_side_step(other);
        n_records -= fuzz_pass_records(other, victim, n_records);
    }
    fuzz_side_step(victim);
}

/* As drive.c and data.c do it with a record's contents. */
static void inject(struct fuzz_side *victim, struct hf_bytes piece)
{
    struct hf_native *conn = hf_native_of(victim->tls);
    struct hf_tls_io io = {{NULL, 0}, &victim->out};
    if (piece.len == 0 || conn->failed || conn->closed_in) {
        return;
    }
    enum hf_err err = hf_native_take_handshake(conn, piece);
    if (err != HF_OK) {
        (void)hf_native_fail_out(conn, &io, err);
    }
    fuzz_side_step(victim);
}

static void inject_all(struct fuzz_side *victim, struct hf_bytes input)
{
    struct hf_reader reader = hf_reader_of(input);
    struct hf_bytes piece;
    while (reader.rest.len) {
        if (hf_read_vec16(&reader, &piece) != HF_OK) {
            piece = reader.rest;
            reader.rest = hf_bytes_of(NULL, 0);
        }
        inject(victim, piece);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_side client, server;
    if (size < 2 || size > 20000) {
        return 0;
    }
    fuzz_server_init(&server, false);
    fuzz_client_init(&client, data[0] & 2);
    struct fuzz_side *victim = data[0] & 1 ? &server : &client;
    struct fuzz_side *other = data[0] & 1 ? &client : &server;
    exchange(victim, other, data[0] >> 2 & 7);
    if ((data[1] & 1) && hf_native_of(server.tls)->complete && !hf_native_of(server.tls)->failed) {
        struct hf_tls_io io = {{NULL, 0}, &server.out};
        fuzz_need(hf_tls_ask_certificate(server.tls, &io) != HF_E_CRYPTO);
    }
    inject_all(victim, hf_bytes_of(data + 2, size - 2));
    exchange(victim, other, SIZE_MAX);
    fuzz_side_done(&client);
    fuzz_side_done(&server);
    return 0;
}
