/*
 * A condition is written as text; the tree for the naive evaluator is what the parser makes of it. Names of lists
 * stay in that tree, while the engine replaces them in the text.
 */
#include "tests/support/random_rules.h"

#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/event/kind.h"
#include "tests/support/random_event.h"
#include "tests/support/random_sides.h"

#define MOST_CONSTANTS 5
#define MOST_BYTES     200u
#define DEPTH          4

#define PICK(rng, array) ((array)[scd_rng_below((rng), SCD_COUNT(array))])

/* ---- fields ---- */

static const char *const tails[] = { "fd",  "name", "flags", "mode",     "res",   "exe",  "args",
	                             "cwd", "comm", "env",   "addr",     "tuple", "pid",  "tid",
	                             "uid", "size", "ret",   "filename", "path",  "dirfd" };
static const char *const kinds[] = { "execve",   "open", "openat", "connect", "clone",
	                             "procexit", "read", "mkdir",  "switch" };
static const char *const keys[] = { "HOME", "0", "1", "PATH", "x" };

/* Fields that have their argument behind a dot. */
static const char *tail_for(struct scd_rng *rng, struct scd_str name)
{
	if (scd_str_is(name, "evt.type.is"))
		return PICK(rng, kinds);
	if (scd_str_is(name, "evt.abspath"))
		return "src";
	return scd_str_is(name, "evt.arg") || scd_str_is(name, "evt.rawarg") ? PICK(rng, tails) : NULL;
}

bool random_field(struct scd_rng *rng, struct scd_arena *arena, struct scd_field_use *ret_use,
                  struct scd_str *ret_written)
{
	const struct scd_field *field = scd_field_at(scd_rng_below(rng, scd_field_count()));
	const char *tail = tail_for(rng, field->name);
	bool may = field->flags & SCD_FIELD_ARG_ALLOWED, must = field->flags & SCD_FIELD_ARG_REQUIRED;
	bool bracket = !tail && (must || (may && scd_rng_below(rng, 2)));
	struct scd_str name = field->name, arg = SCD_STR("");

	if (!field->get && scd_rng_below(rng, 20))
		return false;
	if (tail)
		name = scd_arena_printf(arena, SCD_STR_FMT ".%s", SCD_STR_ARG(name), tail);
	if (bracket)
		arg = scd_str_from(PICK(rng, keys));
	*ret_written = bracket ? scd_arena_printf(arena, SCD_STR_FMT "[" SCD_STR_FMT "]", SCD_STR_ARG(name),
	                                          SCD_STR_ARG(arg))
	                       : name;
	return scd_field_resolve(name, bracket, arg, ret_use, NULL) == 0 && ret_use->type != SCD_TYPE_DYN;
}

/* ---- constants ---- */

static void keep(struct scd_str *items, size_t *count, struct scd_str text)
{
	if (*count < RANDOM_POOL_SIZE && text.len <= MOST_BYTES)
		items[(*count)++] = text;
}

void random_pool_add(struct random_pool *pool, const struct scd_value *value, struct scd_arena *arena)
{
	char ip[SCD_IP_TEXT_BYTES];

	for (size_t i = 0; value->is_list && i < value->list.count; i++)
		random_pool_add(pool, &value->list.items[i], arena);
	if (value->is_list)
		return;
	if (scd_type_is_text(value->type) || value->type == SCD_TYPE_BYTES)
		keep(pool->texts, &pool->text_count, scd_arena_dup(arena, value->text));
	else if (scd_type_is_signed(value->type))
		keep(pool->numbers, &pool->number_count, scd_arena_printf(arena, "%" PRId64, value->i64));
	else if (scd_type_is_unsigned(value->type) && value->u64 <= INT64_MAX)
		keep(pool->numbers, &pool->number_count, scd_arena_printf(arena, "%" PRIu64, value->u64));
	else if (value->type == SCD_TYPE_IPADDR && scd_ip_format(&value->ip, ip) > 0)
		keep(pool->addresses, &pool->address_count, scd_arena_dup(arena, scd_str_from(ip)));
}

/* What rules are being made with. */
struct maker {
	struct scd_rng *rng;
	const struct random_pool *pool;
	struct scd_arena *arena;
	struct random_rules *rules;
	unsigned depth;
};

static size_t below(struct maker *maker, size_t bound)
{
	return scd_rng_below(maker->rng, bound);
}

/* A part, with one byte changed, in the other case, with a wildcard: what nearly matches. */
static struct scd_str changed(struct maker *maker, struct scd_str text, bool pattern)
{
	size_t from = text.len ? below(maker, text.len) : 0, len = text.len ? below(maker, text.len - from + 1) : 0;
	char *copy = scd_arena_alloc(maker->arena, text.len + 1);

	if (below(maker, 3) == 0)
		return (struct scd_str){ text.data + from, len };
	memcpy(copy, text.data, text.len);
	for (size_t i = 0; i < text.len; i++) {
		bool letter = (copy[i] | 0x20) >= 'a' && (copy[i] | 0x20) <= 'z';

		if (pattern && below(maker, 3) == 0)
			copy[i] = "*?*"[below(maker, 3)];
		else if (letter && below(maker, 4) == 0)
			copy[i] ^= 0x20;
	}
	return (struct scd_str){ copy, text.len };
}

static struct scd_str text_constant(struct maker *maker, bool pattern)
{
	struct scd_str text = random_word(maker->rng);

	if (maker->pool->text_count > 0 && below(maker, 5))
		text = maker->pool->texts[below(maker, maker->pool->text_count)];
	return below(maker, 2) ? text : changed(maker, text, pattern);
}

static struct scd_str number_constant(struct maker *maker)
{
	int64_t number = (int64_t)below(maker, 12) - 1;

	if (maker->pool->number_count > 0 && below(maker, 3))
		(void)scd_str_to_i64(maker->pool->numbers[below(maker, maker->pool->number_count)], &number);
	if (number > 0 && below(maker, 4) == 0)
		number--;
	return scd_arena_printf(maker->arena, "%" PRId64, number);
}

static struct scd_str address_constant(struct maker *maker, bool network)
{
	struct scd_str ip = SCD_STR("10.1.0.1");
	bool is_v4;

	if (maker->pool->address_count > 0 && below(maker, 4))
		ip = maker->pool->addresses[below(maker, maker->pool->address_count)];
	is_v4 = !scd_str_contains(ip, SCD_STR(":"));
	if (!network)
		return ip;
	return scd_arena_printf(maker->arena, SCD_STR_FMT "/%zu", SCD_STR_ARG(ip), below(maker, is_v4 ? 33 : 129));
}

/* The order of ports takes numbers only. */
static struct scd_str port_constant(struct maker *maker, bool named)
{
	static const char *const names[] = { "ssh", "http", "https", "mysql" };
	static const char *const numbers[] = { "22", "80", "443", "3333", "0", "65535" };

	return scd_str_from(named && below(maker, 2) ? PICK(maker->rng, names) : PICK(maker->rng, numbers));
}

enum group { NUMBER = 1, BOOLEAN = 2, TEXT = 4, BUFFER = 8, ADDRESS = 16, LISTS = 32 };

static unsigned group_of(const struct random_side *side)
{
	if (side->is_list)
		return LISTS;
	if (scd_type_is_text(side->type))
		return TEXT;
	if (side->type == SCD_TYPE_BYTES)
		return BUFFER;
	if (side->type == SCD_TYPE_IPADDR || side->type == SCD_TYPE_IPNET)
		return ADDRESS;
	return side->type == SCD_TYPE_BOOL ? BOOLEAN : NUMBER;
}

static bool is_kind_field(struct scd_str name)
{
	return scd_str_is(name, "evt.type") || scd_str_is(name, "syscall.type");
}

static struct scd_str hex_constant(struct maker *maker)
{
	struct scd_str text = text_constant(maker, false);
	char *out = scd_arena_zalloc(maker->arena, 2 * text.len + 1, 1);

	for (size_t i = 0; i < text.len && i < 8; i++)
		snprintf(out + 2 * i, 3, below(maker, 2) ? "%02x" : "%02X", (unsigned char)text.data[i]);
	return scd_str_from(out);
}

static struct scd_str constant_for(struct maker *maker, const struct random_side *side, struct scd_str op)
{
	bool equality = scd_str_is(op, "=") || scd_str_is(op, "==") || scd_str_is(op, "!=") || scd_str_is(op, "in") ||
	                scd_str_is(op, "intersects");

	if (is_kind_field(side->field) && equality)
		return scd_str_from(PICK(maker->rng, kinds));
	if (side->type == SCD_TYPE_BOOL)
		return scd_str_from(below(maker, 2) ? "true" : "false");
	if (side->type == SCD_TYPE_IPADDR || side->type == SCD_TYPE_IPNET)
		return address_constant(maker, side->type == SCD_TYPE_IPNET);
	if (side->type == SCD_TYPE_PORT)
		return port_constant(maker, equality);
	if (op.data[0] == '<' || op.data[0] == '>')
		return number_constant(maker);
	if (side->type != SCD_TYPE_BYTES && !scd_type_is_text(side->type))
		return number_constant(maker);
	if (scd_str_is(op, "bcontains") || scd_str_is(op, "bstartswith"))
		return hex_constant(maker);
	if (scd_str_is(op, "regex"))
		return random_regex(maker->rng, maker->arena, text_constant(maker, false));
	return text_constant(maker, scd_str_is(op, "glob") || scd_str_is(op, "iglob") || scd_str_is(op, "pmatch"));
}

/*
 * A constant in quotes. A NUL in what is no buffer would be an error; two backslashes would hide a quote behind them.
 */
static struct scd_str quoted(struct maker *maker, struct scd_str text, bool is_buffer)
{
	struct scd_buf buf;
	struct scd_str copy;

	scd_buf_init(&buf, 4 * MOST_BYTES + 16);
	scd_buf_append_char(&buf, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c < ' ' || c >= 0x7f || c == '\\')
			scd_buf_printf(&buf, "\\x%02x", c == 0 && !is_buffer ? 1 : c);
		else if (c == '"')
			scd_buf_append_str(&buf, SCD_STR("\\\""));
		else
			scd_buf_append_char(&buf, (char)c);
	}
	scd_buf_append_char(&buf, '"');
	copy = scd_arena_dup(maker->arena, scd_buf_str(&buf));
	scd_buf_done(&buf);
	return copy;
}

/* ---- checks ---- */

static const struct operator_row {
	const char *name;
	unsigned groups;
} operators[] = {
	{ "exists", NUMBER | BOOLEAN | TEXT | BUFFER | ADDRESS | LISTS },
	{ "=", NUMBER | BOOLEAN | TEXT | BUFFER | ADDRESS },
	{ "==", NUMBER | TEXT },
	{ "!=", NUMBER | BOOLEAN | TEXT | BUFFER | ADDRESS },
	{ "<", NUMBER | TEXT },
	{ "<=", NUMBER },
	{ ">", NUMBER },
	{ ">=", NUMBER | TEXT },
	{ "in", NUMBER | BOOLEAN | TEXT | BUFFER | ADDRESS | LISTS },
	{ "in", NUMBER | TEXT | BUFFER | ADDRESS },
	{ "intersects", NUMBER | BOOLEAN | TEXT | BUFFER | ADDRESS | LISTS },
	{ "contains", TEXT | BUFFER },
	{ "contains", TEXT | BUFFER },
	{ "icontains", TEXT },
	{ "icontains", TEXT },
	{ "startswith", TEXT | BUFFER },
	{ "endswith", TEXT | BUFFER },
	{ "bcontains", BUFFER },
	{ "bstartswith", BUFFER },
	{ "glob", TEXT },
	{ "iglob", TEXT },
	{ "regex", TEXT },
	{ "pmatch", TEXT },
};

static struct scd_str operator_for(struct maker *maker, const struct random_side *side)
{
	for (;;) {
		const struct operator_row *row = &PICK(maker->rng, operators);

		if (row->groups & group_of(side))
			return scd_str_from(row->name);
	}
}

/* What may stand in a condition without quotes, since that is how the items of lists come to stand there. */
static bool is_bare(struct scd_str text)
{
	static const char special[] = "()\"'=,\\";

	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' || memchr(special, text.data[i], sizeof(special) - 1))
			return false;
	return text.len > 0;
}

/* The name of a new list that holds these items. */
static struct scd_str list_of(struct maker *maker, const struct scd_str *items, size_t count)
{
	struct random_rules *rules = maker->rules;
	struct scd_str name = scd_arena_printf(maker->arena, "scd_list_%zu", rules->names.list_count);

	rules->lists[rules->names.list_count++] = (struct naive_list){ name.data, items, count };
	return name;
}

static void write_items(struct maker *maker, const struct scd_str *items, size_t count, bool is_buffer,
                        struct scd_buf *out)
{
	for (size_t i = 0; i < count; i++) {
		scd_buf_append_str(out, i ? SCD_STR(", ") : SCD_STR(""));
		scd_buf_append_str(out, quoted(maker, items[i], is_buffer));
	}
}

/* The first few perhaps as a list, the others one by one. */
static void write_constants(struct maker *maker, const struct random_side *side, struct scd_str op, struct scd_buf *out)
{
	struct scd_str *items = scd_arena_zalloc(maker->arena, MOST_CONSTANTS, sizeof(*items));
	size_t count = below(maker, MOST_CONSTANTS + 1), listed = below(maker, count + 1);
	bool has_list = maker->rules->names.list_count < RANDOM_LISTS_AT_MOST && below(maker, 2);

	for (size_t i = 0; i < count; i++)
		items[i] = constant_for(maker, side, op);
	for (size_t i = 0; i < listed && has_list; i++)
		has_list = is_bare(items[i]);
	listed = has_list ? listed : 0;
	scd_buf_append_char(out, '(');
	if (has_list)
		scd_buf_append_str(out, list_of(maker, items, listed));
	if (has_list && listed < count)
		scd_buf_append_str(out, SCD_STR(", "));
	write_items(maker, items + listed, count - listed, side->type == SCD_TYPE_BYTES, out);
	scd_buf_append_char(out, ')');
}

static bool is_ordering(struct scd_str op)
{
	return op.data[0] == '<' || op.data[0] == '>';
}

static bool takes_list(struct scd_str op)
{
	return scd_str_is(op, "in") || scd_str_is(op, "intersects") || scd_str_is(op, "pmatch");
}

static bool takes_side(struct scd_str op)
{
	return !scd_str_is(op, "pmatch") && !scd_str_is(op, "regex");
}

static void write_right(struct maker *maker, const struct random_side *left, struct scd_str op, struct scd_buf *out)
{
	static const char *const modifiers[] = { "oneof", "anyof", "allof" };
	struct random_side right;

	if (takes_side(op) && below(maker, 6) == 0 && random_right_side(maker->rng, maker->arena, left, &right)) {
		scd_buf_append_str(out, right.text);
	} else if (takes_list(op)) {
		write_constants(maker, left, op, out);
	} else if (is_ordering(op)) {
		scd_buf_append_str(out, constant_for(maker, left, op));
	} else if (below(maker, 4) == 0) {
		scd_buf_printf(out, "%s ", PICK(maker->rng, modifiers));
		write_constants(maker, left, op, out);
	} else {
		scd_buf_append_str(out, quoted(maker, constant_for(maker, left, op), left->type == SCD_TYPE_BYTES));
	}
}

static void write_check(struct maker *maker, struct scd_buf *out)
{
	struct random_side left = random_side(maker->rng, maker->arena, 2);
	struct scd_str op = operator_for(maker, &left);

	scd_buf_printf(out, SCD_STR_FMT " " SCD_STR_FMT, SCD_STR_ARG(left.text), SCD_STR_ARG(op));
	if (scd_str_is(op, "exists"))
		return;
	scd_buf_append_char(out, ' ');
	write_right(maker, &left, op, out);
}

/* ---- conditions ---- */

static void write_condition(struct maker *maker, unsigned depth, struct scd_buf *out);

static void write_joined(struct maker *maker, unsigned depth, const char *word, struct scd_buf *out)
{
	size_t count = 2 + below(maker, 2);

	scd_buf_append_char(out, '(');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			scd_buf_printf(out, " %s ", word);
		write_condition(maker, depth, out);
	}
	scd_buf_append_char(out, ')');
}

static void write_condition(struct maker *maker, unsigned depth, struct scd_buf *out)
{
	size_t macros = maker->rules->names.macro_count;
	size_t choice = depth > 0 ? below(maker, 8) : 7;

	if (choice < 2) {
		write_joined(maker, depth - 1, "and", out);
	} else if (choice < 4) {
		write_joined(maker, depth - 1, "or", out);
	} else if (choice == 4) {
		scd_buf_append_str(out, SCD_STR("not "));
		write_condition(maker, depth - 1, out);
	} else if (choice == 5 && macros > 0) {
		scd_buf_printf(out, "%s", maker->rules->macros[below(maker, macros)].name);
	} else {
		write_check(maker, out);
	}
}

/* A condition as text, and its tree. */
static const struct scd_ast *make_condition(struct maker *maker, struct scd_str *ret_text)
{
	struct scd_ast_error error;
	const struct scd_ast *ast;
	struct scd_buf text;

	scd_buf_init(&text, 1u << 20);
	write_condition(maker, maker->depth, &text);
	*ret_text = scd_arena_dup(maker->arena, scd_buf_str(&text));
	scd_buf_done(&text);
	if (scd_ast_parse(*ret_text, SCD_LIMIT_RULE_PARSE_DEPTH, maker->arena, &ast, &error) < 0) {
		fprintf(stderr, "%s: " SCD_STR_FMT "\n", error.what, SCD_STR_ARG(*ret_text));
		abort();
	}
	return ast;
}

/* ---- files ---- */

static void write_lists(const struct naive_names *names, struct scd_buf *yaml)
{
	for (size_t i = 0; i < names->list_count; i++) {
		scd_buf_printf(yaml, "- list: %s\n  items: [", names->lists[i].name);
		for (size_t j = 0; j < names->lists[i].count; j++)
			scd_buf_printf(yaml, "%s\"" SCD_STR_FMT "\"", j ? ", " : "",
			               SCD_STR_ARG(names->lists[i].items[j]));
		scd_buf_printf(yaml, "]\n");
	}
}

void random_rules_make(struct scd_rng *rng, const struct random_pool *pool, struct scd_arena *arena,
                       const struct random_extent *extent, struct random_rules *ret_rules)
{
	static const struct random_extent most = { RANDOM_MACRO_COUNT, RANDOM_RULE_COUNT, DEPTH };
	const struct random_extent *chosen = extent ? extent : &most;
	struct maker maker = { rng, pool, arena, ret_rules, chosen->depth };
	struct scd_buf *yaml = &ret_rules->yaml;
	struct scd_str text;

	*ret_rules = (struct random_rules){ 0 };
	ret_rules->names.lists = ret_rules->lists;
	ret_rules->names.macros = ret_rules->macros;
	scd_buf_init(yaml, 16u << 20);
	for (size_t i = 0; i < chosen->macro_count; i++) {
		const struct scd_ast *condition = make_condition(&maker, &text);
		const char *name = scd_arena_printf(arena, "scd_macro_%zu", i).data;

		ret_rules->macros[ret_rules->names.macro_count++] = (struct naive_macro){ name, condition };
		scd_buf_printf(yaml, "- macro: %s\n  condition: >-\n    " SCD_STR_FMT "\n", name, SCD_STR_ARG(text));
	}
	for (size_t i = 0; i < chosen->rule_count; i++) {
		ret_rules->conditions[i] = make_condition(&maker, &ret_rules->texts[i]);
		scd_buf_printf(yaml,
		               "- rule: R%zu\n  desc: d\n  priority: INFO\n  output: o\n  warn_evttypes: false\n  "
		               "condition: >-\n    " SCD_STR_FMT "\n",
		               i, SCD_STR_ARG(ret_rules->texts[i]));
	}
	write_lists(&ret_rules->names, yaml);
	scd_buf_append(yaml, "", 1);
	if (yaml->failed)
		abort();
}

void random_rules_done(struct random_rules *rules)
{
	scd_buf_done(&rules->yaml);
}
