/*
 * Where names, paths and arguments of a process come from:
 *
 *                     the event's own process                       an ancestor
 *     name            the context's; on an exec or start: state's   state's
 *     argv, env       the message of an exec or start: whole;       state's image: head and tail of what is long
 *                     else state's image
 *     path            the message of an exec; else state's image    state's image
 *
 * The context of sentry/execve is that of before the exec, so its name is not the new one; state has that. An image
 * of unknown origin gives nothing.
 */
#include "engine/actor.h"

#include <string.h>

#include "seccheckd/base/limits.h"

/* Words. */

bool scd__words_next(struct scd__words *words, struct scd_str *ret_word)
{
	if (words->list_count > 0) {
		*ret_word = *words->list++;
		words->list_count--;
		return true;
	}
	if (words->packed.len == 0)
		return false;
	const char *end = memchr(words->packed.data, '\0', words->packed.len);
	size_t len = end ? (size_t)(end - words->packed.data) : words->packed.len;
	size_t skip = end ? len + 1 : len;
	*ret_word = (struct scd_str){ words->packed.data, len };
	words->packed = (struct scd_str){ words->packed.data + skip, words->packed.len - skip };
	return true;
}

static struct scd__words words_of(const struct scd_strings *strings)
{
	return (struct scd__words){ .list = strings->items, .list_count = strings->count };
}

static size_t bytes_of(struct scd__words words)
{
	struct scd_str word;
	size_t bytes = 0;
	while (scd__words_next(&words, &word))
		bytes += word.len + 1;
	return bytes;
}

static char *put(char *out, struct scd_str word, char behind)
{
	if (word.len)
		memcpy(out, word.data, word.len);
	out[word.len] = behind;
	return out + word.len + 1;
}

/* `head` (unless its data is NULL) and the words, `behind` after each of them. */
static bool lay_out(struct scd_str head, struct scd__words words, char behind, struct scd_arena *arena,
                    struct scd_str *ret_text)
{
	struct scd_str word;
	size_t bytes = bytes_of(words) + (head.data ? head.len + 1 : 0);
	char *text = scd_arena_alloc(arena, bytes), *out = text;
	if (!text)
		return false;
	if (head.data)
		out = put(out, head, behind);
	while (scd__words_next(&words, &word))
		out = put(out, word, behind);
	*ret_text = (struct scd_str){ text, bytes };
	return true;
}

bool scd__words_pack(struct scd__words words, struct scd_arena *arena, struct scd_str *ret_bytes)
{
	return lay_out((struct scd_str){ NULL, 0 }, words, '\0', arena, ret_bytes);
}

/* As lay_out, with a blank between all of them. */
static bool join_behind(struct scd_str head, struct scd__words words, struct scd_arena *arena, struct scd_str *ret_text)
{
	if (!lay_out(head, words, ' ', arena, ret_text))
		return false;
	if (ret_text->len > 0)
		ret_text->len--;
	return true;
}

/* Whether there is at most one word: then there is nothing to join. */
static bool is_single(struct scd__words words, struct scd_str *ret_word)
{
	struct scd_str second;
	*ret_word = (struct scd_str){ "", 0 };
	return !scd__words_next(&words, ret_word) || !scd__words_next(&words, &second);
}

bool scd__words_join(struct scd__words words, struct scd_arena *arena, struct scd_str *ret_text)
{
	struct scd_str single;
	if (!is_single(words, &single))
		return join_behind((struct scd_str){ NULL, 0 }, words, arena, ret_text);
	*ret_text = single;
	return true;
}

/* Actors. */

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

bool scd__actor_name(const struct scd__actor *actor, struct scd_arena *arena, struct scd_str *ret_text)
{
	(void)arena;
	*ret_text = actor->name;
	return actor->name.len > 0;
}

bool scd__actor_exe(const struct scd__actor *actor, struct scd_arena *arena, struct scd_str *ret_text)
{
	struct scd__words argv = actor->argv;
	(void)arena;
	return actor->has_argv && scd__words_next(&argv, ret_text) && ret_text->len > 0;
}

bool scd__actor_exe_path(const struct scd__actor *actor, struct scd_arena *arena, struct scd_str *ret_text)
{
	(void)arena;
	*ret_text = actor->exe_path;
	return actor->exe_path.len > 0;
}

struct scd__words scd__actor_arg_words(const struct scd__actor *actor)
{
	struct scd__words words = actor->argv;
	struct scd_str exe;
	(void)scd__words_next(&words, &exe);
	return words;
}

bool scd__actor_args(const struct scd__actor *actor, struct scd_arena *arena, struct scd_str *ret_text)
{
	return actor->has_argv && scd__words_join(scd__actor_arg_words(actor), arena, ret_text);
}

bool scd__actor_env(const struct scd__actor *actor, struct scd_arena *arena, struct scd_str *ret_text)
{
	return actor->has_env && scd__words_join(actor->env, arena, ret_text);
}

/* head alone when there are no arguments. */
static bool line(struct scd_str head, const struct scd__actor *actor, struct scd_arena *arena, struct scd_str *ret_text)
{
	struct scd__words args = scd__actor_arg_words(actor), rest = args;
	struct scd_str first;
	*ret_text = head;
	return !scd__words_next(&rest, &first) || join_behind(head, args, arena, ret_text);
}

bool scd__actor_cmdline(const struct scd__actor *actor, struct scd_arena *arena, struct scd_str *ret_text)
{
	return actor->has_argv && actor->name.len > 0 && line(actor->name, actor, arena, ret_text);
}

bool scd__actor_exeline(const struct scd__actor *actor, struct scd_arena *arena, struct scd_str *ret_text)
{
	struct scd_str exe;
	return scd__actor_exe(actor, arena, &exe) && line(exe, actor, arena, ret_text);
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
