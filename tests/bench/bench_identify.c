/*
 * What looking at a connecting process costs: `bench_identify [IGNORED [ROUNDS]]`. Each round starts a process that
 * looks like runsc, so that the kernel shows its /proc for the first time, and prints microseconds (median, 95th
 * percentile) and the ratio to the rest of a handshake: accept, read, answer.
 *
 *    first      scd__peer_identify of a process that nobody has looked at
 *    again      the same once more
 *    enlarge    scd__enlarge after it
 *    stranger   scd__peer_identify of a process that is not runsc
 */
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper/enlarge.h"
#include "keeper/handshake.h"
#include "seccheckd/base/clock.h"
#include "tests/support/child.h"
#include "tests/support/fake_runsc.h"
#include "tests/support/peer.h"

#define ROUNDS_DEFAULT 100u
#define ROUNDS_MAX     1000u

enum step { HANDSHAKE, FIRST, AGAIN, ENLARGE, STRANGER, STEPS };

static const char *const names[STEPS] = { "handshake", "first", "again", "enlarge", "stranger" };

struct bench {
	struct tempdir dir;
	char socket_path[128], lock[128];
	int listener;
	struct scd__peer peer;
	size_t rounds;
	int64_t took_ns[STEPS][ROUNDS_MAX];
};

static const struct scd__identity_options any_runsc;

static void open_listener(struct bench *bench)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int r = tempdir_make(&bench->dir);

	assert(r == 0);
	snprintf(bench->socket_path, sizeof(bench->socket_path), "%s", tempdir_join(&bench->dir, "s"));
	snprintf(bench->lock, sizeof(bench->lock), "%s", tempdir_join(&bench->dir, "pod_sandbox:pod.lock"));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", tempdir_join(&bench->dir, "s"));
	bench->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	r = bind(bench->listener, (const struct sockaddr *)&address, sizeof(address));
	assert(r == 0);
	r = listen(bench->listener, 16);
	assert(r == 0);
}

static int64_t identify(struct bench *bench, int fd)
{
	int64_t start_ns = scd_clock_mono_ns();

	scd__peer_identify(fd, &any_runsc, &bench->peer);
	return scd_clock_mono_ns() - start_ns;
}

/* A new process that looks like runsc. */
static void look_at_runsc(struct bench *bench, size_t round)
{
	const struct fake_runsc fake = { .arguments = "--root /r --debug create --bundle b pod",
		                         .socket_path = bench->socket_path,
		                         .lock = bench->lock,
		                         .descriptors = 8 };
	pid_t pid = fake_runsc_start(&bench->dir, &fake);
	int r = pid < 0 ? (int)pid : peer_wait(bench->listener, POLLIN, PEER_DEADLINE_MS);
	int64_t start_ns;
	int fd;

	if (r < 0) {
		fprintf(stderr, "no connection of tests/fake_runsc, which has to be built: %s\n", strerror(-r));
		exit(1);
	}
	fd = accept4(bench->listener, NULL, NULL, SOCK_CLOEXEC);
	assert(fd >= 0);
	bench->took_ns[FIRST][round] = identify(bench, fd);
	assert(bench->peer.verified);
	scd__peer_done(&bench->peer);
	bench->took_ns[AGAIN][round] = identify(bench, fd);
	start_ns = scd_clock_mono_ns();
	(void)scd__enlarge(&bench->peer, fd, bench->socket_path, SCD_LIMIT_SNDBUF_BYTES);
	bench->took_ns[ENLARGE][round] = scd_clock_mono_ns() - start_ns;
	scd__peer_done(&bench->peer);
	close(fd);
	child_wait(pid, PEER_DEADLINE_MS);
}

/* Ourselves. */
static void look_at_stranger(struct bench *bench, size_t round)
{
	int peer = peer_connect(bench->socket_path), r = peer_send(peer, "\x08\x01", 2), fd;
	int64_t start_ns = scd_clock_mono_ns();

	assert(peer >= 0 && r == 0);
	fd = accept4(bench->listener, NULL, NULL, SOCK_CLOEXEC);
	r = scd__handshake_receive(fd);
	r = r < 0 ? r : scd__handshake_answer(fd);
	bench->took_ns[HANDSHAKE][round] = scd_clock_mono_ns() - start_ns;
	assert(fd >= 0 && r == 0);
	bench->took_ns[STRANGER][round] = identify(bench, fd);
	assert(!bench->peer.verified);
	scd__peer_done(&bench->peer);
	close(fd);
	close(peer);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void report(struct bench *bench)
{
	double floor_us = 1;

	printf("  %-10s %10s %10s %10s\n", "step", "median us", "95 % us", "ratio");
	for (int step = 0; step < STEPS; step++) {
		int64_t *took_ns = bench->took_ns[step];
		double median_us;

		qsort(took_ns, bench->rounds, sizeof(*took_ns), compare);
		median_us = (double)took_ns[bench->rounds / 2] / 1000;
		if (step == HANDSHAKE)
			floor_us = median_us;
		printf("  %-10s %10.1f %10.1f %10.1f\n", names[step], median_us,
		       (double)took_ns[bench->rounds * 95 / 100] / 1000, median_us / floor_us);
	}
}

int main(int argc, char **argv)
{
	static struct bench bench;

	bench.rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS_DEFAULT;
	if (bench.rounds == 0 || bench.rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: bench_identify [IGNORED [ROUNDS]], at most %u rounds\n", ROUNDS_MAX);
		return 2;
	}
	if (fake_runsc_unavailable()) {
		printf("  not measured: %s\n", fake_runsc_unavailable());
		return 0;
	}
	open_listener(&bench);
	for (size_t round = 0; round < bench.rounds; round++) {
		look_at_runsc(&bench, round);
		look_at_stranger(&bench, round);
	}
	report(&bench);
	close(bench.listener);
	tempdir_remove(&bench.dir);
	return 0;
}
