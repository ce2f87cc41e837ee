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
	{ "rules", "Tools for those who write rules: check, list, fields.", scd_cli_rules },
	{ "version", "Prints the version.", scd_cli_version },
};
#define COMMAND_COUNT SCD_COUNT(commands)

static void print_usage(FILE *stream)
{
	fprintf(stream, "usage: seccheckd COMMAND [OPTION]... [ARGUMENT]...\n\n"
	                "Watches gVisor sandboxes through their seccheck trace points.\n\nCommands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(stream, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(stream, "\n'seccheckd help COMMAND' tells more. Exit status: 0 success, 1 failure, 2 usage.\n");
}

/* NULL when there is none. */
static const struct entry *find(const char *name)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	}
	return NULL;
}

static int unknown_command(const char *name)
{
	const char *names[COMMAND_COUNT];
	const char *nearest;

	for (size_t i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i].name;
	nearest = *name == '-' ? NULL : scd_suggest_nearest(scd_str_from(name), names, COMMAND_COUNT);
	fprintf(stderr, "seccheckd: unknown %s '%s'", *name == '-' ? "option" : "command", name);
	if (nearest)
		fprintf(stderr, ", did you mean '%s'?", nearest);
	if (*name == '-')
		fprintf(stderr, "\noptions come after the command: seccheckd COMMAND [OPTION]...");
	fprintf(stderr, "\ntry 'seccheckd --help'\n");
	return SCD__EXIT_USAGE;
}

static int print_help(void)
{
	print_usage(stdout);
	return scd__stdout_flush() ? SCD__EXIT_SUCCESS : SCD__EXIT_FAILURE;
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* `help`, or `help COMMAND [SUBCOMMAND]`, which is `COMMAND [SUBCOMMAND] --help`. argv[0] is "help". */
static int run_help(int argc, char **argv)
{
	const struct entry *entry = argc > 1 ? find(argv[1]) : NULL;
	char option[] = "--help";

	if (argc < 2 || is_help(argv[1]))
		return print_help();
	if (!entry)
		return unknown_command(argv[1]);
	if (argc > 2)
		return entry->run(3, (char *[]){ argv[1], argv[2], option, NULL });
	return entry->run(2, (char *[]){ argv[1], option, NULL });
}

int scd_cli_main(int argc, char **argv)
{
	const struct entry *entry;

	scd__stdout_init();
	if (argc < 2) {
		print_usage(stderr);
		return SCD__EXIT_USAGE;
	}
	if (is_help(argv[1]))
		return print_help();
	if (strcmp(argv[1], "help") == 0)
		return run_help(argc - 1, argv + 1);
	if (strcmp(argv[1], "--version") == 0)
		return scd__version_print();
	entry = find(argv[1]);
	return entry ? entry->run(argc - 1, argv + 1) : unknown_command(argv[1]);
}
