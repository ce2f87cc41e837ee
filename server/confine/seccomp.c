/*
 * seccomp: which system calls are left.
 *
 * A list of what is allowed: what libuv, glibc with threads and name look-ups, and libcurl with OpenSSL call. All else
 * fails with EPERM, as for a program that may not; where a library tries a new call and falls back to an older one,
 * with ENOSYS, as on an older kernel; and what no part of this program ever calls, and who has taken it over would,
 * ends the process at once (SIGSYS, signal 31).
 *
 * Allowed without a look at the arguments are only calls that work on what the process has. The kernel remembers that
 * of such calls and runs no filter for them, so reading messages costs what it did. Arguments behind pointers cannot be
 * looked at: hence ENOSYS for clone3, whose flags are there, and Landlock for paths and addresses.
 *
 * libseccomp writes the filter, because a filter is written for one architecture with its numbers, calling conventions
 * and second ABI (x32), and a mistake in that is an open door; the tables here are the same for all.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/layers.h"
#include "seccheckd/base/array.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

#define CALL(name) SCMP_SYS(name)

static const int allowed[] = {
	/* descriptors */
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(pread64),
	CALL(lseek),
	CALL(close),
	CALL(dup),
	CALL(dup3),
	CALL(pipe2),
	CALL(poll),
	CALL(ppoll),
	CALL(select),
	CALL(pselect6),
	CALL(epoll_create1),
	CALL(epoll_ctl),
	CALL(epoll_wait),
	CALL(epoll_pwait),
	CALL(eventfd2),
	CALL(timerfd_create),
	CALL(timerfd_settime),
	CALL(timerfd_gettime),

	/* files: which ones is Landlock's to say */
	CALL(open),
	CALL(openat),
	CALL(stat),
	CALL(lstat),
	CALL(fstat),
	CALL(newfstatat),
	CALL(statx),
	CALL(access),
	CALL(faccessat),
	CALL(faccessat2),
	CALL(readlink),
	CALL(readlinkat),

	/* sockets: not listen, nor accept, nor shutdown, which would end a sandbox's connection for the keeper too */
	CALL(connect),
	CALL(bind),
	CALL(recvfrom),
	CALL(recvmsg),
	CALL(recvmmsg),
	CALL(getsockname),
	CALL(getpeername),
	CALL(getsockopt),
	CALL(setsockopt),

	/* memory and threads */
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	CALL(futex),
	CALL(set_robust_list),
	CALL(rseq),
	CALL(sched_yield),
	CALL(sched_getaffinity),
	CALL(getcpu),
	CALL(gettid),
	CALL(getpid),
	CALL(exit),
	CALL(exit_group),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(rt_sigtimedwait),
	CALL(sigaltstack),
	CALL(restart_syscall),
	CALL(membarrier),

	/* time and facts */
	CALL(clock_gettime),
	CALL(clock_getres),
	CALL(clock_nanosleep),
	CALL(nanosleep),
	CALL(gettimeofday),
	CALL(time),
	CALL(getrandom),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(getppid),
	CALL(getrlimit),
	CALL(getrusage),
	CALL(sysinfo),
	CALL(uname),
};

/*
 * What changes files otherwise than by writing at their end: for who has folders to write in. Who has none has what was
 * opened before, for appending, and past alerts are not its to change.
 */
static const int for_folders[] = {
	CALL(pwrite64),  CALL(pwritev),   CALL(unlink),    CALL(unlinkat), CALL(rename),    CALL(renameat),
	CALL(renameat2), CALL(ftruncate), CALL(fallocate), CALL(fsync),    CALL(fdatasync), CALL(flock),
};

/* Tried by libuv and glibc, of this or a later version, which then do without. */
static const int not_there[] = {
	CALL(clone3),         CALL(close_range),       CALL(epoll_pwait2),   CALL(openat2),          CALL(pidfd_open),
	CALL(io_uring_setup), CALL(io_uring_register), CALL(io_uring_enter), CALL(process_mrelease),
};

static const int deadly[] = {
	/* another program, another process */
	CALL(execve),
	CALL(execveat),
	CALL(fork),
	CALL(vfork),
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(process_madvise),
	CALL(kcmp),
	CALL(pidfd_getfd),
	CALL(pidfd_send_signal),

	/* another place */
	CALL(unshare),
	CALL(setns),
	CALL(chroot),
	CALL(pivot_root),
	CALL(mount),
	CALL(umount2),
	CALL(move_mount),
	CALL(open_tree),
	CALL(fsopen),
	CALL(fsconfig),
	CALL(fsmount),
	CALL(fspick),
	CALL(mount_setattr),
	CALL(open_by_handle_at),
	CALL(name_to_handle_at),

	/* the kernel's wide and dark corners */
	CALL(bpf),
	CALL(perf_event_open),
	CALL(userfaultfd),
	CALL(keyctl),
	CALL(add_key),
	CALL(request_key),
	CALL(personality),
	CALL(modify_ldt),
	CALL(lookup_dcookie),
	CALL(uselib),
	CALL(vmsplice),

	/* the machine */
	CALL(init_module),
	CALL(finit_module),
	CALL(delete_module),
	CALL(kexec_load),
	CALL(kexec_file_load),
	CALL(reboot),
	CALL(swapon),
	CALL(swapoff),
	CALL(acct),
	CALL(quotactl),
	CALL(syslog),
	CALL(iopl),
	CALL(ioperm),
	CALL(settimeofday),
	CALL(clock_settime),
	CALL(adjtimex),
	CALL(clock_adjtime),
	CALL(sethostname),
	CALL(setdomainname),
};

/* A call that is allowed if (argument & mask) == value. A mask of 0 is all bits. */
struct condition {
	int call;
	unsigned argument;
	uint64_t mask, value;
};

static const struct condition conditions[] = {
	/* memory is never executable that was not so from the start */
	{ CALL(mmap), 2, PROT_EXEC, 0 },
	{ CALL(mprotect), 2, PROT_EXEC, 0 },

	/* threads only */
	{ CALL(clone), 0, CLONE_THREAD, CLONE_THREAD },

	/* connecting by sending, which Landlock does not see */
	{ CALL(sendto), 3, MSG_FASTOPEN, 0 },
	{ CALL(sendmsg), 2, MSG_FASTOPEN, 0 },
	{ CALL(sendmmsg), 3, MSG_FASTOPEN, 0 },
	{ CALL(socketpair), 0, 0, AF_UNIX },

	{ CALL(fcntl), 1, 0, F_GETFD },
	{ CALL(fcntl), 1, 0, F_SETFD },
	{ CALL(fcntl), 1, 0, F_GETFL },
	/* not F_SETFL, which would take O_APPEND away; FIONBIO does what it is mostly for */
	{ CALL(fcntl), 1, 0, F_DUPFD_CLOEXEC },
	{ CALL(fcntl), 1, 0, F_ADD_SEALS },
	{ CALL(fcntl), 1, 0, F_GET_SEALS },
	{ CALL(ioctl), 1, 0, FIONREAD },
	{ CALL(ioctl), 1, 0, FIONBIO },
	{ CALL(ioctl), 1, 0, FIOCLEX },
	{ CALL(ioctl), 1, 0, TCGETS }, /* isatty */
	{ CALL(prctl), 0, 0, PR_SET_NAME },
	{ CALL(prctl), 0, 0, PR_GET_NAME },
	{ CALL(prctl), 0, 0, PR_SET_VMA }, /* a name for anonymous memory, by later versions of glibc */
};

/* Families, types (without SOCK_CLOEXEC and SOCK_NONBLOCK) and protocols of new sockets. */
static const struct {
	int family, type, protocol;
} sockets[] = {
	{ AF_UNIX, SOCK_STREAM, 0 },
	{ AF_INET, SOCK_STREAM, 0 },
	{ AF_INET, SOCK_STREAM, IPPROTO_TCP },
	{ AF_INET, SOCK_DGRAM, 0 },
	{ AF_INET, SOCK_DGRAM, IPPROTO_UDP },
	{ AF_INET6, SOCK_STREAM, 0 },
	{ AF_INET6, SOCK_STREAM, IPPROTO_TCP },
	{ AF_INET6, SOCK_DGRAM, 0 },
	{ AF_INET6, SOCK_DGRAM, IPPROTO_UDP },
	{ AF_NETLINK, SOCK_RAW, NETLINK_ROUTE }, /* getaddrinfo asks which addresses there are */
};

#define TYPE_FLAGS ((uint64_t)(SOCK_CLOEXEC | SOCK_NONBLOCK))

static int add_calls(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int r = seccomp_rule_add(filter, action, calls[i], 0);

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_conditions(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < SCD_COUNT(conditions); i++) {
		const struct condition *it = &conditions[i];
		/* Numbers are 32 bits in the kernel, which does not look at what a register has above them. */
		const uint64_t mask = it->mask ? it->mask : UINT32_MAX;
		int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, it->call, 1,
		                         SCMP_CMP64(it->argument, SCMP_CMP_MASKED_EQ, mask, it->value));

		if (r < 0)
			return r;
	}
	return 0;
}

static int add_sockets(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < SCD_COUNT(sockets); i++) {
		const uint64_t type_mask = UINT32_MAX & ~TYPE_FLAGS;
		int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(socket), 3,
		                         SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)sockets[i].family),
		                         SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, type_mask, (uint64_t)sockets[i].type),
		                         SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)sockets[i].protocol));

		if (r < 0)
			return r;
	}
	return 0;
}

/* To itself only: abort(3). Its limits may be asked for, and not those of others, nor changed. */
static int add_own(scmp_filter_ctx filter)
{
	int r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(tgkill), 1,
	                         SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, UINT32_MAX, (uint64_t)getpid()));

	if (r < 0)
		return r;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, CALL(prlimit64), 2,
	                        SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, UINT32_MAX, 0),
	                        SCMP_CMP64(2, SCMP_CMP_MASKED_EQ, UINT64_MAX, 0));
}

/*
 * SCMP_FLTATR_CTL_OPTIMIZE 2: calls are found by halves, not one after the other. SCMP_FLTATR_API_SYSRAWRC: errors are
 * those of the kernel.
 */
static int set_attributes(scmp_filter_ctx filter)
{
	int r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	return r;
}

static int install(scmp_filter_ctx filter, bool has_folders)
{
	int r = set_attributes(filter);

	if (r == 0)
		r = add_calls(filter, SCMP_ACT_ALLOW, allowed, SCD_COUNT(allowed));
	if (r == 0 && has_folders)
		r = add_calls(filter, SCMP_ACT_ALLOW, for_folders, SCD_COUNT(for_folders));
	if (r == 0)
		r = add_calls(filter, SCMP_ACT_ERRNO(ENOSYS), not_there, SCD_COUNT(not_there));
	if (r == 0)
		r = add_calls(filter, SCMP_ACT_KILL_PROCESS, deadly, SCD_COUNT(deadly));
	if (r == 0)
		r = add_conditions(filter);
	if (r == 0)
		r = add_sockets(filter);
	if (r == 0)
		r = add_own(filter);
	return r == 0 ? seccomp_load(filter) : r;
}

/* What the kernel says to a filter that is nowhere: EFAULT, if it has filters. */
static int ask_kernel(void)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL) < 0 ? errno : EPROTO;
}

int scd__confine_seccomp(const struct scd_confinement *wanted, struct scd_confined *done, struct scd_error *err)
{
	int answer = SCD__CONFINE_SANITIZED ? 0 : ask_kernel();
	scmp_filter_ctx filter;
	int r;

	if (SCD__CONFINE_SANITIZED || answer == ENOSYS || answer == EINVAL) {
		scd__confine_lacks(done, SCD_CONFINE_SECCOMP, "seccomp (%s)",
		                   SCD__CONFINE_SANITIZED ? "this build has a sanitizer" : "the kernel has none");
		return 0;
	}
	if (answer != EFAULT)
		return scd_error_set(err, -answer, "seccomp takes no filter: %s", strerror(answer));
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	r = filter ? install(filter, wanted->write_folder_count > 0) : -ENOMEM;
	seccomp_release(filter);
	if (r < 0)
		return scd_error_set(err, r, "seccomp takes no filter: %s", strerror(-r));
	scd__confine_did(done, SCD_CONFINE_SECCOMP, "seccomp");
	return 0;
}
