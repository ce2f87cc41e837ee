/*
 * Which of the peer's descriptors is the connection? The list of them (procfs.h) says which are sockets; a copy of
 * each tells its type and the name of its peer. runsc has two or three, and exactly one is a SEQPACKET socket that
 * leads to our listener. Where there are many, or several that do, sock_diag says which inode it is; it is not asked
 * at once, as the kernel then looks at all Unix sockets of the host.
 *
 * Copies are taken from unconfined processes only. Closing one is closing a file for good if its owner closes it at
 * the same moment, and what that does may be the choice of a hostile owner: a lingering TCP socket blocks. A
 * sandbox's own processes are never unconfined.
 */
#include "keeper/enlarge.h"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper/sock_diag.h"

/* The part of what is left that one connection may have. */
#define SHARES 64u

/* As many copies cost less than one question to sock_diag. */
#define FEW_SOCKETS 4u

/* Less is not worth taking: the default is 212,992. */
#define LEAST_BYTES (512u << 10)

uint32_t scd__sndbuf_offer(const struct scd__sndbuf_account *account)
{
	uint64_t left = account->used_bytes < account->limit_bytes ? account->limit_bytes - account->used_bytes : 0;
	uint32_t offer = SCD_LIMIT_SNDBUF_BYTES;

	while (offer >= LEAST_BYTES && offer > left / SHARES)
		offer /= 2;
	return offer >= LEAST_BYTES ? offer : 0;
}

void scd__sndbuf_take(struct scd__sndbuf_account *account, uint32_t bytes)
{
	account->used_bytes += bytes;
}

void scd__sndbuf_give_back(struct scd__sndbuf_account *account, uint32_t bytes)
{
	account->used_bytes -= bytes;
}

/* Whether this is the connecting end of a connection to the listener. */
static bool leads_to(int fd, const char *listener_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNSPEC };
	socklen_t address_len = sizeof(address), type_len = sizeof(int);
	int type = 0;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 && type == SOCK_SEQPACKET &&
	       getpeername(fd, (struct sockaddr *)&address, &address_len) == 0 && address.sun_family == AF_UNIX &&
	       strncmp(address.sun_path, listener_path, sizeof(address.sun_path)) == 0;
}

/*
 * A copy of the first descriptor that leads to the listener, from *at on, which is left behind it; with an inode, of
 * the one that is this socket. -ENOENT: there is none.
 */
static int find_next(const struct scd__peer *peer, const char *listener_path, ino_t inode, size_t *at)
{
	const struct scd__descriptors *descriptors = &peer->descriptors;

	for (; *at < descriptors->socket_count; (*at)++) {
		int copy;

		if (inode && descriptors->sockets[*at].inode != inode)
			continue;
		copy = pidfd_getfd(peer->pidfd, descriptors->sockets[*at].number, 0);
		if (copy < 0 && errno != EBADF) /* which is: closed meanwhile */
			return -errno;
		if (copy >= 0 && leads_to(copy, listener_path)) {
			(*at)++;
			return copy;
		}
		if (copy >= 0)
			close(copy);
	}
	return -ENOENT;
}

static int find_by_inode(const struct scd__peer *peer, int fd, const char *listener_path)
{
	size_t at = 0;
	ino_t inode;

	if (scd__sock_diag_peer(fd, &inode) < 0)
		return -ENOTUNIQ;
	return find_next(peer, listener_path, inode, &at);
}

/* A copy of the peer's end of fd, or negative errno. */
static int find_end(const struct scd__peer *peer, int fd, const char *listener_path)
{
	size_t at = 0;
	int first, second;

	if (peer->descriptors.socket_count > FEW_SOCKETS)
		return find_by_inode(peer, fd, listener_path);
	first = find_next(peer, listener_path, 0, &at);
	second = first < 0 ? first : find_next(peer, listener_path, 0, &at);
	if (second < 0)
		return first;
	close(first);
	close(second);
	return find_by_inode(peer, fd, listener_path);
}

static int64_t buffer_of(int fd)
{
	int bytes = 0;
	socklen_t len = sizeof(bytes);

	return getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &len) < 0 ? -errno : bytes;
}

/* The kernel doubles what it is told. */
static int64_t resize(int fd, uint32_t wanted)
{
	int64_t before = buffer_of(fd);
	int half = (int)(wanted / 2);

	if (before < 0 || before >= wanted)
		return before;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &half, sizeof(half)) < 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &half, sizeof(half)) < 0)
		return -errno;
	return buffer_of(fd);
}

int64_t scd__enlarge(struct scd__peer *peer, int fd, const char *listener_path, uint32_t wanted)
{
	int64_t bytes = wanted ? scd__peer_look_closer(peer) : -EDQUOT;
	int end;

	if (bytes < 0)
		return bytes;
	end = find_end(peer, fd, listener_path);
	if (end < 0)
		return end;
	bytes = resize(end, wanted);
	close(end);
	return bytes;
}

const char *scd__enlarge_reason(int error)
{
	switch (error) {
	case -EDQUOT: return "all connections together have what they may have";
	case -ESRCH: return "its process has ended or cannot be seen";
	case -EACCES: return "its process is confined";
	case -EPERM: return "its descriptors cannot be had without CAP_SYS_PTRACE";
	case -ENOENT: return "its end of the connection is not among its first descriptors";
	case -ENOTUNIQ: return "it has several connections, and the kernel does not tell which is which";
	case -ENOSYS: return "the kernel has no pidfd_getfd, which is new in Linux 5.6";
	default: return strerror(-error);
	}
}
