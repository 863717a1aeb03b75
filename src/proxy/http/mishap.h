// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_MISHAP_H
#define HF_PROXY_HTTP_MISHAP_H

/*
 * What can go wrong with an exchange that is nobody's verdict: one table. Columns: id, stable code
 * (log, metrics, what the client reads), the status when we answer for it (0: nobody is there to be
 * answered), a sentence for the client, what the operator can do. What is wrong with a message has
 * codes of its own (http/fault.h), so has what policy refuses (pki/reason.h).
 */
#define HF_MISHAP_TABLE(X) \
    X(NONE, "none", 0, "", "nothing") \
    X(REFUSED, "refused", 403, "The request was refused.", "see the verdict's own code") \
    X(BAD_REQUEST, "bad-request", 400, "The request is not well-formed HTTP.", \
      "correct what sends the request; the code of the fault says what is wrong") \
    X(BAD_PATH, "bad-path", 400, "The path of the request is not acceptable.", \
      "ask for the path in plain form; http.paths says which forms are taken") \
    X(HEAD_TOO_LARGE, "head-too-large", 431, "The request's header fields are too large.", \
      "send fewer or shorter fields (cookies grow most), or raise the listener's limits") \
    X(BAD_FORWARDED, "bad-forwarded", 400, "What a proxy says of its client is not well-formed.", \
      "correct the proxy in front: its Forwarded or X-Forwarded-For can't be read") \
    X(REQUEST_TIMEOUT, "request-timeout", 408, "The request took too long to arrive.", \
      "see what is slow, the network or the client; the listener's timeouts are the limit") \
    X(REQUEST_TOO_LARGE, "request-too-large", 413, "The request's body is larger than allowed.", \
      "send less, or raise max-body of the route") \
    X(NO_CONNECT, "connect-refused", 405, "CONNECT is not served here.", \
      "point the client at another proxy; this one serves its routes only") \
    X(UNREACHABLE, "upstream-unreachable", 502, "The service can't be reached.", \
      "start the upstream's servers, or correct their addresses") \
    X(UNAVAILABLE, "upstream-unavailable", 503, "The service is not available now.", \
      "see handfast upstream list: no server takes requests, or all places are taken") \
    X(CONNECT_TIMEOUT, "upstream-connect-timeout", 504, "The service can't be reached in time.", \
      "see why the upstream's servers don't answer; connect-timeout is the limit") \
    X(UPSTREAM_TLS, "upstream-tls-error", 502, "The service can't be reached securely.", \
      "look for the line 'upstream' in the log: it says which certificate was refused, and why") \
    X(UPSTREAM_CLOSED, "upstream-closed", 502, "The service closed without an answer.", \
      "look in the upstream server's log") \
    X(UPSTREAM_RESET, "upstream-reset", 502, "The service broke off without an answer.", \
      "look in the upstream server's log") \
    X(UPSTREAM_TRUNCATED, "upstream-truncated", 502, "The service's answer was cut short.", \
      "look in the upstream server's log: it ended in the middle of an answer") \
    X(UPSTREAM_PROTOCOL, "upstream-protocol", 502, "The service's answer is not well-formed.", \
      "correct the upstream server: it doesn't answer in HTTP, or not well-formed") \
    X(UPSTREAM_TIMEOUT, "upstream-timeout", 504, "The service didn't answer in time.", \
      "see why the upstream server is slow; the upstream's response-timeout is the limit") \
    X(TOTAL_TIMEOUT, "total-timeout", 504, "The request took too long.", \
      "see what is slow; the route's timeout is the limit") \
    X(CLIENT_CLOSED, "client-closed", 0, "The client closed the connection.", \
      "nothing: the client went away") \
    X(CLIENT_RESET, "client-reset", 0, "The client reset the request.", \
      "nothing: the client gave the request up") \
    X(CLIENT_IDLE, "client-idle", 0, "The client fell silent.", \
      "nothing: the client went silent in the middle of a request") \
    X(DRAINED, "drain-timeout", 503, "The proxy is being stopped.", \
      "try again: the proxy was being stopped") \
    X(INTERNAL, "internal", 500, "Something went wrong in the proxy.", \
      "look at the log around this line and report it with the id")

#define HF_MISHAP_ENUM(id, code, status, text, todo) HF_MISHAP_##id,
enum hf_mishap { HF_MISHAP_TABLE(HF_MISHAP_ENUM) HF_MISHAP_N };
#undef HF_MISHAP_ENUM

const char *hf_mishap_code(enum hf_mishap mishap);
const char *hf_mishap_text(enum hf_mishap mishap);
const char *hf_mishap_todo(enum hf_mishap mishap); /* imperative, no full stop */
unsigned hf_mishap_status(enum hf_mishap mishap);

#endif
