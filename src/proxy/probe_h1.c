// SPDX-License-Identifier: Apache-2.0
/* GET over HTTP/1.1. The head decides; a body is not waited for, the connection is ours alone. */
#include <string.h>

#include "http/h1_write.h"
#include "proxy/probe_impl.h"

static enum hf_err write_request(struct hf_probe *probe, struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf host = HF_BUF_INIT(512);
    struct hf_h1_writer writer = {0};
    struct hf_h1_plan plan = {.framing = HF_H1_NONE, .connection = HF_H1_CONNECTION_CLOSE};
    HF_TRY(hf_probe_authority(probe, &host));
    HF_TRY(hf_h1_write_request(&writer, out, hf_bytes_str("GET"),
                               hf_bytes_str(probe->cfg->path.value)));
    HF_TRY(hf_h1_write_field(&writer, out, hf_bytes_str("Host"), hf_buf_bytes(&host)));
    HF_TRY(hf_h1_write_field_str(&writer, out, "User-Agent", "handfast-check"));
    HF_TRY(hf_h1_write_field_str(&writer, out, "Accept", "*/*"));
    return hf_h1_write_head_end(&writer, out, &plan);
}

static void start(struct hf_probe *probe)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(HF_PROBE_HEAD_MAX);
    probe->in = HF_BUF_INIT(HF_PROBE_HEAD_MAX + 1);
    hf_h1_init(&probe->h1, HF_H1_RESPONSES, &hf_h1_limits_default, probe->fields,
               HF_PROBE_FIELDS_MAX);
    hf_h1_expect(&probe->h1, HF_METHOD_GET, false);
    if (write_request(probe, &out) != HF_OK) {
        hf_probe_bad(probe, "%s", hf_err_text());
        return;
    }
    hf_probe_write(probe, hf_buf_bytes(&out));
}

/* True: an interim answer was passed over, look again. */
static bool look(struct hf_probe *probe)
{
    switch (hf_h1_head(&probe->h1, hf_buf_bytes(&probe->in))) {
    case HF_H1_MORE:
        return false;
    case HF_H1_HEAD:
        if (!probe->h1.head.interim) {
            hf_probe_judge_status(probe, probe->h1.head.status);
            return false;
        }
        hf_buf_consume(&probe->in, probe->h1.head.len);
        hf_h1_next(&probe->h1);
        return true;
    default:
        hf_probe_bad(probe, "the answer isn't HTTP/1.1: %s", hf_http_fault_text(probe->h1.fault));
        return false;
    }
}

static void take(struct hf_probe *probe, struct hf_bytes bytes)
{
    if (hf_buf_append(&probe->in, bytes) != HF_OK) {
        hf_probe_bad(probe, "the head of the answer is too large");
        return;
    }
    while (look(probe)) {
    }
}

static void eof(struct hf_probe *probe)
{
    hf_probe_bad(probe, "the server closed without an answer");
}

static void done(struct hf_probe *probe)
{
    hf_buf_done(&probe->in);
}

const struct hf_probe_speech hf_probe_h1 = {start, take, eof, done};
