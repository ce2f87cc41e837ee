/*
 * Getters of descriptors: number, type, name, and what follows from the name; evt.abspath; standard descriptors of an
 * exec. Addresses are in field_socket.c.
 */
#include <inttypes.h>

#include "engine/fd_view.h"
#include "engine/field_getters.h"
#include "engine/text.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/path.h"

/* -1 for a file that could not be opened: this is how Falco's rules tell failed opens. */
SCD__GETTER(scd__get_fd_num)
{
	struct scd__fd fd;
	if (!scd__fd_of(view, &fd) || (fd.number < 0 && !fd.is_opened))
		return false;
	return scd__give_i64(fd.number < 0 ? -1 : fd.number, ret_value);
}

static bool give_type(enum scd_fd_type type, struct scd_value *ret_value)
{
	return scd__give_told(scd_str_from(scd__fd_type_name(type)), ret_value);
}

SCD__GETTER(scd__get_fd_type)
{
	struct scd__fd fd;
	return scd__fd_of(view, &fd) && give_type(fd.what.type, ret_value);
}

SCD__GETTER(scd__get_fd_typechar)
{
	struct scd__fd fd;
	return scd__fd_of(view, &fd) && scd__give_told(scd_str_from(fd.letter), ret_value);
}

SCD__GETTER(scd__get_fd_name)
{
	struct scd__fd fd;
	struct scd_str name;
	return scd__fd_of(view, &fd) && scd__fd_name(view, &fd, &name) && scd__give_text(name, ret_value);
}

/* The name of a file is the path as given; of nothing else is a raw name known. */
SCD__GETTER(scd__get_fd_nameraw)
{
	struct scd_str name = view->event->u.open.pathname;
	if (view->event->point != SCD_POINT_SYSCALL_OPEN || !scd__text_cut(view, &name))
		return false;
	return scd_path_squeeze(name, view->scratch, &name) && scd__give_told(name, ret_value);
}

/* The absolute path of a file or folder. */
static bool path_of(const struct scd_view *view, const struct scd__fd *fd, struct scd_str *ret_path)
{
	if (fd->is_opened)
		return scd__opened_path(view, ret_path);
	*ret_path = fd->what.path;
	bool has_path = fd->what.type == SCD_FD_FILE || fd->what.type == SCD_FD_DIRECTORY;
	return has_path && ret_path->len > 0 && ret_path->data[0] == '/';
}

/* The text before the last slash, `/` for what lies in the root; of a folder the whole name. */
static bool directory_of(const struct scd_view *view, struct scd_str *ret_directory)
{
	struct scd__fd fd;
	struct scd_str path;
	if (!scd__fd_of(view, &fd) || !path_of(view, &fd, &path))
		return false;
	*ret_directory = path;
	if (fd.what.type == SCD_FD_DIRECTORY)
		return true;
	size_t base = scd_str_basename(path).len;
	ret_directory->len = path.len > base + 1 ? path.len - base - 1 : 1;
	return true;
}

SCD__GETTER(scd__get_fd_directory)
{
	struct scd_str directory;
	return directory_of(view, &directory) && scd__give_text(directory, ret_value);
}

SCD__GETTER(scd__get_fd_filename)
{
	struct scd__fd fd;
	struct scd_str name;
	if (!scd__fd_of(view, &fd) || fd.what.type != SCD_FD_FILE || !scd__fd_name(view, &fd, &name))
		return false;
	return scd__give_told(scd_str_basename(name), ret_value);
}

SCD__GETTER(scd__get_fd_uid)
{
	struct scd__fd fd;
	int32_t tid = view->event->context.thread_id;
	if (tid == 0 || !scd__fd_of(view, &fd) || fd.number < 0)
		return false;
	return scd__give_told(scd_arena_printf(view->scratch, "%" PRId32 "%" PRId64, tid, fd.number), ret_value);
}

static bool give_in_container(const struct scd_view *view, struct scd_str text, struct scd_value *ret_value)
{
	struct scd_value id;
	if (!scd__get_container_id(view, NULL, &id))
		return false;
	const struct scd_str parts[] = { id.text, SCD_STR(":"), text };
	struct scd_str named;
	return scd__text_concat(view, parts, SCD_COUNT(parts), &named) && scd__give_text(named, ret_value);
}

SCD__GETTER(scd__get_fd_containername)
{
	struct scd__fd fd;
	struct scd_str name;
	return scd__fd_of(view, &fd) && scd__fd_name(view, &fd, &name) && give_in_container(view, name, ret_value);
}

SCD__GETTER(scd__get_fd_containerdirectory)
{
	struct scd_str directory;
	return directory_of(view, &directory) && give_in_container(view, directory, ret_value);
}

/* Only the system calls with a directory descriptor have it, and of those only openat tells its path. */
SCD__GETTER(scd__get_evt_abspath)
{
	struct scd_str path;
	return view->event->kind == SCD_KIND_OPENAT && scd__opened_path(view, &path) && scd__give_text(path, ret_value);
}

/* Standard descriptors. */

/* NULL when the message does not tell. */
static const struct scd_fd_info *standard_fd(const struct scd_view *view, int number)
{
	const struct scd_event *event = view->event;
	if (event->point != SCD_POINT_SENTRY_EXEC)
		return NULL;
	const struct scd_fd_info *infos[] = { &event->u.exec.stdin_info, &event->u.exec.stdout_info,
		                              &event->u.exec.stderr_info };
	return infos[number]->present ? infos[number] : NULL;
}

static bool give_standard_type(const struct scd_view *view, int number, struct scd_value *ret_value)
{
	const struct scd_fd_info *info = standard_fd(view, number);
	struct scd__fd fd;
	if (info)
		return give_type(scd__fd_info_type(info), ret_value);
	return scd__fd_known(view, number, &fd) && give_type(fd.what.type, ret_value);
}

static bool give_standard_name(const struct scd_view *view, int number, struct scd_value *ret_value)
{
	const struct scd_fd_info *info = standard_fd(view, number);
	struct scd_str name;
	struct scd__fd fd;
	if (info)
		return scd__fd_info_name(info, view->scratch, &name) && scd__give_text(name, ret_value);
	return scd__fd_known(view, number, &fd) && scd__fd_name(view, &fd, &name) && scd__give_text(name, ret_value);
}

SCD__GETTER(scd__get_proc_stdin_type)
{
	return give_standard_type(view, 0, ret_value);
}

SCD__GETTER(scd__get_proc_stdout_type)
{
	return give_standard_type(view, 1, ret_value);
}

SCD__GETTER(scd__get_proc_stderr_type)
{
	return give_standard_type(view, 2, ret_value);
}

SCD__GETTER(scd__get_proc_stdin_name)
{
	return give_standard_name(view, 0, ret_value);
}

SCD__GETTER(scd__get_proc_stdout_name)
{
	return give_standard_name(view, 1, ret_value);
}

SCD__GETTER(scd__get_proc_stderr_name)
{
	return give_standard_name(view, 2, ret_value);
}
