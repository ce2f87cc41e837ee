/*
 * Checks to predicates: which operator, what on both sides, and whether they fit together.
 *
 * Types decide which operators there are and how constants are read (SPEC 2.3, 2.4, 2.7).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/program.h"
#include "seccheckd/base/array.h"

/* Types that share their operators. */
enum group { NUMBERS = 1, BOOLEAN = 2, TEXT = 4, BUFFER = 8, ADDRESS = 16, LISTS = 32 };

#define ANY_TYPE (NUMBERS | BOOLEAN | TEXT | BUFFER | ADDRESS)

/* X-like table: the operators of the language, and what they work on. */
static const struct op_row {
	const char *name;
	unsigned groups;
	enum scd__op op;
	bool no_rhs; /* takes constants only */
	bool is_hex; /* constants are hexadecimal digits */
} op_rows[] = {
	{ "exists", ANY_TYPE | LISTS, SCD__OP_EXISTS, true, false },
	{ "=", ANY_TYPE, SCD__OP_EQ, false, false },
	{ "==", ANY_TYPE, SCD__OP_EQ, false, false },
	{ "!=", ANY_TYPE, SCD__OP_NE, false, false },
	{ "<", NUMBERS | TEXT, SCD__OP_LT, false, false },
	{ "<=", NUMBERS | TEXT, SCD__OP_LE, false, false },
	{ ">", NUMBERS | TEXT, SCD__OP_GT, false, false },
	{ ">=", NUMBERS | TEXT, SCD__OP_GE, false, false },
	{ "in", ANY_TYPE | LISTS, SCD__OP_IN, false, false },
	{ "intersects", ANY_TYPE | LISTS, SCD__OP_INTERSECTS, false, false },
	{ "contains", TEXT | BUFFER, SCD__OP_CONTAINS, false, false },
	{ "icontains", TEXT, SCD__OP_ICONTAINS, false, false },
	{ "startswith", TEXT | BUFFER, SCD__OP_STARTSWITH, false, false },
	{ "endswith", TEXT | BUFFER, SCD__OP_ENDSWITH, false, false },
	{ "glob", TEXT, SCD__OP_GLOB, false, false },
	{ "iglob", TEXT, SCD__OP_IGLOB, false, false },
	{ "regex", TEXT, SCD__OP_REGEX, true, false },
	{ "pmatch", TEXT, SCD__OP_PMATCH, true, false },
	{ "bcontains", BUFFER, SCD__OP_CONTAINS, false, true },
	{ "bstartswith", BUFFER, SCD__OP_STARTSWITH, false, true },
};

static const struct {
	const char *name;
	enum scd__quantity quantity;
} modifiers[] = {
	{ "oneof", SCD__ONE_OF },
	{ "anyof", SCD__ANY_OF },
	{ "allof", SCD__ALL_OF },
};

#define INVALID(error, node, ...) scd__compile_fail(error, SCD_DIAG_ERR_COMPILE_CONDITION, node, NULL, __VA_ARGS__)

static enum group group_of(const struct scd__expr *expr)
{
	if (expr->is_list)
		return LISTS;
	if (scd_type_is_text(expr->type))
		return TEXT;
	switch (expr->type) {
	case SCD_TYPE_BOOL: return BOOLEAN;
	case SCD_TYPE_BYTES: return BUFFER;
	case SCD_TYPE_IPADDR:
	case SCD_TYPE_IPNET: return ADDRESS;
	default: return NUMBERS;
	}
}

/* `== oneof` to the row of `==` and the quantity; NULL when there is no such operator. */
static const struct op_row *find_op(struct scd_str op, enum scd__quantity *ret_quantity)
{
	const char *blank = memchr(op.data, ' ', op.len);
	struct scd_str name = { op.data, blank ? (size_t)(blank - op.data) : op.len };
	struct scd_str modifier = { blank ? blank + 1 : op.data, blank ? op.len - name.len - 1 : 0 };
	for (size_t i = 0; i < SCD_COUNT(modifiers); i++)
		if (scd_str_is(modifier, modifiers[i].name))
			*ret_quantity = modifiers[i].quantity;
	for (size_t i = 0; i < SCD_COUNT(op_rows); i++)
		if (scd_str_is(name, op_rows[i].name))
			return &op_rows[i];
	return NULL;
}

static int check_op(const struct op_row *row, const struct scd_ast *check, const struct scd__expr *left,
                    struct scd__compile_error *error)
{
	const struct scd_ast *side = check->children[0];
	if (!row)
		return INVALID(error, check, "unknown operator '" SCD_STR_FMT "'", SCD_STR_ARG(check->op));
	if (row->groups & group_of(left))
		return 0;
	return INVALID(error, check, "'" SCD_STR_FMT "' operator not supported for %stype '%s' of %s '" SCD_STR_FMT "'",
	               SCD_STR_ARG(check->op), left->is_list ? "a list of " : "", scd_type_name(left->type),
	               side->kind == SCD_AST_FIELD ? "field" : "transformer", SCD_STR_ARG(side->text));
}

/* Constants. */

bool scd__check_constants(const struct scd_ast *check, const struct scd_str **ret_texts, size_t *ret_count)
{
	const struct scd_ast *right = check->children[1];
	switch (right->kind) {
	case SCD_AST_VALUE:
	case SCD_AST_IDENTIFIER:
		*ret_texts = &right->text;
		*ret_count = 1;
		return true;
	case SCD_AST_LIST:
		*ret_texts = right->values;
		*ret_count = right->value_count;
		return true;
	default: return false;
	}
}

static int parse_constants(struct scd__build *build, const struct scd_ast *check, const struct op_row *row,
                           struct scd__predicate *predicate, struct scd__compile_error *error)
{
	const struct scd_str *texts = NULL;
	size_t count = 0;
	scd__check_constants(check, &texts, &count);
	union scd__constant *constants = scd_arena_zalloc(&build->set->arena, count + 1, sizeof(*constants));
	if (!constants)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		int r = scd__constant_parse(build->set, predicate->left, predicate->op, row->is_hex, check->children[1],
		                            texts[i], &constants[i], error);
		if (r < 0)
			return r;
	}
	predicate->constants = constants;
	predicate->constant_count = count;
	return 0;
}

/* Sets in place of lists. */

static int index_texts(struct scd__build *build, struct scd__predicate *predicate)
{
	struct scd_arena *arena = &build->set->arena;
	size_t count = predicate->constant_count;
	struct scd_str *members = scd_arena_zalloc(arena, count + 1, sizeof(*members));
	if (!members)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		members[i] = predicate->constants[i].text;
	if (predicate->op == SCD__OP_PMATCH)
		predicate->paths = scd_pathset_new(members, count, arena);
	else
		predicate->strings = scd_strset_new(members, count, arena);
	return predicate->strings || predicate->paths ? 0 : -ENOMEM;
}

/* The networks of one family. */
static const struct scd_rangeset *networks_of(struct scd__build *build, const struct scd__predicate *predicate,
                                              unsigned family)
{
	struct scd_range *ranges = scd_arena_zalloc(&build->scratch, predicate->constant_count + 1, sizeof(*ranges));
	size_t count = 0;
	for (size_t i = 0; i < predicate->constant_count && ranges; i++) {
		const struct scd__cidr *cidr = &predicate->constants[i].cidr;
		if (cidr->ip.family == family)
			ranges[count++] = scd_range_of_network(cidr->ip.bytes, family == 4 ? 4 : 16, cidr->prefix_bits);
	}
	return ranges ? scd_rangeset_new(ranges, count, &build->set->arena) : NULL;
}

static int index_addresses(struct scd__build *build, struct scd__predicate *predicate)
{
	predicate->ranges = networks_of(build, predicate, 4);
	predicate->ipv6_ranges = networks_of(build, predicate, 6);
	return predicate->ranges && predicate->ipv6_ranges ? 0 : -ENOMEM;
}

/* Signed numbers as the unsigned ones that have the same bits: only equality matters. */
static int index_numbers(struct scd__build *build, struct scd__predicate *predicate)
{
	struct scd_range *ranges = scd_arena_zalloc(&build->scratch, predicate->constant_count + 1, sizeof(*ranges));
	for (size_t i = 0; i < predicate->constant_count && ranges; i++) {
		struct scd_wide number = { 0, predicate->constants[i].u64 };
		ranges[i] = (struct scd_range){ number, number };
	}
	predicate->ranges = ranges ? scd_rangeset_new(ranges, predicate->constant_count, &build->set->arena) : NULL;
	return predicate->ranges ? 0 : -ENOMEM;
}

static int index_constants(struct scd__build *build, struct scd__predicate *predicate)
{
	enum scd_type type = predicate->left->type;
	bool member = predicate->op == SCD__OP_IN || predicate->op == SCD__OP_INTERSECTS;
	if (!member && predicate->op != SCD__OP_PMATCH)
		return 0;
	if (scd_type_is_text(type) || type == SCD_TYPE_BYTES)
		return index_texts(build, predicate);
	if (type == SCD_TYPE_IPADDR || type == SCD_TYPE_IPNET)
		return index_addresses(build, predicate);
	return scd_type_is_signed(type) || scd_type_is_unsigned(type) ? index_numbers(build, predicate) : 0;
}

/* evt.type against constants, which have to be names of events. */
static int check_kind_names(const struct scd_ast *check, struct scd__compile_error *error)
{
	const struct scd_str *names = NULL;
	size_t count = 0;
	scd__check_constants(check, &names, &count);
	for (size_t i = 0; i < count; i++) {
		error->is_unknown_name = scd_kind_find(names[i], 0) < 0;
		if (error->is_unknown_name)
			return INVALID(error, check->children[1], "unknown event type " SCD_STR_FMT,
			               SCD_STR_ARG(names[i]));
	}
	return 0;
}

static bool is_equality(enum scd__op op)
{
	return op == SCD__OP_EQ || op == SCD__OP_NE || op == SCD__OP_IN || op == SCD__OP_INTERSECTS;
}

static bool is_kind_field(const struct scd_ast *node)
{
	return node->kind == SCD_AST_FIELD && !node->has_arg &&
	       (scd_str_is(node->text, "evt.type") || scd_str_is(node->text, "syscall.type"));
}

bool scd__is_kind_check(const struct scd_ast *check)
{
	const struct scd_str *names;
	size_t count;
	enum scd__quantity quantity;
	const struct op_row *row = find_op(check->op, &quantity);
	bool modified = memchr(check->op.data, ' ', check->op.len) != NULL;
	return check->kind == SCD_AST_BINARY && row && is_equality(row->op) && !modified &&
	       is_kind_field(check->children[0]) && scd__check_constants(check, &names, &count);
}

/* A field or transformer on the right (SPEC 2.7). */
static int compile_right(struct scd__build *build, const struct scd_ast *check, const struct op_row *row,
                         struct scd__predicate *predicate, struct scd__compile_error *error)
{
	const struct scd__expr *left = predicate->left, *right = NULL;
	int r = scd__expr_new(&build->exprs, check->children[1], &right, error);
	if (r < 0)
		return r;
	if (row->no_rhs)
		return INVALID(error, check, "'%s' operator does not take a field on its right side", row->name);
	if (left->no_rhs || right->no_rhs || left->type == SCD_TYPE_IPNET || right->type == SCD_TYPE_IPNET)
		return INVALID(error, check, "a field of this check cannot be compared with another field");
	if (left->type != right->type || left->is_list != right->is_list)
		return INVALID(error, check->children[1], "%s'%s' cannot be compared with %s'%s'",
		               left->is_list ? "a list of " : "", scd_type_name(left->type),
		               right->is_list ? "a list of " : "", scd_type_name(right->type));
	predicate->right = right;
	predicate->never |= right->never;
	return 0;
}

/* Left side, operator, and a right side that is no constant. */
static int compile_sides(struct scd__build *build, const struct scd_ast *check, struct scd__predicate *predicate,
                         const struct op_row **ret_row, struct scd__compile_error *error)
{
	const struct scd_str *texts;
	size_t count;
	int r = scd__expr_new(&build->exprs, check->children[0], &predicate->left, error);
	if (r < 0)
		return r;
	const struct op_row *row = find_op(check->op, &predicate->quantity);
	predicate->never = predicate->left->never;
	r = check_op(row, check, predicate->left, error);
	if (r < 0)
		return r;
	predicate->op = row->op;
	*ret_row = row;
	if (check->kind == SCD_AST_UNARY || scd__check_constants(check, &texts, &count))
		return 0;
	return compile_right(build, check, row, predicate, error);
}

static int compile_constants(struct scd__build *build, const struct scd_ast *check, const struct op_row *row,
                             struct scd__predicate *predicate, struct scd__compile_error *error)
{
	int r = 0;
	if (is_kind_field(check->children[0]) && is_equality(row->op))
		r = check_kind_names(check, error);
	if (r == 0 && scd__is_kind_check(check)) {
		predicate->op = SCD__OP_KIND;
		scd__check_kinds(check, &predicate->kinds);
		return 0;
	}
	if (r == 0)
		r = parse_constants(build, check, row, predicate, error);
	return r < 0 ? r : index_constants(build, predicate);
}

/*
 * What makes two checks one predicate: the slot on the left, the operator, and what is on the right. The canonical text
 * of constants tells them apart, but for lists of no constant and of one empty constant.
 */
static int make_key(struct scd__build *build, const struct scd_ast *check, const struct scd__predicate *predicate,
                    struct scd_str *ret_key)
{
	const struct scd_ast *right = check->child_count > 1 ? check->children[1] : NULL;
	struct scd_str parts[] = { SCD_STR(""), check->op, SCD_STR(" '"), SCD_STR("") };
	parts[0] = (struct scd_str){ (const char *)&predicate->left->slot, sizeof(predicate->left->slot) };
	if (predicate->right) {
		parts[2] = SCD_STR(" #");
		parts[3] = (struct scd_str){ (const char *)&predicate->right->slot, sizeof(predicate->right->slot) };
	} else if (right) {
		if (right->kind == SCD_AST_LIST)
			parts[2] = right->value_count ? SCD_STR(" (") : SCD_STR(" 0");
		if (scd_ast_print(right, &build->scratch, &parts[3]) < 0)
			return -ENOMEM;
	}
	*ret_key = scd__key_join(&build->scratch, parts, SCD_COUNT(parts));
	return ret_key->data ? 0 : -ENOMEM;
}

static int add(struct scd__build *build, struct scd_str key, const struct scd__predicate *predicate,
               uint32_t *ret_index)
{
	struct scd_ruleset *set = build->set;
	struct scd__predicate *predicates = scd_array_grow_in(&set->arena, set->predicates, set->predicate_count,
	                                                      &set->predicate_room, sizeof(*predicates));
	if (!predicates || scd_strmap_put(&build->predicate_by_key, key, (void *)(set->predicate_count + 1)) < 0)
		return -ENOMEM;
	set->predicates = predicates;
	set->predicates[set->predicate_count] = *predicate;
	*ret_index = (uint32_t)set->predicate_count++;
	return 0;
}

int scd__predicate_new(struct scd__build *build, const struct scd_ast *check, uint32_t *ret_index,
                       struct scd__compile_error *ret_error)
{
	struct scd__predicate predicate = { 0 };
	const struct op_row *row = NULL;
	struct scd_str key = { NULL, 0 };
	int r = compile_sides(build, check, &predicate, &row, ret_error);
	if (r == 0)
		r = make_key(build, check, &predicate, &key);
	if (r < 0)
		return r;
	uintptr_t known = (uintptr_t)scd_strmap_get(&build->predicate_by_key, key);
	if (known) {
		*ret_index = (uint32_t)(known - 1);
		return 0;
	}
	if (check->kind == SCD_AST_BINARY && !predicate.right)
		r = compile_constants(build, check, row, &predicate, ret_error);
	return r < 0 ? r : add(build, key, &predicate, ret_index);
}
