// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TESTS_UNIT_CA_STORE_WORLD_H
#define HF_TESTS_UNIT_CA_STORE_WORLD_H

/*
 * A fresh store for each test, in SQLite, or in PostgreSQL where HF_TEST_POSTGRES names a server
 * (with_postgres.py starts one). The same tests run over both.
 */

#include "base/clock.h"
#include "ca/store.h"

extern int64_t world_now; /* what the stores' clock says, Unix seconds */
extern const struct hf_clock world_clock;

/* Of a group of tests: the folder in which its stores are. */
int world_set_up(void **state);
int world_tear_down(void **state);

/* world_path is a path in that folder; as tree(). */
const char *world_path(const char *name);

/* world_reset forgets the last store's data: the next one opened is new. */
void world_reset(void);

/* world_url is where it is. */
const char *world_url(void);
bool world_is_postgres(void);

/* world_open opens the store, making it if `create`; world_store opens and asserts. */
enum hf_err world_open(bool create, struct hf_store **out);
struct hf_store *world_store(void);

/* world_sql runs SQL behind the store's back. */
void world_sql(const char *sql);

/* world_authority adds an authority without a key. */
int64_t world_authority(struct hf_store *store, const char *name);

/* world_cert is a made up certificate with this serial (its DER is text), for world_issue or for
 * changing first. It lives until the next call. */
struct hf_store_cert world_cert(int64_t authority, unsigned serial);
enum hf_err world_issue(struct hf_store *store, const struct hf_store_cert *cert, int64_t *out_id);

/* world_serial gives the bytes of a number. */
struct hf_bytes world_serial(unsigned number);

enum hf_err world_act(struct hf_store *store, enum hf_store_act act, int64_t authority,
                      unsigned serial, int reason);

enum hf_err world_ignore_cert(void *ctx, const struct hf_store_cert *cert);

/* world_verify asserts that the audit chain is whole. */
void world_verify(struct hf_store *store);

#endif
