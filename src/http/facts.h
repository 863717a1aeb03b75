// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_FACTS_H
#define HF_HTTP_FACTS_H

/*
 * struct hf_facts is what is known of one request: who sent it, over what connection, what became
 * of it. One model; the headers that tell a backend (http/forward.h), the templates
 * (http/template.h), the signed token (http/token.h) and the access log (http/access.h) are
 * spellings of it. Built on the stack where it is needed: it owns nothing, and everything that it
 * points at lives at least until the call returns.
 *
 * Strings may be NULL where nothing is known.
 */

#include "base/clock.h"
#include "pki/ders.h"
#include "pki/identity.h"
#include "pki/reason.h"

struct hf_http_msg;
struct hf_forward_memo;

#define HF_REQUEST_ID_SIZE 129 /* with NUL */
#define HF_TRACE_ID_SIZE   33
#define HF_SPAN_ID_SIZE    17

/* struct hf_request_ids names a request: by ours, and by W3C Trace Context. Texts in lower-case
 * hex; made by hf_request_ids_init (http/trace.h). */
struct hf_request_ids {
    char request[HF_REQUEST_ID_SIZE];
    char trace[HF_TRACE_ID_SIZE];
    char span[HF_SPAN_ID_SIZE];   /* ours */
    char parent[HF_SPAN_ID_SIZE]; /* the sender's; "": it had none */
    uint8_t flags;                /* 1: sampled */
    bool fresh;                   /* the trace began here */
};

/* struct hf_ending is how an exchange ended, for the access log. Durations in microseconds, -1
 * where it didn't come to that. */
struct hf_ending {
    enum hf_reason verdict; /* on the request; HF_REASON_OK: let in */
    const char *rule;       /* that decided it */
    unsigned status;        /* sent to the client; 0: none */
    const char *upstream;
    const char *server;
    unsigned upstream_status; /* 0: none came */
    unsigned tries;           /* of servers */
    const char *cause;        /* code of what made it end otherwise than it should; NULL: nothing */
    const char *would_refuse; /* code of the reason why a trial rule would have refused it */
    const char *detail;       /* a sentence about the refusal, or what would have been one */
    uint64_t bytes_in;        /* body bytes from the client */
    uint64_t bytes_out;       /* body bytes to the client */
    int64_t total_us;         /* from the first byte of the head to the last of the answer */
    int64_t connect_us;       /* until a server's connection was there */
    int64_t first_byte_us;    /* from then to the head of its answer */
};

struct hf_facts {
    /* The connection's. */
    const struct hf_identity *identity; /* of the client's certificate; NULL: it sent none */
    const struct hf_ders *chain;        /* as it was sent, at resumption too; NULL likewise, or
                                           where nobody wants it */
    bool verified;                      /* both may be relied on */
    bool tell_unverified;               /* tell of them even so; hf_forward_apply decides this */
    enum hf_reason verdict;             /* on the connection; not OK only with request-unverified */
    const struct hf_identity *own;      /* of the certificate that we showed; NULL: none */
    const char *connection_id;
    const char *listener;
    const char *sni;
    const char *alpn;
    const char *tls_version; /* "TLSv1.3"; NULL: plain */
    const char *tls_suite;
    bool resumed;
    const char *peer_address;   /* who connected, without port; NULL: a unix socket */
    const char *client_address; /* the same, or what a trusted proxy says of its client */
    uint16_t client_port;       /* 0: unknown */
    uint16_t server_port;       /* that was connected to; 0: a unix socket */
    bool trusted;               /* a listed proxy: what its headers say of its client is believed */
    struct hf_forward_memo **memo; /* the connection's, see http/forward.h; NULL: it keeps none */

    /* The request's, as it came. */
    struct hf_bytes method;
    struct hf_bytes scheme; /* "https" */
    struct hf_bytes host;   /* Host or :authority, with its port if it had one */
    struct hf_bytes path;   /* "*" for OPTIONS * */
    struct hf_bytes query;  /* without "?" */
    bool has_query;
    const char *protocol;              /* "HTTP/1.1", "HTTP/2.0" */
    const struct hf_http_msg *request; /* for the templates' {header.NAME}; NULL: not any more */
    const struct hf_request_ids *ids;
    const char *route;
    const char *user; /* of a password or token that was checked, safe to print; NULL: none */
    int64_t now_ms;   /* wall clock, when the request came */

    const struct hf_ending *outcome; /* NULL until the exchange is over */
};

/* hf_facts_peer: the identity, if it may be told at all: it was verified, or is told even so. */
const struct hf_identity *hf_facts_peer(const struct hf_facts *facts);

/* hf_facts_names: the same, if its names may be told, too: nothing in them is mangled. */
const struct hf_identity *hf_facts_names(const struct hf_facts *facts);

/*
 * hf_facts_id names the client such that no two kinds of names can be taken for each other: its
 * SPIFFE ID, or the first that there is of dn:, dns:, email:, uri: (as in a selector), or
 * cert-sha256:. NULL for nobody.
 */
struct hf_peer_id {
    const char *prefix; /* "", "dn:" ... */
    const char *name;   /* as in struct hf_identity */
};
struct hf_peer_id hf_facts_id(const struct hf_facts *facts);

#endif
