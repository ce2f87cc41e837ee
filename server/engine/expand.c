/*
 * A rule's exceptions as text behind its condition (SPEC 1.9):
 *
 *    (COND) and not ((f1 c1 v1 and f2 c2 v2) or (f1 c1 w1 and f2 c2 w2))     fields is a sequence
 *    (COND) and not (f in (v, w))                                            fields is one field
 *
 * A value that stands for several is put in parentheses where its operator takes a list. A text with a blank is put
 * in quotes, and nothing in it is escaped; another one is not, so a value that reads as a field or a transformer is
 * one. That is Falco's, and rules rely on it.
 */
#include <errno.h>
#include <string.h>

#include "engine/exceptions.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"

static void put_quoted(struct scd_buf *out, struct scd_str text)
{
	bool quote = text.len && memchr(text.data, ' ', text.len) && text.data[0] != '"' && text.data[0] != '\'';

	if (quote)
		scd_buf_append_char(out, '"');
	scd_buf_append_str(out, text);
	if (quote)
		scd_buf_append_char(out, '"');
}

static void put_list(struct scd_buf *out, const struct scd__entry *entries, size_t count)
{
	scd_buf_append_char(out, '(');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			scd_buf_append_str(out, SCD_STR(", "));
		put_quoted(out, entries[i].text);
	}
	scd_buf_append_char(out, ')');
}

static void put_value(struct scd_buf *out, struct scd_str operator, const struct scd__entry * value)
{
	bool wrap = scd__is_list_operator(operator) && !(value->text.len && value->text.data[0] == '(');

	if (value->is_sequence)
		put_list(out, value->entries, value->count);
	else if (wrap)
		put_list(out, value, 1);
	else if (scd__is_list_operator(operator))
		scd_buf_append_str(out, value->text);
	else
		put_quoted(out, value->text);
}

/* One row of values: `(f1 c1 v1 and f2 c2 v2)`. False when it has not as many as there are fields. */
static bool put_row(struct scd_buf *out, const struct scd__exception *exception, const struct scd__entry *row)
{
	if (!row->is_sequence || row->count != exception->fields.count)
		return false;
	scd_buf_append_char(out, '(');
	for (size_t i = 0; i < row->count; i++) {
		struct scd_str operator= exception->comps.entries[i].text;

		if (i > 0)
			scd_buf_append_str(out, SCD_STR(" and "));
		scd_buf_printf(out, SCD_STR_FMT " " SCD_STR_FMT " ", SCD_STR_ARG(exception->fields.entries[i].text),
		               SCD_STR_ARG(operator));
		put_value(out, operator, & row->entries[i]);
	}
	scd_buf_append_char(out, ')');
	return true;
}

/* What is wrong with a value, or NULL; ret_place: with which. */
static const char *put_exception(struct scd_buf *out, const struct scd__exception *exception,
                                 struct scd__place *ret_place)
{
	scd_buf_append_str(out, SCD_STR(" and not ("));
	if (!exception->fields.is_sequence)
		scd_buf_printf(out, SCD_STR_FMT " " SCD_STR_FMT " (", SCD_STR_ARG(exception->fields.text),
		               SCD_STR_ARG(exception->comps.text));
	for (size_t i = 0; i < exception->value_count; i++) {
		const struct scd__entry *value = &exception->values[i];

		*ret_place = value->place;
		if (i > 0)
			scd_buf_append_str(out, exception->fields.is_sequence ? SCD_STR(" or ") : SCD_STR(", "));
		if (exception->fields.is_sequence && !put_row(out, exception, value))
			return "Fields and values lists must have equal length";
		if (!exception->fields.is_sequence && value->is_sequence)
			return "Expected values array to contain a list of strings";
		if (!exception->fields.is_sequence)
			put_quoted(out, value->text);
	}
	scd_buf_append_str(out, exception->fields.is_sequence ? SCD_STR(")") : SCD_STR("))"));
	return NULL;
}

static int add_exception(struct scd__collection *collection, struct scd__rule_item *rule,
                         const struct scd__exception *exception)
{
	struct scd__place place = exception->place;
	struct scd_buf out;
	const char *wrong;
	struct scd_str text;
	int r = 0;

	scd_buf_init(&out, SCD_LIMIT_CONDITION_BYTES);
	wrong = put_exception(&out, exception, &place);
	if (!wrong && out.failed)
		r = -ENOMEM;
	if (wrong) {
		scd__report(collection->diags, SCD_DIAG_ERR_VALIDATE, place, 0, "rule", rule->pub.name, NULL,
		            "exception '" SCD_STR_FMT "': %s", SCD_STR_ARG(exception->name), wrong);
		r = -EINVAL;
	}
	text = r == 0 ? scd_arena_dup(&collection->arena, scd_buf_str(&out)) : SCD_STR("");
	scd_buf_done(&out);
	if (r == 0)
		r = text.data ? scd__text_add(&collection->arena, &rule->full_condition, text, exception->place, false)
		              : -ENOMEM;
	return r;
}

/* The rule's own condition, in parentheses. */
static int add_condition(struct scd__collection *collection, struct scd__rule_item *rule)
{
	const struct scd__part *parts = rule->condition.parts;
	struct scd_arena *arena = &collection->arena;
	int r = scd__text_add(arena, &rule->full_condition, SCD_STR("("), parts[0].place, false);

	for (size_t i = 0; i < rule->condition.count && r == 0; i++)
		r = scd__text_add(arena, &rule->full_condition, parts[i].text, parts[i].place, parts[i].is_written);
	return r < 0 ? r : scd__text_add(arena, &rule->full_condition, SCD_STR(")"), parts[0].place, false);
}

int scd__expand_exceptions(struct scd__collection *collection, struct scd__rule_item *rule)
{
	bool any = false;
	int r = 0;

	for (size_t i = 0; i < rule->exceptions.count; i++)
		any |= rule->exceptions.items[i].value_count > 0;
	rule->full_condition = any ? (struct scd__text){ 0 } : rule->condition;
	if (any)
		r = add_condition(collection, rule);
	for (size_t i = 0; i < rule->exceptions.count && r != -ENOMEM; i++) {
		int one = rule->exceptions.items[i].value_count == 0
		                  ? 0
		                  : add_exception(collection, rule, &rule->exceptions.items[i]);

		r = one < 0 ? one : r;
	}
	return r;
}
