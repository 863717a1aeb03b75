// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_PROBE_IMPL_H
#define HF_PROXY_PROBE_IMPL_H

/* What the files of a probe share; for nobody else. */

#include "proxy/probe.h"
#include "proxy/server_check.h"
#include "proxy/upstream.h"

enum { HF_PROBE_WHY_MAX = 256, HF_PROBE_FIELDS_MAX = 100, HF_PROBE_HEAD_MAX = 32 << 10 };

/* What is spoken once the connection stands. start writes the question; read takes what came, and
 * may end the probe; eof: nothing more will come; done gives back what it holds. */
struct hf_probe_speech {
    void (*start)(struct hf_probe *probe);
    void (*read)(struct hf_probe *probe, struct hf_bytes bytes);
    void (*eof)(struct hf_probe *probe);
    void (*done)(struct hf_probe *probe);
};

extern const struct hf_probe_speech hf_probe_h1;
extern const struct hf_probe_speech hf_probe_h2;
extern const struct hf_h2_events hf_probe_h2_events;

struct hf_probe {
    struct hf_probe_env *env;
    const struct hf_cfg_check *cfg;
    hf_probe_fn *on_end;
    void *ctx;
    const struct hf_probe_speech *speech; /* NULL: none yet, or none needed */
    struct hf_cfg_server target_cfg;      /* the server's, with the check's port */
    struct hf_server target;
    struct hf_dial *dial;
    struct hf_leg leg;
    bool handshaking;
    bool ended;
    struct hf_server_check check;
    struct hf_timer deadline;
    struct hf_task free_task;
    char why[HF_PROBE_WHY_MAX];

    struct hf_h1 h1;
    struct hf_http_field fields[HF_PROBE_FIELDS_MAX];
    struct hf_buf in;

    struct hf_h2 *h2;
    struct hf_h2_stream *stream; /* NULL: not asked, or over */
    struct hf_buf body;
    unsigned status;
};

/* hf_probe_good and hf_probe_bad end it; later calls are of no effect. */
void hf_probe_good(struct hf_probe *probe);
void hf_probe_bad(struct hf_probe *probe, const char *format, ...) HF_PRINTF(2, 3);

/* hf_probe_write sends bytes of the question. */
void hf_probe_write(struct hf_probe *probe, struct hf_bytes bytes);

/* hf_probe_authority appends the host to ask for, with its port where that isn't the usual. */
enum hf_err hf_probe_authority(const struct hf_probe *probe, struct hf_buf *out) HF_MUST_CHECK;

/* hf_probe_serving_status gives the status in a gRPC message with a HealthCheckResponse: 0 UNKNOWN
 * (so are values of later versions), 1 SERVING, 2 NOT_SERVING, 3 SERVICE_UNKNOWN; -1: malformed. */
int hf_probe_serving_status(struct hf_bytes body);

/* hf_probe_judge_status ends the probe by the status of a whole head. */
void hf_probe_judge_status(struct hf_probe *probe, unsigned status);

#endif
