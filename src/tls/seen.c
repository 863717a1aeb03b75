// SPDX-License-Identifier: Apache-2.0
#include "tls/seen.h"

/*
 * A table with one place for each hash, where the newest stays. The hash is of the end of the
 * certificate, which is its signature and differs between any two.
 */

#include "base/map.h"

enum { HASHED = 32 };

static struct hf_cert **place_of(struct hf_seen *seen, struct hf_bytes der)
{
    size_t skipped = der.len > HASHED ? der.len - HASHED : 0;
    return &seen->slot[hf_hash64(hf_bytes_from(der, skipped)) % HF_SEEN_MAX];
}

void hf_seen_init(struct hf_seen *seen)
{
    *seen = (struct hf_seen){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void hf_seen_done(struct hf_seen *seen)
{
    for (size_t i = 0; i < HF_SEEN_MAX; i++) {
        hf_cert_unref(seen->slot[i]);
        seen->slot[i] = NULL;
    }
}

/* A reference, or NULL. */
static struct hf_cert *find(struct hf_seen *seen, struct hf_bytes der)
{
    struct hf_cert *found = NULL;
    struct hf_cert **place = place_of(seen, der);
    if (pthread_mutex_trylock(&seen->lock) == 0) {
        if (*place && hf_bytes_eq((*place)->der, der)) {
            found = hf_cert_ref(*place);
        }
        (void)pthread_mutex_unlock(&seen->lock);
    }
    return found;
}

/* Leaves come once each; they would only push out what comes again. */
static void remember(struct hf_seen *seen, struct hf_cert *cert)
{
    struct hf_cert *old = NULL;
    if (cert->is_ca && pthread_mutex_trylock(&seen->lock) == 0) {
        struct hf_cert **place = place_of(seen, cert->der);
        old = *place;
        *place = hf_cert_ref(cert);
        (void)pthread_mutex_unlock(&seen->lock);
    }
    hf_cert_unref(old);
}

enum hf_err hf_seen_der(struct hf_seen *seen, struct hf_bytes der, struct hf_cert **out)
{
    *out = find(seen, der);
    if (*out) {
        return HF_OK;
    }
    HF_TRY(hf_cert_from_der(der, out));
    remember(seen, *out);
    return HF_OK;
}

enum hf_err hf_seen_x509(struct hf_seen *seen, X509 *x509, struct hf_cert **out)
{
    uint8_t *encoded = NULL;
    int len = i2d_X509(x509, &encoded); /* a copy of what was parsed */
    *out = len > 0 ? find(seen, hf_bytes_of(encoded, (size_t)len)) : NULL;
    OPENSSL_free(encoded);
    if (*out) {
        return HF_OK;
    }
    HF_TRY(hf_cert_from_x509(x509, out));
    remember(seen, *out);
    return HF_OK;
}
