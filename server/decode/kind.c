/*
 * Which event a message is for rules. The reasons are in the header.
 */
#include "seccheckd/decode/decode.h"

#define SYSCALL_READ 0u

/*
 * The system call of a point whose message does not say which one it was: the one that the point is named after, and
 * setuid for setid.
 */
static const uint16_t usual_calls[SCD_POINT_COUNT] = {
	[SCD_POINT_SYSCALL_OPEN] = SCD_KIND_OPENAT,
	[SCD_POINT_SYSCALL_CLOSE] = 3,
	[SCD_POINT_SYSCALL_READ] = SYSCALL_READ,
	[SCD_POINT_SYSCALL_CONNECT] = SCD_KIND_CONNECT,
	[SCD_POINT_SYSCALL_EXECVE] = SCD_KIND_EXECVE,
	[SCD_POINT_SYSCALL_SOCKET] = 41,
	[SCD_POINT_SYSCALL_CHDIR] = 80,
	[SCD_POINT_SYSCALL_SETID] = 105,
	[SCD_POINT_SYSCALL_SETRESID] = 117,
	[SCD_POINT_SYSCALL_PRLIMIT64] = 302,
	[SCD_POINT_SYSCALL_PIPE] = 22,
	[SCD_POINT_SYSCALL_FCNTL] = 72,
	[SCD_POINT_SYSCALL_DUP] = 32,
	[SCD_POINT_SYSCALL_SIGNALFD] = 282,
	[SCD_POINT_SYSCALL_CHROOT] = 161,
	[SCD_POINT_SYSCALL_EVENTFD] = 284,
	[SCD_POINT_SYSCALL_CLONE] = SCD_KIND_CLONE,
	[SCD_POINT_SYSCALL_BIND] = 49,
	[SCD_POINT_SYSCALL_ACCEPT] = 43,
	[SCD_POINT_SYSCALL_TIMERFD_CREATE] = 283,
	[SCD_POINT_SYSCALL_TIMERFD_SETTIME] = 286,
	[SCD_POINT_SYSCALL_TIMERFD_GETTIME] = 287,
	[SCD_POINT_SYSCALL_FORK] = 57,
	[SCD_POINT_SYSCALL_INOTIFY_INIT] = 253,
	[SCD_POINT_SYSCALL_INOTIFY_ADD_WATCH] = 254,
	[SCD_POINT_SYSCALL_INOTIFY_RM_WATCH] = 255,
	[SCD_POINT_SYSCALL_SOCKETPAIR] = 53,
	[SCD_POINT_SYSCALL_WRITE] = 1,
	[SCD_POINT_SYSCALL_MMAP] = 9,
	[SCD_POINT_SYSCALL_LISTEN] = 50,
	[SCD_POINT_SYSCALL_PTRACE] = 101,
};

static bool is_named_call(uint64_t sysno)
{
	return sysno < SCD_KIND_SYSCALL_COUNT && scd_kind_name((unsigned)sysno).len > 0;
}

static unsigned kind_of_call(unsigned point, uint64_t sysno)
{
	if (point == SCD_POINT_SYSCALL_RAW)
		return is_named_call(sysno) ? (unsigned)sysno : SCD_KIND_NONE;
	return sysno != 0 && is_named_call(sysno) ? (unsigned)sysno : usual_calls[point];
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
	case SCD_POINT_SENTRY_MMAP: return usual_calls[SCD_POINT_SYSCALL_MMAP];
	case SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT:
	case SCD_POINT_UNKNOWN: return SCD_KIND_NONE;
	default: break;
	}
	if (point >= SCD_POINT_COUNT || !has_exit)
		return SCD_KIND_NONE;
	kind = kind_of_call(point, sysno);
	return is_exec(kind) && exit_errorno == 0 ? SCD_KIND_NONE : kind;
}
