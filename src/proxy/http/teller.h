// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_TELLER_H
#define HF_PROXY_HTTP_TELLER_H

/*
 * What a generation tells of clients, made with its snapshot: which headers they may not send, what
 * each upstream is told (http/forward.h), who signs the tokens, where access logs go. Immutable.
 */

#include "base/map.h"
#include "config/config.h"
#include "http/access.h"
#include "http/forward.h"

struct hf_materials;
struct hf_snapshot;
struct hf_snapshot_env;

/* What of it outlives generations: a zeroed one is valid. The control thread's. */
struct hf_teller_env {
    EVP_PKEY *token_key; /* where the config names none; made when it is first needed */
    struct hf_map sinks; /* of access logs, by path */
};

/* hf_teller_env_reopen opens the files of access logs again, for rotation. */
void hf_teller_env_reopen(struct hf_teller_env *env);

/* hf_teller_env_done writes what is queued, for at most timeout_ms each. */
void hf_teller_env_done(struct hf_teller_env *env, int64_t timeout_ms);

/* An access log of a listener. */
struct hf_teller_log {
    struct hf_access *access;
    struct hf_log log;
};

struct hf_teller {
    struct hf_strip *strip;
    struct hf_signer *signer; /* NULL: nobody wants tokens */
    struct hf_forward **forwards;
    size_t n_forwards; /* as upstreams */
    struct hf_teller_log *logs;
    size_t n_logs; /* as listeners */
};

/* hf_teller_new. What is wrong goes to findings. Errors: HF_E_CONFIG, HF_E_NOMEM, HF_E_CRYPTO. */
enum hf_err hf_teller_new(struct hf_snapshot_env *env, const struct hf_config *config,
                          const struct hf_materials *materials, struct hf_findings *findings,
                          struct hf_teller **out) HF_MUST_CHECK;
void hf_teller_free(struct hf_teller *teller);

#endif
