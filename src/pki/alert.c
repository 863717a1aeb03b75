// SPDX-License-Identifier: Apache-2.0
#include "pki/alert.h"

#include <stddef.h>

#include "base/attr.h"

static const struct {
    uint8_t number;
    const char *name;
    const char *text;
} alerts[] = {
#define ALERT_ROW(id, number, name, text) {number, name, text},
    HF_ALERT_TABLE(ALERT_ROW)
#undef ALERT_ROW
};

const char *hf_alert_name(uint8_t alert)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(alerts); i++) {
        if (alerts[i].number == alert) {
            return alerts[i].name;
        }
    }
    return "unknown";
}

const char *hf_alert_text(uint8_t alert)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(alerts); i++) {
        if (alerts[i].number == alert) {
            return alerts[i].text;
        }
    }
    return "sent an alert that we don't know";
}
