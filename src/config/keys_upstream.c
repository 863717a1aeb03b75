// SPDX-License-Identifier: Apache-2.0
/* The keys of one upstream. */
#include "config/keys_impl.h"
#include "config/semantics.h"

static const struct hf_word balance_words[] = {{"round-robin", HF_BALANCE_ROUND_ROBIN},
                                               {"least-connections", HF_BALANCE_LEAST_CONNECTIONS},
                                               {NULL, 0}};
static const struct hf_word protocol_words[] = {{"http/1.1", HF_PROTOCOL_HTTP1},
                                                {"h2", HF_PROTOCOL_H2},
                                                {"h2c", HF_PROTOCOL_H2C},
                                                {"auto", HF_PROTOCOL_AUTO},
                                                {NULL, 0}};
static const struct hf_word proxy_words[] = {{"none", HF_PROXY_OUT_NONE},
                                             {"v1", HF_PROXY_OUT_V1},
                                             {"v2", HF_PROXY_OUT_V2},
                                             {"v2-tls", HF_PROXY_OUT_V2_TLS},
                                             {NULL, 0}};

static const struct hf_key upstream_keys[] = {
    {.name = "servers",
     .kind = HF_KIND_SERVER,
     .required = true,
     .doc = "The backend's servers: `host:port`, `address:port`, `[address]:port` or "
            "`unix:/path`. Names are looked up when they are needed, and again by their TTL.",
     .example = "[\"127.0.0.1:8080\"]",
     HF_KEY_ARRAY(hf_cfg_upstream, servers)},
    {.name = "balance",
     .kind = HF_KIND_ENUM,
     .words = balance_words,
     .standard = "round-robin",
     .doc = "How a server is chosen for a connection.",
     .example = "least-connections",
     HF_KEY_FIELD(hf_cfg_upstream, balance)},
    {.name = "connect-timeout",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = 10 * HF_MINUTE_MS,
     .standard = "5s",
     .doc = "How long to wait for one server before the next is tried.",
     .example = "2s",
     HF_KEY_FIELD(hf_cfg_upstream, connect_timeout_ms)},
    {.name = "proxy-protocol",
     .kind = HF_KIND_ENUM,
     .words = proxy_words,
     .standard = "none",
     .doc = "The PROXY protocol header to send first: `v1`, `v2`, or `v2-tls`, which also tells "
            "TLS version, cipher and the client's certificate.",
     .example = "v2-tls",
     HF_KEY_FIELD(hf_cfg_upstream, proxy_out)},
    {.name = "protocol",
     .kind = HF_KIND_ENUM,
     .words = protocol_words,
     .standard = "http/1.1",
     .doc = "What is spoken with the servers for listeners in `mode: http`: `http/1.1`; `h2` over "
            "TLS; `h2c`, HTTP/2 in plain text; `auto` over TLS, whichever the server chooses.",
     .example = "h2",
     .mark_offset = offsetof(struct hf_cfg_upstream, protocol_mark),
     HF_KEY_FIELD(hf_cfg_upstream, protocol)},
    {.name = "tls",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_upstream_tls,
     .doc = "Speak TLS with the backend.",
     .set_offset = offsetof(struct hf_cfg_upstream, tls_on),
     .offset = 0},
};

const struct hf_section hf_section_upstream = {
    .noun = "upstream",
    .doc = "A backend that listeners relay to.",
    .sample = "upstreams:\n  app:\n    servers: [\"127.0.0.1:8080\"]\n",
    .size = sizeof(struct hf_cfg_upstream),
    .check = hf_check_upstream,
    HF_SECTION_KEYS(upstream_keys)};
