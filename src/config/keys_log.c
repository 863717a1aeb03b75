// SPDX-License-Identifier: Apache-2.0
/* The keys of `log`. */
#include "base/log.h"
#include "config/keys_impl.h"

static const struct hf_word format_words[] = {
    {"text", HF_LOG_TEXT}, {"json", HF_LOG_JSON}, {NULL, 0}};
static const struct hf_word level_words[] = {{"error", HF_LOG_ERROR},
                                             {"warn", HF_LOG_WARN},
                                             {"info", HF_LOG_INFO},
                                             {"debug", HF_LOG_DEBUG},
                                             {NULL, 0}};
static const struct hf_word log_words[] = {{"stderr", 0}, {"stdout", 0}, {NULL, 0}};

static const struct hf_key log_keys[] = {
    {.name = "format",
     .kind = HF_KIND_ENUM,
     .words = format_words,
     .standard = "text",
     .doc = "How a log line is written: `text` for people, `json` for collectors.",
     .example = "json",
     HF_KEY_FIELD(hf_cfg_log, format)},
    {.name = "level",
     .kind = HF_KIND_ENUM,
     .words = level_words,
     .standard = "info",
     .doc = "The least important lines that are still written.",
     .example = "info",
     HF_KEY_FIELD(hf_cfg_log, level)},
    {.name = "to",
     .kind = HF_KIND_PATH,
     .words = log_words,
     .standard = "stderr",
     .doc = "Where log lines go: `stderr`, `stdout`, or a file, which is appended to.",
     .example = "/var/log/handfast.log",
     HF_KEY_FIELD(hf_cfg_log, to)},
};

const struct hf_section hf_section_log = {
    .noun = "log",
    .doc = "What is written about connections and about the daemon itself.",
    .sample = "log: {format: json, level: info, to: stderr}\n",
    .size = sizeof(struct hf_cfg_log),
    HF_SECTION_KEYS(log_keys)};
