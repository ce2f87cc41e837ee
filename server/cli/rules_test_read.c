/*
 * Files of tests:
 *
 *     rule_files: [../web.yaml]            seen from the file
 *     defaults: {evt.failed: false}        of all events
 *     tests:
 *       - name: a shell below nginx
 *         events: [{evt.type: execve, proc.name: sh, proc.pname: nginx}]       or trace: FILE
 *         expect: [{rule: Shell started by a web server, count: 1}]
 *         expect_silence: all                                                 or a list of rules
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "rules_command.h"
#include "rules_test.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/config/suggest.h"

#define CHUNK_BYTES 65536u

struct reader {
	struct scd__test_file *file;
	struct scd__test_errors *errors;
};

static void report(struct scd__test_errors *errors, const struct scd_error *err)
{
	json_t *json;

	errors->count++;
	if (!errors->json) {
		scd_error_print(err, stderr);
		return;
	}
	json = json_pack("{s:o, s:i, s:i, s:o}", "file", scd__json_text(scd_str_from(err->file)), "line",
	                 (int)err->line, "column", (int)err->column, "what", scd__json_text(scd_str_from(err->what)));
	if (err->hint[0])
		json_object_set_new(json, "hint", scd__json_text(scd_str_from(err->hint)));
	json_array_append_new(errors->json, json);
}

void scd__test_error(struct scd__test_errors *errors, const struct scd__test_file *file,
                     const struct scd_yaml_node *node, const char *hint, const char *format, ...)
{
	struct scd_error err;
	va_list args;

	va_start(args, format);
	scd_error_vset(&err, -1, format, args);
	va_end(args);
	if (file->yaml)
		scd_error_at(&err, scd_yaml_name(file->yaml), node ? node->line : 0, node ? node->column : 0);
	if (*hint)
		scd_error_hint(&err, "%s", hint);
	report(errors, &err);
}

#define FAIL(reader, node, hint, ...) scd__test_error((reader)->errors, (reader)->file, node, hint, __VA_ARGS__)

/* Nodes. */

/* Whether all keys are among the known ones, of which NULL is the end. */
static bool check_keys(const struct reader *reader, const struct scd_yaml_node *map, const char *const *known)
{
	size_t count = 0;
	bool good = true;

	while (known[count])
		count++;
	for (size_t i = 0; i < map->count; i++) {
		const char *nearest = scd_suggest_nearest(map->keys[i]->text, known, count);
		char hint[64] = "";
		size_t k = 0;

		while (k < count && !scd_str_is(map->keys[i]->text, known[k]))
			k++;
		if (k < count)
			continue;
		if (nearest)
			snprintf(hint, sizeof(hint), "did you mean '%s'?", nearest);
		FAIL(reader, map->keys[i], hint, "unknown key '" SCD_STR_FMT "'", SCD_STR_ARG(map->keys[i]->text));
		good = false;
	}
	return good;
}

/* The value of a key; NULL also for null. */
static const struct scd_yaml_node *get(const struct scd_yaml_node *map, const char *key)
{
	const struct scd_yaml_node *node = scd_yaml_get(map, key);

	return node && scd_yaml_is_null(node) ? NULL : node;
}

static bool is_kind(const struct reader *reader, const struct scd_yaml_node *node, enum scd_yaml_kind kind,
                    const char *what)
{
	static const char *const names[] = { "a text", "a list", "a map" };

	if (node->kind == kind)
		return true;
	FAIL(reader, node, "", "%s is %s", what, names[kind]);
	return false;
}

static bool exhausted(const struct reader *reader, const struct scd_yaml_node *node)
{
	FAIL(reader, node, "", "out of memory");
	return false;
}

/* A path that is seen from the file's folder. */
static const char *path_of(const struct reader *reader, struct scd_str text)
{
	const char *file = scd_yaml_name(reader->file->yaml), *slash = strrchr(file, '/');
	struct scd_str folder = { file, slash ? (size_t)(slash + 1 - file) : 0 };

	if (text.len > 0 && text.data[0] == '/')
		folder.len = 0;
	return scd_arena_printf(&reader->file->arena, SCD_STR_FMT SCD_STR_FMT, SCD_STR_ARG(folder), SCD_STR_ARG(text))
	        .data;
}

static bool read_rule_files(const struct reader *reader, const struct scd_yaml_node *node)
{
	struct scd__test_file *file = reader->file;
	bool good = true;

	if (!node)
		return true;
	if (!is_kind(reader, node, SCD_YAML_SEQUENCE, "rule_files"))
		return false;
	file->rule_files = scd_arena_zalloc(&file->arena, node->count + 1, sizeof(*file->rule_files));
	if (!file->rule_files)
		return exhausted(reader, node);
	for (size_t i = 0; i < node->count && good; i++) {
		good = is_kind(reader, node->items[i], SCD_YAML_SCALAR, "a rule file");
		if (good)
			file->rule_files[file->rule_file_count++] = path_of(reader, node->items[i]->text);
	}
	return good;
}

/* Expectations. */

static bool read_count(const struct reader *reader, const struct scd_yaml_node *node, struct scd__test_expect *expect)
{
	expect->has_count = node != NULL;
	if (!node || (node->kind == SCD_YAML_SCALAR && scd_str_to_u64(node->text, &expect->count) == 0))
		return true;
	FAIL(reader, node, "write a whole number, as 1", "count is no number");
	return false;
}

static bool read_priority(const struct reader *reader, const struct scd_yaml_node *node,
                          struct scd__test_expect *expect)
{
	expect->has_priority = node != NULL;
	if (!node || (node->kind == SCD_YAML_SCALAR && scd_priority_parse(node->text, &expect->priority) == 0))
		return true;
	FAIL(reader, node, "write one of EMERGENCY, ALERT, CRITICAL, ERROR, WARNING, NOTICE, INFORMATIONAL, DEBUG",
	     "this is no priority");
	return false;
}

static bool check_contains(const struct reader *reader, const struct scd_yaml_node *node)
{
	bool good = true;

	if (!node || node->kind == SCD_YAML_SCALAR)
		return true;
	if (!is_kind(reader, node, SCD_YAML_SEQUENCE, "output_contains, where it is several texts,"))
		return false;
	for (size_t i = 0; i < node->count; i++)
		good &= is_kind(reader, node->items[i], SCD_YAML_SCALAR, "what an output contains");
	return good;
}

static bool check_fields(const struct reader *reader, const struct scd_yaml_node *node)
{
	bool good = true;

	if (!node)
		return true;
	if (!is_kind(reader, node, SCD_YAML_MAP, "fields"))
		return false;
	for (size_t i = 0; i < node->count; i++)
		good &= is_kind(reader, node->items[i], SCD_YAML_SCALAR, "the value of an output's field");
	return good;
}

/* One of `expect`: a map, or only a rule's name. */
static bool read_expect(const struct reader *reader, const struct scd_yaml_node *node, struct scd__test_expect *expect)
{
	static const char *const known[] = { "rule", "count", "output_contains", "priority", "fields", NULL };
	const struct scd_yaml_node *rule = node;
	bool good = true;

	if (node->kind == SCD_YAML_MAP) {
		good = check_keys(reader, node, known);
		rule = get(node, "rule");
		good &= read_count(reader, get(node, "count"), expect);
		good &= read_priority(reader, get(node, "priority"), expect);
		expect->contains = get(node, "output_contains");
		expect->fields = get(node, "fields");
		good &= check_contains(reader, expect->contains);
		good &= check_fields(reader, expect->fields);
	}
	if (!rule) {
		FAIL(reader, node, "add rule: NAME", "it does not say which rule");
		return false;
	}
	if (!is_kind(reader, rule, SCD_YAML_SCALAR, "the name of a rule"))
		return false;
	expect->node = rule;
	expect->rule_name = rule->text;
	return good;
}

static bool read_expects(const struct reader *reader, const struct scd_yaml_node *node, struct scd__test *test)
{
	bool good = true;

	if (!node)
		return true;
	if (!is_kind(reader, node, SCD_YAML_SEQUENCE, "expect"))
		return false;
	test->expects = scd_arena_zalloc(&reader->file->arena, node->count + 1, sizeof(*test->expects));
	if (!test->expects)
		return exhausted(reader, node);
	for (size_t i = 0; i < node->count; i++)
		good &= read_expect(reader, node->items[i], &test->expects[test->expect_count++]);
	return good;
}

/* `all`, a rule, or a list of rules. */
static bool read_silences(const struct reader *reader, const struct scd_yaml_node *node, struct scd__test *test)
{
	size_t count = node && node->kind == SCD_YAML_SEQUENCE ? node->count : 1;
	bool good = true;

	test->is_else_silent = node && node->kind == SCD_YAML_SCALAR && scd_str_is(node->text, "all");
	if (!node || test->is_else_silent)
		return true;
	test->silences = scd_arena_zalloc(&reader->file->arena, count + 1, sizeof(*test->silences));
	if (!test->silences)
		return exhausted(reader, node);
	for (size_t i = 0; i < count; i++) {
		const struct scd_yaml_node *rule = node->kind == SCD_YAML_SEQUENCE ? node->items[i] : node;
		struct scd__test_expect *silence = &test->silences[test->silence_count++];

		good &= is_kind(reader, rule, SCD_YAML_SCALAR, "the name of a rule");
		silence->node = rule;
		silence->rule_name = rule->text;
	}
	return good;
}

/* Tests. */

static bool read_events(const struct reader *reader, const struct scd_yaml_node *node, struct scd__test *test)
{
	struct scd__test_file *file = reader->file;
	bool good = true;

	if (!is_kind(reader, node, SCD_YAML_SEQUENCE, "events"))
		return false;
	test->events = scd_arena_zalloc(&file->arena, node->count + 1, sizeof(*test->events));
	if (!test->events)
		return exhausted(reader, node);
	for (size_t i = 0; i < node->count; i++) {
		struct scd__test_event *event = &test->events[test->event_count++];
		bool read = scd__test_fields_read(file, node->items[i], reader->errors, &event->own);

		event->defaults = &file->defaults;
		good &= read && scd__test_event_kind(file, node->items[i], reader->errors, event);
	}
	return good;
}

/* What happens in a test: events or a trace. */
static bool read_input(const struct reader *reader, const struct scd_yaml_node *node, struct scd__test *test)
{
	const struct scd_yaml_node *events = get(node, "events"), *trace = get(node, "trace");

	if (!events == !trace) {
		FAIL(reader, node, "write either events: or trace:", "a test has %s",
		     events ? "events or a trace, and not both" : "events or a trace");
		return false;
	}
	if (events)
		return read_events(reader, events, test);
	if (!is_kind(reader, trace, SCD_YAML_SCALAR, "trace"))
		return false;
	test->trace = path_of(reader, trace->text);
	return test->trace || exhausted(reader, trace);
}

static bool read_test(const struct reader *reader, const struct scd_yaml_node *node, struct scd__test *test)
{
	static const char *const known[] = { "name", "events", "trace", "expect", "expect_silence", NULL };
	const struct scd_yaml_node *name = get(node, "name");
	bool good;

	if (!is_kind(reader, node, SCD_YAML_MAP, "a test"))
		return false;
	test->node = node;
	good = check_keys(reader, node, known);
	if (!name) {
		FAIL(reader, node, "add name: what it shows", "the test has no name");
		return false;
	}
	if (!is_kind(reader, name, SCD_YAML_SCALAR, "the name of a test"))
		return false;
	test->name = name->text;
	good &= read_input(reader, node, test);
	good &= read_expects(reader, get(node, "expect"), test);
	good &= read_silences(reader, get(node, "expect_silence"), test);
	if (good && test->expect_count == 0 && test->silence_count == 0 && !test->is_else_silent) {
		FAIL(reader, node, "add expect: or expect_silence:", "the test expects nothing");
		return false;
	}
	return good;
}

static bool read_tests(const struct reader *reader, const struct scd_yaml_node *root)
{
	const struct scd_yaml_node *node = get(root, "tests");
	struct scd__test_file *file = reader->file;
	bool good = true;

	if (!node || node->count == 0) {
		FAIL(reader, node ? node : root, "add tests: and a list of them", "there is no test in the file");
		return false;
	}
	if (!is_kind(reader, node, SCD_YAML_SEQUENCE, "tests"))
		return false;
	file->tests = scd_arena_zalloc(&file->arena, node->count + 1, sizeof(*file->tests));
	if (!file->tests)
		return exhausted(reader, node);
	for (size_t i = 0; i < node->count; i++)
		good &= read_test(reader, node->items[i], &file->tests[file->test_count++]);
	return good;
}

static bool read_file(const struct reader *reader)
{
	static const char *const known[] = { "rule_files", "defaults", "tests", NULL };
	const struct scd_yaml *yaml = reader->file->yaml;
	const struct scd_yaml_node *root = scd_yaml_document_count(yaml) ? scd_yaml_root(yaml, 0) : NULL;
	const struct scd_yaml_node *defaults;
	bool good;

	if (!root || root->kind != SCD_YAML_MAP || scd_yaml_document_count(yaml) > 1) {
		FAIL(reader, root, "write rule_files: and tests:", "a file of tests is one map");
		return false;
	}
	good = check_keys(reader, root, known);
	good &= read_rule_files(reader, get(root, "rule_files"));
	defaults = get(root, "defaults");
	if (defaults)
		good &= scd__test_fields_read(reader->file, defaults, reader->errors, &reader->file->defaults);
	return read_tests(reader, root) && good;
}

bool scd__test_file_read(const char *path, struct scd__test_errors *errors, struct scd__test_file *ret_file)
{
	const struct reader reader = { ret_file, errors };
	struct scd_error err = { 0 };

	*ret_file = (struct scd__test_file){ .yaml = NULL };
	scd_arena_init(&ret_file->arena, CHUNK_BYTES, SCD_LIMIT_RULESET_BYTES);
	if (scd_yaml_read_file(path, &ret_file->yaml, &err) == 0)
		return read_file(&reader);
	report(errors, &err);
	return false;
}

void scd__test_file_done(struct scd__test_file *file)
{
	scd_yaml_free(&file->yaml);
	scd_arena_done(&file->arena);
}
