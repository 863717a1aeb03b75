// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_ADMIN_CLIENT_H
#define HF_CLI_ADMIN_CLIENT_H

/* What `handfast status`, `sessions`, `reload` and `drain` share: finding the admin socket of the
 * daemon, asking it, and saying what went wrong in words. */

#include <jansson.h>

#include "cli/cli.h"

#define HF_ADMIN_DEFAULT "unix:/run/handfast/admin.sock"

/* struct hf_admin_values begins the values of each of these commands. */
struct hf_admin_values {
    const char *admin;  /* --admin: "unix:/path" or a path */
    const char *config; /* -c: the socket is the one that this file names */
    bool json;
};

/* The options that go with it; the last one has no comma behind it. */
#define HF_ADMIN_OPTIONS(values_, member_) \
    {.name = "admin", \
     .kind = HF_OPT_TEXT, \
     .value = "PATH", \
     .doc = "the daemon's admin socket; default " HF_ADMIN_DEFAULT, \
     .offset = offsetof(values_, member_.admin)}, \
        {.name = "config", \
         .letter = 'c', \
         .kind = HF_OPT_TEXT, \
         .value = "FILE", \
         .doc = "take the admin socket from this config file", \
         .offset = offsetof(values_, member_.config)}, \
    { \
        .name = "json", .kind = HF_OPT_SWITCH, .doc = "print the daemon's answer as it is", \
        .offset = offsetof(values_, member_.json) \
    }

struct hf_admin_answer {
    unsigned status;
    json_t *json;
};
void hf_admin_answer_done(struct hf_admin_answer *answer);

/*
 * hf_admin_ask sends a request. Without --json, answers other than 2xx and 409 are failures.
 * Errors: HF_E_USAGE, HF_E_CONFIG (the findings are on cli->err), HF_E_PEER (the daemon refused;
 * its words are the sentence), those of connecting.
 */
enum hf_err hf_admin_ask(struct hf_cli *cli, const struct hf_admin_values *values,
                         const char *method, const char *target,
                         struct hf_admin_answer *out) HF_MUST_CHECK;

/* hf_admin_print writes the answer as JSON and gives the exit status that its HTTP status means. */
enum hf_exit hf_admin_print(struct hf_cli *cli, const struct hf_admin_answer *answer);

/* Members of JSON objects, with "-" and 0 for what isn't there or of another kind. */
const char *hf_json_text(const json_t *object, const char *key);
long long hf_json_number(const json_t *object, const char *key);

#endif
