/*
 * connections SOCKET COUNT PID [TRACE]: so many sandboxes connect to a sink at once, and stay, idle.
 *
 *    answered=1000 p50_ms=31.2 p95_ms=60.1 max_ms=66.0 connected_kib=2.1 with_state_kib=14.0 rss_mib=35.1
 *
 * Each of them is a process that looks like runsc while it creates a sandbox: a copy of this program with that name,
 * which holds a state lock. So the keeper has as much to look at as with real ones. They wait for each other, connect
 * all at once, say their handshake and wait for the answer: the time from connect(2) to the answer is a sandbox's.
 * How the processes are scheduled is a part of that (tests/bench/strangers.c has connections alone).
 *
 * In front of them one connects that never says a word, and one that says something wrong.
 *
 * The memory is that of PID and its descendants, in KiB for each connection: with the connection alone, and when each
 * has sent the messages of TRACE; and all of it at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"
#include "seccheckd/wire/handshake.h"
#include "tests/support/tempdir.h"
#include "tests/support/trace.h"
#include "tests/support/usage.h"

#define COUNT_MAX   10000u
#define DEADLINE_NS INT64_C(60000000000)

/* Shared with the children. */
struct shared {
	_Atomic unsigned ready, answered, failed, sent;
	int64_t took_ns[COUNT_MAX];
};

struct bench {
	const char *socket_path;
	unsigned count;
	pid_t sink;
	struct tempdir dir;
	struct trace trace;
	int connect_gate[2], send_gate[2], end_gate[2];
	struct shared *shared;
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(path);
	return fd;
}

/* A gate is a pipe that opens when its writing end is closed. */
static void wait_at(const int gate[2])
{
	char byte;

	close(gate[1]);
	while (read(gate[0], &byte, 1) < 0 && errno == EINTR)
		;
}

static bool shake_hands(int fd)
{
	uint8_t ours[SCD_HANDSHAKE_ANSWER_BYTES], theirs[64];
	size_t len = scd_handshake_format(ours);

	return send(fd, ours, len, MSG_NOSIGNAL) == (ssize_t)len && recv(fd, theirs, sizeof(theirs), 0) > 0;
}

static void send_trace(int fd, const struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++) {
		if (send(fd, trace->messages[i].data, trace->messages[i].len, MSG_NOSIGNAL) < 0)
			die("send");
	}
}

/* One sandbox, in a process of its own. */
static void be_sandbox(struct bench *bench, unsigned index)
{
	struct shared *shared = bench->shared;
	char lock[64];
	int64_t start_ns;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(lock, sizeof(lock), "pod%u_sandbox:pod%u.lock", index, index);
	if (open(tempdir_join(&bench->dir, lock), O_RDWR | O_CREAT | O_CLOEXEC, 0600) < 0)
		die(lock);
	close(bench->send_gate[1]);
	close(bench->end_gate[1]);
	shared->ready++;
	wait_at(bench->connect_gate);
	start_ns = scd_clock_mono_ns();
	fd = connect_to(bench->socket_path);
	if (!shake_hands(fd))
		shared->failed++;
	shared->took_ns[index] = scd_clock_mono_ns() - start_ns;
	shared->answered++;
	wait_at(bench->send_gate);
	send_trace(fd, &bench->trace);
	shared->sent++;
	wait_at(bench->end_gate);
	_exit(0);
}

static void wait_for_all(const struct bench *bench, const _Atomic unsigned *count, const char *what)
{
	int64_t deadline_ns = scd_clock_mono_ns() + DEADLINE_NS;

	while (*count < bench->count) {
		if (scd_clock_mono_ns() > deadline_ns) {
			fprintf(stderr, "connections: only %u of %u %s\n", *count, bench->count, what);
			exit(1);
		}
		usleep(2000);
	}
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double ms_at(const struct bench *bench, unsigned percent)
{
	unsigned at = bench->count * percent / 100;

	return (double)bench->shared->took_ns[at < bench->count ? at : bench->count - 1] / 1e6;
}

static double growth_kib(const struct bench *bench, const struct usage *before, const struct usage *after)
{
	return (double)(after->rss_bytes - before->rss_bytes) / 1024 / bench->count;
}

static void start_sandboxes(struct bench *bench)
{
	bench->shared = mmap(NULL, sizeof(*bench->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (bench->shared == MAP_FAILED || pipe2(bench->connect_gate, O_CLOEXEC) < 0 ||
	    pipe2(bench->send_gate, O_CLOEXEC) < 0 || pipe2(bench->end_gate, O_CLOEXEC) < 0)
		die("pipe2");
	for (unsigned i = 0; i < bench->count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0)
			be_sandbox(bench, i);
	}
	wait_for_all(bench, &bench->shared->ready, "started");
}

static void connect_sandboxes(struct bench *bench)
{
	close(bench->connect_gate[1]);
	wait_for_all(bench, &bench->shared->answered, "were answered");
}

static void send_of_sandboxes(struct bench *bench)
{
	close(bench->send_gate[1]);
	wait_for_all(bench, &bench->shared->sent, "could send");
}

static void end_sandboxes(struct bench *bench)
{
	close(bench->end_gate[1]);
	while (wait(NULL) > 0)
		;
}

static void measure(struct bench *bench)
{
	struct usage before = usage_at_rest(bench->sink), connected, with_state;
	int silent = connect_to(bench->socket_path), wrong = connect_to(bench->socket_path);

	if (send(wrong, "\xff\xff\xff", 3, MSG_NOSIGNAL) != 3)
		die("send");
	connect_sandboxes(bench);
	connected = usage_at_rest(bench->sink);
	send_of_sandboxes(bench);
	with_state = usage_at_rest(bench->sink);
	qsort(bench->shared->took_ns, bench->count, sizeof(bench->shared->took_ns[0]), compare);
	printf("answered=%u p50_ms=%.1f p95_ms=%.1f max_ms=%.1f connected_kib=%.1f with_state_kib=%.1f rss_mib=%.1f\n",
	       bench->count - bench->shared->failed, ms_at(bench, 50), ms_at(bench, 95), ms_at(bench, 100),
	       growth_kib(bench, &before, &connected), growth_kib(bench, &before, &with_state),
	       (double)with_state.rss_bytes / 1048576);
	end_sandboxes(bench);
	close(silent);
	close(wrong);
}

/* What is asked for, in a form that survives become_runsc. */
static void set_environment(struct bench *bench, char **argv)
{
	if (tempdir_make(&bench->dir) < 0)
		die("tempdir");
	setenv("BENCH_DIR", bench->dir.path, 1);
	setenv("BENCH_SOCKET", argv[1], 1);
	setenv("BENCH_COUNT", argv[2], 1);
	setenv("BENCH_SINK", argv[3], 1);
	setenv("BENCH_TRACE", argv[4] ? argv[4] : "", 1);
}

/* Goes on as a program with the name and the arguments of runsc. */
static void become_runsc(struct bench *bench)
{
	char command[512], program[] = "runsc", root[] = "--root", path[] = "/run/runsc", create[] = "create",
	                   id[] = "pod";
	char *const arguments[] = { program, root, path, create, id, NULL };

	snprintf(command, sizeof(command), "cp -p /proc/%d/exe %s", getpid(), tempdir_join(&bench->dir, "runsc"));
	if (system(command) != 0)
		die(command);
	execv(tempdir_join(&bench->dir, "runsc"), arguments);
	die("execv");
}

static int usage_error(void)
{
	fprintf(stderr, "usage: connections SOCKET COUNT PID [TRACE], at most %u\n", COUNT_MAX);
	return 2;
}

int main(int argc, char **argv)
{
	static struct bench bench;

	if (!getenv("BENCH_DIR")) {
		if (argc < 4 || argc > 5)
			return usage_error();
		set_environment(&bench, argv);
		become_runsc(&bench);
	}
	snprintf(bench.dir.path, sizeof(bench.dir.path), "%s", getenv("BENCH_DIR"));
	bench.socket_path = getenv("BENCH_SOCKET");
	bench.count = (unsigned)strtoul(getenv("BENCH_COUNT"), NULL, 10);
	bench.sink = (pid_t)strtol(getenv("BENCH_SINK"), NULL, 10);
	if (bench.count == 0 || bench.count > COUNT_MAX)
		return usage_error();
	if (*getenv("BENCH_TRACE"))
		bench.trace = trace_load(getenv("BENCH_TRACE"));
	start_sandboxes(&bench);
	measure(&bench);
	tempdir_remove(&bench.dir);
	return 0;
}
