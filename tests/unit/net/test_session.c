/*
 * What a sink sees of a connection: its start, every message in order, and how it ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "seccheckd/net/net.h"
#include "tests/support/logged.h"
#include "tests/support/loop.h"
#include "tests/support/peer.h"

/* What the sink was told, in order, one word each. */
struct fixture {
	uv_loop_t loop;
	struct scd_pulse pulse;
	struct scd_net *net;
	int keeper;
	char told[256];
	unsigned closed_count;
	bool exhausted; /* the sink has no stream to give */
	bool stopped;
};

static void tell(struct fixture *fixture, const char *word, size_t len)
{
	size_t used = strlen(fixture->told);

	if (used + len + 2 > sizeof(fixture->told))
		return;
	memcpy(fixture->told + used, word, len);
	fixture->told[used + len] = ' ';
}

static void *open_stream(void *user, const struct scd_custody *connection)
{
	struct fixture *fixture = user;

	if (fixture->exhausted)
		return NULL;
	tell(fixture, "open", 4);
	tell(fixture, connection->listener.data, connection->listener.len);
	return fixture;
}

static int take_message(void *user, void *stream, struct scd_str message)
{
	tell(user, message.data, message.len);
	return stream == user && message.len > 0 ? 0 : -1;
}

static void lose_message(void *user, void *stream)
{
	(void)stream;
	tell(user, "lost", 4);
}

static void summarize(void *user, void *stream, struct scd_net_summary *ret_summary)
{
	(void)stream;
	tell(user, "summarize", 9);
	ret_summary->sandbox_id = SCD_STR("name");
}

static void close_stream(void *user, void *stream, enum scd_net_end end)
{
	static const char *const words[] = { "closed", "reset", "broken", "stopped", "cut" };
	struct fixture *fixture = user;

	(void)stream;
	tell(fixture, words[end], strlen(words[end]));
	fixture->closed_count++;
}

static void on_stopped(void *user)
{
	((struct fixture *)user)->stopped = true;
}

static int set_up(void **state)
{
	static const struct scd_net_sink_ops sink_ops = { open_stream, take_message, lose_message, NULL,
		                                          summarize,   close_stream, NULL };
	static const struct scd_net_ops ops = { .stopped = on_stopped };
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	const struct scd_net_sink sink = { &sink_ops, fixture };
	int control[2];

	*state = fixture;
	if (!fixture || uv_loop_init(&fixture->loop) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, control) < 0)
		return -1;
	fixture->keeper = control[0];
	return scd_net_new(&fixture->loop, control[1], &fixture->pulse, &sink, &ops, fixture, &fixture->net);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	scd_net_free(&fixture->net);
	loop_finish(&fixture->loop);
	close(fixture->keeper);
	free(fixture);
	return 0;
}

/* Hands one end over as a connection; resumed: as one that an earlier worker had. */
static void hand_over_as(struct fixture *fixture, int fd, bool resumed)
{
	const struct scd_custody message = {
		.kind = SCD_CUSTODY_CONNECTION,
		.connection_id = 1,
		.resumed = resumed,
		.listener = SCD_STR_INIT("/run/s"),
	};
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	size_t len = scd_custody_format(&message, bytes);

	assert_int_equal(peer_send_descriptors(fixture->keeper, bytes, len, &fd, 1), (int)len);
	close(fd);
}

static void hand_over(struct fixture *fixture, int fd)
{
	hand_over_as(fixture, fd, false);
}

static void connect_pair(int ret_fds[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret_fds), 0);
}

static bool is_closed(void *user)
{
	return ((struct fixture *)user)->closed_count == 1;
}

static bool is_refused(void *user)
{
	return scd_net_counters(((struct fixture *)user)->net)->sessions_refused == 1;
}

static bool has_messages(void *user)
{
	return strstr(((struct fixture *)user)->told, "two") != NULL;
}

static void test_session__gives_all_messages_in_order_and_then_the_end(void **state)
{
	struct fixture *fixture = *state;
	int fds[2];

	connect_pair(fds);
	hand_over(fixture, fds[1]);
	assert_int_equal(peer_send(fds[0], "one", 3), 0);
	assert_int_equal(peer_send(fds[0], "", 0), 0);
	assert_int_equal(peer_send(fds[0], "two", 3), 0);
	close(fds[0]);
	assert_true(loop_run_until(&fixture->loop, is_closed, fixture));
	assert_string_equal(fixture->told, "open /run/s one  two summarize closed ");
}

/* What an earlier worker has counted is gone with it: the numbers of the last line are not those of the connection. */
static void test_session__says_what_messages_are_counted_from(void **state)
{
	struct fixture *fixture = *state;
	struct logged logged;
	char *log;
	int fds[2];

	connect_pair(fds);
	hand_over_as(fixture, fds[1], true);
	close(fds[0]);
	logged_start(&logged);
	assert_true(loop_run_until(&fixture->loop, is_closed, fixture));
	log = logged_stop(&logged);
	assert_non_null(
	        strstr(log, " ended, closed by the sandbox; 0 messages since the worker's restart, 0 dropped by "));
	free(log);
}

static void test_session__tells_of_a_reset(void **state)
{
	struct fixture *fixture = *state;
	int fds[2];

	connect_pair(fds);
	assert_int_equal(peer_send(fds[1], "the answer", 10), 0);
	assert_int_equal(peer_send(fds[0], "one", 3), 0);
	close(fds[0]);
	hand_over(fixture, fds[1]);
	assert_true(loop_run_until(&fixture->loop, is_closed, fixture));
	assert_string_equal(fixture->told, "open /run/s one summarize reset ");
}

static void test_session__ended_by_us_is_stopped(void **state)
{
	struct fixture *fixture = *state;
	int fds[2];

	connect_pair(fds);
	hand_over(fixture, fds[1]);
	assert_int_equal(peer_send(fds[0], "two", 3), 0);
	assert_true(loop_run_until(&fixture->loop, has_messages, fixture));
	close(fixture->keeper);
	fixture->keeper = -1;
	assert_true(loop_run_until(&fixture->loop, is_closed, fixture));
	assert_string_equal(fixture->told, "open /run/s two summarize stopped ");
	assert_true(fixture->stopped);
	close(fds[0]);
}

/* Freed without an order to stop: nothing is read any more, and what the sandbox still has written is lost. */
static void test_session__freed_with_the_net_is_cut(void **state)
{
	struct fixture *fixture = *state;
	int fds[2];

	connect_pair(fds);
	hand_over(fixture, fds[1]);
	assert_int_equal(peer_send(fds[0], "two", 3), 0);
	assert_true(loop_run_until(&fixture->loop, has_messages, fixture));
	assert_int_equal(peer_send(fds[0], "three", 5), 0);
	scd_net_free(&fixture->net);
	assert_string_equal(fixture->told, "open /run/s two summarize cut ");
	assert_int_equal(peer_wait_closed(fds[0], PEER_DEADLINE_MS), 0);
	close(fds[0]);
}

static void test_session__without_a_stream_is_refused(void **state)
{
	struct fixture *fixture = *state;
	int fds[2];

	fixture->exhausted = true;
	connect_pair(fds);
	hand_over(fixture, fds[1]);
	assert_true(loop_run_until(&fixture->loop, is_refused, fixture));
	assert_int_equal(peer_wait_closed(fds[0], PEER_DEADLINE_MS), 0);
	assert_string_equal(fixture->told, "");
	assert_int_equal(scd_net_session_count(fixture->net), 0);
	close(fds[0]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_session__gives_all_messages_in_order_and_then_the_end),
		TEST(test_session__says_what_messages_are_counted_from),
		TEST(test_session__tells_of_a_reset),
		TEST(test_session__ended_by_us_is_stopped),
		TEST(test_session__freed_with_the_net_is_cut),
		TEST(test_session__without_a_stream_is_refused),
	};
#undef TEST

	return cmocka_run_group_tests_name("net/session", tests, NULL, NULL);
}
