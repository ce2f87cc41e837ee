/*
 * The redactor. What it gives back is the text itself or a masked copy that is not much longer; masking that copy
 * again changes nothing. Up to the first NUL the input is the argument before, behind it one argument.
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

/* The shortest text with a secret is `://:x@`, six bytes that become fifteen. */
static void check_growth(struct scd_str text, struct scd_str masked)
{
	require(masked.data == text.data || masked.len <= 3 * text.len + 10);
}

static void check_text(struct scd_str text, struct scd_arena *arena)
{
	struct scd_str once = scd_redact_text(text, arena);
	struct scd_str twice = scd_redact_text(once, arena);

	check_growth(text, once);
	require(scd_str_eq(once, twice));
}

static void check_argument(struct scd_str text, struct scd_arena *arena)
{
	const char *end = text.len ? memchr(text.data, '\0', text.len) : NULL;
	size_t len = end ? (size_t)(end - text.data) : text.len;
	struct scd_str previous = { text.data, len };
	struct scd_str argument = { text.data + len, text.len - len };
	struct scd_str once, twice;

	if (argument.len) {
		argument.data++;
		argument.len--;
	}
	once = scd_redact_argument(previous, argument, arena);
	twice = scd_redact_argument(previous, once, arena);
	check_growth(argument, once);
	require(scd_str_eq(once, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scd_str text = { (const char *)data, size };
	struct scd_arena arena;

	scd_arena_init(&arena, 65536, 0);
	check_text(text, &arena);
	check_argument(text, &arena);
	scd_arena_done(&arena);
	return 0;
}
