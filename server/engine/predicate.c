/*
 * Checks to predicates: which field, which operator, which constants, and whether they fit together.
 *
 * Types decide which operators there are and how constants are read (SPEC 2.3, 3.2, 3.3). What is valid Falco but not
 * evaluated yet (regex, intersects, modifiers, transformers, a field on the right) is an error with a code of its
 * own.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/program.h"
#include "engine/services.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"

/* Types that share their operators. */
enum group { NUMBERS = 1, BOOLEAN = 2, TEXT = 4, BUFFER = 8, ADDRESS = 16, LISTS = 32 };

/* X-like table: the operators of the language, what they work on, and whether this version evaluates them. */
static const struct op_row {
	const char *name;
	unsigned groups;
	enum scd__op op;
	bool evaluated;
} op_rows[] = {
	{ "exists", NUMBERS | BOOLEAN | TEXT | BUFFER | ADDRESS | LISTS, SCD__OP_EXISTS, true },
	{ "=", NUMBERS | BOOLEAN | TEXT | BUFFER | ADDRESS, SCD__OP_EQ, true },
	{ "==", NUMBERS | BOOLEAN | TEXT | BUFFER | ADDRESS, SCD__OP_EQ, true },
	{ "!=", NUMBERS | BOOLEAN | TEXT | BUFFER | ADDRESS, SCD__OP_NE, true },
	{ "<", NUMBERS | TEXT, SCD__OP_LT, true },
	{ "<=", NUMBERS | TEXT, SCD__OP_LE, true },
	{ ">", NUMBERS | TEXT, SCD__OP_GT, true },
	{ ">=", NUMBERS | TEXT, SCD__OP_GE, true },
	{ "in", NUMBERS | BOOLEAN | TEXT | BUFFER | ADDRESS | LISTS, SCD__OP_IN, true },
	{ "intersects", NUMBERS | BOOLEAN | TEXT | BUFFER | ADDRESS | LISTS, SCD__OP_IN, false },
	{ "contains", TEXT | BUFFER, SCD__OP_CONTAINS, true },
	{ "icontains", TEXT, SCD__OP_ICONTAINS, true },
	{ "startswith", TEXT | BUFFER, SCD__OP_STARTSWITH, true },
	{ "endswith", TEXT | BUFFER, SCD__OP_ENDSWITH, true },
	{ "glob", TEXT, SCD__OP_GLOB, true },
	{ "iglob", TEXT, SCD__OP_GLOB, false },
	{ "regex", TEXT, SCD__OP_GLOB, false },
	{ "pmatch", TEXT, SCD__OP_PMATCH, true },
	{ "bcontains", BUFFER, SCD__OP_CONTAINS, false },
	{ "bstartswith", BUFFER, SCD__OP_STARTSWITH, false },
};

int scd__compile_fail(struct scd__compile_error *error, enum scd_diag_code code, const struct scd_ast *node,
                      const char *hint, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(error->what, sizeof(error->what), format, args);
	va_end(args);
	error->code = code;
	error->offset = node->pos.offset;
	error->hint = hint;
	return -EINVAL;
}

#define NOT_EVALUATED(error, node, ...) \
	scd__compile_fail(error, SCD_DIAG_ERR_NOT_EVALUATED, node, "rewrite the condition without it", __VA_ARGS__)

#define INVALID(error, node, ...) scd__compile_fail(error, SCD_DIAG_ERR_COMPILE_CONDITION, node, NULL, __VA_ARGS__)

static enum group group_of(const struct scd_field_use *use)
{
	if (use->field->flags & SCD_FIELD_LIST)
		return LISTS;
	if (scd_type_is_text(use->type))
		return TEXT;
	switch (use->type) {
	case SCD_TYPE_BOOL: return BOOLEAN;
	case SCD_TYPE_BYTES: return BUFFER;
	case SCD_TYPE_IPADDR:
	case SCD_TYPE_IPNET: return ADDRESS;
	default: return NUMBERS;
	}
}

/* Operators. */

static int find_op(const struct scd_ast *check, const struct scd_field_use *use, enum scd__op *ret_op,
                   struct scd__compile_error *error)
{
	if (memchr(check->op.data, ' ', check->op.len))
		return NOT_EVALUATED(error, check, "the operator '" SCD_STR_FMT "' is not evaluated by this version",
		                     SCD_STR_ARG(check->op));
	for (size_t i = 0; i < SCD_COUNT(op_rows); i++) {
		const struct op_row *row = &op_rows[i];
		if (!scd_str_is(check->op, row->name))
			continue;
		if (!(row->groups & group_of(use)))
			return INVALID(error, check,
			               "'%s' operator not supported for type '%s' of field '" SCD_STR_FMT "'",
			               row->name, scd_type_name(use->type), SCD_STR_ARG(use->field->name));
		if (!row->evaluated)
			return NOT_EVALUATED(error, check, "the operator '%s' is not evaluated by this version",
			                     row->name);
		*ret_op = row->op;
		return 0;
	}
	return INVALID(error, check, "unknown operator '" SCD_STR_FMT "'", SCD_STR_ARG(check->op));
}

/* Fields. */

/* The slot of a field that no check read before. */
static int add_slot(struct scd__build *build, struct scd_str text, const struct scd_field_use *use, uint32_t *ret_slot)
{
	struct scd_ruleset *set = build->set;
	struct scd_field_use *slots = scd_array_grow_in(&set->arena, set->slots, set->slot_count, &set->slot_room,
	                                                sizeof(*slots));
	if (!slots || scd_strmap_put(&build->slot_by_text, text, (void *)(set->slot_count + 1)) < 0)
		return -ENOMEM;
	set->slots = slots;
	set->slots[set->slot_count] = *use;
	*ret_slot = (uint32_t)set->slot_count++;
	return 0;
}

static int slot_new(struct scd__build *build, const struct scd_ast *node, uint32_t *ret_slot,
                    struct scd__compile_error *error)
{
	struct scd_ruleset *set = build->set;
	struct scd_str text;
	if (scd_ast_print(node, &set->arena, &text) < 0)
		return -ENOMEM;
	uintptr_t known = (uintptr_t)scd_strmap_get(&build->slot_by_text, text);
	if (known) {
		*ret_slot = (uint32_t)(known - 1);
		return 0;
	}
	struct scd_field_use use;
	struct scd_error err = { 0 };
	struct scd_str name = scd_arena_dup(&set->arena, node->text), arg = scd_arena_dup(&set->arena, node->arg);
	int result = scd_field_resolve(name, node->has_arg, arg, &use, &err);
	error->is_unknown_name = result == -ENOENT;
	if (result < 0)
		return INVALID(error, node, "%s", err.what);
	return add_slot(build, text, &use, ret_slot);
}

/* Constants. */

static bool parse_cidr(struct scd_str text, bool needs_bits, struct scd__cidr *ret_cidr)
{
	const char *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
	uint64_t bits = 0;
	struct scd_str address = text;
	if (slash) {
		address.len = (size_t)(slash - text.data);
		struct scd_str rest = { slash + 1, text.len - address.len - 1 };
		if (scd_str_to_u64(rest, &bits) < 0)
			return false;
	}
	if (needs_bits != (slash != NULL) || scd_ip_parse(address, &ret_cidr->ip) < 0)
		return false;
	unsigned most = ret_cidr->ip.family == 4 ? 32 : 128;
	ret_cidr->prefix_bits = slash ? (unsigned)bits : most;
	return bits <= most;
}

static bool parse_port(struct scd_str text, uint64_t *ret_port)
{
	if (scd_str_to_u64(text, ret_port) == 0)
		return *ret_port <= UINT16_MAX;
	return scd__service_port(text, ret_port);
}

static bool parse_double(struct scd_str text, double *ret_value)
{
	char copy[64], *end;
	if (text.len == 0 || text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	*ret_value = strtod(copy, &end);
	return *end == '\0';
}

/* Unsigned fields take a minus sign and wrap, as sscanf does for Falco. */
static bool parse_unsigned(struct scd_str text, uint64_t *ret_value)
{
	int64_t negative;
	if (scd_str_to_u64(text, ret_value) == 0)
		return true;
	if (scd_str_to_i64(text, &negative) < 0)
		return false;
	*ret_value = (uint64_t)negative;
	return true;
}

static bool parse_constant(enum scd_type type, struct scd_str text, struct scd_arena *arena, union scd__constant *ret)
{
	if (type == SCD_TYPE_BOOL) {
		ret->boolean = scd_str_is(text, "true");
		return ret->boolean || scd_str_is(text, "false");
	}
	if (type == SCD_TYPE_IPADDR || type == SCD_TYPE_IPNET)
		return parse_cidr(text, type == SCD_TYPE_IPNET, &ret->cidr);
	if (type == SCD_TYPE_PORT)
		return parse_port(text, &ret->u64);
	if (type == SCD_TYPE_DOUBLE)
		return parse_double(text, &ret->real);
	if (scd_type_is_signed(type))
		return scd_str_to_i64(text, &ret->i64) == 0;
	if (scd_type_is_unsigned(type))
		return parse_unsigned(text, &ret->u64);
	ret->text = scd_arena_dup(arena, text);
	return text.len == 0 || ret->text.data;
}

/* The constants on the right of a check, as texts. */
static int right_side(const struct scd_ast *check, const struct scd_str **ret_texts, size_t *ret_count,
                      struct scd__compile_error *error)
{
	const struct scd_ast *right = check->children[1];
	switch (right->kind) {
	case SCD_AST_VALUE:
	case SCD_AST_IDENTIFIER:
		*ret_texts = &right->text;
		*ret_count = 1;
		return 0;
	case SCD_AST_LIST:
		*ret_texts = right->values;
		*ret_count = right->value_count;
		return 0;
	default:
		return NOT_EVALUATED(error, right,
		                     "a field or transformer on the right side is not evaluated by this version");
	}
}

/* What would be right; NULL where the type says it. */
static const char *constant_hint(enum scd_type type)
{
	if (type == SCD_TYPE_PORT)
		return "a number up to 65535 or a usual service name like https; services(5) of this host does not "
		       "count";
	return NULL;
}

static int parse_constants(struct scd__build *build, const struct scd_ast *check, const struct scd_field_use *use,
                           struct scd__predicate *predicate, struct scd__compile_error *error)
{
	const struct scd_str *texts = NULL;
	size_t count = 0;
	int result = right_side(check, &texts, &count, error);
	if (result < 0)
		return result;
	union scd__constant *constants = scd_arena_zalloc(&build->set->arena, count ? count : 1, sizeof(*constants));
	if (!constants)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (texts[i].len > SCD_LIMIT_CONSTANT_BYTES)
			return INVALID(error, check->children[1], "filter value is longer than %u bytes",
			               SCD_LIMIT_CONSTANT_BYTES);
		if (memchr(texts[i].data, '\0', texts[i].len) && use->type != SCD_TYPE_BYTES)
			return INVALID(error, check->children[1], "filter value contains a NUL byte");
		if (!parse_constant(use->type, texts[i], &build->set->arena, &constants[i]))
			return scd__compile_fail(
			        error, SCD_DIAG_ERR_COMPILE_CONDITION, check->children[1], constant_hint(use->type),
			        SCD_STR_FMT " is not a valid value of type %s for field '" SCD_STR_FMT "'",
			        SCD_STR_ARG(texts[i]), scd_type_name(use->type), SCD_STR_ARG(use->field->name));
	}
	predicate->constants = constants;
	predicate->constant_count = count;
	return 0;
}

/* Sets in place of lists of text. */
static int index_constants(struct scd__build *build, const struct scd_field_use *use, struct scd__predicate *predicate)
{
	bool text = scd_type_is_text(use->type) || use->type == SCD_TYPE_BYTES;
	if (!text || (predicate->op != SCD__OP_IN && predicate->op != SCD__OP_PMATCH))
		return 0;
	size_t count = predicate->constant_count;
	struct scd_str *members = scd_arena_zalloc(&build->set->arena, count ? count : 1, sizeof(*members));
	if (!members)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		members[i] = predicate->constants[i].text;
	if (predicate->op == SCD__OP_IN)
		predicate->strings = scd_strset_new(members, count, &build->set->arena);
	else
		predicate->paths = scd_pathset_new(members, count, &build->set->arena);
	return predicate->strings || predicate->paths ? 0 : -ENOMEM;
}

/* evt.type against constants: a set of kinds instead of strings. */

static bool add_kinds_named(struct scd_kind_set *kinds, struct scd_str name)
{
	bool found = false;
	for (int kind = scd_kind_find(name, 0); kind >= 0; kind = scd_kind_find(name, (unsigned)kind + 1)) {
		scd_kind_set_add(kinds, (unsigned)kind);
		found = true;
	}
	return found;
}

static bool is_kind_field(const struct scd_ast *node)
{
	return node->kind == SCD_AST_FIELD && !node->has_arg &&
	       (scd_str_is(node->text, "evt.type") || scd_str_is(node->text, "syscall.type"));
}

/* What is no system call has no syscall.type. */
static void leave_syscalls(struct scd_kind_set *kinds)
{
	struct scd_kind_set syscalls = { 0 };
	for (unsigned kind = 0; kind < SCD_KIND_SYSCALL_COUNT; kind++)
		scd_kind_set_add(&syscalls, kind);
	scd_kind_set_intersect(kinds, &syscalls);
}

bool scd__check_kinds(const struct scd_ast *check, struct scd_kind_set *ret_kinds)
{
	struct scd__compile_error ignored;
	const struct scd_str *names = NULL;
	size_t count = 0;
	bool equality = scd_str_is(check->op, "=") || scd_str_is(check->op, "==") || scd_str_is(check->op, "in") ||
	                scd_str_is(check->op, "!=");
	if (!equality || !is_kind_field(check->children[0]) || right_side(check, &names, &count, &ignored) < 0)
		return false;
	memset(ret_kinds, 0, sizeof(*ret_kinds));
	for (size_t i = 0; i < count; i++)
		add_kinds_named(ret_kinds, names[i]);
	if (scd_str_is(check->op, "!="))
		scd_kind_set_invert(ret_kinds);
	if (scd_str_is(check->children[0]->text, "syscall.type"))
		leave_syscalls(ret_kinds);
	return true;
}

static int compile_kinds(const struct scd_ast *check, struct scd__predicate *predicate,
                         struct scd__compile_error *error)
{
	const struct scd_str *names = NULL;
	size_t count = 0;
	int result = right_side(check, &names, &count, error);
	if (result < 0)
		return result;
	for (size_t i = 0; i < count; i++) {
		error->is_unknown_name = !add_kinds_named(&predicate->kinds, names[i]);
		if (error->is_unknown_name)
			return INVALID(error, check->children[1], "unknown event type " SCD_STR_FMT,
			               SCD_STR_ARG(names[i]));
	}
	scd__check_kinds(check, &predicate->kinds);
	predicate->op = SCD__OP_KIND;
	return 0;
}

static int compile_check(struct scd__build *build, const struct scd_ast *check, struct scd__predicate *predicate,
                         struct scd__compile_error *error)
{
	const struct scd_ast *left = check->children[0];
	if (left->kind != SCD_AST_FIELD)
		return NOT_EVALUATED(error, left, "transformers are not evaluated by this version");
	int result = slot_new(build, left, &predicate->slot, error);
	if (result < 0)
		return result;
	const struct scd_field_use *use = &build->set->slots[predicate->slot];
	predicate->never = use->field->get == NULL;
	result = find_op(check, use, &predicate->op, error);
	if (result < 0 || predicate->op == SCD__OP_EXISTS)
		return result;
	bool equality = predicate->op == SCD__OP_EQ || predicate->op == SCD__OP_NE || predicate->op == SCD__OP_IN;
	if (is_kind_field(left) && equality)
		return compile_kinds(check, predicate, error);
	if (use->type == SCD_TYPE_DYN)
		return NOT_EVALUATED(error, left, "comparing '" SCD_STR_FMT "' is not evaluated by this version",
		                     SCD_STR_ARG(use->field->name));
	result = parse_constants(build, check, use, predicate, error);
	return result < 0 ? result : index_constants(build, use, predicate);
}

/*
 * What makes two checks one predicate. The canonical text does, but for lists of no constant and of one empty
 * constant, which it does not tell apart.
 */
static int make_key(struct scd__build *build, const struct scd_ast *check, struct scd_str *ret_key)
{
	const struct scd_ast *right = check->child_count > 1 ? check->children[1] : NULL;
	struct scd_str text;
	if (scd_ast_print(check, &build->scratch, &text) < 0)
		return -ENOMEM;
	*ret_key = text;
	if (right && right->kind == SCD_AST_LIST && right->value_count == 0)
		*ret_key = scd_arena_printf(&build->scratch, SCD_STR_FMT " of nothing", SCD_STR_ARG(text));
	return ret_key->data ? 0 : -ENOMEM;
}

int scd__predicate_new(struct scd__build *build, const struct scd_ast *check, uint32_t *ret_index,
                       struct scd__compile_error *ret_error)
{
	struct scd_ruleset *set = build->set;
	struct scd_str key;
	if (make_key(build, check, &key) < 0)
		return -ENOMEM;
	uintptr_t known = (uintptr_t)scd_strmap_get(&build->predicate_by_key, key);
	if (known) {
		*ret_index = (uint32_t)(known - 1);
		return 0;
	}
	struct scd__predicate predicate = { 0 };
	int result = compile_check(build, check, &predicate, ret_error);
	if (result < 0)
		return result;
	struct scd__predicate *predicates = scd_array_grow_in(&set->arena, set->predicates, set->predicate_count,
	                                                      &set->predicate_room, sizeof(*predicates));
	if (!predicates || scd_strmap_put(&build->predicate_by_key, key, (void *)(set->predicate_count + 1)) < 0)
		return -ENOMEM;
	set->predicates = predicates;
	set->predicates[set->predicate_count] = predicate;
	*ret_index = (uint32_t)set->predicate_count++;
	return 0;
}
