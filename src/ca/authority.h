// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_AUTHORITY_H
#define HF_CA_AUTHORITY_H

/*
 * struct hf_authority is one certification authority of a store, as it was at one moment: its
 * certificate, the chain that is handed out with what it issues, and its key where that is here.
 * struct hf_authorities is all of them. Both are immutable, counted by references, any thread; a
 * change in the store makes a new set (see ca/service.h).
 *
 *     root (self-signed) --signs--> issuing --signs--> leaves, CRLs, OCSP signers
 *           \--cross-signs--> the next root, so that who trusts only the old one accepts the new
 *
 * A key may be missing: the root's, kept offline, or all of them where nobody gave the passphrase.
 */

#include "base/clock.h"
#include "pki/cert.h"

struct hf_store;

/* id, name in the store and in JSON, what it means */
#define HF_AUTHORITY_STATE_TABLE(X) \
    X(PENDING, "pending", "waits for its certificate") \
    X(ACTIVE, "active", "issues") \
    X(RETIRING, "retiring", \
      "issues nothing new; still signs CRLs and OCSP answers, still trusted") \
    X(RETIRED, "retired", "signs nothing, and is not among the roots handed out")

#define HF_AUTHORITY_STATE_ENUM(id, name, text) HF_AUTHORITY_##id,
enum hf_authority_state { HF_AUTHORITY_STATE_TABLE(HF_AUTHORITY_STATE_ENUM) HF_AUTHORITY_N_STATES };
#undef HF_AUTHORITY_STATE_ENUM

const char *hf_authority_state_name(enum hf_authority_state state);

#define HF_AUTHORITY_NAME_MAX 64 /* a-z, 0-9, "-", "_", "."; begins with a letter or digit */

struct hf_authority {
    atomic_uint refs;
    int64_t id;
    char *name; /* unique in the store: "root", "issuing", "root-2" */
    enum hf_authority_state state;
    int64_t parent;         /* id of who signed it; 0: itself, or somebody outside this store */
    bool is_root;           /* signed by itself */
    struct hf_cert *cert;   /* NULL: pending */
    struct hf_chain *chain; /* its certificate, then what leads up to a root, without the root; what
                               is sent behind a leaf. NULL: pending, or a root */
    struct hf_cert *root;   /* where the chain ends; NULL when that is not in the store */
    EVP_PKEY *key;          /* NULL: not here, or locked */
};

struct hf_authority *hf_authority_ref(struct hf_authority *authority);
void hf_authority_unref(struct hf_authority *authority);

/* hf_authority_signs: may it still sign CRLs and OCSP answers: active or retiring, key here? */
bool hf_authority_signs(const struct hf_authority *authority);

struct hf_authorities {
    atomic_uint refs;
    size_t n;
    struct hf_authority **item; /* in the order they were made */
};

/*
 * hf_authorities_load reads them all and opens their keys. Without a passphrase (ptr NULL) keys
 * that need one stay closed. Errors: HF_E_PASSPHRASE (it is wrong), HF_E_MISMATCH (a key doesn't
 * fit its certificate), HF_E_MALFORMED, those of the store.
 */
enum hf_err hf_authorities_load(struct hf_store *store, struct hf_bytes passphrase,
                                struct hf_authorities **out) HF_MUST_CHECK;
struct hf_authorities *hf_authorities_ref(struct hf_authorities *set);
void hf_authorities_unref(struct hf_authorities *set);

/* Both give NULL when there is none. */
struct hf_authority *hf_authorities_find(const struct hf_authorities *set, const char *name);
struct hf_authority *hf_authorities_by_id(const struct hf_authorities *set, int64_t id);

/* hf_authorities_issuing is who issues to leaves when nobody was named: the youngest active one
 * that is no root; NULL: there is none. */
struct hf_authority *hf_authorities_issuing(const struct hf_authorities *set);

/* hf_authorities_roots appends the certificates to trust, PEM: roots that are active or retiring,
 * and pending ones never. */
struct hf_buf;
enum hf_err hf_authorities_roots(const struct hf_authorities *set,
                                 struct hf_buf *out) HF_MUST_CHECK;

#endif
