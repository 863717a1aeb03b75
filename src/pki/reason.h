// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_REASON_H
#define HF_PKI_REASON_H

#include <stdbool.h>

#include "pki/alert.h"

/*
 * Why a peer was refused: one table for every door. Columns: id, stable code (logs, metrics, JSON),
 * the step that decides it, the TLS alert it becomes, what it means, what to do about it. The order
 * is free, codes are for ever. A verdict adds a sentence with the particulars; docs/reasons.md is
 * made from this table.
 */
#define HF_REASON_TABLE(X) \
    X(OK, "ok", NONE, NONE, "admitted", "nothing") \
    X(NO_CERTIFICATE, "no-certificate", CERTIFICATE, CERTIFICATE_REQUIRED, \
      "the peer sent no certificate", \
      "give the client a certificate of a CA among the listener's CA names, and its key; or " \
      "set client: request where one is not required") \
    X(BAD_CERTIFICATE, "bad-certificate", CERTIFICATE, BAD_CERTIFICATE, \
      "a certificate can't be parsed", \
      "issue the certificate anew; handfast cert show FILE says what in it can't be read") \
    X(CHAIN_TOO_LONG, "chain-too-long", CHAIN, BAD_CERTIFICATE, \
      "more certificates than the limit", \
      "let the peer send its own certificate and the intermediate CAs only") \
    X(UNKNOWN_CA, "unknown-ca", CHAIN, UNKNOWN_CA, "the chain leads to no trusted root", \
      "if the issuer is one of yours, add its root to the trust's roots; if not, issue the " \
      "peer a certificate by a CA that is there") \
    X(SELF_SIGNED, "self-signed", CHAIN, UNKNOWN_CA, \
      "the certificate is signed by itself and isn't among the roots", \
      "issue a certificate by a CA of the trust; or, to trust this one alone, add it to the " \
      "trust's roots") \
    X(MISSING_INTERMEDIATE, "missing-intermediate", CHAIN, UNKNOWN_CA, \
      "a CA certificate between leaf and root was not sent", \
      "append the intermediate CA certificates to the peer's certificate file, below its own") \
    X(BAD_SIGNATURE, "bad-signature", CHAIN, DECRYPT_ERROR, "a signature in the chain is wrong", \
      "find out whether a file was damaged or a CA made anew with the name of an old one, " \
      "and issue the certificate anew") \
    X(PATH_TOO_DEEP, "path-too-deep", CHAIN, UNKNOWN_CA, "the chain is deeper than allowed", \
      "issue by a CA nearer to the root, or raise the trust's depth") \
    X(NOT_A_CA, "not-a-ca", CHAIN, BAD_CERTIFICATE, \
      "a certificate in the chain may not sign others", \
      "issue the certificate by a CA; if the issuer should be one, make its certificate anew " \
      "with CA:TRUE and keyCertSign") \
    X(PATH_LENGTH, "path-length", CHAIN, BAD_CERTIFICATE, \
      "a CA's path length constraint is passed", \
      "issue by the CA that has the limit itself, or make that CA's certificate anew with a " \
      "greater pathlen") \
    X(NAME_CONSTRAINT, "name-constraint", CHAIN, BAD_CERTIFICATE, \
      "a name is outside what a CA in the chain may certify", \
      "issue a certificate with a name that the CA may certify, or use another CA for this " \
      "name") \
    X(CRITICAL_EXTENSION, "critical-extension", CHAIN, UNSUPPORTED_CERTIFICATE, \
      "a critical extension isn't understood", \
      "issue the certificate without that extension, or not critical") \
    X(WEAK_KEY, "weak-key", CHAIN, INSUFFICIENT_SECURITY, "a key in the chain is too weak", \
      "make a new key, RSA of 2048 bits or more, P-256 or Ed25519, and a certificate for it") \
    X(WEAK_SIGNATURE, "weak-signature", CHAIN, INSUFFICIENT_SECURITY, \
      "a signature in the chain uses a weak hash", \
      "issue the certificate anew, signed with SHA-256 or better") \
    X(INVALID_CHAIN, "invalid-chain", CHAIN, BAD_CERTIFICATE, \
      "the chain breaks a rule of RFC 5280", \
      "issue the certificate anew; handfast cert show FILE shows what is in it") \
    X(EXPIRED, "expired", DATES, CERTIFICATE_EXPIRED, "a certificate has expired", \
      "renew the certificate; if its dates are right, set this machine's clock") \
    X(NOT_YET_VALID, "not-yet-valid", DATES, CERTIFICATE_EXPIRED, "a certificate isn't valid yet", \
      "set the clocks of this machine and of the CA right; if they are, wait until it begins") \
    X(WRONG_USAGE, "wrong-usage", USAGE, UNSUPPORTED_CERTIFICATE, \
      "the certificate is for another use", \
      "issue a certificate with the extended key usage that is wanted: clientAuth for " \
      "clients, serverAuth for servers") \
    X(WRONG_NAME, "wrong-name", NAME, BAD_CERTIFICATE, \
      "the certificate has not the expected name", \
      "issue the server a certificate with that name, or correct the name that the " \
      "upstream's tls asks for") \
    X(REVOKED, "revoked", REVOCATION, CERTIFICATE_REVOKED, "a certificate is revoked", \
      "issue the peer a new certificate if it should come in; a revocation is for ever") \
    X(ON_HOLD, "on-hold", REVOCATION, CERTIFICATE_REVOKED, \
      "a certificate is revoked for the time being", \
      "have the CA release the hold, and publish a new list") \
    X(DENY_LISTED, "deny-listed", REVOCATION, CERTIFICATE_REVOKED, \
      "the operator's deny list names the peer", \
      "handfast revoke --list shows the entry, handfast revoke --undo takes it back") \
    X(CRL_STALE, "crl-stale", REVOCATION, CERTIFICATE_UNKNOWN, \
      "the revocation list is out of date", \
      "publish a new list and see that it reaches this machine (handfast crls shows what could " \
      "not be fetched), or that the CA's store or feed can be reached; when-stale and when-lost " \
      "say what happens meanwhile") \
    X(CRL_NOT_YET, "crl-not-yet", REVOCATION, CERTIFICATE_UNKNOWN, \
      "the revocation list begins in the future", \
      "set this machine's clock; if it is right, set the CA's, and publish the list anew") \
    X(CRL_MISSING, "crl-missing", REVOCATION, CERTIFICATE_UNKNOWN, \
      "no revocation list speaks for a certificate", \
      "add a list of that issuer to the trust's crl; handfast crls shows which are there, and " \
      "what could not be fetched; when-missing says what happens meanwhile") \
    X(CRL_UNTRUSTED, "crl-untrusted", REVOCATION, CERTIFICATE_UNKNOWN, \
      "the revocation list is not signed by the issuer", \
      "fetch the list from the CA again; if the CA was made anew, have it sign a list with " \
      "its new key") \
    X(OCSP_MISSING, "ocsp-missing", REVOCATION, CERTIFICATE_UNKNOWN, \
      "nobody may be asked by OCSP about a certificate", \
      "give the trust's ocsp a responder, or name the host of the certificate's own responder in " \
      "from-certificates; when-missing says what happens meanwhile") \
    X(OCSP_UNREACHABLE, "ocsp-unreachable", REVOCATION, CERTIFICATE_UNKNOWN, \
      "the OCSP responder did not answer", \
      "see that the responder runs and can be reached from here, at https also that url-trust " \
      "has its root; when-missing says what happens meanwhile") \
    X(OCSP_UNTRUSTED, "ocsp-untrusted", REVOCATION, CERTIFICATE_UNKNOWN, \
      "an OCSP answer can't be believed", \
      "let the responder sign with the issuer's key, or with one whose certificate the issuer " \
      "itself has issued for OCSPSigning; if it is the nonce that is missing, leave out nonce: " \
      "require") \
    X(OCSP_STALE, "ocsp-stale", REVOCATION, CERTIFICATE_UNKNOWN, "the OCSP answer is out of date", \
      "see that the responder signs anew and can be reached from here; when-stale says what " \
      "happens meanwhile") \
    X(OCSP_NOT_YET, "ocsp-not-yet", REVOCATION, CERTIFICATE_UNKNOWN, \
      "the OCSP answer begins in the future", \
      "set this machine's clock, or the responder's; clock-skew is the difference allowed") \
    X(OCSP_UNKNOWN, "ocsp-unknown", REVOCATION, CERTIFICATE_UNKNOWN, \
      "the OCSP responder doesn't know the certificate", \
      "see that the responder asked is that of the certificate's issuer; if it is, find out who " \
      "made the certificate: the CA has no record of it") \
    X(OCSP_NO_STAPLE, "ocsp-no-staple", REVOCATION, BAD_CERTIFICATE_STATUS_RESPONSE, \
      "the peer showed no good OCSP answer with its certificate", \
      "let the peer staple an answer (TLS 1.3), or set staple: use in the trust's ocsp") \
    X(PROTOCOL, "protocol", HANDSHAKE, DECODE_ERROR, "the peer broke the TLS protocol", \
      "see what the peer is; if it is a current TLS library, report this with the id") \
    X(NOT_TLS, "not-tls", HANDSHAKE, DECODE_ERROR, "what came is not TLS", \
      "see what connects here; if a proxy in front sends a PROXY header, put its address into " \
      "proxy-protocol-from") \
    X(PLAIN_HTTP, "plain-http", HANDSHAKE, DECODE_ERROR, "plain HTTP came where TLS is spoken", \
      "use https:// in place of http://") \
    X(NO_COMMON_VERSION, "no-common-version", HANDSHAKE, PROTOCOL_VERSION, \
      "no TLS version in common", \
      "update the peer; or allow its version in the listener's tls.versions") \
    X(NO_COMMON_SUITE, "no-common-suite", HANDSHAKE, HANDSHAKE_FAILURE, \
      "no cipher suite in common", \
      "update the peer; or allow one of its suites in the listener's tls.suites or " \
      "tls.ciphers") \
    X(NO_COMMON_GROUP, "no-common-group", HANDSHAKE, HANDSHAKE_FAILURE, \
      "no key exchange group in common", \
      "update the peer; or allow one of its groups in the listener's tls.groups") \
    X(NO_COMMON_SIGNATURE, "no-common-signature", HANDSHAKE, HANDSHAKE_FAILURE, \
      "no signature algorithm in common", \
      "give the listener an identity with a key that the peer can check, P-256 or RSA beside " \
      "the other") \
    X(NO_COMMON_ALPN, "no-common-alpn", HANDSHAKE, NO_APPLICATION_PROTOCOL, \
      "no application protocol in common", \
      "offer one of the listener's protocols in the client, or add the client's to tls.alpn") \
    X(UNKNOWN_SNI, "unknown-sni", HANDSHAKE, UNRECOGNIZED_NAME, \
      "no identity for the server name asked for", \
      "use a name that a certificate of the listener has, or add an identity for this name; " \
      "without tls.strict-sni the first one serves") \
    X(BAD_PROOF, "bad-proof", HANDSHAKE, DECRYPT_ERROR, \
      "the peer did not prove that it holds its key", \
      "see that the peer's key belongs to its certificate") \
    X(PEER_ALERT, "peer-alert", HANDSHAKE, NONE, "the peer ended the handshake with an alert", \
      "read the alert, which says what the peer found wrong, and look in the peer's own log") \
    X(CERTIFICATE_REJECTED, "certificate-rejected", HANDSHAKE, NONE, \
      "the peer does not accept our certificate", \
      "give the peer the root of our certificate to trust, or show it one by a CA that it knows; " \
      "its alert says what it found wrong") \
    X(PEER_CLOSED, "peer-closed", HANDSHAKE, NONE, "the peer closed during the handshake", \
      "look in the peer's own log; health checks and port scanners close like this too") \
    X(HANDSHAKE_TIMEOUT, "handshake-timeout", HANDSHAKE, USER_CANCELED, \
      "the handshake took too long", \
      "see what is slow, the network or the peer; if nothing can be done, raise " \
      "handshake-timeout") \
    X(PROXY_HEADER, "proxy-header", HANDSHAKE, NONE, "the PROXY protocol header is wrong", \
      "have the proxy in front send a PROXY header, or take its address out of " \
      "proxy-protocol-from") \
    X(OVERLOADED, "overloaded", HANDSHAKE, INTERNAL_ERROR, "a connection limit was reached", \
      "raise the listener's max-connections, or find out who opens so many (handfast sessions)") \
    X(MISDIRECTED, "misdirected", ROUTE, NONE, \
      "the host belongs to another server name than the connection's", \
      "have the client open a connection of its own for this host") \
    X(NO_ROUTE, "no-route", ROUTE, NONE, "no route is for this request", \
      "correct the host or path that the client asks for, or add a route for it") \
    X(NO_RULE, "no-rule", ROLE, NONE, "the route has no rule that lets anybody in", \
      "give the route an allow list; once one route has rules, those without admit nobody") \
    X(DENIED, "denied", ROLE, NONE, "the route denies this client", \
      "take the client out of what the route's deny names, if it should come in") \
    X(NOT_ALLOWED, "not-allowed", ROLE, NONE, "the route doesn't allow this client", \
      "give the client a role that the route allows, or name it in allow") \
    X(NOT_VERIFIED, "not-verified", ROLE, NONE, \
      "the route is for clients with a verified certificate, and this one has none", \
      "have the client show a certificate of a CA of the listener's trust") \
    X(UNRELIABLE_NAMES, "unreliable-names", ROLE, NONE, \
      "the names in the certificate can't be relied on, and the route's rule needs them", \
      "issue the certificate anew without control characters, NULs and mixed forms in its " \
      "names") \
    X(PROBES_ONLY, "probes-only", ROLE, NONE, \
      "without a certificate this client may ask the listener's probes, and nothing else", \
      "show a certificate of a CA of the listener's trust, or ask for a path under probes") \
    X(AUTH_REQUIRED, "auth-required", ROLE, NONE, \
      "the route asks for credentials besides the certificate, and none were shown", \
      "send the token or the password that the route asks for") \
    X(BAD_CREDENTIAL, "bad-credential", AUTH, NONE, \
      "the field that should hold a token or a password is malformed", \
      "send Authorization once, as Bearer TOKEN or Basic with base64") \
    X(TOKEN_MALFORMED, "token-malformed", AUTH, NONE, \
      "the token is not a signed JWT of acceptable form and size", \
      "send a signed JWT (JWS compact form); encrypted and unsigned ones are not accepted") \
    X(TOKEN_CRITICAL, "token-critical", AUTH, NONE, "the token's header has a critical extension", \
      "have the issuer leave the crit header out") \
    X(TOKEN_TYPE, "token-type", AUTH, NONE, "the token is of another type than accepted", \
      "send the kind of token that the route's types name, an access token rather than an ID " \
      "token") \
    X(TOKEN_ALGORITHM, "token-algorithm", AUTH, NONE, \
      "the token is signed by an algorithm that is not accepted", \
      "have the issuer sign with one of the route's algorithms") \
    X(TOKEN_KEY, "token-unknown-key", AUTH, NONE, \
      "the key set has no key for the token's kid and algorithm", \
      "see that the key set is that of the token's issuer, and has its kid") \
    X(TOKEN_SIGNATURE, "token-signature", AUTH, NONE, "the token's signature is wrong", \
      "see that the token is whole and the key set that of its issuer") \
    X(TOKEN_DATES, "token-dates", AUTH, NONE, \
      "a date that the token must have is missing or malformed", "have the issuer put exp in") \
    X(TOKEN_EXPIRED, "token-expired", AUTH, NONE, "the token has expired", \
      "get a new token; if it is new, compare the clocks") \
    X(TOKEN_EARLY, "token-not-yet-valid", AUTH, NONE, "the token isn't valid yet", \
      "compare the clocks of the issuer and this machine; leeway is the difference allowed") \
    X(TOKEN_ISSUER, "token-issuer", AUTH, NONE, "the token is by another issuer", \
      "get the token from the issuer that the route names") \
    X(TOKEN_AUDIENCE, "token-audience", AUTH, NONE, "the token is for another audience", \
      "ask the issuer for a token for this audience, or add the token's to the route's") \
    X(TOKEN_UNBOUND, "token-unbound", AUTH, NONE, \
      "the token is not bound to a certificate, or bound in another way", \
      "ask for the token over mutual TLS, so that it has cnf.x5t#S256 (RFC 8705)") \
    X(TOKEN_BINDING, "token-binding", AUTH, NONE, \
      "the token is bound to another certificate than the client's", \
      "use the token with the certificate that it was asked for with") \
    X(TOKEN_CLAIM, "token-claim", AUTH, NONE, "the token has not a claim that is asked for", \
      "get a token with that claim, or correct the route's claims") \
    X(TOKEN_SCOPE, "token-scope", AUTH, NONE, "the token has not a scope that is asked for", \
      "ask the issuer for a token with that scope") \
    X(KEYS_UNAVAILABLE, "keys-unavailable", AUTH, NONE, \
      "the keys to check tokens with could not be fetched", \
      "see that the key set's URL can be reached from here; the log has a line per attempt") \
    X(WRONG_PASSWORD, "wrong-password", AUTH, NONE, "the user is unknown or the password wrong", \
      "correct the user or the password") \
    X(WRONG_USER, "wrong-user", AUTH, NONE, "the route is for other users", \
      "add the user to the route's users, if it should come in") \
    X(TOO_MANY_FAILURES, "too-many-failures", AUTH, NONE, \
      "too many wrong passwords came from this address", \
      "wait until the time in Retry-After has passed, and correct the password") \
    X(AUTH_BUSY, "auth-busy", AUTH, NONE, "too many passwords are being checked", \
      "try again shortly; if it lasts, use a cheaper hash in the file of passwords") \
    X(RATE_LIMITED, "rate-limited", LIMIT, NONE, "more requests than the rate limit", \
      "slow the client down, or raise per-identity or per-address of the limits") \
    X(CONNECTION_LIMIT, "connection-limit", LIMIT, INTERNAL_ERROR, \
      "more connections than the limit of this client", \
      "close connections of this client, or raise connections-per-address or " \
      "connections-per-identity") \
    X(INTERNAL, "internal", HANDSHAKE, INTERNAL_ERROR, "a failure of ours", \
      "look at the log around this line and report it with the id")

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

#define HF_REASON_ENUM(id, code, step, alert, text, todo) HF_REASON_##id,
enum hf_reason { HF_REASON_TABLE(HF_REASON_ENUM) HF_REASON_N };
#undef HF_REASON_ENUM

#define HF_STEP_ENUM(id, name) HF_STEP_##id,
enum hf_step { HF_STEP_TABLE(HF_STEP_ENUM) HF_STEP_N };
#undef HF_STEP_ENUM

const char *hf_reason_code(enum hf_reason reason);
const char *hf_reason_text(enum hf_reason reason);
const char *hf_reason_todo(enum hf_reason reason); /* imperative, no full stop */
enum hf_step hf_reason_step(enum hf_reason reason);
uint8_t hf_reason_alert(enum hf_reason reason); /* HF_ALERT_NONE where none is sent */
const char *hf_step_name(enum hf_step step);

/* hf_reason_of_peer_alert: a fatal alert that came in place of an answer, as a reason. */
enum hf_reason hf_reason_of_peer_alert(uint8_t alert);

/* hf_reason_find looks a code up; false: none has it. */
bool hf_reason_find(const char *code, enum hf_reason *out);

#endif
