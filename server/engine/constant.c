/*
 * Constants, read for the type of what they are compared with (SPEC 3.2, 3.3), and for the operator: patterns are
 * compiled, and bcontains and bstartswith take pairs of hexadecimal digits.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/program.h"
#include "engine/services.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"

#define INVALID(error, node, ...) scd__compile_fail(error, SCD_DIAG_ERR_COMPILE_CONDITION, node, NULL, __VA_ARGS__)

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

/* sscanf takes a plus sign, too. */
static struct scd_str without_plus(struct scd_str text)
{
	bool plus = text.len > 1 && text.data[0] == '+' && text.data[1] >= '0' && text.data[1] <= '9';
	return plus ? (struct scd_str){ text.data + 1, text.len - 1 } : text;
}

/* False: it is none of that type, which is not a text. */
static bool parse_value(enum scd_type type, struct scd_str text, union scd__constant *ret)
{
	if (type == SCD_TYPE_BOOL) {
		ret->boolean = scd_str_is(text, "true");
		return ret->boolean || scd_str_is(text, "false");
	}
	if (type == SCD_TYPE_IPADDR || type == SCD_TYPE_IPNET)
		return parse_cidr(text, type == SCD_TYPE_IPNET, &ret->cidr);
	text = without_plus(text);
	if (type == SCD_TYPE_PORT)
		return parse_port(text, &ret->u64);
	if (type == SCD_TYPE_DOUBLE)
		return parse_double(text, &ret->real);
	if (scd_type_is_signed(type))
		return scd_str_to_i64(text, &ret->i64) == 0;
	return parse_unsigned(text, &ret->u64);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int parse_hex(struct scd_str text, struct scd_arena *arena, struct scd_str *ret_bytes)
{
	char *bytes = scd_arena_alloc(arena, text.len / 2 + 1);
	if (!bytes)
		return -ENOMEM;
	for (size_t i = 0; i + 1 < text.len; i += 2) {
		int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		bytes[i / 2] = (char)(high << 4 | low);
	}
	*ret_bytes = (struct scd_str){ bytes, text.len / 2 };
	return text.len % 2 == 0 ? 0 : -EINVAL;
}

/* Room for one more regex comes first, so that none is lost. */
static int parse_regex(struct scd_ruleset *set, const struct scd_ast *node, struct scd_str text,
                       const struct scd_regex **ret_regex, struct scd__compile_error *error)
{
	struct scd_error err;
	struct scd_regex **regexes = scd_array_grow_in(&set->arena, set->regexes, set->regex_count, &set->regex_room,
	                                               sizeof(struct scd_regex *));
	if (!regexes)
		return -ENOMEM;
	set->regexes = regexes;
	int r = scd_regex_new(text, &set->regexes[set->regex_count], &err);
	if (r == -EINVAL)
		return INVALID(error, node, "'" SCD_STR_FMT "': %s", SCD_STR_ARG(text), err.what);
	if (r == 0)
		*ret_regex = set->regexes[set->regex_count++];
	return r;
}

int scd__regexes_share(struct scd_ruleset *set, struct scd_diags *diags)
{
	if (set->regex_count <= SCD_LIMIT_REGEXES_BYTES / SCD_LIMIT_REGEX_BYTES)
		return 0;
	size_t share = SCD_LIMIT_REGEXES_BYTES / set->regex_count;
	for (size_t i = 0; i < set->regex_count; i++) {
		struct scd_str pattern = scd_regex_pattern(set->regexes[i]);
		struct scd_error err;
		int r = scd_regex_limit(set->regexes[i], share, &err);
		if (r == -EINVAL)
			scd_diags_add(diags, SCD_DIAG_ERR_COMPILE_CONDITION, NULL, 0, 0, NULL,
			              "with fewer regular expressions, each may take more memory",
			              "'" SCD_STR_FMT "' takes more than its share of %zu bytes, as one of %zu: %s",
			              SCD_STR_ARG(pattern), share, set->regex_count, err.what);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What would be right; NULL where the type says it. */
static const char *hint_for(enum scd_type type)
{
	if (type == SCD_TYPE_PORT)
		return "a number up to 65535 or a usual service name like https; services(5) of this host does not "
		       "count";
	return NULL;
}

static int parse_text(struct scd_ruleset *set, enum scd__op op, bool is_hex, const struct scd_ast *node,
                      struct scd_str text, union scd__constant *ret, struct scd__compile_error *error)
{
	if (op == SCD__OP_REGEX)
		return parse_regex(set, node, text, &ret->regex, error);
	if (is_hex) {
		int r = parse_hex(text, &set->arena, &ret->text);
		return r == -EINVAL ? INVALID(error, node, SCD_STR_FMT " is not pairs of hexadecimal digits",
		                              SCD_STR_ARG(text))
		                    : r;
	}
	*ret = (union scd__constant){ .text = scd_arena_dup(&set->arena, text) };
	if (!ret->text.data)
		return -ENOMEM;
	bool is_glob = op == SCD__OP_GLOB || op == SCD__OP_IGLOB;
	if (is_glob)
		ret->glob = scd_glob_new(ret->text, op == SCD__OP_IGLOB, &set->arena);
	return is_glob && !ret->glob ? -ENOMEM : 0;
}

int scd__constant_parse(struct scd_ruleset *set, const struct scd__expr *left, enum scd__op op, bool is_hex,
                        const struct scd_ast *node, struct scd_str text, union scd__constant *ret_constant,
                        struct scd__compile_error *ret_error)
{
	if (text.len > SCD_LIMIT_CONSTANT_BYTES)
		return INVALID(ret_error, node, "filter value is longer than %u bytes", SCD_LIMIT_CONSTANT_BYTES);
	if (text.len > 0 && memchr(text.data, '\0', text.len) && left->type != SCD_TYPE_BYTES)
		return INVALID(ret_error, node, "filter value contains a NUL byte");
	if (scd_type_is_text(left->type) || left->type == SCD_TYPE_BYTES)
		return parse_text(set, op, is_hex, node, text, ret_constant, ret_error);
	if (parse_value(left->type, text, ret_constant))
		return 0;
	if (left->kind == SCD__EXPR_FIELD)
		return scd__compile_fail(ret_error, SCD_DIAG_ERR_COMPILE_CONDITION, node, hint_for(left->type),
		                         SCD_STR_FMT " is not a valid value of type %s for field '" SCD_STR_FMT "'",
		                         SCD_STR_ARG(text), scd_type_name(left->type),
		                         SCD_STR_ARG(left->use.field->name));
	return INVALID(ret_error, node, SCD_STR_FMT " is not a valid value of type %s", SCD_STR_ARG(text),
	               scd_type_name(left->type));
}
