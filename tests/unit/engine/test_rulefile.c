/*
 * Items that change earlier ones, exceptions, requirements, and which rules are on: what comes of them, and what is
 * said to mistakes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/engine/ruleset.h"
#include "seccheckd/lang/ast.h"

#define RULE(name, condition) \
	"- rule: " name "\n  desc: d\n  priority: WARNING\n  output: o\n  condition: " condition "\n"
#define OPEN RULE("A", "evt.type = open")

struct world {
	struct scd_diags diags;
	struct scd_ruleset *set;
	struct scd_arena arena;
};

static void load(struct world *world, const char *yaml, const struct scd_ruleset_options *options)
{
	struct scd_ruleset_options plain = { .minimum_priority = SCD_PRIORITY_DEBUG, .keep_conditions = true };
	struct scd_loader *loader;

	memset(world, 0, sizeof(*world));
	scd_diags_init(&world->diags);
	scd_arena_init(&world->arena, 4096, 1u << 20);
	loader = scd_loader_new(&world->diags);
	assert_non_null(loader);
	scd_loader_add_text(loader, scd_str_from(yaml), "test.yaml");
	scd_loader_build(loader, options ? options : &plain, &world->set);
	scd_loader_free(&loader);
}

static void unload(struct world *world)
{
	scd_ruleset_unref(&world->set);
	scd_diags_done(&world->diags);
	scd_arena_done(&world->arena);
}

static const struct scd_diag *find(const struct world *world, enum scd_diag_code code, const char *what)
{
	for (size_t i = 0; i < world->diags.count; i++)
		if (world->diags.items[i].code == code && strstr(world->diags.items[i].what, what))
			return &world->diags.items[i];
	return NULL;
}

struct finding {
	const char *name, *yaml;
	enum scd_diag_code code;
	unsigned line, column; /* 0: not looked at */
	const char *what;
};

static void check(const struct finding *row, bool loads)
{
	const struct scd_diag *diag;
	struct world world;

	load(&world, row->yaml, NULL);
	diag = find(&world, row->code, row->what);
	if (!diag || (world.set != NULL) != loads || (row->line && diag->line != row->line) ||
	    (row->column && diag->column != row->column)) {
		scd_diags_print(&world.diags, stderr);
		fail_msg("%s: wanted '%s' at %u:%u", row->name, row->what, row->line, row->column);
	}
	unload(&world);
}

static void test_mistakes__are_told_where_they_are(void **state)
{
	static const struct finding rows[] = {
		{ "override that appends a priority",
		  OPEN "- rule: A\n  priority: INFO\n  override: {priority: append}\n", SCD_DIAG_ERR_YAML_VALIDATE, 8,
		  24, "Key 'priority' cannot be appended to, use 'replace' instead" },
		{ "override of the source", OPEN "- rule: A\n  source: syscall\n  override: {source: replace}\n",
		  SCD_DIAG_ERR_YAML_VALIDATE, 8, 0, "Key 'source' cannot be replaced" },
		{ "override of another kind", OPEN "- rule: A\n  tags: [a]\n  override: {tags: add}\n",
		  SCD_DIAG_ERR_YAML_VALIDATE, 8, 0,
		  "Invalid override operation for key 'tags': 'add'. Allowed values are 'append' or 'replace'." },
		{ "a key that is not overridden",
		  OPEN "- rule: A\n  desc: e\n  tags: [a]\n  override: {tags: append}\n", SCD_DIAG_ERR_YAML_VALIDATE, 7,
		  9, "Unexpected key 'desc': no corresponding entry under 'override' is defined." },
		{ "an override of nothing", OPEN "- rule: A\n  override: {desc: append}\n", SCD_DIAG_ERR_YAML_VALIDATE,
		  6, 3, "An append override for 'desc' was specified but 'desc' is not defined" },
		{ "append and override",
		  OPEN "- rule: A\n  condition: and a\n  append: true\n  override: {condition: append}\n",
		  SCD_DIAG_ERR_YAML_VALIDATE, 0, 0, "Keys 'override' and 'append: true' cannot be used together" },
		{ "append of nothing", OPEN "- rule: A\n  append: true\n", SCD_DIAG_ERR_VALIDATE, 6, 3,
		  "Appended rule must have exceptions or condition property" },
		{ "append to no rule", "- rule: A\n  condition: and a\n  append: true\n", SCD_DIAG_ERR_VALIDATE, 1, 3,
		  "Rule uses 'append' or 'override.<key>: append' but no rule by that name already exists" },
		{ "replace of no rule", "- rule: A\n  condition: a\n  override: {condition: replace}\n",
		  SCD_DIAG_ERR_VALIDATE, 1, 3, "no rule by that name already exists" },
		{ "append to no list", "- list: l\n  items: []\n  append: true\n", SCD_DIAG_ERR_VALIDATE, 1, 3,
		  "List uses 'append' or 'override.items: append' but no list by that name already exists" },
		{ "another source", OPEN "- rule: A\n  condition: and a\n  source: k8s\n  append: true\n",
		  SCD_DIAG_ERR_VALIDATE, 8, 11, "Rule has been re-defined with a different source" },
		{ "exception without fields", RULE("A", "evt.type = open") "  exceptions:\n    - name: e\n",
		  SCD_DIAG_ERR_YAML_VALIDATE, 7, 7, "Item has no mapping for key 'fields'" },
		{ "exception of no field", OPEN "  exceptions:\n    - name: e\n      fields: [proc.nix]\n",
		  SCD_DIAG_ERR_VALIDATE, 8, 16, "'proc.nix' is not a supported filter field" },
		{ "exception with too few operators",
		  OPEN "  exceptions:\n    - {name: e, fields: [proc.name, fd.name], comps: [=]}\n",
		  SCD_DIAG_ERR_VALIDATE, 7, 0, "Fields and comps lists must have equal length" },
		{ "exception with too few values",
		  OPEN
		  "  exceptions:\n    - name: e\n      fields: [proc.name, fd.name]\n      values: [[a, b], [c]]\n",
		  SCD_DIAG_ERR_VALIDATE, 9, 24, "Fields and values lists must have equal length" },
		{ "exception of one field with operators of several",
		  OPEN "  exceptions:\n    - {name: e, fields: proc.name, comps: =}\n", SCD_DIAG_ERR_VALIDATE, 7, 0,
		  "When fields is a single value, comps must be one of (in, pmatch, intersects)" },
		{ "exception of one field with values of several",
		  OPEN "  exceptions:\n    - {name: e, fields: proc.name, values: [[a]]}\n", SCD_DIAG_ERR_VALIDATE, 7,
		  0, "Expected values array to contain a list of strings" },
		{ "append of fields to an exception",
		  OPEN "  exceptions:\n    - {name: e, fields: proc.name}\n- rule: A\n  append: true\n  exceptions:\n"
		       "    - {name: e, fields: fd.name, values: [a]}\n",
		  SCD_DIAG_ERR_VALIDATE, 11, 0, "Can not append exception fields to existing exception, only values" },
		{ "a plugin that is older", "- required_plugin_versions:\n  - {name: container, version: 0.5.0}\n",
		  SCD_DIAG_ERR_VALIDATE, 2, 0,
		  "Plugin requirement not satisfied, must load one of: container (>= 0.5.0)" },
		{ "a plugin twice",
		  "- required_plugin_versions:\n  - {name: a, version: 0.1.0, alternatives: [{name: a, version: "
		  "0.2.0}]}\n",
		  SCD_DIAG_ERR_YAML_VALIDATE, 2, 0, "Duplicate plugin 'a'" },
		{ "behind a list, in the second line",
		  "- list: l\n  items: [cat, a-long-name]\n" RULE("A", ">\n    proc.name in (l)\n    and proc.nix = x"),
		  SCD_DIAG_ERR_COMPILE_CONDITION, 9, 9, "proc.nix" },
		{ "in an output that was appended",
		  OPEN "- rule: A\n  output: >\n    p %proc.name\n    %5proc.nix\n  override: {output: append}\n",
		  SCD_DIAG_ERR_COMPILE_OUTPUT, 9, 7, "proc.nix" },
		{ "in what was appended", OPEN "- rule: A\n  condition: and proc.nix = x\n  append: true\n",
		  SCD_DIAG_ERR_COMPILE_CONDITION, 7, 18, "proc.nix" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		check(&rows[i], false);
}

static void test_warnings__are_told(void **state)
{
	static const struct finding rows[] = {
		{ "append", "- list: l\n  items: [a]\n- list: l\n  items: [b]\n  append: true\n",
		  SCD_DIAG_DEPRECATED_ITEM, 5, 0, "'append' key is deprecated" },
		{ "an exception twice",
		  OPEN "  exceptions:\n    - {name: e, fields: proc.name}\n"
		       "    - {name: e, fields: fd.name}\n",
		  SCD_DIAG_EXCEPTION_NAME_NOT_UNIQUE, 8, 0, "Multiple definitions of exception 'e'" },
		{ "an unknown key of an exception",
		  OPEN "  exceptions:\n    - {name: e, fields: proc.name, value: x}\n", SCD_DIAG_UNKNOWN_KEY, 7, 0,
		  "Unknown key 'value'" },
		{ "an exception that adds nothing",
		  OPEN "  exceptions:\n    - {name: e, fields: proc.name}\n- rule: A\n  exceptions: [{name: e}]\n"
		       "  override: {exceptions: append}\n",
		  SCD_DIAG_APPEND_NO_VALUES, 9, 0, "Overriding/appending exception with no values" },
		{ "container.info",
		  "- rule: A\n  desc: d\n  priority: INFO\n  output: o %container.info\n"
		  "  condition: evt.type = open\n",
		  SCD_DIAG_DEPRECATED_ITEM, 4, 0, "container.info" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		check(&rows[i], true);
}

/* One rule, and what its condition becomes. */
static void test_conditions__have_what_was_written_of_them(void **state)
{
	static const struct {
		const char *yaml, *condition;
	} rows[] = {
		{ OPEN "- rule: A\n  condition: and proc.name = a or proc.name = b\n  append: true\n",
		  "((evt.type = open and proc.name = a) or proc.name = b)" },
		{ OPEN "- rule: A\n  condition: evt.type = close\n  tags: [b]\n"
		       "  override: {condition: replace, tags: append}\n",
		  "evt.type = close" },
		{ RULE("A",
		       "evt.type = open or evt.type = close") "  exceptions:\n"
		                                              "    - {name: e, fields: proc.name, values: [a, b c]}\n",
		  "((evt.type = open or evt.type = close) and not proc.name in (a, \"b c\"))" },
		{ OPEN "  exceptions:\n    - name: e\n      fields: [proc.name, fd.name]\n      comps: [=, in]\n"
		       "      values: [[a, [/b, /c]], [d, /e], [f, (/g)]]\n",
		  "(evt.type = open and not ((proc.name = a and fd.name in (/b, /c)) or (proc.name = d and fd.name in "
		  "(/e)) or (proc.name = f and fd.name in (/g))))" },
		{ OPEN "  exceptions:\n    - {name: e, fields: proc.name}\n", "evt.type = open" },
		{ OPEN "  exceptions:\n    - {name: e, fields: proc.name}\n- rule: A\n  append: true\n  exceptions:\n"
		       "    - {name: e, values: [a]}\n    - {name: f, fields: fd.name, comps: pmatch, values: [/b]}\n",
		  "(evt.type = open and not proc.name in (a) and not fd.name pmatch (/b))" },
		{ OPEN "  exceptions:\n    - {name: e, fields: proc.name, values: [a]}\n- rule: A\n  exceptions:\n"
		       "    - {name: f, fields: fd.name, values: [b]}\n  override: {exceptions: replace}\n",
		  "(evt.type = open and not fd.name in (b))" },
		{ "- list: l\n  items: [a]\n- list: l\n  items: [b]\n  override: {items: append}\n" RULE(
		          "A", "proc.name in (l)"),
		  "proc.name in (a, b)" },
		{ "- macro: m\n  condition: evt.type = open\n" RULE(
		          "A", "m") "- macro: m\n  condition: or evt.type = close\n  append: true\n",
		  "(evt.type = open or evt.type = close)" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd_str text;
		struct world world;

		load(&world, rows[i].yaml, NULL);
		if (!world.set)
			scd_diags_print(&world.diags, stderr);
		assert_non_null(world.set);
		assert_int_equal(scd_ast_print(scd_ruleset_rule(world.set, 0)->condition, &world.arena, &text), 0);
		if (!scd_str_is(text, rows[i].condition))
			fail_msg("got " SCD_STR_FMT, SCD_STR_ARG(text));
		unload(&world);
	}
}

static void test_override__changes_what_it_names_and_nothing_else(void **state)
{
	const struct scd_rule *rule;
	struct world world;

	(void)state;
	load(&world,
	     OPEN "- rule: A\n  desc: more\n  output: p\n  priority: Info\n  tags: [t]\n  enabled: no\n"
	          "  override: {desc: append, output: append, priority: replace, tags: append, enabled: replace}\n",
	     NULL);
	assert_non_null(world.set);
	rule = scd_ruleset_rule(world.set, 0);
	assert_true(scd_str_is(rule->desc, "d more"));
	assert_true(scd_str_is(rule->output_text, "o p"));
	assert_int_equal(rule->priority, SCD_PRIORITY_INFORMATIONAL);
	assert_int_equal(rule->tag_count, 1);
	assert_false(rule->enabled);
	assert_int_equal(rule->line, 1);
	unload(&world);
}

static void test_switches__are_applied_in_order(void **state)
{
	static const struct scd_rule_switch switches[] = {
		{ false, SCD_RULE_SWITCH_NAME, SCD_STR_INIT("*") },
		{ true, SCD_RULE_SWITCH_TAG, SCD_STR_INIT("net") },
		{ false, SCD_RULE_SWITCH_SUBSTRING, SCD_STR_INIT("wo") },
		{ true, SCD_RULE_SWITCH_NAME, SCD_STR_INIT("Thr*") },
	};
	struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG,
		                               .switches = switches,
		                               .switch_count = SCD_COUNT(switches) };
	static const bool expected[] = { true, false, true, false };
	struct world world;

	(void)state;
	load(&world,
	     RULE("One", "evt.type = open") "  tags: [net]\n" RULE("Two", "evt.type = open") "  tags: [net]\n" RULE(
	             "Three", "evt.type = open") "  enabled: false\n" RULE("Four", "evt.type = open"),
	     &options);
	assert_non_null(world.set);
	for (size_t i = 0; i < SCD_COUNT(expected); i++)
		assert_int_equal(scd_ruleset_rule(world.set, i)->enabled, expected[i]);
	unload(&world);
	options.minimum_priority = SCD_PRIORITY_ERROR;
	load(&world, RULE("Three", "evt.type = open"), &options);
	assert_false(scd_ruleset_rule(world.set, 0)->enabled);
	unload(&world);
}

static void test_extra_outputs__go_where_they_match(void **state)
{
	static const struct scd_str tags[] = { SCD_STR_INIT("x"), SCD_STR_INIT("y") };
	static const struct scd_extra_output extras[] = {
		{ .text = SCD_STR_INIT("all") },
		{ .tags = tags, .tag_count = 2, .text = SCD_STR_INIT("tagged") },
		{ .rule = SCD_STR_INIT("B"), .text = SCD_STR_INIT("b=%proc.name") },
		{ .source = SCD_STR_INIT("other"), .text = SCD_STR_INIT("never") },
	};
	const struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG,
		                                     .extra_outputs = extras,
		                                     .extra_output_count = SCD_COUNT(extras) };
	struct world world;

	(void)state;
	load(&world, OPEN "  tags: [y, x, z]\n" RULE("B", "evt.type = open") "  tags: [x]\n", &options);
	assert_non_null(world.set);
	assert_true(scd_str_is(scd_ruleset_rule(world.set, 0)->output_text, "o all tagged"));
	assert_true(scd_str_is(scd_ruleset_rule(world.set, 1)->output_text, "o all b=%proc.name"));
	unload(&world);
}

static void test_findings__show_the_line(void **state)
{
	const struct scd_diag *diag;
	struct world world;

	(void)state;
	load(&world, RULE("A", ">\n    evt.type = open\n    and proc.nix = x"), NULL);
	diag = &world.diags.items[0];
	assert_string_equal(diag->quote, "    and proc.nix = x");
	assert_int_equal(diag->quote_at, 8);
	unload(&world);
}

/* Hostile files: a great many appends cost what they are long, and not its square. */
static void test_hostile__many_appends_load(void **state)
{
	struct world world;
	struct scd_buf yaml;

	(void)state;
	scd_buf_init(&yaml, 1u << 24);
	scd_buf_printf(&yaml, "- macro: m\n  condition: evt.type = open\n- list: l\n  items: []\n" RULE(
	                              "A", "m and proc.name in (l)"));
	for (int i = 0; i < 10000; i++)
		scd_buf_printf(&yaml,
		               "- macro: m\n  condition: or fd.num = %d\n  append: true\n"
		               "- list: l\n  items: [a%d]\n  append: true\n",
		               i, i);
	load(&world, yaml.data, NULL);
	assert_non_null(world.set);
	unload(&world);
	scd_buf_done(&yaml);
}

/* Begins a rule, repeats a line, and says how it ended; text is a part of an error, or NULL: it loads. */
static void check_repeated(const char *begin, const char *line, unsigned count, const char *text)
{
	struct world world;
	struct scd_buf yaml;

	scd_buf_init(&yaml, 1u << 26);
	scd_buf_append_str(&yaml, scd_str_from(begin));
	for (unsigned i = 0; i < count; i++) {
		scd_buf_append_str(&yaml, scd_str_from(line));
		scd_buf_printf(&yaml, "%u\n", i);
	}
	load(&world, yaml.data, NULL);
	if (text)
		assert_non_null(find(&world, SCD_DIAG_ERR_VALIDATE, text));
	assert_int_equal(world.set != NULL, text == NULL);
	unload(&world);
	scd_buf_done(&yaml);
}

static void test_hostile__a_rule_has_so_many_tags_and_exceptions(void **state)
{
	static const char exception[] = "    - fields: proc.name\n      values: [a]\n      name: e";

	(void)state;
	check_repeated(OPEN "  tags:\n", "    - t", 1000, NULL);
	check_repeated(OPEN "  tags:\n", "    - t", 1001, "a rule has more than 1000 tags");
	check_repeated(OPEN "  exceptions:\n", exception, 1000, NULL);
	check_repeated(OPEN "  exceptions:\n", exception, 1001, "a rule has more than 1000 exceptions");
	check_repeated(OPEN, "- rule: A\n  override: {tags: append}\n  tags: [a, b]\n- list: l\n  items: []\n# ", 2000,
	               NULL);
}

/* Each is a field of its own. */
static void test_hostile__an_output_of_many_fields_loads(void **state)
{
	struct world world;
	struct scd_buf yaml;

	(void)state;
	scd_buf_init(&yaml, 1u << 24);
	scd_buf_append_str(&yaml, SCD_STR("- rule: A\n  desc: d\n  priority: INFO\n  condition: evt.type = open\n"
	                                  "  output: o"));
	for (int i = 0; i < 100000; i++)
		scd_buf_printf(&yaml, " %%proc.aname[%d]", i);
	load(&world, yaml.data, NULL);
	assert_non_null(world.set);
	unload(&world);
	scd_buf_done(&yaml);
}

/* One text of 64 KiB, named again by aliases: what it would be in full is never put together. */
static void test_hostile__values_that_are_aliases_of_one_text_are_refused(void **state)
{
	struct world world;
	struct scd_buf yaml;

	(void)state;
	scd_buf_init(&yaml, 1u << 26);
	scd_buf_append_str(&yaml, SCD_STR(OPEN "  exceptions:\n    - name: e\n      fields: proc.name\n"
	                                       "      values:\n        - &a "));
	for (int i = 0; i < 65536; i++)
		scd_buf_append_char(&yaml, 'x');
	scd_buf_append_char(&yaml, '\n');
	for (int i = 0; i < 2000; i++)
		scd_buf_append_str(&yaml, SCD_STR("        - *a\n"));
	load(&world, yaml.data, NULL);
	assert_null(world.set);
	assert_true(world.diags.error_count > 0);
	unload(&world);
	scd_buf_done(&yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mistakes__are_told_where_they_are),
		cmocka_unit_test(test_warnings__are_told),
		cmocka_unit_test(test_conditions__have_what_was_written_of_them),
		cmocka_unit_test(test_override__changes_what_it_names_and_nothing_else),
		cmocka_unit_test(test_switches__are_applied_in_order),
		cmocka_unit_test(test_extra_outputs__go_where_they_match),
		cmocka_unit_test(test_findings__show_the_line),
		cmocka_unit_test(test_hostile__many_appends_load),
		cmocka_unit_test(test_hostile__a_rule_has_so_many_tags_and_exceptions),
		cmocka_unit_test(test_hostile__an_output_of_many_fields_loads),
		cmocka_unit_test(test_hostile__values_that_are_aliases_of_one_text_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
