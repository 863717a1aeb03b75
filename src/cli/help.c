// SPDX-License-Identifier: Apache-2.0
/* --help, from a command's table. */
#include <ctype.h>
#include <string.h>

#include "cli/cli.h"

enum { LINE_WIDTH = 80, INDENT = 2, OPTION_COLUMN = 28 };

/* Writes words from `column` on, and breaks lines so that all begin at `indent`. */
static void put_wrapped(const char *text, size_t len, size_t indent, size_t column, FILE *out)
{
    const char *end = text + len;
    bool first = true;
    while (text < end) {
        size_t word = strcspn(text, " \n");
        word = text + word > end ? (size_t)(end - text) : word;
        if (!first && column + 1 + word > LINE_WIDTH) {
            fprintf(out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (!first) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, word, out);
        column += word;
        first = false;
        text += word;
        text += text < end;
    }
    fputc('\n', out);
}

static void put_paragraphs(const char *text, FILE *out)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t len = end ? (size_t)(end - text) : strlen(text);
        put_wrapped(text, len, 0, 0, out);
        text += len;
        text += strspn(text, "\n");
        if (*text) {
            fputc('\n', out);
        }
    }
}

static void put_pair(const char *left, const char *right, size_t column, FILE *out)
{
    size_t len = INDENT + strlen(left);
    fprintf(out, "%*s%s", INDENT, "", left);
    if (len + 2 > column) {
        fputc('\n', out);
        len = 0;
    }
    fprintf(out, "%*s", (int)(column - len), "");
    put_wrapped(right, strlen(right), column, column, out);
}

static void put_option(const struct hf_option *option, FILE *out)
{
    char left[80];
    char right[512];
    char letter[8] = "    ";
    if (option->letter) {
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    }
    snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name, option->value ? " " : "",
             option->value ? option->value : "");
    snprintf(right, sizeof(right), "%s%s%s%s%s%s", option->doc,
             option->standard ? " (default " : "", option->standard ? option->standard : "",
             option->standard ? ")" : "", option->required ? " (required)" : "",
             option->kind == HF_OPT_TEXTS ? " (repeatable)" : "");
    put_pair(left, right, OPTION_COLUMN, out);
}

static void put_options(const struct hf_command *command, FILE *out)
{
    static const struct hf_option help = {.name = "help", .letter = 'h', .doc = "show this help"};
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < command->n_options; i++) {
        if (!command->options[i].hidden) {
            put_option(&command->options[i], out);
        }
    }
    put_option(&help, out);
}

static void put_commands(const struct hf_command *command, FILE *out)
{
    enum { COMMAND_COLUMN = 14 };
    fputs("\nCommands:\n", out);
    for (size_t i = 0; command->below[i]; i++) {
        if (!command->below[i]->hidden) {
            put_pair(command->below[i]->name, command->below[i]->summary, COMMAND_COLUMN, out);
        }
    }
}

static void put_example(const char *example, FILE *out)
{
    fputs(strchr(example, '\n') == strrchr(example, '\n') ? "\nExample:\n" : "\nExamples:\n", out);
    while (*example) {
        size_t len = strcspn(example, "\n");
        fprintf(out, "%*s%.*s\n", INDENT, "", (int)len, example);
        example += len;
        example += *example == '\n';
    }
}

void hf_usage_line(const struct hf_command *command, const char *path, FILE *out)
{
    size_t n_optional = 0;
    fputs(path, out);
    for (size_t i = 0; i < command->n_options; i++) {
        const struct hf_option *option = &command->options[i];
        n_optional += !option->required && !option->hidden;
        if (option->required) {
            fprintf(out, " --%s %s", option->name, option->value);
        }
    }
    fputs(n_optional ? " [OPTION]..." : "", out);
    fputs(command->below ? " COMMAND ..." : "", out);
    if (command->args) {
        fprintf(out, " %s", command->args);
    }
}

void hf_cli_help(const struct hf_command *command, const char *path, FILE *out)
{
    fputs("Usage: ", out);
    hf_usage_line(command, path, out);
    fputs("\n\n", out);
    if (command->about) {
        put_paragraphs(command->about, out);
    } else {
        fprintf(out, "%c%s.\n", toupper((unsigned char)command->summary[0]), command->summary + 1);
    }
    if (command->below) {
        put_commands(command, out);
    }
    put_options(command, out);
    if (command->example) {
        put_example(command->example, out);
    }
    if (command->below) {
        fprintf(out, "\n'%s COMMAND --help' tells more about each.\n", path);
    }
}
