/*
 * From event types to points. Which message an event type comes from is asked of the decoder, so that the two agree;
 * the names of points are gVisor's, which are Linux's names of system calls.
 */
#include "points.h"

#include <errno.h>
#include <stdio.h>

#include "seccheckd/base/array.h"
#include "seccheckd/decode/decode.h"

/* Points that are no system call. */
static const unsigned sentry_points[] = { SCD_POINT_CONTAINER_START, SCD_POINT_SENTRY_CLONE, SCD_POINT_SENTRY_EXEC,
	                                  SCD_POINT_SENTRY_TASK_EXIT, SCD_POINT_SENTRY_MMAP };

static bool is_sentry_point(unsigned point)
{
	for (size_t i = 0; i < SCD_COUNT(sentry_points); i++)
		if (sentry_points[i] == point)
			return true;
	return false;
}

/* Whether a message of its own tells the call. With an error: of an exec that succeeds, another point tells. */
static bool has_message(unsigned kind)
{
	for (unsigned point = SCD_POINT_SYSCALL_OPEN; point < SCD_POINT_COUNT; point++)
		if (!is_sentry_point(point) && scd_decode_kind(point, kind, true, 1) == kind)
			return true;
	return false;
}

void scd__points_decoded(struct scd_kind_set *ret_kinds)
{
	*ret_kinds = (struct scd_kind_set){ 0 };
	for (unsigned kind = 0; kind < SCD_KIND_SYSCALL_COUNT; kind++)
		if (has_message(kind))
			scd_kind_set_add(ret_kinds, kind);
	for (size_t i = 0; i < SCD_COUNT(sentry_points); i++)
		scd_kind_set_add(ret_kinds, scd_decode_kind(sentry_points[i], 0, false, 0));
}

/* gVisor has Linux's name of a call, Falco its own for three of them. */
static struct scd_str call_point(unsigned kind, struct scd_arena *arena)
{
	static const char *const others[] = { "pread", "pwrite", "prlimit" };
	struct scd_str name = scd_kind_name(kind);
	const char *end = "";

	for (size_t i = 0; i < SCD_COUNT(others); i++)
		if (scd_str_is(name, others[i]))
			end = "64";
	return scd_arena_printf(arena, "syscall/" SCD_STR_FMT "%s/exit", SCD_STR_ARG(name), end);
}

static int add(struct scd_names *names, struct scd_str name, struct scd_arena *arena)
{
	return name.data ? scd_names_add(names, name, arena) : -ENOMEM;
}

/* gVisor takes the context of a raw exit from what the enter point asks for. */
static int add_raw(unsigned kind, struct scd_names *names, struct scd_arena *arena)
{
	int r = add(names, scd_arena_printf(arena, "syscall/sysno/%u/enter", kind), arena);

	return r < 0 ? r : add(names, scd_arena_printf(arena, "syscall/sysno/%u/exit", kind), arena);
}

int scd__points_of(unsigned kind, struct scd_names *names, struct scd_arena *arena)
{
	static const unsigned witnesses[] = { SCD_KIND_EXECVE, SCD_KIND_EXECVEAT, SCD_KIND_CONNECT };
	int r = 0;

	for (size_t i = 0; r == 0 && i < SCD_COUNT(sentry_points); i++)
		if (scd_decode_kind(sentry_points[i], 0, false, 0) == kind)
			r = add(names, scd_str_from(scd_point_name(sentry_points[i])), arena);
	for (size_t i = 0; r == 0 && kind == SCD_KIND_HIDDEN && i < SCD_COUNT(witnesses); i++)
		r = add_raw(witnesses[i], names, arena);
	if (r < 0 || kind >= SCD_KIND_SYSCALL_COUNT || scd_kind_name(kind).len == 0)
		return r;
	return has_message(kind) ? add(names, call_point(kind, arena), arena) : add_raw(kind, names, arena);
}

/* Optional fields: the point that has them, and the fields of rules that they fill, by their beginning. */
static const struct optional {
	const char *point, *field, *name;
} optionals[] = {
	{ "sentry/execve", "proc.is_exe_", "binary_info" }, { "sentry/execve", "proc.exe_ino", "binary_info" },
	{ "sentry/execve", "proc.exepath", "binary_info" }, { "sentry/execve", "proc.std", "fd_info" },
	{ "sentry/execve", "proc.tty", "fd_info" },         { "container/start", "proc.env", "env" },
	{ "container/start", "proc.aenv", "env" },          { "syscall/", "fd.", "fd_path" },
	{ "syscall/", "evt.abspath", "fd_path" },
};

/* Calls that have a descriptor among their arguments, as decoded points tell it. */
static bool has_fd_path(struct scd_str point)
{
	static const char *const calls[] = { "execveat",        "openat", "bind",     "listen",    "accept",
		                             "accept4",         "read",   "pread64",  "readv",     "preadv",
		                             "preadv2",         "write",  "pwrite64", "writev",    "pwritev",
		                             "pwritev2",        "close",  "dup",      "dup2",      "dup3",
		                             "fcntl",           "fchdir", "signalfd", "signalfd4", "inotify_add_watch",
		                             "inotify_rm_watch" };
	char name[64];

	for (size_t i = 0; i < SCD_COUNT(calls); i++) {
		snprintf(name, sizeof(name), "syscall/%s/exit", calls[i]);
		if (scd_str_is(point, name))
			return true;
	}
	return false;
}

static bool applies(const struct optional *optional, struct scd_str point, struct scd_str field)
{
	return scd_str_starts_with(point, scd_str_from(optional->point)) &&
	       scd_str_starts_with(field, scd_str_from(optional->field)) &&
	       (!scd_str_is(scd_str_from(optional->name), "fd_path") || has_fd_path(point));
}

int scd__points_optional(const struct scd_names *points, const struct scd_names *fields, struct scd_names *names,
                         struct scd_arena *arena)
{
	int r = 0;

	for (size_t p = 0; p < points->count; p++)
		for (size_t f = 0; f < fields->count; f++)
			for (size_t i = 0; r == 0 && i < SCD_COUNT(optionals); i++)
				if (applies(&optionals[i], points->items[p], fields->items[f]))
					r = add(names,
					        scd_arena_printf(arena, SCD_STR_FMT ": %s",
					                         SCD_STR_ARG(points->items[p]), optionals[i].name),
					        arena);
	return r;
}
