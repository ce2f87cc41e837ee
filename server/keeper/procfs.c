/*
 * Reading /proc/PID.
 *
 * Descriptors are listed with getdents64(2) into a small buffer: readdir(3) asks for 32 KiB at once, for which the
 * kernel makes an entry for each of some thousand descriptors, about a microsecond each.
 *
 * Files of the process are asked for what the kernel has at hand (AT_STATX_DONT_SYNC), and so are the folders on the
 * way to them (RESOLVE_CACHED): a file on a network or in user space may be what a link or a path of a process points
 * to, and its server must not be able to hold up the keeper.
 */
#include "keeper/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "keeper/cmdline.h"

/* An entry of /proc/PID/fd takes 24 bytes with up to four digits, and 32 with more. */
#define LISTING_BYTES 1024u

#define FIND_ATTEMPTS 3

int scd__procfs_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

ssize_t scd__procfs_read(int proc_fd, const char *name, char *buffer, size_t size)
{
	int fd = openat(proc_fd, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got = 1;

	if (fd < 0)
		return -errno;
	while (len < size && (got = read(fd, buffer + len, size - len)) > 0)
		len += (size_t)got;
	got = got < 0 ? -errno : 0;
	close(fd);
	return got < 0 ? got : (ssize_t)len;
}

ssize_t scd__procfs_link(int proc_fd, const char *name, char ret_path[PATH_MAX])
{
	ssize_t len = readlinkat(proc_fd, name, ret_path, PATH_MAX);

	if (len < 0)
		return -errno;
	if (len == PATH_MAX)
		return -ENAMETOOLONG;
	ret_path[len] = '\0';
	return len;
}

static int look_at(int folder_fd, const char *path, int flags, struct scd__file *ret_file)
{
	struct statx status;

	if (statx(folder_fd, path, flags | AT_STATX_DONT_SYNC, STATX_INO | STATX_UID | STATX_MODE, &status) < 0)
		return -errno;
	ret_file->device = makedev(status.stx_dev_major, status.stx_dev_minor);
	ret_file->inode = status.stx_ino;
	ret_file->owner = status.stx_uid;
	ret_file->mode = status.stx_mode;
	return 0;
}

int scd__procfs_file(int folder_fd, const char *path, struct scd__file *ret_file)
{
	return look_at(folder_fd, path, 0, ret_file);
}

/* Somebody else's rename, anywhere, can make a look at what is at hand give up: then it is not there this time only. */
static int open_at_hand(int root_fd, const char *path)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_CACHED };
	int fd = -EAGAIN;

	for (int i = 0; i < FIND_ATTEMPTS && fd == -EAGAIN; i++) {
		fd = (int)syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
		if (fd < 0)
			fd = -errno;
	}
	return fd;
}

int scd__procfs_find(int proc_fd, const char *path, struct scd__file *ret_file)
{
	int root_fd = openat(proc_fd, "root", O_PATH | O_CLOEXEC);
	int r, fd;

	if (root_fd < 0)
		return -errno;
	fd = open_at_hand(root_fd, path);
	close(root_fd);
	if (fd < 0)
		return fd;
	r = look_at(fd, "", AT_EMPTY_PATH, ret_file);
	close(fd);
	return r;
}

int scd__procfs_namespaces(int proc_fd, struct scd__namespaces *ret_namespaces)
{
	struct scd__file mount = { 0 }, user = { 0 };
	int r = look_at(proc_fd, "ns/mnt", 0, &mount);

	if (r == 0)
		r = look_at(proc_fd, "ns/user", 0, &user);
	if (r == 0)
		*ret_namespaces = (struct scd__namespaces){ mount.inode, user.inode };
	return r;
}

int scd__procfs_seccomp(struct scd_str status)
{
	static const struct scd_str label = SCD_STR_INIT("\nSeccomp:\t");
	const char *at = status.len ? memmem(status.data, status.len, label.data, label.len) : NULL;

	if (!at || at + label.len == status.data + status.len)
		return -1;
	at += label.len;
	return *at >= '0' && *at <= '9' ? *at - '0' : -1;
}

static void note_socket(const char *number, const char *inode, struct scd__descriptors *descriptors)
{
	size_t at = descriptors->socket_count++;

	descriptors->sockets[at].number = (int)strtol(number, NULL, 10);
	descriptors->sockets[at].inode = strtoul(inode, NULL, 10);
}

static void note_lock(const char *path, size_t len, struct scd__descriptors *descriptors)
{
	if (!descriptors->lock[0])
		memcpy(descriptors->lock, path, len + 1);
	else
		descriptors->locks_differ |= strcmp(descriptors->lock, path) != 0;
}

/* One descriptor, by its number and what its link says. */
static void sort(const char *number, const char *path, struct scd__descriptors *descriptors)
{
	static const struct scd_str socket_start = SCD_STR_INIT("socket:[");
	struct scd_str link = scd_str_from(path);
	struct scd__lock_name name;

	if (scd_str_starts_with(link, socket_start))
		note_socket(number, path + socket_start.len, descriptors);
	else if (scd__lock_name_parse(link, &name))
		note_lock(path, link.len, descriptors);
}

/* What getdents64(2) wrote; the number of entries that are descriptors, or -EACCES: we may not look behind them. */
static ssize_t sort_listing(int folder_fd, const char *listing, size_t len, size_t room,
                            struct scd__descriptors *descriptors)
{
	char path[PATH_MAX];
	size_t count = 0;
	ssize_t link_len;

	for (size_t at = 0; at < len && count < room;) {
		const struct dirent64 *entry = (const void *)(listing + at);

		at += entry->d_reclen;
		if (entry->d_name[0] == '.')
			continue;
		count++;
		link_len = scd__procfs_link(folder_fd, entry->d_name, path);
		if (link_len == -EACCES)
			return link_len;
		if (link_len > 0) /* else it was closed meanwhile */
			sort(entry->d_name, path, descriptors);
	}
	return (ssize_t)count;
}

int scd__procfs_descriptors(int proc_fd, struct scd__descriptors *ret_descriptors)
{
	_Alignas(struct dirent64) char listing[LISTING_BYTES];
	int folder_fd = openat(proc_fd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t left = SCD_LIMIT_PEER_DESCRIPTORS;
	ssize_t len, count = 0;

	if (folder_fd < 0)
		return -errno;
	ret_descriptors->socket_count = 0;
	ret_descriptors->lock[0] = '\0';
	ret_descriptors->locks_differ = false;
	while (left > 0 && (len = getdents64(folder_fd, listing, sizeof(listing))) != 0) {
		count = len < 0 ? -errno : sort_listing(folder_fd, listing, (size_t)len, left, ret_descriptors);
		if (count < 0)
			break;
		left -= (size_t)count;
	}
	close(folder_fd);
	return count < 0 ? (int)count : 0;
}
