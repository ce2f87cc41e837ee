/*
 * A finished rule set: reference counting and what others may ask of it. How it is made: loader.c.
 */
#include "seccheckd/engine/ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

#include "engine/program.h"

static const char *const priority_names[] = {
#define X(id, name) [SCD_PRIORITY_##id] = (name),
	SCD_PRIORITY_TABLE(X)
#undef X
};

const char *scd_priority_name(enum scd_priority priority)
{
	return priority < SCD_PRIORITY_COUNT ? priority_names[priority] : "?";
}

int scd_priority_parse(struct scd_str text, enum scd_priority *ret_priority)
{
	if (text.len == 4 && strncasecmp(text.data, "info", 4) == 0) {
		*ret_priority = SCD_PRIORITY_INFORMATIONAL;
		return 0;
	}
	for (unsigned i = 0; i < SCD_PRIORITY_COUNT; i++) {
		struct scd_str name = scd_str_from(priority_names[i]);
		if (text.len == name.len && strncasecmp(text.data, name.data, name.len) == 0) {
			*ret_priority = (enum scd_priority)i;
			return 0;
		}
	}
	return -EINVAL;
}

struct scd_ruleset *scd_ruleset_ref(struct scd_ruleset *set)
{
	atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
	return set;
}

void scd_ruleset_unref(struct scd_ruleset **set)
{
	if (!*set)
		return;
	if (atomic_fetch_sub_explicit(&(*set)->refs, 1, memory_order_acq_rel) == 1) {
		for (size_t i = 0; i < (*set)->regex_count; i++)
			scd_regex_free(&(*set)->regexes[i]);
		scd_arena_done(&(*set)->arena);
		free(*set);
	}
	*set = NULL;
}

size_t scd_ruleset_rule_count(const struct scd_ruleset *set)
{
	return set->rule_count;
}

const struct scd_rule *scd_ruleset_rule(const struct scd_ruleset *set, size_t index)
{
	return &set->rules[index];
}

const char *scd_ruleset_generation(const struct scd_ruleset *set)
{
	return set->generation;
}

const struct scd_kind_set *scd_ruleset_kinds(const struct scd_ruleset *set)
{
	return &set->kinds;
}

bool scd_ruleset_reads_env(const struct scd_ruleset *set)
{
	return set->reads_env;
}
