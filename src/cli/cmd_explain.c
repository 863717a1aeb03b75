// SPDX-License-Identifier: Apache-2.0
/* What a refusal means. A code is looked up in the tables of this program. */
#include <jansson.h>
#include <string.h>

#include "cli/codes.h"
#include "cli/commands.h"

struct values {
    bool codes;
    bool json;
};

static const struct hf_option options[] = {
    {.name = "codes",
     .kind = HF_OPT_SWITCH,
     .doc = "list every code there is",
     .offset = offsetof(struct values, codes)},
    {.name = "json",
     .kind = HF_OPT_SWITCH,
     .doc = "print JSON",
     .offset = offsetof(struct values, json)},
};

static json_t *code_json(const struct hf_code *code)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:s}", "code", code->code, "family", code->family,
                  "step", code->step, "alert", code->alert, "means", code->text, "do", code->todo);
    if (object && code->status) {
        json_object_set_new(object, "status", json_integer(code->status));
    }
    return object;
}

static void print_json(struct hf_cli *cli, json_t *json)
{
    json_dumpf(json, cli->out, JSON_INDENT(2));
    fputc('\n', cli->out);
    json_decref(json);
}

static void print_code(struct hf_cli *cli, const struct hf_code *code)
{
    fprintf(cli->out, "%s: %s\n", code->code, code->text);
    if (code->alert) {
        fprintf(cli->out, "  becomes   TLS alert %s\n", code->alert);
    } else if (code->status) {
        fprintf(cli->out, "  becomes   HTTP status %u\n", code->status);
    }
    fprintf(cli->out, "  do        %s\n", code->todo);
}

static enum hf_exit list_codes(struct hf_cli *cli, bool json)
{
    struct hf_code code;
    json_t *array = json ? json_array() : NULL;
    for (size_t i = 0; hf_code_at(i, &code); i++) {
        if (json) {
            json_array_append_new(array, code_json(&code));
        } else {
            fprintf(cli->out, "%-26s %s\n", code.code, code.text);
        }
    }
    if (json) {
        print_json(cli, json_pack("{s:o}", "codes", array));
    }
    return HF_EXIT_OK;
}

static enum hf_exit explain_code(struct hf_cli *cli, const char *text, bool json)
{
    struct hf_code code;
    if (!hf_code_find(text, &code)) {
        return hf_cli_usage(cli, "there is no code \"%.40s\"; --codes lists them", text);
    }
    if (json) {
        print_json(cli, code_json(&code));
    } else {
        print_code(cli, &code);
    }
    return HF_EXIT_OK;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    if (values->codes != (cli->n_args == 0)) {
        return hf_cli_usage(cli, "say which code, or --codes");
    }
    return values->codes ? list_codes(cli, values->json)
                         : explain_code(cli, cli->args[0], values->json);
}

const struct hf_command hf_cmd_explain = {
    .name = "explain",
    .summary = "say what a refusal means, and what to do about it",
    .args = "[CODE]",
    .max_args = 1,
    .example = "handfast explain unknown-ca\n"
               "handfast explain --codes\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
