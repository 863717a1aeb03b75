// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_ALERT_H
#define HF_PKI_ALERT_H

#include <stdbool.h>
#include <stdint.h>

/* TLS alerts (RFC 8446 6, RFC 5246 7.2): number, name in the RFC, the sentence for a peer that sent
 * it. Here, below TLS, because a verdict names the alert that it becomes. */
#define HF_ALERT_TABLE(X) \
    X(CLOSE_NOTIFY, 0, "close_notify", "closed the connection in order") \
    X(UNEXPECTED_MESSAGE, 10, "unexpected_message", "got a message that it did not expect") \
    X(BAD_RECORD_MAC, 20, "bad_record_mac", "could not decrypt a record") \
    X(RECORD_OVERFLOW, 22, "record_overflow", "got a record that is too long") \
    X(HANDSHAKE_FAILURE, 40, "handshake_failure", "found no acceptable set of parameters") \
    X(BAD_CERTIFICATE, 42, "bad_certificate", "found our certificate broken") \
    X(UNSUPPORTED_CERTIFICATE, 43, "unsupported_certificate", \
      "does not accept certificates of our kind") \
    X(CERTIFICATE_REVOKED, 44, "certificate_revoked", "says our certificate is revoked") \
    X(CERTIFICATE_EXPIRED, 45, "certificate_expired", "says our certificate has expired") \
    X(CERTIFICATE_UNKNOWN, 46, "certificate_unknown", "does not accept our certificate") \
    X(ILLEGAL_PARAMETER, 47, "illegal_parameter", "got a field outside its range") \
    X(UNKNOWN_CA, 48, "unknown_ca", "does not know the CA of our certificate") \
    X(ACCESS_DENIED, 49, "access_denied", "accepted our certificate but denies access") \
    X(DECODE_ERROR, 50, "decode_error", "could not parse a message") \
    X(DECRYPT_ERROR, 51, "decrypt_error", "found a signature or MAC of ours wrong") \
    X(PROTOCOL_VERSION, 70, "protocol_version", "supports none of our TLS versions") \
    X(INSUFFICIENT_SECURITY, 71, "insufficient_security", "wants stronger parameters") \
    X(INTERNAL_ERROR, 80, "internal_error", "had an internal error") \
    X(INAPPROPRIATE_FALLBACK, 86, "inappropriate_fallback", "saw a suspicious version fallback") \
    X(USER_CANCELED, 90, "user_canceled", "cancelled the handshake") \
    X(NO_RENEGOTIATION, 100, "no_renegotiation", "refuses to renegotiate") \
    X(MISSING_EXTENSION, 109, "missing_extension", "misses a mandatory extension") \
    X(UNSUPPORTED_EXTENSION, 110, "unsupported_extension", \
      "got an extension that it had not offered") \
    X(UNRECOGNIZED_NAME, 112, "unrecognized_name", "has no server of the name asked for") \
    X(BAD_CERTIFICATE_STATUS_RESPONSE, 113, "bad_certificate_status_response", \
      "rejected our OCSP staple") \
    X(UNKNOWN_PSK_IDENTITY, 115, "unknown_psk_identity", "does not know the PSK") \
    X(CERTIFICATE_REQUIRED, 116, "certificate_required", "wants a client certificate") \
    X(NO_APPLICATION_PROTOCOL, 120, "no_application_protocol", \
      "supports none of our application protocols (ALPN)")

#define HF_ALERT_ENUM(id, number, name, text) HF_ALERT_##id = number,
enum hf_alert { HF_ALERT_TABLE(HF_ALERT_ENUM) };
#undef HF_ALERT_ENUM

#define HF_ALERT_NONE 255

/* hf_alert_name gives the RFC's name, "unknown" outside the table. */
const char *hf_alert_name(uint8_t alert);

/* hf_alert_text says what a peer that sent this alert tells us: "the peer " and this. */
const char *hf_alert_text(uint8_t alert);

/* hf_alert_is_about_certificate: who sends it doesn't accept the certificate that it got. */
bool hf_alert_is_about_certificate(uint8_t alert);

#endif
