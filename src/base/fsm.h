// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_FSM_H
#define HF_BASE_FSM_H

/*
 * Checked state machines. A machine is a const table: per state its name, the set of states that
 * may follow, and how long it may last. hf_fsm_move is the only writer of the state; a move that
 * the table doesn't list is our bug and ends the process.
 */

#include <stdint.h>

struct hf_fsm_state {
    const char *name;
    uint32_t next;        /* bit n set: state n may follow */
    uint32_t deadline_ms; /* 0: no deadline of its own */
};

struct hf_fsm {
    const struct hf_fsm_state *table;
    uint8_t n_states; /* at most 32 */
    uint8_t state;
};

#define HF_FSM_TO(state) (1u << (state))

void hf_fsm_init(struct hf_fsm *fsm, const struct hf_fsm_state *table, uint8_t n_states,
                 uint8_t first);
void hf_fsm_move(struct hf_fsm *fsm, uint8_t to);
const char *hf_fsm_name(const struct hf_fsm *fsm);

#endif
