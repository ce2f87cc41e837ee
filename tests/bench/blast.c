/*
 * blast SOCKET TRACE REPEATS [PID]: plays a trace at a seccheck sink over one connection, as fast as the sink takes it
 * (blocking sends, nothing is dropped), and prints the CPU time that PID and all its descendants used per message.
 *
 *    messages=498480 wall=0.534s cpu=0.181s us/msg=0.3631
 *
 * The clock of the CPU runs from the moment the sink is quiet after the handshake until it has taken everything and is
 * quiet again, so that its start-up is not counted and its last batch is.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "seccheckd/base/arena.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/wire/handshake.h"
#include "seccheckd/wire/trace.h"
#include "tests/support/usage.h"

#define NS_PER_MS (1000 * 1000)
#define NS_PER_S  1e9

#define CONNECT_DEADLINE_NS (30LL * 1000 * NS_PER_MS)
#define CONNECT_STEP_MS     20

struct messages {
	struct scd_arena arena;
	struct scd_str *items;
	size_t count, room;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void pause_ms(long ms)
{
	struct timespec step = { .tv_nsec = ms * NS_PER_MS };
	nanosleep(&step, NULL);
}

static void add_message(struct messages *messages, struct scd_str message)
{
	if (messages->count == messages->room) {
		messages->room = messages->room ? 2 * messages->room : 4096;
		messages->items = reallocarray(messages->items, messages->room, sizeof(*messages->items));
		if (!messages->items)
			die("realloc");
	}
	messages->items[messages->count++] = scd_arena_dup(&messages->arena, message);
}

static void read_trace(const char *path, struct messages *ret_messages)
{
	struct scd_trace_reader *reader;
	struct scd_error err;
	struct scd_str message;
	int r;

	scd_arena_init(&ret_messages->arena, 1 << 20, 0);
	r = scd_trace_reader_open(path, &reader, &err);
	if (r == 0) {
		while ((r = scd_trace_reader_next(reader, &message, &err)) > 0)
			add_message(ret_messages, message);
		scd_trace_reader_close(&reader);
	}
	if (r < 0) {
		scd_error_print(&err, stderr);
		exit(1);
	}
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int64_t deadline = scd_clock_mono_ns() + CONNECT_DEADLINE_NS;
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (sock < 0 || strlen(path) >= sizeof(address.sun_path))
		die(path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	while (connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (scd_clock_mono_ns() > deadline)
			die(path);
		pause_ms(CONNECT_STEP_MS);
	}
	return sock;
}

static void shake_hands(int sock)
{
	uint8_t ours[SCD_HANDSHAKE_ANSWER_BYTES];
	char theirs[64];
	size_t len = scd_handshake_format(ours);

	if (write(sock, ours, len) != (ssize_t)len || read(sock, theirs, sizeof(theirs)) <= 0)
		die("handshake");
}

static void play(int sock, const struct messages *messages)
{
	for (size_t i = 0; i < messages->count; i++)
		while (send(sock, messages->items[i].data, messages->items[i].len, MSG_NOSIGNAL) < 0)
			if (errno != EINTR)
				die("send");
}

/* Until the peer has received all that was sent. */
static void wait_taken(int sock)
{
	for (int queued = 1; ioctl(sock, SIOCOUTQ, &queued) == 0 && queued > 0;)
		pause_ms(1);
}

int main(int argc, char **argv)
{
	struct messages messages = { .count = 0 };
	uint64_t repeats, pid = 0;

	if (argc < 4 || argc > 5 || scd_str_to_u64(scd_str_from(argv[3]), &repeats) < 0 ||
	    (argc == 5 && scd_str_to_u64(scd_str_from(argv[4]), &pid) < 0)) {
		fprintf(stderr, "usage: blast SOCKET TRACE REPEATS [PID]\n");
		return 2;
	}
	read_trace(argv[2], &messages);
	int sock = connect_to(argv[1]);
	shake_hands(sock);

	int64_t cpu_before = pid ? usage_at_rest((pid_t)pid).cpu_ns : 0, wall_before = scd_clock_mono_ns();
	for (uint64_t i = 0; i < repeats; i++)
		play(sock, &messages);
	wait_taken(sock);
	int64_t wall_after = scd_clock_mono_ns(), cpu_after = pid ? usage_at_rest((pid_t)pid).cpu_ns : 0;

	double sent = (double)repeats * (double)messages.count, cpu = (double)(cpu_after - cpu_before);
	printf("messages=%.0f wall=%.3fs", sent, (double)(wall_after - wall_before) / NS_PER_S);
	if (pid)
		printf(" cpu=%.3fs us/msg=%.4f", cpu / NS_PER_S, cpu / 1000 / sent);
	printf("\n");
	free(messages.items);
	scd_arena_done(&messages.arena);
	return 0;
}
