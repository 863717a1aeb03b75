// SPDX-License-Identifier: Apache-2.0
/* From argv to a command: walk down the tables, parse its options, run it, see that its output
 * arrived. */
#include "cli/cli.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"

enum { COMMANDS_MAX = 64, FINDINGS_TEXT_MAX = 16 << 20 };

void hf_cli_say(struct hf_cli *cli, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(cli->err, "%s: ", cli->path);
    vfprintf(cli->err, format, args);
    fputc('\n', cli->err);
    va_end(args);
}

enum hf_exit hf_cli_fail(struct hf_cli *cli, enum hf_err err)
{
    hf_cli_say(cli, "error: %s", hf_err_text());
    if (err == HF_E_USAGE) {
        fprintf(cli->err, "See '%s --help'.\n", cli->path);
    }
    return err == HF_E_USAGE ? HF_EXIT_USAGE : HF_EXIT_PROBLEM;
}

enum hf_exit hf_cli_usage(struct hf_cli *cli, const char *format, ...)
{
    char text[HF_ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return hf_cli_fail(cli, hf_fail(HF_E_USAGE, "%s", text));
}

void hf_cli_print_findings(FILE *to, struct hf_findings *findings)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(FINDINGS_TEXT_MAX);
    if (hf_findings_format(findings, &text) != HF_OK) {
        fprintf(to, "error: %s\n", hf_err_text());
        return;
    }
    struct hf_bytes bytes = hf_buf_bytes(&text);
    if (bytes.len) {
        fwrite(bytes.ptr, 1, bytes.len, to);
    }
}

const struct hf_command *hf_cli_find(const struct hf_command *parent, const char *name)
{
    const struct hf_command *const *below = parent->below;
    while (below && *below && strcmp((*below)->name, name) != 0) {
        below++;
    }
    return below ? *below : NULL;
}

static enum hf_exit unknown_command(struct hf_cli *cli, const struct hf_command *parent,
                                    const char *name)
{
    const char *names[COMMANDS_MAX + 1] = {0};
    for (size_t i = 0, n = 0; parent->below[i] && n < COMMANDS_MAX; i++) {
        if (!parent->below[i]->hidden) {
            names[n++] = parent->below[i]->name;
        }
    }
    const char *closest = hf_closest(name, names);
    return hf_cli_usage(cli, "there is no command \"%.40s\"%s%s%s", name,
                        closest ? "; did you mean \"" : "", closest ? closest : "",
                        closest ? "\"?" : "");
}

/* Runs one command with what is behind its name. */
static enum hf_exit run_parsed(struct hf_cli *cli, const struct hf_command *command, int argc,
                               const char *const *argv, void *values)
{
    HF_CLEANUP(hf_freep) const char **args = hf_alloc_zero((size_t)argc + 1, sizeof(*args));
    bool help;
    if (!args) {
        return hf_cli_fail(cli, HF_E_NOMEM);
    }
    enum hf_err err = hf_options_parse(command, argc, argv, values, args, &cli->n_args, &help);
    if (err != HF_OK) {
        return hf_cli_fail(cli, err);
    }
    if (help) {
        hf_cli_help(command, cli->path, cli->out);
        return HF_EXIT_OK;
    }
    if (!command->run) {
        hf_cli_help(command, cli->path, cli->err);
        return HF_EXIT_USAGE;
    }
    cli->args = args;
    return command->run(cli, values);
}

static enum hf_exit run_command(struct hf_cli *cli, const struct hf_command *command, int argc,
                                const char *const *argv)
{
    HF_CLEANUP(hf_freep) void *values = hf_alloc_zero(1, command->values_size);
    if (!values) {
        return hf_cli_fail(cli, HF_E_NOMEM);
    }
    enum hf_exit status = run_parsed(cli, command, argc, argv, values);
    hf_options_done(command, values);
    return status;
}

/* Walks down by the words that name commands, then runs what is there. */
static enum hf_exit dispatch(struct hf_cli *cli, const struct hf_command *command, int argc,
                             const char *const *argv)
{
    while (command->below && argc > 0 && argv[0][0] != '-') {
        const struct hf_command *next = hf_cli_find(command, argv[0]);
        if (!next) {
            return unknown_command(cli, command, argv[0]);
        }
        size_t len = strlen(cli->path);
        snprintf(cli->path + len, sizeof(cli->path) - len, " %s", next->name);
        command = next;
        argc--;
        argv++;
    }
    return run_command(cli, command, argc, argv);
}

enum hf_exit hf_cli_run(const struct hf_command *root, int argc, const char *const *argv, FILE *out,
                        FILE *err)
{
    struct hf_cli cli = {.out = out, .err = err, .root = root};
    snprintf(cli.path, sizeof(cli.path), "%s", root->name);
    enum hf_exit status = dispatch(&cli, root, argc > 0 ? argc - 1 : 0, argv + (argc > 0));
    if (fflush(out) != 0 || ferror(out)) {
        hf_cli_say(&cli, "error: the output could not be written whole");
        return status == HF_EXIT_OK ? HF_EXIT_PROBLEM : status;
    }
    return status;
}
