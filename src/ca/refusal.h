// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_REFUSAL_H
#define HF_CA_REFUSAL_H

/*
 * Why a request for a certificate was refused, as a stable word for programs; the sentence for
 * people is hf_err_text(). A function that takes `out_why` sets it when, and only when, it fails.
 * HF_REFUSAL_NONE there means that nothing is wrong with the request: we failed.
 */

/* id, stable name, what it means */
#define HF_REFUSAL_TABLE(X) \
    X(NONE, "none", "the request is not at fault") \
    X(CSR_MALFORMED, "csr-malformed", "the certificate request can't be read") \
    X(CSR_SIGNATURE, "csr-signature", "the request was not signed with the key that is in it") \
    X(CSR_UNSUPPORTED, "csr-unsupported", "the request asks for something that nobody may have") \
    X(KEY_TYPE, "key-type", "the profile doesn't allow keys of this type or size") \
    X(WEAK_KEY, "weak-key", "the key is weak") \
    X(KNOWN_KEY, "known-key", "the private key is known to others") \
    X(SUBJECT, "subject", "the subject is not as the profile wants it") \
    X(NAME_INVALID, "name-invalid", "an alternative name is malformed") \
    X(NAME_DENIED, "name-denied", "the profile doesn't allow this alternative name") \
    X(NAME_MISSING, "name-missing", "an alternative name that the profile wants is missing") \
    X(NAME_CONSTRAINTS, "name-constraints", "the CA may not issue for this name") \
    X(LIFETIME, "lifetime", "the dates are outside of what the profile allows") \
    X(ISSUER_ENDED, "issuer-ended", "the CA's own certificate has ended, or hasn't begun") \
    X(ISSUER, "issuer", "this CA can't issue what the profile describes") \
    X(WHO, "who", "this profile is not for the one who asks") \
    X(LINT, "lint", "the finished certificate broke a rule")

#define HF_REFUSAL_ENUM(id, name, text) HF_REFUSAL_##id,
enum hf_refusal { HF_REFUSAL_TABLE(HF_REFUSAL_ENUM) HF_REFUSAL_N };
#undef HF_REFUSAL_ENUM

const char *hf_refusal_name(enum hf_refusal why);

#endif
