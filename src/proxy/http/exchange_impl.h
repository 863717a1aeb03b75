// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_EXCHANGE_IMPL_H
#define HF_PROXY_HTTP_EXCHANGE_IMPL_H

/* The inside of the exchange, shared by exchange*.c and by nobody else. */

#include "http/service.h"
#include "proxy/http/exchange.h"
#include "proxy/snapshot.h"

/* --- exchange.c ---------------------------------------------------------------------------------
 */

/* hf_exchange_refuse_or_abort answers while that is possible. */
void hf_exchange_refuse_or_abort(struct hf_exchange *x, enum hf_mishap why);

/* --- exchange_judge.c: what it means ------------------------------------------------------------
 */

/* hf_exchange_hash sets x->hash where the upstream's balance goes by one (exchange_hash.c). */
void hf_exchange_hash(struct hf_exchange *x);

/* hf_exchange_reach asks the pool for a connection. */
void hf_exchange_reach(struct hf_exchange *x);

void hf_exchange_judge_answer(struct hf_exchange *x, struct hf_http_msg *msg);

/* hf_exchange_judge makes the verdict and acts by it. */
void hf_exchange_judge(struct hf_exchange *x, enum hf_auth_state auth, enum hf_reason auth_reason);

/* --- exchange_websocket.c -----------------------------------------------------------------------
 */

/* hf_exchange_websocket_ask makes a request for WebSocket fit for the version that x->up speaks. */
enum hf_err hf_exchange_websocket_ask(struct hf_exchange *x) HF_MUST_CHECK;

/* hf_exchange_websocket_granted makes a 101 fit for the client's. Errors: HF_E_MALFORMED when the
 * server hasn't proved that it speaks WebSocket. */
enum hf_err hf_exchange_websocket_granted(struct hf_exchange *x,
                                          struct hf_http_msg *msg) HF_MUST_CHECK;

/* --- exchange_vital.c: what we say of our own health --------------------------------------------
 */

/* hf_exchange_vitals fills in what the verdict must know of probes; room holds what input points
 * at. */
void hf_exchange_vitals(const struct hf_exchange *x, struct hf_vital_paths *room,
                        struct hf_request_input *input);

/* hf_exchange_vital answers a request that x->verdict allows as a probe. */
void hf_exchange_vital(struct hf_exchange *x);

/* --- exchange_auth.c: limits, and what is shown beside the certificate --------------------------
 */

/* hf_exchange_within_limits counts the request; false: it was refused. */
bool hf_exchange_within_limits(struct hf_exchange *x);

/* hf_exchange_authenticate looks at credentials, now or later, and has the verdict made again. */
void hf_exchange_authenticate(struct hf_exchange *x);

/* hf_exchange_auth_strip takes out what isn't for the backend. */
void hf_exchange_auth_strip(struct hf_exchange *x);

/* hf_exchange_auth_cancel: the outcome isn't wanted any more. _done gives everything back. */
void hf_exchange_auth_cancel(struct hf_exchange *x);
void hf_exchange_auth_done(struct hf_exchange *x);

/* hf_exchange_auth_describe adds to a refusal what would have done, and when to come again. */
/* hf_exchange_auth_user is whom a good password or token names; NULL: nobody. */
const char *hf_exchange_auth_user(const struct hf_exchange *x);
struct hf_refusal;
void hf_exchange_auth_describe(const struct hf_exchange *x, struct hf_refusal *out);

/* --- exchange_tell.c ----------------------------------------------------------------------------
 */

/* hf_exchange_from notes whom a new exchange is for. */
void hf_exchange_from(struct hf_exchange *x);

/* hf_exchange_meet names the request, and takes out what only a proxy may say: before anybody looks
 * at it. hf_exchange_judge_trailers does the same to x->trailers. */
enum hf_err hf_exchange_meet(struct hf_exchange *x) HF_MUST_CHECK;
void hf_exchange_judge_trailers(struct hf_exchange *x);

/* hf_exchange_tell says it to x->upstream. Errors: those of hf_forward_apply. */
enum hf_err hf_exchange_tell(struct hf_exchange *x) HF_MUST_CHECK;

/* hf_exchange_serves_keys answers a request for the keys of tokens; false: it is none. */
bool hf_exchange_serves_keys(struct hf_exchange *x);

/* hf_exchange_log_access writes the line of an exchange that is over into the access log. */
void hf_exchange_log_access(const struct hf_exchange *x);

/* --- exchange_account.c: what `handfast explain` tells of it ------------------------------------
 */

void hf_exchange_account(const struct hf_exchange *x, enum hf_mishap why);

/* --- exchange_refuse.c --------------------------------------------------------------------------
 */

void hf_exchange_answer_ourselves(struct hf_exchange *x, enum hf_mishap why);

/* Answers that a route gives by itself. */
void hf_exchange_respond(struct hf_exchange *x, const struct hf_cfg_respond *respond);
void hf_exchange_redirect(struct hf_exchange *x, const struct hf_cfg_redirect *redirect);

/* --- exchange_service.c: a service answers in place of a server --------------------------------
 */

/* hf_exchange_serve has the service answer, once the body is there; and what happens meanwhile. */
void hf_exchange_serve(struct hf_exchange *x, struct hf_service *service);
void hf_exchange_serving_body(struct hf_exchange *x, struct hf_bytes data);
void hf_exchange_serving_asked(struct hf_exchange *x);
void hf_exchange_serving_drained(struct hf_exchange *x);
int64_t hf_exchange_serving_ms(const struct hf_exchange *x);

/*
 * OCSP by GET has a request in base64 in its path (RFC 6960 A.1), whose slashes mean nothing, and
 * come encoded or not. hf_exchange_is_ocsp: is the path one, beneath a route that leads to the
 * public part of a CA? hf_exchange_hide_ocsp then puts "-" in the request's place, for routes and
 * rules to see; the service is shown what came.
 */
bool hf_exchange_is_ocsp(const struct hf_exchange *x, struct hf_bytes path);
enum hf_err hf_exchange_hide_ocsp(struct hf_exchange *x, struct hf_bytes path) HF_MUST_CHECK;

/* hf_exchange_serving_done lets go of the service, whose answer isn't wanted any more. */
void hf_exchange_serving_done(struct hf_exchange *x);

/* --- exchange_deadline.c ------------------------------------------------------------------------
 */

/* hf_exchange_arm sees to it that the timer comes no later than the next deadline. */
void hf_exchange_arm(struct hf_exchange *x);
void hf_exchange_on_timer(struct hf_timer *timer);

/* --- exchange_log.c -----------------------------------------------------------------------------
 */

/* hf_exchange_log writes and counts an exchange that is over. */
void hf_exchange_log(const struct hf_exchange *x);

struct hf_denial;

/* hf_exchange_log_upstream says that a server, or all of an upstream (server NULL), is no good;
 * hf_exchange_log_distrust that TLS with one failed, whose account has this id. */
void hf_exchange_log_upstream(const struct hf_hub *hub, const struct hf_upstream *upstream,
                              const struct hf_server *server, const char *text);
void hf_exchange_log_distrust(const struct hf_up *up, uint64_t id, const struct hf_denial *denial);

#endif
