// SPDX-License-Identifier: Apache-2.0
/* Options by a command's table: "--name value", "--name=value", "-n value", switches, "--" before
 * arguments that look like options. No abbreviations: a new option must not break old scripts. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"

enum { OPTIONS_MAX = 64 };

struct parse {
    const struct hf_command *command;
    int argc;
    const char *const *argv;
    int at; /* next to be looked at */
    void *values;
    bool given[OPTIONS_MAX];
};

static void *slot(const struct hf_option *option, void *values)
{
    return (char *)values + option->offset;
}

/* --- Values ------------------------------------------------------------------------------------*/

static enum hf_err add_text(struct hf_texts *texts, const char *text)
{
    const char **item = hf_realloc(texts->item, (texts->n + 1) * sizeof(*item));
    if (!item) {
        return HF_E_NOMEM;
    }
    texts->item = item;
    texts->item[texts->n++] = text;
    return HF_OK;
}

static enum hf_err set_uint(const struct hf_option *option, const char *text, unsigned *out)
{
    uint64_t value;
    unsigned max = option->max ? option->max : ~0u;
    if (hf_parse_uint(text, max, &value) != HF_OK || value < option->min) {
        return hf_fail(HF_E_USAGE, "--%s: \"%.40s\" is not a whole number from %u to %u",
                       option->name, text, option->min, max);
    }
    *out = (unsigned)value;
    return HF_OK;
}

static enum hf_err set_value(const struct hf_option *option, const char *text, void *at)
{
    switch (option->kind) {
    case HF_OPT_SWITCH:
        *(bool *)at = true;
        return HF_OK;
    case HF_OPT_TEXT:
        *(const char **)at = text;
        return HF_OK;
    case HF_OPT_TEXTS:
        return add_text(at, text);
    case HF_OPT_UINT:
        return set_uint(option, text, at);
    case HF_OPT_DURATION:
        break;
    }
    if (hf_parse_duration(text, at) != HF_OK) {
        (void)hf_fail_context(HF_E_USAGE, "--%s", option->name);
        return HF_E_USAGE;
    }
    return HF_OK;
}

static enum hf_err set_standards(const struct hf_command *command, void *values)
{
    for (size_t i = 0; i < command->n_options; i++) {
        const struct hf_option *option = &command->options[i];
        if (option->standard && option->kind != HF_OPT_TEXTS) {
            HF_TRY(set_value(option, option->standard, slot(option, values)));
        }
    }
    return HF_OK;
}

void hf_options_done(const struct hf_command *command, void *values)
{
    for (size_t i = 0; i < command->n_options; i++) {
        if (command->options[i].kind == HF_OPT_TEXTS) {
            struct hf_texts *texts = slot(&command->options[i], values);
            hf_free(texts->item);
            *texts = (struct hf_texts){0};
        }
    }
}

/* --- Finding -----------------------------------------------------------------------------------*/

static const struct hf_option *find_long(const struct hf_command *command, const char *name,
                                         size_t len)
{
    for (size_t i = 0; i < command->n_options; i++) {
        const char *mine = command->options[i].name;
        if (strlen(mine) == len && memcmp(mine, name, len) == 0) {
            return &command->options[i];
        }
    }
    return NULL;
}

static const struct hf_option *find_letter(const struct hf_command *command, char letter)
{
    for (size_t i = 0; i < command->n_options; i++) {
        if (letter && command->options[i].letter == letter) {
            return &command->options[i];
        }
    }
    return NULL;
}

static enum hf_err fail_unknown(const struct hf_command *command, const char *word, size_t len)
{
    const char *names[OPTIONS_MAX + 2] = {"help"};
    size_t n = 1;
    char name[64];
    for (size_t i = 0; i < command->n_options && n <= OPTIONS_MAX; i++) {
        if (!command->options[i].hidden) {
            names[n++] = command->options[i].name;
        }
    }
    snprintf(name, sizeof(name), "%.*s", (int)len, word);
    const char *closest = hf_closest(name, names);
    return hf_fail(HF_E_USAGE, "there is no option --%s%s%s%s", name,
                   closest ? "; did you mean --" : "", closest ? closest : "", closest ? "?" : "");
}

/* --- Words -------------------------------------------------------------------------------------*/

/* value: what stood behind "=" or the letter; NULL: nothing did. */
static enum hf_err take_option(struct parse *parse, const struct hf_option *option,
                               const char *value)
{
    bool *given = &parse->given[option - parse->command->options];
    if (*given && option->kind != HF_OPT_TEXTS && option->kind != HF_OPT_SWITCH) {
        return hf_fail(HF_E_USAGE, "--%s is given twice", option->name);
    }
    *given = true;
    if (option->kind == HF_OPT_SWITCH && value) {
        return hf_fail(HF_E_USAGE, "--%s takes no value", option->name);
    }
    if (option->kind != HF_OPT_SWITCH && !value) {
        if (parse->at >= parse->argc) {
            return hf_fail(HF_E_USAGE, "--%s needs a value: --%s %s", option->name, option->name,
                           option->value);
        }
        value = parse->argv[parse->at++];
    }
    return set_value(option, value, slot(option, parse->values));
}

static enum hf_err take_long(struct parse *parse, const char *word)
{
    size_t len = strcspn(word, "=");
    const struct hf_option *option = find_long(parse->command, word, len);
    if (!option) {
        return fail_unknown(parse->command, word, len);
    }
    return take_option(parse, option, word[len] ? word + len + 1 : NULL);
}

static enum hf_err take_letter(struct parse *parse, const char *word)
{
    const struct hf_option *option = find_letter(parse->command, word[0]);
    if (!option) {
        return hf_fail(HF_E_USAGE, "there is no option -%c", word[0]);
    }
    return take_option(parse, option, word[1] ? word + 1 : NULL);
}

static enum hf_err check_required(const struct parse *parse)
{
    const struct hf_command *command = parse->command;
    for (size_t i = 0; i < command->n_options; i++) {
        if (command->options[i].required && !parse->given[i]) {
            return hf_fail(HF_E_USAGE, "--%s is missing; add --%s %s", command->options[i].name,
                           command->options[i].name, command->options[i].value);
        }
    }
    return HF_OK;
}

static enum hf_err check_args(const struct hf_command *command, const char *const *args, size_t n)
{
    if (n > command->max_args) {
        return hf_fail(HF_E_USAGE, "\"%.60s\" is one argument too many", args[command->max_args]);
    }
    if (n < command->min_args) {
        return hf_fail(HF_E_USAGE, "%s is missing", command->args);
    }
    return HF_OK;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

enum hf_err hf_options_parse(const struct hf_command *command, int argc, const char *const *argv,
                             void *values, const char **args, size_t *out_n_args, bool *out_help)
{
    struct parse parse = {.command = command, .argc = argc, .argv = argv, .values = values};
    bool only_args = false;
    size_t n = 0;
    *out_help = false;
    HF_TRY(set_standards(command, values));
    while (parse.at < argc) {
        const char *word = argv[parse.at++];
        if (only_args || word[0] != '-' || word[1] == '\0') {
            args[n++] = word;
        } else if (strcmp(word, "--") == 0) {
            only_args = true;
        } else if (is_help(word)) {
            *out_help = true;
            return HF_OK;
        } else {
            HF_TRY(word[1] == '-' ? take_long(&parse, word + 2) : take_letter(&parse, word + 1));
        }
    }
    HF_TRY(check_required(&parse));
    HF_TRY(check_args(command, args, n));
    *out_n_args = n;
    return HF_OK;
}
