/*
 * Output strings: what is a field in them, what is refused and why, and what comes out.
 */
#include "field_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "seccheckd/base/yaml.h"

static struct world world;
static struct scd_arena arena;

/* A process `init` (1) without arguments, and its child `sh -c` (2), of which the last event is an exec. */
static int set_up(void **state)
{
	(void)state;
	static const struct scd_str init_argv[] = { SCD_STR_INIT("init") };
	static const struct scd_str shell_argv[] = { SCD_STR_INIT("sh"), SCD_STR_INIT("-c") };
	struct scd_event init = exec_event(1, "/init", init_argv, 1), fork = clone_event(1, 2, NOW_NS);
	struct scd_event shell = exec_event(2, "/bin/sh", shell_argv, 2);
	world_open(&world, false);
	scd_arena_init(&arena, 4096, 1u << 20);
	world_apply(&world, &init);
	world_apply(&world, &fork);
	world_apply(&world, &shell);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_close(&world);
	scd_arena_done(&arena);
	return 0;
}

static const struct scd_format *compile(const char *text)
{
	const struct scd_format *format = NULL;
	struct scd_error err = { 0 };
	if (scd_format_new(scd_str_from(text), &arena, &format, &err) < 0)
		fail_msg("%s: %s", text, err.what);
	return format;
}

static const char *render(const char *text)
{
	scd_buf_reset(&world.text);
	scd_format_render(compile(text), &world.view, NULL, NULL, &world.text);
	assert_false(world.text.failed);
	return world.text.data ? world.text.data : "";
}

struct row {
	const char *format, *text;
};

static void check(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *got = render(rows[i].format);
		if (strcmp(got, rows[i].text) != 0)
			fail_msg("'%s' gives '%s', expected '%s'", rows[i].format, got, rows[i].text);
	}
}

#define CHECK(rows) check(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_render__fields_and_literals(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "start end", "start end" },
		{ "*", "" },
		{ "start %proc.name end", "start sh end" },
		{ "*start %proc.name end", "start sh end" },
		{ "**%proc.name", "*sh" },
		{ "%proc.name", "sh" },
		{ "%proc.name%proc.pname", "shinit" },
		{ "start%proc.nameand%thread.tidend", "startshand2end" },
		{ "%proc.name.", "sh." },
		{ "%proc.name_x", "sh_x" },
		{ "(%proc.name)", "(sh)" },
		{ "%proc.exepath", "/bin/sh" },
		{ "%proc.exe.path", "sh.path" },
		{ "%evt.arg.res|", "0|" },
		{ "%evt.arg.results", "0ults" },
		{ "%evt.arg[0].", "0." },
		{ "%proc.aname[1]%proc.aname[0]", "initsh" },
		{ "%proc.aname[x]", "init[x]" },
		{ "%proc.name[1]", "sh[1]" },
		{ "%proc.args[0]", "-c" },
		{ "%proc.is_exe_from_memfd", "false" },
		{ "\303\274 %proc.name \303\244", "\303\274 sh \303\244" },
	};
	CHECK(rows);
}

static void test_render__transformers(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "%toupper(proc.name)!", "SH!" },
		{ "%2toupper(proc.exepath)|", "/B|" },
		{ "%5tolower(toupper(proc.name))|", "sh   |" },
		{ "%join(\"->\", (proc.name, proc.pname))", "sh->init" },
		{ "%concat(toupper(proc.name), proc.pname).", "SHinit." },
		{ "%len(proc.exepath)", "7" },
		{ "%toupper(fd.name)", "<NA>" },
	};
	CHECK(rows);
}

static void test_fields__of_transformers_stand_behind_what_they_are_made_from(void **state)
{
	(void)state;
	static const struct {
		const char *format, *names;
	} rows[] = {
		{ "%toupper(proc.name) %proc.name", "proc.name toupper(proc.name) " },
		{ "%tolower(toupper(proc.name))", "proc.name tolower(toupper(proc.name)) " },
		{ "%concat(toupper(proc.name), proc.pname)",
		  "proc.name toupper(proc.name) proc.pname concat(toupper(proc.name),proc.pname) " },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct scd_format *format = compile(rows[i].format);
		scd_buf_reset(&world.text);
		for (size_t f = 0; f < scd_format_field_count(format); f++)
			scd_buf_printf(&world.text, SCD_STR_FMT " ", SCD_STR_ARG(scd_format_field_name(format, f)));
		assert_string_equal(world.text.data, rows[i].names);
	}
}

static void test_render_present__stops_at_what_is_missing(void **state)
{
	(void)state;
	scd_buf_reset(&world.text);
	assert_false(scd_format_render_present(compile("a %fd.name b"), &world.view, NULL, NULL, &world.text));
	assert_string_equal(world.text.data, "a ");
	scd_buf_reset(&world.text);
	assert_true(scd_format_render_present(compile("*a %fd.name b"), &world.view, NULL, NULL, &world.text));
	assert_string_equal(world.text.data, "a <NA> b");
}

static void test_render__missing_values(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "start %proc.name %evt.asynctype end", "start sh <NA> end" },
		{ "%fd.name %k8s.pod.name %proc.aname[9]", "<NA> <NA> <NA>" },
		{ "%6fd.name|", "<NA>  |" },
		{ "%user.loginname", "<NA>" },
	};
	CHECK(rows);
}

static void test_render__widths(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "start %1proc.name end", "start s end" },
		{ "start %2proc.name end", "start sh end" },
		{ "start %5proc.name end", "start sh    end" },
		{ "%0proc.name", "sh" },
		{ "%3thread.tid|", "2  |" },
		{ "%05proc.name|", "sh   |" },
		{ "%3proc.aname[1]|", "ini|" },
	};
	CHECK(rows);
}

static void test_render__ancestors_as_one_text(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "|%proc.name| |%proc.aname| end", "|sh| |init| end" },
		{ "%proc.acmdline", "init" },
		{ "%proc.apid", "2" },
		{ "%proc.apid[1]", "1" },
		{ "%proc.aenv", "<NA>" },
	};
	CHECK(rows);
}

static void test_render__padded_numbers(void **state)
{
	(void)state;
	world.event.context.time_ns = world.view.time_ns = NOW_NS + NS - 123456782;
	static const struct row rows[] = {
		{ "%evt.rawtime.s.%evt.rawtime.ns", "1700000001.000000007" },
		{ "%evt.reltime", "876543218" },
		{ "%evt.reltime.s", "0" },
	};
	CHECK(rows);
}

static void test_compile__refuses_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *format;
		int code;
		const char *why;
	} rows[] = {
		{ "", -EINVAL, "empty formatting token" },
		{ "start %", -EINVAL, "invalid formatting syntax: formatting cannot end with a %" },
		{ "start %12", -EINVAL, "invalid formatting syntax: formatting cannot end with a number" },
		{ "start % end", -EINVAL, "unknown filter: no field stands behind a %" },
		{ "start %%", -EINVAL, "unknown filter: no field stands behind a %" },
		{ "start %(", -EINVAL, "unknown filter: no field stands behind a %" },
		{ "start %a end", -ENOENT, "unknown filter: filter_check called with nonexistent field a" },
		{ "%proc.nam", -ENOENT, "unknown filter: filter_check called with nonexistent field proc.nam" },
		{ "%evt.arg", -EINVAL, "unknown filter: the field 'evt.arg' requires an argument" },
		{ "%evt.arg.nosuch", -EINVAL, "unknown filter: unknown event argument nosuch" },
		{ "%evt.arg[x]", -EINVAL, "unknown filter: the field 'evt.arg' requires an argument" },
		{ "%fd.ip", -EINVAL, "unknown filter: fd.ip is filter only and cannot be used as a display field" },
		{ "%evt.around[1]", -EINVAL,
		  "unknown filter: evt.around is filter only and cannot be used as a display field" },
		{ "%val(proc.name)", -ENOENT, "unknown filter: filter_check called with nonexistent field val" },
		{ "%toupper (proc.name)", -ENOENT,
		  "unknown filter: filter_check called with nonexistent field toupper" },
		{ "%99999999999999999999proc.name", -EINVAL, "the width of a field is over 65536" },
		{ "%toupper(thread.tid)", -EINVAL, NULL },
		{ "%toupper(fd.ip)", -EINVAL, NULL },
		{ "%toupper(proc.name", -ENOENT, "unknown filter: filter_check called with nonexistent field toupper" },
		{ "%toupper(proc.nam)", -ENOENT,
		  "unknown filter: filter_check called with nonexistent field proc.nam" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct scd_format *format = NULL;
		struct scd_error err = { 0 };
		assert_int_equal(scd_format_new(scd_str_from(rows[i].format), &arena, &format, &err), rows[i].code);
		assert_int_equal(err.code, rows[i].code);
		if (rows[i].why)
			assert_string_equal(err.what, rows[i].why);
		assert_null(format);
	}
}

/* Every beginning of a name may be a field, so it matters how long a name can be. */
static void test_compile__looks_for_fields_in_bounded_text(void **state)
{
	(void)state;
	enum { REPEATS = 200000 };
	const struct scd_format *format = NULL;
	struct scd_error err = { 0 };
	struct scd_buf text;
	scd_buf_init(&text, 1u << 20);
	scd_buf_append_str(&text, SCD_STR("%proc.name"));
	for (size_t i = 0; i < REPEATS; i++)
		scd_buf_append_str(&text, SCD_STR(".a"));
	assert_int_equal(scd_format_new(scd_buf_str(&text), &arena, &format, &err), 0);
	assert_int_equal(scd_format_field_count(format), 1);
	memset(text.data, '.', text.len);
	text.data[0] = '%';
	assert_int_equal(scd_format_new(scd_buf_str(&text), &arena, &format, &err), -ENOENT);
	scd_buf_done(&text);
}

static void test_fields__each_once_under_its_canonical_name(void **state)
{
	(void)state;
	const struct scd_format *format = compile(
	        "%proc.name %5proc.name %proc.aname[1] %proc.env[\"HOME\"] %proc.env[HOME] "
	        "%proc.aname %evt.arg.res %evt.arg[0] %proc.namex");
	static const char *const names[] = { "proc.name",  "proc.aname[1]", "proc.env[HOME]",
		                             "proc.aname", "evt.arg.res",   "evt.arg[0]" };
	assert_int_equal(scd_format_field_count(format), sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_true(scd_str_is(scd_format_field_name(format, i), names[i]));
	assert_int_equal(scd_format_field_count(compile("no fields")), 0);
}

static void test_fields__have_values_with_their_types(void **state)
{
	(void)state;
	const struct scd_format *format = compile("%proc.name %thread.tid %proc.aname %fd.name %proc.apid");
	struct scd_value value;
	assert_true(scd_format_field_value(format, 0, &world.view, &value));
	assert_int_equal(value.type, SCD_TYPE_STRING);
	assert_true(scd_format_field_value(format, 1, &world.view, &value));
	assert_int_equal(value.type, SCD_TYPE_INT64);
	assert_int_equal(value.i64, 2);
	assert_true(scd_format_field_value(format, 2, &world.view, &value));
	assert_false(value.is_list);
	assert_true(scd_str_is(value.text, "init"));
	assert_false(scd_format_field_value(format, 3, &world.view, &value));
	assert_true(scd_format_field_value(format, 4, &world.view, &value));
	assert_int_equal(value.i64, 2);
}

static struct scd_str hide(void *user, const struct scd_field *field, struct scd_str value, struct scd_arena *scratch)
{
	(*(size_t *)user)++;
	return scd_arena_printf(scratch, "{" SCD_STR_FMT ":%zu}", SCD_STR_ARG(field->name), value.len);
}

static void test_filter__sees_every_text_and_no_number(void **state)
{
	(void)state;
	size_t calls = 0;
	scd_buf_reset(&world.text);
	scd_format_render(compile("%proc.cmdline %thread.tid %fd.name %3proc.name"), &world.view, hide, &calls,
	                  &world.text);
	assert_string_equal(world.text.data, "{proc.cmdline:5} 2 <NA> {pr");
	assert_int_equal(calls, 2);
}

static void test_render__is_cut_where_the_buffer_ends(void **state)
{
	(void)state;
	const struct scd_format *format = compile("abc %proc.name %thread.tid %10proc.exepath def");
	for (size_t most = 0; most < 30; most++) {
		struct scd_buf text;
		scd_buf_init(&text, most);
		scd_format_render(format, &world.view, NULL, NULL, &text);
		assert_false(text.failed);
		assert_int_equal(text.len, most < 24 ? most : 23);
		assert_memory_equal(text.data ? text.data : "", "abc sh 2 /bin/sh    def", text.len);
		scd_buf_done(&text);
	}
}

static void test_compile__needs_memory(void **state)
{
	(void)state;
	struct scd_arena small;
	struct scd_error err;
	const struct scd_format *format = NULL;
	scd_arena_init(&small, 64, 256);
	int result = scd_format_new(SCD_STR("%proc.name %proc.aname[1] %proc.aname[2] %proc.aname[3]"), &small, &format,
	                            &err);
	assert_int_equal(result, -ENOMEM);
	assert_null(format);
	scd_arena_done(&small);
}

/* Falco's own rule files. */

#define UPSTREAM SCD_SOURCE_DIR "/../shared/falco/upstream/"

static size_t compile_outputs(const char *path)
{
	struct scd_yaml *yaml = NULL;
	struct scd_error err;
	size_t count = 0;
	assert_int_equal(scd_yaml_read_file(path, &yaml, &err), 0);
	const struct scd_yaml_node *items = scd_yaml_root(yaml, 0);
	for (size_t i = 0; i < items->count; i++) {
		const struct scd_yaml_node *output = scd_yaml_get(items->items[i], "output");
		const struct scd_format *format;
		if (!output)
			continue;
		if (scd_format_new(output->text, &arena, &format, &err) < 0)
			fail_msg("%s:%u: %s", path, output->line, err.what);
		scd_buf_reset(&world.text);
		scd_format_render(format, &world.view, NULL, NULL, &world.text);
		assert_true(world.text.len > 0);
		count++;
	}
	scd_yaml_free(&yaml);
	return count;
}

static void test_upstream__outputs_compile(void **state)
{
	(void)state;
	static const char *const files[] = { UPSTREAM "falco_rules.yaml", UPSTREAM "falco-incubating_rules.yaml",
		                             UPSTREAM "falco-sandbox_rules.yaml" };
	size_t count = 0;
	if (access(files[0], R_OK) != 0) {
		print_message("skipped: there is no %s\n", files[0]);
		skip();
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		count += compile_outputs(files[i]);
	assert_true(count > 90);
}

/* Values. */

static const char *value_text(struct scd_value value)
{
	scd_buf_reset(&world.text);
	scd_format_value(&value, &world.text);
	return world.text.data;
}

static void test_value__forms(void **state)
{
	(void)state;
	static const struct scd_value numbers[] = { { .type = SCD_TYPE_UINT64, .u64 = 1 },
		                                    { .type = SCD_TYPE_UINT64, .u64 = UINT64_MAX } };
	static const struct scd_value texts[] = { { .type = SCD_TYPE_STRING, .text = SCD_STR_INIT("a") },
		                                  { .type = SCD_TYPE_STRING, .text = SCD_STR_INIT("b c") } };
	static const struct {
		struct scd_value value;
		const char *text;
	} rows[] = {
		{ { .type = SCD_TYPE_BOOL, .boolean = true }, "true" },
		{ { .type = SCD_TYPE_BOOL }, "false" },
		{ { .type = SCD_TYPE_INT16, .i64 = -3 }, "-3" },
		{ { .type = SCD_TYPE_INT64, .i64 = INT64_MIN }, "-9223372036854775808" },
		{ { .type = SCD_TYPE_UINT64, .u64 = UINT64_MAX }, "18446744073709551615" },
		{ { .type = SCD_TYPE_RELTIME, .u64 = 5 }, "5" },
		{ { .type = SCD_TYPE_ABSTIME, .u64 = 1700000000000000000 }, "1700000000000000000" },
		{ { .type = SCD_TYPE_PORT, .u64 = 443 }, "443" },
		{ { .type = SCD_TYPE_DOUBLE, .real = 12.25 }, "12.2" },
		{ { .type = SCD_TYPE_STRING, .text = SCD_STR_INIT("a\tb") }, "a\tb" },
		{ { .type = SCD_TYPE_PATH, .text = SCD_STR_INIT("/x") }, "/x" },
		{ { .type = SCD_TYPE_BYTES, .text = SCD_STR_INIT("a\0b\377\n~") }, "a.b..~" },
		{ { .type = SCD_TYPE_IPADDR, .ip = { 4, { 198, 51, 100, 7 } } }, "198.51.100.7" },
		{ { .type = SCD_TYPE_IPADDR, .ip = { 6, { [15] = 1 } } }, "::1" },
		{ { .type = SCD_TYPE_UINT64, .is_list = true, .list = { numbers, 2 } }, "(1,18446744073709551615)" },
		{ { .type = SCD_TYPE_STRING, .is_list = true, .list = { texts, 2 } }, "(a,b c)" },
		{ { .type = SCD_TYPE_STRING, .is_list = true }, "()" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(value_text(rows[i].value), rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_render__fields_and_literals),
		TEST(test_render__transformers),
		TEST(test_fields__of_transformers_stand_behind_what_they_are_made_from),
		TEST(test_render_present__stops_at_what_is_missing),
		TEST(test_render__missing_values),
		TEST(test_render__widths),
		TEST(test_render__ancestors_as_one_text),
		TEST(test_render__padded_numbers),
		TEST(test_compile__refuses_with_a_reason),
		TEST(test_compile__looks_for_fields_in_bounded_text),
		TEST(test_fields__each_once_under_its_canonical_name),
		TEST(test_fields__have_values_with_their_types),
		TEST(test_filter__sees_every_text_and_no_number),
		TEST(test_render__is_cut_where_the_buffer_ends),
		TEST(test_compile__needs_memory),
		TEST(test_upstream__outputs_compile),
		TEST(test_value__forms),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
