// SPDX-License-Identifier: Apache-2.0
/*
 * An HTTP/2 connection. The frames and streams are ours, HPACK is nghttp2's: its sessions would
 * hold 25 KiB for a connection at rest, and everything that costs an attacker little would have to
 * be counted from outside.
 *
 *     feed -> h2_read     frames, their shape and order
 *               |-> h2_control       SETTINGS, PING, GOAWAY, RST_STREAM, WINDOW_UPDATE, PRIORITY
 *               |-> h2_section       HEADERS and CONTINUATION through HPACK
 *               |      `-> h2_field  what each field means; the checked message
 *               `-> h2_flow          DATA, windows
 *     take <- h2_take     what stands ready, then DATA of the streams, one frame each in turn
 *               ^-- h2_write, h2_encode
 *
 * Invariants. Frames are put into `out` in the order in which HPACK saw them. A stream that isn't
 * in the table is idle, or its past is known by hf_h2_past for the last 64. A dead connection
 * calls back no more, until hf_h2_free closes its streams.
 */
#include <string.h>

#include "base/mem.h"
#include "http/h2_impl.h"

enum { OUT_MAX = 4 << 20 };

const struct hf_h2_limits hf_h2_limits_default = {
    .n_streams_max = 128,
    .head_max = 32 << 10,
    .n_fields_max = 100,
    .n_continuations_max = 8,
    .table_max = HF_H2_TABLE_DEFAULT,
    .frame_max = HF_H2_FRAME_DEFAULT,
    .stream_window = 256 << 10,
    .connection_window = 4 << 20,
    .out_max = 64 << 10,
    .control_max = 64 << 10,
    .interval_ms = 10000,
    .n_resets_max = 500,
    .n_errors_max = 200,
    .n_settings_max = 50,
    .n_pings_max = 200,
    .n_priorities_max = 1000,
    .n_window_updates_max = 4000,
    .n_empty_max = 200,
};

static void *mem_malloc(size_t size, void *user)
{
    (void)user;
    return hf_alloc(size);
}

static void mem_free(void *block, void *user)
{
    (void)user;
    hf_free(block);
}

static void *mem_calloc(size_t n, size_t size, void *user)
{
    (void)user;
    return hf_alloc_zero(n, size);
}

static void *mem_realloc(void *block, size_t size, void *user)
{
    (void)user;
    return hf_realloc(block, size);
}

nghttp2_mem hf_h2_mem = {NULL, mem_malloc, mem_free, mem_calloc, mem_realloc};

const char *hf_h2_code_text(uint32_t code)
{
    static const char *const texts[] = {
#define CODE_ROW(id, number, text) [number] = (text),
        HF_H2_CODE_TABLE(CODE_ROW)
#undef CODE_ROW
    };
    return code < HF_N_ELEMENTS(texts) ? texts[code] : "unknown";
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void put_client_preface(struct hf_h2 *h2)
{
    struct hf_bytes preface =
        hf_bytes_of(NGHTTP2_CLIENT_MAGIC, NGHTTP2_CLIENT_MAGIC_LEN); /* RFC 9113 3.4 */
    if (hf_buf_append(&h2->out, preface) != HF_OK) {
        h2->dead = true;
    }
    h2->out_total += preface.len;
}

enum hf_err hf_h2_new(struct hf_h2 **out, const struct hf_h2_config *config, void *ctx)
{
    struct hf_h2 *h2 = HF_NEW(struct hf_h2);
    if (!h2) {
        return HF_E_NOMEM;
    }
    *h2 = (struct hf_h2){.config = config,
                         .ctx = ctx,
                         .need = config->server ? HF_H2_PREFACE_LEN : HF_H2_FRAME_HEAD,
                         .fault_text = "",
                         .next_id = 1,
                         .send_window = HF_H2_WINDOW_DEFAULT,
                         .recv_window = HF_H2_WINDOW_DEFAULT,
                         .peer_frame_max = HF_H2_FRAME_DEFAULT,
                         .peer_window = HF_H2_WINDOW_DEFAULT,
                         .peer_n_streams_max = 100, /* until its SETTINGS say (RFC 9113 6.5.2) */
                         .peer_head_max = UINT32_MAX,
                         .peer_table = HF_H2_TABLE_DEFAULT,
                         .out = HF_BUF_INIT(OUT_MAX)};
    hf_list_init(&h2->ready);
    hf_list_init(&h2->blocked);
    h2->state = config->server ? HF_H2_ST_PREFACE : HF_H2_ST_HEAD;
    if (!config->server) {
        put_client_preface(h2);
    }
    hf_h2_put_settings(h2);
    if (h2->dead || nghttp2_hd_inflate_new2(&h2->inflater, &hf_h2_mem) != 0) {
        hf_h2_free(h2);
        return HF_E_NOMEM;
    }
    *out = h2;
    return HF_OK;
}

/* Any stream, or NULL when there is none. */
static struct hf_h2_stream *any_stream(const struct hf_h2 *h2)
{
    for (size_t i = 0; i < HF_H2_N_BUCKETS; i++) {
        if (h2->bucket[i]) {
            return h2->bucket[i];
        }
    }
    return NULL;
}

/* nghttp2's own don't take NULL. */
static void drop_deflater(struct hf_h2 *h2)
{
    if (h2->deflater) {
        nghttp2_hd_deflate_del(h2->deflater);
        h2->deflater = NULL;
    }
}

static void drop_inflater(struct hf_h2 *h2)
{
    if (h2->inflater) {
        nghttp2_hd_inflate_del(h2->inflater);
        h2->inflater = NULL;
    }
}

void hf_h2_free(struct hf_h2 *h2)
{
    struct hf_h2_stream *stream;
    if (!h2) {
        return;
    }
    struct hf_h2_close why = {.code = h2->fault_code ? h2->fault_code : HF_H2_CANCEL,
                              .by_peer = h2->fault_by_peer || !h2->dead};
    h2->dead = true;
    while ((stream = any_stream(h2)) != NULL) {
        hf_h2_stream_close(stream, &why);
    }
    hf_h2_block_drop(h2);
    drop_inflater(h2);
    drop_deflater(h2);
    hf_buf_done(&h2->out);
    hf_free(h2);
}

void hf_h2_quiet(struct hf_h2 *h2)
{
    if (h2->n_streams > 0 || h2->dead) {
        return;
    }
    if (hf_buf_len(&h2->out) == 0) {
        hf_buf_release(&h2->out);
    }
    /* A new one begins by telling the peer to empty its table: h2_encode. */
    drop_deflater(h2);
}

void hf_h2_fail(struct hf_h2 *h2, enum hf_h2_code code, const char *text)
{
    if (h2->dead) {
        return;
    }
    h2->dead = true;
    if (!h2->fault_by_peer) {
        h2->fault_code = code;
        h2->fault_text = text;
    }
    hf_h2_put_goaway(h2, h2->last_id, code, text);
}

/* --- In and out ---------------------------------------------------------------------------------
 */

enum hf_err hf_h2_feed(struct hf_h2 *h2, struct hf_bytes bytes, int64_t now_ms)
{
    hf_h2_flood_tick(h2, now_ms);
    while (bytes.len && !h2->dead) {
        bytes = hf_bytes_from(bytes, hf_h2_read(h2, bytes));
    }
    if (!h2->dead) {
        return HF_OK;
    }
    return hf_fail(h2->fault_code == HF_H2_INTERNAL_ERROR ? HF_E_NOMEM : HF_E_PEER,
                   "HTTP/2 connection: %s (%s)", h2->fault_text, hf_h2_code_text(h2->fault_code));
}

bool hf_h2_wants_read(const struct hf_h2 *h2)
{
    return !h2->dead && hf_buf_len(&h2->out) <= h2->config->limits.control_max;
}

bool hf_h2_wants_write(const struct hf_h2 *h2)
{
    return hf_buf_len(&h2->out) > 0 || (!h2->dead && !hf_list_empty(&h2->ready));
}

bool hf_h2_is_over(const struct hf_h2 *h2)
{
    return h2->dead || (h2->n_streams == 0 && (h2->closing == 2 || h2->goaway_came));
}

struct hf_h2_fault hf_h2_fault(const struct hf_h2 *h2)
{
    return (struct hf_h2_fault){h2->fault_code, h2->fault_by_peer, h2->fault_text};
}

/* --- Ending -------------------------------------------------------------------------------------
 */

static const uint8_t shutdown_ping[8] = {'s', 'h', 'u', 't', 'd', 'o', 'w', 'n'};

enum hf_err hf_h2_shutdown(struct hf_h2 *h2)
{
    if (h2->dead || h2->closing) {
        return HF_OK;
    }
    if (h2->config->server) {
        /* What the peer has on its way is still served: the last stream is named a round trip
         * later, when the PING is answered. */
        h2->closing = 1;
        hf_h2_put_goaway(h2, HF_H2_ID_MAX, HF_H2_NO_ERROR, "");
        hf_h2_put_ping(h2, false, shutdown_ping);
        h2->n_pings++;
    } else {
        h2->closing = 2;
        hf_h2_put_goaway(h2, 0, HF_H2_NO_ERROR, "");
    }
    return h2->dead ? HF_E_NOMEM : HF_OK;
}

enum hf_err hf_h2_terminate(struct hf_h2 *h2, enum hf_h2_code code)
{
    hf_h2_fail(h2, code, "ended by this side");
    return HF_OK;
}

enum hf_err hf_h2_ping(struct hf_h2 *h2)
{
    static const uint8_t payload[8] = {'a', 'r', 'e', ' ', 'y', 'o', 'u', '?'};
    if (h2->dead || h2->n_pings > 0) {
        return HF_OK;
    }
    hf_h2_put_ping(h2, false, payload);
    h2->n_pings++;
    return h2->dead ? HF_E_NOMEM : HF_OK;
}

bool hf_h2_is_ponged(const struct hf_h2 *h2)
{
    return h2->n_pings == 0;
}

/* --- What others may know -----------------------------------------------------------------------
 */

bool hf_h2_is_settled(const struct hf_h2 *h2)
{
    return h2->settings_came && h2->settings_acked;
}

uint32_t hf_h2_n_streams(const struct hf_h2 *h2)
{
    return h2->n_streams;
}

uint32_t hf_h2_n_openable(const struct hf_h2 *h2)
{
    uint32_t ours = h2->config->limits.n_streams_max;
    uint32_t max = h2->peer_n_streams_max < ours ? h2->peer_n_streams_max : ours;
    if (h2->dead || h2->config->server || h2->goaway_came || h2->closing ||
        h2->next_id > HF_H2_ID_MAX) {
        return 0;
    }
    return h2->n_streams < max ? max - h2->n_streams : 0;
}

bool hf_h2_takes_upgrades(const struct hf_h2 *h2)
{
    return h2->peer_takes_upgrades;
}
