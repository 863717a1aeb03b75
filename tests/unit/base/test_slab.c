// SPDX-License-Identifier: Apache-2.0
#include "base/slab.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

enum { SIZE = 1248, MANY = 1000 };

static void blocks_are_aligned_and_apart(void **state)
{
    (void)state;
    struct hf_slab slab = HF_SLAB_INIT(SIZE);
    static uint8_t *block[MANY];
    for (size_t i = 0; i < MANY; i++) {
        block[i] = hf_slab_take(&slab);
        assert_non_null(block[i]);
        assert_int_equal((uintptr_t)block[i] % 64, 0);
        memset(block[i], (int)i, SIZE);
    }
    for (size_t i = 0; i < MANY; i++) {
        for (size_t at = 0; at < SIZE; at++) {
            assert_int_equal(block[i][at], (uint8_t)i);
        }
        hf_slab_give(&slab, block[i]);
    }
}

static void blocks_given_back_are_taken_again(void **state)
{
    (void)state;
    struct hf_slab slab = HF_SLAB_INIT(SIZE);
    void *block[MANY] = {NULL};
    uint32_t dice = 1;
    for (int turn = 0; turn < 100000; turn++) {
        dice = dice * 1664525 + 1013904223;
        size_t i = dice >> 16 & 1023;
        if (i < MANY && block[i]) {
            assert_int_equal(*(size_t *)block[i], i);
            hf_slab_give(&slab, block[i]);
            block[i] = NULL;
        } else if (i < MANY) {
            block[i] = hf_slab_take(&slab);
            assert_non_null(block[i]);
            *(size_t *)block[i] = i;
        }
    }
    for (size_t i = 0; i < MANY; i++) {
        hf_slab_give(&slab, block[i]);
    }
}

static void odd_sizes_fit(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 8, 63, 64, 65, 4096, HF_SLAB_BLOCK_MAX};
    for (size_t s = 0; s < HF_N_ELEMENTS(sizes); s++) {
        struct hf_slab slab = HF_SLAB_INIT(sizes[s]);
        uint8_t *block[300];
        for (size_t i = 0; i < HF_N_ELEMENTS(block); i++) {
            block[i] = hf_slab_take(&slab);
            memset(block[i], (int)i, sizes[s]);
        }
        for (size_t i = 0; i < HF_N_ELEMENTS(block); i++) {
            assert_int_equal(block[i][0], (uint8_t)i);
            assert_int_equal(block[i][sizes[s] - 1], (uint8_t)i);
            hf_slab_give(&slab, block[i]);
        }
    }
}

static void a_failed_allocation_is_told(void **state)
{
    (void)state;
    struct hf_slab slab = HF_SLAB_INIT(SIZE);
    hf_alloc_fail_after(1);
    assert_null(hf_slab_take(&slab));
    hf_alloc_fail_after(0);
    void *block = hf_slab_take(&slab);
    assert_non_null(block);
    hf_slab_give(&slab, block);
    hf_slab_give(&slab, NULL);
}

/* Each thread gives back what its neighbour took. */
enum { N_THREADS = 4, EACH = 200 };

struct work {
    struct hf_slab *slab;
    void *mine[EACH];
    struct work *neighbour;
    pthread_barrier_t *meet;
};

static void *exchange(void *arg)
{
    struct work *work = arg;
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < EACH; i++) {
            work->mine[i] = hf_slab_take(work->slab);
            if (work->mine[i]) {
                memset(work->mine[i], (int)i, SIZE);
            }
        }
        pthread_barrier_wait(work->meet);
        for (size_t i = 0; i < EACH; i++) {
            hf_slab_give(work->slab, work->neighbour->mine[i]);
        }
        pthread_barrier_wait(work->meet);
    }
    return NULL;
}

static void threads_give_back_each_others_blocks(void **state)
{
    (void)state;
    struct hf_slab slab = HF_SLAB_INIT(SIZE);
    static struct work work[N_THREADS];
    pthread_t threads[N_THREADS];
    pthread_barrier_t meet;
    pthread_barrier_init(&meet, NULL, N_THREADS);
    for (size_t i = 0; i < N_THREADS; i++) {
        work[i].slab = &slab;
        work[i].meet = &meet;
        work[i].neighbour = &work[(i + 1) % N_THREADS];
        assert_int_equal(pthread_create(&threads[i], NULL, exchange, &work[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    pthread_barrier_destroy(&meet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_aligned_and_apart),
        cmocka_unit_test(blocks_given_back_are_taken_again),
        cmocka_unit_test(odd_sizes_fit),
        cmocka_unit_test(a_failed_allocation_is_told),
        cmocka_unit_test(threads_give_back_each_others_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
