/*
 * Lanes, with the test as their keeper: when they begin, whose thread does what, what they report, and how they end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/lane.h"
#include "seccheckd/wire/custody.h"
#include "tests/support/messages.h"
#include "tests/support/peer.h"
#include "tests/support/rules.h"

enum { LANES = 3, EACH = 50 };

struct fixture {
	struct scd_host host;
	struct scd_diags diags;
	struct scd_ruleset *rules;
	struct scd_pulse pulses[LANES];
	struct scd__lane *lanes[LANES];
	int keepers[LANES]; /* our ends of the control sockets */
	size_t descriptors_before;

	/* What other threads do. */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t news_count;
	size_t alert_counts[LANES]; /* by the digit in the sandbox's name */
	pthread_t threads[LANES];   /* that brought the first of them */
	bool strangers;             /* another thread brought another */
};

static void on_alert(void *user, struct scd_alert *alert)
{
	struct fixture *fixture = user;
	size_t index = (size_t)(scd_alert_sandbox(alert).data[0] - '0');

	pthread_mutex_lock(&fixture->lock);
	if (fixture->alert_counts[index]++ == 0)
		fixture->threads[index] = pthread_self();
	fixture->strangers |= !pthread_equal(fixture->threads[index], pthread_self());
	pthread_cond_signal(&fixture->changed);
	pthread_mutex_unlock(&fixture->lock);
	scd_alert_unref(&alert);
}

static void on_news(void *user)
{
	struct fixture *fixture = user;

	pthread_mutex_lock(&fixture->lock);
	fixture->news_count++;
	pthread_cond_signal(&fixture->changed);
	pthread_mutex_unlock(&fixture->lock);
}

typedef bool condition_fn(struct fixture *fixture);

/* Waits until a condition over what other threads do holds; false at the deadline. */
static bool wait_until(struct fixture *fixture, condition_fn *condition)
{
	struct timespec deadline;
	bool holds;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += PEER_DEADLINE_MS / 1000;
	pthread_mutex_lock(&fixture->lock);
	while (!(holds = condition(fixture)) && r == 0)
		r = pthread_cond_timedwait(&fixture->changed, &fixture->lock, &deadline);
	pthread_mutex_unlock(&fixture->lock);
	return holds;
}

static int open_lane(struct fixture *fixture, size_t number, int control_fd)
{
	const struct scd_pipeline_options pipeline = {
		.rules = fixture->rules,
		.host = &fixture->host,
		.on_alert = on_alert,
		.user = fixture,
	};
	const struct scd__lane_options options = {
		.number = number,
		.control_fd = control_fd,
		.pulse = &fixture->pulses[number],
		.pipeline = &pipeline,
		.news = on_news,
		.user = fixture,
	};

	return scd__lane_new(&options, &fixture->lanes[number]);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	fixture->descriptors_before = peer_open_descriptors();
	pthread_mutex_init(&fixture->lock, NULL);
	pthread_cond_init(&fixture->changed, NULL);
	scd_diags_init(&fixture->diags);
	fixture->rules = rules_load_condition("evt.type = execve", &fixture->diags);
	for (size_t i = 0; i < LANES; i++) {
		int control[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, control) < 0)
			return -1;
		fixture->keepers[i] = control[0];
		if (open_lane(fixture, i, control[1]) < 0)
			return -1;
	}
	return 0;
}

/* No thread and no descriptor is left. */
static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	int r = 0;

	for (size_t i = 0; i < LANES; i++) {
		scd__lane_free(&fixture->lanes[i]);
		close(fixture->keepers[i]);
	}
	scd_ruleset_unref(&fixture->rules);
	scd_diags_done(&fixture->diags);
	pthread_cond_destroy(&fixture->changed);
	pthread_mutex_destroy(&fixture->lock);
	if (peer_open_descriptors() != fixture->descriptors_before)
		r = -1;
	free(fixture);
	return r;
}

static void start_all(struct fixture *fixture)
{
	for (size_t i = 0; i < LANES; i++)
		assert_int_equal(scd__lane_start(fixture->lanes[i]), 0);
	for (size_t i = 0; i < LANES; i++)
		scd__lane_go(fixture->lanes[i]);
}

static void tell(struct fixture *fixture, size_t lane, enum scd_custody_kind kind)
{
	const struct scd_custody message = { .kind = kind };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];

	assert_int_equal(peer_send(fixture->keepers[lane], bytes, scd_custody_format(&message, bytes)), 0);
}

/* A connection as the keeper hands it over; the peer's end. */
static int connect_peer(struct fixture *fixture, size_t lane)
{
	const struct scd_custody message = { .kind = SCD_CUSTODY_CONNECTION, .connection_id = lane + 1 };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	size_t len = scd_custody_format(&message, bytes);
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(peer_send_descriptors(fixture->keepers[lane], bytes, len, &fds[1], 1), (int)len);
	close(fds[1]);
	return fds[0];
}

/* A program in a container whose name is the lane's digit. */
static void run_programs(int fd, size_t lane, int32_t count)
{
	const char container[] = { (char)('0' + lane), '\0' };
	const char *const argv[] = { "/bin/x", NULL };

	for (int32_t n = 1; n <= count; n++) {
		const struct actor actor = { .tid = n, .tgid = n, .time_ns = n, .container = container };
		struct message message = { 0 };

		message_exec(&message, &actor, "/bin/x", argv);
		assert_int_equal(peer_send(fd, message.data, message.len), 0);
		message_done(&message);
	}
}

static bool says_anything(struct fixture *fixture, size_t lane, int timeout_ms)
{
	return peer_wait(fixture->keepers[lane], POLLIN, timeout_ms) == 0;
}

static void test_lane__is_ready_only_when_it_may_go(void **state)
{
	struct fixture *fixture = *state;
	struct scd_custody message;
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	ssize_t len;

	for (size_t i = 0; i < LANES; i++) {
		assert_false(says_anything(fixture, i, 0));
		assert_int_equal(scd__lane_start(fixture->lanes[i]), 0);
	}
	scd__lane_go(fixture->lanes[1]);
	assert_true(says_anything(fixture, 1, PEER_DEADLINE_MS));
	len = recv(fixture->keepers[1], bytes, sizeof(bytes), 0);
	assert_true(len > 0);
	assert_int_equal(scd_custody_parse((struct scd_str){ (char *)bytes, (size_t)len }, &message), 0);
	assert_int_equal(message.kind, SCD_CUSTODY_READY);
	assert_false(says_anything(fixture, 0, 0));
	assert_false(says_anything(fixture, 2, 0));
}

static bool has_all_alerts(struct fixture *fixture)
{
	for (size_t i = 0; i < LANES; i++)
		if (fixture->alert_counts[i] != EACH)
			return false;
	return true;
}

static void test_lane__evaluates_its_connections_in_its_own_thread(void **state)
{
	struct fixture *fixture = *state;
	int peers[LANES];

	start_all(fixture);
	for (size_t i = 0; i < LANES; i++)
		peers[i] = connect_peer(fixture, i);
	for (size_t i = 0; i < LANES; i++)
		run_programs(peers[i], i, EACH);
	assert_true(wait_until(fixture, has_all_alerts));
	assert_false(fixture->strangers);
	for (size_t i = 0; i < LANES; i++) {
		assert_false(pthread_equal(fixture->threads[i], pthread_self()));
		assert_false(pthread_equal(fixture->threads[i], fixture->threads[(i + 1) % LANES]));
		close(peers[i]);
	}
}

/* The value of a counter in a set of a lane's latest report. */
static uint64_t counter(struct scd__lane *lane, size_t set, const char *name)
{
	struct scd__lane_report report;

	scd__lane_look(lane, &report);
	for (size_t i = 0; i < report.counted[set].count; i++)
		if (strcmp(report.counted[set].rows[i].name, name) == 0)
			return report.counted[set].rows[i].value;
	return UINT64_MAX;
}

static bool is_answered(struct fixture *fixture)
{
	struct scd__lane_report report;

	scd__lane_look(fixture->lanes[0], &report);
	return report.round == 7;
}

static void test_lane__reports_what_it_counts_while_it_runs(void **state)
{
	struct fixture *fixture = *state;
	struct scd__lane_report report;
	int peers[LANES];

	start_all(fixture);
	for (size_t i = 0; i < LANES; i++) {
		peers[i] = connect_peer(fixture, i);
		run_programs(peers[i], i, EACH);
	}
	assert_true(wait_until(fixture, has_all_alerts));
	scd__lane_look(fixture->lanes[0], &report);
	assert_null(report.counted[SCD__LANE_NET].who);
	scd__lane_count(fixture->lanes[0], 7);
	assert_true(wait_until(fixture, is_answered));
	assert_int_equal(counter(fixture->lanes[0], SCD__LANE_PIPELINE, "alerts"), EACH);
	assert_int_equal(counter(fixture->lanes[0], SCD__LANE_NET, "sessions_accepted"), 1);
	scd__lane_look(fixture->lanes[0], &report);
	assert_false(report.ended);
	for (size_t i = 0; i < LANES; i++)
		close(peers[i]);
}

static bool all_have_ended(struct fixture *fixture)
{
	for (size_t i = 0; i < LANES; i++) {
		struct scd__lane_report report;

		scd__lane_look(fixture->lanes[i], &report);
		if (!report.ended)
			return false;
	}
	return true;
}

static void test_lane__reads_what_there_is_before_it_obeys_the_stop(void **state)
{
	struct fixture *fixture = *state;
	int peers[LANES];

	start_all(fixture);
	for (size_t i = 0; i < LANES; i++) {
		peers[i] = connect_peer(fixture, i);
		run_programs(peers[i], i, EACH);
		tell(fixture, i, SCD_CUSTODY_STOP);
	}
	assert_true(wait_until(fixture, all_have_ended));
	for (size_t i = 0; i < LANES; i++) {
		scd__lane_join(fixture->lanes[i]);
		assert_int_equal(fixture->alert_counts[i], EACH);
		assert_int_equal(counter(fixture->lanes[i], SCD__LANE_PIPELINE, "alerts"), EACH);
		assert_int_equal(counter(fixture->lanes[i], SCD__LANE_NET, "sessions_ended"), 1);
		close(peers[i]);
	}
}

/* Also one that waits at the gate: it says nothing to the keeper, then. */
static void test_lane__that_is_abandoned_ends_without_an_order(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(scd__lane_start(fixture->lanes[0]), 0);
	assert_int_equal(scd__lane_start(fixture->lanes[1]), 0);
	scd__lane_go(fixture->lanes[0]);
	assert_true(says_anything(fixture, 0, PEER_DEADLINE_MS));
	scd__lane_abandon(fixture->lanes[0]);
	scd__lane_join(fixture->lanes[0]);
	scd__lane_free(&fixture->lanes[1]);
	/* lanes[2] has no thread yet */
	assert_int_equal(recv(fixture->keepers[1], &(char){ 0 }, 1, MSG_DONTWAIT), 0);
}

/* What nobody has read of its connections is closed with it. */
static void test_lane__is_freed_while_it_runs(void **state)
{
	struct fixture *fixture = *state;
	int peer = connect_peer(fixture, 0);

	start_all(fixture);
	run_programs(peer, 0, 1);
	assert_true(says_anything(fixture, 0, PEER_DEADLINE_MS));
	for (size_t i = 0; i < LANES; i++)
		scd__lane_free(&fixture->lanes[i]);
	close(peer);
}

static void test_lane_new__takes_over_the_socket_also_when_it_fails(void **state)
{
	struct fixture *fixture = *state;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC); /* no loop can wait for it */

	scd__lane_free(&fixture->lanes[0]);
	assert_true(file >= 0);
	assert_true(open_lane(fixture, 0, file) < 0);
	assert_int_equal(fcntl(file, F_GETFD), -1);
	assert_null(fixture->lanes[0]);
}

static void test_lane_default_count__is_at_least_one(void **state)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);

	(void)state;
	assert_in_range(scd__lane_default_count(), 1, processors < 4 ? 1 : (size_t)processors / 4);
}

/* libuv keeps two descriptors of its own from the first loop on. */
static int make_first_loop(void **state)
{
	uv_loop_t loop;

	(void)state;
	return uv_loop_init(&loop) < 0 ? -1 : uv_loop_close(&loop);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_lane__is_ready_only_when_it_may_go),
		TEST(test_lane__evaluates_its_connections_in_its_own_thread),
		TEST(test_lane__reports_what_it_counts_while_it_runs),
		TEST(test_lane__reads_what_there_is_before_it_obeys_the_stop),
		TEST(test_lane__that_is_abandoned_ends_without_an_order),
		TEST(test_lane__is_freed_while_it_runs),
		TEST(test_lane_new__takes_over_the_socket_also_when_it_fails),
		cmocka_unit_test(test_lane_default_count__is_at_least_one),
	};
#undef TEST

	return cmocka_run_group_tests_name("cli/lane", tests, make_first_loop, NULL);
}
