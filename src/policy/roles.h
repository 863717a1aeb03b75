// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_ROLES_H
#define HF_POLICY_ROLES_H

/*
 * Roles: names for sets of identities, made of selectors and of other roles.
 *
 *     ops:    any of ["spiffe://example.org/ops-*", "cn:alice"]
 *     admins: all of [role ops, not "ou:Interns"]
 *
 * Immutable, any thread. All roles are judged at once, in time that is linear in their size: a role
 * that others use is looked at once.
 *
 * Three answers (enum hf_match): where names can't be relied on, neither a selector nor its
 * negation holds. Nobody without a verified certificate has any role, not even one made with
 * "not".
 */

#include "policy/selector.h"

enum hf_role_op {
    HF_ROLE_SELECTOR, /* text: a selector */
    HF_ROLE_NAMED,    /* text: the name of a role */
    HF_ROLE_ANY,      /* of the parts, at least one */
    HF_ROLE_ALL,      /* of the parts, at least one of which must be given */
    HF_ROLE_NOT,      /* of the one part */
};

/* struct hf_role_expr is a role as it was written. Used during hf_roles_new only. */
struct hf_role_expr {
    enum hf_role_op op;
    const char *text;
    const struct hf_role_expr *parts;
    size_t n_parts;
    const void *tag; /* the caller's: where it was written */
};

struct hf_role_source {
    const char *name;
    struct hf_role_expr expr;
};

/* What hf_roles_new refused; the sentence is hf_err_text(). */
struct hf_role_place {
    size_t role;                     /* index among the sources */
    const struct hf_role_expr *expr; /* within it */
};

#define HF_ROLES_MAX      4096
#define HF_ROLE_PARTS_MAX 65536 /* of all roles together */
#define HF_ROLE_DEPTH_MAX 16    /* of parts within parts; roles within roles have no limit */

struct hf_roles;

/*
 * hf_roles_new compiles. Errors: HF_E_INVALID in words (a bad selector, an unknown role, an empty
 * list, a cycle, which is told step by step), HF_E_EXISTS for a name given twice, HF_E_TOO_LARGE,
 * HF_E_NOMEM; *out_place says where.
 */
enum hf_err hf_roles_new(const struct hf_role_source *sources, size_t n, struct hf_roles **out,
                         struct hf_role_place *out_place) HF_MUST_CHECK;
void hf_roles_free(struct hf_roles *roles);

size_t hf_roles_count(const struct hf_roles *roles);
const char *hf_roles_name(const struct hf_roles *roles, size_t role);

/* hf_roles_find gives the index of a role, or SIZE_MAX. */
size_t hf_roles_find(const struct hf_roles *roles, const char *name);

/*
 * hf_roles_judge fills out[0 .. count) for an identity whose certificate was verified; identity
 * NULL: there is none, and every answer is HF_MATCH_NO. Errors: HF_E_NOMEM; every answer is then
 * HF_MATCH_UNKNOWN.
 */
enum hf_err hf_roles_judge(const struct hf_roles *roles, const struct hf_identity *identity,
                           enum hf_match *out) HF_MUST_CHECK;

#endif
