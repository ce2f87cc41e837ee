/*
 * The first word of a command line to its command.
 */
#include "seccheckd/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "args.h"
#include "help.h"
#include "seccheckd/base/array.h"
#include "seccheckd/config/suggest.h"
#include "stdout.h"
#include "version.h"

static const struct entry {
	const char *name, *summary;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "serve", "Listens for sandboxes and reports what they do.", scd_cli_serve },
	{ "replay", "Prints the alerts of recorded traces.", scd_cli_replay },
	{ "show", "Prints the points of recorded traces.", scd_cli_show },
	{ "record", "Saves what sandboxes send as traces.", scd_cli_record },
	{ "send", "Plays recorded traces into a sink.", scd_cli_send },
	{ "version", "Prints the version.", scd_cli_version },
};
#define COMMAND_COUNT SCD_COUNT(commands)

static void print_usage(FILE *stream)
{
	fprintf(stream, "usage: seccheckd COMMAND [OPTION]... [ARGUMENT]...\n\n"
	                "Watches gVisor sandboxes through their seccheck trace points.\n\nCommands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(stream, "\n'seccheckd COMMAND --help' tells more. Exit status: 0 success, 1 failure, 2 usage.\n");
}

static int unknown_command(const char *name)
{
	const char *names[COMMAND_COUNT];
	const char *nearest;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i].name;
	nearest = scd_suggest_nearest(scd_str_from(name), names, COMMAND_COUNT);
	fprintf(stderr, "seccheckd: unknown %s '%s'", *name == '-' ? "option" : "command", name);
	if (nearest)
		fprintf(stderr, ", did you mean '%s'?", nearest);
	fprintf(stderr, "\ntry 'seccheckd --help'\n");
	return SCD__EXIT_USAGE;
}

int scd_cli_main(int argc, char **argv)
{
	scd__stdout_init();
	if (argc < 2) {
		print_usage(stderr);
		return SCD__EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		print_usage(stdout);
		return scd__stdout_flush() ? SCD__EXIT_SUCCESS : SCD__EXIT_FAILURE;
	}
	if (strcmp(argv[1], "--version") == 0)
		return scd__version_print();
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	}
	return unknown_command(argv[1]);
}
