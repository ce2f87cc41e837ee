/*
 * Vectors of rule files: rulefile, macro, details, plugin_requirements.
 */
#include <errno.h>
#include <string.h>

#include "engine/resolve.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/details.h"
#include "seccheckd/engine/ruleset.h"
#include "seccheckd/lang/ast.h"
#include "tests/support/vectors.h"

#define TEXT_BYTES (1u << 20)

/* A file that was loaded, or not: set NULL. */
struct loaded {
	struct scd_diags diags;
	struct scd_ruleset *set;
};

static void load(struct scd_str yaml, const struct scd_ruleset_options *options, struct loaded *ret_loaded)
{
	struct scd_loader *loader;

	*ret_loaded = (struct loaded){ .set = NULL };
	scd_diags_init(&ret_loaded->diags);
	loader = scd_loader_new(&ret_loaded->diags);
	if (!loader)
		return;
	scd_loader_add_text(loader, yaml, "vector.yaml");
	scd_loader_build(loader, options, &ret_loaded->set);
	scd_loader_free(&loader);
}

static void unload(struct loaded *loaded)
{
	scd_ruleset_unref(&loaded->set);
	scd_diags_done(&loaded->diags);
}

static bool has_finding(const struct scd_diags *diags, bool error, const char *text)
{
	for (size_t i = 0; i < diags->count; i++)
		if (scd_diag_is_error(diags->items[i].code) == error && strstr(diags->items[i].what, text))
			return true;
	return false;
}

static const char *first_error(const struct scd_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++)
		if (scd_diag_is_error(diags->items[i].code))
			return diags->items[i].what;
	return "nothing";
}

/* Findings that have to be there, or must not. */
static bool check_findings(struct vectors_case *c, const struct scd_diags *diags, const char *key, bool error,
                           bool expected)
{
	const json_t *text;
	size_t i;

	json_array_foreach(json_object_get(c->json, key), i, text)
	{
		if (has_finding(diags, error, json_string_value(text)) == expected)
			continue;
		vectors_quote(c->why, scd_str_from(json_string_value(text)));
		return vectors_fail(c, expected ? " was not said (%s: %s)" : " was said (%s: %s)", key,
		                    first_error(diags));
	}
	return true;
}

static bool check_warnings(struct vectors_case *c, const struct scd_diags *diags)
{
	const json_t *expected = json_object_get(c->json, "has_warnings");
	bool got = diags->count > diags->error_count;

	if (got && json_is_false(expected))
		return vectors_fail(c, "a warning: %s", diags->items[0].what);
	return !expected || vectors_expect_bool(c, "has_warnings", json_is_true(expected), got);
}

static bool check_names(struct vectors_case *c, const struct scd_ruleset *set)
{
	const json_t *names = json_object_get(c->json, "rules_loaded"), *name;
	size_t i;

	if (!names)
		return true;
	if (json_array_size(names) != scd_ruleset_rule_count(set))
		return vectors_fail(c, "%zu rules instead of %zu", scd_ruleset_rule_count(set), json_array_size(names));
	json_array_foreach(names, i, name)
	{
		if (!vectors_expect_str(c, "rule", scd_str_from(json_string_value(name)),
		                        scd_ruleset_rule(set, i)->name))
			return false;
	}
	return true;
}

static bool check_enabled(struct vectors_case *c, const struct scd_ruleset *set)
{
	const json_t *expected = json_object_get(c->json, "enabled_count");
	size_t enabled = 0;

	for (size_t i = 0; i < scd_ruleset_rule_count(set); i++)
		enabled += scd_ruleset_rule(set, i)->enabled;
	return !expected || (size_t)json_integer_value(expected) == enabled ||
	       vectors_fail(c, "%zu rules are enabled", enabled);
}

static const struct scd_rule *find_rule(const struct scd_ruleset *set, const char *name)
{
	for (size_t i = 0; i < scd_ruleset_rule_count(set); i++)
		if (scd_str_is(scd_ruleset_rule(set, i)->name, name))
			return scd_ruleset_rule(set, i);
	return NULL;
}

static bool check_texts(struct vectors_case *c, const struct scd_ruleset *set)
{
	const json_t *text;
	const char *name;

	json_object_foreach(json_object_get(c->json, "compiled_condition"), name, text)
	{
		const struct scd_rule *rule = find_rule(set, name);
		struct scd_str got;

		if (!rule || scd_ast_print(rule->condition, c->arena, &got) < 0)
			return vectors_fail(c, "there is no rule %s", name);
		if (!vectors_expect_str(c, name, scd_str_from(json_string_value(text)), got))
			return false;
	}
	json_object_foreach(json_object_get(c->json, "compiled_output"), name, text)
	{
		const struct scd_rule *rule = find_rule(set, name);

		if (!rule)
			return vectors_fail(c, "there is no rule %s", name);
		if (!vectors_expect_str(c, name, scd_str_from(json_string_value(text)), rule->output_text))
			return false;
	}
	return true;
}

static bool check_loaded(struct vectors_case *c, const struct loaded *loaded, bool accept)
{
	if (accept && !loaded->set)
		return vectors_fail(c, "is refused: %s", first_error(&loaded->diags));
	if (!accept && loaded->set)
		return vectors_fail(c, "expected a refusal, was accepted");
	if (!check_findings(c, &loaded->diags, "errors_contains", true, true) ||
	    !check_findings(c, &loaded->diags, "warnings_contains", false, true) ||
	    !check_findings(c, &loaded->diags, "warnings_not_contains", false, false) ||
	    !check_warnings(c, &loaded->diags))
		return false;
	return !loaded->set ||
	       (check_names(c, loaded->set) && check_enabled(c, loaded->set) && check_texts(c, loaded->set));
}

/*
 * The vectors do not say which extra outputs Falco's tests had configured. What a compiled output has behind the
 * rule's own is configured as an extra one of that rule; how many, for an array of as many as there are rules.
 */
static size_t guess_extras(struct vectors_case *c, const struct scd_ruleset *plain, struct scd_extra_output *extras,
                           size_t room)
{
	size_t count = 0;
	const json_t *text;
	const char *name;

	json_object_foreach(json_object_get(c->json, "compiled_output"), name, text)
	{
		const struct scd_rule *rule = find_rule(plain, name);
		struct scd_str expected = scd_str_from(json_string_value(text)), own;

		own = rule ? rule->output_text : expected;
		if (count == room || expected.len <= own.len + 1 || !scd_str_starts_with(expected, own) ||
		    expected.data[own.len] != ' ')
			continue;
		extras[count++] = (struct scd_extra_output){
			.rule = scd_str_from(name),
			.text = { expected.data + own.len + 1, expected.len - own.len - 1 },
		};
	}
	return count;
}

bool vectors_rulefile(struct vectors_case *c)
{
	struct scd_extra_output extras[8];
	struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG, .keep_conditions = true };
	struct loaded loaded;
	struct scd_str yaml;
	bool accept, pass;

	if (!vectors_get_str(c, "yaml", &yaml) || !vectors_get_bool(c, "accept", &accept))
		return false;
	load(yaml, &options, &loaded);
	if (loaded.set && json_object_get(c->json, "compiled_output")) {
		options.extra_outputs = extras;
		options.extra_output_count = guess_extras(c, loaded.set, extras, sizeof(extras) / sizeof(extras[0]));
		unload(&loaded);
		load(yaml, &options, &loaded);
	}
	pass = check_loaded(c, &loaded, accept);
	unload(&loaded);
	return pass;
}

bool vectors_plugin_requirements(struct vectors_case *c)
{
	const json_t *list = json_object_get(c->json, "plugins"), *plugin;
	struct scd_plugin plugins[16] = { { "", "" } };
	struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG, .plugins = plugins };
	struct loaded loaded;
	struct scd_str yaml;
	bool satisfied, got;
	size_t i;

	if (!vectors_get_str(c, "yaml", &yaml) || !vectors_get_bool(c, "satisfied", &satisfied))
		return false;
	json_array_foreach(list, i, plugin)
	{
		if (i < sizeof(plugins) / sizeof(plugins[0]))
			plugins[options.plugin_count++] = (struct scd_plugin){
				json_string_value(json_object_get(plugin, "name")),
				json_string_value(json_object_get(plugin, "version")),
			};
	}
	load(yaml, &options, &loaded);
	got = loaded.set != NULL;
	if (got != satisfied)
		vectors_fail(c, "%s; ", first_error(&loaded.diags));
	unload(&loaded);
	return vectors_expect_bool(c, "satisfied", satisfied, got);
}

/* Macros of a case. */

struct macros {
	struct vectors_case *c;
	struct scd_names resolved, unknown;
};

static const struct scd_ast *parse_macro(void *user, struct scd_str name)
{
	struct macros *macros = user;
	const json_t *macro = json_object_get(json_object_get(macros->c->json, "macros"),
	                                      scd_arena_dup(macros->c->arena, name).data);
	struct scd_ast_error error;
	const struct scd_ast *ast;

	scd_names_add(macro ? &macros->resolved : &macros->unknown, name, macros->c->arena);
	if (!macro || scd_ast_parse(vectors_decode(macros->c, macro), SCD_LIMIT_RULE_PARSE_DEPTH, macros->c->arena,
	                            &ast, &error) < 0)
		return NULL;
	return ast;
}

/* A JSON array of names, or of arrays that begin with one, is the set. */
static bool expect_names(struct vectors_case *c, const char *key, const struct scd_names *got)
{
	const json_t *item;
	struct scd_buf expected, text;
	struct scd_names names = { 0 };
	bool pass;
	size_t i;

	json_array_foreach(json_object_get(c->json, key), i, item)
	{
		const json_t *name = json_is_array(item) ? json_array_get(item, 0) : item;

		scd_names_add(&names, scd_str_from(json_string_value(name)), c->arena);
	}
	scd_buf_init(&expected, TEXT_BYTES);
	scd_buf_init(&text, TEXT_BYTES);
	for (i = 0; i < names.count; i++)
		scd_buf_printf(&expected, SCD_STR_FMT "; ", SCD_STR_ARG(names.items[i]));
	for (i = 0; i < got->count; i++)
		scd_buf_printf(&text, SCD_STR_FMT "; ", SCD_STR_ARG(got->items[i]));
	pass = vectors_expect_str(c, key, scd_buf_str(&expected), scd_buf_str(&text));
	scd_buf_done(&expected);
	scd_buf_done(&text);
	return pass;
}

static bool parse_condition(struct vectors_case *c, const struct scd_ast **ret_ast)
{
	struct scd_ast_error error;
	struct scd_str text;

	if (!vectors_get_str(c, "condition", &text))
		return false;
	return scd_ast_parse(text, SCD_LIMIT_RULE_PARSE_DEPTH, c->arena, ret_ast, &error) == 0 ||
	       vectors_fail(c, "is refused: %s", error.what);
}

bool vectors_macro(struct vectors_case *c)
{
	struct macros macros = { .c = c };
	const struct scd_ast *ast;
	struct scd_str canonical, got;

	if (!parse_condition(c, &ast) || !vectors_get_str(c, "canonical", &canonical))
		return false;
	if (scd__resolve_macros(ast, parse_macro, &macros, c->arena, &ast) < 0 ||
	    scd_ast_print(ast, c->arena, &got) < 0)
		return vectors_fail(c, "cannot be resolved");
	return vectors_expect_str(c, "canonical", canonical, got) && expect_names(c, "resolved", &macros.resolved) &&
	       expect_names(c, "unknown", &macros.unknown);
}

/* Details. */

static bool is_in(struct vectors_case *c, const char *key, struct scd_str name)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(c->json, key), i, item)
	{
		if (scd_str_is(name, json_string_value(item)))
			return true;
	}
	return false;
}

static bool is_macro(void *user, struct scd_str name)
{
	return is_in(user, "known_macros", name);
}

static bool is_list(void *user, struct scd_str name)
{
	return is_in(user, "known_lists", name);
}

bool vectors_details(struct vectors_case *c)
{
	const struct scd_known known = { is_macro, is_list, c };
	struct scd_details details = { 0 };
	const struct scd_ast *ast;

	if (!parse_condition(c, &ast))
		return false;
	if (scd_details_add(&details, ast, &known, c->arena) < 0)
		return vectors_fail(c, "no memory");
	return expect_names(c, "fields", &details.fields) && expect_names(c, "macros", &details.macros) &&
	       expect_names(c, "operators", &details.operators) && expect_names(c, "lists", &details.lists) &&
	       expect_names(c, "transformers", &details.transformers);
}
