// SPDX-License-Identifier: Apache-2.0
#include "pki/ders.h"

#include "testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

struct world {
    struct testpki *root, *leaf;
    struct hf_chain *chain;
};

static int make_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world->root = testpki_root("Root");
    world->leaf = testpki_leaf(world->root, "alice", HF_USAGE_CLIENT, "DNS:a.example");
    struct hf_cert *const certs[] = {world->leaf->cert, world->root->cert};
    assert_int_equal(hf_chain_new(certs, 2, &world->chain), HF_OK);
    *state = world;
    return 0;
}

static int free_world(void **state)
{
    struct world *world = *state;
    hf_chain_unref(world->chain);
    testpki_free(world->leaf);
    testpki_free(world->root);
    free(world);
    return 0;
}

static void bytes_are_the_chains(void **state)
{
    const struct hf_chain *chain = ((struct world *)*state)->chain;
    struct hf_ders *ders;
    assert_int_equal(hf_chain_ders((struct hf_chain *)(uintptr_t)chain, &ders), HF_OK);
    assert_int_equal(ders->n_ders, 2);
    assert_memory_equal(ders->sha256, chain->sha256, HF_SHA256_SIZE);
    for (size_t i = 0; i < 2; i++) {
        assert_true(hf_bytes_eq(ders->der[i], chain->certs[i]->der));
        assert_ptr_not_equal(ders->der[i].ptr, chain->certs[i]->der.ptr);
    }
    hf_ders_unref(ders);
}

static void all_who_ask_share_one(void **state)
{
    struct hf_chain *chain = ((struct world *)*state)->chain;
    struct hf_ders *first, *second;
    assert_int_equal(hf_chain_ders(chain, &first), HF_OK);
    assert_int_equal(hf_chain_ders(chain, &second), HF_OK);
    assert_ptr_equal(first, second);
    hf_ders_unref(first);
    hf_ders_unref(second);
}

static void bytes_outlive_the_chain_and_parse_to_it(void **state)
{
    struct world *world = *state;
    struct hf_ders *ders;
    uint8_t sha256[HF_SHA256_SIZE];
    memcpy(sha256, world->chain->sha256, sizeof(sha256));
    assert_int_equal(hf_chain_ders(world->chain, &ders), HF_OK);
    hf_chain_unref(world->chain);
    assert_int_equal(hf_chain_from_ders(ders->der, ders->n_ders, &world->chain), HF_OK);
    assert_memory_equal(world->chain->sha256, sha256, sizeof(sha256));
    hf_ders_unref(ders);
}

static void out_of_memory_is_told(void **state)
{
    struct world *world = *state;
    struct hf_ders *ders = (struct hf_ders *)world;
    struct hf_chain *fresh;
    struct hf_cert *const certs[] = {world->leaf->cert};
    assert_int_equal(hf_chain_new(certs, 1, &fresh), HF_OK);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_chain_ders(fresh, &ders), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_null(ders);
    assert_int_equal(hf_chain_ders(fresh, &ders), HF_OK);
    hf_ders_unref(ders);
    hf_ders_unref(NULL);
    hf_chain_unref(fresh);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_are_the_chains, make_world, free_world),
        cmocka_unit_test_setup_teardown(all_who_ask_share_one, make_world, free_world),
        cmocka_unit_test_setup_teardown(bytes_outlive_the_chain_and_parse_to_it, make_world,
                                        free_world),
        cmocka_unit_test_setup_teardown(out_of_memory_is_told, make_world, free_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
