/*
 * Random protobuf messages of any type, by its descriptor, for tests that hold one reader against another.
 */
#ifndef SCD_TESTS_SUPPORT_RANDOM_MESSAGE_H
#define SCD_TESTS_SUPPORT_RANDOM_MESSAGE_H

#include <protobuf-c/protobuf-c.h>

#include "seccheckd/base/buf.h"
#include "tests/support/rng.h"

enum {
	/* Texts of any bytes; else they are UTF-8 without NUL. Fields of type bytes always have any. */
	RANDOM_MESSAGE_ANY_TEXT = 1 << 0,

	/*
	 * What no sink writes and protobuf accepts: several values of one field, messages in parts, wrong wire types,
	 * fields that are not known (groups, messages in messages), numbers that are longer than need be. Else every
	 * field is there at most once, as protobuf would write it.
	 */
	RANDOM_MESSAGE_ODD = 1 << 1,
};

/* Appends a message; protobuf accepts every one. */
void random_message(struct scd_rng *rng, const ProtobufCMessageDescriptor *descriptor, unsigned style,
                    struct scd_buf *out);

#endif
