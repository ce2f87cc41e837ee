/*
 * Command lines from tables: one table of flags per command gives the parsing, the messages and the text of --help.
 */
#ifndef SCD_SERVER_CLI_ARGS_H
#define SCD_SERVER_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

/* Exit statuses of every command. */
enum { SCD__EXIT_SUCCESS = 0, SCD__EXIT_FAILURE = 1, SCD__EXIT_USAGE = 2 };

/* Flags of one command, --help included. */
#define SCD__FLAG_MAX 16

struct scd__flag {
	const char *name;  /* "rules" for --rules */
	char letter;       /* 'r' for -r; 0: none */
	const char *value; /* what stands for its value in the help; NULL: it takes none */
	const char *key;   /* the key of the configuration that it sets; NULL: the command looks for it itself */
	const char *help;  /* one sentence; NULL: that of the key */
};

struct scd__command {
	const char *name;
	const char *summary;  /* one sentence */
	const char *operands; /* "TRACE..."; NULL: takes none */
	size_t operands_min;
	const struct scd__flag *flags; /* --help comes by itself */
	size_t flag_count;
	const char *details;  /* a paragraph of the help behind the options; NULL: none */
	bool lists_keys;      /* the help lists the keys of the configuration file */
	const char *examples; /* whole lines */
};

/* A flag that was given. */
struct scd__arg {
	const struct scd__flag *flag;
	const char *value; /* NULL for one without */
};

/* Borrows from argv. */
struct scd__args {
	const struct scd__command *command;
	struct scd__arg *items; /* in the order given */
	size_t count;
	char **operands;
	size_t operand_count;
};

/*
 * Parses argv; argv[0] is the command's name. True: go on, and give the arguments to done. False: the command is
 * over, with *ret_status: help was printed, or what is wrong was said.
 */
bool scd__args_parse(const struct scd__command *command, int argc, char **argv, struct scd__args *ret_args,
                     int *ret_status);
void scd__args_done(struct scd__args *args);

bool scd__args_has(const struct scd__args *args, const char *name);

/* The last value of a flag, or NULL. */
const char *scd__args_value(const struct scd__args *args, const char *name);

/* `seccheckd COMMAND: MESSAGE` and where to find help, on standard error. Returns SCD__EXIT_USAGE. */
int scd__args_usage_error(const struct scd__command *command, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

#endif
