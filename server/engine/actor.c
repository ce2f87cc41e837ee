/*
 * Where names, paths and arguments of a process come from:
 *
 *                     the event's own process                       an ancestor
 *     name            the context's; on an exec or start: state's   state's
 *     argv, env       the message of an exec or start;       state's image: head and tail of what is long
 *                     else state's image
 *     path            the message of an exec; else state's image    state's image
 *
 * The context of sentry/execve is that of before the exec, so its name is not the new one; state has that. An image
 * of unknown origin gives nothing.
 */
#include "engine/actor.h"

#include <string.h>

#include "engine/field_getters.h"
#include "seccheckd/base/limits.h"

static struct scd__words words_of(const struct scd_strings *strings)
{
	return (struct scd__words){ .list = strings->items, .list_count = strings->count };
}

static void take_argv(struct scd__actor *actor, struct scd__words argv, size_t count)
{
	actor->has_argv = true;
	actor->argv = argv;
	actor->argc = count;
}

static void take_env(struct scd__actor *actor, struct scd__words env)
{
	actor->has_env = env.list_count > 0 || env.packed.len > 0;
	actor->env = env;
}

void scd__actor_of(const struct scd_process *process, struct scd__actor *ret_actor)
{
	*ret_actor = (struct scd__actor){ .process = process, .name = process->name };
	if (process->image->origin == SCD_IMAGE_UNKNOWN)
		return;
	ret_actor->exe_path = process->image->exe_path;
	take_argv(ret_actor, (struct scd__words){ .packed = process->image->args }, process->image->args_count);
	take_env(ret_actor, (struct scd__words){ .packed = process->image->env });
}

bool scd__actor_self(const struct scd_view *view, struct scd__actor *ret_actor)
{
	const struct scd_event *event = view->event;
	*ret_actor = (struct scd__actor){ 0 };
	if (view->process)
		scd__actor_of(view->process, ret_actor);
	switch (event->point) {
	case SCD_POINT_SENTRY_EXEC:
		ret_actor->exe_path = event->u.exec.binary_path;
		take_argv(ret_actor, words_of(&event->u.exec.argv), event->u.exec.argv.count);
		if (event->u.exec.env.count > 0)
			take_env(ret_actor, words_of(&event->u.exec.env));
		return true;
	case SCD_POINT_CONTAINER_START:
		take_argv(ret_actor, words_of(&event->u.start.args), event->u.start.args.count);
		if (event->u.start.env.count > 0)
			take_env(ret_actor, words_of(&event->u.start.env));
		return true;
	default: break;
	}
	if (event->context.process_name.len > 0)
		ret_actor->name = event->context.process_name;
	return view->process || ret_actor->name.len > 0;
}

const struct scd_process *scd__parent_of(const struct scd_view *view, const struct scd_process *process)
{
	return process ? scd_sandbox_process(view->sandbox, process->parent) : NULL;
}

bool scd__actor_ancestor(const struct scd_view *view, uint64_t distance, struct scd__actor *ret_actor)
{
	if (distance == 0)
		return scd__actor_self(view, ret_actor);
	if (distance > SCD_LIMIT_LINEAGE_DEPTH)
		return false;
	const struct scd_process *process = view->process;
	for (; process && distance > 0; distance--)
		process = scd__parent_of(view, process);
	if (process)
		scd__actor_of(process, ret_actor);
	return process != NULL;
}

/* Texts. */

bool scd__actor_name(const struct scd__actor *actor, const struct scd_view *view, struct scd_value *ret_value)
{
	(void)view;
	return scd__give_told(actor->name, ret_value);
}

static bool exe_of(const struct scd__actor *actor, struct scd_str *ret_exe)
{
	struct scd__words argv = actor->argv;
	return actor->has_argv && scd__words_next(&argv, ret_exe);
}

bool scd__actor_exe(const struct scd__actor *actor, const struct scd_view *view, struct scd_value *ret_value)
{
	struct scd_str exe;
	(void)view;
	return exe_of(actor, &exe) && scd__give_told(exe, ret_value);
}

bool scd__actor_exe_path(const struct scd__actor *actor, const struct scd_view *view, struct scd_value *ret_value)
{
	(void)view;
	return scd__give_told(actor->exe_path, ret_value);
}

struct scd__words scd__actor_arg_words(const struct scd__actor *actor)
{
	struct scd__words words = actor->argv;
	struct scd_str exe;
	(void)scd__words_next(&words, &exe);
	return words;
}

bool scd__actor_args(const struct scd__actor *actor, const struct scd_view *view, struct scd_value *ret_value)
{
	return actor->has_argv && scd__words_join(view, scd__actor_arg_words(actor), ret_value);
}

bool scd__actor_env(const struct scd__actor *actor, const struct scd_view *view, struct scd_value *ret_value)
{
	return actor->has_env && scd__words_join(view, actor->env, ret_value);
}

/* head alone when there are no arguments. */
static bool line(const struct scd_view *view, struct scd_str head, const struct scd__actor *actor,
                 struct scd_value *ret_value)
{
	struct scd__words args = scd__actor_arg_words(actor), rest = args;
	struct scd_str first;
	if (!scd__words_next(&rest, &first))
		return scd__give_told(head, ret_value);
	return scd__words_join_behind(view, head, args, ret_value);
}

bool scd__actor_cmdline(const struct scd__actor *actor, const struct scd_view *view, struct scd_value *ret_value)
{
	return actor->has_argv && actor->name.len > 0 && line(view, actor->name, actor, ret_value);
}

bool scd__actor_exeline(const struct scd__actor *actor, const struct scd_view *view, struct scd_value *ret_value)
{
	struct scd_str exe;
	return exe_of(actor, &exe) && exe.len > 0 && line(view, exe, actor, ret_value);
}

bool scd__actor_variable(const struct scd__actor *actor, struct scd_str name, struct scd_str *ret_value)
{
	struct scd__words env = actor->env;
	struct scd_str entry;
	*ret_value = (struct scd_str){ "", 0 };
	while (actor->has_env && scd__words_next(&env, &entry)) {
		if (entry.len <= name.len || entry.data[name.len] != '=' || !scd_str_starts_with(entry, name))
			continue;
		*ret_value = scd_str_trim((struct scd_str){ entry.data + name.len + 1, entry.len - name.len - 1 });
		break;
	}
	return actor->has_env;
}

/* Ids and times of the event's own process. */

int32_t scd__self_tgid(const struct scd_view *view)
{
	int32_t told = view->event->context.thread_group_id;
	return told == 0 && view->process ? view->process->tgid : told;
}

int64_t scd__self_start_ns(const struct scd_view *view)
{
	int64_t told = view->event->context.thread_group_start_time_ns;
	return told == 0 && view->process ? view->process->start_time_ns : told;
}
