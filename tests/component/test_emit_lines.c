/*
 * JSON lines to pipes and files that are full, closed, torn, or all right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/emit_world.h"
#include "tests/support/tempdir.h"

/* The world, and what its output has written so far. */
struct lines {
	struct emit_world world;
	int fds[2]; /* read end, write end; -1: not open */
	struct scd_buf text;
	struct tempdir dir;
	bool mounted; /* a file system of its own over dir */
	uint64_t wanted;
};

static int open_lines(void **state)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	assert_non_null(lines);
	emit_open(&lines->world);
	assert_int_equal(tempdir_make(&lines->dir), 0);
	scd_buf_init(&lines->text, SIZE_MAX);
	assert_int_equal(pipe2(lines->fds, O_CLOEXEC), 0);
	fcntl(lines->fds[0], F_SETFL, O_NONBLOCK);
	*state = lines;
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int close_lines(void **state)
{
	struct lines *lines = *state;

	emit_close(&lines->world);
	close_fd(&lines->fds[0]);
	close_fd(&lines->fds[1]);
	scd_buf_done(&lines->text);
	if (lines->mounted)
		umount2(lines->dir.path, MNT_DETACH);
	tempdir_remove(&lines->dir);
	free(lines);
	return 0;
}

static void add_pipe(struct lines *lines)
{
	struct scd_error err;

	assert_int_equal(scd_emitter_add_stream(lines->world.emitter, lines->fds[1], "stdout", &err), 0);
}

static const char *add_file(struct lines *lines, const char *name)
{
	const char *path = tempdir_join(&lines->dir, name);
	struct scd_error err;

	assert_int_equal(scd_emitter_add_file(lines->world.emitter, path, &err), 0);
	return path;
}

static void read_pipe(struct lines *lines)
{
	char piece[4096];
	ssize_t n;

	while ((n = read(lines->fds[0], piece, sizeof(piece))) > 0)
		scd_buf_append(&lines->text, piece, (size_t)n);
}

static void read_file(struct lines *lines, const char *path)
{
	char piece[4096];
	FILE *file = fopen(path, "re");
	size_t n;

	assert_non_null(file);
	while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
		scd_buf_append(&lines->text, piece, n);
	fclose(file);
}

/* The number of the alert on a line; fails the test when the line is no alert. */
static long line_number(const char *line, size_t len)
{
	json_t *json = json_loadb(line, len, 0, NULL);
	const char *id = NULL;
	long number;

	assert_non_null(json);
	assert_int_equal(json_unpack(json, "{s:{s:s}}", "seccheckd", "event_id", &id), 0);
	number = alert_number(id);
	json_decref(json);
	return number;
}

/* Asserts that the text is the alerts first… in order, each on one whole line; a torn last line is passed over. */
static unsigned count_lines(const struct lines *lines, unsigned first)
{
	const char *at = lines->text.data, *end = at + lines->text.len;
	unsigned count = 0;

	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));

		if (!line_end)
			break;
		assert_int_equal(line_number(at, (size_t)(line_end - at)), first + count);
		at = line_end + 1;
		count++;
	}
	return count;
}

static bool all_read(void *user)
{
	struct lines *lines = user;

	read_pipe(lines);
	return emit_status(&lines->world, 0).delivered == lines->wanted;
}

static bool all_delivered(void *user)
{
	struct lines *lines = user;

	return emit_status(&lines->world, 0).delivered == lines->wanted;
}

static bool pipe_is_full(void *user)
{
	struct lines *lines = user;
	int bytes = 0;

	ioctl(lines->fds[0], FIONREAD, &bytes);
	return bytes >= 60000;
}

static bool has_retried(void *user)
{
	struct lines *lines = user;

	return emit_status(&lines->world, 0).retries >= 2;
}

static bool has_dropped(void *user)
{
	struct lines *lines = user;

	return emit_status(&lines->world, 0).dropped >= lines->wanted;
}

static void test_stream__writes_each_alert_as_a_line_in_order(void **state)
{
	struct lines *lines = *state;

	add_pipe(lines);
	emit_submit(&lines->world, 0, 10);
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
	read_pipe(lines);
	assert_int_equal(count_lines(lines, 0), 10);
	assert_int_equal(lines->text.data[lines->text.len - 1], '\n');
	assert_int_equal(emit_status(&lines->world, 0).delivered, 10);
	assert_string_equal(emit_status(&lines->world, 0).name, "stdout");
}

static void test_stream__a_full_pipe_neither_blocks_nor_tears(void **state)
{
	struct lines *lines = *state;
	int flags = fcntl(lines->fds[1], F_GETFL);

	add_pipe(lines);
	emit_submit(&lines->world, 0, 2000);
	assert_true(loop_run_until(&lines->world.loop, pipe_is_full, lines));
	assert_int_equal(fcntl(lines->fds[1], F_GETFL), flags);
	lines->wanted = 2000;
	assert_true(loop_run_until(&lines->world.loop, all_read, lines));
	read_pipe(lines);
	assert_int_equal(count_lines(lines, 0), 2000);
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
}

/* A line much longer than what a pipe takes in one piece. */
static void test_stream__a_long_line_arrives_whole(void **state)
{
	struct lines *lines = *state;

	add_pipe(lines);
	scd_emitter_submit(lines->world.emitter, alert_make_long(0, 300000));
	lines->wanted = 1;
	assert_true(loop_run_until(&lines->world.loop, all_read, lines));
	read_pipe(lines);
	assert_int_equal(count_lines(lines, 0), 1);
}

static void test_stream__a_socket_works_as_well(void **state)
{
	struct lines *lines = *state;

	close_fd(&lines->fds[0]);
	close_fd(&lines->fds[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, lines->fds), 0);
	fcntl(lines->fds[0], F_SETFL, O_NONBLOCK);
	add_pipe(lines);
	emit_submit(&lines->world, 0, 3000);
	lines->wanted = 3000;
	assert_true(loop_run_until(&lines->world.loop, all_read, lines));
	read_pipe(lines);
	assert_int_equal(count_lines(lines, 0), 3000);
}

static void test_stream__a_closed_pipe_is_dead_and_drops(void **state)
{
	struct lines *lines = *state;

	close_fd(&lines->fds[0]);
	add_pipe(lines);
	emit_submit(&lines->world, 0, 7);
	lines->wanted = 7;
	assert_true(loop_run_until(&lines->world.loop, has_dropped, lines));
	emit_submit(&lines->world, 7, 3);
	assert_int_equal(emit_status(&lines->world, 0).dropped, 10);
	assert_int_equal(emit_status(&lines->world, 0).queued, 0);
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
}

static void on_dead(void *user)
{
	unsigned *times = user;

	++*times;
}

static void test_emitter__tells_when_the_last_output_has_died(void **state)
{
	struct lines *lines = *state;
	unsigned times = 0;

	scd_emitter_on_dead(lines->world.emitter, on_dead, &times);
	close_fd(&lines->fds[0]);
	add_pipe(lines);
	emit_submit(&lines->world, 0, 3);
	lines->wanted = 3;
	assert_true(loop_run_until(&lines->world.loop, has_dropped, lines));
	assert_int_equal(times, 1);
	emit_submit(&lines->world, 3, 1);
	assert_int_equal(emit_status(&lines->world, 0).dropped, 4);
	assert_int_equal(times, 1);
}

static void test_emitter__goes_on_while_an_output_lives(void **state)
{
	struct lines *lines = *state;
	unsigned times = 0;

	scd_emitter_on_dead(lines->world.emitter, on_dead, &times);
	close_fd(&lines->fds[0]);
	add_pipe(lines);
	add_file(lines, "alerts.jsonl");
	emit_submit(&lines->world, 0, 3);
	lines->wanted = 3;
	assert_true(loop_run_until(&lines->world.loop, has_dropped, lines));
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
	assert_int_equal(emit_status(&lines->world, 1).delivered, 3);
	assert_int_equal(times, 0);
}

static void test_stream__a_pipe_closed_while_full_is_dead_too(void **state)
{
	struct lines *lines = *state;

	add_pipe(lines);
	emit_submit(&lines->world, 0, 2000);
	assert_true(loop_run_until(&lines->world.loop, pipe_is_full, lines));
	lines->wanted = 2000 - emit_status(&lines->world, 0).delivered;
	close_fd(&lines->fds[0]);
	assert_true(loop_run_until(&lines->world.loop, has_dropped, lines));
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
}

static void test_stream__drain_counts_exactly_what_is_not_out(void **state)
{
	struct lines *lines = *state;
	size_t undelivered;

	add_pipe(lines);
	emit_submit(&lines->world, 0, 2000);
	assert_true(loop_run_until(&lines->world.loop, pipe_is_full, lines));
	undelivered = emit_drain(&lines->world, 20);
	read_pipe(lines);
	assert_int_equal(undelivered, 2000 - count_lines(lines, 0));
	assert_true(undelivered > 0);
}

static void test_stream__a_descriptor_that_is_none_is_an_error(void **state)
{
	struct lines *lines = *state;
	struct scd_error err;

	assert_int_equal(scd_emitter_add_stream(lines->world.emitter, 12345, "stdout", &err), -EBADF);
	assert_int_equal(err.code, -EBADF);
	assert_int_equal(scd_emitter_output_count(lines->world.emitter), 0);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fputs(text, file) < 0, 0);
	assert_int_equal(fclose(file), 0);
}

static void test_file__is_made_for_its_owner_alone(void **state)
{
	struct lines *lines = *state;
	const char *path = add_file(lines, "alerts.jsonl");
	struct stat info;

	emit_submit(&lines->world, 0, 5);
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	read_file(lines, path);
	assert_int_equal(count_lines(lines, 0), 5);
}

static void test_file__is_appended_to_behind_whole_lines(void **state)
{
	struct lines *lines = *state;
	const char *path = tempdir_join(&lines->dir, "alerts.jsonl");

	write_text(path, "{\"old\":1}\n");
	add_file(lines, "alerts.jsonl");
	emit_submit(&lines->world, 0, 2);
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
	read_file(lines, path);
	assert_memory_equal(lines->text.data, "{\"old\":1}\n{\"hostname\"", 21);
}

static void test_file__a_line_torn_in_an_earlier_life_is_ended(void **state)
{
	struct lines *lines = *state;
	const char *path = tempdir_join(&lines->dir, "alerts.jsonl");

	write_text(path, "{\"old\":");
	add_file(lines, "alerts.jsonl");
	emit_submit(&lines->world, 0, 2);
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
	read_file(lines, path);
	assert_memory_equal(lines->text.data, "{\"old\":\n{\"hostname\"", 19);
	assert_int_equal(emit_status(&lines->world, 0).delivered, 2);
}

static void test_file__that_cannot_be_opened_is_an_error_with_its_name(void **state)
{
	struct lines *lines = *state;
	struct scd_error err;

	assert_int_equal(scd_emitter_add_file(lines->world.emitter, "/nowhere/alerts.jsonl", &err), -ENOENT);
	assert_non_null(strstr(err.what, "/nowhere/alerts.jsonl"));
}

static void test_file__a_named_pipe_without_a_reader_is_an_error_and_no_wait(void **state)
{
	struct lines *lines = *state;
	const char *path = tempdir_join(&lines->dir, "fifo");
	struct scd_error err;

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(scd_emitter_add_file(lines->world.emitter, path, &err), -ENXIO);
}

static void test_file__on_a_full_device_is_tried_again(void **state)
{
	struct lines *lines = *state;
	struct scd_error err;

	assert_int_equal(scd_emitter_add_file(lines->world.emitter, "/dev/full", &err), 0);
	emit_submit(&lines->world, 0, 5);
	assert_true(loop_run_until(&lines->world.loop, has_retried, lines));
	assert_int_equal(emit_status(&lines->world, 0).delivered, 0);
	assert_int_equal(emit_status(&lines->world, 0).queued, 5);
	assert_int_equal(emit_drain(&lines->world, 20), 5);
}

/* Mounts 64 KiB of file system over the test's folder, 40 of them taken by a file. False where that is not allowed. */
static bool mount_small_disk(struct lines *lines, const char *filler_name)
{
	char filler[40960];

	if (mount("tmpfs", lines->dir.path, "tmpfs", 0, "size=64k") < 0) {
		print_message("mounting a tmpfs: %s\n", strerror(errno));
		return false;
	}
	lines->mounted = true;
	memset(filler, 'x', sizeof(filler) - 1);
	filler[sizeof(filler) - 1] = '\0';
	write_text(tempdir_join(&lines->dir, filler_name), filler);
	return true;
}

/* The disk is full in the middle of a line. */
static void test_file__on_a_full_disk_goes_on_where_it_stopped(void **state)
{
	struct lines *lines = *state;
	const char *path;

	if (!mount_small_disk(lines, "filler"))
		skip();
	path = add_file(lines, "alerts.jsonl");
	emit_submit(&lines->world, 0, 60);
	assert_true(loop_run_until(&lines->world.loop, has_retried, lines));
	assert_true(emit_status(&lines->world, 0).delivered < 60);
	assert_int_equal(unlink(tempdir_join(&lines->dir, "filler")), 0);
	lines->wanted = 60;
	assert_true(loop_run_until(&lines->world.loop, all_delivered, lines));
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
	read_file(lines, path);
	assert_int_equal(count_lines(lines, 0), 60);
}

static void test_emitter__gives_every_output_every_alert(void **state)
{
	struct lines *lines = *state;
	const char *path = add_file(lines, "alerts.jsonl");

	add_pipe(lines);
	assert_int_equal(scd_emitter_output_count(lines->world.emitter), 2);
	emit_submit(&lines->world, 0, 100);
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
	read_pipe(lines);
	assert_int_equal(count_lines(lines, 0), 100);
	scd_buf_reset(&lines->text);
	read_file(lines, path);
	assert_int_equal(count_lines(lines, 0), 100);
}

static void test_emitter__a_slow_output_does_not_delay_another(void **state)
{
	struct lines *lines = *state;

	add_file(lines, "alerts.jsonl");
	add_pipe(lines);
	emit_submit(&lines->world, 0, 2000);
	lines->wanted = 2000;
	assert_true(loop_run_until(&lines->world.loop, all_delivered, lines));
	assert_true(emit_status(&lines->world, 1).delivered < 2000);
	emit_drain(&lines->world, 0);
}

static void test_emitter__drain_without_outputs_ends(void **state)
{
	struct lines *lines = *state;

	emit_submit(&lines->world, 0, 1);
	assert_int_equal(emit_drain(&lines->world, 0), 0);
}

static void test_emitter__an_alert_after_the_drain_is_dropped(void **state)
{
	struct lines *lines = *state;

	add_pipe(lines);
	assert_int_equal(emit_drain(&lines->world, LOOP_DEADLINE_MS), 0);
	emit_submit(&lines->world, 0, 2);
	assert_int_equal(emit_status(&lines->world, 0).dropped, 2);
}

static void test_emitter__may_be_freed_without_a_drain_when_nothing_was_submitted(void **state)
{
	struct lines *lines = *state;

	add_pipe(lines);
	add_file(lines, "alerts.jsonl");
}

/* As a daemon does whose third output is wrong. */
static void test_emitter__may_be_freed_after_an_output_that_could_not_be_added(void **state)
{
	const struct scd_http_options bad = { .url = "gopher://127.0.0.1:1/" };
	struct lines *lines = *state;
	struct scd_error err;

	add_pipe(lines);
	add_file(lines, "alerts.jsonl");
	assert_true(scd_emitter_add_http(lines->world.emitter, &bad, &err) < 0);
	scd_emitter_free(&lines->world.emitter);
	assert_null(lines->world.emitter);
	scd_emitter_free(&lines->world.emitter);
	scd_emitter_free(NULL);
}

#define LINES_TEST(name) cmocka_unit_test_setup_teardown(name, open_lines, close_lines)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINES_TEST(test_stream__writes_each_alert_as_a_line_in_order),
		LINES_TEST(test_stream__a_full_pipe_neither_blocks_nor_tears),
		LINES_TEST(test_stream__a_long_line_arrives_whole),
		LINES_TEST(test_stream__a_socket_works_as_well),
		LINES_TEST(test_stream__a_closed_pipe_is_dead_and_drops),
		LINES_TEST(test_stream__a_pipe_closed_while_full_is_dead_too),
		LINES_TEST(test_stream__drain_counts_exactly_what_is_not_out),
		LINES_TEST(test_stream__a_descriptor_that_is_none_is_an_error),
		LINES_TEST(test_file__is_made_for_its_owner_alone),
		LINES_TEST(test_file__is_appended_to_behind_whole_lines),
		LINES_TEST(test_file__a_line_torn_in_an_earlier_life_is_ended),
		LINES_TEST(test_file__that_cannot_be_opened_is_an_error_with_its_name),
		LINES_TEST(test_file__a_named_pipe_without_a_reader_is_an_error_and_no_wait),
		LINES_TEST(test_file__on_a_full_device_is_tried_again),
		LINES_TEST(test_file__on_a_full_disk_goes_on_where_it_stopped),
		LINES_TEST(test_emitter__gives_every_output_every_alert),
		LINES_TEST(test_emitter__a_slow_output_does_not_delay_another),
		LINES_TEST(test_emitter__tells_when_the_last_output_has_died),
		LINES_TEST(test_emitter__goes_on_while_an_output_lives),
		LINES_TEST(test_emitter__drain_without_outputs_ends),
		LINES_TEST(test_emitter__an_alert_after_the_drain_is_dropped),
		LINES_TEST(test_emitter__may_be_freed_without_a_drain_when_nothing_was_submitted),
		LINES_TEST(test_emitter__may_be_freed_after_an_output_that_could_not_be_added),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
