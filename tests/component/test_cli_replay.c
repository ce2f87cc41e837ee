/*
 * `seccheckd replay` as a program: real traces in, alerts out, and what it says of damage.
 *
 * The rule here matches every execve, so that every trace gives alerts; what the bundled rules find is tested
 * elsewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

#define TRACES      SCD_SOURCE_DIR "/tests/data/traces"
#define GCC_TRACE   TRACES "/detect-gcc"
#define OTHER_TRACE TRACES "/detect-python"
#define ARGS_MAX    16
#define HEAD_BYTES  37 /* in front of the first message of a trace */

#define RULE(name, priority)                                                                          \
	"- rule: " name "\n  desc: d\n  condition: evt.type = execve\n  output: exec %proc.exepath\n" \
	"  priority: " priority "\n"

static struct tempdir dir;
static char rules_path[256];

static int setup(void **state)
{
	(void)state;
	return tempdir_make(&dir);
}

static int teardown(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

static void write_bytes(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

/* All of a file, in memory that the caller frees. */
static char *read_bytes(const char *path, size_t *ret_len)
{
	struct stat st;
	FILE *file = fopen(path, "re");
	char *data;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	*ret_len = fread(data, 1, (size_t)st.st_size, file);
	assert_int_equal(*ret_len, st.st_size);
	fclose(file);
	return data;
}

/* A copy of a file, of which only the first `len` bytes are kept. */
static void copy_head(const char *from, const char *to, size_t len)
{
	size_t whole;
	char *data = read_bytes(from, &whole);

	assert_true(len <= whole);
	write_bytes(to, data, len);
	free(data);
}

/* seccheckd replay --rules RULES ARGS…, where the rules are those of rules_path. */
static void replay(struct run *run, const char *const *args)
{
	const char *argv[ARGS_MAX + 5] = { RUN_SECCHECKD, "replay", "--rules", rules_path };

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 4] = args[i];
	snprintf(rules_path, sizeof(rules_path), "%s/rules.yaml", dir.path);
	if (access(rules_path, F_OK) < 0)
		write_text(rules_path, RULE("Exec", "NOTICE"));
	run_program(run, &(struct run_options){ .argv = argv });
}

#define REPLAY(run, ...) replay((run), (const char *[ARGS_MAX]){ __VA_ARGS__ })

static size_t line_count(const struct run *run)
{
	return run_count(&run->out, "\n");
}

/* The folder has a README too; the names of traces have a dash. */
static void test_replay__is_the_same_bytes_every_time(void **state)
{
	const char *args[ARGS_MAX] = { NULL };
	struct run first, second;
	glob_t traces;

	(void)state;
	assert_int_equal(glob(TRACES "/?*-*", 0, NULL, &traces), 0);
	assert_true(traces.gl_pathc < ARGS_MAX);
	memcpy(args, traces.gl_pathv, traces.gl_pathc * sizeof(*args));
	replay(&first, args);
	replay(&second, args);
	assert_int_equal(first.status, 0);
	assert_true(line_count(&first) >= traces.gl_pathc);
	assert_int_equal(first.out.len, second.out.len);
	assert_memory_equal(first.out.data, second.out.data, first.out.len);
	run_done(&first);
	run_done(&second);
	globfree(&traces);
}

static void test_replay__does_not_depend_on_where_the_trace_is(void **state)
{
	const char *copy = tempdir_join(&dir, "elsewhere");
	struct run first, second;
	struct stat st;

	(void)state;
	assert_int_equal(stat(GCC_TRACE, &st), 0);
	copy_head(GCC_TRACE, copy, (size_t)st.st_size);
	REPLAY(&first, GCC_TRACE);
	REPLAY(&second, copy);
	assert_int_equal(second.status, 0);
	assert_true(first.out.len > 0);
	assert_string_equal(first.out.data, second.out.data);
	run_done(&first);
	run_done(&second);
}

static void test_replay__takes_traces_in_the_order_given(void **state)
{
	struct run gcc, both, other;

	(void)state;
	REPLAY(&gcc, GCC_TRACE);
	REPLAY(&other, OTHER_TRACE);
	REPLAY(&both, GCC_TRACE, OTHER_TRACE);
	assert_memory_equal(both.out.data, gcc.out.data, gcc.out.len);
	assert_int_equal(line_count(&both), line_count(&gcc) + line_count(&other));
	run_done(&gcc);
	run_done(&other);
	run_done(&both);
}

static void test_replay__gives_other_ids_to_the_same_trace_again(void **state)
{
	struct run once, twice;

	(void)state;
	REPLAY(&once, GCC_TRACE);
	REPLAY(&twice, GCC_TRACE, GCC_TRACE);
	assert_int_equal(twice.out.len, 2 * once.out.len);
	assert_memory_equal(twice.out.data, once.out.data, once.out.len);
	assert_memory_not_equal(twice.out.data + once.out.len, once.out.data, once.out.len);
	run_done(&once);
	run_done(&twice);
}

static void test_replay__reports_what_came_before_the_end_of_a_truncated_trace(void **state)
{
	const char *cut = tempdir_join(&dir, "cut");
	struct run whole, run;

	(void)state;
	copy_head(GCC_TRACE, cut, 40000);
	REPLAY(&whole, GCC_TRACE);
	REPLAY(&run, cut, OTHER_TRACE);
	assert_int_equal(run.status, 1);
	assert_non_null(strstr(run.err.data, cut));
	assert_non_null(strstr(run.err.data, "the file ends inside a message at offset "));
	assert_true(line_count(&run) > 1);
	assert_int_equal(strncmp(run.out.data, whole.out.data, strcspn(whole.out.data, "\n")), 0);
	run_done(&whole);
	REPLAY(&whole, cut);
	assert_true(line_count(&run) > line_count(&whole));
	run_done(&whole);
	run_done(&run);
}

static void test_replay__stops_at_an_impossible_size(void **state)
{
	const char *damaged = tempdir_join(&dir, "damaged");
	struct run run;
	size_t len;
	char *data = read_bytes(GCC_TRACE, &len);

	(void)state;
	memset(data + 16 + 8 + 13, 0xff, 8); /* the size of the first message, behind the head */
	write_bytes(damaged, data, len);
	free(data);
	REPLAY(&run, damaged);
	assert_int_equal(run.status, 1);
	assert_int_equal(run.out.len, 0);
	assert_non_null(strstr(run.err.data, "impossible size of a message at offset 37"));
	run_done(&run);
}

static void test_replay__goes_on_after_a_message_that_does_not_decode(void **state)
{
	const char *damaged = tempdir_join(&dir, "damaged");
	struct run run;
	size_t len;
	char *data = read_bytes(GCC_TRACE, &len);

	(void)state;
	data[16 + 8 + 13 + 8] = 0; /* the header size of the first message */
	write_bytes(damaged, data, len);
	free(data);
	REPLAY(&run, damaged);
	assert_int_equal(run.status, 0);
	assert_true(line_count(&run) > 0);
	assert_non_null(strstr(run.err.data, "damaged: warning: messages that could not be decoded: 1\n"));
	run_done(&run);
}

static void test_replay__of_a_trace_without_messages_is_nothing(void **state)
{
	const char *empty = tempdir_join(&dir, "empty");
	struct run run;

	(void)state;
	copy_head(GCC_TRACE, empty, 16 + 8 + 13);
	REPLAY(&run, empty);
	assert_int_equal(run.status, 0);
	assert_int_equal(run.out.len, 0);
	assert_int_equal(run.err.len, 0);
	run_done(&run);
}

static void assert_unreadable(const char *path, const char *why)
{
	struct run run;

	REPLAY(&run, path, OTHER_TRACE);
	assert_int_equal(run.status, 1);
	if (!strstr(run.err.data, path) || !strstr(run.err.data, why))
		fail_msg("%s: %s", path, run.err.data);
	assert_true(line_count(&run) > 0);
	run_done(&run);
}

static void test_replay__names_what_is_no_trace_and_replays_the_others(void **state)
{
	const char *fifo = tempdir_join(&dir, "fifo");
	const char *empty = tempdir_join(&dir, "empty");
	const char *text = tempdir_join(&dir, "text");

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	write_text(empty, "");
	write_text(text, "tracereplay? no, this is something else, and long enough\n");
	assert_unreadable(fifo, ": is not a regular file\n");
	assert_unreadable(dir.path, ": is a directory, not a trace file\n");
	assert_unreadable("/nonexistent/trace", "No such file or directory");
	assert_unreadable(empty, "not a trace file");
	assert_unreadable(text, "not a trace file");
}

static void test_rules__with_an_error_end_it_before_any_trace(void **state)
{
	struct run run;

	(void)state;
	write_text(tempdir_join(&dir, "rules.yaml"), "- rule: R\n  desc: d\n  condition: evt.typo = execve\n"
	                                             "  output: o\n  priority: NOTICE\n");
	REPLAY(&run, GCC_TRACE);
	assert_int_equal(run.status, 1);
	assert_int_equal(run.out.len, 0);
	assert_non_null(strstr(run.err.data, "rules.yaml:"));
	assert_non_null(strstr(run.err.data, "error LOAD_ERR_COMPILE_CONDITION"));
	run_done(&run);
}

static void test_rules__with_a_warning_are_used(void **state)
{
	struct run run;

	(void)state;
	write_text(tempdir_join(&dir, "rules.yaml"), "- list: unused\n  items: [a]\n" RULE("Exec", "NOTICE"));
	REPLAY(&run, GCC_TRACE);
	assert_int_equal(run.status, 0);
	assert_true(line_count(&run) > 0);
	assert_non_null(strstr(run.err.data, "warning LOAD_UNUSED_LIST"));
	run_done(&run);
}

static void test_rules__of_which_there_is_none_are_warned_of(void **state)
{
	struct run run;

	(void)state;
	write_text(tempdir_join(&dir, "rules.yaml"), "# nothing yet\n");
	REPLAY(&run, GCC_TRACE);
	assert_int_equal(run.status, 0);
	assert_int_equal(run.out.len, 0);
	assert_non_null(strstr(run.err.data, "warning: there is no rule in what was loaded"));
	run_done(&run);
}

static void test_rules__that_are_all_off_are_warned_of(void **state)
{
	static const char *const flags[] = { "-t", "-D" }, *const values[] = { "nosuch", "Exec" };
	static const char *const warnings[] = { "warning: no rule has the tag 'nosuch'", "warning: all " };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(flags); i++) {
		struct run run;

		write_text(tempdir_join(&dir, "rules.yaml"), RULE("Exec", "NOTICE"));
		REPLAY(&run, flags[i], values[i], GCC_TRACE);
		assert_int_equal(run.status, 0);
		assert_int_equal(run.out.len, 0);
		assert_non_null(strstr(run.err.data, warnings[i]));
		assert_non_null(strstr(run.err.data, "so there will be no alert of a rule"));
		run_done(&run);
	}
}

/* Once, and where it was written: it is no fault of the rules. */
static void test_append_output__with_an_error_is_named_with_its_place(void **state)
{
	struct run run;

	(void)state;
	write_text(tempdir_join(&dir, "rules.yaml"), RULE("Exec", "NOTICE"));
	write_text(tempdir_join(&dir, "config.yaml"), "append_output:\n  - extra_output: \"x=%proc.nam\"\n");
	REPLAY(&run, "--config", tempdir_join(&dir, "config.yaml"), GCC_TRACE);
	assert_int_equal(run.status, 1);
	assert_non_null(strstr(run.err.data, "config.yaml:2:"));
	assert_non_null(strstr(run.err.data, "append_output: 'x=%proc.nam'"));
	assert_null(strstr(run.err.data, "rules.yaml"));
	run_done(&run);
}

static void test_rules__that_are_not_there_are_named(void **state)
{
	struct run run;

	(void)state;
	REPLAY(&run, "--rules", "/nonexistent/rules", GCC_TRACE);
	assert_int_equal(run.status, 1);
	assert_int_equal(run.out.len, 0);
	assert_non_null(strstr(run.err.data, "/nonexistent/rules"));
	run_done(&run);
}

static void test_rules__come_from_files_and_folders(void **state)
{
	const char *folder = tempdir_join(&dir, "more");
	struct run one, run;
	char path[256];

	(void)state;
	assert_int_equal(mkdir(folder, 0700), 0);
	snprintf(path, sizeof(path), "%s/b.yml", folder);
	write_text(path, RULE("Second", "NOTICE"));
	snprintf(path, sizeof(path), "%s/a.yaml", folder);
	write_text(path, RULE("Third", "NOTICE"));
	snprintf(path, sizeof(path), "%s/c.txt", folder);
	write_text(path, "not rules");
	REPLAY(&one, GCC_TRACE);
	REPLAY(&run, "-r", folder, GCC_TRACE);
	assert_int_equal(run.status, 0);
	assert_int_equal(line_count(&run), 3 * line_count(&one));
	run_done(&one);
	run_done(&run);
}

/* The greatest version that a rule file may require is the one that `version` prints. */
static void test_rules__may_require_the_claimed_engine_version(void **state)
{
	struct run run;

	(void)state;
	write_text(tempdir_join(&dir, "rules.yaml"),
	           "- required_engine_version: 0.63.0\n"
	           "- required_plugin_versions: [{name: container, version: 0.4.0}]\n" RULE("Exec", "NOTICE"));
	REPLAY(&run, GCC_TRACE);
	assert_int_equal(run.status, 0);
	run_done(&run);
	write_text(tempdir_join(&dir, "rules.yaml"), "- required_engine_version: 0.64.0\n" RULE("Exec", "NOTICE"));
	REPLAY(&run, GCC_TRACE);
	assert_int_equal(run.status, 1);
	run_done(&run);
}

/* The program in a folder of its own: SBIN/seccheckd under the temporary folder. */
static void install_program(char *ret_path, size_t size)
{
	size_t len;
	char *program = read_bytes(RUN_SECCHECKD, &len);

	assert_int_equal(mkdir(tempdir_join(&dir, "sbin"), 0700), 0);
	snprintf(ret_path, size, "%s", tempdir_join(&dir, "sbin/seccheckd"));
	write_bytes(ret_path, program, len);
	assert_int_equal(chmod(ret_path, 0700), 0);
	free(program);
}

static void assert_bundled(const char *program, const char *folder, bool found)
{
	struct run run;

	run_program(&run, &(struct run_options){ .argv = (const char *[]){ program, "replay", GCC_TRACE, NULL } });
	if (run.status != !found || (line_count(&run) > 0) != found || !strstr(run.err.data, folder) == !found)
		fail_msg("status %d, %zu alerts: %s", run.status, line_count(&run), run.err.data);
	run_done(&run);
}

static void test_rules__bundled_are_found_beside_the_program(void **state)
{
	char program[256], installed[256];

	(void)state;
	install_program(program, sizeof(program));
	snprintf(installed, sizeof(installed), "%s", tempdir_join(&dir, "share/seccheckd/rules"));
	assert_bundled(program, installed, false);
	assert_int_equal(mkdir(tempdir_join(&dir, "share"), 0700), 0);
	assert_int_equal(mkdir(tempdir_join(&dir, "share/seccheckd"), 0700), 0);
	assert_int_equal(mkdir(installed, 0700), 0);
	write_text(tempdir_join(&dir, "share/seccheckd/rules/exec.yaml"), RULE("Exec", "NOTICE"));
	assert_bundled(program, installed, true);
}

static void test_config__gives_rules_and_priority(void **state)
{
	const char *config = tempdir_join(&dir, "config.yaml");
	const char *const argv[] = { RUN_SECCHECKD, "replay", "-c", config, GCC_TRACE, NULL };
	char text[512];
	struct run all, first;

	(void)state;
	write_text(tempdir_join(&dir, "two.yaml"), RULE("One", "WARNING") RULE("Two", "ERROR") RULE("Three", "NOTICE"));
	snprintf(text, sizeof(text), "rules_files: [%s]\npriority: warning\n", tempdir_join(&dir, "two.yaml"));
	write_text(config, text);
	run_program(&all, &(struct run_options){ .argv = argv });
	assert_int_equal(all.status, 0);
	assert_true(run_count(&all.out, "\"rule\":\"One\"") > 0);
	assert_int_equal(run_count(&all.out, "\"rule\":\"One\""), run_count(&all.out, "\"rule\":\"Two\""));
	assert_int_equal(run_count(&all.out, "\"rule\":\"Three\""), 0);
	snprintf(text, sizeof(text), "rules_files: [%s]\nrule_matching: first\n", tempdir_join(&dir, "two.yaml"));
	write_text(config, text);
	run_program(&first, &(struct run_options){ .argv = argv });
	assert_int_equal(run_count(&first.out, "\"rule\":\"One\""), run_count(&all.out, "\"rule\":\"One\""));
	assert_int_equal(run_count(&first.out, "\"rule\":\"Two\""), 0);
	run_done(&all);
	run_done(&first);
}

static void test_config__is_overridden_by_flags(void **state)
{
	const char *config = tempdir_join(&dir, "config.yaml");
	struct run run;

	(void)state;
	write_text(config, "rules_files: [/nonexistent]\n");
	REPLAY(&run, "--config", config, GCC_TRACE);
	assert_int_equal(run.status, 0);
	assert_true(line_count(&run) > 0);
	run_done(&run);
}

static void test_config__with_an_error_ends_it(void **state)
{
	const char *config = tempdir_join(&dir, "config.yaml");
	char expected[256];
	struct run run;

	(void)state;
	write_text(config, "log_level: info\npriorty: info\n");
	snprintf(expected, sizeof(expected), "%s:2:1: unknown key 'priorty'\n  hint: did you mean 'priority'?\n",
	         config);
	REPLAY(&run, "--config", config, GCC_TRACE);
	assert_int_equal(run.status, 1);
	assert_int_equal(run.out.len, 0);
	assert_string_equal(run.err.data, expected);
	run_done(&run);
}

static void test_stats__are_printed_at_the_end(void **state)
{
	struct run run, silent;
	char expected[64];

	(void)state;
	REPLAY(&silent, GCC_TRACE);
	REPLAY(&run, "--stats", GCC_TRACE);
	assert_int_equal(run.status, 0);
	assert_int_equal(silent.err.len, 0);
	assert_string_equal(run.out.data, silent.out.data);
	assert_memory_equal(run.err.data, "messages                       409  Messages received.\n", 54);
	snprintf(expected, sizeof(expected), "alerts                %12zu  ", line_count(&run));
	assert_non_null(strstr(run.err.data, expected));
	assert_non_null(strstr(run.err.data, "sentry/execve"));
	assert_non_null(strstr(run.err.data, "descriptors_forgotten            0  "));
	run_done(&run);
	run_done(&silent);
}

/* A replay of rules gives the alerts of those rules. */
static void test_coverage__is_told_when_asked_for(void **state)
{
	const char *path = tempdir_join(&dir, "headless");
	struct run asked, silent;
	size_t len, first_len;
	char *trace = read_bytes(GCC_TRACE, &len);

	(void)state;
	memcpy(&first_len, trace + HEAD_BYTES, sizeof(first_len));
	memmove(trace + HEAD_BYTES, trace + HEAD_BYTES + sizeof(first_len) + first_len,
	        len - HEAD_BYTES - sizeof(first_len) - first_len);
	write_bytes(path, trace, len - sizeof(first_len) - first_len);
	free(trace);
	REPLAY(&silent, path);
	REPLAY(&asked, "--coverage-alerts", path);
	assert_int_equal(run_count(&silent.out, "\"source\":\"internal\""), 0);
	assert_int_equal(run_count(&asked.out, "\"source\":\"internal\""), 1);
	assert_int_equal(run_count(&asked.out, "reasons=unseeded "), 1);
	assert_int_equal(line_count(&asked), line_count(&silent) + 1);
	run_done(&silent);
	run_done(&asked);
}

static void test_host__is_that_of_the_environment(void **state)
{
	const char *const argv[] = { RUN_SECCHECKD, "replay", "-r", rules_path, GCC_TRACE, NULL };
	const char *const environment[] = { "FALCO_HOSTNAME=host-of-the-test", NULL };
	struct run run;

	(void)state;
	REPLAY(&run, GCC_TRACE);
	assert_int_equal(run_count(&run.out, "host-of-the-test"), 0);
	run_done(&run);
	run_program(&run, &(struct run_options){ .argv = argv, .environment = environment });
	assert_int_equal(run_count(&run.out, "\"hostname\":\"host-of-the-test\""), line_count(&run));
	assert_int_equal(run_count(&run.out, "\"boot_id\":\"\""), line_count(&run));
	run_done(&run);
}

static void test_output__that_cannot_be_written_ends_it(void **state)
{
	const char *const argv[] = { RUN_SECCHECKD, "replay", "-r", rules_path, GCC_TRACE, OTHER_TRACE, NULL };
	struct run run;

	(void)state;
	REPLAY(&run, GCC_TRACE);
	run_done(&run);
	run_program(&run, &(struct run_options){ .argv = argv, .stdout_path = "/dev/full" });
	assert_int_equal(run.status, 1);
	assert_string_equal(run.err.data, "seccheckd: cannot write to standard output: No space left on device\n");
	run_done(&run);
	run_program(&run, &(struct run_options){ .argv = argv, .close_stdout = true });
	assert_int_equal(run.status, 1);
	assert_string_equal(run.err.data, "seccheckd: cannot write to standard output: Broken pipe\n");
	run_done(&run);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_replay__is_the_same_bytes_every_time),
		TEST(test_replay__does_not_depend_on_where_the_trace_is),
		TEST(test_replay__takes_traces_in_the_order_given),
		TEST(test_replay__gives_other_ids_to_the_same_trace_again),
		TEST(test_replay__reports_what_came_before_the_end_of_a_truncated_trace),
		TEST(test_replay__stops_at_an_impossible_size),
		TEST(test_replay__goes_on_after_a_message_that_does_not_decode),
		TEST(test_replay__of_a_trace_without_messages_is_nothing),
		TEST(test_replay__names_what_is_no_trace_and_replays_the_others),
		TEST(test_rules__with_an_error_end_it_before_any_trace),
		TEST(test_rules__with_a_warning_are_used),
		TEST(test_rules__of_which_there_is_none_are_warned_of),
		TEST(test_rules__that_are_all_off_are_warned_of),
		TEST(test_append_output__with_an_error_is_named_with_its_place),
		TEST(test_rules__that_are_not_there_are_named),
		TEST(test_rules__come_from_files_and_folders),
		TEST(test_rules__may_require_the_claimed_engine_version),
		TEST(test_rules__bundled_are_found_beside_the_program),
		TEST(test_config__gives_rules_and_priority),
		TEST(test_config__is_overridden_by_flags),
		TEST(test_config__with_an_error_ends_it),
		TEST(test_coverage__is_told_when_asked_for),
		TEST(test_stats__are_printed_at_the_end),
		TEST(test_host__is_that_of_the_environment),
		TEST(test_output__that_cannot_be_written_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
