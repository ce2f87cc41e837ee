/*
 * Keeper and worker together, with clients that behave: nothing is lost at the stop, and nothing is mixed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/child.h"
#include "tests/support/messages.h"
#include "tests/support/peer.h"
#include "tests/support/serve.h"

static const char rules[] = "- rule: Program ran\n"
                            "  desc: Every program.\n"
                            "  condition: evt.type = execve and proc.exepath startswith /bin/\n"
                            "  output: container=%container.id path=%proc.exepath\n"
                            "  priority: NOTICE\n";

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct serve));
	return *state ? serve_start(*state, rules) : -1;
}

static int tear_down(void **state)
{
	serve_done(*state);
	free(*state);
	return 0;
}

/* A program /bin/NAME in a container NAME, as its sandbox reports it. */
static void run_program(int fd, const char *name, int32_t tgid)
{
	const struct actor actor = { .tid = tgid, .tgid = tgid, .time_ns = tgid, .container = name };
	struct message message = { 0 };
	char path[64];
	const char *const argv[] = { path, NULL };

	snprintf(path, sizeof(path), "/bin/%s", name);
	message_exec(&message, &actor, path, argv);
	assert_int_equal(peer_send(fd, message.data, message.len), 0);
	message_done(&message);
}

static bool exists(const char *path)
{
	struct stat status;

	return lstat(path, &status) == 0;
}

static void test_serve__evaluates_what_was_sent_before_the_stop(void **state)
{
	enum { PEERS = 8, EACH = 200 };
	struct serve *serve = *state;
	int peers[PEERS];
	char name[16];

	for (int i = 0; i < PEERS; i++) {
		peers[i] = peer_join(serve->path);
		assert_true(peers[i] >= 0);
	}
	for (int32_t k = 0; k < EACH; k++) {
		for (int i = 0; i < PEERS; i++) {
			snprintf(name, sizeof(name), "peer%d", i);
			run_program(peers[i], name, k + 1);
		}
	}
	assert_true(exists(serve->path));
	assert_int_equal(serve_stop(serve), 0);
	assert_false(exists(serve->path));
	assert_int_equal(serve->result.pipeline.messages, PEERS * EACH);
	assert_int_equal(serve->result.net.sessions_accepted, PEERS);
	assert_int_equal(serve->result.net.sessions_ended, PEERS);
	for (int i = 0; i < PEERS; i++) {
		char path[32], container[32];

		snprintf(path, sizeof(path), "path=/bin/peer%d\"", i);
		snprintf(container, sizeof(container), "container=peer%d ", i);
		assert_int_equal(serve_count_alerts(serve, path, NULL), EACH);
		assert_int_equal(serve_count_alerts(serve, path, container), EACH);
		assert_int_equal(peer_wait_closed(peers[i], PEER_DEADLINE_MS), 0);
		close(peers[i]);
	}
}

/* A sandbox that is gone before the stop leaves all its messages. */
static void test_serve__evaluates_what_a_closed_connection_left(void **state)
{
	struct serve *serve = *state;
	int fd = peer_join(serve->path);

	assert_true(fd >= 0);
	for (int32_t i = 1; i <= 100; i++)
		run_program(fd, "gone", i);
	close(fd);
	assert_int_equal(serve_stop(serve), 0);
	assert_int_equal(serve_count_alerts(serve, "path=/bin/gone", "container=gone"), 100);
}

/* The same process ids and the same times in two sandboxes: each alert names its own. */
static void test_serve__does_not_mix_two_clients(void **state)
{
	struct serve *serve = *state;
	int a = peer_join(serve->path), b = peer_join(serve->path);
	enum { EACH = 300 };

	assert_true(a >= 0 && b >= 0);
	for (int32_t i = 1; i <= EACH; i++) {
		run_program(a, "yyy", i);
		run_program(b, "zzz", i);
	}
	assert_int_equal(serve_stop(serve), 0);
	assert_int_equal(serve_count_alerts(serve, NULL, NULL), 2 * EACH);
	assert_int_equal(serve_count_alerts(serve, "path=/bin/yyy", "container=yyy"), EACH);
	assert_int_equal(serve_count_alerts(serve, "path=/bin/zzz", "container=zzz"), EACH);
	assert_int_equal(serve_count_alerts(serve, "path=/bin/yyy", "zzz"), 0);
	assert_int_equal(serve_count_alerts(serve, "path=/bin/zzz", "yyy"), 0);
	close(a);
	close(b);
}

/* Everybody who was there when the daemon ended can be there again when another one has started. */
static void test_serve__takes_connections_again_after_a_restart(void **state)
{
	struct serve *serve = *state;
	int fd = peer_join(serve->path);

	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(serve_stop(serve), 0);
	serve_done(serve);
	assert_int_equal(serve_start(serve, rules), 0);
	fd = peer_join(serve->path);
	assert_true(fd >= 0);
	run_program(fd, "again", 1);
	close(fd);
	assert_int_equal(serve_stop(serve), 0);
	assert_int_equal(serve_count_alerts(serve, "path=/bin/again", NULL), 1);
}

/* The keeper lets go of a connection when the worker says that it ended: a thousand in a row need few descriptors. */
static void test_serve__lets_go_of_connections_that_ended(void **state)
{
	struct serve *serve = *state;
	enum { ROUNDS = 1000 };

	for (int i = 0; i < ROUNDS; i++) {
		int fd = peer_join(serve->path);

		assert_true(fd >= 0);
		close(fd);
	}
	assert_int_equal(serve_stop(serve), 0);
	assert_int_equal(serve->result.keeper.answered, ROUNDS);
	assert_int_equal(serve->result.keeper.handed_over, ROUNDS);
	assert_int_equal(serve->result.net.sessions_ended, ROUNDS);
	assert_true(serve->result.keeper.released > 0);
	assert_int_equal(serve->result.keeper.control_errors, 0);
	assert_int_equal(serve->result.net.control_errors, 0);
}

/* The worker sees the end of its control socket, and ends in order. */
static void test_serve__worker_ends_when_the_keeper_is_killed(void **state)
{
	struct serve *serve = *state;
	int fd = peer_join(serve->path);

	assert_true(fd >= 0);
	run_program(fd, "orphan", 1);
	kill(serve->pid, SIGKILL);
	assert_int_equal(child_wait(serve->pid, PEER_DEADLINE_MS), 1000 + SIGKILL);
	serve->pid = 0;
	/* Closed by the worker as well, which had a copy. */
	assert_int_equal(peer_wait_closed(fd, PEER_DEADLINE_MS), 0);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_serve__evaluates_what_was_sent_before_the_stop),
		TEST(test_serve__evaluates_what_a_closed_connection_left),
		TEST(test_serve__does_not_mix_two_clients),
		TEST(test_serve__takes_connections_again_after_a_restart),
		TEST(test_serve__lets_go_of_connections_that_ended),
		TEST(test_serve__worker_ends_when_the_keeper_is_killed),
	};
#undef TEST

	return cmocka_run_group_tests_name("serve/sessions", tests, NULL, NULL);
}
