// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_ENCODE_H
#define HF_HTTP_ENCODE_H

/*
 * Spellings of bytes and names that may stand in a header or in a line of an access log. Each
 * appends to out; errors: those of hf_buf, and part of the text may then have been appended.
 */

#include "base/buf.h"

/* hf_append_pem_escaped appends a certificate's DER as PEM with its line breaks and spaces, and
 * "+", "/" and "=", percent-encoded: Envoy's Cert, nginx's $ssl_client_escaped_cert. */
enum hf_err hf_append_pem_escaped(struct hf_buf *out, struct hf_bytes der) HF_MUST_CHECK;

enum hf_text_flag {
    HF_TEXT_UTF8 = 1,    /* valid UTF-8 passes */
    HF_TEXT_QUOTED = 2,  /* a double quote becomes \x22 */
    HF_TEXT_ELEMENT = 4, /* a comma becomes \x2c */
    HF_TEXT_ESCAPED = 8, /* backslashes are escapes already: they pass */
    HF_TEXT_DN = 16,     /* RFC 4514: the same, and escapes are \NN (section 2.4) */
};

/* hf_append_safe appends text so that it stays within its header or line: visible ASCII passes,
 * and spaces that aren't at an end; other bytes become \xNN, a backslash \\ . */
enum hf_err hf_append_safe(struct hf_buf *out, struct hf_bytes text, unsigned flags) HF_MUST_CHECK;

/* hf_append_dn_strict appends an RFC 4514 name with every escaped character as \NN, so that it
 * holds no quote and no backslash before anything but hex digits: readers of quoted strings that
 * differ on what a backslash does read the same end. */
enum hf_err hf_append_dn_strict(struct hf_buf *out, struct hf_bytes dn) HF_MUST_CHECK;

#endif
