/*
 * Comments inside conditions.
 *
 * People end a line of a folded condition with `# why`, as one may everywhere else in YAML. Inside a block scalar it
 * is no comment but text, and Falco refuses the rule. Here it is taken as what it was meant to be, with a warning: a
 * `#` where the language has no place for one, up to the end of its line *in the file*. (In the folded text the next
 * line follows on the same line, and must not vanish with it.) A `#` that can be a constant is one.
 */
#include <errno.h>
#include <string.h>

#include "engine/program.h"
#include "seccheckd/base/limits.h"

#define MOST_COMMENTS 1000u

/* The part of a text in which a byte stands, and where the part begins and ends. */
struct stretch {
	struct scd__place place;
	size_t start, end;
};

static struct stretch stretch_of(const struct scd__text *text, size_t offset)
{
	const struct scd__part *part = text->parts;
	size_t start = 0;

	for (size_t i = 0; i + 1 < text->count && offset >= start + part->text.len; i++)
		start += part++->text.len;
	return (struct stretch){ part->place, start, start + part->text.len };
}

static unsigned line_of(const struct stretch *stretch, size_t offset)
{
	unsigned line, column;

	scd_yaml_place(stretch->place.yaml, stretch->place.node, offset - stretch->start, &line, &column);
	return line;
}

/* The first byte behind `from` that stands on a later line of the file, or in another part. */
static size_t end_of_line(const struct stretch *stretch, size_t from)
{
	unsigned line = line_of(stretch, from);
	size_t low = from + 1, high = stretch->end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (line_of(stretch, middle) > line)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Whether the condition fails to parse exactly at a `#`. */
static bool fails_at_comment(struct scd__build *build, struct scd_str text, size_t *ret_offset)
{
	const struct scd_ast *ignored;
	struct scd_ast_error error;
	if (scd_ast_parse(text, SCD_LIMIT_RULE_PARSE_DEPTH, &build->scratch, &ignored, &error) != -EINVAL)
		return false;
	if (error.pos.offset >= text.len || text.data[error.pos.offset] != '#')
		return false;
	*ret_offset = error.pos.offset;
	return true;
}

static bool has_block(const struct scd__text *text)
{
	for (size_t i = 0; i < text->count; i++)
		if (text->parts[i].place.node->style == SCD_YAML_BLOCK)
			return true;
	return false;
}

int scd__strip_comments(struct scd__build *build, const struct scd__text *parts, const char *kind, struct scd_str name,
                        struct scd_str *text)
{
	struct scd_str copy = { NULL, text->len };
	size_t from;
	char *bytes;

	if (!memchr(text->data, '#', text->len) || !has_block(parts))
		return 0;
	bytes = scd_arena_alloc(&build->scratch, text->len);
	if (!bytes)
		return -ENOMEM;
	copy.data = memcpy(bytes, text->data, text->len);
	for (unsigned i = 0; i < MOST_COMMENTS && fails_at_comment(build, copy, &from); i++) {
		struct stretch stretch = stretch_of(parts, from);
		size_t end;

		if (stretch.place.node->style != SCD_YAML_BLOCK)
			break;
		end = end_of_line(&stretch, from);
		memset(bytes + from, ' ', end - from);
		scd__report(build->collection->diags, SCD_DIAG_COMPILE_CONDITION, stretch.place, from - stretch.start,
		            kind, name, "write comments outside the condition",
		            "a comment inside a condition is text to YAML; it was left out, but Falco refuses it");
	}
	*text = copy;
	return 0;
}
