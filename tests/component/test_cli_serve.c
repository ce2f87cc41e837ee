/*
 * `seccheckd serve` as a program: what keeps it from starting, and that nothing listens then; that it starts and
 * stops.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/event/event.h"
#include "tests/support/child.h"
#include "tests/support/messages.h"
#include "tests/support/peer.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

#define TRACE SCD_SOURCE_DIR "/tests/data/traces/detect-gcc"

#define ARGS_MAX 8

static const char good_rules[] = "- rule: Exec\n  desc: d\n  condition: evt.type = execve\n  output: exec\n"
                                 "  priority: NOTICE\n";
static const char bad_rules[] = "- rule: Exec\n  desc: d\n  condition: evt.type = \n  output: exec\n"
                                "  priority: NOTICE\n";

/* Files that the tests need, all in one folder, which is the program's working directory too. */
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
	write_text("good.yaml", good_rules);
	write_text("bad.yaml", bad_rules);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tempdir_remove(&dir);
	return 0;
}

static void start(struct run *run, const char *const *args)
{
	const char *argv[ARGS_MAX + 3] = { RUN_SECCHECKD, "serve" };

	for (size_t i = 0; i < ARGS_MAX && args[i]; i++)
		argv[i + 2] = args[i];
	run_start(run, &(struct run_options){ .argv = argv });
}

static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Command lines that do not start. Where a configuration is given, it is written to config.yaml. */
static const struct row {
	const char *name, *config;
	const char *args[ARGS_MAX];
	int status;
	const char *err;
} rows[] = {
	{ "no such configuration",
	  NULL,
	  { "--listen", "socket", "-r", "good.yaml", "-c", "none.yaml" },
	  1,
	  "cannot open the configuration none.yaml: No such file or directory" },
	{ "unknown key",
	  "listen: [socket]\nrules_fils: [good.yaml]\n",
	  { "-c", "config.yaml" },
	  1,
	  "config.yaml:2:1: unknown key 'rules_fils'\n  hint: did you mean 'rules_files'?\n" },
	{ "contradiction",
	  "listen: [socket]\nrules_files: [good.yaml]\nfile_output:\n  enabled: true\n",
	  { "-c", "config.yaml" },
	  1,
	  "config.yaml:4:12: file_output is enabled and has no filename\n" },
	{ "unreadable certificate",
	  "control_plane: {url: 'https://127.0.0.1:1/', ca_cert: none.pem}\n",
	  { "--listen", "socket", "-r", "good.yaml", "-c", "config.yaml" },
	  1,
	  "config.yaml:1:55: control_plane.ca_cert: cannot read none.pem: " },
	{ "URL of a socket without a request",
	  "listen: [socket]\nrules_files: [good.yaml]\ncontrol_plane:\n  url: http+unix:///run/plane.sock\n",
	  { "-c", "config.yaml" },
	  1,
	  "config.yaml:4:8: 'http+unix:///run/plane.sock' cannot be sent to: there is no `:/REQUEST/PATH` behind the "
	  "socket\n  hint: write http://HOST" },
	{ "URL without a host",
	  "listen: [socket]\nrules_files: [good.yaml]\nhttp_output: {enabled: true, url: 'http://:80/'}\n",
	  { "-c", "config.yaml" },
	  1,
	  "config.yaml:3:35: 'http://:80/' cannot be sent to: " },
	{ "rules of the configuration that are not there",
	  "listen: [socket]\nrules_files:\n- none.yaml\n",
	  { "-c", "config.yaml" },
	  1,
	  "config.yaml:3:1: cannot read none.yaml: No such file or directory\n" },
	{ "one socket twice",
	  NULL,
	  { "--listen", "socket", "--listen", "socket", "-r", "good.yaml" },
	  1,
	  "the socket socket is given twice\n" },
	{ "no socket in flags or file",
	  "rules_files: [good.yaml]\n",
	  { "-c", "config.yaml" },
	  2,
	  "there is no socket to listen on" },
	{ "socket in no folder", NULL, { "--listen", "none/socket", "-r", "good.yaml" }, 1, "none/socket" },
	{ "one socket of two in no folder",
	  NULL,
	  { "--listen", "socket", "--listen", "none/socket", "-r", "good.yaml" },
	  1,
	  "none/socket" },
	{ "socket in use", NULL, { "--listen", "used", "-r", "good.yaml" }, 1, "used" },
	{ "rules that do not compile", NULL, { "--listen", "socket", "-r", "bad.yaml" }, 1, "bad.yaml:3:" },
	{ "rules that are not there", NULL, { "--listen", "socket", "-r", "none.yaml" }, 1, "none.yaml" },
	{ "output file in no folder",
	  "file_output: {enabled: true, filename: none/alerts}\n",
	  { "--listen", "socket", "-r", "good.yaml", "-c", "config.yaml" },
	  1,
	  "config.yaml:1:40: cannot make none/alerts: No such file or directory\n" },
};

static void test_serve__does_not_start_with_a_fault_and_leaves_nothing(void **state)
{
	int used = listen_on("used");

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct run run;

		write_text("config.yaml", rows[i].config ? rows[i].config : "");
		start(&run, rows[i].args);
		run_finish(&run);
		if (run.status != rows[i].status || run.out.len > 0 || !strstr(run.err.data, rows[i].err))
			fail_msg("%s: status %d, out: %s, err: %s", rows[i].name, run.status, run.out.data,
			         run.err.data);
		if (access("socket", F_OK) == 0)
			fail_msg("%s: there is a socket", rows[i].name);
		assert_int_equal(access("used", F_OK), 0);
		run_done(&run);
	}
	close(used);
	unlink("used");
}

/* Nobody is watched yet, so nobody goes on unseen. */
static void test_serve__that_does_not_start_points_to_the_errors(void **state)
{
	const char *const args[ARGS_MAX] = { "--listen", "socket", "-r", "bad.yaml" };
	struct run run;

	(void)state;
	start(&run, args);
	assert_int_equal(run_finish(&run), 1);
	assert_non_null(strstr(run.err.data, " error not started, see the errors above "));
	assert_null(strstr(run.err.data, "unseen"));
	run_done(&run);
}

static void assert_stops(const char *const *args, int signal, const char *ready)
{
	struct run run;

	start(&run, args);
	if (!run_until(&run, ready))
		fail_msg("no '%s': %s", ready, run.err.data);
	kill(signal == SIGINT ? -run.pid : run.pid, signal); /* a terminal's Ctrl-C reaches the whole group */
	if (run_finish(&run) != 0)
		fail_msg("status %d: %s", run.status, run.err.data);
	assert_int_equal(run.out.len, 0);
	assert_int_equal(access("socket", F_OK), -1);
	run_done(&run);
}

static void test_serve__starts_and_stops_in_order(void **state)
{
	const char *const args[ARGS_MAX] = { "--listen", "socket", "--rules", "good.yaml" };

	(void)state;
	assert_stops(args, SIGTERM, "ready: 1 rule (generation ");
	assert_stops(args, SIGINT, "ready: 1 rule (generation ");
}

static void test_serve__listens_where_flags_say_and_not_where_the_file_does(void **state)
{
	const char *const args[ARGS_MAX] = { "--config", "config.yaml", "--listen", "socket", "--listen", "second" };

	(void)state;
	write_text("config.yaml", "listen: [none/a, none/b]\nrules_files: [good.yaml]\n");
	assert_stops(args, SIGTERM, "ready: 1 rule (generation ");
}

/* Each of these texts has one meaning, and whoever waits for it can count on that. */
static void test_serve__says_each_thing_once(void **state)
{
	static const char *const once[] = { " listening on socket\n", " listening on second\n", " ready: 1 rule (",
		                            " warning control_plane.insecure: ", "not verified" };
	const char *const args[ARGS_MAX] = { "-c", "config.yaml" };
	struct run run;

	(void)state;
	write_text("config.yaml", "listen: [socket, second]\nrules_files: [good.yaml]\n"
	                          "control_plane: {url: 'https://127.0.0.1:1/', insecure: true}\n");
	start(&run, args);
	assert_true(run_until(&run, "ready: "));
	kill(run.pid, SIGTERM);
	assert_int_equal(run_finish(&run), 0);
	for (size_t i = 0; i < SCD_COUNT(once); i++) {
		if (run_count(&run.err, once[i]) != 1)
			fail_msg("'%s' is not there once: %s", once[i], run.err.data);
	}
	run_done(&run);
}

/* One sandbox's trace: the same numbers on SIGUSR1 and at the stop, from both processes. Alerts take their time. */
static void test_serve__logs_what_was_counted(void **state)
{
	static const char *const twice[] = { " info keeper: accepted 1, answered 1, handed_over 1",
		                             " info net: sessions_accepted 1, ", " info pipeline: messages ",
		                             " info stdout_output: delivered " };
	struct run run;
	int fd;

	(void)state;
	start(&run, (const char *[ARGS_MAX]){ "--listen", "socket", "-r", "good.yaml" });
	assert_true(run_until(&run, "ready: "));
	fd = peer_join("socket");
	assert_true(fd >= 0);
	assert_true(peer_replay(fd, TRACE) > 0);
	close(fd);
	assert_true(run_until(&run, "closed by the sandbox"));
	for (size_t times = 1; times == 1 || !strstr(run.err.data, " info stdout_output: delivered "); times++) {
		kill(run.pid, SIGUSR1);
		assert_true(times < 1000 && run_until_count(&run, " info emitter: posted ", times));
	}
	kill(run.pid, SIGTERM);
	assert_int_equal(run_finish(&run), 0);
	for (size_t i = 0; i < SCD_COUNT(twice); i++) {
		if (run_count(&run.err, twice[i]) < 2)
			fail_msg("'%s' is not there twice: %s", twice[i], run.err.data);
	}
	run_done(&run);
}

/* A sandbox that says nothing of its start, and that it has dropped messages; what is counted while it is there. */
static void watch_one(struct run *run, const char *config)
{
	int fd;

	write_text("config.yaml", config);
	start(run, (const char *[ARGS_MAX]){ "-c", "config.yaml" });
	assert_true(run_until(run, "ready: "));
	fd = peer_join("socket");
	assert_true(fd >= 0);
	assert_int_equal(peer_send_header(fd, SCD_POINT_SENTRY_TASK_EXIT, 7), 0);
	assert_int_equal(peer_send(fd, "no frame", 3), 0); /* the log says that it came */
	assert_true(run_until(run, "skipped a malformed message"));
	kill(run->pid, SIGUSR1);
	assert_true(run_until(run, " info watched: tainted 1\n"));
	kill(run->pid, SIGTERM);
	assert_int_equal(run_finish(run), 0);
	close(fd);
}

static void test_serve__tells_how_well_a_sandbox_is_watched(void **state)
{
	struct run run;

	(void)state;
	watch_one(&run, "listen: [socket]\nrules_files: [good.yaml]\npriority: critical\n");
	assert_int_equal(run_count(&run.out, "\"source\":\"internal\""), 2);
	assert_int_equal(run_count(&run.out, "(reasons=dropped,unseeded dropped=7 messages=1 "), 1);
	assert_int_equal(run_count(&run.out, "(reasons=unusable dropped=7 messages=2 "), 1);
	run_done(&run);
	watch_one(&run, "listen: [socket]\nrules_files: [good.yaml]\ncoverage_alerts: false\n");
	assert_int_equal(run.out.len, 0);
	run_done(&run);
}

static void test_serve__obeys_the_log_level(void **state)
{
	const char *const args[ARGS_MAX] = { "--listen", "socket", "-r", "bad.yaml", "--log-level", "error" };
	struct run run;

	(void)state;
	start(&run, args);
	assert_int_equal(run_finish(&run), 1);
	assert_non_null(strstr(run.err.data, " error "));
	assert_null(strstr(run.err.data, " info "));
	run_done(&run);
}

/* Who sends the signal wants to see them; at the stop nobody has asked. */
static void test_serve__tells_what_it_counted_whatever_the_log_level(void **state)
{
	const char *const args[ARGS_MAX] = { "--listen", "socket", "-r", "good.yaml", "--log-level", "warning" };
	struct run run;
	int fd;

	(void)state;
	start(&run, args);
	while ((fd = peer_join("socket")) < 0)
		assert_true(child_is_alive(run.pid));
	close(fd);
	kill(run.pid, SIGUSR1);
	assert_true(run_until(&run, " info keeper: "));
	kill(run.pid, SIGTERM);
	assert_int_equal(run_finish(&run), 0);
	assert_int_equal(run_count(&run.err, " info keeper: "), 1);
	run_done(&run);
}

/* Starts it, streams a trace as a sandbox would, and stops it. Its exit status. */
static int serve_trace(struct run *run, const char *const *args)
{
	int fd;

	start(run, args);
	if (!run_until(run, "ready: "))
		fail_msg("not ready: %s", run->err.data);
	fd = peer_join("socket");
	assert_true(fd >= 0);
	assert_true(peer_replay(fd, TRACE) > 0);
	close(fd);
	kill(run->pid, SIGTERM);
	return run_finish(run);
}

static size_t replayed_count(void)
{
	const char *const argv[] = { RUN_SECCHECKD, "replay", "-r", "good.yaml", TRACE, NULL };
	struct run run;
	size_t count;

	assert_int_equal(run_program(&run, &(struct run_options){ .argv = argv }), 0);
	count = run_count(&run.out, "\n");
	run_done(&run);
	return count;
}

static void test_serve__prints_alerts_when_no_output_is_configured(void **state)
{
	struct run run;

	(void)state;
	assert_int_equal(serve_trace(&run, (const char *[ARGS_MAX]){ "--listen", "socket", "-r", "good.yaml" }), 0);
	assert_true(run_count(&run.out, "\n") > 0);
	assert_int_equal(run_count(&run.out, "\n"), replayed_count());
	assert_int_equal(run_count(&run.out, "\"rule\":\"Exec\""), run_count(&run.out, "\n"));
	run_done(&run);
}

static void test_serve__writes_to_the_file_and_not_to_standard_output(void **state)
{
	const char *const args[ARGS_MAX] = { "-c", "config.yaml" };
	struct run run;
	FILE *file;
	size_t count = 0;

	(void)state;
	write_text("config.yaml", "listen: [socket]\nrules_files: [good.yaml]\n"
	                          "file_output: {enabled: true, filename: alerts}\n");
	assert_int_equal(serve_trace(&run, args), 0);
	assert_int_equal(run.out.len, 0);
	run_done(&run);
	file = fopen("alerts", "re");
	assert_non_null(file);
	for (int c; (c = fgetc(file)) != EOF;)
		count += c == '\n';
	fclose(file);
	assert_int_equal(count, replayed_count());
}

/* The limit is one block: the first write is cut short, the next one fails, and no signal ends the daemon. */
static void test_serve__takes_a_file_size_limit_as_a_full_disk(void **state)
{
	const char *const argv[] = { "/bin/sh", "-c", "ulimit -f 1 && exec \"$0\" serve -c config.yaml", RUN_SECCHECKD,
		                     NULL };
	struct run run;
	int fd;

	(void)state;
	write_text("config.yaml", "listen: [socket]\nrules_files: [good.yaml]\n"
	                          "file_output: {enabled: true, filename: limited}\n");
	run_start(&run, &(struct run_options){ .argv = argv });
	assert_true(run_until(&run, "ready: "));
	fd = peer_join("socket");
	assert_true(fd >= 0);
	assert_true(peer_replay(fd, TRACE) > 0);
	close(fd);
	assert_true(run_until(&run, "file limited: File too large; trying again"));
	kill(run.pid, SIGTERM);
	assert_int_equal(run_finish(&run), 1);
	assert_non_null(strstr(run.err.data, " info file limited: retries "));
	assert_non_null(strstr(run.err.data, " error file limited: alerts delivered: 0, not delivered: "));
	run_done(&run);
}

/* Nobody listens on port 1. The stop waits for the outputs as long as it may, which is what makes this test slow. */
static void test_serve__fails_when_alerts_remain_undelivered(void **state)
{
	const char *const args[ARGS_MAX] = { "--listen",  "socket",          "-r",
		                             "good.yaml", "--control-plane", "http://127.0.0.1:1/" };
	char expected[192];
	struct run run;

	(void)state;
	assert_int_equal(serve_trace(&run, args), 1);
	snprintf(expected, sizeof(expected),
	         " error control plane http://127.0.0.1:1/: alerts delivered: 0, not delivered: %zu, dropped: 0, "
	         "rejected: 0\n",
	         replayed_count());
	assert_non_null(strstr(run.err.data, expected));
	snprintf(expected, sizeof(expected), ", queued %zu\n", replayed_count());
	assert_non_null(strstr(run.err.data, expected));
	assert_int_equal(run.out.len, 0);
	run_done(&run);
}

/* Reading one of flooder's messages takes about 0.3 ms: every rule looks through all of it. */
static void write_slow_rules(void)
{
	FILE *file = fopen(tempdir_join(&dir, "slow.yaml"), "we");

	assert_non_null(file);
	for (int i = 0; i < 40; i++)
		assert_true(fprintf(file,
		                    "- rule: Slow %d\n  desc: d\n  condition: evt.type = execve and proc.cmdline regex "
		                    "'.*(a.*b|c%d.*d).*'\n  output: o\n  priority: NOTICE\n",
		                    i, i) > 0);
	assert_int_equal(fclose(file), 0);
}

/* So many messages, or until the end of the connection. */
static int flood(int fd, unsigned count)
{
	const struct actor actor = { .tid = 1, .tgid = 1, .time_ns = 1, .container = "flooder" };
	char long_arg[4001];
	const char *const argv[] = { "/bin/x", long_arg, NULL };
	struct message message = { 0 };
	int r = 0;

	memset(long_arg, 'a', sizeof(long_arg) - 1);
	long_arg[sizeof(long_arg) - 1] = '\0';
	message_exec(&message, &actor, "/bin/x", argv);
	for (unsigned i = 0; i < count && r == 0; i++)
		r = peer_send(fd, message.data, message.len);
	message_done(&message);
	return r;
}

static int flooder_main(void *user)
{
	const int *fd = user;

	return flood(*fd, UINT_MAX) < 0 ? 0 : 1;
}

/* What was sent and not read is lost, and the status says so; nobody can delay the stop by writing on and on. */
static void test_serve__fails_when_it_could_not_read_everything(void **state)
{
	const char *const args[ARGS_MAX] = { "--listen", "socket", "-r", "slow.yaml" };
	struct run run;
	pid_t flooder;
	int fd;

	(void)state;
	write_slow_rules();
	start(&run, args);
	assert_true(run_until(&run, "ready: "));
	fd = peer_join("socket");
	assert_true(fd >= 0);
	flooder = child_start(flooder_main, &fd);
	assert_true(flooder > 0);
	assert_int_equal(flood(fd, 200), 0);
	kill(run.pid, SIGTERM);
	assert_int_equal(run_finish(&run), 1);
	assert_non_null(strstr(run.err.data,
	                       " error connections that still had messages when the daemon stopped, which "
	                       "are lost: 1 (sandbox flooder)\n"));
	assert_null(strstr(run.err.data, "alerts dropped"));
	assert_int_equal(child_wait(flooder, PEER_DEADLINE_MS), 0);
	close(fd);
	run_done(&run);
}

/* Nobody is connected: there is nothing that another worker would have to read. */
static void test_serve__announces_no_other_worker_where_none_follows(void **state)
{
	const char *const args[ARGS_MAX] = { "--listen", "socket", "-r", "good.yaml", "--log-level", "debug" };
	struct run run;
	pid_t worker;

	(void)state;
	start(&run, args);
	assert_true(run_until(&run, "debug the worker is ready")); /* as the keeper has heard */
	worker = run_child(&run);
	kill(worker, SIGSTOP);
	kill(run.pid, SIGTERM);
	assert_true(run_until(&run, " notice stopping\n"));
	kill(worker, SIGKILL);
	assert_int_equal(run_finish(&run), 1);
	assert_non_null(strstr(run.err.data,
	                       " error the worker ended while it stopped (signal 9); no connection is left to "
	                       "read, and no other one follows\n"));
	assert_null(strstr(run.err.data, "another one follows"));
	run_done(&run);
}

static void start_with_limit(struct run *run, unsigned descriptors)
{
	char script[128];
	const char *const argv[] = { "/bin/sh", "-c", script, RUN_SECCHECKD, NULL };

	snprintf(script, sizeof(script), "ulimit -n %u && exec \"$0\" serve --listen socket -r good.yaml", descriptors);
	run_start(run, &(struct run_options){ .argv = argv });
}

/* Whoever is answered is served: one that is closed after the answer is a sandbox that goes on unseen. */
static void test_serve__answers_only_whom_its_descriptors_allow(void **state)
{
	enum { PEERS = 100 };
	int peers[PEERS], joined = 0;
	struct run run;

	(void)state;
	start_with_limit(&run, 80);
	if (!run_until(&run, "ready: "))
		fail_msg("not ready: %s", run.err.data);
	for (int i = 0; i < PEERS; i++) {
		peers[joined] = peer_join("socket");
		joined += peers[joined] >= 0;
	}
	assert_in_range(joined, 1, 79);
	for (int i = 0; i < joined; i++)
		assert_true(peer_replay(peers[i], TRACE) > 0);
	kill(run.pid, SIGTERM);
	assert_int_equal(run_finish(&run), 0);
	assert_int_equal(run_count(&run.out, "\n"), replayed_count() * (size_t)joined);
	for (int i = 0; i < joined; i++)
		close(peers[i]);
	run_done(&run);
}

static void test_serve__does_not_start_without_descriptors_for_connections(void **state)
{
	struct run run;

	(void)state;
	start_with_limit(&run, 40);
	assert_int_equal(run_finish(&run), 1);
	assert_non_null(strstr(run.err.data, "the limit of 40 descriptors leaves none for connections\n  hint: "));
	run_done(&run);
}

/* Where descriptor number fd of a process leads. */
static void assert_leads_to(pid_t pid, int fd, const char *path)
{
	char link[64], target[256];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)pid, fd);
	len = readlink(link, target, sizeof(target) - 1);
	assert_true(len > 0);
	target[len] = '\0';
	assert_string_equal(target, path);
}

/* Otherwise its own sockets would have these numbers, and a sandbox would receive what is meant for a screen. */
static void test_serve__fills_standard_descriptors_that_are_closed(void **state)
{
	const char *const argv[] = { "/bin/sh", "-c", "exec \"$0\" serve -c config.yaml <&- >&-", RUN_SECCHECKD, NULL };
	struct run run;

	(void)state;
	write_text("config.yaml", "listen: [socket]\nrules_files: [good.yaml]\nstdout_output: {enabled: false}\n"
	                          "file_output: {enabled: true, filename: alerts}\n");
	run_start(&run, &(struct run_options){ .argv = argv });
	if (!run_until(&run, "ready: "))
		fail_msg("not ready: %s", run.err.data);
	assert_leads_to(run.pid, STDIN_FILENO, "/dev/null");
	assert_leads_to(run.pid, STDOUT_FILENO, "/dev/null");
	kill(run.pid, SIGTERM);
	assert_int_equal(run_finish(&run), 0);
	run_done(&run);
}

static void test_serve__does_not_print_alerts_to_a_closed_standard_output(void **state)
{
	const char *const argv[] = { "/bin/sh", "-c", "exec \"$0\" serve --listen socket -r good.yaml >&-",
		                     RUN_SECCHECKD, NULL };
	struct run run;

	(void)state;
	assert_int_equal(run_program(&run, &(struct run_options){ .argv = argv }), 1);
	assert_non_null(strstr(run.err.data, "Bad file descriptor"));
	run_done(&run);
}

/* Nobody reads standard output any more, which is the only output: it ends by itself. */
static void test_serve__ends_when_its_only_output_is_gone(void **state)
{
	const char *const argv[] = { RUN_SECCHECKD, "serve", "--listen", "socket", "-r", "good.yaml", NULL };
	struct run run;
	int fd;

	(void)state;
	run_start(&run, &(struct run_options){ .argv = argv, .close_stdout = true });
	assert_true(run_until(&run, "ready: "));
	fd = peer_join("socket");
	assert_true(fd >= 0);
	(void)peer_replay(fd, TRACE); /* it may end before all is sent */
	assert_int_equal(run_finish(&run), 1);
	close(fd);
	assert_non_null(strstr(run.err.data, " error stdout_output: Broken pipe: nothing more is written there\n"));
	assert_non_null(strstr(run.err.data, " error no output is left that takes alerts"));
	assert_non_null(strstr(run.err.data, " error stdout_output: alerts delivered: 0, not delivered: 0, dropped: "));
	assert_int_equal(access("socket", F_OK), -1);
	run_done(&run);
}

/* The file goes on getting what standard output loses; the loss is told at the end. */
static void test_serve__fails_at_the_end_when_one_of_two_outputs_lost_alerts(void **state)
{
	const char *const argv[] = { RUN_SECCHECKD, "serve", "-c", "config.yaml", NULL };
	char expected[128];
	struct run run;
	int fd;

	(void)state;
	write_text("config.yaml", "listen: [socket]\nrules_files: [good.yaml]\nstdout_output: {enabled: true}\n"
	                          "file_output: {enabled: true, filename: alerts}\n");
	run_start(&run, &(struct run_options){ .argv = argv, .close_stdout = true });
	assert_true(run_until(&run, "ready: "));
	fd = peer_join("socket");
	assert_true(fd >= 0);
	assert_true(peer_replay(fd, TRACE) > 0);
	close(fd);
	assert_true(run_until(&run, "nothing more is written there"));
	kill(run.pid, SIGTERM);
	assert_int_equal(run_finish(&run), 1);
	snprintf(expected, sizeof(expected),
	         "stdout_output: alerts delivered: 0, not delivered: 0, dropped: %zu, rejected: 0\n", replayed_count());
	assert_non_null(strstr(run.err.data, expected));
	run_done(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serve__does_not_start_with_a_fault_and_leaves_nothing),
		cmocka_unit_test(test_serve__that_does_not_start_points_to_the_errors),
		cmocka_unit_test(test_serve__starts_and_stops_in_order),
		cmocka_unit_test(test_serve__listens_where_flags_say_and_not_where_the_file_does),
		cmocka_unit_test(test_serve__says_each_thing_once),
		cmocka_unit_test(test_serve__logs_what_was_counted),
		cmocka_unit_test(test_serve__tells_how_well_a_sandbox_is_watched),
		cmocka_unit_test(test_serve__obeys_the_log_level),
		cmocka_unit_test(test_serve__tells_what_it_counted_whatever_the_log_level),
		cmocka_unit_test(test_serve__prints_alerts_when_no_output_is_configured),
		cmocka_unit_test(test_serve__writes_to_the_file_and_not_to_standard_output),
		cmocka_unit_test(test_serve__takes_a_file_size_limit_as_a_full_disk),
		cmocka_unit_test(test_serve__fails_when_alerts_remain_undelivered),
		cmocka_unit_test(test_serve__fails_when_it_could_not_read_everything),
		cmocka_unit_test(test_serve__announces_no_other_worker_where_none_follows),
		cmocka_unit_test(test_serve__answers_only_whom_its_descriptors_allow),
		cmocka_unit_test(test_serve__does_not_start_without_descriptors_for_connections),
		cmocka_unit_test(test_serve__fills_standard_descriptors_that_are_closed),
		cmocka_unit_test(test_serve__does_not_print_alerts_to_a_closed_standard_output),
		cmocka_unit_test(test_serve__ends_when_its_only_output_is_gone),
		cmocka_unit_test(test_serve__fails_at_the_end_when_one_of_two_outputs_lost_alerts),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
