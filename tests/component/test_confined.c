/*
 * The real daemon under its confinement: what it is left with, and that it does its work all the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine/layers.h"
#include "seccheckd/base/array.h"
#include "tests/support/http_server.h"
#include "tests/support/peer.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

#define TRACE      SCD_SOURCE_DIR "/tests/data/traces/detect-gcc"
#define OTHER_USER "65534"

static const char rules[] = "- rule: Exec\n  desc: d\n  condition: evt.type = execve\n  output: exec\n"
                            "  priority: NOTICE\n";

/* A folder that anybody may use, and a daemon in it. */
struct world {
	struct tempdir dir;
	struct run run;
	int peer;
	int requests[2]; /* a pipe: a byte for each request of a server */
};

static void write_text(struct world *world, const char *name, const char *text)
{
	FILE *file = fopen(tempdir_join(&world->dir, name), "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	*state = world;
	if (!world || tempdir_make(&world->dir) < 0 || chmod(world->dir.path, 0777) < 0 ||
	    pipe2(world->requests, O_CLOEXEC) < 0)
		return -1;
	world->peer = -1;
	write_text(world, "rules.yaml", rules);
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	if (world->run.pid)
		run_done(&world->run);
	if (world->peer >= 0)
		close(world->peer);
	close(world->requests[0]);
	close(world->requests[1]);
	tempdir_remove(&world->dir);
	free(world);
	return 0;
}

static void skip_without_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("skipped: only root can become another user\n");
	skip();
}

/* keys: more of the configuration. As another user, if that is not NULL. */
static void start(struct world *world, const char *user, const char *keys)
{
	const char *const as_we_are[] = { RUN_SECCHECKD, "serve", "--config", tempdir_join(&world->dir, "config.yaml"),
		                          NULL };
	const char *const as_other[] = { "/usr/bin/setpriv", "--reuid", user,         "--regid",    user,
		                         "--clear-groups",   "--",      as_we_are[0], as_we_are[1], as_we_are[2],
		                         as_we_are[3],       NULL };
	char text[4096];

	snprintf(text, sizeof(text), "listen: [%s]\nrules_files: [%s]\n%s", tempdir_join(&world->dir, "sink.sock"),
	         tempdir_join(&world->dir, "rules.yaml"), keys);
	write_text(world, "config.yaml", text);
	run_start(&world->run, &(struct run_options){ .argv = user ? as_other : as_we_are });
}

static void start_ready(struct world *world, const char *keys)
{
	start(world, NULL, keys);
	if (!run_until(&world->run, "ready: "))
		fail_msg("not started: %s", world->run.err.data);
}

static void replay(struct world *world)
{
	world->peer = peer_join(tempdir_join(&world->dir, "sink.sock"));
	assert_true(world->peer >= 0);
	assert_true(peer_replay(world->peer, TRACE) > 0);
}

static void stop(struct world *world)
{
	kill(world->run.pid, SIGTERM);
	if (run_finish(&world->run) != 0)
		fail_msg("not stopped well: %s", world->run.err.data);
}

/* Asserts that /proc/PID/status has a line for each. */
static void assert_status(pid_t pid, const char *const *lines)
{
	char path[64], text[8192] = "\n";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_true(fread(text + 1, 1, sizeof(text) - 2, file) > 0);
	fclose(file);
	for (; *lines; lines++) {
		char line[128];

		snprintf(line, sizeof(line), "\n%s\n", *lines);
		if (!strstr(text, line))
			fail_msg("no line '%s' in %s", *lines, text);
	}
}

#define NO_CAPABILITIES                                                                        \
	"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", \
	        "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", SCD__CONFINE_SANITIZED ? "Seccomp:\t0" : "Seccomp:\t2"

/* ---- servers ---- */

static void on_request(void *user, const struct http_request *request, unsigned index, struct http_reply *reply)
{
	struct world *world = user;

	(void)request;
	(void)index;
	(void)reply;
	(void)!write(world->requests[1], "!", 1);
}

static void wait_for_request(struct world *world)
{
	char byte;

	if (peer_wait(world->requests[0], POLLIN, PEER_DEADLINE_MS) < 0)
		fail_msg("no request came");
	assert_int_equal(read(world->requests[0], &byte, 1), 1);
}

static char *read_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 65536);

	assert_non_null(text);
	if (file)
		(void)!fread(text, 1, 65535, file);
	if (file)
		fclose(file);
	return text;
}

/* A certificate for localhost that signs itself, and its key, which only we may read. False without openssl. */
static bool make_certificate(struct world *world)
{
	char command[512];

	snprintf(command, sizeof(command),
	         "umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
	         "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout %s/key.pem -out %s/cert.pem "
	         "2>/dev/null",
	         world->dir.path, world->dir.path);
	return system(command) == 0;
}

static struct http_server *serve_tls(struct world *world)
{
	char *cert = read_text(tempdir_join(&world->dir, "cert.pem"));
	char *key = read_text(tempdir_join(&world->dir, "key.pem"));
	struct http_server *server = http_server_start(&(struct http_server_options){
	        .listen_fd = -1, .tls_cert = cert, .tls_key = key, .respond = on_request, .user = world });

	free(cert);
	free(key);
	return server;
}

/* ---- tests ---- */

static void test_serve__as_root_is_confined(void **state)
{
	static const char *const expected[] = { "Uid:\t65534\t65534\t65534\t65534", "CapBnd:\t0000000000000000",
		                                NO_CAPABILITIES, NULL };
	struct world *world = *state;

	skip_without_root();
	start_ready(world, "user: " OTHER_USER "\n");
	assert_status(run_child(&world->run), expected);
	assert_non_null(strstr(world->run.err.data, "info worker: user " OTHER_USER " (65534), no capability"));
	replay(world);
	stop(world);
	assert_true(run_count(&world->run.out, "\"rule\":\"Exec\"") > 0);
}

/* A number without an entry: the group is the same one. */
static void test_serve__becomes_a_user_without_a_name(void **state)
{
	static const char *const expected[] = { "Uid:\t61234\t61234\t61234\t61234", "Gid:\t61234\t61234\t61234\t61234",
		                                "Groups:\t ", NULL };
	struct world *world = *state;

	skip_without_root();
	start_ready(world, "user: 61234\n");
	assert_status(run_child(&world->run), expected);
	stop(world);
}

/* A name to look up, certificates that only root may read, a file in a folder of root: all of it, afterwards. */
static void test_serve__confined_reaches_all_its_outputs(void **state)
{
	struct world *world = *state;
	struct http_server *web, *plane;
	char keys[1024], *alerts;

	skip_without_root();
	if (!make_certificate(world)) {
		print_message("skipped: the program openssl is missing\n");
		skip();
	}
	web = http_server_start(&(struct http_server_options){ .listen_fd = -1, .respond = on_request, .user = world });
	plane = serve_tls(world);
	snprintf(keys, sizeof(keys),
	         "user: " OTHER_USER "\nfile_output: {enabled: true, filename: %s/alerts}\n"
	         "http_output: {enabled: true, url: 'http://localhost:%u/'}\n"
	         "control_plane: {url: 'https://localhost:%u/', ack: status, ca_cert: %s/cert.pem, "
	         "client_cert: %s/cert.pem, client_key: %s/key.pem}\n",
	         world->dir.path, http_server_port(web), http_server_port(plane), world->dir.path, world->dir.path,
	         world->dir.path);
	assert_int_equal(chmod(world->dir.path, 0700), 0);
	start_ready(world, keys);
	replay(world);
	while (!http_server_request_count(web) || !http_server_request_count(plane))
		wait_for_request(world);
	stop(world);
	alerts = read_text(tempdir_join(&world->dir, "alerts"));
	assert_non_null(strstr(alerts, "\"rule\":\"Exec\""));
	free(alerts);
	http_server_stop(web);
	http_server_stop(plane);
}

/* The keeper is root and the worker is not: orders go down all the same. */
static void test_serve__confined_is_asked_for_its_counters(void **state)
{
	struct world *world = *state;

	start_ready(world, "log_level: debug\n");
	replay(world);
	assert_true(run_until(&world->run, "debug connection 1 of pid"));
	kill(world->run.pid, SIGUSR1);
	assert_true(run_until(&world->run, "net: "));
	stop(world);
}

static void test_serve__without_root_says_what_is_missing(void **state)
{
	static const char *const expected[] = { NO_CAPABILITIES, NULL };
	struct world *world = *state;
	const bool as_root = geteuid() == 0;

	if (as_root && access("/usr/bin/setpriv", X_OK) < 0) {
		print_message("skipped: there is no setpriv\n");
		skip();
	}
	start(world, as_root ? OTHER_USER : NULL, "user: root\n");
	if (!run_until(&world->run, "ready: ")) {
		print_message("skipped: another user cannot start what was built: %s", world->run.err.data);
		skip();
	}
	assert_status(run_child(&world->run), expected);
	assert_non_null(strstr(world->run.err.data, "warning the worker does without a user of its own (not started "
	                                            "as root)"));
	assert_null(strstr(world->run.err.data, "bounding set"));
	replay(world);
	stop(world);
	assert_true(run_count(&world->run.out, "\"rule\":\"Exec\"") > 0);
}

static void test_serve__stays_root_when_it_is_told_so(void **state)
{
	static const char *const expected[] = { "Uid:\t0\t0\t0\t0", "CapBnd:\t0000000000000000", NO_CAPABILITIES,
		                                NULL };
	struct world *world = *state;

	skip_without_root();
	start_ready(world, "user: root\n");
	assert_status(run_child(&world->run), expected);
	assert_non_null(strstr(world->run.err.data, "warning the worker does without a user of its own (user: root)"));
	stop(world);
}

/* The kernel does not let it kill what is somebody else's: it says so and goes on, and so does a worker that wakes. */
static void test_serve__says_when_it_cannot_kill_a_worker_that_hangs(void **state)
{
	struct world *world = *state;
	const char *const argv[] = { "/usr/bin/setpriv",
		                     "--bounding-set=-kill",
		                     "--inh-caps=-kill",
		                     "--",
		                     RUN_SECCHECKD,
		                     "serve",
		                     "--config",
		                     NULL,
		                     NULL };
	const char *with_config[SCD_COUNT(argv)];
	char text[512];
	pid_t worker;

	skip_without_root();
	if (access("/usr/bin/setpriv", X_OK) < 0) {
		print_message("skipped: there is no setpriv\n");
		skip();
	}
	memcpy(with_config, argv, sizeof(argv));
	with_config[7] = tempdir_join(&world->dir, "config.yaml");
	snprintf(text, sizeof(text), "listen: [%s]\nrules_files: [%s]\nuser: " OTHER_USER "\n",
	         tempdir_join(&world->dir, "sink.sock"), tempdir_join(&world->dir, "rules.yaml"));
	write_text(world, "config.yaml", text);
	run_start(&world->run, &(struct run_options){ .argv = with_config });
	assert_true(run_until(&world->run, "ready: "));
	assert_non_null(strstr(world->run.err.data,
	                       " warning the worker gets another user (" OTHER_USER "), and there is no CAP_KILL: "));
	replay(world);
	assert_true(run_until_out(&world->run, 1)); /* a worker is watched from its first sign of life on */
	worker = run_child(&world->run);
	assert_int_equal(kill(worker, SIGSTOP), 0);
	assert_true(run_until(&world->run, " error the worker shows no sign of life, and this process cannot kill it: "
	                                   "Operation not permitted (it takes CAP_KILL)\n"));
	assert_null(strstr(world->run.err.data, "it is killed"));
	assert_int_equal(kill(worker, SIGCONT), 0);
	stop(world);
	assert_null(strstr(world->run.err.data, "the worker is ready again"));
}

static void test_serve__does_not_start_for_a_user_that_there_is_not(void **state)
{
	struct world *world = *state;

	skip_without_root();
	start(world, NULL, "user: no-such-user\n");
	assert_int_equal(run_finish(&world->run), 1);
	assert_non_null(
	        strstr(world->run.err.data,
	               "config.yaml:3:7: there is no user 'no-such-user'\n  hint: make that user, or name one"));
	assert_int_equal(access(tempdir_join(&world->dir, "sink.sock"), F_OK), -1);
}

/* Told at the start, not when the first alert cannot be delivered. */
static void test_serve__does_not_start_with_a_socket_out_of_reach(void **state)
{
	struct world *world = *state;
	char keys[256];

	skip_without_root();
	assert_int_equal(chmod(world->dir.path, 0700), 0);
	snprintf(keys, sizeof(keys), "user: " OTHER_USER "\ncontrol_plane: {url: 'http+unix://%s/plane:/v1'}\n",
	         world->dir.path);
	start(world, NULL, keys);
	assert_int_equal(run_finish(&world->run), 1);
	assert_non_null(strstr(world->run.err.data, "user 65534, as whom the worker runs, may not connect to"));
	assert_null(strstr(world->run.err.data, "ready: "));
}

/* It is not there at the start, which is no error; and then it is spoken to. */
static void test_serve__confined_waits_for_a_socket_and_uses_it(void **state)
{
	struct world *world = *state;
	struct http_server *plane;
	char keys[256], path[128];

	skip_without_root();
	snprintf(path, sizeof(path), "%s", tempdir_join(&world->dir, "plane"));
	snprintf(keys, sizeof(keys), "user: " OTHER_USER "\ncontrol_plane: {url: 'http+unix://%s:/v1', ack: status}\n",
	         path);
	start_ready(world, keys);
	plane = http_server_start(
	        &(struct http_server_options){ .socket_path = path, .respond = on_request, .user = world });
	assert_int_equal(chmod(path, 0666), 0);
	replay(world);
	wait_for_request(world);
	stop(world);
	http_server_stop(plane);
}

/* The traces belong to whoever records. */
static void test_record__is_confined_and_keeps_its_user(void **state)
{
	static const char *const expected[] = { NO_CAPABILITIES, NULL };
	struct world *world = *state;
	const char *const argv[] = { RUN_SECCHECKD, "record",
		                     "--listen",    tempdir_join(&world->dir, "sink.sock"),
		                     "--out",       tempdir_join(&world->dir, "out"),
		                     NULL };
	char user[64];

	run_start(&world->run, &(struct run_options){ .argv = argv });
	assert_true(run_until(&world->run, "ready: "));
	assert_status(run_child(&world->run), expected);
	snprintf(user, sizeof(user),
	         geteuid() == 0 ? "info worker: user root (%u), no capability" : "info worker: user %u, no capability",
	         (unsigned)geteuid());
	assert_non_null(strstr(world->run.err.data, user));
	replay(world);
	close(world->peer);
	world->peer = -1;
	stop(world);
	assert_non_null(strstr(world->run.out.data, "client-0001: "));
	assert_int_equal(access(tempdir_join(&world->dir, "out/client-0001.meta.json"), R_OK), 0);
}

#define CONFINED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONFINED_TEST(test_serve__as_root_is_confined),
		CONFINED_TEST(test_serve__becomes_a_user_without_a_name),
		CONFINED_TEST(test_serve__confined_reaches_all_its_outputs),
		CONFINED_TEST(test_serve__confined_is_asked_for_its_counters),
		CONFINED_TEST(test_serve__without_root_says_what_is_missing),
		CONFINED_TEST(test_serve__stays_root_when_it_is_told_so),
		CONFINED_TEST(test_serve__says_when_it_cannot_kill_a_worker_that_hangs),
		CONFINED_TEST(test_serve__does_not_start_for_a_user_that_there_is_not),
		CONFINED_TEST(test_serve__does_not_start_with_a_socket_out_of_reach),
		CONFINED_TEST(test_serve__confined_waits_for_a_socket_and_uses_it),
		CONFINED_TEST(test_record__is_confined_and_keeps_its_user),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
