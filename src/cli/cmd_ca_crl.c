// SPDX-License-Identifier: Apache-2.0
/* `ca crl`: revocation lists as files, for where no daemon publishes them. Numbers come from the
 * store, so lists of a daemon and of this command can be mixed. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/crl_make.h"
#include "cli/ca_open.h"
#include "os/clock.h"
#include "os/file.h"

enum { LIFETIME_STANDARD_S = 7 * 86400, PEM_MAX = 1 << 30, LINE = 48, PATH_SIZE = 4096 };

struct values {
    struct hf_ca_values ca;
    const char *authority, *out;
    int64_t lifetime_ms;
    bool pem;
};

#define OPTION(name_, kind_, value_, member, ...) \
    HF_CA_OPTION(struct values, name_, kind_, value_, member, __VA_ARGS__)

static const struct hf_option options[] = {
    OPTION("out", HF_OPT_TEXT, "FOLDER", out,
           .doc = "put AUTHORITY.crl, or AUTHORITY-SHARD.crl, there", .required = true),
    OPTION("authority", HF_OPT_TEXT, "NAME", authority,
           .doc = "the list of this CA alone (default: of every CA whose key is here)"),
    OPTION("lifetime", HF_OPT_DURATION, "TIME", lifetime_ms,
           .doc = "how long the lists hold (default: 7d)"),
    OPTION("pem", HF_OPT_SWITCH, NULL, pem, .doc = "write PEM, as nginx and HAProxy want it"),
    HF_CA_OPTIONS_WHERE(struct values, ca),
    HF_CA_OPTIONS_KEYS(struct values, ca),
    HF_CA_OPTIONS_JSON(struct values, ca),
};

struct work {
    struct hf_cli *cli;
    const struct values *values;
    struct hf_ca_service *service;
    struct hf_authorities *set;
    char actor[HF_CA_ACTOR_SIZE];
    json_t *told;
    size_t n;
};

static void work_done(struct work *work)
{
    json_decref(work->told);
    hf_authorities_unref(work->set);
    hf_ca_service_close(work->service);
}

/* --- One list ----------------------------------------------------------------------------------
 */

static enum hf_err write_pem(const struct hf_crl_file *file, const char *path)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(PEM_MAX);
    struct hf_blob *map = NULL;
    HF_TRY(hf_crl_file_map(file, &map));
    enum hf_err err = hf_buf_append_str(&pem, "-----BEGIN X509 CRL-----\n");
    for (struct hf_bytes rest = map->bytes; err == HF_OK && rest.len;) {
        unsigned char line[LINE / 3 * 4 + 2];
        size_t n = rest.len < LINE ? rest.len : LINE;
        int len = EVP_EncodeBlock(line, rest.ptr, (int)n);
        line[len] = '\n';
        err = hf_buf_append(&pem, hf_bytes_of(line, (size_t)len + 1));
        rest = hf_bytes_from(rest, n);
    }
    hf_blob_unref(map);
    HF_TRY(err);
    HF_TRY(hf_buf_append_str(&pem, "-----END X509 CRL-----\n"));
    return hf_file_write_atomic(path, hf_buf_bytes(&pem), 0644);
}

static enum hf_err tell(struct work *work, const char *path, const struct hf_store_crl *crl)
{
    work->n++;
    if (!work->values->ca.json) {
        fprintf(work->cli->out, "wrote %s: number %lld, %lld entries\n", path,
                (long long)crl->number, (long long)crl->n_entries);
        return HF_OK;
    }
    json_t *object = json_pack("{s:s, s:I, s:I, s:o}", "file", path, "number",
                               (json_int_t)crl->number, "entries", (json_int_t)crl->n_entries,
                               "next_update", hf_row_when(crl->next_update));
    return json_array_append_new(work->told, object) == 0 ? HF_OK
                                                          : hf_fail(HF_E_NOMEM, "out of memory");
}

static enum hf_err make(struct work *work, const struct hf_authority *one, unsigned shard)
{
    char path[PATH_SIZE];
    const struct values *values = work->values;
    const struct hf_crl_make what = {
        .store = hf_ca_store(work->service),
        .authority = one,
        .clock = &hf_os_clock,
        .actor = work->actor,
        .folder = values->out,
        .shard = shard,
        .lifetime_s = values->lifetime_ms ? values->lifetime_ms / 1000 : LIFETIME_STANDARD_S,
    };
    struct hf_crl_made made;
    HF_TRY(hf_crl_path(values->out, one, shard, false, path, sizeof(path)));
    HF_TRY(hf_crl_make(&what, &made));
    enum hf_err err =
        values->pem ? write_pem(&made.file, path) : hf_crl_file_publish(&made.file, path);
    hf_crl_file_done(&made.file);
    return err == HF_OK ? tell(work, path, &made.crl) : err;
}

/* --- All of them -------------------------------------------------------------------------------
 */

static enum hf_err make_all_of(struct work *work, const struct hf_authority *one)
{
    unsigned n = one->settings.shards ? one->settings.shards : 1;
    for (unsigned shard = 0; shard < n; shard++) {
        HF_TRY(make(work, one, shard));
    }
    return HF_OK;
}

static enum hf_err make_named(struct work *work, const char *name)
{
    const struct hf_authority *one = hf_authorities_find(work->set, name);
    if (!one) {
        return hf_fail(HF_E_NOT_FOUND, "there is no authority \"%.64s\"", name);
    }
    if (!one->issuer) {
        return hf_fail(HF_E_NOT_FOUND,
                       work->set->locked ? "the key of \"%s\" is encrypted: give the passphrase"
                                         : "the key of \"%s\" isn't here",
                       one->name);
    }
    return make_all_of(work, one);
}

static enum hf_err run_all(struct work *work)
{
    hf_ca_actor(work->actor);
    HF_TRY(hf_ca_cli_open(&work->values->ca, &work->service));
    work->set = hf_ca_authorities(work->service);
    if (work->values->authority) {
        HF_TRY(make_named(work, work->values->authority));
    }
    for (size_t i = 0; !work->values->authority && i < work->set->n; i++) {
        if (work->set->item[i]->issuer) {
            HF_TRY(make_all_of(work, work->set->item[i]));
        }
    }
    if (work->n == 0) {
        return hf_fail(HF_E_NOT_FOUND, work->set->locked
                                           ? "the CA's keys are encrypted: give the passphrase"
                                           : "no key of a CA is here");
    }
    return work->values->ca.json ? hf_cli_json(work->cli, HF_TAKE(work->told)) : HF_OK;
}

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    HF_CLEANUP(work_done) struct work work = {.cli = cli, .values = given, .told = json_array()};
    if (work.values->lifetime_ms < 0) {
        return hf_cli_usage(cli, "--lifetime is above 0");
    }
    enum hf_err err = run_all(&work);
    return err == HF_OK ? HF_EXIT_OK : hf_cli_fail(cli, err);
}

const struct hf_command hf_cmd_ca_crl = {
    .name = "crl",
    .summary = "write revocation lists as files",
    .about =
        "Makes a full revocation list of each CA whose key is here, and puts it into a folder, "
        "replacing the one before as a whole. A daemon that serves the CA does this by "
        "itself; the command is for where there is none, from a timer well before the lists "
        "end.",
    .example = "handfast ca crl --dir ca --out /var/www/crl\n"
               "handfast ca crl --dir ca --out /etc/nginx/crl --pem --lifetime 3d\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
};
