/*
 * `seccheckd version`: what this is, and what it claims to be to rule files. Our own version comes from CMakeLists.txt.
 */
#include "version.h"

#include <stdio.h>

#include "args.h"
#include "seccheckd/cli/cli.h"
#include "seccheckd/engine/ruleset.h"
#include "stdout.h"

/* Of Falco's plugin whose fields are known here; rule files may require any version of it. */
#define CONTAINER_PLUGIN_VERSION "0.4.0"

static const struct scd__command command = {
	.name = "version",
	.summary = "Prints the version, and the versions of Falco's engine and plugin that rule files may require.",
	.examples = "  seccheckd version\n",
};

int scd__version_print(void)
{
	printf("seccheckd %s\nfalco engine %s\nplugin container %s\n", SCD_VERSION, SCD_RULESET_ENGINE_VERSION,
	       CONTAINER_PLUGIN_VERSION);
	return scd__stdout_flush() ? SCD__EXIT_SUCCESS : SCD__EXIT_FAILURE;
}

int scd_cli_version(int argc, char **argv)
{
	struct scd__args args;
	int status;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	scd__args_done(&args);
	return scd__version_print();
}
