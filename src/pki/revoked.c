// SPDX-License-Identifier: Apache-2.0
/*
 * A check goes once over the lists of the certificate's issuer. Each list in scope is weighed with
 * the delta that adds to it; what was worst so far is kept:
 *
 *      revoked  >  good by a fresh list  >  stale  >  not yet valid  >  wrong key  >  missing
 *
 * so that one list that names the certificate is enough, whatever others say, and one fresh list
 * that doesn't is enough where none names it. Lists that cover only some reasons revoke, but make
 * nothing good unless together they cover all.
 */
#include "pki/revoked.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"

enum { SKEW_S = 300 }; /* that a list's beginning may be ahead of our clock */

struct hf_revoked {
    atomic_uint refs;
    size_t n;
    struct hf_crl *list[]; /* owned references */
};

/* --- The set ------------------------------------------------------------------------------------
 */

static bool replaces(const struct hf_crl *a, const struct hf_crl *b)
{
    return a->is_delta == b->is_delta && hf_crl_same_scope(a, b);
}

static bool is_same(const struct hf_crl *a, const struct hf_crl *b)
{
    return memcmp(a->sha256, b->sha256, sizeof(a->sha256)) == 0;
}

/* Are both known to be by the same key, before any issuer was seen? */
static bool names_key(const struct hf_crl *crl)
{
    return crl->key_id.len > 0;
}

/* Puts a list into the set, in place of the one that it replaces; false: none was added. Lists that
 * don't name their key may be by different keys of one name: they all stay, and a check takes the
 * newest of those that its issuer has signed. */
static bool put(struct hf_revoked *set, struct hf_crl *crl)
{
    for (size_t i = 0; i < set->n; i++) {
        if (!replaces(crl, set->list[i]) || (!names_key(crl) && !is_same(crl, set->list[i]))) {
            continue;
        }
        if (hf_crl_newer(set->list[i], crl)) {
            return false;
        }
        hf_crl_unref(set->list[i]);
        set->list[i] = hf_crl_ref(crl);
        return false;
    }
    set->list[set->n++] = hf_crl_ref(crl);
    return true;
}

enum hf_err hf_revoked_new(struct hf_crl *const *lists, size_t n, struct hf_revoked **out,
                           size_t *out_dropped)
{
    if (n > HF_REVOKED_LISTS_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "%zu revocation lists; the limit is %d", n,
                       HF_REVOKED_LISTS_MAX);
    }
    struct hf_revoked *set = hf_alloc_zero(1, sizeof(*set) + n * sizeof(set->list[0]));
    if (!set) {
        return HF_E_NOMEM;
    }
    atomic_init(&set->refs, 1);
    *out_dropped = 0;
    for (size_t i = 0; i < n; i++) {
        *out_dropped += put(set, lists[i]) ? 0 : 1;
    }
    *out = set;
    return HF_OK;
}

struct hf_revoked *hf_revoked_ref(struct hf_revoked *revoked)
{
    atomic_fetch_add_explicit(&revoked->refs, 1, memory_order_relaxed);
    return revoked;
}

void hf_revoked_unref(struct hf_revoked *revoked)
{
    if (!revoked || atomic_fetch_sub_explicit(&revoked->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < revoked->n; i++) {
        hf_crl_unref(revoked->list[i]);
    }
    hf_free(revoked);
}

size_t hf_revoked_count(const struct hf_revoked *revoked)
{
    return revoked->n;
}

const struct hf_crl *hf_revoked_list(const struct hf_revoked *revoked, size_t at)
{
    return revoked->list[at];
}

/* Is there in the set what came after `old`, or old itself? */
static bool is_kept_up(const struct hf_revoked *set, const struct hf_crl *old)
{
    for (size_t i = 0; i < set->n; i++) {
        if (replaces(set->list[i], old) && !hf_crl_newer(old, set->list[i])) {
            return true;
        }
    }
    return false;
}

size_t hf_revoked_replay(const struct hf_revoked *now, const struct hf_revoked *next)
{
    for (size_t j = 0; now && j < now->n; j++) {
        if (is_kept_up(next, now->list[j])) {
            continue;
        }
        for (size_t i = 0; i < next->n; i++) {
            if (replaces(next->list[i], now->list[j])) {
                return i;
            }
        }
    }
    return SIZE_MAX;
}

/* --- Scope --------------------------------------------------------------------------------------
 */

struct question {
    const struct hf_revoked *set;
    const struct hf_cert *cert; /* NULL: only its serial is known, and that it is no CA's */
    const struct hf_cert *issuer;
    bool is_ca;
    bool wants_cert; /* without it there is no answer */
    struct hf_serial serial;
    int64_t now_s;
    CRL_DIST_POINTS *points; /* of the certificate, once they were looked at */
    bool points_read;
    unsigned good_reasons; /* covered by fresh lists that don't name it */
};

static bool has_point(const struct hf_crl *crl, const ASN1_IA5STRING *uri)
{
    size_t len = (size_t)ASN1_STRING_length(uri);
    for (size_t i = 0; i < crl->n_points; i++) {
        if (strlen(crl->point[i]) == len &&
            memcmp(crl->point[i], ASN1_STRING_get0_data(uri), len) == 0) {
            return true;
        }
    }
    return false;
}

static bool point_matches(const struct hf_crl *crl, const DIST_POINT *point)
{
    if (!point->distpoint || point->distpoint->type != 0) {
        return false;
    }
    const GENERAL_NAMES *names = point->distpoint->name.fullname;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_URI && has_point(crl, name->d.uniformResourceIdentifier)) {
            return true;
        }
    }
    return false;
}

/* Is one of the certificate's distribution points one of the shard's (6.3.3 b 2 i)? They are
 * parsed once for all lists, and only when there is a shard. */
static bool in_shard(struct question *q, const struct hf_crl *crl)
{
    if (!crl->has_point) {
        return true;
    }
    q->wants_cert = !q->cert;
    if (!q->points_read && q->cert) {
        q->points = X509_get_ext_d2i(q->cert->x509, NID_crl_distribution_points, NULL, NULL);
        q->points_read = true;
    }
    for (int i = 0; i < sk_DIST_POINT_num(q->points); i++) {
        if (point_matches(crl, sk_DIST_POINT_value(q->points, i))) {
            return true;
        }
    }
    return false;
}

static bool in_scope(struct question *q, const struct hf_crl *crl)
{
    if ((crl->only_users && q->is_ca) || (crl->only_cas && !q->is_ca)) {
        return false;
    }
    const X509_NAME *name =
        q->cert ? X509_get_issuer_name(q->cert->x509) : X509_get_subject_name(q->issuer->x509);
    return X509_NAME_cmp(crl->issuer, name) == 0 && in_shard(q, crl);
}

/* --- Weighing -----------------------------------------------------------------------------------
 */

static const int rank[] = {
    [HF_REVOKED_MISSING] = 0, [HF_REVOKED_BAD_ISSUER] = 1, [HF_REVOKED_NOT_YET] = 2,
    [HF_REVOKED_STALE] = 3,   [HF_REVOKED_GOOD] = 4,       [HF_REVOKED_REVOKED] = 5,
};

static void weigh(struct hf_revoked_result *worst, const struct hf_revoked_result *result)
{
    bool fresher = result->answer == worst->answer && result->crl && worst->crl &&
                   result->crl->this_update > worst->crl->this_update;
    if (rank[result->answer] > rank[worst->answer] || fresher) {
        *worst = *result;
    }
}

/* May this delta be added to the base? It must begin where the base is or before (5.2.4). */
static bool adds_to(const struct question *q, const struct hf_crl *delta, const struct hf_crl *base)
{
    return delta->is_delta && base->has_number && hf_crl_same_scope(delta, base) &&
           hf_crl_number_order(&base->number, &delta->base) >= 0 &&
           hf_crl_number_order(&delta->number, &base->number) > 0 &&
           delta->this_update <= q->now_s + SKEW_S && hf_crl_verified(delta, q->issuer);
}

/* The newest delta that adds to this base. */
static const struct hf_crl *delta_of(const struct question *q, const struct hf_crl *base)
{
    const struct hf_crl *found = NULL;
    for (size_t i = 0; i < q->set->n; i++) {
        const struct hf_crl *crl = q->set->list[i];
        if (adds_to(q, crl, base) && (!found || hf_crl_newer(crl, found))) {
            found = crl;
        }
    }
    return found;
}

/* Is there a newer list of the same scope by the same key? */
static bool is_superseded(const struct question *q, const struct hf_crl *crl)
{
    for (size_t i = 0; i < q->set->n && !names_key(crl); i++) {
        const struct hf_crl *other = q->set->list[i];
        if (other != crl && replaces(other, crl) && hf_crl_newer(other, crl) &&
            hf_crl_verified(other, q->issuer)) {
            return true;
        }
    }
    return false;
}

static bool is_stale(const struct hf_crl *crl, int64_t now_s)
{
    return crl->next_update && crl->next_update < now_s;
}

/* Is the certificate named by the base as the delta has it? *out_by is the list that says so. */
static bool is_named(const struct question *q, const struct hf_crl *base,
                     const struct hf_crl *delta, struct hf_revocation_entry *out,
                     const struct hf_crl **out_by)
{
    if (delta && hf_serials_find(delta->serials, &q->serial, out)) {
        *out_by = delta;
        return out->why != HF_REVOKED_FOR_REMOVED;
    }
    *out_by = base;
    return hf_serials_find(base->serials, &q->serial, out) && out->why != HF_REVOKED_FOR_REMOVED;
}

static void ask_list(struct question *q, const struct hf_crl *base, struct hf_revoked_result *out)
{
    *out = (struct hf_revoked_result){.crl = base, .age_s = q->now_s - base->this_update};
    if (!hf_crl_verified(base, q->issuer)) {
        out->answer = HF_REVOKED_BAD_ISSUER;
        return;
    }
    const struct hf_crl *delta = delta_of(q, base);
    const struct hf_crl *by = base;
    if (is_named(q, base, delta, &out->entry, &by)) {
        out->answer = HF_REVOKED_REVOKED;
        out->crl = by;
        out->age_s = q->now_s - by->this_update;
        return;
    }
    const struct hf_crl *fresh = delta && is_stale(base, q->now_s) ? delta : base;
    out->crl = fresh;
    out->age_s = q->now_s - fresh->this_update;
    out->fresh_until = fresh->next_update ? fresh->next_update : INT64_MAX;
    if (base->this_update > q->now_s + SKEW_S) {
        out->answer = HF_REVOKED_NOT_YET;
    } else if (is_stale(fresh, q->now_s)) {
        out->answer = HF_REVOKED_STALE;
        out->stale_s = q->now_s - fresh->next_update;
    } else {
        out->answer = HF_REVOKED_GOOD;
        q->good_reasons |= base->reasons;
    }
}

/* Weighs all lists that may speak for it. */
static void ask_all(struct question *q, struct hf_revoked_result *out)
{
    *out = (struct hf_revoked_result){.answer = HF_REVOKED_MISSING};
    for (size_t i = 0; i < q->set->n && !q->wants_cert; i++) {
        const struct hf_crl *crl = q->set->list[i];
        if (crl->is_delta || !in_scope(q, crl) || is_superseded(q, crl)) {
            continue;
        }
        struct hf_revoked_result result;
        ask_list(q, crl, &result);
        weigh(out, &result);
    }
    CRL_DIST_POINTS_free(q->points);
    if (out->answer == HF_REVOKED_GOOD &&
        (q->good_reasons & HF_CRL_ALL_REASONS & ~1u) != (HF_CRL_ALL_REASONS & ~1u)) {
        out->answer = HF_REVOKED_MISSING; /* for the reasons that no list covers */
    }
}

void hf_revoked_check(const struct hf_revoked *revoked, const struct hf_cert *cert,
                      const struct hf_cert *issuer, int64_t now_s, struct hf_revoked_result *out)
{
    struct question q = {
        .set = revoked, .cert = cert, .issuer = issuer, .is_ca = cert->is_ca, .now_s = now_s};
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert->x509);
    if (hf_serial_of_x509(serial, &q.serial) != HF_OK) {
        /* No list that we take could name it: as if none were there. */
        *out = (struct hf_revoked_result){.answer = HF_REVOKED_MISSING};
        return;
    }
    ask_all(&q, out);
}

bool hf_revoked_check_leaf(const struct hf_revoked *revoked, const struct hf_serial *serial,
                           const struct hf_cert *issuer, int64_t now_s,
                           struct hf_revoked_result *out)
{
    struct question q = {.set = revoked, .issuer = issuer, .serial = *serial, .now_s = now_s};
    ask_all(&q, out);
    return !q.wants_cert;
}
