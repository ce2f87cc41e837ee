/*
 * Getters of the event's own process and thread. What it is called and how it was started comes from actor.c.
 */
#include <string.h>

#include "engine/actor.h"
#include "engine/container_view.h"
#include "engine/field_getters.h"
#include "seccheckd/base/array.h"

static bool give_actor_text(const struct scd_view *view, scd__actor_text_fn *get, struct scd_value *ret_value)
{
	struct scd__actor actor;
	return scd__actor_self(view, &actor) && get(&actor, view, ret_value);
}

SCD__GETTER(scd__get_proc_name)
{
	return give_actor_text(view, scd__actor_name, ret_value);
}

SCD__GETTER(scd__get_proc_exe)
{
	return give_actor_text(view, scd__actor_exe, ret_value);
}

SCD__GETTER(scd__get_proc_exepath)
{
	return give_actor_text(view, scd__actor_exe_path, ret_value);
}

SCD__GETTER(scd__get_proc_cmdline)
{
	return give_actor_text(view, scd__actor_cmdline, ret_value);
}

SCD__GETTER(scd__get_proc_exeline)
{
	return give_actor_text(view, scd__actor_exeline, ret_value);
}

/* An index behind the last argument gives an empty text, as in Falco. */
SCD__GETTER(scd__get_proc_args)
{
	struct scd__actor actor;
	if (!arg->present)
		return give_actor_text(view, scd__actor_args, ret_value);
	if (!scd__actor_self(view, &actor) || !actor.has_argv)
		return false;
	struct scd__words args = scd__actor_arg_words(&actor);
	struct scd_str word;
	for (uint64_t i = 0; i <= arg->number; i++)
		if (!scd__words_next(&args, &word))
			return scd__give_text(SCD_STR(""), ret_value);
	return scd__give_text(word, ret_value);
}

SCD__GETTER(scd__get_proc_cmdnargs)
{
	struct scd__actor actor;
	if (!scd__actor_self(view, &actor) || !actor.has_argv)
		return false;
	return scd__give_unsigned(SCD_TYPE_UINT64, actor.argc ? actor.argc - 1 : 0, ret_value);
}

/* Where state cut the middle of the arguments: the length of the rest, which is long enough for any rule. */
SCD__GETTER(scd__get_proc_cmdlenargs)
{
	struct scd__actor actor;
	struct scd_str word;
	uint64_t bytes = 0;
	if (!scd__actor_self(view, &actor) || !actor.has_argv)
		return false;
	struct scd__words args = scd__actor_arg_words(&actor);
	while (scd__words_next(&args, &word))
		bytes += word.len;
	return scd__give_unsigned(SCD_TYPE_UINT64, bytes, ret_value);
}

SCD__GETTER(scd__get_proc_env)
{
	struct scd__actor actor;
	struct scd_str value;
	if (!arg->present || arg->is_number)
		return give_actor_text(view, scd__actor_env, ret_value);
	return scd__actor_self(view, &actor) && scd__actor_variable(&actor, arg->text, &value) &&
	       scd__give_text(value, ret_value);
}

static struct scd_str cwd_of(const struct scd_view *view)
{
	const struct scd_event *event = view->event;
	if (event->point == SCD_POINT_CONTAINER_START && event->u.start.cwd.len > 0)
		return event->u.start.cwd;
	if (event->context.cwd.len > 0)
		return event->context.cwd;
	return view->process ? view->process->cwd : (struct scd_str){ NULL, 0 };
}

SCD__GETTER(scd__get_proc_cwd)
{
	struct scd_str cwd = cwd_of(view);
	if (cwd.len == 0 || cwd.data[cwd.len - 1] == '/')
		return scd__give_told(cwd, ret_value);
	const struct scd_str parts[] = { cwd, SCD_STR("/") };
	return scd__text_concat(view, parts, SCD_COUNT(parts), &cwd) && scd__give_text(cwd, ret_value);
}

/* Terminals. */

static bool is_terminal(const struct scd_fd_info *info)
{
	return scd_str_starts_with(info->path, SCD_STR("/dev/pts/")) ||
	       scd_str_starts_with(info->path, SCD_STR("/dev/tty")) || scd_str_is(info->path, "/dev/console");
}

/* Only the start of a container and an exec tell; the number of the terminal they do not. */
SCD__GETTER(scd__get_proc_tty)
{
	const struct scd_event *event = view->event;
	if (event->point == SCD_POINT_CONTAINER_START)
		return scd__give_unsigned(SCD_TYPE_UINT32, event->u.start.terminal, ret_value);
	if (event->point != SCD_POINT_SENTRY_EXEC || !event->u.exec.stdin_info.present)
		return false;
	bool terminal = is_terminal(&event->u.exec.stdin_info) || is_terminal(&event->u.exec.stdout_info) ||
	                is_terminal(&event->u.exec.stderr_info);
	return scd__give_unsigned(SCD_TYPE_UINT32, terminal, ret_value);
}

/* Ids, times, threads. */

SCD__GETTER(scd__get_proc_pid)
{
	int32_t tgid = scd__self_tgid(view);
	return tgid != 0 && scd__give_i64(tgid, ret_value);
}

SCD__GETTER(scd__get_proc_duration)
{
	return scd__give_span(SCD_TYPE_RELTIME, scd__self_start_ns(view), view->time_ns, ret_value);
}

SCD__GETTER(scd__get_proc_pid_ts)
{
	return scd__give_ns(SCD_TYPE_RELTIME, scd__self_start_ns(view), ret_value);
}

SCD__GETTER(scd__get_proc_nthreads)
{
	if (!view->process || view->process->thread_count == 0)
		return false;
	return scd__give_unsigned(SCD_TYPE_UINT64, view->process->thread_count, ret_value);
}

SCD__GETTER(scd__get_proc_nchilds)
{
	if (!view->process || view->process->thread_count == 0)
		return false;
	return scd__give_unsigned(SCD_TYPE_UINT64, view->process->thread_count - 1, ret_value);
}

SCD__GETTER(scd__get_thread_tid)
{
	int32_t tid = view->event->context.thread_id;
	return tid != 0 && scd__give_i64(tid, ret_value);
}

SCD__GETTER(scd__get_thread_ismain)
{
	int32_t tid = view->event->context.thread_id, tgid = scd__self_tgid(view);
	return tid != 0 && tgid != 0 && scd__give_bool(tid == tgid, ret_value);
}

/* The executed file. */

/* NULL unless an exec was seen: the start of a container tells nothing of its file. */
static const struct scd_image *executed(const struct scd_view *view)
{
	if (!view->process || view->process->image->origin != SCD_IMAGE_EXEC)
		return NULL;
	return view->process->image;
}

SCD__GETTER(scd__get_proc_is_exe_upper_layer)
{
	const struct scd_image *image = executed(view);
	return image && scd__give_bool(image->upper_layer, ret_value);
}

SCD__GETTER(scd__get_proc_is_exe_lower_layer)
{
	const struct scd_image *image = executed(view);
	return image && scd__give_bool(image->lower_layer, ret_value);
}

SCD__GETTER(scd__get_proc_is_exe_from_memfd)
{
	const struct scd_image *image = executed(view);
	return image && scd__give_bool(image->from_memfd, ret_value);
}

SCD__GETTER(scd__get_proc_exe_ino)
{
	const struct scd_image *image = executed(view);
	return image && image->exe_ino != 0 && scd__give_i64((int64_t)image->exe_ino, ret_value);
}

SCD__GETTER(scd__get_proc_exe_ino_ctime)
{
	const struct scd_image *image = executed(view);
	return image && scd__give_ns(SCD_TYPE_ABSTIME, image->exe_ctime_ns, ret_value);
}

SCD__GETTER(scd__get_proc_exe_ino_age_at_start)
{
	const struct scd_image *image = executed(view);
	return image && scd__give_span(SCD_TYPE_ABSTIME, image->exe_ctime_ns, scd__self_start_ns(view), ret_value);
}

static int64_t container_start_ns(const struct scd_view *view)
{
	const struct scd_container *container = scd__container_of(view);
	if (!container)
		return 0;
	int64_t init_start_ns = scd__container_init_start_ns(view, container);
	return init_start_ns ? init_start_ns : container->start_ns;
}

SCD__GETTER(scd__get_proc_exe_ino_age_in_container)
{
	const struct scd_image *image = executed(view);
	return image && scd__give_span(SCD_TYPE_ABSTIME, container_start_ns(view), image->exe_ctime_ns, ret_value);
}

SCD__GETTER(scd__get_proc_pidns_init_start_ts)
{
	return scd__give_ns(SCD_TYPE_UINT64, container_start_ns(view), ret_value);
}
