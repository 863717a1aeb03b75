// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_KEYS_H
#define HF_CONFIG_KEYS_H

/*
 * The key table: every key that a config file may hold, what it accepts, its default, what it does,
 * and where its value goes. The decoder, the error messages, the JSON Schema and the reference page
 * all read this one table; a key that isn't in it doesn't exist.
 *
 * To add a key: a field in config/config.h, a row in the section's config/keys_*.c, a line in
 * docs/config.md (made by `handfast config reference`), and code that uses it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/tree.h"

/* What a value is. The kinds' words, schema and decoders are in config/kinds.c and value_*.c. */
enum hf_kind {
    HF_KIND_BOOL,       /* bool */
    HF_KIND_UINT,       /* unsigned, in [min, max]; `words` stand for numbers */
    HF_KIND_DURATION,   /* int64_t milliseconds, in [min, max] */
    HF_KIND_ENUM,       /* int-sized enum, one of `words` */
    HF_KIND_FILE,       /* struct hf_cfg_string; a file that must exist */
    HF_KIND_SOURCE,     /* struct hf_cfg_string; a file or a folder that must exist */
    HF_KIND_PATH,       /* struct hf_cfg_string; a file in a folder that must exist; `words` pass */
    HF_KIND_FALLBACK,   /* struct hf_cfg_fallback; one of `words`, or a duration */
    HF_KIND_NAMES,      /* struct hf_cfg_trust, whole: from-roots, none, or a file */
    HF_KIND_ENV,        /* struct hf_cfg_string; the name of an environment variable */
    HF_KIND_HOST,       /* struct hf_cfg_string; a host name or address */
    HF_KIND_SNI,        /* struct hf_cfg_string; a host name, lower case */
    HF_KIND_PATTERN,    /* struct hf_cfg_string; a host name or "*." and one, lower case */
    HF_KIND_ALPN,       /* struct hf_cfg_string; 1 to 255 bytes */
    HF_KIND_TLS_WORD,   /* struct hf_cfg_string; a suite, cipher or group; lists join with ":" */
    HF_KIND_VERSIONS,   /* struct hf_cfg_tls, whole: its versions; a list */
    HF_KIND_ADDRESS,    /* struct hf_cfg_addr */
    HF_KIND_UNIX,       /* struct hf_cfg_addr, unix only */
    HF_KIND_SERVER,     /* struct hf_cfg_server */
    HF_KIND_CIDR,       /* struct hf_cidr */
    HF_KIND_SIZE,       /* uint64_t bytes, in [min, max] */
    HF_KIND_TEXT,       /* struct hf_cfg_string; any text that isn't empty */
    HF_KIND_LABEL,      /* struct hf_cfg_string; a name as objects have it */
    HF_KIND_HOSTS,      /* struct hf_cfg_string; a host of requests: as PATTERN, or an address */
    HF_KIND_PATHS,      /* struct hf_cfg_string; a pattern of paths (policy/path_pattern.h) */
    HF_KIND_PLAIN_PATH, /* struct hf_cfg_string; a path in normal form, no pattern */
    HF_KIND_AUTHORITY,  /* struct hf_cfg_string; host or host:port, lower case */
    HF_KIND_LOCATION,   /* struct hf_cfg_string; a URL or path with {host}, {path}, {query} */
    HF_KIND_METHOD,     /* struct hf_cfg_string; a method of HTTP */
    HF_KIND_FIELD,      /* struct hf_cfg_string; the name of a header field, lower case */
    HF_KIND_FIELDS,     /* struct hf_cfg_pairs, whole: header fields to send */
    HF_KIND_FIELD_PATTERNS, /* struct hf_cfg_pairs, whole: header fields and patterns of values */
    HF_KIND_PARAM_PATTERNS, /* struct hf_cfg_pairs, whole: the same of query parameters */
    HF_KIND_WHO,            /* struct hf_cfg_string; a role, a selector, anyone or verified */
    HF_KIND_ROLES,          /* struct hf_config, whole: its roles */
    HF_KIND_STATUS,         /* struct hf_cfg_statuses: "200" or "200-299" */
    HF_KIND_HASH_BY,        /* struct hf_cfg_upstream, whole: its hash_by */
    HF_KIND_AUTH,           /* struct hf_cfg_auth_expr *; what a route asks for */
    HF_KIND_CLAIMS,         /* struct hf_cfg_claims, whole: claims and their values */
    HF_KIND_KEYSET,         /* struct hf_cfg_string; an https URL, or a file that must exist */
    HF_KIND_RATE,           /* struct hf_cfg_rate */
    HF_KIND_URL,            /* struct hf_cfg_string; an http or https URL that we ask */
    HF_KIND_ORIGIN,         /* struct hf_cfg_string; scheme, host and port of such */
    HF_KIND_REF,            /* pointer to an object of the config, by name; `ref` says which */
    HF_KIND_SERVICE,        /* struct hf_cfg_service; a ca and a part of it, main/public */
    HF_KIND_SECTION,        /* a map with the keys of `section` */
    HF_KIND_OBJECTS,        /* a list of maps with the keys of `section` */
    HF_KIND_NAMED,          /* a map of names to maps with the keys of `section` */
    HF_KIND_N,
};

struct hf_word {
    const char *word; /* NULL ends a list of words */
    int value;
};

struct hf_decoder;
struct hf_section;

/* struct hf_ref is a class of named objects that other keys refer to. */
struct hf_ref {
    const char *noun; /* "identity" */
    const char *key;  /* "identities" */
    size_t offset;    /* of the array in struct hf_config */
    size_t n_offset;
    size_t size; /* of one */
};

extern const struct hf_ref hf_ref_identity;
extern const struct hf_ref hf_ref_ca;
extern const struct hf_ref hf_ref_trust;
extern const struct hf_ref hf_ref_upstream;

struct hf_key {
    const char *name;
    enum hf_kind kind;
    bool list; /* several of the kind: an array and its length; one may stand without brackets */
    bool shorthand;       /* OBJECTS: an entry may be just the value of its first key */
    bool required;        /* no default */
    const char *standard; /* the default, as YAML; NULL: absent */
    const char *doc;      /* what it does, in Markdown; the first sentence ends with a full stop */
    const char *example;  /* a value */
    const char *hint;     /* said after a refused value; NULL: the kind's own words do */
    size_t offset;
    size_t n_offset;    /* list, OBJECTS, NAMED: of the length */
    size_t set_offset;  /* of a bool that becomes true where the key is given; 0: none */
    size_t mark_offset; /* of a struct hf_mark that becomes the value's place; 0: none */
    int64_t min, max;   /* UINT, DURATION */
    const struct hf_word *words;
    const struct hf_ref *ref;
    const struct hf_section *section;
};

struct hf_section {
    const char *noun;   /* "listener" */
    const char *doc;    /* above its table in the reference */
    const char *sample; /* YAML for the reference and the tests; NULL: none */
    size_t size;        /* of its struct */
    const struct hf_key *keys;
    size_t n_keys;
    /* looks at the whole once its keys are decoded; may be NULL */
    void (*check)(struct hf_decoder *decoder, const struct hf_node *node, void *object);
};

/* The top of the file, into struct hf_config. Sections are in the order of their references. */
extern const struct hf_section hf_section_config;

#endif
