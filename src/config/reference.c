// SPDX-License-Identifier: Apache-2.0
/* The key table as a page of Markdown: docs/config.md is the output of hf_config_reference. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/decode.h"
#include "config/reference_forward.h"

enum { PATH_MAX_LEN = 128 };

static const char intro[] =
    "# Configuration\n"
    "\n"
    "<!-- Made by `handfast config reference`; to change it, change src/config/keys_*.c. -->\n"
    "\n"
    "A config file is one YAML document. `handfast check -c FILE` tells everything that is wrong\n"
    "with it at once, each with its line and column; `handfast config schema` prints its JSON\n"
    "Schema for editors.\n"
    "\n"
    "```yaml\n"
    "%s"
    "```\n"
    "\n"
    "## Values\n"
    "\n"
    "- **Durations** are numbers with units: `250ms`, `30s`, `5m`, `24h`, `7d`, `1h30m`. A bare\n"
    "  number is refused, but for `0`.\n"
    "- **Files** are relative to the folder of the config file.\n"
    "- **Environment variables**: `${VAR}` in a value is replaced by the variable, which must be\n"
    "  set; `${VAR:-default}` gives a default for one that is unset or empty; `$${` is a literal\n"
    "  `${`.\n"
    "- **Lists** of one entry may be written without brackets.\n"
    "- **Names** of identities, listeners and so on are 1 to 63 of `a-z`, `0-9`, `_` and `-`, and\n"
    "  begin with a letter or digit.\n"
    "- YAML's anchors, aliases and tags, and a second document in the file, are refused.\n";

/* The samples of all sections together are a whole config. */
static enum hf_err put_samples(struct hf_buf *out, const struct hf_section *section)
{
    for (size_t i = 0; i < section->n_keys; i++) {
        const struct hf_section *below = section->keys[i].section;
        HF_TRY(hf_buf_append_str(out, below && below->sample ? below->sample : ""));
    }
    return HF_OK;
}

/* "`a`, `b` or `c`" */
static enum hf_err put_words(struct hf_buf *out, const struct hf_word *words)
{
    for (size_t i = 0; words[i].word; i++) {
        const char *between = i == 0 ? "" : words[i + 1].word ? ", " : " or ";
        HF_TRY(hf_buf_printf(out, "%s`%s`", between, words[i].word));
    }
    return HF_OK;
}

static enum hf_err put_range(struct hf_buf *out, const struct hf_key *key)
{
    char least[32];
    char most[32];
    if (key->kind == HF_KIND_DURATION) {
        hf_format_duration(key->min, least, sizeof(least));
        hf_format_duration(key->max, most, sizeof(most));
        return hf_buf_printf(out, "duration, %s to %s", least, most);
    }
    HF_TRY(hf_buf_printf(out, "%lld to %lld", (long long)key->min, (long long)key->max));
    HF_TRY(hf_buf_append_str(out, key->words ? ", or " : ""));
    return key->words ? put_words(out, key->words) : HF_OK;
}

/* A kind's noun without its article. */
static const char *bare(const char *noun)
{
    return strncmp(noun, "a ", 2) == 0 ? noun + 2 : strncmp(noun, "an ", 3) == 0 ? noun + 3 : noun;
}

static enum hf_err put_value(struct hf_buf *out, const struct hf_key *key)
{
    bool list = key->list || key->kind == HF_KIND_VERSIONS || key->kind == HF_KIND_TLS_WORD;
    HF_TRY(hf_buf_append_str(out, list ? "list: " : ""));
    switch (key->kind) {
    case HF_KIND_UINT:
    case HF_KIND_DURATION:
        return put_range(out, key);
    case HF_KIND_ENUM:
    case HF_KIND_VERSIONS:
        return put_words(out, key->words);
    case HF_KIND_BOOL:
        return hf_buf_append_str(out, "`true` or `false`");
    case HF_KIND_REF:
        return hf_buf_printf(out, "name from `%s`", key->ref->key);
    case HF_KIND_OBJECTS:
        if (key->shorthand) {
            const struct hf_key *first = &key->section->keys[0];
            return hf_buf_printf(out, "list of mappings with the keys below, or just their `%s`",
                                 first->name);
        }
        break;
    case HF_KIND_NAMED:
        return hf_buf_printf(out, "names of your choice, each with the keys below");
    default:
        break;
    }
    HF_TRY(hf_buf_append_str(out, bare(hf_kinds[key->kind].noun)));
    if (key->words) {
        HF_TRY(hf_buf_append_str(out, ", or "));
        return put_words(out, key->words);
    }
    return HF_OK;
}

static enum hf_err put_key(struct hf_buf *out, const struct hf_key *key)
{
    HF_TRY(hf_buf_printf(out, "| `%s` | ", key->name));
    HF_TRY(put_value(out, key));
    if (key->standard) {
        HF_TRY(hf_buf_printf(out, " | `%s` | ", key->standard));
    } else {
        HF_TRY(hf_buf_append_str(out, key->required ? " | must be given | " : " | | "));
    }
    HF_TRY(hf_buf_append_str(out, key->doc));
    if (key->example && strcmp(key->example, key->standard ? key->standard : "") != 0) {
        HF_TRY(hf_buf_printf(out, " Example: `%s`.", key->example));
    }
    return hf_buf_append_str(out, " |\n");
}

static enum hf_err put_section(struct hf_buf *out, const struct hf_section *section,
                               const char *path);

/* The sections below this one, each under its path. */
static enum hf_err put_below(struct hf_buf *out, const struct hf_section *section, const char *path)
{
    for (size_t i = 0; i < section->n_keys; i++) {
        const struct hf_key *key = &section->keys[i];
        char below[PATH_MAX_LEN];
        if (key->section) {
            snprintf(below, sizeof(below), "%s%s%s%s", path, *path ? "." : "", key->name,
                     key->kind == HF_KIND_NAMED     ? ".NAME"
                     : key->kind == HF_KIND_OBJECTS ? "[]"
                                                    : "");
            HF_TRY(put_section(out, key->section, below));
        }
    }
    return HF_OK;
}

static enum hf_err put_section(struct hf_buf *out, const struct hf_section *section,
                               const char *path)
{
    if (*path) {
        HF_TRY(hf_buf_printf(out, "\n## `%s`\n\n%s\n", path, section->doc));
    } else {
        HF_TRY(hf_buf_append_str(out, "\n## The top of the file\n"));
    }
    HF_TRY(hf_buf_append_str(out, "\n| key | value | default | meaning |\n|---|---|---|---|\n"));
    for (size_t i = 0; i < section->n_keys; i++) {
        HF_TRY(put_key(out, &section->keys[i]));
    }
    return put_below(out, section, path);
}

static enum hf_err put_findings(struct hf_buf *out)
{
    HF_TRY(hf_buf_append_str(
        out,
        "\n## Findings\n\n"
        "What is wrong with a config is told by `run`, which refuses one that has errors, by a\n"
        "reload, which keeps the old one, and by `check`, which looks further. Each finding "
        "has a\nstable id, which `check --json` gives.\n\n"
        "| id | level | told by | when |\n|---|---|---|---|\n"));
    for (int i = 0; i < HF_FINDING_N; i++) {
        enum hf_finding_id id = (enum hf_finding_id)i;
        const char *level = hf_finding_level(id) == HF_FINDING_ERROR ? "error" : "warning";
        HF_TRY(hf_buf_printf(out, "| `%s` | %s | %s | %s |\n", hf_finding_name(id), level,
                             hf_finding_by(id), hf_finding_doc(id)));
    }
    return HF_OK;
}

enum hf_err hf_config_reference(struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf samples = HF_BUF_INIT(4096);
    HF_TRY(put_samples(&samples, &hf_section_config));
    const char *text = hf_buf_cstr(&samples);
    if (!text) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_buf_printf(out, intro, text));
    HF_TRY(put_section(out, &hf_section_config, ""));
    HF_TRY(hf_reference_forward(out));
    return put_findings(out);
}
