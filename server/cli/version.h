/*
 * Versions: ours, and those of Falco that rule files may require.
 */
#ifndef SCD_SERVER_CLI_VERSION_H
#define SCD_SERVER_CLI_VERSION_H

/* Prints them on standard output. The exit status. */
int scd__version_print(void);

#endif
