/*
 * The table of transformers. Those of one argument work on each value of a list, except `len`, which counts a list.
 */
#include "engine/transform.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "engine/text.h"
#include "seccheckd/base/array.h"

#define TYPE(name) (1u << SCD_TYPE_##name)

typedef bool apply_fn(const struct scd__expr *call, const struct scd_value *args, const struct scd_view *view,
                      struct scd_value *ret_value);
typedef int check_fn(struct scd__expr *call, struct scd_error *err);
typedef bool single_fn(struct scd_str text, struct scd_arena *scratch, struct scd_str *ret_text);

struct scd__transformer {
	const char *name;
	check_fn *check;
	apply_fn *apply;
	unsigned types;    /* of one argument: what it may be */
	single_fn *single; /* of one argument: what is done to each text */
	bool has_option;   /* `[x]` may stand behind it */
};

/* Of one argument. */

static bool change_case(struct scd_str text, char from, char to, struct scd_arena *scratch, struct scd_str *ret_text)
{
	char *copy = scd_arena_alloc(scratch, text.len);
	if (!copy)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		bool changes = c >= from && c <= from + ('z' - 'a');
		copy[i] = changes ? (char)(c - from + to) : c;
	}
	*ret_text = (struct scd_str){ copy, text.len };
	return true;
}

static bool to_lower(struct scd_str text, struct scd_arena *scratch, struct scd_str *ret_text)
{
	return change_case(text, 'A', 'a', scratch, ret_text);
}

static bool to_upper(struct scd_str text, struct scd_arena *scratch, struct scd_str *ret_text)
{
	return change_case(text, 'a', 'A', scratch, ret_text);
}

static bool basename_of(struct scd_str text, struct scd_arena *scratch, struct scd_str *ret_text)
{
	(void)scratch;
	*ret_text = scd_str_basename(text);
	return true;
}

/* The six bits of a letter; -1: it is none. */
static int base64_bits(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Without the padding, which is there to the last `=` or not at all. False: there is too much or too little. */
static bool strip_padding(struct scd_str *text)
{
	size_t padding = 0;
	while (padding < 2 && padding < text->len && text->data[text->len - 1 - padding] == '=')
		padding++;
	bool whole = padding == 0 || text->len % 4 == 0;
	text->len -= padding;
	return whole && text->len % 4 != 1;
}

static bool from_base64(struct scd_str text, struct scd_arena *scratch, struct scd_str *ret_text)
{
	uint32_t bits = 0;
	size_t len = 0;
	if (!strip_padding(&text))
		return false;
	char *out = scd_arena_alloc(scratch, text.len / 4 * 3 + 3);
	for (size_t i = 0; i < text.len && out; i++) {
		int six = base64_bits(text.data[i]);
		if (six < 0)
			return false;
		bits = bits << 6 | (uint32_t)six;
		if (i % 4 != 0)
			out[len++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xff);
	}
	*ret_text = (struct scd_str){ out, len };
	return out != NULL;
}

static int check_one(struct scd__expr *call, struct scd_error *err)
{
	const struct scd__expr *arg = call->args[0];
	if (call->arg_count != 1)
		return scd_error_set(err, -EINVAL, "transformer '%s' takes one argument", call->transformer->name);
	if (!(call->transformer->types >> arg->type & 1))
		return scd_error_set(err, -EINVAL, "transformer '%s' does not take a value of type '%s'",
		                     call->transformer->name, scd_type_name(arg->type));
	call->type = arg->type;
	call->is_list = arg->is_list;
	return 0;
}

static bool apply_to_list(const struct scd__expr *call, const struct scd_value *list, struct scd_arena *scratch,
                          struct scd_value *ret_value)
{
	struct scd_value *items = scd_arena_zalloc(scratch, list->list.count + 1, sizeof(*items));
	for (size_t i = 0; i < list->list.count && items; i++) {
		items[i].type = list->list.items[i].type;
		if (!call->transformer->single(list->list.items[i].text, scratch, &items[i].text))
			return false;
	}
	*ret_value = (struct scd_value){ .type = call->type, .is_list = true };
	ret_value->list.items = items;
	ret_value->list.count = list->list.count;
	return items != NULL;
}

static bool apply_single(const struct scd__expr *call, const struct scd_value *args, const struct scd_view *view,
                         struct scd_value *ret_value)
{
	struct scd_str text;
	if (args[0].is_list)
		return apply_to_list(call, &args[0], view->scratch, ret_value);
	if (!call->transformer->single(args[0].text, view->scratch, &text))
		return false;
	*ret_value = (struct scd_value){ .type = call->type, .text = text };
	return true;
}

static int check_len(struct scd__expr *call, struct scd_error *err)
{
	bool counts = call->arg_count == 1 && call->args[0]->is_list;
	int r = counts ? 0 : check_one(call, err);
	call->type = SCD_TYPE_UINT64;
	call->is_list = false;
	return r;
}

static bool apply_len(const struct scd__expr *call, const struct scd_value *args, const struct scd_view *view,
                      struct scd_value *ret_value)
{
	(void)call;
	(void)view;
	*ret_value = (struct scd_value){ .type = SCD_TYPE_UINT64 };
	ret_value->u64 = args[0].is_list ? args[0].list.count : args[0].text.len;
	return true;
}

/* Of several. */

/* A value as text; data NULL without memory. */
static struct scd_str text_of(const struct scd_value *value, struct scd_arena *scratch)
{
	char ip[SCD_IP_TEXT_BYTES];
	switch (value->type) {
	case SCD_TYPE_STRING:
	case SCD_TYPE_PATH:
	case SCD_TYPE_BYTES: return value->text.data ? value->text : SCD_STR("");
	case SCD_TYPE_BOOL: return value->boolean ? SCD_STR("true") : SCD_STR("false");
	case SCD_TYPE_DOUBLE: return scd_arena_printf(scratch, "%.1f", value->real);
	case SCD_TYPE_IPADDR:
	case SCD_TYPE_IPNET: scd_ip_format(&value->ip, ip); return scd_arena_printf(scratch, "%s", ip);
	default: break;
	}
	if (scd_type_is_signed(value->type))
		return scd_arena_printf(scratch, "%" PRId64, value->i64);
	return scd_arena_printf(scratch, "%" PRIu64, value->u64);
}

/* The texts of values with the separator between them, no longer than a field may be. */
static bool join(const struct scd_view *view, struct scd_str separator, const struct scd_value *values, size_t count,
                 struct scd_value *ret_value)
{
	struct scd_str *parts = scd_arena_zalloc(view->scratch, 2 * count + 1, sizeof(*parts));
	size_t part_count = 0;
	for (size_t i = 0; i < count && parts; i++) {
		if (i > 0)
			parts[part_count++] = separator;
		parts[part_count] = text_of(&values[i], view->scratch);
		if (!parts[part_count++].data)
			return false;
	}
	*ret_value = (struct scd_value){ .type = SCD_TYPE_STRING, .text = SCD_STR("") };
	return parts && scd__text_concat(view, parts, part_count, &ret_value->text);
}

static int check_join(struct scd__expr *call, struct scd_error *err)
{
	call->type = SCD_TYPE_STRING;
	call->is_list = false;
	call->no_rhs = false;
	if (call->arg_count != 2)
		return scd_error_set(err, -EINVAL, "transformer 'join' takes a separator and a list");
	if (call->args[0]->is_list || !scd_type_is_text(call->args[0]->type))
		return scd_error_set(err, -EINVAL, "the first argument of 'join' is one string");
	if (!call->args[1]->is_list)
		return scd_error_set(err, -EINVAL, "the second argument of 'join' is a list");
	return 0;
}

static bool apply_join(const struct scd__expr *call, const struct scd_value *args, const struct scd_view *view,
                       struct scd_value *ret_value)
{
	(void)call;
	return join(view, args[0].text, args[1].list.items, args[1].list.count, ret_value);
}

static int check_concat(struct scd__expr *call, struct scd_error *err)
{
	call->type = SCD_TYPE_STRING;
	call->is_list = false;
	call->no_rhs = false;
	if (call->arg_count < 2)
		return scd_error_set(err, -EINVAL, "transformer 'concat' takes two arguments or more");
	for (size_t i = 0; i < call->arg_count; i++)
		if (call->args[i]->is_list || !scd_type_is_text(call->args[i]->type))
			return scd_error_set(err, -EINVAL, "argument %zu of 'concat' is no single string", i + 1);
	return 0;
}

static bool apply_concat(const struct scd__expr *call, const struct scd_value *args, const struct scd_view *view,
                         struct scd_value *ret_value)
{
	return join(view, SCD_STR(""), args, call->arg_count, ret_value);
}

static int check_getopt(struct scd__expr *call, struct scd_error *err)
{
	call->type = SCD_TYPE_STRING;
	call->is_list = !call->has_option;
	call->no_rhs = false;
	if (call->arg_count != 2)
		return scd_error_set(err, -EINVAL, "transformer 'getopt' takes a list and the options");
	if (!call->args[0]->is_list || !scd_type_is_text(call->args[0]->type))
		return scd_error_set(err, -EINVAL, "the first argument of 'getopt' is a list of strings");
	if (call->args[1]->is_list || !scd_type_is_text(call->args[1]->type))
		return scd_error_set(err, -EINVAL, "the second argument of 'getopt' is one string");
	return 0;
}

static bool apply_getopt(const struct scd__expr *call, const struct scd_value *args, const struct scd_view *view,
                         struct scd_value *ret_value)
{
	if (call->has_option)
		return scd__getopt_value(&args[0], args[1].text, call->option, ret_value);
	return scd__getopt_list(&args[0], args[1].text, view->scratch, ret_value);
}

static const struct scd__transformer transformers[] = {
	{ "tolower", check_one, apply_single, TYPE(STRING) | TYPE(PATH), to_lower, false },
	{ "toupper", check_one, apply_single, TYPE(STRING) | TYPE(PATH), to_upper, false },
	{ "basename", check_one, apply_single, TYPE(STRING) | TYPE(PATH), basename_of, false },
	{ "b64", check_one, apply_single, TYPE(STRING) | TYPE(BYTES), from_base64, false },
	{ "len", check_len, apply_len, TYPE(STRING) | TYPE(PATH) | TYPE(BYTES), NULL, false },
	{ "join", check_join, apply_join, 0, NULL, false },
	{ "concat", check_concat, apply_concat, 0, NULL, false },
	{ "getopt", check_getopt, apply_getopt, 0, NULL, true },
};

const struct scd__transformer *scd__transformer_find(struct scd_str name)
{
	for (size_t i = 0; i < SCD_COUNT(transformers); i++)
		if (scd_str_is(name, transformers[i].name))
			return &transformers[i];
	return NULL;
}

int scd__transformer_check(struct scd__expr *call, const struct scd_ast *node, struct scd_error *err)
{
	if (node->has_arg && !call->transformer->has_option)
		return scd_error_set(err, -EINVAL, "transformer '%s' does not support field arguments",
		                     call->transformer->name);
	if (node->has_arg && node->arg.len != 1)
		return scd_error_set(err, -EINVAL, "the argument of transformer '%s' is the letter of an option",
		                     call->transformer->name);
	call->has_option = node->has_arg;
	call->option = node->has_arg ? node->arg.data[0] : '\0';
	return call->transformer->check(call, err);
}

bool scd__transformer_apply(const struct scd__expr *call, const struct scd_value *args, const struct scd_view *view,
                            struct scd_value *ret_value)
{
	return call->transformer->apply(call, args, view, ret_value);
}
