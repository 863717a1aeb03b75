// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_PUBLIC_IMPL_H
#define HF_CA_PUBLIC_IMPL_H

/* Shared by public.c and public_ocsp.c; for nobody else. */

#include <pthread.h>

#include "base/cache.h"
#include "ca/public.h"

struct hf_public {
    struct hf_service service; /* first */
    struct hf_public_options options;
    pthread_mutex_t mutex; /* of the two below: held for a moment */
    struct hf_public_view *view;
    bool closed; /* the crew is gone */
    struct hf_cache *answers;

    _Atomic int64_t renewing_s; /* the second in which so many answers were signed ahead */
    atomic_uint n_renewing;
};

/* hf_public_now gives a reference to what is shown. */
struct hf_public_view *hf_public_now(struct hf_public *public);

/* hf_public_work hands a task to the crew. Errors: HF_E_BUSY. */
enum hf_err hf_public_work(struct hf_public *public, struct hf_crew_task *task) HF_MUST_CHECK;

/* hf_public_not_changed: has the client got this already (RFC 9110 13.1)? modified: as it is sent.
 */
bool hf_public_not_changed(const struct hf_service_call *call, const char *etag,
                           const char *modified);

/* hf_public_ocsp answers a request to the responder; rest: what follows "/ocsp". */
void hf_public_ocsp(struct hf_public *public, struct hf_service_call *call, struct hf_bytes rest);

enum hf_err hf_public_cache_new(struct hf_cache **out) HF_MUST_CHECK;

#endif
