/*
 * From a command line to a configuration: the file of --config, then the flags over it.
 */
#ifndef SCD_SERVER_CLI_SETTINGS_H
#define SCD_SERVER_CLI_SETTINGS_H

#include "args.h"
#include "seccheckd/config/config.h"

/* Rows for tables of flags. */
#define SCD__FLAG_CONFIG                                                                     \
	{                                                                                    \
		.name = "config", .letter = 'c', .value = "FILE",                            \
		.help = "Read the configuration from this file; flags replace what it says." \
	}
#define SCD__FLAG_RULES                                                                                            \
	{                                                                                                          \
		.name = "rules", .letter = 'r', .value = "PATH", .key = "rules_files",                             \
		.help = "Load this rule file, or the *.yaml and *.yml of this folder. May be given several times." \
	}

/*
 * Fills an init'ed configuration. A flag with the key of a list replaces the file's list. SCD__EXIT_SUCCESS, or the
 * exit status of the command: what is wrong was printed.
 */
int scd__settings_read(const struct scd__args *args, struct scd_config *config);

#endif
