/*
 * `seccheckd rules test`: unit tests of rules.
 *
 * A file's rules are compiled twice if it needs both: over the fields that its events give, and, for traces, over the
 * catalogue's. Rules have the same indices in both. A file with mistakes is not run, and the others are.
 */
#include "rules_test.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules_command.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/strmap.h"
#include "stdout.h"

#define CHUNK_BYTES 4096u

static const struct scd__flag flags[] = {
	{ .name = "rules",
	  .letter = 'r',
	  .value = "PATH",
	  .help = "Test these rules instead of the rule_files of the test files. May be given several times." },
	{ .name = "complete",
	  .help = "Also fail if a rule has no test in which it matches, or none in which it is silent." },
	{ .name = "json", .help = "Print one JSON object with passed, failed, tests, errors and rules." },
};

static const struct scd__command command = {
	.name = "rules test",
	.summary = "Runs unit tests of rules: events, or traces, and which rules have to match them.",
	.operands = "FILE...",
	.operands_min = 1,
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.details =
	        "A file has rule_files (seen from it), defaults (values of fields for all events), and tests: each a "
	        "name, events (maps from fields to values) or a trace, and what to expect: rules that match, with "
	        "count, "
	        "output_contains, priority and fields; and expect_silence, rules that do not, or 'all' for all others. "
	        "docs/rules.md has an example. Events go through the compiled rules; what an event does not say is "
	        "missing. Prints what failed, and how many tests passed and failed; exit status 1 if any failed.",
	.examples = "  seccheckd rules test tests/*.yaml\n"
	            "  seccheckd rules test --rules ./rules --complete rules/tests/*.yaml\n",
};

/* Of a rule, over all files: how many tests it was to match in, and how many it was to be silent in. */
struct coverage {
	struct scd_str name;
	uint64_t matching, silent;
};

struct session {
	const struct scd__args *args;
	struct scd__test_errors errors;
	json_t *tests; /* NULL: text */
	uint64_t passed, failed;
	struct scd_arena arena; /* of coverage */
	struct scd_strmap by_name;
	struct coverage **coverage;
	size_t coverage_count, coverage_room;
	bool exhausted;
};

/* The rules of one file of tests. */
struct rules {
	const struct scd__test_file *file;
	struct scd__rules_loaded loaded[2]; /* over events; over traces */
	struct scd__test_rules ready[2];
	bool is_loaded[2];
};

/* Coverage. */

static struct coverage *coverage_of(struct session *session, struct scd_str name)
{
	struct coverage *coverage = scd_strmap_get(&session->by_name, name), **all;

	if (coverage)
		return coverage;
	coverage = scd_arena_zalloc(&session->arena, 1, sizeof(*coverage));
	all = scd_array_grow(session->coverage, session->coverage_count, &session->coverage_room, sizeof(void *));
	if (all)
		session->coverage = all;
	if (coverage)
		coverage->name = scd_arena_dup(&session->arena, name);
	if (!coverage || !all || !coverage->name.data ||
	    scd_strmap_put(&session->by_name, coverage->name, coverage) < 0) {
		session->exhausted = true;
		return NULL;
	}
	session->coverage[session->coverage_count++] = coverage;
	return coverage;
}

static bool names(const struct scd__test_expect *expects, size_t count, uint32_t rule)
{
	for (size_t i = 0; i < count; i++)
		if (expects[i].rule == rule)
			return true;
	return false;
}

/* `expect_silence: all` says something of the rules that looked at an event. Those that are off can have no tests. */
static void note_coverage(struct session *session, const struct scd_ruleset *set, const struct scd__test *test,
                          const struct scd_kind_set *kinds)
{
	for (size_t i = 0; i < scd_ruleset_rule_count(set); i++) {
		const struct scd_rule *rule = scd_ruleset_rule(set, i);
		struct coverage *coverage = rule->enabled ? coverage_of(session, rule->name) : NULL;
		struct scd_kind_set seen = *kinds;
		bool matches = names(test->expects, test->expect_count, rule->index);

		if (!coverage)
			continue;
		scd_kind_set_intersect(&seen, &rule->kinds);
		coverage->matching += matches;
		coverage->silent += names(test->silences, test->silence_count, rule->index) ||
		                    (test->is_else_silent && !matches && scd_kind_set_count(&seen) > 0);
	}
}

static bool is_complete(const struct session *session)
{
	bool complete = true;

	for (size_t i = 0; i < session->coverage_count; i++) {
		const struct coverage *coverage = session->coverage[i];

		if (coverage->matching > 0 && coverage->silent > 0)
			continue;
		complete = false;
		if (!session->tests)
			printf("no test in which '" SCD_STR_FMT "' %s\n", SCD_STR_ARG(coverage->name),
			       coverage->matching > 0 ? "is silent"
			       : coverage->silent > 0 ? "matches"
			                              : "matches, and none in which it is silent");
	}
	return complete;
}

/* Rules. */

static int load(struct session *session, struct rules *rules, unsigned which)
{
	const struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG,
		                                     .keep_clauses = true,
		                                     .fields = which == 0 ? scd__test_field_table() : NULL };
	struct scd__rules_loaded *loaded = &rules->loaded[which];
	int r;

	if (scd__args_has(session->args, "rules"))
		r = scd__rules_load_args(session->args, &options, loaded);
	else
		r = scd__rules_load_with(rules->file->rule_files, rules->file->rule_file_count, &options, loaded);
	rules->is_loaded[which] = true;
	if (r == 0 && !loaded->set) {
		scd_diags_print(&loaded->diags, stderr);
		scd__test_error(&session->errors, rules->file, NULL, "", "its rules do not load");
		return -EINVAL;
	}
	if (r == 0) {
		rules->ready[which].set = loaded->set;
		r = scd__explainer_init(&rules->ready[which].explainer, loaded->set);
	}
	if (r < 0)
		session->exhausted = true;
	return r;
}

/* Names of rules to their indices. False: there is a name that no rule has, which was told. */
static bool bind_expects(struct session *session, const struct rules *rules, struct scd__test_expect *expects,
                         size_t count)
{
	const struct scd_ruleset *set = rules->loaded[0].set;
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		const struct scd_rule *rule = scd__rules_find(set, expects[i].rule_name);
		struct scd_str nearest;
		char hint[256] = "";

		if (rule) {
			expects[i].rule = rule->index;
			continue;
		}
		good = false;
		if (scd__rules_nearest(set, expects[i].rule_name, &nearest))
			snprintf(hint, sizeof(hint), "did you mean '" SCD_STR_FMT "'?", SCD_STR_ARG(nearest));
		scd__test_error(&session->errors, rules->file, expects[i].node, hint,
		                "there is no rule '" SCD_STR_FMT "'", SCD_STR_ARG(expects[i].rule_name));
	}
	return good;
}

static bool bind_tests(struct session *session, const struct rules *rules, struct scd__test_file *file)
{
	bool good = true;

	for (size_t i = 0; i < file->test_count; i++) {
		good &= bind_expects(session, rules, file->tests[i].expects, file->tests[i].expect_count);
		good &= bind_expects(session, rules, file->tests[i].silences, file->tests[i].silence_count);
	}
	return good;
}

static void unload(struct rules *rules)
{
	for (unsigned i = 0; i < 2; i++) {
		if (!rules->is_loaded[i])
			continue;
		scd__explainer_done(&rules->ready[i].explainer);
		scd__rules_unload(&rules->loaded[i]);
	}
}

/* What came of a test. */

static json_t *failures_json(const struct scd__test_result *result)
{
	json_t *failures = json_array();

	for (size_t i = 0; i < result->count; i++) {
		const struct scd__test_failure *failure = &result->failures[i];
		json_t *json = json_pack("{s:i, s:i, s:o}", "line", (int)failure->node->line, "column",
		                         (int)failure->node->column, "what", scd__json_text(failure->what));

		if (failure->why.len)
			json_object_set_new(json, "why", scd__json_text(failure->why));
		json_array_append_new(failures, json);
	}
	return failures;
}

static void print_failures(const struct scd__test_file *file, const struct scd__test *test,
                           const struct scd__test_result *result)
{
	for (size_t i = 0; i < result->count; i++) {
		const struct scd__test_failure *failure = &result->failures[i];

		printf("%s:%u: FAIL '" SCD_STR_FMT "': " SCD_STR_FMT "%s" SCD_STR_FMT "\n", scd_yaml_name(file->yaml),
		       failure->node->line, SCD_STR_ARG(test->name), SCD_STR_ARG(failure->what),
		       failure->why.len ? ": " : "", SCD_STR_ARG(failure->why));
	}
}

static void report(struct session *session, const struct scd__test_file *file, const struct scd__test *test,
                   const struct scd__test_result *result)
{
	bool passed = result->count == 0;

	session->passed += passed;
	session->failed += !passed;
	if (!session->tests) {
		print_failures(file, test, result);
		return;
	}
	json_array_append_new(session->tests, json_pack("{s:o, s:i, s:o, s:b, s:o}", "file",
	                                                scd__json_text(scd_str_from(scd_yaml_name(file->yaml))), "line",
	                                                (int)test->node->line, "name", scd__json_text(test->name),
	                                                "passed", passed, "failures", failures_json(result)));
}

static void run_test(struct session *session, struct rules *rules, const struct scd__test *test)
{
	unsigned which = test->trace ? 1 : 0;
	struct scd__test_result result;
	struct scd_error err = { 0 };
	struct scd_arena arena;
	int r;

	if (!rules->is_loaded[which] && load(session, rules, which) < 0)
		return;
	if (!rules->ready[which].set)
		return;
	scd_arena_init(&arena, CHUNK_BYTES, 0);
	r = scd__test_run(test, &rules->ready[which], &arena, &result, &err);
	if (r == 0) {
		report(session, rules->file, test, &result);
		note_coverage(session, rules->ready[which].set, test, &result.kinds);
	} else if (err.code) {
		scd__test_error(&session->errors, rules->file, scd_yaml_get(test->node, "trace"), "", "%s: %s",
		                test->trace, err.what);
	} else {
		session->exhausted = true;
	}
	scd_arena_done(&arena);
}

static void run_file(struct session *session, struct scd__test_file *file)
{
	struct rules rules = { .file = file };

	if (file->rule_file_count == 0 && !scd__args_has(session->args, "rules")) {
		scd__test_error(&session->errors, file, NULL, "add rule_files: [PATH], or give --rules PATH",
		                "the file does not say which rules it tests");
		return;
	}
	if (load(session, &rules, 0) == 0 && bind_tests(session, &rules, file))
		for (size_t i = 0; i < file->test_count; i++)
			run_test(session, &rules, &file->tests[i]);
	unload(&rules);
}

static json_t *rules_json(const struct session *session)
{
	json_t *rules = json_array();

	for (size_t i = 0; i < session->coverage_count; i++)
		json_array_append_new(rules,
		                      json_pack("{s:o, s:I, s:I}", "rule", scd__json_text(session->coverage[i]->name),
		                                "matching", (json_int_t)session->coverage[i]->matching, "silent",
		                                (json_int_t)session->coverage[i]->silent));
	return rules;
}

/* The end of it all: numbers, or the object. The exit status. */
static int conclude(struct session *session)
{
	bool complete = !scd__args_has(session->args, "complete") || is_complete(session);
	bool good = session->failed == 0 && session->errors.count == 0 && complete && !session->exhausted;
	int status;

	if (session->exhausted)
		fprintf(stderr, "seccheckd rules test: out of memory\n");
	if (session->tests) {
		status = scd__json_print(json_pack("{s:b, s:I, s:I, s:O, s:O, s:o}", "ok", good, "passed",
		                                   (json_int_t)session->passed, "failed", (json_int_t)session->failed,
		                                   "tests", session->tests, "errors", session->errors.json, "rules",
		                                   rules_json(session)));
	} else {
		printf("%" PRIu64 " passed, %" PRIu64 " failed", session->passed, session->failed);
		if (session->errors.count > 0)
			printf(", %zu error%s in test files", session->errors.count,
			       session->errors.count == 1 ? "" : "s");
		putchar('\n');
		status = scd__stdout_flush() ? SCD__EXIT_SUCCESS : SCD__EXIT_FAILURE;
	}
	return good ? status : SCD__EXIT_FAILURE;
}

static int run_files(struct session *session)
{
	int status;

	scd_arena_init(&session->arena, CHUNK_BYTES, 0);
	scd_strmap_init(&session->by_name);
	for (size_t i = 0; i < session->args->operand_count; i++) {
		struct scd__test_file file;

		if (scd__test_file_read(session->args->operands[i], &session->errors, &file))
			run_file(session, &file);
		scd__test_file_done(&file);
	}
	status = conclude(session);
	free(session->coverage);
	scd_strmap_done(&session->by_name);
	scd_arena_done(&session->arena);
	return status;
}

int scd__rules_test(int argc, char **argv)
{
	struct session session = { 0 };
	struct scd__args args;
	int status;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	session.args = &args;
	if (scd__args_has(&args, "json")) {
		session.tests = json_array();
		session.errors.json = json_array();
	}
	status = scd__test_field_table() ? run_files(&session) : SCD__EXIT_FAILURE;
	json_decref(session.tests);
	json_decref(session.errors.json);
	scd__args_done(&args);
	return status;
}
