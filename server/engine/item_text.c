/*
 * Texts of several places, and reports at a byte of them.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/items.h"
#include "seccheckd/base/array.h"

int scd__text_add(struct scd_arena *arena, struct scd__text *text, struct scd_str part, struct scd__place place,
                  bool is_written)
{
	struct scd__part *parts = scd_array_grow_in(arena, text->parts, text->count, &text->room, sizeof(*parts));

	if (!parts)
		return -ENOMEM;
	text->parts = parts;
	text->parts[text->count++] = (struct scd__part){ part, place, is_written };
	return 0;
}

int scd__text_join(struct scd_arena *arena, const struct scd__text *text, struct scd_str *ret_joined)
{
	size_t len = 0;
	char *joined;

	if (text->count == 1) {
		*ret_joined = text->parts[0].text;
		return 0;
	}
	for (size_t i = 0; i < text->count; i++)
		len += text->parts[i].text.len;
	joined = scd_arena_alloc(arena, len + 1);
	if (!joined)
		return -ENOMEM;
	*ret_joined = (struct scd_str){ joined, len };
	for (size_t i = 0; i < text->count; i++) {
		memcpy(joined, text->parts[i].text.data, text->parts[i].text.len);
		joined += text->parts[i].text.len;
	}
	*joined = '\0';
	return 0;
}

struct scd__place scd__text_place(const struct scd__text *text, size_t offset, size_t *ret_offset)
{
	const struct scd__part *part = text->parts;

	for (size_t i = 0; i + 1 < text->count && offset >= part->text.len; i++) {
		offset -= part->text.len;
		part++;
	}
	*ret_offset = part->is_written ? offset : 0;
	return part->place;
}

static void report(struct scd_diags *diags, enum scd_diag_code code, struct scd__place place, size_t offset,
                   const char *kind, struct scd_str name, const char *hint, const char *what)
{
	unsigned line = 0, column = 0;
	char item[160];

	if (kind)
		snprintf(item, sizeof(item), "%s '" SCD_STR_FMT "'", kind, SCD_STR_ARG(name));
	if (place.node) {
		line = place.node->line;
		column = place.node->column;
		if (offset)
			scd_yaml_place(place.yaml, place.node, offset, &line, &column);
	}
	scd_diags_add(diags, code, place.yaml ? scd_yaml_name(place.yaml) : NULL, line, column, kind ? item : NULL,
	              hint, "%s", what);
	if (place.node)
		scd_diags_quote(diags, scd_yaml_source(place.yaml), place.node->offset, place.node->line);
}

#define WHAT_BYTES 1024

void scd__report(struct scd_diags *diags, enum scd_diag_code code, struct scd__place place, size_t offset,
                 const char *kind, struct scd_str name, const char *hint, const char *format, ...)
{
	char what[WHAT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	report(diags, code, place, offset, kind, name, hint, what);
}

void scd__report_in(struct scd_diags *diags, enum scd_diag_code code, const struct scd__source *source, size_t offset,
                    const char *kind, struct scd_str name, const char *hint, const char *format, ...)
{
	struct scd__place place;
	char what[WHAT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	if (source->origins && offset < source->substituted.len)
		offset = source->origins[offset];
	place = scd__text_place(source->text, offset, &offset);
	report(diags, code, place, offset, kind, name, hint, what);
}
