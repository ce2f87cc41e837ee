/*
 * A process as fields see it: the event's own (state, with what the message knows better), or an ancestor (state
 * alone). Texts borrow from the message or the state. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_ACTOR_H
#define SCD_SERVER_ENGINE_ACTOR_H

#include "engine/text.h"

struct scd__actor {
	const struct scd_process *process; /* NULL: the state knows none */
	struct scd_str name;               /* empty: not known */
	struct scd_str exe_path;           /* empty: not known */
	bool has_argv;                     /* whether the two below are known */
	struct scd__words argv;            /* without the middle where state cut it */
	size_t argc;                       /* also of what was cut */
	bool has_env;
	struct scd__words env;
};

/* argv[1..] of an actor that has them. */
struct scd__words scd__actor_arg_words(const struct scd__actor *actor);

/* The event's own process. False when neither the message nor the state knows anything of it. */
bool scd__actor_self(const struct scd_view *view, struct scd__actor *ret_actor);

/* What state knows of a process. */
void scd__actor_of(const struct scd_process *process, struct scd__actor *ret_actor);

/* Distance 0 is the process itself, 1 its parent. False when there is none that far. */
bool scd__actor_ancestor(const struct scd_view *view, uint64_t distance, struct scd__actor *ret_actor);

/* The parent's process, NULL when it is not known. */
const struct scd_process *scd__parent_of(const struct scd_view *view, const struct scd_process *process);

/* A text of an actor; false: ABSENT. The view lends its scratch arena. */
typedef bool scd__actor_text_fn(const struct scd__actor *actor, const struct scd_view *view,
                                struct scd_value *ret_value);

extern scd__actor_text_fn scd__actor_name, scd__actor_exe, scd__actor_exe_path, scd__actor_args, scd__actor_cmdline,
        scd__actor_exeline, scd__actor_env;

/* The value of a variable, without blanks around it; an environment that does not have it gives an empty text. */
bool scd__actor_variable(const struct scd__actor *actor, struct scd_str name, struct scd_str *ret_value);

/* Id of the event's own process; 0 when not known. */
int32_t scd__self_tgid(const struct scd_view *view);

/* Start of the event's own process in nanoseconds since the epoch; 0 when not known. */
int64_t scd__self_start_ns(const struct scd_view *view);

#endif
