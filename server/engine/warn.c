/*
 * Warnings of conditions (SPEC 1.2): constants that look as if they were meant as fields, transformers or patterns,
 * comparisons with <NA>, and fields that are going away.
 */
#include "engine/warn.h"

#include <stdio.h>
#include <string.h>

#include "engine/transform.h"
#include "seccheckd/base/array.h"
#include "seccheckd/engine/field.h"

struct walk {
	scd__warn_fn *warn;
	void *user;
};

__attribute__((format(printf, 4, 5))) static void tell(const struct walk *walk, enum scd_diag_code code,
                                                       const struct scd_ast *node, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	walk->warn(walk->user, code, node->pos.offset, text);
}

/* Constants. */

#define LONGEST_NAME 256u

static bool is_among(const char *set, char c)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* The text without any blank; false: it is too long to be a field. */
static bool remove_blanks(struct scd_str text, char room[LONGEST_NAME], struct scd_str *ret_text)
{
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (is_among(" \t\b\r\n", text.data[i]))
			continue;
		if (len == LONGEST_NAME)
			return false;
		room[len++] = text.data[i];
	}
	*ret_text = (struct scd_str){ room, len };
	return true;
}

/* `name` or `name[arg]`. */
static bool is_field(struct scd_str text)
{
	struct scd_field_use use;
	const char *bracket = text.len > 0 ? memchr(text.data, '[', text.len) : NULL;
	struct scd_str name = { text.data, bracket ? (size_t)(bracket - text.data) : text.len }, arg = { NULL, 0 };
	if (bracket && text.data[text.len - 1] != ']')
		return false;
	if (bracket)
		arg = (struct scd_str){ bracket + 1, text.len - name.len - 2 };
	return scd_field_find(name) != NULL || scd_field_resolve(name, bracket != NULL, arg, &use, NULL) == 0;
}

static bool is_call(struct scd_str text)
{
	const char *open = text.len > 0 ? memchr(text.data, '(', text.len) : NULL;
	struct scd_str name = { text.data, open ? (size_t)(open - text.data) : 0 };
	if (!open || text.data[text.len - 1] != ')')
		return false;
	return scd__transformer_find(name) != NULL || scd_str_is(name, "val");
}

static void warn_of_constant(const struct walk *walk, const struct scd_ast *check, struct scd_str text)
{
	char room[LONGEST_NAME];
	struct scd_str bare;
	if (!remove_blanks(text, room, &bare))
		return;
	if (is_field(bare))
		tell(walk, SCD_DIAG_COMPILE_CONDITION, check,
		     "'" SCD_STR_FMT "' may be a valid field misused as a const string value", SCD_STR_ARG(text));
	else if (is_call(bare))
		tell(walk, SCD_DIAG_COMPILE_CONDITION, check,
		     "'" SCD_STR_FMT "' may be a valid field transformer misused as a const string value",
		     SCD_STR_ARG(text));
}

/* A pattern without ^ and $ at its ends, and one `.` with `+`, `*` or `?` at either end. */
static struct scd_str strip_ends(struct scd_str pattern)
{
	if (pattern.len > 0 && pattern.data[0] == '^')
		pattern = (struct scd_str){ pattern.data + 1, pattern.len - 1 };
	if (pattern.len > 0 && pattern.data[pattern.len - 1] == '$')
		pattern.len--;
	if (pattern.len > 1 && pattern.data[0] == '.' && is_among("+*?", pattern.data[1]))
		pattern = (struct scd_str){ pattern.data + 2, pattern.len - 2 };
	if (pattern.len > 1 && pattern.data[pattern.len - 2] == '.' && is_among("+*?", pattern.data[pattern.len - 1]))
		pattern.len -= 2;
	return pattern;
}

static void warn_of_pattern(const struct walk *walk, const struct scd_ast *check, struct scd_str pattern)
{
	static const char special[] = ".^$*+?()[]{}\\|";
	struct scd_str middle = strip_ends(pattern);
	for (size_t i = 0; i < middle.len; i++)
		if (is_among(special, middle.data[i]))
			return;
	tell(walk, SCD_DIAG_COMPILE_CONDITION, check,
	     "regular expression '" SCD_STR_FMT
	     "' has no special characters: =, contains, startswith or endswith do the same at less cost",
	     SCD_STR_ARG(pattern));
}

/* Fields. */

static bool is_deprecated(struct scd_str name)
{
	static const char *const names[] = {
		"evt.dir", "evt.latency", "evt.latency.s", "evt.latency.ns", "evt.latency.human", "evt.wait_latency",
	};
	for (size_t i = 0; i < SCD_COUNT(names); i++)
		if (scd_str_is(name, names[i]))
			return true;
	return false;
}

static void warn_of_fields(const struct walk *walk, const struct scd_ast *node)
{
	if (node->kind == SCD_AST_FIELD && is_deprecated(node->text))
		tell(walk, SCD_DIAG_DEPRECATED_ITEM, node, "field '" SCD_STR_FMT "' is deprecated",
		     SCD_STR_ARG(node->text));
	for (size_t i = 0; i < node->child_count; i++)
		warn_of_fields(walk, node->children[i]);
}

/* The field of a Kubernetes audit log in a side, for which a missing value and <NA> are the same; NULL: none. */
static const struct scd_ast *find_unsafe(const struct scd_ast *node)
{
	const struct scd_ast *found = NULL;
	if (node->kind == SCD_AST_FIELD &&
	    (scd_str_starts_with(node->text, SCD_STR("ka.")) || scd_str_starts_with(node->text, SCD_STR("jevt."))))
		return node;
	for (size_t i = 0; i < node->child_count && !found; i++)
		found = find_unsafe(node->children[i]);
	return found;
}

static bool is_equality(struct scd_str op)
{
	static const char *const ops[] = { "=", "==", "!=", "in", "intersects", "pmatch" };
	for (size_t i = 0; i < SCD_COUNT(ops); i++)
		if (scd_str_is(op, ops[i]))
			return true;
	return false;
}

static void warn_of_missing(const struct walk *walk, const struct scd_ast *check, struct scd_str constant)
{
	const struct scd_ast *field = find_unsafe(check->children[0]);
	if (field && is_equality(check->op) && scd_str_is(constant, "<NA>"))
		tell(walk, SCD_DIAG_UNSAFE_NA_CHECK, check,
		     "comparing a field value with <NA> is unsafe and can lead to unpredictable behavior of the rule "
		     "condition. If you need to check for the existence of a field, use '" SCD_STR_FMT " exists'",
		     SCD_STR_ARG(field->text));
}

/* Trees. */

static void walk_constant(const struct walk *walk, const struct scd_ast *check, struct scd_str constant)
{
	warn_of_constant(walk, check, constant);
	warn_of_missing(walk, check, constant);
	if (scd_str_starts_with(check->op, SCD_STR("regex")))
		warn_of_pattern(walk, check, constant);
}

static void walk_check(const struct walk *walk, const struct scd_ast *check)
{
	const struct scd_ast *right = check->child_count > 1 ? check->children[1] : NULL;
	warn_of_fields(walk, check);
	if (right && right->kind == SCD_AST_VALUE)
		walk_constant(walk, check, right->text);
	for (size_t i = 0; right && i < right->value_count; i++)
		walk_constant(walk, check, right->values[i]);
}

static void walk_tree(const struct walk *walk, const struct scd_ast *node)
{
	if (node->kind == SCD_AST_UNARY || node->kind == SCD_AST_BINARY) {
		walk_check(walk, node);
		return;
	}
	for (size_t i = 0; i < node->child_count; i++)
		walk_tree(walk, node->children[i]);
}

void scd__warn_condition(const struct scd_ast *ast, scd__warn_fn *warn, void *user)
{
	const struct walk walk = { warn, user };
	walk_tree(&walk, ast);
}
