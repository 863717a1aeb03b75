// SPDX-License-Identifier: Apache-2.0
#include "ca/ca.h"
#include "cli/ca_commands.h"
#include "cli/passphrase.h"
#include "os/clock.h"

struct values {
    const char *dir;
    const char *name;
    struct hf_passphrase_from passphrase;
};

static const struct hf_option options[] = {
    {.name = "dir",
     .kind = HF_OPT_TEXT,
     .value = "DIR",
     .doc = "the folder to make; it must not exist, or be empty",
     .required = true,
     .offset = offsetof(struct values, dir)},
    {.name = "name",
     .kind = HF_OPT_TEXT,
     .value = "NAME",
     .doc = "whose CA it is: the organization in its certificates, at most 48 bytes",
     .required = true,
     .offset = offsetof(struct values, name)},
    {.name = "passphrase-file",
     .kind = HF_OPT_TEXT,
     .value = "FILE",
     .doc = "encrypt the CA's keys with the first line of FILE",
     .offset = offsetof(struct values, passphrase.file)},
    {.name = "passphrase-env",
     .kind = HF_OPT_TEXT,
     .value = "VARIABLE",
     .doc = "encrypt the CA's keys with what the environment variable holds",
     .offset = offsetof(struct values, passphrase.env)},
};

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    HF_CLEANUP(hf_secret_text_done) struct hf_secret_text passphrase = {0};
    enum hf_err err = hf_passphrase_read(&values->passphrase, &passphrase);
    struct hf_ca_new what = {
        .dir = values->dir,
        .name = values->name,
        .passphrase = hf_passphrase_bytes(&passphrase),
        .world = {&hf_os_clock, &hf_os_rng},
    };
    if (err == HF_OK) {
        err = hf_ca_init(&what);
    }
    if (err != HF_OK) {
        return hf_cli_fail(cli, err);
    }
    fprintf(
        cli->out,
        "made the CA \"%s\" in %s\n"
        "  %s/root.pem      the root certificate, to hand out to both sides\n"
        "  %s/root/key.pem  the root's key; issuing does not need it: move it to a safe place\n",
        values->name, values->dir, values->dir, values->dir);
    if (!passphrase.ptr) {
        hf_cli_say(cli, "the keys are not encrypted; --passphrase-file encrypts them");
    }
    return HF_EXIT_OK;
}

const struct hf_command hf_cmd_ca_init = {
    .name = "init",
    .summary = "make a new CA",
    .about = "Makes a root (P-256, 10 years) and an issuing CA below it (P-256, 3 years). The "
             "folder appears whole or not at all, and one that exists is never touched.",
    .example = "handfast ca init --dir ca --name Example\n"
               "handfast ca init --dir /var/lib/ca --name Example --passphrase-file ca.pass\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
