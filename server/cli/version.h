/*
 * Versions: ours (that of CMakeLists.txt; a test compares them), and those of Falco that rule files may require (the
 * engine accepts them; a test loads such rules).
 */
#ifndef SCD_SERVER_CLI_VERSION_H
#define SCD_SERVER_CLI_VERSION_H

#define SCD__VERSION                 "0.1.0"
#define SCD__FALCO_ENGINE_VERSION    "0.63.0"
#define SCD__FALCO_CONTAINER_VERSION "0.4.0"

/* Prints them on standard output. The exit status. */
int scd__version_print(void);

#endif
