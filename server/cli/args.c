/*
 * Arguments of one command by getopt_long, with our own messages.
 */
#include "args.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "help.h"
#include "seccheckd/config/suggest.h"

/* What getopt_long returns for the flag of index i is FLAG_BASE + i; letters are below it. */
#define FLAG_BASE 256

static const struct scd__flag help_flag = { .name = "help", .letter = 'h', .help = "Print this text." };

/* The flags of a command as getopt_long wants them. The last one is --help. */
struct parser {
	const struct scd__command *command;
	struct option options[SCD__FLAG_MAX + 1];
	char letters[2 * SCD__FLAG_MAX + 2];
};

static const struct scd__flag *flag_at(const struct scd__command *command, size_t i)
{
	return i < command->flag_count ? &command->flags[i] : &help_flag;
}

static void parser_init(struct parser *parser, const struct scd__command *command)
{
	char *letter = parser->letters;

	memset(parser, 0, sizeof(*parser));
	parser->command = command;
	*letter++ = ':'; /* silence, and ':' for a missing value */
	for (size_t i = 0; i <= command->flag_count; i++) {
		const struct scd__flag *flag = flag_at(command, i);

		parser->options[i] = (struct option){
			.name = flag->name,
			.has_arg = flag->value ? required_argument : no_argument,
			.val = FLAG_BASE + (int)i,
		};
		if (flag->letter)
			*letter++ = flag->letter;
		if (flag->letter && flag->value)
			*letter++ = ':';
	}
}

/* The flag that getopt_long means by a letter or by FLAG_BASE + i; NULL for an unknown letter. */
static const struct scd__flag *find(const struct scd__command *command, int value)
{
	if (value >= FLAG_BASE)
		return flag_at(command, (size_t)(value - FLAG_BASE));
	for (size_t i = 0; i <= command->flag_count; i++) {
		if (flag_at(command, i)->letter == value)
			return flag_at(command, i);
	}
	return NULL;
}

int scd__args_usage_error(const struct scd__command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "seccheckd %s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\ntry 'seccheckd %s --help'\n", command->name);
	return SCD__EXIT_USAGE;
}

/* The n-th flag whose name begins so, or NULL. */
static const char *beginning(const struct scd__command *command, struct scd_str start, size_t n)
{
	for (size_t i = 0; i <= command->flag_count; i++) {
		const char *name = flag_at(command, i)->name;

		if (scd_str_starts_with(scd_str_from(name), start) && n-- == 0)
			return name;
	}
	return NULL;
}

/* `text` is the argument as given: --NAME, --NAME=VALUE, or the start of several names. */
static int unknown_name(const struct scd__command *command, const char *text)
{
	struct scd_str name = { text + 2, strcspn(text + 2, "=") };
	const char *names[SCD__FLAG_MAX];
	const char *nearest;

	if (beginning(command, name, 1))
		return scd__args_usage_error(command, "ambiguous option '--" SCD_STR_FMT "': '--%s' or '--%s'?",
		                             SCD_STR_ARG(name), beginning(command, name, 0),
		                             beginning(command, name, 1));
	for (size_t i = 0; i <= command->flag_count; i++)
		names[i] = flag_at(command, i)->name;
	nearest = scd_suggest_nearest(name, names, command->flag_count + 1);
	if (nearest)
		return scd__args_usage_error(command, "unknown option '--" SCD_STR_FMT "', did you mean '--%s'?",
		                             SCD_STR_ARG(name), nearest);
	return scd__args_usage_error(command, "unknown option '--" SCD_STR_FMT "'", SCD_STR_ARG(name));
}

/* Says why getopt_long returned '?' or ':'. */
static int refuse(const struct scd__command *command, int result, const char *argument)
{
	const struct scd__flag *flag = optopt ? find(command, optopt) : NULL;

	if (!optopt)
		return unknown_name(command, argument);
	if (!flag)
		return scd__args_usage_error(command, "unknown option '-%c'", optopt);
	if (result == ':')
		return scd__args_usage_error(command, "--%s needs a %s", flag->name, flag->value);
	return scd__args_usage_error(command, "--%s takes no value", flag->name);
}

/* One flag into args. True: go on. */
static bool take(struct scd__args *args, const struct scd__flag *flag, int *ret_status)
{
	if (flag == &help_flag) {
		*ret_status = scd__help_command(args->command, &help_flag);
		return false;
	}
	if (flag->value && !*optarg) {
		*ret_status = scd__args_usage_error(args->command, "--%s needs a %s, not an empty text", flag->name,
		                                    flag->value);
		return false;
	}
	args->items[args->count++] = (struct scd__arg){ flag, flag->value ? optarg : NULL };
	return true;
}

static bool take_operands(struct scd__args *args, int argc, char **argv, int *ret_status)
{
	const struct scd__command *command = args->command;

	args->operands = argv + optind;
	args->operand_count = (size_t)(argc - optind);
	if (!command->operands && args->operand_count > 0)
		*ret_status = scd__args_usage_error(command, "unexpected argument '%s'", args->operands[0]);
	else if (args->operand_count < command->operands_min)
		*ret_status = scd__args_usage_error(command, "%s is missing", command->operands);
	else
		return true;
	return false;
}

static bool parse(const struct parser *parser, int argc, char **argv, struct scd__args *args, int *ret_status)
{
	int result;

	optind = 0; /* glibc: begin anew */
	while ((result = getopt_long(argc, argv, parser->letters, parser->options, NULL)) != -1) {
		if (result == '?' || result == ':') {
			*ret_status = refuse(parser->command, result, argv[optind - 1]);
			return false;
		}
		if (!take(args, find(parser->command, result), ret_status))
			return false;
	}
	return take_operands(args, argc, argv, ret_status);
}

/* At least as many as flags can be in argv: every letter may be one. */
static size_t flag_count_max(int argc, char **argv)
{
	size_t count = 1;

	for (int i = 0; i < argc; i++)
		count += strlen(argv[i]);
	return count;
}

bool scd__args_parse(const struct scd__command *command, int argc, char **argv, struct scd__args *ret_args,
                     int *ret_status)
{
	struct scd__args args = { .command = command };
	struct parser parser;

	args.items = calloc(flag_count_max(argc, argv), sizeof(*args.items));
	if (!args.items) {
		fprintf(stderr, "seccheckd %s: out of memory\n", command->name);
		*ret_status = SCD__EXIT_FAILURE;
		return false;
	}
	parser_init(&parser, command);
	if (!parse(&parser, argc, argv, &args, ret_status)) {
		scd__args_done(&args);
		return false;
	}
	*ret_args = args;
	return true;
}

void scd__args_done(struct scd__args *args)
{
	free(args->items);
	args->items = NULL;
	args->count = 0;
}

bool scd__args_has(const struct scd__args *args, const char *name)
{
	for (size_t i = 0; i < args->count; i++) {
		if (strcmp(args->items[i].flag->name, name) == 0)
			return true;
	}
	return false;
}

const char *scd__args_value(const struct scd__args *args, const char *name)
{
	for (size_t i = args->count; i > 0; i--) {
		if (strcmp(args->items[i - 1].flag->name, name) == 0)
			return args->items[i - 1].value;
	}
	return NULL;
}
