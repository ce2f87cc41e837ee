/*
 * Arguments of a process and names of its files, from the host side. What was found lies in the input, ids are ids,
 * and a lock's name can be made again from its parts.
 */
#include <stdlib.h>
#include <string.h>

#include "keeper/cmdline.h"
#include "keeper/procfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
	if (!good)
		abort();
}

static bool is_inside(struct scd_str part, struct scd_str whole)
{
	return part.len == 0 || (part.data >= whole.data && part.data + part.len <= whole.data + whole.len);
}

static void parse_arguments(struct scd_str text)
{
	struct scd__cmdline cmdline;

	scd__cmdline_parse(text, &cmdline);
	check(is_inside(cmdline.subcommand, text) && is_inside(cmdline.root, text) &&
	      is_inside(cmdline.container_id, text));
	check((cmdline.naming == SCD__NAMING_ARGUMENT) == (cmdline.container_id.len > 0));
	check(cmdline.container_id.len == 0 || scd__is_container_id(cmdline.container_id));
	check(cmdline.naming == SCD__NAMING_NONE || cmdline.subcommand.len > 0);
}

static void append(char *room, size_t *len, struct scd_str part)
{
	memcpy(room + *len, part.data, part.len);
	*len += part.len;
}

static void parse_lock(struct scd_str path)
{
	struct scd__lock_name name;
	char *again;
	size_t len = 0;

	if (!scd__lock_name_parse(path, &name))
		return;
	check(scd__is_container_id(name.container_id) && scd__is_container_id(name.sandbox_id));
	again = malloc(path.len + 1);
	check(again && name.root.len > 0);
	append(again, &len, name.root);
	if (name.root.len > 1)
		append(again, &len, SCD_STR("/"));
	append(again, &len, name.container_id);
	append(again, &len, SCD_STR("_sandbox:"));
	append(again, &len, name.sandbox_id);
	append(again, &len, SCD_STR(".lock"));
	check(scd_str_eq((struct scd_str){ again, len }, path));
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scd_str text = { (const char *)data, size };
	int mode;

	if (size > 2 * SCD_LIMIT_PEER_ARGS_BYTES)
		return 0;
	parse_arguments(text);
	parse_lock(text);
	mode = scd__procfs_seccomp(text);
	check(mode >= -1 && mode <= 9);
	return 0;
}
