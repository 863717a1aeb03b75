// SPDX-License-Identifier: Apache-2.0
/* The keys of one route. */
#include "config/keys_impl.h"
#include "config/semantics.h"

#define STRINGS(type, member) \
    .list = true, .offset = offsetof(struct type, member.item), \
    .n_offset = offsetof(struct type, member.n)

/* --- match -------------------------------------------------------------------------------------*/

static const struct hf_key match_keys[] = {
    {.name = "host",
     .kind = HF_KIND_HOSTS,
     .doc = "The host that is asked for, without port: exact, or `*.example.org` for exactly one "
            "label.",
     .example = "[api.example.org, \"*.apps.example.org\"]",
     STRINGS(hf_cfg_match, host)},
    {.name = "path",
     .kind = HF_KIND_PATHS,
     .doc = "The path. `/login` is that path alone; `/admin/` is `/admin` and everything beneath; "
            "`*` stands for part of a segment, `**` as a segment for any number of segments.",
     .example = "[/admin/, \"/users/*/keys\"]",
     STRINGS(hf_cfg_match, path)},
    {.name = "method",
     .kind = HF_KIND_METHOD,
     .doc = "The methods, in capitals. GET doesn't include HEAD.",
     .example = "[GET, HEAD]",
     STRINGS(hf_cfg_match, method)},
    {.name = "header",
     .kind = HF_KIND_FIELD_PATTERNS,
     .doc = "Header fields that must be there, and their values; `*` stands for anything.",
     .example = "{x-version: \"2.*\"}",
     HF_KEY_FIELD(hf_cfg_match, header)},
    {.name = "query",
     .kind = HF_KIND_PARAM_PATTERNS,
     .doc = "Parameters that must be in the query, and their values, decoded; `*` stands for "
            "anything.",
     .example = "{format: json}",
     HF_KEY_FIELD(hf_cfg_match, query)},
    {.name = "identity",
     .kind = HF_KIND_WHO,
     .doc = "Roles and selectors, of which the client must have one, as in `allow`. Others go on "
            "to the next route.",
     .example = "[beta-testers]",
     STRINGS(hf_cfg_match, identity)},
};

static const struct hf_section section_match = {
    .noun = "match",
    .doc = "Which requests a route is for. All that is given must fit; of a list, one. Without "
           "`match` it is for all.",
    .size = sizeof(struct hf_cfg_match),
    HF_SECTION_KEYS(match_keys)};

/* --- what is done ------------------------------------------------------------------------------*/

static const struct hf_word redirect_words[] = {{"301", 301}, {"302", 302}, {"303", 303},
                                                {"307", 307}, {"308", 308}, {NULL, 0}};

static const struct hf_key respond_keys[] = {
    {.name = "status",
     .kind = HF_KIND_UINT,
     .min = 200,
     .max = 599,
     .standard = "200",
     .doc = "The status of the answer.",
     .example = "204",
     HF_KEY_FIELD(hf_cfg_respond, status)},
    {.name = "body",
     .kind = HF_KIND_TEXT,
     .doc = "Its body. Default: none.",
     .example = "\"closed for repairs\"",
     HF_KEY_FIELD(hf_cfg_respond, body)},
    {.name = "headers",
     .kind = HF_KIND_FIELDS,
     .doc = "Its header fields; `content-type: text/plain` goes with a body where none is given.",
     .example = "{retry-after: \"120\"}",
     HF_KEY_FIELD(hf_cfg_respond, headers)},
};

static const struct hf_section section_respond = {.noun = "respond",
                                                  .doc =
                                                      "A fixed answer, given by the proxy itself.",
                                                  .size = sizeof(struct hf_cfg_respond),
                                                  HF_SECTION_KEYS(respond_keys)};

static const struct hf_key redirect_keys[] = {
    {.name = "to",
     .kind = HF_KIND_LOCATION,
     .required = true,
     .doc = "Where to: a URL or a path. `{host}`, `{path}` and `{query}` stand for those of the "
            "request, the query with its `?`.",
     .example = "\"https://new.example.org{path}{query}\"",
     HF_KEY_FIELD(hf_cfg_redirect, to)},
    {.name = "status",
     .kind = HF_KIND_ENUM,
     .words = redirect_words,
     .standard = "308",
     .doc = "The status: 301 and 308 say that it is for ever, 302 and 307 that it isn't; 307 and "
            "308 keep method and body.",
     .example = "302",
     HF_KEY_FIELD(hf_cfg_redirect, status)},
};

static const struct hf_section section_redirect = {.noun = "redirect",
                                                   .doc = "Sends the client elsewhere.",
                                                   .size = sizeof(struct hf_cfg_redirect),
                                                   HF_SECTION_KEYS(redirect_keys)};

static const struct hf_key rewrite_keys[] = {
    {.name = "path",
     .kind = HF_KIND_PLAIN_PATH,
     .doc = "The path that the backend gets. Where the route's path ends in `/`, so must this, and "
            "what stands beneath is kept; else it is the whole path. The query stays.",
     .example = "/v2/",
     HF_KEY_FIELD(hf_cfg_rewrite, path)},
    {.name = "host",
     .kind = HF_KIND_AUTHORITY,
     .doc = "The host that the backend gets, with a port where it wants one. Default: the one "
            "that the client asked for.",
     .example = "app.internal.example",
     HF_KEY_FIELD(hf_cfg_rewrite, host)},
};

static const struct hf_section section_rewrite = {
    .noun = "rewrite",
    .doc = "What the backend gets in place of what the client asked for. Rules have looked at what "
           "the client asked for.",
    .size = sizeof(struct hf_cfg_rewrite),
    HF_SECTION_KEYS(rewrite_keys)};

/* --- header fields -----------------------------------------------------------------------------*/

static const struct hf_key edits_keys[] = {
    {.name = "set",
     .kind = HF_KIND_FIELDS,
     .doc = "Fields to send, in place of all that have the name.",
     .example = "{x-team: payments}",
     HF_KEY_FIELD(hf_cfg_edits, set)},
    {.name = "add",
     .kind = HF_KIND_FIELDS,
     .doc = "Fields to send beside those that have the name.",
     .example = "{via: \"1.1 handfast\"}",
     HF_KEY_FIELD(hf_cfg_edits, add)},
    {.name = "remove",
     .kind = HF_KIND_FIELD,
     .doc = "Fields to leave out.",
     .example = "[x-debug]",
     STRINGS(hf_cfg_edits, remove)},
};

static const struct hf_section section_edits = {
    .noun = "header edits",
    .doc = "Changes to header fields: first `remove`, then `set`, then `add`.",
    .size = sizeof(struct hf_cfg_edits),
    HF_SECTION_KEYS(edits_keys)};

static const struct hf_key headers_keys[] = {
    {.name = "request",
     .kind = HF_KIND_SECTION,
     .section = &section_edits,
     .doc = "Of what the backend gets.",
     HF_KEY_FIELD(hf_cfg_headers, request)},
    {.name = "response",
     .kind = HF_KIND_SECTION,
     .section = &section_edits,
     .doc = "Of what the client gets.",
     HF_KEY_FIELD(hf_cfg_headers, response)},
};

static const struct hf_section section_headers = {.noun = "headers",
                                                  .doc = "Changes to header fields on their way.",
                                                  .size = sizeof(struct hf_cfg_headers),
                                                  HF_SECTION_KEYS(headers_keys)};

/* --- the route ---------------------------------------------------------------------------------*/

static const struct hf_key route_keys[] = {
    {.name = "name",
     .kind = HF_KIND_LABEL,
     .doc = "What logs and metrics call it. Default: `route-1` and so on, by its place.",
     .example = "admin",
     HF_KEY_FIELD(hf_cfg_route, name)},
    {.name = "match",
     .kind = HF_KIND_SECTION,
     .section = &section_match,
     .doc = "Which requests it is for. The first route that fits is taken.",
     HF_KEY_FIELD(hf_cfg_route, match)},
    {.name = "allow",
     .kind = HF_KIND_WHO,
     .doc = "Who may come in: roles, selectors, `verified` for everybody with a verified "
            "certificate, `anyone`. Once a route of the listener has a rule, those without let "
            "nobody in.",
     .example = "[ops, \"spiffe://example.org/web\"]",
     STRINGS(hf_cfg_route, allow)},
    {.name = "deny",
     .kind = HF_KIND_WHO,
     .doc = "Who may not, though `allow` would let them in.",
     .example = "[interns]",
     STRINGS(hf_cfg_route, deny)},
    {.name = "report",
     .kind = HF_KIND_WHO,
     .doc = "A trial: as `allow`, but those whom it would refuse are logged and counted, and let "
            "through.",
     .example = "[ops]",
     STRINGS(hf_cfg_route, report)},
    {.name = "auth",
     .kind = HF_KIND_AUTH,
     .doc = "What else must be shown, beside what `allow` says: the name of an `auth`; a list or "
            "`{any: [...]}` of which one will do; `{all: [...]}`; or `{use: NAME}` with `users`, "
            "`scopes` and `claims` that must be found.",
     .example = "{any: [staff, {use: idp, scopes: [orders.write]}]}",
     HF_KEY_FIELD(hf_cfg_route, auth)},
    {.name = "to",
     .kind = HF_KIND_REF,
     .ref = &hf_ref_upstream,
     .doc = "The upstream that requests go to. A route has this, `service`, `respond` or "
            "`redirect`.",
     .example = "app",
     HF_KEY_FIELD(hf_cfg_route, to)},
    {.name = "service",
     .kind = HF_KIND_SERVICE,
     .doc = "A part of a CA that answers: `NAME/public` (CRLs, CA certificates, OCSP) or "
            "`NAME/feed` (revocations as they happen, for other nodes). A plain listener serves "
            "`public` alone.",
     .example = "main/public",
     HF_KEY_FIELD(hf_cfg_route, service)},
    {.name = "respond",
     .kind = HF_KIND_SECTION,
     .section = &section_respond,
     .doc = "Answers by itself.",
     .set_offset = offsetof(struct hf_cfg_route, respond_on),
     HF_KEY_FIELD(hf_cfg_route, respond)},
    {.name = "redirect",
     .kind = HF_KIND_SECTION,
     .section = &section_redirect,
     .doc = "Sends the client elsewhere.",
     .set_offset = offsetof(struct hf_cfg_route, redirect_on),
     HF_KEY_FIELD(hf_cfg_route, redirect)},
    {.name = "rewrite",
     .kind = HF_KIND_SECTION,
     .section = &section_rewrite,
     .doc = "Other path and host for the backend.",
     HF_KEY_FIELD(hf_cfg_route, rewrite)},
    {.name = "headers",
     .kind = HF_KIND_SECTION,
     .section = &section_headers,
     .doc = "Changes to header fields.",
     HF_KEY_FIELD(hf_cfg_route, headers)},
    {.name = "max-body",
     .kind = HF_KIND_SIZE,
     .min = 0,
     .max = INT64_MAX / 2,
     .doc = "The largest request body; `0`: no limit. Default: the listener's.",
     .example = "1GiB",
     .mark_offset = offsetof(struct hf_cfg_route, max_body_mark),
     HF_KEY_FIELD(hf_cfg_route, max_body)},
    {.name = "timeout",
     .kind = HF_KIND_DURATION,
     .min = 0,
     .max = 7 * HF_DAY_MS,
     .standard = "0",
     .doc = "How long a request may take in all, from its head to the end of the answer; `0`: for "
            "ever.",
     .example = "30s",
     HF_KEY_FIELD(hf_cfg_route, timeout_ms)},
    {.name = "retries",
     .kind = HF_KIND_UINT,
     .min = 0,
     .max = 10,
     .standard = "0",
     .doc =
         "How often a request that can be repeated (GET, HEAD, PUT and their likes) is tried again "
         "when its server failed. One that no server has seen yet is tried again anyway.",
     .example = "2",
     HF_KEY_FIELD(hf_cfg_route, retries)},
};

const struct hf_section hf_section_route = {
    .noun = "route",
    .doc = "One way for requests through a listener. Routes are tried in their order.",
    .size = sizeof(struct hf_cfg_route),
    .check = hf_check_route,
    HF_SECTION_KEYS(route_keys)};
