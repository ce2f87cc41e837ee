/*
 * What rule files require of what loads them: a version of the engine, and plugins (SPEC 1.3, 1.4).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine/reader.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"

struct version {
	unsigned major, minor, patch;
};

/* x.y.z, and nothing behind it. */
static bool parse_version(struct scd_str text, struct version *ret_version)
{
	unsigned *parts[] = { &ret_version->major, &ret_version->minor, &ret_version->patch };

	for (size_t i = 0; i < SCD_COUNT(parts); i++) {
		const char *dot = i < 2 ? memchr(text.data, '.', text.len) : text.data + text.len;
		struct scd_str digits = { text.data, dot ? (size_t)(dot - text.data) : 0 };
		uint64_t number;

		if (!dot || scd_str_to_u64(digits, &number) < 0 || number > UINT32_MAX)
			return false;
		*parts[i] = (unsigned)number;
		text.len -= digits.len + (i < 2);
		text.data = dot + (i < 2);
	}
	return true;
}

/* The same, or an unsigned integer N, which means 0.N.0. */
static bool parse_engine_version(struct scd_str text, struct version *ret_version)
{
	uint64_t number;

	if (scd_str_to_u64(text, &number) < 0)
		return parse_version(text, ret_version);
	*ret_version = (struct version){ .minor = (unsigned)number };
	return number <= UINT32_MAX;
}

/* What is there serves who wants `wanted`: the same major version, and not older. */
static bool is_compatible(const struct version *there, const struct version *wanted)
{
	if (there->major != wanted->major)
		return false;
	return there->minor > wanted->minor || (there->minor == wanted->minor && there->patch >= wanted->patch);
}

int scd__read_engine_version(struct scd__reader *reader)
{
	struct version ours = { 0 }, wanted = { 0 };

	parse_version(SCD_STR(SCD_RULESET_ENGINE_VERSION), &ours);
	if (!parse_engine_version(reader->name, &wanted))
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, "a number, or text like 0.57.0",
		          "Unable to parse engine version '" SCD_STR_FMT
		          "' as a semver string. Expected \"x.y.z\" semver format.",
		          SCD_STR_ARG(reader->name));
	else if (!is_compatible(&ours, &wanted))
		SCD__FAIL(reader, SCD_DIAG_ERR_VALIDATE, NULL, NULL,
		          "Rules require engine version " SCD_STR_FMT
		          ", but engine version is " SCD_RULESET_ENGINE_VERSION,
		          SCD_STR_ARG(reader->name));
	return scd__reader_result(reader);
}

/* One `name` and `version`, from a reader whose map has them. False when it was reported. */
static bool read_plugin(struct scd__reader *reader, struct scd__requirement *requirement)
{
	const struct scd_yaml_node *name = scd__reader_text(reader, "name");
	const struct scd_yaml_node *version = scd__reader_text(reader, "version");
	struct scd__plugin *plugin = &requirement->plugins[requirement->count];
	struct version ignored;

	if (!name || !version)
		return false;
	if (!parse_version(version->text, &ignored)) {
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, version, "text like 0.4.0",
		          "Unable to parse plugin version '" SCD_STR_FMT "' as a semver string",
		          SCD_STR_ARG(version->text));
		return false;
	}
	for (size_t i = 0; i < requirement->count; i++)
		if (scd_str_eq(requirement->plugins[i].name, name->text)) {
			SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, name, NULL,
			          "Duplicate plugin '" SCD_STR_FMT "' in one requirement", SCD_STR_ARG(name->text));
			return false;
		}
	plugin->name = name->text;
	plugin->version = version->text;
	requirement->count++;
	return true;
}

/* An entry, or one of its alternatives, is a map. */
static bool is_map(struct scd__reader *reader, const struct scd_yaml_node *node)
{
	if (node->kind == SCD_YAML_MAP)
		return true;
	SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, "write `name: container` and `version: 0.4.0`",
	          "Plugin version must be a mapping");
	return false;
}

static void read_alternatives(struct scd__reader *reader, const struct scd_yaml_node *list,
                              struct scd__requirement *requirement)
{
	for (size_t i = 0; list && i < list->count; i++) {
		struct scd__reader inner = *reader;

		inner.map = list->items[i];
		if (is_map(reader, list->items[i]) && !read_plugin(&inner, requirement))
			reader->failed = true;
	}
}

static void read_requirement(struct scd__reader *reader, const struct scd_yaml_node *entry)
{
	struct scd__collection *collection = reader->collection;
	const struct scd_yaml_node *list = scd_yaml_get(entry, "alternatives");
	struct scd__requirement *all = scd_array_grow(collection->requirements, collection->requirement_count,
	                                              &collection->requirement_room, sizeof(*all));
	struct scd__requirement requirement = { .place = scd__reader_at(reader, entry) };
	struct scd__reader inner = *reader;

	if (all)
		collection->requirements = all;
	if (list && list->kind != SCD_YAML_SEQUENCE) {
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, list, NULL, "Value of 'alternatives' is not a sequence");
		return;
	}
	requirement.plugins = scd_arena_zalloc(&collection->arena, 1 + (list ? list->count : 0),
	                                       sizeof(*requirement.plugins));
	reader->exhausted |= !all || !requirement.plugins;
	inner.map = entry;
	if (reader->exhausted || !is_map(reader, entry))
		return;
	if (!read_plugin(&inner, &requirement))
		reader->failed = true;
	else
		read_alternatives(reader, list, &requirement);
	if (!reader->failed)
		collection->requirements[collection->requirement_count++] = requirement;
}

int scd__read_plugin_versions(struct scd__reader *reader)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, "required_plugin_versions");

	if (node->kind != SCD_YAML_SEQUENCE)
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL,
		          "Value of required_plugin_versions must be a sequence");
	for (size_t i = 0; node->kind == SCD_YAML_SEQUENCE && i < node->count; i++)
		read_requirement(reader, node->items[i]);
	return scd__reader_result(reader);
}

static bool is_met(const struct scd__requirement *requirement, const struct scd_plugin *plugins, size_t count)
{
	struct version there = { 0 }, wanted = { 0 };

	for (size_t i = 0; i < requirement->count; i++)
		for (size_t p = 0; p < count; p++) {
			if (!scd_str_is(requirement->plugins[i].name, plugins[p].name))
				continue;
			parse_version(requirement->plugins[i].version, &wanted);
			if (parse_version(scd_str_from(plugins[p].version), &there) && is_compatible(&there, &wanted))
				return true;
		}
	return false;
}

static void report_unmet(struct scd_diags *diags, const struct scd__requirement *requirement)
{
	struct scd_buf wanted;

	scd_buf_init(&wanted, 512);
	for (size_t i = 0; i < requirement->count; i++)
		scd_buf_printf(&wanted, "%s" SCD_STR_FMT " (>= " SCD_STR_FMT ")", i ? ", " : "",
		               SCD_STR_ARG(requirement->plugins[i].name), SCD_STR_ARG(requirement->plugins[i].version));
	scd__report(diags, SCD_DIAG_ERR_VALIDATE, requirement->place, 0, NULL, SCD_STR(""),
	            "what is provided here is told by `seccheckd version`",
	            "Plugin requirement not satisfied, must load one of: " SCD_STR_FMT,
	            SCD_STR_ARG(scd_buf_str(&wanted)));
	scd_buf_done(&wanted);
}

int scd__check_requirements(const struct scd__collection *collection, const struct scd_ruleset_options *options)
{
	static const struct scd_plugin ours[] = { { "container", SCD_RULESET_CONTAINER_VERSION } };
	const struct scd_plugin *plugins = options->plugins ? options->plugins : ours;
	size_t count = options->plugins ? options->plugin_count : SCD_COUNT(ours);
	int r = 0;

	for (size_t i = 0; i < collection->requirement_count; i++) {
		if (is_met(&collection->requirements[i], plugins, count))
			continue;
		report_unmet(collection->diags, &collection->requirements[i]);
		r = -EINVAL;
	}
	return r;
}
