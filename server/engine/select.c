/*
 * Which rules are evaluated: by name, part of a name, tag and priority (SPEC 1.12).
 */
#include <errno.h>
#include <string.h>

#include "engine/program.h"

/*
 * The text between two stars is looked for at its first place, so nothing is ever taken back; what stands before the
 * first star begins the name, what stands behind the last ends it.
 */
bool scd_rule_name_matches(struct scd_str pattern, struct scd_str name)
{
	const char *star = memchr(pattern.data, '*', pattern.len);
	struct scd_str head = { pattern.data, star ? (size_t)(star - pattern.data) : pattern.len };

	if (!star)
		return scd_str_eq(pattern, name);
	if (!scd_str_starts_with(name, head))
		return false;
	while (star) {
		const char *hit;

		name.data += head.len;
		name.len -= head.len;
		pattern.len -= (size_t)(star + 1 - pattern.data);
		pattern.data = star + 1;
		star = memchr(pattern.data, '*', pattern.len);
		head = (struct scd_str){ pattern.data, star ? (size_t)(star - pattern.data) : pattern.len };
		if (!star)
			return scd_str_ends_with(name, head);
		hit = head.len ? memmem(name.data, name.len, head.data, head.len) : name.data;
		if (!hit)
			return false;
		name.len -= (size_t)(hit - name.data);
		name.data = hit;
	}
	return false;
}

static bool may_stand(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':';
}

/* Everything else is one underscore, however much of it stands together; there is none at the end. */
int scd_rule_name_sanitize(struct scd_str name, struct scd_arena *arena, struct scd_str *ret_name)
{
	char *text = scd_arena_alloc(arena, name.len + 1);
	size_t len = 0;

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < name.len; i++) {
		if (may_stand(name.data[i]))
			text[len++] = name.data[i];
		else if (len == 0 || text[len - 1] != '_')
			text[len++] = '_';
	}
	if (len > 0 && text[len - 1] == '_')
		len--;
	text[len] = '\0';
	*ret_name = (struct scd_str){ text, len };
	return 0;
}

static bool has_tag(const struct scd_rule *rule, struct scd_str tag)
{
	for (size_t i = 0; i < rule->tag_count; i++)
		if (scd_str_eq(rule->tags[i], tag))
			return true;
	return false;
}

bool scd_rule_switch_matches(const struct scd_rule_switch *one, const struct scd_rule *rule)
{
	switch (one->by) {
	case SCD_RULE_SWITCH_NAME: return scd_rule_name_matches(one->text, rule->name);
	case SCD_RULE_SWITCH_SUBSTRING: return scd_str_contains(rule->name, one->text);
	case SCD_RULE_SWITCH_TAG: return has_tag(rule, one->text);
	}
	return false;
}

bool scd__rule_is_enabled(const struct scd_rule *rule, const struct scd_ruleset_options *options)
{
	bool enabled = rule->enabled;

	for (size_t i = 0; i < options->switch_count; i++)
		if (scd_rule_switch_matches(&options->switches[i], rule))
			enabled = options->switches[i].enable;
	return enabled && rule->priority <= options->minimum_priority;
}
