// SPDX-License-Identifier: Apache-2.0
/* The top of the file, and the classes of named objects that other keys refer to. */
#include "config/keys_impl.h"
#include "config/semantics.h"

const struct hf_ref hf_ref_identity = {
    "identity", "identities", offsetof(struct hf_config, identities),
    offsetof(struct hf_config, n_identities), sizeof(struct hf_cfg_identity)};
const struct hf_ref hf_ref_trust = {"trust", "trust", offsetof(struct hf_config, trusts),
                                    offsetof(struct hf_config, n_trusts),
                                    sizeof(struct hf_cfg_trust)};
const struct hf_ref hf_ref_ca = {"ca", "ca", offsetof(struct hf_config, cas),
                                 offsetof(struct hf_config, n_cas), sizeof(struct hf_cfg_ca)};
const struct hf_ref hf_ref_upstream = {
    "upstream", "upstreams", offsetof(struct hf_config, upstreams),
    offsetof(struct hf_config, n_upstreams), sizeof(struct hf_cfg_upstream)};

static const struct hf_word auto_words[] = {{"auto", 0}, {NULL, 0}};

static const struct hf_key config_keys[] = {
    {.name = "admin",
     .kind = HF_KIND_UNIX,
     .doc = "The admin socket (HTTP and JSON, mode 0600) that `handfast status`, `reload`, "
            "`drain` and `sessions` talk to. Default: none.",
     .example = "unix:/run/handfast/admin.sock",
     HF_KEY_FIELD(hf_config, admin)},
    {.name = "state",
     .kind = HF_KIND_SOURCE,
     .doc = "A folder, for this user alone, for what must outlive the daemon: the deny list of "
            "`handfast revoke`, the verdicts of `handfast explain`. Default: none: `revoke` is "
            "refused, verdicts end with the process.",
     .example = "/var/lib/handfast",
     HF_KEY_FIELD(hf_config, state)},
    {.name = "metrics",
     .kind = HF_KIND_ADDRESS,
     .doc = "Where Prometheus metrics are served, over plain HTTP. Default: nowhere.",
     .example = "127.0.0.1:9464",
     HF_KEY_FIELD(hf_config, metrics)},
    {.name = "log",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_log,
     .doc = "What is logged, and where to.",
     HF_KEY_FIELD(hf_config, log)},
    {.name = "token-signing",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_signing,
     .doc = "How the tokens are signed that tell upstreams of clients.",
     HF_KEY_FIELD(hf_config, signing)},
    {.name = "workers",
     .kind = HF_KIND_UINT,
     .words = auto_words,
     .min = 1,
     .max = 256,
     .standard = "auto",
     .doc = "How many threads serve connections; `auto`: one for each core.",
     .example = "4",
     HF_KEY_FIELD(hf_config, workers)},
    {.name = "drain-delay",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 60 * HF_MINUTE_MS,
     .standard = "0",
     .doc = "How long connections are still accepted after SIGTERM or `handfast drain`, while "
            "`ready` of `probes` says 503 already: the time that load balancers need to notice.",
     .example = "10s",
     HF_KEY_FIELD(hf_config, drain_delay_ms)},
    {.name = "drain-timeout",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 7 * HF_DAY_MS,
     .standard = "30s",
     .doc = "How long open connections may go on after that.",
     .example = "5m",
     HF_KEY_FIELD(hf_config, drain_timeout_ms)},
    {.name = "identities",
     .kind = HF_KIND_NAMED,
     .section = &hf_section_identity,
     .doc = "Certificates with their keys, by name.",
     HF_KEY_NAMED(identities)},
    {.name = "roles",
     .kind = HF_KIND_ROLES,
     .doc = "Names for sets of clients, for the rules of routes and the rights of CAs. A role is a "
            "selector such as "
            "`spiffe://example.org/ops/*` or `cn:alice`, the name of another role, a list of which "
            "one must hold, or `{any: [...]}`, `{all: [...]}`, `{not: ...}`.",
     .example = "{ops: [\"spiffe://example.org/ops/*\", \"cn:alice\"]}",
     .offset = 0},
    {.name = "ca",
     .kind = HF_KIND_NAMED,
     .section = &hf_section_ca,
     .doc = "CAs that this daemon serves, by name.",
     HF_KEY_NAMED(cas)},
    {.name = "trust",
     .kind = HF_KIND_NAMED,
     .section = &hf_section_trust,
     .doc = "Roots to verify peers against, by name.",
     HF_KEY_NAMED(trusts)},
    {.name = "upstreams",
     .kind = HF_KIND_NAMED,
     .section = &hf_section_upstream,
     .doc = "Backends, by name.",
     HF_KEY_NAMED(upstreams)},
    {.name = "auth",
     .kind = HF_KIND_NAMED,
     .section = &hf_section_auth,
     .doc = "Tokens and passwords that routes may ask for, by name.",
     HF_KEY_NAMED(auth)},
    {.name = "listeners",
     .kind = HF_KIND_NAMED,
     .required = true,
     .section = &hf_section_listener,
     .doc = "Where clients connect, by name.",
     HF_KEY_NAMED(listeners)},
};

const struct hf_section hf_section_config = {.noun = "config",
                                             .doc = "",
                                             .size = sizeof(struct hf_config),
                                             .check = hf_check_config,
                                             HF_SECTION_KEYS(config_keys)};
