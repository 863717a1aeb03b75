// SPDX-License-Identifier: Apache-2.0
/* The framework: options by table, help, man pages, exit statuses, and who gets which stream. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "cli/commands.h"

struct values {
    const char *file;
    struct hf_texts names;
    unsigned days;
    int64_t wait_ms;
    bool loud;
};

static const struct hf_option options[] = {
    {.name = "file",
     .letter = 'f',
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "what to read",
     .required = true,
     .offset = offsetof(struct values, file)},
    {.name = "name",
     .kind = HF_OPT_TEXTS,
     .value = "NAME",
     .doc = "a name",
     .offset = offsetof(struct values, names)},
    {.name = "days",
     .kind = HF_OPT_UINT,
     .value = "N",
     .doc = "how long",
     .standard = "30",
     .min = 1,
     .max = 900,
     .offset = offsetof(struct values, days)},
    {.name = "wait",
     .kind = HF_OPT_DURATION,
     .value = "TIME",
     .doc = "how long to wait",
     .standard = "5s",
     .offset = offsetof(struct values, wait_ms)},
    {.name = "loud",
     .kind = HF_OPT_SWITCH,
     .doc = "say more",
     .offset = offsetof(struct values, loud)},
};

static enum hf_exit run_leaf(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    fprintf(cli->out, "file=%s days=%u wait=%d loud=%d", values->file, values->days,
            (int)values->wait_ms, values->loud);
    for (size_t i = 0; i < values->names.n; i++) {
        fprintf(cli->out, " name=%s", values->names.item[i]);
    }
    for (size_t i = 0; i < cli->n_args; i++) {
        fprintf(cli->out, " arg=%s", cli->args[i]);
    }
    return values->loud ? HF_EXIT_PROBLEM : HF_EXIT_OK;
}

static const struct hf_command leaf = {
    .name = "leaf",
    .summary = "do the thing",
    .about = "First paragraph that is long enough to be broken into two lines of eighty columns "
             "each.\n\n.second: \\ paragraph.",
    .args = "[WORD]...",
    .max_args = 2,
    .example = "tool branch leaf -f x\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run_leaf,
};
static const struct hf_command *const leaves[] = {&leaf, NULL};
static const struct hf_command branch = {
    .name = "branch", .summary = "hold the leaf", .below = leaves};
static const struct hf_command *const branches[] = {&branch, NULL};
static const struct hf_command tool = {.name = "tool", .summary = "a tool", .below = branches};

/* Runs a command line of words parted by spaces. What it printed is in out and err until the next.
 */
static char *out;
static char *err;

static enum hf_exit run_on(const struct hf_command *root, const char *line)
{
    char words[512];
    const char *argv[32];
    int argc = 0;
    size_t out_len, err_len;
    free(out);
    free(err);
    FILE *out_file = open_memstream(&out, &out_len);
    FILE *err_file = open_memstream(&err, &err_len);
    assert_non_null(out_file);
    assert_non_null(err_file);
    snprintf(words, sizeof(words), "%s", line);
    for (char *word = strtok(words, " "); word && argc < 32; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    enum hf_exit status = hf_cli_run(root, argc, argv, out_file, err_file);
    fclose(out_file);
    fclose(err_file);
    return status;
}

static void assert_run(const char *line, const char *expected)
{
    assert_int_equal(run_on(&tool, line), HF_EXIT_OK);
    assert_string_equal(out, expected);
    assert_string_equal(err, "");
}

static void options_in_every_form(void **state)
{
    (void)state;
    assert_run("tool branch leaf --file x", "file=x days=30 wait=5000 loud=0");
    assert_run("tool branch leaf --file=x --days 7", "file=x days=7 wait=5000 loud=0");
    assert_run("tool branch leaf -f x --wait=1m", "file=x days=30 wait=60000 loud=0");
    assert_run("tool branch leaf -fx --name a --name=b",
               "file=x days=30 wait=5000 loud=0 name=a name=b");
    assert_run("tool branch leaf one -f x two", "file=x days=30 wait=5000 loud=0 arg=one arg=two");
    assert_run("tool branch leaf -f x -- --loud -",
               "file=x days=30 wait=5000 loud=0 arg=--loud arg=-");
    assert_run("tool branch leaf -f -", "file=- days=30 wait=5000 loud=0");
    assert_run("tool branch leaf --file= ", "file= days=30 wait=5000 loud=0");
}

static void commands_decide_the_status(void **state)
{
    (void)state;
    assert_int_equal(run_on(&tool, "tool branch leaf -f x --loud"), HF_EXIT_PROBLEM);
}

static void wrong_usage_is_told_and_gives_two(void **state)
{
    static const struct {
        const char *line;
        const char *said;
    } table[] = {
        {"tool brunch", "tool: error: there is no command \"brunch\"; did you mean \"branch\"?\n"
                        "See 'tool --help'.\n"},
        {"tool branch leef", "tool branch: error: there is no command \"leef\"; did you mean "
                             "\"leaf\"?\nSee 'tool branch --help'.\n"},
        {"tool branch leaf", "tool branch leaf: error: --file is missing; add --file FILE\n"
                             "See 'tool branch leaf --help'.\n"},
        {"tool branch leaf --fiel x", "tool branch leaf: error: there is no option --fiel; did you "
                                      "mean --file?\nSee 'tool branch leaf --help'.\n"},
        {"tool branch leaf --file", "tool branch leaf: error: --file needs a value: --file FILE\n"
                                    "See 'tool branch leaf --help'.\n"},
        {"tool branch leaf -f x -f y", "tool branch leaf: error: --file is given twice\n"
                                       "See 'tool branch leaf --help'.\n"},
        {"tool branch leaf -f x --loud=1", "tool branch leaf: error: --loud takes no value\n"
                                           "See 'tool branch leaf --help'.\n"},
        {"tool branch leaf -f x -z", "tool branch leaf: error: there is no option -z\n"
                                     "See 'tool branch leaf --help'.\n"},
        {"tool branch leaf -f x --days 0",
         "tool branch leaf: error: --days: \"0\" is not a whole number from 1 to 900\n"
         "See 'tool branch leaf --help'.\n"},
        {"tool branch leaf -f x --wait 5",
         "tool branch leaf: error: --wait: \"5\" is not a duration; write a number with a unit, "
         "such as 500ms, 30s, 5m, 24h or 7d\nSee 'tool branch leaf --help'.\n"},
        {"tool branch leaf -f x a b c", "tool branch leaf: error: \"c\" is one argument too many\n"
                                        "See 'tool branch leaf --help'.\n"},
    };
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_int_equal(run_on(&tool, table[i].line), HF_EXIT_USAGE);
        assert_string_equal(err, table[i].said);
        assert_string_equal(out, "");
    }
}

static void a_group_without_a_command_shows_its_help_as_an_error(void **state)
{
    (void)state;
    assert_int_equal(run_on(&tool, "tool branch"), HF_EXIT_USAGE);
    assert_string_equal(out, "");
    assert_non_null(strstr(err, "Usage: tool branch COMMAND ...\n"));
}

static void help_has_usage_options_and_example(void **state)
{
    (void)state;
    assert_int_equal(run_on(&tool, "tool branch leaf --help --nonsense"), HF_EXIT_OK);
    assert_string_equal(
        out, "Usage: tool branch leaf --file FILE [OPTION]... [WORD]...\n"
             "\n"
             "First paragraph that is long enough to be broken into two lines of eighty\n"
             "columns each.\n"
             "\n"
             ".second: \\ paragraph.\n"
             "\n"
             "Options:\n"
             "  -f, --file FILE           what to read (required)\n"
             "      --name NAME           a name (repeatable)\n"
             "      --days N              how long (default 30)\n"
             "      --wait TIME           how long to wait (default 5s)\n"
             "      --loud                say more\n"
             "  -h, --help                show this help\n"
             "\n"
             "Example:\n"
             "  tool branch leaf -f x\n");
    assert_string_equal(err, "");
}

static void man_page_escapes_what_troff_reads(void **state)
{
    char *page = NULL;
    size_t len;
    (void)state;
    FILE *file = open_memstream(&page, &len);
    assert_non_null(file);
    hf_cli_man(&leaf, "tool leaf", file);
    fclose(file);
    assert_non_null(strstr(page, ".TH TOOL-LEAF 1"));
    assert_non_null(strstr(page, "tool\\-leaf \\- do the thing\n"));
    assert_non_null(strstr(page, "\n.PP\n\\&.second: \\e paragraph.\n"));
    assert_non_null(strstr(page, "\\fB\\-f\\fR, \\fB\\-\\-file\\fR \\fIFILE\\fR\n"));
    free(page);
}

static void a_full_disk_is_a_problem(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    FILE *null = fopen("/dev/null", "w");
    const char *argv[] = {"tool", "branch", "leaf", "-f", "x"};
    assert_non_null(full);
    assert_non_null(null);
    assert_int_equal(hf_cli_run(&tool, 5, argv, full, null), HF_EXIT_PROBLEM);
    fclose(full);
    fclose(null);
}

/* --- The real table ----------------------------------------------------------------------------*/

enum { SUMMARY_MAX = 66 }; /* fits its line of --help */

static void check_words(const struct hf_command *command)
{
    assert_true(command->summary && strlen(command->summary) <= SUMMARY_MAX);
    assert_true(command->summary[strlen(command->summary) - 1] != '.');
    assert_true(command->example && command->example[strlen(command->example) - 1] == '\n');
    assert_true(command->run || command->below);
    for (size_t i = 0; i < command->n_options; i++) {
        const struct hf_option *option = &command->options[i];
        assert_true(option->doc[0] && option->doc[strlen(option->doc) - 1] != '.');
        assert_true((option->kind == HF_OPT_SWITCH) == (option->value == NULL));
        assert_true(option->offset < command->values_size);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(option->name, command->options[j].name);
            assert_true(!option->letter || option->letter != command->options[j].letter);
        }
    }
    for (size_t i = 0; command->below && command->below[i]; i++) {
        check_words(command->below[i]);
    }
}

static void every_command_is_documented_with_an_example(void **state)
{
    (void)state;
    check_words(&hf_cmd_root);
}

static void version_and_help(void **state)
{
    (void)state;
    assert_int_equal(run_on(&hf_cmd_root, "handfast --version"), HF_EXIT_OK);
    assert_string_equal(out, "handfast " HF_VERSION "\n");
    assert_int_equal(run_on(&hf_cmd_root, "handfast"), HF_EXIT_USAGE);
    assert_int_equal(run_on(&hf_cmd_root, "handfast help check"), HF_EXIT_OK);
    assert_non_null(strstr(out, "Usage: handfast check --config FILE"));
    assert_int_equal(run_on(&hf_cmd_root, "handfast help nothing"), HF_EXIT_USAGE);
    assert_int_equal(run_on(&hf_cmd_root, "handfast check -c /nonexistent"), HF_EXIT_PROBLEM);
    assert_string_equal(err, "handfast check: error: /nonexistent: No such file or directory\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_in_every_form),
        cmocka_unit_test(commands_decide_the_status),
        cmocka_unit_test(wrong_usage_is_told_and_gives_two),
        cmocka_unit_test(a_group_without_a_command_shows_its_help_as_an_error),
        cmocka_unit_test(help_has_usage_options_and_example),
        cmocka_unit_test(man_page_escapes_what_troff_reads),
        cmocka_unit_test(a_full_disk_is_a_problem),
        cmocka_unit_test(every_command_is_documented_with_an_example),
        cmocka_unit_test(version_and_help),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(out);
    free(err);
    return failed;
}
