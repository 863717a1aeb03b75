// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_STATUS_H
#define HF_HTTP_STATUS_H

#include "base/bytes.h"

/* hf_http_status_text gives the usual reason phrase; "" for a number without one. */
const char *hf_http_status_text(unsigned status);

/* hf_http_date writes Unix seconds as an HTTP date (IMF-fixdate, RFC 9110 5.6.7) with a NUL. Times
 * before 1970 or beyond year 9999 are written as the nearest that can be. */
#define HF_HTTP_DATE_SIZE 30
void hf_http_date(int64_t unix_s, char out[static HF_HTTP_DATE_SIZE]);

#endif
