/*
 * What messages are made of: memory, and bytes from sandboxes as protobuf strings, which are UTF-8 and, in C, end with
 * a NUL.
 */
#include <string.h>

#include "message.h"
#include "seccheckd/alert/redact.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* The next piece of the output for what stands at the start of text; *ret_taken bytes of text become it. */
static struct scd_str clean_piece(struct scd_str text, size_t *ret_taken)
{
	size_t len = text.data[0] ? scd_str_utf8_length(text) : 0;

	*ret_taken = len ? len : 1;
	return len ? (struct scd_str){ text.data, len } : SCD_STR(replacement);
}

/* Length of the clean text, at most max_bytes. Written to out as well unless that is NULL. */
static size_t clean(struct scd_str text, size_t max_bytes, char *out, bool *ret_cut)
{
	size_t at = 0, len = 0;

	while (at < text.len) {
		size_t taken;
		struct scd_str piece = clean_piece((struct scd_str){ text.data + at, text.len - at }, &taken);

		if (len + piece.len > max_bytes)
			break;
		if (out)
			memcpy(out + len, piece.data, piece.len);
		len += piece.len;
		at += taken;
	}
	*ret_cut = at < text.len;
	return len;
}

void *scd__make(struct scd__maker *maker, size_t count, size_t size)
{
	void *memory = maker->failed ? NULL : scd_arena_zalloc(maker->arena, count, size);

	maker->failed = !memory;
	return memory;
}

void *scd__make_message(struct scd__maker *maker, const ProtobufCMessageDescriptor *type)
{
	void *message = scd__make(maker, 1, type->sizeof_message);

	if (message)
		protobuf_c_message_init(type, message);
	return message;
}

struct scd_str scd__make_redacted(struct scd__maker *maker, struct scd_str text)
{
	struct scd_str told = scd_redact_text(text, maker->arena);

	if (text.len && !told.len)
		maker->failed = true;
	return told;
}

char *scd__make_text(struct scd__maker *maker, struct scd_str text, size_t max_bytes, protobuf_c_boolean *truncated)
{
	static char empty[1];
	bool cut;
	size_t len = clean(text, max_bytes, NULL, &cut);
	char *out;

	if (cut && truncated)
		*truncated = true;
	if (len == 0)
		return empty;
	out = scd__make(maker, len + 1, 1);
	if (!out)
		return empty;
	clean(text, max_bytes, out, &cut);
	return out;
}
