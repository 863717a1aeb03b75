// SPDX-License-Identifier: Apache-2.0
/*
 * Start is a row of steps, each of which is a commit and is found done when start runs again:
 * successor of the root, cross-signature, successor of the issuing CA, retirement of the old one.
 * Status counts; finish takes the old root away.
 */
#include "ca/rotate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/authority_make.h"
#include "ca/service_impl.h"
#include "pki/write.h"

enum { GENERATIONS_MAX = 1000 };

/* --- Names -------------------------------------------------------------------------------------
 */

static struct hf_bytes subject_der(const struct hf_cert *cert)
{
    const unsigned char *der = NULL;
    size_t len = 0;
    (void)X509_NAME_get0_der(X509_get_subject_name(cert->x509), &der, &len);
    return hf_bytes_of(der, len);
}

/* "Example Root CA" becomes "Example Root CA G2", that "... G3": two keys under one name would
 * leave it to each verifier which of them it tries. */
static enum hf_err next_cn(const char *cn, char *out, size_t out_size)
{
    const char *mark = strrchr(cn, ' ');
    char *end = NULL;
    long generation = mark && mark[1] == 'G' ? strtol(mark + 2, &end, 10) : 0;
    bool counted = generation >= 2 && generation < GENERATIONS_MAX && end && *end == '\0';
    int n = snprintf(out, out_size, "%.*s G%ld", (int)(counted ? (size_t)(mark - cn) : strlen(cn)),
                     cn, counted ? generation + 1 : 2);
    return n > 0 && (size_t)n < out_size
               ? HF_OK
               : hf_fail(HF_E_INVALID, "the name \"%.80s\" has no room for a generation", cn);
}

static enum hf_err next_subject(const struct hf_authority *old, struct hf_subject *out)
{
    struct hf_subject before = {0};
    char cn[80];
    enum hf_err err = hf_subject_from_der(subject_der(old->cert), &before);
    for (size_t i = 0; err == HF_OK && i < before.n; i++) {
        const char *text = before.part[i].text;
        if (before.part[i].attr == HF_ATTR_CN) {
            err = next_cn(text, cn, sizeof(cn));
            text = cn;
        }
        if (err == HF_OK) {
            err = hf_subject_add(out, before.part[i].attr, hf_bytes_str(text));
        }
    }
    hf_subject_done(&before);
    return err;
}

/* "root" becomes "root-2"; the first that is free. */
static enum hf_err next_name(const struct hf_authorities *set, const char *name,
                             char out[static HF_AUTHORITY_NAME_MAX + 1])
{
    const char *dash = strrchr(name, '-');
    bool counted = dash && dash[1] && strspn(dash + 1, "0123456789") == strlen(dash + 1);
    size_t base = counted ? (size_t)(dash - name) : strlen(name);
    for (int i = 2; i < GENERATIONS_MAX; i++) {
        int n = snprintf(out, HF_AUTHORITY_NAME_MAX + 1, "%.*s-%d", (int)base, name, i);
        if (n > HF_AUTHORITY_NAME_MAX) {
            break;
        }
        if (!hf_authorities_find(set, out)) {
            return HF_OK;
        }
    }
    return hf_fail(HF_E_INVALID, "no name is left for the successor of \"%s\"", name);
}

/* --- Start -------------------------------------------------------------------------------------
 */

struct starting {
    struct hf_ca_service *service;
    const char *actor;
    const struct hf_rotate_plan *plan;
    struct hf_authorities *set; /* read again after each step */
    size_t n_steps;             /* that had to be taken */
};

static void look_again(struct starting *starting)
{
    hf_authorities_unref(starting->set);
    hf_ca_reload(starting->service);
    starting->set = hf_ca_authorities(starting->service);
}

static void starting_done(struct starting *starting)
{
    hf_authorities_unref(starting->set);
}

static const struct hf_authority *successor_of(const struct hf_authorities *set,
                                               const struct hf_authority *old)
{
    for (size_t i = 0; i < set->n; i++) {
        const char *of = set->item[i]->settings.successor_of;
        if (of && strcmp(of, old->name) == 0) {
            return set->item[i];
        }
    }
    return NULL;
}

static const char *key_word(const struct hf_authority *authority)
{
    struct hf_public_key *key = NULL;
    const char *word = NULL;
    if (hf_public_key_of(X509_get0_pubkey(authority->cert->x509), &key) == HF_OK) {
        word = hf_key_kind_word(key->kind);
    }
    hf_public_key_free(key);
    return word;
}

/* Name constraints aren't copied: a successor that is to have them is made by hand. */
static enum hf_err make_successor(struct starting *starting, const struct hf_authority *old,
                                  const char *parent, int64_t lifetime_s)
{
    char name[HF_AUTHORITY_NAME_MAX + 1];
    struct hf_subject subject = {0};
    struct hf_authority_new what = {
        .name = name,
        .subject = &subject,
        .parent = parent,
        .key_type = starting->plan->key_type ? starting->plan->key_type : key_word(old),
        .lifetime_s = lifetime_s,
        .path_len = HF_PATH_LEN_STANDARD,
    };
    if (X509_get_ext_by_NID(old->cert->x509, NID_name_constraints, -1) >= 0) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "\"%s\" has name constraints: make its successor with `handfast ca "
                       "authority make --successor-of %s`, which takes them",
                       old->name, old->name);
    }
    enum hf_err err = next_name(starting->set, old->name, name);
    err = err == HF_OK ? next_subject(old, &subject) : err;
    err = err == HF_OK ? hf_authority_settings_copy(&old->settings, &what.settings) : err;
    if (err == HF_OK) {
        hf_free(what.settings.successor_of);
        what.settings.successor_of = hf_strdup(old->name);
        err = what.settings.successor_of
                  ? hf_authority_make(starting->service, starting->actor, &what)
                  : HF_E_NOMEM;
    }
    hf_authority_settings_done(&what.settings);
    hf_subject_done(&subject);
    look_again(starting);
    starting->n_steps++;
    return err;
}

struct crossing {
    const struct hf_cert *by;
    bool found;
};

static enum hf_err is_cross(void *ctx, struct hf_bytes der)
{
    struct crossing *crossing = ctx;
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    HF_TRY(hf_cert_from_der(der, &cert));
    crossing->found =
        crossing->found || X509_NAME_cmp(X509_get_issuer_name(cert->x509),
                                         X509_get_subject_name(crossing->by->x509)) == 0;
    return HF_OK;
}

static enum hf_err cross_sign(struct starting *starting, const struct hf_authority *old,
                              const struct hf_authority *fresh)
{
    struct crossing crossing = {.by = old->cert};
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cross = NULL;
    HF_TRY(hf_store_authority_certs(starting->service->store, fresh->id, is_cross, &crossing));
    if (crossing.found || starting->plan->no_cross) {
        return HF_OK;
    }
    const struct hf_authority_sign what = {.by = old->name,
                                           .cert = fresh->cert,
                                           .label = fresh->name,
                                           .path_len = HF_PATH_LEN_STANDARD};
    HF_TRY(hf_authority_sign(starting->service, starting->actor, &what, &cross));
    look_again(starting);
    starting->n_steps++;
    return HF_OK;
}

static const struct hf_authority *root_of(const struct hf_authorities *set,
                                          const struct hf_authority *authority)
{
    for (int depth = 0; authority && !authority->is_root && depth < 8; depth++) {
        authority = hf_authorities_by_id(set, authority->parent);
    }
    return authority;
}

static enum hf_err retire(struct starting *starting, const struct hf_authority *old)
{
    if (old->state == HF_AUTHORITY_RETIRED) {
        return HF_OK;
    }
    HF_TRY(hf_authority_change(starting->service, starting->actor, old, HF_AUTHORITY_RETIRED,
                               &old->settings));
    look_again(starting);
    starting->n_steps++;
    return HF_OK;
}

/* Says before anything is changed what would fail half way. */
static enum hf_err check_keys(const struct starting *starting, const struct hf_authority *root,
                              const struct hf_authority *successor)
{
    bool needed = starting->plan->issuing_only || (!starting->plan->no_cross && !successor);
    if (needed && !root->issuer) {
        return hf_fail(HF_E_NOT_FOUND,
                       starting->set->locked
                           ? "the key of the root \"%s\" is encrypted: give the passphrase"
                           : "the key of the root \"%s\" isn't here: put it back for this with "
                             "`handfast ca authority add-key`, or see --no-cross-sign",
                       root->name);
    }
    return HF_OK;
}

/* The issuing CA that is to be followed: the active one, or the one that an interrupted start has
 * followed already. */
static const struct hf_authority *find_issuing(const struct hf_authorities *set)
{
    const struct hf_authority *issuing = hf_authorities_issuing(set);
    const char *of = issuing ? issuing->settings.successor_of : NULL;
    const struct hf_authority *before = of ? hf_authorities_find(set, of) : NULL;
    return before && before->state == HF_AUTHORITY_ACTIVE ? before : issuing;
}

static enum hf_err start_issuing(struct starting *starting, const struct hf_authority *issuing,
                                 const struct hf_authority *root)
{
    char name[HF_AUTHORITY_NAME_MAX + 1];
    snprintf(name, sizeof(name), "%s", issuing->name);
    if (!successor_of(starting->set, issuing)) {
        HF_TRY(make_successor(starting, issuing, root->name, starting->plan->issuing_lifetime_s));
    }
    return retire(starting, hf_authorities_find(starting->set, name));
}

static enum hf_err start(struct starting *starting)
{
    const struct hf_authority *issuing = find_issuing(starting->set);
    const struct hf_authority *root = issuing ? root_of(starting->set, issuing) : NULL;
    char old_root[HF_AUTHORITY_NAME_MAX + 1];
    char old_issuing[HF_AUTHORITY_NAME_MAX + 1];
    if (!root) {
        return hf_fail(HF_E_NOT_FOUND, "there is no issuing CA with its root in this store");
    }
    if (root->settings.successor_of && !starting->plan->issuing_only) {
        const struct hf_authority *before =
            hf_authorities_find(starting->set, root->settings.successor_of);
        if (before && !before->settings.distrusted) {
            return hf_fail(HF_E_EXISTS,
                           "the rotation from \"%s\" to \"%s\" is under way; see `handfast ca "
                           "rotate status`",
                           before->name, root->name);
        }
    }
    const struct hf_authority *fresh = successor_of(starting->set, root);
    HF_TRY(check_keys(starting, root, fresh));
    if (starting->plan->issuing_only) {
        return start_issuing(starting, issuing, root);
    }
    snprintf(old_root, sizeof(old_root), "%s", root->name);
    snprintf(old_issuing, sizeof(old_issuing), "%s", issuing->name);
    if (!fresh) {
        HF_TRY(make_successor(starting, root, NULL, starting->plan->root_lifetime_s));
    }
    root = hf_authorities_find(starting->set, old_root);
    HF_TRY(cross_sign(starting, root, successor_of(starting->set, root)));
    root = hf_authorities_find(starting->set, old_root);
    issuing = hf_authorities_find(starting->set, old_issuing);
    return start_issuing(starting, issuing, successor_of(starting->set, root));
}

enum hf_err hf_rotate_start(struct hf_ca_service *service, const char *actor,
                            const struct hf_rotate_plan *plan)
{
    HF_CLEANUP(starting_done)
    struct starting starting = {.service = service, .actor = actor, .plan = plan};
    hf_ca_reload(service);
    starting.set = hf_ca_authorities(service);
    return start(&starting);
}

/* --- Status ------------------------------------------------------------------------------------
 */

struct counting {
    struct hf_ca_service *service;
    const struct hf_authorities *set;
    struct hf_rotate_root *root;
    int64_t seen_from;
    char *profile; /* of the row before; NULL: there was none */
    bool is_ocsp;  /* it is for OCSP signers */
};

/* The certificates of our own authorities are not users of the root: they go with it. */
static bool is_authority(const struct hf_authorities *set, const struct hf_store_cert *row)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->item[i]->cert &&
            memcmp(set->item[i]->cert->spki_sha256, row->spki_sha256, HF_SHA256_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

/* The CA delegates OCSP signers itself for as long as it is there: they are no users either. */
static enum hf_err look_at_profile(struct counting *counting, const char *name)
{
    struct hf_cert_profile *profile = NULL;
    if (counting->profile && strcmp(counting->profile, name) == 0) {
        return HF_OK;
    }
    hf_free(counting->profile);
    counting->profile = hf_strdup(name);
    HF_TRY(counting->profile ? HF_OK : HF_E_NOMEM);
    enum hf_err err = hf_ca_profile(counting->service, name, &profile);
    counting->is_ocsp = err == HF_OK && profile->kind == HF_PROFILE_KIND_OCSP;
    hf_cert_profile_unref(profile);
    return err == HF_E_NOMEM ? err : HF_OK;
}

static enum hf_err count_row(void *ctx, const struct hf_store_cert *row)
{
    struct counting *counting = ctx;
    struct hf_rotate_root *root = counting->root;
    HF_TRY(look_at_profile(counting, row->profile));
    if (counting->is_ocsp || is_authority(counting->set, row)) {
        return HF_OK;
    }
    root->good++;
    root->renewed += row->replaced_by != 0;
    root->seen += row->last_seen != 0 && row->last_seen >= counting->seen_from;
    root->last_ends = row->not_after > root->last_ends ? row->not_after : root->last_ends;
    return HF_OK;
}

static enum hf_err count_under(struct hf_ca_service *service, int64_t authority,
                               struct counting *counting)
{
    struct hf_store_page page = {.more = true};
    while (page.more) {
        struct hf_store_query query = {
            .authority = authority,
            .expires_after = hf_clock_wall_s(service->clock),
            .revoked = HF_NO,
            .limit = HF_STORE_PAGE_MAX,
            .cursor = page.cursor,
        };
        HF_TRY(hf_store_certs(service->store, &query, count_row, counting, &page));
    }
    return HF_OK;
}

static enum hf_err count_root(struct hf_ca_service *service, const struct hf_authorities *set,
                              const struct hf_authority *root, struct hf_rotate_root *out)
{
    struct counting counting = {.service = service, .set = set, .root = out};
    enum hf_err err = HF_OK;
    out->root = root;
    out->successor = successor_of(set, root);
    counting.seen_from = out->successor ? out->successor->created_at : 0;
    for (size_t i = 0; err == HF_OK && i < set->n; i++) {
        if (set->item[i]->cert && root_of(set, set->item[i]) == root) {
            err = count_under(service, set->item[i]->id, &counting);
        }
    }
    hf_free(counting.profile);
    return err;
}

void hf_rotate_status_done(struct hf_rotate_status *status)
{
    hf_authorities_unref(status->set);
    hf_free(status->roots);
    *status = (struct hf_rotate_status){0};
}

enum hf_err hf_rotate_status(struct hf_ca_service *service, struct hf_rotate_status *out)
{
    hf_ca_reload(service);
    *out = (struct hf_rotate_status){.set = hf_ca_authorities(service)};
    out->roots = hf_alloc_zero(out->set->n ? out->set->n : 1, sizeof(*out->roots));
    enum hf_err err = out->roots ? HF_OK : HF_E_NOMEM;
    for (size_t i = 0; err == HF_OK && i < out->set->n; i++) {
        if (out->set->item[i]->is_root) {
            err = count_root(service, out->set, out->set->item[i], &out->roots[out->n_roots++]);
        }
    }
    if (err != HF_OK) {
        hf_rotate_status_done(out);
    }
    return err;
}

/* --- Finish ------------------------------------------------------------------------------------
 */

static const struct hf_rotate_root *choose_root(const struct hf_rotate_status *status,
                                                const char *name)
{
    for (size_t i = 0; i < status->n_roots; i++) {
        const struct hf_rotate_root *root = &status->roots[i];
        if (name ? strcmp(root->root->name, name) == 0
                 : root->successor && !root->root->settings.distrusted) {
            return root;
        }
    }
    return NULL;
}

static enum hf_err check_finish(const struct hf_rotate_status *status,
                                const struct hf_rotate_root *old, const char *name, bool force)
{
    size_t n_trusted = 0;
    if (!old) {
        return name ? hf_fail(HF_E_NOT_FOUND, "there is no root \"%.64s\"", name)
                    : hf_fail(HF_E_NOT_FOUND, "no rotation is under way");
    }
    if (old->root->settings.distrusted) {
        return hf_fail(HF_E_NOT_FOUND, "the root \"%s\" isn't handed out any more",
                       old->root->name);
    }
    for (size_t i = 0; i < status->n_roots; i++) {
        n_trusted += !status->roots[i].root->settings.distrusted;
    }
    if (n_trusted < 2) {
        return hf_fail(HF_E_DENIED,
                       "\"%s\" is the only root; `handfast ca rotate start` makes the "
                       "next one",
                       old->root->name);
    }
    if (old->good && !force) {
        return hf_fail(HF_E_DENIED,
                       "%lld good certificates are left below \"%s\" (%lld of them renewed by now, "
                       "%lld seen since the new root was made): see `handfast ca rotate status`, "
                       "or give --force",
                       (long long)old->good, old->root->name, (long long)old->renewed,
                       (long long)old->seen);
    }
    return HF_OK;
}

/* What is below the root must not go on issuing when nobody trusts it any more. */
static enum hf_err retire_below(struct hf_ca_service *service, const char *actor,
                                const struct hf_authorities *set, const struct hf_authority *root)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct hf_authority *one = set->item[i];
        if (one != root && one->cert && one->state == HF_AUTHORITY_ACTIVE &&
            root_of(set, one) == root) {
            HF_TRY(hf_authority_change(service, actor, one, HF_AUTHORITY_RETIRED, &one->settings));
        }
    }
    return HF_OK;
}

enum hf_err hf_rotate_finish(struct hf_ca_service *service, const char *actor, const char *name,
                             bool force, char **out_name)
{
    HF_CLEANUP(hf_rotate_status_done) struct hf_rotate_status status = {0};
    struct hf_authority_settings settings = {0};
    HF_TRY(hf_rotate_status(service, &status));
    const struct hf_rotate_root *old = choose_root(&status, name);
    HF_TRY(check_finish(&status, old, name, force));
    HF_TRY(retire_below(service, actor, status.set, old->root));
    HF_TRY(hf_authority_settings_copy(&old->root->settings, &settings));
    settings.distrusted = true;
    enum hf_err err =
        hf_authority_change(service, actor, old->root, HF_AUTHORITY_RETIRED, &settings);
    hf_authority_settings_done(&settings);
    HF_TRY(err);
    *out_name = hf_strdup(old->root->name);
    return *out_name ? HF_OK : HF_E_NOMEM;
}
