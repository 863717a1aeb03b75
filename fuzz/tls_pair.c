// SPDX-License-Identifier: Apache-2.0
#include "tls_pair.h"

#include <stdlib.h>
#include <string.h>

#include "testpki.h"

enum { CAP = 1 << 20 };

static struct hf_tls_ctx *server_ctx, *door_ctx, *client_ctx;
static struct hf_tls_session *session; /* of the one handshake that is run at the start */
static uint64_t random_state;

void fuzz_need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* --- Time and chance
 * ------------------------------------------------------------------------------ */

static int64_t standing_ns(void *ctx)
{
    (void)ctx;
    return 1;
}

static int64_t standing_ms(void *ctx)
{
    (void)ctx;
    return (int64_t)TESTPKI_NOW * 1000;
}

static enum hf_err predictable(void *ctx, struct hf_span out)
{
    (void)ctx;
    for (size_t i = 0; i < out.len; i++) {
        random_state = random_state * 6364136223846793005u + 1442695040888963407u;
        out.ptr[i] = (uint8_t)(random_state >> 56);
    }
    return HF_OK;
}

static const struct hf_clock standing_clock = {NULL, standing_ns, standing_ms};
static const struct hf_rng predictable_rng = {NULL, predictable};

/* --- Contexts
 * --------------------------------------------------------------------------------------- */

static struct hf_tls_answer admit(void *conn_ctx, const struct hf_tls_peer *peer)
{
    (void)peer;
    ((struct fuzz_side *)conn_ctx)->n_judged++;
    return (struct hf_tls_answer){.admit = true};
}

static struct hf_credential *credential(const struct testpki *root, const char *cn,
                                        enum hf_usage usage)
{
    struct testpki *leaf = testpki_leaf(root, cn, usage, "DNS:www.example.org");
    struct hf_credential *made = testpki_credential(leaf);
    testpki_free(leaf);
    return made;
}

static struct hf_tls_common common(bool door)
{
    static const char *const alpn[] = {"h2", "http/1.1", NULL};
    return (struct hf_tls_common){
        .engine = HF_TLS_ENGINE_NATIVE,
        .min_version = door ? HF_TLS_1_2 : HF_TLS_1_3,
        .max_version = HF_TLS_1_3,
        .alpn = alpn,
        .clock = &standing_clock,
        .rng = &predictable_rng,
        .cert_compression = "zlib",
        .ask_staple = true,
        .record_size_limit = 4096,
    };
}

static void make_server(struct hf_credential *identity, bool door, struct hf_tls_ctx **out)
{
    static const struct hf_bytes staple = {(const uint8_t *)"staple", 6};
    static const struct hf_tls_policy policy = {.ask = HF_TLS_ASK_OPTIONAL};
    struct hf_tls_server_config config = {
        .common = common(door),
        .identities = &identity,
        .n_identities = 1,
        .policies = &policy,
        .n_policies = 1,
        .tickets = true,
        .ticket_lifetime_s = 3600,
        .ticket_keys = {.n_keys = 1, .key = {{.secret = {.len = 32}}}},
        .judge = {admit},
        .staples = &staple,
        .cookie = true,
        .post_handshake_auth = true,
    };
    fuzz_need(hf_tls_server_ctx_new(&config, out) == HF_OK);
}

static void make_client(struct hf_credential *identity, struct hf_tls_ctx **out)
{
    const struct hf_tls_client_config config = {
        .common = common(false),
        .identities = &identity,
        .n_identities = 1,
        .judge = {admit},
        .post_handshake_auth = true,
    };
    fuzz_need(hf_tls_client_ctx_new(&config, out) == HF_OK);
}

/* One handshake of the two with each other gives the session that clients may offer. */
static void make_session(void)
{
    struct fuzz_side server, client;
    fuzz_server_init(&server, false);
    fuzz_client_init(&client, false);
    for (int i = 0; i < 4; i++) {
        fuzz_side_step(&client);
        (void)fuzz_pass_records(&client, &server, SIZE_MAX);
        fuzz_side_step(&server);
        (void)fuzz_pass_records(&server, &client, SIZE_MAX);
    }
    session = hf_tls_take_session(client.tls);
    fuzz_need(session != NULL);
    fuzz_side_done(&server);
    fuzz_side_done(&client);
}

static void make_all(void)
{
    if (server_ctx) {
        return;
    }
    struct testpki *root = testpki_root("Root");
    struct hf_credential *of_server = credential(root, "server", HF_USAGE_SERVER);
    struct hf_credential *of_client = credential(root, "client", HF_USAGE_CLIENT);
    make_server(of_server, false, &server_ctx);
    make_server(of_server, true, &door_ctx);
    make_client(of_client, &client_ctx);
    hf_credential_unref(of_server);
    hf_credential_unref(of_client);
    testpki_free(root);
    make_session();
}

/* --- Sides
 * ------------------------------------------------------------------------------------------- */

static void side_init(struct fuzz_side *side)
{
    *side = (struct fuzz_side){
        .in = HF_BUF_INIT(CAP), .out = HF_BUF_INIT(CAP), .step = HF_TLS_WANT_INPUT};
    random_state = 1;
}

void fuzz_server_init(struct fuzz_side *side, bool door)
{
    make_all();
    side_init(side);
    fuzz_need(hf_tls_new_server(door ? door_ctx : server_ctx, side, &side->tls) == HF_OK);
}

void fuzz_client_init(struct fuzz_side *side, bool resume)
{
    make_all();
    side_init(side);
    fuzz_need(hf_tls_new_client(client_ctx, side, "www.example.org", resume ? session : NULL,
                                &side->tls) == HF_OK);
}

void fuzz_side_done(struct fuzz_side *side)
{
    hf_tls_free(side->tls);
    hf_buf_done(&side->in);
    hf_buf_done(&side->out);
}

static enum hf_tls_step go_on(struct fuzz_side *side, struct hf_tls_io *io)
{
    static uint8_t plain[16384];
    struct hf_tls_info info;
    size_t n;
    hf_tls_info(side->tls, &info);
    return info.complete ? hf_tls_read(side->tls, io, hf_span_of(plain, sizeof(plain)), &n)
                         : hf_tls_handshake(side->tls, io);
}

void fuzz_side_step(struct fuzz_side *side)
{
    enum { TURNS_MAX = 2000 };
    for (int i = 0; i < TURNS_MAX; i++) {
        struct hf_tls_io io = {
            hf_span_of(side->in.mem ? side->in.mem + side->in.start : NULL, hf_buf_len(&side->in)),
            &side->out};
        side->step = go_on(side, &io);
        hf_buf_consume(&side->in, hf_buf_len(&side->in) - io.in.len);
        if (side->step != HF_TLS_DONE) {
            break;
        }
    }
    fuzz_check(side);
}

size_t fuzz_pass_records(struct fuzz_side *from, struct fuzz_side *to, size_t n)
{
    enum { HEADER = 5 };
    for (size_t i = 0; i < n; i++) {
        struct hf_bytes out = hf_buf_bytes(&from->out);
        if (out.len < HEADER) {
            return i;
        }
        size_t len = HEADER + ((size_t)out.ptr[3] << 8 | out.ptr[4]);
        fuzz_need(len <= out.len);
        fuzz_need(hf_buf_append(&to->in, hf_bytes_of(out.ptr, len)) == HF_OK);
        hf_buf_consume(&from->out, len);
    }
    return n;
}

void fuzz_check(const struct fuzz_side *side)
{
    struct hf_tls_info info;
    hf_tls_info(side->tls, &info);
    fuzz_need(!info.complete || side->n_judged > 0);
    fuzz_need(side->step != HF_TLS_FAILED || hf_tls_failure(side->tls));
    fuzz_need(side->step != HF_TLS_WANT_JOB);
}
