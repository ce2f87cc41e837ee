/*
 * Crowds and floods: nobody waits long for an answer, and what the good client does is reported whatever the others do.
 *
 * Times are printed and hardly asserted: this may be a busy machine, and a blocked daemon takes for ever.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"
#include "tests/support/hostile.h"
#include "tests/support/messages.h"
#include "tests/support/peer.h"

#define CROWD 1000

/* What nobody may wait for an answer. A container's start should be held up by 250 ms at most, half of them by 50. */
#define WAIT_MS 2000

/* When each greeted and was answered; written by one thread each. */
struct crowd {
	int fds[CROWD], epoll;
	int64_t greeted_ns[CROWD];
	int64_t answered_ns[CROWD];
	unsigned answered;
};

/* Notes when answers come, until all have. */
static void *watch_answers(void *user)
{
	struct crowd *crowd = user;
	struct epoll_event events[64];

	while (crowd->answered < CROWD) {
		int count = epoll_wait(crowd->epoll, events, 64, PEER_DEADLINE_MS);
		int64_t now_ns = scd_clock_mono_ns();

		if (count == 0 || (count < 0 && errno != EINTR))
			break;
		for (int i = 0; i < count; i++)
			crowd->answered_ns[events[i].data.u32] = now_ns;
		crowd->answered += count > 0 ? (unsigned)count : 0;
	}
	return NULL;
}

static void crowd_connect(struct crowd *crowd, const struct scene *scene)
{
	crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
	assert_true(crowd->epoll >= 0);
	for (uint32_t i = 0; i < CROWD; i++) {
		struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT, .data.u32 = i };

		crowd->fds[i] = peer_connect(scene->serve.path);
		assert_true(crowd->fds[i] >= 0);
		assert_int_equal(epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, crowd->fds[i], &event), 0);
	}
}

static void crowd_greet(struct crowd *crowd)
{
	pthread_t watcher;

	assert_int_equal(pthread_create(&watcher, NULL, watch_answers, crowd), 0);
	for (int i = 0; i < CROWD; i++) {
		crowd->greeted_ns[i] = scd_clock_mono_ns();
		assert_int_equal(peer_send(crowd->fds[i], "\x08\x01", 2), 0);
	}
	pthread_join(watcher, NULL);
}

static void crowd_close(struct crowd *crowd)
{
	for (int i = 0; i < CROWD; i++)
		close(crowd->fds[i]);
	close(crowd->epoll);
}

static int by_time(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Sorts and prints; the longest. */
static int64_t longest_wait_ns(const struct crowd *crowd)
{
	int64_t waits_ns[CROWD];

	for (int i = 0; i < CROWD; i++)
		waits_ns[i] = crowd->answered_ns[i] - crowd->greeted_ns[i];
	qsort(waits_ns, CROWD, sizeof(waits_ns[0]), by_time);
	print_message("answers to %d at once: half within %.1f ms, 99 %% within %.1f ms, all within %.1f ms\n", CROWD,
	              (double)waits_ns[CROWD / 2] / 1e6, (double)waits_ns[CROWD * 99 / 100] / 1e6,
	              (double)waits_ns[CROWD - 1] / 1e6);
	return waits_ns[CROWD - 1];
}

/* Everybody greets before anybody is answered, beside a silent one and one that sends garbage. */
static void test_serve__answers_a_thousand_at_once_beside_a_silent_one_and_garbage(void **state)
{
	struct scene *scene = *state;
	struct crowd crowd = { .answered = 0 };

	scene_start(scene);
	hostile_connect(scene);
	assert_int_equal(peer_send(hostile_connect(scene), "garbage", 7), 0);
	crowd_connect(&crowd, scene);
	crowd_greet(&crowd);
	assert_int_equal(crowd.answered, CROWD);
	assert_in_range(longest_wait_ns(&crowd), 0, WAIT_MS * INT64_C(1000000));
	for (int i = 0; i < CROWD; i += 100)
		good_act(crowd.fds[i]);
	assert_int_equal(serve_stop(&scene->serve), 0);
	assert_int_equal(scene->serve.result.keeper.answered, CROWD);
	assert_int_equal(serve_count_alerts(&scene->serve, HOSTILE_GOOD_ALERT, NULL), 10 * HOSTILE_GOOD_MESSAGES);
	crowd_close(&crowd);
}

/* A sandbox that writes as fast as it can, on a thread of its own: starts of programs, which cost more than others. */
struct flood {
	pthread_t thread;
	int fd;
	struct message message;
	atomic_bool enough;
	atomic_ulong sent;
};

static void *flood_main(void *user)
{
	struct flood *flood = user;

	while (!atomic_load(&flood->enough)) {
		if (send(flood->fd, flood->message.data, flood->message.len, MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
			atomic_fetch_add(&flood->sent, 1);
		else if (errno != EAGAIN)
			break;
	}
	return NULL;
}

static void flood_start(struct flood *flood, int fd)
{
	const struct actor actor = { .tid = 1, .tgid = 1, .time_ns = 1, .container = "flooder" };

	*flood = (struct flood){ .fd = fd };
	message_exec(&flood->message, &actor, "/bin/flood", (const char *[]){ "flood", NULL });
	assert_int_equal(pthread_create(&flood->thread, NULL, flood_main, flood), 0);
}

static void flood_end(struct flood *flood)
{
	atomic_store(&flood->enough, true);
	pthread_join(flood->thread, NULL);
	message_done(&flood->message);
}

static void test_serve__reports_the_good_one_beside_a_flood(void **state)
{
	struct scene *scene = *state;
	struct flood flood;
	int good;

	scene_start(scene);
	flood_start(&flood, hostile_join(scene));
	while (atomic_load(&flood.sent) < 10000)
		sched_yield();
	good = good_join(scene);
	good_act(good);
	close(good);
	flood_end(&flood);
	assert_int_equal(serve_stop(&scene->serve), 0);
	assert_int_equal(serve_count_alerts(&scene->serve, HOSTILE_GOOD_ALERT, "good"), HOSTILE_GOOD_MESSAGES);
	assert_int_equal(scene->serve.result.pipeline.messages, HOSTILE_GOOD_MESSAGES + atomic_load(&flood.sent));
}

/* A shell's limit of 1024 descriptors is enough for the daemon, which raises it, and not for this program. */
static int raise_limit(void **state)
{
	struct rlimit limit;

	(void)state;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_serve__answers_a_thousand_at_once_beside_a_silent_one_and_garbage),
		TEST(test_serve__reports_the_good_one_beside_a_flood),
	};
#undef TEST

	return cmocka_run_group_tests_name("hostile/crowd", tests, raise_limit, NULL);
}
