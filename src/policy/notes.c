// SPDX-License-Identifier: Apache-2.0
#include "policy/notes.h"

void hf_note_add(struct hf_notes *notes, struct hf_note note)
{
    if (notes && notes->n < HF_NOTES_MAX) {
        notes->note[notes->n++] = note;
    }
}
