// SPDX-License-Identifier: Apache-2.0
/* The kinds of values: their names for people, their JSON Schema, their size, their decoder. */
#include "config/value.h"

#define STRING_SIZE sizeof(struct hf_cfg_string)
#define PLAIN_TEXT  "{\"type\":[\"string\",\"number\"],\"minLength\":1}"
#define PAIRS \
    "{\"type\":\"object\",\"minProperties\":1,\"additionalProperties\":" \
    "{\"type\":[\"string\",\"number\",\"boolean\"]}}"
#define AUTHORITY "([A-Za-z0-9._-]+|\\\\[[A-Za-z0-9._:-]+\\\\])(:[0-9]{1,5})?"
#define HOST_TEXT "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_.:-]+$\"}"

/* The parts of a CA, after an alternative that nothing fits: each brings its bar along. */
#define PART_PATTERN(id, name, doc) "|" name

const struct hf_kind_info hf_kinds[HF_KIND_N] = {
    [HF_KIND_BOOL] = {"true or false", "{\"type\":\"boolean\"}", sizeof(bool), hf_decode_bool},
    [HF_KIND_UINT] = {"a whole number", NULL, sizeof(unsigned), hf_decode_uint},
    [HF_KIND_DURATION] = {"a duration",
                          "{\"anyOf\":[{\"const\":0},{\"type\":\"string\",\"pattern\":"
                          "\"^(0|([0-9]+(ms|s|min|m|h|d|w))+)$\"}]}",
                          sizeof(int64_t), hf_decode_duration},
    [HF_KIND_ENUM] = {"a word", NULL, sizeof(int), hf_decode_enum},
    [HF_KIND_FILE] = {"a file", PLAIN_TEXT, STRING_SIZE, hf_decode_file},
    [HF_KIND_SOURCE] = {"a file or folder", PLAIN_TEXT, STRING_SIZE, hf_decode_file},
    [HF_KIND_PATH] = {"a file", PLAIN_TEXT, STRING_SIZE, hf_decode_path},
    [HF_KIND_FALLBACK] = {"a word or a duration",
                          "{\"type\":\"string\",\"pattern\":"
                          "\"^(deny|allow|([0-9]+(ms|s|min|m|h|d|w))+)$\"}",
                          sizeof(struct hf_cfg_fallback), hf_decode_fallback},
    [HF_KIND_NAMES] = {"a word or a file", PLAIN_TEXT, 0, hf_decode_names},
    [HF_KIND_ENV] = {"the name of a variable",
                     "{\"type\":\"string\",\"pattern\":\"^[A-Za-z_][A-Za-z0-9_]*$\"}", STRING_SIZE,
                     hf_decode_env},
    [HF_KIND_HOST] = {"a host name or address", HOST_TEXT, STRING_SIZE, hf_decode_host},
    [HF_KIND_SNI] = {"a host name", HOST_TEXT, STRING_SIZE, hf_decode_sni},
    [HF_KIND_PATTERN] = {"a server name or pattern",
                         "{\"type\":\"string\",\"pattern\":\"^([*][.])?[A-Za-z0-9_.-]+$\"}",
                         STRING_SIZE, hf_decode_pattern},
    [HF_KIND_ALPN] = {"a protocol's name",
                      "{\"type\":\"string\",\"minLength\":1,\"maxLength\":255}", STRING_SIZE,
                      hf_decode_alpn},
    [HF_KIND_TLS_WORD] = {"a name", "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_+.!@=:-]+$\"}",
                          STRING_SIZE, hf_decode_tls_words},
    [HF_KIND_VERSIONS] = {"a TLS version", "{\"enum\":[\"1.2\",\"1.3\",1.2,1.3]}", 0,
                          hf_decode_versions},
    [HF_KIND_ADDRESS] = {"an address",
                         "{\"type\":\"string\",\"pattern\":\"^(unix:.+|.*:[0-9]+)$\"}",
                         sizeof(struct hf_cfg_addr), hf_decode_address},
    [HF_KIND_UNIX] = {"a unix socket", "{\"type\":\"string\",\"pattern\":\"^unix:.+$\"}",
                      sizeof(struct hf_cfg_addr), hf_decode_unix},
    [HF_KIND_SERVER] = {"a server", "{\"type\":\"string\",\"pattern\":\"^(unix:.+|.+:[0-9]+)$\"}",
                        sizeof(struct hf_cfg_server), hf_decode_server},
    [HF_KIND_CIDR] = {"a network", "{\"type\":\"string\",\"minLength\":1}", sizeof(struct hf_cidr),
                      hf_decode_cidr},
    [HF_KIND_SIZE] = {"a size",
                      "{\"type\":[\"string\",\"integer\"],\"pattern\":"
                      "\"^[0-9]+([KMG]i?B)?$\",\"minimum\":0}",
                      sizeof(uint64_t), hf_decode_size},
    [HF_KIND_TEXT] = {"text", "{\"type\":[\"string\",\"number\",\"boolean\"]}", STRING_SIZE,
                      hf_decode_text},
    [HF_KIND_LABEL] = {"a name", "{\"type\":\"string\",\"pattern\":\"^[a-z0-9][a-z0-9_-]{0,62}$\"}",
                       STRING_SIZE, hf_decode_label},
    [HF_KIND_HOSTS] = {"a host name or pattern",
                       "{\"type\":\"string\",\"pattern\":\"^([*][.])?[A-Za-z0-9_.:-]+$\"}",
                       STRING_SIZE, hf_decode_hosts},
    [HF_KIND_PATHS] = {"a path", "{\"type\":\"string\",\"pattern\":\"^/[!-~]*$\"}", STRING_SIZE,
                       hf_decode_paths},
    [HF_KIND_PLAIN_PATH] = {"a path", "{\"type\":\"string\",\"pattern\":\"^/[!-~]*$\"}",
                            STRING_SIZE, hf_decode_plain_path},
    [HF_KIND_AUTHORITY] = {"a host", HOST_TEXT, STRING_SIZE, hf_decode_authority},
    [HF_KIND_LOCATION] = {"a URL or path", "{\"type\":\"string\",\"minLength\":1}", STRING_SIZE,
                          hf_decode_location},
    [HF_KIND_METHOD] = {"a method",
                        "{\"type\":\"string\",\"pattern\":\"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$\"}",
                        STRING_SIZE, hf_decode_method},
    [HF_KIND_FIELD] = {"the name of a header",
                       "{\"type\":\"string\",\"pattern\":\"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$\"}",
                       STRING_SIZE, hf_decode_field},
    [HF_KIND_FIELDS] = {"a mapping of headers to text", PAIRS, 0, hf_decode_fields},
    [HF_KIND_FIELD_PATTERNS] = {"a mapping of headers to patterns", PAIRS, 0,
                                hf_decode_field_patterns},
    [HF_KIND_PARAM_PATTERNS] = {"a mapping of parameters to patterns", PAIRS, 0,
                                hf_decode_param_patterns},
    [HF_KIND_WHO] = {"a role or selector", "{\"type\":\"string\",\"minLength\":1}", STRING_SIZE,
                     hf_decode_who},
    [HF_KIND_ROLES] = {"a mapping of names to roles",
                       "{\"type\":\"object\",\"additionalProperties\":false,\"patternProperties\":"
                       "{\"^[a-z0-9][a-z0-9_-]{0,62}$\":{\"$ref\":\"#/$defs/role\"}}}",
                       0, hf_decode_roles},
    [HF_KIND_STATUS] = {"a status or a range of them",
                        "{\"anyOf\":[{\"type\":\"integer\",\"minimum\":100,\"maximum\":599},{"
                        "\"type\":\"string\",\"pattern\":\"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$\"}]}",
                        sizeof(struct hf_cfg_statuses), hf_decode_status},
    [HF_KIND_HASH_BY] = {"what to hash",
                         "{\"type\":\"string\",\"pattern\":"
                         "\"^(address|identity|(header|cookie):[!-~]+)$\"}",
                         0, hf_decode_hash_by},
    [HF_KIND_AUTH] = {"the name of an auth", "{\"$ref\":\"#/$defs/auth\"}", sizeof(void *),
                      hf_decode_auth},
    [HF_KIND_CLAIMS] = {"a mapping of claims to values", "{\"$ref\":\"#/$defs/claims\"}", 0,
                        hf_decode_claims},
    [HF_KIND_KEYSET] = {"a file or URL", "{\"type\":\"string\",\"minLength\":1}", STRING_SIZE,
                        hf_decode_keyset},
    [HF_KIND_RATE] = {"a rate",
                      "{\"type\":\"string\",\"pattern\":\"^[0-9]+/[smh]( burst [0-9]+)?$\"}",
                      sizeof(struct hf_cfg_rate), hf_decode_rate},
    [HF_KIND_URL] = {"a URL",
                     "{\"type\":\"string\",\"pattern\":"
                     "\"^https?://" AUTHORITY "([/?][!$-~]*)?$\"}",
                     STRING_SIZE, hf_decode_url},
    [HF_KIND_ORIGIN] = {"scheme, host and port",
                        "{\"type\":\"string\",\"pattern\":\"^https?://" AUTHORITY "$\"}",
                        STRING_SIZE, hf_decode_origin},
    [HF_KIND_REF] = {"a name", "{\"type\":[\"string\",\"number\"]}", sizeof(void *), hf_decode_ref},
    [HF_KIND_SERVICE] =
        {"a ca and a part of it",
         "{\"type\":\"string\",\"pattern\":\"^[a-z0-9][a-z0-9_-]*/((?!)" HF_CA_PART_TABLE(
             PART_PATTERN) ")$\"}",
         sizeof(struct hf_cfg_service), hf_decode_service},
    [HF_KIND_SECTION] = {"a mapping", NULL, 0, NULL},
    [HF_KIND_OBJECTS] = {"a list of mappings", NULL, 0, NULL},
    [HF_KIND_NAMED] = {"a mapping of names", NULL, 0, NULL},
};
