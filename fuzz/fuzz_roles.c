// SPDX-License-Identifier: Apache-2.0
/*
 * Selectors and roles. The first five lines are an identity: common name, DNS name, URI, email
 * address, subject; every further line is a selector.
 *
 * A selector made of a name itself must find it; not(any) and all(not) must agree; nobody has a
 * role.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "policy/roles.h"

enum { LINES = 12, LINE_MAX_LEN = 600, NAMES = 5 };

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* The line as a string of its own; bytes that no name has are left out. */
static void take_line(struct hf_bytes *rest, char *out)
{
    size_t n = 0;
    size_t used = 0;
    while (used < rest->len && rest->ptr[used] != '\n') {
        uint8_t byte = rest->ptr[used++];
        if (byte != '\0' && n < LINE_MAX_LEN) {
            out[n++] = (char)byte;
        }
    }
    out[n] = '\0';
    *rest = hf_bytes_from(*rest, used + 1);
}

static enum hf_match judge(const struct hf_role_expr *expr, const struct hf_identity *identity)
{
    struct hf_role_source source = {"r", *expr};
    struct hf_role_place place;
    struct hf_roles *roles = NULL;
    enum hf_match answer;
    need(hf_roles_new(&source, 1, &roles, &place) == HF_OK);
    need(hf_roles_judge(roles, NULL, &answer) == HF_OK && answer == HF_MATCH_NO);
    need(hf_roles_judge(roles, identity, &answer) == HF_OK);
    hf_roles_free(roles);
    return answer;
}

/* "kind:" and the name with its stars escaped; names with backslashes are left alone. */
static void find_itself(const char *kind, const char *name, const struct hf_identity *identity)
{
    char text[2 * LINE_MAX_LEN + 16];
    size_t n = strlen(strcpy(text, kind));
    if (!*name || strchr(name, '\\')) {
        return;
    }
    for (const char *c = name; *c; c++) {
        if (*c == '*') {
            text[n++] = '\\';
        }
        text[n++] = *c;
    }
    text[n] = '\0';
    struct hf_selector *selector = NULL;
    if (hf_selector_new(hf_bytes_str(text), &selector) != HF_OK) {
        need(strcmp(kind, "email:") == 0); /* the name is no address */
        return;
    }
    hf_selector_free(selector);
    struct hf_role_expr expr = {.op = HF_ROLE_SELECTOR, .text = text};
    need(judge(&expr, identity) != HF_MATCH_NO);
}

/* not(any(...)) == all(not(...)) */
static void check_de_morgan(const struct hf_role_expr *selectors, size_t n,
                            const struct hf_identity *identity)
{
    struct hf_role_expr nots[LINES];
    for (size_t i = 0; i < n; i++) {
        nots[i] = (struct hf_role_expr){.op = HF_ROLE_NOT, .parts = &selectors[i], .n_parts = 1};
    }
    struct hf_role_expr any = {.op = HF_ROLE_ANY, .parts = selectors, .n_parts = n};
    struct hf_role_expr not_any = {.op = HF_ROLE_NOT, .parts = &any, .n_parts = 1};
    struct hf_role_expr all_not = {.op = HF_ROLE_ALL, .parts = nots, .n_parts = n};
    need(judge(&not_any, identity) == judge(&all_not, identity));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char lines[LINES][LINE_MAX_LEN + 1];
    struct hf_bytes rest = hf_bytes_of(data, size);
    struct hf_role_expr selectors[LINES];
    size_t n = 0;
    for (size_t i = 0; i < LINES; i++) {
        take_line(&rest, lines[i]);
    }
    char *dns[] = {lines[1]};
    char *uri[] = {lines[2]};
    char *email[] = {lines[3]};
    char issuer[] = "CN=CA";
    char serial[] = "1f";
    struct hf_identity identity = {.cn = lines[0],
                                   .dns = {dns, 1},
                                   .uri = {uri, 1},
                                   .email = {email, 1},
                                   .subject = lines[4],
                                   .issuer = issuer,
                                   .serial = serial,
                                   .spiffe = lines[2],
                                   .mangled = size % 7 == 0};
    find_itself("cn:", lines[0], &identity);
    find_itself("dns:", lines[1], &identity);
    find_itself("uri:", lines[2], &identity);
    find_itself("email:", lines[3], &identity);
    for (size_t i = NAMES; i < LINES; i++) {
        struct hf_selector *selector = NULL;
        if (hf_selector_new(hf_bytes_str(lines[i]), &selector) == HF_OK) {
            selectors[n++] = (struct hf_role_expr){.op = HF_ROLE_SELECTOR, .text = lines[i]};
        }
        hf_selector_free(selector);
    }
    if (n) {
        check_de_morgan(selectors, n, &identity);
    }
    return 0;
}
