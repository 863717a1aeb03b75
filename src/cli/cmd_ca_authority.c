// SPDX-License-Identifier: Apache-2.0
/* `ca authority`: the CAs themselves; its commands that show and change are here. */
#include "cli/ca_authority.h"

#include <stdio.h>

#include "pki/write.h"

static const struct hf_option plain_options[] = {HF_AUTHORITY_OPTIONS_CA};

static const struct hf_option set_options[] = {HF_AUTHORITY_OPTIONS_URLS, HF_AUTHORITY_OPTIONS_CA};

static enum hf_err list(struct hf_authority_work *work)
{
    json_t *array = json_array();
    HF_TRY(hf_authority_work_open(work));
    for (size_t i = 0; i < work->set->n; i++) {
        const struct hf_authority *one = work->set->item[i];
        (void)json_array_append_new(array, hf_row_authority(one));
        if (!work->values->ca.json) {
            fprintf(work->cli->out, "%-16s %-8s %s\n", one->name,
                    hf_store_authority_state_name(one->state),
                    one->is_root && one->settings.distrusted ? "root, not handed out"
                    : one->is_root                           ? "root"
                    : one->key_id                            ? "key in the store"
                                                             : "key kept elsewhere");
        }
    }
    if (work->values->ca.json) {
        return hf_cli_json(work->cli, array);
    }
    json_decref(array);
    return HF_OK;
}

static enum hf_err show(struct hf_authority_work *work)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_AUTHORITY_FILE_CAP);
    const struct hf_authority *one = NULL;
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authority_work_find(work, work->cli->args[0], &one));
    if (work->values->ca.json) {
        return hf_cli_json(work->cli, hf_row_authority(one));
    }
    if (!one->cert) {
        return hf_fail(HF_E_NOT_FOUND, "\"%s\" waits for its certificate", one->name);
    }
    HF_TRY(one->is_root ? hf_cert_write_pem(one->cert, &pem)
                        : hf_chain_write_pem(one->chain, &pem));
    fwrite(hf_buf_bytes(&pem).ptr, 1, hf_buf_len(&pem), work->cli->out);
    return HF_OK;
}

static enum hf_err roots(struct hf_authority_work *work)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_AUTHORITY_FILE_CAP);
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authorities_roots(work->set, &pem));
    if (work->values->ca.json) {
        const char *text = hf_buf_cstr(&pem);
        return hf_cli_json(work->cli, json_pack("{s:s}", "roots", text ? text : ""));
    }
    fwrite(hf_buf_bytes(&pem).ptr, 1, hf_buf_len(&pem), work->cli->out);
    return HF_OK;
}

static enum hf_err retire(struct hf_authority_work *work)
{
    const struct hf_authority *one = NULL;
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authority_work_find(work, work->cli->args[0], &one));
    if (one->state != HF_AUTHORITY_ACTIVE) {
        return hf_fail(HF_E_INVALID, "\"%s\" is %s", one->name,
                       hf_store_authority_state_name(one->state));
    }
    HF_TRY(
        hf_authority_change(work->service, work->actor, one, HF_AUTHORITY_RETIRED, &one->settings));
    return hf_authority_work_tell(work, work->cli->args[0], "retired");
}

static void replace_urls(char *const *from, char **list)
{
    for (size_t i = 0; from[0] && i < HF_AUTHORITY_URLS_MAX; i++) {
        list[i] = from[i];
    }
}

static enum hf_err set(struct hf_authority_work *work)
{
    struct hf_authority_settings given = {0};
    const struct hf_authority *one = NULL;
    HF_TRY(hf_authority_fill_settings(work->values, &given));
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authority_work_find(work, work->cli->args[0], &one));
    struct hf_authority_settings merged = one->settings; /* views */
    replace_urls(given.crl_url, merged.crl_url);
    replace_urls(given.ocsp_url, merged.ocsp_url);
    replace_urls(given.issuer_url, merged.issuer_url);
    HF_TRY(hf_authority_change(work->service, work->actor, one, one->state, &merged));
    return hf_authority_work_tell(work, work->cli->args[0], "changed");
}

HF_AUTHORITY_RUN(list)
HF_AUTHORITY_RUN(show)
HF_AUTHORITY_RUN(roots)
HF_AUTHORITY_RUN(retire)
HF_AUTHORITY_RUN(set)

static HF_AUTHORITY_COMMAND(list_command, "list", "list the CAs", plain_options, run_list, NULL, 0,
                            .example = "handfast ca authority list --dir ca\n");
static HF_AUTHORITY_COMMAND(show_command, "show",
                            "print the certificate of a CA and those above it", plain_options,
                            run_show, "NAME", 1,
                            .example = "handfast ca authority show --dir ca issuing\n");
static HF_AUTHORITY_COMMAND(
    roots_command, "roots", "print the roots that are to be handed out", plain_options, run_roots,
    NULL, 0, .example = "handfast ca authority roots --store postgres://ca@db/ca > roots.pem\n");
static HF_AUTHORITY_COMMAND(
    retire_command, "retire", "have a CA issue nothing any more", plain_options, run_retire, "NAME",
    1,
    .about = "A CA that is retired signs CRLs and OCSP answers until its last certificate "
             "ends, and issues nothing.",
    .example = "handfast ca authority retire --dir ca issuing\n");
static HF_AUTHORITY_COMMAND(set_command, "set",
                            "change the addresses that a CA puts into certificates", set_options,
                            run_set, "NAME", 1,
                            .example = "handfast ca authority set --dir ca issuing --crl-url "
                                       "http://ca.example.org/{authority}.crl\n");

static const struct hf_command *const below[] = {
    &list_command,
    &show_command,
    &roots_command,
    &hf_cmd_ca_authority_make,
    &hf_cmd_ca_authority_request,
    &hf_cmd_ca_authority_sign,
    &hf_cmd_ca_authority_install,
    &hf_cmd_ca_authority_take,
    &hf_cmd_ca_authority_add_key,
    &hf_cmd_ca_authority_add_cert,
    &retire_command,
    &set_command,
    NULL,
};

const struct hf_command hf_cmd_ca_authority = {
    .name = "authority",
    .summary = "the CAs themselves: roots, issuing CAs, their keys",
    .example = "handfast ca authority list --dir ca\n"
               "handfast ca authority take-key --dir ca root --out /media/safe/root.key\n",
    .below = below,
};
