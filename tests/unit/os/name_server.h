// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_NAME_SERVER_H
#define HF_TEST_NAME_SERVER_H

/*
 * A name server on loopback, in the loop of the test: it knows what the test tells it, and counts.
 */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "os/loop.h"
#include "os/sock.h"

enum { RCODE_OK = 0, RCODE_FAILED = 2, RCODE_NO_SUCH_NAME = 3, SILENT = 100 };

struct name_record {
    const char *name;
    const char *address; /* or, for a CNAME, NULL */
    const char *alias_of;
    uint32_t ttl_s;
};

struct name_server {
    struct hf_watch watch;
    struct hf_loop *loop;
    char servers[32]; /* for hf_dns_options */
    const struct name_record *records;
    size_t n_records;
    int mode;                /* an RCODE, or SILENT */
    unsigned n_questions[2]; /* A, AAAA */
};

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28 };

/* Reads the name of the question as dotted text; gives the offset behind it, 0 when it's broken. */
static size_t name_server_read_name(const uint8_t *packet, size_t len, char out[static 256])
{
    size_t at = 12, n = 0;
    while (at < len && packet[at] && at + packet[at] < len && n + packet[at] + 1 < 255) {
        memcpy(out + n, packet + at + 1, packet[at]);
        n += packet[at];
        out[n++] = '.';
        at += 1u + packet[at];
    }
    out[n ? n - 1 : 0] = '\0';
    return at < len && packet[at] == 0 ? at + 1 : 0;
}

static enum hf_err name_server_put_name(struct hf_buf *out, const char *name)
{
    while (*name) {
        size_t len = strcspn(name, ".");
        HF_TRY(hf_buf_u8(out, (uint8_t)len));
        HF_TRY(hf_buf_append(out, hf_bytes_of(name, len)));
        name += len + (name[len] == '.');
    }
    return hf_buf_u8(out, 0);
}

static enum hf_err name_server_put_record(struct hf_buf *out, const struct name_record *record,
                                          bool compress)
{
    struct hf_addr addr = {0};
    struct hf_buf_vec vec;
    bool alias = record->alias_of != NULL;
    if (!alias) {
        HF_TRY(hf_addr_parse_ip(record->address, 0, &addr));
    }
    bool v4 = addr.sa.sa_family == AF_INET;
    HF_TRY(compress ? hf_buf_u16(out, 0xc00c) : name_server_put_name(out, record->name));
    HF_TRY(hf_buf_u16(out, alias ? TYPE_CNAME : v4 ? TYPE_A : TYPE_AAAA));
    HF_TRY(hf_buf_u16(out, 1));
    HF_TRY(hf_buf_u32(out, record->ttl_s));
    HF_TRY(hf_buf_vec_open(out, 2, &vec));
    HF_TRY(alias ? name_server_put_name(out, record->alias_of)
           : v4  ? hf_buf_append(out, hf_bytes_of(&addr.in.sin_addr, 4))
                 : hf_buf_append(out, hf_bytes_of(&addr.in6.sin6_addr, 16)));
    return hf_buf_vec_close(out, vec);
}

static bool name_server_answers(const struct name_record *record, const char *name, uint16_t type)
{
    bool v6 = record->address && strchr(record->address, ':');
    return strcmp(record->name, name) == 0 && (record->alias_of || v6 == (type == TYPE_AAAA));
}

/* Appends the records for the name, following aliases. */
static enum hf_err name_server_put_answers(const struct name_server *server, struct hf_buf *out,
                                           const char *name, uint16_t type, uint16_t *n)
{
    bool asked = *n == 0; /* this is the name in the question, and can be pointed at */
    for (size_t i = 0; i < server->n_records; i++) {
        const struct name_record *record = &server->records[i];
        if (name_server_answers(record, name, type)) {
            HF_TRY(name_server_put_record(out, record, asked));
            ++*n;
            if (record->alias_of) {
                HF_TRY(name_server_put_answers(server, out, record->alias_of, type, n));
            }
        }
    }
    return HF_OK;
}

static bool name_server_knows(const struct name_server *server, const char *name)
{
    for (size_t i = 0; i < server->n_records; i++) {
        if (strcmp(server->records[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static enum hf_err name_server_reply(const struct name_server *server, const uint8_t *question,
                                     size_t len, const char *name, uint16_t type,
                                     struct hf_buf *out)
{
    uint16_t n = 0;
    int rcode = server->mode                      ? server->mode
                : name_server_knows(server, name) ? RCODE_OK
                                                  : RCODE_NO_SUCH_NAME;
    HF_TRY(hf_buf_append(out, hf_bytes_of(question, len)));
    out->mem[out->start + 2] = 0x85; /* an authoritative answer to a recursive question */
    out->mem[out->start + 3] = (uint8_t)(0x80 | rcode);
    memset(out->mem + out->start + 8, 0, 4);
    if (rcode == RCODE_OK) {
        HF_TRY(name_server_put_answers(server, out, name, type, &n));
    }
    out->mem[out->start + 6] = (uint8_t)(n >> 8);
    out->mem[out->start + 7] = (uint8_t)n;
    return HF_OK;
}

static void name_server_on_event(struct hf_watch *watch, unsigned events)
{
    (void)events;
    struct name_server *server = HF_CONTAINER_OF(watch, struct name_server, watch);
    uint8_t question[512];
    char name[256];
    struct hf_addr from = {.len = sizeof(from.storage)};
    ssize_t n = recvfrom(watch->fd, question, sizeof(question), 0, &from.sa, &from.len);
    size_t end = n > 12 ? name_server_read_name(question, (size_t)n, name) : 0;
    if (!end || end + 4 > (size_t)n) {
        return;
    }
    uint16_t type = (uint16_t)(question[end] << 8 | question[end + 1]);
    server->n_questions[type == TYPE_AAAA]++;
    HF_CLEANUP(hf_buf_done) struct hf_buf reply = HF_BUF_INIT(65536);
    if (server->mode != SILENT &&
        name_server_reply(server, question, end + 4, name, type, &reply) == HF_OK) {
        struct hf_bytes bytes = hf_buf_bytes(&reply);
        (void)sendto(watch->fd, bytes.ptr, bytes.len, 0, &from.sa, from.len);
    }
}

static inline enum hf_err name_server_open(struct name_server *server, struct hf_loop *loop)
{
    struct hf_addr addr;
    *server = (struct name_server){.loop = loop};
    HF_TRY(hf_addr_parse("127.0.0.1:0", &addr));
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, &addr.sa, addr.len) != 0) {
        return hf_fail_errno("name server");
    }
    HF_TRY(hf_sock_local(fd, &addr));
    snprintf(server->servers, sizeof(server->servers), "127.0.0.1:%d", hf_addr_port(&addr));
    server->watch =
        (struct hf_watch){.fd = fd, .wanted = HF_LOOP_READ, .on_event = name_server_on_event};
    return hf_watch_add(loop, &server->watch);
}

static inline void name_server_close(struct name_server *server)
{
    hf_watch_remove(server->loop, &server->watch);
    hf_closep(&server->watch.fd);
}

#endif
