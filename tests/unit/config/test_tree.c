// SPDX-License-Identifier: Apache-2.0
/* YAML into a tree: what of YAML is refused, limits, and files cut or flipped at every byte. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/tree.h"

/* Parses, and gives the findings as text. */
static const char *said_of(struct hf_bytes text)
{
    static char said[4096];
    struct hf_arena arena = {0};
    struct hf_findings findings = {0};
    struct hf_node *root;
    struct hf_buf lines = HF_BUF_INIT(1 << 20);
    assert_int_equal(hf_findings_file(&findings, "t.yaml"), HF_OK);
    assert_int_equal(hf_tree_parse(text, &arena, &findings, &root), HF_OK);
    assert_int_equal(hf_findings_format(&findings, &lines), HF_OK);
    snprintf(said, sizeof(said), "%s", hf_buf_cstr(&lines));
    hf_buf_done(&lines);
    hf_findings_done(&findings);
    hf_arena_done(&arena);
    return said;
}

static void marks_and_values(void **state)
{
    struct hf_arena arena = {0};
    struct hf_findings findings = {0};
    struct hf_node *root;
    (void)state;
    assert_int_equal(hf_tree_parse(hf_bytes_str("a: 1\n\nb:\n  - x\n  - {c: \"y z\"}\nd:\ne: ''\n"),
                                   &arena, &findings, &root),
                     HF_OK);
    assert_int_equal(root->n, 4);
    const struct hf_node *b = hf_node_get(root, "b");
    assert_int_equal(b->kind, HF_NODE_LIST);
    assert_int_equal(b->key_mark.line, 3);
    assert_int_equal(b->first->mark.line, 4);
    assert_int_equal(b->first->mark.column, 5);
    assert_string_equal(hf_node_get(b->last, "c")->text, "y z");
    assert_int_equal(hf_node_get(b->last, "c")->mark.column, 9);
    assert_int_equal(hf_node_get(root, "d")->kind, HF_NODE_EMPTY);
    assert_null(hf_node_get(root, "d")->text);
    assert_int_equal(hf_node_get(root, "e")->kind, HF_NODE_SCALAR);
    assert_null(hf_node_get(root, "x"));
    assert_null(hf_node_get(NULL, "x"));
    hf_findings_done(&findings);
    hf_arena_done(&arena);
}

static void a_byte_order_mark_is_no_column(void **state)
{
    (void)state;
    assert_string_equal(findings_of("\xef\xbb\xbf" HEAD API, NULL), "");
}

static void an_empty_file_has_no_tree(void **state)
{
    struct hf_arena arena = {0};
    struct hf_findings findings = {0};
    struct hf_node *root;
    (void)state;
    assert_int_equal(hf_tree_parse(hf_bytes_str("# only a comment\n"), &arena, &findings, &root),
                     HF_OK);
    assert_null(root);
    assert_int_equal(findings.n, 0);
    hf_arena_done(&arena);
}

static void parts_of_yaml_that_are_refused(void **state)
{
    static const struct {
        const char *text;
        const char *said;
    } table[] = {
        {"a: &x 1\nb: *x\n",
         "t.yaml:2:4: error: YAML aliases are refused here; write the value out\n"},
        {"a: &x 1\n*x : 2\n",
         "t.yaml:2:1: error: YAML aliases are refused here; write the value out\n"},
        {"a: !!str 1\n",
         "t.yaml:1:4: error: YAML tags are refused here; write the value without one\n"},
        {"a: !x [1]\n",
         "t.yaml:1:4: error: YAML tags are refused here; write the value without one\n"},
        {"a: 1\n---\nb: 2\n",
         "t.yaml:2:1: error: a second YAML document begins here; a config file holds one\n"},
        {"[a]: 1\n", "t.yaml:1:1: error: a key must be a word\n"},
        {"a: \"x\\0y\"\n", "t.yaml:1:4: error: a NUL character inside a value; remove it\n"},
        {"a: 1\nb: 2\na: 3\n", "t.yaml:3:1: error: \"a\" is here twice, first in line 1; remove "
                               "one\n"},
        {"a: [1\n", "t.yaml:2:1: error: not valid YAML: while parsing a flow sequence, did not "
                    "find expected ',' or ']'; check indentation, colons and quotes here and in "
                    "the lines above\n"},
        {"a:\n\t- 1\n",
         "t.yaml:2:1: error: not valid YAML: while scanning for the next token, found character "
         "that cannot start any token; indent with spaces, not tabs, and quote values that begin "
         "with @ or `\n"},
        {"a: \xff\n", "t.yaml:1:1: error: not valid YAML: invalid leading UTF-8 octet; check "
                      "indentation, colons and quotes here and in the lines above\n"},
    };
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_string_equal(said_of(hf_bytes_str(table[i].text)), table[i].said);
    }
}

static void expansion(void **state)
{
    static const struct {
        const char *text;
        const char *value; /* NULL: refused */
        const char *said;
    } table[] = {
        {"plain $x $ {y}", "plain $x $ {y}", ""},
        {"${HF_T_SET}", "set", ""},
        {"a${HF_T_SET}b${HF_T_SET}c", "asetbsetc", ""},
        {"${HF_T_SET:-other}", "set", ""},
        {"${HF_T_UNSET:-other}", "other", ""},
        {"${HF_T_EMPTY:-other}", "other", ""},
        {"${HF_T_EMPTY}", "", ""},
        {"${HF_T_UNSET:-}", "", ""},
        {"$${HF_T_SET}", "${HF_T_SET}", ""},
        {"$$${HF_T_SET}", "$${HF_T_SET}", ""},
        {"${HF_T_UNSET}", NULL,
         "t.yaml:3:4: error: the environment variable HF_T_UNSET is not set; set it, or write a "
         "default as ${HF_T_UNSET:-value}\n"},
        {"${HF_T_SET", NULL,
         "t.yaml:3:4: error: \"${HF_T_SET\" is not a reference to a variable; write ${NAME} or "
         "${NAME:-default}, or $${ for a literal ${\n"},
        {"${}", NULL,
         "t.yaml:3:4: error: \"${}\" is not a reference to a variable; write ${NAME} or "
         "${NAME:-default}, or $${ for a literal ${\n"},
        {"${1x}", NULL,
         "t.yaml:3:4: error: \"${1x}\" is not a reference to a variable; write ${NAME} or "
         "${NAME:-default}, or $${ for a literal ${\n"},
        {"${HF_T_LONG}${HF_T_LONG}${HF_T_LONG}", NULL,
         "t.yaml:3:4: error: the value with its variables put in is longer than 65536 bytes\n"},
    };
    static char big[30000];
    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    setenv("HF_T_SET", "set", 1);
    setenv("HF_T_EMPTY", "", 1);
    setenv("HF_T_LONG", big, 1);
    unsetenv("HF_T_UNSET");
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_arena arena = {0};
        struct hf_findings findings = {0};
        struct hf_buf lines = HF_BUF_INIT(1 << 16);
        enum hf_err err;
        assert_int_equal(hf_findings_file(&findings, "t.yaml"), HF_OK);
        struct hf_mark mark = {.line = 3, .column = 4};
        const char *value = hf_expand(table[i].text, mark, &arena, &findings, &err);
        assert_int_equal(err, table[i].value ? HF_OK : HF_E_CONFIG);
        assert_string_equal(value ? value : "(none)", table[i].value ? table[i].value : "(none)");
        assert_int_equal(hf_findings_format(&findings, &lines), HF_OK);
        assert_string_equal(hf_buf_cstr(&lines), table[i].said);
        hf_buf_done(&lines);
        hf_findings_done(&findings);
        hf_arena_done(&arena);
    }
    unsetenv("HF_T_LONG");
}

static void limits_are_told(void **state)
{
    static char text[HF_CONFIG_FILE_MAX + 2];
    (void)state;
    memset(text, '#', sizeof(text) - 1);
    assert_string_equal(said_of(hf_bytes_str(text)),
                        "t.yaml: error: the file is larger than 1048576 bytes\n");
    memset(text, '[', 40);
    text[40] = '\0';
    assert_non_null(strstr(said_of(hf_bytes_str(text)), "nested too deeply"));
    text[0] = '\0';
    for (size_t i = 0; i < HF_CONFIG_NODES_MAX + 10; i++) {
        memcpy(text + 4 * i, "- a\n", 5);
    }
    assert_non_null(strstr(said_of(hf_bytes_str(text)), "more than 50000 values"));
    memset(text, 'x', HF_CONFIG_VALUE_MAX + 1);
    text[HF_CONFIG_VALUE_MAX + 1] = '\0';
    assert_string_equal(said_of(hf_bytes_str(text)),
                        "t.yaml:1:1: error: a value longer than 64 KiB; shorten it\n");
}

/* A config with everything in it, so that a cut or a flip meets every part of the decoder. */
static const char whole[] =
    "admin: unix:/run/hf.sock\nmetrics: 127.0.0.1:9464\n"
    "log: {format: json, level: info, to: stderr}\nworkers: auto\ndrain-timeout: 30s\n" HEAD
    "listeners:\n"
    "  api:\n"
    "    listen: [\"0.0.0.0:8443\", \"[::1]:1\"]\n"
    "    identities: [web]\n"
    "    trust: partners\n"
    "    sni: [{name: \"*.example.org\", client: none}]\n"
    "    tls: {versions: [\"1.3\"], suites: [A, B], alpn: [h2], tickets: false}\n"
    "    proxy-protocol-from: [10.0.0.0/8]\n"
    "    to: app # ${HF_T_UNSET:-x}\n";

static void parse_quietly(struct hf_bytes text)
{
    struct hf_findings findings = {0};
    struct hf_config *config = NULL;
    enum hf_err err = hf_config_parse(text, "t.yaml", folder, &findings, &config);
    assert_int_equal(err, findings.n_errors ? HF_E_CONFIG : HF_OK);
    hf_config_free(config);
    hf_findings_done(&findings);
}

static void a_file_cut_at_every_byte_is_told_or_good(void **state)
{
    (void)state;
    assert_string_equal(findings_of(whole, NULL), "");
    for (size_t len = 0; len < sizeof(whole); len++) {
        char *exact = malloc(len ? len : 1); /* so that reading past the end is noticed */
        assert_non_null(exact);
        memcpy(exact, whole, len);
        parse_quietly(hf_bytes_of(exact, len));
        free(exact);
    }
}

static void a_file_flipped_at_every_byte_is_told_or_good(void **state)
{
    static const unsigned char flips[] = {0x01, 0x20, 0x80, 0xff};
    (void)state;
    for (size_t i = 0; i + 1 < sizeof(whole); i++) {
        for (size_t j = 0; j < sizeof(flips); j++) {
            char copy[sizeof(whole)];
            memcpy(copy, whole, sizeof(whole));
            copy[i] = (char)((unsigned char)copy[i] ^ flips[j]);
            parse_quietly(hf_bytes_of(copy, sizeof(whole) - 1));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_and_values),
        cmocka_unit_test(a_byte_order_mark_is_no_column),
        cmocka_unit_test(an_empty_file_has_no_tree),
        cmocka_unit_test(parts_of_yaml_that_are_refused),
        cmocka_unit_test(expansion),
        cmocka_unit_test(limits_are_told),
        cmocka_unit_test(a_file_cut_at_every_byte_is_told_or_good),
        cmocka_unit_test(a_file_flipped_at_every_byte_is_told_or_good),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
