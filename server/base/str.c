/*
 * Spans of bytes: comparison, search, numbers, UTF-8. Nothing here allocates or needs a NUL behind the text.
 */
#include "seccheckd/base/str.h"

#include <errno.h>
#include <string.h>

#include "seccheckd/base/array.h"

/* How much is folded at a time, and of a needle. */
#define FOLDED_WINDOW_BYTES 4096u
#define FOLDED_HEAD_BYTES   1024u

struct scd_str scd_str_from(const char *text)
{
	return (struct scd_str){ text, text ? strlen(text) : 0 };
}

bool scd_str_eq(struct scd_str a, struct scd_str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool scd_str_is(struct scd_str a, const char *text)
{
	return scd_str_eq(a, scd_str_from(text));
}

int scd_str_compare(struct scd_str a, struct scd_str b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.data, b.data, common) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool scd_str_starts_with(struct scd_str text, struct scd_str prefix)
{
	return text.len >= prefix.len && scd_str_eq((struct scd_str){ text.data, prefix.len }, prefix);
}

bool scd_str_ends_with(struct scd_str text, struct scd_str suffix)
{
	if (suffix.len == 0)
		return true;
	if (text.len < suffix.len)
		return false;
	return memcmp(text.data + (text.len - suffix.len), suffix.data, suffix.len) == 0;
}

bool scd_str_contains(struct scd_str text, struct scd_str needle)
{
	if (needle.len == 0)
		return true;
	return text.len >= needle.len && memmem(text.data, text.len, needle.data, needle.len) != NULL;
}

/* tolower() would follow the locale. */
static char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool folded_eq(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (fold(a[i]) != fold(b[i]))
			return false;
	}
	return true;
}

static void fold_copy(const char *text, size_t len, char *ret_folded)
{
	for (size_t i = 0; i < len; i++)
		ret_folded[i] = fold(text[i]);
}

/*
 * Whether the needle begins in a window, which is the beginning of text, folded. What the window does not show of a
 * long needle is compared where its head was found.
 */
static bool begins_in(struct scd_str window, struct scd_str head, struct scd_str text, struct scd_str needle)
{
	struct scd_str tail = { needle.data + head.len, needle.len - head.len };
	const char *end = window.data + window.len, *hit = window.data;

	while ((hit = memmem(hit, (size_t)(end - hit), head.data, head.len))) {
		size_t behind = (size_t)(hit - window.data) + head.len;

		if (text.len - behind >= tail.len && folded_eq(text.data + behind, tail.data, tail.len))
			return true;
		hit++;
	}
	return false;
}

/*
 * The text is folded window by window and searched with memmem, whose time is linear. Windows overlap:
 *
 *    text     |----- window -----|
 *                          |----- window -----|
 *                          |-----|  one byte less than the needle's head, which is all of most needles
 */
bool scd_str_icontains(struct scd_str text, struct scd_str needle)
{
	char folded_head[FOLDED_HEAD_BYTES], window[FOLDED_WINDOW_BYTES];
	struct scd_str head = { folded_head, needle.len < sizeof(folded_head) ? needle.len : sizeof(folded_head) };

	if (needle.len == 0)
		return true;
	fold_copy(needle.data, head.len, folded_head);
	while (text.len >= needle.len) {
		size_t len = text.len < sizeof(window) ? text.len : sizeof(window), step = len - head.len + 1;

		fold_copy(text.data, len, window);
		if (begins_in((struct scd_str){ window, len }, head, text, needle))
			return true;
		text = (struct scd_str){ text.data + step, text.len - step };
	}
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct scd_str scd_str_trim(struct scd_str text)
{
	while (text.len && is_blank(text.data[0])) {
		text.data++;
		text.len--;
	}
	while (text.len && is_blank(text.data[text.len - 1]))
		text.len--;
	return text;
}

bool scd_str_next_nul(struct scd_str *rest, struct scd_str *ret_text)
{
	const char *end = rest->len ? memchr(rest->data, '\0', rest->len) : NULL;
	size_t len = end ? (size_t)(end - rest->data) : rest->len;
	size_t taken = end ? len + 1 : len;

	if (rest->len == 0)
		return false;
	*ret_text = (struct scd_str){ rest->data, len };
	*rest = (struct scd_str){ rest->data + taken, rest->len - taken };
	return true;
}

struct scd_str scd_str_basename(struct scd_str path)
{
	const char *slash = path.len ? memrchr(path.data, '/', path.len) : NULL;

	if (!slash)
		return path;
	return (struct scd_str){ slash + 1, (size_t)(path.data + path.len - (slash + 1)) };
}

int scd_str_to_u64(struct scd_str text, uint64_t *ret_value)
{
	uint64_t value = 0;
	bool too_large = false;

	if (text.len == 0)
		return -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] < '0' || text.data[i] > '9')
			return -EINVAL;
		too_large |= __builtin_mul_overflow(value, 10, &value);
		too_large |= __builtin_add_overflow(value, (uint64_t)(text.data[i] - '0'), &value);
	}
	if (too_large)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

int scd_str_to_i64(struct scd_str text, int64_t *ret_value)
{
	bool negative = text.len && text.data[0] == '-';
	uint64_t limit = (uint64_t)INT64_MAX + negative;
	uint64_t magnitude;
	int r;

	if (text.len && (text.data[0] == '-' || text.data[0] == '+')) {
		text.data++;
		text.len--;
	}
	r = scd_str_to_u64(text, &magnitude);
	if (r < 0)
		return r;
	if (magnitude > limit)
		return -ERANGE;
	*ret_value = (int64_t)(negative ? 0 - magnitude : magnitude);
	return 0;
}

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/*
 * One row for each form of the Unicode standard's table 3-7: the range of the second byte is what excludes overlong
 * forms, surrogates and everything above U+10FFFF.
 */
static const struct utf8_form {
	unsigned char lead_min, lead_max, second_min, second_max, length;
} utf8_forms[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static bool utf8_matches(const struct utf8_form *form, struct scd_str text)
{
	unsigned char second;

	if (text.len < form->length)
		return false;
	second = (unsigned char)text.data[1];
	if (second < form->second_min || second > form->second_max)
		return false;
	for (size_t i = 2; i < form->length; i++) {
		if (!is_continuation(text.data[i]))
			return false;
	}
	return true;
}

size_t scd_str_utf8_length(struct scd_str text)
{
	unsigned char lead;

	if (text.len == 0)
		return 0;
	lead = (unsigned char)text.data[0];
	if (lead < 0x80)
		return 1;
	for (size_t i = 0; i < SCD_COUNT(utf8_forms); i++) {
		const struct utf8_form *form = &utf8_forms[i];

		if (lead >= form->lead_min && lead <= form->lead_max)
			return utf8_matches(form, text) ? form->length : 0;
	}
	return 0;
}

uint32_t scd_str_utf8_code_point(struct scd_str sequence)
{
	static const unsigned char lead_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t code_point = (unsigned char)sequence.data[0] & lead_bits[sequence.len];

	for (size_t i = 1; i < sequence.len; i++)
		code_point = code_point << 6 | ((unsigned char)sequence.data[i] & 0x3f);
	return code_point;
}

bool scd_str_steers_display(uint32_t code_point)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x061c, 0x061c },
		{ 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
	};

	for (size_t i = 0; i < SCD_COUNT(ranges); i++) {
		if (code_point >= ranges[i].first && code_point <= ranges[i].last)
			return true;
	}
	return false;
}
