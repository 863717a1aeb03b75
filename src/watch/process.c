// SPDX-License-Identifier: Apache-2.0
/* What the process itself uses, read from the kernel at each scrape. */
#include "watch/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static double cpu_seconds(HF_UNUSED void *ctx)
{
    struct timespec used;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) {
        return NAN;
    }
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* Field n, from 0, of /proc/self/statm, in bytes. */
static double statm_bytes(unsigned n)
{
    char text[256];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return NAN;
    }
    ssize_t len = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[len > 0 ? len : 0] = '\0';
    const char *field = text;
    for (; n > 0 && field; n--) {
        field = strchr(field, ' ');
        field = field ? field + 1 : NULL;
    }
    char *end = NULL;
    unsigned long long pages = field ? strtoull(field, &end, 10) : 0;
    if (!field || end == field) {
        return NAN;
    }
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double virtual_bytes(HF_UNUSED void *ctx)
{
    return statm_bytes(0);
}

static double resident_bytes(HF_UNUSED void *ctx)
{
    return statm_bytes(1);
}

static double open_fds(HF_UNUSED void *ctx)
{
    DIR *dir = opendir("/proc/self/fd");
    if (!dir) {
        return NAN;
    }
    size_t n = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        n += entry->d_name[0] != '.';
    }
    closedir(dir);
    return (double)(n - 1); /* without the one that lists them */
}

static double max_fds(HF_UNUSED void *ctx)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return NAN;
    }
    return limit.rlim_cur == RLIM_INFINITY ? INFINITY : (double)limit.rlim_cur;
}

static const struct {
    const char *name;
    const char *help;
    double (*read)(void *ctx);
} gauges[] = {
    {"process_resident_memory_bytes", "Resident memory size in bytes.", resident_bytes},
    {"process_virtual_memory_bytes", "Virtual memory size in bytes.", virtual_bytes},
    {"process_open_fds", "Number of open file descriptors.", open_fds},
    {"process_max_fds", "Maximum number of open file descriptors.", max_fds},
};

void hf_process_metrics(struct hf_metrics *metrics, const struct hf_clock *clock)
{
    struct hf_series *build = hf_metrics_gauge(metrics, "handfast_build_info",
                                               "The version that is running; the value is 1.",
                                               "version", HF_VERSION, NULL);
    hf_series_set(build, 0, 1);
    hf_metrics_counter_from(metrics, "process_cpu_seconds_total",
                            "Total user and system CPU time spent in seconds.",
                            (struct hf_metrics_source){cpu_seconds, NULL}, NULL);
    for (size_t i = 0; i < HF_N_ELEMENTS(gauges); i++) {
        hf_metrics_gauge_from(metrics, gauges[i].name, gauges[i].help,
                              (struct hf_metrics_source){gauges[i].read, NULL}, NULL);
    }
    struct hf_series *start =
        hf_metrics_gauge(metrics, "process_start_time_seconds",
                         "Start time of the process since unix epoch in seconds.", NULL);
    hf_series_set(start, 0, hf_clock_wall_s(clock));
}
