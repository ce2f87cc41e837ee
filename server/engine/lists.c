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

/* Of longer texts nobody can say where a byte came from: an error in one is placed at its beginning. */
#define TRACED_BYTES 1048576u

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
		inner->used = true;
		for (size_t j = 0; j < inner->item_count; j++)
			append_item(text, inner->items[j]);
	}
}

int scd__resolve_lists(struct scd__collection *collection)
{
	struct scd_buf text;
	int r = 0;

	scd_buf_init(&text, SCD_LIMIT_CONDITION_BYTES);
	for (size_t i = 0; i < collection->lists.count && r == 0; i++) {
		struct scd__list_item *list = collection->lists.all[i];

		scd_buf_reset(&text);
		append_list(collection, list, &text);
		list->text = scd_arena_dup(&collection->arena, scd_buf_str(&text));
		if (text.failed || (text.len && !list->text.data))
			r = -ENOMEM;
	}
	scd_buf_done(&text);
	return r;
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

/* A text, and where each byte of it came from. */
struct traced {
	struct scd_buf text;
	struct scd_buf origins; /* uint32_t each; failed: nobody knows any more, as the text is too long for it */
};

static void traced_init(struct traced *traced)
{
	scd_buf_init(&traced->text, SCD_LIMIT_CONDITION_BYTES);
	scd_buf_init(&traced->origins, TRACED_BYTES * sizeof(uint32_t));
}

static void traced_done(struct traced *traced)
{
	scd_buf_done(&traced->text);
	scd_buf_done(&traced->origins);
}

static void traced_reset(struct traced *traced)
{
	scd_buf_reset(&traced->text);
	scd_buf_reset(&traced->origins);
}

static void put(struct traced *out, struct scd_str text, uint32_t first_origin, bool counts)
{
	scd_buf_append_str(&out->text, text);
	for (size_t i = 0; i < text.len && !out->origins.failed; i++) {
		uint32_t origin = first_origin + (counts ? (uint32_t)i : 0);

		scd_buf_append(&out->origins, &origin, sizeof(origin));
	}
}

static uint32_t origin_at(const struct traced *in, size_t offset)
{
	uint32_t origin = 0;

	if (offset < in->text.len && !in->origins.failed)
		memcpy(&origin, in->origins.data + offset * sizeof(origin), sizeof(origin));
	return origin;
}

static void copy(struct traced *out, const struct traced *in, size_t from, size_t to)
{
	scd_buf_append(&out->text, in->text.data + from, to - from);
	if (in->origins.failed || out->origins.failed)
		out->origins.failed = true;
	else
		scd_buf_append(&out->origins, in->origins.data + from * sizeof(uint32_t),
		               (to - from) * sizeof(uint32_t));
}

static void drop_last(struct traced *out)
{
	out->text.len--;
	if (!out->origins.failed)
		out->origins.len -= sizeof(uint32_t);
}

static bool ends_with(const struct traced *out, bool (*is)(char))
{
	return out->text.len && is(out->text.data[out->text.len - 1]);
}

static bool is_comma(char c)
{
	return c == ',';
}

static size_t skip_blanks(struct scd_str text, size_t from)
{
	while (from < text.len && is_blank(text.data[from]))
		from++;
	return from;
}

/* Replaces one list's name everywhere. Returns whether it was there. */
static bool replace_list(const struct traced *in, const struct scd__list_item *list, struct traced *out)
{
	struct scd_str text = scd_buf_str(&in->text);
	size_t from = 0, hit = find_name(text, list->name, 0);

	if (hit == text.len)
		return false;
	for (; hit < text.len; hit = find_name(text, list->name, from)) {
		copy(out, in, from, hit);
		while (ends_with(out, is_blank))
			drop_last(out);
		from = skip_blanks(text, hit + list->name.len);
		if (list->text.len)
			put(out, list->text, origin_at(in, hit), false);
		else if (ends_with(out, is_comma))
			drop_last(out);
		else if (from < text.len && text.data[from] == ',')
			from++;
	}
	copy(out, in, from, text.len);
	return true;
}

/* What came out, to where it can stay. */
static int keep(struct scd__collection *collection, const struct traced *traced, struct scd__source *source)
{
	struct scd_str text = scd_arena_dup(&collection->arena, scd_buf_str(&traced->text));
	size_t bytes = traced->origins.failed ? 0 : traced->origins.len;
	uint32_t *origins = bytes ? scd_arena_alloc(&collection->arena, bytes) : NULL;

	if (traced->text.len && (!text.data || (bytes && !origins)))
		return -ENOMEM;
	if (origins)
		memcpy(origins, traced->origins.data, bytes);
	source->substituted = text;
	source->origins = origins;
	return 0;
}

int scd__substitute_lists(struct scd__collection *collection, struct scd_str text, struct scd__source *source)
{
	struct traced sides[2];
	unsigned turn = 0;
	bool changed = false;
	int r = 0;

	traced_init(&sides[0]);
	traced_init(&sides[1]);
	put(&sides[0], text, 0, true);
	for (size_t i = 0; i < collection->lists.count && r == 0; i++) {
		struct scd__list_item *list = collection->lists.all[i];

		traced_reset(&sides[1 - turn]);
		if (!replace_list(&sides[turn], list, &sides[1 - turn]))
			continue;
		list->used = changed = true;
		turn = 1 - turn;
		r = sides[turn].text.failed ? -E2BIG : 0;
	}
	source->substituted = text;
	source->origins = NULL;
	if (r == 0 && changed)
		r = keep(collection, &sides[turn], source);
	traced_done(&sides[0]);
	traced_done(&sides[1]);
	return r;
}
