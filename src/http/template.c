// SPDX-License-Identifier: Apache-2.0
/*
 * A template is compiled to parts, each a piece of text or a variable of the table. Rendering never
 * looks at the values for anything but escapes, so a value with braces in it is only a value.
 */
#include "http/template.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "http/chars.h"
#include "http/encode.h"
#include "http/template_impl.h"

enum { PARTS_MAX = 128, NAME_MAX_LEN = 128 };

struct part {
    const struct hf_variable *variable; /* NULL: text */
    struct hf_bytes text;               /* literal */
    char *argument;                     /* of the variable; NULL: it takes none */
};

struct hf_template {
    enum hf_template_use use;
    char *source;
    bool has_variables;
    size_t n_parts;
    struct part parts[PARTS_MAX];
};

/* --- Compiling ---------------------------------------------------------------------------------*/

static bool matches(const struct hf_variable *variable, const char *name, const char **out_argument)
{
    size_t len = strlen(variable->name);
    *out_argument = NULL;
    if (variable->name[len - 1] != '*') {
        return strcmp(variable->name, name) == 0;
    }
    *out_argument = name + len - 1;
    return strncmp(variable->name, name, len - 1) == 0;
}

static enum hf_err unknown(const char *name)
{
    const char *words[96 + 1] = {NULL};
    size_t n = 0;
    for (size_t i = 0; i < hf_n_variables && n < HF_N_ELEMENTS(words) - 1; i++) {
        words[n++] = hf_variables[i].name;
    }
    const char *closest = hf_closest(name, words);
    return closest
               ? hf_fail(HF_E_INVALID, "there is no variable {%s}; is {%s} meant?", name, closest)
               : hf_fail(HF_E_INVALID, "there is no variable {%s}; docs/config.md lists them",
                         name);
}

static enum hf_err check_argument(const char *name, const char *argument)
{
    struct hf_bytes text = hf_bytes_str(argument);
    if (!text.len || hf_http_span(text, HF_CHAR_TOKEN) != text.len) {
        return hf_fail(HF_E_INVALID, "{%s} must end with the name of a header", name);
    }
    return HF_OK;
}

static enum hf_err add_variable(struct hf_template *tmpl, const char *name)
{
    struct part *part = &tmpl->parts[tmpl->n_parts];
    const char *argument = NULL;
    for (size_t i = 0; i < hf_n_variables && !part->variable; i++) {
        if (matches(&hf_variables[i], name, &argument)) {
            part->variable = &hf_variables[i];
        }
    }
    if (!part->variable) {
        return unknown(name);
    }
    if (!(part->variable->uses & tmpl->use)) {
        return hf_fail(HF_E_INVALID, "{%s} isn't known before the answer; it is for access logs",
                       name);
    }
    if (argument) {
        HF_TRY(check_argument(name, argument));
        part->argument = hf_strdup(argument);
        if (!part->argument) {
            return HF_E_NOMEM;
        }
    }
    tmpl->has_variables = true;
    tmpl->n_parts++;
    return HF_OK;
}

static enum hf_err add_text(struct hf_template *tmpl, const char *begin, size_t len)
{
    struct hf_bytes text = hf_bytes_of(begin, len);
    if (hf_http_value_span(text) != len) {
        return hf_fail(HF_E_INVALID, "a template may have no control characters");
    }
    if (len) {
        tmpl->parts[tmpl->n_parts++].text = text;
    }
    return HF_OK;
}

/* Takes "{name}" off the front. */
static enum hf_err take_variable(struct hf_template *tmpl, const char **at)
{
    const char *end = strchr(*at, '}');
    char name[NAME_MAX_LEN];
    if (!end) {
        return hf_fail(HF_E_INVALID, "a brace is opened and not closed; write {{ for a brace");
    }
    size_t len = (size_t)(end - *at - 1);
    if (len >= sizeof(name)) {
        return hf_fail(HF_E_INVALID, "the name of a variable has at most %d characters",
                       NAME_MAX_LEN - 1);
    }
    memcpy(name, *at + 1, len);
    name[len] = '\0';
    *at = end + 1;
    return add_variable(tmpl, name);
}

static enum hf_err compile(struct hf_template *tmpl)
{
    for (const char *at = tmpl->source; *at;) {
        if (tmpl->n_parts + 2 > PARTS_MAX) {
            return hf_fail(HF_E_TOO_LARGE, "a template has at most %d parts", PARTS_MAX);
        }
        size_t len = strcspn(at, "{}");
        bool brace = at[len] && at[len] == at[len + 1];
        HF_TRY(add_text(tmpl, at, len + brace));
        at += len + (brace ? 2 : 0);
        if (brace || !*at) {
            continue;
        }
        if (*at == '}') {
            return hf_fail(HF_E_INVALID, "a brace is closed and wasn't opened; write }} for a "
                                         "brace");
        }
        HF_TRY(take_variable(tmpl, &at));
    }
    return HF_OK;
}

enum hf_err hf_template_new(const char *text, enum hf_template_use use, struct hf_template **out)
{
    *out = NULL;
    if (strlen(text) > HF_TEMPLATE_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a template has at most %d bytes", HF_TEMPLATE_MAX);
    }
    struct hf_template *tmpl = HF_NEW(struct hf_template);
    if (!tmpl) {
        return HF_E_NOMEM;
    }
    tmpl->use = use;
    tmpl->source = hf_strdup(text);
    enum hf_err err = tmpl->source ? compile(tmpl) : HF_E_NOMEM;
    if (err != HF_OK) {
        hf_template_free(tmpl);
        return err;
    }
    *out = tmpl;
    return HF_OK;
}

void hf_template_free(struct hf_template *tmpl)
{
    if (!tmpl) {
        return;
    }
    for (size_t i = 0; i < tmpl->n_parts; i++) {
        hf_free(tmpl->parts[i].argument);
    }
    hf_free(tmpl->source);
    hf_free(tmpl);
}

bool hf_template_wants_chain(const struct hf_template *tmpl)
{
    for (size_t i = 0; i < tmpl->n_parts; i++) {
        if (tmpl->parts[i].variable && tmpl->parts[i].variable->chain) {
            return true;
        }
    }
    return false;
}

/* --- Rendering ---------------------------------------------------------------------------------*/

static enum hf_err put_names(const struct hf_names_list *list, unsigned flags, struct hf_buf *out)
{
    for (size_t i = 0; i < list->n; i++) {
        HF_TRY(hf_buf_append_str(out, i ? "," : ""));
        HF_TRY(hf_append_safe(out, hf_bytes_str(list->name[i]), flags | HF_TEXT_ELEMENT));
    }
    return HF_OK;
}

static enum hf_err put_number(int64_t number, struct hf_buf *out)
{
    return number < 0 ? HF_OK : hf_buf_printf(out, "%lld", (long long)number);
}

static enum hf_err put_name(const char *name, unsigned flags, struct hf_buf *out)
{
    return name ? hf_append_safe(out, hf_bytes_str(name), flags) : HF_OK;
}

static enum hf_err put_target(const struct hf_facts *facts, unsigned flags, struct hf_buf *out)
{
    HF_TRY(hf_append_safe(out, facts->path, flags));
    HF_TRY(hf_buf_append_str(out, facts->has_query ? "?" : ""));
    return hf_append_safe(out, facts->query, flags);
}

static enum hf_err put_variable(const struct part *part, unsigned flags,
                                const struct hf_facts *facts, struct hf_buf *out)
{
    const struct hf_variable *variable = part->variable;
    const struct hf_identity *names = hf_facts_names(facts);
    switch ((enum hf_variable_kind)variable->kind) {
    case HF_VARIABLE_TEXT:
        return hf_append_safe(out, variable->get.text(facts, part->argument), flags);
    case HF_VARIABLE_NAME:
        return names ? put_name(variable->get.name(names), flags | HF_TEXT_ESCAPED, out) : HF_OK;
    case HF_VARIABLE_DN:
        return names ? put_name(variable->get.name(names), flags | HF_TEXT_DN, out) : HF_OK;
    case HF_VARIABLE_NAMES:
        return names ? put_names(variable->get.names(names), flags | HF_TEXT_ESCAPED, out) : HF_OK;
    case HF_VARIABLE_NUMBER:
        return put_number(variable->get.number(facts), out);
    case HF_VARIABLE_TARGET:
        return put_target(facts, flags, out);
    case HF_VARIABLE_WRITE:
        return variable->get.write(facts, out);
    }
    return hf_fail(HF_E_INTERNAL, "a variable of no kind");
}

enum hf_err hf_template_render(const struct hf_template *tmpl, const struct hf_facts *facts,
                               struct hf_buf *out, bool *out_known)
{
    bool log = tmpl->use == HF_TEMPLATE_LOG;
    unsigned flags = log ? HF_TEXT_UTF8 | HF_TEXT_QUOTED : 0;
    bool known = !tmpl->has_variables;
    for (size_t i = 0; i < tmpl->n_parts; i++) {
        const struct part *part = &tmpl->parts[i];
        size_t before = hf_buf_len(out);
        if (!part->variable) {
            HF_TRY(hf_buf_append(out, part->text));
            continue;
        }
        HF_TRY(put_variable(part, flags, facts, out));
        if (hf_buf_len(out) > before) {
            known = true;
        } else if (log) {
            HF_TRY(hf_buf_append_str(out, "-"));
        }
    }
    *out_known = known;
    return HF_OK;
}

bool hf_template_doc(size_t at, struct hf_template_doc *out)
{
    if (at >= hf_n_variables) {
        return false;
    }
    *out = (struct hf_template_doc){hf_variables[at].name, hf_variables[at].doc,
                                    hf_variables[at].uses};
    return true;
}
