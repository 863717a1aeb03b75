// SPDX-License-Identifier: Apache-2.0
#include "policy/vital.h"

#include <string.h>

static bool is_path(const char *at, struct hf_bytes path)
{
    return at && hf_bytes_eq_str(path, at);
}

/* "/upstreamz/app", with nothing between the slash and the end of the path but a name */
static bool is_below(const char *at, struct hf_bytes path, struct hf_bytes *out_rest)
{
    size_t len = at ? strlen(at) : 0;
    if (!at || path.len < len + 2 || memcmp(path.ptr, at, len) != 0 || path.ptr[len] != '/') {
        return false;
    }
    *out_rest = hf_bytes_from(path, len + 1);
    return true;
}

enum hf_vital hf_vital_find(const struct hf_vital_paths *paths, struct hf_bytes method,
                            struct hf_bytes path, struct hf_bytes *out_name)
{
    *out_name = hf_bytes_str("");
    if (!hf_bytes_eq_str(method, "GET") && !hf_bytes_eq_str(method, "HEAD")) {
        return HF_VITAL_NONE;
    }
    return is_path(paths->live, path)                   ? HF_VITAL_LIVE
           : is_path(paths->ready, path)                ? HF_VITAL_READY
           : is_below(paths->upstreams, path, out_name) ? HF_VITAL_UPSTREAM
                                                        : HF_VITAL_NONE;
}

const char *hf_vital_name(enum hf_vital vital)
{
    static const char *const names[] = {
        [HF_VITAL_NONE] = "",
        [HF_VITAL_LIVE] = "live",
        [HF_VITAL_READY] = "ready",
        [HF_VITAL_UPSTREAM] = "upstream",
    };
    return names[vital];
}
