// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_ROUTE_H
#define HF_POLICY_ROUTE_H

/*
 * struct hf_route_table is what a listener does with requests, compiled: its routes in order, with
 * their rules, and the roles that these need. The first route that fits a request is the one.
 *
 * A host goes to a list of the routes that can fit it, in order, by a hash of its name; along that
 * list all conditions are tried. Immutable, any thread.
 *
 * Everything here is relative to places in arrays of the caller: routes by index, so that what a
 * route does (upstream, headers ...) is the caller's to keep.
 */

#include "policy/path_pattern.h"
#include "policy/roles.h"

#define HF_ROUTES_MAX 10000
#define HF_ROUTE_NONE SIZE_MAX

/* Words in lists of identities that are neither roles nor selectors. */
#define HF_RULE_ANYONE   "anyone"   /* with or without a certificate */
#define HF_RULE_VERIFIED "verified" /* everybody whose certificate was verified */

/* --- Making one ---------------------------------------------------------------------------------
 */

/* A list of roles, selectors and the words above; n 0: no such rule. */
struct hf_rule_source {
    const char *const *who;
    size_t n;
};

/* A header field or query parameter and the pattern of its value ("*" stands for anything). */
struct hf_route_pair {
    const char *name;
    const char *value;
};

/* Rules of a route, in the order in which they are judged. */
enum hf_rule {
    HF_RULE_MATCH, /* not a rule: the identities that the route is for */
    HF_RULE_DENY,
    HF_RULE_ALLOW,
    HF_RULE_REPORT,
    HF_RULE_N,
};

const char *hf_rule_name(enum hf_rule rule); /* "identity", "deny", "allow", "report" */

/* struct hf_route_source is one route as written. All that is given must fit; of a list one.
 * Used during hf_route_table_new only. */
struct hf_route_source {
    const char *name;
    const char *const *hosts; /* lower case, without port: exact, or "*.example.org" */
    size_t n_hosts;
    const char *const *paths; /* policy/path_pattern.h */
    size_t n_paths;
    const char *const *methods; /* case-sensitive */
    size_t n_methods;
    const struct hf_route_pair *headers; /* names in lower case */
    size_t n_headers;
    const struct hf_route_pair *queries; /* as decoded */
    size_t n_queries;
    struct hf_rule_source rules[HF_RULE_N];
    bool auth; /* besides the certificate, something else must be shown: a token, a password */
};

/*
 * How a listener asks clients who want a server name. Two policies of the same kind are the same in
 * all that matters: client mode and trust.
 */
struct hf_route_door {
    const char *pattern; /* lower case, exact or "*.example.org"; NULL: all other names */
    unsigned kind;
};

struct hf_route_table_source {
    const struct hf_route_source *routes;
    size_t n_routes;
    const struct hf_role_source *roles; /* those that no rule needs are left out */
    size_t n_roles;
    const struct hf_route_door *doors; /* [0] is the default; at least one */
    size_t n_doors;
    const struct hf_route_door *neighbours; /* hosts of other listeners that a client may have been
                                               looking for; those named here too are ours */
    size_t n_neighbours;
};

/* What hf_route_table_new refused; the sentence is hf_err_text(). */
struct hf_route_place {
    enum hf_route_part {
        HF_ROUTE_PART_ROUTE, /* the route as a whole */
        HF_ROUTE_PART_HOST,
        HF_ROUTE_PART_PATH,
        HF_ROUTE_PART_HEADER,
        HF_ROUTE_PART_QUERY,
        HF_ROUTE_PART_RULE, /* rule says which */
        HF_ROUTE_PART_ROLE, /* role says where */
    } part;
    size_t route;
    enum hf_rule rule;
    size_t item; /* in its list */
    struct hf_role_place role;
};

struct hf_route_table;

/* hf_route_table_new compiles. Errors: HF_E_INVALID, HF_E_EXISTS, HF_E_TOO_LARGE in words,
 * HF_E_NOMEM; *out_place says where. */
enum hf_err hf_route_table_new(const struct hf_route_table_source *source,
                               struct hf_route_table **out,
                               struct hf_route_place *out_place) HF_MUST_CHECK;
void hf_route_table_free(struct hf_route_table *table);

size_t hf_route_table_count(const struct hf_route_table *table);
const char *hf_route_table_name(const struct hf_route_table *table, size_t route);

/* hf_route_table_roles are the roles that rules need, rules among them; for names and counts. */
const struct hf_roles *hf_route_table_roles(const struct hf_route_table *table);

/* hf_route_table_door gives the index of the door that a server name, or the host of a request,
 * belongs to: exact before wildcard before the default. Any case; a trailing dot doesn't count. */
size_t hf_route_table_door(const struct hf_route_table *table, struct hf_bytes host);

/* hf_route_table_kind gives the kind of the door that the host of a request belongs to, be it
 * another listener's. */
unsigned hf_route_table_kind(const struct hf_route_table *table, struct hf_bytes host);

/* --- Who asks -----------------------------------------------------------------------------------
 */

/*
 * struct hf_requester is the client of a connection as rules see it: computed once, when its
 * handshake is complete, and again when its identity or the table changes. At most 24 bytes, and a
 * byte for each four roles beyond 32. A zeroed one is nobody, and holds nothing.
 */
struct hf_requester {
    bool verified;
    uint32_t n_roles;
    union {
        uint8_t here[8];
        uint8_t *more;
    } answers; /* enum hf_match of each role, two bits each */
};

/*
 * hf_requester_init judges all roles of the table. identity: of a certificate that was verified
 * (hf_verdict.verified); NULL for anybody else. Errors: HF_E_NOMEM; the requester is then nobody.
 */
enum hf_err hf_requester_init(struct hf_requester *requester, const struct hf_route_table *table,
                              const struct hf_identity *identity) HF_MUST_CHECK;
void hf_requester_done(struct hf_requester *requester);

enum hf_match hf_requester_role(const struct hf_requester *requester, size_t role);

/* hf_requester_rule: is the requester among those that a rule of a route names? A rule that isn't
 * there names nobody. */
enum hf_match hf_requester_rule(const struct hf_requester *requester,
                                const struct hf_route_table *table, size_t route,
                                enum hf_rule rule);

/* --- What is asked ------------------------------------------------------------------------------
 */

/* struct hf_request is a request as routes see it. */
struct hf_request {
    struct hf_bytes method;
    struct hf_bytes host;  /* of Host or :authority, without port; empty: there is none */
    struct hf_bytes path;  /* in normal form, without query; "*" for OPTIONS * */
    struct hf_bytes query; /* as it came, without "?" */

    /* gives the value of the nth field of this name (lower case); false when there are fewer */
    bool (*header)(void *ctx, const char *name, size_t nth, struct hf_bytes *out_value);
    void *header_ctx;
};

struct hf_route_choice {
    size_t route;    /* or HF_ROUTE_NONE */
    size_t path_len; /* see hf_path_pattern_match */
    bool undecided;  /* the route is for some identities, and the client's names can't be relied on:
                        refuse */
};

/* hf_route_choose finds the first route that fits. */
struct hf_route_choice hf_route_choose(const struct hf_route_table *table,
                                       const struct hf_requester *requester,
                                       const struct hf_request *request);

#endif
