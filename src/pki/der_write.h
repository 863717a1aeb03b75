// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_DER_WRITE_H
#define HF_PKI_DER_WRITE_H

/*
 * DER written into a buffer, from the outside in:
 *
 *     size_t list;
 *     HF_TRY(hf_der_open(out, HF_DER_SEQUENCE, &list));
 *     HF_TRY(hf_der_put(out, HF_DER_OCTET_STRING, bytes));
 *     HF_TRY(hf_der_close(out, list));
 *
 * Elements nest, and are closed in the order opposite to that of opening. A close moves what is
 * inside by the bytes of its length, so that depth costs and size doesn't.
 *
 * Errors of all: HF_E_TOO_LARGE (the buffer's cap), HF_E_NOMEM. After one, what was written is of
 * no use.
 */

#include "base/buf.h"
#include "pki/der.h"
#include "pki/serials.h"

enum hf_err hf_der_open(struct hf_buf *out, uint8_t tag, size_t *out_at) HF_MUST_CHECK;
enum hf_err hf_der_close(struct hf_buf *out, size_t at) HF_MUST_CHECK;

/* hf_der_put writes one element with this content. */
enum hf_err hf_der_put(struct hf_buf *out, uint8_t tag, struct hf_bytes content) HF_MUST_CHECK;

/* hf_der_put_serial writes an INTEGER, hf_der_put_number a small one, hf_der_put_bool a BOOLEAN. */
enum hf_err hf_der_put_serial(struct hf_buf *out, const struct hf_serial *serial) HF_MUST_CHECK;
enum hf_err hf_der_put_number(struct hf_buf *out, uint8_t tag, uint8_t number) HF_MUST_CHECK;
enum hf_err hf_der_put_bool(struct hf_buf *out, bool value) HF_MUST_CHECK;

/* hf_der_put_time writes a GeneralizedTime, YYYYMMDDHHMMSSZ. Errors also: HF_E_INVALID (no year of
 * four digits). */
enum hf_err hf_der_put_time(struct hf_buf *out, int64_t at) HF_MUST_CHECK;

#endif
