// SPDX-License-Identifier: Apache-2.0
/*
 * Authorities and profiles change seldom, certificates all the time, and the store tells of both
 * alike. So a change only marks the view stale; whoever takes it next reads it again, but not more
 * often than once in LOOK_NS, while others go on with the one there is.
 */
#include <string.h>

#include "base/mem.h"
#include "ca/service_impl.h"
#include "config/config.h"

static const int64_t LOOK_NS = INT64_C(1000000000);

static struct hf_ca_view *view_ref(struct hf_ca_view *view)
{
    atomic_fetch_add_explicit(&view->refs, 1, memory_order_relaxed);
    return view;
}

void hf_ca_view_unref(struct hf_ca_view *view)
{
    if (view && atomic_fetch_sub(&view->refs, 1) == 1) {
        for (size_t i = 0; i < view->n_profiles; i++) {
            hf_cert_profile_unref(view->profiles[i]);
        }
        hf_free(view->profiles);
        for (size_t i = 0; i < view->n_broken; i++) {
            hf_free(view->broken[i].name);
            hf_free(view->broken[i].why);
        }
        hf_free(view->broken);
        hf_authorities_unref(view->authorities);
        hf_free(view);
    }
}

/* --- Reading -----------------------------------------------------------------------------------
 */

static enum hf_err add_broken(struct hf_ca_view *view, const char *name)
{
    struct hf_ca_broken *grown =
        hf_realloc(view->broken, (view->n_broken + 1) * sizeof(struct hf_ca_broken));
    if (!grown) {
        return HF_E_NOMEM;
    }
    view->broken = grown;
    struct hf_ca_broken *made = &view->broken[view->n_broken++];
    *made = (struct hf_ca_broken){hf_strdup(name), hf_strdup(hf_err_text())};
    return made->name && made->why ? HF_OK : HF_E_NOMEM;
}

const char *hf_ca_view_broken(const struct hf_ca_view *view, const char *name)
{
    for (size_t i = 0; i < view->n_broken; i++) {
        if (strcmp(view->broken[i].name, name) == 0) {
            return view->broken[i].why;
        }
    }
    return NULL;
}

/* A profile that can't be read, such as one of a later version, must not keep news of authorities
 * from those who need none of it. */
static enum hf_err add_profile(void *ctx, const struct hf_store_profile *row)
{
    struct hf_ca_view *view = ctx;
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    struct hf_cert_profile *profile = NULL;
    enum hf_err err =
        hf_cert_profile_parse(hf_bytes_str(row->yaml), row->name, &findings, &profile);
    if (err != HF_OK) {
        return err == HF_E_NOMEM ? err : add_broken(view, row->name);
    }
    struct hf_cert_profile **grown =
        hf_realloc(view->profiles, (view->n_profiles + 1) * sizeof(struct hf_cert_profile *));
    if (!grown) {
        hf_cert_profile_unref(profile);
        return HF_E_NOMEM;
    }
    view->profiles = grown;
    view->profiles[view->n_profiles++] = profile;
    return HF_OK;
}

static enum hf_err read_view(struct hf_ca_service *service, const struct hf_ca_view *previous,
                             struct hf_ca_view **out)
{
    struct hf_ca_view *view = HF_NEW(struct hf_ca_view);
    if (!view) {
        return HF_E_NOMEM;
    }
    atomic_init(&view->refs, 1);
    struct hf_bytes passphrase = hf_bytes_of(
        service->has_passphrase ? service->passphrase.ptr : NULL, service->passphrase.len);
    enum hf_err err = hf_store_profiles(service->store, add_profile, view);
    if (err == HF_OK) {
        err = hf_authorities_load(service->store, passphrase,
                                  previous ? previous->authorities : NULL, &view->authorities);
    }
    if (err != HF_OK) {
        hf_ca_view_unref(view);
        return err;
    }
    *out = view;
    return HF_OK;
}

enum hf_err hf_ca_view_read(struct hf_ca_service *service)
{
    service->looked_ns = hf_clock_mono_ns(service->clock);
    return read_view(service, NULL, &service->view);
}

/* --- Taking ------------------------------------------------------------------------------------
 */

/* Under the lock: is it for this thread to read again? */
static bool is_due(struct hf_ca_service *service)
{
    int64_t now_ns = hf_clock_mono_ns(service->clock);
    if (!service->stale || service->looking || now_ns - service->looked_ns < LOOK_NS) {
        return false;
    }
    service->looked_ns = now_ns;
    service->stale = false;
    service->looking = true;
    return true;
}

/* A store that can't be read now keeps the view that there is: what is wrong will show in the
 * write. */
static void look(struct hf_ca_service *service, struct hf_ca_view *current)
{
    struct hf_ca_view *fresh = NULL;
    enum hf_err err = read_view(service, current, &fresh);
    pthread_mutex_lock(&service->view_lock);
    if (err == HF_OK) {
        hf_ca_view_unref(service->view);
        service->view = fresh;
    } else {
        service->stale = true;
    }
    service->looking = false;
    pthread_mutex_unlock(&service->view_lock);
}

struct hf_ca_view *hf_ca_view_take(struct hf_ca_service *service)
{
    pthread_mutex_lock(&service->view_lock);
    bool due = is_due(service);
    struct hf_ca_view *view = view_ref(service->view);
    pthread_mutex_unlock(&service->view_lock);
    if (!due) {
        return view;
    }
    look(service, view);
    hf_ca_view_unref(view);
    pthread_mutex_lock(&service->view_lock);
    view = view_ref(service->view);
    pthread_mutex_unlock(&service->view_lock);
    return view;
}

void hf_ca_reload(struct hf_ca_service *service)
{
    pthread_mutex_lock(&service->view_lock);
    service->stale = true;
    service->looked_ns = hf_clock_mono_ns(service->clock) - LOOK_NS;
    pthread_mutex_unlock(&service->view_lock);
}

struct hf_authorities *hf_ca_authorities(struct hf_ca_service *service)
{
    struct hf_ca_view *view = hf_ca_view_take(service);
    struct hf_authorities *set = hf_authorities_ref(view->authorities);
    hf_ca_view_unref(view);
    return set;
}

enum hf_err hf_ca_profile(struct hf_ca_service *service, const char *name,
                          struct hf_cert_profile **out)
{
    *out = NULL;
    struct hf_ca_view *view = hf_ca_view_take(service);
    for (size_t i = 0; i < view->n_profiles && !*out; i++) {
        if (strcmp(view->profiles[i]->name, name) == 0) {
            *out = hf_cert_profile_ref(view->profiles[i]);
        }
    }
    const char *why = hf_ca_view_broken(view, name);
    enum hf_err err =
        why ? hf_fail(HF_E_MALFORMED, "the profile \"%.64s\" in the store can't be read: %s", name,
                      why)
            : HF_OK;
    hf_ca_view_unref(view);
    HF_TRY(err);
    return *out ? HF_OK : hf_cert_profile_builtin(name, out);
}
