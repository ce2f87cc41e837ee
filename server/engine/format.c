/*
 * Output strings, shown. How they are compiled: format_compile.c.
 */
#include "seccheckd/engine/format.h"

#include <inttypes.h>
#include <string.h>

#include "engine/format_pieces.h"
#include "engine/program.h"
#include "engine/text.h"

#define MISSING "<NA>"

size_t scd_format_field_count(const struct scd_format *format)
{
	return format->field_count;
}

struct scd_str scd_format_field_name(const struct scd_format *format, size_t index)
{
	return format->fields[index].name;
}

bool scd_format_field_is_transformed(const struct scd_format *format, size_t index)
{
	return format->fields[index].expr->kind != SCD__EXPR_FIELD;
}

bool scd__format_reads_env(const struct scd_format *format)
{
	for (size_t i = 0; i < format->field_count; i++)
		if (scd__expr_reads_env(format->fields[i].expr))
			return true;
	return false;
}

const struct scd_field *scd__format_source(const struct scd_format *format, size_t index)
{
	return format->fields[index].source ? format->fields[index].source->field : NULL;
}

/* Values. */

/* All ancestors' texts as one. */
static bool flatten(const struct scd_view *view, struct scd_value *value)
{
	struct scd_str *texts = scd_arena_zalloc(view->scratch, value->list.count, sizeof(*texts));
	struct scd__words words = { .list = texts, .list_count = value->list.count };

	if (!texts)
		return false;
	for (size_t i = 0; i < value->list.count; i++)
		texts[i] = value->list.items[i].text;
	return scd__words_join(view, words, value);
}

static bool field_value(const struct scd__format_field *field, const struct scd_view *view, struct scd_value *ret_value)
{
	struct scd_value room, flat;
	const struct scd_value *value = scd__expr_value(field->expr, NULL, view, &room);

	if (!value)
		return false;
	flat = *value;
	if (field->expr->is_any_of && flat.is_list && !flatten(view, &flat))
		return false;
	*ret_value = flat;
	return true;
}

bool scd_format_field_value(const struct scd_format *format, size_t index, const struct scd_view *view,
                            struct scd_value *ret_value)
{
	return field_value(&format->fields[index], view, ret_value);
}

/* Rendering. A text that does not fit the buffer any more is cut there. */

static void append(struct scd_buf *buf, struct scd_str text)
{
	size_t room = buf->max_bytes - buf->len;

	if (text.len > room)
		text.len = room;
	scd_buf_append_str(buf, text);
}

static void append_value(const struct scd__format_field *field, const struct scd_value *value, struct scd_buf *ret_text)
{
	const struct scd__expr *expr = field->expr;
	struct scd_buf text;

	scd_buf_init(&text, ret_text->max_bytes);
	if (expr->kind == SCD__EXPR_FIELD && (expr->use.field->flags & SCD_FIELD_PADDED) &&
	    scd_type_is_unsigned(value->type))
		scd_buf_printf(&text, "%09" PRIu64, value->u64);
	else
		scd_format_value(value, &text);
	append(ret_text, scd_buf_str(&text));
	scd_buf_done(&text);
}

/* False: the value is missing. */
static bool append_field(const struct scd__format_field *field, const struct scd_view *view,
                         scd_format_filter_fn *filter, void *user, struct scd_buf *ret_text)
{
	const struct scd_field *source = field->source ? field->source->field : NULL;
	struct scd_value value;
	bool is_text;

	if (!field_value(field, view, &value))
		return false;
	is_text = scd_type_is_text(value.type) || value.type == SCD_TYPE_BYTES;
	if (filter && is_text && !value.is_list)
		value.text = filter(user, source, value.text, view->scratch);
	if (scd_type_is_text(value.type) && !value.is_list)
		append(ret_text, value.text);
	else
		append_value(field, &value, ret_text);
	return true;
}

/* Makes what was appended since `start` exactly `width` bytes. */
static void fit(struct scd_buf *buf, size_t start, size_t width)
{
	if (buf->len - start > width) {
		buf->len = start + width;
		buf->data[buf->len] = '\0';
	}
	while (buf->len - start < width && buf->len < buf->max_bytes && !buf->failed)
		scd_buf_append_char(buf, ' ');
}

static bool render(const struct scd_format *format, bool is_tolerant, const struct scd_view *view,
                   scd_format_filter_fn *filter, void *user, struct scd_buf *ret_text)
{
	for (size_t i = 0; i < format->piece_count; i++) {
		const struct scd__format_piece *piece = &format->pieces[i];
		size_t start;
		bool present;

		append(ret_text, piece->literal);
		if (!piece->field)
			continue;
		start = ret_text->len;
		present = append_field(piece->field, view, filter, user, ret_text);
		if (!present && !is_tolerant)
			return false;
		if (!present)
			append(ret_text, SCD_STR(MISSING));
		if (piece->width)
			fit(ret_text, start, piece->width);
	}
	return true;
}

void scd_format_render(const struct scd_format *format, const struct scd_view *view, scd_format_filter_fn *filter,
                       void *user, struct scd_buf *ret_text)
{
	render(format, true, view, filter, user, ret_text);
}

bool scd_format_render_present(const struct scd_format *format, const struct scd_view *view,
                               scd_format_filter_fn *filter, void *user, struct scd_buf *ret_text)
{
	return render(format, format->is_tolerant, view, filter, user, ret_text);
}
