/*
 * Rule switches, extra outputs, priority and matching: from flags and configuration to the engine.
 */
#include "rule_options.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int add(struct scd_config *config, bool enable, enum scd_config_switch_by by, const char *text)
{
	if (scd_config_add_switch(config, enable, by, text) == 0)
		return SCD__EXIT_SUCCESS;
	fprintf(stderr, "seccheckd: out of memory\n");
	return SCD__EXIT_FAILURE;
}

static int add_flag(const struct scd__arg *arg, struct scd_config *config)
{
	switch (arg->flag->letter) {
	case 'D': return add(config, false, SCD_CONFIG_BY_SUBSTRING, arg->value);
	case 'T': return add(config, false, SCD_CONFIG_BY_TAG, arg->value);
	case 't': return add(config, true, SCD_CONFIG_BY_TAG, arg->value);
	default: return SCD__EXIT_SUCCESS;
	}
}

int scd__rule_options_flags(const struct scd__args *args, struct scd_config *config)
{
	bool only = scd__args_has(args, "only-tag");
	int status = SCD__EXIT_SUCCESS;

	if (only && (scd__args_has(args, "disable-rule") || scd__args_has(args, "disable-tag")))
		return scd__args_usage_error(args->command, "-t cannot be given together with -D or -T");
	if (only)
		status = add(config, false, SCD_CONFIG_BY_NAME, "*");
	for (size_t i = 0; i < args->count && status == SCD__EXIT_SUCCESS; i++)
		if (!args->items[i].flag->key)
			status = add_flag(&args->items[i], config);
	return status;
}

static struct scd_str text_of(const char *text)
{
	return text ? scd_str_from(text) : (struct scd_str){ NULL, 0 };
}

static int copy_switches(const struct scd_config_switches *from, struct scd_arena *arena,
                         struct scd_ruleset_options *options)
{
	static const enum scd_rule_switch_by by[] = { [SCD_CONFIG_BY_NAME] = SCD_RULE_SWITCH_NAME,
		                                      [SCD_CONFIG_BY_SUBSTRING] = SCD_RULE_SWITCH_SUBSTRING,
		                                      [SCD_CONFIG_BY_TAG] = SCD_RULE_SWITCH_TAG };
	struct scd_rule_switch *switches = scd_arena_zalloc(arena, from->count + 1, sizeof(*switches));

	if (!switches)
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++)
		switches[i] = (struct scd_rule_switch){ from->items[i].enable, by[from->items[i].by],
			                                scd_str_from(from->items[i].text) };
	options->switches = switches;
	options->switch_count = from->count;
	return 0;
}

static int copy_tags(const struct scd_config_texts *from, struct scd_arena *arena, struct scd_extra_output *extra)
{
	struct scd_str *tags = scd_arena_zalloc(arena, from->count + 1, sizeof(*tags));

	if (!tags)
		return -ENOMEM;
	for (size_t i = 0; i < from->count; i++)
		tags[i] = scd_str_from(from->items[i]);
	extra->tags = tags;
	extra->tag_count = from->count;
	return 0;
}

static int copy_outputs(const struct scd_config_outputs *from, struct scd_arena *arena,
                        struct scd_ruleset_options *options)
{
	struct scd_extra_output *extras = scd_arena_zalloc(arena, from->count + 1, sizeof(*extras));
	int r = extras ? 0 : -ENOMEM;

	for (size_t i = 0; i < from->count && r == 0; i++) {
		const struct scd_config_output *output = &from->items[i];

		extras[i] = (struct scd_extra_output){ .source = text_of(output->source),
			                               .rule = text_of(output->rule),
			                               .text = text_of(output->text) };
		r = copy_tags(&output->tags, arena, &extras[i]);
	}
	options->extra_outputs = extras;
	options->extra_output_count = from->count;
	return r;
}

int scd__rule_options_of(const struct scd_config *config, struct scd_arena *arena,
                         struct scd_ruleset_options *ret_options)
{
	struct scd_ruleset_options options = { .match_first = strcmp(config->rule_matching, "first") == 0 };
	int r = scd_priority_parse(scd_str_from(config->priority), &options.minimum_priority);

	assert(r == 0);
	r = copy_switches(&config->rules, arena, &options);
	if (r == 0)
		r = copy_outputs(&config->append_output, arena, &options);
	if (r == 0)
		*ret_options = options;
	return r;
}
