// SPDX-License-Identifier: Apache-2.0
#include "support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char folder[64];

static const char *const names[] = {"server.pem", "server.key", "ca.pem", "pass"};

void set_mode(const char *name, unsigned mode)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(chmod(path, (mode_t)mode), 0);
}

void put_file(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    set_mode(name, 0600);
}

int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/hf-config-XXXXXX");
    if (!mkdtemp(folder)) {
        return -1;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        put_file(names[i], "x");
    }
    return 0;
}

int drop_folder(void **state)
{
    char path[512];
    struct dirent *entry;
    (void)state;
    DIR *dir = opendir(folder);
    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        (void)unlink(path);
    }
    if (dir) {
        closedir(dir);
    }
    return rmdir(folder);
}

const char *findings_of(const char *text, struct hf_config **out)
{
    static char said[16384];
    struct hf_findings findings = {0};
    struct hf_config *config = NULL;
    struct hf_buf lines = HF_BUF_INIT(sizeof(said) - 1);
    enum hf_err err = hf_config_parse(hf_bytes_str(text), "t.yaml", folder, &findings, &config);
    assert_int_equal(err, findings.n_errors ? HF_E_CONFIG : HF_OK);
    assert_true((config != NULL) == (err == HF_OK));
    assert_int_equal(hf_findings_format(&findings, &lines), HF_OK);
    snprintf(said, sizeof(said), "%.*s", (int)hf_buf_len(&lines),
             lines.mem ? (const char *)lines.mem + lines.start : "");
    hf_buf_done(&lines);
    hf_findings_done(&findings);
    if (out) {
        *out = config;
    } else {
        hf_config_free(config);
    }
    return said;
}
