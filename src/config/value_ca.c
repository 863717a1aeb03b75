// SPDX-License-Identifier: Apache-2.0
/* What names a service: the CA and the part of it, "main/public". */
#include <string.h>

#include "config/semantics_impl.h"
#include "config/value.h"
#include "policy/route.h"

enum { FEED_LOST_MIN_MS = 60 * 1000 };

static const char *const part_names[] = {
#define PART_NAME(id, name, doc) [HF_CA_PART_##id] = name,
    HF_CA_PART_TABLE(PART_NAME)
#undef PART_NAME
};

const char *hf_ca_part_name(enum hf_ca_part part)
{
    return part_names[part];
}

static struct hf_cfg_ca *find_ca(const struct hf_config *config, struct hf_bytes name)
{
    for (size_t i = 0; i < config->n_cas; i++) {
        if (config->cas[i].name && hf_bytes_eq_str(name, config->cas[i].name)) {
            return &config->cas[i];
        }
    }
    return NULL;
}

static bool find_part(const char *name, enum hf_ca_part *out)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(part_names); i++) {
        if (strcmp(part_names[i], name) == 0) {
            *out = (enum hf_ca_part)i;
            return true;
        }
    }
    return false;
}

void hf_decode_service(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, void *at)
{
    (void)key;
    struct hf_cfg_service *service = at;
    const char *slash = strchr(node->text, '/');
    enum hf_ca_part part = HF_CA_PART_PUBLIC;
    if (!slash || !find_part(slash + 1, &part)) {
        hf_findings_add(decoder->findings, HF_FINDING_BAD_VALUE, node->mark,
                        "service \"%s\" is none; write the name of a ca and what of it, such as "
                        "main/public, main/feed or main/api",
                        node->text);
        return;
    }
    size_t len = (size_t)(slash - node->text);
    struct hf_cfg_ca *ca = find_ca(decoder->config, hf_bytes_of(node->text, len));
    if (!ca) {
        hf_findings_add(decoder->findings, HF_FINDING_UNKNOWN_REFERENCE, node->mark,
                        "there is no ca \"%.*s\"; define it under ca", (int)len, node->text);
        return;
    }
    if (ca->feed.value) {
        hf_findings_add(decoder->findings, HF_FINDING_CONFLICT, node->mark,
                        "the ca \"%s\" is elsewhere (feed), so it can't be served here", ca->name);
        return;
    }
    char *text = hf_arena_strdup(decoder->arena, node->text);
    if (!text) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    *service = (struct hf_cfg_service){ca, part, text, node->mark};
}

static void check_unused(struct hf_decoder *decoder, const struct hf_node *node,
                         const char *const *keys, size_t n, const char *with)
{
    for (size_t i = 0; i < n; i++) {
        if (hf_is_given(node, keys[i])) {
            hf_conflict(decoder, hf_key_mark(node, keys[i]),
                        "%s has no effect beside %s; remove it", keys[i], with);
        }
    }
}

void hf_check_ca(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    static const char *const keys[] = {"passphrase-file", "passphrase-env",
                                       "passphrase-credential"};
    const struct hf_cfg_ca *ca = object;
    static const char *const of_store[] = {
        "passphrase-file", "passphrase-env", "passphrase-credential", "crl-lifetime", "crl-delay",
        "delta-lifetime",  "crl-folder",     "ocsp-lifetime"};
    static const char *const of_feed[] = {"identity", "roots"};
    bool store = hf_is_given(node, "store");
    bool feed = hf_is_given(node, "feed");
    if (store == feed) {
        hf_conflict(decoder, store ? hf_key_mark(node, "feed") : node->key_mark,
                    "ca \"%s\" is either here (store) or elsewhere (feed); %s", ca->name,
                    store ? "remove one of them" : "add one of them");
    }
    check_unused(decoder, node, store ? of_feed : of_store,
                 store ? HF_N_ELEMENTS(of_feed) : HF_N_ELEMENTS(of_store),
                 store ? "store" : "feed");
    if (feed && ca->when_lost_ms < FEED_LOST_MIN_MS) {
        hf_conflict(
            decoder, hf_key_mark(node, "when-lost"),
            "ca \"%s\": a feed may be silent for 25 s while nothing happens; make when-lost "
            "at least 1m",
            ca->name);
    }
    const char *first = NULL;
    for (size_t i = 0; i < HF_N_ELEMENTS(keys); i++) {
        if (first && hf_is_given(node, keys[i])) {
            hf_conflict(decoder, hf_key_mark(node, keys[i]),
                        "ca \"%s\" has both %s and %s; keep one", ca->name, first, keys[i]);
        }
        first = !first && hf_is_given(node, keys[i]) ? keys[i] : first;
    }
}

/* A right for whoever connects would be one for whoever can reach the port. */
void hf_check_rights(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    const struct hf_cfg_ca_rights *rights = object;
    const struct hf_cfg_strings *const lists[] = {&rights->read, &rights->revoke, &rights->approve,
                                                  &rights->token};
    (void)node;
    for (size_t i = 0; i < HF_N_ELEMENTS(lists); i++) {
        for (size_t at = 0; at < lists[i]->n; at++) {
            if (strcmp(lists[i]->item[at].value, HF_RULE_ANYONE) == 0) {
                hf_conflict(decoder, lists[i]->item[at].mark,
                            "a right over a CA can't be anyone's; write roles, selectors, or "
                            "verified for everybody with a verified certificate");
            }
        }
    }
}
