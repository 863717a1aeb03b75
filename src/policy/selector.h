// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_SELECTOR_H
#define HF_POLICY_SELECTOR_H

/*
 * A selector picks identities by one of their names: "kind:pattern".
 *
 *     spiffe://example.org/ops-*     the SPIFFE ID; the pattern is the whole ID
 *     dns:*.example.org              any DNS name; any case
 *     email:*@example.org            any email address; the domain in any case
 *     uri:https://example.org/a-*    any URI; scheme and authority in any case
 *     ip:192.0.2.0/24                any IP address; an address or a network
 *     cn:alice                       the most specific common name
 *     o:Example, ou:Ops              any organization, any organizational unit of the subject
 *     dn:CN=Alice,O=Example          the subject has these attributes, and may have more
 *     dn-exact:CN=Alice,O=Example    the subject is this, in RFC 4514's order
 *     issuer:..., issuer-exact:...   the same for the issuer
 *     serial:1f:2e                   the serial number in hex; colons and leading zeros don't count
 *     cert-sha256:..., spki-sha256:...   a fingerprint in hex, of the certificate or its key
 *
 * "*" stands for any number of characters within one label (DNS names, domains), segment (URIs) or
 * value (attributes), never for a separator; "\*" is a star that means itself. Numbers and
 * fingerprints have no stars. Values of attributes are compared with their case.
 *
 * Whoever holds an identity must have verified the certificate it came from: a selector looks at
 * names, not at signatures.
 */

#include "pki/identity.h"
#include "policy/dn_parts.h"

#define HF_SELECTOR_MAX 4096 /* bytes of one, as written */

/* What a selector or role says of an identity. Allow on YES only; a rule that denies applies to
 * everything but NO. */
enum hf_match {
    HF_MATCH_NO,
    HF_MATCH_YES,
    HF_MATCH_UNKNOWN, /* the names can't be relied on (hf_identity.mangled) */
};

struct hf_selector;

/* hf_selector_new parses. Errors: HF_E_INVALID, HF_E_TOO_LARGE in words, HF_E_NOMEM. */
enum hf_err hf_selector_new(struct hf_bytes text, struct hf_selector **out) HF_MUST_CHECK;
void hf_selector_free(struct hf_selector *selector);

/* hf_selector_is: does the text begin with the kind of a selector? Otherwise it may be the name of
 * something else. */
bool hf_selector_is(struct hf_bytes text);

/*
 * struct hf_selector_view is an identity made ready for many selectors. About 13 KiB: on the heap
 * or in a place of the thread's own. Valid as long as the identity.
 */
struct hf_selector_view {
    const struct hf_identity *identity;
    bool names_bad; /* mangled, or the subject or issuer can't be taken apart */
    struct hf_dn_parts subject, issuer;
    uint8_t storage[2 * HF_IDENTITY_TEXT_MAX];
};

void hf_selector_view_init(struct hf_selector_view *view, const struct hf_identity *identity);

enum hf_match hf_selector_match(const struct hf_selector *selector,
                                const struct hf_selector_view *view);

#endif
