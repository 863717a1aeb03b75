// SPDX-License-Identifier: Apache-2.0
/* A verdict in full, as JSON: the certificates as a path from leaf to root, the steps in their
 * order with the one that failed, and what the sources of revocation said. */
#include "proxy/account.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/dn.h"
#include "pki/key_type.h"

enum { DN_MAX = 256, PATH_MAX_CERTS = HF_CHAIN_MAX + 1 };

struct hf_account *hf_account_new(enum hf_account_about about)
{
    struct hf_account *account = HF_NEW(struct hf_account);
    if (account) {
        account->about = about;
        account->depth = -1;
        account->alert_sent = account->alert_received = HF_ALERT_NONE;
    }
    return account;
}

void hf_account_free(struct hf_account *account)
{
    if (account) {
        hf_identity_unref(account->identity);
        hf_ders_unref(account->ders);
        hf_chain_unref(account->chain);
        hf_trust_unref(account->trust);
        hf_ledger_unref(account->ledger);
        hf_free(account);
    }
}

void hf_account_set_reason(struct hf_account *account, enum hf_reason reason, const char *text)
{
    account->code = hf_reason_code(reason);
    account->step = hf_step_name(hf_reason_step(reason));
    account->todo = hf_reason_todo(reason);
    snprintf(account->text, sizeof(account->text), "%s", text ? text : hf_reason_text(reason));
}

static void add(json_t *object, const char *key, const char *text)
{
    if (text && *text) {
        json_object_set_new(object, key, json_string(text));
    }
}

/* --- Certificates -------------------------------------------------------------------------------
 */

static void add_hex(json_t *object, const char *key, const ASN1_OCTET_STRING *id)
{
    char text[2 * 32 + 1] = "";
    int len = id ? ASN1_STRING_length(id) : 0;
    const unsigned char *bytes = id ? ASN1_STRING_get0_data(id) : NULL;
    for (int i = 0; i < len && i < 32; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    add(object, key, text);
}

static void add_time(json_t *object, const char *key, int64_t at)
{
    char text[HF_TIME_TEXT_SIZE];
    if (at != INT64_MAX) {
        hf_format_time(at, text);
        add(object, key, text);
    }
}

static void add_name(json_t *object, const char *key, const X509_NAME *name)
{
    char text[DN_MAX];
    hf_dn_text(name, text, sizeof(text));
    add(object, key, text);
}

static json_t *cert_json(const struct hf_cert *cert, const char *from)
{
    struct hf_identity *identity = NULL;
    char key[HF_KEY_TYPE_SIZE];
    json_t *object = json_object();
    add_name(object, "subject", X509_get_subject_name(cert->x509));
    add_name(object, "issuer", X509_get_issuer_name(cert->x509));
    if (hf_identity_new(cert, &identity) == HF_OK) {
        add(object, "serial", identity->serial);
        add(object, "sha256", identity->sha256);
    }
    hf_identity_unref(identity);
    add_time(object, "not_before", cert->not_before);
    add_time(object, "not_after", cert->not_after);
    add_hex(object, "key_id", X509_get0_subject_key_id(cert->x509));
    add_hex(object, "issuer_key_id", X509_get0_authority_key_id(cert->x509));
    hf_key_type(X509_get0_pubkey(cert->x509), key);
    add(object, "key", key);
    add(object, "from", from);
    return object;
}

static bool issued(const struct hf_cert *issuer, const struct hf_cert *cert)
{
    return X509_check_issued(issuer->x509, cert->x509) == X509_V_OK;
}

static bool is_root(const struct hf_trust *trust, const struct hf_cert *cert)
{
    const struct hf_chain *roots = trust ? hf_trust_roots(trust) : NULL;
    for (size_t i = 0; roots && i < roots->n_certs; i++) {
        if (memcmp(roots->certs[i]->sha256, cert->sha256, HF_SHA256_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static const struct hf_cert *issuer_among(const struct hf_chain *certs, const struct hf_cert *cert)
{
    for (size_t i = 0; certs && i < certs->n_certs; i++) {
        if (certs->certs[i] != cert && issued(certs->certs[i], cert)) {
            return certs->certs[i];
        }
    }
    return NULL;
}

/* The way up that the certificates tell of, whether it was accepted or not: roots before what was
 * sent, so that it is as short as can be. */
static json_t *path_json(const struct hf_account *account, const struct hf_chain *chain)
{
    json_t *array = json_array();
    const struct hf_cert *seen[PATH_MAX_CERTS];
    size_t n = 0;
    const struct hf_chain *roots = account->trust ? hf_trust_roots(account->trust) : NULL;
    const struct hf_cert *cert = chain->certs[0];
    while (cert && n < PATH_MAX_CERTS) {
        for (size_t i = 0; i < n; i++) {
            if (seen[i] == cert) {
                return array; /* they go round in a circle */
            }
        }
        seen[n++] = cert;
        bool root = is_root(account->trust, cert);
        json_array_append_new(array, cert_json(cert, root ? "trust" : "peer"));
        if (root || issued(cert, cert)) {
            break;
        }
        const struct hf_cert *up = issuer_among(roots, cert);
        cert = up ? up : issuer_among(chain, cert);
    }
    return array;
}

static void add_chain(json_t *object, const struct hf_account *account)
{
    struct hf_bytes ders[HF_CHAIN_MAX];
    struct hf_chain *chain HF_CLEANUP(hf_chain_unrefp) = NULL;
    if (account->chain) {
        chain = hf_chain_ref(account->chain);
    } else if (account->ders && account->ders->n_ders <= HF_CHAIN_MAX) {
        memcpy(ders, account->ders->der, account->ders->n_ders * sizeof(*ders));
        if (hf_chain_from_ders(ders, account->ders->n_ders, &chain) != HF_OK) {
            chain = NULL; /* it could be kept and can't be parsed: then it is left out */
        }
    }
    if (chain && chain->n_certs) {
        json_object_set_new(object, "chain", path_json(account, chain));
        json_object_set_new(object, "sent", json_integer((json_int_t)chain->n_certs));
    }
}

/* --- Steps --------------------------------------------------------------------------------------
 */

static const enum hf_step handshake_steps[] = {
    HF_STEP_HANDSHAKE, HF_STEP_CERTIFICATE, HF_STEP_CHAIN,      HF_STEP_DATES,
    HF_STEP_USAGE,     HF_STEP_NAME,        HF_STEP_REVOCATION, HF_STEP_LIMIT,
};
static const enum hf_step request_steps[] = {HF_STEP_LIMIT, HF_STEP_ROUTE, HF_STEP_ROLE,
                                             HF_STEP_AUTH};

/* A step that this kind of verdict doesn't have is told only where it is the one that failed. */
static bool belongs(const struct hf_account *account, enum hf_step step)
{
    bool failed = account->step && strcmp(account->step, hf_step_name(step)) == 0;
    return failed || !((step == HF_STEP_NAME && account->about != HF_ABOUT_UPSTREAM) ||
                       step == HF_STEP_LIMIT);
}

/* The certificate's steps where there was none, or nobody asked. */
static bool is_skipped(const struct hf_account *account, enum hf_step step)
{
    bool of_cert = step >= HF_STEP_CERTIFICATE && step <= HF_STEP_REVOCATION;
    return of_cert && (!account->judged || account->mode == HF_CLIENT_NONE ||
                       (!account->ders && !account->chain && step > HF_STEP_CERTIFICATE));
}

static void add_steps(json_t *object, const struct hf_account *account)
{
    bool request = account->about == HF_ABOUT_REQUEST;
    const enum hf_step *steps = request ? request_steps : handshake_steps;
    size_t n = request ? HF_N_ELEMENTS(request_steps) : HF_N_ELEMENTS(handshake_steps);
    json_t *array = json_array();
    bool over = false;
    for (size_t i = 0; i < n; i++) {
        const char *name = hf_step_name(steps[i]);
        bool failed = account->step && strcmp(account->step, name) == 0;
        if (!belongs(account, steps[i])) {
            continue;
        }
        const char *result = failed                          ? "failed"
                             : over                          ? "not-reached"
                             : is_skipped(account, steps[i]) ? "not-asked"
                                                             : "passed";
        over |= failed;
        json_array_append_new(array, json_pack("{s:s, s:s}", "step", name, "result", result));
    }
    json_object_set_new(object, "steps", array);
}

/* --- Sources of revocation ---------------------------------------------------------------------
 */

static json_t *note_json(const struct hf_note *note)
{
    json_t *object = json_pack("{s:i, s:s, s:s, s:b}", "depth", note->depth, "source", note->source,
                               "answer", note->answer, "passed", note->passed);
    if (!object) {
        return NULL;
    }
    if (note->crl) {
        char number[HF_CRL_NUMBER_TEXT];
        char issuer[DN_MAX];
        hf_crl_number_text(note->crl, number);
        snprintf(issuer, sizeof(issuer), "%s", note->crl->issuer_text);
        add(object, "issuer", issuer);
        add(object, "number", number);
        add(object, "from", note->crl->label);
        add_time(object, "this_update", note->crl->this_update);
        if (note->crl->next_update) {
            add_time(object, "next_update", note->crl->next_update);
        }
    }
    add(object, "by", note->by);
    if (note->number[0]) {
        add(object, "number", note->number);
    }
    if (note->age_s >= 0) {
        json_object_set_new(object, "age_s", json_integer(note->age_s));
    }
    return object;
}

static void add_notes(json_t *object, const struct hf_account *account)
{
    json_t *array = json_array();
    for (size_t i = 0; i < account->notes.n; i++) {
        json_array_append_new(array, note_json(&account->notes.note[i]));
    }
    json_object_set_new(object, "revocation", array);
}

/* --- All of it ----------------------------------------------------------------------------------
 */

static const char *about_name(enum hf_account_about about)
{
    static const char *const names[] = {
        [HF_ABOUT_HANDSHAKE] = "handshake",
        [HF_ABOUT_SESSION] = "session",
        [HF_ABOUT_REQUEST] = "request",
        [HF_ABOUT_UPSTREAM] = "upstream",
    };
    return names[about];
}

static const char *result_name(enum hf_account_result result)
{
    static const char *const names[] = {
        [HF_RESULT_REFUSED] = "refused",
        [HF_RESULT_ADMITTED] = "admitted",
        [HF_RESULT_CUT] = "cut",
        [HF_RESULT_REPORTED] = "reported",
    };
    return names[result];
}

static void add_id(json_t *object, const char *key, uint64_t id)
{
    char text[17];
    snprintf(text, sizeof(text), "%016llx", (unsigned long long)id);
    add(object, key, text);
}

static void add_tls(json_t *object, const struct hf_account *account)
{
    add(object, "sni", account->sni);
    add(object, "alpn", account->alpn);
    add(object, "version", account->version);
    add(object, "suite", account->suite);
    add(object, "group", account->group);
    if (account->resumed) {
        json_object_set_new(object, "resumed", json_true());
    }
    if (account->alert_sent != HF_ALERT_NONE) {
        add(object, "alert_sent", hf_alert_name(account->alert_sent));
    }
    if (account->alert_received != HF_ALERT_NONE) {
        add(object, "alert_received", hf_alert_name(account->alert_received));
    }
}

static void add_request(json_t *object, const struct hf_account *account)
{
    json_t *request = json_object();
    add(request, "method", account->method);
    add(request, "host", account->host);
    add(request, "path", account->path);
    add(request, "route", account->route);
    add(request, "rule", account->rule);
    add(request, "id", account->request_id);
    json_object_set_new(object, "request", request);
}

static void add_at(json_t *object, int64_t at_ms)
{
    char text[HF_TIME_TEXT_SIZE];
    hf_format_time(at_ms / 1000, text);
    add(object, "at", text);
    json_object_set_new(object, "at_ms", json_integer(at_ms));
}

json_t *hf_account_json(const struct hf_account *account)
{
    json_t *object = json_object();
    if (!object) {
        return NULL;
    }
    add_id(object, "id", account->id);
    if (account->connection) {
        add_id(object, "connection", account->connection);
    }
    add_at(object, account->at_ms);
    add(object, "about", about_name(account->about));
    add(object, "result", result_name(account->result));
    add(object, "listener", account->listener);
    add(object, "peer", account->peer);
    add(object, "code", account->code);
    add(object, "step", account->step);
    add(object, "text", account->text);
    add(object, "do", account->todo);
    add(object, "lapse", account->lapse);
    if (account->status) {
        json_object_set_new(object, "status", json_integer(account->status));
    }
    if (account->identity) {
        add(object, "identity", hf_identity_display(account->identity));
    }
    if (account->judged) {
        add(object, "asked", hf_client_mode_name(account->mode));
    }
    add(object, "trust", account->trust ? hf_trust_name(account->trust) : NULL);
    if (account->depth >= 0) {
        json_object_set_new(object, "depth", json_integer(account->depth));
    }
    add_tls(object, account);
    if (account->about == HF_ABOUT_REQUEST) {
        add_request(object, account);
    }
    add_steps(object, account);
    add_notes(object, account);
    add_chain(object, account);
    return object;
}

/* Makes it shorter; false: there is nothing more to leave out. */
static bool shorten(json_t *object)
{
    static const char *const arrays[] = {"chain", "revocation", "steps"};
    json_object_set_new(object, "cut", json_true());
    for (size_t i = 0; i < HF_N_ELEMENTS(arrays); i++) {
        json_t *array = json_object_get(object, arrays[i]);
        size_t n = json_array_size(array);
        if (n > 1) {
            json_array_remove(array, n - 1);
            return true;
        }
        if (array) {
            json_object_del(object, arrays[i]);
            return true;
        }
    }
    return json_object_del(object, "request") == 0 || json_object_del(object, "sni") == 0 ||
           json_object_del(object, "identity") == 0;
}

enum hf_err hf_account_text(const struct hf_account *account, struct hf_buf *out)
{
    json_t *object = hf_account_json(account);
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    while (text && strlen(text) > HF_VERDICT_MAX && shorten(object)) {
        free(text); /* jansson's own */
        text = json_dumps(object, JSON_COMPACT);
    }
    json_decref(object);
    enum hf_err err = !text ? hf_fail(HF_E_NOMEM, "no memory for a verdict")
                      : strlen(text) > HF_VERDICT_MAX ? hf_fail(HF_E_TOO_LARGE, "a verdict")
                                                      : hf_buf_append_str(out, text);
    free(text);
    return err;
}
