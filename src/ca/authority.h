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

#include "base/buf.h"
#include "ca/issuer.h"
#include "ca/store.h"
#include "pki/cert.h"

#define HF_AUTHORITY_NAME_MAX 64 /* a-z, 0-9, "-", "_", "."; begins with a letter or digit */
#define HF_AUTHORITY_URLS_MAX 4

/* What the store keeps of an authority as JSON. Zeroed: the defaults. */
struct hf_authority_settings {
    char *successor_of; /* whose place it takes; NULL: nobody's */
    bool distrusted;    /* a root that `ca rotate finish` took out of what is handed out */
    unsigned shards;    /* of its CRL; 0: one whole list */
    char *crl_url[HF_AUTHORITY_URLS_MAX]; /* into the certificates; see below */
    char *ocsp_url[HF_AUTHORITY_URLS_MAX];
    char *issuer_url[HF_AUTHORITY_URLS_MAX]; /* where its own certificate is */
};

/* What an address list becomes in one certificate: "{authority}" is the name of who signs it,
 * "{shard}" the number of its CRL's shard. */
#define HF_AUTHORITY_URL_SIZE 1200
struct hf_authority_addresses {
    char text[HF_AUTHORITY_URLS_MAX][HF_AUTHORITY_URL_SIZE];
    const char *url[HF_AUTHORITY_URLS_MAX];
    size_t n;
};
void hf_authority_addresses(char *const *list, const char *authority, unsigned shard,
                            struct hf_authority_addresses *out);

/* hf_authority_settings_copy makes its own texts. Errors: HF_E_NOMEM. */
enum hf_err hf_authority_settings_copy(const struct hf_authority_settings *from,
                                       struct hf_authority_settings *out) HF_MUST_CHECK;

/* hf_authority_settings_read takes "" for the defaults. Errors: HF_E_MALFORMED, HF_E_NOMEM. */
enum hf_err hf_authority_settings_read(const char *json,
                                       struct hf_authority_settings *out) HF_MUST_CHECK;

/* hf_authority_settings_write gives the JSON; the caller frees it with hf_free. */
enum hf_err hf_authority_settings_write(const struct hf_authority_settings *settings,
                                        char **out) HF_MUST_CHECK;
void hf_authority_settings_done(struct hf_authority_settings *settings);

struct hf_authority {
    atomic_uint refs;
    int64_t id;
    char *name; /* unique in the store: "root", "issuing", "root-2" */
    enum hf_store_authority_state state;
    int64_t parent; /* id of who signed it; 0: itself, or somebody outside this store */
    int64_t key_id; /* 0: it isn't in the store */
    int64_t created_at;
    bool is_root;           /* signed by itself */
    struct hf_bytes csr;    /* DER, owned; empty: none is out */
    struct hf_cert *cert;   /* NULL: pending */
    struct hf_chain *chain; /* its certificate, then what leads up to a root, without the root, then
                               the root's cross-signed one: what is sent behind a leaf. NULL:
                               pending, or a root that nobody else signed */
    struct hf_cert *root;   /* where the chain ends; NULL: that isn't in the store */
    EVP_PKEY *key;          /* NULL: not here, or locked */
    struct hf_issuer *issuer; /* of both; NULL without a key or a certificate */
    struct hf_authority_settings settings;
    uint8_t digest[HF_STORE_HASH_SIZE]; /* of its row: hf_store_authority_digest */
};

struct hf_authority *hf_authority_ref(struct hf_authority *authority);
void hf_authority_unref(struct hf_authority *authority);

struct hf_authorities {
    atomic_uint refs;
    bool locked; /* a key is here, and needs a passphrase that wasn't given */
    size_t n;
    struct hf_authority **item; /* in the order they were made */
};

/*
 * hf_authorities_load reads them all and opens their keys. Without a passphrase (ptr NULL) keys
 * that need one stay closed. previous (or NULL) lends what it has opened. Errors: HF_E_PASSPHRASE
 * (it is wrong), HF_E_MISMATCH (a key doesn't fit its certificate), HF_E_MALFORMED, those of the
 * store.
 */
enum hf_err hf_authorities_load(struct hf_store *store, struct hf_bytes passphrase,
                                const struct hf_authorities *previous,
                                struct hf_authorities **out) HF_MUST_CHECK;
struct hf_authorities *hf_authorities_ref(struct hf_authorities *set);
void hf_authorities_unref(struct hf_authorities *set);

/* Both give NULL when there is none; the set keeps it. */
struct hf_authority *hf_authorities_find(const struct hf_authorities *set, const char *name);
struct hf_authority *hf_authorities_by_id(const struct hf_authorities *set, int64_t id);

/* hf_authorities_by_leaf finds whose certificate's subject and key signed this one: the authority
 * of a leaf. NULL: none of these. */
struct hf_authority *hf_authorities_by_leaf(const struct hf_authorities *set,
                                            const struct hf_cert *leaf);

/* hf_authorities_issuing is who issues to leaves when nobody was named: the first that was made and
 * is no root, or by rotation who took its place; where that isn't active, the youngest that is.
 * Making further CAs, for other purposes, doesn't change it. NULL: there is none. */
struct hf_authority *hf_authorities_issuing(const struct hf_authorities *set);

/* hf_authorities_roots appends the certificates to trust, PEM: roots with a certificate that aren't
 * distrusted, youngest first. */
enum hf_err hf_authorities_roots(const struct hf_authorities *set,
                                 struct hf_buf *out) HF_MUST_CHECK;

#endif
