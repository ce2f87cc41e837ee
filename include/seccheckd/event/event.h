/*
 * The decoded event: one message of a sandbox as a plain struct.
 *
 * Life cycle: decode fills a caller's struct from one message; it and all it borrows (spans into the message, objects
 * in the scratch arena) are dead when the next message is decoded. No protobuf type appears here.
 *
 * ABSENT: proto3 scalars have no presence, so a 0 may mean "0" or "not asked for". `has` tells which parts of the
 * *context* the message carried in any form; strings are absent when empty. What the session was configured to send
 * decides the rest.
 *
 * One struct for all messages: `point` says which message it was, and with it which members of the union `u` hold.
 * Names of members are those of gVisor's messages (pkg/sentry/seccheck/points).
 */
#ifndef SECCHECKD_EVENT_EVENT_H
#define SECCHECKD_EVENT_EVENT_H

#include "seccheckd/base/str.h"
#include "seccheckd/event/kind.h"

/*
 * X(number, ENUM, "gVisor's point name"): MessageType of common.proto, August 2026. A system call point has the name
 * of the first system call that uses its message; which one it was follows from sysno.
 */
#define SCD_POINT_TABLE(X)                                            \
	X(1, CONTAINER_START, "container/start")                      \
	X(2, SENTRY_CLONE, "sentry/clone")                            \
	X(3, SENTRY_EXEC, "sentry/execve")                            \
	X(4, SENTRY_EXIT_NOTIFY_PARENT, "sentry/exit_notify_parent")  \
	X(5, SENTRY_TASK_EXIT, "sentry/task_exit")                    \
	X(6, SYSCALL_RAW, "syscall/sysno")                            \
	X(7, SYSCALL_OPEN, "syscall/openat")                          \
	X(8, SYSCALL_CLOSE, "syscall/close")                          \
	X(9, SYSCALL_READ, "syscall/read")                            \
	X(10, SYSCALL_CONNECT, "syscall/connect")                     \
	X(11, SYSCALL_EXECVE, "syscall/execve")                       \
	X(12, SYSCALL_SOCKET, "syscall/socket")                       \
	X(13, SYSCALL_CHDIR, "syscall/chdir")                         \
	X(14, SYSCALL_SETID, "syscall/setid")                         \
	X(15, SYSCALL_SETRESID, "syscall/setresid")                   \
	X(16, SYSCALL_PRLIMIT64, "syscall/prlimit64")                 \
	X(17, SYSCALL_PIPE, "syscall/pipe")                           \
	X(18, SYSCALL_FCNTL, "syscall/fcntl")                         \
	X(19, SYSCALL_DUP, "syscall/dup")                             \
	X(20, SYSCALL_SIGNALFD, "syscall/signalfd")                   \
	X(21, SYSCALL_CHROOT, "syscall/chroot")                       \
	X(22, SYSCALL_EVENTFD, "syscall/eventfd")                     \
	X(23, SYSCALL_CLONE, "syscall/clone")                         \
	X(24, SYSCALL_BIND, "syscall/bind")                           \
	X(25, SYSCALL_ACCEPT, "syscall/accept")                       \
	X(26, SYSCALL_TIMERFD_CREATE, "syscall/timerfd_create")       \
	X(27, SYSCALL_TIMERFD_SETTIME, "syscall/timerfd_settime")     \
	X(28, SYSCALL_TIMERFD_GETTIME, "syscall/timerfd_gettime")     \
	X(29, SYSCALL_FORK, "syscall/fork")                           \
	X(30, SYSCALL_INOTIFY_INIT, "syscall/inotify_init")           \
	X(31, SYSCALL_INOTIFY_ADD_WATCH, "syscall/inotify_add_watch") \
	X(32, SYSCALL_INOTIFY_RM_WATCH, "syscall/inotify_rm_watch")   \
	X(33, SYSCALL_SOCKETPAIR, "syscall/socketpair")               \
	X(34, SYSCALL_WRITE, "syscall/write")                         \
	X(35, SENTRY_MMAP, "sentry/mmap")                             \
	X(36, SYSCALL_MMAP, "syscall/mmap")                           \
	X(37, SYSCALL_LISTEN, "syscall/listen")                       \
	X(38, SYSCALL_PTRACE, "syscall/ptrace")

enum scd_point {
	SCD_POINT_UNKNOWN = 0,
#define X(number, id, name) SCD_POINT_##id = (number),
	SCD_POINT_TABLE(X) SCD_POINT_COUNT
};
#undef X

/* gVisor's name of the point ("syscall/openat"), "unknown" for numbers that are none. */
const char *scd_point_name(unsigned point);

/* Bits of scd_context.has. */
enum {
	SCD_HAS_CONTEXT = 1 << 0,
	SCD_HAS_CREDENTIALS = 1 << 1,
	SCD_HAS_PARENT = 1 << 2,       /* parent_thread_group_id was on the wire (never from a runsc before 2026) */
	SCD_HAS_EXEC_SESSION = 1 << 3, /* is_exec_session was on the wire, i.e. is true */
};

struct scd_credentials {
	uint32_t real_uid, effective_uid, saved_uid;
	uint32_t real_gid, effective_gid, saved_gid;
};

/*
 * ContextData. For sentry/execve it is that of *before* the exec. Ids are those of the sandbox's root pid namespace.
 * 0: not known.
 */
struct scd_context {
	int64_t time_ns; /* since the epoch */
	int64_t thread_start_time_ns;
	int64_t thread_group_start_time_ns;
	int32_t thread_id;
	int32_t thread_group_id;
	int32_t parent_thread_group_id;
	uint32_t has;
	struct scd_credentials credentials;
	struct scd_str container_id;
	struct scd_str cwd;
	struct scd_str process_name;
	bool is_exec_session;
};

/* A repeated string: argv, env. The items are in the scratch arena, their bytes in the message. */
struct scd_strings {
	const struct scd_str *items;
	size_t count;
};

/* As the sandbox's kernel reported it: any values. */
struct scd_timespec {
	int64_t sec, nsec;
};

/* Nanoseconds; 0 ("not known") for values that do not fit. */
static inline int64_t scd_timespec_ns(struct scd_timespec time)
{
	int64_t ns;
	if (__builtin_mul_overflow(time.sec, (int64_t)1000000000, &ns) || __builtin_add_overflow(ns, time.nsec, &ns))
		return 0;
	return ns;
}

struct scd_socket_ip {
	uint32_t family; /* AF_* of Linux */
	struct scd_str ip;
	uint32_t port;
};

struct scd_fd_info {
	bool present;
	uint32_t mode;
	uint64_t ino;
	struct scd_str path;
	bool has_socket;
	uint32_t socket_family;
	struct scd_socket_ip local, remote;
};

struct scd_event {
	/*
	 * Set by the pipeline: which message of its connection this was, from 1 (counts every message, also unknown
	 * ones).
	 */
	uint64_t sequence;

	enum scd_point point;
	unsigned kind;  /* enum scd_kind or a system call number; SCD_KIND_NONE when rules do not see it */
	bool truncated; /* a limit on content was hit: head and tail are here, the middle is not */
	struct scd_context context;

	/* System calls. has_exit tells the exit point from the enter point; errorno is positive as on the wire. */
	bool has_exit;
	int64_t exit_result;
	int64_t exit_errorno;
	uint64_t sysno;
	int64_t fd; /* the message's own fd: dirfd of openat, listening fd of accept, …; -1 where there is none */
	struct scd_str fd_path; /* optional field of most messages: path behind fd */

	union {
		struct {
			struct scd_str id, cwd;
			struct scd_strings args, env;
			bool terminal;
		} start;
		struct {
			int32_t created_thread_id, created_thread_group_id;
			int64_t created_thread_start_time_ns;
			uint64_t flags;
		} clone_info;
		struct {
			struct scd_str binary_path, execfn;
			struct scd_strings argv, env;
			uint32_t binary_mode, binary_uid, binary_gid, binary_nlink;
			uint64_t binary_ino;
			int64_t binary_size;
			struct scd_timespec binary_ctime;
			struct scd_str binary_sha256, binary_sha1;
			bool binary_overlayfs_upper, binary_overlayfs_lower, binary_in_memfd;
			struct scd_fd_info stdin_info, stdout_info, stderr_info;
			int32_t pipe_input_tgid, pipe_output_tgid; /* process at the other end; 0 unknown */
		} exec;
		struct {
			int32_t exit_status;
		} task_exit;
		struct {
			uint64_t args[6];
		} raw;
		struct {
			struct scd_str pathname;
			uint32_t flags, mode;
		} open;
		struct {
			uint64_t count;
			bool has_offset;
			int64_t offset;
			uint32_t flags;
		} io;
		struct {
			struct scd_str address; /* raw sockaddr of connect, bind, accept (the peer's), listen */
			int32_t flags;          /* accept4 */
		} connect;
		struct {
			struct scd_str pathname;
			struct scd_strings argv, envv;
			uint32_t flags;
		} execve;
		struct {
			int32_t domain, type, protocol;
			int32_t socket1, socket2; /* socketpair */
		} socket;
		struct {
			struct scd_str pathname;
		} chdir;
		struct {
			uint32_t id;
		} setid;
		struct {
			uint32_t rid, eid, sid;
		} setresid;
		struct {
			int32_t pid;
			int64_t resource;
			bool has_new_limit, has_old_limit;
			uint64_t new_cur, new_max, old_cur, old_max;
		} prlimit;
		struct {
			uint32_t flags;
			int32_t reader, writer;
		} pipe;
		struct {
			int32_t cmd;
			int64_t args;
		} fcntl;
		struct {
			int32_t new_fd; /* the old one is `fd` */
			uint32_t flags;
		} dup;
		struct {
			uint64_t sigset;
			int32_t flags;
		} signalfd;
		struct {
			int32_t val;
			uint32_t flags;
		} eventfd;
		struct {
			uint64_t flags, stack, new_tid, tls;
		} clone;
		struct {
			int32_t clock_id, flags;
			struct scd_timespec new_interval, new_value, old_interval,
			        old_value; /* gettime: cur_value is new_* */
		} timerfd;
		struct {
			struct scd_str pathname;
			int32_t flags, wd;
			uint32_t mask;
		} inotify;
		struct {
			struct scd_str mapped_path;
			uint64_t mapped_ino;
			uint32_t mapped_mode, mapped_uid, mapped_gid;
			struct scd_timespec mapped_ctime;
			bool is_initial_mmap, overlayfs_upper, overlayfs_lower;
		} mmap_info;
		struct {
			uint64_t addr, length;
			uint32_t prot, flags;
			int64_t offset;
		} mmap;
		struct {
			struct scd_str address;
			int32_t backlog, socket_family, socket_type;
		} listen;
		struct {
			int64_t request;
			int32_t pid;
		} ptrace;
		char none;
	} u;
};

/*
 * Whether the program of a sentry/execve lies in memory only. The message says so since 2026; of an older runsc its
 * path does, which is `/memfd:NAME (deleted)`.
 */
bool scd_event_is_from_memfd(const struct scd_event *event);

#endif
