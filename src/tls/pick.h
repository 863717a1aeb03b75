// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_PICK_H
#define HF_TLS_PICK_H

/*
 * struct hf_picker answers what a server name (SNI) means for a server context: which identities
 * may be shown and which policy asks for the client's certificate. Immutable once made; any thread.
 *
 * Identities: those whose SAN is exactly the name; else those with a one-label wildcard over it;
 * else the first of the config. Among equals with different kinds of key the handshake may choose
 * by signature algorithm; of the same kind the first in the config's order counts.
 * Policies: the exact name; else the wildcard; else the default, which is the first.
 */

#include "base/map.h"
#include "tls/tls.h"

#define HF_PICK_KINDS   4 /* RSA, RSA-PSS, EC, EdDSA: identities that one name may have */
#define HF_SNI_MAX      255
#define HF_SNI_TEXT_MAX (4 * HF_SNI_MAX)

/* The identities of one name; references belong to the picker. */
struct hf_pick_set {
    struct hf_credential *identity[HF_PICK_KINDS];
    size_t n_identities;
};

struct hf_pick {
    const struct hf_pick_set *identities;
    const struct hf_tls_policy *policy; /* the picker's copy */
    size_t policy_index;
    bool known; /* the name is one of an identity's; false without a name */
};

struct hf_picker {
    struct hf_map sets;       /* "www.example.org" or "*.example.org" -> struct hf_pick_set */
    struct hf_map by_pattern; /* policies other than the default */
    struct hf_pick_set first;
    struct hf_credential **identities; /* references */
    size_t n_identities;
    struct hf_tls_policy *policies; /* deep copies */
    size_t n_policies;
};

/* hf_picker_init copies the policies and references the identities. Errors: HF_E_NOMEM,
 * HF_E_INVALID for a policy pattern that is used twice. Half-made pickers are fit for _done. */
enum hf_err hf_picker_init(struct hf_picker *picker,
                           const struct hf_tls_server_config *config) HF_MUST_CHECK;
void hf_picker_done(struct hf_picker *picker);

/* hf_picker_pick never fails; name NULL: the client sent none. */
void hf_picker_pick(const struct hf_picker *picker, const char *name, struct hf_pick *out);

/*
 * hf_sni_parse takes the host name out of a server_name extension's body (RFC 6066 3). *out is
 * empty when there is none. Errors: HF_E_MALFORMED, HF_E_TRUNCATED (decode_error).
 */
enum hf_err hf_sni_parse(struct hf_bytes extension, struct hf_bytes *out) HF_MUST_CHECK;

#endif
