/*
 * What a configuration says about rules, as the engine takes it, and the flags that say the same.
 */
#ifndef SCD_SERVER_CLI_RULE_OPTIONS_H
#define SCD_SERVER_CLI_RULE_OPTIONS_H

#include "args.h"
#include "seccheckd/config/config.h"
#include "seccheckd/engine/ruleset.h"

/* Rows for tables of flags: Falco's -D, -T and -t. */
#define SCD__FLAGS_SWITCH                                                                                         \
	{ .name = "disable-rule",                                                                                 \
	  .letter = 'D',                                                                                          \
	  .value = "TEXT",                                                                                        \
	  .help = "Switch rules off whose name has this text in it. May be given several times." },               \
	        { .name = "disable-tag",                                                                          \
		  .letter = 'T',                                                                                  \
		  .value = "TAG",                                                                                 \
		  .help = "Switch rules off that have this tag. May be given several times." },                   \
	{                                                                                                         \
		.name = "only-tag", .letter = 't', .value = "TAG",                                                \
		.help = "Switch all rules off but those that have this tag; not together with -D and -T. May be " \
		        "given several times."                                                                    \
	}

/* Adds what these flags say to `rules` of the configuration. An exit status; what is wrong was printed. */
int scd__rule_options_flags(const struct scd__args *args, struct scd_config *config);

/* Borrows from the configuration; arrays are in the arena. -ENOMEM. */
int scd__rule_options_of(const struct scd_config *config, struct scd_arena *arena,
                         struct scd_ruleset_options *ret_options);

#endif
