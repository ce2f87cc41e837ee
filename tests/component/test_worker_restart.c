/*
 * `seccheckd serve` whose worker is killed under load, again and again: every connection survives, and of what was in
 * the sockets nothing is lost.
 *
 * Each sender numbers its programs, so the alerts say what is missing. What a killed worker had read and not told is
 * lost: of a connection that is one run of numbers for each kill that came in the middle of a burst, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"
#include "tests/support/child.h"
#include "tests/support/messages.h"
#include "tests/support/peer.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

enum { SENDERS = 4, BURST = 100, MOST_NUMBERS = 4096 };

#define BURST_ORDER "b"
#define LEAVE_ORDER "l"

/* A sanitizer's worker loads slowly. */
#define KILLS (sizeof(SCD_SANITIZE) > 1 ? 6u : 20u)

static const char rules[] = "- rule: Numbered\n"
                            "  desc: Every program.\n"
                            "  condition: evt.type = execve and proc.exepath startswith /bin/\n"
                            "  output: path=%proc.exepath end\n"
                            "  priority: NOTICE\n";

struct sender {
	unsigned number; /* which one it is */
	const char *path;
	int orders[2]; /* SEQPACKET: BURST_ORDER or LEAVE_ORDER. [0] the test's */
	pid_t pid;
};

struct fixture {
	struct tempdir dir;
	char path[128], rules[128];
	struct run run;
	struct sender senders[SENDERS];
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (!fixture || tempdir_make(&fixture->dir) < 0)
		return -1;
	snprintf(fixture->path, sizeof(fixture->path), "%s", tempdir_join(&fixture->dir, "sink.sock"));
	snprintf(fixture->rules, sizeof(fixture->rules), "%s", tempdir_join(&fixture->dir, "rules.yaml"));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < SENDERS; i++) {
		if (fixture->senders[i].pid > 0) {
			kill(fixture->senders[i].pid, SIGKILL);
			child_wait(fixture->senders[i].pid, PEER_DEADLINE_MS);
		}
	}
	run_done(&fixture->run);
	tempdir_remove(&fixture->dir);
	free(fixture);
	return 0;
}

static void start_daemon(struct fixture *fixture, unsigned threads)
{
	const char *config = tempdir_join(&fixture->dir, "config.yaml");
	const char *const argv[] = { RUN_SECCHECKD, "serve", "--config", config, NULL };
	char text[512];

	snprintf(text, sizeof(text),
	         "listen: [%s]\nrules_files: [%s]\nworker_threads: %u\nstdout_output: {enabled: true}\n", fixture->path,
	         fixture->rules, threads);
	write_file(config, text);
	write_file(fixture->rules, rules);
	run_start(&fixture->run, &(struct run_options){ .argv = argv });
	if (!run_until(&fixture->run, "ready: "))
		fail_msg("the daemon did not start: %s", fixture->run.err.data);
}

static int send_program(int fd, unsigned sender, int32_t number)
{
	const struct actor actor = { .tid = number, .tgid = number, .time_ns = number, .container = "c" };
	struct message message = { 0 };
	char path[64];
	const char *const argv[] = { path, NULL };
	int r;

	snprintf(path, sizeof(path), "/bin/s%u-%d", sender, (int)number);
	message_exec(&message, &actor, path, argv);
	r = peer_send(fd, message.data, message.len);
	message_done(&message);
	return r;
}

static int sender_main(void *user)
{
	const struct sender *sender = user;
	int fd = peer_join(sender->path);
	int32_t number = 0;
	char order;

	if (fd < 0)
		return 1;
	while (recv(sender->orders[1], &order, 1, 0) == 1 && order == *BURST_ORDER) {
		for (int i = 0; i < BURST; i++) {
			if (send_program(fd, sender->number, ++number) < 0)
				return 2;
		}
	}
	/* The connection is still there: it was never let go. */
	return peer_wait(fd, POLLRDHUP, 0) == -ETIMEDOUT ? 0 : 3;
}

static void start_senders(struct fixture *fixture)
{
	for (unsigned i = 0; i < SENDERS; i++) {
		struct sender *sender = &fixture->senders[i];

		*sender = (struct sender){ .number = i, .path = fixture->path };
		assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sender->orders), 0);
		sender->pid = child_start(sender_main, sender);
		assert_true(sender->pid > 0);
		close(sender->orders[1]);
	}
}

static void order_burst(struct fixture *fixture)
{
	for (size_t i = 0; i < SENDERS; i++)
		assert_int_equal(peer_send(fixture->senders[i].orders[0], BURST_ORDER, 1), 0);
}

static void finish_senders(struct fixture *fixture)
{
	for (size_t i = 0; i < SENDERS; i++) {
		assert_int_equal(peer_send(fixture->senders[i].orders[0], LEAVE_ORDER, 1), 0);
		assert_int_equal(child_wait(fixture->senders[i].pid, PEER_DEADLINE_MS), 0);
		close(fixture->senders[i].orders[0]);
		fixture->senders[i].pid = 0;
	}
}

static void kill_worker(struct fixture *fixture, size_t restarts)
{
	pid_t worker = run_child(&fixture->run);

	assert_true(worker > 0);
	assert_int_equal(kill(worker, SIGKILL), 0);
	if (!run_until_count(&fixture->run, "the worker is ready again", restarts))
		fail_msg("no worker followed: %s", fixture->run.err.data);
}

/* Which numbers of one sender were told. */
static void find_numbers(const char *alerts, unsigned sender, bool seen[MOST_NUMBERS])
{
	char key[32];

	snprintf(key, sizeof(key), "path=/bin/s%u-", sender);
	for (const char *at = alerts; (at = strstr(at, key)); at++) {
		char *end;
		unsigned long number = strtoul(at + strlen(key), &end, 10);

		if (strncmp(end, " end", 4) != 0) /* a line that was cut by a kill */
			continue;
		assert_in_range(number, 1, MOST_NUMBERS - 1);
		assert_false(seen[number]); /* nothing is told twice */
		seen[number] = true;
	}
}

/* Runs of numbers that are missing up to `last`; how many numbers that are in ret_missing. */
static unsigned count_gaps(const bool seen[MOST_NUMBERS], unsigned last, unsigned *ret_missing)
{
	unsigned gaps = 0;

	*ret_missing = 0;
	for (unsigned i = 1; i <= last; i++) {
		*ret_missing += !seen[i];
		gaps += !seen[i] && (i == 1 || seen[i - 1]);
	}
	return gaps;
}

/* Until the last number of each sender so far was told. */
static void wait_until_told(struct fixture *fixture, unsigned last)
{
	for (unsigned i = 0; i < SENDERS; i++) {
		char text[64];

		snprintf(text, sizeof(text), "path=/bin/s%u-%u end", i, last);
		while (!strstr(fixture->run.out.data, text))
			assert_true(run_until_out(&fixture->run, fixture->run.out.len + 1));
	}
}

/* Every other kill comes in the middle of a burst, the others when all was told. */
static bool is_in_the_middle(unsigned burst)
{
	return burst % 2 == 1;
}

static void expect_bursts(const bool seen[MOST_NUMBERS], unsigned bursts)
{
	unsigned missing, gaps = count_gaps(seen, bursts * BURST, &missing);

	print_message("%u of %u lost, in %u of %u kills in the middle of a burst\n", missing, bursts * BURST, gaps,
	              KILLS / 2);
	assert_true(gaps <= KILLS / 2);
	for (unsigned i = 0; i < bursts * BURST; i++)
		assert_true(seen[i + 1] || is_in_the_middle(i / BURST + 1));
}

static void test_worker_restart__costs_no_more_than_what_was_in_hand(void **state)
{
	struct fixture *fixture = *state;

	start_daemon(fixture, 2);
	/* From here on nobody can load them from the disk. */
	write_file(fixture->rules, "- rule: [broken\n");
	start_senders(fixture);
	for (unsigned burst = 1; burst <= KILLS; burst++) {
		size_t before = fixture->run.out.len;

		order_burst(fixture);
		if (is_in_the_middle(burst))
			assert_true(run_until_out(&fixture->run, before + 1));
		else
			wait_until_told(fixture, burst * BURST);
		kill_worker(fixture, burst);
	}
	order_burst(fixture);
	wait_until_told(fixture, (KILLS + 1) * BURST);
	finish_senders(fixture);
	kill(fixture->run.pid, SIGTERM);
	assert_int_equal(run_finish(&fixture->run), 0);

	for (unsigned i = 0; i < SENDERS; i++) {
		bool seen[MOST_NUMBERS] = { false };

		find_numbers(fixture->run.out.data, i, seen);
		/* The burst behind the last kill belongs to none in the middle. */
		for (unsigned number = KILLS * BURST + 1; number <= (KILLS + 1) * BURST; number++)
			assert_true(seen[number]);
		expect_bursts(seen, KILLS);
	}
	assert_int_equal(run_count(&fixture->run.err, "quarantined"), 0);
	assert_int_equal(run_count(&fixture->run.err, "broken"), 0);
}

/* Of /proc/PID/task/TID/stat, behind the name in parentheses. */
static bool is_stopped_thread(pid_t pid, const char *thread)
{
	char path[64], line[256] = "";
	const char *name_end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%.20s/stat", (int)pid, thread);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	name_end = strrchr(line, ')');
	return name_end && strncmp(name_end, ") T", 3) == 0;
}

static bool is_stopped(pid_t pid)
{
	bool stopped = true;
	struct dirent *entry;
	char path[64];
	DIR *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	threads = opendir(path);
	if (!threads)
		return false;
	while (stopped && (entry = readdir(threads)))
		stopped = entry->d_name[0] == '.' || is_stopped_thread(pid, entry->d_name);
	closedir(threads);
	return stopped;
}

/* Until the last of its threads stands still: on a busy machine one may read on for a while after the signal. */
static void stop_all_threads(pid_t pid)
{
	int64_t deadline_ns = scd_clock_mono_ns() + INT64_C(1000000) * PEER_DEADLINE_MS;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	while (!is_stopped(pid)) {
		assert_true(scd_clock_mono_ns() < deadline_ns);
		sched_yield();
	}
}

/* A worker that hangs is noticed; and what waits in the sockets meanwhile is all read by the next one. */
static void test_worker_restart__follows_one_that_hangs_and_reads_what_came_meanwhile(void **state)
{
	struct fixture *fixture = *state;

	start_daemon(fixture, 1);
	start_senders(fixture);
	order_burst(fixture);
	assert_true(run_until_out(&fixture->run, 1));
	stop_all_threads(run_child(&fixture->run));
	order_burst(fixture);
	finish_senders(fixture);
	if (!run_until(&fixture->run, "the worker is ready again"))
		fail_msg("no worker followed: %s", fixture->run.err.data);
	kill(fixture->run.pid, SIGTERM);
	assert_int_equal(run_finish(&fixture->run), 0);
	for (unsigned i = 0; i < SENDERS; i++) {
		bool seen[MOST_NUMBERS] = { false };
		unsigned missing;

		find_numbers(fixture->run.out.data, i, seen);
		assert_true(count_gaps(seen, 2 * BURST, &missing) <= 1);
		for (unsigned number = BURST + 1; number <= 2 * BURST; number++)
			assert_true(seen[number]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_worker_restart__costs_no_more_than_what_was_in_hand),
		TEST(test_worker_restart__follows_one_that_hangs_and_reads_what_came_meanwhile),
	};
#undef TEST

	return cmocka_run_group_tests_name("worker_restart", tests, NULL, NULL);
}
