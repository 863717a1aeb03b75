// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_IMPORT_H
#define HF_CA_STORE_IMPORT_H

/*
 * Other CAs' files into a store, and a store's certificates into files that others read.
 *
 *     easy-rsa     a pki folder: ca.crt, private/ca.key, index.txt, certs_by_serial, crl.pem
 *     openssl      what `openssl ca` keeps: cacert.pem, private/cakey.pem, index.txt, newcerts
 *     step-ca      the JSON of `step-ca export`: root, intermediate and its key; step-ca gives out
 *                  no list of what it issued
 *     handfast     a folder of handfast's own before it had a store: ca.json, journal.jsonl
 *
 * Which of them it is, is seen from the files. What is in the store already is passed over, so an
 * import that failed half way may be repeated.
 */

#include "base/buf.h"
#include "ca/store.h"

struct hf_store_import {
    const char *path;           /* a folder, or step-ca's JSON file */
    const char *name;           /* the authority's; NULL: from the CA's own name */
    struct hf_bytes passphrase; /* opens their key; ptr NULL: none */
    struct hf_bytes seal;       /* seals it here; ptr NULL: it is stored plain */
    bool without_key;           /* leave their key where it is */
    const char *actor;
};

struct hf_store_imported {
    const char *format; /* "easy-rsa", "openssl", "step-ca", "handfast"; static */
    int64_t authorities;
    int64_t keys;
    int64_t certificates;
    int64_t revocations;
    int64_t known;        /* certificates that were in the store already */
    int64_t without_file; /* lines of the index without the certificate: their revocation counts */
};

/* hf_store_import. Errors: HF_E_NOT_FOUND (nothing known there), HF_E_MALFORMED with file and line,
 * HF_E_PASSPHRASE, HF_E_MISMATCH (a key or certificate that isn't the CA's), those of writing. */
enum hf_err hf_store_import(struct hf_store *store, const struct hf_store_import *what,
                            struct hf_store_imported *out) HF_MUST_CHECK;

/* hf_store_export makes a folder, which must not exist, as `openssl ca` keeps one: cacert.pem,
 * index.txt, newcerts/SERIAL.pem, crlnumber, serial. Without any key. *out_n: certificates. */
enum hf_err hf_store_export(struct hf_store *store, int64_t authority, const char *dir,
                            int64_t *out_n) HF_MUST_CHECK;

/* --- Parsing, without any file -----------------------------------------------------------------
 */

/* A line of index.txt (openssl-ca(1)). Views of the text. */
struct hf_index_line {
    char state; /* 'V'alid, 'R'evoked, 'E'xpired */
    int64_t not_after;
    int64_t revoked_at; /* of 'R' */
    int reason;         /* of 'R'; RFC 5280's, 0 when not said; 6: on hold */
    uint8_t serial[HF_STORE_SERIAL_MAX];
    size_t serial_len;
    struct hf_bytes file; /* "unknown" as a rule */
    struct hf_bytes subject;
};

/* hf_index_parse gives every line to fn. Errors: HF_E_MALFORMED with label and line, fn's. */
enum hf_err hf_index_parse(struct hf_bytes text, const char *label,
                           enum hf_err (*fn)(void *ctx, const struct hf_index_line *line),
                           void *ctx) HF_MUST_CHECK;

/* What a line of handfast's old journal.jsonl issued. Views. */
struct hf_old_issue {
    struct hf_bytes der; /* what should be a certificate */
    const char *profile; /* "server", "client" */
    int64_t issued_at;
};

/* hf_old_journal_parse gives every certificate that was issued to fn. Errors: HF_E_MALFORMED,
 * HF_E_INVALID, HF_E_TOO_LARGE with label and line, fn's. */
enum hf_err hf_old_journal_parse(struct hf_bytes text, const char *label,
                                 enum hf_err (*fn)(void *ctx, const struct hf_old_issue *issue),
                                 void *ctx) HF_MUST_CHECK;

/* What is taken from step-ca's export: PEM. */
struct hf_step_export {
    struct hf_buf root;
    struct hf_buf intermediate;
    struct hf_buf key; /* empty: none, or in a KMS; a secret: hf_step_export_done wipes it */
};
enum hf_err hf_step_export_parse(struct hf_bytes json, const char *label,
                                 struct hf_step_export *out) HF_MUST_CHECK;
void hf_step_export_done(struct hf_step_export *step);

#endif
