/*
 * Recordings on a real loop, a real folder and a pool of one thread, which a test can hold up: files as they came, and
 * every reason for which something may be missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/record/record.h"
#include "seccheckd/wire/trace.h"
#include "tests/support/loop.h"
#include "tests/support/tempdir.h"
#include "tests/support/trace.h"

#define MIB (1u << 20)

struct fixture {
	struct tempdir dir;
	int folder_fd;
	uv_loop_t loop;
	struct scd_recorder *recorder;
	uv_work_t blocker;
	uv_sem_t unblock, blocked;
	/* Written by the one thread of the pool, read when the loop has ended. */
	unsigned finished_count;
	char finished_names[256]; /* each with a blank behind it */
};

static void on_finished(void *user, const struct scd_recording_result *result)
{
	struct fixture *fixture = user;
	size_t len = strlen(fixture->finished_names);

	fixture->finished_count++;
	snprintf(fixture->finished_names + len, sizeof(fixture->finished_names) - len, "%s ", result->name);
}

static void open_recorder(struct fixture *fixture, uint64_t max_bytes)
{
	static const struct scd_recorder_ops ops = { .finished = on_finished };
	const struct scd_recorder_options options = {
		.loop = &fixture->loop,
		.folder_fd = fixture->folder_fd,
		.max_bytes = max_bytes,
		.hostname = SCD_STR_INIT("test-host"),
		.boot_id = SCD_STR_INIT("test-boot"),
	};

	scd_recorder_free(&fixture->recorder);
	fixture->recorder = scd_recorder_new(&options, &ops, fixture);
	assert_non_null(fixture->recorder);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (!fixture || tempdir_make(&fixture->dir) < 0)
		return -1;
	fixture->folder_fd = open(fixture->dir.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	uv_loop_init(&fixture->loop);
	uv_sem_init(&fixture->unblock, 0);
	uv_sem_init(&fixture->blocked, 0);
	open_recorder(fixture, 0);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	int r;

	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	scd_recorder_free(&fixture->recorder);
	r = uv_loop_close(&fixture->loop);
	uv_sem_destroy(&fixture->unblock);
	uv_sem_destroy(&fixture->blocked);
	close(fixture->folder_fd);
	tempdir_remove(&fixture->dir);
	free(fixture);
	return r;
}

static void block(uv_work_t *work)
{
	struct fixture *fixture = work->data;

	uv_sem_post(&fixture->blocked);
	uv_sem_wait(&fixture->unblock);
}

static void on_unblocked(uv_work_t *work, int status)
{
	(void)work;
	(void)status;
}

/* From here to release, the disk is so slow that nothing is written. */
static void hold_up(struct fixture *fixture)
{
	fixture->blocker.data = fixture;
	uv_queue_work(&fixture->loop, &fixture->blocker, block, on_unblocked);
	uv_sem_wait(&fixture->blocked);
}

static void release(struct fixture *fixture)
{
	uv_sem_post(&fixture->unblock);
}

static struct scd_recording *start(struct fixture *fixture)
{
	const struct scd_recording_info info = { .peer_pid = 42, .peer_uid = 7, .listener = SCD_STR_INIT("/run/s") };
	struct scd_recording *recording = scd_recording_start(fixture->recorder, &info);

	assert_non_null(recording);
	return recording;
}

/* Lets all jobs end. */
static void settle(struct fixture *fixture)
{
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

static const struct scd_recorder_counters *counters(const struct fixture *fixture)
{
	return scd_recorder_counters(fixture->recorder);
}

static void add_zeros(struct scd_recording *recording, size_t len)
{
	char *bytes = calloc(1, len);

	assert_non_null(bytes);
	scd_recording_add(recording, (struct scd_str){ bytes, len });
	free(bytes);
}

static json_t *load_meta(struct fixture *fixture, const char *name)
{
	json_error_t error;
	json_t *meta = json_load_file(tempdir_join(&fixture->dir, name), 0, &error);

	if (!meta)
		fail_msg("%s: %s", name, error.text);
	return meta;
}

static void expect_text(const json_t *meta, const char *key, const char *expected)
{
	const char *text = json_string_value(json_object_get(meta, key));

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static void expect_count(const json_t *meta, const char *key, json_int_t expected)
{
	assert_true(json_is_integer(json_object_get(meta, key)));
	assert_int_equal(json_integer_value(json_object_get(meta, key)), expected);
}

/* The description says so many messages in the file, so many not, and why. */
static void expect_meta(struct fixture *fixture, const char *name, json_int_t messages, json_int_t dropped,
                        const char *reason)
{
	json_t *meta = load_meta(fixture, name);

	expect_count(meta, "messages", messages);
	expect_count(meta, "dropped", dropped);
	assert_true(json_is_boolean(json_object_get(meta, "complete")));
	assert_int_equal(json_is_true(json_object_get(meta, "complete")), !reason);
	if (reason)
		expect_text(meta, "reason", reason);
	else
		assert_null(json_object_get(meta, "reason"));
	json_decref(meta);
}

static void expect_same_file(const char *path, const char *expected_path)
{
	struct trace got = trace_load(path), expected = trace_load(expected_path);
	struct stat status, expected_status;

	assert_int_equal(got.count, expected.count);
	for (size_t i = 0; i < got.count; i++)
		assert_true(scd_str_eq(got.messages[i], expected.messages[i]));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(stat(expected_path, &expected_status), 0);
	assert_int_equal(status.st_size, expected_status.st_size);
	trace_done(&got);
	trace_done(&expected);
}

static void test_recording__is_the_trace_that_was_sent(void **state)
{
	static const char path[] = SCD_SOURCE_DIR "/tests/data/traces/detect-gcc";
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	struct trace trace = trace_load(path);
	json_int_t count = (json_int_t)trace.count;

	for (size_t i = 0; i < trace.count; i++) {
		scd_recording_add(recording, trace.messages[i]);
		if (i % 10 == 0)
			uv_run(&fixture->loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(scd_recording_message_count(recording), trace.count);
	trace_done(&trace);
	scd_recording_end(&recording, "closed");
	assert_null(recording);
	settle(fixture);
	expect_same_file(tempdir_join(&fixture->dir, "client-0001"), path);
	expect_meta(fixture, "client-0001.meta.json", count, 0, NULL);
	assert_string_equal(fixture->finished_names, "client-0001 ");
	assert_int_equal(counters(fixture)->complete, 1);
	assert_int_equal(counters(fixture)->messages, count);
}

static void test_recording__keeps_messages_of_any_size(void **state)
{
	static const size_t sizes[] = { 8, 0, 4u << 20, 1, SCD_LIMIT_MESSAGE_BYTES, 8 };
	enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	struct trace trace;

	for (size_t i = 0; i < COUNT; i++) {
		add_zeros(recording, sizes[i]);
		settle(fixture);
	}
	scd_recording_end(&recording, "closed");
	settle(fixture);
	trace = trace_load(tempdir_join(&fixture->dir, "client-0001"));
	assert_int_equal(trace.count, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		assert_int_equal(trace.messages[i].len, sizes[i]);
	trace_done(&trace);
	expect_meta(fixture, "client-0001.meta.json", COUNT, 0, NULL);
}

static void test_recording__of_nothing_is_a_trace_too(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	struct trace trace;

	scd_recording_end(&recording, "closed");
	settle(fixture);
	trace = trace_load(tempdir_join(&fixture->dir, "client-0001"));
	assert_int_equal(trace.count, 0);
	trace_done(&trace);
	expect_meta(fixture, "client-0001.meta.json", 0, 0, NULL);
	assert_int_equal(fixture->finished_count, 1);
}

static void test_recording__does_not_mix_connections(void **state)
{
	enum { COUNT = 20, EACH = 50 };
	struct fixture *fixture = *state;
	struct scd_recording *recordings[COUNT];

	for (int i = 0; i < COUNT; i++)
		recordings[i] = start(fixture);
	for (int k = 0; k < EACH; k++) {
		for (int i = 0; i < COUNT; i++) {
			char text[32];
			int len = snprintf(text, sizeof(text), "message %d of connection %d", k, i + 1);

			scd_recording_add(recordings[i], (struct scd_str){ text, (size_t)len });
		}
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	}
	for (int i = 0; i < COUNT; i++)
		scd_recording_end(&recordings[i], "closed");
	settle(fixture);
	for (int i = 0; i < COUNT; i++) {
		struct trace trace;
		char text[32];

		snprintf(text, sizeof(text), "client-%04d", i + 1);
		trace = trace_load(tempdir_join(&fixture->dir, text));
		assert_int_equal(trace.count, EACH);
		for (int k = 0; k < EACH; k++) {
			snprintf(text, sizeof(text), "message %d of connection %d", k, i + 1);
			assert_true(scd_str_is(trace.messages[k], text));
		}
		trace_done(&trace);
	}
	assert_int_equal(fixture->finished_count, COUNT);
}

static void test_recording__describes_the_connection(void **state)
{
	/* Frames that say that 3 messages were dropped so far, then 5, and still 5. */
	static const char frames[][8] = { { 8, 0, 1, 0, 3 }, { 8, 0, 1, 0, 5 }, { 8, 0, 1, 0, 5 } };
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	json_t *meta;

	for (size_t i = 0; i < 3; i++)
		scd_recording_add(recording, (struct scd_str){ frames[i], 8 });
	scd_recording_claim_sandbox_id(recording, SCD_STR("some\xff id"));
	assert_true(scd_str_is(scd_recording_sandbox_id(recording), "some\xff id"));
	assert_int_equal(scd_recording_dropped_count(recording), 5);
	scd_recording_end(&recording, "reset");
	settle(fixture);
	meta = load_meta(fixture, "client-0001.meta.json");
	expect_count(meta, "version", 1);
	expect_text(meta, "trace", "client-0001");
	expect_text(meta, "hostname", "test-host");
	expect_text(meta, "boot_id", "test-boot");
	expect_text(meta, "listener", "/run/s");
	expect_text(meta, "sandbox_id", "some\xef\xbf\xbd id");
	expect_text(meta, "identity", "claimed");
	expect_text(meta, "end", "reset");
	expect_count(json_object_get(meta, "peer"), "pid", 42);
	expect_count(json_object_get(meta, "peer"), "uid", 7);
	expect_count(meta, "messages", 3);
	expect_count(meta, "bytes", SCD_TRACE_HEAD_BYTES + 3 * 16);
	expect_count(meta, "dropped_by_sender", 5);
	assert_true(strcmp(json_string_value(json_object_get(meta, "started_at")),
	                   json_string_value(json_object_get(meta, "ended_at"))) <= 0);
	json_decref(meta);
}

static void test_recording__is_named_by_the_host_side_before_all(void **state)
{
	const struct scd_recording_info info = { .sandbox_id = SCD_STR_INIT("established") };
	struct fixture *fixture = *state;
	struct scd_recording *recording = scd_recording_start(fixture->recorder, &info);
	json_t *meta;

	assert_non_null(recording);
	scd_recording_claim_sandbox_id(recording, SCD_STR("another"));
	assert_true(scd_str_is(scd_recording_sandbox_id(recording), "established"));
	settle(fixture);
	for (int i = 0; i < 2; i++) { /* from the start, and at the end */
		meta = load_meta(fixture, "client-0001.meta.json");
		expect_text(meta, "sandbox_id", "established");
		expect_text(meta, "identity", "verified");
		json_decref(meta);
		if (recording)
			scd_recording_end(&recording, "closed");
		settle(fixture);
	}
}

/* Whoever looks while it is written, or after the recorder was killed, learns that it is not whole. */
static void test_recording__is_not_complete_before_its_end(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);
	json_t *meta;

	scd_recording_add(recording, SCD_STR("message"));
	settle(fixture);
	meta = load_meta(fixture, "client-0001.meta.json");
	assert_true(json_is_false(json_object_get(meta, "complete")));
	assert_null(json_object_get(meta, "ended_at"));
	expect_count(json_object_get(meta, "peer"), "pid", 42);
	json_decref(meta);
	scd_recording_end(&recording, "closed");
	settle(fixture);
	expect_meta(fixture, "client-0001.meta.json", 1, 0, NULL);
}

static void expect_private(struct fixture *fixture, const char *name)
{
	struct stat status;

	assert_int_equal(stat(tempdir_join(&fixture->dir, name), &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
}

static void test_recording__makes_files_for_their_owner_alone(void **state)
{
	struct fixture *fixture = *state;
	mode_t umask_before = umask(0);
	struct scd_recording *recording = start(fixture);

	scd_recording_end(&recording, "closed");
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

static void test_recording__takes_the_next_free_number(void **state)
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
		scd_recording_end(&recording, "closed");
		settle(fixture);
	}
	assert_string_equal(fixture->finished_names, "client-0004 client-0006 client-0007 ");
	expect_untouched(fixture, "client-0001");
	expect_untouched(fixture, "client-0002.meta.json");
	expect_untouched(fixture, "client-0005");
	assert_int_equal(faccessat(fixture->folder_fd, "nowhere", F_OK, 0), -1);
}

static void test_recording__leaves_out_what_a_slow_disk_cannot_take(void **state)
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
	scd_recording_end(&recording, "closed");
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
static void test_recording__shares_the_memory_of_all(void **state)
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
		scd_recording_end(&recordings[i], "closed");
	scd_recording_end(&late, "closed");
	settle(fixture);
	assert_int_equal(counters(fixture)->complete, EACH);
	expect_meta(fixture, "client-0005.meta.json", 1, 1, "the disk was slower than the connection");
}

static void test_recording__ends_at_the_cap_of_a_file(void **state)
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
	scd_recording_end(&recording, "closed");
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

static void test_recording__ends_whole_when_the_disk_is_full(void **state)
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
	scd_recording_end(&recording, "closed");
	settle(fixture);
	trace = trace_load(tempdir_join(&fixture->dir, "client-0001"));
	assert_int_equal(trace.count, 8);
	trace_done(&trace);
	expect_meta(fixture, "client-0001.meta.json", 8, 93, "File too large");
	assert_int_equal(counters(fixture)->incomplete, 1);
	assert_int_equal(counters(fixture)->left_out, 93);
}

/* The trace is what matters; a description that is not whole is taken away. */
static void test_recording__goes_on_without_its_description(void **state)
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
	scd_recording_end(&recording, "closed");
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
static void test_recording__without_a_file_disturbs_nobody(void **state)
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
	scd_recording_end(&recording, "closed");
	settle(fixture);
	assert_int_equal(counters(fixture)->failed, 1);
	assert_int_equal(counters(fixture)->left_out, 10);
	assert_int_equal(fixture->finished_count, 0);
}

static void test_recording__tells_of_a_message_that_could_not_be_received(void **state)
{
	struct fixture *fixture = *state;
	struct scd_recording *recording = start(fixture);

	scd_recording_add(recording, SCD_STR("one"));
	scd_recording_lost(recording);
	scd_recording_add(recording, SCD_STR("two"));
	scd_recording_end(&recording, "closed");
	settle(fixture);
	expect_meta(fixture, "client-0001.meta.json", 2, 1, "a message was longer than a message may be");
}

/* One thread, so that a test can hold it up, and errors instead of the signal of a file over its limit. */
static int prepare(void **state)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)state;
	return setenv("UV_THREADPOOL_SIZE", "1", 1) < 0 ? -1 : sigaction(SIGXFSZ, &ignore, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_recording__is_the_trace_that_was_sent),
		TEST(test_recording__keeps_messages_of_any_size),
		TEST(test_recording__of_nothing_is_a_trace_too),
		TEST(test_recording__does_not_mix_connections),
		TEST(test_recording__describes_the_connection),
		TEST(test_recording__is_named_by_the_host_side_before_all),
		TEST(test_recording__is_not_complete_before_its_end),
		TEST(test_recording__makes_files_for_their_owner_alone),
		TEST(test_recording__takes_the_next_free_number),
		TEST(test_recording__leaves_out_what_a_slow_disk_cannot_take),
		TEST(test_recording__shares_the_memory_of_all),
		TEST(test_recording__ends_at_the_cap_of_a_file),
		TEST(test_recording__ends_whole_when_the_disk_is_full),
		TEST(test_recording__goes_on_without_its_description),
		TEST(test_recording__without_a_file_disturbs_nobody),
		TEST(test_recording__tells_of_a_message_that_could_not_be_received),
	};
#undef TEST

	return cmocka_run_group_tests_name("record/recording", tests, prepare, NULL);
}
