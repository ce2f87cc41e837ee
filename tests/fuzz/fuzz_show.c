/*
 * Messages as lines. Input: the message type in two bytes, little endian, then the payload. Whatever it is, both forms
 * say the same of it, on one line: of ASCII in the one, JSON in the other, of a typed object if it is a message. A line
 * of a smaller cap is whole, or says that it is too large.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/decode/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SMALL_LINE_BYTES 256u

static struct scd_buf text, json, small;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_text(int printed)
{
	require((text.data[0] == '?') == (printed != SCD_PRINTED_MESSAGE));
	for (size_t i = 0; i < text.len; i++)
		require(text.data[i] >= ' ' && text.data[i] <= '~');
}

static void check_json(int printed)
{
	json_t *object = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

	require(json_is_object(object) && !memchr(json.data, '\n', json.len));
	require((json_object_get(object, "@type") != NULL) == (printed == SCD_PRINTED_MESSAGE));
	json_decref(object);
}

static void check_small(unsigned type, struct scd_str payload, int printed)
{
	int again = scd_print_text(type, payload, &small);

	require(small.len <= SMALL_LINE_BYTES);
	if (again == SCD_PRINTED_TOO_LARGE)
		require(printed == again || text.len > SMALL_LINE_BYTES);
	else
		require(again == printed && scd_str_eq(scd_buf_str(&small), scd_buf_str(&text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scd_str payload;
	unsigned type;
	int printed;

	if (size < 2)
		return 0;
	if (text.max_bytes == 0) {
		scd_buf_init(&text, SCD_LIMIT_PRINT_BYTES);
		scd_buf_init(&json, SCD_LIMIT_PRINT_BYTES);
		scd_buf_init(&small, SMALL_LINE_BYTES);
	}
	type = data[0] | (unsigned)data[1] << 8;
	payload = (struct scd_str){ (const char *)data + 2, size - 2 };
	printed = scd_print_text(type, payload, &text);
	require(printed >= 0 && scd_print_json(type, payload, &json) == printed);
	check_text(printed);
	check_json(printed);
	check_small(type, payload, printed);
	return 0;
}
