// SPDX-License-Identifier: Apache-2.0
/* The section `tls` of a listener or an upstream as a whole. */
#include "config/semantics_impl.h"

/* What only our own engine does. */
static const char *const native_only[] = {
    "record-padding", "record-size-limit",   "cookie",     "cert-compression", "signatures",
    "own-signatures", "post-handshake-auth", "send-names",
};

/* Why TLS 1.3 is not our engine's with these settings; NULL: it is, or may be. A listener leaves
 * single clients to libssl, an upstream all of its connections, since a ClientHello can't be taken
 * back. */
static const char *why_libssl(const struct hf_cfg_tls *config, bool upstream)
{
    if (config->engine == HF_TLS_ENGINE_LIBSSL) {
        return "engine: libssl does it all; write engine: native";
    }
    if (config->max_version == HF_TLS_1_2) {
        return "TLS 1.2 is libssl's; allow 1.3 in versions";
    }
    if (upstream && config->min_version != HF_TLS_1_3) {
        return "an upstream that may speak TLS 1.2 is left to libssl; write versions: [\"1.3\"]";
    }
    return NULL;
}

static void check_native_only(struct hf_decoder *decoder, const struct hf_node *tls,
                              const struct hf_cfg_tls *config, bool upstream)
{
    const char *why = why_libssl(config, upstream);
    for (size_t i = 0; why && i < HF_N_ELEMENTS(native_only); i++) {
        if (hf_is_given(tls, native_only[i])) {
            hf_conflict(decoder, hf_key_mark(tls, native_only[i]), "%s has no effect: %s",
                        native_only[i], why);
        }
    }
}

static void check_tickets(struct hf_decoder *decoder, const struct hf_node *tls,
                          const struct hf_cfg_tls *config)
{
    static const char *const keys[] = {"ticket-lifetime", "ticket-keys"};
    for (size_t i = 0; i < HF_N_ELEMENTS(keys); i++) {
        if (hf_is_given(tls, keys[i]) && hf_is_given(tls, "tickets") && !config->tickets) {
            hf_conflict(decoder, hf_key_mark(tls, keys[i]),
                        "tickets are off, so %s has no effect; remove it", keys[i]);
        }
    }
}

void hf_check_tls(struct hf_decoder *decoder, const struct hf_node *tls,
                  const struct hf_cfg_tls *config, bool upstream)
{
    if (hf_is_given(tls, "suites") && config->max_version == HF_TLS_1_2) {
        hf_conflict(decoder, hf_key_mark(tls, "suites"),
                    "suites are for TLS 1.3, which versions leaves out; remove one of the two");
    }
    if (hf_is_given(tls, "ciphers") && config->min_version == HF_TLS_1_3) {
        hf_conflict(decoder, hf_key_mark(tls, "ciphers"),
                    "ciphers are for TLS 1.2, which versions leaves out; remove one of the two");
    }
    check_tickets(decoder, tls, config);
    check_native_only(decoder, tls, config, upstream);
}
