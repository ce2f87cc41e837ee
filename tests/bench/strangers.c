/*
 * strangers SOCKET COUNT: so many connections at once, from this one process, which is not called runsc. They are made
 * one after the other, as fast as the sink accepts them; the time of each is that from connect(2) to the answer to its
 * handshake. In front of them is one that never says a word, and one that says something wrong.
 *
 *    answered=1000 p50_ms=31.2 p95_ms=60.1 max_ms=66.0
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"
#include "seccheckd/wire/handshake.h"

#define COUNT_MAX   10000u
#define DEADLINE_NS INT64_C(60000000000)

/* How many are connected between two looks for answers. */
#define BATCH 16

static struct pollfd sockets[COUNT_MAX];
static int64_t took_ns[COUNT_MAX];
static unsigned answered, failed;

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

static void say(int fd, const void *words, size_t len)
{
	if (send(fd, words, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send");
}

/* Of those from the first on. poll(2) passes over what is negative, as the descriptors are that have their answer. */
static void read_answers(unsigned first, unsigned count, int timeout_ms)
{
	char answer[64];

	if (poll(sockets + first, count - first, timeout_ms) < 0)
		die("poll");
	for (unsigned i = first; i < count; i++) {
		if (sockets[i].fd < 0 || !sockets[i].revents)
			continue;
		took_ns[i] = scd_clock_mono_ns() - took_ns[i];
		failed += recv(sockets[i].fd, answer, sizeof(answer), 0) <= 0;
		answered++;
		sockets[i].fd = ~sockets[i].fd;
	}
}

static void connect_all(const char *path, unsigned count)
{
	uint8_t ours[SCD_HANDSHAKE_ANSWER_BYTES];
	size_t len = scd_handshake_format(ours);
	int64_t deadline_ns = scd_clock_mono_ns() + DEADLINE_NS;
	unsigned first = 0;

	for (unsigned i = 0; i < count; i++) {
		took_ns[i] = scd_clock_mono_ns();
		sockets[i] = (struct pollfd){ .fd = connect_to(path), .events = POLLIN };
		say(sockets[i].fd, ours, len);
		if (i % BATCH != 0)
			continue;
		read_answers(first, i + 1, 0);
		while (first < i && sockets[first].fd < 0)
			first++;
	}
	while (answered < count && scd_clock_mono_ns() < deadline_ns)
		read_answers(0, count, 1000);
}

static int compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double ms_at(unsigned at)
{
	return (double)took_ns[at] / 1e6;
}

int main(int argc, char **argv)
{
	unsigned count = argc == 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

	if (count == 0 || count > COUNT_MAX) {
		fprintf(stderr, "usage: strangers SOCKET COUNT, at most %u\n", COUNT_MAX);
		return 2;
	}
	connect_to(argv[1]);
	say(connect_to(argv[1]), "\xff\xff\xff", 3);
	connect_all(argv[1], count);
	if (answered < count) {
		fprintf(stderr, "strangers: only %u of %u were answered\n", answered, count);
		return 1;
	}
	qsort(took_ns, count, sizeof(took_ns[0]), compare);
	printf("answered=%u p50_ms=%.1f p95_ms=%.1f max_ms=%.1f\n", answered - failed, ms_at(count / 2),
	       ms_at(count * 95 / 100), ms_at(count - 1));
	return 0;
}
