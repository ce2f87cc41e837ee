/*
 * Every wait is one poll(2) with a deadline; nothing else blocks but connect(2), which has one of its own.
 */
#include "tests/support/peer.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "seccheckd/wire/trace.h"

static const char handshake[] = { 0x08, 0x01 };

int peer_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct timeval limit = { .tv_sec = PEER_DEADLINE_MS / 1000 };
	int r;

	if (fd < 0)
		return -errno;
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	/* connect(2) waits for room in the queue of a listener as send(2) does: for SO_SNDTIMEO at most. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

int peer_wait(int fd, short events, int timeout_ms)
{
	struct pollfd entry = { .fd = fd, .events = events };
	int r;

	do
		r = poll(&entry, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

int peer_wait_closed(int fd, int timeout_ms)
{
	/* POLLHUP and POLLERR are always reported, and readable is not closed. */
	return peer_wait(fd, POLLRDHUP, timeout_ms);
}

int peer_greet(int fd, int timeout_ms)
{
	char answer[16];
	ssize_t received;
	int r = peer_send(fd, handshake, sizeof(handshake));

	if (!r)
		r = peer_wait(fd, POLLIN, timeout_ms);
	if (r < 0)
		return r;
	received = recv(fd, answer, sizeof(answer), MSG_DONTWAIT | MSG_TRUNC);
	if (received < 0)
		return -errno;
	if (received == 0)
		return -EPIPE;
	return received == sizeof(handshake) && !memcmp(answer, handshake, sizeof(handshake)) ? 0 : -EBADMSG;
}

int peer_join(const char *path)
{
	int fd = peer_connect(path);
	int r = fd < 0 ? fd : peer_greet(fd, PEER_DEADLINE_MS);

	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

int peer_send(int fd, const void *message, size_t len)
{
	while (send(fd, message, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		int r = errno == EAGAIN ? peer_wait(fd, POLLOUT, PEER_DEADLINE_MS) : -errno;

		if (r < 0 && r != -EINTR)
			return r;
	}
	return 0;
}

int peer_send_header(int fd, uint16_t message_type, uint32_t dropped_count)
{
	uint8_t header[8] = { 8 };

	for (size_t i = 0; i < 2; i++)
		header[2 + i] = (uint8_t)(message_type >> 8 * i);
	for (size_t i = 0; i < 4; i++)
		header[4 + i] = (uint8_t)(dropped_count >> 8 * i);
	return peer_send(fd, header, sizeof(header));
}

int peer_send_descriptors(int fd, const void *message, size_t len, const int *passed, size_t count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(16 * sizeof(int))];
	} control = { .room = { 0 } };
	char bytes[1024];
	struct iovec part = { bytes, len };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control };
	ssize_t sent;

	if (count > 16 || len > sizeof(bytes))
		return -EINVAL;
	memcpy(bytes, message, len);
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.header), passed, count * sizeof(int));
	header.msg_controllen = CMSG_SPACE(count * sizeof(int));
	sent = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
	return sent < 0 ? -errno : (int)sent;
}

long peer_replay(int fd, const char *trace_path)
{
	struct scd_trace_reader *reader;
	struct scd_str message;
	struct scd_error err;
	long count = 0;
	int r = scd_trace_reader_open(trace_path, &reader, &err);

	if (r < 0)
		return r;
	while ((r = scd_trace_reader_next(reader, &message, &err)) == 1) {
		r = peer_send(fd, message.data, message.len);
		if (r < 0)
			break;
		count++;
	}
	scd_trace_reader_close(&reader);
	return r < 0 ? r : count;
}

bool peer_enlarge(int fd, int bytes)
{
	int got = 0;
	socklen_t len = sizeof(got);

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &got, &len) == 0 && got / 2 >= bytes;
}

size_t peer_open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	if (!folder)
		return 0;
	while (readdir(folder))
		count++;
	closedir(folder);
	return count - 3; /* ".", "..", and the folder itself */
}
