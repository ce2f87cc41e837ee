/*
 * Real sandboxes, busy, under a real daemon whose worker is killed a hundred times: each is still watched afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "seccheckd/base/clock.h"
#include "tests/support/sandbox.h"

enum { SANDBOXES = 3 };

/* A sanitizer's worker loads slowly; a machine that has other things to do is done with fewer when time is over. */
#define KILLS   (sizeof(SCD_SANITIZE) > 1 ? 10u : 100u)
#define ENOUGH  10u
#define TIME_NS (INT64_C(35) * 1000000000)

static const char rules[] =
        "- rule: Busy\n  desc: d\n  priority: NOTICE\n  output: busy %proc.cmdline\n"
        "  condition: evt.type = execve and proc.name startswith busy- and proc.args endswith 0\n"
        "- rule: Miner\n  desc: d\n  priority: CRITICAL\n  output: miner of %proc.args in %container.id\n"
        "  condition: evt.type = execve and proc.name = xmrig\n";

/* The keeper's only child. */
static pid_t worker_of(pid_t keeper)
{
	char path[64];
	FILE *file;
	int pid = -1;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)keeper, (int)keeper);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%d", &pid) != 1)
		pid = -1;
	fclose(file);
	return pid;
}

static void start_busy(struct run *run, struct daemon *daemon, unsigned number)
{
	char name[16], script[256];

	snprintf(name, sizeof(name), "busy-%u", number);
	snprintf(script, sizeof(script), "cp /bin/true /tmp/%s && i=0 && while :; do i=$((i + 1)); /tmp/%s $i; done",
	         name, name);
	sandbox_start_named(run, daemon, name, script);
}

static void wait_for(struct daemon *daemon, const char *text)
{
	while (!strstr(daemon->run.out.data, text)) {
		if (!run_until_out(&daemon->run, daemon->run.out.len + 1))
			fail_msg("no '%s': %s", text, daemon->run.err.data);
	}
}

static void kill_worker(struct daemon *daemon, size_t restarts)
{
	pid_t worker = worker_of(daemon->run.pid);

	assert_true(worker > 0);
	assert_int_equal(kill(worker, SIGKILL), 0);
	if (!run_until_count(&daemon->run, "the worker is ready again", restarts))
		fail_msg("no worker followed: %s", daemon->run.err.data);
}

static void kill_workers(struct daemon *daemon)
{
	const int64_t deadline_ns = scd_clock_mono_ns() + TIME_NS;
	unsigned count = 0;

	while (count < KILLS && (count < ENOUGH || scd_clock_mono_ns() < deadline_ns))
		kill_worker(daemon, ++count);
	print_message("%u workers were killed\n", count);
}

static void test_worker_restart__sandboxes_are_watched_after_a_hundred_kills(void **state)
{
	struct run sandboxes[SANDBOXES];
	struct daemon daemon;
	char text[64];

	(void)state;
	if (sandbox_unavailable()) {
		print_message("skipped: %s\n", sandbox_unavailable());
		skip();
	}
	daemon_start(&daemon, rules, "");
	for (unsigned i = 0; i < SANDBOXES; i++)
		start_busy(&sandboxes[i], &daemon, i);
	for (unsigned i = 0; i < SANDBOXES; i++) {
		snprintf(text, sizeof(text), "busy busy-%u ", i);
		wait_for(&daemon, text);
	}
	kill_workers(&daemon);
	for (unsigned i = 0; i < SANDBOXES; i++) {
		char name[16];

		snprintf(name, sizeof(name), "busy-%u", i);
		snprintf(text, sizeof(text), "cp /bin/true /tmp/xmrig && exec /tmp/xmrig %u", i);
		assert_int_equal(sandbox_exec(&daemon, name, text), 0);
		snprintf(text, sizeof(text), "miner of %u in runsc-", i);
		wait_for(&daemon, text);
		sandbox_kill(&sandboxes[i], &daemon, name);
	}
	kill(daemon.run.pid, SIGTERM);
	assert_int_equal(run_finish(&daemon.run), 0);
	assert_int_equal(run_count(&daemon.run.err, "quarantined"), 0);
	daemon_done(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worker_restart__sandboxes_are_watched_after_a_hundred_kills),
	};
	int failed = cmocka_run_group_tests_name("e2e/worker_restart", tests, NULL, NULL);

	return failed == 0 && sandbox_unavailable() ? 77 : failed;
}
