// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_BACKEND_H
#define HF_CLI_BACKEND_H

/*
 * The built-in backend of demos and tests: a small HTTP server that tells who it is talking to. It
 * can read the PROXY header that a proxy puts first, and serve TLS with client certificates.
 *
 *     cmd_backend.c     options, sockets, signals
 *     backend_guest.c   what a connection tells of its client: PROXY header, TLS
 *     backend_site.c    the pages
 */

#include "base/list.h"
#include "pki/trust.h"
#include "proxy/proxy_protocol.h"
#include "tls/tls.h"
#include "watch/httpd.h"

struct hf_backend {
    struct hf_loop *loop;
    bool proxy_protocol;    /* a header is required on every connection */
    struct hf_tls_ctx *tls; /* NULL: plain */
    struct hf_trust *trust; /* NULL: no client certificate is asked for */
    struct hf_link slow;    /* answers that wait for their time */
    void (*say)(void *ctx, const char *line);
    void *say_ctx;
};

/* struct hf_backend_guest is what is known of a connection's other end. */
struct hf_backend_guest {
    struct hf_backend *backend;
    struct hf_addr peer;
    struct hf_buf header_bytes; /* the PROXY header, which `header` points into */
    struct hf_proxy_header header;
    bool has_header;
    struct hf_identity *told; /* the client, by the certificate in the PROXY header; or NULL */
    struct hf_tls *tls;
    struct hf_identity *shown; /* the peer, by the certificate it showed us; or NULL */
    char refusal[HF_VERIFY_TEXT_MAX];
    bool ready;  /* the handshake is done */
    bool closed; /* close_notify is sent */
};

/* hf_backend_filter is the httpd's filter; its ctx is the struct hf_backend. */
struct hf_httpd_filter hf_backend_filter(struct hf_backend *backend);

/* hf_backend_judge is what the TLS context is made with; conn_ctx is the guest. */
extern const struct hf_tls_judge hf_backend_judge;

/* hf_backend_routes: the pages; ctx of the handlers is the struct hf_backend. */
const struct hf_httpd_route *hf_backend_routes(size_t *out_n);

/* hf_backend_end_slow lets go of the calls that wait, once the server is freed. */
void hf_backend_end_slow(struct hf_backend *backend);

#endif
