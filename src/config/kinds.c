// SPDX-License-Identifier: Apache-2.0
/* The kinds of values: their names for people, their JSON Schema, their size, their decoder. */
#include "config/value.h"

#define STRING_SIZE sizeof(struct hf_cfg_string)
#define PLAIN_TEXT  "{\"type\":[\"string\",\"number\"],\"minLength\":1}"
#define HOST_TEXT   "{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9_.:-]+$\"}"

const struct hf_kind_info hf_kinds[HF_KIND_N] = {
    [HF_KIND_BOOL] = {"true or false", "{\"type\":\"boolean\"}", sizeof(bool), hf_decode_bool},
    [HF_KIND_UINT] = {"a whole number", NULL, sizeof(unsigned), hf_decode_uint},
    [HF_KIND_DURATION] = {"a duration",
                          "{\"anyOf\":[{\"const\":0},{\"type\":\"string\",\"pattern\":"
                          "\"^(0|([0-9]+(ms|s|min|m|h|d|w))+)$\"}]}",
                          sizeof(int64_t), hf_decode_duration},
    [HF_KIND_ENUM] = {"a word", NULL, sizeof(int), hf_decode_enum},
    [HF_KIND_FILE] = {"a file", PLAIN_TEXT, STRING_SIZE, hf_decode_file},
    [HF_KIND_PATH] = {"a file", PLAIN_TEXT, STRING_SIZE, hf_decode_path},
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
    [HF_KIND_REF] = {"a name", "{\"type\":[\"string\",\"number\"]}", sizeof(void *), hf_decode_ref},
    [HF_KIND_SECTION] = {"a mapping", NULL, 0, NULL},
    [HF_KIND_OBJECTS] = {"a list of mappings", NULL, 0, NULL},
    [HF_KIND_NAMED] = {"a mapping of names", NULL, 0, NULL},
};
