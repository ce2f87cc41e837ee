/*
 * One function for each form of a check. Nothing is kept from one call to the next.
 */
#include "tests/support/naive_eval.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "tests/support/naive_side.h"

static _Noreturn void die(const char *why, struct scd_str what)
{
	fprintf(stderr, "naive_holds: %s: " SCD_STR_FMT "\n", why, SCD_STR_ARG(what));
	abort();
}

/* For the functions of the C library that want a NUL; the caller frees it. */
static char *terminated(struct scd_str text)
{
	char *copy = text.len > 0 ? strndup(text.data, text.len) : strdup("");

	if (!copy)
		abort();
	return copy;
}

/* ---- texts ---- */

static bool begins_at(struct scd_str text, size_t at, struct scd_str part, bool fold)
{
	if (part.len > text.len - at)
		return false;
	for (size_t i = 0; i < part.len; i++) {
		char a = text.data[at + i], b = part.data[i];

		if (fold && a >= 'A' && a <= 'Z')
			a = (char)(a + 'a' - 'A');
		if (fold && b >= 'A' && b <= 'Z')
			b = (char)(b + 'a' - 'A');
		if (a != b)
			return false;
	}
	return true;
}

static bool contains(struct scd_str text, struct scd_str part, bool fold)
{
	for (size_t at = 0; at <= text.len; at++)
		if (begins_at(text, at, part, fold))
			return true;
	return false;
}

static bool matches_pattern(struct scd_str pattern, struct scd_str text, int flags)
{
	char *p = terminated(pattern), *t = terminated(text);
	bool result = fnmatch(p, t, flags) == 0;

	free(p);
	free(t);
	return result;
}

static struct scd_str next_part(struct scd_str *path)
{
	struct scd_str part;

	while (path->len > 0 && path->data[0] == '/')
		*path = (struct scd_str){ path->data + 1, path->len - 1 };
	part = (struct scd_str){ path->data, 0 };
	while (part.len < path->len && part.data[part.len] != '/')
		part.len++;
	*path = (struct scd_str){ path->data + part.len, path->len - part.len };
	return part;
}

static bool has_path_prefix(struct scd_str path, struct scd_str prefix)
{
	for (;;) {
		struct scd_str wanted = next_part(&prefix), got = next_part(&path);
		bool is_pattern = contains(wanted, SCD_STR("?"), false) || contains(wanted, SCD_STR("*"), false) ||
		                  contains(wanted, SCD_STR("["), false);

		if (wanted.len == 0)
			return true;
		if (got.len == 0 || !(is_pattern ? matches_pattern(wanted, got, 0) : scd_str_eq(wanted, got)))
			return false;
	}
}

/* ---- numbers and addresses ---- */

/* What is no number is the name of a port. */
static uint64_t port_of(struct scd_str text)
{
	static const struct {
		const char *name;
		uint64_t port;
	} known[] = { { "ssh", 22 }, { "http", 80 }, { "https", 443 }, { "mysql", 3306 }, { "redis", 6379 } };
	uint64_t port;

	for (size_t i = 0; i < SCD_COUNT(known); i++)
		if (scd_str_is(text, known[i].name))
			return known[i].port;
	if (scd_str_to_u64(text, &port) < 0)
		die("no port", text);
	return port;
}

static int order_of_numbers(enum scd_type type, const struct scd_value *value, struct scd_str constant)
{
	char *text = terminated(constant);
	int64_t wanted_signed = strtoll(text, NULL, 10);
	uint64_t wanted = type == SCD_TYPE_PORT ? port_of(constant) : strtoull(text, NULL, 10);

	free(text);
	if (scd_type_is_signed(type))
		return (value->i64 > wanted_signed) - (value->i64 < wanted_signed);
	return (value->u64 > wanted) - (value->u64 < wanted);
}

static bool bit_of(const uint8_t *bytes, unsigned bit)
{
	return bytes[bit / 8] >> (7 - bit % 8) & 1;
}

/* `10.0.0.0/8`, or an address, which is a network of all its bits. */
static bool in_network(const struct scd_ip *ip, struct scd_str constant)
{
	char *text = terminated(constant), *slash = strchr(text, '/');
	bool is_v4 = !strchr(text, ':');
	unsigned bits = slash ? (unsigned)atol(slash + 1) : is_v4 ? 32 : 128;
	uint8_t wanted[16];
	bool result = ip->family == (is_v4 ? 4 : 6);

	if (slash)
		*slash = '\0';
	if (inet_pton(is_v4 ? AF_INET : AF_INET6, text, wanted) != 1)
		die("no address", constant);
	for (unsigned bit = 0; bit < bits && result; bit++)
		result = bit_of(ip->bytes, bit) == bit_of(wanted, bit);
	free(text);
	return result;
}

/* ---- checks ---- */

/* An operator and what stands on its right: a constant as it is written, or one value of another field. */
struct comparison {
	struct scd_str op; /* without its modifier */
	struct scd_str constant;
	const struct scd_value *other; /* NULL: the constant */
};

static bool is_address(enum scd_type type)
{
	return type == SCD_TYPE_IPADDR || type == SCD_TYPE_IPNET;
}

static int order_of_values(const struct scd_value *a, const struct scd_value *b)
{
	if (is_address(a->type))
		return a->ip.family != b->ip.family ||
		       memcmp(a->ip.bytes, b->ip.bytes, a->ip.family == 4 ? 4 : 16) != 0;
	if (a->type == SCD_TYPE_BOOL)
		return a->boolean != b->boolean;
	if (scd_type_is_signed(a->type))
		return (a->i64 > b->i64) - (a->i64 < b->i64);
	if (scd_type_is_unsigned(a->type))
		return (a->u64 > b->u64) - (a->u64 < b->u64);
	return scd_str_compare(a->text, b->text);
}

static int order_of(const struct comparison *c, const struct scd_value *value)
{
	enum scd_type type = value->type;

	if (c->other)
		return order_of_values(value, c->other);
	if (is_address(type))
		return in_network(&value->ip, c->constant) ? 0 : 1;
	if (type == SCD_TYPE_BOOL)
		return value->boolean == scd_str_is(c->constant, "true") ? 0 : 1;
	if (scd_type_is_signed(type) || scd_type_is_unsigned(type))
		return order_of_numbers(type, value, c->constant);
	return scd_str_compare(value->text, c->constant);
}

/* Pairs of digits to bytes; the caller frees them. */
static struct scd_str from_hex(struct scd_str digits)
{
	char *bytes = calloc(1, digits.len + 1), *text = terminated(digits);
	unsigned byte;

	for (size_t i = 0; i + 1 < digits.len && sscanf(text + i, "%2x", &byte) == 1; i += 2)
		bytes[i / 2] = (char)byte;
	free(text);
	return (struct scd_str){ bytes, digits.len / 2 };
}

static bool holds_for_bytes(const struct comparison *c, struct scd_str text)
{
	struct scd_str bytes = from_hex(c->constant);
	bool holds = scd_str_is(c->op, "bcontains") ? contains(text, bytes, false) : begins_at(text, 0, bytes, false);

	free((char *)(uintptr_t)bytes.data);
	return holds;
}

static bool holds_for_text(const struct comparison *c, struct scd_str text, struct scd_str part)
{
	if (scd_str_is(c->op, "contains"))
		return contains(text, part, false);
	if (scd_str_is(c->op, "icontains"))
		return contains(text, part, true);
	if (scd_str_is(c->op, "startswith"))
		return begins_at(text, 0, part, false);
	if (scd_str_is(c->op, "endswith"))
		return part.len <= text.len && begins_at(text, text.len - part.len, part, false);
	if (scd_str_is(c->op, "glob"))
		return part.len <= 255 && matches_pattern(part, text, 0);
	if (scd_str_is(c->op, "iglob"))
		return part.len <= 255 && matches_pattern(part, text, FNM_CASEFOLD);
	if (scd_str_is(c->op, "regex"))
		return naive_regex(part, text);
	if (scd_str_is(c->op, "pmatch"))
		return has_path_prefix(text, part);
	die("unknown operator", c->op);
}

static bool holds_for_one(const struct comparison *c, const struct scd_value *value)
{
	static const struct {
		const char *op;
		bool less, equal, greater;
	} orders[] = {
		{ "=", false, true, false }, { "==", false, true, false }, { "!=", true, false, true },
		{ "<", true, false, false }, { "<=", true, true, false },  { ">", false, false, true },
		{ ">=", false, true, true }, { "in", false, true, false }, { "intersects", false, true, false },
	};

	for (size_t i = 0; i < SCD_COUNT(orders); i++) {
		if (!scd_str_is(c->op, orders[i].op))
			continue;
		int order = order_of(c, value);
		return order < 0 ? orders[i].less : order > 0 ? orders[i].greater : orders[i].equal;
	}
	if (c->op.data[0] == 'b' && !c->other)
		return holds_for_bytes(c, value->text);
	return holds_for_text(c, value->text, c->other ? c->other->text : c->constant);
}

static const struct naive_list *find_list(const struct naive_names *names, struct scd_str name)
{
	for (size_t i = 0; i < names->list_count; i++)
		if (scd_str_is(name, names->lists[i].name))
			return &names->lists[i];
	return NULL;
}

/* All that stands on the right: constants, with lists in their places, or the values of another side. */
struct row {
	struct scd_str constants[NAIVE_CONSTANTS_AT_MOST];
	const struct scd_value *others; /* NULL: constants */
	size_t count;
};

static void read_constants(const struct naive_names *names, const struct scd_ast *right, struct row *ret_row)
{
	*ret_row = (struct row){ .count = 0 };
	if (right->kind != SCD_AST_LIST)
		ret_row->constants[ret_row->count++] = right->text;
	for (size_t i = 0; i < right->value_count; i++) {
		const struct naive_list *list = find_list(names, right->values[i]);

		for (size_t j = 0; list && j < list->count; j++)
			ret_row->constants[ret_row->count++] = list->items[j];
		if (!list)
			ret_row->constants[ret_row->count++] = right->values[i];
	}
}

static bool entry_holds(struct comparison *c, const struct row *row, size_t entry, const struct scd_value *value)
{
	c->other = row->others ? &row->others[entry] : NULL;
	c->constant = row->constants[row->others ? 0 : entry];
	return holds_for_one(c, value);
}

/*
 * One entry of the row for a field that gives several values at once: any of them will do, but an address, network or
 * port differs only if both ends do.
 */
static bool entry_holds_for_any(struct comparison *c, const struct row *row, size_t entry, const struct scd_value *list)
{
	enum scd_type type = list->type;
	bool both_ends = scd_str_is(c->op, "!=") && (is_address(type) || type == SCD_TYPE_PORT);
	size_t held = 0;

	for (size_t i = 0; i < list->list.count; i++)
		held += entry_holds(c, row, entry, &list->list.items[i]);
	return held > 0 && (!both_ends || held == list->list.count);
}

/* As many entries as the modifier wants; without one, any. */
static bool row_holds(struct comparison *c, const struct row *row, struct scd_str modifier,
                      const struct scd_value *value)
{
	size_t held = 0;

	for (size_t i = 0; i < row->count; i++)
		held += value->is_list ? entry_holds_for_any(c, row, i, value) : entry_holds(c, row, i, value);
	if (scd_str_is(modifier, "oneof"))
		return held == 1;
	if (scd_str_is(modifier, "allof"))
		return held > 0 && held == row->count;
	return held > 0;
}

static bool list_holds(struct comparison *c, const struct row *row, const struct scd_value *list)
{
	size_t held = 0;

	for (size_t i = 0; i < list->list.count; i++)
		held += row_holds(c, row, SCD_STR(""), &list->list.items[i]);
	return scd_str_is(c->op, "in") ? held == list->list.count : held > 0;
}

static bool check_holds(const struct naive_names *names, const struct scd_ast *check, const struct scd_view *view)
{
	const struct scd_ast *right = check->child_count > 1 ? check->children[1] : NULL;
	const char *blank = memchr(check->op.data, ' ', check->op.len);
	struct scd_str modifier = { blank ? blank + 1 : "",
		                    blank ? check->op.len - (size_t)(blank - check->op.data) - 1 : 0 };
	struct comparison c = { .op = check->op };
	struct scd_value value, other;
	bool is_any_of, ignored;
	struct row row;

	if (blank)
		c.op.len = (size_t)(blank - check->op.data);
	if (!naive_side(check->children[0], view, &value, &is_any_of))
		return false;
	if (check->kind == SCD_AST_UNARY)
		return true;
	if (right->kind == SCD_AST_FIELD || right->kind == SCD_AST_TRANSFORMER) {
		if (!naive_side(right, view, &other, &ignored))
			return false;
		row.others = other.is_list ? other.list.items : &other;
		row.count = other.is_list ? other.list.count : 1;
	} else {
		read_constants(names, right, &row);
	}
	if (value.is_list && !is_any_of)
		return list_holds(&c, &row, &value);
	return row_holds(&c, &row, modifier, &value);
}

/* ---- trees ---- */

static const struct scd_ast *find_macro(const struct naive_names *names, struct scd_str name)
{
	for (size_t i = 0; i < names->macro_count; i++)
		if (scd_str_is(name, names->macros[i].name))
			return names->macros[i].condition;
	die("no macro", name);
}

static size_t count_holding(const struct naive_names *names, const struct scd_ast *node, const struct scd_view *view)
{
	size_t count = 0;

	for (size_t i = 0; i < node->child_count; i++)
		count += naive_holds(names, node->children[i], view);
	return count;
}

bool naive_holds(const struct naive_names *names, const struct scd_ast *condition, const struct scd_view *view)
{
	switch (condition->kind) {
	case SCD_AST_AND: return count_holding(names, condition, view) == condition->child_count;
	case SCD_AST_OR: return count_holding(names, condition, view) > 0;
	case SCD_AST_NOT: return count_holding(names, condition, view) == 0;
	case SCD_AST_IDENTIFIER: return naive_holds(names, find_macro(names, condition->text), view);
	case SCD_AST_UNARY:
	case SCD_AST_BINARY: return check_holds(names, condition, view);
	default: die("no condition", condition->text);
	}
}
