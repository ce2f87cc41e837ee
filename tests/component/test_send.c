/*
 * `seccheckd send` as a program, against sinks that behave and sinks that do not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/wire/trace.h"
#include "tests/support/child.h"
#include "tests/support/peer.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

#define TRACE SCD_SOURCE_DIR "/tests/data/traces/detect-python"

#define ARGS_MAX 8

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

static void start(struct run *run, const char *const args[ARGS_MAX])
{
	const char *argv[ARGS_MAX + 3] = { RUN_SECCHECKD, "send" };

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 2] = args[i];
	run_start(run, &(struct run_options){ .argv = argv });
}

/* A socket at `s`, bound; it listens if there is a backlog. */
static int open_socket(int type, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "s" };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (backlog)
		assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

/* A sink that serves one connection in this way, on a socket that listens already; runs in a child process. */
struct sink {
	int fd;
	const char *answer; /* to the handshake; NULL: none, the connection is closed */
	size_t answer_len;
	unsigned message_count; /* that it reads before it closes */
	int expected_count;     /* -1: does not matter; else the exit status tells whether all came, and then the end */
};

static bool read_one(int fd)
{
	static char buffer[SCD_LIMIT_MESSAGE_BYTES];

	return recv(fd, buffer, sizeof(buffer), 0) > 0;
}

static int serve_one(void *user)
{
	const struct sink *sink = user;
	int fd = accept(sink->fd, NULL, NULL);
	unsigned count = 0;

	if (fd < 0 || !read_one(fd))
		return 1;
	if (!sink->answer)
		return 0;
	if (send(fd, sink->answer, sink->answer_len, MSG_NOSIGNAL) < 0)
		return 2;
	while (count < sink->message_count && read_one(fd))
		count++;
	return sink->expected_count < 0 || (int)count == sink->expected_count ? 0 : 3;
}

/* The exit status of send against such a sink, which must have been content. */
static void send_to(const struct sink *sink, const char *const args[ARGS_MAX], struct run *run)
{
	struct sink here = *sink;
	pid_t child;

	here.fd = open_socket(SOCK_SEQPACKET, 5);
	child = child_start(serve_one, &here);
	assert_true(child > 0);
	close(here.fd);
	start(run, args);
	run_finish(run);
	assert_int_equal(child_wait(child, PEER_DEADLINE_MS), 0);
	unlink("s");
}

static void test_send__plays_a_trace_into_a_sink(void **state)
{
	static const struct sink sink = {
		.answer = "\x08\x01", .answer_len = 2, .message_count = 1000, .expected_count = 244
	};
	static const char *const args[ARGS_MAX] = { "--to", "s", TRACE };
	struct run run;

	(void)state;
	send_to(&sink, args, &run);
	assert_int_equal(run.status, 0);
	assert_string_equal(run.out.data, TRACE ": 244 messages\n");
	assert_string_equal(run.err.data, "");
	run_done(&run);
}

static void test_send__takes_the_handshake_of_a_newer_sink(void **state)
{
	static const struct sink sink = {
		.answer = "\x08\x02\x10\x07", .answer_len = 4, .message_count = 1000, .expected_count = 244
	};
	static const char *const args[ARGS_MAX] = { "--to", "s", TRACE };
	struct run run;

	(void)state;
	send_to(&sink, args, &run);
	assert_int_equal(run.status, 0);
	run_done(&run);
}

static void test_send__fails_clearly_at_a_sink_that_does_not_behave(void **state)
{
	static const struct {
		const char *name;
		struct sink sink;
		const char *err;
	} rows[] = {
		{ "no answer", { .expected_count = -1 }, "s: the handshake was refused" },
		{ "an empty answer", { .answer = "", .expected_count = -1 }, "s: the handshake was refused" },
		{ "version 0",
		  { .answer = "\x08\0", .answer_len = 2, .expected_count = -1 },
		  "s: the answer is no handshake of a known version" },
		{ "no handshake",
		  { .answer = "hello", .answer_len = 5, .expected_count = -1 },
		  "s: the answer is no handshake of a known version" },
		{ "gone after ten messages",
		  { .answer = "\x08\x01", .answer_len = 2, .message_count = 10, .expected_count = 10 },
		  "s: the connection was closed by the sink" },
	};
	static const char *const args[ARGS_MAX] = { "--to", "s", "--rate", "50", TRACE, TRACE };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct run run;

		send_to(&rows[i].sink, args, &run);
		if (run.status != 1 || !strstr(run.err.data, rows[i].err) || run_count(&run.err, "s: ") != 1)
			fail_msg("%s: status %d, err: %s", rows[i].name, run.status, run.err.data);
		run_done(&run);
	}
}

/* Sockets that lead nowhere. */
static void test_send__fails_clearly_without_a_sink(void **state)
{
	static const struct {
		const char *name;
		int type; /* of the socket at `s`; 0: there is none */
		int backlog;
		const char *err;
	} rows[] = {
		{ "no socket", 0, 0, "send: s: there is no such socket\n" },
		{ "a socket that nobody listens on", SOCK_SEQPACKET, 0, "send: s: nobody listens there\n" },
		{ "a stream", SOCK_STREAM, 1, "send: s: this socket is of another type than a sink's" },
		{ "a sink that accepts and is silent", SOCK_SEQPACKET, 1, "send: s: the handshake is not answered\n" },
	};
	static const char *const args[ARGS_MAX] = { "--to", "s", TRACE, TRACE };

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		int fd = rows[i].type ? open_socket(rows[i].type, rows[i].backlog) : -1;
		struct run run;

		start(&run, args);
		run_finish(&run);
		if (run.status != 1 || !strstr(run.err.data, rows[i].err) || run.out.len > 0)
			fail_msg("%s: status %d, err: %s", rows[i].name, run.status, run.err.data);
		assert_int_equal(run_count(&run.err, "\n"), 1);
		run_done(&run);
		if (fd >= 0)
			close(fd);
		unlink("s");
	}
}

static void write_file(const char *path, const struct scd_buf *records, size_t cut_bytes)
{
	struct scd_trace_writer *writer;

	assert_int_equal(scd_trace_writer_open(AT_FDCWD, path, &writer), 0);
	assert_int_equal(scd_trace_writer_write(writer, scd_buf_str(records)), 0);
	assert_int_equal(truncate(path, (off_t)(scd_trace_writer_byte_count(writer) - cut_bytes)), 0);
	scd_trace_writer_close(&writer);
}

/* A recorder for what send does with several traces. */
static void start_recorder(struct run *run)
{
	const char *const argv[] = { RUN_SECCHECKD, "record", "--listen", "s", "--out", "out", NULL };

	run_start(run, &(struct run_options){ .argv = argv });
	assert_true(run_until(run, "recording into"));
}

static void stop_recorder(struct run *run)
{
	kill(run->pid, SIGTERM);
	assert_int_equal(run_finish(run), 0);
}

static void test_send__plays_what_is_good_of_traces_that_are_not(void **state)
{
	static const char *const args[ARGS_MAX] = { "--to", "s", "none", "cut", "text", TRACE };
	struct scd_buf records;
	struct run recorder, run;
	FILE *text = fopen("text", "we");

	(void)state;
	assert_non_null(text);
	assert_true(fputs("no trace, but longer than its head would be\n", text) >= 0);
	fclose(text);
	scd_buf_init(&records, 4096);
	for (int i = 0; i < 3; i++)
		assert_int_equal(scd_trace_format(&records, SCD_STR("message")), 0);
	write_file("cut", &records, 3);
	scd_buf_done(&records);
	start_recorder(&recorder);
	start(&run, args);
	assert_int_equal(run_finish(&run), 1);
	assert_string_equal(run.out.data, "cut: 2 messages\n" TRACE ": 244 messages\n");
	assert_non_null(strstr(run.err.data, "none: cannot open"));
	assert_non_null(strstr(run.err.data, "cut: the file ends inside a message"));
	assert_non_null(strstr(run.err.data, "text: not a trace file"));
	stop_recorder(&recorder);
	assert_int_equal(run_count(&recorder.out, "\n"), 2);
	assert_int_equal(run_count(&recorder.out, ": 2 messages, "), 1);
	assert_int_equal(run_count(&recorder.out, ": 244 messages, "), 1);
	run_done(&run);
	run_done(&recorder);
}

/* The limit of a trace is above that of the kernel for one message, so such a file can be written and not be sent. */
static void test_send__leaves_out_a_message_that_no_socket_takes(void **state)
{
	static const char *const args[ARGS_MAX] = { "--to", "s", "large" };
	char *block = calloc(1, SCD_LIMIT_MESSAGE_BYTES);
	struct scd_buf records;
	struct run recorder, run;

	(void)state;
	assert_non_null(block);
	scd_buf_init(&records, 2 * SCD_LIMIT_MESSAGE_BYTES);
	assert_int_equal(scd_trace_format(&records, SCD_STR("before")), 0);
	assert_int_equal(scd_trace_format(&records, (struct scd_str){ block, SCD_LIMIT_MESSAGE_BYTES }), 0);
	assert_int_equal(scd_trace_format(&records, SCD_STR("behind")), 0);
	write_file("large", &records, 0);
	scd_buf_done(&records);
	free(block);
	start_recorder(&recorder);
	start(&run, args);
	assert_int_equal(run_finish(&run), 1);
	assert_string_equal(run.out.data, "large: 2 messages\n");
	assert_string_equal(run.err.data,
	                    "large: message 2 of 4718592 bytes is left out: longer than the socket takes\n");
	stop_recorder(&recorder);
	assert_string_equal(recorder.out.data, "out/client-0001: 2 messages, 65 bytes\n");
	run_done(&run);
	run_done(&recorder);
}

static void test_send__repeats_over_new_connections(void **state)
{
	static const char *const args[ARGS_MAX] = { "--to", "s", "--repeat", "3", TRACE };
	struct run recorder, run;

	(void)state;
	start_recorder(&recorder);
	start(&run, args);
	assert_int_equal(run_finish(&run), 0);
	assert_string_equal(run.out.data, TRACE ": 732 messages\n");
	stop_recorder(&recorder);
	assert_int_equal(run_count(&recorder.out, ": 244 messages, 30630 bytes\n"), 3);
	run_done(&run);
	run_done(&recorder);
}

/* The last of 244 messages is due 243 thousandths of a second after the first. */
static void test_send__keeps_to_a_rate(void **state)
{
	static const char *const args[ARGS_MAX] = { "--to", "s", "--rate", "1000", TRACE };
	struct run recorder, run;
	int64_t started_ns;

	(void)state;
	start_recorder(&recorder);
	started_ns = scd_clock_mono_ns();
	start(&run, args);
	assert_int_equal(run_finish(&run), 0);
	assert_true(scd_clock_mono_ns() - started_ns >= 243 * INT64_C(1000000));
	stop_recorder(&recorder);
	assert_int_equal(run_count(&recorder.out, ": 244 messages, 30630 bytes\n"), 1);
	run_done(&run);
	run_done(&recorder);
}

static void test_send__refuses_arguments_that_make_no_sense(void **state)
{
	static const struct {
		const char *name;
		const char *args[ARGS_MAX];
		const char *err;
	} rows[] = {
		{ "no sink", { TRACE }, "there is no sink to send to: give --to PATH" },
		{ "no trace", { "--to", "s" }, "TRACE... is missing" },
		{ "no repetition",
		  { "--to", "s", "--repeat", "0", TRACE },
		  "--repeat '0': write a whole number, 1 or" },
		{ "no number", { "--to", "s", "--rate", "fast", TRACE }, "--rate 'fast': write a whole number, 1 or" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct run run;

		start(&run, rows[i].args);
		run_finish(&run);
		if (run.status != 2 || run.out.len > 0 || !strstr(run.err.data, rows[i].err))
			fail_msg("%s: status %d, err: %s", rows[i].name, run.status, run.err.data);
		run_done(&run);
	}
}

static void test_send__names_a_path_that_no_socket_can_have(void **state)
{
	char path[200];
	const char *const args[ARGS_MAX] = { "--to", path, TRACE };
	struct run run;

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	start(&run, args);
	assert_int_equal(run_finish(&run), 1);
	assert_non_null(strstr(run.err.data, "this path is longer than the path of a socket can be\n"));
	run_done(&run);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_send__plays_a_trace_into_a_sink),
		TEST(test_send__takes_the_handshake_of_a_newer_sink),
		TEST(test_send__fails_clearly_at_a_sink_that_does_not_behave),
		TEST(test_send__fails_clearly_without_a_sink),
		TEST(test_send__plays_what_is_good_of_traces_that_are_not),
		TEST(test_send__leaves_out_a_message_that_no_socket_takes),
		TEST(test_send__repeats_over_new_connections),
		TEST(test_send__keeps_to_a_rate),
		TEST(test_send__refuses_arguments_that_make_no_sense),
		TEST(test_send__names_a_path_that_no_socket_can_have),
	};
#undef TEST

	return cmocka_run_group_tests_name("send", tests, NULL, NULL);
}
