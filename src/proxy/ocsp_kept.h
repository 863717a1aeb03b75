// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_OCSP_KEPT_H
#define HF_PROXY_OCSP_KEPT_H

/*
 * struct hf_ocsp_kept is what responders have answered about peers, on disk, so that a restart
 * while a responder is down shuts nobody out. In the folder `answers` of the state folder:
 *
 *     new    records as they came, each with its length and checksum
 *     old    the ones before: when new is full it takes the place of old
 *
 * Who is revoked goes along until his certificate is over, as far as half a file holds them; so old
 * may be that much larger.
 *
 * A record holds the answer and both certificates byte for byte, and an answer is believed as if it
 * had just come: signature, signer and certificate are checked again when it is asked for. What is
 * torn or damaged is passed over with a warning. Control thread.
 */

#include "base/log.h"
#include "pki/ocsp_memory.h"

#define HF_OCSP_KEPT_MAX (8u << 20) /* a sensible size of each file */

struct hf_ocsp_kept;

/* hf_ocsp_kept_open makes the folder and looks through both files; new is full at max bytes.
 * Errors: HF_E_IO, HF_E_PERMISSION (others can write in it), HF_E_NOMEM. */
enum hf_err hf_ocsp_kept_open(const char *state, size_t max, struct hf_log *log,
                              struct hf_ocsp_kept **out) HF_MUST_CHECK;

/* hf_ocsp_kept_free flushes to the disk. NULL is fine. */
void hf_ocsp_kept_free(struct hf_ocsp_kept *kept);

/* hf_ocsp_kept_add appends what an answer said. When the disk fails the log says so, once until it
 * goes well again; the answer counts all the same. */
void hf_ocsp_kept_add(struct hf_ocsp_kept *kept, const struct hf_ocsp_key *key,
                      const struct hf_cert *cert, const struct hf_cert *issuer,
                      const struct hf_ocsp_known *known, struct hf_bytes answer);

/* hf_ocsp_kept_find reads and checks what was kept of a certificate. Errors: HF_E_NOT_FOUND, and in
 * words those of hf_cert_from_der, hf_ocsp_answer_read and hf_ocsp_known_new: it is then forgotten.
 */
enum hf_err hf_ocsp_kept_find(struct hf_ocsp_kept *kept, const struct hf_ocsp_key *key,
                              int64_t now_s, struct hf_ocsp_known **out) HF_MUST_CHECK;

/* hf_ocsp_kept_restore puts all that is revoked in memory, so that no older answer that a peer
 * shows is believed first; the rest comes when it is asked for. *out_n: so many there are in all.
 * One that can't be believed is told in the log. Errors: HF_E_NOMEM. */
enum hf_err hf_ocsp_kept_restore(struct hf_ocsp_kept *kept, int64_t now_s,
                                 struct hf_ocsp_memory *memory, size_t *out_n) HF_MUST_CHECK;

#endif
