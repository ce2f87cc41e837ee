/*
 * A worker that follows another one needs nothing of the world that the first one was started in: everything that a
 * configuration names is broken behind the first one's back, and the next one gets ready and delivers all the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/child.h"
#include "tests/support/http_server.h"
#include "tests/support/peer.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

#define TRACE SCD_SOURCE_DIR "/tests/data/traces/detect-gcc"
#define USER  "scdtestuser"

static const char rules[] = "- rule: Exec\n  desc: d\n  condition: evt.type = execve\n  output: exec\n"
                            "  priority: NOTICE\n";

/* A server, and a byte in its pipe for each request. */
struct receiver {
	struct http_server *server;
	int requests[2];
};

struct world {
	struct tempdir dir;
	struct run run;
	struct receiver plane, web; /* over TLS; on a Unix socket */
};

static void write_text(struct world *world, const char *name, const char *text)
{
	FILE *file = fopen(tempdir_join(&world->dir, name), "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static char *read_text(struct world *world, const char *name)
{
	FILE *file = fopen(tempdir_join(&world->dir, name), "re");
	char *text = calloc(1, 1 << 20);

	assert_non_null(text);
	assert_non_null(file);
	(void)!fread(text, 1, (1 << 20) - 1, file);
	fclose(file);
	return text;
}

static void on_request(void *user, const struct http_request *request, unsigned index, struct http_reply *reply)
{
	struct receiver *receiver = user;

	(void)request;
	(void)index;
	(void)reply;
	(void)!write(receiver->requests[1], "!", 1);
}

static void wait_for_request(struct receiver *receiver, const char *name)
{
	char byte;

	if (peer_wait(receiver->requests[0], POLLIN, PEER_DEADLINE_MS) < 0)
		fail_msg("no request came to the %s", name);
	assert_int_equal(read(receiver->requests[0], &byte, 1), 1);
}

/* Those that have come are not waited for any more. */
static void forget_requests(struct receiver *receiver)
{
	char byte;

	while (peer_wait(receiver->requests[0], POLLIN, 0) == 0)
		assert_int_equal(read(receiver->requests[0], &byte, 1), 1);
}

static int set_up(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	*state = world;
	if (!world || tempdir_make(&world->dir) < 0 || chmod(world->dir.path, 0755) < 0 ||
	    pipe2(world->plane.requests, O_CLOEXEC) < 0 || pipe2(world->web.requests, O_CLOEXEC) < 0)
		return -1;
	write_text(world, "rules.yaml", rules);
	return 0;
}

static void end_receiver(struct receiver *receiver)
{
	if (receiver->server)
		http_server_stop(receiver->server);
	close(receiver->requests[0]);
	close(receiver->requests[1]);
}

static int tear_down(void **state)
{
	struct world *world = *state;

	if (world->run.pid)
		run_done(&world->run);
	end_receiver(&world->plane);
	end_receiver(&world->web);
	tempdir_remove(&world->dir);
	free(world);
	return 0;
}

static int have_own_mounts(void *user)
{
	(void)user;
	return unshare(CLONE_NEWNS) == 0 ? 0 : 1;
}

static void skip_without_needs(void)
{
	const char *missing = NULL;

	if (geteuid() != 0 || child_wait(child_start(have_own_mounts, NULL), PEER_DEADLINE_MS) != 0)
		missing = "root with mounts of its own";
	else if (access("/usr/bin/unshare", X_OK) < 0 || access("/usr/bin/openssl", X_OK) < 0)
		missing = "the programs unshare and openssl";
	if (!missing)
		return;
	print_message("skipped: there is no %s\n", missing);
	skip();
}

/* A certificate for localhost that signs itself, and its key. */
static void make_certificate(struct world *world)
{
	char command[512];

	snprintf(command, sizeof(command),
	         "umask 077; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
	         "-subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout %s/key.pem -out %s/cert.pem "
	         "2>/dev/null",
	         world->dir.path, world->dir.path);
	assert_int_equal(system(command), 0);
}

static void serve(struct world *world)
{
	char *cert = read_text(world, "cert.pem"), *key = read_text(world, "key.pem");

	world->plane.server = http_server_start(&(struct http_server_options){
	        .listen_fd = -1, .tls_cert = cert, .tls_key = key, .respond = on_request, .user = &world->plane });
	world->web.server = http_server_start(&(struct http_server_options){
	        .socket_path = tempdir_join(&world->dir, "web"), .respond = on_request, .user = &world->web });
	assert_int_equal(chmod(tempdir_join(&world->dir, "web"), 0666), 0);
	free(cert);
	free(key);
}

/* The daemon, in mounts of its own, where /etc/passwd is a file of ours. */
static void start(struct world *world)
{
	const char *dir = world->dir.path;
	const char *const argv[] = {
		"/usr/bin/unshare",
		"--mount",
		"/bin/sh",
		"-c",
		"mount --bind \"$1/passwd\" /etc/passwd && exec \"$0\" serve --config \"$1/config.yaml\"",
		RUN_SECCHECKD,
		dir,
		NULL
	};
	char text[2048];

	snprintf(text, sizeof(text),
	         "listen: [%s/sink.sock]\nrules_files: [%s/rules.yaml]\nuser: " USER
	         "\nfile_output: {enabled: true, filename: %s/out/alerts}\n"
	         "http_output: {enabled: true, url: 'http+unix://%s/web:/'}\n"
	         "control_plane: {url: 'https://localhost:%u/', ack: status, ca_cert: %s/cert.pem, "
	         "client_cert: %s/cert.pem, client_key: %s/key.pem, backoff_min_ms: 50, backoff_max_ms: 100}\n",
	         dir, dir, dir, dir, http_server_port(world->plane.server), dir, dir, dir);
	write_text(world, "config.yaml", text);
	write_text(world, "passwd", "root:x:0:0:root:/root:/bin/sh\n" USER ":x:61234:61234::/:/bin/false\n");
	assert_int_equal(mkdir(tempdir_join(&world->dir, "out"), 0700), 0);
	run_start(&world->run, &(struct run_options){ .argv = argv });
	if (!run_until(&world->run, "ready: "))
		fail_msg("not started: %s", world->run.err.data);
}

static void replay(struct world *world)
{
	int peer = peer_join(tempdir_join(&world->dir, "sink.sock"));

	assert_true(peer >= 0);
	assert_true(peer_replay(peer, TRACE) > 0);
	close(peer);
}

/* A key rotated badly, a folder that is gone, a user that is gone, a socket that is closed to us. */
static void break_everything(struct world *world)
{
	char out[128], moved[128];

	snprintf(out, sizeof(out), "%s", tempdir_join(&world->dir, "out"));
	snprintf(moved, sizeof(moved), "%s", tempdir_join(&world->dir, "moved"));
	write_text(world, "rules.yaml", "- rule: [broken\n");
	write_text(world, "key.pem", "");
	assert_int_equal(unlink(tempdir_join(&world->dir, "cert.pem")), 0);
	assert_int_equal(rename(out, moved), 0);
	write_text(world, "passwd", "root:x:0:0:root:/root:/bin/sh\n");
	assert_int_equal(chmod(tempdir_join(&world->dir, "web"), 0600), 0);
}

static void kill_worker(struct world *world)
{
	pid_t worker = run_child(&world->run);

	assert_true(worker > 0);
	assert_int_equal(kill(worker, SIGKILL), 0);
	if (!run_until(&world->run, "the worker is ready again"))
		fail_msg("no worker followed: %s", world->run.err.data);
}

static void test_worker_apart__gets_ready_and_delivers_whatever_was_broken(void **state)
{
	struct world *world = *state;
	char *before, *after;

	skip_without_needs();
	make_certificate(world);
	serve(world);
	start(world);
	replay(world);
	wait_for_request(&world->plane, "control plane");
	wait_for_request(&world->web, "Unix socket");
	before = read_text(world, "out/alerts");

	break_everything(world);
	kill_worker(world);
	forget_requests(&world->plane);
	forget_requests(&world->web);
	replay(world);
	wait_for_request(&world->plane, "control plane, from the second worker");
	/* What could not be connected to is tried again. */
	assert_non_null(strstr(world->run.err.data, "may not connect to the socket"));
	assert_int_equal(chmod(tempdir_join(&world->dir, "web"), 0666), 0);
	wait_for_request(&world->web, "Unix socket, from the second worker");

	kill(world->run.pid, SIGTERM);
	if (run_finish(&world->run) != 0)
		fail_msg("not stopped well: %s", world->run.err.data);
	after = read_text(world, "moved/alerts");
	assert_true(strlen(after) > strlen(before));
	free(before);
	free(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_worker_apart__gets_ready_and_delivers_whatever_was_broken, set_up,
		                                tear_down),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("worker_apart", tests, NULL, NULL);
}
