/*
 * Which event a message is for rules. The reasons are in the header.
 */
#include "seccheckd/decode/decode.h"

#define MOST_CALLS 6u

/*
 * The system calls whose points send each message, x86-64. The first is the call of a message that does not say which
 * one it was, or names one that does not belong here (an arm64 sandbox has other numbers; a hostile one has any): what
 * a message is, its type decides, and the number only tells apart those that share the type.
 */
static const struct calls {
	uint16_t count;
	uint16_t numbers[MOST_CALLS];
} calls[SCD_POINT_COUNT] = {
	[SCD_POINT_SYSCALL_OPEN] = { 3, { SCD_KIND_OPENAT, SCD_KIND_OPEN, SCD_KIND_CREAT } },
	[SCD_POINT_SYSCALL_CLOSE] = { 1, { 3 } },
	[SCD_POINT_SYSCALL_READ] = { 5, { SCD_KIND_READ, 17, 19, 295, 327 } }, /* pread64 readv preadv preadv2 */
	[SCD_POINT_SYSCALL_CONNECT] = { 1, { SCD_KIND_CONNECT } },
	[SCD_POINT_SYSCALL_EXECVE] = { 2, { SCD_KIND_EXECVE, SCD_KIND_EXECVEAT } },
	[SCD_POINT_SYSCALL_SOCKET] = { 1, { 41 } },
	[SCD_POINT_SYSCALL_CHDIR] = { 2, { 80, 81 } },        /* fchdir */
	[SCD_POINT_SYSCALL_SETID] = { 3, { 105, 106, 112 } }, /* setuid setgid setsid */
	[SCD_POINT_SYSCALL_SETRESID] = { 2, { 117, 119 } },   /* setresuid setresgid */
	[SCD_POINT_SYSCALL_PRLIMIT64] = { 1, { 302 } },
	[SCD_POINT_SYSCALL_PIPE] = { 2, { 22, 293 } }, /* pipe2 */
	[SCD_POINT_SYSCALL_FCNTL] = { 1, { 72 } },
	[SCD_POINT_SYSCALL_DUP] = { 3, { 32, 33, 292 } },   /* dup2 dup3 */
	[SCD_POINT_SYSCALL_SIGNALFD] = { 2, { 282, 289 } }, /* signalfd4 */
	[SCD_POINT_SYSCALL_CHROOT] = { 1, { 161 } },
	[SCD_POINT_SYSCALL_EVENTFD] = { 2, { 284, 290 } }, /* eventfd2 */
	[SCD_POINT_SYSCALL_CLONE] = { 1, { SCD_KIND_CLONE } },
	[SCD_POINT_SYSCALL_BIND] = { 1, { 49 } },
	[SCD_POINT_SYSCALL_ACCEPT] = { 2, { 43, 288 } }, /* accept4 */
	[SCD_POINT_SYSCALL_TIMERFD_CREATE] = { 1, { 283 } },
	[SCD_POINT_SYSCALL_TIMERFD_SETTIME] = { 1, { 286 } },
	[SCD_POINT_SYSCALL_TIMERFD_GETTIME] = { 1, { 287 } },
	[SCD_POINT_SYSCALL_FORK] = { 2, { 57, 58 } },           /* vfork */
	[SCD_POINT_SYSCALL_INOTIFY_INIT] = { 2, { 253, 294 } }, /* inotify_init1 */
	[SCD_POINT_SYSCALL_INOTIFY_ADD_WATCH] = { 1, { 254 } },
	[SCD_POINT_SYSCALL_INOTIFY_RM_WATCH] = { 1, { 255 } },
	[SCD_POINT_SYSCALL_SOCKETPAIR] = { 1, { 53 } },
	[SCD_POINT_SYSCALL_WRITE] = { 5, { 1, 18, 20, 296, 328 } }, /* pwrite64 writev pwritev pwritev2 */
	[SCD_POINT_SYSCALL_MMAP] = { 1, { 9 } },
	[SCD_POINT_SYSCALL_LISTEN] = { 1, { 50 } },
	[SCD_POINT_SYSCALL_PTRACE] = { 1, { 101 } },
};

static bool is_named_call(uint64_t sysno)
{
	return sysno < SCD_KIND_SYSCALL_COUNT && scd_kind_name((unsigned)sysno).len > 0;
}

/* Calls whose raw points only show that the decoded ones tell everything (scd_sandbox_witness). */
static bool is_witness(uint64_t sysno)
{
	return sysno == SCD_KIND_EXECVE || sysno == SCD_KIND_EXECVEAT || sysno == SCD_KIND_CONNECT;
}

static unsigned kind_of_call(unsigned point, uint64_t sysno)
{
	if (point == SCD_POINT_SYSCALL_RAW)
		return is_named_call(sysno) && !is_witness(sysno) ? (unsigned)sysno : SCD_KIND_NONE;
	for (unsigned i = 1; i < calls[point].count; i++)
		if (calls[point].numbers[i] == sysno)
			return (unsigned)sysno;
	return calls[point].numbers[0];
}

static bool is_exec(unsigned kind)
{
	return kind == SCD_KIND_EXECVE || kind == SCD_KIND_EXECVEAT;
}

unsigned scd_decode_kind(unsigned point, uint64_t sysno, bool has_exit, int64_t exit_errorno)
{
	unsigned kind;

	switch (point) {
	case SCD_POINT_CONTAINER_START:
	case SCD_POINT_SENTRY_EXEC: return SCD_KIND_EXECVE;
	case SCD_POINT_SENTRY_CLONE: return SCD_KIND_CLONE;
	case SCD_POINT_SENTRY_TASK_EXIT: return SCD_KIND_PROCEXIT;
	case SCD_POINT_SENTRY_MMAP: return calls[SCD_POINT_SYSCALL_MMAP].numbers[0];
	case SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT:
	case SCD_POINT_UNKNOWN: return SCD_KIND_NONE;
	default: break;
	}
	if (point >= SCD_POINT_COUNT || !has_exit)
		return SCD_KIND_NONE;
	kind = kind_of_call(point, sysno);
	return is_exec(kind) && exit_errorno == 0 ? SCD_KIND_NONE : kind;
}
