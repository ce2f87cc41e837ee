/*
 * From messages to descriptors.
 *
 *     message                  what becomes of it
 *     open, openat, creat      the result is a file, its path seen from the working directory or the dirfd's path
 *     socket, socketpair       family, type and protocol
 *     connect                  the remote address; begun (EINPROGRESS) counts
 *     bind, listen             the local address
 *     accept                   the result has the listener's family and local address, and the client's address
 *     dup, dup2, dup3, fcntl   one more descriptor for the same open file; close-on-exec
 *     pipe, eventfd, …         a type
 *     clone                    the child has a copy, or shares (CLONE_FILES)
 *     sentry/execve            close-on-exec; standard descriptors, where the message tells them
 *     close, close_range       after the rules: not known any more
 *
 * A call that failed changes nothing. The path that a message tells of its own descriptor (fd_path) is the kernel's
 * word: links are resolved in it, and it corrects what is kept, for that one descriptor.
 *
 * Two threads may close and open the same number at once, and their messages come in either order; then a descriptor
 * that is open may be forgotten here.
 */
#include "state/fd_calls.h"

#include <errno.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/base/path.h"
#include "state/fd_call.h"

/* Of Linux on x86-64. */
#define LINUX_AT_FDCWD            (-100)
#define LINUX_CLONE_FILES         0x400u
#define LINUX_CLOSE_RANGE_UNSHARE 2u
#define LINUX_CLOSE_RANGE_CLOEXEC 4u
#define LINUX_FD_CLOEXEC          1
#define LINUX_F_DUPFD             0
#define LINUX_F_GETFD             1
#define LINUX_F_SETFD             2
#define LINUX_F_DUPFD_CLOEXEC     1030
#define LINUX_MFD_CLOEXEC         1u
#define LINUX_O_ACCMODE           3u
#define LINUX_O_DIRECTORY         0200000u
#define LINUX_O_PATH              010000000u
#define LINUX_O_TMPFILE           020000000u /* without the O_DIRECTORY that it comes with */

struct scd__fd_table *scd__fd_call_table(const struct scd__fd_call *call)
{
	if (!call->process->fds)
		call->process->fds = scd__fd_table_new(call->pool);
	return call->process->fds;
}

struct scd__file *scd__fd_call_get(const struct scd__fd_call *call, int64_t number)
{
	return scd__fd_table_get(call->process->fds, number);
}

int scd__fd_call_put(const struct scd__fd_call *call, int64_t number, struct scd__file *file, enum scd__cloexec cloexec)
{
	struct scd__fd_table *table = file ? scd__fd_call_table(call) : NULL;
	if (table)
		return scd__fd_table_put(call->pool, table, number, file, cloexec);
	if (file)
		scd__file_unref(call->pool, file);
	return -ENOMEM;
}

/* What is behind the number is not known from now on. */
static int forget(const struct scd__fd_call *call, int64_t number)
{
	struct scd__fd_table *table = scd__fd_call_table(call);
	if (number < 0 || number > INT32_MAX)
		return 0;
	return table ? scd__fd_table_remove(call->pool, table, (uint32_t)number, (uint32_t)number) : -ENOMEM;
}

/* A path that may be kept; empty when it is too long. */
static struct scd_str keepable(const struct scd__fd_call *call, struct scd_str path)
{
	if (path.len <= SCD_LIMIT_PROCESS_PATH_BYTES)
		return path;
	call->pool->dropped_count++;
	return (struct scd_str){ NULL, 0 };
}

/* A file of this type and path; NULL on exhaustion. */
static struct scd__file *new_file(const struct scd__fd_call *call, enum scd_fd_type type, struct scd_str path)
{
	const struct scd_fd fd = { .type = type };
	return scd__file_like(call->pool, &fd, keepable(call, path));
}

/* The result is a new descriptor of this type. */
static int make(const struct scd__fd_call *call, enum scd_fd_type type, enum scd__cloexec cloexec)
{
	return scd__fd_call_put(call, call->event->exit_result, new_file(call, type, (struct scd_str){ NULL, 0 }),
	                        cloexec);
}

/* What a message tells of its descriptor's path. */

/* The kernel marks the path of a file that was removed. */
static bool is_path_of(struct scd_str told, struct scd_str path)
{
	static const struct scd_str deleted = SCD_STR_INIT(" (deleted)");
	if (scd_str_eq(told, path))
		return true;
	return told.len == path.len + deleted.len && scd_str_starts_with(told, path) &&
	       scd_str_ends_with(told, deleted);
}

/* A file in the place of what is known of the number: like it but for the path, unless that tells of another type. */
static int correct_path(const struct scd__fd_call *call, int64_t number, const struct scd_fd *known,
                        struct scd_str told)
{
	if (is_path_of(told, known->path))
		return 0;
	enum scd_fd_type type = scd_fd_type_of_path(told);
	enum scd__cloexec cloexec = scd__fd_table_cloexec(call->process->fds, number);
	if (type != SCD_FD_UNKNOWN && type != known->type)
		return scd__fd_call_put(call, number, new_file(call, type, told), cloexec);
	return scd__fd_call_put(call, number, scd__file_like(call->pool, known, keepable(call, told)), cloexec);
}

/* Whether it is the very path that is known already: gVisor's own names, which do not begin so, may say more. */
static bool is_known_path(const struct scd__file *file, struct scd_str told)
{
	return file && file->pub.path.len == told.len && told.data[0] == '/' &&
	       memcmp(file->pub.path.data, told.data, told.len) == 0 && !scd__fd_is_socket(&file->pub);
}

/* Sockets have no path ("socket:[7]"), and what is known of one is more than that. */
static int correct(const struct scd__fd_call *call, int64_t number, struct scd_str told)
{
	if (told.len == 0)
		return 0;
	const struct scd__file *file = scd__fd_call_get(call, number);
	if (is_known_path(file, told))
		return 0;
	bool told_socket = scd_str_starts_with(told, SCD_STR("socket:["));
	if (!file)
		return told_socket ? 0
		                   : scd__fd_call_put(call, number, new_file(call, scd_fd_type_of_path(told), told),
		                                      SCD__CLOEXEC_UNKNOWN);
	if (scd__fd_is_socket(&file->pub) && told_socket)
		return 0;
	if (told_socket)
		return forget(call, number);
	if (scd__fd_is_socket(&file->pub))
		return scd__fd_call_put(call, number, new_file(call, scd_fd_type_of_path(told), told),
		                        SCD__CLOEXEC_UNKNOWN);
	return correct_path(call, number, &file->pub, told);
}

/* Files. */

/* The folder that a relative path starts from; empty: not known. */
static struct scd_str open_base(const struct scd__fd_call *call)
{
	const struct scd_event *event = call->event;
	bool by_descriptor = event->kind == SCD_KIND_OPENAT && event->fd != LINUX_AT_FDCWD;
	if (!by_descriptor)
		return event->context.cwd.len ? event->context.cwd : call->process->pub.cwd;
	struct scd_str told = scd_fd_told_path(event);
	const struct scd__file *folder = told.len ? NULL : scd__fd_call_get(call, event->fd);
	return folder ? folder->pub.path : told;
}

static int apply_open(const struct scd__fd_call *call)
{
	char buffer[2 * SCD_LIMIT_PROCESS_PATH_BYTES + 2];
	uint32_t flags = call->event->u.open.flags;
	bool folder = (flags & LINUX_O_DIRECTORY) && !(flags & LINUX_O_TMPFILE);
	struct scd_str path = call->event->u.open.pathname, joined;
	if (scd_path_join_into(open_base(call), path, buffer, sizeof(buffer), &joined))
		path = joined;
	struct scd__file *file = new_file(call, folder ? SCD_FD_DIRECTORY : SCD_FD_FILE, path);
	if (file)
		file->pub.for_writing = (flags & LINUX_O_ACCMODE) && !(flags & LINUX_O_PATH);
	return scd__fd_call_put(call, call->event->exit_result, file, scd__cloexec_of(flags));
}

static int apply_pipe(const struct scd__fd_call *call)
{
	static const struct scd_str none = { NULL, 0 };
	int32_t reader = call->event->u.pipe.reader, writer = call->event->u.pipe.writer;
	enum scd__cloexec cloexec = scd__cloexec_of(call->event->u.pipe.flags);
	if (reader == writer) /* not told */
		return 0;
	int result = scd__fd_call_put(call, reader, new_file(call, SCD_FD_PIPE, none), cloexec);
	struct scd__file *file = new_file(call, SCD_FD_PIPE, none);
	if (file)
		file->pub.for_writing = true;
	return scd__fd_call_put(call, writer, file, cloexec) < 0 ? -ENOMEM : result;
}

/* With a descriptor it only changes that one, which it proves to be what it is. */
static int apply_signalfd(const struct scd__fd_call *call)
{
	if (call->event->fd < 0)
		return make(call, SCD_FD_SIGNALFD, scd__cloexec_of((uint32_t)call->event->u.signalfd.flags));
	return scd__fd_call_get(call, call->event->fd) ? 0 : make(call, SCD_FD_SIGNALFD, SCD__CLOEXEC_UNKNOWN);
}

/* Copies of descriptors, and their flag. */

static int duplicate(const struct scd__fd_call *call, int64_t from, int64_t to, enum scd__cloexec cloexec)
{
	struct scd__file *file = scd__fd_call_get(call, from);
	if (from == to)
		return 0;
	return file ? scd__fd_call_put(call, to, scd__file_ref(file), cloexec) : forget(call, to);
}

static int set_cloexec(const struct scd__fd_call *call, int64_t number, bool cloexec)
{
	if (!call->process->fds || number < 0 || number > INT32_MAX)
		return 0;
	return scd__fd_table_set_cloexec(call->pool, call->process->fds, (uint32_t)number, (uint32_t)number, cloexec);
}

static int apply_fcntl(const struct scd__fd_call *call)
{
	const struct scd_event *event = call->event;
	switch (event->u.fcntl.cmd) {
	case LINUX_F_DUPFD: return duplicate(call, event->fd, event->exit_result, SCD__CLOEXEC_NO);
	case LINUX_F_DUPFD_CLOEXEC: return duplicate(call, event->fd, event->exit_result, SCD__CLOEXEC_YES);
	case LINUX_F_SETFD: return set_cloexec(call, event->fd, event->u.fcntl.args & LINUX_FD_CLOEXEC);
	case LINUX_F_GETFD: return set_cloexec(call, event->fd, event->exit_result & LINUX_FD_CLOEXEC);
	default: return 0;
	}
}

/* Tables. */

/* The process's table is its own from now on. Which of several threads has done that is not followed. */
static int unshare(const struct scd__fd_call *call)
{
	struct scd__fd_table *table = call->process->fds;
	if (call->process->pub.thread_count > 1) {
		if (scd__fd_call_table(call))
			scd__fd_table_give_up(call->pool, call->process->fds);
		return call->process->fds ? 0 : -ENOMEM;
	}
	if (!table || scd__fd_table_is_own(table))
		return 0;
	struct scd__fd_table *fork = scd__fd_table_fork(call->pool, table);
	scd__fd_table_unref(call->pool, &call->process->fds);
	call->process->fds = fork;
	return fork ? 0 : -ENOMEM;
}

static int apply_close_range(const struct scd__fd_call *call)
{
	const uint64_t *args = call->event->u.raw.args;
	uint32_t first = (uint32_t)args[0], last = (uint32_t)args[1];
	int result = args[2] & LINUX_CLOSE_RANGE_UNSHARE ? unshare(call) : 0;
	struct scd__fd_table *table = call->process->fds;
	if (!table || result < 0)
		return result;
	if (args[2] & LINUX_CLOSE_RANGE_CLOEXEC)
		return scd__fd_table_set_cloexec(call->pool, table, first, last, true);
	return scd__fd_table_remove(call->pool, table, first, last);
}

/* Raw points. */

enum raw_number {
	RAW_EPOLL_CREATE = 213,
	RAW_UNSHARE = 272,
	RAW_EPOLL_CREATE1 = 291,
	RAW_MEMFD_CREATE = 319,
	RAW_USERFAULTFD = 323,
	RAW_IO_URING_SETUP = 425,
	RAW_PIDFD_OPEN = 434,
	RAW_CLOSE_RANGE = 436,
	RAW_PIDFD_GETFD = 438,
};

static int apply_raw(const struct scd__fd_call *call)
{
	const uint64_t *args = call->event->u.raw.args;
	switch (call->event->sysno) {
	case RAW_EPOLL_CREATE: return make(call, SCD_FD_EVENTPOLL, SCD__CLOEXEC_NO);
	case RAW_EPOLL_CREATE1: return make(call, SCD_FD_EVENTPOLL, scd__cloexec_of(args[0]));
	case RAW_MEMFD_CREATE: return make(call, SCD_FD_MEMFD, scd__cloexec_if(args[1] & LINUX_MFD_CLOEXEC));
	case RAW_USERFAULTFD: return make(call, SCD_FD_USERFAULTFD, scd__cloexec_of(args[0]));
	case RAW_IO_URING_SETUP: return make(call, SCD_FD_IO_URING, SCD__CLOEXEC_YES);
	case RAW_PIDFD_OPEN: return make(call, SCD_FD_PIDFD, SCD__CLOEXEC_YES);
	case RAW_PIDFD_GETFD: return forget(call, call->event->exit_result);
	case RAW_UNSHARE: return args[0] & LINUX_CLONE_FILES ? unshare(call) : 0;
	default: return 0;
	}
}

/* Exec. */

/* What a standard descriptor is; close-on-exec is not told. */
static int note_standard(const struct scd__fd_call *call, int64_t number, const struct scd_fd_info *info)
{
	const struct scd_socket_ip *local = &info->local, *remote = &info->remote;
	if (!info->present)
		return 0;
	if (!info->has_socket)
		return scd__fd_call_get(call, number)
		               ? correct(call, number, info->path)
		               : scd__fd_call_put(call, number,
		                                  new_file(call, scd_fd_type_of_mode(info->mode), info->path),
		                                  SCD__CLOEXEC_UNKNOWN);
	struct scd__file *file = scd__fd_socket_at(call, number, (int32_t)info->socket_family);
	if (!file)
		return 0;
	if (!file->pub.local.ip.family)
		(void)scd_fd_endpoint_set(&file->pub.local, (const uint8_t *)local->ip.data, local->ip.len,
		                          (uint16_t)local->port);
	if (!file->pub.remote.ip.family)
		file->pub.connected = scd_fd_endpoint_set(&file->pub.remote, (const uint8_t *)remote->ip.data,
		                                          remote->ip.len, (uint16_t)remote->port);
	return 0;
}

static int apply_exec(struct scd__process_table *table, const struct scd__fd_call *call)
{
	int result = note_standard(call, 0, &call->event->u.exec.stdin_info);
	result |= note_standard(call, 1, &call->event->u.exec.stdout_info);
	result |= note_standard(call, 2, &call->event->u.exec.stderr_info);
	return scd__fd_calls_exec(table, call->process) < 0 || result ? -ENOMEM : 0;
}

int scd__fd_calls_exec(struct scd__process_table *table, struct scd__process *process)
{
	struct scd__fd_table *fds = process->fds;
	if (!fds)
		return 0;
	if (!scd__fd_table_is_own(fds)) {
		fds = scd__fd_table_fork(&table->fd_pool, fds);
		scd__fd_table_unref(&table->fd_pool, &process->fds);
		process->fds = fds;
	}
	return fds ? scd__fd_table_exec(&table->fd_pool, fds) : -ENOMEM;
}

/* Clone. */

int scd__fd_calls_fork(struct scd__process_table *table, struct scd__process *child, struct scd__process *parent,
                       uint64_t flags)
{
	bool shares = flags & LINUX_CLONE_FILES;
	if (child->fds) /* it was met before its clone, and may have closed what it got */
		return 0;
	if (shares && !parent->fds)
		parent->fds = scd__fd_table_new(&table->fd_pool);
	if (!parent->fds)
		return shares ? -ENOMEM : 0;
	child->fds = shares ? scd__fd_table_ref(parent->fds) : scd__fd_table_fork(&table->fd_pool, parent->fds);
	return child->fds ? 0 : -ENOMEM;
}

int scd__fd_calls_thread(struct scd__process_table *table, struct scd__process *process, uint64_t flags)
{
	const struct scd__fd_call call = { .pool = &table->fd_pool, .process = process };
	if (flags == 0 || (flags & LINUX_CLONE_FILES))
		return 0;
	if (!scd__fd_call_table(&call))
		return -ENOMEM;
	scd__fd_table_give_up(call.pool, process->fds);
	return 0;
}

/* All of them. */

static int apply_success(struct scd__process_table *table, const struct scd__fd_call *call)
{
	const struct scd_event *event = call->event;
	switch (event->point) {
	case SCD_POINT_SENTRY_EXEC: return apply_exec(table, call);
	case SCD_POINT_SYSCALL_RAW: return apply_raw(call);
	case SCD_POINT_SYSCALL_OPEN: return apply_open(call);
	case SCD_POINT_SYSCALL_SOCKET: return scd__fd_apply_socket(call);
	case SCD_POINT_SYSCALL_SOCKETPAIR: return scd__fd_apply_socketpair(call);
	case SCD_POINT_SYSCALL_BIND: return scd__fd_apply_bind(call);
	case SCD_POINT_SYSCALL_LISTEN: return scd__fd_apply_listen(call);
	case SCD_POINT_SYSCALL_ACCEPT: return scd__fd_apply_accept(call);
	case SCD_POINT_SYSCALL_PIPE: return apply_pipe(call);
	case SCD_POINT_SYSCALL_DUP:
		return duplicate(call, event->fd, event->exit_result, scd__cloexec_of(event->u.dup.flags));
	case SCD_POINT_SYSCALL_FCNTL: return apply_fcntl(call);
	case SCD_POINT_SYSCALL_EVENTFD: return make(call, SCD_FD_EVENT, scd__cloexec_of(event->u.eventfd.flags));
	case SCD_POINT_SYSCALL_SIGNALFD: return apply_signalfd(call);
	case SCD_POINT_SYSCALL_TIMERFD_CREATE:
		return make(call, SCD_FD_TIMERFD, scd__cloexec_of((uint32_t)event->u.timerfd.flags));
	case SCD_POINT_SYSCALL_INOTIFY_INIT:
		return make(call, SCD_FD_INOTIFY, scd__cloexec_of((uint32_t)event->u.inotify.flags));
	default: return 0;
	}
}

static bool succeeded(const struct scd_event *event)
{
	return event->has_exit && event->exit_errorno == 0;
}

int scd__fd_calls_apply(struct scd__process_table *table, struct scd__process *process, const struct scd_event *event)
{
	const struct scd__fd_call call = { .pool = &table->fd_pool, .process = process, .event = event };
	bool closes = event->point == SCD_POINT_SYSCALL_CLOSE && event->has_exit;
	bool tells = event->fd >= 0 && event->fd_path.len && !closes;
	int result = tells ? correct(&call, event->fd, scd_fd_told_path(event)) : 0;
	if (event->kind == SCD_KIND_HIDDEN)
		return event->sysno == SCD_KIND_CONNECT ? scd__fd_apply_hidden_connect(&call) : 0;
	if (event->point == SCD_POINT_SYSCALL_CONNECT)
		return scd__fd_apply_connect(&call) < 0 ? -ENOMEM : result;
	if (succeeded(event) || event->point == SCD_POINT_SENTRY_EXEC)
		return apply_success(table, &call) < 0 ? -ENOMEM : result;
	return result;
}

int scd__fd_calls_retire(struct scd__process_table *table, struct scd__process *process, const struct scd_event *event)
{
	const struct scd__fd_call call = { .pool = &table->fd_pool, .process = process, .event = event };
	if (!process->fds || !succeeded(event))
		return 0;
	if (event->point == SCD_POINT_SYSCALL_CLOSE)
		return forget(&call, event->fd);
	if (event->point == SCD_POINT_SYSCALL_RAW && event->sysno == RAW_CLOSE_RANGE)
		return apply_close_range(&call);
	return 0;
}
