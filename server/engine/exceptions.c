/*
 * `exceptions` of rules (SPEC 1.9): what a rule leaves alone, as tables of values rather than as a longer condition.
 *
 *    fields: [proc.name, fd.name]          fields: proc.name
 *    comps: [=, startswith]                comps: in
 *    values:                               values: [apt, dpkg]
 *      - [apt, /var/lib]
 *      - [dpkg, [/etc, /usr]]
 *
 * Each becomes text behind the rule's condition, before lists are put in and anything is parsed. Here is what is read
 * and checked; how it becomes text is expand.c.
 */
#include <errno.h>
#include <string.h>

#include "engine/exceptions.h"
#include "engine/reader.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/field.h"

#define DEPTH_MAX 3 /* values, of values, of values */

/* A node into an entry, whatever is in it. */
static void read_entry(struct scd__reader *reader, const struct scd_yaml_node *node, unsigned depth,
                       struct scd__entry *ret_entry)
{
	struct scd__entry entry = { .place = scd__reader_at(reader, node) };

	if (node->kind == SCD_YAML_MAP || (depth == 0 && node->kind == SCD_YAML_SEQUENCE)) {
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL, "Value is not a scalar value");
		return;
	}
	if (node->kind == SCD_YAML_SCALAR) {
		entry.text = node->text;
		*ret_entry = entry;
		return;
	}
	entry.is_sequence = true;
	entry.entries = scd_arena_zalloc(&reader->collection->arena, node->count + 1, sizeof(*entry.entries));
	reader->exhausted |= !entry.entries;
	for (size_t i = 0; entry.entries && i < node->count; i++)
		read_entry(reader, node->items[i], depth - 1, &entry.entries[entry.count++]);
	*ret_entry = entry;
}

/* `fields` or `comps`: a text, or a sequence of texts. */
static void read_key(struct scd__reader *reader, const char *key, struct scd__entry *ret_entry)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, key);

	if (node && !scd_yaml_is_null(node))
		read_entry(reader, node, 1, ret_entry);
}

static void read_values(struct scd__reader *reader, bool is_append, struct scd__exception *exception)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, "values");

	if (!node && is_append)
		SCD__WARN(reader, SCD_DIAG_APPEND_NO_VALUES, NULL, NULL,
		          "Overriding/appending exception with no values");
	if (!node || scd_yaml_is_null(node))
		return;
	if (node->kind != SCD_YAML_SEQUENCE) {
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL, "Rule exception values must be a sequence");
		return;
	}
	exception->values = scd_arena_zalloc(&reader->collection->arena, node->count + 1, sizeof(*exception->values));
	reader->exhausted |= !exception->values;
	exception->value_room = node->count;
	for (size_t i = 0; exception->values && i < node->count; i++)
		read_entry(reader, node->items[i], DEPTH_MAX - 1, &exception->values[exception->value_count++]);
}

static struct scd__exception *find(const struct scd__exceptions *exceptions, struct scd_str name)
{
	for (size_t i = 0; i < exceptions->count; i++)
		if (scd_str_eq(exceptions->items[i].name, name))
			return &exceptions->items[i];
	return NULL;
}

static bool add(struct scd__reader *reader, struct scd__exceptions *exceptions, const struct scd__exception *exception)
{
	struct scd__exception *items;

	if (exceptions->count == SCD_LIMIT_RULE_EXCEPTIONS) {
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, exception->place.node, NULL,
		          "a rule has more than %u exceptions", SCD_LIMIT_RULE_EXCEPTIONS);
		return false;
	}
	items = scd_array_grow_in(&reader->collection->arena, exceptions->items, exceptions->count, &exceptions->room,
	                          sizeof(*items));
	reader->exhausted |= !items;
	if (!items)
		return false;
	exceptions->items = items;
	exceptions->items[exceptions->count++] = *exception;
	return true;
}

static void read_one(struct scd__reader *reader, bool is_append, struct scd__exceptions *exceptions)
{
	static const char *const known[] = { "name", "fields", "comps", "values", NULL };
	const struct scd_yaml_node *name = scd__reader_text(reader, "name");
	struct scd__exception exception = { .place = scd__reader_at(reader, NULL) };

	if (!name)
		return;
	exception.name = name->text;
	scd__reader_warn_unknown(reader, known);
	if (find(exceptions, exception.name))
		SCD__WARN(reader, SCD_DIAG_EXCEPTION_NAME_NOT_UNIQUE, name, NULL,
		          "Multiple definitions of exception '" SCD_STR_FMT "' in the same rule",
		          SCD_STR_ARG(exception.name));
	read_key(reader, "fields", &exception.fields);
	read_key(reader, "comps", &exception.comps);
	read_values(reader, is_append, &exception);
	if (!is_append && !exception.fields.place.node && !reader->failed)
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL,
		          "to add values to an exception of an earlier rule, write `override: {exceptions: append}`",
		          "Item has no mapping for key 'fields'");
	if (!reader->failed)
		add(reader, exceptions, &exception);
}

void scd__read_exceptions(struct scd__reader *reader, bool is_append, struct scd__exceptions *ret_exceptions)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, "exceptions");
	struct scd__reader inner = *reader;

	if (!node || scd_yaml_is_null(node))
		return;
	if (node->kind != SCD_YAML_SEQUENCE) {
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL, "Rule exceptions must be a sequence");
		return;
	}
	for (size_t i = 0; i < node->count && !inner.failed; i++) {
		inner.map = node->items[i];
		if (inner.map->kind != SCD_YAML_MAP)
			SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, inner.map, NULL,
			          "Rule exception must be a mapping");
		else
			read_one(&inner, is_append, ret_exceptions);
	}
	reader->failed |= inner.failed;
	reader->exhausted |= inner.exhausted;
}

/* Checks. */

static bool is_one_of(struct scd_str text, const char *const *words)
{
	for (; *words; words++)
		if (scd_str_is(text, *words))
			return true;
	return false;
}

bool scd__is_list_operator(struct scd_str operator)
{
	static const char *const modifiers[] = { "oneof", "anyof", "allof", NULL };
	static const char *const list_operators[] = { "in", "pmatch", "intersects", NULL };
	const char *blank = memchr(operator.data, ' ', operator.len);
	struct scd_str tail;

	if (!blank)
		return is_one_of(operator, list_operators);
	tail = (struct scd_str){ blank + 1, operator.len -(size_t)(blank + 1 - operator.data) };
	return is_one_of(scd_str_trim(tail), modifiers);
}

/* An operator of SPEC 2.3, or one that takes a modifier, and a modifier behind it (2.4). */
static bool is_operator(struct scd_str operator)
{
	static const char *const modifiable[] = { "=",         "==",         "!=",          "contains", "icontains",
		                                  "bcontains", "startswith", "bstartswith", "endswith", "glob",
		                                  "iglob",     "regex",      NULL };
	static const char *const others[] = { "<", "<=", ">", ">=", "in", "intersects", "pmatch", "exists", NULL };
	const char *blank = memchr(operator.data, ' ', operator.len);
	struct scd_str head = { operator.data, blank ? (size_t)(blank - operator.data) : operator.len };

	if (blank)
		return is_one_of(head, modifiable) && scd__is_list_operator(operator);
	return is_one_of(operator, modifiable) || is_one_of(operator, others);
}

/* A field that exists, or transformers of such. */
static bool is_known_side(const struct scd_ast *side)
{
	struct scd_field_use use;

	if (side->kind == SCD_AST_FIELD)
		return scd_field_resolve(side->text, side->has_arg, side->arg, &use, NULL) == 0;
	for (size_t i = 0; i < side->child_count; i++)
		if (!is_known_side(side->children[i]))
			return false;
	return true;
}

static bool is_valid_side(struct scd__reader *reader, struct scd_str text)
{
	struct scd_ast_error error;
	const struct scd_ast *side;
	size_t len;

	if (scd_ast_parse_side(text, SCD_LIMIT_RULE_PARSE_DEPTH, &reader->collection->arena, &side, &len, &error) < 0)
		return false;
	return len == text.len && is_known_side(side);
}

static void check_field(struct scd__reader *reader, const struct scd__entry *field)
{
	if (!is_valid_side(reader, field->text))
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, field->place.node, NULL,
		          "'" SCD_STR_FMT "' is not a supported filter field", SCD_STR_ARG(field->text));
}

/* Operators: as many as fields, which are `=` where none are given. */
static void check_comps(struct scd__reader *reader, struct scd__exception *exception)
{
	struct scd__entry *comps = &exception->comps;

	if (!comps->place.node) {
		comps->is_sequence = true;
		comps->entries = scd_arena_zalloc(&reader->collection->arena, exception->fields.count + 1,
		                                  sizeof(*comps->entries));
		reader->exhausted |= !comps->entries;
		for (size_t i = 0; comps->entries && i < exception->fields.count; i++)
			comps->entries[comps->count++].text = SCD_STR("=");
		return;
	}
	if (!comps->is_sequence || comps->count != exception->fields.count) {
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, comps->place.node, NULL,
		          "Fields and comps lists must have equal length");
		return;
	}
	for (size_t i = 0; i < comps->count; i++) {
		comps->entries[i].text = scd_str_trim(comps->entries[i].text);
		if (!is_operator(comps->entries[i].text))
			SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, comps->entries[i].place.node, NULL,
			          "'" SCD_STR_FMT "' is not a supported comparison operator",
			          SCD_STR_ARG(comps->entries[i].text));
	}
}

static void check_single(struct scd__reader *reader, struct scd__exception *exception, bool is_checked)
{
	struct scd__entry *comps = &exception->comps;

	if (!comps->place.node)
		comps->text = SCD_STR("in");
	comps->text = scd_str_trim(comps->text);
	if (comps->is_sequence)
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, comps->place.node, NULL,
		          "Fields and comps must both be strings");
	else if (!is_operator(comps->text) || !scd__is_list_operator(comps->text))
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, comps->place.node, NULL,
		          "When fields is a single value, comps must be one of (in, pmatch, intersects)");
	if (is_checked)
		check_field(reader, &exception->fields);
}

static void check_one(struct scd__reader *reader, struct scd__exception *exception, bool is_checked)
{
	if (!exception->fields.is_sequence) {
		check_single(reader, exception, is_checked);
		return;
	}
	check_comps(reader, exception);
	for (size_t i = 0; is_checked && i < exception->fields.count; i++)
		check_field(reader, &exception->fields.entries[i]);
}

void scd__check_exceptions(struct scd__reader *reader, struct scd__exceptions *exceptions, bool is_checked)
{
	for (size_t i = 0; i < exceptions->count; i++)
		check_one(reader, &exceptions->items[i], is_checked);
}

/* Appending. */

static void append_values(struct scd__reader *reader, struct scd__exception *exception,
                          const struct scd__exception *added)
{
	struct scd_arena *arena = &reader->collection->arena;

	for (size_t i = 0; i < added->value_count && !reader->exhausted; i++) {
		struct scd__entry *values = scd_array_grow_in(arena, exception->values, exception->value_count,
		                                              &exception->value_room, sizeof(*values));

		reader->exhausted |= !values;
		if (!values)
			return;
		exception->values = values;
		exception->values[exception->value_count++] = added->values[i];
	}
}

static void append_one(struct scd__reader *reader, struct scd__rule_item *rule, struct scd__exception *added)
{
	struct scd__exception *known = find(&rule->exceptions, added->name);
	const struct scd_yaml_node *place = added->place.node;

	if (known && added->fields.place.node)
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, added->fields.place.node, NULL,
		          "Can not append exception fields to existing exception, only values");
	else if (known && added->comps.place.node)
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, added->comps.place.node, NULL,
		          "Can not append exception comps to existing exception, only values");
	else if (known)
		append_values(reader, known, added);
	else if (!added->fields.place.node)
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, place, NULL,
		          "Rule exception must have fields property with a list of fields");
	else if (added->value_count == 0)
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, place, NULL,
		          "Rule exception must have values property with a list of values");
	else
		check_one(reader, added, !rule->is_source_unknown);
	if (!known && !reader->failed)
		add(reader, &rule->exceptions, added);
}

void scd__append_exceptions(struct scd__reader *reader, struct scd__rule_item *rule, struct scd__exceptions *added)
{
	for (size_t i = 0; i < added->count; i++)
		append_one(reader, rule, &added->items[i]);
}
