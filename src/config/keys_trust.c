// SPDX-License-Identifier: Apache-2.0
/* The keys of one trust. */
#include "config/keys_impl.h"
#include "config/semantics.h"

static const struct hf_word names_words[] = {
    {"from-roots", HF_TRUST_NAMES_FROM_ROOTS}, {"none", HF_TRUST_NAMES_NONE}, {NULL, 0}};

static const struct hf_key trust_keys[] = {
    {.name = "roots",
     .kind = HF_KIND_FILE,
     .required = true,
     .doc = "The CA certificates, in PEM, that a peer's chain must lead to.",
     .example = "partners-ca.pem",
     HF_KEY_FIELD(hf_cfg_trust, roots)},
    {.name = "names",
     .kind = HF_KIND_NAMES,
     .words = names_words,
     .standard = "from-roots",
     .doc = "The CA names told to clients, so that they pick a fitting certificate: `from-roots`, "
            "`none`, or a PEM file of certificates whose subjects are told. A list over 16 KiB is "
            "not sent, with a warning, because many clients fail on it.",
     .example = "from-roots",
     .offset = 0},
    {.name = "depth",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 14,
     .standard = "3",
     .doc = "How many CA certificates may stand between a peer's certificate and the root.",
     .example = "1",
     HF_KEY_FIELD(hf_cfg_trust, depth)},
    {.name = "ca",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_ca,
     .doc = "A CA of this daemon (`ca`): what it revokes is refused, and its sessions are closed, "
            "within milliseconds. Lists (`crl`) are asked too, where they are given.",
     .example = "main",
     HF_KEY_FIELD(hf_cfg_trust, ca)},
    {.name = "crl",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_crl,
     .doc = "Revocation lists (RFC 5280) that every certificate of a peer's chain is held against, "
            "but for the root. Default: none are asked.",
     .set_offset = offsetof(struct hf_cfg_trust, crl.given),
     .mark_offset = offsetof(struct hf_cfg_trust, crl.mark),
     HF_KEY_FIELD(hf_cfg_trust, crl)},
    {.name = "ocsp",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_ocsp,
     .doc = "OCSP responders (RFC 6960) that are asked about every certificate of a peer's chain, "
            "but for the root, which no list has answered for. Default: nobody is asked.",
     .set_offset = offsetof(struct hf_cfg_trust, ocsp.given),
     .mark_offset = offsetof(struct hf_cfg_trust, ocsp.mark),
     HF_KEY_FIELD(hf_cfg_trust, ocsp)},
};

static const struct hf_word fallback_words[] = {
    {"deny", HF_REVOKED_DENY}, {"allow", HF_REVOKED_ALLOW}, {NULL, 0}};

#define CRL_STRINGS(member) \
    .list = true, HF_KEY_FIELD(hf_cfg_crl, member.item), \
    .n_offset = offsetof(struct hf_cfg_crl, member.n)

static const struct hf_key crl_keys[] = {
    {.name = "files",
     .kind = HF_KIND_SOURCE,
     .doc = "Files of lists, in PEM (any number) or DER, or folders of such files: `*.crl`, "
            "`*.pem` and `*.der`. Full lists, deltas and shards. They are read again when they "
            "change; sessions of peers who are then revoked are closed.",
     .example = "[partners.crl]",
     HF_KEY_ARRAY(hf_cfg_crl, files)},
    {.name = "urls",
     .kind = HF_KIND_URL,
     .doc = "URLs of lists, `http` or `https`: asked at the start and again before a list ends, "
            "with a condition, so that nothing is sent twice. The last good list is kept in the "
            "folder that `state` names, and used at the next start. A list that its CA hasn't "
            "signed, or with a lower number than the last, is refused.",
     .example = "[\"http://crl.example.org/ca.crl\"]",
     CRL_STRINGS(urls)},
    {.name = "from-certificates",
     .kind = HF_KIND_ORIGIN,
     .doc = "Scheme, host and port whose lists are fetched where certificates name them as their "
            "distribution points: those of the roots, and of the chains of peers that lead to "
            "one. Nobody else is asked, whatever a certificate says.",
     .example = "[\"http://crl.example.org\"]",
     CRL_STRINGS(from)},
    {.name = "url-trust",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_trust,
     .doc = "The trust that servers of `https` URLs are verified against. Default: the system's "
            "roots.",
     .example = "internal",
     HF_KEY_FIELD(hf_cfg_crl, url_trust)},
    {.name = "refresh",
     .kind = HF_KIND_DURATION,
     .min = 1000,
     .max = 7 * HF_DAY_MS,
     .standard = "1h",
     .doc = "How often a URL is asked at least. It is asked sooner where the answer's "
            "`Cache-Control` says so, and when a list has half its time left; after a failure "
            "within a second, then ever more slowly.",
     .example = "10m",
     HF_KEY_FIELD(hf_cfg_crl, refresh_ms)},
    {.name = "max-size",
     .kind = HF_KIND_SIZE,
     .min = 1024,
     .max = 512 * (int64_t)(1 << 20),
     .standard = "64MiB",
     .doc = "The largest answer that is taken from a URL.",
     .example = "16MiB",
     HF_KEY_FIELD(hf_cfg_crl, max_size)},
    {.name = "fetch-timeout",
     .kind = HF_KIND_DURATION,
     .min = 1000,
     .max = 10 * HF_MINUTE_MS,
     .standard = "60s",
     .doc = "How long one fetch may take, from the look-up of the name to the last byte.",
     .example = "10s",
     HF_KEY_FIELD(hf_cfg_crl, fetch_timeout_ms)},
    {.name = "wait",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = HF_MINUTE_MS,
     .standard = "3s",
     .doc = "How long a handshake waits for a list that is being fetched, where no other speaks "
            "for the certificate: that of the first client of a shard, or one soon after the "
            "start. `0s` doesn't wait.",
     .example = "1s",
     HF_KEY_FIELD(hf_cfg_crl, wait_ms)},
    {.name = "when-stale",
     .kind = HF_KIND_FALLBACK,
     .words = fallback_words,
     .standard = "deny",
     .min = 0,
     .max = 365 * HF_DAY_MS,
     .doc = "What becomes of a peer whose list is past its next update: `deny`, `allow`, or a "
            "duration for which it is still good.",
     .example = "24h",
     HF_KEY_FIELD(hf_cfg_crl, when_stale)},
    {.name = "when-missing",
     .kind = HF_KIND_FALLBACK,
     .words = fallback_words,
     .standard = "deny",
     .min = 0,
     .max = 365 * HF_DAY_MS,
     .doc = "What becomes of a peer that no list speaks for: `deny`, `allow`, or a duration after "
            "the start for which it may come in.",
     .example = "allow",
     HF_KEY_FIELD(hf_cfg_crl, when_missing)},
};

const struct hf_section hf_section_crl = {.noun = "crl",
                                          .doc = "Revocation lists of a trust.",
                                          .sample =
                                              "trust:\n  partners:\n    roots: partners-ca.pem\n"
                                              "    crl: {files: [partners.crl], when-stale: 24h}\n",
                                          .size = sizeof(struct hf_cfg_crl),
                                          .check = hf_check_crl,
                                          HF_SECTION_KEYS(crl_keys)};

const struct hf_section hf_section_trust = {
    .noun = "trust",
    .doc = "Whom we believe: the roots that a peer's certificate is verified against.",
    .sample = "trust:\n  partners: {roots: partners-ca.pem, depth: 1}\n",
    .size = sizeof(struct hf_cfg_trust),
    HF_SECTION_KEYS(trust_keys)};
