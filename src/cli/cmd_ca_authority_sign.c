// SPDX-License-Identifier: Apache-2.0
/* `ca authority sign`, `add-cert` and `ca cross-sign`: what CAs say of one another. */
#include "cli/ca_authority.h"

#include <stdio.h>

#include "os/clock.h"
#include "os/file.h"
#include "pki/write.h"

static const struct hf_option sign_options[] = {
    HF_AUTHORITY_OPTION("csr", HF_OPT_TEXT, "FILE", csr, .doc = "the other CA's request",
                        .required = true),
    HF_AUTHORITY_OPTION("by", HF_OPT_TEXT, "NAME", by, .doc = "the CA here that signs",
                        .standard = "root"),
    HF_AUTHORITY_OPTION("out", HF_OPT_TEXT, "FILE", out,
                        .doc = "write the certificate, and those above it, to FILE",
                        .required = true),
    HF_AUTHORITY_OPTION("force", HF_OPT_SWITCH, NULL, force, .doc = "replace FILE if it exists"),
    HF_AUTHORITY_OPTIONS_CONTENTS,
    HF_AUTHORITY_OPTIONS_CA,
};

static const struct hf_option add_cert_options[] = {
    HF_AUTHORITY_OPTION("cert", HF_OPT_TEXT, "FILE", cert, .doc = "the certificate",
                        .required = true),
    HF_AUTHORITY_OPTIONS_CA,
};

static const struct hf_option cross_options[] = {
    HF_AUTHORITY_OPTION("by", HF_OPT_TEXT, "NAME", by, .doc = "the CA here that signs",
                        .required = true),
    HF_AUTHORITY_OPTION("cert", HF_OPT_TEXT, "FILE", cert,
                        .doc = "the certificate of the other CA, in place of the NAME of one here"),
    HF_AUTHORITY_OPTION("out", HF_OPT_TEXT, "FILE", out,
                        .doc = "write the new certificate to FILE"),
    HF_AUTHORITY_OPTION("force", HF_OPT_SWITCH, NULL, force, .doc = "replace FILE if it exists"),
    HF_AUTHORITY_OPTIONS_CONTENTS,
    HF_AUTHORITY_OPTIONS_CA,
};

static enum hf_err fill_sign(const struct hf_authority_values *values,
                             struct hf_authority_sign *out)
{
    out->by = values->by;
    out->lifetime_s = values->lifetime_ms / 1000;
    out->constraints = hf_authority_constraints(values);
    return hf_authority_read_path_len(values->path_len, &out->path_len);
}

/* The certificate, then those above it, the root as well: all that `install` wants. */
static enum hf_err write_signed(const struct hf_authority_work *work, const struct hf_cert *cert,
                                bool with_above)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_AUTHORITY_FILE_CAP);
    const struct hf_authority *by = NULL;
    HF_TRY(hf_authority_work_find(work, work->values->by, &by));
    HF_TRY(hf_cert_write_pem(cert, &pem));
    if (with_above && by->chain) {
        HF_TRY(hf_chain_write_pem(by->chain, &pem));
    }
    if (with_above && by->root) {
        HF_TRY(hf_cert_write_pem(by->root, &pem));
    }
    return hf_authority_write_out(work->values, hf_buf_bytes(&pem), 0644);
}

static enum hf_err tell_signed(const struct hf_authority_work *work, const struct hf_cert *cert)
{
    struct hf_identity *id = NULL;
    char when[HF_CLI_WHEN_SIZE];
    HF_TRY(hf_identity_new(cert, &id));
    hf_identity_unref(id); /* the certificate keeps it */
    if (work->values->ca.json) {
        return hf_cli_json(work->cli,
                           json_pack("{s:s, s:s, s:o}", "serial", id->serial, "subject",
                                     id->subject, "not_after", hf_row_when(id->not_after)));
    }
    hf_cli_when(id->not_after, hf_clock_wall_s(&hf_os_clock), when);
    fprintf(work->cli->out, "signed %s\n  serial  %s\n  ends    %s\n", id->subject, id->serial,
            when);
    if (work->values->out) {
        fprintf(work->cli->out, "  wrote   %s\n", work->values->out);
    }
    return HF_OK;
}

static enum hf_err sign(struct hf_authority_work *work)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf csr = HF_BUF_INIT(HF_AUTHORITY_FILE_CAP);
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    struct hf_authority_sign what = {.label = work->values->csr};
    HF_TRY(fill_sign(work->values, &what));
    HF_TRY(hf_file_read(work->values->csr, &csr));
    what.csr = hf_buf_bytes(&csr);
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authority_check_out(work->values));
    HF_TRY(hf_authority_sign(work->service, work->actor, &what, &cert));
    HF_TRY(write_signed(work, cert, true));
    return tell_signed(work, cert);
}

static enum hf_err cross(struct hf_authority_work *work)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    struct hf_authority_sign what = {0};
    const struct hf_authority *whom = NULL;
    if ((work->cli->n_args != 0) == (work->values->cert != NULL)) {
        return hf_fail(HF_E_USAGE, "say whose certificate: the NAME of a CA here, or --cert FILE");
    }
    if (work->values->cert && !work->values->out) {
        return hf_fail(HF_E_USAGE, "--cert wants an --out FILE for the new certificate");
    }
    HF_TRY(fill_sign(work->values, &what));
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authority_check_out(work->values));
    if (work->values->cert) {
        HF_TRY(hf_authority_read_chain(work->values->cert, &chain));
        what.cert = chain->certs[0];
        what.label = work->values->cert;
    } else {
        HF_TRY(hf_authority_work_find(work, work->cli->args[0], &whom));
        what.cert = whom->cert;
        what.label = whom->name;
        HF_TRY(what.cert ? HF_OK
                         : hf_fail(HF_E_NOT_FOUND, "\"%s\" has no certificate yet", whom->name));
    }
    HF_TRY(hf_authority_sign(work->service, work->actor, &what, &cert));
    if (work->values->out) {
        HF_TRY(write_signed(work, cert, false));
    }
    return tell_signed(work, cert);
}

static enum hf_err add_cert(struct hf_authority_work *work)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    HF_TRY(hf_authority_read_chain(work->values->cert, &chain));
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authority_add_cert(work->service, work->actor, chain->certs[0]));
    return tell_signed(work, chain->certs[0]);
}

HF_AUTHORITY_RUN(sign)
HF_AUTHORITY_RUN(cross)
HF_AUTHORITY_RUN(add_cert)

HF_AUTHORITY_COMMAND(
    hf_cmd_ca_authority_sign, "sign", "sign the request of a CA that is elsewhere", sign_options,
    run_sign, NULL, 0,
    .example = "handfast ca authority sign --dir root --csr issuing.csr --out issuing.pem\n");
HF_AUTHORITY_COMMAND(
    hf_cmd_ca_authority_add_cert, "add-cert", "keep a certificate that others signed for a CA here",
    add_cert_options, run_add_cert, NULL, 0,
    .about = "Keeps a cross-signed certificate and sends it with the chain of the CA whose key "
             "it is for.",
    .example = "handfast ca authority add-cert --dir ca --cert cross.pem\n");

const struct hf_command hf_cmd_ca_cross_sign = {
    .name = "cross-sign",
    .summary = "sign the certificate of another root or CA once more",
    .args = "[NAME]",
    .max_args = 1,
    .about = "Makes a certificate for the name and the key of another CA, so that who trusts this "
             "one accepts what that one issues. For a CA in the same store it is kept, and sent "
             "with its chain.",
    .example = "handfast ca cross-sign --dir ca --by root root-2\n"
               "handfast ca cross-sign --dir ca --by root --cert partner-root.pem --permit "
               "DNS:partner.example --out partner-cross.pem\n",
    HF_OPTIONS(cross_options),
    .values_size = sizeof(struct hf_authority_values),
    .run = run_cross,
};
