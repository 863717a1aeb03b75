// SPDX-License-Identifier: Apache-2.0
/* What the backend is told of who asks, and what the client may not tell it. */
#include "proxy/http/exchange_impl.h"

enum hf_err hf_exchange_tell(struct hf_exchange *x)
{
    (void)hf_strip_apply(x->door->http->strip, x->request);
    return HF_OK;
}

void hf_exchange_judge_trailers(struct hf_exchange *x)
{
    (void)hf_strip_apply(x->door->http->strip, x->trailers);
}
