// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CLI_H
#define HF_CLI_CLI_H

/*
 * The command line as tables. A command is one const struct hf_command in its cmd_<name>.c: its
 * words, its options, an example and a function. The parser, --help, the man page and the messages
 * for wrong usage all come from it.
 *
 * To add a command: cmd_<name>.c with `const struct hf_command hf_cmd_<name>`, its name in
 * cli/commands.h and in cli/meson.build.
 *
 *     struct values {
 *         const char *dir;
 *         bool json;
 *     };
 *     static const struct hf_option options[] = {
 *         {"dir", 0, HF_OPT_TEXT, "DIR", "where the CA lives", .required = true,
 *          .offset = offsetof(struct values, dir)},
 *         {"json", 0, HF_OPT_SWITCH, NULL, "print JSON", .offset = offsetof(struct values, json)},
 *     };
 *     static enum hf_exit run(struct hf_cli *cli, const void *values) {...}
 *
 * Results go to cli->out and nothing else does; words for people go to cli->err.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

/* What a command ends with: 0 fine, 1 it found a problem or failed, 2 it was called wrongly. */
enum hf_exit { HF_EXIT_OK = 0, HF_EXIT_PROBLEM = 1, HF_EXIT_USAGE = 2 };

enum hf_opt_kind {
    HF_OPT_SWITCH,   /* bool */
    HF_OPT_TEXT,     /* const char *; NULL where not given */
    HF_OPT_TEXTS,    /* struct hf_texts; may be given several times */
    HF_OPT_UINT,     /* unsigned, in [min, max] */
    HF_OPT_DURATION, /* int64_t milliseconds */
};

struct hf_texts {
    const char **item;
    size_t n;
};

struct hf_option {
    const char *name; /* without its dashes */
    char letter;      /* 0: none */
    enum hf_opt_kind kind;
    const char *value; /* its name in help, "FILE"; NULL for a switch */
    const char *doc;   /* a phrase, no full stop at its end */
    bool required;
    bool hidden;          /* not in help */
    const char *standard; /* the default, parsed like a given value; NULL: zero */
    unsigned min, max;    /* HF_OPT_UINT; max 0: no limit */
    size_t offset;        /* into the command's values */
};

struct hf_cli;

struct hf_command {
    const char *name;
    const char *summary; /* one line, lower case, no full stop */
    const char *args;    /* positional arguments in usage, "FILE..."; NULL: none */
    unsigned min_args;
    unsigned max_args;   /* HF_ARGS_ANY: no limit */
    const char *about;   /* paragraphs with an empty line between; NULL: the summary says it all */
    const char *example; /* lines of shell, each with a newline */
    const struct hf_option *options;
    size_t n_options;
    size_t values_size;
    /* NULL where a command of `below` must be named */
    enum hf_exit (*run)(struct hf_cli *cli, const void *values);
    const struct hf_command *const *below; /* commands under this one; ends with NULL; NULL: none */
    bool hidden;
};

#define HF_ARGS_ANY        (~0u)
#define HF_OPTIONS(table_) .options = (table_), .n_options = HF_N_ELEMENTS(table_)

#define HF_CLI_PATH_MAX 64

struct hf_cli {
    FILE *out;
    FILE *err;
    const struct hf_command *root;
    char path[HF_CLI_PATH_MAX]; /* "handfast ca init" */
    const char *const *args;    /* positional */
    size_t n_args;
};

/* hf_cli_run parses argv by the tables under root and runs the command. Gives the exit status; a
 * failure to write out (a full disk, say) makes HF_EXIT_PROBLEM of success. */
enum hf_exit hf_cli_run(const struct hf_command *root, int argc, const char *const *argv, FILE *out,
                        FILE *err);

/* hf_cli_fail says "handfast ca init: error: " and the sentence of this thread's last failure, and
 * gives the status that fits err. */
enum hf_exit hf_cli_fail(struct hf_cli *cli, enum hf_err err);

/* hf_cli_usage says what is wrong with the command line, and where its help is. */
enum hf_exit hf_cli_usage(struct hf_cli *cli, const char *format, ...) HF_PRINTF(2, 3);

/* hf_cli_say writes "handfast ca init: " and a line to cli->err. */
void hf_cli_say(struct hf_cli *cli, const char *format, ...) HF_PRINTF(2, 3);

/* hf_cli_print_findings writes them as lines, in the order of the file. */
struct hf_findings;
void hf_cli_print_findings(FILE *to, struct hf_findings *findings);

/* hf_cli_find gives the command of that name under parent, or NULL. */
const struct hf_command *hf_cli_find(const struct hf_command *parent, const char *name);

/* hf_cli_help writes a command's help; hf_cli_man its man page, which covers the commands below. */
void hf_cli_help(const struct hf_command *command, const char *path, FILE *out);
void hf_cli_man(const struct hf_command *command, const char *path, FILE *out);

/* --- For the parts of the framework --------------------------------------------------------------
 */

/* hf_options_parse fills values and collects positional arguments. Errors: HF_E_USAGE in words,
 * HF_E_NOMEM. *out_help: --help was there, the rest doesn't matter. */
enum hf_err hf_options_parse(const struct hf_command *command, int argc, const char *const *argv,
                             void *values, const char **args, size_t *out_n_args,
                             bool *out_help) HF_MUST_CHECK;
void hf_options_done(const struct hf_command *command, void *values);

/* hf_usage_line writes "handfast ca init --dir DIR [OPTION]... NAME". */
void hf_usage_line(const struct hf_command *command, const char *path, FILE *out);

#endif
