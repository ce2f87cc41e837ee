/*
 * For tests of descriptors: a sandbox, events of system calls, and what is known of a descriptor as text.
 */
#ifndef SCD_TESTS_UNIT_STATE_FD_WORLD_H
#define SCD_TESTS_UNIT_STATE_FD_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/state/sandbox.h"

#define SHELL             7
#define CLOEXEC           02000000
#define CLONE_FILES_FLAG  0x400u
#define CLONE_THREAD_FLAG 0x10000u
#define AT_CWD            (-100)

static struct scd_sandbox *sandbox;

static inline int set_up(void **state)
{
	(void)state;
	sandbox = scd_sandbox_new(false);
	return sandbox ? 0 : -1;
}

static inline int tear_down(void **state)
{
	(void)state;
	scd_sandbox_free(&sandbox);
	return 0;
}

/* Events. */

static inline struct scd_event event_of(enum scd_point point, int32_t tgid)
{
	return (struct scd_event){
		.point = point,
		.kind = SCD_KIND_NONE,
		.context = { .thread_id = tgid, .thread_group_id = tgid, .has = SCD_HAS_CONTEXT },
		.fd = -1,
	};
}

/* The exit of a call that succeeded. */
static inline struct scd_event call_of(enum scd_point point, int64_t result)
{
	struct scd_event event = event_of(point, SHELL);
	event.has_exit = true;
	event.exit_result = result;
	return event;
}

static inline struct scd_event open_call(int64_t result, const char *path, uint32_t flags)
{
	struct scd_event event = call_of(SCD_POINT_SYSCALL_OPEN, result);
	event.kind = SCD_KIND_OPENAT;
	event.fd = AT_CWD;
	event.context.cwd = SCD_STR("/home");
	event.u.open.pathname = scd_str_from(path);
	event.u.open.flags = flags;
	return event;
}

static inline struct scd_event close_call(int64_t number)
{
	struct scd_event event = call_of(SCD_POINT_SYSCALL_CLOSE, 0);
	event.fd = number;
	return event;
}

static inline struct scd_event dup_call(int64_t from, int64_t to, uint32_t flags)
{
	struct scd_event event = call_of(SCD_POINT_SYSCALL_DUP, to);
	event.fd = from;
	event.u.dup.flags = flags;
	return event;
}

static inline struct scd_event fcntl_call(int64_t number, int32_t command, int64_t argument, int64_t result)
{
	struct scd_event event = call_of(SCD_POINT_SYSCALL_FCNTL, result);
	event.fd = number;
	event.u.fcntl.cmd = command;
	event.u.fcntl.args = argument;
	return event;
}

static inline struct scd_event socket_call(int64_t result, int32_t domain, int32_t type)
{
	struct scd_event event = call_of(SCD_POINT_SYSCALL_SOCKET, result);
	event.u.socket.domain = domain;
	event.u.socket.type = type;
	return event;
}

/* connect, bind, accept: number is the message's own. */
static inline struct scd_event address_call(enum scd_point point, int64_t number, struct scd_str address)
{
	struct scd_event event = call_of(point, 0);
	event.fd = number;
	event.u.connect.address = address;
	return event;
}

static inline struct scd_event accept_call(int64_t listener, int64_t result, struct scd_str address)
{
	struct scd_event event = address_call(SCD_POINT_SYSCALL_ACCEPT, listener, address);
	event.exit_result = result;
	return event;
}

static inline struct scd_event raw_call(uint64_t sysno, int64_t result, uint64_t arg1, uint64_t arg2, uint64_t arg3)
{
	struct scd_event event = call_of(SCD_POINT_SYSCALL_RAW, result);
	event.sysno = sysno;
	event.u.raw.args[0] = arg1;
	event.u.raw.args[1] = arg2;
	event.u.raw.args[2] = arg3;
	return event;
}

static inline struct scd_event clone_call(int32_t parent, int32_t child, uint64_t flags)
{
	struct scd_event event = event_of(SCD_POINT_SENTRY_CLONE, parent);
	event.u.clone_info.created_thread_id = child;
	event.u.clone_info.created_thread_group_id = flags & CLONE_THREAD_FLAG ? parent : child;
	event.u.clone_info.flags = flags;
	return event;
}

static inline struct scd_event exec_call(int32_t tgid)
{
	struct scd_event event = event_of(SCD_POINT_SENTRY_EXEC, tgid);
	event.u.exec.binary_path = SCD_STR("/bin/ls");
	return event;
}

static inline struct scd_event by(struct scd_event event, int32_t tgid)
{
	event.context.thread_id = event.context.thread_group_id = tgid;
	return event;
}

static inline struct scd_event failed(struct scd_event event, int64_t errorno)
{
	event.exit_errorno = errorno;
	return event;
}

static inline struct scd_event entered(struct scd_event event)
{
	event.has_exit = false;
	return event;
}

static inline struct scd_event told(struct scd_event event, const char *fd_path)
{
	event.fd_path = scd_str_from(fd_path);
	return event;
}

static inline struct scd_process_ref apply(struct scd_event event)
{
	struct scd_process_ref ref;
	assert_int_equal(scd_sandbox_apply(sandbox, &event, &ref), 0);
	return ref;
}

static inline void feed(struct scd_event event)
{
	scd_sandbox_retire(sandbox, &event, apply(event));
}

/* What is known, as text: the type and what is not as it begins. */

static inline const char *type_name(enum scd_fd_type type)
{
	static const char *const names[] = {
#define X(id, name, letter) [SCD_FD_##id] = (name),
		SCD_FD_TYPE_TABLE(X)
#undef X
	};
	return names[type] ? names[type] : "unknown";
}

static inline void show_endpoint(struct scd_buf *out, const char *name, const struct scd_fd_endpoint *end)
{
	char text[SCD_IP_TEXT_BYTES];
	if (!end->ip.family)
		return;
	scd_ip_format(&end->ip, text);
	scd_buf_printf(out, " %s %s:%u", name, text, end->port);
}

static inline void show_fd(struct scd_buf *out, const struct scd_fd *fd)
{
	static const char *const roles[] = { "", " client", " server", " listener" };
	scd_buf_printf(out, "%s%s", type_name(fd->type), roles[fd->role]);
	if (fd->path.len)
		scd_buf_printf(out, " " SCD_STR_FMT, SCD_STR_ARG(fd->path));
	show_endpoint(out, "local", &fd->local);
	show_endpoint(out, "remote", &fd->remote);
	if (fd->domain)
		scd_buf_printf(out, " (%d,%d,%d)", fd->domain, fd->socket_type, fd->protocol);
	scd_buf_printf(out, "%s%s%s", fd->connected ? " connected" : "", fd->connecting ? " connecting" : "",
	               fd->for_writing ? " writing" : "");
}

static inline const struct scd_process *process_of(int32_t tgid)
{
	return scd_sandbox_process(sandbox, scd_sandbox_find(sandbox, tgid));
}

static inline const struct scd_fd *fd_of(int32_t tgid, int64_t number)
{
	return scd_sandbox_fd(sandbox, process_of(tgid), number);
}

/* "-": not known. */
static inline void check(const char *name, int32_t tgid, int64_t number, const char *expected)
{
	struct scd_buf text;
	const struct scd_fd *fd = fd_of(tgid, number);
	scd_buf_init(&text, 1u << 16);
	if (fd)
		show_fd(&text, fd);
	else
		scd_buf_append(&text, "-", 1);
	if (scd_sandbox_fd_maybe_closed(sandbox, process_of(tgid), number))
		scd_buf_printf(&text, " closed?");
	if (text.len != strlen(expected) || memcmp(text.data, expected, text.len) != 0)
		fail_msg("%s: descriptor %lld of %d is '%.*s', expected '%s'", name, (long long)number, tgid,
		         (int)text.len, text.data, expected);
	scd_buf_done(&text);
}

#endif
