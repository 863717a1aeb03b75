// SPDX-License-Identifier: Apache-2.0
/*
 * Frames going out, but for field sections and data. A frame that can't be put ends the connection:
 * answers must not get lost.
 */
#include <string.h>

#include "http/h2_impl.h"

enum hf_err hf_h2_put_frame(struct hf_h2 *h2, enum hf_h2_type type, unsigned flags, uint32_t id,
                            size_t len, uint8_t **out_payload)
{
    struct hf_span room;
    HF_TRY(hf_buf_reserve(&h2->out, HF_H2_FRAME_HEAD + len, &room));
    hf_h2_u32_write(room.ptr, (uint32_t)len << 8 | type);
    room.ptr[4] = (uint8_t)flags;
    hf_h2_u32_write(room.ptr + 5, id);
    hf_buf_commit(&h2->out, HF_H2_FRAME_HEAD + len);
    h2->out_total += HF_H2_FRAME_HEAD + len;
    h2->tail_id = 0;
    *out_payload = room.ptr + HF_H2_FRAME_HEAD;
    return HF_OK;
}

/* For frames that must not get lost; NULL: the connection has ended. */
static uint8_t *put(struct hf_h2 *h2, enum hf_h2_type type, unsigned flags, uint32_t id, size_t len)
{
    uint8_t *payload;
    if (hf_h2_put_frame(h2, type, flags, id, len, &payload) == HF_OK) {
        return payload;
    }
    if (!h2->dead) {
        h2->dead = true; /* no GOAWAY: there is no room for one either */
        h2->fault_code = HF_H2_INTERNAL_ERROR;
        h2->fault_text = "out of memory";
    }
    return NULL;
}

void hf_h2_put_u32(struct hf_h2 *h2, enum hf_h2_type type, uint32_t id, uint32_t value)
{
    uint8_t *payload = put(h2, type, 0, id, 4);
    if (payload) {
        hf_h2_u32_write(payload, value);
    }
}

void hf_h2_put_ping(struct hf_h2 *h2, bool ack, const uint8_t data[static 8])
{
    uint8_t *payload = put(h2, HF_H2_PING, ack ? HF_H2_ACK : 0, 0, 8);
    if (payload) {
        memcpy(payload, data, 8);
    }
}

void hf_h2_put_goaway(struct hf_h2 *h2, uint32_t last_id, uint32_t code, const char *text)
{
    struct hf_bytes words = hf_bytes_str(text);
    uint8_t *payload = put(h2, HF_H2_GOAWAY, 0, 0, 8 + words.len);
    if (payload) {
        hf_h2_u32_write(payload, last_id);
        hf_h2_u32_write(payload + 4, code);
        memcpy(payload + 8, words.ptr, words.len);
    }
}

void hf_h2_put_settings(struct hf_h2 *h2)
{
    const struct hf_h2_config *config = h2->config;
    const struct hf_h2_limits *limits = &config->limits;
    bool server = config->server;
    const struct {
        enum hf_h2_setting id;
        uint32_t value;
        bool wanted;
    } settings[] = {
        {HF_H2_SET_TABLE_SIZE, limits->table_max, limits->table_max != HF_H2_TABLE_DEFAULT},
        {HF_H2_SET_ENABLE_PUSH, 0, !server},
        {HF_H2_SET_MAX_STREAMS, server ? limits->n_streams_max : 0, true},
        {HF_H2_SET_WINDOW, limits->stream_window, true},
        {HF_H2_SET_FRAME_SIZE, limits->frame_max, limits->frame_max != HF_H2_FRAME_DEFAULT},
        {HF_H2_SET_HEAD_SIZE, limits->head_max, true},
        {HF_H2_SET_CONNECT_PROTOCOL, 1, server && config->connect_protocol},
        {HF_H2_SET_NO_PRIORITIES, 1, true},
    };
    size_t n = 0;
    for (size_t i = 0; i < HF_N_ELEMENTS(settings); i++) {
        n += settings[i].wanted;
    }
    uint8_t *payload = put(h2, HF_H2_SETTINGS, 0, 0, 6 * n);
    for (size_t i = 0; i < HF_N_ELEMENTS(settings) && payload; i++) {
        if (settings[i].wanted) {
            payload[0] = 0;
            payload[1] = (uint8_t)settings[i].id;
            hf_h2_u32_write(payload + 2, settings[i].value);
            payload += 6;
        }
    }
    uint32_t window = limits->connection_window;
    if (window > HF_H2_WINDOW_DEFAULT) { /* no setting for this one */
        hf_h2_put_u32(h2, HF_H2_WINDOW_UPDATE, 0, window - HF_H2_WINDOW_DEFAULT);
        h2->recv_window = (int32_t)window;
    }
}

void hf_h2_put_settings_ack(struct hf_h2 *h2)
{
    (void)put(h2, HF_H2_SETTINGS, HF_H2_ACK, 0, 0);
}
