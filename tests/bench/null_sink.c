/*
 * null_sink SOCKET [--enlarge] [--pause-us N]: a receiver of many sandboxes that does nothing: what a sandbox costs
 * that has it at the other end, and how soon it answers a handshake, is what no daemon can better. It answers each
 * handshake as it comes, reads whoever is readable to EAGAIN, pauses (200 us, so that one wake-up serves what has come
 * meanwhile), and reads again. Of a message it looks at the header's count of drops.
 *
 *    --enlarge     gives each sender the buffer that the keeper gives it, in the same way
 *    --pause-us N  the pause; 0: a wake-up for each message
 *
 * It prints a line when a client is gone, and ends with SIGTERM.
 *
 *    messages=100123 dropped=0
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper/enlarge.h"
#include "keeper/handshake.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/wire/frame.h"

#define EVENTS 1024

struct client {
	int fd;
	bool greeted;
	uint64_t message_count;
	uint32_t dropped_count;
};

static struct {
	const char *path;
	bool enlarge;
	useconds_t pause_us;
	int listener, epoll;
} sink = { .pause_us = 200 };

static char buffer[SCD_LIMIT_MESSAGE_BYTES];

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int fd, void *user)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = user };

	if (epoll_ctl(sink.epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll_ctl");
}

static void open_listener(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(sink.path) >= sizeof(address.sun_path))
		die(sink.path);
	memcpy(address.sun_path, sink.path, strlen(sink.path) + 1);
	unlink(sink.path);
	sink.epoll = epoll_create1(EPOLL_CLOEXEC);
	sink.listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sink.epoll < 0 || bind(sink.listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(sink.listener, SOMAXCONN) < 0)
		die(sink.path);
	watch(sink.listener, NULL);
}

static void accept_all(void)
{
	int fd;

	while ((fd = accept4(sink.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		struct client *client = calloc(1, sizeof(*client));

		if (!client)
			die("calloc");
		client->fd = fd;
		watch(fd, client);
	}
}

static void enlarge_sender(int fd)
{
	static const struct scd__identity_options any_runsc;
	static struct scd__peer peer;
	int64_t bytes;

	scd__peer_identify(fd, &any_runsc, &peer);
	bytes = scd__enlarge(&peer, fd, sink.path, SCD_LIMIT_SNDBUF_BYTES);
	if (bytes < 0)
		fprintf(stderr, "null_sink: %s\n", scd__enlarge_reason((int)bytes));
	scd__peer_done(&peer);
}

static void finish(struct client *client)
{
	printf("messages=%" PRIu64 " dropped=%" PRIu32 "\n", client->message_count, client->dropped_count);
	fflush(stdout);
	close(client->fd);
	free(client);
}

static void greet(struct client *client)
{
	int r = scd__handshake_receive(client->fd);

	if (r == 0 && sink.enlarge)
		enlarge_sender(client->fd);
	if (r == 0)
		r = scd__handshake_answer(client->fd);
	client->greeted = r == 0;
	if (r < 0)
		finish(client);
}

static void drain(struct client *client)
{
	struct scd_frame frame;
	ssize_t n;

	while ((n = recv(client->fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		client->message_count++;
		if (scd_frame_parse((struct scd_str){ buffer, (size_t)n }, &frame) == 0)
			client->dropped_count = frame.dropped_count;
	}
	if (n == 0)
		finish(client);
}

static void serve(const struct epoll_event *event)
{
	struct client *client = event->data.ptr;

	if (!client)
		accept_all();
	else if (client->greeted)
		drain(client);
	else
		greet(client);
}

static bool parse_arguments(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--enlarge") == 0)
			sink.enlarge = true;
		else if (strcmp(argv[i], "--pause-us") == 0 && i + 1 < argc)
			sink.pause_us = (useconds_t)strtoul(argv[++i], NULL, 10);
		else if (!sink.path && argv[i][0] != '-')
			sink.path = argv[i];
		else
			return false;
	}
	return sink.path != NULL;
}

int main(int argc, char **argv)
{
	static struct epoll_event events[EVENTS];

	if (!parse_arguments(argc, argv)) {
		fprintf(stderr, "usage: null_sink SOCKET [--enlarge] [--pause-us N]\n");
		return 2;
	}
	open_listener();
	for (;;) {
		int count = epoll_wait(sink.epoll, events, EVENTS, -1);
		bool had_messages = false;

		for (int i = 0; i < count; i++) {
			const struct client *client = events[i].data.ptr;

			had_messages |= client && client->greeted;
			serve(&events[i]);
		}
		if (had_messages && sink.pause_us > 0)
			usleep(sink.pause_us);
	}
}
