// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_JOB_H
#define HF_TLS_NATIVE_JOB_H

/*
 * The asymmetric work of a handshake, as jobs. An act asks for one and moves to the state that will
 * read its answer; the drive hands it out (HF_TLS_WANT_JOB) and enters that state when it has been
 * run. A job holds all that it needs, so it may run in any thread while nothing else touches the
 * connection; nothing in the machine assumes that it ran at once, or in what order connections are
 * answered.
 *
 *      IDLE --ask--> ASKED --hf_tls_job_run--> ANSWERED --act reads--> IDLE
 */

#include "crypto/kex.h"
#include "crypto/sign.h"
#include "crypto/verify.h"
#include "tls/tls_impl.h"

enum hf_native_job_kind { HF_JOB_KEYGEN, HF_JOB_DERIVE, HF_JOB_SIGN, HF_JOB_VERIFY };
enum hf_native_job_state { HF_JOB_IDLE, HF_JOB_ASKED, HF_JOB_ANSWERED };

/* 64 spaces, the longest context string with its NUL, a hash (RFC 8446 4.4.3) */
#define HF_JOB_MESSAGE_MAX (64 + 34 + HF_HASH_MAX)

struct hf_native_job {
    struct hf_tls_job base;
    enum hf_native_job_state state;
    enum hf_native_job_kind kind;
    enum hf_err result; /* the answer's; its sentence is kept in text */
    char text[160];
    union {
        struct {
            const struct hf_rng *rng;
            struct hf_kex *pair; /* the group is set; filled in by the job */
            size_t n_pairs;
        } keygen;
        struct {
            const struct hf_kex *pair;
            struct hf_bytes peer;
            struct hf_secret *shared;
        } derive;
        struct {
            struct hf_sign_key *key;
            uint16_t scheme;
            size_t message_len, sig_len;
            uint8_t message[HF_JOB_MESSAGE_MAX];
            uint8_t sig[HF_SIGNATURE_MAX];
        } sign;
        struct {
            const struct hf_verify_key *key;
            uint16_t scheme;
            size_t message_len, sig_len;
            uint8_t message[HF_JOB_MESSAGE_MAX];
            uint8_t sig[HF_SIGNATURE_MAX];
        } verify;
    };
};

struct hf_native;

/* hf_native_job_ask puts the job, whose kind's fields are filled in, before whoever runs jobs. */
void hf_native_job_ask(struct hf_native *conn, enum hf_native_job_kind kind);

/* hf_native_job_take gives the answer's result and makes the job idle. */
enum hf_err hf_native_job_take(struct hf_native *conn) HF_MUST_CHECK;

struct hf_tls_job *hf_native_job(struct hf_tls *tls);
void hf_native_job_run(struct hf_tls_job *job);

#endif
