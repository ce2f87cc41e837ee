/*
 * Any bytes as YAML. What is accepted must be a tree that can be walked within the limits, and every place in it must
 * be in the text.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is checked costs a walk over the text each time: enough of it for small inputs. */
#define CHECKED_SCALARS 200u

struct walk {
	const struct scd_yaml *yaml;
	unsigned last_line;
	size_t nodes;
	size_t scalars;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_place(const struct walk *walk, const struct scd_yaml_node *scalar, size_t offset)
{
	unsigned line = 0, column = 0;

	scd_yaml_place(walk->yaml, scalar, offset, &line, &column);
	check(line >= scalar->line && line <= walk->last_line && column >= 1);
}

static void check_scalar(struct walk *walk, const struct scd_yaml_node *scalar)
{
	bool value;

	check(scalar->text.data && scalar->text.data[scalar->text.len] == '\0');
	scd_yaml_is_null(scalar);
	scd_yaml_bool(scalar, &value);
	if (walk->scalars++ >= CHECKED_SCALARS)
		return;
	for (size_t offset = 0; offset <= scalar->text.len && offset < 64; offset++)
		check_place(walk, scalar, offset);
	check_place(walk, scalar, scalar->text.len);
	check_place(walk, scalar, SIZE_MAX);
}

static void check_node(struct walk *walk, const struct scd_yaml_node *node, unsigned depth)
{
	check(++walk->nodes <= SCD_LIMIT_YAML_NODES);
	check(depth <= SCD_LIMIT_YAML_DEPTH + 1);
	check(node->line >= 1 && node->line <= walk->last_line && node->column >= 1);
	if (node->kind == SCD_YAML_SCALAR) {
		check_scalar(walk, node);
		return;
	}
	for (size_t i = 0; i < node->count; i++) {
		if (node->kind == SCD_YAML_MAP) {
			check(node->keys[i]->kind == SCD_YAML_SCALAR);
			check_node(walk, node->keys[i], depth + 1);
		}
		check_node(walk, node->items[i], depth + 1);
	}
}

static unsigned lines_of(const uint8_t *data, size_t size)
{
	unsigned lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scd_yaml *yaml = NULL;
	struct scd_error err = { 0 };
	struct walk walk = { .last_line = lines_of(data, size) };

	if (scd_yaml_read_text((struct scd_str){ (const char *)data, size }, "fuzz", &yaml, &err) < 0) {
		check(!yaml && err.code < 0 && err.what[0] && err.line <= walk.last_line);
		return 0;
	}
	walk.yaml = yaml;
	for (size_t i = 0; i < scd_yaml_document_count(yaml); i++) {
		if (scd_yaml_root(yaml, i))
			check_node(&walk, scd_yaml_root(yaml, i), 1);
	}
	scd_yaml_free(&yaml);
	return 0;
}
