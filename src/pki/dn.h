// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_DN_H
#define HF_PKI_DN_H

/*
 * Distinguished names as RFC 4514 strings. Printable UTF-8 stays as it is; whatever
 * hf_printable_len refuses becomes RFC 4514's own "\0A", so that the text is both standard and safe
 * to show.
 */

#include <openssl/x509.h>

#include "base/buf.h"

/* hf_dn_append appends name in at most max bytes. A character that had to be escaped for being
 * unprintable, or a cut (then it ends with "..."), sets *mangled; it is never cleared. */
enum hf_err hf_dn_append(struct hf_buf *out, const X509_NAME *name, size_t max,
                         bool *mangled) HF_MUST_CHECK;

/* hf_dn_text writes name into out, which is always terminated; mangling is not told. Out of memory
 * gives "(name)". For sentences in fixed buffers. */
void hf_dn_text(const X509_NAME *name, char *out, size_t out_size);

#endif
