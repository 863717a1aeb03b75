// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_SOCK_H
#define HF_OS_SOCK_H

/*
 * Addresses and sockets. Every descriptor is non-blocking and close-on-exec from birth.
 */

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/bytes.h"
#include "base/err.h"

/* struct hf_addr is an IPv4, IPv6 or unix socket address. */
struct hf_addr {
    socklen_t len;
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
        struct sockaddr_storage storage;
    };
};

/* "[2001:db8::1]:65535" or "unix:" and a path, with NUL. */
#define HF_ADDR_TEXT_SIZE 128

/*
 * hf_addr_parse reads "127.0.0.1:8443", "[::1]:8443", "[fe80::1%eth0]:8443", ":8443" (every
 * address, v4 and v6), "unix:/run/x.sock" or "unix:@abstract". Names are not looked up. Errors:
 * HF_E_INVALID in words.
 */
enum hf_err hf_addr_parse(const char *text, struct hf_addr *out) HF_MUST_CHECK;

/* hf_addr_parse_ip reads an IPv4 or IPv6 address alone, without brackets. Errors: HF_E_INVALID. */
enum hf_err hf_addr_parse_ip(const char *text, uint16_t port, struct hf_addr *out) HF_MUST_CHECK;

/* hf_addr_format writes what hf_addr_parse reads; control characters of a unix path become '?', and
 * a unix peer without a name is "unix:". hf_addr_format_ip leaves brackets and port away. */
void hf_addr_format(const struct hf_addr *addr, char out[static HF_ADDR_TEXT_SIZE]);
void hf_addr_format_ip(const struct hf_addr *addr, char out[static HF_ADDR_TEXT_SIZE]);

bool hf_addr_eq(const struct hf_addr *a, const struct hf_addr *b);
/* hf_addr_overlaps: can both be listened on, and would a client of one come to the other if that
 * were the only one? One of them is every address (0.0.0.0, [::]), and their port is the same. */
bool hf_addr_overlaps(const struct hf_addr *a, const struct hf_addr *b);
int hf_addr_port(const struct hf_addr *addr); /* 0 for unix */
void hf_addr_set_port(struct hf_addr *addr, uint16_t port);

/* hf_addr_unmap makes a v4-mapped v6 address (::ffff:192.0.2.1) the v4 address that it means. */
void hf_addr_unmap(struct hf_addr *addr);

/* struct hf_cidr is a network such as 10.0.0.0/8; "unix:" matches every unix peer. An address alone
 * is a network of one; bits set beyond the prefix are refused. */
struct hf_cidr {
    uint8_t family; /* AF_INET, AF_INET6, AF_UNIX */
    uint8_t bits;
    uint8_t prefix[16];
};
enum hf_err hf_cidr_parse(const char *text, struct hf_cidr *out) HF_MUST_CHECK;

/* hf_cidr_contains treats v4-mapped v6 addresses as v4. */
bool hf_cidr_contains(const struct hf_cidr *cidr, const struct hf_addr *addr);

/* hf_sock_listen binds and listens (SO_REUSEADDR, SO_REUSEPORT, TCP_NODELAY on TCP). A stale unix
 * path that nobody answers on is replaced; a live one is HF_E_BUSY. mode: permissions of a unix
 * path. [::] takes IPv4 too, and is 0.0.0.0 where the kernel has no IPv6. */
enum hf_err hf_sock_listen(const struct hf_addr *addr, int backlog, unsigned mode,
                           int *out_fd) HF_MUST_CHECK;

/* hf_sock_no_delay sets TCP_NODELAY on a TCP socket, which those that a listening one accepts
 * inherit.
 */
void hf_sock_no_delay(int fd, const struct hf_addr *addr);

/* hf_sock_check_free fails with HF_E_BUSY when somebody listens on a TCP address. SO_REUSEPORT
 * would let a second daemon of the same user share the port unnoticed: ask before the first
 * listener. */
enum hf_err hf_sock_check_free(const struct hf_addr *addr) HF_MUST_CHECK;

/* hf_sock_accept takes one connection (TCP_NODELAY as the listening socket has it). *out_fd is -1
 * when none is waiting. A v4-mapped peer is given as v4. Errors: HF_E_BUSY when descriptors or
 * memory ran out, HF_E_IO for the listening socket itself; a connection that died in the queue is
 * passed over. */
enum hf_err hf_sock_accept(int listen_fd, int *out_fd, struct hf_addr *out_peer) HF_MUST_CHECK;

/* hf_sock_connect starts connecting; completion shows as writable. hf_sock_connect_result reads how
 * it ended (SO_ERROR). Errors: HF_E_BUSY out of descriptors or a full unix queue, HF_E_TIMEOUT,
 * HF_E_NOT_FOUND no such unix path, HF_E_PERMISSION, HF_E_IO for the rest (refused, unreachable).
 */
enum hf_err hf_sock_connect(const struct hf_addr *addr, int *out_fd) HF_MUST_CHECK;
enum hf_err hf_sock_connect_result(int fd) HF_MUST_CHECK;

/* hf_sock_connected is hf_sock_connect_result for one that is writable, where the address is known;
 * error: the event said HF_LOOP_HANGUP too, without which there is nothing to ask. */
enum hf_err hf_sock_connected(int fd, const struct hf_addr *to, bool error) HF_MUST_CHECK;

/* hf_sock_local gives the address of our end, v4-mapped as v4. */
enum hf_err hf_sock_local(int fd, struct hf_addr *out) HF_MUST_CHECK;

/*
 * hf_sock_read, hf_sock_write: *out_n is what moved. would_block: nothing could, wait for the
 * event. Reading 0 bytes without would_block is the peer's FIN. Errors: HF_E_CLOSED for resets and
 * broken pipes, HF_E_IO for the rest.
 */
enum hf_err hf_sock_read(int fd, struct hf_span into, size_t *out_n,
                         bool *would_block) HF_MUST_CHECK;
enum hf_err hf_sock_write(int fd, struct hf_bytes bytes, size_t *out_n,
                          bool *would_block) HF_MUST_CHECK;

/* hf_sock_write_last is hf_sock_write for what hf_sock_shut_write follows at once, once all has
 * been taken: the last bytes and FIN then leave in one packet. */
enum hf_err hf_sock_write_last(int fd, struct hf_bytes bytes, size_t *out_n,
                               bool *would_block) HF_MUST_CHECK;

/* hf_sock_shut_write sends FIN. hf_sock_reset makes the close that follows a RST. */
void hf_sock_shut_write(int fd);
void hf_sock_reset(int fd);

/* hf_closep closes and sets -1; for HF_CLEANUP and elsewhere. */
void hf_closep(int *fd);

#endif
