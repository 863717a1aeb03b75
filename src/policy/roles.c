// SPDX-License-Identifier: Apache-2.0
/*
 * Roles are compiled into one array of steps in postfix order, the steps of a role after those of
 * the roles that it uses:
 *
 *     [spiffe://..] [cn:alice] [any 2] = ops    [role ops] [ou:Interns] [not] [all 2] = admins
 *
 * Judging runs through it once, with a stack of answers. The order is found by taking, again and
 * again, a role that uses none but those taken already (Kahn); it exists exactly when no role leads
 * back to itself.
 */
#include "policy/roles.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

#define NO_ROLE UINT32_MAX

struct step {
    enum hf_role_op op;
    uint32_t n;                   /* ANY, ALL: how many answers it takes; NAMED: which role */
    uint32_t result;              /* the role whose answer this is, or NO_ROLE */
    struct hf_selector *selector; /* SELECTOR */
};

struct hf_roles {
    char **names;
    size_t n;
    struct step *steps;
    size_t n_steps;
    size_t stack; /* the most answers that wait at a time */
};

/* "user" has the part `expr`, which names "used". */
struct use {
    uint32_t user;
    uint32_t used;
    const struct hf_role_expr *expr;
};

struct compiler {
    struct hf_roles *roles;
    const struct hf_role_source *sources;
    struct hf_role_place *place;
    struct hf_map by_name; /* values: index + 1 */
    struct use *uses;
    size_t n_uses;
    uint32_t *pending; /* of each role: how many of its uses aren't compiled */
    uint32_t *queue;   /* roles in the order of compiling */
    size_t n_queue;
    size_t n_parts;
    size_t height; /* of the stack, while compiling */
};

/* --- Looking through what was written -----------------------------------------------------------
 */

static enum hf_err unknown_role(const struct compiler *compiler, const char *name)
{
    HF_CLEANUP(hf_freep)
    const char **names = hf_alloc_zero(compiler->roles->n + 1, sizeof(*names));
    if (!names) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < compiler->roles->n; i++) {
        names[i] = compiler->sources[i].name;
    }
    const char *closest = hf_closest(name, names);
    return hf_fail(HF_E_INVALID, "there is no role \"%.60s\"%s%s%s", name,
                   closest ? "; did you mean \"" : "", closest ? closest : "",
                   closest ? "\"?" : "");
}

static enum hf_err note_use(struct compiler *compiler, uint32_t user,
                            const struct hf_role_expr *expr)
{
    uintptr_t found = (uintptr_t)hf_map_get(&compiler->by_name, hf_bytes_str(expr->text));
    if (!found) {
        return unknown_role(compiler, expr->text);
    }
    if ((compiler->n_uses & (compiler->n_uses - 1)) == 0) {
        size_t room = compiler->n_uses ? 2 * compiler->n_uses : 1;
        struct use *uses = hf_realloc(compiler->uses, room * sizeof(*uses));
        if (!uses) {
            return HF_E_NOMEM;
        }
        compiler->uses = uses;
    }
    compiler->uses[compiler->n_uses++] = (struct use){user, (uint32_t)(found - 1), expr};
    compiler->pending[user]++;
    return HF_OK;
}

static enum hf_err check_list(const struct hf_role_expr *expr, size_t depth)
{
    if (expr->n_parts == 0) {
        return hf_fail(HF_E_INVALID, "an empty list; name at least one selector or role");
    }
    if (expr->op == HF_ROLE_NOT && expr->n_parts != 1) {
        return hf_fail(HF_E_INVALID, "\"not\" takes one selector or role, not %zu", expr->n_parts);
    }
    if (depth == HF_ROLE_DEPTH_MAX) {
        return hf_fail(HF_E_TOO_LARGE,
                       "lists within lists, deeper than %d; give the inner ones a "
                       "role of their own",
                       HF_ROLE_DEPTH_MAX);
    }
    return HF_OK;
}

static enum hf_err survey(struct compiler *compiler, uint32_t role, const struct hf_role_expr *expr,
                          size_t depth)
{
    *compiler->place = (struct hf_role_place){role, expr};
    if (++compiler->n_parts > HF_ROLE_PARTS_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "all roles together have more than %d parts",
                       HF_ROLE_PARTS_MAX);
    }
    if (expr->op == HF_ROLE_SELECTOR) {
        return HF_OK;
    }
    if (expr->op == HF_ROLE_NAMED) {
        return note_use(compiler, role, expr);
    }
    HF_TRY(check_list(expr, depth));
    for (size_t i = 0; i < expr->n_parts; i++) {
        HF_TRY(survey(compiler, role, &expr->parts[i], depth + 1));
    }
    return HF_OK;
}

/* --- The order ----------------------------------------------------------------------------------
 */

static int by_used(const void *a, const void *b)
{
    const struct use *x = a;
    const struct use *y = b;
    return x->used < y->used ? -1 : x->used > y->used;
}

/* The first use, in order of `used`, of this role. */
static size_t first_use_of(const struct compiler *compiler, uint32_t role)
{
    size_t low = 0;
    size_t high = compiler->n_uses;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (compiler->uses[middle].used < role) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* A use that keeps this role from being compiled. */
static const struct use *obstacle(const struct compiler *compiler, uint32_t role)
{
    for (size_t i = 0; i < compiler->n_uses; i++) {
        const struct use *use = &compiler->uses[i];
        if (use->user == role && compiler->pending[use->used]) {
            return use;
        }
    }
    return NULL;
}

/* Every role that is left has an obstacle; following them ends up in a circle. */
static enum hf_err tell_cycle(struct compiler *compiler)
{
    char path[512] = "";
    uint32_t role = 0;
    while (!compiler->pending[role]) {
        role++;
    }
    for (size_t i = 0; i < compiler->roles->n; i++) {
        role = obstacle(compiler, role)->used; /* now it is surely on the circle */
    }
    uint32_t start = role;
    *compiler->place = (struct hf_role_place){start, obstacle(compiler, start)->expr};
    do {
        size_t len = strlen(path);
        snprintf(path + len, sizeof(path) - len, "%.40s uses ", compiler->sources[role].name);
        role = obstacle(compiler, role)->used;
    } while (role != start);
    return hf_fail(HF_E_INVALID, "a role that leads back to itself: %s%.40s", path,
                   compiler->sources[start].name);
}

static enum hf_err find_order(struct compiler *compiler)
{
    size_t n = compiler->roles->n;
    if (compiler->n_uses) {
        qsort(compiler->uses, compiler->n_uses, sizeof(*compiler->uses), by_used);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!compiler->pending[i]) {
            compiler->queue[compiler->n_queue++] = i;
        }
    }
    for (size_t at = 0; at < compiler->n_queue; at++) {
        uint32_t role = compiler->queue[at];
        for (size_t i = first_use_of(compiler, role);
             i < compiler->n_uses && compiler->uses[i].used == role; i++) {
            uint32_t user = compiler->uses[i].user;
            if (--compiler->pending[user] == 0) {
                compiler->queue[compiler->n_queue++] = user;
            }
        }
    }
    return compiler->n_queue == n ? HF_OK : tell_cycle(compiler);
}

/* --- Steps --------------------------------------------------------------------------------------
 */

static void add_step(struct compiler *compiler, struct step step)
{
    struct hf_roles *roles = compiler->roles;
    step.result = NO_ROLE;
    roles->steps[roles->n_steps++] = step;
    bool takes = step.op == HF_ROLE_ANY || step.op == HF_ROLE_ALL || step.op == HF_ROLE_NOT;
    size_t taken = takes ? step.n : 0;
    compiler->height = compiler->height + 1 - taken;
    roles->stack = compiler->height > roles->stack ? compiler->height : roles->stack;
}

static enum hf_err compile(struct compiler *compiler, const struct hf_role_expr *expr)
{
    struct step step = {.op = expr->op, .n = (uint32_t)expr->n_parts};
    compiler->place->expr = expr;
    if (expr->op == HF_ROLE_SELECTOR) {
        HF_TRY(hf_selector_new(hf_bytes_str(expr->text), &step.selector));
    } else if (expr->op == HF_ROLE_NAMED) {
        uintptr_t found = (uintptr_t)hf_map_get(&compiler->by_name, hf_bytes_str(expr->text));
        step.n = (uint32_t)(found - 1);
    } else {
        for (size_t i = 0; i < expr->n_parts; i++) {
            HF_TRY(compile(compiler, &expr->parts[i]));
        }
    }
    add_step(compiler, step);
    return HF_OK;
}

static enum hf_err compile_all(struct compiler *compiler)
{
    struct hf_roles *roles = compiler->roles;
    roles->steps = hf_alloc_zero(compiler->n_parts, sizeof(*roles->steps));
    if (!roles->steps) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < compiler->n_queue; i++) {
        uint32_t role = compiler->queue[i];
        compiler->place->role = role;
        HF_TRY(compile(compiler, &compiler->sources[role].expr));
        roles->steps[roles->n_steps - 1].result = role;
        compiler->height = 0;
    }
    return HF_OK;
}

/* --- All of it ----------------------------------------------------------------------------------
 */

static enum hf_err take_names(struct compiler *compiler)
{
    struct hf_roles *roles = compiler->roles;
    for (size_t i = 0; i < roles->n; i++) {
        const char *name = compiler->sources[i].name;
        *compiler->place = (struct hf_role_place){i, NULL};
        if (hf_map_get(&compiler->by_name, hf_bytes_str(name))) {
            return hf_fail(HF_E_EXISTS, "role \"%.60s\" is there already", name);
        }
        HF_TRY(hf_map_put(&compiler->by_name, hf_bytes_str(name), (void *)(uintptr_t)(i + 1)));
        roles->names[i] = hf_strdup(name);
        if (!roles->names[i]) {
            return HF_E_NOMEM;
        }
    }
    return HF_OK;
}

static enum hf_err prepare(struct compiler *compiler, size_t n)
{
    struct hf_roles *roles = compiler->roles;
    if (n > HF_ROLES_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "more than %d roles", HF_ROLES_MAX);
    }
    roles->names = hf_alloc_zero(n, sizeof(*roles->names));
    compiler->pending = hf_alloc_zero(n, sizeof(*compiler->pending));
    compiler->queue = hf_alloc_zero(n, sizeof(*compiler->queue));
    if (!roles->names || !compiler->pending || !compiler->queue) {
        return HF_E_NOMEM;
    }
    roles->n = n;
    HF_TRY(take_names(compiler));
    for (uint32_t i = 0; i < n; i++) {
        HF_TRY(survey(compiler, i, &compiler->sources[i].expr, 0));
    }
    return HF_OK;
}

enum hf_err hf_roles_new(const struct hf_role_source *sources, size_t n, struct hf_roles **out,
                         struct hf_role_place *out_place)
{
    *out = NULL;
    *out_place = (struct hf_role_place){0};
    struct compiler compiler = {
        .roles = HF_NEW(struct hf_roles), .sources = sources, .place = out_place};
    if (!compiler.roles) {
        return HF_E_NOMEM;
    }
    enum hf_err err = prepare(&compiler, n);
    if (err == HF_OK) {
        err = find_order(&compiler);
    }
    if (err == HF_OK) {
        err = compile_all(&compiler);
    }
    hf_map_done(&compiler.by_name);
    hf_free(compiler.uses);
    hf_free(compiler.pending);
    hf_free(compiler.queue);
    if (err != HF_OK) {
        hf_roles_free(compiler.roles);
        return err;
    }
    *out = compiler.roles;
    return HF_OK;
}

void hf_roles_free(struct hf_roles *roles)
{
    if (!roles) {
        return;
    }
    for (size_t i = 0; i < roles->n_steps; i++) {
        hf_selector_free(roles->steps[i].selector);
    }
    for (size_t i = 0; i < roles->n; i++) {
        hf_free(roles->names[i]);
    }
    hf_free(roles->steps);
    hf_free(roles->names);
    hf_free(roles);
}

size_t hf_roles_count(const struct hf_roles *roles)
{
    return roles->n;
}

const char *hf_roles_name(const struct hf_roles *roles, size_t role)
{
    return roles->names[role];
}

size_t hf_roles_find(const struct hf_roles *roles, const char *name)
{
    for (size_t i = 0; i < roles->n; i++) {
        if (strcmp(roles->names[i], name) == 0) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* --- Judging ------------------------------------------------------------------------------------
 */

static uint8_t negate(uint8_t answer)
{
    static const uint8_t opposite[] = {
        [HF_MATCH_NO] = HF_MATCH_YES,
        [HF_MATCH_YES] = HF_MATCH_NO,
        [HF_MATCH_UNKNOWN] = HF_MATCH_UNKNOWN,
    };
    return opposite[answer];
}

/* Of n answers: the decisive one if it is there, else UNKNOWN if that is there, else the other. */
static uint8_t join(const uint8_t *answers, size_t n, uint8_t decisive)
{
    uint8_t joined = negate(decisive);
    for (size_t i = 0; i < n; i++) {
        if (answers[i] == decisive) {
            return decisive;
        }
        joined = answers[i] == HF_MATCH_UNKNOWN ? HF_MATCH_UNKNOWN : joined;
    }
    return joined;
}

static void run(const struct hf_roles *roles, const struct hf_selector_view *view, uint8_t *stack,
                enum hf_match *out)
{
    size_t height = 0;
    for (size_t i = 0; i < roles->n_steps; i++) {
        const struct step *step = &roles->steps[i];
        uint8_t answer = HF_MATCH_NO;
        switch (step->op) {
        case HF_ROLE_SELECTOR:
            answer = (uint8_t)hf_selector_match(step->selector, view);
            break;
        case HF_ROLE_NAMED:
            answer = (uint8_t)out[step->n];
            break;
        case HF_ROLE_NOT:
            answer = negate(stack[--height]);
            break;
        case HF_ROLE_ANY:
        case HF_ROLE_ALL:
            height -= step->n;
            answer =
                join(stack + height, step->n, step->op == HF_ROLE_ANY ? HF_MATCH_YES : HF_MATCH_NO);
            break;
        }
        if (step->result == NO_ROLE) {
            stack[height++] = answer;
        } else {
            out[step->result] = (enum hf_match)answer;
        }
    }
}

enum hf_err hf_roles_judge(const struct hf_roles *roles, const struct hf_identity *identity,
                           enum hf_match *out)
{
    for (size_t i = 0; i < roles->n; i++) {
        out[i] = identity ? HF_MATCH_UNKNOWN : HF_MATCH_NO;
    }
    if (!identity || roles->n == 0) {
        return HF_OK;
    }
    HF_CLEANUP(hf_freep) struct hf_selector_view *view = hf_alloc(sizeof(*view) + roles->stack);
    if (!view) {
        return HF_E_NOMEM;
    }
    hf_selector_view_init(view, identity);
    run(roles, view, (uint8_t *)(view + 1), out);
    return HF_OK;
}
