// SPDX-License-Identifier: Apache-2.0
/* The profiles that come with us, as YAML that people can copy and change. */
#include <string.h>

#include "ca/cert_profile_impl.h"

static const struct {
    const char *name, *yaml;
} builtin[] = {
    {"user", "name: user\n"
             "about: a person, in a browser or another program\n"
             "kind: leaf\n"
             "keys: [p256, p384, ed25519, rsa2048, rsa3072, rsa4096]\n"
             "key-usage: [digital-signature]\n"
             "extended-key-usage: [client-auth]\n"
             "subject: \"CN={cn},OU={ou},O={o}\"\n"
             "names:\n"
             "  email: {max: 4}\n"
             "  upn: {max: 1}\n"
             "  uri: {max: 4}\n"
             "lifetime: 90d\n"
             "max-lifetime: 398d\n"
             "backdate: 5m\n"
             "renew-before: 30d\n"
             "approval: none\n"},
    {"service", "name: service\n"
                "about: a program that both calls and is called\n"
                "kind: leaf\n"
                "keys: [p256, p384, ed25519, rsa2048, rsa3072, rsa4096]\n"
                "key-usage: [digital-signature, key-encipherment]\n"
                "extended-key-usage: [client-auth, server-auth]\n"
                "subject: \"CN={cn},OU={ou},O={o}\"\n"
                "names:\n"
                "  dns: {max: 64}\n"
                "  uri: {max: 4}\n"
                "  ip: {max: 16}\n"
                "lifetime: 30d\n"
                "max-lifetime: 398d\n"
                "backdate: 5m\n"
                "approval: none\n"},
    {"device", "name: device\n"
               "about: a machine that may be switched off for weeks\n"
               "kind: leaf\n"
               "keys: [p256, p384, ed25519, rsa2048, rsa3072, rsa4096]\n"
               "key-usage: [digital-signature]\n"
               "extended-key-usage: [client-auth]\n"
               "subject: \"CN={cn},serialNumber={serialNumber},OU={ou},O={o}\"\n"
               "names:\n"
               "  dns: {max: 4}\n"
               "  uri: {max: 4}\n"
               "  ip: {max: 4}\n"
               "lifetime: 365d\n"
               "max-lifetime: 1096d\n"
               "backdate: 1h\n"
               "renew-before: 120d\n"
               "renew-after-expiry: 30d\n"
               "approval: first\n"},
    {"server", "name: server\n"
               "about: a server that clients know by its host name\n"
               "kind: leaf\n"
               "keys: [p256, p384, ed25519, rsa2048, rsa3072, rsa4096]\n"
               "key-usage: [digital-signature, key-encipherment]\n"
               "extended-key-usage: [server-auth]\n"
               "subject: \"CN={cn}\"\n"
               "names:\n"
               "  dns: {max: 100, wildcards: true}\n"
               "  ip: {max: 16}\n"
               "  uri: {max: 1}\n"
               "host-name: true\n"
               "lifetime: 90d\n"
               "max-lifetime: 398d\n"
               "backdate: 5m\n"
               "renew-before: 30d\n"
               "approval: none\n"},
    {"ca", "name: ca\n"
           "about: a CA below another one, which issues to leaves\n"
           "kind: ca\n"
           "keys: [p256, p384, ed25519, rsa3072, rsa4096]\n"
           "key-usage: [cert-sign, crl-sign, digital-signature]\n"
           "subject: any\n"
           "path-length: 0\n"
           "lifetime: 1096d\n"
           "max-lifetime: 3653d\n"
           "backdate: 5m\n"
           "approval: always\n"},
    {"root", "name: root\n"
             "about: a CA that signs itself\n"
             "kind: ca\n"
             "keys: [p256, p384, ed25519, rsa3072, rsa4096]\n"
             "key-usage: [cert-sign, crl-sign]\n"
             "subject: any\n"
             "lifetime: 3653d\n"
             "max-lifetime: 10958d\n"
             "backdate: 5m\n"
             "approval: always\n"},
    {"ocsp-signer", "name: ocsp-signer\n"
                    "about: signs OCSP answers in the place of its CA\n"
                    "kind: ocsp-signer\n"
                    "keys: [p256, p384, ed25519, rsa2048, rsa3072, rsa4096]\n"
                    "key-usage: [digital-signature]\n"
                    "extended-key-usage: [ocsp-signing]\n"
                    "subject: any\n"
                    "lifetime: 14d\n"
                    "max-lifetime: 90d\n"
                    "backdate: 5m\n"
                    "approval: always\n"},
};

const char *const hf_cert_profile_words[] = {"user", "service", "device",      "server",
                                             "ca",   "root",    "ocsp-signer", NULL};

const char *hf_cert_profile_builtin_yaml(const char *name)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(builtin); i++) {
        if (strcmp(builtin[i].name, name) == 0) {
            return builtin[i].yaml;
        }
    }
    return NULL;
}

enum hf_err hf_cert_profile_builtin(const char *name, struct hf_cert_profile **out)
{
    struct hf_findings findings = {0};
    const char *yaml = hf_cert_profile_builtin_yaml(name);
    *out = NULL;
    if (!yaml) {
        return hf_fail(
            HF_E_NOT_FOUND,
            "there is no profile \"%.63s\"; there are user, service, device, server, ca, "
            "root, ocsp-signer, and those that were added",
            name);
    }
    enum hf_err err = hf_cert_profile_parse(hf_bytes_str(yaml), name, &findings, out);
    hf_findings_done(&findings);
    return err;
}
