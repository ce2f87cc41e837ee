/*
 * A text is laid out in two passes over its parts: one to measure it, one to write it. What is too long is never put
 * together, only what is kept of it:
 *
 *     offset    0 ............ half ...................... len - half ............ len
 *     parts     part behind part behind part ...
 *     kept      |----- head -----|                          |-------- tail --------|
 *     text      |----- head -----|<...>|-------- tail --------|
 *
 * The mark touches both halves, so that the rest of a word that was cut is no word of its own.
 */
#include "engine/text.h"

#include <string.h>

#include "seccheckd/base/limits.h"

#define MARK_BYTES (sizeof(SCD_FIELD_CUT) - 1)

/* Words. */

bool scd__words_next(struct scd__words *words, struct scd_str *ret_word)
{
	if (words->list_count == 0)
		return scd_str_next_nul(&words->packed, ret_word);
	*ret_word = *words->list++;
	words->list_count--;
	return true;
}

/* Laying out. */

struct layout {
	char *out;
	size_t kept; /* bytes that come to stand there */
	size_t at;   /* how much of the whole text has come by */
	size_t len;  /* of the whole text: what would come behind it is left out */
	size_t head_end, tail_start;
};

static bool begin(const struct scd_view *view, size_t len, size_t max_bytes, struct layout *ret_layout)
{
	bool cut = len > max_bytes;
	size_t half = (max_bytes - MARK_BYTES) / 2, kept = cut ? 2 * half + MARK_BYTES : len;
	char *out = scd_arena_alloc(view->scratch, kept);
	if (!out)
		return false;
	*ret_layout = (struct layout){ .out = out, .kept = kept, .len = len, .head_end = len, .tail_start = len };
	if (!cut)
		return true;
	ret_layout->head_end = half;
	ret_layout->tail_start = len - half;
	memcpy(out + half, SCD_FIELD_CUT, MARK_BYTES);
	if (view->losses)
		view->losses->truncated++;
	return true;
}

/* Writes what of a part, which begins at layout->at, lies between two offsets of the whole text. */
static void copy_between(const struct layout *layout, struct scd_str part, size_t from, size_t to, char *out)
{
	size_t start = layout->at > from ? layout->at : from, end = layout->at + part.len;
	if (end > to)
		end = to;
	if (start < end)
		memcpy(out + (start - from), part.data + (start - layout->at), end - start);
}

static void put(struct layout *layout, struct scd_str part)
{
	copy_between(layout, part, 0, layout->head_end, layout->out);
	copy_between(layout, part, layout->tail_start, layout->len, layout->out + layout->head_end + MARK_BYTES);
	layout->at += part.len;
}

static struct scd_str finish(const struct layout *layout)
{
	return (struct scd_str){ layout->out, layout->kept };
}

static size_t bytes_of(struct scd__words words)
{
	struct scd_str word;
	size_t bytes = 0;
	while (scd__words_next(&words, &word))
		bytes += word.len + 1;
	return bytes;
}

/* What `layout` has begun, and all words, each with `behind` behind it as far as there is room for that. */
static struct scd_str put_words(struct layout *layout, struct scd__words words, struct scd_str behind)
{
	struct scd_str word;
	while (scd__words_next(&words, &word)) {
		put(layout, word);
		put(layout, behind);
	}
	return finish(layout);
}

static struct scd_value value_of(enum scd_type type, struct scd_str text)
{
	return (struct scd_value){ .type = type, .text = text };
}

/* Puts the whole of a text that was cut beside it; packed words are none that are that long. */
static bool keep_whole(const struct scd_view *view, struct scd_str head, struct scd__words items,
                       struct scd_str between, struct scd_value *value)
{
	struct scd_pieces *whole = scd_arena_alloc(view->scratch, sizeof(*whole));
	if (!whole)
		return false;
	*whole = (struct scd_pieces){ head, between, items.list, items.list_count };
	value->whole = whole;
	return true;
}

/* The same for words of which the first is the head. */
static bool keep_words(const struct scd_view *view, struct scd__words words, struct scd_str between,
                       struct scd_value *value)
{
	struct scd_str head;
	if (words.list_count == 0)
		return true;
	(void)scd__words_next(&words, &head);
	return keep_whole(view, head, words, between, value);
}

bool scd__words_pack(const struct scd_view *view, struct scd__words words, struct scd_value *ret_value)
{
	struct layout layout;
	if (!begin(view, bytes_of(words), SCD_LIMIT_FIELD_TEXT_BYTES, &layout))
		return false;
	*ret_value = value_of(SCD_TYPE_BYTES, put_words(&layout, words, SCD_STR("\0")));
	return layout.kept == layout.len || keep_words(view, words, SCD_STR("\0"), ret_value);
}

bool scd__words_join_behind(const struct scd_view *view, struct scd_str head, struct scd__words words,
                            struct scd_value *ret_value)
{
	struct layout layout;
	if (!begin(view, head.len + bytes_of(words), SCD_LIMIT_FIELD_TEXT_BYTES, &layout))
		return false;
	put(&layout, head);
	put(&layout, SCD_STR(" "));
	*ret_value = value_of(SCD_TYPE_STRING, put_words(&layout, words, SCD_STR(" ")));
	return layout.kept == layout.len || words.list_count == 0 ||
	       keep_whole(view, head, words, SCD_STR(" "), ret_value);
}

bool scd__words_join(const struct scd_view *view, struct scd__words words, struct scd_value *ret_value)
{
	struct scd_str first = SCD_STR(""), second;
	struct scd__words rest = words;
	struct layout layout;
	if (!scd__words_next(&rest, &first) || !scd__words_next(&rest, &second)) {
		*ret_value = value_of(SCD_TYPE_STRING, first);
		return scd__value_cut(view, ret_value);
	}
	if (!begin(view, bytes_of(words) - 1, SCD_LIMIT_FIELD_TEXT_BYTES, &layout))
		return false;
	*ret_value = value_of(SCD_TYPE_STRING, put_words(&layout, words, SCD_STR(" ")));
	return layout.kept == layout.len || keep_words(view, words, SCD_STR(" "), ret_value);
}

bool scd__text_concat(const struct scd_view *view, const struct scd_str *parts, size_t count, struct scd_str *ret_text)
{
	struct layout layout;
	size_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += parts[i].len;
	if (!begin(view, len, SCD_LIMIT_FIELD_TEXT_BYTES, &layout))
		return false;
	for (size_t i = 0; i < count; i++)
		put(&layout, parts[i]);
	*ret_text = finish(&layout);
	return true;
}

bool scd__text_cut_to(const struct scd_view *view, size_t max_bytes, struct scd_str *text)
{
	struct layout layout;
	if (text->len <= max_bytes)
		return true;
	if (!begin(view, text->len, max_bytes, &layout))
		return false;
	put(&layout, *text);
	*text = finish(&layout);
	return true;
}

bool scd__text_cut(const struct scd_view *view, struct scd_str *text)
{
	return scd__text_cut_to(view, SCD_LIMIT_FIELD_TEXT_BYTES, text);
}

bool scd__value_cut(const struct scd_view *view, struct scd_value *value)
{
	static const struct scd__words none = { 0 };
	bool is_text = scd_type_is_text(value->type) || value->type == SCD_TYPE_BYTES;
	struct scd_str text = value->text;
	if (value->is_list || !is_text || text.len <= SCD_LIMIT_FIELD_TEXT_BYTES)
		return true;
	return scd__text_cut(view, &value->text) && keep_whole(view, text, none, SCD_STR(""), value);
}
