// SPDX-License-Identifier: Apache-2.0
#include "tls/native/ext_list.h"

#include <stddef.h>

/*
 * Which function writes and reads which extension in which message. The order is the order of the
 * work: a reader may rely on those above it, whatever order the peer sent. pre_shared_key is last
 * in a ClientHello, as RFC 8446 4.2.11 wants it on the wire; a server reads it after all choices
 * are made (psk.c), so it has no reader here.
 */

#define END HF_EXT_N

static const struct hf_ext_writers write_ch[] = {
    {HF_EXT_SERVER_NAME, hf_ext_name_write_ch},
    {HF_EXT_STATUS_REQUEST, hf_ext_status_write_ch},
    {HF_EXT_SUPPORTED_GROUPS, hf_ext_groups_write_ch},
    {HF_EXT_SIGNATURE_ALGORITHMS, hf_ext_schemes_write},
    {HF_EXT_SIGNATURE_ALGORITHMS_CERT, hf_ext_cert_schemes_write},
    {HF_EXT_CERT_AUTHORITIES, hf_ext_authorities_write_ch},
    {HF_EXT_ALPN, hf_ext_alpn_write_ch},
    {HF_EXT_COMPRESS_CERTIFICATE, hf_ext_compress_write},
    {HF_EXT_RECORD_SIZE_LIMIT, hf_ext_limit_write_ch},
    {HF_EXT_SUPPORTED_VERSIONS, hf_ext_versions_write_ch},
    {HF_EXT_COOKIE, hf_ext_cookie_write_ch},
    {HF_EXT_PSK_MODES, hf_ext_psk_modes_write},
    {HF_EXT_POST_HANDSHAKE_AUTH, hf_ext_post_auth_write},
    {HF_EXT_KEY_SHARE, hf_ext_share_write_ch},
    {HF_EXT_PRE_SHARED_KEY, hf_ext_psk_write_ch},
    {END, NULL},
};
static const struct hf_ext_readers read_ch[] = {
    {HF_EXT_SERVER_NAME, hf_ext_name_read_ch},
    {HF_EXT_SUPPORTED_GROUPS, hf_ext_groups_read_ch},
    {HF_EXT_COOKIE, hf_ext_cookie_read_ch},
    {HF_EXT_KEY_SHARE, hf_ext_share_read_ch},
    {HF_EXT_SIGNATURE_ALGORITHMS, hf_ext_schemes_read},
    {HF_EXT_SIGNATURE_ALGORITHMS_CERT, hf_ext_cert_schemes_read},
    {HF_EXT_CERT_AUTHORITIES, hf_ext_authorities_read},
    {HF_EXT_STATUS_REQUEST, hf_ext_status_read_ch},
    {HF_EXT_ALPN, hf_ext_alpn_read_ch},
    {HF_EXT_COMPRESS_CERTIFICATE, hf_ext_compress_read},
    {HF_EXT_RECORD_SIZE_LIMIT, hf_ext_limit_read_ch},
    {HF_EXT_PSK_MODES, hf_ext_psk_modes_read},
    {HF_EXT_POST_HANDSHAKE_AUTH, hf_ext_post_auth_read},
    {HF_EXT_EARLY_DATA, hf_ext_early_read_ch},
    {END, NULL},
};

static const struct hf_ext_writers write_sh[] = {
    {HF_EXT_SUPPORTED_VERSIONS, hf_ext_versions_write_sh},
    {HF_EXT_KEY_SHARE, hf_ext_share_write_sh},
    {HF_EXT_PRE_SHARED_KEY, hf_ext_psk_write_sh},
    {END, NULL},
};
static const struct hf_ext_readers read_sh[] = {
    {HF_EXT_SUPPORTED_VERSIONS, hf_ext_versions_read_sh},
    {HF_EXT_KEY_SHARE, hf_ext_share_read_sh},
    {HF_EXT_PRE_SHARED_KEY, hf_ext_psk_read_sh},
    {END, NULL},
};

static const struct hf_ext_writers write_hrr[] = {
    {HF_EXT_SUPPORTED_VERSIONS, hf_ext_versions_write_sh},
    {HF_EXT_KEY_SHARE, hf_ext_share_write_hrr},
    {HF_EXT_COOKIE, hf_ext_cookie_write_hrr},
    {END, NULL},
};
static const struct hf_ext_readers read_hrr[] = {
    {HF_EXT_SUPPORTED_VERSIONS, hf_ext_versions_read_sh},
    {HF_EXT_KEY_SHARE, hf_ext_share_read_hrr},
    {HF_EXT_COOKIE, hf_ext_cookie_read_hrr},
    {END, NULL},
};

static const struct hf_ext_writers write_ee[] = {
    {HF_EXT_SERVER_NAME, hf_ext_name_write_ee},
    {HF_EXT_ALPN, hf_ext_alpn_write_ee},
    {HF_EXT_RECORD_SIZE_LIMIT, hf_ext_limit_write_ee},
    {END, NULL},
};
static const struct hf_ext_readers read_ee[] = {
    {HF_EXT_SERVER_NAME, hf_ext_name_read_ee},
    {HF_EXT_ALPN, hf_ext_alpn_read_ee},
    {HF_EXT_RECORD_SIZE_LIMIT, hf_ext_limit_read_ee},
    {END, NULL},
};

static const struct hf_ext_writers write_cr[] = {
    {HF_EXT_SIGNATURE_ALGORITHMS, hf_ext_schemes_write},
    {HF_EXT_SIGNATURE_ALGORITHMS_CERT, hf_ext_cert_schemes_write},
    {HF_EXT_CERT_AUTHORITIES, hf_ext_authorities_write_cr},
    {HF_EXT_STATUS_REQUEST, hf_ext_status_write_cr},
    {HF_EXT_COMPRESS_CERTIFICATE, hf_ext_compress_write},
    {END, NULL},
};
static const struct hf_ext_readers read_cr[] = {
    {HF_EXT_SIGNATURE_ALGORITHMS, hf_ext_schemes_read},
    {HF_EXT_SIGNATURE_ALGORITHMS_CERT, hf_ext_cert_schemes_read},
    {HF_EXT_CERT_AUTHORITIES, hf_ext_authorities_read},
    {HF_EXT_STATUS_REQUEST, hf_ext_status_read_cr},
    {HF_EXT_COMPRESS_CERTIFICATE, hf_ext_compress_read},
    {END, NULL},
};

/* The entries above the leaf's carry nothing that we send; a peer's may. */
static const struct hf_ext_writers write_ct[] = {
    {HF_EXT_STATUS_REQUEST, hf_ext_status_write_ct},
    {END, NULL},
};
static const struct hf_ext_readers read_ct[] = {
    {HF_EXT_STATUS_REQUEST, hf_ext_status_read_ct},
    {END, NULL},
};

static const struct hf_ext_writers write_nst[] = {{END, NULL}};
static const struct hf_ext_readers read_nst[] = {{END, NULL}};

const struct hf_ext_writers *const hf_ext_writers[HF_EXT_IN_N] = {
    [HF_EXT_IN_CH] = write_ch,   [HF_EXT_IN_SH] = write_sh, [HF_EXT_IN_HRR] = write_hrr,
    [HF_EXT_IN_EE] = write_ee,   [HF_EXT_IN_CR] = write_cr, [HF_EXT_IN_CT] = write_ct,
    [HF_EXT_IN_NST] = write_nst,
};

const struct hf_ext_readers *const hf_ext_readers[HF_EXT_IN_N] = {
    [HF_EXT_IN_CH] = read_ch,   [HF_EXT_IN_SH] = read_sh, [HF_EXT_IN_HRR] = read_hrr,
    [HF_EXT_IN_EE] = read_ee,   [HF_EXT_IN_CR] = read_cr, [HF_EXT_IN_CT] = read_ct,
    [HF_EXT_IN_NST] = read_nst,
};
