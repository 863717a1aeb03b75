// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_ROW_JSON_H
#define HF_CA_ROW_JSON_H

/* Rows of the store as JSON, the same for `handfast ca ... --json` and the API. Each gives NULL
 * when out of memory. */

#include <jansson.h>

#include "ca/authority.h"

/* hf_store_status_name gives "good", "held", "revoked". */
const char *hf_store_status_name(enum hf_store_status status);

/* hf_row_serial writes a serial number as everywhere else: lower-case hex, no leading zeros. */
void hf_row_serial(struct hf_bytes serial, char out[static 2 * HF_STORE_SERIAL_MAX + 1]);

/* hf_row_when is a time: RFC 3339, or null for 0. */
json_t *hf_row_when(int64_t at);

/* set gives the names of authorities; NULL: left out. */
json_t *hf_row_cert(const struct hf_store_cert *row, const struct hf_authorities *set, int64_t now);
json_t *hf_row_request(const struct hf_store_request *row);
json_t *hf_row_token(const struct hf_store_token *row);
json_t *hf_row_audit(const struct hf_store_audit *row);
json_t *hf_row_authority(const struct hf_authority *authority);

#endif
