/*
 * The steps of an identification, each of which can end it with a reason. What costs little and cannot be forged comes
 * first: of whoever is not trusted to tell its own name, no path and no memory is looked at, as a look into a file
 * system, or into memory that is a mapped file, waits for whoever serves it, and every start of a sandbox with it. The
 * arguments, which lie in the memory of the process, are read last, from a process that has been found to be an
 * unconfined runsc.
 *
 * Everything is read through a descriptor of /proc/PID. Linux before 6.5 has no SO_PEERPIDFD; the pidfd is then
 * opened by number, and a peer that ended before that, with its number in use again, is taken for the other process.
 *
 * It does not keep anything about a peer, and does not look at threads or parents.
 */
#include "keeper/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper/cmdline.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* Root of a runsc that is given none (and no XDG_RUNTIME_DIR, which we do not read). */
#define DEFAULT_ROOT "/var/run/runsc"

#define STATUS_BYTES 4096u

/* Notes why a peer is not verified. False, always. */
__attribute__((format(printf, 2, 3))) static bool unverified(struct scd__peer *peer, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(peer->reason, sizeof(peer->reason), format, arguments);
	va_end(arguments);
	return false;
}

static bool cannot_read(struct scd__peer *peer, const char *what, ssize_t error)
{
	if (error == -EACCES || error == -EPERM)
		return unverified(peer, "%s may not be read without CAP_SYS_PTRACE", what);
	return unverified(peer, "%s cannot be read: %s", what, strerror((int)-error));
}

static bool take_credentials(int fd, struct scd__peer *peer)
{
	struct ucred credentials;
	socklen_t len = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0)
		return false;
	peer->pid = credentials.pid;
	peer->uid = credentials.uid;
	peer->gid = credentials.gid;
	return true;
}

/* A descriptor of the process that connected, or negative errno. */
static int open_pidfd(int fd, pid_t pid)
{
	int pidfd = -1;
	socklen_t len = sizeof(pidfd);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len) == 0)
		return pidfd;
	if (errno != ENOPROTOOPT)
		return -errno;
	pidfd = pidfd_open(pid, 0);
	return pidfd < 0 ? -errno : pidfd;
}

static void close_if_open(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/*
 * Opens pidfd and proc_fd. A number may be used again as soon as its process is gone; that the folder is the right
 * one is certain when the process is alive after it was opened.
 */
static bool open_process(int fd, struct scd__peer *peer)
{
	struct pollfd ended = { .events = POLLIN };

	if (!take_credentials(fd, peer))
		return unverified(peer, "the kernel does not tell who connected");
	if (peer->pid <= 0)
		return unverified(peer, "its process is outside of our PID namespace");
	peer->pidfd = open_pidfd(fd, peer->pid);
	if (peer->pidfd < 0)
		return unverified(peer, "its process cannot be had: %s", strerror(-peer->pidfd));
	peer->proc_fd = scd__procfs_open(peer->pid);
	ended.fd = peer->pidfd;
	if (poll(&ended, 1, 0) != 0) {
		close_if_open(&peer->proc_fd);
		return unverified(peer, "its process has ended");
	}
	return peer->proc_fd >= 0 || cannot_read(peer, "its folder in /proc", peer->proc_fd);
}

static bool is_same(const struct scd__namespaces *a, const struct scd__namespaces *b)
{
	return a->mount == b->mount && a->user == b->user;
}

/* As this process: false, too, when we may not look at it. */
static bool is_where(const char *process, const struct scd__namespaces *peer)
{
	struct scd__namespaces there;
	int fd = open(process, O_PATH | O_DIRECTORY | O_CLOEXEC);
	bool same = fd >= 0 && scd__procfs_namespaces(fd, &there) == 0 && is_same(&there, peer);

	close_if_open(&fd);
	return same;
}

/*
 * Whether its paths are the host's. We may be in namespaces of our own (a service manager's, a container's), so the
 * host's are ours or those of the first process.
 */
static bool is_on_host(struct scd__peer *peer)
{
	struct scd__namespaces namespaces;
	char root[PATH_MAX];
	ssize_t r = scd__procfs_namespaces(peer->proc_fd, &namespaces);

	if (r == 0)
		r = scd__procfs_link(peer->proc_fd, "root", root);
	if (r < 0)
		return cannot_read(peer, "where it is", r);
	if (strcmp(root, "/") == 0 && (is_where("/proc/self", &namespaces) || is_where("/proc/1", &namespaces)))
		return true;
	return unverified(peer, "it has other mounts, users or another root than the host");
}

/* Whoever may connect besides could tell any story, with files, mounts and memory of its own. */
static bool is_trusted_user(struct scd__peer *peer)
{
	return peer->uid == 0 || peer->uid == geteuid() ||
	       unverified(peer, "its user is neither root nor that of the daemon");
}

static int look_at_status(struct scd__peer *peer)
{
	char status[STATUS_BYTES];
	ssize_t len = scd__procfs_read(peer->proc_fd, "status", status, sizeof(status));
	int mode;

	if (len < 0) {
		cannot_read(peer, "its status", len);
		return (int)len;
	}
	mode = scd__procfs_seccomp((struct scd_str){ status, (size_t)len });
	if (mode == 0)
		return 0;
	unverified(peer, mode < 0 ? "the kernel does not tell whether it is confined"
	                          : "it is confined by seccomp, as gofers and sentries are");
	return -EACCES;
}

static int look_at_descriptors(struct scd__peer *peer)
{
	int r = scd__procfs_descriptors(peer->proc_fd, &peer->descriptors);

	if (r < 0)
		cannot_read(peer, "its list of descriptors", r);
	return r == -EACCES ? -EPERM : r;
}

int scd__peer_look_closer(struct scd__peer *peer)
{
	if (peer->looked_closer)
		return peer->look_error;
	peer->looked_closer = true;
	peer->look_error = peer->proc_fd < 0 ? -ESRCH : look_at_status(peer);
	if (!peer->look_error)
		peer->look_error = look_at_descriptors(peer);
	return peer->look_error;
}

/* Whether it is one of the files that the operator named. */
static bool is_listed(const struct scd__file *file, const struct scd__identity_options *options)
{
	struct scd__file listed;

	for (size_t i = 0; i < options->runsc_count; i++) {
		if (scd__procfs_file(AT_FDCWD, options->runsc_paths[i], &listed) == 0 &&
		    listed.device == file->device && listed.inode == file->inode)
			return true;
	}
	return false;
}

/*
 * Whether it is called runsc on the host, and nobody else can have written it. What the link says is not enough: it may
 * be a name that a mount of its own gave to another file, or one that is gone.
 */
static bool is_plausible(const struct scd__peer *peer, const struct scd__file *file)
{
	struct scd__file found;

	return scd_str_is(scd_str_basename(scd_str_from(peer->exe)), "runsc") &&
	       (file->owner == 0 || file->owner == geteuid()) && !(file->mode & (S_IWGRP | S_IWOTH)) &&
	       scd__procfs_find(peer->proc_fd, peer->exe, &found) == 0 && found.device == file->device &&
	       found.inode == file->inode;
}

static bool is_runsc(struct scd__peer *peer, const struct scd__identity_options *options)
{
	ssize_t len = scd__procfs_link(peer->proc_fd, "exe", peer->exe);
	struct scd__file file;
	int r;

	if (len < 0)
		return cannot_read(peer, "its executable", len);
	r = scd__procfs_file(peer->proc_fd, "exe", &file);
	if (r < 0)
		return cannot_read(peer, "its executable", r);
	if (options->runsc_count ? is_listed(&file, options) : is_plausible(peer, &file))
		return true;
	return unverified(peer, "its executable, %.64s, is not a runsc that is trusted", peer->exe);
}

/* Whether the folder that the file is in belongs to the user of the peer. */
static bool is_its_own(const struct scd__peer *peer, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct scd__file file;

	snprintf(folder, sizeof(folder), "%.*s/", slash ? (int)(slash - path) : 0, path);
	return scd__procfs_find(peer->proc_fd, folder, &file) == 0 && file.owner == peer->uid;
}

static bool take_lock(struct scd__peer *peer)
{
	struct scd__lock_name name;

	if (!scd__lock_name_parse(scd_str_from(peer->descriptors.lock), &name))
		return unverified(peer, "it holds no state lock of a sandbox");
	if (peer->descriptors.locks_differ)
		return unverified(peer, "it holds the state locks of more than one container");
	if (!is_its_own(peer, peer->descriptors.lock))
		return unverified(peer, "the folder of its state lock is not its user's");
	peer->runsc_root = name.root;
	peer->container_id = name.container_id;
	peer->sandbox_id = name.sandbox_id;
	return true;
}

/*
 * runsc takes the first letters of an id, too, and attaches to sandboxes only. A state file with the id in both
 * places shows that it is whole; and that root and id were found in the right arguments. runsc has just read that file,
 * so the kernel has the way to it at hand; a file system that forgets at once is one whose server we would wait for.
 */
static bool take_argument(struct scd__peer *peer, const struct scd__cmdline *cmdline)
{
	struct scd_str root = cmdline->root.len ? cmdline->root : SCD_STR(DEFAULT_ROOT);
	struct scd_str id = cmdline->container_id;
	char path[PATH_MAX];
	struct scd__file file;
	int len = snprintf(path, sizeof(path), SCD_STR_FMT "/" SCD_STR_FMT "_sandbox:" SCD_STR_FMT ".state",
	                   SCD_STR_ARG(root), SCD_STR_ARG(id), SCD_STR_ARG(id));

	if (len < 0 || (size_t)len >= sizeof(path) || path[0] != '/')
		return unverified(peer, "its --root is not an absolute path");
	if (scd__procfs_find(peer->proc_fd, path, &file) < 0 || file.owner != peer->uid || !is_its_own(peer, path))
		return unverified(peer, "there is no sandbox of exactly the id that it names, " SCD_STR_FMT,
		                  SCD_STR_ARG(id));
	peer->runsc_root = root;
	peer->container_id = peer->sandbox_id = id;
	return true;
}

static bool take_name(struct scd__peer *peer)
{
	ssize_t len = scd__procfs_read(peer->proc_fd, "cmdline", peer->arguments, sizeof(peer->arguments));
	struct scd__cmdline cmdline;

	if (len < 0)
		return cannot_read(peer, "its command line", len);
	scd__cmdline_parse((struct scd_str){ peer->arguments, (size_t)len }, &cmdline);
	peer->subcommand = cmdline.subcommand;
	switch (cmdline.naming) {
	case SCD__NAMING_LOCK: return take_lock(peer);
	case SCD__NAMING_ARGUMENT: return take_argument(peer, &cmdline);
	default: break;
	}
	return unverified(peer, "its command, '" SCD_STR_FMT "', is not one that connects",
	                  SCD_STR_ARG(cmdline.subcommand));
}

void scd__peer_identify(int fd, const struct scd__identity_options *options, struct scd__peer *ret_peer)
{
	struct scd__peer *peer = ret_peer;

	*peer = (struct scd__peer){ .pidfd = -1, .proc_fd = -1 };
	peer->verified = open_process(fd, peer) && is_trusted_user(peer) && is_on_host(peer) &&
	                 is_runsc(peer, options) && scd__peer_look_closer(peer) == 0 && take_name(peer);
}

void scd__peer_done(struct scd__peer *peer)
{
	close_if_open(&peer->pidfd);
	close_if_open(&peer->proc_fd);
}
