/*
 * A descriptor whose last close waits: what hostile sandboxes pass along.
 */
#include "tests/support/lingering.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_over(int listener, int ret_fds[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	if (bind(listener, (struct sockaddr *)&address, len) < 0 || listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) < 0)
		return -errno;
	ret_fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ret_fds[0] < 0 || connect(ret_fds[0], (struct sockaddr *)&address, len) < 0)
		return -errno;
	ret_fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	return ret_fds[1] < 0 ? -errno : 0;
}

static int fill_and_linger(int fd)
{
	const struct linger linger = { 1, LINGERING_S };
	char bytes[65536] = { 0 };

	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)) < 0 ? -errno : 0;
}

int lingering_pair(int ret_fds[2])
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = listener < 0 ? -errno : connect_over(listener, ret_fds);

	if (listener >= 0)
		close(listener);
	return r < 0 ? r : fill_and_linger(ret_fds[0]);
}
