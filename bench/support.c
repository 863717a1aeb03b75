// SPDX-License-Identifier: Apache-2.0
#include "support.h"

#include <string.h>

#include "os/file.h"

enum hf_err bench_credential(const char *cert_path, const char *key_path,
                             struct hf_credential **out)
{
    struct hf_buf cert HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(HF_FILE_MAX);
    struct hf_buf key HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(HF_FILE_MAX);
    HF_TRY(hf_file_read(cert_path, &cert));
    HF_TRY(hf_file_read(key_path, &key));
    const struct hf_credential_source source = {
        .cert = hf_buf_bytes(&cert),
        .cert_label = cert_path,
        .key = hf_buf_bytes(&key),
        .key_label = key_path,
    };
    enum hf_err err = hf_credential_new(&source, out);
    hf_buf_wipe(&key);
    return err;
}

enum hf_err bench_engine(const char *name, enum hf_tls_engine *out)
{
    static const char *const names[] = {
        [HF_TLS_ENGINE_AUTO] = "auto",
        [HF_TLS_ENGINE_LIBSSL] = "libssl",
        [HF_TLS_ENGINE_NATIVE] = "native",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum hf_tls_engine)i;
            return HF_OK;
        }
    }
    return hf_fail(HF_E_INVALID, "engines are auto, libssl and native, not \"%s\"", name);
}

struct hf_tls_answer bench_admit(void *conn_ctx, const struct hf_tls_peer *peer)
{
    (void)conn_ctx;
    (void)peer;
    return (struct hf_tls_answer){.admit = true, .alert = HF_ALERT_NONE};
}
