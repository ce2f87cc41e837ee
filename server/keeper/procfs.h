/*
 * What /proc says about one process, in bounded portions. Inside server/keeper only.
 *
 * Everything is read through a descriptor of the folder /proc/PID, which stands for that process and no later one
 * with the same number: once it has ended, reading gives -ESRCH. Nothing here waits for a disk or a server; the command
 * line is in memory of the process, which may be a mapped file, and may be waited for.
 */
#ifndef SCD_SERVER_KEEPER_PROCFS_H
#define SCD_SERVER_KEEPER_PROCFS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/base/str.h"

/* A descriptor of /proc/PID, or negative errno. */
int scd__procfs_open(pid_t pid);

/* Up to `size` bytes from the start of a file: how many, or negative errno. */
ssize_t scd__procfs_read(int proc_fd, const char *name, char *buffer, size_t size);

/* Where a link points to, NUL-terminated: its length, or negative errno; -ENAMETOOLONG for one that does not fit. */
ssize_t scd__procfs_link(int proc_fd, const char *name, char ret_path[PATH_MAX]);

/* Files behind links: which file, whose. */
struct scd__file {
	dev_t device;
	ino_t inode;
	uid_t owner;
	mode_t mode;
};

/* The file that a path (from folder_fd on, as openat(2) has it) leads to. 0 or negative errno. */
int scd__procfs_file(int folder_fd, const char *path, struct scd__file *ret_file);

/*
 * The file at an absolute path, as the process sees it: links on the way do not lead out of its root. Only what the
 * kernel has at hand is looked at: -EAGAIN when a file system would have to be asked, and that there is no such file
 * is mostly not at hand. 0 or negative errno; -EINVAL before Linux 5.12.
 */
int scd__procfs_find(int proc_fd, const char *path, struct scd__file *ret_file);

/* Where a process is: what tells namespaces of one kind apart. */
struct scd__namespaces {
	ino_t mount, user;
};

/* 0 or negative errno. */
int scd__procfs_namespaces(int proc_fd, struct scd__namespaces *ret_namespaces);

/* The mode in the line `Seccomp:` of /proc/PID/status: 0 off, 1 strict, 2 filter; -1: there is no such line. */
int scd__procfs_seccomp(struct scd_str status);

/* What is behind the first SCD_LIMIT_PEER_DESCRIPTORS open descriptors. */
struct scd__descriptors {
	struct {
		int number;
		ino_t inode;
	} sockets[SCD_LIMIT_PEER_DESCRIPTORS];
	size_t socket_count;
	char lock[PATH_MAX]; /* a state lock of runsc (cmdline.h); empty: there is none */
	bool locks_differ;   /* there is another one */
};

/* 0 or negative errno. */
int scd__procfs_descriptors(int proc_fd, struct scd__descriptors *ret_descriptors);

#endif
