// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_CONFIG_SUPPORT_H
#define HF_TEST_CONFIG_SUPPORT_H

/* What the config tests share: a folder with files that configs may name, and one call from text
 * to findings. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/config.h"

/* make_folder makes a temporary folder with server.pem, server.key, ca.pem and pass in it, all
 * placeholders, and drop_folder removes it. For group setup and teardown; the path is `folder`. */
extern char folder[64];
int make_folder(void **state);
int drop_folder(void **state);

/* put_file writes a file into the folder, with mode 0600. */
void put_file(const char *name, const char *text);

/* set_mode changes a file's permissions. */
void set_mode(const char *name, unsigned mode);

/* findings_of parses text as "t.yaml" and gives what hf_findings_format says, "" when all is well.
 * Valid until the next call. The config goes to *out when out isn't NULL. */
const char *findings_of(const char *text, struct hf_config **out);

/* A config that is complete but for what a test puts behind it. */
#define HEAD \
    "identities: {web: {cert: server.pem, key: server.key}}\n" \
    "trust: {partners: {roots: ca.pem}}\n" \
    "upstreams: {app: {servers: [\"127.0.0.1:8080\"]}}\n"
#define API \
    "listeners:\n" \
    "  api: {listen: [\"127.0.0.1:8443\"], identities: [web], trust: partners, to: app}\n"

#endif
