// SPDX-License-Identifier: Apache-2.0
#include "cli/ca_which.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"
#include "pki/pem.h"

enum { FILE_CAP = 1 << 20 };

enum hf_err hf_ca_which_read(const struct hf_ca_which_values *values, struct hf_ca_which *out)
{
    *out = (struct hf_ca_which){
        .authority = values->authority,
        .identity = values->identity,
        .profile = values->profile,
        .requester = values->requester,
        .text = values->text,
        .never_seen = values->never_seen,
    };
    if (values->expiring_ms) {
        out->expires_before = hf_clock_wall_s(&hf_os_clock) + values->expiring_ms / 1000;
    }
    return HF_OK;
}

enum hf_err hf_ca_serial_of_file(const char *path, char **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(FILE_CAP);
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    struct hf_identity *id = NULL;
    *out = NULL;
    HF_TRY(hf_file_read(path, &text));
    HF_TRY(hf_certs_parse(hf_buf_bytes(&text), path, HF_CHAIN_MAX, &chain));
    HF_TRY(hf_identity_new(chain->certs[0], &id));
    *out = hf_strdup(id->serial);
    hf_identity_unref(id);
    return *out ? HF_OK : HF_E_NOMEM;
}
