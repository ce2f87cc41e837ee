/*
 * Values of a map of a rule file, with Falco's words for what is wrong with them.
 */
#include "engine/reader.h"

#include <errno.h>
#include <string.h>

#include "seccheckd/base/array.h"

struct scd__place scd__reader_at(const struct scd__reader *reader, const struct scd_yaml_node *node)
{
	return (struct scd__place){ reader->yaml, node ? node : reader->map };
}

int scd__reader_result(const struct scd__reader *reader)
{
	return reader->exhausted ? -ENOMEM : reader->failed ? -EINVAL : 0;
}

bool scd__reader_has(const struct scd__reader *reader, const char *key)
{
	return scd_yaml_get(reader->map, key) != NULL;
}

const struct scd_yaml_node *scd__reader_text(struct scd__reader *reader, const char *key)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, key);

	if (!node)
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, NULL, NULL, "Item has no mapping for key '%s'", key);
	else if (scd_yaml_is_null(node))
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL, "Mapping for key '%s' is empty", key);
	else if (node->kind != SCD_YAML_SCALAR)
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL, "Value is not a scalar value");
	else if (node->text.len == 0)
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, NULL, "Value must be non-empty");
	else
		return node;
	return NULL;
}

bool scd__reader_bool(struct scd__reader *reader, const char *key, bool value)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, key);

	if (node && scd_yaml_bool(node, &value) < 0)
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, "true or false",
		          "Can't decode YAML scalar value of '%s'", key);
	return value;
}

void scd__reader_unsigned(struct scd__reader *reader, const char *key)
{
	const struct scd_yaml_node *node = scd_yaml_get(reader->map, key);
	uint64_t number;

	if (node && (node->kind != SCD_YAML_SCALAR || scd_str_to_u64(node->text, &number) < 0 || number > UINT32_MAX))
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, "a whole number",
		          "Can't decode YAML scalar value of '%s'", key);
}

bool scd__reader_texts(struct scd__reader *reader, const struct scd_yaml_node *node, struct scd_str **ret_items,
                       size_t *ret_count)
{
	struct scd_str *items;

	if (node->kind != SCD_YAML_SEQUENCE) {
		SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node, "write [a, b] or one `- item` a line",
		          "Value is not a sequence");
		return false;
	}
	items = scd_arena_zalloc(&reader->collection->arena, node->count + 1, sizeof(*items));
	reader->exhausted |= !items;
	for (size_t i = 0; items && i < node->count; i++) {
		if (node->items[i]->kind != SCD_YAML_SCALAR) {
			SCD__FAIL(reader, SCD_DIAG_ERR_YAML_VALIDATE, node->items[i], NULL,
			          "sequence value is not scalar");
			return false;
		}
		items[i] = node->items[i]->text;
	}
	*ret_items = items;
	*ret_count = items ? node->count : 0;
	return items != NULL;
}

void scd__reader_warn_unknown(struct scd__reader *reader, const char *const *known)
{
	for (size_t i = 0; i < reader->map->count; i++) {
		const struct scd_yaml_node *key = reader->map->keys[i];
		const char *const *candidate = known;

		while (*candidate && !scd_str_is(key->text, *candidate))
			candidate++;
		if (!*candidate)
			SCD__WARN(reader, SCD_DIAG_UNKNOWN_KEY, key, NULL,
			          "Unknown key '" SCD_STR_FMT "'. The key will be ignored.", SCD_STR_ARG(key->text));
	}
}

void *scd__find_or_add(struct scd__reader *reader, struct scd__items *items, size_t bytes, uint32_t *ret_index)
{
	void *item = scd_strmap_get(&items->by_name, reader->name);
	void **all;

	if (item)
		return item;
	all = scd_array_grow(items->all, items->count, &items->room, sizeof(*all));
	if (!all)
		return NULL;
	items->all = all;
	item = scd_arena_zalloc(&reader->collection->arena, 1, bytes);
	if (!item || scd_strmap_put(&items->by_name, reader->name, item) < 0)
		return NULL;
	items->all[items->count++] = item;
	*ret_index = reader->collection->next_visibility;
	return item;
}
