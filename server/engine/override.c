/*
 * `override`, which says for each key of an item whether it is appended to an earlier definition or replaces it, and
 * its deprecated forerunner `append: true` (SPEC 1.5 to 1.7).
 */
#include "engine/reader.h"

#define APPEND_DEPRECATED \
	"'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under 'override' instead."
#define APPEND_AND_OVERRIDE                                                                                    \
	"Keys 'override' and 'append: true' cannot be used together. Add an 'append' entry (e.g. 'condition: " \
	"append') under 'override' instead."

/* One entry of the map. */
static void read_one(struct scd__reader *reader, const struct scd_yaml_node *key, const struct scd_yaml_node *value,
                     const struct scd__overridable *known, enum scd__override *ret)
{
	bool append = value->kind == SCD_YAML_SCALAR && scd_str_is(value->text, "append");
	bool replace = value->kind == SCD_YAML_SCALAR && scd_str_is(value->text, "replace");

	if (!append && !replace)
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, value, NULL,
		          "Invalid override operation for key '" SCD_STR_FMT "': '" SCD_STR_FMT
		          "'. Allowed values are 'append' or 'replace'.",
		          SCD_STR_ARG(key->text), SCD_STR_ARG(value->text));
	else if (append && !(known && known->append))
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, value, NULL,
		          "Key '" SCD_STR_FMT "' cannot be appended to, use 'replace' instead", SCD_STR_ARG(key->text));
	else if (replace && !(known && known->replace))
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, value, NULL, "Key '" SCD_STR_FMT "' cannot be replaced",
		          SCD_STR_ARG(key->text));
	else
		*ret = append ? SCD__OVERRIDE_APPEND : SCD__OVERRIDE_REPLACE;
}

static void read_map(struct scd__reader *reader, const struct scd_yaml_node *map, const struct scd__overridable *keys,
                     size_t count, enum scd__override *ret)
{
	enum scd__override ignored;

	for (size_t i = 0; i < map->count; i++) {
		size_t k = 0;

		while (k < count && !scd_str_is(map->keys[i]->text, keys[k].key))
			k++;
		read_one(reader, map->keys[i], map->items[i], k < count ? &keys[k] : NULL,
		         k < count ? &ret[k] : &ignored);
	}
}

/* What is overridden is there, and what is there is overridden. */
static void check_presence(struct scd__reader *reader, const struct scd__overridable *keys, size_t count,
                           const enum scd__override *overrides)
{
	for (size_t i = 0; i < count; i++) {
		const struct scd_yaml_node *value = scd_yaml_get(reader->map, keys[i].key);
		bool append = overrides[i] == SCD__OVERRIDE_APPEND;

		if (value && overrides[i] == SCD__OVERRIDE_NONE)
			SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, value, NULL,
			          "Unexpected key '%s': no corresponding entry under 'override' is defined.",
			          keys[i].key);
		if (!value && overrides[i] != SCD__OVERRIDE_NONE)
			SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, NULL,
			          "An %s override for '%s' was specified but '%s' is not defined",
			          append ? "append" : "replace", keys[i].key, keys[i].key);
	}
}

void scd__reader_overrides(struct scd__reader *reader, const struct scd__overridable *keys, size_t count,
                           enum scd__override *ret, bool *ret_any, bool *ret_append)
{
	const struct scd_yaml_node *map = scd_yaml_get(reader->map, "override");
	bool append = scd__reader_bool(reader, "append", false);

	for (size_t i = 0; i < count; i++)
		ret[i] = SCD__OVERRIDE_NONE;
	*ret_append = append;
	*ret_any = map && map->kind == SCD_YAML_MAP && map->count > 0;
	if (append)
		SCD__WARN(reader, SCD_DIAG_DEPRECATED_ITEM, scd_yaml_get(reader->map, "append"), NULL,
		          APPEND_DEPRECATED);
	if (map && map->kind != SCD_YAML_MAP && !scd_yaml_is_null(map))
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, map, "write `override: {condition: append}`",
		          "Value of 'override' is not a mapping");
	if (!*ret_any)
		return;
	if (append)
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, map, NULL, APPEND_AND_OVERRIDE);
	read_map(reader, map, keys, count, ret);
	if (!reader->failed)
		check_presence(reader, keys, count, ret);
}
