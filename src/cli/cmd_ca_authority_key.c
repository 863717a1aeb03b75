// SPDX-License-Identifier: Apache-2.0
/* `ca authority take-key` and `add-key`: a key that is kept elsewhere. */
#include "cli/ca_authority.h"

#include "base/mem.h"
#include "os/file.h"
#include "pki/key.h"

static const struct hf_option take_options[] = {
    HF_AUTHORITY_OPTION("out", HF_OPT_TEXT, "FILE", out,
                        .doc = "write the key to FILE (PKCS#8, mode 0600)", .required = true),
    HF_AUTHORITY_OPTION("key-passphrase-file", HF_OPT_TEXT, "FILE", key_passphrase.file,
                        .doc = "encrypt it with the first line of FILE"),
    HF_AUTHORITY_OPTION("key-passphrase-env", HF_OPT_TEXT, "VARIABLE", key_passphrase.env,
                        .doc = "encrypt it with what the environment variable holds"),
    HF_AUTHORITY_OPTIONS_CA,
};

static const struct hf_option add_key_options[] = {
    HF_AUTHORITY_OPTION("key", HF_OPT_TEXT, "FILE", key, .doc = "the key, PEM", .required = true),
    HF_AUTHORITY_OPTION("key-passphrase-file", HF_OPT_TEXT, "FILE", key_passphrase.file,
                        .doc = "open it with the first line of FILE"),
    HF_AUTHORITY_OPTION("key-passphrase-env", HF_OPT_TEXT, "VARIABLE", key_passphrase.env,
                        .doc = "open it with what the environment variable holds"),
    HF_AUTHORITY_OPTIONS_CA,
};

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

/* The file is on the disk before the key leaves the store. */
static enum hf_err take_key(struct hf_authority_work *work)
{
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text passphrase = {0};
    HF_CLEANUP(wiped_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_AUTHORITY_FILE_CAP);
    const char *name = work->cli->args[0];
    HF_TRY(hf_passphrase_read(&work->values->key_passphrase, &passphrase));
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authority_key_pem(work->service, name, hf_passphrase_bytes(&passphrase), &pem));
    HF_TRY(hf_file_create(work->values->out, hf_buf_bytes(&pem), 0600));
    HF_TRY(hf_authority_drop_key(work->service, work->actor, name));
    if (!passphrase.ptr) {
        hf_cli_say(work->cli, "the key in %s is not encrypted; --key-passphrase-file encrypts it",
                   work->values->out);
    }
    return hf_authority_work_tell(work, name, "took out the key of");
}

static enum hf_err add_key(struct hf_authority_work *work)
{
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text passphrase = {0};
    HF_CLEANUP(wiped_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_AUTHORITY_FILE_CAP);
    const char *name = work->cli->args[0];
    EVP_PKEY *key = NULL;
    HF_TRY(hf_passphrase_read(&work->values->key_passphrase, &passphrase));
    HF_TRY(hf_file_read_private(work->values->key, &pem));
    const struct hf_locked locked = {
        .text = hf_buf_bytes(&pem),
        .label = work->values->key,
        .passphrase = hf_passphrase_bytes(&passphrase),
    };
    HF_TRY(hf_key_parse(&locked, &key));
    enum hf_err err = hf_authority_work_open(work);
    err = err == HF_OK ? hf_authority_add_key(work->service, work->actor, name, key) : err;
    EVP_PKEY_free(key);
    HF_TRY(err);
    return hf_authority_work_tell(work, name, "put in the key of");
}

HF_AUTHORITY_RUN(take_key)
HF_AUTHORITY_RUN(add_key)

HF_AUTHORITY_COMMAND(
    hf_cmd_ca_authority_take, "take-key", "take a key out of the store, to keep it elsewhere",
    take_options, run_take_key, "NAME", 1,
    .example = "handfast ca authority take-key --dir ca root --out /media/safe/root.key\n");
HF_AUTHORITY_COMMAND(
    hf_cmd_ca_authority_add_key, "add-key", "put a key back into the store", add_key_options,
    run_add_key, "NAME", 1,
    .example = "handfast ca authority add-key --dir ca root --key /media/safe/root.key\n");
