// SPDX-License-Identifier: Apache-2.0
/* Wrong configs and the exact lines that are said of them. */
#include "support.h"

#include <stdio.h>
#include <string.h>

struct wrong {
    const char *text; /* the folder's path is put in place of @ in `said` */
    const char *said;
};

/* Puts the folder in place of each @. */
static const char *in_folder(const char *text)
{
    static char out[8192];
    size_t len = 0;
    for (; *text && len + sizeof(folder) < sizeof(out); text++) {
        len += (size_t)snprintf(out + len, sizeof(out) - len, "%s",
                                *text == '@' ? folder : (char[]){*text, '\0'});
    }
    return out;
}

static void assert_all_told(const struct wrong *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(findings_of(table[i].text, NULL), in_folder(table[i].said));
    }
}

#define TOLD(table) assert_all_told(table, HF_N_ELEMENTS(table))

static void keys(void **state)
{
    static const struct wrong table[] = {
        {"", "t.yaml:1:1: error: config has no listeners; add listeners\n"},
        {"listeners: {}\n",
         "t.yaml:1:1: error: there are no listeners, so nothing to do; define one\n"},
        {"[a, b]\n", "t.yaml:1:1: error: config must be a mapping with keys such as admin, not a "
                     "list\n"},
        {"just words\n", "t.yaml:1:1: error: config must be a mapping with keys such as admin, "
                         "not a single value\n"},
        {HEAD API "listner: {}\n",
         "t.yaml:6:1: error: unknown key \"listner\"; did you mean \"listeners\"?\n"},
        {HEAD API "colour: blue\n",
         "t.yaml:6:1: error: unknown key \"colour\"; remove it, or use one of admin, state, "
         "metrics, "
         "log, token-signing, workers, drain-delay, drain-timeout, identities, roles, ca, "
         "trust, upstreams, "
         "auth or "
         "listeners\n"},
        {HEAD API "log: {levle: info, fromat: json}\n",
         "t.yaml:6:7: error: unknown key \"levle\"; did you mean \"level\"?\n"
         "t.yaml:6:20: error: unknown key \"fromat\"; did you mean \"format\"?\n"},
        {HEAD API "log:\n",
         "t.yaml:6:5: error: log has no value; give it a mapping with keys such as format, or "
         "remove the key\n"},
        {HEAD API "workers: 2\nworkers: 3\n",
         "t.yaml:7:1: error: \"workers\" is here twice, first in line 6; remove one\n"},
        {"upstreams: {app: {}}\n" API,
         "t.yaml:1:13: error: upstream \"app\" has no servers; add servers, such as "
         "[\"127.0.0.1:8080\"]\n"
         "t.yaml:3:50: error: identities: there is no identity \"web\"; define it under "
         "identities, which is empty\n"
         "t.yaml:3:63: error: trust: there is no trust \"partners\"; define it under trust, which "
         "is empty\n"},
    };
    (void)state;
    TOLD(table);
}

static void names(void **state)
{
    static const struct wrong table[] = {
        {HEAD API "  Api: {listen: \":1\", plain: true, to: app}\n",
         "t.yaml:6:3: error: \"Api\" can't be the name of one of the listeners; use 1 to 63 of "
         "a-z, 0-9, _ and -, beginning with a letter or digit\n"},
        {HEAD API "  -x: {listen: \":1\", plain: true, to: app}\n",
         "t.yaml:6:3: error: \"-x\" can't be the name of one of the listeners; use 1 to 63 of "
         "a-z, 0-9, _ and -, beginning with a letter or digit\n"},
        {HEAD API "  api: {listen: \":1\", plain: true, to: app}\n",
         "t.yaml:6:3: error: \"api\" is here twice, first in line 5; remove one\n"},
        {HEAD API "  b: {listen: \":1\", plain: true, to: ap}\n",
         "t.yaml:6:38: error: to: there is no upstream \"ap\"; did you mean \"app\"?\n"},
        {HEAD API "  b: {listen: \":1\", plain: true, to: database}\n",
         "t.yaml:6:38: error: to: there is no upstream \"database\"; define it under upstreams\n"},
    };
    (void)state;
    TOLD(table);
}

static void values(void **state)
{
    static const struct wrong table[] = {
        {"workers: 0\n" HEAD API,
         "t.yaml:1:10: error: workers: \"0\" is not accepted; write a whole number from 1 to 256, "
         "or auto\n"},
        {"workers: 1000\n" HEAD API,
         "t.yaml:1:10: error: workers: \"1000\" is not accepted; write a whole number from 1 to "
         "256, or auto\n"},
        {"workers: [1]\n" HEAD API,
         "t.yaml:1:10: error: workers must be a whole number, not a list; write it like 4\n"},
        {"drain-timeout: 30\n" HEAD API,
         "t.yaml:1:16: error: drain-timeout: \"30\" is not a duration; write a number with a unit, "
         "such as 500ms, 30s, 5m, 24h or 7d\n"},
        {"drain-timeout: 8d\n" HEAD API,
         "t.yaml:1:16: error: drain-timeout: \"8d\" is out of range; it can be 0 ms to 7 d\n"},
        {"admin: 127.0.0.1:80\n" HEAD API,
         "t.yaml:1:8: error: admin: \"127.0.0.1:80\" is not a unix socket; write one such as "
         "unix:/run/handfast/admin.sock\n"},
        {"metrics: localhost:80\n" HEAD API,
         "t.yaml:1:10: error: metrics: \"localhost:80\" is not an address with a port; write "
         "127.0.0.1:8443, [::1]:8443, :8443 or unix:/path\n"},
        {"log: {level: verbose}\n" HEAD API,
         "t.yaml:1:14: error: level: \"verbose\" is not accepted; write error, warn, info or "
         "debug\n"},
        {"log: {to: /nonexistent/folder/file}\n" HEAD API,
         "t.yaml:1:11: error: to: the folder /nonexistent/folder does not exist; make it or name "
         "another\n"},
        {"log: {to: \"\"}\n" HEAD API,
         "t.yaml:1:11: error: to: is empty; give it a file or remove the key\n"},
        {"workers: ${HF_T_NEVER_SET}\n" HEAD API,
         "t.yaml:1:10: error: the environment variable HF_T_NEVER_SET is not set; set it, or "
         "write a default as ${HF_T_NEVER_SET:-value}\n"},
    };
    (void)state;
    TOLD(table);
}

static void identities_and_trust(void **state)
{
#define REST "upstreams: {app: {servers: [\"127.0.0.1:8080\"]}}\n" API
    static const struct wrong table[] = {
        {"identities: {web: {key: server.key}}\ntrust: {partners: {roots: ca.pem}}\n" REST,
         "t.yaml:1:14: error: identity \"web\" has no cert; add cert, such as server.pem\n"},
        {"identities: {web: {cert: gone.pem, key: gone.key}}\n"
         "trust: {partners: {roots: .}}\n" REST,
         "t.yaml:1:26: error: cert: @/gone.pem does not exist; name a file that can be read\n"
         "t.yaml:1:41: error: key: @/gone.key does not exist; name a file that can be read\n"
         "t.yaml:2:27: error: roots: @/. is a folder; name a file that can be read\n"},
        {"identities: {web: {cert: server.pem, passphrase-file: pass, passphrase-env: P}}\n"
         "trust: {partners: {roots: ca.pem}}\n" REST,
         "t.yaml:1:61: error: identity \"web\" has both passphrase-file and passphrase-env; keep "
         "one\n"},
        {"identities: {web: {cert: server.pem, passphrase-env: my secret!}}\n"
         "trust: {partners: {roots: ca.pem}}\n" REST,
         "t.yaml:1:54: error: passphrase-env: this is not the name of an environment variable; "
         "write its name, not its value\n"},
        {"identities: {web: {cert: server.pem}}\n"
         "trust: {partners: {roots: ca.pem, depth: 15, names: form-roots}}\n" REST,
         "t.yaml:2:42: error: depth: \"15\" is not accepted; write a whole number from 0 to 14\n"
         "t.yaml:2:53: error: names: \"form-roots\" is not accepted; did you mean \"from-roots\"? "
         "It can be from-roots, none or a PEM file\n"},
        {"identities: {web: {cert: server.pem}}\n"
         "trust: {partners: {roots: ca.pem, names: ./gone.pem}}\n" REST,
         "t.yaml:2:42: error: names: @/./gone.pem does not exist; name a file that can be "
         "read\n"},
        {"identities: {web: {cert: server.pem}}\n"
         "trust: {partners: {roots: ca.pem, crl: {files: [gone.crl]}}}\n" REST,
         "t.yaml:2:49: error: files: @/gone.crl does not exist; make it or name another\n"},
    };
    (void)state;
    TOLD(table);
}

#define LISTENERS HEAD "listeners:\n"

static void listeners(void **state)
{
    static const struct wrong table[] = {
        {LISTENERS "  a: {}\n",
         "t.yaml:5:3: error: listener \"a\" has no listen; add listen, such as "
         "[\"0.0.0.0:8443\"]\n"
         "t.yaml:5:3: error: listener \"a\" has no to; add to, such as app\n"
         "t.yaml:5:3: error: listener \"a\" has no identities; add them, or plain: true where TLS "
         "is not wanted\n"
         "t.yaml:5:3: error: listener \"a\" verifies clients (client: require) but has no trust; "
         "add trust, or write client: none\n"},
        {LISTENERS "  a: {listen: [], identities: [], trust: partners, to: [app]}\n",
         "t.yaml:5:15: error: listen must be a list with at least one entry, each an address, not "
         "an empty list; write it like [\"0.0.0.0:8443\"]\n"
         "t.yaml:5:31: error: identities must be a list with at least one entry, each a name, not "
         "an empty list; write it like [web, wild]\n"
         "t.yaml:5:56: error: to must be a name, not a list; write it like app\n"},
        {LISTENERS "  a: {listen: \":1\", identities: [web, web], trust: partners, to: app}\n",
         "t.yaml:5:39: error: identity \"web\" is in the list twice; remove one\n"},
        {LISTENERS "  a: {listen: \":1\", identities: web, client: request, to: app}\n",
         "t.yaml:5:46: error: listener \"a\" verifies clients (client: request) but has no trust; "
         "add trust, or write client: none\n"},
        {LISTENERS "  a: {listen: \":1\", identities: web, client: none, trust: partners, to: "
                   "app}\n",
         "t.yaml:5:52: error: listener \"a\" asks for no certificate, so trust has no effect; "
         "remove it, or write client: require\n"},
        {LISTENERS "  a: {listen: \":1\", identities: web, client: requird, trust: partners, to: "
                   "app}\n",
         "t.yaml:5:46: error: client: \"requird\" is not accepted; did you mean \"require\"? It "
         "can be require, request, request-unverified or none\n"},
        {LISTENERS "  a: {listen: \":1\", plain: true, client: require, identities: [web], to: "
                   "app}\n",
         "t.yaml:5:34: error: listener \"a\" is plain, so client has no effect; remove it, or "
         "plain\n"
         "t.yaml:5:51: error: listener \"a\" is plain, so identities has no effect; remove it, or "
         "plain\n"},
        {LISTENERS "  a: {listen: \":1\", plain: yes, to: app, identities: web, client: none}\n",
         "t.yaml:5:28: error: plain: \"yes\" is not accepted; write true or false\n"},
        {LISTENERS "  a: {listen: [\":1\", \":1\"], plain: true, to: app}\n"
                   "  b: {listen: [\"[::]:1\", \"unix:/x\"], plain: true, to: app}\n",
         "t.yaml:5:22: error: :1 is taken by listener a already; choose another address\n"
         "t.yaml:6:16: error: [::]:1 is taken by listener a already; choose another address\n"},
        {"admin: unix:/x\nmetrics: 127.0.0.1:1\n" LISTENERS
         "  a: {listen: [\"unix:/x\", \"127.0.0.1:1\"], plain: true, to: app}\n",
         "t.yaml:7:16: error: unix:/x is taken by admin already; choose another address\n"
         "t.yaml:7:27: error: 127.0.0.1:1 is taken by metrics already; choose another address\n"},
        {LISTENERS "  a: {listen: \":1\", plain: true, to: app, mode: udp, "
                   "proxy-protocol-from: [10.0.0.0/33]}\n",
         "t.yaml:5:49: error: mode: \"udp\" is not accepted; did you mean \"tcp\"? It can be tcp "
         "or "
         "http\n"
         "t.yaml:5:76: error: proxy-protocol-from: \"10.0.0.0/33\" is not a network; write "
         "10.0.0.0/8, 2001:db8::/32, one address, or unix:\n"},
    };
    (void)state;
    TOLD(table);
}

#define RULES(rules) \
    LISTENERS "  a: {listen: \":1\", identities: web, trust: partners, to: app, sni: " rules "}\n"

static void sni_rules(void **state)
{
    static const struct wrong table[] = {
        {RULES("{}"), "t.yaml:5:69: error: sni must be a list of mappings, not a mapping\n"},
        {RULES("[{client: none}]"),
         "t.yaml:5:70: error: sni rule has no name; add name, such as \"*.example.org\"\n"},
        {RULES("[{name: 10.0.0.1, client: none}]"),
         "t.yaml:5:77: error: name: \"10.0.0.1\" is not a server name; write one such as "
         "api.example.org or \"*.example.org\"\n"},
        {RULES("[{name: a.*.b, client: none}]"), "t.yaml:5:77: error: name: \"a.*.b\" is not a "
                                                 "server name; write one such as api.example.org "
                                                 "or \"*.example.org\"\n"},
        {RULES("[{name: a.b}]"),
         "t.yaml:5:70: error: the rule for \"a.b\" says nothing else than the listener; add client "
         "or trust, or remove it\n"},
        {RULES("[{name: a.b, client: none, trust: partners}]"),
         "t.yaml:5:96: error: the rule for \"a.b\" asks for no certificate, so trust has no "
         "effect; remove it, or write client: require\n"},
        {RULES("[{name: a.b, client: none}, {name: A.b, client: none}]"),
         "t.yaml:5:104: error: there are two rules for \"a.b\", the first in line 5; remove one\n"},
        {LISTENERS "  a: {listen: \":1\", identities: web, client: none, to: app, sni: [{name: "
                   "a.b, client: require}]}\n",
         "t.yaml:5:67: error: the rule for \"a.b\" needs a trust to verify clients with; add trust "
         "to it or to the listener\n"},
    };
    (void)state;
    TOLD(table);
}

static void tls_settings(void **state)
{
#define TLS(keys) \
    LISTENERS "  a: {listen: \":1\", identities: web, trust: partners, to: app, tls: {" keys "}}" \
              "\n"
    static const struct wrong table[] = {
        {TLS("versions: [\"1.1\", 1.3]"),
         "t.yaml:5:81: error: versions: \"1.1\" is not accepted; did you mean \"1.2\"? It can be "
         "1.2 or 1.3\n"},
        {TLS("versions: []"), "t.yaml:5:80: error: versions: must be a list with at least one "
                              "entry, such as [\"1.3\"]\n"},
        {TLS("versions: {}"), "t.yaml:5:80: error: versions: must be a list with at least one "
                              "entry, such as [\"1.3\"]\n"},
        {TLS("versions: \"1.2\", suites: A"),
         "t.yaml:5:87: error: suites are for TLS 1.3, which versions leaves out; remove one of the "
         "two\n"},
        {TLS("versions: 1.3, ciphers: A"),
         "t.yaml:5:85: error: ciphers are for TLS 1.2, which versions leaves out; remove one of "
         "the two\n"},
        {TLS("suites: [A, [B]]"),
         "t.yaml:5:82: error: suites: every entry must be a single value, such as in "
         "[TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256]\n"},
        {TLS("groups: \"x y\""),
         "t.yaml:5:78: error: groups: \"x y\" is not accepted; write names such as [X25519, "
         "P-256]\n"},
        {TLS("alpn: [\"\"]"), "t.yaml:5:77: error: alpn: a protocol's name has 1 to 255 bytes "
                              "(RFC 7301), such as http/1.1\n"},
        {TLS("tickets: false, ticket-lifetime: 1h"),
         "t.yaml:5:86: error: tickets are off, so ticket-lifetime has no effect; remove it\n"},
        {TLS("ticket-lifetime: 8d"), "t.yaml:5:87: error: ticket-lifetime: \"8d\" is out of range; "
                                     "it can be 1 min to 7 d\n"},
    };
    (void)state;
    TOLD(table);
}

static void upstreams(void **state)
{
#define UP(keys) \
    "identities: {web: {cert: server.pem}}\ntrust: {partners: {roots: ca.pem}}\n" \
    "upstreams: {app: {" keys "}}\n" API
#define NOT_A_SERVER \
    " is not a server; write host:port, address:port, [address]:port or unix:/path\n"
    static const struct wrong table[] = {
        {UP("servers: [\"127.0.0.1\", \":80\", \"a:0\", \"a:b\", \"1.2.3:80\", \"-a:80\"]"),
         "t.yaml:3:29: error: servers: \"127.0.0.1\"" NOT_A_SERVER
         "t.yaml:3:42: error: servers: \":80\"" NOT_A_SERVER
         "t.yaml:3:49: error: servers: \"a:0\"" NOT_A_SERVER
         "t.yaml:3:56: error: servers: \"a:b\"" NOT_A_SERVER
         "t.yaml:3:63: error: servers: \"1.2.3:80\"" NOT_A_SERVER
         "t.yaml:3:75: error: servers: \"-a:80\"" NOT_A_SERVER},
        {UP("servers: [\"127.0.0.1:0\"]"),
         "t.yaml:3:29: error: servers: \"127.0.0.1:0\"" NOT_A_SERVER},
        {UP("servers: \"a:1\", balance: fastest, proxy-protocol: v2tls"),
         "t.yaml:3:44: error: balance: \"fastest\" is not accepted; write round-robin, "
         "least-connections, least-latency or hash\n"
         "t.yaml:3:69: error: proxy-protocol: \"v2tls\" is not accepted; did you mean \"v2-tls\"? "
         "It can be none, v1, v2 or v2-tls\n"},
        {UP("servers: [[\"a:1\"]]"),
         "t.yaml:3:29: error: server must be a mapping with keys such as address, not a list\n"},
        {UP("servers: [\"a:1\", {weight: 2}]"),
         "t.yaml:3:36: error: server has no address; add address, such as 127.0.0.1:8080\n"},
        {UP("servers: [\"a:1\", {address: \"b:1\", weight: 0, max-conn: 4}]"),
         "t.yaml:3:61: error: weight: \"0\" is not accepted; write a whole number from 1 to 1000\n"
         "t.yaml:3:64: error: unknown key \"max-conn\"; remove it, or use one of address, weight, "
         "max-connections or max-requests\n"},
        {UP("servers: [\"a:1\", \"b:1\", \"a:1\"]"),
         "t.yaml:3:43: error: server a:1 is in the list twice; remove one, or give one a weight\n"},
        {UP("servers: \"a:1\", hash-by: identity, hash-load-limit: 125"),
         "t.yaml:3:35: error: upstream \"app\" doesn't balance by hash, so hash-by has no effect; "
         "remove it, or write balance: hash\n"
         "t.yaml:3:54: error: upstream \"app\" doesn't balance by hash, so hash-load-limit has no "
         "effect; remove it, or write balance: hash\n"},
        {UP("servers: \"a:1\", balance: hash, hash-by: \"header:\", hash-load-limit: 90"),
         "t.yaml:3:59: error: hash-by: \"header:\" can't be hashed by; write address, identity, "
         "header:NAME or cookie:NAME\n"
         "t.yaml:3:70: error: with a hash-load-limit of 90 the servers can't take everything; "
         "write "
         "more than 100, such as 125\n"},
        {UP("servers: \"a:1\", balance: hash, hash-by: \"cookie:id\""),
         "t.yaml:5:73: error: listener \"api\" relays bytes, and upstream \"app\" hashes by a "
         "header or cookie; hash by identity or address, or write mode: http\n"},
        {UP("servers: \"a:1\", max-queue: 10"),
         "t.yaml:3:35: error: upstream \"app\" has no server with max-connections or max-requests, "
         "so nobody will ever wait in its queue; remove max-queue, or add one of them to a "
         "server\n"},
        {UP("servers: {address: \"a:1\"}"),
         "t.yaml:3:28: error: servers must be a list with at least one entry, each a server, not a "
         "mapping; write it like [\"127.0.0.1:8080\"]\n"},
        {UP("servers: [{address: \"a:1\", max-requests: 1}], queue-timeout: 1s"),
         "t.yaml:3:65: error: upstream \"app\" has no queue, so queue-timeout has no effect; "
         "remove "
         "it, or add max-queue\n"},
        {UP("servers: \"a:1\", eject: {time: 10m}"),
         "t.yaml:3:43: error: time is longer than max-time; raise max-time, or lower time\n"},
        {UP("servers: \"a:1\", check: {path: /x}"),
         "t.yaml:3:35: error: check has no type; add type, such as http\n"},
        {UP("servers: \"a:1\", check: {type: http, expect: [99, 300-200, 20, 200-99x]}"),
         "t.yaml:3:64: error: expect: \"99\" is not a status or a range of them; write one such as "
         "200 "
         "or 200-299\n"
         "t.yaml:3:68: error: expect: \"300-200\" is not a status or a range of them; write one "
         "such "
         "as 200 or 200-299\n"
         "t.yaml:3:77: error: expect: \"20\" is not a status or a range of them; write one such as "
         "200 "
         "or 200-299\n"
         "t.yaml:3:81: error: expect: \"200-99x\" is not a status or a range of them; write one "
         "such "
         "as 200 or 200-299\n"},
        {UP("servers: \"a:1\", check: {type: tcp, path: /x}"),
         "t.yaml:3:54: error: a check of this type has no use for path; remove it\n"},
        {UP("servers: \"a:1\", check: {type: tls}"),
         "t.yaml:3:35: error: upstream \"app\" has no tls to check; add tls, or write type: tcp\n"},
        {UP("servers: \"a:1\", connect-timeout: 0"),
         "t.yaml:3:52: error: connect-timeout: \"0\" is out of range; it can be 1 ms to 10 min\n"},
        {UP("servers: \"a:1\", tls: {}"),
         "t.yaml:3:35: error: upstream \"app\" speaks TLS but has nothing to verify the backend "
         "with; add trust under tls\n"},
        {UP("servers: \"a:1\", tls: {trust: partners, unsafe-skip-verify: true}"),
         "t.yaml:3:58: error: upstream \"app\" has both trust and unsafe-skip-verify; remove one "
         "of them\n"},
        {UP("servers: \"a:1\", tls: {unsafe-skip-verify: true, name: x}"),
         "t.yaml:3:67: error: upstream \"app\" checks no name while unsafe-skip-verify is on; "
         "remove name, or write it as sni\n"},
        {UP("servers: \"unix:/x\", tls: {trust: partners}"),
         "t.yaml:3:28: error: upstream \"app\" speaks TLS with unix:/x, which has no host name to "
         "check; add name under tls\n"},
        {UP("servers: \"a:1\", tls: {trust: partners, name: \"a:1\", sni: 10.0.0.1}"),
         "t.yaml:3:64: error: name: \"a:1\" is not a host name or an address; write it without "
         "port, "
         "such as db.internal.example\n"
         "t.yaml:3:76: error: sni: \"10.0.0.1\" is not a host name (an address can't be a server "
         "name, RFC 6066); write one such as db.internal.example\n"},
    };
    (void)state;
    TOLD(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys),         cmocka_unit_test(names),
        cmocka_unit_test(values),       cmocka_unit_test(identities_and_trust),
        cmocka_unit_test(listeners),    cmocka_unit_test(sni_rules),
        cmocka_unit_test(tls_settings), cmocka_unit_test(upstreams),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
