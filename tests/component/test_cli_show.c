/*
 * `seccheckd show` as a program: the text of gVisor's example server for real traces, and a line for everything else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"
#include "tests/support/trace.h"

#define TRACES         SCD_SOURCE_DIR "/tests/data/traces/"
#define EXPECTED       SCD_SOURCE_DIR "/tests/data/show/"
#define SHARED_TRACES  SCD_SOURCE_DIR "/../shared/traces/"
#define GCC_TRACE      TRACES "detect-gcc"
#define OTHER_TRACE    TRACES "demo-miner"
#define ARGS_MAX       6
#define FILE_MAX_BYTES (1u << 20)

#define TRACE_HEAD "tracereplay file\x0d\0\0\0\0\0\0\0{\"version\":1}"

static struct tempdir dir;

static int set_up(void **state)
{
	(void)state;
	return tempdir_make(&dir);
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

static void show(struct run *run, const char *const *args)
{
	const char *argv[ARGS_MAX + 3] = { RUN_SECCHECKD, "show" };

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 2] = args[i];
	run_program(run, &(struct run_options){ .argv = argv });
}

#define SHOW(run, ...) show((run), (const char *[ARGS_MAX]){ __VA_ARGS__ })

/* All of a file, in memory that the caller frees. */
static char *read_file(const char *path, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	char *data = malloc(FILE_MAX_BYTES);

	if (!file)
		fail_msg("cannot open %s", path);
	assert_non_null(data);
	*ret_len = fread(data, 1, FILE_MAX_BYTES, file);
	assert_in_range(*ret_len, 1, FILE_MAX_BYTES - 1);
	fclose(file);
	return data;
}

static const char *write_file(const char *name, const void *data, size_t len)
{
	const char *path = tempdir_join(&dir, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	return path;
}

static void assert_shows(const char *traces, const char *expected, const char *name)
{
	char trace_path[512], expected_path[512];
	struct run run;
	size_t len;
	char *text;

	snprintf(trace_path, sizeof(trace_path), "%s%s", traces, name);
	snprintf(expected_path, sizeof(expected_path), "%s%s.show", expected, name);
	text = read_file(expected_path, &len);
	SHOW(&run, trace_path);
	assert_int_equal(run.status, 0);
	assert_string_equal(run.err.data, "");
	assert_int_equal(run.out.len, len);
	assert_memory_equal(run.out.data, text, len);
	free(text);
	run_done(&run);
}

static void test_show__prints_what_gvisors_server_prints(void **state)
{
	(void)state;
	assert_shows(TRACES, EXPECTED, "detect-gcc");
	assert_shows(TRACES, EXPECTED, "randomx-light-jit-2t");
}

static void test_show__prints_what_gvisors_server_prints_of_shared_traces(void **state)
{
	static const char *const names[] = { "gvisor-client-0001", "all-decoded-python", "detect-gcc",
		                             "randomx-light-jit-2t" };

	(void)state;
	if (!trace_exists(SHARED_TRACES "expected")) {
		print_message("skipped: no expected texts at " SHARED_TRACES "\n");
		skip();
	}
	for (size_t i = 0; i < SCD_COUNT(names); i++)
		assert_shows(SHARED_TRACES, SHARED_TRACES "expected/", names[i]);
}

static void test_show__json_has_a_typed_object_on_every_line(void **state)
{
	struct trace trace = trace_load(GCC_TRACE);
	struct run run;
	size_t count = 0;

	(void)state;
	SHOW(&run, "--json", GCC_TRACE);
	assert_int_equal(run.status, 0);
	for (const char *line = run.out.data; *line; line += strcspn(line, "\n") + 1, count++) {
		json_t *object = json_loadb(line, strcspn(line, "\n"), 0, NULL);
		const char *type = json_string_value(json_object_get(object, "@type"));

		assert_non_null(type);
		assert_int_equal(strncmp(type, "type.googleapis.com/gvisor.", 27), 0);
		json_decref(object);
	}
	assert_int_equal(count, trace.count);
	trace_done(&trace);
	run_done(&run);
}

static void test_show__takes_traces_in_the_order_given(void **state)
{
	struct run first, second, both;

	(void)state;
	SHOW(&first, GCC_TRACE);
	SHOW(&second, OTHER_TRACE);
	SHOW(&both, GCC_TRACE, OTHER_TRACE);
	assert_int_equal(both.status, 0);
	assert_int_equal(both.out.len, first.out.len + second.out.len);
	assert_memory_equal(both.out.data, first.out.data, first.out.len);
	assert_string_equal(both.out.data + first.out.len, second.out.data);
	run_done(&first);
	run_done(&second);
	run_done(&both);
}

static void test_show__prints_what_came_before_the_end_of_a_truncated_trace(void **state)
{
	struct run whole, other, run;
	const char *cut;
	size_t len;
	char *data = read_file(GCC_TRACE, &len);

	(void)state;
	cut = write_file("cut", data, len - 1);
	SHOW(&whole, GCC_TRACE);
	SHOW(&other, OTHER_TRACE);
	SHOW(&run, cut, OTHER_TRACE);
	assert_int_equal(run.status, 1);
	assert_non_null(strstr(run.err.data, cut));
	assert_non_null(strstr(run.err.data, "the file ends inside a message at offset "));
	assert_int_equal(run_count(&run.out, "\n"), run_count(&whole.out, "\n") - 1 + run_count(&other.out, "\n"));
	assert_memory_equal(run.out.data, whole.out.data, run.out.len - other.out.len);
	assert_string_equal(run.out.data + run.out.len - other.out.len, other.out.data);
	free(data);
	run_done(&whole);
	run_done(&other);
	run_done(&run);
}

static void test_show__has_a_line_for_what_is_no_message(void **state)
{
	static const char trace[] = TRACE_HEAD
	        "\x0b\0\0\0\0\0\0\0\x08\0\x4d\0\0\0\0\0abc"               /* an unknown type */
	        "\x09\0\0\0\0\0\0\0\x08\0\x07\0\0\0\0\0\x80"              /* a damaged Open */
	        "\x03\0\0\0\0\0\0\0\x08\0\x07"                            /* a short header */
	        "\x0c\0\0\0\0\0\0\0\x0a\0\x07\0\0\0\0\0\xff\xff\x20\x05"; /* a header that has grown */
	const char *path = write_file("odd", trace, sizeof(trace) - 1);
	struct run run;

	(void)state;
	SHOW(&run, path);
	assert_int_equal(run.status, 0);
	assert_string_equal(run.out.data, "? type 77, 3 bytes\n"
	                                  "? type 7 (Open), 1 bytes: damaged\n"
	                                  "? 3 bytes: bad header\n"
	                                  "E Open fd: 5 \n");
	run_done(&run);
	SHOW(&run, path, "--json");
	assert_int_equal(run.status, 0);
	assert_string_equal(run.out.data, "{\"error\":\"unknown type\",\"messageType\":77,\"payloadBytes\":3}\n"
	                                  "{\"error\":\"damaged\",\"messageType\":7,\"payloadBytes\":1}\n"
	                                  "{\"error\":\"bad header\",\"messageBytes\":3}\n"
	                                  "{\"@type\":\"type.googleapis.com/gvisor.syscall.Open\",\"fd\":\"5\"}\n");
	run_done(&run);
}

static void test_show__of_a_trace_without_messages_is_nothing(void **state)
{
	const char *path = write_file("empty", TRACE_HEAD, sizeof(TRACE_HEAD) - 1);
	struct run run;

	(void)state;
	SHOW(&run, path);
	assert_int_equal(run.status, 0);
	assert_string_equal(run.out.data, "");
	assert_string_equal(run.err.data, "");
	run_done(&run);
}

static void test_show__names_what_is_no_trace_and_prints_the_others(void **state)
{
	const char *text = write_file("text", "no trace", 8);
	struct run run;

	(void)state;
	SHOW(&run, text, tempdir_join(&dir, "missing"), OTHER_TRACE);
	assert_int_equal(run.status, 1);
	assert_int_equal(run_count(&run.out, "\n"), 27);
	assert_int_equal(run_count(&run.err, "\n"), 2);
	assert_non_null(strstr(run.err.data, text));
	assert_non_null(strstr(run.err.data, "/missing: "));
	run_done(&run);
}

static void test_show__help_says_that_secrets_are_printed(void **state)
{
	struct run run;

	(void)state;
	SHOW(&run, "--help");
	assert_int_equal(run.status, 0);
	assert_non_null(strstr(run.out.data, "usage: seccheckd show [OPTION]... TRACE...\n"));
	assert_non_null(strstr(run.out.data, "environments"));
	assert_non_null(strstr(run.out.data, "secrets"));
	run_done(&run);
	SHOW(&run, "--json");
	assert_int_equal(run.status, 2);
	assert_non_null(strstr(run.err.data, "seccheckd show: TRACE... is missing\n"));
	run_done(&run);
}

static void test_output__that_cannot_be_written_ends_it(void **state)
{
	const char *const argv[] = { RUN_SECCHECKD, "show", GCC_TRACE, OTHER_TRACE, NULL };
	struct run run;

	(void)state;
	run_program(&run, &(struct run_options){ .argv = argv, .stdout_path = "/dev/full" });
	assert_int_equal(run.status, 1);
	assert_string_equal(run.err.data, "seccheckd: cannot write to standard output: No space left on device\n");
	run_done(&run);
	run_program(&run, &(struct run_options){ .argv = argv, .close_stdout = true });
	assert_int_equal(run.status, 1);
	assert_string_equal(run.err.data, "seccheckd: cannot write to standard output: Broken pipe\n");
	run_done(&run);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_show__prints_what_gvisors_server_prints),
		TEST(test_show__prints_what_gvisors_server_prints_of_shared_traces),
		TEST(test_show__json_has_a_typed_object_on_every_line),
		TEST(test_show__takes_traces_in_the_order_given),
		TEST(test_show__prints_what_came_before_the_end_of_a_truncated_trace),
		TEST(test_show__has_a_line_for_what_is_no_message),
		TEST(test_show__of_a_trace_without_messages_is_nothing),
		TEST(test_show__names_what_is_no_trace_and_prints_the_others),
		TEST(test_show__help_says_that_secrets_are_printed),
		TEST(test_output__that_cannot_be_written_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
