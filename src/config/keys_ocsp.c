// SPDX-License-Identifier: Apache-2.0
/* The keys of a trust's `ocsp`. */
#include "config/keys_impl.h"
#include "config/semantics.h"

static const struct hf_word staple_words[] = {{"use", HF_STAPLE_USE},
                                              {"require", HF_STAPLE_REQUIRE},
                                              {"ignore", HF_STAPLE_IGNORE},
                                              {NULL, 0}};

static const struct hf_word nonce_words[] = {{"send", HF_CFG_NONCE_SEND},
                                             {"require", HF_CFG_NONCE_REQUIRE},
                                             {"off", HF_CFG_NONCE_OFF},
                                             {NULL, 0}};

static const struct hf_word fallback_words[] = {
    {"deny", HF_REVOKED_DENY}, {"allow", HF_REVOKED_ALLOW}, {NULL, 0}};

static const struct hf_key ocsp_keys[] = {
    {.name = "responder",
     .kind = HF_KIND_URL,
     .doc =
         "The responder that is asked, `http` or `https`, whatever certificates name. The answer "
         "must be signed by the certificate's issuer, or by one whom the issuer has let sign.",
     .example = "http://ocsp.example.org/",
     HF_KEY_FIELD(hf_cfg_ocsp, responder)},
    {.name = "from-certificates",
     .kind = HF_KIND_ORIGIN,
     .list = true,
     .doc = "Scheme, host and port of responders that are asked where a certificate names them. "
            "Nobody else is, whatever a certificate says.",
     .example = "[\"http://ocsp.example.org\"]",
     .offset = offsetof(struct hf_cfg_ocsp, from.item),
     .n_offset = offsetof(struct hf_cfg_ocsp, from.n)},
    {.name = "url-trust",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_trust,
     .doc = "The trust that responders at `https` URLs are verified against. Default: the system's "
            "roots.",
     .example = "internal",
     HF_KEY_FIELD(hf_cfg_ocsp, url_trust)},
    {.name = "staple",
     .kind = HF_KIND_ENUM,
     .words = staple_words,
     .standard = "use",
     .doc =
         "What is done with an answer that the peer shows with its certificate: `use` looks at it "
         "before anybody is asked, `require` refuses who shows no good one in a full handshake, "
         "`ignore` doesn't ask for it. Peers are asked to show one by `use` and `require` alone: "
         "no other key is needed. Clients can in TLS 1.3 and to our own engine only; what comes "
         "with "
         "the CA certificates of a chain is read there as well, and by libssl is not.",
     .example = "use",
     HF_KEY_FIELD(hf_cfg_ocsp, staple)},
    {.name = "leaf-only",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Leave the CA certificates of a chain to lists, and ask about the peer's own alone.",
     .example = "true",
     HF_KEY_FIELD(hf_cfg_ocsp, leaf_only)},
    {.name = "nonce",
     .kind = HF_KIND_ENUM,
     .words = nonce_words,
     .standard = "send",
     .doc =
         "A nonce ties an answer to its question: `send` one, and refuse an answer with another; "
         "`require` it in the answer too; `off` for responders that refuse it.",
     .example = "require",
     HF_KEY_FIELD(hf_cfg_ocsp, nonce)},
    {.name = "timeout",
     .kind = HF_KIND_DURATION,
     .min = 100,
     .max = HF_MINUTE_MS,
     .standard = "3s",
     .doc = "How long a handshake waits for an answer.",
     .example = "1s",
     HF_KEY_FIELD(hf_cfg_ocsp, timeout_ms)},
    {.name = "refresh",
     .kind = HF_KIND_DURATION,
     .min = 1000,
     .max = 7 * HF_DAY_MS,
     .standard = "1h",
     .doc = "While a peer is connected, its answer is asked for anew after so long, or at half the "
            "answer's time where that is sooner. A peer that is then revoked is cut.",
     .example = "10m",
     HF_KEY_FIELD(hf_cfg_ocsp, refresh_ms)},
    {.name = "max-age",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = HF_DAY_MS,
     .standard = "10m",
     .doc = "How long an answer holds that doesn't say when the next one comes.",
     .example = "1m",
     HF_KEY_FIELD(hf_cfg_ocsp, max_age_ms)},
    {.name = "clock-skew",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 60 * HF_MINUTE_MS,
     .standard = "1m",
     .doc =
         "By how much our clock and the responder's may differ: an answer is good so long before "
         "it begins and after it ends.",
     .example = "5m",
     HF_KEY_FIELD(hf_cfg_ocsp, skew_ms)},
    {.name = "batch",
     .kind = HF_KIND_UINT,
     .min = 1,
     .max = HF_OCSP_SERIALS_MAX,
     .standard = "16",
     .doc = "How many certificates one request is about at most, where several wait. A responder "
            "that answers about one only is asked singly from then on.",
     .example = "1",
     HF_KEY_FIELD(hf_cfg_ocsp, batch)},
    {.name = "when-stale",
     .kind = HF_KIND_FALLBACK,
     .words = fallback_words,
     .standard = "deny",
     .min = 0,
     .max = 365 * HF_DAY_MS,
     .doc = "What becomes of a peer whose answer is out of date, when no other comes: `deny`, "
            "`allow`, or a duration for which it is still good.",
     .example = "1h",
     HF_KEY_FIELD(hf_cfg_ocsp, when_stale)},
    {.name = "when-missing",
     .kind = HF_KIND_FALLBACK,
     .words = fallback_words,
     .standard = "deny",
     .min = 0,
     .max = 365 * HF_DAY_MS,
     .doc =
         "What becomes of a peer of whom there is no answer: `deny`, `allow`, or a duration after "
         "the start for which it may come in.",
     .example = "allow",
     HF_KEY_FIELD(hf_cfg_ocsp, when_missing)},
};

const struct hf_section hf_section_ocsp = {
    .noun = "ocsp",
    .doc = "Asking by OCSP (RFC 6960) whether peers' certificates are revoked.",
    .sample = "trust:\n  partners:\n    roots: partners-ca.pem\n"
              "    ocsp: {responder: \"http://ocsp.example.org/\", when-stale: 1h}\n",
    .size = sizeof(struct hf_cfg_ocsp),
    .check = hf_check_ocsp,
    HF_SECTION_KEYS(ocsp_keys)};
