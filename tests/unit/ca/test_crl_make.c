// SPDX-License-Identifier: Apache-2.0
/* A list from its number to its record, also while others make the same one. */
#include "ca/crl_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ca/init.h"
#include "ca/service.h"
#include "os/clock.h"
#include "pki/crl.h"
#include "store_world.h"

#define assert_ok(expr) assert_int_equal((expr), HF_OK)

enum { LIFETIME = 86400, DELTA_LIFETIME = 600, DELTA_MAX = 4 };

static struct hf_ca_service *service;
static struct hf_authorities *set;
static const struct hf_authority *issuing;

static int set_up(void **state)
{
    (void)state;
    const struct hf_ca_service_options options = {
        .store = world_url(), .clock = &world_clock, .rng = &hf_os_rng, .create = true};
    const struct hf_ca_new what = {.name = "Example"};
    struct hf_buf none = HF_BUF_INIT(0);
    world_reset();
    assert_ok(hf_ca_service_open(&options, &service));
    assert_ok(hf_ca_init(service, "test", &what, &none));
    set = hf_ca_authorities(service);
    assert_non_null(set);
    issuing = hf_authorities_find(set, "issuing");
    assert_non_null(issuing);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_authorities_unref(set);
    hf_ca_service_close(service);
    return 0;
}

static void act(enum hf_store_act act, unsigned number)
{
    struct hf_store_revoke revoke = {.op = {.kind = HF_STORE_REVOKE, .actor = "test"},
                                     .act = act,
                                     .authority = issuing->id,
                                     .serial = world_serial(number),
                                     .reason = 1,
                                     .unknown = true};
    assert_ok(hf_store_do(hf_ca_store(service), &revoke.op));
}

static struct hf_crl_make full_list(const struct hf_clock *clock)
{
    return (struct hf_crl_make){.store = hf_ca_store(service),
                                .authority = issuing,
                                .clock = clock,
                                .actor = "test",
                                .lifetime_s = LIFETIME};
}

static struct hf_crl_make delta_after(const struct hf_store_crl *full)
{
    struct hf_crl_make what = full_list(&world_clock);
    what.delta = true;
    what.base = full->number;
    what.base_seq = full->journal_seq;
    what.delta_max = DELTA_MAX;
    what.delta_lifetime_s = DELTA_LIFETIME;
    return what;
}

/* Makes it, and gives what it is called; *out_crl as our reader sees it, when that is asked for. */
static struct hf_store_crl make(const struct hf_crl_make *what, struct hf_crl **out_crl)
{
    struct hf_crl_made made;
    struct hf_crl_reader *reader = NULL;
    struct hf_crl_lists lists = {NULL, 0};
    struct hf_blob *map = NULL;
    struct hf_store_crl last;
    assert_ok(hf_crl_make(what, &made));
    assert_ok(hf_store_crl_last(what->store, issuing->id, what->shard, made.crl.delta, &last));
    assert_int_equal(last.number, made.crl.number);
    assert_memory_equal(last.sha256, made.file.sha256, sizeof(last.sha256));
    assert_ok(hf_crl_file_map(&made.file, &map));
    assert_ok(hf_crl_reader_new(&hf_crl_limits_default, "made", &reader));
    assert_ok(hf_crl_reader_feed(reader, map->bytes));
    assert_ok(hf_crl_reader_end(reader, &lists));
    assert_int_equal(lists.n, 1);
    assert_true(hf_crl_verified(lists.item[0], issuing->cert));
    assert_int_equal(lists.item[0]->number.byte[0], made.crl.number);
    assert_int_equal(lists.item[0]->is_delta, made.crl.delta);
    if (out_crl) {
        *out_crl = hf_crl_ref(lists.item[0]);
    }
    hf_crl_lists_done(&lists);
    hf_crl_reader_free(reader);
    hf_blob_unref(map);
    hf_crl_file_done(&made.file);
    return made.crl;
}

static bool lists(const struct hf_crl *crl, unsigned number, struct hf_revocation_entry *out)
{
    struct hf_bytes bytes = world_serial(number);
    struct hf_serial serial = {.len = (uint8_t)bytes.len};
    memcpy(serial.byte, bytes.ptr, bytes.len);
    return hf_serials_find(crl->serials, &serial, out);
}

/* --- Others make lists too ----------------------------------------------------------------------
 */

/* What another process does between our number and our reading: the clock is asked in between. */
struct meddling {
    unsigned times; /* it makes a list of its own */
    unsigned victim;
};

static int64_t wall_ms(void *ctx)
{
    struct meddling *other = ctx;
    if (other->times) {
        other->times--;
        act(HF_ACT_REVOKE, other->victim++);
        struct hf_crl_make what = full_list(&world_clock);
        make(&what, NULL);
    }
    return world_now * 1000;
}

static void who_is_overtaken_makes_the_list_anew(void **state)
{
    (void)state;
    struct meddling other = {.times = 3, .victim = 10};
    const struct hf_clock clock = {.ctx = &other, .wall_ms = wall_ms};
    struct hf_crl_make what = full_list(&clock);
    struct hf_revocation_entry entry;
    struct hf_crl *crl = NULL;
    act(HF_ACT_REVOKE, 1);
    struct hf_store_crl made = make(&what, &crl);
    assert_int_equal(other.times, 0);
    assert_int_equal(made.number, 7); /* 1, 3 and 5 came too late for 2, 4 and 6 */
    assert_int_equal(made.n_entries, 4);
    assert_true(lists(crl, 1, &entry) && lists(crl, 12, &entry));
    assert_false(lists(crl, 13, &entry));
    hf_crl_unref(crl);
    world_verify(what.store);
}

static void who_is_overtaken_without_end_says_so(void **state)
{
    (void)state;
    struct meddling other = {.times = 1000, .victim = 10};
    const struct hf_clock clock = {.ctx = &other, .wall_ms = wall_ms};
    struct hf_crl_make what = full_list(&clock);
    struct hf_crl_made made;
    assert_int_equal(hf_crl_make(&what, &made), HF_E_EXISTS);
    assert_non_null(strstr(hf_err_text(), "comes too late"));
    assert_int_equal(made.file.fd, -1);
}

/* --- Deltas -------------------------------------------------------------------------------------
 */

static void a_delta_says_what_changed_since_its_base(void **state)
{
    (void)state;
    struct hf_revocation_entry entry;
    struct hf_crl *crl = NULL;
    act(HF_ACT_REVOKE, 1);
    act(HF_ACT_HOLD, 2);
    struct hf_crl_make what = full_list(&world_clock);
    struct hf_store_crl full = make(&what, NULL);
    act(HF_ACT_RELEASE, 2);
    act(HF_ACT_HOLD, 3);
    act(HF_ACT_REVOKE, 3);
    what = delta_after(&full);
    struct hf_store_crl delta = make(&what, &crl);
    assert_true(delta.delta);
    assert_int_equal(delta.base_number, full.number);
    assert_int_equal(delta.next_update - delta.this_update, DELTA_LIFETIME);
    assert_int_equal(delta.n_entries, 2);
    assert_false(lists(crl, 1, &entry));
    assert_true(lists(crl, 2, &entry));
    assert_int_equal(entry.why, HF_REVOKED_FOR_REMOVED);
    assert_true(lists(crl, 3, &entry));
    assert_int_equal(entry.why, 1);
    hf_crl_unref(crl);
}

static void with_too_many_changes_it_is_a_full_list(void **state)
{
    (void)state;
    struct hf_revocation_entry entry;
    struct hf_crl *crl = NULL;
    struct hf_crl_make what = full_list(&world_clock);
    struct hf_store_crl full = make(&what, NULL);
    for (unsigned i = 1; i <= DELTA_MAX; i++) {
        act(HF_ACT_REVOKE, i);
    }
    what = delta_after(&full);
    struct hf_store_crl list = make(&what, NULL);
    assert_true(list.delta);
    assert_int_equal(list.n_entries, DELTA_MAX);
    act(HF_ACT_REVOKE, DELTA_MAX + 1);
    list = make(&what, &crl);
    assert_false(list.delta);
    assert_int_equal(list.base_number, 0);
    assert_int_equal(list.next_update - list.this_update, LIFETIME);
    assert_int_equal(list.n_entries, DELTA_MAX + 1);
    assert_true(lists(crl, DELTA_MAX + 1, &entry));
    hf_crl_unref(crl);
}

#define make_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        make_test(who_is_overtaken_makes_the_list_anew),
        make_test(who_is_overtaken_without_end_says_so),
        make_test(a_delta_says_what_changed_since_its_base),
        make_test(with_too_many_changes_it_is_a_full_list),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
