/*
 * Help texts: usage, options, keys of the configuration, details, examples; in 80 columns.
 */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "seccheckd/config/config.h"
#include "stdout.h"

#define COLUMNS     80
#define OPTION_TEXT 28 /* the column where what an option does begins */
#define KEY_TEXT    6

void scd__help_wrap(const char *text, int at, int indent)
{
	bool first = true;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (!first && at + 1 + len > COLUMNS) {
			printf("\n%*s", indent, "");
			at = indent;
		} else if (!first) {
			putchar(' ');
			at++;
		}
		first = false;
		at += printf("%.*s", len, text);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* `  -r, --rules PATH`, and what it does. */
static void print_flag(const struct scd__flag *flag)
{
	const char *text = flag->help ? flag->help : scd_config_option(flag->key)->doc;
	int at;

	if (flag->letter)
		at = printf("  -%c, ", flag->letter);
	else
		at = printf("      ");
	at += printf("--%s%s%s", flag->name, flag->value ? " " : "", flag->value ? flag->value : "");
	if (at + 2 > OPTION_TEXT) {
		putchar('\n');
		at = 0;
	}
	printf("%*s", OPTION_TEXT - at, "");
	scd__help_wrap(text, OPTION_TEXT, OPTION_TEXT);
}

static void print_key(const struct scd_config_option *option)
{
	char values[256], line[512];

	scd_config_describe(option, values, sizeof(values));
	snprintf(line, sizeof(line), "%s: %s%s%s", option->path, values, option->initial ? "; default: " : "",
	         option->initial ? option->initial : "");
	printf("  ");
	scd__help_wrap(line, 2, KEY_TEXT);
	printf("%*s", KEY_TEXT, "");
	scd__help_wrap(option->doc, KEY_TEXT, KEY_TEXT);
}

static void print_keys(void)
{
	size_t count;
	const struct scd_config_option *options = scd_config_options(&count);

	printf("\nKeys of the configuration file:\n");
	for (size_t i = 0; i < count; i++)
		print_key(&options[i]);
}

int scd__help_command(const struct scd__command *command, const struct scd__flag *last)
{
	printf("usage: seccheckd %s [OPTION]...%s%s\n\n", command->name, command->operands ? " " : "",
	       command->operands ? command->operands : "");
	scd__help_wrap(command->summary, 0, 0);
	printf("\nOptions:\n");
	for (size_t i = 0; i < command->flag_count; i++)
		print_flag(&command->flags[i]);
	print_flag(last);
	if (command->details) {
		putchar('\n');
		scd__help_wrap(command->details, 0, 0);
	}
	if (command->lists_keys)
		print_keys();
	printf("\nExamples:\n%s", command->examples);
	return scd__stdout_flush() ? SCD__EXIT_SUCCESS : SCD__EXIT_FAILURE;
}
