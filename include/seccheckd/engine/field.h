/*
 * Fields: the names that rules read, and where their values come from on gVisor.
 *
 * One table row per field (server/engine/fields.def): name, type, argument, flags, class, getter, one line of
 * documentation. Class is how gVisor provides it: D straight from the message, S from state, E from what the host
 * knows, X not at all (the field is known and typed, and ABSENT unless Falco has a text or number for "unknown").
 */
#ifndef SECCHECKD_ENGINE_FIELD_H
#define SECCHECKD_ENGINE_FIELD_H

#include "seccheckd/base/arena.h"
#include "seccheckd/base/error.h"
#include "seccheckd/event/event.h"
#include "seccheckd/event/value.h"
#include "seccheckd/state/sandbox.h"

/* What is the same for every event of this daemon. Strings live as long as the process. */
struct scd_host {
	struct scd_str hostname; /* FALCO_HOSTNAME or gethostname */
	struct scd_str boot_id;
};

/* What fields could not tell. Whoever makes views may have it counted, for one event or for as long as they like. */
struct scd_field_losses {
	uint64_t truncated; /* texts of which the middle was left out */
	uint64_t exhausted; /* values that found no scratch memory and were therefore ABSENT */
};

/* All that a field may look at: one event, after it was applied to the state and before it is retired. */
struct scd_view {
	const struct scd_event *event;
	const struct scd_sandbox *sandbox;
	const struct scd_process *process; /* NULL: none */
	const struct scd_host *host;
	struct scd_arena *scratch;       /* for derived text; reset with the event */
	int64_t time_ns;                 /* the event's, or the latest of its sandbox */
	struct scd_field_losses *losses; /* added to; NULL: nobody counts */
};

/*
 * The container of an event: for container/start the one that it starts, else the one that the message names, else
 * its process's, else the sandbox's only one. Empty when none of them is known. As long as the message has it.
 */
struct scd_str scd_view_container_id(const struct scd_view *view);

/* An argument in brackets, parsed once when the rule was compiled. */
struct scd_field_arg {
	bool present;
	bool is_number;
	uint64_t number;
	struct scd_str text;
};

/*
 * Fills *ret_value and returns true, or returns false: ABSENT. May allocate in view->scratch. For scd_field_get: what
 * a getter gives may be longer than a field may be, unless it is a list.
 */
typedef bool scd_field_get_fn(const struct scd_view *view, const struct scd_field_arg *arg,
                              struct scd_value *ret_value);

enum {
	SCD_FIELD_LIST = 1 << 0, /* list-valued */
	SCD_FIELD_ARG_ALLOWED = 1 << 1,
	SCD_FIELD_ARG_REQUIRED = 1 << 2,
	SCD_FIELD_ARG_INDEX = 1 << 3,   /* the argument is a number */
	SCD_FIELD_FILTER_ONLY = 1 << 4, /* may not stand in an output */
	SCD_FIELD_NO_RHS = 1 << 5,
	SCD_FIELD_NO_TRANSFORMER = 1 << 6,
	SCD_FIELD_DEPRECATED = 1 << 7,
	/* Without argument the getter gives a list; a comparison holds if it holds for one item, as Falco has it. */
	SCD_FIELD_ANY_OF = 1 << 8,
	SCD_FIELD_SHOWS_SELF = 1 << 9, /* ANY_OF, but an output without argument shows [0] */
	SCD_FIELD_PADDED = 1 << 10,    /* outputs show the number with at least nine digits */
	SCD_FIELD_ENV = 1 << 11,       /* reads an environment, which is dropped unless a rule wants it */
};

struct scd_field {
	struct scd_str name;
	enum scd_type type;
	unsigned flags;
	char class;
	scd_field_get_fn *get; /* NULL: always ABSENT (class X; E without a source; S of state that is not kept) */
	const char *doc;
};

/* Rows of the table. NULL when there is no such field. */
const struct scd_field *scd_field_find(struct scd_str name);
size_t scd_field_count(void);
const struct scd_field *scd_field_at(size_t index);

/* A field as rules write it: `proc.aname[2]`, `evt.arg.path`. */
struct scd_field_use {
	const struct scd_field *field;
	struct scd_field_arg arg; /* its text borrows from what was resolved */
	enum scd_type type;       /* the field's; of evt.rawarg that of the named parameter */
	bool is_any_of;           /* ANY_OF without argument: the getter gives a list */
};

/*
 * Finds the field and checks the argument. name may carry the argument as its tail (evt.arg.path); arg is what stood
 * in brackets, if has_arg. With err (what; no place): -ENOENT no such field, or a tail that names no event type;
 * -EINVAL argument missing, not allowed or not valid.
 */
int scd_field_resolve(struct scd_str name, bool has_arg, struct scd_str arg, struct scd_field_use *ret_use,
                      struct scd_error *err);

/*
 * Where conditions look their fields up: scd_field_resolve, unless somebody puts other fields in its place, whose rows
 * and arguments live as long as what is compiled with them. With user in front, resolve is as scd_field_resolve.
 */
struct scd_field_table {
	int (*resolve)(void *user, struct scd_str name, bool has_arg, struct scd_str arg, struct scd_field_use *ret_use,
	               struct scd_error *err);
	void *user;
};

/* Stands for what was left out of a text. It touches both halves, so that the rest of a word is no word. */
#define SCD_FIELD_CUT "<...>"

/*
 * The value of a field, or false: ABSENT; then *ret_value is untouched. A text is at most SCD_LIMIT_FIELD_TEXT_BYTES
 * long: of a longer one head and tail, with SCD_FIELD_CUT between them, which losses->truncated counts. When scratch
 * memory does not suffice the field is ABSENT, and losses->exhausted counts it.
 */
bool scd_field_get(const struct scd_field_use *use, const struct scd_view *view, struct scd_value *ret_value);

#endif
