/*
 * Event types cannot be told from transformers on evt.type, nor from its comparison with a field, so neither is made.
 */
#include "tests/support/random_sides.h"

#include <string.h>

#include "seccheckd/base/array.h"

#define TRIES        40
#define MOST_PATTERN 60u

static bool is_text(const struct random_side *side)
{
	return scd_type_is_text(side->type);
}

/* Every other draw is one of a few, so that rules look for several texts in the same field. */
static bool draw_field(struct scd_rng *rng, struct scd_arena *arena, struct scd_field_use *ret_use,
                       struct scd_str *ret_written)
{
	static const char *const often[] = { "proc.cmdline", "proc.name", "fd.name", "proc.aname", "proc.acmdline" };

	if (scd_rng_below(rng, 2))
		return random_field(rng, arena, ret_use, ret_written);
	*ret_written = scd_str_from(often[scd_rng_below(rng, SCD_COUNT(often))]);
	return scd_field_resolve(*ret_written, false, SCD_STR(""), ret_use, NULL) == 0;
}

static struct random_side field_side(struct scd_rng *rng, struct scd_arena *arena, bool in_transformer)
{
	struct random_side side = { 0 };
	struct scd_field_use use;

	for (;;) {
		if (!draw_field(rng, arena, &use, &side.text))
			continue;
		if (in_transformer && use.field->flags & SCD_FIELD_NO_TRANSFORMER)
			continue;
		if (!in_transformer || !scd_str_is(use.field->name, "evt.type"))
			break;
	}
	side.type = use.type;
	side.is_list = (use.field->flags & SCD_FIELD_LIST) != 0;
	side.field = use.field->name;
	side.no_rhs = (use.field->flags & SCD_FIELD_NO_RHS) != 0;
	return side;
}

static struct random_side of_one(struct scd_rng *rng, struct scd_arena *arena, unsigned depth);
static struct random_side of_several(struct scd_rng *rng, struct scd_arena *arena, unsigned depth);

static struct random_side argument(struct scd_rng *rng, struct scd_arena *arena, unsigned depth)
{
	size_t choice = depth > 1 ? scd_rng_below(rng, 4) : 3;

	if (choice == 0)
		return of_one(rng, arena, depth - 1);
	return choice == 1 ? of_several(rng, arena, depth - 1) : field_side(rng, arena, true);
}

/* One string: a field, a transformer or a constant. */
static struct scd_str one_string(struct scd_rng *rng, struct scd_arena *arena, unsigned depth)
{
	static const char *const constants[] = { "\"-\"", "\"\"", "\"a b\"", "\"/\"", "\"YWJj\"" };

	for (unsigned i = 0; i < TRIES && scd_rng_below(rng, 4); i++) {
		struct random_side side = argument(rng, arena, depth);

		if (is_text(&side) && !side.is_list)
			return side.text;
	}
	return scd_str_from(constants[scd_rng_below(rng, SCD_COUNT(constants))]);
}

static struct random_side of_one(struct scd_rng *rng, struct scd_arena *arena, unsigned depth)
{
	static const char *const names[] = { "tolower", "toupper", "basename", "b64", "len" };
	struct random_side arg, side = { .type = SCD_TYPE_UINT64 };
	const char *name = names[scd_rng_below(rng, SCD_COUNT(names))];
	bool fits;

	do {
		arg = argument(rng, arena, depth);
		fits = is_text(&arg) && (strcmp(name, "b64") != 0 || arg.type == SCD_TYPE_STRING);
		fits |= strcmp(name, "len") == 0 && (arg.is_list || arg.type == SCD_TYPE_BYTES);
	} while (!fits);
	side.text = scd_arena_printf(arena, "%s(" SCD_STR_FMT ")", name, SCD_STR_ARG(arg.text));
	side.no_rhs = arg.no_rhs;
	if (strcmp(name, "len") == 0)
		return side;
	side.type = arg.type;
	side.is_list = arg.is_list;
	return side;
}

/* `( a, b )` of what there is. */
static struct scd_str list_of(struct scd_rng *rng, struct scd_arena *arena, unsigned depth)
{
	struct scd_str text = SCD_STR("(");
	size_t count = scd_rng_below(rng, 4);

	for (size_t i = 0; i < count; i++) {
		struct random_side side = argument(rng, arena, depth);
		struct scd_str item = side.is_list ? SCD_STR("\"x\"") : side.text;

		text = scd_arena_printf(arena, SCD_STR_FMT "%s" SCD_STR_FMT, SCD_STR_ARG(text), i ? ", " : "",
		                        SCD_STR_ARG(item));
	}
	return scd_arena_printf(arena, SCD_STR_FMT ")", SCD_STR_ARG(text));
}

static struct scd_str words(struct scd_rng *rng, struct scd_arena *arena, unsigned depth)
{
	static const char *const some[] = { "\"-a\"", "\"-b\"",     "\"-abc\"", "\"-bx\"",
		                            "\"--\"", "\"--long\"", "\"-\"",    "\"x\"" };
	struct scd_str text = SCD_STR("(\"-a\"");
	size_t count = scd_rng_below(rng, 5);

	for (size_t i = 0; i < count; i++) {
		struct scd_str word = scd_str_from(some[scd_rng_below(rng, SCD_COUNT(some))]);

		if (scd_rng_below(rng, 4) == 0)
			word = one_string(rng, arena, depth);
		text = scd_arena_printf(arena, SCD_STR_FMT ", " SCD_STR_FMT, SCD_STR_ARG(text), SCD_STR_ARG(word));
	}
	return scd_arena_printf(arena, SCD_STR_FMT ")", SCD_STR_ARG(text));
}

static struct random_side of_several(struct scd_rng *rng, struct scd_arena *arena, unsigned depth)
{
	static const char *const options[] = { "ab:c", "a:", "", ":abc:x" };
	static const char *const brackets[] = { "", "", "[a]", "[b]" };
	struct random_side side = { .type = SCD_TYPE_STRING };
	struct scd_str first = one_string(rng, arena, depth), second;
	const char *bracket = brackets[scd_rng_below(rng, SCD_COUNT(brackets))];

	switch (scd_rng_below(rng, 3)) {
	case 0:
		second = one_string(rng, arena, depth);
		side.text = scd_arena_printf(arena, "concat(" SCD_STR_FMT ", " SCD_STR_FMT ")", SCD_STR_ARG(first),
		                             SCD_STR_ARG(second));
		break;
	case 1:
		second = list_of(rng, arena, depth);
		side.text = scd_arena_printf(arena, "join(" SCD_STR_FMT ", " SCD_STR_FMT ")", SCD_STR_ARG(first),
		                             SCD_STR_ARG(second));
		break;
	default:
		second = words(rng, arena, depth);
		side.is_list = bracket[0] == '\0';
		side.text = scd_arena_printf(arena, "getopt(" SCD_STR_FMT ", \"%s\")%s", SCD_STR_ARG(second),
		                             options[scd_rng_below(rng, SCD_COUNT(options))], bracket);
		break;
	}
	return side;
}

struct random_side random_side(struct scd_rng *rng, struct scd_arena *arena, unsigned depth)
{
	size_t choice = depth > 0 ? scd_rng_below(rng, 12) : 11;

	if (choice < 2)
		return of_one(rng, arena, depth);
	if (choice < 4)
		return of_several(rng, arena, depth);
	return field_side(rng, arena, false);
}

bool random_right_side(struct scd_rng *rng, struct scd_arena *arena, const struct random_side *left,
                       struct random_side *ret_side)
{
	if (left->no_rhs || left->type == SCD_TYPE_IPNET || scd_str_is(left->field, "evt.type"))
		return false;
	for (unsigned i = 0; i < TRIES; i++) {
		*ret_side = random_side(rng, arena, 2);
		if (ret_side->no_rhs || ret_side->type != left->type || ret_side->is_list != left->is_list)
			continue;
		if (scd_str_is(ret_side->field, "evt.type"))
			continue;
		if (ret_side->field.len > 0)
			ret_side->text = scd_arena_printf(arena, "val(" SCD_STR_FMT ")", SCD_STR_ARG(ret_side->text));
		return true;
	}
	return false;
}

struct scd_str random_regex(struct scd_rng *rng, struct scd_arena *arena, struct scd_str text)
{
	char *out = scd_arena_zalloc(arena, 4 * MOST_PATTERN + 4, 1);
	size_t len = 0, stars = 0;

	for (size_t i = 0; i < text.len && len < MOST_PATTERN && out; i++) {
		char c = text.data[i];
		bool plain = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '/';
		struct scd_str rest = { text.data + i, text.len - i };
		size_t character = scd_str_utf8_length(rest);

		if (character > 1)
			i += character - 1;
		if (character != 1 || c <= ' ' || c == 0x7f || scd_rng_below(rng, 8) == 0) {
			out[len++] = '.';
		} else {
			if (!plain)
				out[len++] = '\\';
			out[len++] = c;
		}
		if (stars < 3 && scd_rng_below(rng, 8) == 0) {
			out[len++] = '*';
			stars++;
		}
	}
	if (len >= MOST_PATTERN && stars < 3) {
		out[len++] = '.';
		out[len++] = '*';
	}
	return (struct scd_str){ out, len };
}
