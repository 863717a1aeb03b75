// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CA_WHICH_H
#define HF_CLI_CA_WHICH_H

/* The filter of `ca list` and `ca revoke`. */

#include "ca/service.h"

struct hf_ca_which_values {
    const char *authority, *identity, *profile, *requester, *text;
    int64_t expiring_ms;
    bool never_seen;
};

#define HF_CA_OPTIONS_WHICH(type, member) \
    HF_CA_OPTION(type, "identity", HF_OPT_TEXT, "NAME", member.identity, \
                 .doc = "those of this name, as `handfast ca list` shows it"), \
        HF_CA_OPTION(type, "profile", HF_OPT_TEXT, "PROFILE", member.profile, \
                     .doc = "those issued by this profile"), \
        HF_CA_OPTION(type, "authority", HF_OPT_TEXT, "NAME", member.authority, \
                     .doc = "those issued by this CA"), \
        HF_CA_OPTION(type, "requester", HF_OPT_TEXT, "NAME", member.requester, \
                     .doc = "those that this one asked for"), \
        HF_CA_OPTION(type, "text", HF_OPT_TEXT, "WORDS", member.text, \
                     .doc = \
                         "those with these words, or words that begin so, in subject or names"), \
        HF_CA_OPTION(type, "expiring", HF_OPT_DURATION, "TIME", member.expiring_ms, \
                     .doc = "those that end within this time from now, such as 30d"), \
        HF_CA_OPTION(type, "never-seen", HF_OPT_SWITCH, NULL, member.never_seen, \
                     .doc = "those that were never presented, as far as known")

/* hf_ca_which_read fills everything but the serial number; out views the values. */
enum hf_err hf_ca_which_read(const struct hf_ca_which_values *values,
                             struct hf_ca_which *out) HF_MUST_CHECK;

/* hf_ca_serial_of_file gives the serial number of the first certificate in a file, in hex; the
 * caller frees it. */
enum hf_err hf_ca_serial_of_file(const char *path, char **out) HF_MUST_CHECK;

#endif
