// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_XFCC_H
#define HF_HTTP_XFCC_H

/*
 * x-forwarded-client-cert in Envoy's format: elements joined with ",", each of Key=value pairs
 * joined with ";".
 *
 *     By=spiffe://example.org/edge;Hash=468e...;Subject="CN=Test Client,O=Lyft";URI=spiffe://...
 *
 * The format has no grammar of its own, and readers differ on quotes and backslashes. So what we
 * write is within what all of them read alike: only Subject, Cert and Chain are quoted, nothing
 * quoted holds a quote, a backslash stands only before two hex digits (RFC 4514 2.4). A URI or DNS
 * name with a character that such a name can't have is left out.
 */

#include "base/buf.h"
#include "http/facts.h"

/* hf_xfcc_append appends one element for the facts' identity; parts are bits of 1 << enum
 * hf_xfcc_part (http/forward.h). Nothing is appended without an identity that can be told. Errors:
 * those of out, what was appended until then stays. */
enum hf_err hf_xfcc_append(struct hf_buf *out, const struct hf_facts *facts,
                           unsigned parts) HF_MUST_CHECK;

/* hf_xfcc_check says whether a value from elsewhere can stand before an element of ours: known keys
 * or others of letters, quotes that end, and nothing after them but "," and ";". Errors:
 * HF_E_MALFORMED in words. */
enum hf_err hf_xfcc_check(struct hf_bytes value) HF_MUST_CHECK;

#endif
