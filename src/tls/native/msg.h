// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_MSG_H
#define HF_TLS_NATIVE_MSG_H

/*
 * Handshake messages (RFC 8446 4): their numbers, how one is framed, and per message a writer and a
 * reader, each in its own file. Writers append to the flight (hs->out) and to the transcript.
 * Readers check the form and keep what they learned in the handshake state; who calls them, and
 * what comes next, is in client.c and server.c.
 */

#include "base/secret.h"
#include "tls/native/ext.h"

enum hf_msg_type {
    HF_MSG_CLIENT_HELLO = 1,
    HF_MSG_SERVER_HELLO = 2,
    HF_MSG_NEW_SESSION_TICKET = 4,
    HF_MSG_END_OF_EARLY_DATA = 5,
    HF_MSG_ENCRYPTED_EXTENSIONS = 8,
    HF_MSG_CERTIFICATE = 11,
    HF_MSG_CERTIFICATE_REQUEST = 13,
    HF_MSG_CERTIFICATE_VERIFY = 15,
    HF_MSG_FINISHED = 20,
    HF_MSG_KEY_UPDATE = 24,
    HF_MSG_COMPRESSED_CERTIFICATE = 25,
};

#define HF_MSG_HEADER_LEN 4

/* struct hf_msg is a whole message of the peer, viewed where it was gathered. */
struct hf_msg {
    uint8_t type;
    struct hf_bytes body;
    struct hf_bytes raw; /* with its header, as the transcript takes it */
};

/* hf_msg_name gives the RFC's name, "a message of unknown type" outside the table. */
const char *hf_msg_name(uint8_t type);

/* hf_msg_max is the longest body taken of a type. */
size_t hf_msg_max(uint8_t type);

/* struct hf_msg_out is a message being written: open, append to hs->out, close. Closing adds it to
 * the transcript. */
struct hf_msg_out {
    size_t at; /* where its header stands in hs->out */
    struct hf_buf_vec length;
};
enum hf_err hf_msg_open(struct hf_native *conn, uint8_t type, struct hf_msg_out *out) HF_MUST_CHECK;
enum hf_err hf_msg_close(struct hf_native *conn, const struct hf_msg_out *out) HF_MUST_CHECK;

/* hf_msg_opened views the message so far, header included; its length isn't filled in. */
struct hf_bytes hf_msg_opened(const struct hf_native *conn, const struct hf_msg_out *out);

/* --- Roles: the machine as tables ---------------------------------------------------------------
 * A state has an act, or waits for messages. Acts run when the state is entered (after the job that
 * the former act asked for was answered). Rules are the legal sequences: what isn't listed for a
 * state is unexpected_message.
 */

typedef enum hf_err hf_native_act(struct hf_native *conn);
typedef enum hf_err hf_native_on(struct hf_native *conn, const struct hf_msg *msg);

/* Where `next` is zero, the function moves by itself: it chooses between states, or stays. No
 * machine ever returns to its first state, which is the zeroth. */
struct hf_native_rule {
    uint8_t state;
    uint8_t type;
    bool ends; /* keys change after it: its record may hold nothing more (RFC 8446 5.1) */
    hf_native_on *on;
    uint8_t next;
};

struct hf_native_act_of {
    hf_native_act *act;
    uint8_t next;
};

struct hf_fsm_state;

struct hf_native_role {
    const struct hf_fsm_state *states;
    const struct hf_native_act_of *acts; /* by state; NULL: waits for messages */
    uint8_t n_states;
    uint8_t first;
    uint8_t connected;
    const struct hf_native_rule *rules;
    size_t n_rules;
};

extern const struct hf_native_role hf_native_client, hf_native_server;

/* --- The messages --------------------------------------------------------------------------------
 */

/* ClientHello (4.1.2). */
struct hf_client_hello {
    uint16_t legacy_version;
    struct hf_bytes random;
    struct hf_bytes session_id;
    struct hf_bytes suites;
    struct hf_bytes compressions;
    struct hf_ext_set ext;
};
enum hf_err hf_client_hello_write(struct hf_native *conn) HF_MUST_CHECK;
enum hf_err hf_client_hello_read(struct hf_native *conn, const struct hf_msg *msg,
                                 struct hf_client_hello *out) HF_MUST_CHECK;

/* ServerHello and HelloRetryRequest (4.1.3, 4.1.4). */
struct hf_server_hello {
    uint16_t legacy_version;
    struct hf_bytes random;
    struct hf_bytes session_id;
    uint16_t suite;
    uint8_t compression;
    struct hf_bytes extensions;
    bool retry; /* it is a HelloRetryRequest */
};
enum hf_err hf_server_hello_write(struct hf_native *conn, bool retry) HF_MUST_CHECK;
enum hf_err hf_server_hello_read(struct hf_native *conn, const struct hf_msg *msg,
                                 struct hf_server_hello *out) HF_MUST_CHECK;

/* hf_server_hello_encode appends the message without touching the transcript: a stateless server
 * remakes its HelloRetryRequest. */
enum hf_err hf_server_hello_encode(struct hf_native *conn, bool retry,
                                   struct hf_buf *out) HF_MUST_CHECK;

/* hf_server_hello_refuse_lower fails for a ServerHello of an earlier version: illegal_parameter
 * when it marks a downgrade (4.1.3), else protocol_version. */
enum hf_err hf_server_hello_refuse_lower(struct hf_native *conn,
                                         const struct hf_server_hello *hello) HF_MUST_CHECK;

/* EncryptedExtensions (4.3.1). */
enum hf_err hf_encrypted_extensions_write(struct hf_native *conn) HF_MUST_CHECK;
enum hf_err hf_encrypted_extensions_read(struct hf_native *conn,
                                         const struct hf_msg *msg) HF_MUST_CHECK;

/* CertificateRequest (4.3.2). The context written is hs->context. */
enum hf_err hf_certificate_request_write(struct hf_native *conn) HF_MUST_CHECK;
enum hf_err hf_certificate_request_read(struct hf_native *conn,
                                        const struct hf_msg *msg) HF_MUST_CHECK;

/* Certificate (4.4.2) and CompressedCertificate (RFC 8879). write: conn->own NULL sends an empty
 * one. read: sets the peer's chain, key and staple; hs->cert_seen says whether there was any. */
enum hf_err hf_certificate_write(struct hf_native *conn) HF_MUST_CHECK;
enum hf_err hf_certificate_read(struct hf_native *conn, const struct hf_msg *msg) HF_MUST_CHECK;

/* CertificateVerify (4.4.3). sign and read ask for a job; write reads its answer, and so does
 * checked. */
enum hf_err hf_certificate_verify_sign(struct hf_native *conn) HF_MUST_CHECK;
enum hf_err hf_certificate_verify_write(struct hf_native *conn) HF_MUST_CHECK;
enum hf_err hf_certificate_verify_read(struct hf_native *conn,
                                       const struct hf_msg *msg) HF_MUST_CHECK;
enum hf_err hf_certificate_verify_checked(struct hf_native *conn) HF_MUST_CHECK;

/* Finished (4.4.4) under the sender's traffic secret. */
enum hf_err hf_finished_write(struct hf_native *conn, const struct hf_secret *base) HF_MUST_CHECK;
enum hf_err hf_finished_read(struct hf_native *conn, const struct hf_msg *msg,
                             const struct hf_secret *base) HF_MUST_CHECK;

/* NewSessionTicket (4.6.1). */
enum hf_err hf_new_session_ticket_write(struct hf_native *conn, unsigned number) HF_MUST_CHECK;
enum hf_err hf_new_session_ticket_read(struct hf_native *conn,
                                       const struct hf_msg *msg) HF_MUST_CHECK;

/* KeyUpdate (4.6.3). */
enum hf_err hf_key_update_read(struct hf_native *conn, const struct hf_msg *msg) HF_MUST_CHECK;

#endif
