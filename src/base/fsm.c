// SPDX-License-Identifier: Apache-2.0
#include "base/fsm.h"

#include <stdio.h>
#include <stdlib.h>

void hf_fsm_init(struct hf_fsm *fsm, const struct hf_fsm_state *table, uint8_t n_states,
                 uint8_t first)
{
    *fsm = (struct hf_fsm){.table = table, .n_states = n_states, .state = first};
}

/* Not an assert: an illegal edge must stop release builds too, before it opens a door. */
void hf_fsm_move(struct hf_fsm *fsm, uint8_t to)
{
    if (to >= fsm->n_states || !(fsm->table[fsm->state].next & HF_FSM_TO(to))) {
        fprintf(stderr, "handfast: bug: state %s may not be followed by %s\n", hf_fsm_name(fsm),
                to < fsm->n_states ? fsm->table[to].name : "(none)");
        abort();
    }
    fsm->state = to;
}

const char *hf_fsm_name(const struct hf_fsm *fsm)
{
    return fsm->table[fsm->state].name;
}
