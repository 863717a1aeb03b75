// SPDX-License-Identifier: Apache-2.0
/* What no single value of a trust's revocation shows. */
#include <string.h>

#include "config/semantics_impl.h"

static const char *const fetch_keys[] = {"url-trust", "refresh", "max-size", "fetch-timeout",
                                         "wait"};

void hf_check_crl(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    (void)object;
    bool fetches = hf_is_given(node, "urls") || hf_is_given(node, "from-certificates");
    if (!fetches && !hf_is_given(node, "files")) {
        hf_findings_add(decoder->findings, HF_FINDING_MISSING_KEY, node->mark,
                        "crl names no lists; add files, urls, or from-certificates");
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(fetch_keys) && !fetches; i++) {
        if (hf_is_given(node, fetch_keys[i])) {
            hf_conflict(decoder, hf_key_mark(node, fetch_keys[i]),
                        "nothing is fetched, so %s has no effect; add urls or from-certificates, "
                        "or remove it",
                        fetch_keys[i]);
        }
    }
}

void hf_check_crl_state(struct hf_decoder *decoder, const struct hf_node *root)
{
    const struct hf_config *config = decoder->config;
    for (size_t i = 0; i < config->n_trusts && !hf_is_given(root, "state"); i++) {
        const struct hf_cfg_crl *crl = &config->trusts[i].crl;
        if (crl->urls.n || crl->from.n) {
            hf_conflict(decoder, crl->mark,
                        "trust \"%s\" fetches lists, which are kept on disk; name a folder for "
                        "them with state",
                        config->trusts[i].name);
        }
    }
}
