/*
 * The table of fields, the index of their names, and fields with arguments as rules write them.
 *
 *     proc.aname[2]      name and an argument in brackets
 *     evt.arg.path       the argument is the tail of the name
 *
 * A name is looked for whole first, and else as NAME.TAIL among the few fields that have their argument behind a dot.
 */
#include "seccheckd/engine/field.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "engine/evt_params.h"
#include "engine/field_getters.h"
#include "engine/program.h"
#include "engine/text.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/strmap.h"
#include "seccheckd/event/kind.h"

/* The flag sets of fields.def. */
enum {
	PLAIN = 0,
	OLD = SCD_FIELD_DEPRECATED,
	PADDED = SCD_FIELD_PADDED,
	ENV = SCD_FIELD_ENV,
	LISTED = SCD_FIELD_LIST,
	KEYED = SCD_FIELD_ARG_ALLOWED,
	NEEDS_KEY = SCD_FIELD_ARG_REQUIRED,
	NUMBER = SCD_FIELD_ARG_INDEX,
	INDEXED = KEYED | NUMBER,
	TAILED = NEEDS_KEY, /* what they take is in the table of tails */
	NO_RHS = SCD_FIELD_NO_RHS,
	ALONE = NO_RHS | SCD_FIELD_NO_TRANSFORMER,
	FILTER_ONLY = SCD_FIELD_FILTER_ONLY | ALONE,
	ANY_OF = SCD_FIELD_ANY_OF,
	SHOWS_SELF = SCD_FIELD_SHOWS_SELF,
	ANCESTOR = INDEXED | ALONE | ANY_OF,
	EITHER_END = FILTER_ONLY | ANY_OF,
};

static const struct scd_field fields[] = {
#define FIELD(name, type, flags, class, getter, doc) \
	{ SCD_STR_INIT(name), SCD_TYPE_##type, (flags), (class), (getter), (doc) },
#include "engine/fields.def"
#undef FIELD
};

/* Name to 1 + index. Written once, under by_name_once; lives as long as the process. */
static struct scd_strmap by_name;
static pthread_once_t by_name_once = PTHREAD_ONCE_INIT;

static void index_names(void)
{
	scd_strmap_init(&by_name);
	for (uintptr_t i = 0; i < SCD_COUNT(fields); i++) {
		int result = scd_strmap_put(&by_name, fields[i].name, (void *)(i + 1));
		assert(result == 0);
		(void)result;
	}
}

const struct scd_field *scd_field_find(struct scd_str name)
{
	pthread_once(&by_name_once, index_names);
	uintptr_t found = (uintptr_t)scd_strmap_get(&by_name, name);
	return found ? &fields[found - 1] : NULL;
}

size_t scd_field_count(void)
{
	return SCD_COUNT(fields);
}

const struct scd_field *scd_field_at(size_t index)
{
	return &fields[index];
}

static int unknown_field(struct scd_str name, struct scd_error *err)
{
	return scd_error_set(err, -ENOENT, "filter_check called with nonexistent field " SCD_STR_FMT,
	                     SCD_STR_ARG(name));
}

static int check_param(struct scd_field_use *use, struct scd_error *err)
{
	enum scd_type type;
	if (!scd__param_type(use->arg.text, &type))
		return scd_error_set(err, -EINVAL, "unknown event argument " SCD_STR_FMT, SCD_STR_ARG(use->arg.text));
	if (use->field->type == SCD_TYPE_DYN)
		use->type = type;
	return 0;
}

static int check_kind(struct scd_field_use *use, struct scd_error *err)
{
	if (scd_kind_find(use->arg.text, 0) >= 0)
		return 0;
	return scd_error_set(err, -ENOENT, "unknown event type " SCD_STR_FMT, SCD_STR_ARG(use->arg.text));
}

static int check_path_choice(struct scd_field_use *use, struct scd_error *err)
{
	if (scd_str_is(use->arg.text, "src") || scd_str_is(use->arg.text, "dst"))
		return 0;
	return scd_error_set(err, -EINVAL, "evt.abspath has no '" SCD_STR_FMT "': it is src or dst",
	                     SCD_STR_ARG(use->arg.text));
}

static int accept_any(struct scd_field_use *use, struct scd_error *err)
{
	(void)use;
	(void)err;
	return 0;
}

/* What the fields with a tail take. */
static const struct tail {
	const char *name;
	int (*check)(struct scd_field_use *use, struct scd_error *err);
	bool may_be_bare;    /* also without any argument */
	bool takes_position; /* also a number in brackets */
} tails[] = {
	{ "evt.arg", check_param, false, true },       { "evt.rawarg", check_param, false, false },
	{ "evt.type.is", check_kind, false, false },   { "evt.abspath", check_path_choice, true, false },
	{ "thread.cgroup", accept_any, false, false },
};

/* The field whose name is followed by a dot and the rest of `name`; NULL when there is none. */
static const struct tail *find_tailed(struct scd_str name, struct scd_str *ret_tail)
{
	for (size_t i = 0; i < SCD_COUNT(tails); i++) {
		struct scd_str field = scd_str_from(tails[i].name);
		if (name.len <= field.len || name.data[field.len] != '.' || !scd_str_starts_with(name, field))
			continue;
		*ret_tail = (struct scd_str){ name.data + field.len + 1, name.len - field.len - 1 };
		return &tails[i];
	}
	return NULL;
}

static const struct tail *tail_of(const struct scd_field *field)
{
	for (size_t i = 0; i < SCD_COUNT(tails); i++)
		if (scd_str_is(field->name, tails[i].name))
			return &tails[i];
	return NULL;
}

static void set_arg(struct scd_field_use *use, struct scd_str text)
{
	uint64_t number = 0;
	bool is_number = text.len > 0 && text.data[0] >= '0' && text.data[0] <= '9' &&
	                 scd_str_to_u64(text, &number) == 0;
	use->arg = (struct scd_field_arg){ true, is_number, number, text };
	use->is_any_of = false;
}

static int resolve_brackets(struct scd_field_use *use, struct scd_str arg, struct scd_error *err)
{
	const struct scd_field *field = use->field;
	const struct tail *tail = tail_of(field);
	bool allowed = tail ? tail->takes_position : (field->flags & (KEYED | NEEDS_KEY)) != 0;
	if (!allowed)
		return scd_error_set(err, -EINVAL, "the field '" SCD_STR_FMT "' takes no argument in brackets",
		                     SCD_STR_ARG(field->name));
	set_arg(use, arg);
	if ((tail || (field->flags & NUMBER)) && !use->arg.is_number)
		return scd_error_set(err, -EINVAL,
		                     "the argument of '" SCD_STR_FMT "' is a number, and not '" SCD_STR_FMT "'",
		                     SCD_STR_ARG(field->name), SCD_STR_ARG(arg));
	return 0;
}

static int resolve_bare(const struct scd_field_use *use, struct scd_error *err)
{
	const struct tail *tail = tail_of(use->field);
	if (!(use->field->flags & NEEDS_KEY) || (tail && tail->may_be_bare))
		return 0;
	return scd_error_set(err, -EINVAL, "the field '" SCD_STR_FMT "' requires an argument",
	                     SCD_STR_ARG(use->field->name));
}

int scd_field_resolve(struct scd_str name, bool has_arg, struct scd_str arg, struct scd_field_use *ret_use,
                      struct scd_error *err)
{
	struct scd_str tail_text;
	const struct scd_field *field = scd_field_find(name);
	const struct tail *tail = field ? NULL : find_tailed(name, &tail_text);
	if (tail)
		field = scd_field_find(scd_str_from(tail->name));
	if (!field || (tail && has_arg))
		return unknown_field(name, err);
	struct scd_field_use use = { .field = field, .type = field->type };
	use.is_any_of = (field->flags & SCD_FIELD_ANY_OF) != 0;
	int result;
	if (tail) {
		set_arg(&use, tail_text);
		result = tail->check(&use, err);
	} else {
		result = has_arg ? resolve_brackets(&use, arg, err) : resolve_bare(&use, err);
	}
	if (result == 0)
		*ret_use = use;
	return result;
}

/* A getter that met the end of the arena may have gone on with less: its value does not count. */
bool scd_field_get(const struct scd_field_use *use, const struct scd_view *view, struct scd_value *ret_value)
{
	struct scd_value value;
	size_t refused = view->scratch->refused_count;
	bool present = use->field->get && use->field->get(view, &use->arg, &value) && scd__value_cut(view, &value);
	bool exhausted = view->scratch->refused_count != refused;
	if (exhausted && view->losses)
		view->losses->exhausted++;
	if (!present || exhausted)
		return false;
	*ret_value = value;
	return true;
}

/* The parameters of an exec have an environment among them. All parameters in one line show it only if it is kept. */
bool scd__field_reads_env(const struct scd_field_use *use)
{
	bool named = scd_str_is(use->field->name, "evt.arg") || scd_str_is(use->field->name, "evt.rawarg");
	return (use->field->flags & SCD_FIELD_ENV) || (named && scd_str_is(use->arg.text, "env"));
}
