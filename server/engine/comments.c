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

static unsigned line_of(struct scd__place place, size_t offset)
{
	unsigned line, column;
	scd_yaml_place(place.yaml, place.node, offset, &line, &column);
	return line;
}

/* The first byte behind `from` that stands on a later line of the file. */
static size_t end_of_line(struct scd__place place, size_t from, size_t len)
{
	unsigned line = line_of(place, from);
	size_t low = from + 1, high = len;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (line_of(place, middle) > line)
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

int scd__strip_comments(struct scd__build *build, struct scd__place place, const char *kind, struct scd_str name,
                        struct scd_str *text)
{
	size_t from;
	if (place.node->style != SCD_YAML_BLOCK || !memchr(text->data, '#', text->len))
		return 0;
	char *bytes = scd_arena_alloc(&build->scratch, text->len);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, text->data, text->len);
	struct scd_str copy = { bytes, text->len };
	for (unsigned i = 0; i < MOST_COMMENTS && fails_at_comment(build, copy, &from); i++) {
		size_t end = end_of_line(place, from, copy.len);
		memset(bytes + from, ' ', end - from);
		scd__report(build->collection->diags, SCD_DIAG_COMPILE_CONDITION, place, from, kind, name,
		            "write comments outside the condition",
		            "a comment inside a condition is text to YAML; it was left out, but Falco refuses it");
	}
	*text = copy;
	return 0;
}
