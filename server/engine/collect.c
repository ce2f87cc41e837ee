/*
 * YAML items to lists, macros and rules.
 *
 * What is checked here is the shape of a file; conditions and outputs are compiled later, when all files are known. A
 * wrong item is reported and left out, and reading goes on, so that all errors of a file are shown at once: Falco
 * stops at the first one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/reader.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"

#define CHUNK_BYTES 65536u

void scd__collection_init(struct scd__collection *collection, struct scd_diags *diags)
{
	memset(collection, 0, sizeof(*collection));
	collection->diags = diags;
	scd_arena_init(&collection->arena, CHUNK_BYTES, SCD_LIMIT_RULESET_BYTES);
	scd_strmap_init(&collection->lists.by_name);
	scd_strmap_init(&collection->macros.by_name);
	scd_strmap_init(&collection->rules.by_name);
}

static void free_items(struct scd__items *items)
{
	scd_strmap_done(&items->by_name);
	free(items->all);
}

void scd__collection_done(struct scd__collection *collection)
{
	free_items(&collection->lists);
	free_items(&collection->macros);
	free_items(&collection->rules);
	free(collection->requirements);
	scd_arena_done(&collection->arena);
}

/* List names are replaced inside conditions, so they must not contain what bounds a word there. */
static bool is_list_name(struct scd_str name)
{
	for (size_t i = 0; i < name.len; i++)
		if (memchr("()\"'\t\n\r =,", name.data[i], sizeof("()\"'\t\n\r =,") - 1))
			return false;
	return true;
}

static bool is_identifier(struct scd_str name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && !(i > 0 && ((c >= '0' && c <= '9') || c == '_')))
			return false;
	}
	return name.len > 0;
}

/* Whether an item adds to an earlier one of its name. An item that cannot, as there is none, has failed. */
static bool wants_append(struct scd__reader *reader, const struct scd__overridable *key, const struct scd__items *items,
                         const char *none)
{
	enum scd__override override;
	bool any, append;

	scd__reader_overrides(reader, key, 1, &override, &any, &append);
	append |= override == SCD__OVERRIDE_APPEND;
	if (append && !reader->failed && !scd_strmap_get(&items->by_name, reader->name))
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, NULL, "files are read in order: define it before", "%s", none);
	return append;
}

static void append_items(struct scd__reader *reader, struct scd__list_item *list, const struct scd_str *items,
                         size_t count)
{
	struct scd_arena *arena = &reader->collection->arena;

	for (size_t i = 0; i < count && !reader->exhausted; i++) {
		struct scd_str *room = scd_array_grow_in(arena, list->items, list->item_count, &list->item_room,
		                                         sizeof(*room));

		reader->exhausted = !room;
		if (!room)
			return;
		list->items = room;
		list->items[list->item_count++] = items[i];
	}
}

static void put_list(struct scd__reader *reader, bool append, struct scd_str *items, size_t count)
{
	struct scd__collection *collection = reader->collection;
	uint32_t index = 0;
	struct scd__list_item *list = scd__find_or_add(reader, &collection->lists, sizeof(*list), &index);

	if (!list) {
		reader->exhausted = true;
		return;
	}
	if (!list->name.data)
		list->index = index;
	list->visibility = collection->next_visibility++;
	if (append) {
		append_items(reader, list, items, count);
		return;
	}
	list->name = reader->name;
	list->place = scd__reader_at(reader, NULL);
	list->items = items;
	list->item_count = list->item_room = count;
}

static int collect_list(struct scd__reader *reader)
{
	static const char *const known[] = { "list", "items", "append", "override", NULL };
	static const struct scd__overridable key = { "items", true, true };
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, "items");
	struct scd_str *items = NULL;
	size_t count = 0;
	bool append;

	scd__reader_warn_unknown(reader, known);
	if (!is_list_name(reader->name))
		SCD__WARN(
		        reader, SCD_DIAG_INVALID_LIST_NAME, NULL, NULL,
		        "List has an invalid name. List names should match a regular expression: [^()\"'[:space:]=,]+");
	if (!node)
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, NULL, "Item has no mapping for key 'items'");
	else
		scd__reader_texts(reader, node, &items, &count);
	append = wants_append(reader, &key, &reader->collection->lists,
	                      "List uses 'append' or 'override.items: append' but no list by that name already exists");
	if (!reader->failed && !reader->exhausted)
		put_list(reader, append, items, count);
	return scd__reader_result(reader);
}

static void put_macro(struct scd__reader *reader, bool append, const struct scd_yaml_node *condition)
{
	struct scd__collection *collection = reader->collection;
	struct scd__place place = scd__reader_at(reader, condition);
	uint32_t index = 0;
	struct scd__macro_item *macro = scd__find_or_add(reader, &collection->macros, sizeof(*macro), &index);
	struct scd_str text = condition->text;

	if (!macro) {
		reader->exhausted = true;
		return;
	}
	if (!macro->name.data)
		macro->index = index;
	macro->visibility = collection->next_visibility++;
	macro->name = reader->name;
	if (append) {
		reader->exhausted |= scd__text_add(&collection->arena, &macro->condition, SCD_STR(" "), place, false) <
		                     0;
	} else {
		macro->place = scd__reader_at(reader, NULL);
		macro->condition = (struct scd__text){ 0 };
	}
	reader->exhausted |= scd__text_add(&collection->arena, &macro->condition, text, place, true) < 0;
}

static int collect_macro(struct scd__reader *reader)
{
	static const char *const known[] = { "macro", "condition", "append", "override", NULL };
	static const struct scd__overridable key = { "condition", true, true };
	const struct scd_yaml_node *condition;
	bool append;

	scd__reader_warn_unknown(reader, known);
	if (!is_identifier(reader->name))
		SCD__WARN(reader, SCD_DIAG_INVALID_MACRO_NAME, NULL, NULL,
		          "Macro has an invalid name. Macro names should match a regular expression: "
		          "[a-zA-Z]+[a-zA-Z0-9_]*");
	condition = scd__reader_text(reader, "condition");
	append = wants_append(
	        reader, &key, &reader->collection->macros,
	        "Macro uses 'append' or 'override.condition: append' but no macro by that name already exists");
	if (!reader->failed && !reader->exhausted)
		put_macro(reader, append, condition);
	return scd__reader_result(reader);
}

/* Kinds of items: the first key present, in this order, decides. */
static const struct item_kind {
	const char *key;
	bool named; /* its value is the item's name: required text */
	int (*collect)(struct scd__reader *reader);
} item_kinds[] = {
	{ "required_engine_version", true, scd__read_engine_version },
	{ "required_plugin_versions", false, scd__read_plugin_versions },
	{ "list", true, collect_list },
	{ "macro", true, collect_macro },
	{ "rule", true, scd__collect_rule },
};

static int collect_kind(struct scd__reader *reader, const struct item_kind *kind)
{
	if (kind->named) {
		const struct scd_yaml_node *name = scd__reader_text(reader, kind->key);

		if (!name)
			return -EINVAL;
		reader->name = name->text;
		reader->kind = kind->key;
	}
	return reader->exhausted ? -ENOMEM : kind->collect(reader);
}

static int collect_item(struct scd__collection *collection, const struct scd_yaml *yaml,
                        const struct scd_yaml_node *item)
{
	struct scd__reader reader = { .collection = collection, .yaml = yaml, .map = item };

	if (item->kind != SCD_YAML_MAP) {
		SCD__FAIL(&reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, "each item is a map like `- rule: NAME`",
		          "Unexpected element type. Each element should be a yaml associative array.");
		return -EINVAL;
	}
	for (size_t i = 0; i < SCD_COUNT(item_kinds); i++)
		if (scd_yaml_get(item, item_kinds[i].key))
			return collect_kind(&reader, &item_kinds[i]);
	SCD__WARN(&reader, SCD_DIAG_UNKNOWN_ITEM, NULL, NULL, "Unknown top level item");
	return 0;
}

int scd__collect(struct scd__collection *collection, const struct scd_yaml *yaml)
{
	int r = 0;

	for (size_t d = 0; d < scd_yaml_document_count(yaml); d++) {
		const struct scd_yaml_node *root = scd_yaml_root(yaml, d);

		if (!root)
			continue;
		if (root->kind != SCD_YAML_SEQUENCE) {
			scd__report(collection->diags, SCD_DIAG_ERR_YAML_PARSE, (struct scd__place){ yaml, root }, 0,
			            NULL, SCD_STR(""), "a rule file is a list of items like `- rule: NAME`",
			            root->kind == SCD_YAML_MAP ? "Rules content is not yaml array of objects"
			                                       : "Rules content is not yaml");
			return -EINVAL;
		}
		for (size_t i = 0; i < root->count && r != -ENOMEM; i++) {
			int item = scd_yaml_is_null(root->items[i]) ? 0
			                                            : collect_item(collection, yaml, root->items[i]);

			r = item < 0 ? item : r;
		}
	}
	return r;
}
