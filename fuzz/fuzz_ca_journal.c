// SPDX-License-Identifier: Apache-2.0
/* journal.jsonl of handfast's own old folders: what is given is whole, and goes on to be parsed as
 * a certificate. */
#include <stdlib.h>
#include <string.h>

#include "ca/store_import.h"
#include "fuzz.h"
#include "pki/cert.h"

static enum hf_err look(void *ctx, const struct hf_old_issue *issue)
{
    const size_t *size = ctx;
    struct hf_cert *cert = NULL;
    if (issue->der.len > *size || issue->der.len > HF_CERT_DER_MAX ||
        strlen(issue->profile) > *size) {
        abort();
    }
    if (hf_cert_from_der(issue->der, &cert) == HF_OK) {
        hf_cert_unref(cert);
    }
    return HF_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)!hf_old_journal_parse(hf_bytes_of(data, size), "journal.jsonl", look, &size);
    return 0;
}
