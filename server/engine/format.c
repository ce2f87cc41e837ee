/*
 * Output strings.
 *
 *     text %proc.name more %10fd.name %proc.aname[2]
 *     ----  --------- ----  --------  --------------
 *      |    a field    |    cut or    with an argument
 *      a literal       |    padded to 10 bytes
 *
 * After a `%` stands the longest text that is a field: `%proc.nameand` is proc.name and the literal `and`. So the
 * name is tried at its full length first, with what stands in brackets behind it, and then shorter and shorter. A `%`
 * cannot be escaped.
 *
 * Transformers (`%toupper(proc.name)`) are recognised, and refused.
 */
#include "seccheckd/engine/format.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "engine/program.h"
#include "engine/text.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/lang/ast.h"

#define MISSING "<NA>"

/* A field is looked for in so much text behind its `%`, and read with so much memory: none is longer. */
#define SIDE_BYTES       4096u
#define SIDE_ARENA_BYTES 1048576u

/* A field of the format. Its name is canonical: `proc.env[HOME]`, also when the argument was quoted. */
struct format_field {
	struct scd_str name;
	struct scd_field_use use;
};

/* A literal, and the field behind it. */
struct piece {
	struct scd_str literal;
	const struct format_field *field; /* NULL: none */
	size_t width;                     /* 0: as long as the value is */
};

struct scd_format {
	struct piece *pieces;
	size_t piece_count;
	struct format_field *fields; /* each once, in order of first use */
	size_t field_count;
};

/* Compilation. */

struct compiler {
	struct scd_arena *arena;
	struct scd_error *err;
	struct scd_format *format;
	struct scd_str rest;      /* what is still to be read; it lives as long as the format */
	struct scd_arena scratch; /* for the tree of one field */
};

static void skip(struct compiler *compiler, size_t count)
{
	compiler->rest.data += count;
	compiler->rest.len -= count;
}

/*
 * Reads the field or transformer that stands next, as conditions have it on their left side. NULL when there is none,
 * also when what follows the name of a field is no argument.
 */
static const struct scd_ast *read_side(struct compiler *compiler, size_t *ret_len)
{
	struct scd_str near = compiler->rest;
	struct scd_ast_error ignored;
	const struct scd_ast *side;
	if (near.len > SIDE_BYTES)
		near.len = SIDE_BYTES;
	scd_arena_reset(&compiler->scratch);
	int result = scd_ast_parse_side(near, SCD_LIMIT_RULE_PARSE_DEPTH, &compiler->scratch, &side, ret_len, &ignored);
	return result == 0 ? side : NULL;
}

/* With its argument, which is copied to where the format lives. Its length; -EINVAL, -ENOENT, -ENOMEM. */
static int take_with_argument(struct compiler *compiler, const struct scd_ast *side, size_t len,
                              struct scd_field_use *ret_use)
{
	struct scd_str name = { compiler->rest.data, side->text.len };
	struct scd_str arg = scd_arena_dup(compiler->arena, side->arg);
	if (!arg.data)
		return -ENOMEM;
	int result = scd_field_resolve(name, true, arg, ret_use, NULL);
	return result < 0 ? result : (int)len;
}

/* No name is longer than a constant may be. */
static size_t name_length(struct scd_str text)
{
	size_t len = 0;
	while (len < text.len && len < SCD_LIMIT_CONSTANT_BYTES &&
	       (isalnum((unsigned char)text.data[len]) || strchr("_.", text.data[len])))
		len++;
	return len;
}

/*
 * The longest beginning of what is left that is the name of a field, without an argument. Its length; or what is
 * wrong with the whole name, -ENOENT or -EINVAL.
 */
static int take_longest_name(struct compiler *compiler, struct scd_field_use *ret_use, struct scd_error *err)
{
	struct scd_str none = { NULL, 0 }, name = { compiler->rest.data, name_length(compiler->rest) };
	if (name.len == 0)
		return scd_error_set(err, -EINVAL, "no field stands behind a %%");
	int whole = scd_field_resolve(name, false, none, ret_use, err), result = whole;
	while (result < 0 && --name.len > 0)
		result = scd_field_resolve(name, false, none, ret_use, NULL);
	return result < 0 ? whole : (int)name.len;
}

/* The longest text that is a field. Its length; -EINVAL, -ENOENT or -ENOTSUP with the reason; -ENOMEM. */
static int find_field(struct compiler *compiler, struct scd_field_use *ret_use)
{
	struct scd_error reason;
	size_t len;
	const struct scd_ast *side = read_side(compiler, &len);
	if (side && side->kind == SCD_AST_TRANSFORMER)
		return scd_error_set(compiler->err, -ENOTSUP,
		                     "the transformer '" SCD_STR_FMT "' in an output is not evaluated by this version",
		                     SCD_STR_ARG(side->text));
	int result = side && side->has_arg ? take_with_argument(compiler, side, len, ret_use) : -ENOENT;
	if (result == -EINVAL || result == -ENOENT)
		result = take_longest_name(compiler, ret_use, &reason);
	if (result == -EINVAL || result == -ENOENT)
		return scd_error_set(compiler->err, result, "unknown filter: %s", reason.what);
	if (result > 0 && ret_use->field->flags & SCD_FIELD_FILTER_ONLY)
		return scd_error_set(compiler->err, -EINVAL,
		                     "unknown filter: " SCD_STR_FMT
		                     " is filter only and cannot be used as a display field",
		                     SCD_STR_ARG(ret_use->field->name));
	return result;
}

/* The field's entry in the list of all, made at its first use. NULL on exhaustion. */
static const struct format_field *note_field(struct compiler *compiler, struct scd_str written,
                                             const struct scd_field_use *use)
{
	struct scd_format *format = compiler->format;
	const char *bracket = memchr(written.data, '[', written.len);
	struct scd_str name = { written.data, bracket ? (size_t)(bracket - written.data) : written.len };
	if (bracket)
		name = scd_arena_printf(compiler->arena, SCD_STR_FMT "[" SCD_STR_FMT "]", SCD_STR_ARG(name),
		                        SCD_STR_ARG(use->arg.text));
	if (!name.data)
		return NULL;
	for (size_t i = 0; i < format->field_count; i++)
		if (scd_str_eq(format->fields[i].name, name))
			return &format->fields[i];
	struct format_field *field = &format->fields[format->field_count++];
	*field = (struct format_field){ name, *use };
	if (use->is_any_of && (use->field->flags & SCD_FIELD_SHOWS_SELF)) {
		field->use.arg = (struct scd_field_arg){ true, true, 0, SCD_STR("0") };
		field->use.is_any_of = false;
	}
	return field;
}

/* Reads the digits that say how wide a field is shown. */
static int read_width(struct compiler *compiler, size_t *ret_width)
{
	size_t len = 0, width = 0;
	for (; len < compiler->rest.len && isdigit((unsigned char)compiler->rest.data[len]); len++)
		if (width <= SCD_LIMIT_OUTPUT_BYTES)
			width = 10 * width + (size_t)(compiler->rest.data[len] - '0');
	skip(compiler, len);
	if (compiler->rest.len == 0)
		return scd_error_set(compiler->err, -EINVAL,
		                     "invalid formatting syntax: formatting cannot end with a %s",
		                     len ? "number" : "%");
	if (width > SCD_LIMIT_OUTPUT_BYTES)
		return scd_error_set(compiler->err, -EINVAL, "the width of a field is over %u", SCD_LIMIT_OUTPUT_BYTES);
	*ret_width = width;
	return 0;
}

/* One piece: what stands before the next `%`, and the field behind it. */
static int compile_piece(struct compiler *compiler, struct piece *piece)
{
	const char *percent = memchr(compiler->rest.data, '%', compiler->rest.len);
	size_t literal_len = percent ? (size_t)(percent - compiler->rest.data) : compiler->rest.len;
	*piece = (struct piece){ .literal = { compiler->rest.data, literal_len } };
	skip(compiler, literal_len);
	if (!percent)
		return 0;
	skip(compiler, 1);
	struct scd_field_use use = { 0 };
	int result = read_width(compiler, &piece->width);
	if (result == 0)
		result = find_field(compiler, &use);
	if (result < 0)
		return result;
	piece->field = note_field(compiler, (struct scd_str){ compiler->rest.data, (size_t)result }, &use);
	skip(compiler, (size_t)result);
	return piece->field ? 0 : -ENOMEM;
}

static int compile(struct compiler *compiler)
{
	struct scd_format *format = compiler->format;
	int result = 0;
	scd_arena_init(&compiler->scratch, SIDE_BYTES, SIDE_ARENA_BYTES);
	while (compiler->rest.len > 0 && result == 0)
		result = compile_piece(compiler, &format->pieces[format->piece_count++]);
	scd_arena_done(&compiler->scratch);
	return result;
}

static size_t count_percents(struct scd_str text)
{
	size_t count = 0;
	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == '%';
	return count;
}

int scd_format_new(struct scd_str text, struct scd_arena *arena, const struct scd_format **ret_format,
                   struct scd_error *err)
{
	if (text.len == 0)
		return scd_error_set(err, -EINVAL, "empty formatting token");
	size_t field_room = count_percents(text);
	struct scd_format *format = scd_arena_zalloc(arena, 1, sizeof(*format));
	struct compiler compiler = { .arena = arena, .err = err, .format = format, .rest = scd_arena_dup(arena, text) };
	if (!format || !compiler.rest.data)
		return -ENOMEM;
	format->pieces = scd_arena_zalloc(arena, field_room + 1, sizeof(*format->pieces));
	format->fields = scd_arena_zalloc(arena, field_room, sizeof(*format->fields));
	if (!format->pieces || !format->fields)
		return -ENOMEM;
	if (text.data[0] == '*')
		skip(&compiler, 1);
	int result = compile(&compiler);
	if (result == 0)
		*ret_format = format;
	return result;
}

size_t scd_format_field_count(const struct scd_format *format)
{
	return format->field_count;
}

struct scd_str scd_format_field_name(const struct scd_format *format, size_t index)
{
	return format->fields[index].name;
}

const struct scd_field_use *scd__format_use(const struct scd_format *format, size_t index)
{
	return &format->fields[index].use;
}

/* Values. */

/* All ancestors' texts as one. */
static bool flatten(const struct scd_view *view, struct scd_value *value)
{
	struct scd_str *texts = scd_arena_zalloc(view->scratch, value->list.count, sizeof(*texts));
	if (!texts)
		return false;
	for (size_t i = 0; i < value->list.count; i++)
		texts[i] = value->list.items[i].text;
	struct scd__words words = { .list = texts, .list_count = value->list.count };
	struct scd_str text;
	if (!scd__words_join(view, words, &text))
		return false;
	*value = (struct scd_value){ .type = SCD_TYPE_STRING, .text = text };
	return true;
}

static bool field_value(const struct format_field *field, const struct scd_view *view, struct scd_value *ret_value)
{
	const struct scd_field_use *use = &field->use;
	struct scd_value value;
	if (!scd_field_get(use, view, &value))
		return false;
	if (use->is_any_of && value.is_list && !flatten(view, &value))
		return false;
	*ret_value = value;
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

static void append_value(const struct format_field *field, const struct scd_value *value, struct scd_buf *ret_text)
{
	struct scd_buf text;
	scd_buf_init(&text, ret_text->max_bytes);
	if ((field->use.field->flags & SCD_FIELD_PADDED) && scd_type_is_unsigned(value->type))
		scd_buf_printf(&text, "%09" PRIu64, value->u64);
	else
		scd_format_value(value, &text);
	append(ret_text, scd_buf_str(&text));
	scd_buf_done(&text);
}

static void append_field(const struct format_field *field, const struct scd_view *view, scd_format_filter_fn *filter,
                         void *user, struct scd_buf *ret_text)
{
	struct scd_value value;
	if (!field_value(field, view, &value)) {
		append(ret_text, SCD_STR(MISSING));
		return;
	}
	bool is_text = scd_type_is_text(value.type) || value.type == SCD_TYPE_BYTES;
	if (filter && is_text && !value.is_list)
		value.text = filter(user, field->use.field, value.text, view->scratch);
	if (scd_type_is_text(value.type) && !value.is_list)
		append(ret_text, value.text);
	else
		append_value(field, &value, ret_text);
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

void scd_format_render(const struct scd_format *format, const struct scd_view *view, scd_format_filter_fn *filter,
                       void *user, struct scd_buf *ret_text)
{
	for (size_t i = 0; i < format->piece_count; i++) {
		const struct piece *piece = &format->pieces[i];
		append(ret_text, piece->literal);
		if (!piece->field)
			continue;
		size_t start = ret_text->len;
		append_field(piece->field, view, filter, user, ret_text);
		if (piece->width)
			fit(ret_text, start, piece->width);
	}
}
