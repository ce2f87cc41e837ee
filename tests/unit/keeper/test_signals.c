/*
 * Signals arrive through the descriptor, and everything is as before afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <unistd.h>

#include "keeper/signals.h"
#include "seccheckd/base/array.h"
#include "tests/support/child.h"
#include "tests/support/peer.h"

static void test_signals_next__tells_each_that_came(void **state)
{
	static const int wanted[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD };
	struct scd__signals signals;

	(void)state;
	assert_int_equal(scd__signals_open(&signals), 0);
	assert_int_equal(scd__signals_next(&signals), 0);
	for (size_t i = 0; i < SCD_COUNT(wanted); i++) {
		kill(getpid(), wanted[i]);
		assert_int_equal(peer_wait(signals.fd, POLLIN, PEER_DEADLINE_MS), 0);
		assert_int_equal(scd__signals_next(&signals), wanted[i]);
	}
	assert_int_equal(scd__signals_next(&signals), 0);
	scd__signals_close(&signals);
}

static void test_signals_close__restores(void **state)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction child_before, action;
	struct scd__signals signals;
	sigset_t mask;

	(void)state;
	sigaction(SIGCHLD, &ignore, &child_before);
	assert_int_equal(scd__signals_open(&signals), 0);
	sigaction(SIGCHLD, NULL, &action);
	assert_true(action.sa_handler == SIG_DFL); /* else wait(2) would find nothing */
	sigaction(SIGPIPE, NULL, &action);
	assert_true(action.sa_handler == SIG_IGN);
	kill(getpid(), SIGTERM); /* one that nobody read ends nothing */
	scd__signals_close(&signals);

	sigaction(SIGPIPE, NULL, &action);
	assert_true(action.sa_handler == SIG_DFL);
	sigaction(SIGCHLD, &child_before, &action);
	assert_true(action.sa_handler == SIG_IGN);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGTERM));
	assert_false(sigismember(&mask, SIGCHLD));
}

/* As in a worker: the signals of a process group's end do nothing, others work as ever. */
static int survive_signals(void *user)
{
	struct scd__signals signals;

	(void)user;
	if (scd__signals_open(&signals) < 0)
		return 1;
	scd__signals_child(&signals);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGINT);
	kill(getpid(), SIGHUP);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	kill(getpid(), SIGALRM);
	return 2;
}

static void test_signals_child__ignores_what_stops_the_group(void **state)
{
	pid_t pid = child_start(survive_signals, NULL);

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(child_wait(pid, PEER_DEADLINE_MS), 1000 + SIGALRM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_signals_next__tells_each_that_came),
		cmocka_unit_test(test_signals_close__restores),
		cmocka_unit_test(test_signals_child__ignores_what_stops_the_group),
	};

	return cmocka_run_group_tests_name("keeper/signals", tests, NULL, NULL);
}
