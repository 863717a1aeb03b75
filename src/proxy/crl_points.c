// SPDX-License-Identifier: Apache-2.0
#include "proxy/crl_points.h"

#include <openssl/x509v3.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "pki/crl.h"

static const int extensions[] = {NID_crl_distribution_points, NID_freshest_crl};

/* Printable, whole, http or https. */
static bool take_text(const ASN1_IA5STRING *uri, char out[static HF_CRL_URI_MAX + 1])
{
    const uint8_t *text = ASN1_STRING_get0_data(uri);
    size_t len = (size_t)ASN1_STRING_length(uri);
    if (len == 0 || len > HF_CRL_URI_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return false;
        }
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return strncasecmp(out, "http://", 7) == 0 || strncasecmp(out, "https://", 8) == 0;
}

struct walk {
    hf_crl_point_fn *fn;
    void *ctx;
    size_t n;
};

static void look_at(struct walk *walk, const DIST_POINT *point)
{
    char url[HF_CRL_URI_MAX + 1];
    if (!point->distpoint || point->distpoint->type != 0 || point->CRLissuer) {
        return;
    }
    const GENERAL_NAMES *names = point->distpoint->name.fullname;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && walk->n < HF_CRL_POINTS_MAX; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_URI && take_text(name->d.uniformResourceIdentifier, url)) {
            walk->n++;
            walk->fn(walk->ctx, url);
        }
    }
}

void hf_crl_points(const struct hf_cert *cert, hf_crl_point_fn *fn, void *ctx)
{
    struct walk walk = {fn, ctx, 0};
    for (size_t k = 0; k < HF_N_ELEMENTS(extensions); k++) {
        CRL_DIST_POINTS *points = X509_get_ext_d2i(cert->x509, extensions[k], NULL, NULL);
        for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
            look_at(&walk, sk_DIST_POINT_value(points, i));
        }
        CRL_DIST_POINTS_free(points);
    }
}

uint64_t hf_crl_points_hash(const struct hf_cert *cert)
{
    uint64_t hash = 0;
    for (size_t k = 0; k < HF_N_ELEMENTS(extensions); k++) {
        int at = X509_get_ext_by_NID(cert->x509, extensions[k], -1);
        const X509_EXTENSION *extension = at < 0 ? NULL : X509_get_ext(cert->x509, at);
        const ASN1_OCTET_STRING *data =
            extension ? X509_EXTENSION_get_data((X509_EXTENSION *)(uintptr_t)extension) : NULL;
        if (data) {
            hash = hash * 31 + (hf_hash64(hf_bytes_of(ASN1_STRING_get0_data(data),
                                                      (size_t)ASN1_STRING_length(data))) |
                                1);
        }
    }
    return hash;
}
