/*
 * Nothing is remembered, and every text is a copy in the scratch memory of the event.
 */
#include "tests/support/naive_side.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void die(const char *why, struct scd_str what)
{
	fprintf(stderr, "naive_side: %s: " SCD_STR_FMT "\n", why, SCD_STR_ARG(what));
	abort();
}

static char *room(const struct scd_view *view, size_t bytes)
{
	char *out = scd_arena_zalloc(view->scratch, bytes + 1, 1);

	if (!out)
		die("no memory", SCD_STR(""));
	return out;
}

/* ---- one text ---- */

static struct scd_str in_case(const struct scd_view *view, struct scd_str text, int (*change)(int c))
{
	char *out = room(view, text.len);

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.data[i];

		out[i] = (char)(c < 0x80 ? change(c) : c);
	}
	return (struct scd_str){ out, text.len };
}

static struct scd_str last_part(struct scd_str path)
{
	for (size_t i = path.len; i-- > 0;)
		if (path.data[i] == '/')
			return (struct scd_str){ path.data + i + 1, path.len - i - 1 };
	return path;
}

/* Bit by bit. */
static bool decode_base64(const struct scd_view *view, struct scd_str text, struct scd_str *ret_text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t len = text.len, bits = 0;
	char *out = room(view, text.len);

	while (len > 0 && text.data[len - 1] == '=')
		len--;
	if (len < text.len && (text.len % 4 != 0 || text.len - len > 2))
		return false;
	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char *digit = memchr(digits, text.data[i], sizeof(digits) - 1);

		if (!digit)
			return false;
		for (unsigned bit = 6; bit-- > 0; bits++)
			out[bits / 8] = (char)(out[bits / 8] | ((digit - digits) >> bit & 1) << (7 - bits % 8));
	}
	*ret_text = (struct scd_str){ out, bits / 8 };
	return true;
}

static bool change_text(const struct scd_view *view, struct scd_str name, struct scd_str *text)
{
	if (scd_str_is(name, "tolower"))
		*text = in_case(view, *text, tolower);
	else if (scd_str_is(name, "toupper"))
		*text = in_case(view, *text, toupper);
	else if (scd_str_is(name, "basename"))
		*text = last_part(*text);
	else if (scd_str_is(name, "b64"))
		return decode_base64(view, *text, text);
	else
		die("unknown transformer", name);
	return true;
}

/* ---- several ---- */

static struct scd_str written(const struct scd_view *view, const struct scd_value *value)
{
	char ip[SCD_IP_TEXT_BYTES];

	if (scd_type_is_text(value->type) || value->type == SCD_TYPE_BYTES)
		return value->text;
	if (value->type == SCD_TYPE_BOOL)
		return scd_str_from(value->boolean ? "true" : "false");
	if (value->type == SCD_TYPE_DOUBLE)
		return scd_arena_printf(view->scratch, "%.1f", value->real);
	if (value->type == SCD_TYPE_IPADDR || value->type == SCD_TYPE_IPNET) {
		scd_ip_format(&value->ip, ip);
		return scd_arena_printf(view->scratch, "%s", ip);
	}
	if (scd_type_is_signed(value->type))
		return scd_arena_printf(view->scratch, "%" PRId64, value->i64);
	return scd_arena_printf(view->scratch, "%" PRIu64, value->u64);
}

static struct scd_str append(const struct scd_view *view, struct scd_str a, struct scd_str b)
{
	char *out = room(view, a.len + b.len);

	memcpy(out, a.len ? a.data : "", a.len);
	memcpy(out + a.len, b.len ? b.data : "", b.len);
	return (struct scd_str){ out, a.len + b.len };
}

static void give_text(struct scd_str text, struct scd_value *ret_value)
{
	*ret_value = (struct scd_value){ .type = SCD_TYPE_STRING, .text = text };
}

static void give_items(const struct scd_view *view, size_t most, struct scd_value *ret_value)
{
	*ret_value = (struct scd_value){ .type = SCD_TYPE_STRING, .is_list = true };
	ret_value->list.items = (const struct scd_value *)(const void *)room(view, most * sizeof(*ret_value));
}

static void add_item(struct scd_value *list, struct scd_value item)
{
	((struct scd_value *)(uintptr_t)list->list.items)[list->list.count++] = item;
}

static void add_text(struct scd_value *list, struct scd_str text)
{
	struct scd_value item;

	give_text(text, &item);
	add_item(list, item);
}

/*
 * One letter after the other: `at` is the word, `in` the letter in it. *last is what [letter] asks for.
 */
static void find_options(const struct scd_view *view, const struct scd_value *words, struct scd_str options,
                         char letter, struct scd_value *ret_list, struct scd_str *last)
{
	size_t bytes = 1;

	for (size_t i = 0; i < words->list.count; i++)
		bytes += words->list.items[i].text.len + 1;
	give_items(view, bytes, ret_list);
	for (size_t at = 0; at < words->list.count; at++) {
		struct scd_str word = words->list.items[at].text;

		if (word.len < 2 || word.data[0] != '-' || scd_str_is(word, "--"))
			return;
		for (size_t in = 1; word.data[1] != '-' && in < word.len; in++) {
			struct scd_str option = { word.data + in, 1 }, value = option;
			bool has_value = true;
			size_t place = 0;

			while (place < options.len && (options.data[place] != option.data[0] || option.data[0] == ':'))
				place++;
			if (place == options.len) {
				add_text(ret_list, SCD_STR("?"));
				continue;
			}
			if (place + 1 < options.len && options.data[place + 1] == ':') {
				if (in + 1 < word.len)
					value = (struct scd_str){ word.data + in + 1, word.len - in - 1 };
				else if (at + 1 < words->list.count)
					value = words->list.items[++at].text;
				else
					has_value = false;
				if (has_value)
					add_text(ret_list, option);
				if (!has_value || value.len == 0)
					value = SCD_STR("");
				in = word.len;
				add_text(ret_list, value);
			} else {
				add_text(ret_list, option);
			}
			if (option.data[0] == letter)
				*last = value;
		}
	}
}

static bool join(const struct scd_view *view, struct scd_str separator, const struct scd_value *list,
                 struct scd_value *ret_value)
{
	struct scd_str text = SCD_STR("");

	for (size_t i = 0; i < list->list.count; i++) {
		if (i > 0)
			text = append(view, text, separator);
		text = append(view, text, written(view, &list->list.items[i]));
	}
	give_text(text, ret_value);
	return true;
}

/* ---- trees ---- */

static bool all_children(const struct scd_ast *node, const struct scd_view *view, struct scd_value *ret_list)
{
	struct scd_value child;
	bool ignored;

	give_items(view, node->child_count, ret_list);
	for (size_t i = 0; i < node->child_count; i++) {
		if (!naive_side(node->children[i], view, &child, &ignored))
			return false;
		add_item(ret_list, child);
	}
	return true;
}

static bool getopt_of(const struct scd_ast *node, const struct scd_view *view, const struct scd_value *args,
                      struct scd_value *ret_value)
{
	struct scd_str last = { NULL, 0 };

	find_options(view, &args[0], args[1].text, node->has_arg ? node->arg.data[0] : '\0', ret_value, &last);
	if (!node->has_arg)
		return true;
	give_text(last, ret_value);
	return last.data != NULL;
}

static bool change_each(const struct scd_view *view, struct scd_str name, const struct scd_value *list,
                        struct scd_value *ret_value)
{
	give_items(view, list->list.count, ret_value);
	for (size_t i = 0; i < list->list.count; i++) {
		struct scd_value item = list->list.items[i];

		if (!change_text(view, name, &item.text))
			return false;
		add_item(ret_value, item);
	}
	return true;
}

static bool call(const struct scd_ast *node, const struct scd_view *view, struct scd_value *ret_value)
{
	struct scd_value args;
	const struct scd_value *first;

	if (!all_children(node, view, &args))
		return false;
	first = args.list.items;
	if (scd_str_is(node->text, "concat"))
		return join(view, SCD_STR(""), &args, ret_value);
	if (scd_str_is(node->text, "join"))
		return join(view, first[0].text, &first[1], ret_value);
	if (scd_str_is(node->text, "getopt"))
		return getopt_of(node, view, first, ret_value);
	if (scd_str_is(node->text, "len")) {
		*ret_value = (struct scd_value){ .type = SCD_TYPE_UINT64 };
		ret_value->u64 = first->is_list ? first->list.count : first->text.len;
		return true;
	}
	if (first->is_list)
		return change_each(view, node->text, first, ret_value);
	*ret_value = *first;
	return change_text(view, node->text, &ret_value->text);
}

bool naive_side(const struct scd_ast *node, const struct scd_view *view, struct scd_value *ret_value, bool *ret_any_of)
{
	struct scd_field_use use;

	*ret_any_of = false;
	switch (node->kind) {
	case SCD_AST_FIELD:
		if (scd_field_resolve(node->text, node->has_arg, node->arg, &use, NULL) < 0)
			die("no field", node->text);
		*ret_any_of = use.is_any_of;
		return scd_field_get(&use, view, ret_value);
	case SCD_AST_VALUE: give_text(node->text, ret_value); return true;
	case SCD_AST_TRANSFORMER_LIST: return all_children(node, view, ret_value);
	case SCD_AST_TRANSFORMER: return call(node, view, ret_value);
	default: die("no side", node->text);
	}
}

/* ---- patterns ---- */

static size_t character_at(struct scd_str text)
{
	size_t len = scd_str_utf8_length(text);

	return len > 0 ? len : 1;
}

static struct scd_str behind(struct scd_str text, size_t bytes)
{
	return (struct scd_str){ text.data + bytes, text.len - bytes };
}

bool naive_regex(struct scd_str pattern, struct scd_str text)
{
	size_t element = pattern.len > 0 && pattern.data[0] == '\\' ? 2 : 1;
	bool many, fits;

	if (pattern.len == 0)
		return text.len == 0;
	many = pattern.len > element && pattern.data[element] == '*';
	if (many && naive_regex(behind(pattern, element + 1), text))
		return true;
	if (text.len == 0)
		return false;
	fits = element == 1 && pattern.data[0] == '.' ? text.data[0] != '\n'
	                                              : text.data[0] == pattern.data[element - 1];
	return fits && naive_regex(many ? pattern : behind(pattern, element), behind(text, character_at(text)));
}
