// SPDX-License-Identifier: Apache-2.0
/* What several verbs need: who may, which certificate, which CA. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/text.h"
#include "ca/service_impl.h"
#include "pki/serials.h"

enum { KEY_COMPROMISE = 1, MODULI_PAGE = 1000 };

/* --- Texts -------------------------------------------------------------------------------------
 */

/* Names and notes of strangers, perhaps cut within a character: the store wants UTF-8, and whoever
 * prints it no control characters. */
const char *hf_ca_text(struct hf_buf *buf, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    hf_buf_reset(buf);
    return hf_append_shown(buf, hf_bytes_str(text)) == HF_OK ? hf_buf_cstr(buf) : NULL;
}

/* Made safe to print: notes and addresses come from outside. */
const char *hf_ca_detail(struct hf_ca_work *work)
{
    const struct hf_ca_caller *caller = &work->op->caller;
    struct hf_buf *out = &work->text[HF_CA_TEXT_DETAIL];
    const struct {
        const char *word, *value;
    } parts[] = {
        {"from", caller->address},
        {"request", caller->request_id},
        {"note", work->op->note},
    };
    hf_buf_reset(out);
    for (size_t i = 0; i < HF_N_ELEMENTS(parts); i++) {
        struct hf_bytes value = hf_bytes_str(parts[i].value ? parts[i].value : "");
        value.len = value.len > 500 ? 500 : value.len;
        if (value.len &&
            (hf_buf_printf(out, "%s%s ", hf_buf_len(out) ? ", " : "", parts[i].word) != HF_OK ||
             hf_append_printable(out, value, value.len * 4) != HF_OK)) {
            return NULL;
        }
    }
    return hf_buf_cstr(out);
}

/* --- Who and by whom ---------------------------------------------------------------------------
 */

bool hf_ca_has(const struct hf_ca_work *work, enum hf_ca_right right)
{
    return work->op->caller.local || (work->op->caller.rights & right) != 0;
}

static bool is_listed(const struct hf_cert_profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->n_authorities; i++) {
        if (strcmp(profile->authorities[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Each CA has name constraints, and a meaning, of its own: so who asks from afar takes the one that
 * issues, or those that the profile lists. The root signs leaves for nobody else. */
static enum hf_err check_named(struct hf_ca_work *work, const char *name)
{
    const struct hf_authority *issuing = hf_authorities_issuing(work->view->authorities);
    bool may = work->op->caller.local ||
               (work->profile->n_authorities ? is_listed(work->profile, name)
                                             : issuing && strcmp(issuing->name, name) == 0);
    return may ? HF_OK
               : hf_ca_refuse(work, HF_CA_NOT_ALLOWED,
                              "the profile \"%s\" is not for certificates of the authority "
                              "\"%.64s\"",
                              work->profile->name, name);
}

/* One that is retired issues nothing, but answers for what it has issued. */
static bool is_at_work(const struct hf_ca_work *work)
{
    enum hf_store_authority_state state = work->authority->state;
    return state == HF_AUTHORITY_ACTIVE ||
           (state == HF_AUTHORITY_RETIRED && work->profile->kind == HF_PROFILE_KIND_OCSP);
}

enum hf_err hf_ca_choose_authority(struct hf_ca_work *work, const char *name)
{
    const struct hf_authorities *set = work->view->authorities;
    bool asked = name != NULL;
    if (!name && work->profile->n_authorities) {
        name = work->profile->authorities[0];
    }
    work->authority = name ? hf_authorities_find(set, name) : hf_authorities_issuing(set);
    if (!work->authority) {
        return name ? hf_ca_refuse(work, HF_CA_NOT_FOUND, "there is no authority \"%.64s\"", name)
                    : hf_ca_refuse(work, HF_CA_NO_SIGNER,
                                   "there is no authority that issues, but for roots: make one "
                                   "(handfast ca authority make), or name a root that shall");
    }
    HF_TRY(asked ? check_named(work, name) : HF_OK);
    if (!is_at_work(work)) {
        return hf_ca_refuse(work, HF_CA_CONFLICT, "the authority \"%s\" is %s and issues nothing",
                            work->authority->name,
                            hf_store_authority_state_name(work->authority->state));
    }
    if (!work->authority->issuer) {
        return hf_ca_refuse(work, HF_CA_NO_SIGNER,
                            set->locked ? "the key of the authority \"%s\" is encrypted, and no "
                                          "passphrase was given: give --passphrase-file, or "
                                          "passphrase-file of the CA in the config"
                                        : "the key of the authority \"%s\" isn't here",
                            work->authority->name);
    }
    return HF_OK;
}

enum hf_err hf_ca_choose_profile(struct hf_ca_work *work, const char *name)
{
    if (!name) {
        return hf_ca_refuse(work, HF_CA_INVALID, "no profile was named");
    }
    const char *broken = hf_ca_view_broken(work->view, name);
    if (broken) {
        return hf_ca_refuse(work, HF_CA_CONFLICT,
                            "the profile \"%.64s\" in the store can't be read: %s", name, broken);
    }
    for (size_t i = 0; i < work->view->n_profiles && !work->profile; i++) {
        if (strcmp(work->view->profiles[i]->name, name) == 0) {
            work->profile = hf_cert_profile_ref(work->view->profiles[i]);
        }
    }
    if (!work->profile && hf_cert_profile_builtin(name, &work->profile) != HF_OK) {
        return hf_ca_refuse(work, HF_CA_NOT_FOUND, "there is no profile \"%.64s\"", name);
    }
    bool is_ocsp = work->profile->kind == HF_PROFILE_KIND_OCSP; /* the CA delegates it itself */
    if (work->profile->kind != HF_PROFILE_KIND_LEAF && !(is_ocsp && work->op->caller.local)) {
        return hf_ca_refuse(work, HF_CA_NOT_ALLOWED,
                            "the profile \"%s\" is for CAs themselves: see handfast ca authority",
                            work->profile->name);
    }
    return HF_OK;
}

/* --- Which -------------------------------------------------------------------------------------
 */

void hf_ca_found_done(struct hf_ca_found *found)
{
    hf_cert_unref(found->cert);
    hf_free(found->profile);
    hf_free(found->identity);
    hf_free(found->requester);
    *found = (struct hf_ca_found){0};
}

enum hf_err hf_ca_found_copy(void *ctx, const struct hf_store_cert *row)
{
    struct hf_ca_found *found = ctx;
    hf_ca_found_done(found);
    if (row->serial.len > sizeof(found->serial)) {
        return hf_fail(HF_E_MALFORMED, "a serial number of %zu bytes", row->serial.len);
    }
    found->id = row->id;
    found->authority = row->authority;
    found->request = row->request;
    memcpy(found->serial, row->serial.ptr, row->serial.len);
    found->serial_len = row->serial.len;
    found->not_after = row->not_after;
    found->replaced_by = row->replaced_by;
    found->status = row->status;
    found->revoked_at = row->revoked_at;
    found->reason = row->reason;
    found->profile = hf_strdup(row->profile ? row->profile : "");
    found->identity = hf_strdup(row->identity ? row->identity : "");
    found->requester = hf_strdup(row->requester ? row->requester : "");
    if (!found->profile || !found->identity || !found->requester) {
        return HF_E_NOMEM;
    }
    return row->der.len ? hf_cert_from_der(row->der, &found->cert) : HF_OK;
}

enum hf_err hf_ca_serial(const char *text, uint8_t out[static HF_STORE_SERIAL_MAX], size_t *out_len)
{
    char digits[2 * HF_STORE_SERIAL_MAX + 2];
    size_t n = 0;
    for (const char *c = text; *c; c++) {
        if (*c == ':' || (n == 0 && *c == '0' && c[1] != '\0')) {
            continue;
        }
        if (!isxdigit((unsigned char)*c) || n >= 2 * HF_STORE_SERIAL_MAX) {
            return hf_fail(HF_E_INVALID,
                           "\"%.60s\" is not a serial number: at most %d hex digits, with or "
                           "without colons",
                           text, 2 * HF_STORE_SERIAL_MAX);
        }
        digits[1 + n++] = *c;
    }
    if (n == 0) {
        return hf_fail(HF_E_INVALID, "an empty serial number");
    }
    digits[0] = '0';
    digits[1 + n] = '\0';
    *out_len = (n + 1) / 2;
    return hf_unhex(digits + (n + 1) % 2, hf_span_of(out, *out_len));
}

enum hf_err hf_ca_query(struct hf_ca_service *service, const struct hf_ca_which *which,
                        uint8_t serial[static HF_STORE_SERIAL_MAX], struct hf_store_query *out)
{
    int64_t now = hf_clock_wall_s(service->clock);
    *out = (struct hf_store_query){
        .profile = which->profile,
        .identity = which->identity,
        .requester = which->requester,
        .text = which->text,
        .expires_before = which->expires_before,
        .expires_after = which->valid || which->expires_before ? now : 0,
        .revoked = which->revoked ? HF_YES
                   : which->valid ? HF_NO
                                  : HF_ANY,
        .seen = which->never_seen ? HF_NO : HF_ANY,
        .order = which->expires_before ? HF_ORDER_EXPIRY : HF_ORDER_NEWEST,
    };
    if (which->serial) {
        size_t len = 0;
        HF_TRY(hf_ca_serial(which->serial, serial, &len));
        out->serial = hf_bytes_of(serial, len);
    }
    if (which->authority) {
        struct hf_authorities *set = hf_ca_authorities(service);
        const struct hf_authority *authority = hf_authorities_find(set, which->authority);
        out->authority = authority ? authority->id : 0;
        hf_authorities_unref(set);
        if (!out->authority) {
            return hf_fail(HF_E_NOT_FOUND, "there is no authority \"%.64s\"", which->authority);
        }
    }
    return HF_OK;
}

struct finding {
    struct hf_ca_found *found;
    size_t n;
};

static enum hf_err take_found(void *ctx, const struct hf_store_cert *row)
{
    struct finding *finding = ctx;
    finding->n++;
    return hf_ca_found_copy(finding->found, row);
}

enum hf_err hf_ca_find_row(struct hf_ca_work *work, int64_t authority, struct hf_bytes serial,
                           struct hf_ca_found *out)
{
    enum hf_err err = hf_store_cert(work->service->store, authority, serial, hf_ca_found_copy, out);
    return err == HF_E_NOT_FOUND
               ? hf_ca_refuse(work, HF_CA_NOT_FOUND, "this certificate isn't in the store")
               : err;
}

enum hf_err hf_ca_find_one(struct hf_ca_work *work, const struct hf_ca_which *which,
                           struct hf_ca_found *out)
{
    uint8_t serial[HF_STORE_SERIAL_MAX];
    struct hf_store_query query;
    struct finding finding = {.found = out};
    const struct hf_ca_which by_serial = {.serial = which->serial, .authority = which->authority};
    if (!which->serial) {
        return hf_ca_refuse(work, HF_CA_INVALID, "no serial number was given");
    }
    HF_TRY(hf_ca_query(work->service, &by_serial, serial, &query));
    query.limit = 2;
    query.with_der = true;
    struct hf_store_page page = {.more = true};
    while (page.more && finding.n < 2) {
        query.cursor = page.cursor;
        HF_TRY(hf_store_certs(work->service->store, &query, take_found, &finding, &page));
    }
    if (finding.n == 0) {
        return hf_ca_refuse(work, HF_CA_NOT_FOUND, "there is no certificate with the serial %.64s",
                            which->serial);
    }
    if (finding.n > 1) {
        return hf_ca_refuse(work, HF_CA_INVALID,
                            "more than one authority issued the serial %.64s: name the authority",
                            which->serial);
    }
    return HF_OK;
}

bool hf_ca_names_own(const struct hf_ca_work *work, const char *serial)
{
    const struct hf_cert *cert = work->op->caller.cert;
    uint8_t named[HF_STORE_SERIAL_MAX];
    size_t named_len = 0;
    struct hf_serial own;
    return cert && hf_ca_serial(serial, named, &named_len) == HF_OK &&
           hf_serial_of_x509(X509_get0_serialNumber(cert->x509), &own) == HF_OK && !own.negative &&
           hf_bytes_eq(hf_bytes_of(named, named_len), hf_bytes_of(own.byte, own.len));
}

bool hf_ca_came_with_old(const struct hf_ca_work *work)
{
    const struct hf_cert *cert = work->op->caller.cert;
    return cert && work->old.cert && hf_bytes_eq(cert->der, work->old.cert->der);
}

/* --- Keys --------------------------------------------------------------------------------------
 */

struct loading {
    struct hf_moduli *moduli;
};

static enum hf_err add_modulus(void *ctx, const struct hf_store_cert *row)
{
    struct loading *loading = ctx;
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    HF_CLEANUP(hf_public_key_freep) struct hf_public_key *key = NULL;
    if (row->der.len == 0 || hf_cert_from_der(row->der, &cert) != HF_OK ||
        hf_public_key_of(X509_get0_pubkey(cert->x509), &key) != HF_OK || key->modulus.len == 0) {
        return HF_OK; /* imported from elsewhere, in a form that we wouldn't issue */
    }
    return hf_moduli_add(loading->moduli, key->modulus, row->id);
}

static enum hf_err take_id(void *ctx, const struct hf_store_cert *row)
{
    int64_t *id = ctx;
    *id = row->id;
    return HF_OK;
}

/* Under the lock, at an RSA key: those of all that was certified since the last one, here or on
 * another node. */
static enum hf_err load_moduli(struct hf_ca_service *service)
{
    int64_t newest = 0;
    struct hf_store_page page;
    HF_TRY(service->moduli ? HF_OK : hf_moduli_new(&service->moduli));
    struct loading loading = {service->moduli};
    const struct hf_store_query last = {.limit = 1};
    HF_TRY(hf_store_certs(service->store, &last, take_id, &newest, &page));
    page = (struct hf_store_page){.more = newest > service->moduli_until};
    while (page.more) {
        const struct hf_store_query query = {.key_type = "RSA*",
                                             .newer_than = service->moduli_until,
                                             .limit = MODULI_PAGE,
                                             .cursor = page.cursor,
                                             .with_der = true};
        HF_TRY(hf_store_certs(service->store, &query, add_modulus, &loading, &page));
    }
    service->moduli_until = newest;
    return HF_OK;
}

struct compromise {
    bool known;
};

static enum hf_err note_compromise(void *ctx, const struct hf_store_cert *row)
{
    struct compromise *compromise = ctx;
    compromise->known =
        compromise->known || (row->status == HF_STATUS_REVOKED && row->reason == KEY_COMPROMISE);
    return HF_OK;
}

/* A key that somebody told us is in foreign hands gets no second certificate. The store asks the
 * same when it issues (refuse_compromised), which is what holds; this is for who must know before.
 */
enum hf_err hf_ca_check_compromise(struct hf_ca_work *work)
{
    const struct hf_public_key *key = work->want.key;
    struct compromise compromise = {0};
    struct hf_store_page page = {.more = true};
    while (page.more && !compromise.known) {
        struct hf_store_query query = {
            .spki_sha256 = hf_bytes_of(key->spki_sha256, sizeof(key->spki_sha256)),
            .revoked = HF_YES,
            .cursor = page.cursor,
        };
        HF_TRY(hf_store_certs(work->service->store, &query, note_compromise, &compromise, &page));
    }
    if (compromise.known) {
        work->why = HF_REFUSAL_KNOWN_KEY;
        return hf_fail(HF_E_INVALID, "a certificate of this key was revoked because others have "
                                     "the key: make a new one");
    }
    return HF_OK;
}

enum hf_err hf_ca_check_key(struct hf_ca_work *work, const struct hf_public_key *key)
{
    struct hf_ca_service *service = work->service;
    struct hf_weak_key_lists lists = {.known = service->known_keys};
    if (key->modulus.len == 0) {
        return hf_weak_key_check(key, &lists, &work->why, NULL);
    }
    pthread_mutex_lock(&service->moduli_lock);
    enum hf_err err = load_moduli(service);
    lists.moduli = service->moduli;
    if (err == HF_OK) {
        err = hf_weak_key_check(key, &lists, &work->why, NULL);
    }
    if (err == HF_OK) {
        err = hf_moduli_add(service->moduli, key->modulus, 0);
    }
    pthread_mutex_unlock(&service->moduli_lock);
    return err;
}
