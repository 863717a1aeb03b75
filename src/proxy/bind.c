// SPDX-License-Identifier: Apache-2.0
#include "proxy/bind.h"

#include <unistd.h>

#include "base/mem.h"

enum { LISTEN_BACKLOG = 4096, UNIX_MODE = 0660 };

static size_t n_fds(const struct hf_bound *bound, unsigned n_workers)
{
    return bound->shared ? 1 : n_workers;
}

static const struct hf_bound *find(const struct hf_binds *binds, const struct hf_addr *addr)
{
    for (size_t i = 0; i < binds->n; i++) {
        if (hf_addr_eq(&binds->item[i].addr, addr)) {
            return &binds->item[i];
        }
    }
    return NULL;
}

/* The file of a unix socket goes too, if we made it: one that could not be bound is another
 * program's, and one that was handed to us is listened on by who handed it. */
static void close_bound(struct hf_bound *bound, unsigned n_workers)
{
    bool ours = bound->addr.sa.sa_family == AF_UNIX && !bound->given && bound->fds[0] >= 0;
    for (size_t i = 0; i < n_fds(bound, n_workers); i++) {
        hf_closep(&bound->fds[i]);
    }
    if (ours && bound->addr.un.sun_path[0]) {
        unlink(bound->addr.un.sun_path);
    }
}

void hf_binds_refuse(const struct hf_binds *binds)
{
    for (size_t i = 0; i < binds->n; i++) {
        const struct hf_bound *bound = &binds->item[i];
        if (!bound->shared || bound->given) {
            continue;
        }
        (void)shutdown(bound->fds[0], SHUT_RDWR);
        if (bound->addr.un.sun_path[0]) {
            unlink(bound->addr.un.sun_path);
        }
    }
}

void hf_binds_done(struct hf_binds *binds, bool close_all)
{
    for (size_t i = 0; i < binds->n; i++) {
        if (close_all) {
            close_bound(&binds->item[i], binds->n_workers);
        }
        hf_free(binds->item[i].fds);
    }
    hf_free(binds->item);
    *binds = (struct hf_binds){0};
}

static enum hf_err open_sockets(struct hf_bound *bound, unsigned n_workers,
                                struct hf_activation *activation)
{
    int given = hf_activation_take(activation, &bound->addr);
    bound->given = given >= 0;
    bound->shared = bound->given || bound->addr.sa.sa_family == AF_UNIX;
    size_t n = n_fds(bound, n_workers);
    bound->fds = hf_alloc_zero(n, sizeof(*bound->fds));
    if (!bound->fds) {
        hf_closep(&given);
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        bound->fds[i] = -1;
    }
    if (bound->given) {
        bound->fds[0] = given;
        return HF_OK;
    }
    for (size_t i = 0; i < n; i++) {
        enum hf_err err = hf_sock_listen(&bound->addr, LISTEN_BACKLOG, UNIX_MODE, &bound->fds[i]);
        if (err != HF_OK) {
            close_bound(bound, n_workers);
            return err;
        }
    }
    return HF_OK;
}

static enum hf_err copy_fds(const struct hf_bound *from, unsigned n_workers, struct hf_bound *to)
{
    size_t n = n_fds(from, n_workers);
    to->shared = from->shared;
    to->given = from->given;
    to->fds = hf_alloc_zero(n, sizeof(*to->fds));
    if (!to->fds) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        to->fds[i] = from->fds[i];
    }
    return HF_OK;
}

static void add_finding(struct hf_findings *findings, const struct hf_cfg_listener *cfg, size_t at)
{
    hf_findings_add(findings, HF_FINDING_LISTEN, cfg->listen[at].mark,
                    "listener \"%s\" can't listen: %s", cfg->name, hf_err_text());
}

static enum hf_err add(const struct hf_binds *old, struct hf_binds *binds, size_t door,
                       const struct hf_cfg_addr *listen, struct hf_activation *activation)
{
    struct hf_bound *bound = &binds->item[binds->n];
    *bound = (struct hf_bound){.addr = listen->addr, .door = door};
    const struct hf_bound *had = find(old, &listen->addr);
    enum hf_err err = had ? copy_fds(had, binds->n_workers, bound)
                          : open_sockets(bound, binds->n_workers, activation);
    if (err != HF_OK) {
        hf_free(bound->fds);
        return err;
    }
    binds->n++;
    return HF_OK;
}

/* Closes what was opened for a list that won't be used. */
static void abandon(const struct hf_binds *old, struct hf_binds *binds)
{
    for (size_t i = 0; i < binds->n; i++) {
        if (!find(old, &binds->item[i].addr)) {
            close_bound(&binds->item[i], binds->n_workers);
        }
    }
    hf_binds_done(binds, false);
}

/* Does another program listen there? Asked before we listen anywhere anew, since 0.0.0.0 and an
 * address beside it may both be ours. Where one is ours already, the other can't be asked about. */
static enum hf_err check_free(const struct hf_binds *old, const struct hf_addr *addr,
                              const struct hf_activation *activation)
{
    for (size_t i = 0; i < old->n; i++) {
        if (hf_addr_eq(&old->item[i].addr, addr) || hf_addr_overlaps(&old->item[i].addr, addr)) {
            return HF_OK;
        }
    }
    return hf_activation_has(activation, addr) ? HF_OK : hf_sock_check_free(addr);
}

static bool are_free(const struct hf_binds *old, const struct hf_snapshot *snapshot,
                     const struct hf_activation *activation, struct hf_findings *findings)
{
    bool are = true;
    for (size_t i = 0; i < snapshot->n_doors; i++) {
        const struct hf_cfg_listener *cfg = snapshot->doors[i].cfg;
        for (size_t k = 0; k < cfg->n_listen; k++) {
            if (check_free(old, &cfg->listen[k].addr, activation) != HF_OK) {
                are = false;
                add_finding(findings, cfg, k);
            }
        }
    }
    return are;
}

enum hf_err hf_binds_make(const struct hf_binds *old, const struct hf_snapshot *snapshot,
                          unsigned n_workers, struct hf_activation *activation,
                          struct hf_findings *findings, struct hf_binds *out)
{
    size_t n = 0;
    if (!are_free(old, snapshot, activation, findings)) {
        return HF_E_CONFIG;
    }
    for (size_t i = 0; i < snapshot->n_doors; i++) {
        n += snapshot->doors[i].cfg->n_listen;
    }
    struct hf_binds binds = {.item = hf_alloc_zero(n, sizeof(*binds.item)), .n_workers = n_workers};
    if (!binds.item) {
        return HF_E_NOMEM;
    }
    bool failed = false;
    for (size_t i = 0; i < snapshot->n_doors; i++) {
        const struct hf_cfg_listener *cfg = snapshot->doors[i].cfg;
        for (size_t k = 0; k < cfg->n_listen; k++) {
            if (add(old, &binds, i, &cfg->listen[k], activation) != HF_OK) {
                failed = true;
                add_finding(findings, cfg, k);
            }
        }
    }
    if (failed) {
        abandon(old, &binds);
        return HF_E_CONFIG;
    }
    *out = binds;
    return HF_OK;
}

void hf_binds_replace(struct hf_binds *now, struct hf_binds *next)
{
    for (size_t i = 0; i < now->n; i++) {
        if (now->item[i].shared && !find(next, &now->item[i].addr)) {
            close_bound(&now->item[i], now->n_workers);
        }
    }
    hf_binds_done(now, false);
    *now = *next;
    *next = (struct hf_binds){0};
}
