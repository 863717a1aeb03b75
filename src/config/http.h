// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_HTTP_H
#define HF_CONFIG_HTTP_H

/*
 * The typed configuration of `mode: http`: limits, routes, roles. Part of config/config.h, whose
 * rules hold here too.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/auth.h"
#include "config/ca.h"
#include "config/parts.h"
#include "http/path.h"
#include "policy/roles.h"

struct hf_cfg_upstream;
struct hf_route_table;

/* What is spoken with the servers of an upstream. */
enum hf_cfg_protocol {
    HF_PROTOCOL_HTTP1,
    HF_PROTOCOL_H2,   /* in TLS */
    HF_PROTOCOL_H2C,  /* in plain text, with prior knowledge */
    HF_PROTOCOL_AUTO, /* in TLS, h2 or http/1.1 by ALPN */
};

struct hf_cfg_h2 {
    unsigned max_streams;       /* at a time, of one connection */
    uint64_t stream_window;     /* bytes that a stream may send before we took them */
    uint64_t connection_window; /* the same, of all streams of a connection */
    uint64_t header_table;      /* of HPACK, each direction */
    unsigned max_continuations; /* of one field section */
    int64_t interval_ms;        /* of the counts below */
    unsigned max_resets;
    unsigned max_errors;
    unsigned max_settings;
    unsigned max_pings;
    unsigned max_priorities;
    unsigned max_window_updates;
    unsigned max_empty_frames;
};

/* Limits of a listener's requests. */
struct hf_cfg_http {
    uint64_t max_header_size; /* of one request's head, or the trailers */
    unsigned max_headers;
    uint64_t max_body;             /* 0: no limit */
    int64_t header_timeout_ms;     /* for a whole request head */
    int64_t body_timeout_ms;       /* the longest silence within a request body */
    int64_t keep_alive_timeout_ms; /* between requests */
    unsigned keep_alive_requests;  /* 0: no limit */
    int64_t cut_after_ms;          /* once its client is no longer admitted */
    int64_t expiry_drain_ms;       /* before its client's chain ends; 0: not told before */
    struct hf_http_path_rules paths;
    struct hf_cfg_h2 h2;
};

/* Changes to the fields of a message: first `remove`, then `set`, then `add`. Names are in lower
 * case. */
struct hf_cfg_edits {
    struct hf_cfg_pairs set; /* in place of all fields of that name */
    struct hf_cfg_pairs add; /* beside them */
    struct hf_cfg_strings remove;
};

struct hf_cfg_headers {
    struct hf_cfg_edits request;
    struct hf_cfg_edits response;
};

/* Which requests a route is for: all that is given must fit; of a list, one. */
struct hf_cfg_match {
    struct hf_cfg_strings host;   /* lower case; exact, or "*.example.org" */
    struct hf_cfg_strings path;   /* patterns; see policy/path_pattern.h */
    struct hf_cfg_strings method; /* as on the wire */
    struct hf_cfg_pairs header;   /* values are patterns with "*" */
    struct hf_cfg_pairs query;
    struct hf_cfg_strings identity; /* roles and selectors, as in `allow` */
};

struct hf_cfg_respond {
    unsigned status;
    struct hf_cfg_string body; /* absent: empty */
    struct hf_cfg_pairs headers;
};

struct hf_cfg_redirect {
    struct hf_cfg_string to; /* a URL or path; {host}, {path}, {query} stand for the request's */
    unsigned status;         /* 301, 302, 303, 307, 308 */
};

struct hf_cfg_rewrite {
    struct hf_cfg_string path; /* absent: as it came */
    struct hf_cfg_string host; /* absent: as it came */
};

/* What a route does with a request that is allowed. */
enum hf_cfg_route_action { HF_ROUTE_TO, HF_ROUTE_RESPOND, HF_ROUTE_REDIRECT, HF_ROUTE_SERVICE };

/* Marks with line 0: the key isn't given, the listener's or upstream's value holds. */
struct hf_cfg_route {
    struct hf_cfg_string name; /* always there: "route-3" where the file gives none */
    struct hf_mark mark;
    struct hf_cfg_match match;
    struct hf_cfg_strings allow; /* roles, selectors, "anyone", "verified"; n 0: no such rule */
    struct hf_cfg_strings deny;
    struct hf_cfg_strings report;  /* on trial: who would be allowed */
    struct hf_cfg_auth_expr *auth; /* what else must be shown; NULL: nothing */
    enum hf_cfg_route_action action;
    struct hf_cfg_upstream *to; /* borrowed; NULL unless action is TO */
    struct hf_cfg_respond respond;
    bool respond_on;
    struct hf_cfg_redirect redirect;
    bool redirect_on;
    struct hf_cfg_service service;
    struct hf_cfg_rewrite rewrite;
    struct hf_cfg_headers headers;
    uint64_t max_body;
    struct hf_mark max_body_mark;
    int64_t timeout_ms; /* from the request's head to the answer's end; 0: none */
    unsigned retries;   /* attempts after the first */
};

/* hf_cfg_route_is_closed: has the route a rule that keeps somebody out? One on trial doesn't. */
static inline bool hf_cfg_route_is_closed(const struct hf_cfg_route *route)
{
    return route->allow.n || route->deny.n || route->auth;
}

/* A role as written; expr's tags are the struct hf_mark of each part. */
struct hf_cfg_role {
    char *name;
    struct hf_mark mark;
    struct hf_role_expr expr;
};

#endif
