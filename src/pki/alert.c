// SPDX-License-Identifier: Apache-2.0
#include "pki/alert.h"

#include <stddef.h>
#include <string.h>

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

bool hf_alert_is_about_certificate(uint8_t alert)
{
    static const uint8_t about[] = {
        HF_ALERT_BAD_CERTIFICATE,     HF_ALERT_UNSUPPORTED_CERTIFICATE,
        HF_ALERT_CERTIFICATE_REVOKED, HF_ALERT_CERTIFICATE_EXPIRED,
        HF_ALERT_CERTIFICATE_UNKNOWN, HF_ALERT_UNKNOWN_CA,
        HF_ALERT_ACCESS_DENIED,       HF_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE,
    };
    return memchr(about, alert, sizeof(about)) != NULL;
}
