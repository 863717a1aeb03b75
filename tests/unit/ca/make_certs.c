// SPDX-License-Identifier: Apache-2.0
/* Writes what the code under test makes, for programs of others to look at (outside.py):
 *     make_certs DIR          a CA of each kind of key, and certificates of all profiles below it
 *     make_certs --csr FILE   what a request says, or why it is refused */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/csr.h"
#include "making.h"
#include "os/file.h"
#include "pki/write.h"

static void need(enum hf_err err)
{
    if (err != HF_OK) {
        fprintf(stderr, "%s\n", hf_err_text());
        exit(1);
    }
}

static void put(const char *dir, const char *stem, const char *end, struct hf_buf *text)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s%s", dir, stem, end);
    need(hf_file_write_atomic(path, hf_buf_bytes(text), 0600));
    hf_buf_done(text);
}

static void put_cert(const char *dir, const char *stem, const struct hf_cert *cert)
{
    struct hf_buf text = HF_BUF_INIT(1 << 16);
    need(hf_cert_write_pem(cert, &text));
    put(dir, stem, ".pem", &text);
}

static void put_leaf(const char *dir, const char *stem, const char *profile_name,
                     const struct making_ca *ca, enum hf_key_kind kind, const char *name)
{
    static const char *const urls[] = {"http://ca.example.org/x"};
    struct hf_cert_profile *profile = making_builtin(profile_name);
    EVP_PKEY *key = making_key(kind);
    struct hf_public_key *public = making_public(key);
    struct hf_subject subject = {0};
    struct hf_alt_names names = {0};
    struct hf_made_cert made;
    struct hf_cert *cert = NULL;
    struct hf_buf text = HF_BUF_INIT(1 << 16);
    char file[200];
    enum hf_refusal why;
    need(hf_subject_parse("CN=a.example.org", &subject));
    need(name ? hf_alt_names_add_text(&names, name) : HF_OK);
    const struct hf_cert_facts facts = {.key = public,
                                        .subject = &subject,
                                        .names = &names,
                                        .crl_urls = urls,
                                        .n_crl_urls = 1,
                                        .ocsp_urls = urls,
                                        .n_ocsp_urls = 1,
                                        .issuer_urls = urls,
                                        .n_issuer_urls = 1};
    need(hf_cert_make(profile, &facts, ca->issuer, making_now, &hf_os_rng, &made, &why));
    need(hf_cert_from_der(hf_buf_bytes(&made.der), &cert));
    snprintf(file, sizeof(file), "%s-%s", stem, profile_name);
    put_cert(dir, file, cert);
    need(hf_key_write_pem(key, hf_bytes_of(NULL, 0), &text));
    put(dir, file, ".key", &text);
    hf_cert_unref(cert);
    hf_made_cert_done(&made);
    hf_alt_names_done(&names);
    hf_subject_done(&subject);
    hf_public_key_free(public);
    EVP_PKEY_free(key);
    hf_cert_profile_unref(profile);
}

static void put_all(const char *dir, enum hf_key_kind kind)
{
    static const char *const permitted[] = {"DNS:example.org", "IP:10.0.0.0/8",
                                            "email:example.org"};
    static const struct hf_made_constraints constraints = {permitted, 3, NULL, 0};
    const char *word = hf_key_kind_word(kind);
    struct making_ca root = making_root(kind);
    struct making_ca issuing =
        making_below(&root, kind, &(struct hf_cert_facts){.constraints = &constraints});
    char stem[100];
    snprintf(stem, sizeof(stem), "%s-root", word);
    put_cert(dir, stem, root.cert);
    snprintf(stem, sizeof(stem), "%s-issuing", word);
    put_cert(dir, stem, issuing.cert);
    put_leaf(dir, word, "server", &issuing, kind, "DNS:a.example.org");
    put_leaf(dir, word, "service", &issuing, kind, "DNS:a.example.org");
    put_leaf(dir, word, "user", &issuing, kind, "email:alice@example.org");
    put_leaf(dir, word, "device", &issuing, kind, "IP:10.0.0.1");
    put_leaf(dir, word, "ocsp-signer", &issuing, kind, NULL);
    making_ca_done(&issuing);
    making_ca_done(&root);
}

static int show_csr(const char *path)
{
    struct hf_buf text = HF_BUF_INIT(1 << 20), subject = HF_BUF_INIT(1 << 16);
    struct hf_csr *csr = NULL;
    enum hf_refusal why;
    need(hf_file_read(path, &text));
    enum hf_err err = hf_csr_parse(hf_buf_bytes(&text), path, &csr, &why);
    hf_buf_done(&text);
    if (err != HF_OK) {
        printf("%s\n", hf_refusal_name(why));
        return 1;
    }
    need(hf_subject_append(&csr->subject, &subject));
    printf("%s %s %zu\n", hf_key_kind_word(csr->key->kind), hf_buf_cstr(&subject), csr->names.n);
    hf_buf_done(&subject);
    hf_csr_free(csr);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--csr") == 0) {
        return show_csr(argv[2]);
    }
    making_now = hf_clock_wall_s(&hf_os_clock);
    static const enum hf_key_kind kinds[] = {HF_KEY_KIND_P256, HF_KEY_KIND_P384,
                                             HF_KEY_KIND_ED25519, HF_KEY_KIND_RSA3072};
    for (size_t i = 0; argc == 2 && i < HF_N_ELEMENTS(kinds); i++) {
        put_all(argv[1], kinds[i]);
    }
    return 0;
}
