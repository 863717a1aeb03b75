// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_TLS_SUITE_IMPL_H
#define HF_TEST_TLS_SUITE_IMPL_H

/* What the files of the suite share: walking over versions, and assertions about pairs. */

#include "suite.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

extern struct suite suite; /* the one under test */

/* pair_of: the suite's engines, speaking this version alone. */
void pair_of(struct pair *pair, enum hf_tls_version version);

/* pair_with_ticket has shaken hands in full; pair->session is the ticket that came.
 * pair_keep_ticket does the second half for a pair that was set up otherwise. */
void pair_with_ticket(struct pair *pair, enum hf_tls_version version);
void pair_keep_ticket(struct pair *pair);

extern const enum hf_tls_version suite_versions[2];

#define FOR_EACH_VERSION(version) \
    for (size_t version##_i = 0; version##_i < HF_N_ELEMENTS(suite_versions); version##_i++) \
        for (enum hf_tls_version version = suite_versions[version##_i]; version; version = 0) \
            if (version >= suite.min_version && version <= suite.max_version)

void assert_open(const struct pair *pair);
void assert_same_chain(const struct side *side, const struct hf_credential *peer);
void assert_carries_data(struct pair *pair);

/* assert_good_pair: open, alike on both sides, carries data, exports alike, closes in order. */
void assert_good_pair(struct pair *pair, enum hf_tls_version version);

/* The peer got exactly this alert; what arrives in place of one that TLS 1.2 hasn't. */
void assert_refused(const struct side *side, const struct side *peer, uint8_t alert);
uint8_t alert_arriving(enum hf_tls_version version, uint8_t alert);

#define REFUSE(alert_) ((struct hf_tls_answer){.admit = false, .alert = (alert_)})

struct suite_part {
    const struct CMUnitTest *tests;
    size_t n_tests;
};
#define SUITE_PART(name) const struct suite_part name = {name##_tests, HF_N_ELEMENTS(name##_tests)}

extern const struct suite_part suite_handshake, suite_refusal, suite_resumption, suite_choice,
    suite_hostile, suite_wait;

#endif
