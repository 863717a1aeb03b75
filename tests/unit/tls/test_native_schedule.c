// SPDX-License-Identifier: Apache-2.0
#include "tls/native/schedule.h"

#include "crypto/hkdf.h"
#include "vectors.h"

/* The traces of RFC 8448 are in test_native_rfc8448.c; they know SHA-256 alone. Here the schedule
 * is held against the RFC's formulas written out with HKDF, for both hashes. */

static const enum hf_hash_alg algs[] = {HF_HASH_SHA256, HF_HASH_SHA384};

static struct hf_secret extract(enum hf_hash_alg alg, struct hf_bytes salt, struct hf_bytes ikm)
{
    struct hf_secret out;
    hf_hkdf_extract(alg, salt, ikm, &out);
    return out;
}

static struct hf_secret derive(enum hf_hash_alg alg, const struct hf_secret *secret,
                               const char *label, struct hf_bytes context)
{
    struct hf_hmac key;
    struct hf_secret out = {.len = hf_hash_size(alg)};
    hf_hmac_init(&key, alg, hf_secret_bytes(secret));
    assert_int_equal(
        hf_hkdf_expand_label(&key, hf_bytes_str(label), context, hf_span_of(out.byte, out.len)),
        HF_OK);
    return out;
}

static void assert_secret(const struct hf_secret *got, const struct hf_secret *expected)
{
    assert_int_equal(got->len, expected->len);
    assert_memory_equal(got->byte, expected->byte, got->len);
}

struct formula {
    enum hf_hash_alg alg;
    uint8_t empty[HF_HASH_MAX], hash[HF_HASH_MAX], zeros[HF_HASH_MAX];
    struct hf_bytes empty_view, hash_view, zeros_view;
};

static void formula_init(struct formula *f, enum hf_hash_alg alg)
{
    *f = (struct formula){.alg = alg};
    size_t len = hf_hash_size(alg);
    hf_hash_once(alg, hf_bytes_of(NULL, 0), f->empty);
    hf_hash_once(alg, hf_bytes_str("transcript"), f->hash);
    f->empty_view = hf_bytes_of(f->empty, len);
    f->hash_view = hf_bytes_of(f->hash, len);
    f->zeros_view = hf_bytes_of(f->zeros, len);
}

/* psk NULL: none was used. */
static void assert_column(enum hf_hash_alg alg, const char *psk)
{
    struct formula f;
    formula_init(&f, alg);
    struct hf_bytes shared = hf_bytes_str("shared secret of a key exchange");
    struct hf_schedule schedule;
    struct hf_secret early =
        extract(alg, hf_bytes_of(NULL, 0), psk ? hf_bytes_str(psk) : f.zeros_view);
    if (psk) {
        hf_schedule_init_psk(&schedule, alg, hf_bytes_str(psk));
    } else {
        hf_schedule_init(&schedule, alg);
    }
    struct hf_secret salt = derive(alg, &early, "derived", f.empty_view);
    struct hf_secret handshake = extract(alg, hf_secret_bytes(&salt), shared);
    struct hf_secret expected, client, server, exporter;

    hf_schedule_handshake(&schedule, shared, f.hash_view, &client, &server);
    expected = derive(alg, &handshake, "c hs traffic", f.hash_view);
    assert_secret(&client, &expected);
    expected = derive(alg, &handshake, "s hs traffic", f.hash_view);
    assert_secret(&server, &expected);

    salt = derive(alg, &handshake, "derived", f.empty_view);
    struct hf_secret master = extract(alg, hf_secret_bytes(&salt), f.zeros_view);
    hf_schedule_master(&schedule, f.hash_view, &client, &server, &exporter);
    expected = derive(alg, &master, "c ap traffic", f.hash_view);
    assert_secret(&client, &expected);
    expected = derive(alg, &master, "s ap traffic", f.hash_view);
    assert_secret(&server, &expected);
    expected = derive(alg, &master, "exp master", f.hash_view);
    assert_secret(&exporter, &expected);

    hf_schedule_resumption(&schedule, f.hash_view, &client);
    expected = derive(alg, &master, "res master", f.hash_view);
    assert_secret(&client, &expected);
}

static void the_column_is_the_rfcs_without_a_psk(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(algs); i++) {
        assert_column(algs[i], NULL);
    }
}

static void the_column_is_the_rfcs_with_a_psk(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(algs); i++) {
        assert_column(algs[i], "a pre-shared key");
    }
}

/* RFC 8446 4.4.4: HMAC(HKDF-Expand-Label(base, "finished", "", Hash.length), hash). */
static void finished_and_binder_are_the_rfcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(algs); i++) {
        struct formula f;
        formula_init(&f, algs[i]);
        struct hf_bytes psk = hf_bytes_str("psk");
        struct hf_secret early = extract(algs[i], hf_bytes_of(NULL, 0), psk);
        struct hf_secret base = derive(algs[i], &early, "res binder", f.empty_view);
        struct hf_secret key = derive(algs[i], &base, "finished", hf_bytes_of(NULL, 0));
        struct hf_hmac hmac;
        uint8_t expected[HF_HASH_MAX], got[HF_HASH_MAX];
        hf_hmac_init(&hmac, algs[i], hf_secret_bytes(&key));
        hf_hmac_once(&hmac, f.hash_view, expected);

        hf_finished_mac(algs[i], &base, f.hash_view, got);
        assert_memory_equal(got, expected, hf_hash_size(algs[i]));
        struct hf_schedule schedule;
        hf_schedule_init_psk(&schedule, algs[i], psk);
        hf_schedule_binder(&schedule, f.hash_view, got);
        assert_memory_equal(got, expected, hf_hash_size(algs[i]));
        hf_schedule_done(&schedule);
    }
}

/* RFC 8446 7.5. */
static void an_exporter_is_the_rfcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(algs); i++) {
        struct formula f;
        formula_init(&f, algs[i]);
        struct hf_secret exporter = {.len = hf_hash_size(algs[i])};
        memset(exporter.byte, 7, exporter.len);
        uint8_t got[100], expected[100], context_hash[HF_HASH_MAX];
        struct hf_secret secret = derive(algs[i], &exporter, "EXPERIMENTAL x", f.empty_view);
        struct hf_hmac key;
        hf_hmac_init(&key, algs[i], hf_secret_bytes(&secret));
        hf_hash_once(algs[i], hf_bytes_str("context"), context_hash);
        assert_int_equal(hf_hkdf_expand_label(&key, hf_bytes_str("exporter"),
                                              hf_bytes_of(context_hash, hf_hash_size(algs[i])),
                                              hf_span_of(expected, sizeof(expected))),
                         HF_OK);
        assert_int_equal(hf_exporter(algs[i], &exporter, hf_bytes_str("EXPERIMENTAL x"),
                                     hf_bytes_str("context"), hf_span_of(got, sizeof(got))),
                         HF_OK);
        assert_memory_equal(got, expected, sizeof(got));
    }
}

static void a_channel_binding_is_the_exporter_of_rfc_9266(void **state)
{
    (void)state;
    struct hf_secret exporter = {.len = 32};
    uint8_t got[HF_CHANNEL_BINDING_LEN], expected[HF_CHANNEL_BINDING_LEN];
    assert_int_equal(hf_exporter(HF_HASH_SHA256, &exporter,
                                 hf_bytes_str("EXPORTER-Channel-Binding"), hf_bytes_of("", 0),
                                 hf_span_of(expected, sizeof(expected))),
                     HF_OK);
    hf_channel_binding(HF_HASH_SHA256, &exporter, got);
    assert_memory_equal(got, expected, sizeof(got));
}

static void exporter_labels_outside_the_rfc_are_refused(void **state)
{
    (void)state;
    static const uint8_t label[HF_HKDF_LABEL_MAX + 1] = {'x'};
    static uint8_t out[255 * 32 + 1];
    struct hf_secret exporter = {.len = 32};
    static const struct {
        size_t label_len, out_len;
        enum hf_err err;
    } cases[] = {
        {0, 32, HF_E_INVALID},
        {1, 0, HF_OK},
        {HF_HKDF_LABEL_MAX, 255 * 32, HF_OK},
        {HF_HKDF_LABEL_MAX + 1, 32, HF_E_INVALID},
        {1, 255 * 32 + 1, HF_E_INVALID},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        assert_int_equal(hf_exporter(HF_HASH_SHA256, &exporter,
                                     hf_bytes_of(label, cases[i].label_len), hf_bytes_of(NULL, 0),
                                     hf_span_of(out, cases[i].out_len)),
                         cases[i].err);
    }
}

static void updates_and_ticket_psks_are_the_rfcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(algs); i++) {
        struct hf_secret secret = {.len = hf_hash_size(algs[i])}, got;
        memset(secret.byte, 9, secret.len);
        struct hf_secret expected = derive(algs[i], &secret, "traffic upd", hf_bytes_of(NULL, 0));
        got = secret;
        hf_traffic_update(algs[i], &got);
        assert_secret(&got, &expected);
        expected = derive(algs[i], &secret, "resumption", hf_bytes_str("nonce"));
        hf_ticket_psk(algs[i], &secret, hf_bytes_str("nonce"), &got);
        assert_secret(&got, &expected);
    }
}

static void done_wipes_the_secret(void **state)
{
    (void)state;
    struct hf_schedule schedule, zero;
    memset(&zero, 0, sizeof(zero));
    hf_schedule_init_psk(&schedule, HF_HASH_SHA256, hf_bytes_str("psk"));
    hf_schedule_done(&schedule);
    assert_memory_equal(&schedule, &zero, sizeof(zero));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_column_is_the_rfcs_without_a_psk),
        cmocka_unit_test(the_column_is_the_rfcs_with_a_psk),
        cmocka_unit_test(finished_and_binder_are_the_rfcs),
        cmocka_unit_test(an_exporter_is_the_rfcs),
        cmocka_unit_test(a_channel_binding_is_the_exporter_of_rfc_9266),
        cmocka_unit_test(exporter_labels_outside_the_rfc_are_refused),
        cmocka_unit_test(updates_and_ticket_psks_are_the_rfcs),
        cmocka_unit_test(done_wipes_the_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
