/*
 * docs/fields.md and docs/rules.md against the tables of fields, event types and points, and against
 * docker/session.json.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/decode/decode.h"
#include "seccheckd/engine/field.h"

#define FIELDS  SCD_SOURCE_DIR "/docs/fields.md"
#define RULES   SCD_SOURCE_DIR "/docs/rules.md"
#define SESSION SCD_SOURCE_DIR "/docker/session.json"

static char document[1 << 17], session[1 << 16];

static void read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t len;

	if (!file)
		fail_msg("cannot open %s", path);
	len = fread(text, 1, size - 1, file);
	assert_true(len > 0 && len < size - 1);
	text[len] = '\0';
	fclose(file);
}

/* What the document says about where a field's value comes from. */
static const char *provided(const struct scd_field *field)
{
	if (field->class == 'X')
		return "never";
	if (!field->get)
		return "not yet";
	return field->class == 'S' ? "with state" : "yes";
}

static const char *argument(const struct scd_field *field)
{
	return field->flags & SCD_FIELD_ARG_REQUIRED  ? "required"
	       : field->flags & SCD_FIELD_ARG_ALLOWED ? "allowed"
	                                              : "";
}

static void test_fields__are_all_in_the_manual_as_they_are(void **state)
{
	size_t missing = 0;

	(void)state;
	read_file(FIELDS, document, sizeof(document));
	for (size_t i = 0; i < scd_field_count(); i++) {
		const struct scd_field *field = scd_field_at(i);
		char row[512];

		snprintf(row, sizeof(row), "\n| `" SCD_STR_FMT "` | %s | %s | %s | %s |\n", SCD_STR_ARG(field->name),
		         scd_type_name(field->type), argument(field), provided(field), field->doc);
		if (strstr(document, row))
			continue;
		print_message("missing:%s", row);
		missing++;
	}
	assert_int_equal(missing, 0);
}

/* Rows begin with a field in code; the table of words does not. */
static void test_manual__has_no_other_field(void **state)
{
	(void)state;
	read_file(FIELDS, document, sizeof(document));
	for (const char *at = document; (at = strstr(at, "\n| `")); at++) {
		struct scd_str name = { at + 4, strcspn(at + 4, "`") };

		if (!scd_field_find(name))
			fail_msg("there is no field " SCD_STR_FMT, SCD_STR_ARG(name));
	}
}

/* The row of the table of points that has an event type in its first column and a point in its second; NULL: none. */
static const char *find_row(struct scd_str kind, const char *point)
{
	char quoted_kind[64], quoted_point[96];

	snprintf(quoted_kind, sizeof(quoted_kind), "`" SCD_STR_FMT "`", SCD_STR_ARG(kind));
	snprintf(quoted_point, sizeof(quoted_point), "`%s`", point);
	for (const char *row = document; (row = strstr(row, "\n| `")); row++) {
		const char *second = strchr(row + 3, '|'), *end = strchr(row + 1, '\n');
		const char *kind_at = strstr(row, quoted_kind), *point_at = strstr(row, quoted_point);

		if (second && end && kind_at && kind_at < second && point_at && point_at > second && point_at < end)
			return row;
	}
	return NULL;
}

static bool row_says(const char *row, const char *word)
{
	const char *at = strstr(row, word), *end = strchr(row + 1, '\n');

	return at && at < end;
}

static void check_point(struct scd_str kind, const char *point)
{
	const char *row = find_row(kind, point);
	char quoted[96];
	bool in_session;

	if (!row) {
		fail_msg("no row has %s for " SCD_STR_FMT, point, SCD_STR_ARG(kind));
		return;
	}
	snprintf(quoted, sizeof(quoted), "\"%s\"", point);
	in_session = strstr(session, quoted) != NULL;
	if (row_says(row, "| yes |") != in_session || row_says(row, "| no |") == in_session)
		fail_msg("%s is %s the sample session, its row says otherwise", point, in_session ? "in" : "not in");
}

/* gVisor has Linux's name of a call, Falco its own for three of them. */
static const char *call_of(struct scd_str kind)
{
	static const char *const others[] = { "pread", "pwrite", "prlimit" };
	static char name[64];
	const char *end = "";

	for (size_t i = 0; i < SCD_COUNT(others); i++) {
		if (scd_str_is(kind, others[i]))
			end = "64";
	}
	snprintf(name, sizeof(name), SCD_STR_FMT "%s", SCD_STR_ARG(kind), end);
	return name;
}

/* An exit point with an error, so that failed execs are events too. */
static void check_calls(unsigned point)
{
	for (unsigned sysno = 0; sysno < SCD_KIND_SYSCALL_COUNT; sysno++) {
		char name[96];

		if (scd_decode_kind(point, sysno, true, 1) != sysno)
			continue;
		snprintf(name, sizeof(name), "syscall/%s/exit", call_of(scd_kind_name(sysno)));
		check_point(scd_kind_name(sysno), name);
	}
}

static void test_points__of_every_event_type_are_in_the_manual(void **state)
{
	static const unsigned others[] = { SCD_POINT_CONTAINER_START, SCD_POINT_SENTRY_CLONE, SCD_POINT_SENTRY_EXEC,
		                           SCD_POINT_SENTRY_TASK_EXIT, SCD_POINT_SENTRY_MMAP };

	(void)state;
	read_file(RULES, document, sizeof(document));
	read_file(SESSION, session, sizeof(session));
	for (size_t i = 0; i < SCD_COUNT(others); i++)
		check_point(scd_kind_name(scd_decode_kind(others[i], 0, false, 0)), scd_point_name(others[i]));
	for (unsigned point = SCD_POINT_SYSCALL_OPEN; point < SCD_POINT_COUNT; point++) {
		if (point != SCD_POINT_SENTRY_MMAP)
			check_calls(point);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields__are_all_in_the_manual_as_they_are),
		cmocka_unit_test(test_manual__has_no_other_field),
		cmocka_unit_test(test_points__of_every_event_type_are_in_the_manual),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
