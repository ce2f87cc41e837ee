/*
 * `seccheckd send`: traces played into a sink, as runsc would.
 *
 *    connect → enlarge the socket's buffer → handshake → a SEQPACKET message for each of the trace → close
 *
 * Each play is a connection of its own, as each sandbox has one. Sending blocks while the sink does not read: unlike
 * runsc, this drops nothing. A message that no socket takes, as it is too long, is told and left out. A trace that
 * cannot be read to its end does not keep the others from being sent; a sink that cannot be reached, or goes away,
 * does.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "progress.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/cli/cli.h"
#include "seccheckd/wire/handshake.h"
#include "seccheckd/wire/trace.h"
#include "stdout.h"

/* How long a sink may take to accept, and then to answer. Ours has two seconds for the other side of it. */
#define CONNECT_SECONDS 5

#define NS_PER_S INT64_C(1000000000)

/* Room for two of the largest messages; the kernel doubles it for its own needs. */
#define BUFFER_BYTES ((int)(2 * SCD_LIMIT_MESSAGE_BYTES))

static const struct scd__flag flags[] = {
	{ .name = "to", .value = "PATH", .help = "The Unix socket of the sink." },
	{ .name = "repeat", .value = "COUNT", .help = "Play each trace so many times; each is a new connection." },
	{ .name = "rate", .value = "COUNT", .help = "Send at most so many messages a second." },
};

static const struct scd__command command = {
	.name = "send",
	.summary = "Plays recorded traces (gVisor's tracereplay format) into a seccheck remote sink, as runsc would.",
	.operands = "TRACE...",
	.operands_min = 1,
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.details =
	        "Each trace is a connection of its own, one after the other. It waits while the sink does not read. "
	        "Exit status 1 if the sink cannot be reached, does not answer or goes away, if a trace is damaged or "
	        "cannot be read, or if a message is longer than a socket takes.",
	.examples = "  seccheckd send --to /run/seccheckd.sock traces/client-0001\n"
	            "  seccheckd send --to /run/seccheckd.sock --repeat 100 --rate 5000 traces/client-*\n",
};

/* One trace, and how far it is. */
struct play {
	const char *to, *path;
	uint64_t repeat, rate; /* rate 0: as fast as it goes */
	int fd;
	int64_t started_ns;
	uint64_t sent_count;
	uint64_t skipped_count; /* too long for a socket */
	struct scd__progress progress;
};

/* Says what is wrong with the sink. Negative. */
static int fail_sink(const struct play *play, const char *what)
{
	fputs("seccheckd send: ", stderr);
	scd_error_print_text(scd_str_from(play->to), stderr);
	fprintf(stderr, ": %s\n", what);
	return -EIO;
}

static const char *explain_connect(int error)
{
	switch (error) {
	case ENOENT: return "there is no such socket";
	case ECONNREFUSED: return "nobody listens there";
	case EPROTOTYPE: return "this socket is of another type than a sink's, which is SEQPACKET";
	case EAGAIN: return "the connection is not accepted";
	default: return strerror(error);
	}
}

static void set_send_timeout(int fd, time_t seconds)
{
	const struct timeval limit = { .tv_sec = seconds };

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

/* As far as we may; a message that still does not fit is told when it comes. */
static void enlarge(int fd)
{
	const int bytes = BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static int connect_sink(struct play *play)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const size_t len = strlen(play->to);

	if (len >= sizeof(address.sun_path))
		return fail_sink(play, "this path is longer than the path of a socket can be");
	memcpy(address.sun_path, play->to, len);
	play->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (play->fd < 0)
		return fail_sink(play, strerror(errno));
	enlarge(play->fd);
	/* connect(2) waits for room in the queue of the listener, as send(2) does for room in the buffer. */
	set_send_timeout(play->fd, CONNECT_SECONDS);
	if (connect(play->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return fail_sink(play, explain_connect(errno));
	set_send_timeout(play->fd, 0);
	return 0;
}

/* Sends one message, however long it takes. 0 or negative errno. */
static int send_message(int fd, const void *data, size_t len)
{
	ssize_t r;

	do
		r = send(fd, data, len, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

/* Waits for something to read. False at the deadline. */
static bool wait_for_answer(int fd)
{
	const int64_t deadline_ns = scd_clock_mono_ns() + CONNECT_SECONDS * NS_PER_S;
	struct pollfd entry = { .fd = fd, .events = POLLIN };
	int64_t left_ns = CONNECT_SECONDS * NS_PER_S;
	int r = -1;

	while (r < 0 && left_ns > 0) {
		r = poll(&entry, 1, (int)(left_ns / 1000000 + 1));
		left_ns = deadline_ns - scd_clock_mono_ns();
	}
	return r > 0;
}

static int greet(const struct play *play)
{
	uint8_t greeting[SCD_HANDSHAKE_ANSWER_BYTES];
	char answer[SCD_LIMIT_HANDSHAKE_BYTES];
	uint32_t version;
	ssize_t len;

	if (send_message(play->fd, greeting, scd_handshake_format(greeting)) < 0)
		return fail_sink(play, "the connection was closed before the handshake");
	if (!wait_for_answer(play->fd))
		return fail_sink(play, "the handshake is not answered");
	len = recv(play->fd, answer, sizeof(answer), 0);
	if (len <= 0)
		return fail_sink(play, "the handshake was refused: the connection was closed without an answer");
	if (scd_handshake_parse((struct scd_str){ answer, (size_t)len }, &version) < 0)
		return fail_sink(play, "the answer is no handshake of a known version");
	return 0;
}

/* Until the next message is due. */
static void keep_rate(const struct play *play)
{
	const uint64_t due_count = play->sent_count + play->skipped_count;
	int64_t due_ns;
	struct timespec due;

	if (!play->rate)
		return;
	due_ns = play->started_ns + (int64_t)(due_count / play->rate) * NS_PER_S +
	         (int64_t)(due_count % play->rate * (uint64_t)NS_PER_S / play->rate);
	due = (struct timespec){ .tv_sec = due_ns / NS_PER_S, .tv_nsec = due_ns % NS_PER_S };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		;
}

static int deliver(struct play *play, struct scd_str message)
{
	int r = send_message(play->fd, message.data, message.len);

	if (r == -EMSGSIZE || r == -ENOBUFS) {
		play->skipped_count++;
		scd_error_print_text(scd_str_from(play->path), stderr);
		fprintf(stderr, ": message %" PRIu64 " of %zu bytes is left out: longer than the socket takes\n",
		        play->sent_count + play->skipped_count, message.len);
		return 0;
	}
	if (r < 0)
		return fail_sink(play, r == -EPIPE || r == -ECONNRESET ? "the connection was closed by the sink"
		                                                       : strerror(-r));
	play->sent_count++;
	return 0;
}

/* Sends what is left of the trace. 0; -EBADMSG: it ends badly, which was told; else the sink failed. */
static int send_messages(struct play *play, struct scd_trace_reader *reader)
{
	struct scd_error err = { 0 };
	struct scd_str message;
	int r, sent = 0;

	while (sent == 0 && (r = scd_trace_reader_next(reader, &message, &err)) > 0) {
		keep_rate(play);
		sent = deliver(play, message);
		scd__progress_add(&play->progress, SCD_TRACE_SIZE_BYTES + message.len);
	}
	if (sent < 0)
		return sent;
	if (r < 0) {
		scd__progress_done(&play->progress);
		scd_error_print(&err, stderr);
	}
	return r < 0 ? -EBADMSG : 0;
}

/* One connection. As send_messages. */
static int play_once(struct play *play)
{
	struct scd_trace_reader *reader;
	struct scd_error err = { 0 };
	int r;

	if (scd_trace_reader_open(play->path, &reader, &err) < 0) {
		scd_error_print(&err, stderr);
		return -EBADMSG;
	}
	play->fd = -1;
	r = connect_sink(play);
	if (r == 0)
		r = greet(play);
	if (r == 0)
		r = send_messages(play, reader);
	if (play->fd >= 0)
		close(play->fd);
	scd_trace_reader_close(&reader);
	return r;
}

static uint64_t file_bytes(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

/* A trace as often as it is wanted. As send_messages. */
static int play_trace(struct play *play)
{
	int r = 0;

	play->started_ns = scd_clock_mono_ns();
	scd__progress_init_silent(&play->progress, play->path, file_bytes(play->path) * play->repeat);
	for (uint64_t i = 0; i < play->repeat && r == 0; i++)
		r = play_once(play);
	scd__progress_done(&play->progress);
	if (r == 0 || play->sent_count > 0) {
		scd_error_print_text(scd_str_from(play->path), stdout);
		printf(": %" PRIu64 " messages\n", play->sent_count);
	}
	return r;
}

static int send_all(const struct scd__args *args, uint64_t repeat, uint64_t rate)
{
	int status = SCD__EXIT_SUCCESS, r = 0;

	for (size_t i = 0; i < args->operand_count && (r == 0 || r == -EBADMSG); i++) {
		struct play play = {
			.to = scd__args_value(args, "to"),
			.path = args->operands[i],
			.repeat = repeat,
			.rate = rate,
		};

		r = play_trace(&play);
		if (r < 0 || play.skipped_count > 0 || !scd__stdout_flush())
			status = SCD__EXIT_FAILURE;
	}
	return status;
}

/* A count from 1, if it is given. False: what is wrong was said. */
static bool read_count(const struct scd__args *args, const char *name, uint64_t *ret_count)
{
	const char *text = scd__args_value(args, name);

	if (!text || (scd_str_to_u64(scd_str_from(text), ret_count) == 0 && *ret_count > 0))
		return true;
	scd__args_usage_error(&command, "--%s '%s': write a whole number, 1 or more", name, text);
	return false;
}

static int run(const struct scd__args *args)
{
	uint64_t repeat = 1, rate = 0;

	if (!scd__args_value(args, "to"))
		return scd__args_usage_error(&command, "there is no sink to send to: give --to PATH");
	if (!read_count(args, "repeat", &repeat) || !read_count(args, "rate", &rate))
		return SCD__EXIT_USAGE;
	return send_all(args, repeat, rate);
}

int scd_cli_send(int argc, char **argv)
{
	struct scd__args args;
	int status;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	status = run(&args);
	scd__args_done(&args);
	return status;
}
