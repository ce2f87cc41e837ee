/*
 * Base64: three bytes are four digits of six bits, the most significant first. The last group may be shorter: one byte
 * is two digits, two bytes are three, and padding fills it up to four.
 */
#include "base/base64.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *scd__base64_encode(const uint8_t *data, size_t len)
{
	char *text = len / 3 < SIZE_MAX / 4 - 1 ? malloc((len + 2) / 3 * 4 + 1) : NULL;
	char *out = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t group = (uint32_t)data[i] << 16;

		group |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
		group |= left > 2 ? data[i + 2] : 0;
		*out++ = digits[group >> 18];
		*out++ = digits[group >> 12 & 63];
		*out++ = left > 1 ? digits[group >> 6 & 63] : '=';
		*out++ = left > 2 ? digits[group & 63] : '=';
	}
	*out = '\0';
	return text;
}

/* 0..63, or -1. */
static int digit_value(char c)
{
	const char *at;

	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

static struct scd_str without_padding(struct scd_str text)
{
	if (text.len % 4 != 0)
		return text;
	for (int i = 0; i < 2 && scd_str_ends_with(text, SCD_STR("=")); i++)
		text.len--;
	return text;
}

int scd__base64_decode(struct scd_str text, uint8_t **ret_data, size_t *ret_len)
{
	uint32_t bits = 0;
	unsigned bit_count = 0;
	size_t len = 0;
	uint8_t *data;

	text = without_padding(text);
	if (text.len % 4 == 1)
		return -EINVAL;
	data = malloc(text.len / 4 * 3 + 3);
	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < text.len; i++) {
		int value = digit_value(text.data[i]);

		if (value < 0) {
			free(data);
			return -EINVAL;
		}
		bits = bits << 6 | (uint32_t)value;
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			data[len++] = (uint8_t)(bits >> bit_count);
		}
	}
	*ret_data = data;
	*ret_len = len;
	return 0;
}
