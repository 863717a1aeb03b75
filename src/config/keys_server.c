// SPDX-License-Identifier: Apache-2.0
/* The keys of one server of an upstream, and of how servers are watched. */
#include "config/keys_impl.h"
#include "config/semantics.h"

/* --- A server ----------------------------------------------------------------------------------*/

static const struct hf_key server_keys[] = {
    {.name = "address",
     .kind = HF_KIND_SERVER,
     .required = true,
     .doc = "Where it is: `host:port`, `address:port`, `[address]:port` or `unix:/path`. Names are "
            "looked up when they are needed, and again by their TTL.",
     .example = "127.0.0.1:8080",
     .offset = 0},
    {.name = "weight",
     .kind = HF_KIND_UINT,
     .min = 1,
     .max = HF_SERVER_WEIGHT_MAX,
     .standard = "1",
     .doc = "Its share: one with weight 3 gets three times what one with weight 1 gets.",
     .example = "3",
     HF_KEY_FIELD(hf_cfg_server, weight)},
    {.name = "max-connections",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 10000000,
     .standard = "0",
     .doc = "How many connections to it may be open at once, over all workers; `0`: no limit.",
     .example = "100",
     HF_KEY_FIELD(hf_cfg_server, max_connections)},
    {.name = "max-requests",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 10000000,
     .standard = "0",
     .doc = "How many requests it may be working on at once, over all workers; in TCP mode a "
            "connection is a request. `0`: no limit.",
     .example = "50",
     HF_KEY_FIELD(hf_cfg_server, max_requests)},
};

const struct hf_section hf_section_server = {
    .noun = "server",
    .doc = "One server of an upstream. Just its address may stand in place of the mapping.",
    .size = sizeof(struct hf_cfg_server),
    HF_SECTION_KEYS(server_keys)};

/* --- eject -------------------------------------------------------------------------------------*/

static const struct hf_word answers_words[] = {{"none", HF_EJECT_ANSWERS_NONE},
                                               {"gateway", HF_EJECT_ANSWERS_GATEWAY},
                                               {"5xx", HF_EJECT_ANSWERS_5XX},
                                               {NULL, 0}};

static const struct hf_key eject_keys[] = {
    {.name = "after",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 10000,
     .standard = "5",
     .doc = "How many failures in a row take a server out; `0`: none ever do. A failure is a "
            "connection that can't be made or breaks, TLS that fails, a time-out, and `answers`.",
     .example = "3",
     HF_KEY_FIELD(hf_cfg_eject, after)},
    {.name = "within",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = HF_DAY_MS,
     .standard = "30s",
     .doc = "How near together these failures must be, the first to the last.",
     .example = "10s",
     HF_KEY_FIELD(hf_cfg_eject, within_ms)},
    {.name = "answers",
     .kind = HF_KIND_ENUM,
     .words = answers_words,
     .standard = "gateway",
     .doc = "Which answers are failures too: `none`, `gateway` (502, 503 and 504), or all `5xx`.",
     .example = "5xx",
     HF_KEY_FIELD(hf_cfg_eject, answers)},
    {.name = "time",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = HF_DAY_MS,
     .standard = "10s",
     .doc =
         "How long the server stays out. Twice as long each time that it is ejected again within "
         "`max-time` of its return.",
     .example = "30s",
     HF_KEY_FIELD(hf_cfg_eject, time_ms)},
    {.name = "max-time",
     .kind = HF_KIND_DURATION,
     .min = 1,
     .max = HF_DAY_MS,
     .standard = "5m",
     .doc = "The longest that it stays out.",
     .example = "10m",
     HF_KEY_FIELD(hf_cfg_eject, max_time_ms)},
    {.name = "max-percent",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 100,
     .standard = "50",
     .doc = "How many of the upstream's servers may be out at once, in percent. With 50, the one "
            "server of an upstream is never ejected, and of two or three one is.",
     .example = "30",
     HF_KEY_FIELD(hf_cfg_eject, max_percent)},
};

const struct hf_section hf_section_eject = {
    .noun = "eject",
    .doc = "When a server is given a rest because of what came of its traffic.",
    .size = sizeof(struct hf_cfg_eject),
    .check = hf_check_eject,
    HF_SECTION_KEYS(eject_keys)};
