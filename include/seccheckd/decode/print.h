/*
 * One message as one line, for people and for other programs: what `seccheckd show` prints.
 *
 * Nothing is left out: the daemon's own decoder keeps what rules look at, this prints every byte of a message,
 * environments and other secrets among them, fields that are newer than our proto/, and texts that are not UTF-8.
 *
 * Text is what gVisor's own example server (examples/seccheck/server.cc) prints with protobuf's C++ library: `E NAME
 * FIELDS` and `X NAME FIELDS` for a system call (X: the message has `exit`), `NAME => FIELDS` for other points. FIELDS
 * is protobuf's text format with a blank in place of every line break, so a nested message keeps the blanks of its
 * indentation. A line that stands for no such message begins with `?`:
 *
 *    ? type 77, 123 bytes                           a type that we do not know
 *    ? type 7 (Open), 123 bytes: damaged            the bytes are no message of that type
 *    ? type 7 (Open), 123 bytes: too large          its text does not fit into the line's cap, or into memory
 *
 * JSON is protobuf's canonical JSON of the message inside a google.protobuf.Any: an object whose first key, `@type`,
 * is `type.googleapis.com/` and the full name of the message. Fields that we do not know are not in it (canonical JSON
 * has no place for them), and U+FFFD stands for each byte that is not part of valid UTF-8. An object that stands for
 * no such message has no `@type`: {"error":"unknown type","messageType":77,"payloadBytes":123}, and "damaged" and "too
 * large" alike.
 *
 * A message is damaged where protobuf's C++ library refuses it, except for a text that is not valid UTF-8: it refuses
 * that, too, but rules see such a text, so it is printed.
 *
 * Memory: the line (its cap is the caller's, SCD_LIMIT_PRINT_BYTES is meant for it) and at most four times the payload
 * for messages that come in parts. Time grows with the payload times its nesting, which is capped as protobuf caps it.
 */
#ifndef SECCHECKD_DECODE_PRINT_H
#define SECCHECKD_DECODE_PRINT_H

#include "seccheckd/base/buf.h"

enum scd_printed {
	SCD_PRINTED_MESSAGE,
	SCD_PRINTED_UNKNOWN,
	SCD_PRINTED_DAMAGED,
	SCD_PRINTED_TOO_LARGE,
};

/*
 * Replaces what ret_line holds by the line for a payload, without a line break; there is none inside either.
 * message_type is the frame's. An enum scd_printed, or -ENOMEM when the line has no room for any of the above.
 */
int scd_print_text(unsigned message_type, struct scd_str payload, struct scd_buf *ret_line);
int scd_print_json(unsigned message_type, struct scd_str payload, struct scd_buf *ret_line);

#endif
