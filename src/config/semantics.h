// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_SEMANTICS_H
#define HF_CONFIG_SEMANTICS_H

#include "config/keys.h"

/*
 * What no single value shows: settings that contradict each other, that lack their counterpart, or
 * that would have no effect. Called by the decoder through the key table, once an object's keys are
 * decoded. A key that was refused counts as given, so that one mistake gives one finding.
 */
void hf_check_config(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_crl(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_ocsp(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_identity(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_health(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_probes(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_eject(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_upstream(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_route(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_forward(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_access(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_jwt(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_ca(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_rights(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_auth(struct hf_decoder *decoder, const struct hf_node *node, void *object);
void hf_check_listener(struct hf_decoder *decoder, const struct hf_node *node, void *object);

#endif
