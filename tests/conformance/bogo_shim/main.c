// SPDX-License-Identifier: Apache-2.0
#include "shim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_UNIMPLEMENTED = 89 };

/* Everything before this line is ours; the runner takes what follows for a sanitizer's report. */
static void end_of_words(void)
{
    fprintf(stderr, "--- DONE ---\n");
}

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    end_of_words();
    exit(1);
}

static bool is_unimplemented;

void unimplemented(const char *what)
{
    is_unimplemented = true;
    fprintf(stderr, "unimplemented: %s\n", what);
    exit(EXIT_UNIMPLEMENTED);
}

/* Where HF_BOGO_COUNT names a file, a shim that deals with client certificates adds a byte to it:
 * the runner tells nobody what its tests are about. */
static void count_client_certificates(const struct bogo_flags *flags)
{
    const char *path = getenv("HF_BOGO_COUNT");
    bool concerned = flags->server ? flags->verify_peer || flags->require_any_client_certificate
                                   : flags->cert_file != NULL;
    FILE *file = path && concerned ? fopen(path, "a") : NULL;
    if (file) {
        fputc('.', file);
        fclose(file);
    }
}

static struct hf_tls_session *connection(const struct bogo_flags *flags, bool is_resume,
                                         struct hf_tls_session *offer)
{
    struct shim shim = {.flags = flags, .is_resume = is_resume};
    shim_setup(&shim);
    enum hf_err err = flags->server
                          ? hf_tls_new_server(shim.ctx, &shim, &shim.tls)
                          : hf_tls_new_client(shim.ctx, &shim, flags->host_name, offer, &shim.tls);
    if (err != HF_OK) {
        die("connection: %s", hf_err_text());
    }
    hf_tls_session_free(offer);
    shim_connect(&shim);
    struct hf_tls_session *session = shim_exchange(&shim);
    shim_disconnect(&shim);
    hf_tls_free(shim.tls);
    hf_tls_ctx_unref(shim.ctx);
    return session;
}

static struct bogo_flags first, resume;

static void count_at_exit(void)
{
    if (!is_unimplemented) {
        count_client_certificates(&first);
    }
}

int main(int argc, char **argv)
{
    bogo_flags_read(argc, argv, &first, &resume);
    if (first.is_handshaker_supported) {
        printf("No\n");
        return 0;
    }
    struct hf_tls_session *session = NULL;
    atexit(count_at_exit);
    for (int i = 0; i <= first.resume_count; i++) {
        const struct bogo_flags *flags = i ? &resume : &first;
        if (i && !flags->server && !session) {
            die("no session to offer");
        }
        session = connection(flags, i > 0, session);
        shim_advance(flags->resumption_delay);
    }
    hf_tls_session_free(session);
    end_of_words();
    return 0;
}
