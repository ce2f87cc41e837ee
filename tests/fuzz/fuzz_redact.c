/*
 * The redactor. What it gives back is the text itself, or a copy that is not much longer and holds nothing but parts of
 * the text, in their order, and masks. Up to the first NUL the input is the argument before, behind it one argument.
 */
#include <stdlib.h>
#include <string.h>

#include "seccheckd/alert/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* Takes the next byte that is not of a mask off a text; -1 at its end. */
static int next_byte(struct scd_str *text)
{
	while (scd_str_starts_with(*text, SCD_STR("<redacted>"))) {
		text->data += 10;
		text->len -= 10;
	}
	if (!text->len)
		return -1;
	text->len--;
	return (unsigned char)*text->data++;
}

/* Whether the masked text without its masks can be made from the text by leaving bytes out. */
static bool invents_nothing(struct scd_str text, struct scd_str masked)
{
	size_t at = 0;

	for (int byte; (byte = next_byte(&masked)) >= 0; at++) {
		while (at < text.len && (unsigned char)text.data[at] != byte)
			at++;
		if (at == text.len)
			return false;
	}
	return true;
}

/* The shortest text with a secret is `://:x@`, six bytes that become fifteen. */
static void check(struct scd_str text, struct scd_str masked)
{
	require(masked.data == text.data || masked.len <= 3 * text.len + 10);
	require(invents_nothing(text, masked));
}

static void check_argument(struct scd_str text, struct scd_arena *arena)
{
	const char *end = text.len ? memchr(text.data, '\0', text.len) : NULL;
	size_t len = end ? (size_t)(end - text.data) : text.len;
	struct scd_str previous = { text.data, len };
	struct scd_str argument = { text.data + len, text.len - len };

	if (argument.len) {
		argument.data++;
		argument.len--;
	}
	check(argument, scd_redact_argument(previous, previous, argument, arena));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scd_str text = { (const char *)data, size };
	struct scd_arena arena;

	scd_arena_init(&arena, 65536, 0);
	check(text, scd_redact_text(text, &arena));
	check_argument(text, &arena);
	scd_arena_done(&arena);
	return 0;
}
