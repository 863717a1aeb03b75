// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_REASON_H
#define HF_PKI_REASON_H

#include "pki/alert.h"

/*
 * Why a peer was refused: one table for every door. Columns: id, stable code (logs, metrics, JSON),
 * the step that decides it, the TLS alert it becomes, what it means. The order is free, codes are
 * for ever. A verdict adds a sentence with the particulars.
 */
#define HF_REASON_TABLE(X) \
    X(OK, "ok", NONE, NONE, "admitted") \
    X(NO_CERTIFICATE, "no-certificate", CERTIFICATE, CERTIFICATE_REQUIRED, \
      "the peer sent no certificate") \
    X(BAD_CERTIFICATE, "bad-certificate", CERTIFICATE, BAD_CERTIFICATE, \
      "a certificate can't be parsed") \
    X(CHAIN_TOO_LONG, "chain-too-long", CHAIN, BAD_CERTIFICATE, \
      "more certificates than the limit") \
    X(UNKNOWN_CA, "unknown-ca", CHAIN, UNKNOWN_CA, "the chain leads to no trusted root") \
    X(SELF_SIGNED, "self-signed", CHAIN, UNKNOWN_CA, \
      "the certificate is signed by itself and isn't among the roots") \
    X(MISSING_INTERMEDIATE, "missing-intermediate", CHAIN, UNKNOWN_CA, \
      "a CA certificate between leaf and root was not sent") \
    X(BAD_SIGNATURE, "bad-signature", CHAIN, DECRYPT_ERROR, "a signature in the chain is wrong") \
    X(PATH_TOO_DEEP, "path-too-deep", CHAIN, UNKNOWN_CA, "the chain is deeper than allowed") \
    X(NOT_A_CA, "not-a-ca", CHAIN, BAD_CERTIFICATE, \
      "a certificate in the chain may not sign others") \
    X(PATH_LENGTH, "path-length", CHAIN, BAD_CERTIFICATE, \
      "a CA's path length constraint is passed") \
    X(NAME_CONSTRAINT, "name-constraint", CHAIN, BAD_CERTIFICATE, \
      "a name is outside what a CA in the chain may certify") \
    X(CRITICAL_EXTENSION, "critical-extension", CHAIN, UNSUPPORTED_CERTIFICATE, \
      "a critical extension isn't understood") \
    X(WEAK_KEY, "weak-key", CHAIN, INSUFFICIENT_SECURITY, "a key in the chain is too weak") \
    X(WEAK_SIGNATURE, "weak-signature", CHAIN, INSUFFICIENT_SECURITY, \
      "a signature in the chain uses a weak hash") \
    X(INVALID_CHAIN, "invalid-chain", CHAIN, BAD_CERTIFICATE, \
      "the chain breaks a rule of RFC 5280") \
    X(EXPIRED, "expired", DATES, CERTIFICATE_EXPIRED, "a certificate has expired") \
    X(NOT_YET_VALID, "not-yet-valid", DATES, CERTIFICATE_EXPIRED, "a certificate isn't valid yet") \
    X(WRONG_USAGE, "wrong-usage", USAGE, UNSUPPORTED_CERTIFICATE, \
      "the certificate is for another use") \
    X(WRONG_NAME, "wrong-name", NAME, BAD_CERTIFICATE, \
      "the certificate has not the expected name") \
    X(REVOKED, "revoked", REVOCATION, CERTIFICATE_REVOKED, "a certificate is revoked") \
    X(ON_HOLD, "on-hold", REVOCATION, CERTIFICATE_REVOKED, \
      "a certificate is revoked for the time being") \
    X(DENY_LISTED, "deny-listed", REVOCATION, CERTIFICATE_REVOKED, \
      "the operator's deny list names the peer") \
    X(CRL_STALE, "crl-stale", REVOCATION, CERTIFICATE_UNKNOWN, \
      "the revocation list is out of date") \
    X(CRL_NOT_YET, "crl-not-yet", REVOCATION, CERTIFICATE_UNKNOWN, \
      "the revocation list begins in the future") \
    X(CRL_MISSING, "crl-missing", REVOCATION, CERTIFICATE_UNKNOWN, \
      "no revocation list speaks for a certificate") \
    X(CRL_UNTRUSTED, "crl-untrusted", REVOCATION, CERTIFICATE_UNKNOWN, \
      "the revocation list is not signed by the issuer") \
    X(PROTOCOL, "protocol", HANDSHAKE, DECODE_ERROR, "the peer broke the TLS protocol") \
    X(NOT_TLS, "not-tls", HANDSHAKE, DECODE_ERROR, "what came is not TLS") \
    X(PLAIN_HTTP, "plain-http", HANDSHAKE, DECODE_ERROR, "plain HTTP came where TLS is spoken") \
    X(NO_COMMON_VERSION, "no-common-version", HANDSHAKE, PROTOCOL_VERSION, \
      "no TLS version in common") \
    X(NO_COMMON_SUITE, "no-common-suite", HANDSHAKE, HANDSHAKE_FAILURE, \
      "no cipher suite in common") \
    X(NO_COMMON_GROUP, "no-common-group", HANDSHAKE, HANDSHAKE_FAILURE, \
      "no key exchange group in common") \
    X(NO_COMMON_SIGNATURE, "no-common-signature", HANDSHAKE, HANDSHAKE_FAILURE, \
      "no signature algorithm in common") \
    X(NO_COMMON_ALPN, "no-common-alpn", HANDSHAKE, NO_APPLICATION_PROTOCOL, \
      "no application protocol in common") \
    X(UNKNOWN_SNI, "unknown-sni", HANDSHAKE, UNRECOGNIZED_NAME, \
      "no identity for the server name asked for") \
    X(BAD_PROOF, "bad-proof", HANDSHAKE, DECRYPT_ERROR, \
      "the peer did not prove that it holds its key") \
    X(PEER_ALERT, "peer-alert", HANDSHAKE, NONE, "the peer ended the handshake with an alert") \
    X(PEER_CLOSED, "peer-closed", HANDSHAKE, NONE, "the peer closed during the handshake") \
    X(HANDSHAKE_TIMEOUT, "handshake-timeout", HANDSHAKE, USER_CANCELED, \
      "the handshake took too long") \
    X(PROXY_HEADER, "proxy-header", HANDSHAKE, NONE, "the PROXY protocol header is wrong") \
    X(OVERLOADED, "overloaded", HANDSHAKE, INTERNAL_ERROR, "a connection limit was reached") \
    X(MISDIRECTED, "misdirected", ROUTE, NONE, \
      "the host belongs to another server name than the connection's") \
    X(NO_ROUTE, "no-route", ROUTE, NONE, "no route is for this request") \
    X(NO_RULE, "no-rule", ROLE, NONE, "the route has no rule that lets anybody in") \
    X(DENIED, "denied", ROLE, NONE, "the route denies this client") \
    X(NOT_ALLOWED, "not-allowed", ROLE, NONE, "the route doesn't allow this client") \
    X(NOT_VERIFIED, "not-verified", ROLE, NONE, \
      "the route is for clients with a verified certificate, and this one has none") \
    X(UNRELIABLE_NAMES, "unreliable-names", ROLE, NONE, \
      "the names in the certificate can't be relied on, and the route's rule needs them") \
    X(AUTH_REQUIRED, "auth-required", ROLE, NONE, \
      "the route asks for credentials besides the certificate, and none were shown") \
    X(BAD_CREDENTIAL, "bad-credential", AUTH, NONE, \
      "the field that should hold a token or a password is malformed") \
    X(TOKEN_MALFORMED, "token-malformed", AUTH, NONE, \
      "the token is not a signed JWT of acceptable form and size") \
    X(TOKEN_CRITICAL, "token-critical", AUTH, NONE, "the token's header has a critical extension") \
    X(TOKEN_TYPE, "token-type", AUTH, NONE, "the token is of another type than accepted") \
    X(TOKEN_ALGORITHM, "token-algorithm", AUTH, NONE, \
      "the token is signed by an algorithm that is not accepted") \
    X(TOKEN_KEY, "token-unknown-key", AUTH, NONE, \
      "the key set has no key for the token's kid and algorithm") \
    X(TOKEN_SIGNATURE, "token-signature", AUTH, NONE, "the token's signature is wrong") \
    X(TOKEN_DATES, "token-dates", AUTH, NONE, \
      "a date that the token must have is missing or malformed") \
    X(TOKEN_EXPIRED, "token-expired", AUTH, NONE, "the token has expired") \
    X(TOKEN_EARLY, "token-not-yet-valid", AUTH, NONE, "the token isn't valid yet") \
    X(TOKEN_ISSUER, "token-issuer", AUTH, NONE, "the token is by another issuer") \
    X(TOKEN_AUDIENCE, "token-audience", AUTH, NONE, "the token is for another audience") \
    X(TOKEN_UNBOUND, "token-unbound", AUTH, NONE, \
      "the token is not bound to a certificate, or bound in another way") \
    X(TOKEN_BINDING, "token-binding", AUTH, NONE, \
      "the token is bound to another certificate than the client's") \
    X(TOKEN_CLAIM, "token-claim", AUTH, NONE, "the token has not a claim that is asked for") \
    X(TOKEN_SCOPE, "token-scope", AUTH, NONE, "the token has not a scope that is asked for") \
    X(KEYS_UNAVAILABLE, "keys-unavailable", AUTH, NONE, \
      "the keys to check tokens with could not be fetched") \
    X(WRONG_PASSWORD, "wrong-password", AUTH, NONE, "the user is unknown or the password wrong") \
    X(WRONG_USER, "wrong-user", AUTH, NONE, "the route is for other users") \
    X(TOO_MANY_FAILURES, "too-many-failures", AUTH, NONE, \
      "too many wrong passwords came from this address") \
    X(AUTH_BUSY, "auth-busy", AUTH, NONE, "too many passwords are being checked") \
    X(RATE_LIMITED, "rate-limited", LIMIT, NONE, "more requests than the rate limit") \
    X(CONNECTION_LIMIT, "connection-limit", LIMIT, INTERNAL_ERROR, \
      "more connections than the limit of this client") \
    X(INTERNAL, "internal", HANDSHAKE, INTERNAL_ERROR, "a failure of ours")

/* The steps of a verdict, in the order in which they are taken. */
#define HF_STEP_TABLE(X) \
    X(NONE, "none") \
    X(HANDSHAKE, "handshake") \
    X(CERTIFICATE, "certificate") \
    X(CHAIN, "chain") \
    X(DATES, "dates") \
    X(USAGE, "usage") \
    X(NAME, "name") \
    X(REVOCATION, "revocation") \
    X(ROLE, "role") \
    X(ROUTE, "route") \
    X(AUTH, "auth") \
    X(LIMIT, "limit")

#define HF_REASON_ENUM(id, code, step, alert, text) HF_REASON_##id,
enum hf_reason { HF_REASON_TABLE(HF_REASON_ENUM) HF_REASON_N };
#undef HF_REASON_ENUM

#define HF_STEP_ENUM(id, name) HF_STEP_##id,
enum hf_step { HF_STEP_TABLE(HF_STEP_ENUM) HF_STEP_N };
#undef HF_STEP_ENUM

const char *hf_reason_code(enum hf_reason reason);
const char *hf_reason_text(enum hf_reason reason);
enum hf_step hf_reason_step(enum hf_reason reason);
uint8_t hf_reason_alert(enum hf_reason reason); /* HF_ALERT_NONE where none is sent */
const char *hf_step_name(enum hf_step step);

#endif
