// SPDX-License-Identifier: Apache-2.0
/* Keys that stand with their private halves in documents that people copy from. */
#include <string.h>

#include "ca/weak_impl.h"

static const struct {
    const char *spki_sha256, *where;
} published[] = {
    {"8fb6bad671cfe698393c453357da61b56d757ab8c0f3fb9c87f2849e63131878", "RFC 9500 2.1"},
    {"b2b04340cfaee616ec9c2c62d261b208e54bb197498df52e8cadede23ac0ba5e", "RFC 9500 2.3"},
    {"c4c10105a0be0ed4dd3354428dc38a9bfee64da141ce16e75c94eda272f9dd3a", "RFC 9500 2.3"},
    {"06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9", "RFC 8032 7.1"},
    {"deb2ded39dc26fce0e6085b6fc34bf6b5941913bbfe2ea614113cff9e004c170", "RFC 8032 7.1"},
    {"8d39ba50abe50f77b6bb8ae7b6927aff7ffbeba35ad2837c0e51e82bcbcc60d5", "RFC 8032 7.1"},
    {"5a7a78cca4a0f420d9bc62bb669c3c2759e39f723d3ae10dcbe0f0815a07ecd4", "RFC 6979 A.2.5"},
    {"2f95601fa82060b909bfc6b979dbd303d34d34e0afb27ea496beac362f242a4b", "RFC 6979 A.2.6"},
    {"2bd1bb0c44a897c30a7aa0991cde38d8062fe441de50da0f46825344f602e827", "RFC 7515 A.3"},
};

const char *hf_published_key(const uint8_t spki_sha256[static 32])
{
    char hex[65];
    hf_hex(hf_bytes_of(spki_sha256, 32), hex);
    for (size_t i = 0; i < HF_N_ELEMENTS(published); i++) {
        if (strcmp(published[i].spki_sha256, hex) == 0) {
            return published[i].where;
        }
    }
    return NULL;
}
