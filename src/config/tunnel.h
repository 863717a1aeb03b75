// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_TUNNEL_H
#define HF_CONFIG_TUNNEL_H

#include "config/config.h"

/*
 * struct hf_tunnel_flags is one listener and one upstream, as flags say it. Borrowed strings; NULL:
 * not given, and then the default of the config file holds.
 */
struct hf_tunnel_flags {
    bool server; /* TLS comes in and plain goes out; otherwise plain comes in and TLS goes out */
    const char *listen;
    const char *const *to;
    size_t n_to;
    const char *cert;
    const char *key;
    const char *chain;
    const char *passphrase_file;
    const char *roots;
    const char *name;
    const char *sni;
    bool unsafe_skip_verify;
    const char *proxy_protocol;
    const char *idle_timeout;
    const char *max_connections;
    const char *workers;
    const char *admin;
    const char *metrics;
    const char *log_format;
    const char *log_level;
};

/*
 * hf_config_from_tunnel makes the config that a file with the same settings would: the flags become
 * the file's tree, so checks, defaults and messages are those of a file, with the flag in the place
 * of line and column. Errors: HF_E_CONFIG with findings, HF_E_NOMEM.
 */
enum hf_err hf_config_from_tunnel(const struct hf_tunnel_flags *flags, struct hf_findings *findings,
                                  struct hf_config **out) HF_MUST_CHECK;

#endif
