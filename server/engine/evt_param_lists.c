/*
 * Which parameters each event has, and where their values come from.
 *
 * The lists follow Falco's event table, in its order; a parameter that no message tells is there all the same, and
 * empty. A raw point tells numbers only, so that what is a text elsewhere is empty or, where nothing would be left,
 * the event has no list.
 */
#include <stddef.h>

#include "engine/actor.h"
#include "engine/evt_params.h"
#include "engine/field_getters.h"
#include "engine/result.h"
#include "seccheckd/base/array.h"

/* Values that no field gives. */

static SCD__GETTER(get_result)
{
	int64_t result;
	return scd__result_of(view->event, &result) && scd__give_i64(result, ret_value);
}

/* argv[1..] as the kernel keeps it: a NUL behind each. */
static bool give_packed(const struct scd_view *view, struct scd__words words, struct scd_value *ret_value)
{
	return scd__words_pack(view, words, ret_value) && ret_value->text.len > 0;
}

static SCD__GETTER(get_args)
{
	struct scd__actor actor;
	return scd__actor_self(view, &actor) && actor.has_argv &&
	       give_packed(view, scd__actor_arg_words(&actor), ret_value);
}

static SCD__GETTER(get_env)
{
	struct scd__actor actor;
	return scd__actor_self(view, &actor) && actor.has_env && give_packed(view, actor.env, ret_value);
}

static SCD__GETTER(get_exec_flags)
{
	if (view->event->point != SCD_POINT_SENTRY_EXEC)
		return false;
	uint64_t flags = (view->event->u.exec.binary_overlayfs_upper ? 1u << 1 : 0) |
	                 (scd_event_is_from_memfd(view->event) ? 1u << 2 : 0) |
	                 (view->event->u.exec.binary_overlayfs_lower ? 1u << 3 : 0);
	return scd__give_unsigned(SCD_TYPE_UINT64, flags, ret_value);
}

static SCD__GETTER(get_exec_filename)
{
	const struct scd_event *event = view->event;
	if (event->point == SCD_POINT_SYSCALL_EXECVE)
		return scd__give_told(event->u.execve.pathname, ret_value);
	return event->point == SCD_POINT_SENTRY_EXEC && scd__give_told(event->u.exec.execfn, ret_value);
}

static SCD__GETTER(get_clone_flags)
{
	return view->event->point == SCD_POINT_SYSCALL_CLONE &&
	       scd__give_unsigned(SCD_TYPE_UINT64, view->event->u.clone.flags, ret_value);
}

/* An exit status is as wait(2) has it: the code, or the signal and whether a core was written. */
static SCD__GETTER(get_exit_code)
{
	return scd__give_i64((view->event->u.task_exit.exit_status >> 8) & 0xff, ret_value);
}

static SCD__GETTER(get_exit_signal)
{
	return scd__give_i64(view->event->u.task_exit.exit_status & 0x7f, ret_value);
}

static SCD__GETTER(get_exit_core)
{
	return scd__give_i64((view->event->u.task_exit.exit_status >> 7) & 1, ret_value);
}

static SCD__GETTER(get_offset)
{
	return view->event->u.io.has_offset && scd__give_i64(view->event->u.io.offset, ret_value);
}

/* socket's type carries two flags of open. */
static SCD__GETTER(get_socket_type)
{
	return scd__give_i64(view->event->u.socket.type & 0xf, ret_value);
}

/* Lists. */

#define SOURCE_OF(member)                                 \
	_Generic(((struct scd_event *)0)->member, int32_t \
	         : SCD__SOURCE_I32, uint32_t              \
	         : SCD__SOURCE_U32, int64_t               \
	         : SCD__SOURCE_I64, uint64_t              \
	         : SCD__SOURCE_U64, struct scd_str        \
	         : SCD__SOURCE_STR)

/* One parameter: its name, its form, and where it comes from. */
#define EMPTY(name, form)                                                  \
	{                                                                  \
		(name), SCD__PARAM_##form, NULL, SCD__SOURCE_NONE, NULL, 0 \
	}
#define GETTER(name, form, getter)                                               \
	{                                                                        \
		(name), SCD__PARAM_##form, NULL, SCD__SOURCE_GETTER, (getter), 0 \
	}
#define MEMBER(name, form, member)                                                                           \
	{                                                                                                    \
		(name), SCD__PARAM_##form, NULL, SOURCE_OF(member), NULL, offsetof(struct scd_event, member) \
	}
#define FLAGS(name, names, member)                                                                              \
	{                                                                                                       \
		(name), SCD__PARAM_FLAGS, &(names), SOURCE_OF(member), NULL, offsetof(struct scd_event, member) \
	}
#define FLAGS_GETTER(name, names, getter)                                           \
	{                                                                           \
		(name), SCD__PARAM_FLAGS, &(names), SCD__SOURCE_GETTER, (getter), 0 \
	}
#define RAW(name, form, number)        MEMBER(name, form, u.raw.args[number])
#define RAW_FLAGS(name, names, number) FLAGS(name, names, u.raw.args[number])
#define RES                            GETTER("res", ERRNO, get_result)
#define RES_FD                         GETTER("res", FD, get_result)
#define NEW_FD                         GETTER("fd", FD, get_result)
#define OLD_FD                         MEMBER("fd", FD, fd)
#define NO_DATA                        EMPTY("data", BYTES)
#define SIZE                           MEMBER("size", DECIMAL, u.io.count)
#define POSITION                       GETTER("pos", DECIMAL, get_offset)

static const struct scd__param exec_params[] = {
	RES,
	GETTER("exe", TEXT, scd__get_proc_exe),
	GETTER("args", BYTES, get_args),
	GETTER("tid", PID, scd__get_thread_tid),
	GETTER("pid", PID, scd__get_proc_pid),
	GETTER("ptid", PID, scd__get_proc_ppid),
	GETTER("cwd", TEXT, scd__get_proc_cwd),
	EMPTY("fdlimit", DECIMAL),
	EMPTY("pgft_maj", DECIMAL),
	EMPTY("pgft_min", DECIMAL),
	EMPTY("vm_size", DECIMAL),
	EMPTY("vm_rss", DECIMAL),
	EMPTY("vm_swap", DECIMAL),
	GETTER("comm", TEXT, scd__get_proc_name),
	EMPTY("cgroups", BYTES),
	GETTER("env", BYTES, get_env),
	GETTER("tty", DECIMAL, scd__get_proc_tty),
	EMPTY("vpgid", PID),
	GETTER("loginuid", USER, scd__get_user_loginuid),
	FLAGS_GETTER("flags", scd__exec_flags, get_exec_flags),
	EMPTY("cap_inheritable", HEX),
	EMPTY("cap_permitted", HEX),
	EMPTY("cap_effective", HEX),
	GETTER("exe_ino", DECIMAL, scd__get_proc_exe_ino),
	GETTER("exe_ino_ctime", TIME, scd__get_proc_exe_ino_ctime),
	EMPTY("exe_ino_mtime", TIME),
	GETTER("uid", USER, scd__get_user_uid),
	GETTER("trusted_exepath", TEXT, scd__get_proc_exepath),
	EMPTY("pgid", PID),
	GETTER("gid", USER, scd__get_group_gid),
	GETTER("filename", TEXT, get_exec_filename),
};

/* Of a new process or thread: sentry/clone is told by its creator, with the ids of what it made. */
static const struct scd__param created_params[] = {
	RES,
	GETTER("exe", TEXT, scd__get_proc_exe),
	GETTER("args", BYTES, get_args),
	MEMBER("tid", PID, u.clone_info.created_thread_id),
	MEMBER("pid", PID, u.clone_info.created_thread_group_id),
	GETTER("ptid", PID, scd__get_proc_pid),
	GETTER("cwd", TEXT, scd__get_proc_cwd),
	EMPTY("fdlimit", DECIMAL),
	EMPTY("pgft_maj", DECIMAL),
	EMPTY("pgft_min", DECIMAL),
	EMPTY("vm_size", DECIMAL),
	EMPTY("vm_rss", DECIMAL),
	EMPTY("vm_swap", DECIMAL),
	GETTER("comm", TEXT, scd__get_proc_name),
	EMPTY("cgroups", BYTES),
	FLAGS("flags", scd__clone_flags, u.clone_info.flags),
	GETTER("uid", DECIMAL, scd__get_user_uid),
	GETTER("gid", DECIMAL, scd__get_group_gid),
	MEMBER("vtid", PID, u.clone_info.created_thread_id),
	MEMBER("vpid", PID, u.clone_info.created_thread_group_id),
	GETTER("pidns_init_start_ts", DECIMAL, scd__get_proc_pidns_init_start_ts),
};

/* Of the creator, at the end of its system call. */
static const struct scd__param creator_params[] = {
	RES,
	GETTER("exe", TEXT, scd__get_proc_exe),
	GETTER("args", BYTES, get_args),
	GETTER("tid", PID, scd__get_thread_tid),
	GETTER("pid", PID, scd__get_proc_pid),
	GETTER("ptid", PID, scd__get_proc_ppid),
	GETTER("cwd", TEXT, scd__get_proc_cwd),
	EMPTY("fdlimit", DECIMAL),
	EMPTY("pgft_maj", DECIMAL),
	EMPTY("pgft_min", DECIMAL),
	EMPTY("vm_size", DECIMAL),
	EMPTY("vm_rss", DECIMAL),
	EMPTY("vm_swap", DECIMAL),
	GETTER("comm", TEXT, scd__get_proc_name),
	EMPTY("cgroups", BYTES),
	FLAGS_GETTER("flags", scd__clone_flags, get_clone_flags),
	GETTER("uid", DECIMAL, scd__get_user_uid),
	GETTER("gid", DECIMAL, scd__get_group_gid),
	GETTER("vtid", PID, scd__get_thread_tid),
	GETTER("vpid", PID, scd__get_proc_pid),
	GETTER("pidns_init_start_ts", DECIMAL, scd__get_proc_pidns_init_start_ts),
};

static const struct scd__param procexit_params[] = {
	MEMBER("status", ERRNO, u.task_exit.exit_status),
	GETTER("ret", ERRNO, get_exit_code),
	FLAGS_GETTER("sig", scd__signals, get_exit_signal),
	GETTER("core", DECIMAL, get_exit_core),
	EMPTY("reaper_tid", PID),
};

static const struct scd__param open_params[] = {
	NEW_FD,
	MEMBER("name", PATH, u.open.pathname),
	FLAGS("flags", scd__open_flags, u.open.flags),
	MEMBER("mode", OCTAL, u.open.mode),
	EMPTY("dev", HEX),
	EMPTY("ino", DECIMAL),
};

static const struct scd__param openat_params[] = {
	NEW_FD,
	MEMBER("dirfd", FD, fd),
	MEMBER("name", PATH, u.open.pathname),
	FLAGS("flags", scd__open_flags, u.open.flags),
	MEMBER("mode", OCTAL, u.open.mode),
	EMPTY("dev", HEX),
	EMPTY("ino", DECIMAL),
};

static const struct scd__param creat_params[] = {
	NEW_FD,
	MEMBER("name", PATH, u.open.pathname),
	MEMBER("mode", OCTAL, u.open.mode),
	EMPTY("dev", HEX),
	EMPTY("ino", DECIMAL),
	EMPTY("creat_flags", DECIMAL),
};

static const struct scd__param close_params[] = { RES, OLD_FD };
static const struct scd__param read_params[] = { RES, NO_DATA, OLD_FD, SIZE };
static const struct scd__param pread_params[] = { RES, NO_DATA, OLD_FD, SIZE, POSITION };
static const struct scd__param readv_params[] = { RES, SIZE, NO_DATA, OLD_FD };
static const struct scd__param preadv_params[] = { RES, SIZE, NO_DATA, OLD_FD, POSITION };

static const struct scd__param connect_params[] = {
	RES,
	GETTER("tuple", TUPLE, scd__get_fd_name),
	OLD_FD,
	MEMBER("addr", SOCKADDR, u.connect.address),
};

static const struct scd__param bind_params[] = { RES, MEMBER("addr", SOCKADDR, u.connect.address), OLD_FD };

static const struct scd__param accept_params[] = {
	NEW_FD,
	GETTER("tuple", TUPLE, scd__get_fd_name),
	EMPTY("queuepct", DECIMAL),
	EMPTY("queuelen", DECIMAL),
	EMPTY("queuemax", DECIMAL),
	MEMBER("flags", DECIMAL, u.connect.flags),
};

static const struct scd__param listen_params[] = { RES, OLD_FD, MEMBER("backlog", DECIMAL, u.listen.backlog) };

static const struct scd__param socket_params[] = {
	NEW_FD,
	FLAGS("domain", scd__socket_families, u.socket.domain),
	GETTER("type", DECIMAL, get_socket_type),
	MEMBER("proto", DECIMAL, u.socket.protocol),
};

static const struct scd__param socketpair_params[] = {
	RES,
	MEMBER("fd1", FD, u.socket.socket1),
	MEMBER("fd2", FD, u.socket.socket2),
	EMPTY("source", HEX),
	EMPTY("peer", HEX),
	FLAGS("domain", scd__socket_families, u.socket.domain),
	GETTER("type", DECIMAL, get_socket_type),
	MEMBER("proto", DECIMAL, u.socket.protocol),
};

static const struct scd__param path_params[] = { RES, MEMBER("path", PATH, u.chdir.pathname) };
static const struct scd__param setuid_params[] = { RES, MEMBER("uid", USER, u.setid.id) };
static const struct scd__param setgid_params[] = { RES, MEMBER("gid", USER, u.setid.id) };
static const struct scd__param setsid_params[] = { GETTER("res", PID, get_result) };

static const struct scd__param setresuid_params[] = {
	RES,
	MEMBER("ruid", USER, u.setresid.rid),
	MEMBER("euid", USER, u.setresid.eid),
	MEMBER("suid", USER, u.setresid.sid),
};

static const struct scd__param setresgid_params[] = {
	RES,
	MEMBER("rgid", USER, u.setresid.rid),
	MEMBER("egid", USER, u.setresid.eid),
	MEMBER("sgid", USER, u.setresid.sid),
};

static const struct scd__param pipe_params[] = {
	RES,
	MEMBER("fd1", FD, u.pipe.reader),
	MEMBER("fd2", FD, u.pipe.writer),
	EMPTY("ino", DECIMAL),
	FLAGS("flags", scd__open_flags, u.pipe.flags),
};

static const struct scd__param dup_params[] = {
	RES_FD,
	MEMBER("oldfd", FD, fd),
	MEMBER("newfd", FD, u.dup.new_fd),
	FLAGS("flags", scd__open_flags, u.dup.flags),
};

static const struct scd__param fcntl_params[] = {
	RES_FD,
	OLD_FD,
	MEMBER("cmd", DECIMAL, u.fcntl.cmd),
	MEMBER("arg", DECIMAL, u.fcntl.args),
};

static const struct scd__param mmap_params[] = {
	RES,
	EMPTY("vm_size", DECIMAL),
	EMPTY("vm_rss", DECIMAL),
	EMPTY("vm_swap", DECIMAL),
	MEMBER("addr", HEX, u.mmap.addr),
	MEMBER("length", DECIMAL, u.mmap.length),
	FLAGS("prot", scd__prot_flags, u.mmap.prot),
	FLAGS("flags", scd__mmap_flags, u.mmap.flags),
	OLD_FD,
	MEMBER("offset", DECIMAL, u.mmap.offset),
};

static const struct scd__param ptrace_params[] = {
	RES,
	EMPTY("addr", HEX),
	EMPTY("data", HEX),
	FLAGS("request", scd__ptrace_requests, u.ptrace.request),
	MEMBER("pid", PID, u.ptrace.pid),
};

/* Of a runsc without a point for it: the numbers are told, the addresses are of no use. */
static const struct scd__param raw_ptrace_params[] = {
	RES, EMPTY("addr", HEX), EMPTY("data", HEX), RAW_FLAGS("request", scd__ptrace_requests, 0), RAW("pid", PID, 1),
};

static const struct scd__param mprotect_params[] = {
	RES,
	RAW("addr", HEX, 0),
	RAW("length", DECIMAL, 1),
	RAW_FLAGS("prot", scd__prot_flags, 2),
};

static const struct scd__param unshare_params[] = { RES, RAW_FLAGS("flags", scd__clone_flags, 0) };
static const struct scd__param setns_params[] = { RES, RAW("fd", FD, 0), RAW_FLAGS("nstype", scd__clone_flags, 1) };
static const struct scd__param bpf_params[] = { NEW_FD, RAW_FLAGS("cmd", scd__bpf_commands, 0) };
static const struct scd__param kill_params[] = { RES, RAW("pid", PID, 0), RAW_FLAGS("sig", scd__signals, 1) };
static const struct scd__param setpgid_params[] = { RES, RAW("pid", PID, 0), RAW("pgid", PID, 1) };
static const struct scd__param ioctl_params[] = { RES, RAW("fd", FD, 0), RAW("request", HEX, 1),
	                                          RAW("argument", HEX, 2) };
static const struct scd__param chmod_params[] = { RES, EMPTY("filename", PATH), RAW_FLAGS("mode", scd__file_modes, 1) };
static const struct scd__param fchmod_params[] = { RES, RAW("fd", FD, 0), RAW_FLAGS("mode", scd__file_modes, 1) };
static const struct scd__param fchmodat_params[] = {
	RES,
	RAW("dirfd", FD, 0),
	EMPTY("filename", PATH),
	RAW_FLAGS("mode", scd__file_modes, 2),
};

/* Of siblings, the one with fewer parameters has the list of the other without its end. */

const struct scd__param_list scd__param_lists[] = {
#define LIST(point, event, params)                                      \
	{                                                               \
		SCD_POINT_##point, (event), (params), SCD_COUNT(params) \
	}
#define SHORTER(point, event, params, less)                                      \
	{                                                                        \
		SCD_POINT_##point, (event), (params), SCD_COUNT(params) - (less) \
	}
	LIST(CONTAINER_START, "execve", exec_params),
	LIST(SENTRY_EXEC, "execve", exec_params),
	LIST(SYSCALL_EXECVE, "execve", exec_params),
	SHORTER(SYSCALL_EXECVE, "execveat", exec_params, 1),
	LIST(SENTRY_CLONE, "clone", created_params),
	LIST(SYSCALL_CLONE, "clone", creator_params),
	LIST(SYSCALL_FORK, "fork", creator_params),
	LIST(SYSCALL_FORK, "vfork", creator_params),
	LIST(SENTRY_TASK_EXIT, "procexit", procexit_params),
	LIST(SYSCALL_OPEN, "open", open_params),
	LIST(SYSCALL_OPEN, "openat", openat_params),
	LIST(SYSCALL_OPEN, "creat", creat_params),
	LIST(SYSCALL_CLOSE, "close", close_params),
	LIST(SYSCALL_READ, "read", read_params),
	LIST(SYSCALL_READ, "pread", pread_params),
	LIST(SYSCALL_READ, "readv", readv_params),
	LIST(SYSCALL_READ, "preadv", preadv_params),
	LIST(SYSCALL_WRITE, "write", read_params),
	LIST(SYSCALL_WRITE, "pwrite", pread_params),
	LIST(SYSCALL_WRITE, "writev", read_params),
	LIST(SYSCALL_WRITE, "pwritev", pread_params),
	LIST(SYSCALL_CONNECT, "connect", connect_params),
	LIST(SYSCALL_BIND, "bind", bind_params),
	SHORTER(SYSCALL_ACCEPT, "accept", accept_params, 1),
	LIST(SYSCALL_ACCEPT, "accept4", accept_params),
	LIST(SYSCALL_LISTEN, "listen", listen_params),
	LIST(SYSCALL_SOCKET, "socket", socket_params),
	LIST(SYSCALL_SOCKETPAIR, "socketpair", socketpair_params),
	LIST(SYSCALL_CHDIR, "chdir", path_params),
	LIST(SYSCALL_CHDIR, "fchdir", close_params),
	LIST(SYSCALL_CHROOT, "chroot", path_params),
	LIST(SYSCALL_SETID, "setuid", setuid_params),
	LIST(SYSCALL_SETID, "setgid", setgid_params),
	LIST(SYSCALL_SETID, "setsid", setsid_params),
	LIST(SYSCALL_SETRESID, "setresuid", setresuid_params),
	LIST(SYSCALL_SETRESID, "setresgid", setresgid_params),
	SHORTER(SYSCALL_PIPE, "pipe", pipe_params, 1),
	LIST(SYSCALL_PIPE, "pipe2", pipe_params),
	SHORTER(SYSCALL_DUP, "dup", dup_params, 2),
	SHORTER(SYSCALL_DUP, "dup2", dup_params, 1),
	LIST(SYSCALL_DUP, "dup3", dup_params),
	LIST(SYSCALL_FCNTL, "fcntl", fcntl_params),
	LIST(SYSCALL_MMAP, "mmap", mmap_params),
	LIST(SYSCALL_PTRACE, "ptrace", ptrace_params),
	LIST(SYSCALL_RAW, "ptrace", raw_ptrace_params),
	LIST(SYSCALL_RAW, "mprotect", mprotect_params),
	LIST(SYSCALL_RAW, "unshare", unshare_params),
	LIST(SYSCALL_RAW, "setns", setns_params),
	LIST(SYSCALL_RAW, "bpf", bpf_params),
	LIST(SYSCALL_RAW, "kill", kill_params),
	LIST(SYSCALL_RAW, "setpgid", setpgid_params),
	LIST(SYSCALL_RAW, "ioctl", ioctl_params),
	LIST(SYSCALL_RAW, "chmod", chmod_params),
	LIST(SYSCALL_RAW, "fchmod", fchmod_params),
	LIST(SYSCALL_RAW, "fchmodat", fchmodat_params),
};

const size_t scd__param_list_count = SCD_COUNT(scd__param_lists);
