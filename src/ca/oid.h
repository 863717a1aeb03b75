// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_OID_H
#define HF_CA_OID_H

#include "base/bytes.h"

/* Object identifiers: the contents of their DER, and "1.3.6.1.5.5.7.3.2" or a word of ours. */

#define HF_OID_MAX       64 /* bytes of one */
#define HF_OID_TEXT_SIZE 192

/* hf_oid_parse reads dotted decimals. Errors: HF_E_INVALID. */
enum hf_err hf_oid_parse(const char *text, uint8_t out[static HF_OID_MAX],
                         size_t *out_len) HF_MUST_CHECK;

/* hf_oid_text writes them; "?" for what is no identifier. */
void hf_oid_text(struct hf_bytes oid, char out[static HF_OID_TEXT_SIZE]);

/* hf_eku_by_word knows "client-auth" and its likes; ptr NULL: it isn't one. hf_eku_word gives the
 * word; NULL: there is none. hf_eku_words ends with NULL. */
struct hf_bytes hf_eku_by_word(const char *word);
const char *hf_eku_word(struct hf_bytes oid);
extern const char *const hf_eku_words[];

#endif
