/*
 * From a payload to a line of either form. A message is written only when all of it is whole, so a line is never cut.
 */
#include "print.h"

#include <errno.h>

#include "seccheckd/base/limits.h"
#include "table.h"

#define SCRATCH_CHUNK_BYTES 4096u

/* Messages in parts are joined, those of each of the three levels once; the rest is for the arena's own use. */
#define SCRATCH_BYTES ((size_t)4 * SCD_LIMIT_MESSAGE_BYTES)

static const ProtobufCMessageDescriptor *find_descriptor(unsigned message_type)
{
	if (message_type == SCD_POINT_UNKNOWN || message_type >= SCD_POINT_COUNT)
		return NULL;
	return scd__decode_shapes()[message_type].descriptor;
}

static enum scd_printed write_message(const struct scd__print_form *form, const struct scd__view *message,
                                      struct scd_buf *line)
{
	struct scd_arena scratch;
	int r;

	if (!message->descriptor)
		return SCD_PRINTED_UNKNOWN;
	if (!scd__view_is_whole(message->descriptor, message->bytes))
		return SCD_PRINTED_DAMAGED;
	scd_arena_init(&scratch, SCRATCH_CHUNK_BYTES, SCRATCH_BYTES);
	r = form->write(message, &scratch, line);
	scd_arena_done(&scratch);
	return r < 0 || line->failed ? SCD_PRINTED_TOO_LARGE : SCD_PRINTED_MESSAGE;
}

int scd__print(const struct scd__print_form *form, unsigned message_type, struct scd_str payload, struct scd_buf *line)
{
	struct scd__view message = { find_descriptor(message_type), payload };
	enum scd_printed printed;

	scd_buf_reset(line);
	printed = write_message(form, &message, line);
	if (printed != SCD_PRINTED_MESSAGE) {
		scd_buf_reset(line);
		form->write_other(message_type, message.descriptor ? message.descriptor->short_name : NULL, payload.len,
		                  printed, line);
	}
	return line->failed ? -ENOMEM : (int)printed;
}
