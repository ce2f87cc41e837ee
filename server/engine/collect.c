/*
 * YAML items to lists, macros and rules.
 *
 * What is checked here is the shape of a file; conditions and outputs are compiled later, when all files are known. A
 * wrong item is reported and left out, and reading goes on, so that all errors of a file are shown at once. Keys of
 * Falco that this version does not evaluate (override, append, exceptions) are errors and not ignored: a rule set
 * that silently means something else is worse than none.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/items.h"
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
	scd_arena_done(&collection->arena);
}

void scd__report(struct scd_diags *diags, enum scd_diag_code code, struct scd__place place, size_t offset,
                 const char *kind, struct scd_str name, const char *hint, const char *format, ...)
{
	char item[160], what[1024];
	unsigned line = 0, column = 0;
	va_list args;
	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
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
}

/* What is being read: everything a helper needs to report. */
struct reader {
	struct scd__collection *collection;
	const struct scd_yaml *yaml;
	const struct scd_yaml_node *map; /* the item */
	const char *kind;                /* "rule" */
	struct scd_str name;
	bool failed; /* the item is wrong */
};

static struct scd__place at(const struct reader *reader, const struct scd_yaml_node *node)
{
	return (struct scd__place){ reader->yaml, node ? node : reader->map };
}

#define FAIL(reader, code, node, hint, ...)                                                                         \
	do {                                                                                                        \
		(reader)->failed = true;                                                                            \
		scd__report((reader)->collection->diags, code, at(reader, node), 0, (reader)->kind, (reader)->name, \
		            hint, __VA_ARGS__);                                                                     \
	} while (0)

#define WARN(reader, code, node, ...)                                                                             \
	scd__report((reader)->collection->diags, code, at(reader, node), 0, (reader)->kind, (reader)->name, NULL, \
	            __VA_ARGS__)

/* A scalar that must be there and not be empty. The place is the value's; NULL when it was reported. */
static const struct scd_yaml_node *required_text(struct reader *reader, const char *key)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, key);
	if (!node)
		FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, NULL, "Item has no mapping for key '%s'", key);
	else if (scd_yaml_is_null(node))
		FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL, "Mapping for key '%s' is empty", key);
	else if (node->kind != SCD_YAML_SCALAR)
		FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL, "Value is not a scalar value");
	else if (node->text.len == 0)
		FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL, "Value must be non-empty");
	else
		return node;
	return NULL;
}

static bool optional_bool(struct reader *reader, const char *key, bool value)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, key);
	if (node && scd_yaml_bool(node, &value) < 0)
		FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, "true or false",
		     "Can't decode YAML scalar value of '%s'", key);
	return value;
}

static struct scd_str keep(struct reader *reader, struct scd_str text)
{
	return scd_arena_dup(&reader->collection->arena, text);
}

/* A sequence of scalars, copied. False when it was reported. */
static bool text_sequence(struct reader *reader, const struct scd_yaml_node *node, const struct scd_str **ret_items,
                          size_t *ret_count)
{
	if (node->kind != SCD_YAML_SEQUENCE) {
		FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, "write [a, b] or one `- item` a line",
		     "Value is not a sequence");
		return false;
	}
	struct scd_str *items = scd_arena_zalloc(&reader->collection->arena, node->count, sizeof(*items));
	for (size_t i = 0; items && i < node->count; i++) {
		if (node->items[i]->kind != SCD_YAML_SCALAR) {
			FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node->items[i], NULL, "sequence value is not scalar");
			return false;
		}
		items[i] = keep(reader, node->items[i]->text);
	}
	*ret_items = items;
	*ret_count = items ? node->count : 0;
	return items != NULL;
}

/* Keys that Falco has and this version does not evaluate. */
static void refuse_keys(struct reader *reader, const char *const *keys)
{
	for (; *keys; keys++) {
		const struct scd_yaml_node *node = scd_yaml_get(reader->map, *keys);
		if (node)
			FAIL(reader, SCD_DIAG_ERR_NOT_EVALUATED, node, "write the whole item anew",
			     "the key '%s' is not evaluated by this version", *keys);
	}
}

static void warn_unknown_keys(struct reader *reader, const char *const *known)
{
	for (size_t i = 0; i < reader->map->count; i++) {
		const struct scd_yaml_node *key = reader->map->keys[i];
		const char *const *candidate = known;
		while (*candidate && !scd_str_is(key->text, *candidate))
			candidate++;
		if (!*candidate)
			WARN(reader, SCD_DIAG_UNKNOWN_KEY, key,
			     "Unknown key '" SCD_STR_FMT "'. The key will be ignored.", SCD_STR_ARG(key->text));
	}
}

/*
 * The item of a name: an earlier one, or a new zeroed one of `bytes`. *ret_index is its position of first definition.
 * NULL on exhaustion.
 */
static void *find_or_add(struct reader *reader, struct scd__items *items, size_t bytes, uint32_t *ret_index)
{
	void *item = scd_strmap_get(&items->by_name, reader->name);
	if (item)
		return item;
	void **all = scd_array_grow(items->all, items->count, &items->room, sizeof(*all));
	if (!all)
		return NULL;
	items->all = all;
	item = scd_arena_zalloc(&reader->collection->arena, 1, bytes);
	if (!item || scd_strmap_put(&items->by_name, reader->name, item) < 0)
		return NULL;
	items->all[items->count++] = item;
	*ret_index = reader->collection->next_visibility;
	return item;
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

static int collect_list(struct reader *reader)
{
	static const char *const known[] = { "list", "items", "append", "override", NULL };
	static const char *const refused[] = { "append", "override", NULL };
	struct scd__collection *collection = reader->collection;
	refuse_keys(reader, refused);
	warn_unknown_keys(reader, known);
	if (!is_list_name(reader->name))
		WARN(reader, SCD_DIAG_INVALID_LIST_NAME, NULL,
		     "List has an invalid name. List names should match the regular expression '[^()\"'[:space:]=,]+'");
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, "items");
	const struct scd_str *items = NULL;
	size_t count = 0;
	if (!node)
		FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, NULL, "Item has no mapping for key 'items'");
	else
		text_sequence(reader, node, &items, &count);
	if (reader->failed)
		return -EINVAL;
	uint32_t index = 0;
	struct scd__list_item *list = find_or_add(reader, &collection->lists, sizeof(*list), &index);
	if (!list)
		return -ENOMEM;
	if (!list->name.data)
		list->index = index;
	list->name = reader->name;
	list->place = at(reader, NULL);
	list->visibility = collection->next_visibility++;
	list->items = items;
	list->item_count = count;
	return 0;
}

static int collect_macro(struct reader *reader)
{
	static const char *const known[] = { "macro", "condition", "append", "override", NULL };
	static const char *const refused[] = { "append", "override", NULL };
	struct scd__collection *collection = reader->collection;
	refuse_keys(reader, refused);
	warn_unknown_keys(reader, known);
	if (!is_identifier(reader->name))
		WARN(reader, SCD_DIAG_INVALID_MACRO_NAME, NULL,
		     "Macro has an invalid name. Macro names should match the regular expression "
		     "'[a-zA-Z]+[a-zA-Z0-9_]*'");
	const struct scd_yaml_node *condition = required_text(reader, "condition");
	if (reader->failed)
		return -EINVAL;
	uint32_t index = 0;
	struct scd__macro_item *macro = find_or_add(reader, &collection->macros, sizeof(*macro), &index);
	if (!macro)
		return -ENOMEM;
	if (!macro->name.data)
		macro->index = index;
	macro->name = reader->name;
	macro->place = at(reader, NULL);
	macro->condition = at(reader, condition);
	macro->text = keep(reader, condition->text);
	macro->visibility = collection->next_visibility++;
	return 0;
}

static int compare_texts(const void *a, const void *b)
{
	return scd_str_compare(*(const struct scd_str *)a, *(const struct scd_str *)b);
}

/* Tags are a set: sorted, each once. */
static void collect_tags(struct reader *reader, struct scd_rule *rule)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, "tags");
	const struct scd_str *items;
	size_t count;
	if (!node || !text_sequence(reader, node, &items, &count) || count == 0)
		return;
	struct scd_str *tags = scd_arena_zalloc(&reader->collection->arena, count, sizeof(*tags));
	if (!tags)
		return;
	memcpy(tags, items, count * sizeof(*tags));
	qsort(tags, count, sizeof(*tags), compare_texts);
	size_t kept = 0;
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !scd_str_eq(tags[kept - 1], tags[i]))
			tags[kept++] = tags[i];
	rule->tags = tags;
	rule->tag_count = kept;
}

/* `- rule: X` with `enabled` alone: switches an earlier rule on or off. */
static int switch_rule(struct reader *reader)
{
	struct scd__rule_item *rule = scd_strmap_get(&reader->collection->rules.by_name, reader->name);
	if (!scd_yaml_get(reader->map, "enabled"))
		FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, "a rule has condition, output, desc and priority",
		     "Item has no mapping for key 'enabled'");
	else if (!rule)
		FAIL(reader, SCD_DIAG_ERR_VALIDATE, NULL, "the rule must be defined before it is switched",
		     "Rule has 'enabled' key but no rule by that name already exists");
	else
		rule->pub.enabled = optional_bool(reader, "enabled", true);
	if (reader->failed)
		return -EINVAL;
	WARN(reader, SCD_DIAG_DEPRECATED_ITEM, NULL,
	     "The standalone 'enabled' key usage is deprecated. The correct approach requires also a 'replace' entry "
	     "under the 'override' key (i.e. 'enabled: replace').");
	return 0;
}

static void read_rule(struct reader *reader, struct scd__rule_item *rule)
{
	const struct scd_yaml_node *condition = required_text(reader, "condition");
	const struct scd_yaml_node *output = required_text(reader, "output");
	const struct scd_yaml_node *desc = required_text(reader, "desc");
	const struct scd_yaml_node *priority = required_text(reader, "priority");
	const struct scd_yaml_node *source = scd_yaml_get(reader->map, "source");
	if (priority && scd_priority_parse(priority->text, &rule->pub.priority) < 0)
		FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, priority,
		     "Emergency, Alert, Critical, Error, Warning, Notice, Informational or Debug", "Invalid priority");
	rule->pub.source = source && source->kind == SCD_YAML_SCALAR && source->text.len ? keep(reader, source->text)
	                                                                                 : SCD_STR("syscall");
	rule->pub.enabled = optional_bool(reader, "enabled", true);
	rule->warn_evttypes = optional_bool(reader, "warn_evttypes", true);
	rule->skip_if_unknown_filter = optional_bool(reader, "skip-if-unknown-filter", false);
	collect_tags(reader, &rule->pub);
	if (reader->failed)
		return;
	rule->condition = at(reader, condition);
	rule->condition_text = keep(reader, condition->text);
	rule->output = at(reader, output);
	rule->output_text = keep(reader, scd_str_trim(output->text));
	rule->pub.desc = keep(reader, desc->text);
}

static int collect_rule(struct reader *reader)
{
	static const char *const known[] = { "rule",
		                             "condition",
		                             "output",
		                             "desc",
		                             "priority",
		                             "source",
		                             "enabled",
		                             "tags",
		                             "exceptions",
		                             "warn_evttypes",
		                             "skip-if-unknown-filter",
		                             "capture",
		                             "capture_duration",
		                             "append",
		                             "override",
		                             NULL };
	static const char *const refused[] = { "exceptions", "append", "override", "capture", NULL };
	struct scd__collection *collection = reader->collection;
	refuse_keys(reader, refused);
	warn_unknown_keys(reader, known);
	if (!reader->failed && !scd_yaml_get(reader->map, "condition") && !scd_yaml_get(reader->map, "output") &&
	    !scd_yaml_get(reader->map, "desc") && !scd_yaml_get(reader->map, "priority"))
		return switch_rule(reader);
	struct scd__rule_item fresh = { 0 };
	read_rule(reader, &fresh);
	if (reader->failed)
		return -EINVAL;
	uint32_t index = 0;
	struct scd__rule_item *rule = find_or_add(reader, &collection->rules, sizeof(*rule), &index);
	if (!rule)
		return -ENOMEM;
	collection->next_visibility++;
	fresh.pub.name = reader->name;
	fresh.place = at(reader, NULL);
	fresh.pub.file = scd_yaml_name(reader->yaml);
	fresh.pub.line = reader->map->line;
	*rule = fresh;
	return 0;
}

struct version {
	unsigned major, minor, patch;
};

/* An integer N means 0.N.0. */
static bool parse_version(const char *text, struct version *ret_version)
{
	int end = 0;
	*ret_version = (struct version){ 0 };
	if (sscanf(text, "%u%n", &ret_version->minor, &end) == 1 && text[end] == '\0')
		return true;
	return sscanf(text, "%u.%u.%u%n", &ret_version->major, &ret_version->minor, &ret_version->patch, &end) == 3 &&
	       text[end] == '\0';
}

/* The same major version, and not newer than what we are. */
static int check_engine_version(struct reader *reader)
{
	struct version ours = { 0 }, wanted;
	const char *text = reader->name.data;
	parse_version(SCD_RULESET_ENGINE_VERSION, &ours);
	if (!parse_version(text, &wanted))
		FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, "a number, or text like 0.57.0",
		     "Unable to parse engine version '%s' as a semver string. Expected \"x.y.z\" semver format.", text);
	else if (wanted.major != ours.major || wanted.minor > ours.minor ||
	         (wanted.minor == ours.minor && wanted.patch > ours.patch))
		FAIL(reader, SCD_DIAG_ERR_VALIDATE, NULL, NULL,
		     "Rules require engine version %s, but engine version is " SCD_RULESET_ENGINE_VERSION, text);
	return reader->failed ? -EINVAL : 0;
}

/*
 * Which plugins a file wants is not ours to judge before they mean anything here; upstream's only one is `container`.
 */
static int check_plugin_versions(struct reader *reader)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, "required_plugin_versions");
	for (size_t i = 0; node->kind == SCD_YAML_SEQUENCE && i < node->count; i++) {
		const struct scd_yaml_node *entry = node->items[i];
		const struct scd_yaml_node *name = entry->kind == SCD_YAML_MAP ? scd_yaml_get(entry, "name") : NULL;
		if (!name || !scd_str_is(name->text, "container"))
			FAIL(reader, SCD_DIAG_ERR_VALIDATE, entry, "only the plugin 'container' is provided",
			     "Plugin requirement not satisfied");
	}
	return reader->failed ? -EINVAL : 0;
}

/* Kinds of items: the first key present, in this order, decides. */
static const struct item_kind {
	const char *key;
	bool named; /* its value is the item's name: required text */
	int (*collect)(struct reader *reader);
} item_kinds[] = {
	{ "required_engine_version", true, check_engine_version },
	{ "required_plugin_versions", false, check_plugin_versions },
	{ "list", true, collect_list },
	{ "macro", true, collect_macro },
	{ "rule", true, collect_rule },
};

static int collect_item(struct scd__collection *collection, const struct scd_yaml *yaml,
                        const struct scd_yaml_node *item)
{
	struct reader reader = { .collection = collection, .yaml = yaml, .map = item };
	if (item->kind != SCD_YAML_MAP) {
		FAIL(&reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, "each item is a map like `- rule: NAME`",
		     "Unexpected element type. Each element should be a yaml associative array.");
		return -EINVAL;
	}
	for (size_t i = 0; i < SCD_COUNT(item_kinds); i++) {
		if (!scd_yaml_get(item, item_kinds[i].key))
			continue;
		if (item_kinds[i].named) {
			const struct scd_yaml_node *name = required_text(&reader, item_kinds[i].key);
			if (!name)
				return -EINVAL;
			reader.name = keep(&reader, name->text);
			reader.kind = item_kinds[i].key;
		}
		return item_kinds[i].collect(&reader);
	}
	WARN(&reader, SCD_DIAG_UNKNOWN_ITEM, NULL, "Unknown top level item");
	return 0;
}

int scd__collect(struct scd__collection *collection, const struct scd_yaml *yaml)
{
	int result = 0;
	for (size_t d = 0; d < scd_yaml_document_count(yaml); d++) {
		const struct scd_yaml_node *root = scd_yaml_root(yaml, d);
		if (!root)
			continue;
		if (root->kind != SCD_YAML_SEQUENCE) {
			scd__report(collection->diags, SCD_DIAG_ERR_YAML_PARSE, (struct scd__place){ yaml, root }, 0,
			            NULL, SCD_STR(""), "a rule file is a list of items like `- rule: NAME`",
			            "Rules content is not yaml array of objects");
			return -EINVAL;
		}
		for (size_t i = 0; i < root->count && result != -ENOMEM; i++) {
			if (scd_yaml_is_null(root->items[i]))
				continue;
			int item = collect_item(collection, yaml, root->items[i]);
			result = item < 0 ? item : result;
		}
	}
	return result;
}
