// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
    struct hf_link link;
    char name;
};

static struct hf_link head;
static struct item items[4];

static int set_up(void **state)
{
    (void)state;
    hf_list_init(&head);
    for (int i = 0; i < 4; i++) {
        items[i] = (struct item){.name = (char)('a' + i)};
        hf_list_push(&head, &items[i].link);
    }
    return 0;
}

static const char *names(const struct hf_link *list)
{
    static char text[16];
    size_t n = 0;
    HF_LIST_FOREACH (list, link) {
        text[n++] = HF_CONTAINER_OF(link, struct item, link)->name;
    }
    text[n] = '\0';
    return text;
}

static void test_pushing_to_the_head_appends(void **state)
{
    (void)state;
    assert_string_equal(names(&head), "abcd");
}

static void test_pushing_to_a_link_puts_before_it(void **state)
{
    (void)state;
    hf_link_remove(&items[3].link);
    hf_list_push(&items[1].link, &items[3].link);
    assert_string_equal(names(&head), "adbc");
    hf_link_remove(&items[3].link);
    hf_list_push(head.next, &items[3].link);
    assert_string_equal(names(&head), "dabc");
}

static void test_removing_marks_the_link_as_in_no_list(void **state)
{
    (void)state;
    assert_true(hf_link_linked(&items[1].link));
    hf_link_remove(&items[1].link);
    assert_false(hf_link_linked(&items[1].link));
    hf_link_remove(&items[1].link);
    assert_string_equal(names(&head), "acd");
}

static void test_a_zeroed_link_is_in_no_list(void **state)
{
    (void)state;
    struct hf_link link = {0};
    assert_false(hf_link_linked(&link));
    hf_link_remove(&link);
}

static void test_the_visited_link_may_be_removed(void **state)
{
    (void)state;
    HF_LIST_FOREACH (&head, link) {
        hf_link_remove(link);
    }
    assert_true(hf_list_empty(&head));
    assert_string_equal(names(&head), "");
}

static void test_taking_moves_everything(void **state)
{
    (void)state;
    struct hf_link other;
    hf_list_take(&head, &other);
    assert_true(hf_list_empty(&head));
    assert_string_equal(names(&other), "abcd");
    hf_link_remove(&items[0].link);
    hf_link_remove(&items[3].link);
    assert_string_equal(names(&other), "bc");
    hf_list_take(&head, &other);
    assert_true(hf_list_empty(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_pushing_to_the_head_appends, set_up),
        cmocka_unit_test_setup(test_pushing_to_a_link_puts_before_it, set_up),
        cmocka_unit_test_setup(test_removing_marks_the_link_as_in_no_list, set_up),
        cmocka_unit_test_setup(test_a_zeroed_link_is_in_no_list, set_up),
        cmocka_unit_test_setup(test_the_visited_link_may_be_removed, set_up),
        cmocka_unit_test_setup(test_taking_moves_everything, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
