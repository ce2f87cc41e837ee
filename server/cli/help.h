/*
 * The text of --help, from the tables of flags and of the configuration's keys.
 */
#ifndef SCD_SERVER_CLI_HELP_H
#define SCD_SERVER_CLI_HELP_H

#include "args.h"

/* Prints the help of a command on standard output; last is the row of --help itself. The exit status. */
int scd__help_command(const struct scd__command *command, const struct scd__flag *last);

/* Prints the text in lines of at most 80 columns; the first begins at column `at`, the others at `indent`. */
void scd__help_wrap(const char *text, int at, int indent);

#endif
