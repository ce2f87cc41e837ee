/*
 * Listening sockets: how a path becomes one, and how it goes away again.
 *
 *    path free                                   → bind
 *    socket file, nobody has it bound (stale)    → unlink, bind
 *    socket file, somebody has it bound (live)   → error
 *    anything else                               → error: a typing mistake must not delete a file
 *
 * Whether somebody has it bound is asked by connect(2) with a *datagram* socket: the kernel answers ECONNREFUSED for
 * a socket file without a socket and EPROTOTYPE for one that has a socket of another type, and a daemon that lives
 * does not get a connection that says nothing.
 *
 * The socket is bound on its final path: one that is bound elsewhere and renamed goes on telling its old name to
 * getpeername(2). Its mode comes from the umask at bind(2), so there is no moment at which it is open to others, and
 * no path is looked up a second time as chmod(2) would. The umask belongs to the whole process, which has one thread
 * here. Users that may connect besides the owner are named in an access list, afterwards: the mode stays closed to all
 * others. The list is given to the file that was made, and not to what its path may lead to by then: the folder may be
 * one of those users'.
 *
 * It does not create directories, and two daemons started on one stale path in the same instant are kept apart by the
 * service manager, not here.
 */
#include "keeper/listener.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "seccheckd/base/peer_socket.h"

#define PATH_MAX_BYTES (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

static int check_length(const char *path, struct scd_error *err)
{
	size_t len = strlen(path);

	if (!len)
		return scd_error_set(err, -EINVAL, "the path of the socket to listen on is empty");
	if (len <= PATH_MAX_BYTES)
		return 0;
	scd_error_set(err, -ENAMETOOLONG, "cannot listen on %s: the path has %zu bytes, a socket's may have %zu", path,
	              len, PATH_MAX_BYTES);
	scd_error_hint(err, "choose a shorter path, for example in /run");
	return -ENAMETOOLONG;
}

/* 0 stale; -EADDRINUSE live; others: cannot tell. */
static int probe(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
	close(fd);
	switch (r) {
	case -ECONNREFUSED:
	case -ENOENT: return 0;
	case 0:
	case -EPROTOTYPE: return -EADDRINUSE;
	default: return r;
	}
}

/* Makes the path free, if what is there may go. */
static int clear_path(const struct sockaddr_un *address)
{
	struct stat status;
	int r;

	if (lstat(address->sun_path, &status) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(status.st_mode))
		return -EEXIST;
	r = probe(address);
	if (r < 0)
		return r;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

static int bind_private(int fd, const struct sockaddr_un *address)
{
	mode_t before = umask(0177);
	int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;

	umask(before);
	return r;
}

/* The listening descriptor, or negative errno. */
static int open_socket(const struct sockaddr_un *address)
{
	int r = clear_path(address);
	int fd;

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)scd_peer_socket_refuse_descriptors(fd);
	r = bind_private(fd, address);
	if (!r && listen(fd, SOMAXCONN) < 0) {
		r = -errno;
		unlink(address->sun_path);
	}
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

static int explain(const char *path, int r, struct scd_error *err)
{
	const char *slash = strrchr(path, '/');
	int directory_len = slash == path ? 1 : slash ? (int)(slash - path) : 0;

	switch (r) {
	case -EADDRINUSE:
		scd_error_set(err, r, "cannot listen on %s: another process does", path);
		scd_error_hint(err, "stop that process, or choose another path");
		break;
	case -EEXIST:
		scd_error_set(err, r, "cannot listen on %s: it exists and is not a socket", path);
		scd_error_hint(err, "remove it, or choose another path");
		break;
	case -ENOENT:
		scd_error_set(err, r, "cannot listen on %s: its directory does not exist", path);
		scd_error_hint(err, "make it first, for its owner only: mkdir -p -m 0700 %.*s", directory_len, path);
		break;
	case -EACCES:
	case -EPERM:
		scd_error_set(err, r, "cannot listen on %s: %s", path, strerror(-r));
		scd_error_hint(
		        err,
		        "the socket is made in %.*s, which user %u may not write to; sandboxes are mostly started "
		        "by root",
		        directory_len, path, (unsigned)geteuid());
		break;
	default: scd_error_set(err, r, "cannot listen on %s: %s", path, strerror(-r));
	}
	return r;
}

int scd__listener_open(struct scd__listener *listener, const char *path, struct scd_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat status = { 0 };
	int r = check_length(path, err);
	int fd;

	if (r < 0)
		return r;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = open_socket(&address);
	if (fd < 0)
		return explain(path, fd, err);
	r = lstat(path, &status) < 0 ? -errno : 0;
	if (!r && (!S_ISSOCK(status.st_mode) || status.st_uid != geteuid()))
		r = -EEXIST; /* somebody has put something else there */
	if (r < 0) {
		close(fd);
		return explain(path, r, err);
	}
	*listener = (struct scd__listener){ path, fd, status.st_dev, status.st_ino };
	return 0;
}

/*
 * The kernel's form of an access list (linux/posix_acl_xattr.h), in little endian: a version, then entries in the order
 * of their tags. The mask, which bounds what the named users get, is shown where ls(1) has the group.
 */
struct acl_entry {
	uint16_t tag, rights;
	uint32_t id;
};

enum { ACL_VERSION = 2, ACL_OWNER = 0x01, ACL_NAMED_USER = 0x02, ACL_GROUP = 0x04, ACL_MASK = 0x10, ACL_OTHERS = 0x20 };

static struct acl_entry acl_entry(uint16_t tag, uint16_t rights, uint32_t id)
{
	return (struct acl_entry){ htole16(tag), htole16(rights), htole32(id) };
}

static int compare_uids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

/* Users in order and each once, as the kernel wants them; their number. */
static size_t sort_uids(uint32_t *uids, size_t count)
{
	size_t different = 0;

	qsort(uids, count, sizeof(*uids), compare_uids);
	for (size_t i = 0; i < count; i++) {
		if (different == 0 || uids[i] != uids[different - 1])
			uids[different++] = uids[i];
	}
	return different;
}

/*
 * A descriptor of our socket file, or -ESTALE: who may write to the folder has put another file there, or a link to
 * one, which would be given away.
 */
static int open_own(const struct scd__listener *listener)
{
	int fd = open(listener->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat status;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_dev == listener->device &&
	    status.st_ino == listener->inode)
		return fd;
	close(fd);
	return -ESTALE;
}

/* The kernel has no fsetxattr(2) for such a descriptor, but its link in /proc leads to that file and no other. */
static int set_attribute(const struct scd__listener *listener, const char *name, const void *value, size_t len)
{
	int fd = open_own(listener);
	char link[32];
	int r;

	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	r = setxattr(link, name, value, len, 0) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int set_acl(const struct scd__listener *listener, const uint32_t *uids, size_t count)
{
	enum { READ_WRITE = 06, NOBODY = UINT32_MAX, OTHER_ENTRIES = 4 };
	size_t len = sizeof(uint32_t) + (count + OTHER_ENTRIES) * sizeof(struct acl_entry);
	uint8_t *acl = malloc(len);
	uint32_t version = htole32(ACL_VERSION);
	struct acl_entry *entry;
	int r;

	if (!acl)
		return -ENOMEM;
	memcpy(acl, &version, sizeof(version));
	entry = (struct acl_entry *)(acl + sizeof(version));
	*entry++ = acl_entry(ACL_OWNER, READ_WRITE, NOBODY);
	for (size_t i = 0; i < count; i++)
		*entry++ = acl_entry(ACL_NAMED_USER, READ_WRITE, uids[i]);
	*entry++ = acl_entry(ACL_GROUP, 0, NOBODY);
	*entry++ = acl_entry(ACL_MASK, READ_WRITE, NOBODY);
	*entry++ = acl_entry(ACL_OTHERS, 0, NOBODY);
	r = set_attribute(listener, "system.posix_acl_access", acl, len);
	free(acl);
	return r;
}

int scd__listener_admit(const struct scd__listener *listener, const uint32_t *uids, size_t count, struct scd_error *err)
{
	uint32_t *sorted = count ? calloc(count, sizeof(*sorted)) : NULL;
	int r = -ENOMEM;

	if (sorted) {
		memcpy(sorted, uids, count * sizeof(*sorted));
		r = set_acl(listener, sorted, sort_uids(sorted, count));
		free(sorted);
	}
	if (r == 0)
		return 0;
	scd_error_set(err, r, "cannot let the users of allowed_uids open %s: %s", listener->path,
	              r == -ESTALE ? "somebody has put another file in its place" : strerror(-r));
	if (r == -ESTALE)
		scd_error_hint(err, "choose a folder that only root (or the daemon's user) may write to");
	if (r == -EOPNOTSUPP)
		scd_error_hint(err,
		               "its file system has no access lists: choose a path in /run, or leave out allowed_uids");
	return r;
}

/* The file goes before the socket closes: while it is there, a second daemon finds it live and leaves it alone. */
void scd__listener_close(struct scd__listener *listener)
{
	struct stat status;

	if (listener->fd >= 0 && lstat(listener->path, &status) == 0 && status.st_dev == listener->device &&
	    status.st_ino == listener->inode)
		unlink(listener->path);
	scd__listener_drop(listener);
}

void scd__listener_drop(struct scd__listener *listener)
{
	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
}

int scd__listener_accept(const struct scd__listener *listener)
{
	int fd;

	do
		fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	return fd < 0 ? -errno : fd;
}
