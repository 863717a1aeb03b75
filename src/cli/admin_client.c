// SPDX-License-Identifier: Apache-2.0
#include "cli/admin_client.h"

#include <string.h>

#include "config/config.h"
#include "watch/httpc.h"

enum { TIMEOUT_MS = 60000, ANSWER_MAX = 256 << 20 };

void hf_admin_answer_done(struct hf_admin_answer *answer)
{
    json_decref(answer->json);
    *answer = (struct hf_admin_answer){0};
}

const char *hf_json_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "-";
}

long long hf_json_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* --- Where the daemon is ------------------------------------------------------------------------
 */

static enum hf_err from_config(struct hf_cli *cli, const char *path, struct hf_addr *out)
{
    HF_CLEANUP(hf_findings_done) struct hf_findings findings = {0};
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(16u << 20);
    struct hf_config *config = NULL;
    enum hf_err err = hf_config_load(path, &findings, &config);
    if (err == HF_OK && !config->admin.text) {
        err = hf_fail(HF_E_CONFIG, "%s names no admin socket; add `admin: %s`", path,
                      HF_ADMIN_DEFAULT);
    } else if (err == HF_OK) {
        *out = config->admin.addr;
    } else if (findings.n && hf_findings_format(&findings, &text) == HF_OK) {
        fwrite(hf_buf_bytes(&text).ptr, 1, hf_buf_len(&text), cli->err);
        err = hf_fail(err,
                      "%s has errors, so the daemon was not asked; --admin reaches it without "
                      "this file",
                      path);
    }
    hf_config_free(config);
    return err;
}

static enum hf_err find_socket(struct hf_cli *cli, const struct hf_admin_values *values,
                               struct hf_addr *out)
{
    char text[HF_ADDR_TEXT_SIZE];
    if (values->admin && values->config) {
        return hf_fail(HF_E_USAGE, "--admin and --config say the same in two ways: give one");
    }
    if (values->config) {
        return from_config(cli, values->config, out);
    }
    const char *admin = values->admin ? values->admin : HF_ADMIN_DEFAULT;
    bool bare = strchr(admin, '/') && strncmp(admin, "unix:", 5) != 0;
    if ((size_t)snprintf(text, sizeof(text), "%s%s", bare ? "unix:" : "", admin) >= sizeof(text) ||
        hf_addr_parse(text, out) != HF_OK || out->sa.sa_family != AF_UNIX) {
        return hf_fail(HF_E_USAGE, "--admin: \"%.100s\" is not the path of a unix socket", admin);
    }
    return HF_OK;
}

/* --- Asking -------------------------------------------------------------------------------------
 */

/* What failing to connect means to somebody who wants to talk to the daemon. */
static enum hf_err explain(enum hf_err err, const struct hf_addr *addr)
{
    char text[HF_ADDR_TEXT_SIZE];
    hf_addr_format(addr, text);
    switch (err) {
    case HF_E_NOT_FOUND:
        return hf_fail(err,
                       "is the daemon running? there is no socket %s; --admin or --config "
                       "says where it is",
                       text);
    case HF_E_PERMISSION:
        return hf_fail(err, "%s may be used by the daemon's own user and root only", text);
    case HF_E_BUSY:
        return hf_fail(err, "%s is busy; try again in a moment", text);
    case HF_E_TIMEOUT:
        return hf_fail(err, "the daemon at %s took too long to answer", text);
    case HF_E_CLOSED:
        return hf_fail(err,
                       "the daemon at %s closed the connection: it may be full, ending, or "
                       "refuse this user",
                       text);
    case HF_E_IO:
        return hf_fail_context(err, "is the daemon running? nobody answers at %s", text);
    default:
        return hf_fail_context(err, "%s", text);
    }
}

static bool is_success(unsigned status)
{
    return status / 100 == 2;
}

static enum hf_err take_answer(const struct hf_httpc_answer *got, const struct hf_addr *addr,
                               struct hf_admin_answer *out)
{
    json_error_t error;
    struct hf_bytes body = hf_buf_bytes(&got->body);
    char text[HF_ADDR_TEXT_SIZE];
    hf_addr_format(addr, text);
    out->status = got->status;
    out->json = json_loadb((const char *)body.ptr, body.len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(out->json)) {
        return hf_fail(HF_E_PEER, "what answers at %s is not handfast: status %u, and no JSON",
                       text, got->status);
    }
    return HF_OK;
}

enum hf_err hf_admin_ask(struct hf_cli *cli, const struct hf_admin_values *values,
                         const char *method, const char *target, struct hf_admin_answer *out)
{
    HF_CLEANUP(hf_admin_answer_done) struct hf_admin_answer answer = {0};
    struct hf_addr addr;
    *out = answer;
    HF_TRY(find_socket(cli, values, &addr));
    struct hf_httpc_answer got = {.body = HF_BUF_INIT(ANSWER_MAX)};
    enum hf_err err = hf_httpc_ask(&addr, method, target, TIMEOUT_MS, &got);
    err = err == HF_OK ? take_answer(&got, &addr, &answer) : explain(err, &addr);
    hf_buf_done(&got.body);
    HF_TRY(err);
    if (!values->json && !is_success(answer.status) && answer.status != 409) {
        return hf_fail(HF_E_PEER, "the daemon refuses: %s", hf_json_text(answer.json, "message"));
    }
    *out = answer;
    answer = (struct hf_admin_answer){0};
    return HF_OK;
}

enum hf_exit hf_admin_print(struct hf_cli *cli, const struct hf_admin_answer *answer)
{
    json_dumpf(answer->json, cli->out, JSON_INDENT(2));
    fputc('\n', cli->out);
    return is_success(answer->status) ? HF_EXIT_OK : HF_EXIT_PROBLEM;
}
