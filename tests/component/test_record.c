/*
 * `seccheckd record` and `seccheckd send` as programs: what goes in comes out, whatever its size and number; a stop,
 * a full disk and a cap leave whole traces.
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/wire/trace.h"
#include "tests/support/child.h"
#include "tests/support/peer.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"
#include "tests/support/trace.h"

#define TRACES SCD_SOURCE_DIR "/tests/data/traces/"

#define ARGS_MAX 12

/* A folder of its own for each test, which is the program's working directory too. */
static struct tempdir dir;

static int set_up(void **state)
{
	(void)state;
	return tempdir_make(&dir) < 0 || chdir(dir.path) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

/* Starts with these arguments; a list that is shorter ends with NULL. */
static void start(struct run *run, const char *const args[ARGS_MAX])
{
	const char *argv[ARGS_MAX + 2] = { RUN_SECCHECKD };

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 1] = args[i];
	run_start(run, &(struct run_options){ .argv = argv });
}

/* A recorder that listens on `s` and writes into a folder. */
static void start_recorder(struct run *run, const char *folder)
{
	const char *const args[ARGS_MAX] = { "record", "--listen", "s", "--out", folder };

	start(run, args);
	if (!run_until(run, "recording into"))
		fail_msg("the recorder did not start: %s", run->err.data);
}

/* An ordered stop. */
static void stop_recorder(struct run *run, int status)
{
	kill(run->pid, SIGTERM);
	if (run_finish(run) != status)
		fail_msg("exit status %d, not %d: %s", run->status, status, run->err.data);
}

/* Sends traces to `s` and expects that it works. */
static void send_traces(const char *const *paths, size_t count)
{
	const char *args[ARGS_MAX] = { "send", "--to", "s" };
	struct run run;

	for (size_t i = 0; i < count; i++)
		args[3 + i] = paths[i];
	start(&run, args);
	if (run_finish(&run) != 0)
		fail_msg("send ended with %d: %s", run.status, run.err.data);
	run_done(&run);
}

static char *read_whole(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	char *data;
	size_t len = 0;
	ssize_t r;

	if (fd < 0 || fstat(fd, &status) < 0)
		fail_msg("cannot open %s", path);
	data = malloc((size_t)status.st_size + 1);
	assert_non_null(data);
	while ((r = read(fd, data + len, (size_t)status.st_size - len)) > 0)
		len += (size_t)r;
	close(fd);
	*ret_len = len;
	return data;
}

static void expect_same_bytes(const char *path, const char *expected_path)
{
	size_t len, expected_len;
	char *data = read_whole(path, &len), *expected = read_whole(expected_path, &expected_len);

	if (len != expected_len || memcmp(data, expected, len) != 0)
		fail_msg("%s differs from %s", path, expected_path);
	free(data);
	free(expected);
}

static json_t *load_meta(const char *path)
{
	json_error_t error;
	json_t *meta = json_load_file(path, 0, &error);

	if (!meta)
		fail_msg("%s: %s", path, error.text);
	return meta;
}

static const char *text(const json_t *meta, const char *key)
{
	const char *value = json_string_value(json_object_get(meta, key));

	return value ? value : "(none)";
}

/* Whether a socket's buffer can be made large enough for the largest messages, which takes a privilege. */
static bool takes_large_messages(void)
{
	int fds[2];
	bool takes;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	takes = peer_enlarge(fds[0], 8 << 20);
	close(fds[0]);
	close(fds[1]);
	if (!takes)
		print_message("without messages of megabytes: net.core.wmem_max forbids them\n");
	return takes;
}

/* Messages of all sizes from 0, around page and buffer sizes, up to the largest that a socket takes. */
static void write_sizes(const char *path)
{
	static const size_t sizes[] = { 8, 0, 1, 7, 8, 9, 4087, 4096, 65528, 65536, 200000, 8, 4194304, 8, 4250000, 8 };
	const size_t largest = takes_large_messages() ? SIZE_MAX : 100000;
	struct scd_trace_writer *writer;
	struct scd_buf records;

	scd_buf_init(&records, 64u << 20);
	for (size_t i = 0; i < SCD_COUNT(sizes) && sizes[i] < largest; i++) {
		char *block = malloc(sizes[i] + 1);

		assert_non_null(block);
		memset(block, (int)('a' + i), sizes[i]);
		assert_int_equal(scd_trace_format(&records, (struct scd_str){ block, sizes[i] }), 0);
		free(block);
	}
	assert_int_equal(scd_trace_writer_open(AT_FDCWD, path, &writer), 0);
	assert_int_equal(scd_trace_writer_write(writer, scd_buf_str(&records)), 0);
	assert_int_equal(scd_trace_writer_close(&writer), 0);
	scd_buf_done(&records);
}

/* Many messages that are headers alone, faster than a disk is written in small steps. */
static void write_headers(const char *path, uint32_t count)
{
	struct scd_trace_writer *writer;
	struct scd_buf records;

	scd_buf_init(&records, 64u << 20);
	for (uint32_t i = 0; i < count; i++) {
		char header[8] = { 8, 0, 1 };

		assert_int_equal(scd_trace_format(&records, (struct scd_str){ header, sizeof(header) }), 0);
	}
	assert_int_equal(scd_trace_writer_open(AT_FDCWD, path, &writer), 0);
	assert_int_equal(scd_trace_writer_write(writer, scd_buf_str(&records)), 0);
	assert_int_equal(scd_trace_writer_close(&writer), 0);
	scd_buf_done(&records);
}

/* record → send → record: the second recording is the first, byte for byte, and both are what was sent at first. */
static void test_record__keeps_what_send_plays(void **state)
{
	static const char *const paths[] = { TRACES "all-decoded-python",
		                             TRACES "detect-gcc",
		                             TRACES "detect-python",
		                             TRACES "randomx-light-jit-2t",
		                             "sizes",
		                             "headers" };
	static const char *const first[] = { "first/client-0001", "first/client-0002", "first/client-0003",
		                             "first/client-0004", "first/client-0005", "first/client-0006" };
	static const char *const second[] = { "second/client-0001", "second/client-0002", "second/client-0003",
		                              "second/client-0004", "second/client-0005", "second/client-0006" };
	struct run recorder;

	(void)state;
	write_sizes("sizes");
	write_headers("headers", 100000);
	start_recorder(&recorder, "first");
	send_traces(paths, SCD_COUNT(paths));
	stop_recorder(&recorder, 0);
	run_done(&recorder);
	start_recorder(&recorder, "second");
	send_traces(first, SCD_COUNT(first));
	stop_recorder(&recorder, 0);
	run_done(&recorder);
	for (size_t i = 0; i < SCD_COUNT(paths); i++) {
		expect_same_bytes(first[i], paths[i]);
		expect_same_bytes(second[i], paths[i]);
	}
}

static void test_record__tells_of_each_file_and_describes_it(void **state)
{
	static const char *const paths[] = { TRACES "detect-gcc" };
	struct run recorder;
	struct stat status;
	json_t *meta;

	(void)state;
	start_recorder(&recorder, "out");
	send_traces(paths, 1);
	stop_recorder(&recorder, 0);
	assert_string_equal(recorder.out.data, "out/client-0001: 409 messages, 57346 bytes\n");
	assert_int_equal(stat("out", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	meta = load_meta("out/client-0001.meta.json");
	assert_string_equal(text(meta, "sandbox_id"), "runsc-965728");
	assert_string_equal(text(meta, "listener"), "s");
	assert_string_equal(text(meta, "end"), "closed");
	assert_int_equal(json_integer_value(json_object_get(meta, "messages")), 409);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(meta, "peer"), "uid")), getuid());
	assert_true(json_is_true(json_object_get(meta, "complete")));
	json_decref(meta);
	assert_int_equal(access("s", F_OK), -1);
	run_done(&recorder);
}

static void test_record__of_a_connection_that_is_still_there_is_complete_at_the_stop(void **state)
{
	enum { PEERS = 5, EACH = 200 };
	struct run recorder;
	int peers[PEERS];

	(void)state;
	start_recorder(&recorder, "out");
	for (int i = 0; i < PEERS; i++) {
		peers[i] = peer_join("s");
		assert_true(peers[i] >= 0);
		for (uint16_t k = 0; k < EACH; k++)
			assert_int_equal(peer_send_header(peers[i], k, 0), 0);
	}
	stop_recorder(&recorder, 0);
	assert_int_equal(run_count(&recorder.out, ": 200 messages, 3237 bytes\n"), PEERS);
	for (int i = 0; i < PEERS; i++) {
		char path[64];
		struct trace trace;
		json_t *meta;

		snprintf(path, sizeof(path), "out/client-%04d", i + 1);
		trace = trace_load(path);
		assert_int_equal(trace.count, EACH);
		trace_done(&trace);
		snprintf(path, sizeof(path), "out/client-%04d.meta.json", i + 1);
		meta = load_meta(path);
		assert_string_equal(text(meta, "end"), "stopped");
		assert_true(json_is_true(json_object_get(meta, "complete")));
		json_decref(meta);
		close(peers[i]);
	}
	run_done(&recorder);
}

static void test_record__goes_on_counting_where_another_ended(void **state)
{
	static const char *const paths[] = { TRACES "detect-python" };
	struct run recorder;

	(void)state;
	for (int i = 0; i < 2; i++) {
		start_recorder(&recorder, "out");
		send_traces(paths, 1);
		stop_recorder(&recorder, 0);
		run_done(&recorder);
	}
	expect_same_bytes("out/client-0001", paths[0]);
	expect_same_bytes("out/client-0002", paths[0]);
}

static void test_record__ends_a_file_at_its_cap(void **state)
{
	static const char *const args[ARGS_MAX] = { "record", "--listen", "s", "--out", "out", "--max-bytes", "10000" };
	static const char *const paths[] = { TRACES "detect-gcc" };
	struct run recorder;
	struct trace whole = trace_load(paths[0]), head;
	struct stat status;

	(void)state;
	start(&recorder, args);
	assert_true(run_until(&recorder, "recording into"));
	send_traces(paths, 1);
	stop_recorder(&recorder, 0);
	assert_non_null(strstr(recorder.out.data, "messages left out: the file has reached its cap\n"));
	assert_int_equal(stat("out/client-0001", &status), 0);
	assert_in_range(status.st_size, 9000, 10000);
	head = trace_load("out/client-0001");
	assert_true(head.count < whole.count);
	for (size_t i = 0; i < head.count; i++)
		assert_true(scd_str_eq(head.messages[i], whole.messages[i]));
	trace_done(&head);
	trace_done(&whole);
	run_done(&recorder);
}

/* A recorder on a disk of its own, of 256 KiB, which only its process sees. */
static bool start_on_small_disk(struct run *recorder)
{
	const char *const argv[] = { "/usr/bin/unshare",
		                     "--mount",
		                     "/bin/sh",
		                     "-c",
		                     "mount -t tmpfs -o size=256k none out && exec \"$0\" record --listen s --out out",
		                     RUN_SECCHECKD,
		                     NULL };

	assert_int_equal(mkdir("out", 0700), 0);
	run_start(recorder, &(struct run_options){ .argv = argv });
	return run_until(recorder, "recording into");
}

/* The path of a file as the recorder's process sees it. */
static const char *beside(const struct run *recorder, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "/proc/%d/root%s/%s", (int)recorder->pid, dir.path, name);
	return path;
}

/* Waits until the description has been written for the last time. */
static bool wait_for_end(const struct run *recorder)
{
	const int64_t deadline_ns = scd_clock_mono_ns() + RUN_DEADLINE_MS * INT64_C(1000000);
	bool has_ended = false;

	while (!has_ended && scd_clock_mono_ns() < deadline_ns) {
		json_t *meta = json_load_file(beside(recorder, "out/client-0001.meta.json"), 0, NULL);

		has_ended = json_object_get(meta, "ended_at") != NULL;
		json_decref(meta);
	}
	return has_ended;
}

/* The sandbox writes its megabyte as if nothing were wrong; the file ends whole, and says why. */
static void test_record__on_a_full_disk_disturbs_nobody(void **state)
{
	enum { MESSAGES = 10000 };
	static const char message[100] = { 8, 0, 1 };
	struct run recorder;
	struct trace trace;
	json_t *meta;
	int peer;

	(void)state;
	if (!start_on_small_disk(&recorder)) {
		print_message("skipped: there is no mount namespace of its own: %s\n", recorder.err.data);
		run_done(&recorder);
		skip();
	}
	peer = peer_join("s");
	assert_true(peer >= 0);
	for (int i = 0; i < MESSAGES; i++)
		assert_int_equal(peer_send(peer, message, sizeof(message)), 0);
	close(peer);
	assert_true(run_until(&recorder, "closed by the sandbox; 10000 messages"));
	assert_true(wait_for_end(&recorder));
	trace = trace_load(beside(&recorder, "out/client-0001"));
	assert_in_range(trace.count, 2000, 2500);
	for (size_t i = 0; i < trace.count; i++)
		assert_memory_equal(trace.messages[i].data, message, sizeof(message));
	meta = load_meta(beside(&recorder, "out/client-0001.meta.json"));
	assert_string_equal(text(meta, "reason"), "No space left on device");
	assert_true(json_is_false(json_object_get(meta, "complete")));
	assert_int_equal(json_integer_value(json_object_get(meta, "messages")), trace.count);
	assert_int_equal(json_integer_value(json_object_get(meta, "dropped")), MESSAGES - trace.count);
	json_decref(meta);
	trace_done(&trace);
	stop_recorder(&recorder, 1);
	assert_int_equal(run_count(&recorder.err, "No space left on device"), 1);
	assert_int_equal(run_count(&recorder.out, "messages left out: No space left on device\n"), 1);
	run_done(&recorder);
}

static void test_record__tells_what_it_counted_when_asked(void **state)
{
	static const char *const args[ARGS_MAX] = {
		"record", "--listen", "s", "--out", "out", "--log-level", "warning"
	};
	struct run recorder;
	int peer;

	(void)state;
	start(&recorder, args);
	while ((peer = peer_join("s")) < 0)
		assert_true(child_is_alive(recorder.pid));
	while (access("out/client-0001", F_OK) < 0)
		assert_true(child_is_alive(recorder.pid));
	kill(recorder.pid, SIGUSR1);
	assert_true(run_until(&recorder, " info recorder: started 1\n"));
	assert_int_equal(run_count(&recorder.err, " info keeper: "), 1);
	close(peer);
	stop_recorder(&recorder, 0);
	assert_int_equal(run_count(&recorder.err, " info recorder: "), 1);
	run_done(&recorder);
}

/* What the first worker has written is one trace and what comes later another; neither is said to be complete. */
static void test_record__tells_of_a_worker_that_died(void **state)
{
	struct run recorder;
	json_t *first, *second;
	int peer;

	(void)state;
	start_recorder(&recorder, "out");
	peer = peer_join("s");
	assert_true(peer >= 0);
	assert_int_equal(peer_send_header(peer, 1, 0), 0);
	while (access("out/client-0001.meta.json", F_OK) < 0)
		assert_true(child_is_alive(recorder.pid));
	kill(run_child(&recorder), SIGKILL);
	assert_true(run_until_count(&recorder, "recording into", 2));
	assert_int_equal(peer_send_header(peer, 2, 0), 0);
	close(peer);
	assert_true(run_until_out(&recorder, strlen("out/client-0002: ")));
	stop_recorder(&recorder, 1);
	assert_int_equal(run_count(&recorder.out, "; not complete: it begins where an earlier worker ended"), 1);
	assert_int_equal(run_count(&recorder.err, " error workers that died: 1, "), 1);
	assert_int_equal(run_count(&recorder.err, " is not complete: the worker that wrote it ended before"), 1);
	assert_non_null(strstr(recorder.err.data, " error out/client-0001 is not complete: "));
	first = load_meta("out/client-0001.meta.json");
	second = load_meta("out/client-0002.meta.json");
	assert_true(json_is_false(json_object_get(first, "complete")));
	assert_true(json_is_false(json_object_get(first, "resumed")));
	assert_true(json_is_false(json_object_get(second, "complete")));
	assert_true(json_is_true(json_object_get(second, "resumed")));
	assert_string_equal(text(second, "end"), "closed");
	json_decref(first);
	json_decref(second);
	run_done(&recorder);
}

static void test_record__fails_when_nobody_reads_its_lines(void **state)
{
	static const char *const paths[] = { TRACES "detect-python" };
	const char *const argv[] = { RUN_SECCHECKD, "record", "--listen", "s", "--out", "out", NULL };
	struct run recorder;

	(void)state;
	run_start(&recorder, &(struct run_options){ .argv = argv, .close_stdout = true });
	assert_true(run_until(&recorder, "recording into"));
	send_traces(paths, 1);
	send_traces(paths, 1);
	stop_recorder(&recorder, 1);
	assert_int_equal(run_count(&recorder.err, "cannot write to standard output: Broken pipe"), 1);
	expect_same_bytes("out/client-0001", paths[0]);
	expect_same_bytes("out/client-0002", paths[0]);
	run_done(&recorder);
}

/* What keeps it from starting; nothing listens then. */
static void test_record__does_not_start_with_a_fault(void **state)
{
	static const struct {
		const char *name;
		const char *args[ARGS_MAX];
		int status;
		const char *err;
	} rows[] = {
		{ "no socket", { "record", "--out", "out" }, 2, "there is no socket to listen on: give --listen PATH" },
		{ "no folder", { "record", "--listen", "s" }, 2, "there is no folder to write to: give --out DIR" },
		{ "a cap that is none",
		  { "record", "--listen", "s", "--out", "out", "--max-bytes", "1G" },
		  2,
		  "--max-bytes '1G': write a whole number of bytes, 1024 or more" },
		{ "a cap below the least",
		  { "record", "--listen", "s", "--out", "out", "--max-bytes", "1023" },
		  2,
		  "1024 or more" },
		{ "a folder in no folder",
		  { "record", "--listen", "s", "--out", "none/out" },
		  1,
		  "cannot write into the folder none/out: No such file or directory" },
		{ "a file instead of a folder",
		  { "record", "--listen", "s", "--out", "file" },
		  1,
		  "cannot write into the folder file: Not a directory" },
		{ "a socket in no folder", { "record", "--listen", "none/s", "--out", "out" }, 1, "none/s" },
	};

	(void)state;
	write_headers("file", 1);
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct run run;

		start(&run, rows[i].args);
		run_finish(&run);
		if (run.status != rows[i].status || run.out.len > 0 || !strstr(run.err.data, rows[i].err))
			fail_msg("%s: status %d, err: %s", rows[i].name, run.status, run.err.data);
		assert_int_equal(access("s", F_OK), -1);
		assert_int_equal(access("out", F_OK), -1);
		run_done(&run);
	}
}

/* What root may do as root, its recorder may not: it is told before anybody connects, and nothing is left behind. */
static void test_record__does_not_start_where_its_worker_may_not_write(void **state)
{
	static const char *const args[ARGS_MAX] = { "record", "--listen", "s", "--out", "other/out" };
	struct run run;

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root can give a folder to another user\n");
		skip();
	}
	assert_int_equal(mkdir("other", 0700), 0);
	assert_int_equal(chown("other", 65534, 65534), 0);
	start(&run, args);
	assert_int_equal(run_finish(&run), 1);
	assert_non_null(strstr(run.err.data,
	                       "cannot write into the folder other/out: Permission denied\n  hint: the recorder "
	                       "drops root's privileges, "));
	assert_int_equal(access("other/out", F_OK), -1);
	assert_int_equal(access("s", F_OK), -1);
	run_done(&run);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_record__keeps_what_send_plays),
		TEST(test_record__tells_of_each_file_and_describes_it),
		TEST(test_record__of_a_connection_that_is_still_there_is_complete_at_the_stop),
		TEST(test_record__goes_on_counting_where_another_ended),
		TEST(test_record__ends_a_file_at_its_cap),
		TEST(test_record__on_a_full_disk_disturbs_nobody),
		TEST(test_record__tells_what_it_counted_when_asked),
		TEST(test_record__tells_of_a_worker_that_died),
		TEST(test_record__fails_when_nobody_reads_its_lines),
		TEST(test_record__does_not_start_with_a_fault),
		TEST(test_record__does_not_start_where_its_worker_may_not_write),
	};
#undef TEST

	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
