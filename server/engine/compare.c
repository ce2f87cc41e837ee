/*
 * Comparing values: what each operator means for each type (SPEC 2.3, 2.4, 3.2, 3.3, 3.5).
 *
 * What stands on the right, constants or the value of another field, is a row of constants here. Fields that stand for
 * several values at once (proc.aname, fd.ip) come as a list and hold if one item does, with one exception: `!=` of
 * addresses, networks and ports means that no end is equal.
 */
#include <string.h>

#include "engine/program.h"
#include "seccheckd/base/limits.h"

/* The right side of one comparison. */
struct row {
	const struct scd__predicate *predicate;
	const union scd__constant *constants;
	const struct scd_value *right; /* the value of a field, in their place; NULL: none */
	size_t count;
	struct scd_arena *scratch;
};

/* Whether two addresses agree in their first bits. */
static bool in_cidr(const struct scd_ip *ip, const struct scd__cidr *cidr)
{
	if (ip->family != cidr->ip.family)
		return false;
	unsigned bytes = cidr->prefix_bits / 8, bits = cidr->prefix_bits % 8;
	if (memcmp(ip->bytes, cidr->ip.bytes, bytes) != 0)
		return false;
	return bits == 0 || (ip->bytes[bytes] ^ cidr->ip.bytes[bytes]) >> (8 - bits) == 0;
}

static bool equal(const struct scd_value *value, const union scd__constant *constant)
{
	switch (value->type) {
	case SCD_TYPE_BOOL: return value->boolean == constant->boolean;
	case SCD_TYPE_DOUBLE: return value->real == constant->real;
	case SCD_TYPE_IPADDR:
	case SCD_TYPE_IPNET: return in_cidr(&value->ip, &constant->cidr);
	default: break;
	}
	if (scd_type_is_signed(value->type))
		return value->i64 == constant->i64;
	if (scd_type_is_unsigned(value->type))
		return value->u64 == constant->u64;
	return scd_str_eq(value->text, constant->text);
}

/* Negative, 0 or positive. */
static int order(const struct scd_value *value, const union scd__constant *constant)
{
	if (value->type == SCD_TYPE_DOUBLE)
		return (value->real > constant->real) - (value->real < constant->real);
	if (scd_type_is_signed(value->type))
		return (value->i64 > constant->i64) - (value->i64 < constant->i64);
	if (scd_type_is_unsigned(value->type))
		return (value->u64 > constant->u64) - (value->u64 < constant->u64);
	return scd_str_compare(value->text, constant->text);
}

/* A pattern from a field is a sandbox's choice, and matching takes pattern times text: it is as long as a constant. */
static bool glob_matches(const union scd__constant *constant, struct scd_str text, bool fold, struct scd_arena *scratch)
{
	const struct scd_glob *glob = constant->glob;
	if (!glob && constant->text.len <= SCD_LIMIT_CONSTANT_BYTES)
		glob = scd_glob_new(constant->text, fold, scratch);
	return glob && scd_glob_matches(glob, text);
}

static bool single_holds(const struct row *row, const struct scd_value *value, const union scd__constant *constant)
{
	switch (row->predicate->op) {
	case SCD__OP_EXISTS: return true;
	case SCD__OP_EQ:
	case SCD__OP_IN:
	case SCD__OP_INTERSECTS: return equal(value, constant);
	case SCD__OP_NE: return !equal(value, constant);
	case SCD__OP_LT: return order(value, constant) < 0;
	case SCD__OP_LE: return order(value, constant) <= 0;
	case SCD__OP_GT: return order(value, constant) > 0;
	case SCD__OP_GE: return order(value, constant) >= 0;
	case SCD__OP_CONTAINS: return scd_str_contains(value->text, constant->text);
	case SCD__OP_ICONTAINS: return scd_str_icontains(value->text, constant->text);
	case SCD__OP_STARTSWITH: return scd_str_starts_with(value->text, constant->text);
	case SCD__OP_ENDSWITH: return scd_str_ends_with(value->text, constant->text);
	case SCD__OP_GLOB: return glob_matches(constant, value->text, false, row->scratch);
	case SCD__OP_IGLOB: return glob_matches(constant, value->text, true, row->scratch);
	case SCD__OP_REGEX: return scd_regex_matches(constant->regex, value->text, row->scratch);
	case SCD__OP_PMATCH:      /* has an index */
	case SCD__OP_KIND: break; /* decided by the event's kind alone: eval.c */
	}
	return false;
}

/* Sets, whatever the number of constants. */

static bool has_index(const struct scd__predicate *predicate)
{
	return predicate->strings || predicate->paths || predicate->ranges;
}

static bool index_has(const struct scd__predicate *predicate, const struct scd_value *value)
{
	if (predicate->strings)
		return scd_strset_has(predicate->strings, value->text);
	if (predicate->paths)
		return scd_pathset_matches(predicate->paths, value->text);
	if (value->type != SCD_TYPE_IPADDR && value->type != SCD_TYPE_IPNET)
		return scd_rangeset_has(predicate->ranges, (struct scd_wide){ 0, value->u64 });
	bool is_ipv4 = value->ip.family == 4;
	struct scd_wide address = scd_wide_of_bytes(value->ip.bytes, is_ipv4 ? 4 : 16);
	return scd_rangeset_has(is_ipv4 ? predicate->ranges : predicate->ipv6_ranges, address);
}

/* A value in the place of a constant. */
static union scd__constant constant_of(const struct scd_value *value)
{
	union scd__constant constant = { 0 };
	switch (value->type) {
	case SCD_TYPE_BOOL: constant.boolean = value->boolean; return constant;
	case SCD_TYPE_DOUBLE: constant.real = value->real; return constant;
	case SCD_TYPE_IPADDR:
	case SCD_TYPE_IPNET:
		constant.cidr = (struct scd__cidr){ value->ip, value->ip.family == 4 ? 32 : 128 };
		return constant;
	default: break;
	}
	if (scd_type_is_signed(value->type))
		constant.i64 = value->i64;
	else if (scd_type_is_unsigned(value->type))
		constant.u64 = value->u64;
	else
		constant = (union scd__constant){ .text = value->text };
	return constant;
}

static bool holds_for(const struct row *row, const struct scd_value *value, size_t index)
{
	if (!row->right)
		return single_holds(row, value, &row->constants[index]);
	union scd__constant constant = constant_of(row->right->is_list ? &row->right->list.items[index] : row->right);
	return single_holds(row, value, &constant);
}

/* As many of the constants as the predicate wants. */
static bool row_holds(const struct row *row, const struct scd_value *value)
{
	const struct scd__predicate *predicate = row->predicate;
	size_t held = 0, i;
	if (has_index(predicate))
		return index_has(predicate, value);
	for (i = 0; i < row->count; i++) {
		held += holds_for(row, value, i);
		if (predicate->quantity == SCD__ANY_OF && held > 0)
			return true;
		if (predicate->quantity == SCD__ALL_OF && held <= i)
			return false;
	}
	return predicate->quantity == SCD__ONE_OF ? held == 1 : held > 0;
}

/* A list field: `in` means that every value is a member, `intersects` that one is. */
static bool list_holds(const struct row *row, const struct scd_value *list)
{
	bool every = row->predicate->op == SCD__OP_IN;
	for (size_t i = 0; i < list->list.count; i++)
		if (row_holds(row, &list->list.items[i]) != every)
			return !every;
	return every;
}

static bool is_endpoint(enum scd_type type)
{
	return type == SCD_TYPE_IPADDR || type == SCD_TYPE_IPNET || type == SCD_TYPE_PORT;
}

/* One constant against all values of a field that stands for several. */
static bool any_holds_for(const struct row *row, const struct scd_value *list, size_t index)
{
	bool all = row->predicate->op == SCD__OP_NE && is_endpoint(list->type);
	for (size_t i = 0; i < list->list.count; i++)
		if (holds_for(row, &list->list.items[i], index) != all)
			return !all;
	return all;
}

static bool any_holds(const struct row *row, const struct scd_value *list)
{
	const struct scd__predicate *predicate = row->predicate;
	size_t held = 0;
	if (list->list.count == 0)
		return false;
	for (size_t i = 0; has_index(predicate); i++) {
		if (i == list->list.count)
			return false;
		if (index_has(predicate, &list->list.items[i]))
			return true;
	}
	for (size_t i = 0; i < row->count; i++)
		held += any_holds_for(row, list, i);
	switch (predicate->quantity) {
	case SCD__ONE_OF: return held == 1;
	case SCD__ALL_OF: return held > 0 && held == row->count;
	case SCD__ANY_OF: break;
	}
	return held > 0;
}

bool scd__predicate_holds(const struct scd__predicate *predicate, const struct scd_value *left,
                          const struct scd_value *right, struct scd_arena *scratch)
{
	struct row row = { .predicate = predicate, .right = right, .scratch = scratch };
	if (predicate->op == SCD__OP_EXISTS)
		return true;
	row.constants = predicate->constants;
	row.count = predicate->constant_count;
	if (right)
		row.count = right->is_list ? right->list.count : 1;
	if (!left->is_list)
		return row_holds(&row, left);
	return predicate->left->is_any_of ? any_holds(&row, left) : list_holds(&row, left);
}
