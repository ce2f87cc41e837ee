/*
 * Output strings, compiled.
 *
 *     text %proc.name more %10fd.name %proc.aname[2] %toupper(proc.name)
 *     ----  --------- ----  --------  --------------  -----------------
 *      |    a field    |    cut or    with an argument   a transformer
 *      a literal       |    padded to 10 bytes
 *
 * After a `%` stands the longest text that is a field or a transformer: `%proc.nameand` is proc.name and the literal
 * `and`. So the name is tried at its full length first, with what stands in brackets behind it, and then shorter and
 * shorter. A `%` cannot be escaped.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "engine/format_pieces.h"
#include "engine/program.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/strmap.h"

/* What follows a `%` is looked for in so much text, and read with so much memory: none is longer. */
#define SIDE_BYTES       4096u
#define SIDE_ARENA_BYTES 1048576u

struct compiler {
	struct scd_arena *arena;
	const struct scd_field_table *table;
	struct scd_error *err;
	struct scd_format *format;
	struct scd_strmap by_name; /* of the fields: 1 + index */
	size_t field_room;
	const char *start;        /* of the whole text */
	struct scd_str rest;      /* what is still to be read; it lives as long as the format */
	struct scd_arena scratch; /* for the tree of one field */
	struct scd__exprs exprs;
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
	if (scd_ast_parse_side(near, SCD_LIMIT_RULE_PARSE_DEPTH, &compiler->scratch, &side, ret_len, &ignored) < 0)
		return NULL;
	return side;
}

static int resolve(const struct compiler *compiler, struct scd_str name, struct scd_field_use *ret_use,
                   struct scd_error *err)
{
	const struct scd_field_table *table = compiler->table;

	if (table)
		return table->resolve(table->user, name, false, SCD_STR(""), ret_use, err);
	return scd_field_resolve(name, false, SCD_STR(""), ret_use, err);
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
static int find_longest_name(struct compiler *compiler, struct scd_error *err)
{
	struct scd_str name = { compiler->rest.data, name_length(compiler->rest) };
	struct scd_field_use ignored;
	int whole, r;

	if (name.len == 0)
		return scd_error_set(err, -EINVAL, "no field stands behind a %%");
	whole = r = resolve(compiler, name, &ignored, err);
	while (r < 0 && --name.len > 0)
		r = resolve(compiler, name, &ignored, NULL);
	return r < 0 ? whole : (int)name.len;
}

/* A tree to an expression that lives as long as the format. -ENOENT, -EINVAL with the reason, -ENOMEM. */
static int make_expr(struct compiler *compiler, const struct scd_ast *side, const struct scd__expr **ret_expr,
                     struct scd_error *err)
{
	struct scd__compile_error error = { 0 };
	int r = scd__expr_new(&compiler->exprs, side, ret_expr, &error);

	if (r != -EINVAL)
		return r;
	return scd_error_set(err, error.is_unknown_name ? -ENOENT : -EINVAL, "%s", error.what);
}

static const struct scd_field *filter_only_in(const struct scd__expr *expr)
{
	if (expr->kind == SCD__EXPR_FIELD)
		return expr->use.field->flags & SCD_FIELD_FILTER_ONLY ? expr->use.field : NULL;
	for (size_t i = 0; i < expr->arg_count; i++) {
		const struct scd_field *field = filter_only_in(expr->args[i]);

		if (field)
			return field;
	}
	return NULL;
}

/* The longest text that is a field or a transformer, as a tree. Its length; an error with the reason. */
static int find_side(struct compiler *compiler, const struct scd_ast **ret_side, const struct scd__expr **ret_expr)
{
	struct scd_error reason = { 0 };
	size_t len = 0;
	const struct scd_ast *side = read_side(compiler, &len);
	struct scd_ast *name;
	int r = -ENOENT;

	if (side && (side->has_arg || side->kind == SCD_AST_TRANSFORMER))
		r = make_expr(compiler, side, ret_expr, &reason);
	if (r < 0 && r != -ENOMEM && !(side && side->kind == SCD_AST_TRANSFORMER)) {
		r = find_longest_name(compiler, &reason);
		len = r < 0 ? 0 : (size_t)r;
		name = scd_arena_zalloc(&compiler->scratch, 1, sizeof(*name));
		side = name;
		if (!name)
			return -ENOMEM;
		*name = (struct scd_ast){ .kind = SCD_AST_FIELD, .text = { compiler->rest.data, len } };
		if (r > 0)
			r = make_expr(compiler, side, ret_expr, &reason);
	}
	if (r == -EINVAL || r == -ENOENT)
		return scd_error_set(compiler->err, r, "unknown filter: %s", reason.what);
	*ret_side = side;
	return r < 0 ? r : (int)len;
}

static const struct scd_field_use *first_field(const struct scd__expr *expr)
{
	if (expr->kind == SCD__EXPR_FIELD)
		return &expr->use;
	for (size_t i = 0; i < expr->arg_count; i++) {
		const struct scd_field_use *use = first_field(expr->args[i]);

		if (use)
			return use;
	}
	return NULL;
}

/* Some fields that mean all ancestors in a condition mean the process itself in an output. */
static const struct scd__expr *shown(struct compiler *compiler, const struct scd__expr *expr)
{
	struct scd__expr *self;

	if (expr->kind != SCD__EXPR_FIELD || !expr->use.is_any_of || !(expr->use.field->flags & SCD_FIELD_SHOWS_SELF))
		return expr;
	self = scd_arena_alloc(compiler->arena, sizeof(*self));
	if (!self)
		return NULL;
	*self = *expr;
	self->use.arg = (struct scd_field_arg){ true, true, 0, SCD_STR("0") };
	self->use.is_any_of = self->is_any_of = false;
	return self;
}

/* Adds an entry, whose name is not in the list yet. False on exhaustion. */
static bool add_side(struct compiler *compiler, struct scd_str name, const struct scd__expr *expr)
{
	struct scd_format *format = compiler->format;
	struct scd__format_field *fields = scd_array_grow_in(compiler->arena, format->fields, format->field_count,
	                                                     &compiler->field_room, sizeof(*fields));
	uintptr_t number = format->field_count + 1;

	name = scd_arena_dup(compiler->arena, name);
	expr = shown(compiler, expr);
	if (!fields || !name.data || !expr || scd_strmap_put(&compiler->by_name, name, (void *)number) < 0)
		return false;
	format->fields = fields;
	fields[format->field_count++] = (struct scd__format_field){ name, expr, first_field(expr) };
	return true;
}

/* The entry of a side in the list of all, made at its first use. NULL on exhaustion. */
static const struct scd__format_field *note_side(struct compiler *compiler, const struct scd_ast *side,
                                                 const struct scd__expr *expr)
{
	struct scd_str name;
	uintptr_t number;

	if (scd_ast_print(side, &compiler->scratch, &name) < 0)
		return NULL;
	number = (uintptr_t)scd_strmap_get(&compiler->by_name, name);
	if (number)
		return &compiler->format->fields[number - 1];
	return add_side(compiler, name, expr) ? &compiler->format->fields[compiler->format->field_count - 1] : NULL;
}

/*
 * What a transformer is made from, which alerts show beside what it makes: through a chain of those that take one
 * value, the field at its end; the arguments of one that takes several.
 */
static int note_sources(struct compiler *compiler, const struct scd_ast *side, const struct scd__expr *expr,
                        bool is_top)
{
	int r = 0;

	if (side->kind == SCD_AST_VALUE)
		return 0;
	if (side->kind == SCD_AST_FIELD)
		return note_side(compiler, side, expr) ? 0 : -ENOMEM;
	if (side->kind == SCD_AST_TRANSFORMER && side->child_count == 1)
		r = note_sources(compiler, side->children[0], expr->args[0], true);
	for (size_t i = 0; side->child_count != 1 || side->kind != SCD_AST_TRANSFORMER; i++) {
		if (i == side->child_count || i == expr->arg_count || r < 0)
			break;
		r = note_sources(compiler, side->children[i], expr->args[i], false);
	}
	if (r == 0 && !is_top && side->kind == SCD_AST_TRANSFORMER)
		r = note_side(compiler, side, expr) ? 0 : -ENOMEM;
	return r;
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

/* The field behind a `%`, whose index in the list is put into *ret_index. */
static int compile_field(struct compiler *compiler, size_t *ret_index)
{
	const struct scd__format_field *field;
	const struct scd_field *unshown;
	const struct scd__expr *expr = NULL;
	const struct scd_ast *side = NULL;
	int len, r;

	scd_arena_reset(&compiler->scratch);
	len = find_side(compiler, &side, &expr);
	if (len < 0)
		return len;
	unshown = filter_only_in(expr);
	if (unshown)
		return scd_error_set(compiler->err, -EINVAL,
		                     "unknown filter: " SCD_STR_FMT
		                     " is filter only and cannot be used as a display field",
		                     SCD_STR_ARG(unshown->name));
	r = note_sources(compiler, side, expr, true);
	field = r == 0 ? note_side(compiler, side, expr) : NULL;
	if (!field)
		return -ENOMEM;
	*ret_index = (size_t)(field - compiler->format->fields);
	skip(compiler, (size_t)len);
	return 0;
}

/* One piece: what stands before the next `%`, and the field behind it. */
static int compile_piece(struct compiler *compiler, struct scd__format_piece *piece, size_t *ret_index)
{
	const char *percent = memchr(compiler->rest.data, '%', compiler->rest.len);
	size_t literal_len = percent ? (size_t)(percent - compiler->rest.data) : compiler->rest.len;
	int r;

	*piece = (struct scd__format_piece){ .literal = { compiler->rest.data, literal_len } };
	*ret_index = SIZE_MAX;
	skip(compiler, literal_len);
	if (!percent)
		return 0;
	skip(compiler, 1);
	r = read_width(compiler, &piece->width);
	return r < 0 ? r : compile_field(compiler, ret_index);
}

/* All pieces. They name fields by index first, as the list of fields still moves. */
static int compile_pieces(struct compiler *compiler, size_t *indices)
{
	struct scd_format *format = compiler->format;
	int r = 0;

	while (compiler->rest.len > 0 && r == 0) {
		r = compile_piece(compiler, &format->pieces[format->piece_count], &indices[format->piece_count]);
		format->piece_count++;
	}
	if (r < 0 && compiler->err)
		compiler->err->column = (unsigned)(compiler->rest.data - compiler->start) + 1;
	for (size_t i = 0; r == 0 && i < format->piece_count; i++)
		format->pieces[i].field = indices[i] == SIZE_MAX ? NULL : &format->fields[indices[i]];
	return r;
}

static int compile(struct compiler *compiler, size_t piece_room)
{
	struct scd_arena indices_arena;
	size_t *indices;
	int r = -ENOMEM;

	scd_arena_init(&compiler->scratch, SIDE_BYTES, SIDE_ARENA_BYTES);
	scd_arena_init(&indices_arena, SIDE_BYTES, 0);
	scd__exprs_init(&compiler->exprs, compiler->arena, compiler->table);
	scd_strmap_init(&compiler->by_name);
	compiler->format->pieces = scd_arena_zalloc(compiler->arena, piece_room, sizeof(*compiler->format->pieces));
	indices = scd_arena_zalloc(&indices_arena, piece_room, sizeof(*indices));
	if (indices && compiler->format->pieces)
		r = compile_pieces(compiler, indices);
	scd_strmap_done(&compiler->by_name);
	scd__exprs_done(&compiler->exprs);
	scd_arena_done(&indices_arena);
	scd_arena_done(&compiler->scratch);
	return r;
}

static size_t count_percents(struct scd_str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += text.data[i] == '%';
	return count;
}

int scd_format_new_over(struct scd_str text, const struct scd_field_table *table, struct scd_arena *arena,
                        const struct scd_format **ret_format, struct scd_error *err)
{
	struct scd_format *format = scd_arena_zalloc(arena, 1, sizeof(*format));
	struct compiler compiler = { .arena = arena, .table = table, .err = err, .format = format };
	int r;

	if (text.len == 0)
		return scd_error_set(err, -EINVAL, "empty formatting token");
	compiler.rest = scd_arena_dup(arena, text);
	if (!format || !compiler.rest.data)
		return -ENOMEM;
	compiler.start = compiler.rest.data;
	format->is_tolerant = text.data[0] == '*';
	if (format->is_tolerant)
		skip(&compiler, 1);
	r = compile(&compiler, count_percents(text) + 1);
	if (r == 0)
		*ret_format = format;
	return r;
}

int scd_format_new(struct scd_str text, struct scd_arena *arena, const struct scd_format **ret_format,
                   struct scd_error *err)
{
	return scd_format_new_over(text, NULL, arena, ret_format, err);
}
