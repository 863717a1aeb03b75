// SPDX-License-Identifier: Apache-2.0
/* One decoder a kind of value. Each takes a scalar (versions and TLS words also lists), and either
 * fills `at` or adds a finding that says what is wrong and what to write instead. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/decode.h"
#include "os/file.h"

enum { WORDS_MAX = 8, HOST_MAX = 253, LABEL_MAX = 63, TLS_LIST_MAX = 4096 };

/* Adds the finding with the sentence of this thread's last failure. */
static void complain_failure(struct hf_decoder *decoder, const struct hf_key *key,
                             const struct hf_node *node, enum hf_err err)
{
    if (err == HF_E_NOMEM) {
        decoder->err = err;
        return;
    }
    hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark, "%s", hf_err_text());
}

static char *keep(struct hf_decoder *decoder, const char *text)
{
    char *copy = hf_arena_strdup(decoder->arena, text);
    if (!copy) {
        decoder->err = HF_E_NOMEM;
    }
    return copy;
}

static void set_string(struct hf_decoder *decoder, const struct hf_node *node, const char *text,
                       void *at)
{
    *(struct hf_cfg_string *)at = (struct hf_cfg_string){keep(decoder, text), node->mark};
}

static const struct hf_word *find_word(const struct hf_word *words, const char *text)
{
    for (; words && words->word; words++) {
        if (strcmp(words->word, text) == 0) {
            return words;
        }
    }
    return NULL;
}

/* last: what is accepted besides the words, or NULL. */
static void complain_word(struct hf_decoder *decoder, const struct hf_key *key,
                          const struct hf_node *node, const char *last)
{
    const char *names[WORDS_MAX + 1] = {0};
    char all[256];
    for (size_t i = 0; i < WORDS_MAX && key->words[i].word; i++) {
        names[i] = key->words[i].word;
    }
    const char *closest = key->hint ? NULL : hf_closest(node->text, names);
    hf_words_join(key->words, last, all, sizeof(all));
    hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                "\"%.60s\" is not accepted; %s%s%s%s%s%s", node->text,
                closest ? "did you mean \"" : "", closest ? closest : "",
                closest ? "\"? It can be " : "write ", all, key->hint ? ": " : "",
                key->hint ? key->hint : "");
}

/* --- Plain values ------------------------------------------------------------------------------*/

static void decode_text(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    if (!*node->text) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "is empty; give it %s or remove the key", hf_kinds[key->kind].noun);
        return;
    }
    set_string(decoder, node, node->text, at);
}

static void decode_bool(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    bool is_true = strcmp(node->text, "true") == 0;
    if (!is_true && strcmp(node->text, "false") != 0) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.60s\" is not accepted; write true or false", node->text);
        return;
    }
    *(bool *)at = is_true;
}

static void decode_uint(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    uint64_t value = 0;
    const struct hf_word *word = find_word(key->words, node->text);
    if (word) {
        *(unsigned *)at = (unsigned)word->value;
        return;
    }
    if (hf_parse_uint(node->text, (uint64_t)key->max, &value) != HF_OK ||
        value < (uint64_t)key->min) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.60s\" is not accepted; write a whole number from %lld to %lld%s%s",
                    node->text, (long long)key->min, (long long)key->max, key->words ? ", or " : "",
                    key->words ? key->words[0].word : "");
        return;
    }
    *(unsigned *)at = (unsigned)value;
}

static void decode_duration(struct hf_decoder *decoder, const struct hf_key *key,
                            const struct hf_node *node, void *at)
{
    int64_t ms;
    enum hf_err err = hf_parse_duration(node->text, &ms);
    if (err != HF_OK) {
        complain_failure(decoder, key, node, err);
        return;
    }
    if (ms < key->min || ms > key->max) {
        char least[32];
        char most[32];
        hf_format_duration(key->min, least, sizeof(least));
        hf_format_duration(key->max, most, sizeof(most));
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.60s\" is out of range; it can be %s to %s", node->text, least, most);
        return;
    }
    *(int64_t *)at = ms;
}

static void decode_enum(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    const struct hf_word *word = find_word(key->words, node->text);
    if (!word) {
        complain_word(decoder, key, node, NULL);
        return;
    }
    memcpy(at, &word->value, sizeof(word->value));
}

static void decode_env(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, void *at)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
    if (!*node->text || node->text[strspn(node->text, allowed)] ||
        isdigit((unsigned char)node->text[0])) {
        /* not quoted: it may well be the passphrase itself */
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "this is not the name of an environment variable; write its name, not its "
                    "value");
        return;
    }
    set_string(decoder, node, node->text, at);
}

/* --- Files -------------------------------------------------------------------------------------*/

/* The path joined with the config's folder, in the arena; NULL when out of memory, noted. */
static char *join(struct hf_decoder *decoder, const char *path)
{
    if (strcmp(decoder->dir, ".") == 0) {
        return keep(decoder, path);
    }
    HF_CLEANUP(hf_freep) char *joined = hf_path_join(decoder->dir, path);
    if (!joined) {
        decoder->err = HF_E_NOMEM;
        return NULL;
    }
    return keep(decoder, joined);
}

static bool check_file(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, const char *path)
{
    struct stat info;
    const char *why = NULL;
    if (stat(path, &info) != 0) {
        why = errno == ENOENT ? "does not exist" : strerror(errno);
    } else if (S_ISDIR(info.st_mode)) {
        why = "is a folder";
    } else if (access(path, R_OK) != 0) {
        why = "can't be read by this user";
    }
    if (why) {
        hf_complain(decoder, HF_FINDING_FILE, key, node->mark,
                    "%s %s; name a file that can be read", path, why);
    }
    return !why;
}

static void decode_file(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    if (!*node->text) {
        decode_text(decoder, key, node, at);
        return;
    }
    char *path = join(decoder, node->text);
    if (path && check_file(decoder, key, node, path)) {
        *(struct hf_cfg_string *)at = (struct hf_cfg_string){path, node->mark};
    }
}

/* A file that we'll write: its folder must be there. */
static void decode_path(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    struct stat info;
    if (!*node->text || find_word(key->words, node->text)) {
        decode_text(decoder, key, node, at);
        return;
    }
    char *path = join(decoder, node->text);
    HF_CLEANUP(hf_freep) char *dir = path ? hf_path_dir(path) : NULL;
    if (!dir) {
        decoder->err = HF_E_NOMEM;
    } else if (stat(dir, &info) != 0 || !S_ISDIR(info.st_mode)) {
        hf_complain(decoder, HF_FINDING_FILE, key, node->mark,
                    "the folder %s does not exist; make it or name another", dir);
    } else if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        hf_complain(decoder, HF_FINDING_FILE, key, node->mark, "%s is a folder; name a file", path);
    } else {
        *(struct hf_cfg_string *)at = (struct hf_cfg_string){path, node->mark};
    }
}

static void decode_names(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *node, void *at)
{
    struct hf_cfg_trust *trust = at;
    const struct hf_word *word = find_word(key->words, node->text);
    if (word) {
        trust->names = (enum hf_trust_names)word->value;
        trust->names_file = (struct hf_cfg_string){NULL, node->mark};
        return;
    }
    if (!strpbrk(node->text, "./")) { /* a word, not a path: more likely a misspelling */
        complain_word(decoder, key, node, "a PEM file");
        return;
    }
    trust->names = HF_TRUST_NAMES_FILE;
    decode_file(decoder, key, node, &trust->names_file);
}

/* --- Names -------------------------------------------------------------------------------------*/

/* LDH labels (RFC 1123), and the underscore that container names bring along. */
static bool is_host_name(const char *text, size_t len)
{
    size_t label = 0;
    if (len == 0 || len > HOST_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        bool dot = text[i] == '.';
        bool dash = text[i] == '-';
        bool edge = label == 0 || i + 1 == len || text[i + 1] == '.';
        if (dot ? label == 0
                : !(isalnum((unsigned char)text[i]) || text[i] == '_' || (dash && !edge))) {
            return false;
        }
        label = dot ? 0 : label + 1;
        if (label > LABEL_MAX) {
            return false;
        }
    }
    return true;
}

/* An IPv4 or IPv6 address without port or brackets. */
static bool is_address(const char *text)
{
    struct in6_addr out;
    return inet_pton(AF_INET, text, &out) == 1 || inet_pton(AF_INET6, text, &out) == 1;
}

/* Ends in a label of digits alone: no name can, so a mistyped IPv4 address (RFC 1123 2.1). */
static bool looks_numeric(const char *text, size_t len)
{
    size_t digits = 0;
    while (digits < len && isdigit((unsigned char)text[len - 1 - digits])) {
        digits++;
    }
    return digits > 0 && (digits == len || text[len - 1 - digits] == '.');
}

static bool is_dns_name(const char *text)
{
    size_t len = strlen(text);
    return is_host_name(text, len) && !looks_numeric(text, len);
}

static void set_lower(struct hf_decoder *decoder, const struct hf_node *node, void *at)
{
    struct hf_cfg_string *out = at;
    set_string(decoder, node, node->text, out);
    for (char *p = out->value; p && *p; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
}

static void decode_host(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    if (!is_dns_name(node->text) && !is_address(node->text)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.80s\" is no host name and no address; write it without port, such as %s",
                    node->text, key->example);
        return;
    }
    set_lower(decoder, node, at);
}

static void decode_sni(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, void *at)
{
    if (!is_dns_name(node->text)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.80s\" is no host name (an address can't be a server name, RFC 6066); "
                    "write one such as %s",
                    node->text, key->example);
        return;
    }
    set_lower(decoder, node, at);
}

static void decode_pattern(struct hf_decoder *decoder, const struct hf_key *key,
                           const struct hf_node *node, void *at)
{
    const char *rest = strncmp(node->text, "*.", 2) == 0 ? node->text + 2 : node->text;
    if (!is_dns_name(rest)) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.80s\" is no server name; write one such as api.example.org or "
                    "\"*.example.org\"",
                    node->text);
        return;
    }
    set_lower(decoder, node, at);
}

static void decode_alpn(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    size_t len = strlen(node->text);
    if (len == 0 || len > 255) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "a protocol's name has 1 to 255 bytes (RFC 7301), such as http/1.1");
        return;
    }
    set_string(decoder, node, node->text, at);
}

/* --- Addresses ---------------------------------------------------------------------------------*/

static void decode_address(struct hf_decoder *decoder, const struct hf_key *key,
                           const struct hf_node *node, void *at)
{
    struct hf_cfg_addr *out = at;
    struct hf_addr addr;
    enum hf_err err = hf_addr_parse(node->text, &addr);
    if (err != HF_OK) {
        complain_failure(decoder, key, node, err);
        return;
    }
    *out = (struct hf_cfg_addr){addr, keep(decoder, node->text), node->mark};
}

static void decode_unix(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    if (strncmp(node->text, "unix:", 5) != 0) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                    "\"%.80s\" is no unix socket; write one such as %s", node->text, key->example);
        return;
    }
    decode_address(decoder, key, node, at);
}

static void complain_server(struct hf_decoder *decoder, const struct hf_key *key,
                            const struct hf_node *node)
{
    hf_complain(decoder, HF_FINDING_BAD_VALUE, key, node->mark,
                "\"%.80s\" is no server; write host:port, address:port, [address]:port or "
                "unix:/path",
                node->text);
}

/* "name:port": the name is looked up later. */
static void decode_named_server(struct hf_decoder *decoder, const struct hf_key *key,
                                const struct hf_node *node, struct hf_cfg_server *out)
{
    const char *colon = strrchr(node->text, ':');
    size_t len = colon ? (size_t)(colon - node->text) : 0;
    uint64_t port = 0;
    if (!is_host_name(node->text, len) || looks_numeric(node->text, len) ||
        hf_parse_uint(colon + 1, 65535, &port) != HF_OK || port == 0) {
        complain_server(decoder, key, node);
        return;
    }
    out->host = hf_arena_strndup(decoder->arena, node->text, len);
    out->port = (uint16_t)port;
    if (!out->host) {
        decoder->err = HF_E_NOMEM;
    }
}

/* "address:port" or "[address]:port": the host is the address without its brackets. */
static void keep_host(struct hf_decoder *decoder, const char *text, struct hf_cfg_server *out)
{
    bool bracket = text[0] == '[';
    const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
    const char *start = text + bracket;
    out->host = end ? hf_arena_strndup(decoder->arena, start, (size_t)(end - start)) : NULL;
    out->port = (uint16_t)hf_addr_port(&out->addr);
    if (!out->host) {
        decoder->err = HF_E_NOMEM;
    }
}

static void decode_server(struct hf_decoder *decoder, const struct hf_key *key,
                          const struct hf_node *node, void *at)
{
    struct hf_cfg_server out = {.mark = node->mark};
    out.is_address = node->text[0] != ':' && hf_addr_parse(node->text, &out.addr) == HF_OK;
    if (!out.is_address) {
        decode_named_server(decoder, key, node, &out);
    } else if (out.addr.sa.sa_family != AF_UNIX && hf_addr_port(&out.addr) == 0) {
        complain_server(decoder, key, node);
    } else if (out.addr.sa.sa_family != AF_UNIX) {
        keep_host(decoder, node->text, &out);
    }
    out.text = keep(decoder, node->text);
    *(struct hf_cfg_server *)at = out;
}

static void decode_cidr(struct hf_decoder *decoder, const struct hf_key *key,
                        const struct hf_node *node, void *at)
{
    struct hf_cidr cidr;
    enum hf_err err = hf_cidr_parse(node->text, &cidr);
    if (err != HF_OK) {
        complain_failure(decoder, key, node, err);
        return;
    }
    *(struct hf_cidr *)at = cidr;
}

/* --- References --------------------------------------------------------------------------------*/

/* All objects that a reference may mean begin with their name. */
static char *object_name(void *object)
{
    char *name;
    memcpy(&name, object, sizeof(name));
    return name;
}

static void complain_reference(struct hf_decoder *decoder, const struct hf_key *key,
                               const struct hf_node *node, char *objects, size_t n)
{
    enum { SUGGEST_MAX = 256 };
    const char *names[SUGGEST_MAX + 1] = {0};
    for (size_t i = 0; i < n && i < SUGGEST_MAX; i++) {
        names[i] = object_name(objects + i * key->ref->size);
    }
    const char *closest = hf_closest(node->text, names);
    hf_complain(decoder, HF_FINDING_UNKNOWN_REFERENCE, key, node->mark,
                "there is no %s \"%.63s\"; %s%s%s%s", key->ref->noun, node->text,
                closest ? "did you mean \"" : "define it under ", closest ? closest : key->ref->key,
                closest ? "\"?" : "", n ? "" : ", which is empty");
}

static void decode_ref(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *node, void *at)
{
    char *objects;
    size_t n;
    memcpy(&objects, (char *)decoder->config + key->ref->offset, sizeof(objects));
    memcpy(&n, (char *)decoder->config + key->ref->n_offset, sizeof(n));
    for (size_t i = 0; i < n; i++) {
        char *object = objects + i * key->ref->size;
        if (strcmp(object_name(object), node->text) == 0) {
            memcpy(at, &object, sizeof(object));
            return;
        }
    }
    complain_reference(decoder, key, node, objects, n);
}

/* --- Lists taken whole -------------------------------------------------------------------------*/

typedef bool take_item(struct hf_decoder *decoder, const struct hf_key *key,
                       const struct hf_node *item, void *ctx);

/* Calls take for a scalar or for each scalar of a list; false when anything was wrong. */
static bool each_item(struct hf_decoder *decoder, const struct hf_key *key,
                      const struct hf_node *node, take_item *take, void *ctx)
{
    bool good = node->kind == HF_NODE_SCALAR ? take(decoder, key, node, ctx) : node->n > 0;
    if (node->kind == HF_NODE_EMPTY && node->text) {
        return false;
    }
    if (node->kind != HF_NODE_SCALAR && (node->kind != HF_NODE_LIST || node->n == 0)) {
        hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, node->mark,
                    "must be a list with at least one entry, such as %s", key->example);
        return false;
    }
    for (const struct hf_node *item = node->first; item; item = item->next) {
        if (item->kind == HF_NODE_SCALAR) {
            good = take(decoder, key, item, ctx) && good;
        } else if (item->kind != HF_NODE_EMPTY || !item->text) {
            hf_complain(decoder, HF_FINDING_WRONG_TYPE, key, item->mark,
                        "every entry must be a single value, such as in %s", key->example);
            good = false;
        }
    }
    return good;
}

static bool take_version(struct hf_decoder *decoder, const struct hf_key *key,
                         const struct hf_node *item, void *ctx)
{
    struct hf_cfg_tls *tls = ctx;
    const struct hf_word *word = find_word(key->words, item->text);
    if (!word) {
        complain_word(decoder, key, item, NULL);
        return false;
    }
    enum hf_tls_version version = (enum hf_tls_version)word->value;
    tls->min_version = tls->min_version && tls->min_version < version ? tls->min_version : version;
    tls->max_version = tls->max_version > version ? tls->max_version : version;
    return true;
}

static void decode_versions(struct hf_decoder *decoder, const struct hf_key *key,
                            const struct hf_node *node, void *at)
{
    (void)each_item(decoder, key, node, take_version, at);
}

/* Suites, ciphers and groups are joined with ":", as libssl reads them. */
static bool take_tls_word(struct hf_decoder *decoder, const struct hf_key *key,
                          const struct hf_node *item, void *ctx)
{
    struct hf_buf *joined = ctx;
    bool good = *item->text;
    for (const char *p = item->text; *p; p++) {
        good = good && (isalnum((unsigned char)*p) || strchr("_-+.!@=:", *p));
    }
    if (!good) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, item->mark,
                    "\"%.60s\" is not accepted; write names such as %s", item->text, key->example);
        return false;
    }
    enum hf_err err = hf_buf_printf(joined, "%s%s", hf_buf_len(joined) ? ":" : "", item->text);
    if (err == HF_E_TOO_LARGE) {
        hf_complain(decoder, HF_FINDING_BAD_VALUE, key, item->mark, "the list is too long");
    } else if (err != HF_OK) {
        decoder->err = err;
    }
    return err == HF_OK;
}

static void decode_tls_words(struct hf_decoder *decoder, const struct hf_key *key,
                             const struct hf_node *node, void *at)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf joined = HF_BUF_INIT(TLS_LIST_MAX);
    if (!each_item(decoder, key, node, take_tls_word, &joined)) {
        return;
    }
    const char *text = hf_buf_cstr(&joined);
    if (!text) {
        decoder->err = HF_E_NOMEM;
        return;
    }
    set_string(decoder, node, text, at);
}

/* --- The table ---------------------------------------------------------------------------------*/

#define STRING_SIZE sizeof(struct hf_cfg_string)
#define PLAIN_TEXT  "{\"type\":[\"string\",\"number\"],\"minLength\":1}"
#define HOST_TEXT   "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_.:-]+$\"}"

const struct hf_kind_info hf_kinds[HF_KIND_N] = {
    [HF_KIND_BOOL] = {"true or false", "{\"type\":\"boolean\"}", sizeof(bool), decode_bool},
    [HF_KIND_UINT] = {"a whole number", NULL, sizeof(unsigned), decode_uint},
    [HF_KIND_DURATION] = {"a duration",
                          "{\"anyOf\":[{\"const\":0},{\"type\":\"string\",\"pattern\":"
                          "\"^(0|([0-9]+(ms|s|min|m|h|d|w))+)$\"}]}",
                          sizeof(int64_t), decode_duration},
    [HF_KIND_ENUM] = {"a word", NULL, sizeof(int), decode_enum},
    [HF_KIND_FILE] = {"a file", PLAIN_TEXT, STRING_SIZE, decode_file},
    [HF_KIND_PATH] = {"a file", PLAIN_TEXT, STRING_SIZE, decode_path},
    [HF_KIND_NAMES] = {"a word or a file", PLAIN_TEXT, 0, decode_names},
    [HF_KIND_ENV] = {"the name of a variable",
                     "{\"type\":\"string\",\"pattern\":\"^[A-Za-z_][A-Za-z0-9_]*$\"}", STRING_SIZE,
                     decode_env},
    [HF_KIND_HOST] = {"a host name or address", HOST_TEXT, STRING_SIZE, decode_host},
    [HF_KIND_SNI] = {"a host name", HOST_TEXT, STRING_SIZE, decode_sni},
    [HF_KIND_PATTERN] = {"a server name or pattern",
                         "{\"type\":\"string\",\"pattern\":\"^([*][.])?[A-Za-z0-9_.-]+$\"}",
                         STRING_SIZE, decode_pattern},
    [HF_KIND_ALPN] = {"a protocol's name",
                      "{\"type\":\"string\",\"minLength\":1,\"maxLength\":255}", STRING_SIZE,
                      decode_alpn},
    [HF_KIND_TLS_WORD] = {"a name", "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_+.!@=:-]+$\"}",
                          STRING_SIZE, decode_tls_words},
    [HF_KIND_VERSIONS] = {"a TLS version", "{\"enum\":[\"1.2\",\"1.3\",1.2,1.3]}", 0,
                          decode_versions},
    [HF_KIND_ADDRESS] = {"an address",
                         "{\"type\":\"string\",\"pattern\":\"^(unix:.+|.*:[0-9]+)$\"}",
                         sizeof(struct hf_cfg_addr), decode_address},
    [HF_KIND_UNIX] = {"a unix socket", "{\"type\":\"string\",\"pattern\":\"^unix:.+$\"}",
                      sizeof(struct hf_cfg_addr), decode_unix},
    [HF_KIND_SERVER] = {"a server", "{\"type\":\"string\",\"pattern\":\"^(unix:.+|.+:[0-9]+)$\"}",
                        sizeof(struct hf_cfg_server), decode_server},
    [HF_KIND_CIDR] = {"a network", "{\"type\":\"string\",\"minLength\":1}", sizeof(struct hf_cidr),
                      decode_cidr},
    [HF_KIND_REF] = {"a name", "{\"type\":[\"string\",\"number\"]}", sizeof(void *), decode_ref},
    [HF_KIND_SECTION] = {"a mapping", NULL, 0, NULL},
    [HF_KIND_OBJECTS] = {"a list of mappings", NULL, 0, NULL},
    [HF_KIND_NAMED] = {"a mapping of names", NULL, 0, NULL},
};
