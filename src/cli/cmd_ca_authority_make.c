// SPDX-License-Identifier: Apache-2.0
/* `ca authority make`, `request` and `install`: a CA with a key of its own. */
#include "cli/ca_authority.h"

#include "ca/csr.h"
#include "os/file.h"
#include "pki/write.h"

static const struct hf_option make_options[] = {
    HF_AUTHORITY_OPTIONS_KEY_MADE,
    HF_AUTHORITY_OPTION("parent", HF_OPT_TEXT, "NAME", parent,
                        .doc = "the CA here that signs it (default: itself, a new root)"),
    HF_AUTHORITY_OPTION("successor-of", HF_OPT_TEXT, "NAME", successor_of,
                        .doc = "the CA whose place it takes, for `handfast ca rotate status`"),
    HF_AUTHORITY_OPTIONS_CONTENTS,
    HF_AUTHORITY_OPTIONS_URLS,
    HF_AUTHORITY_OPTIONS_CA,
};

static const struct hf_option request_options[] = {
    HF_AUTHORITY_OPTIONS_KEY_MADE,
    HF_AUTHORITY_OPTION("out", HF_OPT_TEXT, "FILE", out, .doc = "write the request to FILE",
                        .required = true),
    HF_AUTHORITY_OPTION("force", HF_OPT_SWITCH, NULL, force, .doc = "replace FILE if it exists"),
    HF_AUTHORITY_OPTIONS_URLS,
    HF_AUTHORITY_OPTIONS_CA,
};

static const struct hf_option install_options[] = {
    HF_AUTHORITY_OPTION("cert", HF_OPT_TEXT, "FILE", cert,
                        .doc = "the certificate that was signed, with the root that signed it",
                        .required = true),
    HF_AUTHORITY_OPTION("root-name", HF_OPT_TEXT, "NAME", root_name,
                        .doc = "what the root is called here, when it is new", .standard = "root"),
    HF_AUTHORITY_OPTIONS_CA,
};

static enum hf_err fill_new(const struct hf_authority_work *work, struct hf_subject *subject,
                            struct hf_authority_new *out)
{
    const struct hf_authority_values *values = work->values;
    HF_TRY(hf_subject_parse(values->subject, subject));
    *out = (struct hf_authority_new){
        .name = work->cli->args[0],
        .subject = subject,
        .parent = values->parent,
        .key_type = values->key_type,
        .pkcs11 = values->pkcs11,
        .lifetime_s = values->lifetime_ms / 1000,
        .constraints = hf_authority_constraints(values),
    };
    HF_TRY(hf_authority_read_path_len(values->path_len, &out->path_len));
    return hf_authority_fill_settings(values, &out->settings);
}

static enum hf_err make(struct hf_authority_work *work)
{
    HF_CLEANUP(hf_subject_done) struct hf_subject subject = {0};
    struct hf_authority_new what;
    HF_TRY(fill_new(work, &subject, &what));
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authority_make(work->service, work->actor, &what));
    HF_TRY(hf_ca_folder_roots(&work->values->ca, work->service));
    return hf_authority_work_tell(work, what.name, "made");
}

static enum hf_err request(struct hf_authority_work *work)
{
    HF_CLEANUP(hf_subject_done) struct hf_subject subject = {0};
    HF_CLEANUP(hf_buf_done) struct hf_buf csr = HF_BUF_INIT(HF_AUTHORITY_FILE_CAP);
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(HF_AUTHORITY_FILE_CAP);
    struct hf_authority_new what;
    HF_TRY(fill_new(work, &subject, &what));
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authority_check_out(work->values));
    HF_TRY(hf_authority_request(work->service, work->actor, &what, &csr));
    HF_TRY(hf_csr_write_pem(hf_buf_bytes(&csr), &pem));
    HF_TRY(hf_authority_write_out(work->values, hf_buf_bytes(&pem), 0644));
    return hf_authority_work_tell(work, what.name, "wrote a request for");
}

static enum hf_err install(struct hf_authority_work *work)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *chain = NULL;
    const char *name = work->cli->args[0];
    HF_TRY(hf_authority_read_chain(work->values->cert, &chain));
    HF_TRY(hf_authority_work_open(work));
    HF_TRY(hf_authority_install(work->service, work->actor, name, chain, work->values->root_name));
    HF_TRY(hf_ca_folder_roots(&work->values->ca, work->service));
    return hf_authority_work_tell(work, name, "installed the certificate of");
}

HF_AUTHORITY_RUN(make)
HF_AUTHORITY_RUN(request)
HF_AUTHORITY_RUN(install)

HF_AUTHORITY_COMMAND(
    hf_cmd_ca_authority_make, "make", "make a CA, below another one here or a root", make_options,
    run_make, "NAME", 1,
    .example = "handfast ca authority make --dir ca branch --parent root --subject "
               "'CN=Branch CA,O=Example' --permit DNS:branch.example.org\n");
HF_AUTHORITY_COMMAND(
    hf_cmd_ca_authority_request, "request",
    "make the key of a CA, and a request for a root elsewhere", request_options, run_request,
    "NAME", 1,
    .example = "handfast ca authority request --dir ca issuing-2 --subject 'CN=Example Issuing "
               "CA G2,O=Example' --out issuing-2.csr\n");
HF_AUTHORITY_COMMAND(
    hf_cmd_ca_authority_install, "install",
    "install the certificate that a request was answered with", install_options, run_install,
    "NAME", 1, .example = "handfast ca authority install --dir ca issuing --cert issuing.pem\n");
