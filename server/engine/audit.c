/*
 * A condition over what can be known of an event type: each part of it can be true, can be false, or both.
 *
 *    evt.type = symlink and evt.arg.target = /etc/shadow          of symlink, a raw call:
 *    ^ true                 ^ false: raw calls have no texts       can be false only
 */
#include "seccheckd/engine/audit.h"

#include <errno.h>
#include <string.h>

#include "engine/event_info.h"
#include "engine/evt_params.h"
#include "engine/program.h"
#include "seccheckd/base/array.h"
#include "seccheckd/engine/format.h"

static const struct {
	const char *name, *doc;
} verdicts[] = {
#define X(id, name, doc) [SCD_AUDIT_##id] = { (name), (doc) },
	SCD_AUDIT_TABLE(X)
#undef X
};

const char *scd_audit_name(enum scd_audit_verdict verdict)
{
	return verdicts[verdict].name;
}

const char *scd_audit_doc(enum scd_audit_verdict verdict)
{
	return verdicts[verdict].doc;
}

/* Calls that gVisor answers with an error, whatever is asked: their raw points show the attempts. */
static const char *const failing_calls[] = { "openat2",       "userfaultfd", "init_module",    "finit_module",
	                                     "delete_module", "kexec_load",  "kexec_file_load" };

static bool always_fails(unsigned kind)
{
	struct scd_str name = scd_kind_name(kind);

	for (size_t i = 0; i < SCD_COUNT(failing_calls); i++)
		if (scd_str_is(name, failing_calls[i]))
			return true;
	return false;
}

/* With what an event type is looked at. */
enum world {
	TODAY,  /* what this version tells of gVisor's messages */
	FILLED, /* and as if it filled every field that it can */
	FALCO,  /* where only what is no parameter of the event is missing */
};

struct facts {
	unsigned kind;
	bool is_failing;
	enum world world;
};

struct truth {
	bool can_hold, can_fail;
};

#define MAYBE  ((struct truth){ true, true })
#define ALWAYS ((struct truth){ true, false })
#define NEVER  ((struct truth){ false, true })

/*
 * Whether events of the type have the parameter, as some message that they come from has it. Falco's events have more:
 * those that stand in the lists without a source, and those of calls that have no list.
 */
static bool has_param(const struct facts *facts, const struct scd_field_arg *arg)
{
	struct scd_str kind = scd_kind_name(facts->kind);
	bool in_falco = facts->world == FALCO, is_listed = false;

	for (size_t i = 0; i < scd__param_list_count; i++) {
		const struct scd__param_list *list = &scd__param_lists[i];

		if (!scd_str_is(kind, list->event))
			continue;
		is_listed = true;
		for (size_t p = 0; p < list->count; p++)
			if ((in_falco || list->params[p].source != SCD__SOURCE_NONE) &&
			    (arg->is_number ? arg->number == p : scd_str_is(arg->text, list->params[p].name)))
				return true;
	}
	return in_falco && !is_listed;
}

static bool is_param(const struct scd_field *field)
{
	return scd_str_is(field->name, "evt.arg") || scd_str_is(field->name, "evt.rawarg");
}

/* Of the descriptor that the event is about; fd.types is of all of a process. */
static bool is_of_descriptor(struct scd_str field)
{
	return scd_str_starts_with(field, SCD_STR("fd.")) && !scd_str_is(field, "fd.types");
}

static bool is_missing(const struct facts *facts, const struct scd_ast *node)
{
	struct scd_field_use use;

	if (scd_field_resolve(node->text, node->has_arg, node->arg, &use, NULL) < 0)
		return false;
	if (is_param(use.field))
		return !has_param(facts, &use.arg);
	if (is_of_descriptor(use.field->name))
		return !(scd__event_info(facts->kind)->flags & SCD__EVENT_FD);
	if (facts->world == FALCO)
		return false;
	return !use.field->get && (facts->world == TODAY || use.field->class == 'X');
}

/* A side that has no value makes its comparison false. */
static bool side_is_missing(const struct facts *facts, const struct scd_ast *side)
{
	if (side->kind == SCD_AST_FIELD)
		return is_missing(facts, side);
	for (size_t i = 0; i < side->child_count; i++)
		if (side->kind != SCD_AST_LIST && side_is_missing(facts, side->children[i]))
			return true;
	return false;
}

static bool constants_are(const struct scd_ast *right, const char *text)
{
	for (size_t i = 0; i < right->value_count; i++)
		if (!scd_str_is(right->values[i], text))
			return false;
	return right->kind == SCD_AST_LIST ? right->value_count > 0
	                                   : right->kind == SCD_AST_VALUE && scd_str_is(right->text, text);
}

static bool is_equality(struct scd_str op)
{
	return scd_str_is(op, "=") || scd_str_is(op, "==") || scd_str_is(op, "in");
}

/* Every event is of a container. */
static struct truth check_container(const struct scd_ast *check)
{
	if (!constants_are(check->children[1], "host"))
		return MAYBE;
	if (is_equality(check->op))
		return NEVER;
	return scd_str_is(check->op, "!=") ? ALWAYS : MAYBE;
}

/* The result of a call that always fails: evt.failed is true, evt.rawres below 0. */
static struct truth check_failure(const struct scd_ast *check)
{
	const struct scd_ast *right = check->children[1];
	bool from_zero = right->kind == SCD_AST_VALUE && right->text.len && right->text.data[0] != '-';

	if (scd_str_is(check->children[0]->text, "evt.failed") && is_equality(check->op))
		return constants_are(right, "true") ? ALWAYS : NEVER;
	if (scd_str_is(check->children[0]->text, "evt.res") && is_equality(check->op))
		return constants_are(right, "SUCCESS") ? NEVER : MAYBE;
	if (!scd_str_is(check->children[0]->text, "evt.rawres") || !from_zero)
		return MAYBE;
	if (is_equality(check->op) || scd_str_is(check->op, ">") || scd_str_is(check->op, ">="))
		return NEVER;
	return scd_str_is(check->op, "<") ? ALWAYS : MAYBE;
}

static struct truth look_at_check(const struct facts *facts, const struct scd_ast *check)
{
	const struct scd_ast *left = check->children[0];
	struct scd_kind_set kinds;

	if (check->kind == SCD_AST_BINARY && scd__is_kind_check(check)) {
		scd__check_kinds(check, &kinds);
		return scd_kind_set_has(&kinds, facts->kind) ? ALWAYS : NEVER;
	}
	for (size_t i = 0; i < check->child_count; i++)
		if (side_is_missing(facts, check->children[i]))
			return NEVER;
	if (left->kind != SCD_AST_FIELD || facts->world == FALCO)
		return MAYBE;
	if (scd_str_is(left->text, "container.id") && check->kind == SCD_AST_BINARY)
		return check_container(check);
	return facts->is_failing && check->kind == SCD_AST_BINARY ? check_failure(check) : MAYBE;
}

static struct truth look_at(const struct facts *facts, const struct scd_ast *node)
{
	bool is_and = node->kind == SCD_AST_AND;
	struct truth whole = is_and ? ALWAYS : NEVER;

	if (node->kind == SCD_AST_NOT) {
		struct truth inner = look_at(facts, node->children[0]);

		return (struct truth){ inner.can_fail, inner.can_hold };
	}
	if (!is_and && node->kind != SCD_AST_OR)
		return look_at_check(facts, node);
	for (size_t i = 0; i < node->child_count; i++) {
		struct truth child = look_at(facts, node->children[i]);

		whole.can_hold = is_and ? whole.can_hold && child.can_hold : whole.can_hold || child.can_hold;
		whole.can_fail = is_and ? whole.can_fail || child.can_fail : whole.can_fail && child.can_fail;
	}
	return whole;
}

/* Event types. */

static bool can_match(const struct scd_rule *rule, unsigned kind, enum world world)
{
	const struct facts facts = { kind, always_fails(kind), world };

	return (kind < SCD_KIND_FOREIGN || world == FALCO) && look_at(&facts, rule->condition).can_hold;
}

/* Whether some event type could make it true if every field were filled that can be. */
static bool look_at_kinds(const struct scd_rule *rule, struct scd_audit *audit)
{
	bool could = false;

	for (unsigned kind = 0; kind < SCD_KIND_COUNT; kind++) {
		if (!scd_kind_set_has(&rule->kinds, kind))
			continue;
		if (can_match(rule, kind, TODAY))
			scd_kind_set_add(always_fails(kind) ? &audit->failing : &audit->kinds, kind);
		else if (can_match(rule, kind, FALCO))
			scd_kind_set_add(kind >= SCD_KIND_FOREIGN || always_fails(kind) ? &audit->absent : &audit->deaf,
			                 kind);
		could |= can_match(rule, kind, FILLED);
	}
	return could;
}

/* Fields. */

/* A field by its written name, `proc.aname[2]`. */
static const struct scd_field *field_of(struct scd_str written, struct scd_field_use *use)
{
	const char *bracket = memchr(written.data, '[', written.len);
	struct scd_str name = { written.data, bracket ? (size_t)(bracket - written.data) : written.len };
	struct scd_str arg = { NULL, 0 };

	if (bracket)
		arg = (struct scd_str){ bracket + 1, written.len - name.len - 2 };
	return scd_field_resolve(name, bracket != NULL, arg, use, NULL) < 0 ? NULL : use->field;
}

static bool is_param_of_none(const struct scd_rule *rule, const struct scd_field_use *use)
{
	for (unsigned kind = 0; kind < SCD_KIND_FOREIGN; kind++) {
		const struct facts facts = { .kind = kind };

		if (scd_kind_set_has(&rule->kinds, kind) && has_param(&facts, &use->arg))
			return false;
	}
	return true;
}

static int note_field(const struct scd_rule *rule, struct scd_str name, struct scd_arena *arena,
                      struct scd_audit *audit)
{
	struct scd_field_use use;
	const struct scd_field *field = field_of(name, &use);

	if (!field)
		return 0;
	if (field->class == 'X')
		return scd_names_add(&audit->never, name, arena);
	if (!field->get)
		return scd_names_add(&audit->not_yet, name, arena);
	if (field->class == 'E' || scd_str_is(field->name, "proc.tty"))
		return scd_names_add(&audit->in_part, name, arena);
	if (is_param(field) && is_param_of_none(rule, &use))
		return scd_names_add(&audit->params, name, arena);
	return 0;
}

/* Of an output: a parameter is why a rule prints what it prints; that other fields are missing there changes little. */
static int note_shown(const struct scd_rule *rule, struct scd_str name, struct scd_arena *arena,
                      struct scd_audit *audit)
{
	struct scd_field_use use;
	const struct scd_field *field = field_of(name, &use);

	if (!field || !is_param(field) || !is_param_of_none(rule, &use))
		return 0;
	return scd_names_add(&audit->params, name, arena);
}

static int note_fields(const struct scd_rule *rule, struct scd_arena *arena, struct scd_audit *audit)
{
	struct scd_details details = { 0 };
	int r = scd_details_add(&details, rule->condition, NULL, arena);

	for (size_t i = 0; r == 0 && i < details.fields.count; i++)
		r = note_field(rule, details.fields.items[i], arena, audit);
	for (size_t i = 0; r == 0 && i < scd_format_field_count(rule->output); i++)
		r = note_shown(rule, scd_format_field_name(rule->output, i), arena, audit);
	audit->fields = details.fields;
	return r;
}

/* A terminal is known of few events, and more of them will not tell. */
static bool is_approximate(const struct scd_names *in_part)
{
	for (size_t i = 0; i < in_part->count; i++)
		if (scd_str_is(in_part->items[i], "proc.tty"))
			return true;
	return false;
}

static enum scd_audit_verdict judge(const struct scd_audit *audit, bool could)
{
	bool is_mute = scd_kind_set_count(&audit->kinds) == 0;

	if (is_mute && scd_kind_set_count(&audit->failing) == 0)
		return could ? SCD_AUDIT_NOT_YET : SCD_AUDIT_NEVER;
	if (is_mute || scd_kind_set_count(&audit->partly) > 0 || is_approximate(&audit->in_part) ||
	    scd_kind_set_count(&audit->deaf) > 0 || audit->never.count > 0 || audit->params.count > 0)
		return SCD_AUDIT_PARTIAL;
	return audit->not_yet.count + audit->in_part.count > 0 ? SCD_AUDIT_ENRICHMENT : SCD_AUDIT_FULL;
}

/*
 * A raw call names a descriptor, of which what is known is what made it: where a datagram went that was sent without a
 * connection, nobody tells.
 */
static void note_partly(const struct scd_kind_set *decoded, struct scd_audit *audit)
{
	bool reads = false;

	for (size_t i = 0; i < audit->fields.count; i++)
		reads |= is_of_descriptor(audit->fields.items[i]) && !scd_str_is(audit->fields.items[i], "fd.num");
	for (unsigned kind = 0; reads && kind < SCD_KIND_SYSCALL_COUNT; kind++)
		if (scd_kind_set_has(&audit->kinds, kind) && !scd_kind_set_has(decoded, kind) &&
		    (scd__event_info(kind)->flags & SCD__EVENT_FD))
			scd_kind_set_add(&audit->partly, kind);
}

int scd_audit_rule(const struct scd_rule *rule, const struct scd_kind_set *decoded, struct scd_arena *arena,
                   struct scd_audit *ret_audit)
{
	struct scd_audit audit = { 0 };
	bool could = look_at_kinds(rule, &audit);
	int r = note_fields(rule, arena, &audit);

	if (r < 0)
		return r;
	note_partly(decoded, &audit);
	audit.verdict = judge(&audit, could);
	*ret_audit = audit;
	return 0;
}
