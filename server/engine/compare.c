/*
 * Comparing a value with constants: what each operator means for each type (SPEC 2.3, 3.2, 3.3, 3.5).
 *
 * Fields that stand for several values at once (proc.aname, fd.ip) come as a list and hold if one item does, with one
 * exception: `!=` of addresses, networks and ports means that no end is equal.
 */
#include <string.h>

#include "engine/program.h"
#include "seccheckd/index/glob.h"

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

static bool is_member(const struct scd__predicate *predicate, const struct scd_value *value)
{
	if (predicate->strings)
		return scd_strset_has(predicate->strings, value->text);
	for (size_t i = 0; i < predicate->constant_count; i++)
		if (equal(value, &predicate->constants[i]))
			return true;
	return false;
}

static bool single_holds(const struct scd__predicate *predicate, const struct scd_value *value)
{
	const union scd__constant *constant = predicate->constants;
	switch (predicate->op) {
	case SCD__OP_EXISTS: return true;
	case SCD__OP_EQ: return equal(value, constant);
	case SCD__OP_NE: return !equal(value, constant);
	case SCD__OP_LT: return order(value, constant) < 0;
	case SCD__OP_LE: return order(value, constant) <= 0;
	case SCD__OP_GT: return order(value, constant) > 0;
	case SCD__OP_GE: return order(value, constant) >= 0;
	case SCD__OP_IN: return is_member(predicate, value);
	case SCD__OP_CONTAINS: return scd_str_contains(value->text, constant->text);
	case SCD__OP_ICONTAINS: return scd_str_icontains(value->text, constant->text);
	case SCD__OP_STARTSWITH: return scd_str_starts_with(value->text, constant->text);
	case SCD__OP_ENDSWITH: return scd_str_ends_with(value->text, constant->text);
	case SCD__OP_GLOB: return scd_glob_matches(constant->text, value->text, false);
	case SCD__OP_PMATCH: return scd_pathset_matches(predicate->paths, value->text);
	case SCD__OP_KIND: break; /* decided by the event's kind alone: eval.c */
	}
	return false;
}

/* A list field: `in` means that every value is a member. */
static bool every_member(const struct scd__predicate *predicate, const struct scd_value *value)
{
	for (size_t i = 0; i < value->list.count; i++)
		if (!is_member(predicate, &value->list.items[i]))
			return false;
	return true;
}

static bool is_endpoint(enum scd_type type)
{
	return type == SCD_TYPE_IPADDR || type == SCD_TYPE_IPNET || type == SCD_TYPE_PORT;
}

static bool any_holds(const struct scd__predicate *predicate, const struct scd_value *value)
{
	bool all = predicate->op == SCD__OP_NE && is_endpoint(value->type);
	if (value->list.count == 0)
		return false;
	for (size_t i = 0; i < value->list.count; i++)
		if (single_holds(predicate, &value->list.items[i]) != all)
			return !all;
	return all;
}

bool scd__predicate_holds(const struct scd__predicate *predicate, const struct scd_field_use *use,
                          const struct scd_value *value)
{
	if (predicate->op == SCD__OP_EXISTS)
		return true;
	if (!value->is_list)
		return single_holds(predicate, value);
	return use->is_any_of ? any_holds(predicate, value) : every_member(predicate, value);
}
