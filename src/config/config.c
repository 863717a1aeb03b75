// SPDX-License-Identifier: Apache-2.0
/* From a file to a config: read, parse, decode. A config that has findings of level error is never
 * handed out. */
#include "config/config.h"

#include "base/mem.h"
#include "config/decode.h"
#include "os/file.h"
#include "policy/route.h"

void hf_config_free(struct hf_config *config)
{
    if (config) {
        for (size_t i = 0; i < config->n_listeners; i++) {
            hf_route_table_free(config->listeners[i].route_table);
            hf_route_table_free(config->listeners[i].trusted_table);
        }
        struct hf_arena *arena = config->arena; /* the config itself lives in it */
        hf_arena_done(arena);
        hf_free(arena);
    }
}

static void config_freep(struct hf_config **config)
{
    hf_config_free(*config);
}

static enum hf_err new_config(const char *path, const char *dir, struct hf_config **out)
{
    struct hf_arena *arena = HF_NEW(struct hf_arena);
    struct hf_config *config = arena ? hf_arena_alloc(arena, 1, sizeof(*config)) : NULL;
    if (!config) {
        hf_free(arena);
        return HF_E_NOMEM;
    }
    config->arena = arena;
    *out = config;
    config->path = hf_arena_strdup(arena, path);
    config->dir = hf_arena_strdup(arena, dir);
    return config->path && config->dir ? HF_OK : HF_E_NOMEM;
}

static enum hf_err decode_tree(const struct hf_node *root, struct hf_config *config,
                               struct hf_findings *findings)
{
    static const struct hf_node nothing = {.kind = HF_NODE_MAP, .mark = {.line = 1, .column = 1}};
    struct hf_decoder decoder = {
        .config = config, .arena = config->arena, .findings = findings, .dir = config->dir};
    return hf_decode(&decoder, root ? root : &nothing);
}

static enum hf_err count_errors(const struct hf_findings *findings, const char *file)
{
    if (findings->n_errors == 0) {
        return HF_OK;
    }
    return hf_fail(HF_E_CONFIG, "%s has %zu error%s", file, findings->n_errors,
                   findings->n_errors == 1 ? "" : "s");
}

enum hf_err hf_config_from_tree(const struct hf_node *root, const char *name, const char *dir,
                                struct hf_findings *findings, struct hf_config **out)
{
    HF_CLEANUP(config_freep) struct hf_config *config = NULL;
    *out = NULL;
    HF_TRY(new_config(name, dir, &config));
    HF_TRY(decode_tree(root, config, findings));
    HF_TRY(count_errors(findings, name));
    *out = HF_TAKE(config);
    return HF_OK;
}

enum hf_err hf_config_parse(struct hf_bytes text, const char *file, const char *dir,
                            struct hf_findings *findings, struct hf_config **out)
{
    HF_CLEANUP(hf_arena_done) struct hf_arena arena = {0};
    struct hf_node *root = NULL;
    *out = NULL;
    HF_TRY(hf_findings_file(findings, file));
    HF_TRY(hf_tree_parse(text, &arena, findings, &root));
    if (!root) {
        HF_TRY(count_errors(findings, file)); /* the YAML is broken: no keys to look at */
    }
    return hf_config_from_tree(root, file, dir, findings, out);
}

enum hf_err hf_config_load(const char *path, struct hf_findings *findings, struct hf_config **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_CONFIG_FILE_MAX);
    *out = NULL;
    HF_TRY(hf_file_read(path, &text));
    HF_CLEANUP(hf_freep) char *dir = hf_path_dir(path);
    return dir ? hf_config_parse(hf_buf_bytes(&text), path, dir, findings, out) : HF_E_NOMEM;
}
