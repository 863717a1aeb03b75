// SPDX-License-Identifier: Apache-2.0
/* The file of ticket keys that nodes share. It is replaced whole, so that a daemon that reads it
 * meanwhile has the old keys or the new ones. */
#include "cli/commands.h"
#include "os/clock.h"
#include "os/file.h"
#include "tls/ticket_keys.h"

enum { KEYS_MODE = 0600 };

static void wipe_buf(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

static enum hf_err read_keys(const char *path, struct hf_tls_ticket_keys *out)
{
    HF_CLEANUP(wipe_buf) struct hf_buf text = HF_BUF_INIT(HF_TICKET_KEYS_FILE_MAX);
    HF_TRY(hf_file_read_private(path, &text));
    enum hf_err err = hf_ticket_keys_decode(hf_buf_bytes(&text), out);
    return err ? hf_fail_context(err, "%s", path) : HF_OK;
}

/* Writes the keys with a new one before them. */
static enum hf_err write_more(const char *path, bool replace, struct hf_tls_ticket_keys *keys)
{
    HF_CLEANUP(wipe_buf) struct hf_buf text = HF_BUF_INIT(HF_TICKET_KEYS_FILE_MAX);
    HF_TRY(hf_ticket_keys_draw(keys, &hf_os_rng));
    HF_TRY(hf_ticket_keys_encode(keys, &text));
    return replace ? hf_file_write_atomic(path, hf_buf_bytes(&text), KEYS_MODE)
                   : hf_file_create(path, hf_buf_bytes(&text), KEYS_MODE);
}

static enum hf_exit change(struct hf_cli *cli, const char *path, bool replace)
{
    struct hf_tls_ticket_keys keys = {.n_keys = 0};
    enum hf_err err = replace ? read_keys(path, &keys) : HF_OK;
    err = err ? err : write_more(path, replace, &keys);
    size_t n_keys = keys.n_keys;
    hf_ticket_keys_wipe(&keys);
    if (err) {
        return hf_cli_fail(cli, err);
    }
    fprintf(cli->out, "%s: a new key seals, %zu open tickets\n", path, n_keys);
    return HF_EXIT_OK;
}

static enum hf_exit run_new(struct hf_cli *cli, const void *values)
{
    (void)values;
    return change(cli, cli->args[0], false);
}

static enum hf_exit run_rotate(struct hf_cli *cli, const void *values)
{
    (void)values;
    return change(cli, cli->args[0], true);
}

static const struct hf_command cmd_new = {
    .name = "new",
    .summary = "make a file with one key",
    .args = "FILE",
    .min_args = 1,
    .max_args = 1,
    .about = "Readable by its owner alone. A file that exists is left as it is.",
    .example = "handfast tickets new /etc/handfast/tickets.keys\n",
    .run = run_new,
};

static const struct hf_command cmd_rotate = {
    .name = "rotate",
    .summary = "put a new key first",
    .args = "FILE",
    .min_args = 1,
    .max_args = 1,
    .about =
        "The three newest keys stay and open what they have sealed. Copy the file to the other "
        "nodes, then reload each; half a ticket-lifetime between two rotations is enough for "
        "every ticket to be opened to its end.",
    .example = "handfast tickets rotate /etc/handfast/tickets.keys\n"
               "handfast reload\n",
    .run = run_rotate,
};

static const struct hf_command *const below[] = {&cmd_new, &cmd_rotate, NULL};

const struct hf_command hf_cmd_tickets = {
    .name = "tickets",
    .summary = "make and rotate the ticket keys that several nodes share",
    .about =
        "The file is what tls.ticket-keys names. Without one a daemon draws keys of its own and "
        "rotates them by itself.",
    .example = "handfast tickets new /etc/handfast/tickets.keys\n"
               "handfast tickets rotate /etc/handfast/tickets.keys\n",
    .below = below,
};
