// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_ACCOUNT_H
#define HF_PROXY_ACCOUNT_H

/*
 * struct hf_account is the material of one stored verdict: what is at hand at the moment of the
 * decision, copied or referenced and not yet put in words, so that a worker pays little for it.
 * Another thread makes the text of it, a JSON object whose shape docs/explain.md has.
 */

#include <jansson.h>

#include "config/ledger.h"
#include "os/sock.h"
#include "pki/ders.h"
#include "policy/notes.h"
#include "policy/verdict.h"
#include "tls/tls.h"
#include "watch/verdict_file.h"

enum hf_account_about {
    HF_ABOUT_HANDSHAKE, /* a client's */
    HF_ABOUT_SESSION,   /* a live session that was judged again */
    HF_ABOUT_REQUEST,
    HF_ABOUT_UPSTREAM, /* the handshake with an upstream server */
};

/* What happened; the result in the text. */
enum hf_account_result {
    HF_RESULT_REFUSED,
    HF_RESULT_ADMITTED,
    HF_RESULT_CUT,
    HF_RESULT_REPORTED, /* would have been refused, but for report-only */
};

struct hf_account {
    enum hf_account_about about;
    enum hf_account_result result;
    enum hf_verdict_kind kind; /* of the slots that it is kept in */
    int64_t at_ms;             /* Unix */
    uint64_t id;               /* of the connection, or of the request */
    uint64_t connection;       /* of a request: its connection's; 0: unknown */
    char listener[64];
    char peer[HF_ADDR_TEXT_SIZE];
    char sni[256], alpn[32], version[12], suite[56], group[32];
    bool resumed;
    uint8_t alert_sent, alert_received;

    const char *code;  /* static */
    const char *step;  /* static; NULL: of no step */
    const char *todo;  /* static */
    const char *lapse; /* static: of what was let pass; NULL: nothing */
    unsigned status;   /* HTTP; 0: none */
    char text[HF_VERIFY_TEXT_MAX];
    int depth; /* of the certificate concerned; -1: none */

    bool judged;              /* a certificate was asked for, or would have been looked at */
    enum hf_client_mode mode; /* how it was asked for */
    struct hf_identity *identity;
    struct hf_ders *ders;     /* what the peer sent; NULL: nothing */
    struct hf_chain *chain;   /* the same, parsed, where that is at hand; NULL: it isn't */
    struct hf_trust *trust;   /* NULL: none */
    struct hf_ledger *ledger; /* keeps what notes point at; NULL: notes point at nothing */
    struct hf_notes notes;

    char method[24], host[256], path[512], route[64], rule[100], request_id[72];
};

/* hf_account_new begins one; NULL: out of memory, and the verdict goes unrecorded. */
struct hf_account *hf_account_new(enum hf_account_about about);
void hf_account_free(struct hf_account *account);

/* hf_account_set_reason fills in what follows from a reason. text NULL: that of the reason. */
void hf_account_set_reason(struct hf_account *account, enum hf_reason reason, const char *text);

/* hf_account_json describes it. NULL: out of memory. */
json_t *hf_account_json(const struct hf_account *account);

/* hf_account_text writes it as one line of JSON of at most HF_VERDICT_MAX bytes; what doesn't fit
 * is left out, certificates far from the leaf first, and "cut" says so. Errors: HF_E_NOMEM. */
enum hf_err hf_account_text(const struct hf_account *account, struct hf_buf *out) HF_MUST_CHECK;

#endif
