// SPDX-License-Identifier: Apache-2.0
/*
 * A CA that the config names is opened once, and goes on over reloads for as long as its settings
 * stay what they are: generations count their use of it. When the last one is gone, it is closed by
 * a thread of its own, for closing waits, and whoever lets go last may be a worker.
 */
#include "cli/ca_services.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/secret.h"
#include "ca/api.h"
#include "ca/follow.h"
#include "ca/host.h"
#include "ca/store_key.h"
#include "config/materials.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/thread.h"

/* One CA that is open. */
struct seat {
    struct hf_link link;
    struct hf_ca_services *owner;
    unsigned uses;               /* of generations; under the owner's mutex */
    struct hf_ca_host *host;     /* NULL: the CA is elsewhere, and */
    struct hf_ca_follow *follow; /* its feed is followed */
    char *name;
    char *settings; /* all that it was opened with, as one text */
    struct hf_thread closer;
    bool closing;
};

struct hf_ca_services {
    struct hf_services_source source;
    pthread_mutex_t mutex;
    struct hf_link seats;
    void (*changed)(void *daemon); /* NULL: nobody is there to be told */
    void *daemon;
};

/* The CAs of one generation, as the config has them. */
struct generation {
    struct hf_services base; /* first */
    struct hf_ca_services *owner;
    size_t n;
    struct {
        struct seat *seat;
        struct hf_service *api; /* by the roles and rights of this generation's config */
    } ca[];
};

/* --- Seats --------------------------------------------------------------------------------------
 */

/* On the host's thread. */
static void on_live(void *ctx, struct hf_live *live)
{
    struct seat *seat = ctx;
    struct hf_ca_services *owner = seat->owner;
    hf_live_unref(live); /* who is told asks for the newest */
    pthread_mutex_lock(&owner->mutex);
    if (owner->changed) {
        owner->changed(owner->daemon);
    }
    pthread_mutex_unlock(&owner->mutex);
}

static char *store_url(const struct hf_config *config, const char *store)
{
    static const char *const schemes[] = {"postgres://", "postgresql://"};
    static const char sqlite[] = "sqlite:";
    for (size_t i = 0; i < HF_N_ELEMENTS(schemes); i++) {
        if (strncmp(store, schemes[i], strlen(schemes[i])) == 0) {
            return hf_strdup(store);
        }
    }
    bool is_file = strncmp(store, sqlite, strlen(sqlite)) == 0;
    HF_CLEANUP(hf_freep)
    char *path = hf_path_join(config->dir, is_file ? store + strlen(sqlite) : store);
    HF_CLEANUP(hf_buf_done) struct hf_buf url = HF_BUF_INIT(64 << 10);
    if (!path || hf_buf_printf(&url, "%s%s%s", sqlite, path, is_file ? "" : "/ca.db") != HF_OK) {
        return NULL;
    }
    const char *text = hf_buf_cstr(&url);
    return text ? hf_strdup(text) : NULL;
}

static const char *or_none(const struct hf_cfg_string *text)
{
    return text->value ? text->value : "";
}

/* A renewed certificate is another setting. */
static const char *shown(const struct hf_cfg_ca *cfg, const struct hf_materials *materials)
{
    struct hf_credential *identity =
        cfg->identity ? hf_materials_identity(materials, cfg->identity) : NULL;
    return identity ? identity->identity->sha256 : "";
}

static char *settings_of(const struct hf_cfg_ca *cfg, const struct hf_materials *materials,
                         const char *url)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(64 << 10);
    if (hf_buf_printf(&text, "%s|%s|%s|%lld|%s|%s|%s|%s|%lld|%lld|%lld|%lld", url,
                      shown(cfg, materials), or_none(&cfg->roots), (long long)cfg->when_lost_ms,
                      or_none(&cfg->passphrase_file), or_none(&cfg->passphrase_env),
                      or_none(&cfg->passphrase_credential), or_none(&cfg->crl_folder),
                      (long long)cfg->crl_lifetime_ms, (long long)cfg->crl_delay_ms,
                      (long long)cfg->delta_lifetime_ms,
                      (long long)cfg->ocsp_lifetime_ms) != HF_OK) {
        return NULL;
    }
    for (size_t i = 0; i < cfg->n_known_keys; i++) {
        if (hf_buf_printf(&text, "|%s", cfg->known_keys[i].value) != HF_OK) {
            return NULL;
        }
    }
    const char *made = hf_buf_cstr(&text);
    return made ? hf_strdup(made) : NULL;
}

static enum hf_err open_host(struct seat *seat, const struct hf_cfg_ca *cfg, const char *url,
                             struct hf_log *log)
{
    const struct hf_store_passphrase from = {.file = cfg->passphrase_file.value,
                                             .env = cfg->passphrase_env.value,
                                             .credential = cfg->passphrase_credential.value};
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text passphrase = {0};
    HF_TRY(hf_store_passphrase_read(&from, &passphrase));
    HF_CLEANUP(hf_freep)
    const char **key_lists = hf_alloc_zero(cfg->n_known_keys + 1, sizeof(*key_lists));
    if (!key_lists) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < cfg->n_known_keys; i++) {
        key_lists[i] = cfg->known_keys[i].value;
    }
    struct hf_ca_host_options options = {
        .name = cfg->name,
        .service = {.store = url,
                    .key_lists = key_lists,
                    .n_key_lists = cfg->n_known_keys,
                    .passphrase = hf_bytes_of(passphrase.ptr, passphrase.len),
                    .clock = &hf_os_clock,
                    .rng = &hf_os_rng},
        .log = log,
        .crl_lifetime_s = cfg->crl_lifetime_ms / 1000,
        .crl_delay_ms = cfg->crl_delay_ms,
        .delta_lifetime_s = cfg->delta_lifetime_ms / 1000,
        .ocsp_lifetime_s = cfg->ocsp_lifetime_ms / 1000,
        .lost_ms = cfg->when_lost_ms,
        .crl_folder = cfg->crl_folder.value,
        .on_live = on_live,
        .ctx = seat,
    };
    return hf_ca_host_open(&options, &seat->host);
}

static enum hf_err open_follow(struct seat *seat, const struct hf_cfg_ca *cfg,
                               const struct hf_materials *materials, struct hf_log *log)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf roots = HF_BUF_INIT(1 << 20);
    if (cfg->roots.value) {
        HF_TRY(hf_file_read(cfg->roots.value, &roots));
    }
    struct hf_ca_follow_options options = {
        .name = cfg->name,
        .url = cfg->feed.value,
        .identity = cfg->identity ? hf_materials_identity(materials, cfg->identity) : NULL,
        .roots_pem = hf_buf_bytes(&roots),
        .lost_ms = cfg->when_lost_ms,
        .clock = &hf_os_clock,
        .log = log,
        .on_live = on_live,
        .ctx = seat,
    };
    return hf_ca_follow_open(&options, &seat->follow);
}

/* Ends its threads; what it said stays with those who have it. */
static void close_parts(struct seat *seat)
{
    hf_ca_host_close(HF_TAKE(seat->host));
    hf_ca_follow_close(HF_TAKE(seat->follow));
}

static void seat_free(struct seat *seat)
{
    close_parts(seat);
    hf_free(seat->name);
    hf_free(seat->settings);
    hf_free(seat);
}

static struct seat *find_seat(struct hf_ca_services *owner, const char *name, const char *settings)
{
    HF_LIST_FOREACH (&owner->seats, link) {
        struct seat *seat = HF_CONTAINER_OF(link, struct seat, link);
        if (!seat->closing && strcmp(seat->name, name) == 0 &&
            strcmp(seat->settings, settings) == 0) {
            return seat;
        }
    }
    return NULL;
}

static enum hf_err take_seat(struct hf_ca_services *owner, const struct hf_config *config,
                             const struct hf_materials *materials, const struct hf_cfg_ca *cfg,
                             struct hf_log *log, struct seat **out)
{
    HF_CLEANUP(hf_freep)
    char *url = cfg->feed.value ? hf_strdup(cfg->feed.value) : store_url(config, cfg->store.value);
    HF_CLEANUP(hf_freep) char *settings = url ? settings_of(cfg, materials, url) : NULL;
    if (!settings) {
        return HF_E_NOMEM;
    }
    pthread_mutex_lock(&owner->mutex);
    struct seat *seat = find_seat(owner, cfg->name, settings);
    if (seat) {
        seat->uses++;
    }
    pthread_mutex_unlock(&owner->mutex);
    if (seat) {
        *out = seat;
        return HF_OK;
    }
    seat = HF_NEW(struct seat);
    if (!seat) {
        return HF_E_NOMEM;
    }
    seat->owner = owner;
    seat->uses = 1;
    seat->settings = HF_TAKE(settings);
    seat->name = hf_strdup(cfg->name);
    enum hf_err err = !seat->name       ? HF_E_NOMEM
                      : cfg->feed.value ? open_follow(seat, cfg, materials, log)
                                        : open_host(seat, cfg, url, log);
    if (err != HF_OK) {
        seat_free(seat);
        return err;
    }
    pthread_mutex_lock(&owner->mutex);
    hf_list_push(&owner->seats, &seat->link);
    pthread_mutex_unlock(&owner->mutex);
    *out = seat;
    return HF_OK;
}

static void close_seat(void *arg)
{
    close_parts(arg);
}

static void leave_seat(struct seat *seat)
{
    struct hf_ca_services *owner = seat->owner;
    pthread_mutex_lock(&owner->mutex);
    seat->closing = --seat->uses == 0;
    bool last = seat->closing;
    pthread_mutex_unlock(&owner->mutex);
    if (last && hf_thread_start(&seat->closer, "ca-close", close_seat, seat) != HF_OK) {
        return; /* it is closed at the end, then */
    }
}

/* --- The API ------------------------------------------------------------------------------------
 */

static void who_of(const struct hf_cfg_strings *from, const char **texts, struct hf_ca_api_who *out)
{
    for (size_t i = 0; i < from->n; i++) {
        texts[i] = from->item[i].value;
    }
    *out = (struct hf_ca_api_who){texts, from->n};
}

static enum hf_err open_api(const struct hf_config *config, const struct hf_cfg_ca *cfg,
                            struct seat *seat, struct hf_service **out)
{
    const struct hf_cfg_strings *const lists[HF_CA_N_RIGHTS] = {
        &cfg->rights.read, &cfg->rights.revoke, &cfg->rights.approve, &cfg->rights.token};
    struct hf_ca_api_options options = {.service = hf_ca_host_service(seat->host),
                                        .obeyed = hf_ca_host_obeyed(seat->host),
                                        .n_roles = config->n_roles};
    size_t n = 0;
    for (size_t i = 0; i < HF_CA_N_RIGHTS; i++) {
        n += lists[i]->n;
    }
    HF_CLEANUP(hf_freep) const char **texts = hf_alloc_zero(n + 1, sizeof(*texts));
    HF_CLEANUP(hf_freep)
    struct hf_role_source *roles = hf_alloc_zero(config->n_roles + 1, sizeof(*roles));
    if (!texts || !roles) {
        return HF_E_NOMEM;
    }
    n = 0;
    for (size_t i = 0; i < HF_CA_N_RIGHTS; i++) {
        who_of(lists[i], texts + n, &options.rights[i]);
        n += lists[i]->n;
    }
    for (size_t i = 0; i < config->n_roles; i++) {
        roles[i] = (struct hf_role_source){config->roles[i].name, config->roles[i].expr};
    }
    options.roles = roles;
    return hf_ca_api_new(&options, out);
}

/* --- For the daemon -----------------------------------------------------------------------------
 */

static void close_generation(struct hf_services *services)
{
    struct generation *generation = HF_CONTAINER_OF(services, struct generation, base);
    for (size_t i = 0; i < generation->n; i++) {
        hf_service_unref(generation->ca[i].api);
        leave_seat(generation->ca[i].seat);
    }
    hf_free(generation);
}

static enum hf_err open_generation(void *ctx, const struct hf_config *config,
                                   const struct hf_materials *materials, struct hf_log *log,
                                   struct hf_findings *findings, struct hf_services **out)
{
    struct hf_ca_services *owner = ctx;
    struct generation *generation =
        hf_alloc_zero(1, sizeof(*generation) + config->n_cas * sizeof(generation->ca[0]));
    enum hf_err result = HF_OK;
    if (!generation) {
        return HF_E_NOMEM;
    }
    generation->base.source = &owner->source;
    generation->owner = owner;
    for (size_t i = 0; i < config->n_cas; i++) {
        const struct hf_cfg_ca *cfg = &config->cas[i];
        size_t at = generation->n;
        enum hf_err err = take_seat(owner, config, materials, cfg, log, &generation->ca[at].seat);
        if (err == HF_OK) {
            generation->n++;
            err = cfg->feed.value
                      ? HF_OK
                      : open_api(config, cfg, generation->ca[at].seat, &generation->ca[at].api);
        }
        if (err != HF_OK) {
            struct hf_mark mark = cfg->feed.value ? cfg->feed.mark : cfg->store.mark;
            hf_findings_add(findings, HF_FINDING_CA, mark, "ca \"%s\": %s", cfg->name,
                            hf_err_text());
            result = HF_E_CONFIG;
        }
    }
    if (result != HF_OK) {
        close_generation(&generation->base);
        return hf_fail(result, "a CA can't be opened");
    }
    *out = &generation->base;
    return HF_OK;
}

/* SIZE_MAX: there is none of this name. */
static size_t index_of(const struct generation *generation, const struct hf_cfg_ca *cfg)
{
    for (size_t i = 0; i < generation->n; i++) {
        if (strcmp(generation->ca[i].seat->name, cfg->name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

static struct seat *seat_of(struct hf_services *services, const struct hf_cfg_ca *cfg)
{
    struct generation *generation = HF_CONTAINER_OF(services, struct generation, base);
    size_t i = index_of(generation, cfg);
    return i == SIZE_MAX ? NULL : generation->ca[i].seat;
}

static struct hf_service *find(struct hf_services *services, const struct hf_cfg_service *cfg)
{
    struct generation *generation = HF_CONTAINER_OF(services, struct generation, base);
    size_t i = index_of(generation, cfg->ca);
    if (i == SIZE_MAX || !generation->ca[i].seat->host) {
        return NULL;
    }
    struct seat *seat = generation->ca[i].seat;
    switch (cfg->part) {
    case HF_CA_PART_PUBLIC:
        return hf_service_ref(hf_ca_host_public(seat->host));
    case HF_CA_PART_FEED:
        return hf_service_ref(hf_ca_host_feed(seat->host));
    case HF_CA_PART_API:
        return hf_service_ref(generation->ca[i].api);
    default:
        return NULL;
    }
}

static struct hf_live *live_of(struct hf_services *services, const struct hf_cfg_ca *cfg)
{
    struct seat *seat = seat_of(services, cfg);
    if (!seat) {
        return NULL;
    }
    return seat->host ? hf_ca_host_live(seat->host) : hf_ca_follow_live(seat->follow);
}

static void obeyed(struct hf_services *services, const struct hf_cfg_ca *cfg, int64_t seq)
{
    const struct seat *seat = seat_of(services, cfg);
    if (seat && seat->host) {
        hf_obeyed_tell(hf_ca_host_obeyed(seat->host), seq);
    }
}

static void attach(void *ctx, void (*changed)(void *daemon), void *daemon)
{
    struct hf_ca_services *owner = ctx;
    pthread_mutex_lock(&owner->mutex);
    owner->changed = changed;
    owner->daemon = daemon;
    pthread_mutex_unlock(&owner->mutex);
}

static void drain(void *ctx)
{
    struct hf_ca_services *owner = ctx;
    pthread_mutex_lock(&owner->mutex);
    HF_LIST_FOREACH (&owner->seats, link) {
        struct seat *seat = HF_CONTAINER_OF(link, struct seat, link);
        if (!seat->closing && seat->host) {
            hf_ca_host_drain(seat->host);
        }
    }
    pthread_mutex_unlock(&owner->mutex);
}

/* Nobody asks any more: the workers have ended. Generations let go of their seats later. */
static void stop(void *ctx)
{
    struct hf_ca_services *owner = ctx;
    attach(owner, NULL, NULL);
    HF_LIST_FOREACH (&owner->seats, link) {
        struct seat *seat = HF_CONTAINER_OF(link, struct seat, link);
        hf_thread_join(&seat->closer);
        close_parts(seat);
    }
}

enum hf_err hf_ca_services_new(struct hf_ca_services **out)
{
    struct hf_ca_services *services = HF_NEW(struct hf_ca_services);
    if (!services) {
        return HF_E_NOMEM;
    }
    pthread_mutex_init(&services->mutex, NULL);
    hf_list_init(&services->seats);
    services->source = (struct hf_services_source){.open = open_generation,
                                                   .find = find,
                                                   .live = live_of,
                                                   .obeyed = obeyed,
                                                   .attach = attach,
                                                   .close = close_generation,
                                                   .drain = drain,
                                                   .stop = stop,
                                                   .ctx = services};
    *out = services;
    return HF_OK;
}

const struct hf_services_source *hf_ca_services_source(const struct hf_ca_services *services)
{
    return &services->source;
}

void hf_ca_services_free(struct hf_ca_services *services)
{
    if (!services) {
        return;
    }
    HF_LIST_FOREACH (&services->seats, link) {
        struct seat *seat = HF_CONTAINER_OF(link, struct seat, link);
        hf_thread_join(&seat->closer);
        hf_link_remove(link);
        seat_free(seat);
    }
    pthread_mutex_destroy(&services->mutex);
    hf_free(services);
}
