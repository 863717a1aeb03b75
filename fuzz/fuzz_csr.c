// SPDX-License-Identifier: Apache-2.0
/*
 * Certificate requests, and what a CA does with them: whatever is taken is held against the profile
 * "service" and, with the key's own kind of weakness aside, can be written down again as names.
 * Without a private key no input is ever taken whole; so the parts are fed to their readers too.
 */
#include <stdlib.h>

#include "ca/csr.h"
#include "ca/weak_key.h"
#include "fuzz.h"

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* Names that are taken are written the way they'd be read again. */
static void read_names(struct hf_bytes bytes)
{
    struct hf_alt_names names = {0}, again = {0};
    struct hf_buf der = HF_BUF_INIT(1 << 20);
    if (hf_alt_names_add_der(&names, bytes) == HF_OK) {
        struct hf_asn1 writer = hf_asn1_writer(&der);
        hf_alt_names_write(&names, &writer);
        need(hf_asn1_end(&writer) == HF_OK);
        need(hf_alt_names_add_der(&again, hf_buf_bytes(&der)) == HF_OK && again.n == names.n);
    }
    hf_alt_names_done(&names);
    hf_alt_names_done(&again);
    hf_buf_done(&der);
}

static void read_subject(struct hf_bytes bytes)
{
    struct hf_subject subject = {0}, again = {0};
    struct hf_buf der = HF_BUF_INIT(1 << 20), text = HF_BUF_INIT(1 << 20);
    if (hf_subject_from_der(bytes, &subject) == HF_OK) {
        struct hf_asn1 writer = hf_asn1_writer(&der);
        hf_subject_write(&subject, &writer);
        need(hf_asn1_end(&writer) == HF_OK);
        need(hf_subject_from_der(hf_buf_bytes(&der), &again) == HF_OK && again.n == subject.n);
        hf_subject_done(&again);
        need(hf_subject_append(&subject, &text) == HF_OK);
        const char *line = hf_buf_cstr(&text);
        need(line && hf_subject_parse(line, &again) == HF_OK && again.n == subject.n);
        hf_subject_done(&again);
    }
    hf_subject_done(&subject);
    hf_buf_done(&der);
    hf_buf_done(&text);
}

static void read_key(struct hf_bytes bytes)
{
    struct hf_public_key *key = NULL;
    enum hf_refusal why;
    if (hf_public_key_parse(bytes, &key) == HF_OK && key->bits <= 2048) {
        (void)!hf_weak_key_check(key, NULL, &why, NULL);
    }
    hf_public_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_bytes bytes = hf_bytes_of(data, size);
    struct hf_csr *csr = NULL;
    enum hf_refusal why = HF_REFUSAL_N;
    if (hf_csr_parse(bytes, "fuzz", &csr, &why) == HF_OK) {
        need(csr->key && csr->names.n <= HF_ALT_NAMES_MAX);
    } else {
        need(!csr && why != HF_REFUSAL_N);
    }
    hf_csr_free(csr);
    read_names(bytes);
    read_subject(bytes);
    read_key(bytes);
    return 0;
}
