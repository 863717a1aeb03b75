// SPDX-License-Identifier: Apache-2.0
/* What no single value shows of `forward`, `access-log` and the proxies that are listed. */
#include <string.h>

#include "config/proxies.h"
#include "config/semantics_impl.h"
#include "http/template.h"
#include "policy/route.h"

/* --- forward ------------------------------------------------------------------------------------
 */

/* Turns this thread's last failure into a finding; out of memory is noted. */
static void refuse(struct hf_decoder *decoder, struct hf_mark mark, enum hf_err err)
{
    if (err == HF_E_NOMEM) {
        decoder->err = err;
    } else if (err != HF_OK) {
        hf_findings_add(decoder->findings, HF_FINDING_BAD_VALUE, mark, "%s", hf_err_text());
    }
}

static void check_words(struct hf_decoder *decoder, const struct hf_node *node, const char *key,
                        const struct hf_cfg_words *words)
{
    unsigned seen = 0;
    for (size_t i = 0; i < words->n; i++) {
        bool none = words->item[i] == HF_CFG_NOTHING;
        if (none && words->n > 1) {
            hf_conflict(decoder, hf_key_mark(node, key), "%s has none and others; keep one of them",
                        key);
            return;
        }
        if (!none && seen & 1u << words->item[i]) {
            hf_findings_add(decoder->findings, HF_FINDING_DUPLICATE_KEY, hf_key_mark(node, key),
                            "%s has a word twice; remove one", key);
            return;
        }
        seen |= none ? 0 : 1u << words->item[i];
    }
}

static void check_headers(struct hf_decoder *decoder, const struct hf_cfg_forward *forward)
{
    for (size_t i = 0; i < forward->headers.n; i++) {
        const struct hf_cfg_pair *pair = &forward->headers.item[i];
        struct hf_template *tmpl = NULL;
        enum hf_err err = hf_forward_check_name(pair->name);
        err = err != HF_OK ? err : hf_template_new(pair->value, HF_TEMPLATE_HEADER, &tmpl);
        hf_template_free(tmpl);
        refuse(decoder, pair->mark, err);
    }
}

static void check_strip(struct hf_decoder *decoder, const struct hf_cfg_forward *forward)
{
    struct hf_strip *strip = NULL;
    refuse(decoder, (struct hf_mark){0}, hf_strip_new(&strip));
    for (size_t i = 0; strip && i < forward->strip.n; i++) {
        const struct hf_cfg_string *pattern = &forward->strip.item[i];
        if (pattern->value) {
            refuse(decoder, pattern->mark, hf_strip_add(strip, pattern->value));
        }
    }
    hf_strip_unref(strip);
}

/* Settings of a spelling that isn't chosen. */
static void check_spellings(struct hf_decoder *decoder, const struct hf_cfg_forward *forward)
{
    unsigned chosen = hf_cfg_words_bits(&forward->identity);
    const struct {
        struct hf_mark mark;
        const char *key;
        enum hf_spelling spelling;
        const char *word;
    } table[] = {
        {forward->xfcc_mark, "xfcc", HF_SPELL_XFCC, "x-forwarded-client-cert"},
        {forward->xfcc_parts_mark, "xfcc-parts", HF_SPELL_XFCC, "x-forwarded-client-cert"},
        {forward->token_mark, "token", HF_SPELL_TOKEN, "token"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        if (table[i].mark.line && !(chosen & 1u << table[i].spelling)) {
            hf_conflict(decoder, table[i].mark,
                        "%s has no effect, as identity doesn't have %s; add it there, or remove "
                        "this",
                        table[i].key, table[i].word);
        }
    }
}

void hf_check_forward(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    const struct hf_cfg_forward *forward = object;
    check_words(decoder, node, "identity", &forward->identity);
    check_words(decoder, node, "address", &forward->address);
    check_words(decoder, node, "xfcc-parts", &forward->xfcc_parts);
    check_headers(decoder, forward);
    check_strip(decoder, forward);
    check_spellings(decoder, forward);
}

/* --- access-log ---------------------------------------------------------------------------------
 */

void hf_check_access(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    const struct hf_cfg_access *access = object;
    if (hf_is_given(node, "format") && hf_is_given(node, "template")) {
        hf_conflict(decoder, hf_key_mark(node, "template"),
                    "access-log has both format and template; keep one");
    }
    if (access->format == HF_CFG_ACCESS_OFF && hf_is_given(node, "to")) {
        hf_conflict(decoder, hf_key_mark(node, "to"),
                    "the access log is off, so to has no effect; remove it");
    }
    if (access->tmpl.value) {
        struct hf_template *tmpl = NULL;
        refuse(decoder, access->tmpl.mark,
               hf_template_new(access->tmpl.value, HF_TEMPLATE_LOG, &tmpl));
        hf_template_free(tmpl);
    }
}

/* --- Listed proxies -----------------------------------------------------------------------------
 */

/*
 * Those who may speak for others are a rule like that of a route, and judged by the same code: a
 * table with the one route, which nobody asks for.
 */
void hf_proxies_check(struct hf_decoder *decoder, struct hf_cfg_listener *listener)
{
    const struct hf_config *config = decoder->config;
    const struct hf_cfg_strings *list = &listener->trusted_clients;
    if (!list->n) {
        return;
    }
    const char **who = hf_arena_alloc(decoder->arena, list->n, sizeof(*who));
    struct hf_role_source *roles =
        hf_arena_alloc(decoder->arena, config->n_roles + 1, sizeof(*roles));
    if (!who || !roles) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        who[i] = list->item[i].value;
        if (strcmp(who[i], HF_RULE_ANYONE) == 0) {
            hf_conflict(decoder, list->item[i].mark,
                        "trusted-clients has anyone, so that every client could say that it is "
                        "somebody else; name the roles of your proxies");
            return;
        }
    }
    for (size_t i = 0; i < config->n_roles; i++) {
        roles[i] = (struct hf_role_source){config->roles[i].name, config->roles[i].expr};
    }
    const struct hf_route_door door = {0};
    const struct hf_route_source route = {.name = "trusted-clients",
                                          .rules[HF_RULE_ALLOW] = {who, list->n}};
    const struct hf_route_table_source source = {.routes = &route,
                                                 .n_routes = 1,
                                                 .roles = roles,
                                                 .n_roles = config->n_roles,
                                                 .doors = &door,
                                                 .n_doors = 1};
    struct hf_route_place place = {.part = HF_ROUTE_PART_ROUTE};
    enum hf_err err = hf_route_table_new(&source, &listener->trusted_table, &place);
    bool item = place.part == HF_ROUTE_PART_RULE && place.item < list->n;
    refuse(decoder, list->item[item ? place.item : 0].mark, err);
}
