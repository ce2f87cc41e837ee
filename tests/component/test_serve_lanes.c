/*
 * `seccheckd serve` with several threads: every alert comes once, each sandbox's in order, and they are those that one
 * thread, or a replay, would give.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/clock.h"
#include "tests/support/messages.h"
#include "tests/support/peer.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

#define TRACES SCD_SOURCE_DIR "/tests/data/traces/"

static const char *const traces[] = { TRACES "all-decoded-python", TRACES "demo-miner", TRACES "detect-gcc",
	                              TRACES "detect-python", TRACES "randomx-light-jit-2t" };

static const char rules[] = "- rule: Exec\n  desc: d\n  condition: evt.type in (execve, openat, connect, mmap)\n"
                            "  output: \"%evt.type %container.id %proc.exepath\"\n  priority: NOTICE\n";

/* The working directory. */
static struct tempdir dir;

static void write_text(const char *name, const char *text)
{
	FILE *file = fopen(tempdir_join(&dir, name), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static int setup(void **state)
{
	(void)state;
	if (tempdir_make(&dir) < 0 || chdir(dir.path) < 0)
		return -1;
	write_text("rules.yaml", rules);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

/* Alerts go to the file `alerts`: what a pipe holds would be the measure of what a test may wait for. */
static void start(struct run *run, unsigned threads)
{
	const char *const argv[] = { RUN_SECCHECKD, "serve", "-c", "config.yaml", NULL };
	char config[256], ready[64];

	snprintf(config, sizeof(config),
	         "listen: [socket]\nrules_files: [rules.yaml]\nworker_threads: %u\ncoverage_alerts: false\n"
	         "file_output: {enabled: true, filename: alerts}\n",
	         threads);
	write_text("config.yaml", config);
	unlink("alerts");
	run_start(run, &(struct run_options){ .argv = argv });
	snprintf(ready, sizeof(ready), "), %u thread", threads);
	if (!run_until(run, ready))
		fail_msg("not ready: %s", run->err.data);
}

static void stop(struct run *run)
{
	kill(run->pid, SIGTERM);
	if (run_finish(run) != 0)
		fail_msg("status %d: %s", run->status, run->err.data);
	run_done(run);
}

/* The alerts as an array of their objects, in the order of the lines. */
static json_t *read_alerts(const char *path)
{
	FILE *file = fopen(path, "re");
	json_t *alerts = json_array();
	char *line = NULL;
	size_t room = 0;
	ssize_t len;

	assert_non_null(file);
	while ((len = getline(&line, &room, file)) > 0) {
		json_t *alert = json_loadb(line, (size_t)len, 0, NULL);

		assert_non_null(alert);
		assert_int_equal(json_array_append_new(alerts, alert), 0);
	}
	free(line);
	fclose(file);
	return alerts;
}

static const char *text_of(const json_t *alert, const char *key)
{
	const char *text = json_string_value(json_object_get(json_object_get(alert, "seccheckd"), key));

	assert_non_null(text);
	return text;
}

/* The last of EACH are in the sockets when the order to stop comes. */
enum { PEERS = 40, EACH = 50, LAST = 5 };

/* The n-th program of a peer's container: its process id tells n. */
static void send_exec(int fd, unsigned peer, int32_t n)
{
	char name[16];
	const struct actor actor = { .tid = n, .tgid = n, .time_ns = n, .container = name };
	const char *const argv[] = { "/bin/x", NULL };
	struct message message = { 0 };

	snprintf(name, sizeof(name), "peer%u", peer);
	message_exec(&message, &actor, "/bin/x", argv);
	assert_int_equal(peer_send(fd, message.data, message.len), 0);
	message_done(&message);
}

/* EACH alerts of each peer, in order, and all ids different. */
static void check_alerts_of_peers(const json_t *alerts)
{
	json_t *ids = json_object();
	int seen[PEERS] = { 0 };
	json_t *alert;
	size_t i;

	json_array_foreach(alerts, i, alert)
	{
		json_t *sequence = json_object_get(json_object_get(alert, "seccheckd"), "sequence");
		unsigned peer = PEERS;

		assert_int_equal(sscanf(text_of(alert, "container_id"), "peer%u", &peer), 1);
		assert_true(peer < PEERS);
		assert_int_equal(json_integer_value(sequence), ++seen[peer]);
		json_object_set_new(ids, text_of(alert, "event_id"), json_true());
	}
	for (unsigned peer = 0; peer < PEERS; peer++)
		assert_int_equal(seen[peer], EACH);
	assert_int_equal(json_object_size(ids), PEERS * EACH);
	json_decref(ids);
}

static void send_all(const int peers[PEERS], int32_t first, int32_t last)
{
	for (int32_t n = first; n <= last; n++) {
		for (unsigned i = 0; i < PEERS; i++)
			send_exec(peers[i], i, n);
	}
}

static size_t count_lines(const char *path)
{
	FILE *file = fopen(path, "re");
	size_t count = 0;

	assert_non_null(file);
	for (int c; (c = fgetc(file)) != EOF;)
		count += c == '\n';
	fclose(file);
	return count;
}

static void wait_for_alerts(size_t count)
{
	int64_t deadline_ns = scd_clock_mono_ns() + RUN_DEADLINE_MS * INT64_C(1000000);
	size_t seen;

	while ((seen = count_lines("alerts")) < count && scd_clock_mono_ns() < deadline_ns)
		poll(NULL, 0, 10);
	assert_int_equal(seen, count);
}

/* Each thread counts for itself; what is told is the sum. */
static void check_counters(struct run *run)
{
	char expected[96];

	kill(run->pid, SIGUSR1);
	snprintf(expected, sizeof(expected), " info net: sessions_accepted %d, ", PEERS);
	assert_true(run_until(run, expected));
	snprintf(expected, sizeof(expected), " info pipeline: messages %d, ", PEERS * (EACH - LAST));
	assert_true(run_until(run, expected));
	snprintf(expected, sizeof(expected), " info emitter: posted %d\n", PEERS * (EACH - LAST));
	assert_true(run_until(run, expected));
}

/* The order to stop comes while the sockets hold what the peers have sent last. */
static void test_serve__with_lanes_delivers_once_and_in_order_also_at_the_stop(void **state)
{
	int peers[PEERS];
	struct run run;
	json_t *alerts;

	(void)state;
	start(&run, 4);
	for (unsigned i = 0; i < PEERS; i++) {
		peers[i] = peer_join("socket");
		assert_true(peers[i] >= 0);
	}
	send_all(peers, 1, EACH - LAST);
	wait_for_alerts(PEERS * (EACH - LAST));
	check_counters(&run);
	send_all(peers, EACH - LAST + 1, EACH);
	stop(&run);
	alerts = read_alerts("alerts");
	check_alerts_of_peers(alerts);
	json_decref(alerts);
	for (unsigned i = 0; i < PEERS; i++)
		close(peers[i]);
}

/* Takes away what two runs differ in. */
static void normalize(json_t *alerts)
{
	json_t *alert;
	size_t i;

	json_array_foreach(alerts, i, alert)
	{
		json_t *ours = json_object_get(alert, "seccheckd");

		json_object_del(ours, "event_id");    /* of the connection's nonce */
		json_object_del(ours, "boot_id");     /* a replay has none */
		json_object_del(ours, "received_ns"); /* nor this */
	}
}

/* Alerts by sandbox: an object of arrays. */
static json_t *group(const json_t *alerts)
{
	json_t *groups = json_object();
	json_t *alert;
	size_t i;

	json_array_foreach(alerts, i, alert)
	{
		const char *sandbox = text_of(alert, "sandbox_id");

		if (!json_object_get(groups, sandbox))
			json_object_set_new(groups, sandbox, json_array());
		json_array_append(json_object_get(groups, sandbox), alert);
	}
	return groups;
}

static json_t *read_groups(const char *path)
{
	json_t *alerts = read_alerts(path), *groups;

	normalize(alerts);
	groups = group(alerts);
	json_decref(alerts);
	return groups;
}

static json_t *replay(void)
{
	const char *argv[SCD_COUNT(traces) + 5] = { RUN_SECCHECKD, "replay", "-r", "rules.yaml" };
	struct run run;

	for (size_t i = 0; i < SCD_COUNT(traces); i++)
		argv[i + 4] = traces[i];
	write_text("replayed", "");
	assert_int_equal(run_program(&run, &(struct run_options){ .argv = argv, .stdout_path = "replayed" }), 0);
	run_done(&run);
	return read_groups("replayed");
}

static json_t *serve(unsigned threads)
{
	int peers[SCD_COUNT(traces)];
	struct run run;

	start(&run, threads);
	for (size_t i = 0; i < SCD_COUNT(traces); i++)
		assert_true((peers[i] = peer_join("socket")) >= 0);
	for (size_t i = 0; i < SCD_COUNT(traces); i++) {
		assert_true(peer_replay(peers[i], traces[i]) > 0);
		close(peers[i]);
	}
	stop(&run);
	return read_groups("alerts");
}

static void test_serve__with_lanes_tells_what_one_thread_and_a_replay_tell(void **state)
{
	json_t *replayed = replay(), *by_one = serve(1), *by_four = serve(4);

	(void)state;
	assert_int_equal(json_object_size(replayed), SCD_COUNT(traces));
	assert_true(json_equal(replayed, by_one));
	assert_true(json_equal(replayed, by_four));
	json_decref(replayed);
	json_decref(by_one);
	json_decref(by_four);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serve__with_lanes_delivers_once_and_in_order_also_at_the_stop),
		cmocka_unit_test(test_serve__with_lanes_tells_what_one_thread_and_a_replay_tell),
	};

	return cmocka_run_group_tests_name("serve/lanes", tests, setup, teardown);
}
