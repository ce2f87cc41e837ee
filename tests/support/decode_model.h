/*
 * protobuf-c as the model of the decoder: the same bytes must get the same verdict and the same values from both.
 */
#ifndef SCD_TESTS_SUPPORT_DECODE_MODEL_H
#define SCD_TESTS_SUPPORT_DECODE_MODEL_H

#include "seccheckd/base/arena.h"

#define DECODE_MODEL_WHY_BYTES 256

/*
 * Decodes a payload of a known message type in both ways and compares field by field, along the decoder's own rows.
 * True when they agree; else ret_why says where they do not. *ret_accepted (may be NULL) is the verdict. The scratch
 * arena is reset.
 *
 * One rule is not left to protobuf-c: it forgets the numbers of a message inside that came in two parts. The parts are
 * joined first, which is what protobuf defines as the meaning of them.
 */
bool decode_model_agrees(unsigned type, struct scd_str payload, struct scd_arena *scratch, bool *ret_accepted,
                         char ret_why[DECODE_MODEL_WHY_BYTES]);

#endif
