// SPDX-License-Identifier: Apache-2.0
/* The keys of one identity. */
#include "config/keys_impl.h"
#include "config/semantics.h"

static const struct hf_key identity_keys[] = {
    {.name = "cert",
     .kind = HF_KIND_FILE,
     .required = true,
     .doc = "The certificate, with the CA certificates to send behind it, in PEM; or one "
            "certificate in DER; or a PKCS#12 file with certificate and key.",
     .example = "server.pem",
     HF_KEY_FIELD(hf_cfg_identity, cert)},
    {.name = "key",
     .kind = HF_KIND_FILE,
     .doc = "The private key in PEM, encrypted or not. Left out where it is in the file of `cert`. "
            "A key that others can read is refused.",
     .example = "server.key",
     HF_KEY_FIELD(hf_cfg_identity, key)},
    {.name = "chain",
     .kind = HF_KIND_FILE,
     .doc = "More CA certificates to send, in PEM, where `cert` holds the leaf alone.",
     .example = "intermediate.pem",
     HF_KEY_FIELD(hf_cfg_identity, chain)},
    {.name = "passphrase-file",
     .kind = HF_KIND_FILE,
     .doc = "A file whose first line decrypts the key or the PKCS#12 file. Refused where others "
            "can read it.",
     .example = "server.pass",
     HF_KEY_FIELD(hf_cfg_identity, passphrase_file)},
    {.name = "passphrase-env",
     .kind = HF_KIND_ENV,
     .doc = "The name of the environment variable that holds the passphrase.",
     .example = "SERVER_KEY_PASSPHRASE",
     HF_KEY_FIELD(hf_cfg_identity, passphrase_env)},
    {.name = "staple",
     .kind = HF_KIND_FILE,
     .doc =
         "An OCSP response about the certificate, in DER, to send beside it to peers that ask for "
         "one. Read again at each reload.",
     .example = "server.ocsp",
     HF_KEY_FIELD(hf_cfg_identity, staple)},
    {.name = "fetch-staple",
     .kind = HF_KIND_BOOL,
     .standard = "false",
     .doc = "Ask the responder that the certificate names for that response, at the start and "
            "again at "
            "half its time. The last one is kept in the folder that `state` names. Only good and "
            "fresh "
            "ones are sent.",
     .example = "true",
     HF_KEY_FIELD(hf_cfg_identity, fetch_staple)},
    {.name = "staple-responder",
     .kind = HF_KIND_URL,
     .doc = "The responder that `fetch-staple` asks, in place of the certificate's.",
     .example = "http://ocsp.example.org/",
     HF_KEY_FIELD(hf_cfg_identity, staple_responder)},
};

const struct hf_section hf_section_identity = {
    .noun = "identity",
    .doc = "Who we are: a certificate with its private key. Listeners show theirs to clients, "
           "upstreams show theirs to TLS backends.",
    .sample = "identities:\n  web: {cert: server.pem, key: server.key}\n",
    .size = sizeof(struct hf_cfg_identity),
    .check = hf_check_identity,
    HF_SECTION_KEYS(identity_keys)};
