// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"

/*
 * certificate_authorities (RFC 8446 4.2.4). A server sends the names of its policy, a client those
 * that its config gives. Either looks for the peer's in the chains that it could send, while the
 * message is at hand.
 */

enum hf_err hf_ext_authorities_write_ch(struct hf_native *conn, struct hf_buf *body,
                                        bool *out_include)
{
    struct hf_bytes names = hf_native_ctx(conn)->ca_names;
    *out_include = names.len != 0;
    return hf_buf_append(body, names);
}

enum hf_err hf_ext_authorities_write_cr(struct hf_native *conn, struct hf_buf *body,
                                        bool *out_include)
{
    const struct hf_tls_policy *policy = conn->policy;
    struct hf_buf_vec list, name;
    *out_include = policy->n_ca_names != 0;
    HF_TRY(hf_buf_vec_open(body, 2, &list));
    for (size_t i = 0; i < policy->n_ca_names; i++) {
        HF_TRY(hf_buf_vec_open(body, 2, &name));
        HF_TRY(hf_buf_append(body, policy->ca_names[i]));
        HF_TRY(hf_buf_vec_close(body, name));
    }
    return hf_buf_vec_close(body, list);
}

enum hf_err hf_ext_authorities_read(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes list, name;
    HF_TRY(hf_read_vec16(&reader, &list));
    HF_TRY(hf_read_end(&reader));
    if (list.len == 0) {
        return hf_fail(HF_E_MALFORMED, "an empty list of authorities");
    }
    for (reader = hf_reader_of(list); reader.rest.len;) {
        HF_TRY(hf_read_vec16(&reader, &name));
        if (name.len == 0) {
            return hf_fail(HF_E_MALFORMED, "an empty name of an authority");
        }
    }
    conn->hs->authorities = list;
    return HF_OK;
}
