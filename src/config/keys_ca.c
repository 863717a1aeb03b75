// SPDX-License-Identifier: Apache-2.0
/* The keys of one CA that the daemon serves. */
#include "config/keys_impl.h"
#include "config/semantics.h"

#define STRINGS(member_) \
    .list = true, .n_offset = offsetof(struct hf_cfg_ca_rights, member_.n), \
    .offset = offsetof(struct hf_cfg_ca_rights, member_.item)

static const struct hf_key rights_keys[] = {
    {.name = "read",
     .kind = HF_KIND_WHO,
     .doc = "Who may see all certificates, requests, tokens and the audit log.",
     .example = "[ops, auditors]",
     STRINGS(read)},
    {.name = "revoke",
     .kind = HF_KIND_WHO,
     .doc = "Who may revoke, hold and release.",
     .example = "[ops]",
     STRINGS(revoke)},
    {.name = "approve",
     .kind = HF_KIND_WHO,
     .doc = "Who may decide on requests, but for their own.",
     .example = "[ops]",
     STRINGS(approve)},
    {.name = "token",
     .kind = HF_KIND_WHO,
     .doc = "Who may make and cancel enrolment tokens.",
     .example = "[ops]",
     STRINGS(token)},
};

static const struct hf_section section_rights = {
    .noun = "rights",
    .doc = "Who may do what over a CA's API: roles, selectors, or `verified` for everybody with a "
           "verified certificate. Whoever isn't named may not. Who may ask for certificates is "
           "said by the profiles.",
    .size = sizeof(struct hf_cfg_ca_rights),
    .check = hf_check_rights,
    HF_SECTION_KEYS(rights_keys)};

static const struct hf_key ca_keys[] = {
    {.name = "store",
     .kind = HF_KIND_TEXT,
     .doc = "Where the CA is: the folder that `handfast ca init` made, `sqlite:PATH` or "
            "`postgres://...`. Either this, or `feed` for a CA elsewhere.",
     .example = "/var/lib/handfast/ca",
     HF_KEY_FIELD(hf_cfg_ca, store)},
    {.name = "passphrase-file",
     .kind = HF_KIND_FILE,
     .doc = "File whose first line is the passphrase of the CA's keys; nobody else may be able to "
            "read it.",
     .example = "ca.pass",
     HF_KEY_FIELD(hf_cfg_ca, passphrase_file)},
    {.name = "passphrase-env",
     .kind = HF_KIND_ENV,
     .doc = "The same from an environment variable.",
     .example = "CA_PASSPHRASE",
     HF_KEY_FIELD(hf_cfg_ca, passphrase_env)},
    {.name = "passphrase-credential",
     .kind = HF_KIND_LABEL,
     .doc = "The same from a systemd credential (`LoadCredential=`).",
     .example = "ca-passphrase",
     HF_KEY_FIELD(hf_cfg_ca, passphrase_credential)},
    {.name = "known-keys",
     .kind = HF_KIND_FILE,
     .doc = "Files of keys that are known to others, for which nothing is issued: a line of 20 hex "
            "digits each, as Debian's openssl-blacklist has them, or of 64, the SHA-256 of the "
            "SubjectPublicKeyInfo. Read when the CA is opened.",
     .example = "[blacklist.RSA-2048]",
     HF_KEY_ARRAY(hf_cfg_ca, known_keys)},
    {.name = "feed",
     .kind = HF_KIND_URL,
     .doc =
         "The `https` URL of the feed of a CA on another node (`service: NAME/feed` there). What "
         "it revokes is refused here, and its sessions are closed, within a second.",
     .example = "https://ca.example.org:8443/feed/",
     HF_KEY_FIELD(hf_cfg_ca, feed)},
    {.name = "identity",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_identity,
     .doc = "With `feed`: the certificate that is shown to it.",
     .example = "node",
     HF_KEY_FIELD(hf_cfg_ca, identity)},
    {.name = "roots",
     .kind = HF_KIND_FILE,
     .doc = "With `feed`: CA certificates, in PEM, that its server is verified against. Default: "
            "the system's.",
     .example = "ca.pem",
     HF_KEY_FIELD(hf_cfg_ca, roots)},
    {.name = "when-lost",
     .kind = HF_KIND_DURATION,
     .min = 1000,
     .max = 30 * HF_DAY_MS,
     .standard = "5m",
     .doc = "How long the store may be out of reach, or the feed be silent (then at least 1m). "
            "After that, and before a feed has first answered, whom the CA has issued is refused "
            "with `crl-stale`, and live sessions are closed: nobody knows who has been revoked.",
     .example = "1h",
     HF_KEY_FIELD(hf_cfg_ca, when_lost_ms)},
    {.name = "crl-lifetime",
     .kind = HF_KIND_DURATION,
     .min = 2 * HF_MINUTE_MS,
     .max = 365 * HF_DAY_MS,
     .standard = "24h",
     .doc = "How long a revocation list of the CA's holds. The next one is published before half "
            "of that is gone.",
     .example = "7d",
     HF_KEY_FIELD(hf_cfg_ca, crl_lifetime_ms)},
    {.name = "crl-delay",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = HF_DAY_MS,
     .standard = "10s",
     .doc = "How soon after a revocation a list is published that has it, at the latest. Several "
            "revocations become one list.",
     .example = "1m",
     HF_KEY_FIELD(hf_cfg_ca, crl_delay_ms)},
    {.name = "delta-lifetime",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 30 * HF_DAY_MS,
     .standard = "0",
     .doc = "How long delta lists hold, which are then what is published after a revocation; `0`: "
            "there are none, and a revocation makes a full list.",
     .example = "1h",
     HF_KEY_FIELD(hf_cfg_ca, delta_lifetime_ms)},
    {.name = "crl-folder",
     .kind = HF_KIND_SOURCE,
     .doc = "A folder that lists are put into, too, for programs that read files: "
            "`AUTHORITY.crl`, DER, replaced as a whole. Default: none.",
     .example = "/var/lib/handfast/crl",
     HF_KEY_FIELD(hf_cfg_ca, crl_folder)},
    {.name = "ocsp-lifetime",
     .kind = HF_KIND_DURATION,
     .min = HF_MINUTE_MS,
     .max = 30 * HF_DAY_MS,
     .standard = "1h",
     .doc = "How long an OCSP answer holds, and may be kept by whoever asked.",
     .example = "15m",
     HF_KEY_FIELD(hf_cfg_ca, ocsp_lifetime_ms)},
    {.name = "rights",
     .kind = HF_KIND_SECTION,
     .section = &section_rights,
     .doc = "Who may do what over the CA's API.",
     HF_KEY_FIELD(hf_cfg_ca, rights)},
};

const struct hf_section hf_section_ca = {
    .noun = "ca",
    .doc = "A certification authority of this machine or of a database, whose revocations reach "
           "the listeners at once. Routes serve it to others with `service`.",
    .sample = "ca:\n  main: {store: /var/lib/handfast/ca, passphrase-env: CA_PASSPHRASE}\n",
    .size = sizeof(struct hf_cfg_ca),
    .check = hf_check_ca,
    HF_SECTION_KEYS(ca_keys)};
