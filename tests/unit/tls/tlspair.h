// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_TLSPAIR_H
#define HF_TEST_TLSPAIR_H

/*
 * A client and a server of the seam in one process, with nothing between them but two buffers:
 *
 *     struct pair pair;
 *     pair_init(&pair);                         defaults: both versions, P-256, certificate wanted
 *     pair.server_config.strict_sni = true;     ... and what the test wants otherwise
 *     pair_start(&pair);
 *     pair_shake(&pair);                        until nothing moves any more
 *     assert_int_equal(pair.client.step, HF_TLS_DONE);
 *     pair_done(&pair);
 *
 * A step of the engine that breaks the contract of tls.h ends the test: the pair checks as it goes.
 */

#include "os/clock.h"
#include "testpki.h"
#include "tls/tls.h"

enum key_kind { KEY_P256, KEY_RSA, KEY_ED25519, KEY_N };

/* Certificates that all tests share; made once. */
struct world {
    struct testpki *root, *intermediate, *other_root;
    struct hf_credential *server[KEY_N]; /* www.example.org, by an intermediate */
    struct hf_credential *client[KEY_N]; /* alice, by an intermediate */
    struct hf_credential *stranger;      /* a client of other_root */
    struct hf_clock clock;               /* stands at now_s */
    struct hf_clock late_clock; /* stands late_s after it: the server's, where tests say so */
    int64_t now_s, late_s;
};
extern struct world world;
void world_make(void);
struct hf_credential *world_credential(const struct testpki *issuer,
                                       const struct testpki_spec *spec);
void world_free(void);
const char *key_kind_name(enum key_kind kind);

/* world_long_credential sends n certificates. The chain is put together by hand: hf_chain_new would
 * refuse more than HF_CHAIN_MAX. */
struct hf_credential *world_long_credential(size_t n);
void world_long_credential_free(struct hf_credential *credential);

#define SIDE_SEEN_MAX 8

struct side {
    struct hf_tls_ctx *ctx;
    struct hf_tls *tls;
    struct hf_buf in;    /* came from the peer, not yet consumed */
    struct hf_buf out;   /* for the peer */
    struct hf_buf plain; /* what hf_tls_read gave */
    enum hf_tls_step step;
    struct hf_tls_info info;
    /* the judge: what it answers, and what it was asked */
    struct hf_tls_answer answer;
    struct hf_tls_answer answer_resumed;
    unsigned waits;    /* so many times it says to wait before it answers */
    unsigned n_waited; /* that it has said so */
    size_t n_judged;
    struct {
        bool resumed, had_chain;
        uint8_t chain[HF_SHA256_SIZE];
        char sni[300];
        const void *tag;
    } judged[SIDE_SEEN_MAX];
};

struct pair {
    struct hf_tls_server_config server_config;
    struct hf_tls_client_config client_config;
    struct hf_tls_policy policy[4];
    struct hf_credential *server_identity[4], *client_identity[4];
    const char *sni;
    struct hf_tls_session *session; /* the client offers it; owned */
    size_t chunk;                   /* bytes that move at a time; 0: all */
    size_t out_cap;
    struct side server, client;
};

void pair_init(struct pair *pair);

/* pair_start makes contexts and connections; pair_again makes new connections from the contexts. */
void pair_start(struct pair *pair);
void pair_new_server(struct pair *pair); /* a context from server_config as it is now, then again */
void pair_again(struct pair *pair);
void pair_shake(struct pair *pair);
void pair_done(struct pair *pair);

/* pair_first_flight lets the server answer the client's hello while filler stands in its out-buffer
 * (it is taken out again), and checks that it asks for room. */
void pair_first_flight(struct pair *pair, struct hf_bytes filler);

/* pair_shake_failing shakes hands with the n-th allocation from here on failing (and no other);
 * true when there were fewer. */
bool pair_shake_failing(struct pair *pair, size_t n);

/* pair_shake_changing flips a bit at the end of the n-th record that the client (or the server)
 * sends; false when there were fewer. */
bool pair_shake_changing(struct pair *pair, size_t n, bool of_client);

/* pair_settle lets both sides read until nothing moves: alerts, tickets, key updates, data. */
void pair_settle(struct pair *pair);

/* side_send encrypts and delivers all of plain; side_feed puts raw bytes before the side. */
void side_send(struct pair *pair, struct side *from, struct hf_bytes plain);
void side_feed(struct side *side, struct hf_bytes bytes);

/* One call with whatever is in the side's in-buffer. */
enum hf_tls_step side_handshake(struct side *side);
enum hf_tls_step side_read(struct side *side);
void side_close(struct side *side);

enum hf_reason side_reason(const struct side *side);

/* side_chain is the peer's chain, borrowed from a connection that isn't quiet; NULL: none. */
struct hf_chain *side_chain(const struct side *side);

#endif
