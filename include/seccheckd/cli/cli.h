/*
 * The commands. Each gets its own arguments (argv[0] is the command's name) and returns the process's exit status: 0
 * success, 1 failure, 2 usage. Results go to standard output, everything else to standard error.
 */
#ifndef SECCHECKD_CLI_CLI_H
#define SECCHECKD_CLI_CLI_H

int scd_cli_serve(int argc, char **argv);
int scd_cli_replay(int argc, char **argv);
int scd_cli_show(int argc, char **argv);
int scd_cli_record(int argc, char **argv);
int scd_cli_send(int argc, char **argv);
int scd_cli_rules(int argc, char **argv);
int scd_cli_version(int argc, char **argv);

/* Dispatches to the above; --help and --version. */
int scd_cli_main(int argc, char **argv);

#endif
