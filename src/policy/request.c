// SPDX-License-Identifier: Apache-2.0
/*
 * The one verdict on requests. It starts as a refusal; the steps run in order and each may end it;
 * only what passed all of them is allowed.
 */
#include "policy/request.h"

#include <stdio.h>

#include "policy/route_impl.h"

static const struct {
    enum hf_reason reason;
    uint16_t status;
} statuses[] = {
    {HF_REASON_MISDIRECTED, 421},       {HF_REASON_NO_ROUTE, 404},
    {HF_REASON_AUTH_REQUIRED, 401},     {HF_REASON_BAD_CREDENTIAL, 400},
    {HF_REASON_TOKEN_MALFORMED, 401},   {HF_REASON_TOKEN_CRITICAL, 401},
    {HF_REASON_TOKEN_TYPE, 401},        {HF_REASON_TOKEN_ALGORITHM, 401},
    {HF_REASON_TOKEN_KEY, 401},         {HF_REASON_TOKEN_SIGNATURE, 401},
    {HF_REASON_TOKEN_DATES, 401},       {HF_REASON_TOKEN_EXPIRED, 401},
    {HF_REASON_TOKEN_EARLY, 401},       {HF_REASON_TOKEN_ISSUER, 401},
    {HF_REASON_TOKEN_AUDIENCE, 401},    {HF_REASON_TOKEN_UNBOUND, 401},
    {HF_REASON_TOKEN_BINDING, 401},     {HF_REASON_WRONG_PASSWORD, 401},
    {HF_REASON_TOO_MANY_FAILURES, 429}, {HF_REASON_RATE_LIMITED, 429},
    {HF_REASON_CONNECTION_LIMIT, 429},  {HF_REASON_KEYS_UNAVAILABLE, 503},
    {HF_REASON_AUTH_BUSY, 503},         {HF_REASON_INTERNAL, 500},
};

uint16_t hf_request_status(enum hf_reason reason)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(statuses); i++) {
        if (statuses[i].reason == reason) {
            return statuses[i].status;
        }
    }
    return 403;
}

static void refuse(struct hf_request_verdict *out, enum hf_reason reason, enum hf_rule rule)
{
    out->allow = false;
    out->reason = reason;
    out->rule = rule;
    out->status = hf_request_status(reason);
}

/* Why somebody whom a rule doesn't name isn't let in by it. */
static enum hf_reason reason_of(const struct hf_requester *requester, enum hf_match match)
{
    if (match == HF_MATCH_UNKNOWN) {
        return HF_REASON_UNRELIABLE_NAMES;
    }
    return requester->verified ? HF_REASON_NOT_ALLOWED : HF_REASON_NOT_VERIFIED;
}

/* --- Steps: false when the verdict is found -----------------------------------------------------
 */

typedef bool step_fn(const struct hf_request_input *input, struct hf_request_verdict *out);

static bool check_vital(const struct hf_request_input *input, struct hf_request_verdict *out)
{
    const struct hf_request *request = input->request;
    struct hf_bytes name = hf_bytes_str("");
    enum hf_vital vital = input->vitals
                              ? hf_vital_find(input->vitals, request->method, request->path, &name)
                              : HF_VITAL_NONE;
    if (vital != HF_VITAL_NONE) {
        out->allow = true;
        out->reason = HF_REASON_OK;
        out->status = 0;
        out->vital = vital;
        out->vital_of = name;
    } else if (input->vitals_only) {
        refuse(out, HF_REASON_PROBES_ONLY, HF_RULE_MATCH);
    }
    return vital == HF_VITAL_NONE && !input->vitals_only;
}

static bool check_authority(const struct hf_request_input *input, struct hf_request_verdict *out)
{
    const struct hf_route_table *table = input->table;
    struct hf_bytes host = input->request->host;
    if (input->door >= table->n_doors) {
        refuse(out, HF_REASON_INTERNAL, HF_RULE_MATCH);
        return false;
    }
    if (host.len && hf_route_table_kind(table, host) != table->kinds[input->door]) {
        refuse(out, HF_REASON_MISDIRECTED, HF_RULE_MATCH);
        return false;
    }
    return true;
}

static bool find_route(const struct hf_request_input *input, struct hf_request_verdict *out)
{
    struct hf_route_choice choice = hf_route_choose(input->table, input->requester, input->request);
    out->route = choice.route;
    out->path_len = choice.path_len;
    if (choice.route == HF_ROUTE_NONE || choice.undecided) {
        refuse(out, choice.undecided ? HF_REASON_UNRELIABLE_NAMES : HF_REASON_NO_ROUTE,
               HF_RULE_MATCH);
        return false;
    }
    return true;
}

static bool apply_deny(const struct hf_request_input *input, struct hf_request_verdict *out)
{
    enum hf_match match =
        hf_requester_rule(input->requester, input->table, out->route, HF_RULE_DENY);
    if (match != HF_MATCH_NO) {
        refuse(out, match == HF_MATCH_YES ? HF_REASON_DENIED : HF_REASON_UNRELIABLE_NAMES,
               HF_RULE_DENY);
        return false;
    }
    return true;
}

static bool apply_allow(const struct hf_request_input *input, struct hf_request_verdict *out)
{
    const struct hf_route *route = &input->table->routes[out->route];
    if (route->rules[HF_RULE_ALLOW].given) {
        enum hf_match match =
            hf_requester_rule(input->requester, input->table, out->route, HF_RULE_ALLOW);
        out->rule = HF_RULE_ALLOW;
        if (match != HF_MATCH_YES) {
            refuse(out, reason_of(input->requester, match), HF_RULE_ALLOW);
            return false;
        }
        return true;
    }
    if (input->table->has_rules && !route->auth && !route->rules[HF_RULE_REPORT].given) {
        refuse(out, HF_REASON_NO_RULE, HF_RULE_MATCH);
        return false;
    }
    return true;
}

static bool apply_auth(const struct hf_request_input *input, struct hf_request_verdict *out)
{
    if (!input->table->routes[out->route].auth || input->auth == HF_AUTH_PASSED) {
        return true;
    }
    bool told = input->auth == HF_AUTH_FAILED && input->auth_reason != HF_REASON_OK;
    refuse(out, told ? input->auth_reason : HF_REASON_AUTH_REQUIRED, HF_RULE_MATCH);
    out->wants_auth = input->auth != HF_AUTH_FAILED;
    return false;
}

static bool apply_report(const struct hf_request_input *input, struct hf_request_verdict *out)
{
    enum hf_match match =
        hf_requester_rule(input->requester, input->table, out->route, HF_RULE_REPORT);
    bool given = input->table->routes[out->route].rules[HF_RULE_REPORT].given;
    out->allow = true;
    out->reason = HF_REASON_OK;
    out->status = 0;
    if (given && match != HF_MATCH_YES) {
        out->would_refuse = true;
        out->reason = reason_of(input->requester, match);
        out->rule = HF_RULE_REPORT;
    }
    return false;
}

static void start(struct hf_request_verdict *out)
{
    *out = (struct hf_request_verdict){.route = HF_ROUTE_NONE};
    refuse(out, HF_REASON_INTERNAL, HF_RULE_MATCH);
}

void hf_request_judge(const struct hf_request_input *input, struct hf_request_verdict *out)
{
    static step_fn *const steps[] = {check_vital, check_authority, find_route,  apply_deny,
                                     apply_allow, apply_auth,      apply_report};
    start(out);
    for (size_t i = 0; i < HF_N_ELEMENTS(steps) && steps[i](input, out); i++) {
    }
}

bool hf_request_judge_vital(const struct hf_request_input *input, struct hf_request_verdict *out)
{
    struct hf_request_verdict verdict;
    start(&verdict);
    if (check_vital(input, &verdict)) {
        return false;
    }
    *out = verdict;
    return true;
}

/* --- In words -----------------------------------------------------------------------------------
 */

void hf_request_rule_name(const struct hf_route_table *table,
                          const struct hf_request_verdict *verdict,
                          char out[static HF_REQUEST_RULE_MAX])
{
    bool rule = verdict->rule != HF_RULE_MATCH;
    if (verdict->vital != HF_VITAL_NONE) {
        snprintf(out, HF_REQUEST_RULE_MAX, "probe/%s", hf_vital_name(verdict->vital));
        return;
    }
    snprintf(out, HF_REQUEST_RULE_MAX, "%s%s%s", hf_route_table_name(table, verdict->route),
             rule ? "/" : "", rule ? hf_rule_name(verdict->rule) : "");
}

/* The list of the rule that decided, as written. */
static const char *rule_text(const struct hf_route_table *table,
                             const struct hf_request_verdict *verdict)
{
    const char *text = verdict->route < table->n_routes
                           ? table->routes[verdict->route].rules[verdict->rule].text
                           : NULL;
    return text ? text : "";
}

static void say_allowed(const struct hf_route_table *table,
                        const struct hf_request_verdict *verdict, char *out, size_t out_size)
{
    const char *name = hf_route_table_name(table, verdict->route);
    if (verdict->vital != HF_VITAL_NONE) {
        snprintf(out, out_size, "this is a probe (%s), and the client's address may ask it",
                 hf_vital_name(verdict->vital));
    } else if (verdict->would_refuse) {
        snprintf(out, out_size,
                 "route \"%s\" lets the client in, but the rule on trial (report: %s) would not",
                 name, rule_text(table, verdict));
    } else if (verdict->rule == HF_RULE_ALLOW) {
        snprintf(out, out_size, "route \"%s\" allows the client (allow: %s)", name,
                 rule_text(table, verdict));
    } else {
        snprintf(out, out_size, "route \"%s\" has no rule that refuses the client", name);
    }
}

void hf_request_verdict_text(const struct hf_route_table *table,
                             const struct hf_request_verdict *verdict, char *out, size_t out_size)
{
    const char *name = hf_route_table_name(table, verdict->route);
    const char *who = rule_text(table, verdict);
    const char *rule = hf_rule_name(verdict->rule);
    if (verdict->allow) {
        say_allowed(table, verdict, out, out_size);
        return;
    }
    switch (verdict->reason) {
    case HF_REASON_NOT_ALLOWED:
        snprintf(out, out_size, "route \"%s\" doesn't allow the client (%s: %s)", name, rule, who);
        break;
    case HF_REASON_NOT_VERIFIED:
        snprintf(out, out_size,
                 "route \"%s\" doesn't allow clients without a verified certificate (%s: %s)", name,
                 rule, who);
        break;
    case HF_REASON_DENIED:
        snprintf(out, out_size, "route \"%s\" denies the client (deny: %s)", name, who);
        break;
    case HF_REASON_UNRELIABLE_NAMES:
        snprintf(out, out_size,
                 "route \"%s\" judges names (%s: %s), and those in the client's certificate can't "
                 "be relied on",
                 name, rule, who);
        break;
    case HF_REASON_NO_RULE:
        snprintf(out, out_size,
                 "route \"%s\" allows nobody: other routes of the listener have rules, and this "
                 "one has none",
                 name);
        break;
    default:
        snprintf(out, out_size, "%s", hf_reason_text(verdict->reason));
    }
}
