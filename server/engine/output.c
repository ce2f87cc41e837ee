/*
 * What a rule prints (SPEC 1.10): its output, `%container.info` taken out of it, and the extra outputs that match it;
 * and what is kept of its condition for those who ask.
 */
#include <errno.h>
#include <string.h>

#include "engine/program.h"
#include "engine/resolve.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/format.h"

#define CONTAINER_INFO "%container.info"

static bool has_tags(const struct scd_rule *rule, const struct scd_extra_output *extra)
{
	for (size_t i = 0; i < extra->tag_count; i++) {
		size_t t = 0;

		while (t < rule->tag_count && !scd_str_eq(rule->tags[t], extra->tags[i]))
			t++;
		if (t == rule->tag_count)
			return false;
	}
	return true;
}

static bool is_for(const struct scd_extra_output *extra, const struct scd_rule *rule)
{
	return (extra->source.len == 0 || scd_str_eq(extra->source, rule->source)) &&
	       (extra->rule.len == 0 || scd_str_eq(extra->rule, rule->name)) && has_tags(rule, extra);
}

/* The deprecated field of Falco stood for whatever was appended; now that goes behind the output. */
static void put_output(struct scd__build *build, const struct scd__rule_item *item, struct scd_str output,
                       struct scd_buf *text)
{
	const char *hit = memmem(output.data, output.len, CONTAINER_INFO, strlen(CONTAINER_INFO));

	if (hit)
		scd__report(build->collection->diags, SCD_DIAG_DEPRECATED_ITEM, item->output.parts[0].place, 0, "rule",
		            item->pub.name, "remove it; what is to be shown can be named",
		            "usage of deprecated field 'container.info' has been detected in the rule output");
	while (hit) {
		size_t before = (size_t)(hit - output.data), taken = before + strlen(CONTAINER_INFO);

		scd_buf_append(text, output.data, before);
		output.data += taken;
		output.len -= taken;
		hit = memmem(output.data, output.len, CONTAINER_INFO, strlen(CONTAINER_INFO));
	}
	scd_buf_append_str(text, output);
}

int scd__output_text(struct scd__build *build, const struct scd__rule_item *item,
                     const struct scd_ruleset_options *options, struct scd_str *ret_text)
{
	struct scd_str output, copy;
	struct scd_buf text;
	bool failed;

	if (scd__text_join(&build->scratch, &item->output, &output) < 0)
		return -ENOMEM;
	scd_buf_init(&text, SCD_LIMIT_RULE_FILE_BYTES);
	put_output(build, item, output, &text);
	for (size_t i = 0; i < options->extra_output_count; i++)
		if (is_for(&options->extra_outputs[i], &item->pub))
			scd_buf_printf(&text, " " SCD_STR_FMT, SCD_STR_ARG(options->extra_outputs[i].text));
	copy = scd_arena_dup(&build->set->arena, scd_buf_str(&text));
	failed = text.failed || !copy.data;
	scd_buf_done(&text);
	if (failed)
		return -ENOMEM;
	*ret_text = copy;
	return 0;
}

/* The byte of the output as written, where it is the same up to there; else 0. */
static size_t offset_as_written(struct scd__build *build, const struct scd__rule_item *item, struct scd_str text,
                                size_t offset)
{
	struct scd_str output;

	if (scd__text_join(&build->scratch, &item->output, &output) < 0 || offset > output.len || offset > text.len)
		return 0;
	return memcmp(output.data, text.data, offset) == 0 ? offset : 0;
}

void scd__report_output(struct scd__build *build, const struct scd__rule_item *item, enum scd_diag_code code,
                        struct scd_str text, const struct scd_error *err)
{
	const struct scd__source source = { .text = &item->output, .substituted = text };
	size_t offset = err->column ? err->column - 1 : 0;

	scd__report_in(build->collection->diags, code, &source, offset_as_written(build, item, text, offset), "rule",
	               item->pub.name, err->hint[0] ? err->hint : NULL, "%s", err->what);
}

void scd__warn_output(struct scd__build *build, const struct scd__rule_item *item, const struct scd_format *format)
{
	for (size_t i = 0; i < scd_format_field_count(format); i++) {
		const struct scd_field *field = scd__format_source(format, i);

		if (field && !scd_format_field_is_transformed(format, i) && field->flags & SCD_FIELD_DEPRECATED)
			scd__report(build->collection->diags, SCD_DIAG_DEPRECATED_ITEM, item->output.parts[0].place, 0,
			            "rule", item->pub.name, NULL,
			            "usage of deprecated field '" SCD_STR_FMT "' has been detected in the rule output",
			            SCD_STR_ARG(field->name));
	}
}

static const struct scd_ast *macro_tree(void *user, struct scd_str name)
{
	const struct scd__macro_item *macro = scd__macro_get(user, name);

	return macro ? macro->ast : NULL;
}

int scd__keep_condition(struct scd__build *build, const struct scd__rule_item *item, struct scd_rule *rule)
{
	return scd__resolve_macros(item->ast, macro_tree, build, &build->set->arena, &rule->condition);
}
