/*
 * What has to hold for a rule to match, as text; and plans of many rules against looking at every rule.
 */
#include "field_world.h"

#include <stdio.h>

#include "engine/gate.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/engine/eval.h"
#include "tests/support/naive_eval.h"
#include "tests/support/random_event.h"
#include "tests/support/random_rules.h"
#include "tests/support/rules.h"

/* ---- gates as text ---- */

static const char *const way_names[] = {
	[SCD__WAY_TEXT] = "is",          [SCD__WAY_NUMBER] = "is", [SCD__WAY_ADDRESS] = "is in",
	[SCD__WAY_BEGINNING] = "begins", [SCD__WAY_END] = "ends",  [SCD__WAY_NEEDLE] = "contains",
	[SCD__WAY_DIRECT] = "asked",
};

static void print_key(const struct scd__predicate *predicate, enum scd__way way, size_t index, struct scd_buf *out)
{
	const union scd__constant *constant = &predicate->constants[index];
	char ip[SCD_IP_TEXT_BYTES];

	if (way == SCD__WAY_NUMBER && predicate->left->type == SCD_TYPE_BOOL)
		scd_buf_printf(out, " %s", constant->boolean ? "true" : "false");
	else if (way == SCD__WAY_NUMBER)
		scd_buf_printf(out, " %" PRIi64, constant->i64);
	else if (way == SCD__WAY_ADDRESS && scd_ip_format(&constant->cidr.ip, ip) > 0)
		scd_buf_printf(out, " %s/%u", ip, constant->cidr.prefix_bits);
	else if (way != SCD__WAY_DIRECT)
		scd_buf_printf(out, " " SCD_STR_FMT, SCD_STR_ARG(scd__gate_text(predicate, way, index)));
}

/* `proc.name is x y`, a transformer as the field in its first argument, in brackets. */
static void print_atom(const struct scd__predicate *predicate, struct scd_buf *out)
{
	const struct scd__keys keys = scd__gate_keys(predicate);
	const struct scd__expr *expr = predicate->left;

	if (out->len > 0)
		scd_buf_append_str(out, SCD_STR(" | "));
	if (expr->kind == SCD__EXPR_FIELD)
		scd_buf_append_str(out, expr->use.field->name);
	else if (expr->args[0]->kind == SCD__EXPR_FIELD)
		scd_buf_printf(out, "(" SCD_STR_FMT ")", SCD_STR_ARG(expr->args[0]->use.field->name));
	else
		scd_buf_append_str(out, SCD_STR("()"));
	scd_buf_printf(out, " %s", way_names[keys.way]);
	for (size_t i = 0; i < keys.count; i++)
		print_key(predicate, keys.way, keys.from + i, out);
}

static void print_gate(const struct scd_ruleset *set, const struct scd__gate *gate, struct scd_buf *out)
{
	if (gate->open)
		scd_buf_append_str(out, SCD_STR("open"));
	for (size_t i = 0; i < gate->count; i++)
		print_atom(&set->predicates[gate->atoms[i]], out);
}

static void expect_gate(struct scd_ruleset *set, size_t rule, const char *what, const char *expected)
{
	struct scd_buf text;

	scd_buf_init(&text, 65536);
	print_gate(set, &set->gates[rule], &text);
	if (!scd_str_is(scd_buf_str(&text), expected))
		fail_msg("%s: '" SCD_STR_FMT "', not '%s'", what, SCD_STR_ARG(scd_buf_str(&text)), expected);
	scd_buf_done(&text);
}

static const struct {
	const char *condition, *gate;
} rows[] = {
	/* one check */
	{ "proc.name = x", "proc.name is x" },
	{ "proc.name in (x, y)", "proc.name is x y" },
	{ "proc.name in ()", "proc.name is" },
	{ "proc.name intersects (x)", "proc.name is x" },
	{ "proc.name startswith x", "proc.name begins x" },
	{ "proc.name endswith x", "proc.name ends x" },
	{ "proc.name contains x", "proc.name contains x" },
	{ "proc.name icontains x", "proc.name contains x" },
	{ "proc.name startswith ''", "open" },
	{ "proc.name contains anyof (x, '')", "open" },
	{ "proc.name exists", "open" },
	{ "proc.name != x", "open" },
	{ "proc.name != anyof (x, y)", "open" },
	{ "proc.pid < 3", "open" },
	{ "proc.name = val(proc.pname)", "open" },
	{ "proc.name iglob x*", "open" },
	{ "proc.aname = x", "proc.aname is x" },
	{ "proc.aname != x", "open" },
	{ "tolower(proc.name) = x", "(proc.name) is x" },
	{ "getopt((proc.name), \"a\") in (x)", "open" },
	{ "getopt((proc.name), \"a\") intersects (x)", "() is x" },
	{ "fd.sport in (80, 443)", "fd.sport is 80 443" },
	{ "proc.vpid = -1", "proc.vpid is -1" },
	{ "evt.failed = false", "evt.failed is false" },
	{ "fd.sip = 10.0.0.1", "fd.sip is in 10.0.0.1/32" },
	{ "fd.snet in (10.0.0.0/8, ::1/128)", "fd.snet is in 10.0.0.0/8 ::1/128" },
	{ "fd.snet = allof (10.0.0.0/8, 10.1.0.0/16)", "fd.snet is in 10.0.0.0/8" },
	{ "fd.name pmatch (/etc, /usr)", "fd.name asked" },
	{ "evt.type = open", "open" },

	/* how many of the constants */
	{ "proc.name = oneof (x, y)", "proc.name is x y" },
	{ "proc.name = anyof (x, y)", "proc.name is x y" },
	{ "proc.name = allof (x, xyz, y)", "proc.name is xyz" },
	{ "proc.name contains allof ('', xy)", "proc.name contains xy" },

	/* patterns */
	{ "proc.name glob /dev/*/x", "proc.name begins /dev/" },
	{ "proc.name glob *.so", "proc.name ends .so" },
	{ "proc.name glob anyof (*.so, x)", "proc.name ends .so x" },
	{ "proc.name glob x", "proc.name begins x" },
	{ "proc.name glob x[yz]", "proc.name begins x" },
	{ "proc.name glob *[yz]", "open" },
	{ "proc.name glob '*\\\\*'", "open" },
	{ "proc.name glob *", "open" },
	{ "proc.name regex 'xy.*'", "proc.name begins xy" },
	{ "proc.name regex '^xy$'", "proc.name begins xy" },
	{ "proc.name regex 'xy+'", "proc.name begins xy" },
	{ "proc.name regex 'xy*'", "proc.name begins x" },
	{ "proc.name regex 'xy?z'", "proc.name begins x" },
	{ "proc.name regex 'xy{0,3}'", "proc.name begins x" },
	{ "proc.name regex 'x*'", "open" },
	{ "proc.name regex 'xy|z'", "open" },
	{ "proc.name regex '(xy)'", "open" },
	{ "proc.name regex '.*x'", "open" },

	/* and, or */
	{ "proc.name = x and fd.name startswith /long/enough/", "proc.name is x" },
	{ "fd.name startswith /long/enough/ and proc.name = x", "proc.name is x" },
	{ "fd.name startswith /long/enough/ and fd.name startswith /x", "fd.name begins /long/enough/" },
	{ "fd.name contains abcdefgh and fd.name startswith ab", "fd.name contains abcdefgh" },
	{ "fd.name contains abcdefgh and fd.name startswith abcdefgh", "fd.name begins abcdefgh" },
	{ "evt.failed = false and fd.sport = 80", "fd.sport is 80" },
	{ "evt.type = open and proc.name = x", "proc.name is x" },
	{ "proc.name = x or proc.name = y", "proc.name is y | proc.name is x" },
	{ "proc.name = x or proc.name = x", "proc.name is x" },
	{ "proc.name = x or proc.pid < 3", "open" },
	{ "proc.name = x or evt.type = open", "open" },
	{ "(proc.name = x or proc.pid < 3) and fd.sport = 80", "fd.sport is 80" },
	{ "(proc.name = x or fd.sport = 80) and proc.pid < 3", "fd.sport is 80 | proc.name is x" },
	{ "(proc.name = x and fd.sport = 80) or (proc.name = y and fd.sport = 81)", "proc.name is y | proc.name is x" },

	/* not */
	{ "not proc.name = x", "open" },
	{ "not proc.name != x", "open" },
	{ "not not proc.name = x", "proc.name is x" },
	{ "proc.name = x and not fd.sport = 80", "proc.name is x" },
	{ "not (proc.name != x or not fd.name endswith z)", "fd.name ends z" },
	{ "not (proc.name != x and not fd.name endswith z)", "open" },
	{ "not (not proc.name = x and not fd.name endswith z)", "fd.name ends z | proc.name is x" },

	/* fields without a source */
	{ "evt.cpu = 1", "" },
	{ "evt.cpu = 1 or proc.name = x", "proc.name is x" },
	{ "evt.cpu = 1 and proc.name = x", "" },
	{ "not evt.cpu = 1", "open" },
	{ "not evt.cpu = 1 and proc.name = x", "proc.name is x" },
};

static void test_gate__is_what_has_to_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd_diags diags;
		struct scd_ruleset *set;

		scd_diags_init(&diags);
		set = rules_load_condition(rows[i].condition, &diags);
		if (!set)
			scd_diags_print(&diags, stderr);
		assert_non_null(set);
		expect_gate(set, 0, rows[i].condition, rows[i].gate);
		scd_ruleset_unref(&set);
		scd_diags_done(&diags);
	}
}

static struct scd_ruleset *load(const char *yaml, bool match_first)
{
	const struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG,
		                                     .match_first = match_first };
	struct scd_diags diags;
	struct scd_ruleset *set = NULL;
	struct scd_loader *loader;

	scd_diags_init(&diags);
	loader = scd_loader_new(&diags);
	assert_non_null(loader);
	scd_loader_add_text(loader, scd_str_from(yaml), "test.yaml");
	scd_loader_build(loader, &options, &set);
	scd_loader_free(&loader);
	if (!set) {
		scd_diags_print(&diags, stderr);
		fail_msg("does not load");
	}
	scd_diags_done(&diags);
	return set;
}

static void test_gate__looks_through_macros_lists_and_exceptions(void **state)
{
	static const char yaml[] =
	        "- list: names\n  items: [x, y]\n"
	        "- macro: named\n  condition: (proc.name in (names))\n"
	        "- macro: unnamed\n  condition: not named\n"
	        "- rule: A\n  desc: d\n  priority: INFO\n  output: o\n  condition: named and evt.failed = true\n"
	        "- rule: B\n  desc: d\n  priority: INFO\n  output: o\n  condition: unnamed\n"
	        "- rule: C\n  desc: d\n  priority: INFO\n  output: o\n  condition: not unnamed\n"
	        "- rule: D\n  desc: d\n  priority: INFO\n  output: o\n  condition: fd.sport = 80\n"
	        "  exceptions:\n    - name: e\n      fields: [proc.name]\n      values: [[z]]\n";
	struct scd_ruleset *set = load(yaml, false);

	(void)state;
	expect_gate(set, 0, "a macro", "proc.name is x y");
	expect_gate(set, 1, "a macro that says no", "open");
	expect_gate(set, 2, "its negation", "proc.name is x y");
	expect_gate(set, 3, "an exception", "fd.sport is 80");
	scd_ruleset_unref(&set);
}

/* ---- plans ---- */

enum { ROUNDS = 40, EVENTS = 40, RULES = 200, FIELDS_PER_EVENT = 40 };

/* Small conditions over few fields, so that rules share their questions. */
struct plan_test {
	struct scd_rng *rng;
	struct scd_arena arena;
	struct scd_event events[EVENTS];
	struct random_pool pool;
	struct scd_buf yaml;
	const struct scd_ast *conditions[RULES];
	struct scd_str texts[RULES];
	uint32_t matched[RULES];
	size_t matched_count;
	size_t open, pairs, matches;
};

static size_t below(struct plan_test *t, size_t bound)
{
	return scd_rng_below(t->rng, bound);
}

/* A value that some field had, or a part of one, in quotes; what would need an escape is left out. */
static void write_text(struct plan_test *t)
{
	struct scd_str text = random_word(t->rng);
	size_t from, to;

	if (t->pool.text_count > 0 && below(t, 4))
		text = t->pool.texts[below(t, t->pool.text_count)];
	from = below(t, 3) ? 0 : below(t, text.len + 1);
	to = below(t, 3) ? text.len : from + below(t, text.len - from + 1);
	scd_buf_append_char(&t->yaml, '\'');
	for (size_t i = from; i < to; i++)
		if (text.data[i] >= ' ' && text.data[i] <= '~' && text.data[i] != '\'' && text.data[i] != '\\')
			scd_buf_append_char(&t->yaml, text.data[i]);
	scd_buf_append_char(&t->yaml, '\'');
}

static void write_texts(struct plan_test *t)
{
	size_t count = below(t, 4);

	scd_buf_append_char(&t->yaml, '(');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			scd_buf_append_char(&t->yaml, ',');
		write_text(t);
	}
	scd_buf_append_char(&t->yaml, ')');
}

static void write_text_check(struct plan_test *t)
{
	static const char *const fields[] = { "proc.name",        "fd.name",      "proc.cmdline",  "proc.aname",
		                              "tolower(fd.name)", "proc.exepath", "proc.acmdline", "fd.directory" };
	static const char *const single[] = { "=", "!=", "startswith", "endswith", "contains", "icontains", "glob" };
	static const char *const listed[] = { "in",
		                              "in",
		                              "intersects",
		                              "= oneof",
		                              "= allof",
		                              "contains anyof",
		                              "startswith allof",
		                              "endswith oneof",
		                              "pmatch" };
	const char *field = fields[below(t, SCD_COUNT(fields))];

	if (below(t, 2)) {
		scd_buf_printf(&t->yaml, "%s %s ", field, single[below(t, SCD_COUNT(single))]);
		write_text(t);
	} else {
		scd_buf_printf(&t->yaml, "%s %s ", field, listed[below(t, SCD_COUNT(listed))]);
		write_texts(t);
	}
}

static void write_other_check(struct plan_test *t)
{
	static const char *const checks[] = {
		"fd.sport = 22",
		"fd.sport in (80, 443)",
		"fd.port = 3333",
		"fd.port != 22",
		"fd.snet = 10.0.0.0/8",
		"fd.snet in (10.1.0.0/16, 10.0.0.0/15)",
		"fd.sip = 10.1.0.1",
		"fd.ip in (10.0.0.0, 10.2.0.2)",
		"fd.net in (10.2.0.0/16, 2000::/8)",
		"fd.rnet = 0.0.0.0/0",
		"evt.failed = true",
		"evt.failed = false",
		"evt.rawres in (0, -2)",
		"proc.vpid = 1",
		"proc.vpid != 1",
		"proc.apid = 1",
		"fd.name exists",
		"evt.type in (open, openat)",
		"evt.type = execve",
		"evt.is_open_write = true",
		"proc.cmdline regex '/.*'",
		"fd.cip = 10.0.0.1",
		"fd.snet = 10.0.0.0/15",
		"fd.sip = oneof (10.1.0.1, 10.1.0.1)",
		"proc.name = val(proc.pname)",
		"evt.type = connect",
	};

	scd_buf_printf(&t->yaml, "%s", checks[below(t, SCD_COUNT(checks))]);
}

static void write_condition(struct plan_test *t, unsigned depth)
{
	size_t choice = depth > 0 ? below(t, 6) : 5, count = 2 + below(t, 2);

	if (choice == 0) {
		scd_buf_printf(&t->yaml, "not (");
		write_condition(t, depth - 1);
		scd_buf_append_char(&t->yaml, ')');
	} else if (choice < 4) {
		for (size_t i = 0; i < count; i++) {
			scd_buf_printf(&t->yaml, i == 0 ? "(" : choice == 3 ? " or " : " and ");
			write_condition(t, depth - 1);
		}
		scd_buf_append_char(&t->yaml, ')');
	} else if (below(t, 3)) {
		write_text_check(t);
	} else {
		write_other_check(t);
	}
}

static void write_rules(struct plan_test *t)
{
	static const char *const kinds[] = { "", "evt.type in (open, openat, creat) and ", "evt.type = execve and " };
	struct scd_ast_error error;

	scd_buf_init(&t->yaml, 16u << 20);
	for (size_t i = 0; i < RULES; i++) {
		size_t from;

		scd_buf_printf(&t->yaml,
		               "- rule: R%zu\n  desc: d\n  priority: INFO\n  output: o\n  warn_evttypes: false\n", i);
		scd_buf_printf(&t->yaml, "  condition: >-\n    ");
		from = t->yaml.len;
		scd_buf_printf(&t->yaml, "%s", kinds[below(t, SCD_COUNT(kinds))]);
		write_condition(t, (unsigned)below(t, 4));
		t->texts[i] = scd_arena_dup(&t->arena, (struct scd_str){ t->yaml.data + from, t->yaml.len - from });
		if (scd_ast_parse(t->texts[i], 1000, &t->arena, &t->conditions[i], &error) < 0)
			fail_msg("%s: " SCD_STR_FMT, error.what, SCD_STR_ARG(t->texts[i]));
		scd_buf_append_char(&t->yaml, '\n');
	}
	scd_buf_append(&t->yaml, "", 1);
	assert_false(t->yaml.failed);
}

static void make_events(struct plan_test *t)
{
	struct world world;

	world_open(&world, true);
	for (size_t i = 0; i < EVENTS; i++) {
		t->events[i] = random_event(t->rng, (unsigned)i, &t->arena);
		world_apply(&world, &t->events[i]);
		for (size_t j = 0; j < FIELDS_PER_EVENT; j++) {
			struct scd_field_use use;
			struct scd_value value;
			struct scd_str written;

			if (random_field(t->rng, &t->arena, &use, &written) && scd_field_get(&use, &world.view, &value))
				random_pool_add(&t->pool, &value, &t->arena);
		}
	}
	world_close(&world);
}

static void note_match(void *user, const struct scd_rule *rule, const struct scd_view *view)
{
	struct plan_test *t = user;

	(void)view;
	assert_true(t->matched_count < RULES);
	t->matched[t->matched_count++] = rule->index;
}

/* What matched is what the naive evaluator says, in order; of match_first, the first of it. */
static void compare(struct plan_test *t, const struct scd_view *view, bool match_first)
{
	const struct naive_names names = { 0 };
	size_t at = 0;

	for (size_t i = 0; i < RULES && !(match_first && at > 0); i++) {
		bool expected = naive_holds(&names, t->conditions[i], view);
		bool got = at < t->matched_count && t->matched[at] == i;

		t->pairs++;
		t->matches += expected;
		at += got;
		if (got != expected)
			fail_msg("%s: rule %zu: " SCD_STR_FMT,
			         expected ? "should match" : "should not match, or not now", i,
			         SCD_STR_ARG(t->texts[i]));
	}
	assert_int_equal(at, t->matched_count);
}

static void run_rules(struct plan_test *t, bool match_first)
{
	struct scd_ruleset *set = load(t->yaml.data, match_first);
	struct scd_evaluator *evaluator = scd_evaluator_new(set);
	struct world world;

	assert_non_null(evaluator);
	for (size_t i = 0; i < RULES; i++)
		t->open += set->gates[i].open;
	world_open(&world, true);
	for (size_t i = 0; i < EVENTS; i++) {
		world_apply(&world, &t->events[i]);
		t->matched_count = 0;
		scd_evaluator_run(evaluator, &world.view, note_match, t);
		compare(t, &world.view, match_first);
	}
	world_close(&world);
	scd_evaluator_free(&evaluator);
	scd_ruleset_unref(&set);
}

static void test_plan__finds_every_rule_that_matches(void **state)
{
	struct scd_rng rng = scd_rng_start("plans");
	size_t open = 0, pairs = 0, matches = 0;

	(void)state;
	for (size_t i = 0; i < ROUNDS; i++) {
		struct plan_test *t = test_calloc(1, sizeof(*t));

		t->rng = &rng;
		scd_arena_init(&t->arena, 65536, 64u << 20);
		make_events(t);
		write_rules(t);
		run_rules(t, i % 4 == 3);
		open += t->open;
		pairs += t->pairs;
		matches += t->matches;
		scd_buf_done(&t->yaml);
		scd_arena_done(&t->arena);
		test_free(t);
	}
	print_message("%zu of %d rules have no gate; %zu of %zu match\n", open, RULES * ROUNDS, matches, pairs);
	assert_in_range(open, 1, RULES * ROUNDS * 2 / 3);
	assert_in_range(matches, pairs / 50, pairs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gate__is_what_has_to_hold),
		cmocka_unit_test(test_gate__looks_through_macros_lists_and_exceptions),
		cmocka_unit_test(test_plan__finds_every_rule_that_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
