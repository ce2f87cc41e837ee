/*
 * The item `rule` in its four forms (SPEC 1.7), tried in this order:
 *
 *    override: {…}                                  changes an earlier rule, key by key
 *    append: true                                   adds a condition and exceptions to one; deprecated
 *    no condition, output, desc, priority           switches one on or off; deprecated
 *    else                                           defines a rule, or replaces the one of that name
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/reader.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"

enum { CONDITION, OUTPUT, DESC, PRIORITY, ENABLED, TAGS, EXCEPTIONS, WARN_EVTTYPES, SKIP, CAPTURE, CAPTURE_DURATION };

/* SPEC 1.7, the columns `replace` and `append`. */
static const struct scd__overridable keys[] = {
	[CONDITION] = { "condition", true, true },
	[OUTPUT] = { "output", true, true },
	[DESC] = { "desc", true, true },
	[PRIORITY] = { "priority", false, true },
	[ENABLED] = { "enabled", false, true },
	[TAGS] = { "tags", true, true },
	[EXCEPTIONS] = { "exceptions", true, true },
	[WARN_EVTTYPES] = { "warn_evttypes", false, true },
	[SKIP] = { "skip-if-unknown-filter", false, true },
	[CAPTURE] = { "capture", false, true },
	[CAPTURE_DURATION] = { "capture_duration", false, true },
};
#define KEY_COUNT SCD_COUNT(keys)

static int compare_texts(const void *a, const void *b)
{
	return scd_str_compare(*(const struct scd_str *)a, *(const struct scd_str *)b);
}

static bool has_tag(const struct scd_rule *rule, struct scd_str tag)
{
	for (size_t i = 0; i < rule->tag_count; i++)
		if (scd_str_eq(rule->tags[i], tag))
			return true;
	return false;
}

/* Room for the tags that a rule has, and so many more. */
static struct scd_str *copy_tags(struct scd__reader *reader, const struct scd_rule *rule, size_t more)
{
	struct scd_str *tags = scd_arena_zalloc(&reader->collection->arena, rule->tag_count + more, sizeof(*tags));

	reader->exhausted |= !tags;
	if (tags && rule->tag_count)
		memcpy(tags, rule->tags, rule->tag_count * sizeof(*tags));
	return tags;
}

/* Tags are a set: sorted, each once. Adds those of the item. */
static void read_tags(struct scd__reader *reader, struct scd_rule *rule)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, "tags");
	struct scd_str *items, *tags = NULL;
	size_t count;

	if (!node || scd_yaml_is_null(node) || !scd__reader_texts(reader, node, &items, &count))
		return;
	for (size_t i = 0; i < count; i++) {
		if (has_tag(rule, items[i]))
			continue;
		if (rule->tag_count == SCD_LIMIT_RULE_TAGS) {
			SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, node, NULL, "a rule has more than %u tags",
			          SCD_LIMIT_RULE_TAGS);
			return;
		}
		if (!tags)
			tags = copy_tags(reader, rule, count < SCD_LIMIT_RULE_TAGS ? count : SCD_LIMIT_RULE_TAGS);
		if (!tags)
			return;
		tags[rule->tag_count++] = items[i];
		rule->tags = tags;
	}
	if (tags)
		qsort(tags, rule->tag_count, sizeof(*tags), compare_texts);
}

static void read_priority(struct scd__reader *reader, enum scd_priority *ret_priority)
{
	const struct scd_yaml_node *node = scd__reader_text(reader, "priority");

	if (node && scd_priority_parse(node->text, ret_priority) < 0)
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node,
		          "Emergency, Alert, Critical, Error, Warning, Notice, Informational or Debug",
		          "Invalid priority");
}

/* A required text: what it was, or that and what stands under the key. */
static void read_text(struct scd__reader *reader, int key, bool append, struct scd__text *text)
{
	const struct scd_yaml_node *node = scd__reader_text(reader, keys[key].key);
	struct scd_arena *arena = &reader->collection->arena;
	struct scd__place place = scd__reader_at(reader, node);
	bool is_written;
	struct scd_str part;

	if (!node)
		return;
	part = key == OUTPUT && !append ? scd_str_trim(node->text) : node->text;
	is_written = part.data == node->text.data;
	if (append)
		reader->exhausted |= scd__text_add(arena, text, SCD_STR(" "), place, false) < 0;
	else
		*text = (struct scd__text){ 0 };
	reader->exhausted |= scd__text_add(arena, text, part, place, is_written) < 0;
}

/* The source that an item names; empty when it names none. */
static struct scd_str read_source(struct scd__reader *reader)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, "source");

	if (!node || scd_yaml_is_null(node))
		return SCD_STR("");
	if (node->kind != SCD_YAML_SCALAR) {
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL, "Value is not a scalar value");
		return SCD_STR("");
	}
	return node->text;
}

static void check_source(struct scd__reader *reader, const struct scd__rule_item *rule, struct scd_str source)
{
	if (rule && source.len && !scd_str_eq(rule->pub.source, source))
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, scd_yaml_get(reader->map, "source"), NULL,
		          "Rule has been re-defined with a different source");
}

/* Keys of which only the form is looked at: no capture file is ever written. */
static void read_capture(struct scd__reader *reader)
{
	scd__reader_bool(reader, "capture", false);
	scd__reader_unsigned(reader, "capture_duration");
}

/* A later item saw the rule: what it names may have been defined since its first definition. */
static void touch(struct scd__reader *reader)
{
	reader->collection->next_visibility++;
}

/* Form 1, the appends. */
static void apply_appends(struct scd__reader *reader, struct scd__rule_item *rule, const enum scd__override *overrides)
{
	struct scd__exceptions exceptions = { 0 };

	if (overrides[CONDITION] == SCD__OVERRIDE_APPEND)
		read_text(reader, CONDITION, true, &rule->condition);
	if (overrides[OUTPUT] == SCD__OVERRIDE_APPEND)
		read_text(reader, OUTPUT, true, &rule->output);
	if (overrides[DESC] == SCD__OVERRIDE_APPEND)
		read_text(reader, DESC, true, &rule->desc);
	if (overrides[TAGS] == SCD__OVERRIDE_APPEND)
		read_tags(reader, &rule->pub);
	if (overrides[EXCEPTIONS] == SCD__OVERRIDE_APPEND) {
		scd__read_exceptions(reader, true, &exceptions);
		scd__append_exceptions(reader, rule, &exceptions);
	}
}

static void replace_exceptions(struct scd__reader *reader, struct scd__rule_item *rule)
{
	struct scd__exceptions exceptions = { 0 };

	scd__read_exceptions(reader, false, &exceptions);
	scd__check_exceptions(reader, &exceptions, !rule->is_source_unknown);
	rule->exceptions = exceptions;
}

static void replace_tags(struct scd__reader *reader, struct scd__rule_item *rule)
{
	rule->pub.tags = NULL;
	rule->pub.tag_count = 0;
	read_tags(reader, &rule->pub);
}

/* Form 1, the replacements. */
static void apply_replaces(struct scd__reader *reader, struct scd__rule_item *rule, const enum scd__override *overrides)
{
	struct scd__text *texts[] = { [CONDITION] = &rule->condition, [OUTPUT] = &rule->output, [DESC] = &rule->desc };

	for (int key = CONDITION; key <= DESC; key++)
		if (overrides[key] == SCD__OVERRIDE_REPLACE)
			read_text(reader, key, false, texts[key]);
	if (overrides[PRIORITY] == SCD__OVERRIDE_REPLACE)
		read_priority(reader, &rule->pub.priority);
	if (overrides[ENABLED] == SCD__OVERRIDE_REPLACE)
		rule->pub.enabled = scd__reader_bool(reader, "enabled", rule->pub.enabled);
	if (overrides[TAGS] == SCD__OVERRIDE_REPLACE)
		replace_tags(reader, rule);
	if (overrides[EXCEPTIONS] == SCD__OVERRIDE_REPLACE)
		replace_exceptions(reader, rule);
	if (overrides[WARN_EVTTYPES] == SCD__OVERRIDE_REPLACE)
		rule->warn_evttypes = scd__reader_bool(reader, "warn_evttypes", true);
	if (overrides[SKIP] == SCD__OVERRIDE_REPLACE)
		rule->skip_if_unknown_filter = scd__reader_bool(reader, "skip-if-unknown-filter", false);
	read_capture(reader);
}

static bool has_append(const enum scd__override *overrides)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (overrides[i] == SCD__OVERRIDE_APPEND)
			return true;
	return false;
}

static int update(struct scd__reader *reader, struct scd__rule_item *rule, const enum scd__override *overrides)
{
	if (!rule)
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, NULL, "files are read in order: define the rule before", "%s",
		          has_append(overrides)
		                  ? "Rule uses 'append' or 'override.<key>: append' but no rule by that name already "
		                    "exists"
		                  : "An 'override.<key>: replace' to a rule was requested but no rule by that name "
		                    "already exists");
	check_source(reader, rule, read_source(reader));
	if (rule && !reader->failed) {
		apply_appends(reader, rule, overrides);
		apply_replaces(reader, rule, overrides);
		touch(reader);
	}
	return scd__reader_result(reader);
}

/* Form 2. */
static int append_to(struct scd__reader *reader, struct scd__rule_item *rule)
{
	enum scd__override overrides[KEY_COUNT] = { SCD__OVERRIDE_NONE };

	overrides[CONDITION] = scd__reader_has(reader, "condition") ? SCD__OVERRIDE_APPEND : SCD__OVERRIDE_NONE;
	overrides[EXCEPTIONS] = scd__reader_has(reader, "exceptions") ? SCD__OVERRIDE_APPEND : SCD__OVERRIDE_NONE;
	if (!rule)
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, NULL, "files are read in order: define the rule before",
		          "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists");
	else if (!has_append(overrides))
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, NULL, NULL,
		          "Appended rule must have exceptions or condition property");
	check_source(reader, rule, read_source(reader));
	if (rule && !reader->failed) {
		apply_appends(reader, rule, overrides);
		touch(reader);
	}
	return scd__reader_result(reader);
}

/* Form 3. */
static int switch_rule(struct scd__reader *reader, struct scd__rule_item *rule)
{
	if (!scd__reader_has(reader, "enabled"))
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, "a rule has condition, output, desc and priority",
		          "Item has no mapping for key 'enabled'");
	else if (!rule)
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, NULL, "the rule must be defined before it is switched",
		          "Rule has 'enabled' key but no rule by that name already exists");
	else
		rule->pub.enabled = scd__reader_bool(reader, "enabled", true);
	if (!reader->failed)
		SCD__WARN(reader, SCD_DIAG_DEPRECATED_ITEM, NULL, NULL,
		          "The standalone 'enabled' key usage is deprecated. The correct approach requires also a "
		          "'replace' entry under the 'override' key (i.e. 'enabled: replace').");
	return scd__reader_result(reader);
}

/* Form 4: all that stands in the item. */
static void read_rule(struct scd__reader *reader, struct scd__rule_item *rule)
{
	struct scd_str source = read_source(reader);

	read_text(reader, CONDITION, false, &rule->condition);
	read_text(reader, OUTPUT, false, &rule->output);
	read_text(reader, DESC, false, &rule->desc);
	read_priority(reader, &rule->pub.priority);
	rule->pub.source = source.len ? source : SCD_STR("syscall");
	rule->is_source_unknown = !scd_str_is(rule->pub.source, "syscall");
	rule->pub.enabled = scd__reader_bool(reader, "enabled", true);
	rule->warn_evttypes = scd__reader_bool(reader, "warn_evttypes", true);
	rule->skip_if_unknown_filter = scd__reader_bool(reader, "skip-if-unknown-filter", false);
	read_tags(reader, &rule->pub);
	read_capture(reader);
	scd__read_exceptions(reader, false, &rule->exceptions);
	scd__check_exceptions(reader, &rule->exceptions, !rule->is_source_unknown);
	rule->pub.name = reader->name;
	rule->place = scd__reader_at(reader, NULL);
	rule->pub.file = scd_yaml_name(reader->yaml);
	rule->pub.line = reader->map->line;
}

static int define(struct scd__reader *reader, struct scd__rule_item *rule)
{
	struct scd__rule_item fresh = { 0 };
	uint32_t index = 0;

	read_rule(reader, &fresh);
	check_source(reader, rule, fresh.pub.source);
	if (reader->failed || reader->exhausted)
		return scd__reader_result(reader);
	rule = scd__find_or_add(reader, &reader->collection->rules, sizeof(*rule), &index);
	if (!rule)
		return -ENOMEM;
	*rule = fresh;
	touch(reader);
	return 0;
}

int scd__collect_rule(struct scd__reader *reader)
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
	struct scd__rule_item *rule = scd_strmap_get(&reader->collection->rules.by_name, reader->name);
	enum scd__override overrides[KEY_COUNT];
	bool any, append;

	scd__reader_warn_unknown(reader, known);
	scd__reader_overrides(reader, keys, KEY_COUNT, overrides, &any, &append);
	if (reader->failed)
		return -EINVAL;
	if (any)
		return update(reader, rule, overrides);
	if (append)
		return append_to(reader, rule);
	if (!scd__reader_has(reader, "condition") && !scd__reader_has(reader, "output") &&
	    !scd__reader_has(reader, "desc") && !scd__reader_has(reader, "priority"))
		return switch_rule(reader, rule);
	return define(reader, rule);
}
