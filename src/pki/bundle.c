// SPDX-License-Identifier: Apache-2.0
#include "pki/bundle.h"

#include <string.h>

#include "base/base64.h"
#include "pki/asn1_write.h"
#include "pki/bundle_impl.h"
#include "pki/write.h"

enum { CAP = 4 << 20, NAME_MAX_K8S = 253 };

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

static const char *name_of(const struct hf_bundle *bundle)
{
    return bundle->name ? bundle->name : "handfast";
}

/* --- Those of one step ------------------------------------------------------------------------*/

static enum hf_err write_pem(const struct hf_bundle *bundle, struct hf_buf *out)
{
    struct hf_bytes passphrase =
        bundle->passphrase ? hf_bytes_str(bundle->passphrase) : hf_bytes_of(NULL, 0);
    if (bundle->key) {
        HF_TRY(hf_key_write_pem(bundle->key, passphrase, out));
    }
    return hf_chain_write_pem(bundle->chain, out);
}

static enum hf_err write_der(const struct hf_bundle *bundle, struct hf_buf *out)
{
    return hf_buf_append(out, bundle->chain->certs[0]->der);
}

static enum hf_err write_p12(const struct hf_bundle *bundle, bool legacy, struct hf_buf *out)
{
    if (!bundle->key || !bundle->passphrase) {
        return hf_fail(HF_E_INVALID, "a PKCS#12 file wants %s",
                       bundle->key ? "a passphrase"
                                   : "a private key; certificates alone go into a "
                                     "truststore or PKCS#7");
    }
    const struct hf_pkcs12_what what = {.key = bundle->key,
                                        .chain = bundle->chain,
                                        .root = bundle->root,
                                        .friendly_name = name_of(bundle),
                                        .passphrase = bundle->passphrase,
                                        .old_ciphers = legacy};
    return hf_pkcs12_write(&what, out);
}

static enum hf_err write_pkcs12(const struct hf_bundle *bundle, struct hf_buf *out)
{
    return write_p12(bundle, false, out);
}

static enum hf_err write_pkcs12_legacy(const struct hf_bundle *bundle, struct hf_buf *out)
{
    return write_p12(bundle, true, out);
}

/* SignedData that nobody signed (RFC 2315 9.1), which is how certificates travel. */
static enum hf_err write_pkcs7(const struct hf_bundle *bundle, struct hf_buf *out)
{
    struct hf_asn1 der = hf_asn1_writer(out);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_oid(&der, HF_OID("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"));
    hf_asn1_open(&der, HF_DER_CONTEXT_0);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_uint(&der, 1);
    hf_asn1_put(&der, HF_ASN1_SET, hf_bytes_of(NULL, 0)); /* digestAlgorithms */
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_oid(&der, HF_OID("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"));
    hf_asn1_close(&der);
    hf_asn1_open(&der, HF_ASN1_CONTEXT_CONSTRUCTED(0));
    for (size_t i = 0; i < bundle->chain->n_certs; i++) {
        hf_asn1_raw(&der, bundle->chain->certs[i]->der);
    }
    hf_asn1_raw(&der, bundle->root ? bundle->root->der : hf_bytes_of(NULL, 0));
    hf_asn1_close(&der);
    hf_asn1_put(&der, HF_ASN1_SET, hf_bytes_of(NULL, 0)); /* signerInfos */
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    return hf_asn1_end(&der);
}

static enum hf_err write_pkcs7_pem(const struct hf_bundle *bundle, struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(CAP);
    HF_TRY(write_pkcs7(bundle, &der));
    return hf_pem_block("PKCS7", hf_buf_bytes(&der), out);
}

/* --- Kubernetes -------------------------------------------------------------------------------*/

/* A DNS subdomain in lower case (RFC 1123), as names of objects are. */
static bool is_k8s_name(const char *name)
{
    size_t len = strlen(name);
    bool edge = true; /* at the begin of a label */
    for (const char *c = name; *c; c++) {
        bool word = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
        bool ends = c[1] == '\0' || c[1] == '.';
        if (!word && (*c != '-' || edge || ends) && (*c != '.' || edge || c[1] == '\0')) {
            return false;
        }
        edge = *c == '.';
    }
    return len > 0 && len <= NAME_MAX_K8S;
}

static enum hf_err put_data(const char *key, struct hf_bytes value, struct hf_buf *out)
{
    HF_TRY(hf_buf_printf(out, "  %s: ", key));
    HF_TRY(hf_base64_encode(value, out));
    return hf_buf_u8(out, '\n');
}

static enum hf_err write_kubernetes(const struct hf_bundle *bundle, struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf chain = HF_BUF_INIT(CAP);
    HF_CLEANUP(hf_buf_done) struct hf_buf root = HF_BUF_INIT(CAP);
    HF_CLEANUP(wiped_buf_done) struct hf_buf key = HF_BUF_INIT(CAP);
    if (!bundle->key) {
        return hf_fail(HF_E_INVALID, "a Secret of type kubernetes.io/tls wants a private key");
    }
    if (!is_k8s_name(name_of(bundle))) {
        return hf_fail(HF_E_INVALID,
                       "\"%.80s\" can't be the name of a Secret; take a-z, 0-9, \"-\" "
                       "and \".\"",
                       name_of(bundle));
    }
    HF_TRY(hf_chain_write_pem(bundle->chain, &chain));
    HF_TRY(hf_key_write_pem(bundle->key, hf_bytes_of(NULL, 0), &key));
    HF_TRY(hf_buf_printf(out,
                         "apiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata:\n"
                         "  name: %s\ndata:\n",
                         name_of(bundle)));
    HF_TRY(put_data("tls.crt", hf_buf_bytes(&chain), out));
    HF_TRY(put_data("tls.key", hf_buf_bytes(&key), out));
    if (!bundle->root) {
        return HF_OK;
    }
    HF_TRY(hf_cert_write_pem(bundle->root, &root));
    return put_data("ca.crt", hf_buf_bytes(&root), out);
}

/* --- The table --------------------------------------------------------------------------------*/

static const struct {
    const char *word, *end;
} formats[] = {
#define ROW(id, word, end, what) [HF_BUNDLE_##id] = {word, end},
    HF_BUNDLE_TABLE(ROW)
#undef ROW
};

static enum hf_err (*const writers[HF_BUNDLE_N])(const struct hf_bundle *, struct hf_buf *) = {
    [HF_BUNDLE_PEM] = write_pem,
    [HF_BUNDLE_DER] = write_der,
    [HF_BUNDLE_PKCS12] = write_pkcs12,
    [HF_BUNDLE_PKCS12_LEGACY] = write_pkcs12_legacy,
    [HF_BUNDLE_PKCS7] = write_pkcs7,
    [HF_BUNDLE_PKCS7_PEM] = write_pkcs7_pem,
    [HF_BUNDLE_TRUSTSTORE] = hf_bundle_truststore,
    [HF_BUNDLE_OPENSSH] = hf_bundle_openssh,
    [HF_BUNDLE_KUBERNETES] = write_kubernetes,
};

const char *const hf_bundle_words[] = {
#define WORD(id, word, end, what) word,
    HF_BUNDLE_TABLE(WORD)
#undef WORD
        NULL};

enum hf_bundle_format hf_bundle_by_word(const char *word)
{
    size_t i = 0;
    while (i < HF_BUNDLE_N && strcmp(formats[i].word, word) != 0) {
        i++;
    }
    return (enum hf_bundle_format)i;
}

const char *hf_bundle_end(enum hf_bundle_format format)
{
    return formats[format].end;
}

bool hf_bundle_is_secret(enum hf_bundle_format format, const struct hf_bundle *bundle)
{
    static const unsigned without = 1u << HF_BUNDLE_DER | 1u << HF_BUNDLE_PKCS7 |
                                    1u << HF_BUNDLE_PKCS7_PEM | 1u << HF_BUNDLE_TRUSTSTORE;
    return bundle->key && !(without >> format & 1);
}

enum hf_err hf_bundle_write(enum hf_bundle_format format, const struct hf_bundle *bundle,
                            struct hf_buf *out)
{
    if (bundle->chain->n_certs == 0) {
        return hf_fail(HF_E_INVALID, "there is no certificate to write");
    }
    return writers[format](bundle, out);
}
