// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_MISHAP_H
#define HF_PROXY_HTTP_MISHAP_H

/*
 * What can go wrong with an exchange that is nobody's verdict: one table. Columns: id, stable code
 * (log, metrics, what the client reads), the status when we answer for it (0: nobody is there to be
 * answered), a sentence for the client. What is wrong with a message has codes of its own
 * (http/fault.h), so has what policy refuses (pki/reason.h).
 */
#define HF_MISHAP_TABLE(X) \
    X(NONE, "none", 0, "") \
    X(REFUSED, "refused", 403, "The request was refused.") \
    X(BAD_REQUEST, "bad-request", 400, "The request is not well-formed HTTP.") \
    X(BAD_PATH, "bad-path", 400, "The path of the request is not acceptable.") \
    X(HEAD_TOO_LARGE, "head-too-large", 431, "The request's header fields are too large.") \
    X(BAD_FORWARDED, "bad-forwarded", 400, "What a proxy says of its client is not well-formed.") \
    X(REQUEST_TIMEOUT, "request-timeout", 408, "The request took too long to arrive.") \
    X(REQUEST_TOO_LARGE, "request-too-large", 413, "The request's body is larger than allowed.") \
    X(NO_CONNECT, "connect-refused", 405, "CONNECT is not served here.") \
    X(UNREACHABLE, "upstream-unreachable", 502, "The service can't be reached.") \
    X(UNAVAILABLE, "upstream-unavailable", 503, "The service is not available now.") \
    X(CONNECT_TIMEOUT, "upstream-connect-timeout", 504, "The service can't be reached in time.") \
    X(UPSTREAM_TLS, "upstream-tls-error", 502, "The service can't be reached securely.") \
    X(UPSTREAM_CLOSED, "upstream-closed", 502, "The service closed without an answer.") \
    X(UPSTREAM_RESET, "upstream-reset", 502, "The service broke off without an answer.") \
    X(UPSTREAM_TRUNCATED, "upstream-truncated", 502, "The service's answer was cut short.") \
    X(UPSTREAM_PROTOCOL, "upstream-protocol", 502, "The service's answer is not well-formed.") \
    X(UPSTREAM_TIMEOUT, "upstream-timeout", 504, "The service didn't answer in time.") \
    X(TOTAL_TIMEOUT, "total-timeout", 504, "The request took too long.") \
    X(CLIENT_CLOSED, "client-closed", 0, "") \
    X(CLIENT_RESET, "client-reset", 0, "") \
    X(CLIENT_IDLE, "client-idle", 0, "") \
    X(DRAINED, "drain-timeout", 503, "The proxy is being stopped.") \
    X(INTERNAL, "internal", 500, "Something went wrong in the proxy.")

#define HF_MISHAP_ENUM(id, code, status, text) HF_MISHAP_##id,
enum hf_mishap { HF_MISHAP_TABLE(HF_MISHAP_ENUM) HF_MISHAP_N };
#undef HF_MISHAP_ENUM

const char *hf_mishap_code(enum hf_mishap mishap);
const char *hf_mishap_text(enum hf_mishap mishap);
unsigned hf_mishap_status(enum hf_mishap mishap);

#endif
