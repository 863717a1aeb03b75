// SPDX-License-Identifier: Apache-2.0
/*
 * The file is a head in the place of the first slot, and then the slots of each kind:
 *
 *     head   "handfast verdicts 1\n", zeros
 *     slot   magic 4, length 4, number 8, checksum 16, text, and whatever was there before
 *
 * Numbers are big-endian and go up over all kinds and restarts; the checksum is the front of
 * SHA-256 over length, number and text. Nothing is flushed to the disk: a killed process loses
 * nothing by it, a machine without power its last seconds.
 *
 * An index in memory, the number in each slot, says what comes first without reading texts.
 */
#include "watch/verdict_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "crypto/hash.h"
#include "os/sock.h"

enum { CHECKSUM = 16, CHECKSUM_AT = 16 };

static const char head[] = "handfast verdicts 1\n";
static const uint8_t magic[4] = {'H', 'F', 'V', '1'};

/* How many slots each kind has. */
static const size_t row_slots[HF_VERDICT_KINDS] = {
    [HF_VERDICT_REFUSED] = 1024,
    [HF_VERDICT_ADMITTED] = 512,
    [HF_VERDICT_NOISE] = 256,
};
enum { SLOTS = 1024 + 512 + 256 };

#define FILE_SIZE ((off_t)(SLOTS + 1) * HF_VERDICT_SLOT)

struct hf_verdict_file {
    int fd;
    uint64_t last;                 /* number */
    size_t next[HF_VERDICT_KINDS]; /* slot of its row that is written next */
    uint64_t number[SLOTS];        /* in each slot; 0: none */
};

static size_t row_begin(enum hf_verdict_kind kind)
{
    size_t at = 0;
    for (int i = 0; i < (int)kind; i++) {
        at += row_slots[i];
    }
    return at;
}

static enum hf_verdict_kind kind_of(size_t slot)
{
    int kind = HF_VERDICT_KINDS - 1;
    while (kind > 0 && slot < row_begin((enum hf_verdict_kind)kind)) {
        kind--;
    }
    return (enum hf_verdict_kind)kind;
}

static off_t offset_of(size_t slot)
{
    return (off_t)(slot + 1) * HF_VERDICT_SLOT;
}

/* --- One slot -----------------------------------------------------------------------------------
 */

static void put_be(uint8_t *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = (uint8_t)(value >> 8 * (size - 1 - i));
    }
}

static void checksum(const uint8_t *slot, size_t text_len, uint8_t out[static HF_HASH_MAX])
{
    struct hf_hash hash;
    hf_hash_init(&hash, HF_HASH_SHA256);
    hf_hash_update(&hash, hf_bytes_of(slot + sizeof(magic), CHECKSUM_AT - sizeof(magic)));
    hf_hash_update(&hash, hf_bytes_of(slot + HF_VERDICT_HEAD, text_len));
    hf_hash_final(&hash, out);
}

bool hf_verdict_slot_read(struct hf_bytes slot, uint64_t *out_number, struct hf_bytes *out_text)
{
    struct hf_reader reader = hf_reader_of(slot);
    struct hf_bytes mark, sum, text;
    uint32_t len, high, low;
    uint8_t wanted[HF_HASH_MAX];
    if (hf_read_bytes(&reader, sizeof(magic), &mark) != HF_OK ||
        !hf_bytes_eq(mark, hf_bytes_of(magic, sizeof(magic))) ||
        hf_read_u32(&reader, &len) != HF_OK || hf_read_u32(&reader, &high) != HF_OK ||
        hf_read_u32(&reader, &low) != HF_OK || hf_read_bytes(&reader, CHECKSUM, &sum) != HF_OK ||
        len > HF_VERDICT_MAX || hf_read_bytes(&reader, len, &text) != HF_OK) {
        return false;
    }
    checksum(slot.ptr, len, wanted);
    *out_number = (uint64_t)high << 32 | low;
    *out_text = text;
    return *out_number != 0 && hf_bytes_eq(sum, hf_bytes_of(wanted, CHECKSUM));
}

/* --- The file -----------------------------------------------------------------------------------
 */

static enum hf_err fail_io(const char *path, const char *what)
{
    enum hf_err err = errno == EACCES || errno == EPERM ? HF_E_PERMISSION
                      : errno == ENOENT                 ? HF_E_NOT_FOUND
                                                        : HF_E_IO;
    return hf_fail(err, "%s: %s: %s", path, what, strerror(errno));
}

static bool read_at(int fd, void *out, size_t len, off_t at)
{
    uint8_t *to = out;
    while (len) {
        ssize_t n = pread(fd, to, len, at);
        if (n <= 0 && !(n < 0 && errno == EINTR)) {
            return false;
        }
        n = n < 0 ? 0 : n;
        to += n;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

static bool write_at(int fd, const void *bytes, size_t len, off_t at)
{
    ssize_t n;
    do {
        n = pwrite(fd, bytes, len, at);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)len;
}

static bool is_ours(int fd)
{
    char begin[HF_VERDICT_SLOT] = {0};
    struct stat stat;
    return fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size == FILE_SIZE &&
           read_at(fd, begin, sizeof(begin), 0) && memcmp(begin, head, sizeof(head)) == 0;
}

/* Takes all the room at once, and the head last: a file that was half made is no file of ours. */
static enum hf_err make(int fd, const char *path)
{
    char begin[HF_VERDICT_SLOT] = {0};
    memcpy(begin, head, sizeof(head));
    if (ftruncate(fd, 0) != 0 || ftruncate(fd, FILE_SIZE) != 0) {
        return fail_io(path, "cannot be made");
    }
    if (path && (errno = posix_fallocate(fd, 0, FILE_SIZE)) != 0) {
        int why = errno;
        (void)!ftruncate(fd, 0);
        errno = why;
        return fail_io(path, "there is no room for it");
    }
    return write_at(fd, begin, sizeof(begin), 0) ? HF_OK : fail_io(path, "cannot be written");
}

static void find_next(struct hf_verdict_file *file)
{
    for (int kind = 0; kind < HF_VERDICT_KINDS; kind++) {
        size_t begin = row_begin((enum hf_verdict_kind)kind);
        uint64_t newest = 0;
        for (size_t i = 0; i < row_slots[kind]; i++) {
            if (file->number[begin + i] > newest) {
                newest = file->number[begin + i];
                file->next[kind] = (i + 1) % row_slots[kind];
            }
        }
        file->last = newest > file->last ? newest : file->last;
    }
}

static enum hf_err load(struct hf_verdict_file *file, const char *path)
{
    uint8_t slot[HF_VERDICT_SLOT];
    struct hf_bytes text;
    for (size_t i = 0; i < SLOTS; i++) {
        if (!read_at(file->fd, slot, sizeof(slot), offset_of(i))) {
            return fail_io(path, "cannot be read");
        }
        uint64_t number = 0;
        file->number[i] =
            hf_verdict_slot_read(hf_bytes_of(slot, sizeof(slot)), &number, &text) ? number : 0;
    }
    find_next(file);
    return HF_OK;
}

static enum hf_err file_new(int fd, struct hf_verdict_file **out)
{
    *out = HF_NEW(struct hf_verdict_file);
    if (!*out) {
        close(fd);
        return HF_E_NOMEM;
    }
    (*out)->fd = fd;
    return HF_OK;
}

static enum hf_err open_disk(struct hf_verdict_file *file, const char *path)
{
    if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
        return hf_fail(HF_E_BUSY, "%s: another process writes it", path);
    }
    return is_ours(file->fd) ? load(file, path) : make(file->fd, path);
}

enum hf_err hf_verdict_file_open(const char *path, struct hf_verdict_file **out)
{
    struct hf_verdict_file *file = NULL;
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)
                  : memfd_create("handfast-verdicts", MFD_CLOEXEC);
    *out = NULL;
    if (fd < 0) {
        return fail_io(path ? path : "verdicts", "cannot be opened");
    }
    HF_TRY(file_new(fd, &file));
    enum hf_err err = path ? open_disk(file, path) : make(fd, NULL);
    if (err != HF_OK) {
        hf_verdict_file_free(file);
        return err;
    }
    *out = file;
    return HF_OK;
}

enum hf_err hf_verdict_file_read(const char *path, struct hf_verdict_file **out)
{
    struct hf_verdict_file *file = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *out = NULL;
    if (fd < 0) {
        return fail_io(path, "cannot be opened");
    }
    HF_TRY(file_new(fd, &file));
    enum hf_err err = is_ours(fd) ? load(file, path)
                                  : hf_fail(HF_E_MALFORMED, "%s: it is no file of verdicts", path);
    if (err != HF_OK) {
        hf_verdict_file_free(file);
        return err;
    }
    *out = file;
    return HF_OK;
}

void hf_verdict_file_free(struct hf_verdict_file *file)
{
    if (file) {
        hf_closep(&file->fd);
        hf_free(file);
    }
}

/* --- Verdicts -----------------------------------------------------------------------------------
 */

enum hf_err hf_verdict_file_put(struct hf_verdict_file *file, enum hf_verdict_kind kind,
                                struct hf_bytes text)
{
    uint8_t slot[HF_VERDICT_SLOT];
    uint8_t sum[HF_HASH_MAX];
    if (text.len > HF_VERDICT_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a verdict of %zu bytes", text.len);
    }
    size_t at = row_begin(kind) + file->next[kind];
    uint64_t number = file->last + 1;
    memcpy(slot, magic, sizeof(magic));
    put_be(slot + 4, text.len, 4);
    put_be(slot + 8, number, 8);
    memcpy(slot + HF_VERDICT_HEAD, text.ptr, text.len);
    checksum(slot, text.len, sum);
    memcpy(slot + CHECKSUM_AT, sum, CHECKSUM);
    if (!write_at(file->fd, slot, HF_VERDICT_HEAD + text.len, offset_of(at))) {
        file->number[at] = 0;
        return hf_fail(HF_E_IO, "a verdict could not be written: %s", strerror(errno));
    }
    file->last = number;
    file->number[at] = number;
    file->next[kind] = (file->next[kind] + 1) % row_slots[kind];
    return HF_OK;
}

/* A slot and the number in it when the walk began. */
struct place {
    uint64_t number;
    size_t slot;
};

static int newest_first(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    return one->number < other->number ? 1 : one->number > other->number ? -1 : 0;
}

enum hf_err hf_verdict_file_each(struct hf_verdict_file *file, hf_verdict_found_fn *found,
                                 void *ctx)
{
    uint8_t slot[HF_VERDICT_SLOT];
    size_t n = 0;
    HF_CLEANUP(hf_freep) struct place *places = hf_alloc_zero(SLOTS, sizeof(*places));
    if (!places) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        if (file->number[i]) {
            places[n++] = (struct place){file->number[i], i};
        }
    }
    qsort(places, n, sizeof(*places), newest_first);
    for (size_t i = 0; i < n; i++) {
        struct hf_bytes text;
        uint64_t number;
        if (!read_at(file->fd, slot, sizeof(slot), offset_of(places[i].slot))) {
            return hf_fail(HF_E_IO, "verdicts can't be read: %s", strerror(errno));
        }
        /* whoever writes meanwhile may have taken the slot */
        if (hf_verdict_slot_read(hf_bytes_of(slot, sizeof(slot)), &number, &text) &&
            number == places[i].number && !found(ctx, kind_of(places[i].slot), number, text)) {
            break;
        }
    }
    return HF_OK;
}
