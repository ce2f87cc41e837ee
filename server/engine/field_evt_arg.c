/*
 * evt.arg, evt.rawarg and evt.args: parameters as text, as values, and all in one line.
 *
 * Most parameters read in two ways, as a plain text and as what it stands for: 3 and `<f>/etc/passwd`, -2 and ENOENT.
 * evt.arg is the second if there is one, else the first; evt.args has both: `fd=3(<f>/etc/passwd) flags=1(O_RDONLY)`.
 * An empty parameter is the text `<NA>`, or NULL for bytes, as in Falco.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "engine/actor.h"
#include "engine/evt_params.h"
#include "engine/fd_view.h"
#include "engine/field_getters.h"
#include "engine/result.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/event/address.h"

#define LINUX_AT_FDCWD (-100)
#define NOT_TOLD       "<NA>"

/* data NULL: the arena is exhausted. resolved is empty when there is nothing to say. */
struct reading {
	struct scd_str plain;
	struct scd_str resolved;
	const struct scd_pieces *whole; /* of plain, where that was cut */
};

/* Numbers. */

static int64_t signed_of(const struct scd_value *value)
{
	return scd_type_is_signed(value->type) ? value->i64 : (int64_t)value->u64;
}

static uint64_t unsigned_of(const struct scd_value *value)
{
	return scd_type_is_signed(value->type) ? (uint64_t)value->i64 : value->u64;
}

static struct scd_str decimal(const struct scd_value *value, struct scd_arena *arena)
{
	if (scd_type_is_signed(value->type))
		return scd_arena_printf(arena, "%" PRId64, value->i64);
	return scd_arena_printf(arena, "%" PRIu64, value->u64);
}

static struct scd_str error_name(int64_t number)
{
	return scd_str_from(number < 0 && number > INT32_MIN ? scd__errno_name(-number) : NULL);
}

/* `<t>name` of a descriptor of type t. */
static struct scd_str typed_name(const struct scd_view *view, struct scd_str type, struct scd_str name)
{
	const struct scd_str parts[] = { SCD_STR("<"), type, SCD_STR(">"), name };
	struct scd_str text = { NULL, 0 };
	(void)scd__text_concat(view, parts, SCD_COUNT(parts), &text);
	return text;
}

/* What is behind a descriptor: the event's own, or the directory that openat started from. */
static struct scd_str behind_fd(const struct scd_view *view, int64_t number)
{
	struct scd__fd fd;
	struct scd_str name;
	const struct scd_event *event = view->event;
	bool known = (scd__fd_of(view, &fd) && fd.number == number) || scd__fd_known(view, number, &fd);
	if (known && scd__fd_name(view, &fd, &name)) {
		bool is_ip = fd.what.local.ip.family || fd.what.remote.ip.family;
		const char *l4proto = scd__fd_l4proto(&fd), *protocol = is_ip && l4proto[0] != '<' ? l4proto : "";
		char type[8];
		bool is_folder = event->point == SCD_POINT_SYSCALL_OPEN && event->fd == number && fd.letter[0] == 'o';
		snprintf(type, sizeof(type), "%s%.1s", is_folder ? "d" : fd.letter, protocol);
		return typed_name(view, scd_str_from(type), name);
	}
	if (event->point == SCD_POINT_SYSCALL_OPEN && event->fd == number && event->fd_path.len > 0)
		return typed_name(view, SCD_STR("d"), event->fd_path);
	return (struct scd_str){ NULL, 0 };
}

/* Descriptors and process ids are 32 bits wide, also where a raw point tells a whole register. */
static void read_fd(const struct scd_view *view, const struct scd_value *value, struct reading *reading)
{
	int64_t number = (int32_t)signed_of(value);
	reading->plain = scd_arena_printf(view->scratch, "%" PRId64, number);
	if (number >= 0)
		reading->resolved = behind_fd(view, number);
	else
		reading->resolved = number == LINUX_AT_FDCWD ? SCD_STR("AT_FDCWD") : error_name(number);
}

static void read_pid(const struct scd_view *view, const struct scd_value *value, struct reading *reading)
{
	int32_t number = (int32_t)signed_of(value);
	const struct scd_process *process = scd_sandbox_process(view->sandbox, scd_sandbox_find(view->sandbox, number));
	reading->plain = scd_arena_printf(view->scratch, "%" PRId32, number);
	if (process)
		reading->resolved = process->name;
}

/* -1 means "leave it as it is" to the system calls that take ids. */
static void read_user(const struct scd_view *view, const struct scd_value *value, struct reading *reading)
{
	uint32_t number = (uint32_t)signed_of(value);
	if (number == UINT32_MAX) {
		*reading = (struct reading){ SCD_STR("-1"), SCD_STR("<NONE>"), NULL };
		return;
	}
	reading->plain = scd_arena_printf(view->scratch, "%" PRIu32, number);
	reading->resolved = number == 0 ? SCD_STR("root") : SCD_STR(NOT_TOLD);
}

static struct scd_str time_text(int64_t time_ns, struct scd_arena *arena)
{
	char text[SCD_CLOCK_TEXT_BYTES];
	scd_clock_format_iso8601(time_ns, " +0000", text);
	text[strcspn(text, "T")] = ' ';
	return scd_arena_dup(arena, scd_str_from(text));
}

/* Texts. */

static void keep_text(const struct scd_value *value, struct reading *reading)
{
	reading->plain = value->text;
	reading->whole = value->whole;
}

static void read_path(const struct scd_view *view, const struct scd_value *value, struct reading *reading)
{
	keep_text(value, reading);
	bool opened = view->event->point == SCD_POINT_SYSCALL_OPEN;
	if (value->text.len == 0 || value->text.data[0] == '/')
		return;
	if (opened)
		(void)scd__opened_path(view, &reading->resolved);
	else
		(void)scd__joined_path(view, view->event->context.cwd, value->text, &reading->resolved);
}

static struct scd_str printable(struct scd_str bytes, struct scd_arena *arena)
{
	char *out = scd_arena_alloc(arena, bytes.len);
	for (size_t i = 0; out && i < bytes.len; i++)
		out[i] = bytes.data[i] >= ' ' && bytes.data[i] <= '~' ? bytes.data[i] : '.';
	return (struct scd_str){ out, out ? bytes.len : 0 };
}

/* Of bytes that were cut, what is between their parts is printable, and the parts are as they came. */
static void read_bytes(const struct scd_value *value, struct reading *reading, struct scd_arena *arena)
{
	struct scd_pieces *whole = value->whole ? scd_arena_alloc(arena, sizeof(*whole)) : NULL;
	reading->plain = printable(value->text, arena);
	if (!whole)
		return;
	*whole = *value->whole;
	whole->between = printable(whole->between, arena);
	reading->whole = whole;
}

/* The address that a call was given. */
static struct scd_str sockaddr_text(const struct scd_view *view, struct scd_str sockaddr)
{
	struct scd_str name;
	struct scd_fd_endpoint end = { 0 };
	struct scd_address address = { 0 };
	int result = scd_address_parse(sockaddr, &address);
	if (address.family == AF_UNIX && result == 0 && scd__unix_name(view, address.path, &name))
		return name;
	bool is_ip = address.family == AF_INET || address.family == AF_INET6;
	if (is_ip && result == 0 &&
	    scd_fd_endpoint_set(&end, address.ip, address.family == AF_INET ? 4 : 16, address.port))
		return scd__endpoint_text(&end, view->scratch);
	if (result == -EBADMSG)
		return SCD_STR("INVALID SOCKADDR");
	return scd_arena_printf(view->scratch, "family %u", address.family);
}

/* One parameter. */

static void read_value(const struct scd_view *view, const struct scd__param *param, const struct scd_value *value,
                       struct reading *reading)
{
	struct scd_arena *arena = view->scratch;
	switch (param->form) {
	case SCD__PARAM_DECIMAL: reading->plain = decimal(value, arena); break;
	case SCD__PARAM_OCTAL: reading->plain = scd_arena_printf(arena, "%#" PRIo64, unsigned_of(value)); break;
	case SCD__PARAM_HEX: reading->plain = scd_arena_printf(arena, "%" PRIX64, unsigned_of(value)); break;
	case SCD__PARAM_ERRNO:
		reading->plain = decimal(value, arena);
		reading->resolved = error_name(signed_of(value));
		break;
	case SCD__PARAM_FD: read_fd(view, value, reading); break;
	case SCD__PARAM_PID: read_pid(view, value, reading); break;
	case SCD__PARAM_USER: read_user(view, value, reading); break;
	case SCD__PARAM_FLAGS:
		reading->plain = scd_arena_printf(arena, "%" PRIu64, scd__flag_code(param->flags, unsigned_of(value)));
		reading->resolved = scd__flag_text(param->flags, unsigned_of(value), arena);
		break;
	case SCD__PARAM_TIME: reading->plain = time_text(signed_of(value), arena); break;
	case SCD__PARAM_TEXT:
	case SCD__PARAM_TUPLE: keep_text(value, reading); break;
	case SCD__PARAM_PATH: read_path(view, value, reading); break;
	case SCD__PARAM_BYTES: read_bytes(value, reading, arena); break;
	case SCD__PARAM_SOCKADDR: reading->plain = sockaddr_text(view, value->text); break;
	}
}

static void read_param(const struct scd_view *view, const struct scd__param *param, struct reading *reading)
{
	struct scd_value value;
	*reading = (struct reading){ 0 };
	if (scd__param_value(param, view, &value) && scd__value_cut(view, &value))
		read_value(view, param, &value, reading);
	else if (param->form == SCD__PARAM_BYTES || param->form == SCD__PARAM_TUPLE)
		reading->plain = SCD_STR("NULL");
	else
		reading->plain = SCD_STR(NOT_TOLD);
}

/* NULL when the event has no such parameter. */
static const struct scd__param *find_param(const struct scd_event *event, const struct scd_field_arg *arg)
{
	struct scd__params params = scd__params_of(event);
	if (arg->is_number)
		return arg->number < params.count ? &params.items[arg->number] : NULL;
	for (size_t i = 0; i < params.count; i++)
		if (scd_str_is(arg->text, params.items[i].name))
			return &params.items[i];
	return NULL;
}

SCD__GETTER(scd__get_evt_arg)
{
	const struct scd__param *param = find_param(view->event, arg);
	struct reading reading;
	if (!param)
		return false;
	read_param(view, param, &reading);
	struct scd_str text = reading.resolved.len > 0 ? reading.resolved : reading.plain;
	if (!text.data)
		return false;
	*ret_value = (struct scd_value){ .type = SCD_TYPE_STRING, .text = text };
	if (text.data == reading.plain.data)
		ret_value->whole = reading.whole;
	return true;
}

/* The type was settled by the name when the rule was compiled; a parameter that does not fit it is ABSENT. */
static bool give_as(enum scd_type type, const struct scd_value *value, struct scd_value *ret_value)
{
	bool wants_number = scd_type_is_signed(type) || scd_type_is_unsigned(type);
	bool is_number = scd_type_is_signed(value->type) || scd_type_is_unsigned(value->type);
	if (wants_number != is_number)
		return false;
	*ret_value = (struct scd_value){ .type = type };
	if (!is_number)
		*ret_value = (struct scd_value){ .type = type, .text = value->text, .whole = value->whole };
	else if (scd_type_is_signed(type))
		ret_value->i64 = signed_of(value);
	else
		ret_value->u64 = type == SCD_TYPE_UINT32 ? (uint32_t)unsigned_of(value) : unsigned_of(value);
	return true;
}

SCD__GETTER(scd__get_evt_rawarg)
{
	const struct scd__param *param = find_param(view->event, arg);
	enum scd_type type;
	struct scd_value value;
	if (!param || !scd__param_type(arg->text, &type))
		return false;
	if (scd__param_value(param, view, &value)) {
		if (param->form == SCD__PARAM_FLAGS)
			scd__give_unsigned(SCD_TYPE_UINT64, scd__flag_code(param->flags, unsigned_of(&value)), &value);
		return give_as(type, &value, ret_value);
	}
	/* Falco has empty texts as `<NA>`, and empty numbers not at all. */
	*ret_value = (struct scd_value){ .type = type, .text = SCD_STR(NOT_TOLD) };
	return scd_type_is_text(type) && (param->form == SCD__PARAM_TEXT || param->form == SCD__PARAM_PATH);
}

/* All of them. */

static struct scd_str name_and_value(const struct scd_view *view, const struct scd__param *param)
{
	struct reading reading;
	read_param(view, param, &reading);
	const struct scd_str parts[] = { scd_str_from(param->name), SCD_STR("="), reading.plain, SCD_STR("("),
		                         reading.resolved,          SCD_STR(")") };
	struct scd_str text = { NULL, 0 };
	(void)scd__text_concat(view, parts, reading.resolved.len > 0 ? SCD_COUNT(parts) : 3, &text);
	return text;
}

/* Where all together are too long, each keeps its own head and tail, so that none can hide another. */
static void cut_to_shares(const struct scd_view *view, struct scd_str *texts, size_t count)
{
	size_t bytes = count, share = SCD_LIMIT_FIELD_TEXT_BYTES / count - 1;
	for (size_t i = 0; i < count; i++)
		bytes += texts[i].len;
	for (size_t i = 0; i < count && bytes > SCD_LIMIT_FIELD_TEXT_BYTES; i++)
		(void)scd__text_cut_to(view, share, &texts[i]);
}

SCD__GETTER(scd__get_evt_args)
{
	struct scd__params params = scd__params_of(view->event);
	struct scd_str *texts = scd_arena_zalloc(view->scratch, params.count, sizeof(*texts));
	if (params.count == 0 || !texts)
		return false;
	for (size_t i = 0; i < params.count; i++)
		texts[i] = name_and_value(view, &params.items[i]);
	cut_to_shares(view, texts, params.count);
	struct scd__words words = { .list = texts, .list_count = params.count };
	return scd__words_join(view, words, ret_value) && ret_value->text.len > 0;
}
