// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_EXT_LIST_H
#define HF_TLS_NATIVE_EXT_LIST_H

/* The writers and readers of single extensions, for ext_table.c. What each does, and the section
 * it follows, is said in its ext_<name>.c. */

#include "tls/native/ext.h"

hf_ext_writer hf_ext_versions_write_ch, hf_ext_versions_write_sh;
hf_ext_reader hf_ext_versions_read_ch, hf_ext_versions_read_sh;

hf_ext_writer hf_ext_groups_write_ch;
hf_ext_reader hf_ext_groups_read_ch;

hf_ext_writer hf_ext_share_write_ch, hf_ext_share_write_sh, hf_ext_share_write_hrr;
hf_ext_reader hf_ext_share_read_ch, hf_ext_share_read_sh, hf_ext_share_read_hrr;

hf_ext_writer hf_ext_schemes_write, hf_ext_cert_schemes_write;
hf_ext_reader hf_ext_schemes_read, hf_ext_cert_schemes_read;

hf_ext_writer hf_ext_name_write_ch, hf_ext_name_write_ee;
hf_ext_reader hf_ext_name_read_ch, hf_ext_name_read_ee;

hf_ext_writer hf_ext_alpn_write_ch, hf_ext_alpn_write_ee;
hf_ext_reader hf_ext_alpn_read_ch, hf_ext_alpn_read_ee;

hf_ext_writer hf_ext_psk_modes_write, hf_ext_psk_write_ch, hf_ext_psk_write_sh;
hf_ext_reader hf_ext_psk_modes_read, hf_ext_psk_read_sh;

hf_ext_writer hf_ext_cookie_write_ch, hf_ext_cookie_write_hrr;
hf_ext_reader hf_ext_cookie_read_ch, hf_ext_cookie_read_hrr;

hf_ext_writer hf_ext_authorities_write_ch, hf_ext_authorities_write_cr;
hf_ext_reader hf_ext_authorities_read;

hf_ext_writer hf_ext_status_write_ch, hf_ext_status_write_cr, hf_ext_status_write_ct;
hf_ext_reader hf_ext_status_read_ch, hf_ext_status_read_cr, hf_ext_status_read_ct;

hf_ext_writer hf_ext_limit_write_ch, hf_ext_limit_write_ee;
hf_ext_reader hf_ext_limit_read_ch, hf_ext_limit_read_ee;

hf_ext_writer hf_ext_compress_write;
hf_ext_reader hf_ext_compress_read;

hf_ext_writer hf_ext_post_auth_write;
hf_ext_reader hf_ext_post_auth_read;

hf_ext_reader hf_ext_early_read_ch;

#endif
