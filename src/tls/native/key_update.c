// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"

/* KeyUpdate (RFC 8446 4.6.3). The peer's keys change at once; an answer that it asks for is owed
 * until there is data to send, so that many requests cost one answer. */

enum hf_err hf_key_update_read(struct hf_native *conn, const struct hf_msg *msg)
{
    enum { NOT_REQUESTED = 0, REQUESTED = 1 };
    struct hf_reader reader = hf_reader_of(msg->body);
    uint8_t request;
    HF_TRY(hf_read_u8(&reader, &request));
    HF_TRY(hf_read_end(&reader));
    if (request != NOT_REQUESTED && request != REQUESTED) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER, "a request of %u", request);
    }
    if (++conn->n_key_updates > HF_NATIVE_KEY_UPDATES) {
        return hf_native_fail(conn, HF_ALERT_UNEXPECTED_MESSAGE,
                              "too many key updates in a row without data between");
    }
    hf_record_update_in(&conn->record);
    conn->update_asked = false;
    conn->update_owed = conn->update_owed || request == REQUESTED;
    return HF_OK;
}
