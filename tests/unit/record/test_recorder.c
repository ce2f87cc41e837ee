/*
 * The recorder's files: their names and modes, and every reason for which something may be missing in one.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/wire/trace.h"
#include "tests/support/trace.h"
#include "tests/unit/record/world.h"

#define MIB (1u << 20)

static void expect_private(struct fixture *fixture, const char *name)
{
	struct stat status;

	assert_int_equal(stat(tempdir_join(&fixture->dir, name), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void test_recorder__makes_files_for_their_owner_alone(void **state)
{
	struct fixture *fixture = *state;
	mode_t umask_before = umask(0);
	struct scd_recording *recording = start(fixture);

	scd_recording_end(&recording, "closed", NULL);
	settle(fixture);
	umask(umask_before);
	expect_private(fixture, "client-0001");
	expect_private(fixture, "client-0001.meta.json");
}

static void make_file(struct fixture *fixture, const char *name)
{
	int fd = openat(fixture->folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "mine", 4), 4);
	close(fd);
}

static void expect_untouched(struct fixture *fixture, const char *name)
{
	struct stat status;

	assert_int_equal(stat(tempdir_join(&fixture->dir, name), &status), 0);
	assert_int_equal(status.st_size, 4);
}

static void test_recorder__takes_the_next_free_number(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording;

	make_file(fixture, "client-0001");
	make_file(fixture, "client-0002.meta.json");
	assert_int_equal(symlinkat("nowhere", fixture->folder_fd, "client-0003"), 0);
	open_recorder(fixture, 0);
	make_file(fixture, "client-0005"); /* somebody else's, meanwhile */
	for (int i = 0; i < 3; i++) {
		recording = start(fixture);
		scd_recording_end(&recording, "closed", NULL);
		settle(fixture);
	}
	assert_string_equal(fixture->finished_names, "client-0004 client-0006 client-0007 ");
	expect_untouched(fixture, "client-0001");
	expect_untouched(fixture, "client-0002.meta.json");
	expect_untouched(fixture, "client-0005");
	assert_int_equal(faccessat(fixture->folder_fd, "nowhere", F_OK, 0), -1);
}

static void test_recorder__leaves_out_what_a_slow_disk_cannot_take(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording;
	struct trace trace;

	hold_up(fixture);
	recording = start(fixture);
	for (unsigned i = 0; i < SCD_LIMIT_RECORDING_QUEUE_BYTES / (4 * MIB) - 1; i++)
		add_zeros(recording, 4 * MIB);
	add_zeros(recording, 3 * MIB);
	add_zeros(recording, 2 * MIB);
	add_zeros(recording, 8); /* there is room for this one again */
	assert_int_equal(counters(fixture)->left_out, 0);
	release(fixture);
	settle(fixture);
	add_zeros(recording, 2 * MIB);
	scd_recording_end(&recording, "closed", NULL);
	settle(fixture);
	trace = trace_load(tempdir_join(&fixture->dir, "client-0001"));
	assert_int_equal(trace.count, 10);
	assert_int_equal(trace.messages[7].len, 3 * MIB);
	assert_int_equal(trace.messages[8].len, 8);
	trace_done(&trace);
	expect_meta(fixture, "client-0001.meta.json", 10, 1, "the disk was slower than the connection");
	assert_int_equal(counters(fixture)->incomplete, 1);
	assert_int_equal(counters(fixture)->left_out, 1);
}

/* All recordings together: one more than fits is refused, and fits when the others are written. */
static void test_recorder__shares_the_memory_of_all(void **state)
{
	enum { EACH = SCD_LIMIT_RECORDER_QUEUE_BYTES / SCD_LIMIT_RECORDING_QUEUE_BYTES };
	struct fixture *fixture = *state;
	struct scd_recording *recordings[EACH], *late;

	hold_up(fixture);
	for (int i = 0; i < EACH; i++) {
		recordings[i] = start(fixture);
		for (unsigned k = 0; k < SCD_LIMIT_RECORDING_QUEUE_BYTES / (4 * MIB); k++)
			add_zeros(recordings[i], 4 * MIB - SCD_TRACE_SIZE_BYTES);
	}
	late = start(fixture);
	add_zeros(late, 8);
	release(fixture);
	settle(fixture);
	add_zeros(late, 8);
	for (int i = 0; i < EACH; i++)
		scd_recording_end(&recordings[i], "closed", NULL);
	scd_recording_end(&late, "closed", NULL);
	settle(fixture);
	assert_int_equal(counters(fixture)->complete, EACH);
	expect_meta(fixture, "client-0005.meta.json", 1, 1, "the disk was slower than the connection");
}

static void test_recorder__ends_at_the_cap_of_a_file(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording;
	struct stat status;

	open_recorder(fixture, SCD_TRACE_HEAD_BYTES + 200);
	recording = start(fixture);
	for (int i = 0; i < 3; i++) {
		add_zeros(recording, 92);
		settle(fixture);
	}
	scd_recording_add(recording, SCD_STR(""));
	scd_recording_end(&recording, "closed", NULL);
	settle(fixture);
	assert_int_equal(stat(tempdir_join(&fixture->dir, "client-0001"), &status), 0);
	assert_int_equal(status.st_size, SCD_TRACE_HEAD_BYTES + 200);
	expect_meta(fixture, "client-0001.meta.json", 2, 2, "the file has reached its cap");
	assert_int_equal(counters(fixture)->capped, 1);
	assert_int_equal(counters(fixture)->incomplete, 0);
}

/* A disk that is full for every file of this length. */
static void set_file_limit(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_recorder__ends_whole_when_the_disk_is_full(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	struct trace trace;

	set_file_limit(8192);
	for (int i = 0; i < 100; i++) {
		add_zeros(recording, 992);
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	}
	settle(fixture);
	set_file_limit(RLIM_INFINITY);
	add_zeros(recording, 8);
	scd_recording_end(&recording, "closed", NULL);
	settle(fixture);
	trace = trace_load(tempdir_join(&fixture->dir, "client-0001"));
	assert_int_equal(trace.count, 8);
	trace_done(&trace);
	expect_meta(fixture, "client-0001.meta.json", 8, 93, "File too large");
	assert_int_equal(counters(fixture)->incomplete, 1);
	assert_int_equal(counters(fixture)->left_out, 93);
}

/* The trace is what matters; a description that is not whole is taken away. */
static void test_recorder__goes_on_without_its_description(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording;
	struct trace trace;

	set_file_limit(100); /* a description is longer */
	recording = start(fixture);
	scd_recording_add(recording, SCD_STR("message"));
	settle(fixture);
	set_file_limit(RLIM_INFINITY);
	scd_recording_add(recording, SCD_STR("message"));
	scd_recording_end(&recording, "closed", NULL);
	settle(fixture);
	trace = trace_load(tempdir_join(&fixture->dir, "client-0001"));
	assert_int_equal(trace.count, 2);
	trace_done(&trace);
	assert_false(trace_exists(tempdir_join(&fixture->dir, "client-0001.meta.json")));
	assert_int_equal(counters(fixture)->complete, 1);
	assert_int_equal(counters(fixture)->meta_errors, 1);
	assert_int_equal(fixture->finished_count, 1);
}

/* Neither trace nor description can be made; the connection's messages are taken and forgotten. */
static void test_recorder__without_a_file_disturbs_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording;

	assert_int_equal(rmdir(fixture->dir.path), 0);
	recording = start(fixture);
	for (int i = 0; i < 10; i++) {
		add_zeros(recording, 2 * MIB);
		settle(fixture);
	}
	assert_int_equal(scd_recording_message_count(recording), 10);
	scd_recording_end(&recording, "closed", NULL);
	settle(fixture);
	assert_int_equal(counters(fixture)->failed, 1);
	assert_int_equal(counters(fixture)->left_out, 10);
	assert_int_equal(fixture->finished_count, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_recorder__makes_files_for_their_owner_alone),
		TEST(test_recorder__takes_the_next_free_number),
		TEST(test_recorder__leaves_out_what_a_slow_disk_cannot_take),
		TEST(test_recorder__shares_the_memory_of_all),
		TEST(test_recorder__ends_at_the_cap_of_a_file),
		TEST(test_recorder__ends_whole_when_the_disk_is_full),
		TEST(test_recorder__goes_on_without_its_description),
		TEST(test_recorder__without_a_file_disturbs_nobody),
	};
#undef TEST

	return cmocka_run_group_tests_name("record/recorder", tests, prepare, NULL);
}
