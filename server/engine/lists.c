/*
 * Lists inside lists, and lists inside conditions (SPEC 1.11).
 *
 * Falco puts lists into conditions as text, before parsing. For every list in order of definition, each occurrence of
 * its name that is bounded by the start, the end, a blank or one of `( ) , =` is replaced by the items, joined with
 * ", "; blanks around the name are swallowed. An empty list also takes away the comma on its left, or else the one on
 * its right. It does so inside quoted strings too. A list inside a list stands for its own items, one level deep.
 */
#include <errno.h>
#include <string.h>

#include "engine/items.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_boundary(char c)
{
	return is_blank(c) || c == '(' || c == ')' || c == ',' || c == '=';
}

static void append_item(struct scd_buf *text, struct scd_str item)
{
	bool quote = item.len && memchr(item.data, ' ', item.len) && item.data[0] != '"' && item.data[0] != '\'';
	if (text->len)
		scd_buf_append_str(text, SCD_STR(", "));
	if (quote)
		scd_buf_append_char(text, '"');
	scd_buf_append_str(text, item);
	if (quote)
		scd_buf_append_char(text, '"');
}

static void append_list(struct scd__collection *collection, const struct scd__list_item *list, struct scd_buf *text)
{
	for (size_t i = 0; i < list->item_count; i++) {
		struct scd__list_item *inner = scd_strmap_get(&collection->lists.by_name, list->items[i]);
		if (!inner || inner == list || inner->index >= list->visibility) {
			append_item(text, list->items[i]);
			continue;
		}
		for (size_t j = 0; j < inner->item_count; j++)
			append_item(text, inner->items[j]);
	}
}

int scd__resolve_lists(struct scd__collection *collection)
{
	int result = 0;
	struct scd_buf text;
	scd_buf_init(&text, SCD_LIMIT_CONDITION_BYTES);
	for (size_t i = 0; i < collection->lists.count && result == 0; i++) {
		struct scd__list_item *list = collection->lists.all[i];
		scd_buf_reset(&text);
		append_list(collection, list, &text);
		list->text = scd_arena_dup(&collection->arena, scd_buf_str(&text));
		if (text.failed || (text.len && !list->text.data))
			result = -ENOMEM;
	}
	scd_buf_done(&text);
	return result;
}

/* The next bounded occurrence of a name at or after `from`; text.len when there is none. */
static size_t find_name(struct scd_str text, struct scd_str name, size_t from)
{
	while (from + name.len <= text.len) {
		const char *hit = memmem(text.data + from, text.len - from, name.data, name.len);
		if (!hit)
			break;
		size_t start = (size_t)(hit - text.data), end = start + name.len;
		if ((start == 0 || is_boundary(text.data[start - 1])) &&
		    (end == text.len || is_boundary(text.data[end])))
			return start;
		from = start + 1;
	}
	return text.len;
}

/* Takes the blanks off the end of what was written. */
static void swallow_blanks_behind(struct scd_buf *out)
{
	while (out->len && is_blank(out->data[out->len - 1]))
		out->len--;
}

static size_t skip_blanks(struct scd_str text, size_t from)
{
	while (from < text.len && is_blank(text.data[from]))
		from++;
	return from;
}

/* Replaces one list's name everywhere. Returns whether it was there. */
static bool replace_list(struct scd_str text, const struct scd__list_item *list, struct scd_buf *out)
{
	size_t from = 0, hit = find_name(text, list->name, 0);
	if (hit == text.len)
		return false;
	for (; hit < text.len; hit = find_name(text, list->name, from)) {
		scd_buf_append(out, text.data + from, hit - from);
		swallow_blanks_behind(out);
		from = skip_blanks(text, hit + list->name.len);
		if (list->text.len) {
			scd_buf_append_str(out, list->text);
		} else if (out->len && out->data[out->len - 1] == ',') {
			out->len--;
		} else if (from < text.len && text.data[from] == ',') {
			from++;
		}
	}
	scd_buf_append(out, text.data + from, text.len - from);
	return true;
}

int scd__substitute_lists(struct scd__collection *collection, struct scd_str text, struct scd_str *ret_text)
{
	struct scd_buf buffers[2];
	unsigned turn = 0;
	scd_buf_init(&buffers[0], SCD_LIMIT_CONDITION_BYTES);
	scd_buf_init(&buffers[1], SCD_LIMIT_CONDITION_BYTES);
	int result = 0;
	for (size_t i = 0; i < collection->lists.count && result == 0; i++) {
		struct scd__list_item *list = collection->lists.all[i];
		scd_buf_reset(&buffers[turn]);
		if (!replace_list(text, list, &buffers[turn]))
			continue;
		list->used = true;
		text = scd_buf_str(&buffers[turn]);
		result = buffers[turn].failed ? -E2BIG : 0;
		turn = 1 - turn;
	}
	if (result == 0) {
		struct scd_str copy = scd_arena_dup(&collection->arena, text);
		if (text.len && !copy.data)
			result = -ENOMEM;
		else
			*ret_text = copy;
	}
	scd_buf_done(&buffers[0]);
	scd_buf_done(&buffers[1]);
	return result;
}
