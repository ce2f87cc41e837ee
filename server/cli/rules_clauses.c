/*
 * A tree of clauses as lines:
 *
 *     true     started                      a macro whose condition is one check, below it
 *     true       evt.type = execve            [evt.type: execve]
 *     false    miner: any of                a macro whose condition is an `or`
 *     absent     proc.exepath startswith /tmp/    [proc.exepath: missing]
 *     false      proc.name = xmrig            [proc.name: sh]
 */
#include "rules_clauses.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "rules_command.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/format.h"

#define CHECK_BYTES 160u /* of a check's text; lists are long */
#define VALUE_BYTES 120u
#define BRIEF_SIDES 4u

int scd__explainer_init(struct scd__explainer *explainer, struct scd_ruleset *set)
{
	size_t most = 1;

	*explainer = (struct scd__explainer){ 0 };
	for (size_t i = 0; i < scd_ruleset_rule_count(set); i++)
		if (scd_ruleset_rule(set, i)->clause_count > most)
			most = scd_ruleset_rule(set, i)->clause_count;
	explainer->truths = calloc(most, sizeof(*explainer->truths));
	explainer->evaluator = scd_evaluator_new(set);
	if (explainer->truths && explainer->evaluator)
		return 0;
	scd__explainer_done(explainer);
	return -ENOMEM;
}

void scd__explainer_done(struct scd__explainer *explainer)
{
	scd_evaluator_free(&explainer->evaluator);
	free(explainer->truths);
	explainer->truths = NULL;
}

void scd__explain(struct scd__explainer *explainer, const struct scd_rule *rule, const struct scd_view *view)
{
	explainer->rule = rule;
	explainer->view = view;
	explainer->holds = scd_evaluator_explain(explainer->evaluator, rule, view, explainer->truths);
}

static enum scd_truth truth_of(const struct scd__explainer *explainer, const struct scd_clause *clause)
{
	return explainer->truths[clause->number];
}

/* How many checks keep a clause from being what is wanted: all of an `and`, one of an `or`; negated the other way. */
static size_t distance(const struct scd__explainer *explainer, const struct scd_clause *clause, bool wanted)
{
	bool all = (clause->kind == SCD_CLAUSE_AND) == wanted;
	size_t sum = 0, least = SIZE_MAX;

	if ((truth_of(explainer, clause) == SCD_TRUTH_TRUE) == wanted)
		return 0;
	if (clause->kind == SCD_CLAUSE_CHECK)
		return 1;
	if (clause->kind == SCD_CLAUSE_NOT)
		return distance(explainer, clause->children[0], !wanted);
	for (size_t i = 0; i < clause->child_count; i++) {
		size_t one = distance(explainer, clause->children[i], wanted);

		sum += one;
		least = one < least ? one : least;
	}
	return all || clause->child_count == 1 ? sum : least;
}

size_t scd__explained_distance(const struct scd__explainer *explainer)
{
	return distance(explainer, explainer->rule->clauses, true);
}

uint64_t scd__explained_pattern(const struct scd__explainer *explainer)
{
	return XXH3_64bits(explainer->truths, explainer->rule->clause_count * sizeof(*explainer->truths));
}

/* Texts. */

void scd__put_shown(struct scd_buf *out, struct scd_str text, size_t max_bytes)
{
	size_t end = out->len + max_bytes;

	while (text.len > 0 && out->len < end) {
		size_t len = scd_str_utf8_length(text);
		struct scd_str next = { text.data, len ? len : 1 };
		uint32_t code = len ? scd_str_utf8_code_point(next) : 0;

		if (!len || (scd_str_steers_display(code) && code < 0x80))
			scd_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)next.data[0]);
		else if (scd_str_steers_display(code))
			scd_buf_printf(out, "\\u%04x", (unsigned)code);
		else
			scd_buf_append_str(out, next);
		text.data += next.len;
		text.len -= next.len;
	}
	if (text.len > 0)
		scd_buf_append_str(out, SCD_STR("..."));
}

/* A value as outputs show it; false: missing. */
static bool put_value(const struct scd__explainer *explainer, const struct scd_clause_side *side, struct scd_buf *out)
{
	struct scd_value value;

	if (!scd_evaluator_side(explainer->evaluator, side, explainer->view, &value))
		return false;
	scd_format_value(&value, out);
	return true;
}

/* `proc.name: sh`. */
static void put_side(const struct scd__explainer *explainer, const struct scd_clause_side *side, struct scd_buf *out)
{
	struct scd_buf value;

	scd_buf_init(&value, SCD_LIMIT_OUTPUT_BYTES);
	scd__put_shown(out, side->text, VALUE_BYTES);
	scd_buf_append_str(out, SCD_STR(": "));
	if (put_value(explainer, side, &value))
		scd__put_shown(out, scd_buf_str(&value), VALUE_BYTES);
	else
		scd_buf_append_str(out, SCD_STR("missing"));
	scd_buf_done(&value);
}

/* Lines. */

struct printer {
	const struct scd__explainer *explainer;
	struct scd_buf *out;
	struct scd_buf values, last; /* what stands in brackets on this line and on the last one that had any */
};

static const char *word_of(const struct scd_clause *clause)
{
	switch (clause->kind) {
	case SCD_CLAUSE_AND: return "all of";
	case SCD_CLAUSE_OR: return "any of";
	case SCD_CLAUSE_NOT: return "not";
	default: return "";
	}
}

static bool is_group(const struct scd_clause *clause)
{
	return clause->kind == SCD_CLAUSE_AND || clause->kind == SCD_CLAUSE_OR;
}

static bool is_named(const struct scd_clause *clause)
{
	return clause->kind == SCD_CLAUSE_MACRO || clause->kind == SCD_CLAUSE_EXCEPTION;
}

static void put_label(struct scd_buf *out, const struct scd_clause *clause)
{
	if (clause->kind == SCD_CLAUSE_CHECK) {
		scd__put_shown(out, clause->text, CHECK_BYTES);
		return;
	}
	if (clause->kind == SCD_CLAUSE_EXCEPTION)
		scd_buf_append_str(out, SCD_STR("exception "));
	if (!is_named(clause)) {
		scd_buf_append_str(out, scd_str_from(word_of(clause)));
		return;
	}
	scd__put_shown(out, clause->text, CHECK_BYTES);
	if (is_group(clause->children[0]))
		scd_buf_printf(out, ": %s", word_of(clause->children[0]));
}

static void put_values(struct printer *printer, const struct scd_clause *clause)
{
	struct scd_str values;

	scd_buf_reset(&printer->values);
	for (size_t i = 0; i < clause->side_count; i++) {
		if (i > 0)
			scd_buf_append_str(&printer->values, SCD_STR(", "));
		put_side(printer->explainer, &clause->sides[i], &printer->values);
	}
	values = scd_buf_str(&printer->values);
	if (values.len == 0 || scd_str_eq(values, scd_buf_str(&printer->last)))
		return;
	scd_buf_printf(printer->out, "    [" SCD_STR_FMT "]", SCD_STR_ARG(values));
	scd_buf_reset(&printer->last);
	scd_buf_append_str(&printer->last, values);
}

static void put_lines(struct printer *printer, const struct scd_clause *clause, int depth);

/* An `and` in an `and`, as exceptions make it, is one with it; and so for `or`. */
static void put_children(struct printer *printer, const struct scd_clause *clause, int depth)
{
	for (size_t i = 0; i < clause->child_count; i++) {
		const struct scd_clause *child = clause->children[i];

		if (is_group(child) && child->kind == clause->kind)
			put_children(printer, child, depth);
		else
			put_lines(printer, child, depth);
	}
}

static void put_lines(struct printer *printer, const struct scd_clause *clause, int depth)
{
	const struct scd_clause *inner = clause;

	scd_buf_printf(printer->out, "  %-7s  %*s", scd_truth_name(truth_of(printer->explainer, clause)), 2 * depth,
	               "");
	put_label(printer->out, clause);
	put_values(printer, clause);
	scd_buf_append_char(printer->out, '\n');
	if (is_named(clause) && is_group(clause->children[0]))
		inner = clause->children[0];
	put_children(printer, inner, depth + 1);
}

void scd__explained_text(const struct scd__explainer *explainer, struct scd_buf *text)
{
	const struct scd_clause *root = explainer->rule->clauses;
	struct printer printer = { .explainer = explainer, .out = text };

	scd_buf_init(&printer.values, SCD_LIMIT_OUTPUT_BYTES);
	scd_buf_init(&printer.last, SCD_LIMIT_OUTPUT_BYTES);
	if (root->kind == SCD_CLAUSE_AND)
		put_children(&printer, root, 0);
	else
		put_lines(&printer, root, 0);
	scd_buf_done(&printer.values);
	scd_buf_done(&printer.last);
}

/* In one line. */

struct brief {
	const struct scd__explainer *explainer;
	struct scd_buf *out;
	const struct scd_clause_side *sides[BRIEF_SIDES];
	size_t count;
};

/* What a part reads, each once, the first few. */
static void find_sides(struct brief *brief, const struct scd_clause *clause)
{
	for (size_t i = 0; i < clause->side_count; i++) {
		size_t known = 0;

		while (known < brief->count && brief->sides[known]->expr != clause->sides[i].expr)
			known++;
		if (known == brief->count && brief->count < BRIEF_SIDES)
			brief->sides[brief->count++] = &clause->sides[i];
	}
	for (size_t i = 0; i < clause->child_count; i++)
		find_sides(brief, clause->children[i]);
}

static void put_part(struct brief *brief, const struct scd_clause *clause, const char *negation)
{
	brief->count = 0;
	find_sides(brief, clause);
	scd_buf_append_str(brief->out, scd_str_from(negation));
	if (is_named(clause) || clause->kind == SCD_CLAUSE_CHECK)
		scd__put_shown(brief->out, clause->text, CHECK_BYTES);
	else
		scd_buf_printf(brief->out, "(%s %zu)", word_of(clause), clause->child_count);
	for (size_t i = 0; i < brief->count; i++) {
		scd_buf_append_str(brief->out, i ? SCD_STR(", ") : SCD_STR(" ["));
		put_side(brief->explainer, brief->sides[i], brief->out);
	}
	scd_buf_append_str(brief->out, brief->count ? SCD_STR("]") : SCD_STR(""));
}

/* The conjuncts that do not hold, through macros that are conjunctions themselves. */
static void put_failing(struct brief *brief, const struct scd_clause *clause, bool *first)
{
	const struct scd_clause *inner = is_named(clause) ? clause->children[0] : clause;

	if (truth_of(brief->explainer, clause) == SCD_TRUTH_TRUE)
		return;
	if (inner->kind == SCD_CLAUSE_AND) {
		for (size_t i = 0; i < inner->child_count; i++)
			put_failing(brief, inner->children[i], first);
		return;
	}
	if (!*first)
		scd_buf_append_str(brief->out, SCD_STR("; "));
	*first = false;
	if (clause->kind == SCD_CLAUSE_NOT)
		put_part(brief, clause->children[0], "not ");
	else
		put_part(brief, clause, "");
}

void scd__explained_brief(const struct scd__explainer *explainer, struct scd_buf *text)
{
	struct brief brief = { .explainer = explainer, .out = text };
	bool first = true;

	put_failing(&brief, explainer->rule->clauses, &first);
}

/* JSON. */

static json_t *fields_json(const struct scd__explainer *explainer, const struct scd_clause *clause)
{
	json_t *fields = json_object();

	for (size_t i = 0; i < clause->side_count; i++) {
		struct scd_buf name, value;
		json_t *json = NULL;

		scd_buf_init(&name, SCD_LIMIT_OUTPUT_BYTES);
		scd_buf_init(&value, SCD_LIMIT_OUTPUT_BYTES);
		scd__put_shown(&name, clause->sides[i].text, SCD_LIMIT_OUTPUT_BYTES / 2);
		scd_buf_append_char(&name, '\0');
		if (put_value(explainer, &clause->sides[i], &value))
			json = scd__json_text(scd_buf_str(&value));
		if (!name.failed)
			json_object_set_new(fields, name.data, json ? json : json_null());
		scd_buf_done(&name);
		scd_buf_done(&value);
	}
	return fields;
}

static json_t *clause_json(const struct scd__explainer *explainer, const struct scd_clause *clause)
{
	static const char *const kinds[] = { "and", "or", "not", "macro", "exception", "check" };
	json_t *json = json_pack("{s:s, s:s}", "kind", kinds[clause->kind], "truth",
	                         scd_truth_name(truth_of(explainer, clause)));
	json_t *children = clause->child_count ? json_array() : NULL;

	if (is_named(clause))
		json_object_set_new(json, "name", scd__json_text(clause->text));
	if (clause->kind == SCD_CLAUSE_CHECK) {
		json_object_set_new(json, "text", scd__json_text(clause->text));
		json_object_set_new(json, "fields", fields_json(explainer, clause));
	}
	for (size_t i = 0; i < clause->child_count; i++)
		json_array_append_new(children, clause_json(explainer, clause->children[i]));
	if (children)
		json_object_set_new(json, "children", children);
	return json;
}

json_t *scd__explained_json(const struct scd__explainer *explainer)
{
	return clause_json(explainer, explainer->rule->clauses);
}
