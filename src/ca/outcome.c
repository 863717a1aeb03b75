// SPDX-License-Identifier: Apache-2.0
#include "ca/service.h"

static const struct {
    const char *name, *title;
    unsigned status;
} outcomes[] = {
#define ROW(id, name_, status_, title_) [HF_CA_##id] = {name_, title_, status_},
    HF_CA_OUTCOME_TABLE(ROW)
#undef ROW
};

const char *hf_ca_outcome_name(enum hf_ca_outcome outcome)
{
    return outcomes[outcome].name;
}

const char *hf_ca_outcome_title(enum hf_ca_outcome outcome)
{
    return outcomes[outcome].title;
}

unsigned hf_ca_outcome_status(enum hf_ca_outcome outcome)
{
    return outcomes[outcome].status;
}

const char *hf_ca_verb_name(enum hf_ca_verb verb)
{
    static const char *const names[] = {
#define ROW(id, name) [HF_CA_VERB_##id] = name,
        HF_CA_VERB_TABLE(ROW)
#undef ROW
    };
    return names[verb];
}
