/*
 * drain SOCKET: the floor of every receiver. It accepts one client at a time, answers the handshake, then receives
 * until EAGAIN and waits again, and looks at nothing: the CPU it takes per message is what the transport alone costs.
 */
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "seccheckd/base/limits.h"

static char message[SCD_LIMIT_MESSAGE_BYTES];

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	unlink(path);
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(listener, 128) < 0)
		return -1;
	return listener;
}

/* Until the client is gone. */
static void drain(int client)
{
	struct epoll_event event = { .events = EPOLLIN };
	int poll = epoll_create1(EPOLL_CLOEXEC);

	if (poll < 0)
		return;
	if (epoll_ctl(poll, EPOLL_CTL_ADD, client, &event) == 0) {
		for (ssize_t n = 1; n != 0;) {
			epoll_wait(poll, &event, 1, -1);
			do
				n = recv(client, message, sizeof(message), MSG_DONTWAIT);
			while (n > 0);
		}
	}
	close(poll);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: drain SOCKET\n");
		return 2;
	}
	int listener = listen_at(argv[1]);
	if (listener < 0) {
		perror(argv[1]);
		return 1;
	}
	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (client < 0)
			continue;
		if (read(client, message, sizeof(message)) > 0 && write(client, "\x08\x01", 2) == 2)
			drain(client);
		close(client);
	}
}
