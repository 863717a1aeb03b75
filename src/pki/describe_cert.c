// SPDX-License-Identifier: Apache-2.0
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/cert_impl.h"
#include "pki/describe_impl.h"
#include "pki/dn.h"
#include "pki/key_type.h"
#include "pki/ossl.h"

/* --- Names -------------------------------------------------------------------------------------
 */

static void append_names(struct hf_describer *d, json_t *array, const char *kind,
                         const struct hf_names_list *names)
{
    for (size_t i = 0; i < names->n; i++) {
        hf_append(d, array, json_sprintf("%s%s", kind, names->name[i]));
    }
}

void hf_describe_names(struct hf_describer *d, json_t *object, const struct hf_identity *id)
{
    json_t *array = json_array();
    append_names(d, array, "DNS:", &id->dns);
    append_names(d, array, "IP:", &id->ip);
    append_names(d, array, "URI:", &id->uri);
    append_names(d, array, "email:", &id->email);
    append_names(d, array, "", &id->other);
    hf_put(d, object, "names", array);
    hf_put_text(d, object, "spiffe_id", id->spiffe);
    if (id->mangled) {
        hf_put(d, object, "mangled", json_true());
    }
}

/* --- Extensions --------------------------------------------------------------------------------
 */

static void put_key_usage(struct hf_describer *d, json_t *object, X509 *x509)
{
    static const struct {
        uint32_t bit;
        const char *name;
    } bits[] = {
        {KU_DIGITAL_SIGNATURE, "digitalSignature"},
        {KU_NON_REPUDIATION, "contentCommitment"},
        {KU_KEY_ENCIPHERMENT, "keyEncipherment"},
        {KU_DATA_ENCIPHERMENT, "dataEncipherment"},
        {KU_KEY_AGREEMENT, "keyAgreement"},
        {KU_KEY_CERT_SIGN, "keyCertSign"},
        {KU_CRL_SIGN, "cRLSign"},
        {KU_ENCIPHER_ONLY, "encipherOnly"},
        {KU_DECIPHER_ONLY, "decipherOnly"},
    };
    if (X509_get_ext_by_NID(x509, NID_key_usage, -1) < 0) {
        return;
    }
    uint32_t usage = X509_get_key_usage(x509);
    json_t *array = json_array();
    for (size_t i = 0; i < HF_N_ELEMENTS(bits); i++) {
        if (usage & bits[i].bit) {
            hf_append(d, array, json_string(bits[i].name));
        }
    }
    hf_put(d, object, "key_usage", array);
}

static void append_oid(struct hf_describer *d, json_t *array, const ASN1_OBJECT *oid)
{
    int nid = OBJ_obj2nid(oid);
    char text[128];
    if (nid != NID_undef) {
        hf_append(d, array, json_string(OBJ_nid2sn(nid)));
        return;
    }
    OBJ_obj2txt(text, sizeof(text), oid, 1);
    hf_append(d, array, json_string(text));
}

static void put_extended_usage(struct hf_describer *d, json_t *object, const X509 *x509)
{
    EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(x509, NID_ext_key_usage, NULL, NULL);
    if (!usages) {
        return;
    }
    json_t *array = json_array();
    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        append_oid(d, array, sk_ASN1_OBJECT_value(usages, i));
    }
    hf_put(d, object, "extended_key_usage", array);
    EXTENDED_KEY_USAGE_free(usages);
}

static void put_subtrees(struct hf_describer *d, json_t *object, const char *key,
                         const STACK_OF(GENERAL_SUBTREE) * subtrees)
{
    json_t *array = subtrees ? json_array() : NULL;
    if (!array) {
        return;
    }
    for (int i = 0; i < sk_GENERAL_SUBTREE_num(subtrees); i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *text = NULL;
        long len = 0;
        if (bio && GENERAL_NAME_print(bio, sk_GENERAL_SUBTREE_value(subtrees, i)->base)) {
            len = BIO_get_mem_data(bio, &text);
        }
        hf_append(d, array, hf_printable(d, hf_bytes_of(text, (size_t)len)));
        BIO_free(bio);
    }
    hf_put(d, object, key, array);
}

static void put_name_constraints(struct hf_describer *d, json_t *object, const X509 *x509)
{
    NAME_CONSTRAINTS *limits = X509_get_ext_d2i(x509, NID_name_constraints, NULL, NULL);
    if (limits) {
        put_subtrees(d, object, "permitted_names", limits->permittedSubtrees);
        put_subtrees(d, object, "excluded_names", limits->excludedSubtrees);
        NAME_CONSTRAINTS_free(limits);
    }
}

static void append_url(struct hf_describer *d, json_t *array, const GENERAL_NAME *name)
{
    if (name->type == GEN_URI) {
        const ASN1_IA5STRING *uri = name->d.uniformResourceIdentifier;
        hf_append(d, array,
                  hf_printable(
                      d, hf_bytes_of(ASN1_STRING_get0_data(uri), (size_t)ASN1_STRING_length(uri))));
    }
}

static void put_crl_urls(struct hf_describer *d, json_t *object, const X509 *x509)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x509, NID_crl_distribution_points, NULL, NULL);
    json_t *array = points ? json_array() : NULL;
    for (int i = 0; array && i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT_NAME *point = sk_DIST_POINT_value(points, i)->distpoint;
        for (int n = 0; point && point->type == 0 && n < sk_GENERAL_NAME_num(point->name.fullname);
             n++) {
            append_url(d, array, sk_GENERAL_NAME_value(point->name.fullname, n));
        }
    }
    if (array) {
        hf_put(d, object, "crl_urls", array);
    }
    CRL_DIST_POINTS_free(points);
}

static void put_access_urls(struct hf_describer *d, json_t *object, const X509 *x509)
{
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(x509, NID_info_access, NULL, NULL);
    if (!access) {
        return;
    }
    json_t *ocsp = json_array();
    json_t *issuers = json_array();
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access); i++) {
        const ACCESS_DESCRIPTION *one = sk_ACCESS_DESCRIPTION_value(access, i);
        append_url(d, OBJ_obj2nid(one->method) == NID_ad_OCSP ? ocsp : issuers, one->location);
    }
    hf_put(d, object, "ocsp_urls", ocsp);
    hf_put(d, object, "issuer_urls", issuers);
    AUTHORITY_INFO_ACCESS_free(access);
}

static void put_key_id(struct hf_describer *d, json_t *object, const char *key,
                       const ASN1_OCTET_STRING *id)
{
    if (id) {
        hf_put_hex(d, object, key,
                   hf_bytes_of(ASN1_STRING_get0_data(id), (size_t)ASN1_STRING_length(id)));
    }
}

void hf_describe_extensions(struct hf_describer *d, json_t *object,
                            const STACK_OF(X509_EXTENSION) * extensions)
{
    json_t *array = json_array();
    for (int i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
        X509_EXTENSION *extension = sk_X509_EXTENSION_value(extensions, i);
        const ASN1_OBJECT *type = X509_EXTENSION_get_object(extension);
        char oid[128];
        OBJ_obj2txt(oid, sizeof(oid), type, 1);
        int nid = OBJ_obj2nid(type);
        hf_append(d, array,
                  json_pack("{s:s, s:s, s:b}", "oid", oid, "name",
                            nid == NID_undef ? oid : OBJ_nid2sn(nid), "critical",
                            X509_EXTENSION_get_critical(extension)));
    }
    hf_put(d, object, "extensions", array);
}

static void put_extensions(struct hf_describer *d, json_t *object, const struct hf_cert *cert)
{
    X509 *x509 = cert->x509;
    hf_put(d, object, "ca", json_boolean(cert->is_ca));
    long path_len = X509_get_pathlen(x509);
    if (path_len >= 0) {
        hf_put(d, object, "path_length", json_integer(path_len));
    }
    put_key_usage(d, object, x509);
    put_extended_usage(d, object, x509);
    put_name_constraints(d, object, x509);
    put_crl_urls(d, object, x509);
    put_access_urls(d, object, x509);
    put_key_id(d, object, "subject_key_id", X509_get0_subject_key_id(x509));
    put_key_id(d, object, "authority_key_id", X509_get0_authority_key_id(x509));
    hf_describe_extensions(d, object, X509_get0_extensions(x509));
    hf_ossl_forget();
}

/* --- In words ----------------------------------------------------------------------------------
 */

struct role {
    const char *id;
    const char *words;
};

static struct role role_of(const struct hf_cert *cert)
{
    static const struct {
        uint32_t usage;
        struct role role;
    } roles[] = {
        {XKU_SSL_SERVER | XKU_SSL_CLIENT, {"server-and-client", "a server and client certificate"}},
        {XKU_SSL_SERVER, {"server", "a server certificate"}},
        {XKU_SSL_CLIENT, {"client", "a client certificate"}},
        {XKU_OCSP_SIGN, {"ocsp-signer", "an OCSP responder's certificate"}},
        {XKU_CODE_SIGN, {"code-signer", "a code signing certificate"}},
        {XKU_TIMESTAMP, {"time-stamper", "a time stamping certificate"}},
        {XKU_SMIME, {"email", "an email certificate"}},
    };
    bool self_signed = X509_self_signed(cert->x509, 0) == 1;
    uint32_t usage = X509_get_extended_key_usage(cert->x509);
    if (cert->is_ca) {
        return self_signed ? (struct role){"root-ca", "a root CA certificate"}
                           : (struct role){"intermediate-ca", "an intermediate CA certificate"};
    }
    if (usage == UINT32_MAX) {
        return (struct role){"any", self_signed ? "a self-signed certificate for any use"
                                                : "a certificate for any use"};
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(roles); i++) {
        if ((usage & roles[i].usage) == roles[i].usage) {
            return roles[i].role;
        }
    }
    return (struct role){"other", "a certificate for special uses"};
}

static void put_what(struct hf_describer *d, json_t *object, const struct hf_cert *cert,
                     const struct hf_identity *id)
{
    struct role role = role_of(cert);
    bool serves = strncmp(role.id, "server", 6) == 0 && id->dns.n;
    const char *whom = serves ? id->dns.name[0] : hf_identity_display(id);
    hf_put_text(d, object, "role", role.id);
    if (serves && id->dns.n > 1) {
        hf_put(d, object, "what",
               json_sprintf("%s for %s and %zu more", role.words, whom, id->dns.n - 1));
    } else {
        hf_put(d, object, "what", json_sprintf("%s for %s", role.words, whom));
    }
}

static void put_dates(struct hf_describer *d, json_t *object, const struct hf_cert *cert)
{
    int64_t now = d->input->now_s;
    const char *state = now < cert->not_before  ? "not-yet-valid"
                        : now > cert->not_after ? "expired"
                                                : "valid";
    hf_put_time(d, object, "not_before", cert->not_before);
    hf_put_time(d, object, "not_after", cert->not_after);
    hf_put_text(d, object, "state", state);
    if (cert->not_after != INT64_MAX) {
        hf_put(d, object, "seconds_left", json_integer(cert->not_after - now));
    }
}

/* --- Problems ----------------------------------------------------------------------------------
 */

enum { SOON_DAYS = 30, SECURITY_BITS_MIN = 112 };

static void gap_text(int64_t gap_s, char *out, size_t out_size)
{
    int64_t most = INT64_MAX / 1000;
    hf_format_duration((gap_s > most ? most : gap_s) * 1000, out, out_size);
}

static void find_date_problems(struct hf_describer *d, const struct hf_cert *cert, const char *who)
{
    int64_t now = d->input->now_s;
    char gap[48];
    if (now < cert->not_before) {
        gap_text(cert->not_before - now, gap, sizeof(gap));
        hf_add_problem(d, "not-yet-valid", "%s is not valid for another %s", who, gap);
    } else if (now > cert->not_after) {
        gap_text(now - cert->not_after, gap, sizeof(gap));
        hf_add_problem(d, "expired", "%s expired %s ago", who, gap);
    } else if (cert->not_after - now < SOON_DAYS * INT64_C(86400)) {
        gap_text(cert->not_after - now, gap, sizeof(gap));
        hf_add_problem(d, "expires-soon", "%s expires in %s", who, gap);
    }
}

static void find_strength_problems(struct hf_describer *d, const struct hf_cert *cert,
                                   const char *who)
{
    EVP_PKEY *key = X509_get0_pubkey(cert->x509);
    char type[HF_KEY_TYPE_SIZE];
    hf_key_type(key, type);
    if (!key) {
        hf_add_problem(d, "unknown-key", "%s has a public key that is not known here", who);
    } else if (EVP_PKEY_get_security_bits(key) < SECURITY_BITS_MIN ||
               hf_key_has_explicit_curve(key)) {
        hf_add_problem(d, "weak-key", "%s has a weak key: %s", who, type);
    }
    int bits = 0;
    bool known = X509_get_signature_info(cert->x509, NULL, NULL, &bits, NULL) == 1;
    if (known && bits < SECURITY_BITS_MIN && X509_self_signed(cert->x509, 0) != 1) {
        hf_add_problem(d, "weak-signature", "%s is signed with a weak hash: %s", who,
                       OBJ_nid2ln(X509_get_signature_nid(cert->x509)));
    }
    hf_ossl_forget();
}

static void find_problems(struct hf_describer *d, const struct hf_cert *cert,
                          const struct hf_identity *id)
{
    char who[32];
    snprintf(who, sizeof(who), "certificate %zu", d->n_certs);
    find_date_problems(d, cert, who);
    find_strength_problems(d, cert, who);
    if (X509_get_extension_flags(cert->x509) & EXFLAG_INVALID) {
        hf_add_problem(d, "broken-extension",
                       "%s has an extension that can't be parsed, or that is there twice; it will "
                       "be refused",
                       who);
    }
    if (id->mangled) {
        hf_add_problem(d, "mangled-name",
                       "%s has a name with bytes that can't be shown, or too many names; it is "
                       "never matched",
                       who);
    }
    bool serves = X509_get_extended_key_usage(cert->x509) != UINT32_MAX &&
                  (X509_get_extended_key_usage(cert->x509) & XKU_SSL_SERVER);
    if (serves && !cert->is_ca && id->dns.n == 0 && id->ip.n == 0) {
        hf_add_problem(d, "no-name",
                       "%s is for servers but has no DNS name or IP address; "
                       "clients don't look at the CN",
                       who);
    }
}

/* --- The whole ---------------------------------------------------------------------------------
 */

void hf_describe_public(struct hf_describer *d, json_t *object, EVP_PKEY *key)
{
    char type[HF_KEY_TYPE_SIZE];
    hf_key_type(key, type);
    hf_put_text(d, object, "key_type", type);
    unsigned char *der = NULL;
    unsigned char hash[HF_SHA256_SIZE];
    int len = key ? i2d_PUBKEY(key, &der) : 0;
    if (len > 0 && EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL)) {
        hf_put_hex(d, object, "key_sha256", hf_bytes_of(hash, sizeof(hash)));
    }
    OPENSSL_free(der);
    hf_ossl_forget();
}

static enum hf_err keep(struct hf_describer *d, struct hf_cert *cert)
{
    struct hf_cert **certs = hf_realloc(d->certs, (d->n_certs + 1) * sizeof(*certs));
    if (!certs) {
        return HF_E_NOMEM;
    }
    d->certs = certs;
    d->certs[d->n_certs++] = hf_cert_ref(cert);
    return HF_OK;
}

static json_t *object_of(struct hf_describer *d, const struct hf_cert *cert,
                         const struct hf_identity *id)
{
    json_t *object = json_object();
    hf_put_text(d, object, "kind", "certificate");
    put_what(d, object, cert, id);
    hf_put_text(d, object, "subject", id->subject);
    hf_put_text(d, object, "issuer", id->issuer);
    hf_put_text(d, object, "serial", id->serial);
    put_dates(d, object, cert);
    hf_describe_names(d, object, id);
    hf_put_text(d, object, "key_type", id->key_type);
    hf_put_text(d, object, "signature_algorithm", OBJ_nid2sn(X509_get_signature_nid(cert->x509)));
    hf_put(d, object, "version", json_integer(X509_get_version(cert->x509) + 1));
    hf_put(d, object, "self_signed", json_boolean(X509_self_signed(cert->x509, 0) == 1));
    put_extensions(d, object, cert);
    hf_put_text(d, object, "sha256", id->sha256);
    hf_put_text(d, object, "key_sha256", id->spki_sha256);
    return object;
}

enum hf_err hf_describe_cert(struct hf_describer *d, struct hf_bytes der)
{
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    struct hf_identity *id = NULL;
    HF_TRY(hf_cert_from_der(der, &cert));
    HF_TRY(hf_identity_new(cert, &id));
    enum hf_err err = keep(d, cert);
    if (err == HF_OK) {
        hf_append(d, d->objects, object_of(d, cert, id));
        find_problems(d, cert, id);
    }
    hf_identity_unref(id);
    hf_ossl_forget();
    return err;
}
