/*
 * What the daemon has from whoever started it, and what its worker has from it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/peer.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

static struct tempdir dir;

static int set_up(void **state)
{
	(void)state;
	return tempdir_make(&dir);
}

static int tear_down(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

static void start(struct run *run)
{
	const char *const argv[] = { RUN_SECCHECKD, "serve",
		                     "--listen",    tempdir_join(&dir, "s.sock"),
		                     "--rules",     SCD_SOURCE_DIR "/rules",
		                     NULL };

	run_start(run, &(struct run_options){ .argv = argv });
}

static void stop(struct run *run)
{
	kill(run->pid, SIGTERM);
	assert_int_equal(run_finish(run), 0);
	run_done(run);
}

/* A worker that was taken over would have them. */
static void test_serve__closes_descriptors_that_it_was_started_with(void **state)
{
	struct run run;
	int ends[2];
	char byte;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	start(&run);
	close(ends[1]);
	assert_true(run_until(&run, "ready"));
	assert_int_equal(peer_wait(ends[0], POLLIN, PEER_DEADLINE_MS), 0);
	assert_int_equal(read(ends[0], &byte, 1), 0); /* nobody has the other end */
	stop(&run);
	close(ends[0]);
}

static long score_of(pid_t pid)
{
	char path[64], text[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	return strtol(text, NULL, 10);
}

/* Without the keeper every sandbox is unwatched for good; without the worker, for a moment. */
static void test_serve__gives_its_worker_to_the_oom_killer_first(void **state)
{
	struct run run;

	(void)state;
	start(&run);
	assert_true(run_until(&run, "ready"));
	assert_int_equal(score_of(run_child(&run)), score_of(run.pid) > 900 ? 1000 : score_of(run.pid) + 100);
	stop(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_serve__closes_descriptors_that_it_was_started_with, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_serve__gives_its_worker_to_the_oom_killer_first, set_up,
		                                tear_down),
	};

	return cmocka_run_group_tests_name("inherited", tests, NULL, NULL);
}
