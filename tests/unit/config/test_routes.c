// SPDX-License-Identifier: Apache-2.0
/* HTTP mode in the config: routes, roles and limits arrive in their fields, what is wrong with them
 * is told with its place, and what somebody would regret is told by lint. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/lint_impl.h"
#include "policy/request.h"

#define ROLES \
    "roles: {ops: [\"spiffe://example.org/ops/*\"], web: \"cn:web\", both: {all: [ops, {not: " \
    "web}]}}\n"
#define DOOR \
    "listeners:\n" \
    "  api: {listen: [\"127.0.0.1:8443\"], identities: [web], trust: partners, mode: http, "
/* Lines 1 to 3 are HEAD, 4 the roles, 5 and 6 the listener; the first route is in line 7. */
#define ROUTES(text) HEAD ROLES DOOR "routes: [\n" text "]}\n"

static struct hf_config *good(const char *text)
{
    struct hf_config *config = NULL;
    assert_string_equal(findings_of(text, &config), "");
    assert_non_null(config);
    return config;
}

static void wrong(const char *text, const char *said)
{
    assert_string_equal(findings_of(text, NULL), said);
}

/* --- What is right ------------------------------------------------------------------------------
 */

static void defaults_are_safe(void **state)
{
    (void)state;
    struct hf_config *config = good(HEAD DOOR "to: app}\n");
    const struct hf_cfg_listener *api = &config->listeners[0];
    assert_int_equal(api->mode, HF_MODE_HTTP);
    assert_null(api->to);
    assert_int_equal(api->n_routes, 1);
    assert_ptr_equal(api->routes[0].to, &config->upstreams[0]);
    assert_string_equal(api->routes[0].name.value, "route-1");
    assert_int_equal(hf_route_table_count(api->route_table), 1);
    assert_int_equal(api->tls.alpn.n, 2);
    assert_string_equal(api->tls.alpn.item[0].value, "h2");
    assert_string_equal(api->tls.alpn.item[1].value, "http/1.1");
    assert_int_equal(api->http.max_header_size, 32 << 10);
    assert_int_equal(api->http.max_headers, 100);
    assert_int_equal(api->http.max_body, 0);
    assert_int_equal(api->http.header_timeout_ms, 10000);
    assert_int_equal(api->http.body_timeout_ms, 30000);
    assert_int_equal(api->http.keep_alive_timeout_ms, 75000);
    assert_int_equal(api->http.keep_alive_requests, 0);
    assert_int_equal(api->http.paths.dots, HF_PATH_RESOLVE);
    assert_int_equal(api->http.paths.encoded_slashes, HF_PATH_REFUSE);
    assert_int_equal(api->http.paths.double_slashes, HF_PATH_RESOLVE);
    assert_int_equal(api->http.h2.max_streams, 100);
    assert_int_equal(api->http.h2.stream_window, 64 << 10);
    assert_int_equal(config->upstreams[0].protocol, HF_PROTOCOL_HTTP1);
    hf_config_free(config);
}

static void every_key_arrives(void **state)
{
    (void)state;
    struct hf_config *config = good(
        ROUTES("{name: a, match: {host: [A.example.org, \"*.b.org\", \"::1\"], path: [/x, /y/], "
               "method: GET,"
               " header: {X-A: \"1*\"}, query: {q: 2}, identity: [both]}, allow: [ops, \"cn:x\"],"
               " deny: web, report: [verified], to: app, rewrite: {path: /z/, host: \"B:81\"},"
               " headers: {request: {set: {X-B: b}, add: {c: \"\"}, remove: [D]},"
               " response: {set: {e: f}}}, max-body: 1KiB, timeout: 3s, retries: 2},\n"
               "{allow: [anyone], respond: {status: 204}}\n"));
    const struct hf_cfg_route *a = &config->listeners[0].routes[0];
    const struct hf_cfg_route *b = &config->listeners[0].routes[1];
    assert_string_equal(a->name.value, "a");
    assert_int_equal(a->mark.line, 7);
    assert_int_equal(a->match.host.n, 3);
    assert_string_equal(a->match.host.item[0].value, "a.example.org");
    assert_string_equal(a->match.path.item[1].value, "/y/");
    assert_string_equal(a->match.method.item[0].value, "GET");
    assert_string_equal(a->match.header.item[0].name, "x-a");
    assert_string_equal(a->match.header.item[0].value, "1*");
    assert_string_equal(a->match.query.item[0].name, "q");
    assert_string_equal(a->match.query.item[0].value, "2");
    assert_string_equal(a->match.identity.item[0].value, "both");
    assert_string_equal(a->allow.item[1].value, "cn:x");
    assert_string_equal(a->deny.item[0].value, "web");
    assert_string_equal(a->report.item[0].value, "verified");
    assert_int_equal(a->action, HF_ROUTE_TO);
    assert_string_equal(a->rewrite.path.value, "/z/");
    assert_string_equal(a->rewrite.host.value, "b:81");
    assert_string_equal(a->headers.request.set.item[0].name, "x-b");
    assert_string_equal(a->headers.request.add.item[0].value, "");
    assert_string_equal(a->headers.request.remove.item[0].value, "d");
    assert_string_equal(a->headers.response.set.item[0].value, "f");
    assert_int_equal(a->max_body, 1024);
    assert_int_equal(a->timeout_ms, 3000);
    assert_int_equal(a->retries, 2);
    assert_string_equal(b->name.value, "route-2");
    assert_int_equal(b->action, HF_ROUTE_RESPOND);
    assert_int_equal(b->respond.status, 204);
    assert_int_equal(b->retries, 0);
    assert_int_equal(b->timeout_ms, 0);
    assert_string_equal(hf_route_table_name(config->listeners[0].route_table, 1), "route-2");
    hf_config_free(config);
}

static void sni_rules_become_doors(void **state)
{
    (void)state;
    struct hf_config *config =
        good(HEAD "  \n" DOOR "to: app, sni: [{name: a.org, client: none}, {name: b.org, "
                  "client: require, trust: partners}, {name: \"*.c.org\", "
                  "client: none}]}\n");
    const struct hf_route_table *table = config->listeners[0].route_table;
    struct hf_requester nobody = {0};
    static const struct {
        const char *host;
        size_t door;
        bool allow;
    } cases[] = {
        {"else.org", 0, true}, {"b.org", 0, true}, {"a.org", 0, false},   {"x.c.org", 0, false},
        {"x.c.org", 1, true},  {"a.org", 3, true}, {"else.org", 2, true}, {"else.org", 1, false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_request request = {.method = hf_bytes_str("GET"),
                                     .host = hf_bytes_str(cases[i].host),
                                     .path = hf_bytes_str("/")};
        struct hf_request_verdict verdict;
        hf_request_judge(
            &(struct hf_request_input){
                .table = table, .requester = &nobody, .request = &request, .door = cases[i].door},
            &verdict);
        assert_int_equal(verdict.allow, cases[i].allow);
        assert_int_equal(verdict.reason, cases[i].allow ? HF_REASON_OK : HF_REASON_MISDIRECTED);
    }
    hf_config_free(config);
}

/* --- What is wrong ------------------------------------------------------------------------------
 */

#define ONE(text)       "{" text ", to: app}\n"
#define SAID(col, text) "t.yaml:7:" col ": error: " text "\n"

/* How a host is treated, of two listeners: the one at each address, in HTTP mode; the other's
 * hosts. */
static bool is_neighbours(const char *mine, const char *other, const char *host)
{
    char text[1024];
    snprintf(text, sizeof(text),
             HEAD
             "listeners:\n"
             "  api: {listen: \"%s\", identities: [web], client: none, mode: http, to: app}\n"
             "  far: {listen: \"%s\", identities: [web], trust: partners, mode: http, sni: "
             "[{name: open.example, client: none}], routes: [{match: {host: [\"*.far.example\", "
             "a.example, open.example]}, to: app}]}\n",
             mine, other);
    struct hf_config *config = good(text);
    const struct hf_route_table *table = config->listeners[0].route_table;
    bool differs = hf_route_table_kind(table, hf_bytes_str(host)) !=
                   hf_route_table_kind(table, hf_bytes_str("elsewhere.example"));
    hf_config_free(config);
    return differs;
}

static void neighbours_share_a_port(void **state)
{
    (void)state;
    static const struct {
        const char *mine, *other;
        bool are;
    } rows[] = {
        {"127.0.0.1:1", "0.0.0.0:1", true},    {"0.0.0.0:1", "127.0.0.1:1", true},
        {"127.0.0.1:1", ":1", true},           {"127.0.0.1:1", "[::]:1", true},
        {"[::1]:1", "[::]:1", true},           {"[::ffff:127.0.0.1]:1", "0.0.0.0:1", true},
        {"0.0.0.0:1", "[::]:1", true},         {"[::1]:1", "0.0.0.0:1", false},
        {"127.0.0.1:1", "127.0.0.2:1", false}, {"127.0.0.1:1", "0.0.0.0:2", false},
        {"unix:/run/a", "0.0.0.0:1", false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(rows); i++) {
        assert_int_equal(is_neighbours(rows[i].mine, rows[i].other, "a.example"), rows[i].are);
        assert_int_equal(is_neighbours(rows[i].mine, rows[i].other, "x.far.example"), rows[i].are);
        assert_false(is_neighbours(rows[i].mine, rows[i].other, "open.example")); /* asked alike */
        assert_false(is_neighbours(rows[i].mine, rows[i].other, "b.example"));
    }
}

static void matches(void **state)
{
    (void)state;
    wrong(ROUTES(ONE("match: {host: [\"*\", \"a.org:80\", \"*.*.org\", https://a]}")),
          SAID("17", "host: \"*\" is not a host of requests; write one such as api.example.org or "
                     "\"*.example.org\", which is one label before the rest, without scheme and "
                     "port")
              SAID("22", "host: \"a.org:80\" is not a host of requests; write one such as "
                         "api.example.org or \"*.example.org\", which is one label before the "
                         "rest, without scheme and port")
                  SAID("34", "host: \"*.*.org\" is not a host of requests; write one such as "
                             "api.example.org or \"*.example.org\", which is one label before the "
                             "rest, without scheme and port")
                      SAID("45", "host: \"https://a\" is not a host of requests; write one such as "
                                 "api.example.org or \"*.example.org\", which is one label before "
                                 "the rest, without scheme and port"));
    wrong(ROUTES(ONE("match: {path: [a, /a/../b, \"/a?b\", /%41]}")),
          SAID("17", "path: a path begins with \"/\"") SAID(
              "20", "path: \".\" and \"..\" are resolved before paths are matched; write the path "
                    "without them")
              SAID("29", "path: a path ends before \"?\"; match the rest with query")
                  SAID("37", "path: %41 would never match: paths have the character itself there; "
                             "write A"));
    wrong(ROUTES(ONE("match: {method: [get, \"A B\"]}")),
          SAID("19", "method: \"get\" would never match: methods count their case, and all known "
                     "ones are in capitals")
              SAID("24", "method: \"A B\" is not a method; write one such as GET"));
    wrong(ROUTES(ONE("match: {header: {\"a b\": x, c: \"**\", d: [e]}, query: x}")),
          SAID("19", "header: \"a b\" is not the name of a header; write one such as x-team")
              SAID("32", "header: \"**\": a star stands for part of one label or segment already; "
                         "write one, or \\\\* for the character itself")
                  SAID("38", "header: d must be a single value, in quotes where it is empty")
                      SAID("54", "query: must be a mapping of names to text, such as {format: "
                                 "json}"));
}

static void rules(void **state)
{
    (void)state;
    wrong(ROUTES(ONE("allow: [op, everyone, \"ip:1.2.3\", \"spiffe:x\"]")),
          SAID("10", "allow: there is no role \"op\"; did you mean \"ops\"?")
              SAID("14", "allow: there is no role \"everyone\"; define it under roles, or write a "
                         "selector such as cn:alice, or verified, or anyone")
                  SAID("24", "allow: an IP pattern is an address or a network, such as 192.0.2.1, "
                             "192.0.2.0/24 or 2001:db8::/32")
                      SAID("36", "allow: a SPIFFE ID is spiffe://TRUST-DOMAIN/PATH"));
    wrong(ROUTES(ONE("deny: [ops]")),
          SAID("2", "the route denies some and allows nobody, so everybody is refused; add allow: "
                    "[verified], or allow: [anyone]"));
}

static void actions(void **state)
{
    (void)state;
    wrong(ROUTES("{name: a}\n"),
          SAID("1", "the route leads nowhere; add to, service, respond or redirect"));
    wrong(ROUTES("{to: app, respond: {status: 200}, redirect: {to: /x}}\n"),
          SAID("11", "a route has either to or respond; remove one of them")
              SAID("35", "a route has either to or redirect; remove one of them"));
    wrong(
        ROUTES("{respond: {status: 204, body: x}, retries: 1, timeout: 1s, rewrite: {host: a}}\n"),
        SAID("31", "an answer with status 204 has no body; remove it, or write another status")
            SAID("35", "the route goes to no upstream, so retries has no effect; remove it") SAID(
                "47", "the route goes to no upstream, so timeout has no effect; remove it")
                SAID("60", "the route goes to no upstream, so rewrite has no effect; remove it"));
    wrong(ROUTES("{redirect: {to: \"//x\", status: 300}}\n"),
          SAID("17",
               "to: a redirect leads to a URL (https://...), to a path (/...), or begins with "
               "{path}, which has its slash")
              SAID("32", "status: \"300\" is not accepted; did you mean \"301\"? It can be 301, "
                         "302, 303, 307 or 308"));
    wrong(ROUTES(ONE("match: {path: [/a, /b/]}, rewrite: {path: /c}")),
          SAID("44", "the route is for everything beneath /b/, and \"/c\" leaves no place for it; "
                     "write \"/c/\""));
    wrong(ROUTES(ONE("rewrite: {path: /c*, host: \"a b\"}")),
          SAID("18", "path: this is the path itself, not a pattern; write it without stars")
              SAID("29", "host: \"a b\" is not a host; write one such as app.example.org or "
                         "app.example.org:8080"));
}

#define CA           "ca:\n  main: {store: ca, passphrase-env: CA_PASS}\n"
#define SERVED(text) HEAD CA ROLES DOOR "routes: [\n" text "]}\n"
#define OPEN         "listeners:\n  open: {listen: \":1\", plain: true, mode: http, routes: [\n"

static void services(void **state)
{
    (void)state;
    struct hf_config *config = good(SERVED("{match: {path: /pki/}, service: main/public},\n"
                                           "{allow: [ops], service: main/feed}\n"));
    const struct hf_cfg_route *routes = config->listeners[0].routes;
    assert_int_equal(routes[0].action, HF_ROUTE_SERVICE);
    assert_ptr_equal(routes[0].service.ca, &config->cas[0]);
    assert_string_equal(routes[0].service.ca->name, "main");
    assert_int_equal(routes[0].service.part, HF_CA_PART_PUBLIC);
    assert_int_equal(routes[1].service.part, HF_CA_PART_FEED);
    assert_string_equal(routes[1].service.text, "main/feed");
    hf_config_free(config);

    hf_config_free(good(HEAD CA OPEN "{service: main/public}]}\n"));
    wrong(HEAD CA OPEN "{service: main/feed}]}\n",
          "t.yaml:8:11: error: listener \"open\" is plain, so nobody can show who he is, and "
          "main/feed is not for everybody; serve it on a listener with TLS\n");
    wrong(SERVED("{service: main}\n"),
          "t.yaml:9:11: error: service \"main\" is none; write the name of a ca and what of it, "
          "such as main/public, main/feed or main/api\n");
    wrong(SERVED("{service: main/private}\n"),
          "t.yaml:9:11: error: service \"main/private\" is none; write the name of a ca and what "
          "of it, such as main/public, main/feed or main/api\n");
    wrong(SERVED("{service: other/public}\n"),
          "t.yaml:9:11: error: there is no ca \"other\"; define it under ca\n");
    wrong(SERVED("{service: main/public, to: app, retries: 1}\n"),
          "t.yaml:9:2: error: a route has either to or service; remove one of them\n");
    wrong(ROUTES("{service: main/public}\n"),
          "t.yaml:7:11: error: there is no ca \"main\"; define it under ca\n");
}

/* A feed says nothing while nothing happens; a store can always be asked. */
static void a_ca_may_be_out_of_reach_for_so_long(void **state)
{
    (void)state;
    struct hf_config *config =
        good(HEAD "ca:\n  main: {store: ca, when-lost: 1s}\n" OPEN "{service: main/public}]}\n");
    assert_int_equal(config->cas[0].when_lost_ms, 1000);
    hf_config_free(config);
    config = good(HEAD CA OPEN "{service: main/public}]}\n");
    assert_int_equal(config->cas[0].when_lost_ms, 300000);
    hf_config_free(config);
    wrong(HEAD CA "  far: {feed: \"https://ca.example/\", when-lost: 59s}\n" OPEN
                  "{service: main/public}]}\n",
          "t.yaml:6:38: error: ca \"far\": a feed may be silent for 25 s while nothing happens; "
          "make when-lost at least 1m\n");
}

static void header_edits(void **state)
{
    (void)state;
    wrong(ROUTES(ONE("headers: {request: {set: {Host: a, Connection: b, content-length: 1, "
                     "x-forwarded-client-cert: c, \"a:b\": d, e: \" f\"}, remove: [te]}}")),
          SAID("28", "set: host is changed with rewrite: {host: ...}") SAID(
              "37", "set: connection belongs to the connection, not to the request or answer")
              SAID("52", "set: content-length belongs to the connection, not to the request or "
                         "answer")
                  SAID("71", "set: x-forwarded-client-cert says who the client is, which only "
                             "the proxy itself may write")
                      SAID("99", "set: \"a:b\" is not the name of a header; write one such as "
                                 "x-team")
                          SAID("112", "set: the value of e can't be sent: no line breaks, other "
                                      "control characters or spaces at its ends, and at most "
                                      "8192 bytes")
                              SAID("128", "remove: te belongs to the connection, not to the "
                                          "request or answer"));
}

static void routes_beside_each_other(void **state)
{
    (void)state;
    wrong(ROUTES("{name: a, match: {path: /x/}, to: app},\n"
                 "{name: a, match: {path: /x/y}, to: app},\n"
                 "{match: {path: \"/x/*\", method: PUT}, to: app},\n"
                 "{match: {path: [/x, /z]}, to: app},\n"
                 "{to: app},\n"
                 "{match: {host: b.org}, allow: [ops], to: app}\n"),
          "t.yaml:8:1: error: no request reaches route \"a\": \"a\" in line 7 takes all of them; "
          "put it before that one, or remove it\n"
          "t.yaml:8:8: error: there are two routes \"a\" in listener \"api\"; give one another "
          "name\n"
          "t.yaml:9:1: error: no request reaches route \"route-3\": \"a\" in line 7 takes all of "
          "them; put it before that one, or remove it\n"
          "t.yaml:12:1: error: no request reaches route \"route-6\": \"route-5\" in line 11 takes "
          "all of them; put it before that one, or remove it\n");
    hf_config_free(good(ROUTES("{match: {path: /x/, identity: [ops]}, to: app},\n"
                               "{match: {path: /x/y}, to: app},\n"
                               "{match: {host: \"*.a.org\"}, to: app},\n"
                               "{match: {host: a.org}, to: app},\n"
                               "{match: {method: GET}, to: app},\n"
                               "{to: app}\n")));
}

static void the_listener(void **state)
{
    (void)state;
    wrong(HEAD DOOR "routes: [{to: app}], to: app}\n",
          "t.yaml:5:106: error: listener \"api\" has both to and routes; write to in a last "
          "route\n");
    wrong(HEAD DOOR "tls: {alpn: [h3, h2]}}\n",
          "t.yaml:5:3: error: listener \"api\" has no routes; add them, or to for a single "
          "upstream\n"
          "t.yaml:5:98: error: listener \"api\" speaks HTTP, so alpn can be h2 and http/1.1, not "
          "\"h3\"\n");
    wrong(HEAD "listeners:\n  a: {listen: \":1\", plain: true, http: {max-headers: 5}}\n",
          "t.yaml:5:3: error: listener \"a\" has no to; add to, such as app\n"
          "t.yaml:5:34: error: listener \"a\" relays bytes, so http has no effect; write mode: "
          "http, or remove it\n");
}

static void upstreams(void **state)
{
    (void)state;
#define UP(text) \
    "upstreams: {a: {servers: [\"x:1\"], " text "}}\n" \
    "listeners: {l: {listen: \":1\", plain: true, mode: http, to: a}}\n"
    wrong(UP("protocol: h2"),
          "t.yaml:1:45: error: upstream \"a\" has no tls, in which h2 is agreed; add tls, or write "
          "protocol: h2c for HTTP/2 in plain text\n");
    wrong(UP("protocol: auto"),
          "t.yaml:1:45: error: upstream \"a\" has no tls, in which a protocol is agreed; add tls, "
          "or write protocol: h2c for HTTP/2 in plain text\n");
    wrong(UP("protocol: h2c, tls: {unsafe-skip-verify: true}"),
          "t.yaml:1:45: error: upstream \"a\" has tls, and h2c is HTTP/2 in plain text; write "
          "protocol: h2\n");
    wrong(UP("proxy-protocol: v2"),
          "t.yaml:2:56: error: upstream \"a\" has proxy-protocol, which tells of one client for a "
          "whole connection, and in mode: http connections are shared; remove it\n");
}

static void roles(void **state)
{
    (void)state;
#define WRONG_ROLES(text, said) wrong(HEAD "roles: " text "\n" API, "t.yaml:4:" said "\n")
    WRONG_ROLES("[a]", "8: error: roles: must be a mapping of names to roles, such as {ops: "
                       "[\"spiffe://example.org/ops/*\", \"cn:alice\"]}");
    WRONG_ROLES("{anyone: \"cn:a\"}", "9: error: \"anyone\" can't be the name of a role; the word "
                                      "means something else already");
    WRONG_ROLES("{A: \"cn:a\"}", "9: error: \"A\" can't be the name of a role; use 1 to 63 of a-z, "
                                 "0-9, _ and -, beginning with a letter or digit");
    WRONG_ROLES("{a: []}",
                "12: error: roles: a role is a selector such as \"cn:alice\", the name of "
                "another role, a list of these, or one of {any: [...]}, {all: [...]}, "
                "{not: ...}");
    WRONG_ROLES("{a: {any: []}}",
                "18: error: roles: any takes a list with at least one role or selector");
    WRONG_ROLES("{a: {all: [\"cn:a\"], not: b}}",
                "12: error: roles: a role is a selector such as \"cn:alice\", the name of another "
                "role, a list of these, or one of {any: [...]}, {all: [...]}, {not: ...}");
    WRONG_ROLES("{ops: \"cn:a\", a: [{not: opps}]}",
                "32: error: roles: there is no role \"opps\"; did you mean \"ops\"?");
    WRONG_ROLES("{a: verified}", "12: error: roles: there is no role \"verified\"; define it under "
                                 "roles, or write a selector such as cn:alice");
    WRONG_ROLES("{a: [b], b: {not: a}}",
                "13: error: roles: a role that leads back to itself: a uses b uses a");
}

/* --- What somebody would regret -----------------------------------------------------------------
 */

/* "line id, line id" of the lints that hf_lint_http has. */
static const char *lints_of(const char *text)
{
    static char out[1024];
    struct hf_config *config = good(text);
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    hf_lint_http(&(struct hf_lint){.config = config, .findings = &findings});
    hf_findings_sort(&findings);
    out[0] = '\0';
    for (size_t i = 0; i < findings.n; i++) {
        size_t len = strlen(out);
        snprintf(out + len, sizeof(out) - len, "%s%d %s", i ? ", " : "", findings.item[i].mark.line,
                 hf_finding_name(findings.item[i].id));
    }
    hf_config_free(config);
    return out;
}

#define REQUEST \
    "listeners:\n" \
    "  api: {listen: [\"127.0.0.1:8443\"], identities: [web], trust: partners, client: request, " \
    "mode: http, "

static void lints(void **state)
{
    (void)state;
    assert_string_equal(lints_of(HEAD DOOR "to: app}\n"), "");
    assert_string_equal(lints_of(HEAD REQUEST "to: app}\n"), "5 rule-missing");
    assert_string_equal(lints_of(HEAD REQUEST "routes: [\n{allow: [anyone], to: app}]}\n"), "");
    assert_string_equal(lints_of(HEAD REQUEST
                                 "routes: [\n{match: {path: /a}, allow: [verified], to: "
                                 "app},\n{to: app}]}\n"),
                        "7 refuses-all");
    assert_string_equal(lints_of(HEAD DOOR "to: app, sni: [\n{name: a, client: request}]}\n"),
                        "5 rule-missing");
    assert_string_equal(lints_of(HEAD DOOR "routes: [\n{report: [\"cn:a\"], to: app}]}\n"),
                        "6 trial");
    assert_string_equal(lints_of(HEAD DOOR "routes: [\n{allow: [anyone, \"cn:a\"], to: app}]}\n"),
                        "6 role-idle");
    assert_string_equal(lints_of(HEAD "listeners:\n  a: {listen: \":1\", plain: true, mode: http, "
                                      "routes: [\n{allow: [\"cn:a\", verified], to: app}]}\n"),
                        "6 nobody");
    assert_string_equal(lints_of(HEAD DOOR "to: app, sni: [{name: \"*.a.org\", client: require, "
                                           "trust: partners},\n{name: x.a.org, client: none}]}\n"),
                        "6 sni-overlap");
    assert_string_equal(
        lints_of("identities: {web: {cert: server.pem, key: server.key}}\n"
                 "trust: {partners: {roots: ca.pem}, others: {roots: ca.pem}}\n"
                 "upstreams: {app: {servers: [\"127.0.0.1:8080\"]}}\n" DOOR
                 "to: app, sni: [{name: \"*.a.org\", client: require, trust: partners},\n"
                 "{name: x.a.org, client: require, trust: others}]}\n"),
        "6 sni-overlap");
    assert_string_equal(lints_of(HEAD DOOR "to: app}\n  raw: {listen: \":1\", plain: true, to: "
                                           "app}\n"),
                        "6 identity-forged");
}

static void lints_of_roles(void **state)
{
    (void)state;
#define WITH(text) HEAD "roles:\n" text DOOR "routes: [{allow: [a], to: app}]}\n"
    assert_string_equal(lints_of(WITH("  a: [b]\n  b: \"cn:x\"\n")), "");
    assert_string_equal(lints_of(WITH("  a: \"cn:x\"\n  b: \"cn:y\"\n")), "6 unused");
    /* rights and profiles of a CA may name it */
    assert_string_equal(lints_of("ca: {main: {store: ca, rights: {read: b}}}\n" WITH(
                            "  a: \"cn:x\"\n  b: \"cn:y\"\n  c: \"cn:z\"\n")),
                        "");
    assert_string_equal(lints_of(WITH("  a: {all: [\"cn:x\", \"cn:y\"]}\n")), "5 nobody");
    assert_string_equal(lints_of(WITH("  a: {all: [\"cn:x*\", \"cn:y\"]}\n")), "");
    assert_string_equal(lints_of(WITH("  a: {all: [\"dns:x\", \"dns:y\"]}\n")), "");
    assert_string_equal(lints_of(WITH("  a: {all: [\"ou:x\", {not: \"ou:x\"}]}\n")), "5 nobody");
    assert_string_equal(lints_of(WITH("  a: [{all: [b, {not: b}]}, \"cn:z\"]\n  b: \"cn:y\"\n")),
                        "");
    assert_string_equal(lints_of(WITH("  a: [{all: [b, {not: b}]}]\n  b: \"cn:y\"\n")), "5 nobody");
}

static void out_of_memory_is_told(void **state)
{
    (void)state;
    static const char text[] = ROUTES("{match: {host: a.org, path: /x/, header: {a: b}, identity: "
                                      "[both]}, allow: [ops], to: app},\n"
                                      "{redirect: {to: /x}}\n");
    for (size_t n = 1;; n++) {
        HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
        struct hf_config *config = NULL;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_config_parse(hf_bytes_str(text), "t.yaml", folder, &findings, &config);
        hf_alloc_fail_after(0);
        if (err == HF_OK) {
            hf_config_free(config);
            break;
        }
        assert_true(err == HF_E_NOMEM || findings.out_of_memory);
        assert_null(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_safe),
        cmocka_unit_test(every_key_arrives),
        cmocka_unit_test(sni_rules_become_doors),
        cmocka_unit_test(neighbours_share_a_port),
        cmocka_unit_test(matches),
        cmocka_unit_test(rules),
        cmocka_unit_test(actions),
        cmocka_unit_test(services),
        cmocka_unit_test(a_ca_may_be_out_of_reach_for_so_long),
        cmocka_unit_test(header_edits),
        cmocka_unit_test(routes_beside_each_other),
        cmocka_unit_test(the_listener),
        cmocka_unit_test(upstreams),
        cmocka_unit_test(roles),
        cmocka_unit_test(lints),
        cmocka_unit_test(lints_of_roles),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
