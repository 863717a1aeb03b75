// SPDX-License-Identifier: Apache-2.0
/* The keys of a listener's probes. */
#include "config/keys_impl.h"
#include "config/semantics.h"

static const struct hf_key probes_keys[] = {
    {.name = "from",
     .kind = HF_KIND_CIDR,
     .required = true,
     .doc = "The networks that may ask, such as those of load balancers. By the connection's "
            "address, or that in its PROXY header; never by a header of the request.",
     .example = "[10.0.0.0/8, 127.0.0.1]",
     HF_KEY_ARRAY(hf_cfg_probes, from)},
    {.name = "live",
     .kind = HF_KIND_PLAIN_PATH,
     .standard = "/healthz",
     .doc = "Answers 200 for as long as the proxy runs.",
     .example = "/livez",
     HF_KEY_FIELD(hf_cfg_probes, live)},
    {.name = "ready",
     .kind = HF_KIND_PLAIN_PATH,
     .standard = "/readyz",
     .doc = "Answers 200 while new connections are welcome, and 503 from the moment that the "
            "proxy drains (see `drain-delay`), or while one of `needs` has no server.",
     .example = "/health/ready",
     HF_KEY_FIELD(hf_cfg_probes, ready)},
    {.name = "upstreams",
     .kind = HF_KIND_PLAIN_PATH,
     .doc = "With a slash and the name of an upstream of this listener behind it, answers 200 "
            "while that has a server that takes new work, otherwise 503. Default: nowhere.",
     .example = "/upstreamz",
     HF_KEY_FIELD(hf_cfg_probes, upstreams)},
    {.name = "needs",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_upstream,
     .doc = "Upstreams without which the proxy isn't `ready`. Where all nodes share one, its "
            "failure takes all of them out of service at once. Default: none.",
     .example = "[app]",
     HF_KEY_ARRAY(hf_cfg_probes, needs)},
};

const struct hf_section hf_section_probes = {
    .noun = "probes",
    .doc = "Paths that the proxy answers by itself, to load balancers and the like. A client from "
           "`from` needs no certificate for them: without one it gets these, and nothing else. To "
           "everybody else they are paths like all others.",
    .size = sizeof(struct hf_cfg_probes),
    .check = hf_check_probes,
    HF_SECTION_KEYS(probes_keys)};
