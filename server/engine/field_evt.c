/*
 * Getters of the event itself: its type and number, its result, whether it reads, writes or waits, how a file was
 * opened. Times are in field_time.c, parameters in field_evt_arg.c.
 */
#include <inttypes.h>

#include "engine/event_info.h"
#include "engine/field_getters.h"
#include "engine/result.h"
#include "seccheckd/base/limits.h"

/* Flags and permissions of Linux on x86-64, as the message has them. */
#define O_ACCMODE_BITS 3u
#define O_WRONLY_BITS  1u
#define O_RDWR_BITS    2u
#define O_CREAT_BIT    0100u
#define O_TMPFILE_BITS 020200000u
#define EXECUTE_BITS   0111u

SCD__GETTER(scd__get_evt_num)
{
	uint64_t number = view->event->sequence;
	return number != 0 && scd__give_unsigned(SCD_TYPE_UINT64, number, ret_value);
}

SCD__GETTER(scd__get_evt_type)
{
	return scd__give_told(scd_kind_name(view->event->kind), ret_value);
}

/* The event's own name was checked when the rule was compiled. */
SCD__GETTER(scd__get_evt_type_is)
{
	bool same = scd_str_eq(scd_kind_name(view->event->kind), arg->text);
	return scd__give_unsigned(SCD_TYPE_UINT32, same, ret_value);
}

SCD__GETTER(scd__get_syscall_type)
{
	return view->event->kind < SCD_KIND_SYSCALL_COUNT && scd__get_evt_type(view, arg, ret_value);
}

/* What reads, writes or closes has the category of its descriptor, which one message does not tell. */
SCD__GETTER(scd__get_evt_category)
{
	const struct scd__event_info *info = scd__event_info(view->event->kind);
	return scd__give_told(scd_str_from(scd__category_name(info->category)), ret_value);
}

SCD__GETTER(scd__get_evt_dir)
{
	return scd__give_text(SCD_STR("<"), ret_value);
}

SCD__GETTER(scd__get_evt_source)
{
	return scd__give_text(SCD_STR("syscall"), ret_value);
}

SCD__GETTER(scd__get_evt_hostname)
{
	return scd__give_told(view->host->hostname, ret_value);
}

/* Bytes of strings with something between them. */
static uint64_t bytes_of(const struct scd_strings *strings)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < strings->count; i++)
		bytes += strings->items[i].len + 1;
	return bytes;
}

static bool is_long(const struct scd_event *event)
{
	const uint64_t most = SCD_LIMIT_FIELD_TEXT_BYTES;
	switch (event->point) {
	case SCD_POINT_CONTAINER_START: return bytes_of(&event->u.start.args) > most;
	case SCD_POINT_SENTRY_EXEC: return bytes_of(&event->u.exec.argv) > most || event->u.exec.binary_path.len > most;
	case SCD_POINT_SYSCALL_EXECVE: return bytes_of(&event->u.execve.argv) > most;
	case SCD_POINT_SYSCALL_OPEN: return event->u.open.pathname.len > most;
	default: return event->fd_path.len > most;
	}
}

SCD__GETTER(scd__get_evt_is_truncated)
{
	return scd__give_bool(view->event->truncated || is_long(view->event), ret_value);
}

SCD__GETTER(scd__get_evt_is_async)
{
	return scd__give_bool(false, ret_value);
}

SCD__GETTER(scd__get_evt_count)
{
	return scd__give_unsigned(SCD_TYPE_UINT32, 1, ret_value);
}

/* Results. */

SCD__GETTER(scd__get_evt_res)
{
	int64_t result;
	if (!scd__result_of(view->event, &result))
		return false;
	if (result >= 0)
		return scd__give_text(SCD_STR("SUCCESS"), ret_value);
	const char *name = scd__errno_name(view->event->exit_errorno);
	if (name)
		return scd__give_text(scd_str_from(name), ret_value);
	return scd__give_told(scd_arena_printf(view->scratch, "%" PRId64, result), ret_value);
}

SCD__GETTER(scd__get_evt_rawres)
{
	int64_t result;
	return scd__result_of(view->event, &result) && scd__give_i64(result, ret_value);
}

SCD__GETTER(scd__get_evt_failed)
{
	int64_t result;
	return scd__result_of(view->event, &result) && scd__give_bool(result < 0, ret_value);
}

SCD__GETTER(scd__get_evt_count_error)
{
	int64_t result;
	return scd__result_of(view->event, &result) && scd__give_unsigned(SCD_TYPE_UINT32, result < 0, ret_value);
}

/* Input and output. */

static bool does(const struct scd_view *view, unsigned flags)
{
	return (scd__event_info(view->event->kind)->flags & flags) != 0;
}

SCD__GETTER(scd__get_evt_is_io)
{
	return scd__give_bool(does(view, SCD__EVENT_READS | SCD__EVENT_WRITES), ret_value);
}

SCD__GETTER(scd__get_evt_is_io_read)
{
	return scd__give_bool(does(view, SCD__EVENT_READS), ret_value);
}

SCD__GETTER(scd__get_evt_is_io_write)
{
	return scd__give_bool(does(view, SCD__EVENT_WRITES), ret_value);
}

SCD__GETTER(scd__get_evt_io_dir)
{
	if (does(view, SCD__EVENT_WRITES))
		return scd__give_text(SCD_STR("write"), ret_value);
	return does(view, SCD__EVENT_READS) && scd__give_text(SCD_STR("read"), ret_value);
}

SCD__GETTER(scd__get_evt_is_wait)
{
	return scd__give_bool(does(view, SCD__EVENT_WAITS), ret_value);
}

static bool give_moved_bytes(const struct scd_view *view, bool reads, bool writes, struct scd_value *ret_value)
{
	unsigned category = scd__event_info(view->event->kind)->category;
	int64_t result;
	bool wanted = (reads && category == SCD__CATEGORY_IO_READ) || (writes && category == SCD__CATEGORY_IO_WRITE);
	if (!wanted || !scd__result_of(view->event, &result) || result < 0)
		return false;
	return scd__give_unsigned(SCD_TYPE_UINT64, (uint64_t)result, ret_value);
}

SCD__GETTER(scd__get_evt_buflen)
{
	return give_moved_bytes(view, true, true, ret_value);
}

SCD__GETTER(scd__get_evt_buflen_in)
{
	return give_moved_bytes(view, true, false, ret_value);
}

SCD__GETTER(scd__get_evt_buflen_out)
{
	return give_moved_bytes(view, false, true, ret_value);
}

/*
 * How a file was opened. False for events that open nothing, ABSENT for a raw point of open or openat. creat opens
 * neither for reading nor for writing: it has no flags, and Falco looks at nothing else.
 */

static bool opens_without_telling(const struct scd_event *event)
{
	return scd__event_info(event->kind)->creates == SCD_FD_FILE && event->point != SCD_POINT_SYSCALL_OPEN;
}

static bool has_open_flags(const struct scd_event *event)
{
	return event->point == SCD_POINT_SYSCALL_OPEN && event->kind != SCD_KIND_CREAT;
}

SCD__GETTER(scd__get_evt_is_open_read)
{
	if (opens_without_telling(view->event))
		return false;
	bool reads = has_open_flags(view->event) && (view->event->u.open.flags & O_ACCMODE_BITS) != O_WRONLY_BITS;
	return scd__give_bool(reads, ret_value);
}

SCD__GETTER(scd__get_evt_is_open_write)
{
	if (opens_without_telling(view->event))
		return false;
	unsigned mode = has_open_flags(view->event) ? view->event->u.open.flags & O_ACCMODE_BITS : 0;
	return scd__give_bool(mode == O_WRONLY_BITS || mode == O_RDWR_BITS, ret_value);
}

static bool makes_file(const struct scd_event *event)
{
	uint32_t flags = event->u.open.flags;
	return event->kind == SCD_KIND_CREAT || (flags & O_CREAT_BIT) || (flags & O_TMPFILE_BITS) == O_TMPFILE_BITS;
}

SCD__GETTER(scd__get_evt_is_open_exec)
{
	const struct scd_event *event = view->event;
	if (opens_without_telling(event))
		return false;
	bool executable = event->point == SCD_POINT_SYSCALL_OPEN && makes_file(event) &&
	                  (event->u.open.mode & EXECUTE_BITS) != 0;
	return scd__give_bool(executable, ret_value);
}
