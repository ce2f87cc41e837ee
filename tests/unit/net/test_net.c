/*
 * The net between a test that plays the keeper and peers that play sandboxes, on a real loop with the real pipeline.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/streams.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/net/net.h"
#include "seccheckd/wire/custody.h"
#include "tests/support/logged.h"
#include "tests/support/messages.h"
#include "tests/support/peer.h"
#include "tests/support/rules.h"

/* A type that no gVisor sends: counted, and of no other consequence. */
#define SOME_TYPE 60000

struct fixture {
	uv_loop_t loop;
	uv_timer_t guard; /* so that no turn of the loop waits for ever */
	struct scd_diags diags;
	struct scd_ruleset *rules;
	struct scd_host host;
	struct scd_pipeline *pipeline;
	struct scd_pulse pulse;
	struct scd_net *net;
	int keeper; /* our end of the control socket */
	unsigned stopped;
	size_t descriptors_before;
	int64_t alert_cost_ns;    /* what each alert takes */
	char alerts_of[1000 + 1]; /* first letters of the alerts' sandboxes, in order */
	size_t alert_count;
};

static void on_guard(uv_timer_t *timer)
{
	(void)timer;
}

static void on_alert(void *user, struct scd_alert *alert)
{
	struct fixture *fixture = user;
	int64_t end_ns = scd_clock_mono_ns() + fixture->alert_cost_ns;

	if (fixture->alert_count < sizeof(fixture->alerts_of) - 1)
		fixture->alerts_of[fixture->alert_count++] = scd_alert_sandbox(alert).data[0];
	scd_alert_unref(&alert);
	while (scd_clock_mono_ns() < end_ns)
		;
}

static void on_stopped(void *user)
{
	struct fixture *fixture = user;

	fixture->stopped++;
}

static int set_up(void **state)
{
	static const struct scd_net_ops ops = { .stopped = on_stopped };
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct scd_pipeline_options options = { .host = &fixture->host, .on_alert = on_alert, .user = fixture };
	struct scd_net_sink sink;
	int control[2];

	*state = fixture;
	fixture->descriptors_before = peer_open_descriptors();
	scd_diags_init(&fixture->diags);
	fixture->rules = rules_load_condition("evt.type = execve", &fixture->diags);
	options.rules = fixture->rules;
	fixture->pipeline = scd_pipeline_new(&options);
	uv_loop_init(&fixture->loop);
	uv_timer_init(&fixture->loop, &fixture->guard);
	uv_timer_start(&fixture->guard, on_guard, 5, 5);
	if (!fixture->pipeline || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, control) < 0)
		return -1;
	fixture->keeper = control[0];
	sink = scd__streams_sink(fixture->pipeline);
	return scd_net_new(&fixture->loop, control[1], &fixture->pulse, &sink, &ops, fixture, &fixture->net);
}

/* Every test ends with the loop closed clean and no descriptor left. */
static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	int r;

	scd_net_free(&fixture->net);
	uv_close((uv_handle_t *)&fixture->guard, NULL);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	r = uv_loop_close(&fixture->loop);
	close(fixture->keeper);
	scd_pipeline_free(&fixture->pipeline);
	scd_ruleset_unref(&fixture->rules);
	scd_diags_done(&fixture->diags);
	if (peer_open_descriptors() != fixture->descriptors_before)
		r = -1;
	free(fixture);
	return r;
}

/* Turns the loop until the condition holds. */
#define drive(fixture, condition)                                                                \
	do {                                                                                     \
		int64_t deadline_ns = scd_clock_mono_ns() + PEER_DEADLINE_MS * INT64_C(1000000); \
		bool holds = false;                                                              \
		while (!(holds = (condition)) && scd_clock_mono_ns() < deadline_ns)              \
			uv_run(&(fixture)->loop, UV_RUN_ONCE);                                   \
		assert_true(holds);                                                              \
	} while (0)

static uint64_t messages(const struct fixture *fixture)
{
	return scd_pipeline_counters(fixture->pipeline)->messages;
}

static const struct scd_net_counters *counters(const struct fixture *fixture)
{
	return scd_net_counters(fixture->net);
}

/* A connection as the keeper hands it over; the peer's end. */
static int connect_peer(struct fixture *fixture, uint64_t id)
{
	const struct scd_custody message = { .kind = SCD_CUSTODY_CONNECTION, .connection_id = id };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	size_t len = scd_custody_format(&message, bytes);
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(peer_send_descriptors(fixture->keeper, bytes, len, &fds[1], 1), (int)len);
	close(fds[1]);
	return fds[0];
}

static void tell(struct fixture *fixture, enum scd_custody_kind kind)
{
	const struct scd_custody message = { .kind = kind };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];

	assert_int_equal(peer_send(fixture->keeper, bytes, scd_custody_format(&message, bytes)), 0);
}

/* The next message that the net sent, if there is one. */
static bool hear(struct fixture *fixture, struct scd_custody *ret_message)
{
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	ssize_t received = recv(fixture->keeper, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (received <= 0)
		return false;
	assert_int_equal(scd_custody_parse((struct scd_str){ (char *)bytes, (size_t)received }, ret_message), 0);
	return true;
}

static void expect_ready(struct fixture *fixture)
{
	struct scd_custody message = { 0 };

	drive(fixture, hear(fixture, &message));
	assert_int_equal(message.kind, SCD_CUSTODY_READY);
}

static void expect_closed(struct fixture *fixture, uint64_t id)
{
	struct scd_custody message = { 0 };

	drive(fixture, hear(fixture, &message));
	assert_int_equal(message.kind, SCD_CUSTODY_CLOSED);
	assert_int_equal(message.connection_id, id);
}

static void test_net_new__says_ready(void **state)
{
	struct scd_custody message;

	expect_ready(*state);
	assert_false(hear(*state, &message));
	assert_int_equal(scd_net_session_count(((struct fixture *)*state)->net), 0);
}

static void test_net__feeds_what_arrives_and_reports_the_end(void **state)
{
	struct fixture *fixture = *state;
	int peer = connect_peer(fixture, 42);

	expect_ready(fixture);
	for (int i = 0; i < 1000; i++) {
		while (peer_wait(peer, POLLOUT, 0) < 0)
			uv_run(&fixture->loop, UV_RUN_ONCE);
		assert_int_equal(peer_send_header(peer, SOME_TYPE, 0), 0);
	}
	drive(fixture, messages(fixture) == 1000);
	assert_int_equal(scd_net_session_count(fixture->net), 1);
	close(peer);
	expect_closed(fixture, 42);
	assert_int_equal(scd_net_session_count(fixture->net), 0);
	assert_int_equal(counters(fixture)->sessions_accepted, 1);
	assert_int_equal(counters(fixture)->sessions_ended, 1);
	assert_int_equal(scd_pipeline_counters(fixture->pipeline)->unknown_types, 1000);
}

static void test_net__reads_what_was_queued_before_the_peer_closed(void **state)
{
	struct fixture *fixture = *state;
	int peer = connect_peer(fixture, 1);

	expect_ready(fixture);
	for (int i = 0; i < 50; i++)
		assert_int_equal(peer_send_header(peer, SOME_TYPE, 0), 0);
	assert_int_equal(peer_send(peer, "", 0), 0);
	assert_int_equal(peer_send_header(peer, SOME_TYPE, 0), 0);
	close(peer);
	expect_closed(fixture, 1);
	assert_int_equal(messages(fixture), 52);
	assert_int_equal(scd_pipeline_counters(fixture->pipeline)->bad_frames, 1);
}

static void test_net__goes_on_after_bad_messages(void **state)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
	} rows[] = {
		{ "empty", "", 0 },
		{ "one byte", "x", 1 },
		{ "seven bytes", "\x08\0\1\0\0\0\0", 7 },
		{ "header size 0", "\0\0\1\0\0\0\0\0", 8 },
		{ "header larger than the message", "\xff\xff\1\0\0\0\0\0", 8 },
	};
	struct fixture *fixture = *state;
	int peer = connect_peer(fixture, 1);

	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		assert_int_equal(peer_send(peer, rows[i].bytes, rows[i].len), 0);
		drive(fixture, scd_pipeline_counters(fixture->pipeline)->bad_frames == i + 1);
	}
	assert_int_equal(peer_send_header(peer, SOME_TYPE, 0), 0);
	drive(fixture, scd_pipeline_counters(fixture->pipeline)->unknown_types == 1);
	close(peer);
}

static void test_net__survives_a_reset_and_reads_what_came_before(void **state)
{
	const struct scd_custody message = { .kind = SCD_CUSTODY_CONNECTION, .connection_id = 5 };
	struct fixture *fixture = *state;
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	size_t len = scd_custody_format(&message, bytes);
	int other = connect_peer(fixture, 4);
	int fds[2];

	expect_ready(fixture);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(peer_send(fds[1], "the answer", 10), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(peer_send_header(fds[0], SOME_TYPE, 0), 0);
	close(fds[0]);
	assert_int_equal(peer_send_descriptors(fixture->keeper, bytes, len, &fds[1], 1), (int)len);
	close(fds[1]);
	expect_closed(fixture, 5);
	assert_int_equal(counters(fixture)->resets, 1);
	assert_int_equal(messages(fixture), 20);
	assert_int_equal(peer_send_header(other, SOME_TYPE, 0), 0);
	drive(fixture, messages(fixture) == 21);
	close(other);
}

/* Whatever the keeper sends with whatever number of descriptors: no crash, no leak, and the next one is served. */
static void test_net__refuses_deliveries_that_are_not_right(void **state)
{
	static const struct {
		const char *name;
		uint32_t kind;
		size_t len, descriptors;
		bool given_back;
	} rows[] = {
		{ "a connection without its descriptor", SCD_CUSTODY_CONNECTION, 0, 0, true },
		{ "a connection with two", SCD_CUSTODY_CONNECTION, 0, 2, true },
		{ "a connection with more than there is room for", SCD_CUSTODY_CONNECTION, 0, 9, true },
		{ "a stop with a descriptor", SCD_CUSTODY_STOP, 0, 1, false },
		{ "a worker's message", SCD_CUSTODY_READY, 0, 0, false },
		{ "an unknown kind", 77, 16, 1, false },
		{ "too short", SCD_CUSTODY_CONNECTION, 10, 1, false },
		{ "too long", SCD_CUSTODY_CONNECTION, SCD_CUSTODY_MAX_BYTES + 1, 1, true },
	};
	struct fixture *fixture = *state;
	int passed[9] = { 0 };
	int peer;

	expect_ready(fixture);
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		const struct scd_custody message = { .kind = (enum scd_custody_kind)rows[i].kind, .connection_id = i };
		uint8_t bytes[SCD_CUSTODY_MAX_BYTES + 1] = { 0 };
		size_t len = scd_custody_format(&message, bytes);
		size_t before = peer_open_descriptors();

		print_message("%s\n", rows[i].name);
		len = rows[i].len ? rows[i].len : len;
		if (rows[i].descriptors)
			peer_send_descriptors(fixture->keeper, bytes, len, passed, rows[i].descriptors);
		else
			assert_int_equal(peer_send(fixture->keeper, bytes, len), 0);
		drive(fixture, counters(fixture)->control_errors == i + 1);
		assert_int_equal(peer_open_descriptors(), before);
		if (rows[i].given_back)
			expect_closed(fixture, i);
	}
	peer = connect_peer(fixture, 100);
	assert_int_equal(peer_send_header(peer, SOME_TYPE, 0), 0);
	drive(fixture, messages(fixture) == 1);
	assert_int_equal(fixture->stopped, 0);
	close(peer);
}

static void test_net__stops_after_one_more_pass(void **state)
{
	struct fixture *fixture = *state;
	enum { PEERS = 5, EACH = 100 };
	int peers[PEERS];

	for (int i = 0; i < PEERS; i++) {
		peers[i] = connect_peer(fixture, (uint64_t)i);
		for (int k = 0; k < EACH; k++)
			assert_int_equal(peer_send_header(peers[i], SOME_TYPE, 0), 0);
	}
	tell(fixture, SCD_CUSTODY_STOP);
	drive(fixture, fixture->stopped);
	assert_int_equal(messages(fixture), PEERS * EACH);
	assert_int_equal(scd_net_session_count(fixture->net), 0);
	for (int i = 0; i < PEERS; i++) {
		assert_int_equal(peer_wait_closed(peers[i], PEER_DEADLINE_MS), 0);
		close(peers[i]);
	}
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(fixture->stopped, 1);
}

/* The keeper may be gone with messages of ours unread, which makes it a reset: what it sent before still counts. */
static void test_net__stops_when_the_keeper_is_gone(void **state)
{
	struct fixture *fixture = *state;
	int peer = connect_peer(fixture, 1);

	assert_int_equal(peer_send_header(peer, SOME_TYPE, 0), 0);
	close(fixture->keeper); /* READY is unread */
	drive(fixture, fixture->stopped);
	fixture->keeper = dup(0);
	assert_int_equal(messages(fixture), 1);
	assert_int_equal(counters(fixture)->sessions_ended, 1);
	close(peer);
}

/* More ended sessions than the control socket holds messages: every one is reported, once, when there is room. */
static void test_net__reports_every_end_when_the_control_socket_is_full(void **state)
{
	struct fixture *fixture = *state;
	enum { PEERS = 1000 };
	bool seen[PEERS] = { false };
	struct scd_custody message;
	size_t seen_count = 0;

	for (uint64_t i = 0; i < PEERS; i++) {
		close(connect_peer(fixture, i));
		if (i % 100 == 99)
			drive(fixture, counters(fixture)->sessions_ended == i + 1);
	}
	assert_int_equal(scd_net_session_count(fixture->net), 0);
	expect_ready(fixture);
	while (seen_count < PEERS) {
		drive(fixture, hear(fixture, &message));
		assert_int_equal(message.kind, SCD_CUSTODY_CLOSED);
		assert_true(message.connection_id < PEERS && !seen[message.connection_id]);
		seen[message.connection_id] = true;
		seen_count++;
	}
	assert_false(hear(fixture, &message));
}

/* A session that sends nothing costs nothing: no ticks. */
static void test_net__ticks_only_while_something_comes(void **state)
{
	struct fixture *fixture = *state;
	int peer = connect_peer(fixture, 1);
	uint64_t ticks;

	assert_int_equal(peer_send_header(peer, SOME_TYPE, 0), 0);
	drive(fixture, messages(fixture) == 1);
	ticks = counters(fixture)->ticks;
	for (int turn = 0; turn < 20; turn++) /* of 5 ms, by the guard: 500 ticks if it went on */
		uv_run(&fixture->loop, UV_RUN_ONCE);
	assert_in_range(counters(fixture)->ticks - ticks, 0, 10);
	assert_int_equal(peer_send_header(peer, SOME_TYPE, 0), 0);
	drive(fixture, messages(fixture) == 2);
	close(peer);
}

/* A sandbox that writes as fast as it can, on a thread of its own. */
struct flood {
	pthread_t thread;
	int fd;
	atomic_bool enough;
	atomic_ulong sent;
};

static void *flood_main(void *user)
{
	struct flood *flood = user;
	char message[64] = { 8, 0, 1, 0 };

	while (!atomic_load(&flood->enough)) {
		if (send(flood->fd, message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
			atomic_fetch_add(&flood->sent, 1);
		else if (errno == EPIPE)
			break;
	}
	return NULL;
}

static void flood_start(struct flood *flood, int fd)
{
	*flood = (struct flood){ .fd = fd };
	assert_int_equal(pthread_create(&flood->thread, NULL, flood_main, flood), 0);
}

static void flood_end(struct flood *flood)
{
	atomic_store(&flood->enough, true);
	pthread_join(flood->thread, NULL);
	close(flood->fd);
}

static void test_net__serves_others_beside_a_flood(void **state)
{
	struct fixture *fixture = *state;
	struct flood flood;
	int peer;

	expect_ready(fixture);
	flood_start(&flood, connect_peer(fixture, 1));
	drive(fixture, messages(fixture) > 1000);
	peer = connect_peer(fixture, 2);
	for (int i = 0; i < 200; i++)
		assert_int_equal(peer_send(peer, "x", 1), 0);
	drive(fixture, scd_pipeline_counters(fixture->pipeline)->bad_frames == 200);
	close(peer);
	expect_closed(fixture, 2);
	flood_end(&flood);
	expect_closed(fixture, 1);
	assert_true(messages(fixture) == 200 + atomic_load(&flood.sent));
}

/* A sandbox of this name that has executed a program so many times: each gives an alert. Its end of the socket. */
static int connect_executing_peer(struct fixture *fixture, const char *name, int count)
{
	const struct actor actor = { .tid = 1, .tgid = 1, .time_ns = 1, .container = name };
	const char *const argv[] = { "/bin/true", NULL };
	struct message message = { 0 };
	int peer = connect_peer(fixture, (uint64_t)name[0]);

	message_exec(&message, &actor, argv[0], argv);
	for (int i = 0; i < count; i++)
		assert_int_equal(peer_send(peer, message.data, message.len), 0);
	message_done(&message);
	return peer;
}

/* Where in the order of alerts the n-th of a sandbox is, from 1; 0 for none. */
static size_t alert_place(const struct fixture *fixture, char name, size_t n)
{
	for (size_t i = 0; i < fixture->alert_count; i++) {
		if (fixture->alerts_of[i] == name && --n == 0)
			return i + 1;
	}
	return 0;
}

/* Its 200 messages would keep the other waiting for 20 ms: it is the clock that ends its turn, not their number. */
static void test_net__a_flood_of_alerts_does_not_keep_others_waiting(void **state)
{
	struct fixture *fixture = *state;
	int flooder, other;

	fixture->alert_cost_ns = 100000;
	flooder = connect_executing_peer(fixture, "flooder", 200);
	other = connect_executing_peer(fixture, "other", 1);
	drive(fixture, fixture->alert_count == 201);
	assert_in_range(alert_place(fixture, 'o', 1), 1, 60);
	assert_true(counters(fixture)->ticks_over_budget > 0);
	close(flooder);
	close(other);
}

/* One tick has no time for all of them; they take turns over several. */
static void test_net__sessions_take_turns_when_a_tick_has_no_time_for_all(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
	struct fixture *fixture = *state;
	int peers[SCD_COUNT(names)];

	fixture->alert_cost_ns = 100000;
	for (size_t i = 0; i < SCD_COUNT(names); i++)
		peers[i] = connect_executing_peer(fixture, names[i], 100);
	drive(fixture, fixture->alert_count == 100 * SCD_COUNT(names));
	for (size_t i = 0; i < SCD_COUNT(names); i++) {
		for (size_t k = 0; k < SCD_COUNT(names); k++)
			assert_true(alert_place(fixture, names[i][0], 1) < alert_place(fixture, names[k][0], 80));
		close(peers[i]);
	}
}

static void test_net__stops_although_a_sandbox_goes_on_writing(void **state)
{
	struct fixture *fixture = *state;
	struct flood flood;

	flood_start(&flood, connect_peer(fixture, 1));
	drive(fixture, messages(fixture) > 1000);
	tell(fixture, SCD_CUSTODY_STOP);
	drive(fixture, fixture->stopped);
	flood_end(&flood);
}

/* The last pass takes turns, too, and gives the loop a turn between rounds: outputs have to write what it finds. */
static void test_net__last_pass_does_not_keep_others_waiting(void **state)
{
	struct fixture *fixture = *state;
	int flooder, other;
	unsigned turns = 0;

	fixture->alert_cost_ns = 1000000;
	flooder = connect_executing_peer(fixture, "flooder", 200);
	other = connect_executing_peer(fixture, "other", 1);
	tell(fixture, SCD_CUSTODY_STOP);
	for (; !fixture->stopped; turns++)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	assert_int_equal(fixture->alert_count, 201);
	assert_in_range(alert_place(fixture, 'o', 1), 1, 10);
	assert_true(turns > 10);
	assert_int_equal(counters(fixture)->stops_cut_short, 0);
	close(flooder);
	close(other);
}

/* All that the flooder has sent takes 10 s: the pass ends before, which is what makes this test slow. */
static void test_net__last_pass_ends_in_time(void **state)
{
	struct fixture *fixture = *state;
	struct logged logged;
	int flooder, other;
	char *log;

	fixture->alert_cost_ns = 50000000;
	flooder = connect_executing_peer(fixture, "flooder", 200);
	other = connect_executing_peer(fixture, "other", 1);
	logged_start(&logged);
	tell(fixture, SCD_CUSTODY_STOP);
	drive(fixture, fixture->stopped);
	log = logged_stop(&logged);
	assert_non_null(strstr(log,
	                       " error connections that still had messages when the daemon stopped, which are lost: "
	                       "1 (sandbox flooder)\n"));
	free(log);
	assert_in_range(fixture->alert_count, 2, 200);
	assert_in_range(alert_place(fixture, 'o', 1), 1, 10);
	assert_int_equal(counters(fixture)->stops_cut_short, 1);
	assert_int_equal(peer_wait_closed(flooder, PEER_DEADLINE_MS), 0);
	close(flooder);
	close(other);
}

static void test_net_free__closes_sessions_that_are_still_there(void **state)
{
	struct fixture *fixture = *state;
	int waiting = connect_peer(fixture, 1), active = connect_peer(fixture, 2);

	assert_int_equal(peer_send_header(active, SOME_TYPE, 0), 0);
	drive(fixture, messages(fixture) == 1);
	scd_net_free(&fixture->net);
	assert_null(fixture->net);
	scd_net_free(&fixture->net);
	scd_net_free(NULL);
	assert_int_equal(peer_wait_closed(waiting, PEER_DEADLINE_MS), 0);
	assert_int_equal(peer_wait_closed(active, PEER_DEADLINE_MS), 0);
	close(waiting);
	close(active);
}

static void test_net_new__takes_over_the_socket_when_it_fails(void **state)
{
	static const struct scd_net_ops ops = { .stopped = on_stopped };
	struct fixture *fixture = *state;
	const struct scd_net_sink sink = scd__streams_sink(fixture->pipeline);
	int file = memfd_create("not to be polled", MFD_CLOEXEC);
	size_t before = peer_open_descriptors();
	struct scd_net *net = NULL;

	assert_true(file >= 0);
	assert_true(scd_net_new(&fixture->loop, file, &fixture->pulse, &sink, &ops, fixture, &net) < 0);
	assert_null(net);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(peer_open_descriptors(), before - 1);
}

/* What libuv opens once for the whole process is no leak of a test. */
static int open_libuv(void **state)
{
	uv_loop_t loop;

	(void)state;
	return uv_loop_init(&loop) < 0 ? -1 : uv_loop_close(&loop);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_net_new__says_ready),
		TEST(test_net__feeds_what_arrives_and_reports_the_end),
		TEST(test_net__reads_what_was_queued_before_the_peer_closed),
		TEST(test_net__goes_on_after_bad_messages),
		TEST(test_net__survives_a_reset_and_reads_what_came_before),
		TEST(test_net__refuses_deliveries_that_are_not_right),
		TEST(test_net__stops_after_one_more_pass),
		TEST(test_net__stops_when_the_keeper_is_gone),
		TEST(test_net__reports_every_end_when_the_control_socket_is_full),
		TEST(test_net__ticks_only_while_something_comes),
		TEST(test_net__serves_others_beside_a_flood),
		TEST(test_net__a_flood_of_alerts_does_not_keep_others_waiting),
		TEST(test_net__sessions_take_turns_when_a_tick_has_no_time_for_all),
		TEST(test_net__stops_although_a_sandbox_goes_on_writing),
		TEST(test_net__last_pass_does_not_keep_others_waiting),
		TEST(test_net__last_pass_ends_in_time),
		TEST(test_net_free__closes_sessions_that_are_still_there),
		TEST(test_net_new__takes_over_the_socket_when_it_fails),
	};
#undef TEST

	return cmocka_run_group_tests_name("net/net", tests, open_libuv, NULL);
}
