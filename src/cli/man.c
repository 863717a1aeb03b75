// SPDX-License-Identifier: Apache-2.0
/* Man pages in the man(7) macros, from the same tables as --help. Deterministic: no dates. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* Text with what troff would interpret made harmless. */
static void put_text(const char *text, size_t len, FILE *out)
{
    bool line_start = true;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (line_start && (c == '.' || c == '\'')) {
            fputs("\\&", out);
        }
        if (c == '\\') {
            fputs("\\e", out);
        } else if (c == '-') {
            fputs("\\-", out);
        } else {
            fputc(c, out);
        }
        line_start = c == '\n';
    }
}

static void put_str(const char *text, FILE *out)
{
    put_text(text, strlen(text), out);
}

static void put_upper(const char *text, FILE *out)
{
    for (; *text; text++) {
        fputc(*text == ' ' ? '-' : toupper((unsigned char)*text), out);
    }
}

static void put_paragraphs(const char *text, FILE *out)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t len = end ? (size_t)(end - text) : strlen(text);
        put_text(text, len, out);
        fputc('\n', out);
        text += len;
        text += strspn(text, "\n");
        fputs(*text ? ".PP\n" : "", out);
    }
}

static void put_about(const struct hf_command *command, FILE *out)
{
    if (command->about) {
        put_paragraphs(command->about, out);
    } else {
        fputc(toupper((unsigned char)command->summary[0]), out);
        put_str(command->summary + 1, out);
        fputs(".\n", out);
    }
}

static void put_option(const struct hf_option *option, FILE *out)
{
    fputs(".TP\n", out);
    if (option->letter) {
        fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
    }
    fputs("\\fB\\-\\-", out);
    put_str(option->name, out);
    fputs("\\fR", out);
    if (option->value) {
        fputs(" \\fI", out);
        put_str(option->value, out);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    put_str(option->doc, out);
    fputs(option->required ? " (required)" : "", out);
    fputs(option->kind == HF_OPT_TEXTS ? " (repeatable)" : "", out);
    if (option->standard) {
        fputs(" (default ", out);
        put_str(option->standard, out);
        fputc(')', out);
    }
    fputs(".\n", out);
}

static void put_options(const struct hf_command *command, FILE *out)
{
    static const struct hf_option help = {.name = "help", .letter = 'h', .doc = "show help"};
    for (size_t i = 0; i < command->n_options; i++) {
        if (!command->options[i].hidden) {
            put_option(&command->options[i], out);
        }
    }
    put_option(&help, out);
}

static void put_synopsis(const struct hf_command *command, const char *path, FILE *out)
{
    char *line = NULL;
    size_t len = 0;
    FILE *text = open_memstream(&line, &len);
    if (text) {
        hf_usage_line(command, path, text);
        fclose(text);
        put_str(line, out);
        fputc('\n', out);
        free(line);
    }
}

static void put_example(const char *example, FILE *out)
{
    fputs(".PP\n.nf\n.RS 4\n", out);
    put_str(example, out);
    fputs(".RE\n.fi\n", out);
}

/* The commands under one, each with its options. */
static void put_below(const struct hf_command *command, const char *path, FILE *out)
{
    for (size_t i = 0; command->below[i]; i++) {
        const struct hf_command *one = command->below[i];
        char below[HF_CLI_PATH_MAX];
        if (one->hidden) {
            continue;
        }
        snprintf(below, sizeof(below), "%s %s", path, one->name);
        fputs(".SS ", out);
        put_synopsis(one, below, out);
        put_about(one, out);
        put_options(one, out);
        if (one->example) {
            put_example(one->example, out);
        }
    }
}

/* The program's own page lists its commands and points at their pages. */
static void put_list(const struct hf_command *command, FILE *out)
{
    for (size_t i = 0; command->below[i]; i++) {
        if (!command->below[i]->hidden) {
            fprintf(out, ".TP\n\\fB%s\\-%s\\fR(1)\n", command->name, command->below[i]->name);
            put_str(command->below[i]->summary, out);
            fputs(".\n", out);
        }
    }
}

void hf_cli_man(const struct hf_command *command, const char *path, FILE *out)
{
    bool is_root = !strchr(path, ' ');
    fputs(".TH ", out);
    put_upper(path, out);
    fprintf(out, " 1 \"\" \"handfast %s\" \"User Commands\"\n.SH NAME\n", HF_VERSION);
    for (const char *p = path; *p; p++) {
        fputs(*p == ' ' ? "\\-" : (char[]){*p, '\0'}, out);
    }
    fputs(" \\- ", out);
    put_str(command->summary, out);
    fputs("\n.SH SYNOPSIS\n", out);
    put_synopsis(command, path, out);
    fputs(".SH DESCRIPTION\n", out);
    put_about(command, out);
    fputs(".SH OPTIONS\n", out);
    put_options(command, out);
    if (command->below) {
        fputs(".SH COMMANDS\n", out);
        is_root ? put_list(command, out) : put_below(command, path, out);
    }
    if (command->example) {
        fputs(".SH EXAMPLES\n", out);
        put_example(command->example, out);
    }
    fputs(".SH EXIT STATUS\n0 when all is well, 1 when a problem was found or the command failed, "
          "2 when it was called wrongly.\n",
          out);
    fputs(is_root ? "" : ".SH SEE ALSO\n\\fBhandfast\\fR(1)\n", out);
}
