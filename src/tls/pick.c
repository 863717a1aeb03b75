// SPDX-License-Identifier: Apache-2.0
#include "tls/pick.h"

/*
 * Two maps make the choice a constant number of look-ups however many names there are: a name is
 * looked up as it is, then with its first label replaced by "*". Patterns are kept in lower case.
 */

#include <ctype.h>
#include <string.h>

#include "base/mem.h"

/* --- Identities --- */

/* Keys that a handshake chooses among by signature algorithm; same kind: one is enough. */
static int key_kind(const struct hf_credential *identity)
{
    int id = EVP_PKEY_get_base_id(identity->key);
    return id == EVP_PKEY_ED448 ? EVP_PKEY_ED25519 : id;
}

static void set_add(struct hf_pick_set *set, struct hf_credential *identity)
{
    for (size_t i = 0; i < set->n_identities; i++) {
        if (key_kind(set->identity[i]) == key_kind(identity)) {
            return;
        }
    }
    if (set->n_identities < HF_PICK_KINDS) {
        set->identity[set->n_identities++] = identity;
    }
}

static void lower(char *text)
{
    for (; *text; text++) {
        *text = (char)tolower((unsigned char)*text);
    }
}

static enum hf_err sets_add(struct hf_map *sets, const char *name, struct hf_credential *identity)
{
    char *key HF_CLEANUP(hf_freep) = hf_strdup(name);
    if (!key) {
        return HF_E_NOMEM;
    }
    lower(key);
    struct hf_pick_set *set = hf_map_get(sets, hf_bytes_str(key));
    if (set) {
        set_add(set, identity);
        return HF_OK;
    }
    set = HF_NEW(struct hf_pick_set);
    if (!set) {
        return HF_E_NOMEM;
    }
    set_add(set, identity);
    enum hf_err err = hf_map_put(sets, hf_bytes_str(key), set);
    if (err) {
        hf_free(set);
    }
    return err;
}

static enum hf_err add_identity(struct hf_picker *picker, struct hf_credential *identity)
{
    picker->identities[picker->n_identities++] = hf_credential_ref(identity);
    if (picker->n_identities == 1) {
        set_add(&picker->first, identity);
    }
    const struct hf_names_list *dns = &identity->identity->dns;
    for (size_t i = 0; i < dns->n && !identity->identity->mangled; i++) {
        HF_TRY(sets_add(&picker->sets, dns->name[i], identity));
    }
    return HF_OK;
}

/* --- Policies --- */

static void policy_done(struct hf_tls_policy *policy)
{
    hf_free((char *)(uintptr_t)policy->sni);
    hf_free((struct hf_bytes *)(uintptr_t)policy->ca_names);
}

/* The names and their bytes live in one block: the array first, the bytes behind it. */
static enum hf_err copy_names(struct hf_tls_policy *policy, const struct hf_tls_policy *from)
{
    size_t total = 0;
    for (size_t i = 0; i < from->n_ca_names; i++) {
        total += from->ca_names[i].len;
    }
    struct hf_bytes *names = hf_alloc(from->n_ca_names * sizeof(*names) + total);
    if (!names) {
        return HF_E_NOMEM;
    }
    uint8_t *at = (uint8_t *)(names + from->n_ca_names);
    for (size_t i = 0; i < from->n_ca_names; i++) {
        struct hf_bytes name = from->ca_names[i];
        if (name.len) {
            memcpy(at, name.ptr, name.len);
        }
        names[i] = hf_bytes_of(at, name.len);
        at += name.len;
    }
    policy->ca_names = names;
    return HF_OK;
}

static enum hf_err copy_policy(struct hf_picker *picker, const struct hf_tls_policy *from)
{
    struct hf_tls_policy *policy = &picker->policies[picker->n_policies++];
    *policy = *from;
    policy->sni = NULL;
    policy->ca_names = NULL;
    HF_TRY(copy_names(policy, from));
    if (picker->n_policies == 1) {
        return HF_OK; /* the default goes with every name that no other has */
    }
    char *sni = hf_strdup(from->sni);
    if (!sni) {
        return HF_E_NOMEM;
    }
    lower(sni);
    policy->sni = sni;
    if (hf_map_get(&picker->by_pattern, hf_bytes_str(sni))) {
        return hf_fail(HF_E_INVALID, "the server name \"%s\" has two policies", sni);
    }
    return hf_map_put(&picker->by_pattern, hf_bytes_str(sni), policy);
}

/* --- Lifecycle --- */

enum hf_err hf_picker_init(struct hf_picker *picker, const struct hf_tls_server_config *config)
{
    *picker = (struct hf_picker){0};
    picker->identities = hf_alloc_zero(config->n_identities, sizeof(*picker->identities));
    picker->policies = hf_alloc_zero(config->n_policies, sizeof(*picker->policies));
    if (!picker->identities || !picker->policies) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < config->n_identities; i++) {
        HF_TRY(add_identity(picker, config->identities[i]));
    }
    for (size_t i = 0; i < config->n_policies; i++) {
        HF_TRY(copy_policy(picker, &config->policies[i]));
    }
    return HF_OK;
}

void hf_picker_done(struct hf_picker *picker)
{
    size_t at = 0;
    for (struct hf_pick_set *set; (set = hf_map_next(&picker->sets, &at));) {
        hf_free(set);
    }
    hf_map_done(&picker->sets);
    hf_map_done(&picker->by_pattern);
    for (size_t i = 0; i < picker->n_identities; i++) {
        hf_credential_unref(picker->identities[i]);
    }
    for (size_t i = 0; i < picker->n_policies; i++) {
        policy_done(&picker->policies[i]);
    }
    hf_free(picker->identities);
    hf_free(picker->policies);
    *picker = (struct hf_picker){0};
}

/* --- Picking --- */

/* Puts name in lower case without a trailing dot; false when it can't be anybody's name. */
static bool normalize(const char *name, char out[static HF_SNI_MAX + 1])
{
    size_t len = name ? strlen(name) : 0;
    if (len > 0 && name[len - 1] == '.') {
        len--;
    }
    if (len == 0 || len > HF_SNI_MAX || name[0] == '*') {
        return false;
    }
    memcpy(out, name, len);
    out[len] = '\0';
    lower(out);
    return true;
}

/* Looks a normalized name up, then its one-label wildcard, which is written over the end of its
 * first label: "www.example.org" becomes "*.example.org". */
static void *lookup(const struct hf_map *map, const char *name)
{
    void *found = hf_map_get(map, hf_bytes_str(name));
    const char *dot = strchr(name, '.');
    if (found || !dot || dot == name) {
        return found;
    }
    char wildcard[HF_SNI_MAX + 2] = "*";
    memcpy(wildcard + 1, dot, strlen(dot) + 1);
    return hf_map_get(map, hf_bytes_str(wildcard));
}

void hf_picker_pick(const struct hf_picker *picker, const char *name, struct hf_pick *out)
{
    *out = (struct hf_pick){.identities = &picker->first, .policy = &picker->policies[0]};
    char host[HF_SNI_MAX + 1];
    if (!normalize(name, host)) {
        return;
    }
    const struct hf_pick_set *set = lookup(&picker->sets, host);
    if (set) {
        out->identities = set;
        out->known = true;
    }
    const struct hf_tls_policy *policy = lookup(&picker->by_pattern, host);
    if (policy) {
        out->policy = policy;
        out->policy_index = (size_t)(policy - picker->policies);
    }
}

/* --- The extension --- */

enum { SNI_HOST_NAME = 0 };

enum hf_err hf_sni_parse(struct hf_bytes extension, struct hf_bytes *out)
{
    *out = hf_bytes_of(NULL, 0);
    struct hf_reader reader = hf_reader_of(extension);
    struct hf_bytes list;
    HF_TRY(hf_read_vec16(&reader, &list));
    HF_TRY(hf_read_end(&reader));
    struct hf_reader names = hf_reader_of(list);
    uint8_t type;
    HF_TRY(hf_read_u8(&names, &type));
    struct hf_bytes name;
    HF_TRY(hf_read_vec16(&names, &name));
    HF_TRY(hf_read_end(&names)); /* one name a type, and there is one type (RFC 6066 3) */
    if (type != SNI_HOST_NAME || name.len == 0) {
        return hf_fail(HF_E_MALFORMED, "the server_name extension holds no host name");
    }
    *out = name;
    return HF_OK;
}
