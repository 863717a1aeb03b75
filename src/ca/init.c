// SPDX-License-Identifier: Apache-2.0
#include "ca/init.h"

#include <stdio.h>

#include "base/text.h"

enum hf_err hf_ca_name_check(const char *name)
{
    struct hf_bytes rest = hf_bytes_str(name);
    bool good = rest.len != 0 && rest.len <= HF_CA_NAME_MAX && name[0] != ' ';
    while (good && rest.len) {
        size_t n = hf_printable_len(rest);
        good = n != 0;
        rest = hf_bytes_from(rest, n);
    }
    return good ? HF_OK
                : hf_fail(HF_E_INVALID, "the name of a CA is 1 to %d bytes of printable text",
                          HF_CA_NAME_MAX);
}

static enum hf_err make_subject(const char *name, const char *kind, struct hf_subject *out)
{
    char cn[HF_CA_NAME_MAX + 16];
    snprintf(cn, sizeof(cn), "%s %s CA", name, kind);
    HF_TRY(hf_subject_add(out, HF_ATTR_CN, hf_bytes_str(cn)));
    return hf_subject_add(out, HF_ATTR_O, hf_bytes_str(name));
}

static enum hf_err make_root(struct hf_ca_service *service, const char *actor,
                             const struct hf_ca_new *what)
{
    HF_CLEANUP(hf_subject_done) struct hf_subject subject = {0};
    HF_TRY(make_subject(what->name, "Root", &subject));
    const struct hf_authority_new root = {
        .name = "root",
        .subject = &subject,
        .key_type = what->key_type,
        .pkcs11 = what->root_pkcs11,
        .lifetime_s = what->root_lifetime_s,
        .path_len = HF_PATH_LEN_STANDARD,
        .settings = what->settings,
    };
    return hf_authority_make(service, actor, &root);
}

static enum hf_err make_issuing(struct hf_ca_service *service, const char *actor,
                                const struct hf_ca_new *what, struct hf_buf *out_csr)
{
    HF_CLEANUP(hf_subject_done) struct hf_subject subject = {0};
    HF_TRY(make_subject(what->name, "Issuing", &subject));
    const struct hf_authority_new issuing = {
        .name = "issuing",
        .subject = &subject,
        .parent = what->issuing_only ? NULL : "root",
        .key_type = what->key_type,
        .pkcs11 = what->issuing_pkcs11,
        .lifetime_s = what->issuing_lifetime_s,
        .path_len = HF_PATH_LEN_STANDARD,
        .constraints = what->constraints,
        .settings = what->settings,
    };
    return what->issuing_only ? hf_authority_request(service, actor, &issuing, out_csr)
                              : hf_authority_make(service, actor, &issuing);
}

enum hf_err hf_ca_init(struct hf_ca_service *service, const char *actor,
                       const struct hf_ca_new *what, struct hf_buf *out_csr)
{
    struct hf_authorities *set = hf_ca_authorities(service);
    size_t n = set->n;
    hf_authorities_unref(set);
    if (n != 0) {
        return hf_fail(HF_E_EXISTS, "%s has a CA in it already; nothing was changed",
                       hf_store_url(hf_ca_store(service)));
    }
    HF_TRY(hf_ca_name_check(what->name));
    if (!what->issuing_only) {
        HF_TRY(make_root(service, actor, what));
    }
    return what->root_only ? HF_OK : make_issuing(service, actor, what, out_csr);
}
