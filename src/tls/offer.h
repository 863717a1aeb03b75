// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_OFFER_H
#define HF_TLS_OFFER_H

/*
 * What each side offered, in words, for the sentence about a handshake that found nothing in
 * common. Numbers become the names of IANA's registries, those without a name here "0x1234"; GREASE
 * (RFC 8701) is left out. Only failures pay for this.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "pki/reason.h"

enum hf_offer_kind { HF_OFFER_VERSION, HF_OFFER_SUITE, HF_OFFER_GROUP, HF_OFFER_SCHEME };

#define HF_OFFER_TEXT 200 /* of one side; what doesn't fit is counted */

/* hf_offer_text writes "X25519MLKEM768, x25519 and 3 more"; "none" for an empty list. */
void hf_offer_text(enum hf_offer_kind kind, const uint16_t *list, size_t n,
                   char out[static HF_OFFER_TEXT]);

/* hf_offer_wire_text does so with a list as it stands in a ClientHello, without its length. */
void hf_offer_wire_text(enum hf_offer_kind kind, struct hf_bytes list,
                        char out[static HF_OFFER_TEXT]);

/* hf_offer_alpn_text writes names of a ProtocolNameList, without its length; what isn't printable
 * is escaped. */
void hf_offer_alpn_text(struct hf_bytes list, char out[static HF_OFFER_TEXT]);

#define HF_OFFER_WIRE_MAX 64 /* numbers of a list that are looked at */

/* hf_offer_numbers reads such a list into out, at most max; how many. */
size_t hf_offer_numbers(struct hf_bytes list, uint16_t *out, size_t max);

#endif
