// SPDX-License-Identifier: Apache-2.0
#include "os/clock.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static int64_t read_clock(clockid_t id, int64_t per_second)
{
    struct timespec now;
    clock_gettime(id, &now); /* can't fail for the two clocks read here */
    return (int64_t)now.tv_sec * per_second + (int64_t)now.tv_nsec / (1000000000 / per_second);
}

static int64_t mono_ns(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_MONOTONIC, 1000000000);
}

static int64_t wall_ms(void *ctx)
{
    (void)ctx;
    return read_clock(CLOCK_REALTIME, 1000);
}

static enum hf_err fill(void *ctx, struct hf_span out)
{
    (void)ctx;
    for (size_t at = 0; at < out.len;) {
        ssize_t n = getrandom(out.ptr + at, out.len - at, 0);
        if (n < 0 && errno != EINTR) {
            (void)hf_fail_errno("getrandom");
            return HF_E_CRYPTO;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    return HF_OK;
}

const struct hf_clock hf_os_clock = {.mono_ns = mono_ns, .wall_ms = wall_ms};
const struct hf_rng hf_os_rng = {.fill = fill};
