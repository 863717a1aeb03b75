// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_LEDGER_H
#define HF_CONFIG_LEDGER_H

/*
 * struct hf_ledger is all that this process knows of revocation at one moment: the deny list, and
 * the revocation lists of every trust. It changes more often than the configuration, so it isn't
 * part of a snapshot: workers are handed a new one, and judge their sessions again by it.
 *
 * Immutable, counted by references, any thread. A file that several trusts name, or that hasn't
 * changed since the ledger before, is in memory once.
 */

#include "config/config.h"
#include "config/materials.h"

struct hf_ledger;

/* How a file that can't be used is taken. */
enum hf_ledger_mode {
    HF_LEDGER_STRICT, /* at the start, at a reload, in `check`: an error */
    HF_LEDGER_KEEP,   /* a file changed under a running daemon: the trust keeps its old lists */
};

/* Lists of a trust that come from elsewhere than its files. */
struct hf_ledger_fetched {
    const char *trust;
    const struct hf_crl_lists *lists;
};

/* What a CA of this process has revoked. */
struct hf_ledger_live {
    const char *ca;
    struct hf_live *live;
};

/* What is known besides the files that the config names. All is borrowed for the call, and
 * referenced where it stays. A zeroed one is valid: nothing. */
struct hf_ledger_known {
    struct hf_denylist *deny; /* NULL: nobody is denied */
    const struct hf_ledger_fetched *fetched;
    size_t n_fetched;
    const struct hf_ledger_live *lives; /* NULL: they can't be asked here, and aren't */
    size_t n_lives;
};

/*
 * hf_ledger_load reads the lists that the config names, and joins what else is known. previous (or
 * NULL) lends what hasn't changed; with KEEP, a trust one of whose files can't be used, or holds a
 * list older than the one it would replace, keeps those of previous, with a finding. Errors:
 * HF_E_CONFIG (see findings), HF_E_NOMEM.
 */
enum hf_err hf_ledger_load(const struct hf_config *config, const struct hf_ledger *previous,
                           const struct hf_ledger_known *known, enum hf_ledger_mode mode,
                           int64_t now_s, struct hf_findings *findings,
                           struct hf_ledger **out) HF_MUST_CHECK;

/* hf_ledger_deny is the same ledger with another deny list. */
enum hf_err hf_ledger_deny(const struct hf_ledger *ledger, struct hf_denylist *deny,
                           struct hf_ledger **out) HF_MUST_CHECK;
/* hf_ledger_live is the same ledger with another view of a CA. */
enum hf_err hf_ledger_live(const struct hf_ledger *ledger, const struct hf_ledger_live *live,
                           struct hf_ledger **out) HF_MUST_CHECK;

/* hf_ledger_live_of gives the view that the trusts of a CA are judged by; NULL: no trust has it. */
const struct hf_live *hf_ledger_live_of(const struct hf_ledger *ledger, const char *ca);
struct hf_ledger *hf_ledger_ref(struct hf_ledger *ledger);
void hf_ledger_unref(struct hf_ledger *ledger);

/* hf_ledger_fingerprint is a hash of the names, sizes, times and inodes of all files that a ledger
 * of this config would be loaded from: another one means that it is time to load again. */
void hf_ledger_fingerprint(const struct hf_config *config, uint8_t out[static HF_SHA256_SIZE]);

/* hf_ledger_lint adds what somebody would regret: lists out of date, roots without one, `allow`. */
void hf_ledger_lint(const struct hf_ledger *ledger, const struct hf_config *config,
                    const struct hf_materials *materials, int64_t now_s,
                    struct hf_findings *findings);

/* hf_ledger_of gives what the trust of this name is judged by; never NULL. */
const struct hf_revocation *hf_ledger_of(const struct hf_ledger *ledger, const char *trust);

/* hf_ledger_lists gives the lists of a trust; NULL: it asks for none. */
const struct hf_revoked *hf_ledger_lists(const struct hf_ledger *ledger, const char *trust);
struct hf_denylist *hf_ledger_denylist(const struct hf_ledger *ledger);

#endif
