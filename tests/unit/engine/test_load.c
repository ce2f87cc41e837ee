/*
 * Loading rule files: what is accepted, and for each mistake which error is reported where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"
#include "tests/support/rules.h"

#define RULE(name) "- rule: " name "\n  desc: d\n  priority: WARNING\n  output: o\n"

struct row {
	const char *name;
	const char *yaml;
	enum scd_diag_code code;
	unsigned line, column; /* 0: not looked at */
	const char *what;      /* a part of the message */
};

static const struct scd_diag *find(const struct scd_diags *diags, const struct row *row)
{
	for (size_t i = 0; i < diags->count; i++) {
		const struct scd_diag *diag = &diags->items[i];
		if (diag->code == row->code && strstr(diag->what, row->what) &&
		    (!row->line || diag->line == row->line) && (!row->column || diag->column == row->column))
			return diag;
	}
	return NULL;
}

static void check(const struct row *row, bool loads)
{
	struct scd_diags diags;
	scd_diags_init(&diags);
	struct scd_ruleset *set = rules_load(row->yaml, &diags);
	if ((set != NULL) != loads || !find(&diags, row)) {
		scd_diags_print(&diags, stderr);
		fail_msg("%s: %s, wanted %s at %u:%u '%s'", row->name, set ? "loaded" : "refused",
		         scd_diag_code_name(row->code), row->line, row->column, row->what);
	}
	assert_string_equal(diags.items[0].file, "test.yaml");
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
}

static void test_errors__have_code_and_place(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "not a sequence", "rule: x\n", SCD_DIAG_ERR_YAML_PARSE, 1, 1, "not yaml array" },
		{ "scalar item", "- x\n", SCD_DIAG_ERR_YAML_VALIDATE, 1, 3, "Unexpected element type" },
		{ "broken yaml", "- rule: [\n", SCD_DIAG_ERR_YAML_PARSE, 2, 0, "" },
		{ "no output", "- rule: A\n  desc: d\n  priority: INFO\n  condition: evt.type = open\n",
		  SCD_DIAG_ERR_YAML_VALIDATE, 1, 3, "no mapping for key 'output'" },
		{ "empty condition", RULE("A") "  condition:\n", SCD_DIAG_ERR_YAML_VALIDATE, 5, 0,
		  "'condition' is empty" },
		{ "condition is a list", RULE("A") "  condition: [a]\n", SCD_DIAG_ERR_YAML_VALIDATE, 5, 14,
		  "not a scalar" },
		{ "priority", "- rule: A\n  desc: d\n  output: o\n  priority: HIGH\n  condition: evt.type = open\n",
		  SCD_DIAG_ERR_YAML_VALIDATE, 4, 13, "Invalid priority" },
		{ "enabled", RULE("A") "  enabled: maybe\n  condition: evt.type = open\n", SCD_DIAG_ERR_YAML_VALIDATE,
		  5, 12, "enabled" },
		{ "tags", RULE("A") "  tags: x\n  condition: evt.type = open\n", SCD_DIAG_ERR_YAML_VALIDATE, 5, 9,
		  "not a sequence" },
		{ "items missing", "- list: l\n", SCD_DIAG_ERR_YAML_VALIDATE, 1, 3, "'items'" },
		{ "items of maps", "- list: l\n  items: [{a: b}]\n", SCD_DIAG_ERR_YAML_VALIDATE, 2, 11, "not scalar" },
		{ "enable an unknown rule", "- rule: X\n  enabled: false\n", SCD_DIAG_ERR_VALIDATE, 1, 3,
		  "already exists" },
		{ "engine too new", "- required_engine_version: 0.64.0\n", SCD_DIAG_ERR_VALIDATE, 1, 3, "0.64.0" },
		{ "engine newer by a patch", "- required_engine_version: 0.63.1\n", SCD_DIAG_ERR_VALIDATE, 1, 3,
		  "0.63.1, but engine version is 0.63.0" },
		{ "engine by number", "- required_engine_version: 64\n", SCD_DIAG_ERR_VALIDATE, 1, 3, "64" },
		{ "engine of another major", "- required_engine_version: 1.0.0\n", SCD_DIAG_ERR_VALIDATE, 1, 3,
		  "1.0.0" },
		{ "engine as text", "- required_engine_version: new\n", SCD_DIAG_ERR_YAML_VALIDATE, 1, 3, "semver" },
		{ "plugin", "- required_plugin_versions:\n  - name: k8saudit\n    version: 0.1.0\n",
		  SCD_DIAG_ERR_VALIDATE, 2, 5, "Plugin" },
		{ "syntax", RULE("A") "  condition: evt.type =\n", SCD_DIAG_ERR_COMPILE_CONDITION, 5, 0, "" },
		{ "syntax in a folded text",
		  RULE("A") "  condition: >\n    evt.type = open and\n    proc.name = x or or\n",
		  SCD_DIAG_ERR_COMPILE_CONDITION, 7, 0, "" },
		{ "unknown field", RULE("A") "  condition: proc.nam = x\n", SCD_DIAG_ERR_COMPILE_CONDITION, 5, 14,
		  "proc.nam" },
		{ "unknown field, second line", RULE("A") "  condition: >\n    evt.type = open and\n    proc.nam = x\n",
		  SCD_DIAG_ERR_COMPILE_CONDITION, 7, 5, "proc.nam" },
		{ "unknown event type", RULE("A") "  condition: evt.type = opn\n", SCD_DIAG_ERR_COMPILE_CONDITION, 5,
		  25, "opn" },
		{ "undefined macro", RULE("A") "  condition: evt.type = open and nix\n", SCD_DIAG_ERR_COMPILE_CONDITION,
		  5, 34, "Undefined macro 'nix'" },
		{ "macro that sees itself", "- macro: m\n  condition: m\n" RULE("A") "  condition: m\n",
		  SCD_DIAG_ERR_COMPILE_CONDITION, 2, 14, "macro 'm'" },
		{ "error inside a macro", "- macro: m\n  condition: proc.nam = x\n" RULE("A") "  condition: m\n",
		  SCD_DIAG_ERR_COMPILE_CONDITION, 2, 14, "used by rule 'A'" },
		{ "number", RULE("A") "  condition: proc.pid = one\n", SCD_DIAG_ERR_COMPILE_CONDITION, 5, 25,
		  "one is not a valid" },
		{ "hex number", RULE("A") "  condition: proc.pid = 0x10\n", SCD_DIAG_ERR_COMPILE_CONDITION, 5, 0,
		  "0x10" },
		{ "address", RULE("A") "  condition: fd.sip = 1.2.3\n", SCD_DIAG_ERR_COMPILE_CONDITION, 5, 0, "1.2.3" },
		{ "net without bits", RULE("A") "  condition: fd.snet = \"10.0.0.0\"\n", SCD_DIAG_ERR_COMPILE_CONDITION,
		  5, 0, "10.0.0.0" },
		{ "net with too many bits", RULE("A") "  condition: fd.snet = \"10.0.0.0/33\"\n",
		  SCD_DIAG_ERR_COMPILE_CONDITION, 5, 0, "/33" },
		{ "port", RULE("A") "  condition: fd.sport = 65536\n", SCD_DIAG_ERR_COMPILE_CONDITION, 5, 0, "65536" },
		{ "service that only this host may know", RULE("A") "  condition: fd.sport in (http, tcpmux)\n",
		  SCD_DIAG_ERR_COMPILE_CONDITION, 5, 0, "tcpmux is not a valid value of type PORT" },
		{ "operator for type", RULE("A") "  condition: proc.pid contains 1\n", SCD_DIAG_ERR_COMPILE_CONDITION,
		  5, 0, "'contains' operator not supported" },
		{ "argument missing", RULE("A") "  condition: evt.arg = 1\n", SCD_DIAG_ERR_COMPILE_CONDITION, 5, 14,
		  "evt.arg" },
		{ "argument not allowed", RULE("A") "  condition: proc.name[1] = a\n", SCD_DIAG_ERR_COMPILE_CONDITION,
		  5, 14, "proc.name" },
		{ "output field",
		  "- rule: A\n  desc: d\n  priority: INFO\n  output: a %proc.nix b\n  condition: evt.type = open\n",
		  SCD_DIAG_ERR_COMPILE_OUTPUT, 4, 14, "proc.nix" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], false);
}

static void test_warnings__do_not_stop_loading(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "unknown key", RULE("A") "  condition: evt.type = open\n  colour: red\n", SCD_DIAG_UNKNOWN_KEY, 6, 3,
		  "colour" },
		{ "unknown item", "- thing: x\n", SCD_DIAG_UNKNOWN_ITEM, 1, 3, "" },
		{ "unused macro", "- macro: m\n  condition: evt.type = open\n", SCD_DIAG_UNUSED_MACRO, 1, 3, "" },
		{ "unused list", "- list: l\n  items: []\n", SCD_DIAG_UNUSED_LIST, 1, 3, "" },
		{ "no event type", RULE("A") "  condition: proc.name = x\n", SCD_DIAG_NO_EVTTYPE, 5, 0, "" },
		{ "other source", RULE("A") "  source: k8s_audit\n  condition: ka.verb = x\n", SCD_DIAG_UNKNOWN_SOURCE,
		  1, 3, "k8s_audit" },
		{ "list name", "- list: 'a b'\n  items: []\n", SCD_DIAG_INVALID_LIST_NAME, 1, 3,
		  "List names should match a regular expression: " },
		{ "macro name", "- macro: a-b\n  condition: evt.type = open\n", SCD_DIAG_INVALID_MACRO_NAME, 1, 3,
		  "Macro names should match a regular expression: " },
		{ "comment in a condition",
		  RULE("A") "  condition: >\n    evt.type = open # why\n    and fd.name = x\n",
		  SCD_DIAG_COMPILE_CONDITION, 6, 21, "comment" },
		{ "standalone enabled", RULE("A") "  condition: evt.type = open\n- rule: A\n  enabled: false\n",
		  SCD_DIAG_DEPRECATED_ITEM, 6, 3, "" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], true);
}

#define SKIPPING(condition) RULE("A") "  skip-if-unknown-filter: true\n  condition: " condition "\n"

static void test_skip_if_unknown_filter__leaves_the_rule_out_with_a_warning(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "field", SKIPPING("evt.type = open and proc.nam = x"), SCD_DIAG_UNKNOWN_FILTER, 6, 34, "proc.nam" },
		{ "event type", SKIPPING("evt.type in (open, opn)"), SCD_DIAG_UNKNOWN_FILTER, 6, 0, "opn" },
		{ "event type as a field", SKIPPING("evt.type.is.opn = 1"), SCD_DIAG_UNKNOWN_FILTER, 6, 0, "opn" },
		{ "field in a macro", "- macro: m\n  condition: proc.nam = x\n" SKIPPING("m"), SCD_DIAG_UNKNOWN_FILTER,
		  2, 14, "used by rule 'A'" },
		{ "field in the output",
		  "- rule: A\n  desc: d\n  priority: INFO\n  output: '%proc.nam'\n  skip-if-unknown-filter: true\n"
		  "  condition: evt.type = open\n",
		  SCD_DIAG_UNKNOWN_FILTER, 4, 0, "proc.nam" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], true);
}

static void test_skip_if_unknown_filter__forgives_nothing_else(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "said to be false", RULE("A") "  skip-if-unknown-filter: false\n  condition: proc.nam = x\n",
		  SCD_DIAG_ERR_COMPILE_CONDITION, 6, 14, "proc.nam" },
		{ "syntax", SKIPPING("proc.nam ="), SCD_DIAG_ERR_COMPILE_CONDITION, 6, 0, "" },
		{ "argument", SKIPPING("proc.name[1] = x"), SCD_DIAG_ERR_COMPILE_CONDITION, 6, 0, "proc.name" },
		{ "parameter", SKIPPING("evt.arg.nosuch = x"), SCD_DIAG_ERR_COMPILE_CONDITION, 6, 0, "nosuch" },
		{ "value", SKIPPING("proc.pid = x"), SCD_DIAG_ERR_COMPILE_CONDITION, 6, 0, "x is not" },
		{ "macro", SKIPPING("nix"), SCD_DIAG_ERR_COMPILE_CONDITION, 6, 0, "Undefined macro" },
		{ "pattern", SKIPPING("proc.name regex '('"), SCD_DIAG_ERR_COMPILE_CONDITION, 6, 0, "missing )" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check(&rows[i], false);
}

static void test_skip_if_unknown_filter__takes_nothing_from_the_other_rules(void **state)
{
	(void)state;
	struct scd_diags diags;
	scd_diags_init(&diags);
	struct scd_ruleset *set = rules_load(
	        "- macro: m\n  condition: evt.type = open\n" RULE("B") "  condition: evt.type = open\n" SKIPPING(
	                "m and proc.nam = x") RULE("C") "  condition: evt.type = creat\n",
	        &diags);
	assert_non_null(set);
	assert_int_equal(diags.count, 1);
	assert_int_equal(scd_ruleset_rule_count(set), 2);
	assert_true(scd_str_is(scd_ruleset_rule(set, 0)->name, "B"));
	assert_true(scd_str_is(scd_ruleset_rule(set, 1)->name, "C"));
	assert_int_equal(scd_ruleset_rule(set, 1)->index, 1);
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
}

static void test_reads_env__when_an_enabled_rule_compares_or_shows_one(void **state)
{
	(void)state;
#define SHOWING(output) "- rule: A\n  desc: d\n  priority: INFO\n  output: '" output "'\n  condition: evt.type = open\n"
	static const struct {
		const char *yaml;
		bool reads;
	} rows[] = {
		{ RULE("A") "  condition: evt.type = open\n", false },
		{ RULE("A") "  condition: evt.type = open and proc.env contains x\n", true },
		{ RULE("A") "  condition: evt.type = open and proc.aenv[HOME] = x\n", true },
		{ RULE("A") "  condition: evt.type = execve and evt.arg.env contains x\n", true },
		{ RULE("A") "  condition: evt.type = execve and evt.arg.exe contains env\n", false },
		{ RULE("A") "  enabled: false\n  condition: proc.env contains x\n", false },
		{ SKIPPING("proc.env contains x and proc.nam = x"), false },
		{ "- macro: m\n  condition: proc.env exists\n" RULE("A") "  condition: evt.type = open and m\n", true },
		{ "- macro: m\n  condition: proc.env exists\n" RULE("A") "  condition: evt.type = open\n", false },
		{ SHOWING("%proc.env[HOME]"), true },
		{ SHOWING("%proc.name %evt.rawarg.env"), true },
		{ SHOWING("%evt.args"), false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_diags diags;
		scd_diags_init(&diags);
		struct scd_ruleset *set = rules_load(rows[i].yaml, &diags);
		assert_non_null(set);
		if (scd_ruleset_reads_env(set) != rows[i].reads)
			fail_msg("%s", rows[i].yaml);
		scd_ruleset_unref(&set);
		scd_diags_done(&diags);
	}
}

/* The line after a comment still counts, though YAML folds it onto the comment's line. */
static void test_comment__hides_its_own_line_only(void **state)
{
	(void)state;
	static const struct {
		const char *condition;
		bool loads;
	} rows[] = {
		{ ">\n    evt.type = open # why\n    and proc.nam = x\n", false },
		{ "|\n    evt.type = open # why # twice\n    # and a whole line\n    and proc.name = x\n", true },
		{ ">\n    evt.type = open and # why\n    proc.name = x\n", true },
		{ ">\n    evt.type = open and proc.name = #x\n", true },
		{ ">\n    evt.type = open and proc.name in (a, # first\n    b)\n", false },
		{ "\"evt.type = open # why\"\n", false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_diags diags;
		struct scd_buf yaml;
		scd_diags_init(&diags);
		scd_buf_init(&yaml, 1 << 16);
		scd_buf_printf(&yaml, RULE("A") "  condition: %s", rows[i].condition);
		struct scd_ruleset *set = rules_load(yaml.data, &diags);
		if ((set != NULL) != rows[i].loads)
			fail_msg("%s: %s", rows[i].condition, set ? "loaded" : "refused");
		scd_ruleset_unref(&set);
		scd_buf_done(&yaml);
		scd_diags_done(&diags);
	}
}

static void test_errors__all_of_a_file_are_shown(void **state)
{
	(void)state;
	struct scd_diags diags;
	scd_diags_init(&diags);
	assert_null(rules_load("- x\n" RULE("A") "  condition: proc.a = 1\n" RULE("B") "  condition: proc.b = 1\n",
	                       &diags));
	assert_int_equal(diags.error_count, 3);
	scd_diags_done(&diags);
}

static void test_redefinition__replaces_and_keeps_the_position(void **state)
{
	(void)state;
	struct scd_diags diags;
	scd_diags_init(&diags);
	struct scd_ruleset *set = rules_load(
	        RULE("A") "  condition: evt.type = open\n  tags: [b, a, b]\n" RULE(
	                "B") "  condition: evt.type = open\n" RULE("A") "  condition: evt.type = execve\n",
	        &diags);
	assert_non_null(set);
	assert_int_equal(scd_ruleset_rule_count(set), 2);
	assert_true(scd_str_is(scd_ruleset_rule(set, 0)->name, "A"));
	assert_false(scd_kind_set_has(&scd_ruleset_rule(set, 0)->kinds, SCD_KIND_OPEN));
	assert_int_equal(scd_ruleset_rule(set, 0)->tag_count, 0);
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
}

static void test_tags__are_a_sorted_set(void **state)
{
	(void)state;
	struct scd_diags diags;
	scd_diags_init(&diags);
	struct scd_ruleset *set = rules_load(RULE("A") "  condition: evt.type = open\n  tags: [b, a, b]\n", &diags);
	assert_non_null(set);
	const struct scd_rule *rule = scd_ruleset_rule(set, 0);
	assert_int_equal(rule->tag_count, 2);
	assert_true(scd_str_is(rule->tags[0], "a") && scd_str_is(rule->tags[1], "b"));
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
}

static void test_generation__names_the_content(void **state)
{
	(void)state;
	char before[17] = "";
	for (int i = 0; i < 3; i++) {
		struct scd_diags diags;
		scd_diags_init(&diags);
		struct scd_ruleset *set = rules_load(i < 2 ? RULE("A") "  condition: evt.type = open\n"
		                                           : RULE("A") "  condition: evt.type = creat\n",
		                                     &diags);
		assert_non_null(set);
		if (i == 1)
			assert_string_equal(before, scd_ruleset_generation(set));
		if (i == 2)
			assert_string_not_equal(before, scd_ruleset_generation(set));
		snprintf(before, sizeof(before), "%s", scd_ruleset_generation(set));
		scd_ruleset_unref(&set);
		scd_diags_done(&diags);
	}
}

static struct scd_ruleset *load_files(const char *const *files, size_t count, struct scd_diags *diags)
{
	struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG };
	struct scd_ruleset *set = NULL;
	struct scd_loader *loader = scd_loader_new(diags);
	assert_non_null(loader);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(scd_loader_add_text(loader, scd_str_from(files[i]), "test.yaml"), 0);
	assert_int_equal(scd_loader_build(loader, &options, &set), 0);
	scd_loader_free(&loader);
	return set;
}

static void test_generation__knows_where_a_file_ends(void **state)
{
	(void)state;
#define FIRST  "- list: a\n  items: [b]\n"
#define SECOND "- list: c\n  items: [d]\n"
	static const char *const one[] = { FIRST SECOND }, *const two[] = { FIRST, SECOND };
	struct scd_diags diags;
	scd_diags_init(&diags);
	struct scd_ruleset *joined = load_files(one, 1, &diags), *split = load_files(two, 2, &diags);
	assert_string_not_equal(scd_ruleset_generation(joined), scd_ruleset_generation(split));
	scd_ruleset_unref(&joined);
	scd_ruleset_unref(&split);
	scd_diags_done(&diags);
}

/* Hostile files: clear errors, bounded time and memory. */

static void test_hostile__macros_that_grow_exponentially_are_refused(void **state)
{
	(void)state;
	struct scd_buf yaml;
	struct scd_diags diags;
	scd_buf_init(&yaml, 1 << 20);
	scd_diags_init(&diags);
	scd_buf_printf(&yaml, "- macro: m0\n  condition: proc.name = a\n");
	for (int i = 1; i < 40; i++)
		scd_buf_printf(&yaml, "- macro: m%d\n  condition: m%d or m%d\n", i, i - 1, i - 1);
	scd_buf_printf(&yaml, RULE("A") "  condition: m39\n");
	assert_null(rules_load(yaml.data, &diags));
	assert_non_null(strstr(diags.items[diags.count - 1].what, "checks"));
	scd_buf_done(&yaml);
	scd_diags_done(&diags);
}

static void test_hostile__deep_nesting_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *before, *after;
	} rows[] = { { "(", ")" }, { "not ", "" }, { "not(", ")" } };
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct scd_buf yaml;
		struct scd_diags diags;
		scd_buf_init(&yaml, 1 << 22);
		scd_diags_init(&diags);
		scd_buf_printf(&yaml, RULE("A") "  condition: \"");
		for (int i = 0; i < 100000; i++)
			scd_buf_append_str(&yaml, scd_str_from(rows[r].before));
		scd_buf_append_str(&yaml, SCD_STR("proc.name = a"));
		for (int i = 0; i < 100000; i++)
			scd_buf_append_str(&yaml, scd_str_from(rows[r].after));
		scd_buf_append_str(&yaml, SCD_STR("\"\n"));
		struct scd_ruleset *set = rules_load(yaml.data, &diags);
		if (rows[r].after[0])
			assert_null(set);
		scd_ruleset_unref(&set);
		scd_buf_done(&yaml);
		scd_diags_done(&diags);
	}
}

static void test_hostile__a_chain_of_macros_is_refused_beyond_the_depth(void **state)
{
	(void)state;
	struct scd_buf yaml;
	struct scd_diags diags;
	scd_buf_init(&yaml, 1 << 22);
	scd_diags_init(&diags);
	scd_buf_printf(&yaml, "- macro: m0\n  condition: proc.name = a\n");
	for (int i = 1; i < 5000; i++)
		scd_buf_printf(&yaml, "- macro: m%d\n  condition: not m%d\n", i, i - 1);
	scd_buf_printf(&yaml, RULE("A") "  condition: m4999\n");
	assert_null(rules_load(yaml.data, &diags));
	assert_non_null(strstr(diags.items[diags.count - 1].what, "depth"));
	scd_buf_done(&yaml);
	scd_diags_done(&diags);
}

/* Also where no check of them can hold, and none leaves anything in the program. */
static void test_hostile__macros_that_double_are_refused(void **state)
{
	static const char *const checks[] = { "proc.name = a", "evt.cpu = 1" };
	(void)state;
	for (size_t c = 0; c < SCD_COUNT(checks); c++) {
		struct scd_buf yaml;
		struct scd_diags diags;
		scd_buf_init(&yaml, 1 << 16);
		scd_diags_init(&diags);
		scd_buf_printf(&yaml, "- macro: m0\n  condition: %s\n", checks[c]);
		for (int i = 1; i < 24; i++)
			scd_buf_printf(&yaml, "- macro: m%d\n  condition: (m%d or m%d)\n", i, i - 1, i - 1);
		scd_buf_printf(&yaml, RULE("A") "  condition: m23\n");
		assert_null(rules_load(yaml.data, &diags));
		assert_non_null(strstr(diags.items[diags.count - 1].what, "more than 262144 checks"));
		scd_buf_done(&yaml);
		scd_diags_done(&diags);
	}
}

/* A few hundred kilobytes of text do not get gigabytes. */
static void test_hostile__many_large_rules_get_memory_by_the_size_of_the_files(void **state)
{
	(void)state;
	struct scd_buf yaml;
	struct scd_diags diags;
	struct rusage usage;
	scd_buf_init(&yaml, 1 << 20);
	scd_diags_init(&diags);
	scd_buf_printf(&yaml, "- macro: m0\n  condition: (fd.name = a or fd.name = b)\n");
	for (int i = 1; i < 14; i++)
		scd_buf_printf(&yaml,
		               "- macro: m%d\n  condition: ((m%d and fd.num = %d) or (fd.num = 1%d and not m%d))\n", i,
		               i - 1, i, i, i - 1);
	for (int i = 0; i < 2000; i++)
		scd_buf_printf(&yaml,
		               "- rule: r%d\n  desc: d\n  priority: INFO\n  output: o\n"
		               "  condition: evt.type = open and m13\n",
		               i);
	assert_null(rules_load(yaml.data, &diags));
	assert_non_null(strstr(diags.items[diags.count - 1].what, "out of memory"));
	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	if (!SCD_SANITIZE[0])
		assert_true(usage.ru_maxrss < 1 << 20);
	scd_buf_done(&yaml);
	scd_diags_done(&diags);
}

static void test_list__of_many_items_loads(void **state)
{
	(void)state;
	struct scd_buf yaml;
	struct scd_diags diags;
	scd_buf_init(&yaml, 1 << 24);
	scd_diags_init(&diags);
	scd_buf_printf(&yaml, "- list: many\n  items:\n");
	for (int i = 0; i < 100000; i++)
		scd_buf_printf(&yaml, "  - name-%d\n", i);
	scd_buf_printf(&yaml, RULE("A") "  condition: evt.type = execve and proc.name in (many)\n");
	struct scd_ruleset *set = rules_load(yaml.data, &diags);
	assert_non_null(set);
	scd_ruleset_unref(&set);
	scd_buf_done(&yaml);
	scd_diags_done(&diags);
}

/* Patterns that are right by themselves, and of which one takes more than what is left for each. */
static struct scd_ruleset *load_patterns(size_t count, const char *last, struct scd_diags *diags)
{
	struct scd_buf yaml;
	scd_buf_init(&yaml, 16u << 20);
	scd_buf_printf(&yaml,
	               "- rule: R\n  desc: d\n  priority: INFO\n  output: o\n  condition: >-\n    evt.type = open and "
	               "(proc.name regex \"%s\"",
	               last);
	for (size_t i = 0; i < count; i++)
		scd_buf_printf(&yaml, " or proc.name regex \"%zux[yz]\"", i);
	scd_buf_append(&yaml, ")\n", 3);
	struct scd_ruleset *set = rules_load(yaml.data, diags);
	scd_buf_done(&yaml);
	return set;
}

static void test_load__shares_memory_among_regular_expressions(void **state)
{
	static const struct {
		const char *last;
		size_t others;
		bool loads;
	} rows[] = { { ".{400}", 1, true }, { "y[yz]", 3000, true }, { ".{400}", 6000, false } };
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_diags diags;
		scd_diags_init(&diags);
		struct scd_ruleset *set = load_patterns(rows[i].others, rows[i].last, &diags);
		assert_int_equal(set != NULL, rows[i].loads);
		if (!set)
			assert_non_null(
			        strstr(diags.items[diags.count - 1].what, "'.{400}' takes more than its share"));
		scd_ruleset_unref(&set);
		scd_diags_done(&diags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors__have_code_and_place),
		cmocka_unit_test(test_warnings__do_not_stop_loading),
		cmocka_unit_test(test_skip_if_unknown_filter__leaves_the_rule_out_with_a_warning),
		cmocka_unit_test(test_skip_if_unknown_filter__forgives_nothing_else),
		cmocka_unit_test(test_skip_if_unknown_filter__takes_nothing_from_the_other_rules),
		cmocka_unit_test(test_reads_env__when_an_enabled_rule_compares_or_shows_one),
		cmocka_unit_test(test_comment__hides_its_own_line_only),
		cmocka_unit_test(test_errors__all_of_a_file_are_shown),
		cmocka_unit_test(test_redefinition__replaces_and_keeps_the_position),
		cmocka_unit_test(test_tags__are_a_sorted_set),
		cmocka_unit_test(test_generation__names_the_content),
		cmocka_unit_test(test_generation__knows_where_a_file_ends),
		cmocka_unit_test(test_hostile__macros_that_grow_exponentially_are_refused),
		cmocka_unit_test(test_hostile__deep_nesting_is_refused),
		cmocka_unit_test(test_hostile__a_chain_of_macros_is_refused_beyond_the_depth),
		cmocka_unit_test(test_hostile__macros_that_double_are_refused),
		cmocka_unit_test(test_hostile__many_large_rules_get_memory_by_the_size_of_the_files),
		cmocka_unit_test(test_list__of_many_items_loads),
		cmocka_unit_test(test_load__shares_memory_among_regular_expressions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
