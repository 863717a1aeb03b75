// SPDX-License-Identifier: Apache-2.0
/* A file of kept answers by OCSP, whatever it may hold; input that is no record is taken for the
 * body of one, so that what stands behind the checksum is reached. What was read is written the
 * same. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "proxy/ocsp_record.h"

enum { NOW = 1800000000 };

static void look_at(struct hf_bytes body)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf again = HF_BUF_INIT(2 * HF_OCSP_RECORD_MAX);
    struct hf_ocsp_record record;
    struct hf_ocsp_known *known = NULL;
    if (body.len > HF_OCSP_RECORD_MAX || hf_ocsp_record_read(body, &record) != HF_OK) {
        return;
    }
    bool same = hf_ocsp_record_write(&record, &again) == HF_OK && hf_buf_len(&again) == body.len &&
                memcmp(hf_buf_bytes(&again).ptr + 1, body.ptr + 1, body.len - 1) == 0;
    if (!same) { /* but for flags that nobody has given a meaning */
        abort();
    }
    bool believed = hf_ocsp_record_believe(&record, NOW, &known) == HF_OK;
    if (believed != (known != NULL) || (known && known->got_at > NOW)) {
        abort();
    }
    hf_ocsp_known_unref(known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_reader reader = hf_reader_of(hf_bytes_of(data, size));
    struct hf_bytes body;
    bool framed = false;
    while (reader.rest.len && hf_ocsp_record_next(&reader, &body) == HF_OK) {
        framed = true;
        look_at(body);
    }
    if (!framed) {
        look_at(hf_bytes_of(data, size));
    }
    return 0;
}
