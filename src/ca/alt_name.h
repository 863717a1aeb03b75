// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_ALT_NAME_H
#define HF_CA_ALT_NAME_H

/*
 * Alternative names (RFC 5280 4.2.1.6) as a CA handles them: a checked list without doubles, in the
 * order they came. People write "DNS:a.example", "email:x", "URI:x", "IP:x", "UPN:x".
 */

#include "pki/asn1_write.h"

/* kind, its word in profiles, how people write it, for messages */
#define HF_ALT_TABLE(X) \
    X(DNS, "dns", "DNS", "a DNS name") \
    X(EMAIL, "email", "email", "an email address") \
    X(URI, "uri", "URI", "a URI") \
    X(IP, "ip", "IP", "an IP address") \
    X(UPN, "upn", "UPN", "a user principal name")

#define HF_ALT_ENUM(id, word, prefix, noun) HF_ALT_##id,
enum hf_alt_kind { HF_ALT_TABLE(HF_ALT_ENUM) HF_ALT_N };
#undef HF_ALT_ENUM

const char *hf_alt_word(enum hf_alt_kind kind);
const char *hf_alt_noun(enum hf_alt_kind kind);

#define HF_ALT_NAMES_MAX 256  /* of one certificate */
#define HF_ALT_TEXT_MAX  2048 /* bytes of one: a SPIFFE ID may be that long */

struct hf_alt_name {
    enum hf_alt_kind kind;
    struct hf_bytes value; /* text; IP: 4 or 16 bytes. Owned by the list */
};

/* A zeroed list is valid and empty. */
struct hf_alt_names {
    struct hf_alt_name *item;
    size_t n, size;
};

void hf_alt_names_done(struct hf_alt_names *names);

/* hf_alt_name_check holds a name to the rules of its kind: for DNS RFC 1123 and 5890 with "_"
 * allowed, "*" as the whole first label above two others; email RFC 5321 with a DNS domain and
 * ASCII; URI RFC 3986 with a scheme, and SPIFFE's rules for spiffe:; UPN "user@realm". Errors:
 * HF_E_INVALID in words. */
enum hf_err hf_alt_name_check(enum hf_alt_kind kind, struct hf_bytes value) HF_MUST_CHECK;

/* hf_alt_name_check_normal holds a name that has passed that to the one form in which we certify
 * it: written in another way the same URI (RFC 3986 6.2.2), or an IPv4 address as IPv6, would pass
 * by the patterns of a profile. Errors: HF_E_INVALID in words. */
enum hf_err hf_alt_name_check_normal(enum hf_alt_kind kind, struct hf_bytes value) HF_MUST_CHECK;

/* hf_alt_names_add checks, the form too, and copies; DNS names become lower case. One that is there
 * already is not added again. Errors: HF_E_INVALID, HF_E_TOO_LARGE (more than HF_ALT_NAMES_MAX),
 * HF_E_NOMEM. */
enum hf_err hf_alt_names_add(struct hf_alt_names *names, enum hf_alt_kind kind,
                             struct hf_bytes value) HF_MUST_CHECK;

/* hf_alt_names_add_text reads what people write, with its prefix in any case. */
enum hf_err hf_alt_names_add_text(struct hf_alt_names *names, const char *text) HF_MUST_CHECK;

/* hf_alt_names_add_host adds a server's name: an IP address or a DNS name. */
enum hf_err hf_alt_names_add_host(struct hf_alt_names *names, const char *host) HF_MUST_CHECK;

/* hf_alt_names_add_der adds the names of a GeneralNames. Errors also: HF_E_MALFORMED,
 * HF_E_UNSUPPORTED (a kind that is not in the table, or an otherName that is no UPN). */
enum hf_err hf_alt_names_add_der(struct hf_alt_names *names,
                                 struct hf_bytes general_names) HF_MUST_CHECK;

/* hf_alt_names_copy adds all of `from`. */
enum hf_err hf_alt_names_copy(struct hf_alt_names *names,
                              const struct hf_alt_names *from) HF_MUST_CHECK;

bool hf_alt_names_have(const struct hf_alt_names *names, enum hf_alt_kind kind,
                       struct hf_bytes value);

/* hf_alt_names_first gives the first of a kind; NULL: there is none. */
const struct hf_alt_name *hf_alt_names_first(const struct hf_alt_names *names,
                                             enum hf_alt_kind kind);

/* hf_alt_names_write appends the GeneralNames. */
void hf_alt_names_write(const struct hf_alt_names *names, struct hf_asn1 *der);

/* hf_alt_name_append appends the text with its prefix, safe to print: "DNS:a.example". */
enum hf_err hf_alt_name_append(const struct hf_alt_name *name, struct hf_buf *out) HF_MUST_CHECK;

#endif
