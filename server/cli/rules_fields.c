/*
 * `seccheckd rules fields`: every field that a rule may read.
 */
#include <stdio.h>

#include "rules_command.h"
#include "seccheckd/base/array.h"
#include "seccheckd/engine/field.h"
#include "stdout.h"

static const struct scd__flag flags[] = {
	{ .name = "json", .help = "Print one JSON array of objects with name, type, class, available, source, doc." },
};

static const struct scd__command command = {
	.name = "rules fields",
	.summary = "Prints the fields that rules can read, and where their values come from on gVisor.",
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.details =
	        "Classes: D from the message of the event itself; S from the state that earlier messages made; E from "
	        "what the host knows; X nothing tells. A minus behind the class: this version leaves the field "
	        "missing.",
	.examples =
	        "  seccheckd rules fields\n  seccheckd rules fields --json | jq -r '.[] | select(.class == \"D\") | "
	        ".name'\n",
};

/* Where the value of a class comes from. */
static const char *source_of(const struct scd_field *field)
{
	switch (field->class) {
	case 'D': return "the message of the event";
	case 'S': return "earlier messages of the sandbox: sentry/clone, sentry/execve, sentry/exit_notify_parent";
	case 'E': return "the host: container runtime, specification, users";
	default: return "nothing";
	}
}

static const char *argument_of(const struct scd_field *field)
{
	if (field->flags & SCD_FIELD_ARG_REQUIRED)
		return "required";
	return field->flags & SCD_FIELD_ARG_ALLOWED ? "allowed" : "none";
}

static json_t *field_json(const struct scd_field *field)
{
	const char class[] = { field->class, '\0' };

	return json_pack("{s:o, s:s, s:b, s:s, s:s, s:b, s:s, s:b, s:s}", "name", scd__json_text(field->name), "type",
	                 scd_type_name(field->type), "list", (field->flags & SCD_FIELD_LIST) != 0, "argument",
	                 argument_of(field), "class", class, "available", field->get != NULL, "source",
	                 source_of(field), "filter_only", (field->flags & SCD_FIELD_FILTER_ONLY) != 0, "doc",
	                 field->doc);
}

static int print_json(void)
{
	json_t *fields = json_array();

	for (size_t i = 0; i < scd_field_count(); i++)
		json_array_append_new(fields, field_json(scd_field_at(i)));
	return scd__json_print(fields);
}

static int print_text(void)
{
	for (size_t i = 0; i < scd_field_count(); i++) {
		const struct scd_field *field = scd_field_at(i);

		printf("%-32s %-10s %c%c  %s\n", field->name.data, scd_type_name(field->type), field->class,
		       field->get ? ' ' : '-', field->doc);
	}
	return scd__stdout_flush() ? SCD__EXIT_SUCCESS : SCD__EXIT_FAILURE;
}

int scd__rules_fields(int argc, char **argv)
{
	struct scd__args args;
	int status;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	status = scd__args_has(&args, "json") ? print_json() : print_text();
	scd__args_done(&args);
	return status;
}
