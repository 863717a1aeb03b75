// SPDX-License-Identifier: Apache-2.0
/* The keys of one upstream. */
#include "config/keys_impl.h"
#include "config/semantics.h"

static const struct hf_word balance_words[] = {{"round-robin", HF_BALANCE_ROUND_ROBIN},
                                               {"least-connections", HF_BALANCE_LEAST_CONNECTIONS},
                                               {"least-latency", HF_BALANCE_LEAST_LATENCY},
                                               {"hash", HF_BALANCE_HASH},
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
     .kind = HF_KIND_OBJECTS,
     .shorthand = true,
     .required = true,
     .section = &hf_section_server,
     .doc = "The backend's servers, at most 256.",
     .example = "[\"127.0.0.1:8080\"]",
     HF_KEY_FIELD(hf_cfg_upstream, servers),
     .n_offset = offsetof(struct hf_cfg_upstream, n_servers)},
    {.name = "balance",
     .kind = HF_KIND_ENUM,
     .words = balance_words,
     .standard = "round-robin",
     .doc =
         "How a server is chosen for a connection or request: `round-robin`, in turns; "
         "`least-connections`, the one with the fewest under way; `least-latency`, the better of "
         "two chosen by chance; `hash`, the same one for the same `hash-by`. All by `weight`. "
         "See [upstreams](upstreams.md).",
     .example = "least-connections",
     HF_KEY_FIELD(hf_cfg_upstream, balance)},
    {.name = "hash-by",
     .kind = HF_KIND_HASH_BY,
     .standard = "address",
     .doc =
         "What `balance: hash` looks at: the client's `address`, its `identity` (the name in its "
         "certificate), or, with HTTP, `header:NAME` or `cookie:NAME`. Who has none of it takes "
         "turns.",
     .example = "identity",
     .offset = 0},
    {.name = "hash-load-limit",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 10000,
     .standard = "0",
     .doc = "With `balance: hash`, how much more than its share a server may have before others "
            "help it, in percent: 125 is a quarter more. `0`: as much as comes.",
     .example = "125",
     HF_KEY_FIELD(hf_cfg_upstream, hash_load_limit)},
    {.name = "slow-start",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 60 * HF_MINUTE_MS,
     .standard = "10s",
     .doc =
         "How long a server that comes back (up again, or no longer ejected or drained) takes to "
         "grow into its share; `0`: none.",
     .example = "30s",
     HF_KEY_FIELD(hf_cfg_upstream, slow_start_ms)},
    {.name = "eject",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_eject,
     .doc = "Give servers a rest that fail again and again.",
     HF_KEY_FIELD(hf_cfg_upstream, eject)},
    {.name = "max-queue",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 1000000,
     .standard = "0",
     .doc = "How many may wait in each worker while all servers are at `max-connections` or "
            "`max-requests`; `0`: nobody waits, they are turned away at once.",
     .example = "100",
     HF_KEY_FIELD(hf_cfg_upstream, max_queue)},
    {.name = "queue-timeout",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = 10 * HF_MINUTE_MS,
     .standard = "5s",
     .doc = "How long one may wait in the queue before it is turned away.",
     .example = "2s",
     HF_KEY_FIELD(hf_cfg_upstream, queue_timeout_ms)},
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
    {.name = "forward",
     .kind = HF_KIND_SECTION,
     .section = &hf_section_forward,
     .doc = "What the backend is told of clients, with `mode: http`.",
     .mark_offset = offsetof(struct hf_cfg_upstream, forward_mark),
     HF_KEY_FIELD(hf_cfg_upstream, forward)},
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
