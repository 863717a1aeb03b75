// SPDX-License-Identifier: Apache-2.0
/* What no single value of a trust's `ocsp` shows. */
#include "config/semantics_impl.h"

void hf_check_staple_state(struct hf_decoder *decoder, const struct hf_node *root)
{
    const struct hf_config *config = decoder->config;
    for (size_t i = 0; i < config->n_identities && !hf_is_given(root, "state"); i++) {
        if (config->identities[i].fetch_staple) {
            hf_conflict(decoder, config->identities[i].mark,
                        "identity \"%s\" fetches its staple, which is kept on disk; name a folder "
                        "for it with state",
                        config->identities[i].name);
        }
    }
}

static const char *const ask_keys[] = {"url-trust", "nonce", "timeout", "refresh", "batch"};

void hf_check_ocsp(struct hf_decoder *decoder, const struct hf_node *node, void *object)
{
    const struct hf_cfg_ocsp *ocsp = object;
    bool asks = hf_is_given(node, "responder") || hf_is_given(node, "from-certificates");
    if (hf_is_given(node, "responder") && hf_is_given(node, "from-certificates")) {
        hf_conflict(decoder, hf_key_mark(node, "from-certificates"),
                    "the responder is asked whatever certificates name; remove one of the two");
    }
    if (!asks && ocsp->staple == HF_STAPLE_IGNORE) {
        hf_findings_add(decoder->findings, HF_FINDING_MISSING_KEY, node->mark,
                        "ocsp asks nobody and ignores what peers show; add responder or "
                        "from-certificates");
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(ask_keys) && !asks; i++) {
        if (hf_is_given(node, ask_keys[i])) {
            hf_conflict(decoder, hf_key_mark(node, ask_keys[i]),
                        "nobody is asked, so %s has no effect; add responder or from-certificates, "
                        "or remove it",
                        ask_keys[i]);
        }
    }
}
