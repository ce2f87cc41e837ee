/*
 * Getters of the parent and the other ancestors. The lineage ends at the container's first process: what started that
 * one lives outside the sandbox.
 *
 * Without argument, most of these give all ancestors, nearest first, as a list of which a comparison needs one; [n]
 * gives the n-th, [0] the process itself.
 */
#include <string.h>

#include "engine/actor.h"
#include "engine/field_getters.h"
#include "seccheckd/base/limits.h"

#define VARIABLE_DEPTH 20u /* how far Falco looks for a variable of the environment */

static bool give_text_at(const struct scd_view *view, uint64_t distance, scd__actor_text_fn *get,
                         struct scd_value *ret_value)
{
	struct scd__actor actor;
	return scd__actor_ancestor(view, distance, &actor) && get(&actor, view, ret_value);
}

/* Parent. */

SCD__GETTER(scd__get_proc_ppid)
{
	const struct scd_context *context = &view->event->context;
	int32_t tgid = context->has & SCD_HAS_PARENT ? context->parent_thread_group_id : 0;
	if (tgid == 0 && view->process) {
		const struct scd_process *parent = scd__parent_of(view, view->process);
		tgid = parent ? parent->tgid : view->process->parent_tgid;
	}
	return tgid != 0 && scd__give_i64(tgid, ret_value);
}

SCD__GETTER(scd__get_proc_pname)
{
	return give_text_at(view, 1, scd__actor_name, ret_value);
}

SCD__GETTER(scd__get_proc_pexe)
{
	return give_text_at(view, 1, scd__actor_exe, ret_value);
}

SCD__GETTER(scd__get_proc_pexepath)
{
	return give_text_at(view, 1, scd__actor_exe_path, ret_value);
}

SCD__GETTER(scd__get_proc_pcmdline)
{
	return give_text_at(view, 1, scd__actor_cmdline, ret_value);
}

static int64_t parent_start_ns(const struct scd_view *view)
{
	const struct scd_process *parent = scd__parent_of(view, view->process);
	return parent ? parent->start_time_ns : 0;
}

SCD__GETTER(scd__get_proc_ppid_duration)
{
	return scd__give_span(SCD_TYPE_RELTIME, parent_start_ns(view), view->time_ns, ret_value);
}

SCD__GETTER(scd__get_proc_ppid_ts)
{
	return scd__give_ns(SCD_TYPE_RELTIME, parent_start_ns(view), ret_value);
}

/* All ancestors. */

static size_t ancestor_count(const struct scd_view *view)
{
	size_t count = 0;
	const struct scd_process *process = scd__parent_of(view, view->process);
	for (; process && count < SCD_LIMIT_LINEAGE_DEPTH; count++)
		process = scd__parent_of(view, process);
	return count;
}

/* A list of what `get` says of each ancestor; those of which it says nothing are left out. ABSENT when empty. */
static bool give_all(const struct scd_view *view, scd__actor_text_fn *get, struct scd_value *ret_value)
{
	size_t depth = ancestor_count(view), count = 0;
	struct scd_value *items = depth ? scd_arena_zalloc(view->scratch, depth, sizeof(*items)) : NULL;
	if (!items)
		return false;
	const struct scd_process *process = view->process;
	for (size_t i = 0; i < depth; i++) {
		struct scd__actor actor;
		process = scd__parent_of(view, process);
		scd__actor_of(process, &actor);
		count += get(&actor, view, &items[count]) && scd__value_cut(view, &items[count]);
	}
	*ret_value = (struct scd_value){ .type = SCD_TYPE_STRING, .is_list = true, .list = { items, count } };
	return count > 0;
}

static bool give_one_or_all(const struct scd_view *view, const struct scd_field_arg *arg, scd__actor_text_fn *get,
                            struct scd_value *ret_value)
{
	return arg->present ? give_text_at(view, arg->number, get, ret_value) : give_all(view, get, ret_value);
}

SCD__GETTER(scd__get_proc_aname)
{
	return give_one_or_all(view, arg, scd__actor_name, ret_value);
}

SCD__GETTER(scd__get_proc_aexe)
{
	return give_one_or_all(view, arg, scd__actor_exe, ret_value);
}

SCD__GETTER(scd__get_proc_aexepath)
{
	return give_one_or_all(view, arg, scd__actor_exe_path, ret_value);
}

SCD__GETTER(scd__get_proc_acmdline)
{
	return give_one_or_all(view, arg, scd__actor_cmdline, ret_value);
}

static bool give_all_ids(const struct scd_view *view, struct scd_value *ret_value)
{
	size_t depth = ancestor_count(view);
	struct scd_value *items = depth ? scd_arena_zalloc(view->scratch, depth, sizeof(*items)) : NULL;
	if (!items)
		return false;
	const struct scd_process *process = view->process;
	for (size_t i = 0; i < depth; i++) {
		process = scd__parent_of(view, process);
		scd__give_i64(process->tgid, &items[i]);
	}
	*ret_value = (struct scd_value){ .type = SCD_TYPE_INT64, .is_list = true, .list = { items, depth } };
	return true;
}

SCD__GETTER(scd__get_proc_apid)
{
	struct scd__actor actor;
	if (!arg->present)
		return give_all_ids(view, ret_value);
	if (arg->number == 0)
		return scd__get_proc_pid(view, arg, ret_value);
	if (arg->number == 1)
		return scd__get_proc_ppid(view, arg, ret_value);
	return scd__actor_ancestor(view, arg->number, &actor) && scd__give_i64(actor.process->tgid, ret_value);
}

/* Unlike its siblings: without argument one text, of the arguments of all ancestors. */
SCD__GETTER(scd__get_proc_aargs)
{
	struct scd_value all;
	if (arg->present)
		return give_text_at(view, arg->number, scd__actor_args, ret_value);
	if (!give_all(view, scd__actor_args, &all))
		return false;
	struct scd_str *words = scd_arena_zalloc(view->scratch, all.list.count, sizeof(*words));
	if (!words)
		return false;
	size_t count = 0;
	for (size_t i = 0; i < all.list.count; i++)
		if (all.list.items[i].text.len > 0)
			words[count++] = all.list.items[i].text;
	struct scd__words joined = { .list = words, .list_count = count };
	return count > 0 && scd__words_join(view, joined, ret_value);
}

/* The nearest ancestor in whose environment the variable is not empty; empty when there is none such. */
static bool give_variable(const struct scd_view *view, struct scd_str name, struct scd_value *ret_value)
{
	struct scd__actor actor;
	struct scd_str value = { NULL, 0 };
	bool known = false;
	for (uint64_t distance = 1; distance <= VARIABLE_DEPTH && value.len == 0; distance++) {
		if (!scd__actor_ancestor(view, distance, &actor))
			break;
		known |= scd__actor_variable(&actor, name, &value);
	}
	return known && scd__give_text(value, ret_value);
}

SCD__GETTER(scd__get_proc_aenv)
{
	if (arg->present && !arg->is_number)
		return give_variable(view, arg->text, ret_value);
	return give_one_or_all(view, arg, scd__actor_env, ret_value);
}

static bool is_shell(const struct scd__actor *actor)
{
	return scd_str_ends_with(actor->name, SCD_STR("sh"));
}

SCD__GETTER(scd__get_proc_loginshellid)
{
	struct scd__actor actor;
	bool found = scd__actor_self(view, &actor) && is_shell(&actor) && scd__get_proc_pid(view, arg, ret_value);
	for (uint64_t distance = 1; scd__actor_ancestor(view, distance, &actor); distance++)
		if (is_shell(&actor))
			found = scd__give_i64(actor.process->tgid, ret_value);
	return found;
}
