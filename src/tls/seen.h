// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_SEEN_H
#define HF_TLS_SEEN_H

/*
 * struct hf_seen remembers CA certificates that peers sent, parsed: a whole fleet of clients sends
 * the same few intermediates, and parsing one costs as much as checking a signature. A certificate
 * found here is the same bytes and nothing more: it says nothing about trust.
 *
 * Any thread; none ever waits for another, who is too late parses for itself. At most HF_SEEN_MAX
 * certificates are held.
 */

#include <pthread.h>

#include "pki/cert.h"

#define HF_SEEN_MAX 32

struct hf_seen {
    pthread_mutex_t lock; /* only ever tried */
    struct hf_cert *slot[HF_SEEN_MAX];
};

void hf_seen_init(struct hf_seen *seen);
void hf_seen_done(struct hf_seen *seen);

/* hf_seen_der is hf_cert_from_der, hf_seen_x509 is hf_cert_from_x509, by way of the memory. */
enum hf_err hf_seen_der(struct hf_seen *seen, struct hf_bytes der,
                        struct hf_cert **out) HF_MUST_CHECK;
enum hf_err hf_seen_x509(struct hf_seen *seen, X509 *x509, struct hf_cert **out) HF_MUST_CHECK;

#endif
