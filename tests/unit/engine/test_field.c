/*
 * The table of fields: what every row must have, how names with arguments are resolved, and that it is Falco's.
 */
#include "field_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define FALCO_TYPES SCD_SOURCE_DIR "/../shared/falco/field_types.tsv"

static bool is_line(const char *doc)
{
	size_t len = strlen(doc);
	return len > 8 && len < 110 && doc[len - 1] == '.' && !strchr(doc, '\n');
}

static void test_rows__are_complete(void **state)
{
	(void)state;
	assert_true(scd_field_count() > 280);
	for (size_t i = 0; i < scd_field_count(); i++) {
		const struct scd_field *field = scd_field_at(i);
		const char *name = field->name.data;
		if (!strchr(name, '.') || scd_field_find(field->name) != field)
			fail_msg("%s is not found by its name", name);
		if (!strchr("DSEX", field->class) || !field->class)
			fail_msg("%s has class '%c'", name, field->class);
		if (field->type >= SCD_TYPE_COUNT)
			fail_msg("%s has no type", name);
		if (!is_line(field->doc))
			fail_msg("%s: no line of documentation: %s", name, field->doc);
	}
}

static void test_flags__are_consistent(void **state)
{
	(void)state;
	for (size_t i = 0; i < scd_field_count(); i++) {
		const struct scd_field *field = scd_field_at(i);
		bool allowed = field->flags & SCD_FIELD_ARG_ALLOWED, required = field->flags & SCD_FIELD_ARG_REQUIRED;
		bool takes = allowed || required;
		if (allowed && required)
			fail_msg("%s: an argument is either allowed or required", field->name.data);
		if ((field->flags & SCD_FIELD_ARG_INDEX) && !takes)
			fail_msg("%s: form of an argument without one", field->name.data);
		if ((field->flags & SCD_FIELD_SHOWS_SELF) && !(field->flags & SCD_FIELD_ANY_OF))
			fail_msg("%s shows itself in place of what?", field->name.data);
		if ((field->flags & SCD_FIELD_FILTER_ONLY) && !(field->flags & SCD_FIELD_NO_RHS))
			fail_msg("%s: filter only, but allowed on the right", field->name.data);
	}
}

/* Falco's table. */

struct falco_row {
	char *column[11];
};

static bool split_row(char *line, struct falco_row *row)
{
	size_t count = 0;
	for (char *at = line; at && count < 11; count++) {
		row->column[count] = at;
		at = strpbrk(at, "\t\n");
		if (at)
			*at++ = '\0';
	}
	return count == 11;
}

static unsigned flag_if(const char *column, const char *word, unsigned flag)
{
	return strcmp(column, word) == 0 ? flag : 0;
}

static unsigned flags_of(const struct falco_row *row)
{
	return flag_if(row->column[2], "yes", SCD_FIELD_LIST) |
	       flag_if(row->column[3], "allowed", SCD_FIELD_ARG_ALLOWED) |
	       flag_if(row->column[3], "required", SCD_FIELD_ARG_REQUIRED) |
	       flag_if(row->column[5], "yes", SCD_FIELD_FILTER_ONLY) |
	       flag_if(row->column[6], "yes", SCD_FIELD_NO_RHS) |
	       flag_if(row->column[7], "yes", SCD_FIELD_NO_TRANSFORMER) |
	       flag_if(row->column[8], "yes", SCD_FIELD_DEPRECATED);
}

/* True when the row was a field; the three rows called NA are how Falco keeps literals, and no fields. */
static bool check_falco_row(const struct falco_row *row)
{
	const unsigned compared = SCD_FIELD_LIST | SCD_FIELD_ARG_ALLOWED | SCD_FIELD_ARG_REQUIRED |
	                          SCD_FIELD_FILTER_ONLY | SCD_FIELD_NO_RHS | SCD_FIELD_NO_TRANSFORMER |
	                          SCD_FIELD_DEPRECATED;
	if (strcmp(row->column[0], "NA") == 0)
		return false;
	const struct scd_field *field = scd_field_find(scd_str_from(row->column[0]));
	if (!field)
		fail_msg("%s is missing", row->column[0]);
	assert_string_equal(scd_type_name(field->type), row->column[1]);
	if ((field->flags & compared) != flags_of(row))
		fail_msg("%s has flags %#x, expected %#x", row->column[0], field->flags & compared, flags_of(row));
	return true;
}

/* evt.is_truncated */
#define OWN_FIELDS 1

static void test_rows__are_those_of_falco(void **state)
{
	(void)state;
	FILE *file = fopen(FALCO_TYPES, "r");
	if (!file) {
		print_message("skipped: there is no %s\n", FALCO_TYPES);
		skip();
	}
	char line[1024];
	size_t count = 0;
	struct falco_row row;
	assert_non_null(fgets(line, sizeof(line), file));
	while (fgets(line, sizeof(line), file)) {
		assert_true(split_row(line, &row));
		count += check_falco_row(&row);
	}
	fclose(file);
	assert_int_equal(count + OWN_FIELDS, scd_field_count());
}

/* Resolution. */

struct resolve_row {
	const char *name;
	const char *arg; /* in brackets; NULL: none */
	const char *field;
	const char *arg_text; /* NULL: none */
	bool is_number;
};

static void test_resolve__finds_fields_with_their_arguments(void **state)
{
	(void)state;
	static const struct resolve_row rows[] = {
		{ "proc.name", NULL, "proc.name", NULL, false },
		{ "evt.type", NULL, "evt.type", NULL, false },
		{ "proc.aname", NULL, "proc.aname", NULL, false },
		{ "proc.aname", "2", "proc.aname", "2", true },
		{ "proc.args", "0", "proc.args", "0", true },
		{ "proc.env", NULL, "proc.env", NULL, false },
		{ "proc.env", "HOME", "proc.env", "HOME", false },
		{ "proc.aenv", "3", "proc.aenv", "3", true },
		{ "evt.arg", "0", "evt.arg", "0", true },
		{ "evt.arg.path", NULL, "evt.arg", "path", false },
		{ "evt.arg.res_or_fd", NULL, "evt.arg", "res_or_fd", false },
		{ "evt.rawarg.flags", NULL, "evt.rawarg", "flags", false },
		{ "evt.type.is.openat", NULL, "evt.type.is", "openat", false },
		{ "evt.abspath", NULL, "evt.abspath", NULL, false },
		{ "evt.abspath.src", NULL, "evt.abspath", "src", false },
		{ "thread.cgroup.cpuacct", NULL, "thread.cgroup", "cpuacct", false },
		{ "thread.cgroups", NULL, "thread.cgroups", NULL, false },
		{ "container.mount.dest", "/proc*", "container.mount.dest", "/proc*", false },
		{ "k8s.ns.label", "app", "k8s.ns.label", "app", false },
		{ "fd.types", NULL, "fd.types", NULL, false },
		{ "fd.types", "3", "fd.types", "3", true },
		{ "evt.around", "1404996934793590564", "evt.around", "1404996934793590564", true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_field_use use;
		struct scd_error err = { 0 };
		int result = scd_field_resolve(scd_str_from(rows[i].name), rows[i].arg != NULL,
		                               scd_str_from(rows[i].arg), &use, &err);
		if (result != 0)
			fail_msg("%s[%s]: %s", rows[i].name, rows[i].arg ? rows[i].arg : "", err.what);
		assert_true(scd_str_is(use.field->name, rows[i].field));
		assert_int_equal(use.arg.present, rows[i].arg_text != NULL);
		assert_true(scd_str_eq(use.arg.text, scd_str_from(rows[i].arg_text)));
		assert_int_equal(use.arg.is_number, rows[i].is_number);
		if (use.arg.is_number)
			assert_int_equal(use.arg.number, strtoull(rows[i].arg_text, NULL, 10));
	}
}

static void test_resolve__any_of_is_for_fields_without_argument(void **state)
{
	(void)state;
	assert_true(field_use("proc.aname").is_any_of);
	assert_true(field_use("fd.ip").is_any_of);
	assert_true(field_use("proc.aenv").is_any_of);
	assert_false(field_use("proc.aname[1]").is_any_of);
	assert_false(field_use("proc.aenv[HOME]").is_any_of);
	assert_false(field_use("proc.aargs").is_any_of);
	assert_false(field_use("proc.name").is_any_of);
}

static void test_resolve__rawarg_has_the_type_of_its_parameter(void **state)
{
	(void)state;
	static const struct {
		const char *field;
		enum scd_type type;
	} rows[] = {
		{ "evt.rawarg.res", SCD_TYPE_INT64 },
		{ "evt.rawarg.flags", SCD_TYPE_UINT32 },
		{ "evt.rawarg.uid", SCD_TYPE_UINT32 },
		{ "evt.rawarg.pgid", SCD_TYPE_INT64 },
		{ "evt.rawarg.exe_ino_ctime", SCD_TYPE_ABSTIME },
		{ "evt.rawarg.trusted_exepath", SCD_TYPE_PATH },
		{ "evt.rawarg.cap_inheritable", SCD_TYPE_UINT64 },
		{ "evt.rawarg.args", SCD_TYPE_BYTES },
		{ "evt.rawarg.comm", SCD_TYPE_STRING },
		{ "evt.arg.flags", SCD_TYPE_STRING },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (field_use(rows[i].field).type != rows[i].type)
			fail_msg("%s is %s", rows[i].field, scd_type_name(field_use(rows[i].field).type));
}

static void test_resolve__refuses_with_a_reason(void **state)
{
	(void)state;
	static const struct {
		const char *name, *arg;
		int code;
		const char *why;
	} rows[] = {
		{ "proc.nam", NULL, -ENOENT, "filter_check called with nonexistent field proc.nam" },
		{ "proc", NULL, -ENOENT, "filter_check called with nonexistent field proc" },
		{ "", NULL, -ENOENT, "filter_check called with nonexistent field " },
		{ ".", NULL, -ENOENT, "filter_check called with nonexistent field ." },
		{ "NA", NULL, -ENOENT, "filter_check called with nonexistent field NA" },
		{ "proc.name.x", NULL, -ENOENT, "filter_check called with nonexistent field proc.name.x" },
		{ "proc.aname.2", NULL, -ENOENT, "filter_check called with nonexistent field proc.aname.2" },
		{ "proc.name", "1", -EINVAL, "the field 'proc.name' takes no argument in brackets" },
		{ "proc.aname", "x", -EINVAL, "the argument of 'proc.aname' is a number, and not 'x'" },
		{ "proc.aname", "-1", -EINVAL, "the argument of 'proc.aname' is a number, and not '-1'" },
		{ "proc.aname", "99999999999999999999", -EINVAL,
		  "the argument of 'proc.aname' is a number, and not "
		  "'99999999999999999999'" },
		{ "evt.arg", NULL, -EINVAL, "the field 'evt.arg' requires an argument" },
		{ "evt.arg", "a", -EINVAL, "the argument of 'evt.arg' is a number, and not 'a'" },
		{ "evt.arg.nosuch", NULL, -EINVAL, "unknown event argument nosuch" },
		{ "evt.arg.", NULL, -EINVAL, "unknown event argument " },
		{ "evt.arg.path", "1", -ENOENT, "filter_check called with nonexistent field evt.arg.path" },
		{ "evt.rawarg", "0", -EINVAL, "the field 'evt.rawarg' takes no argument in brackets" },
		{ "evt.type.is", NULL, -EINVAL, "the field 'evt.type.is' requires an argument" },
		{ "evt.type.is.nosuch", NULL, -ENOENT, "unknown event type nosuch" },
		{ "evt.abspath.up", NULL, -EINVAL, "evt.abspath has no 'up': it is src or dst" },
		{ "evt.around", NULL, -EINVAL, "the field 'evt.around' requires an argument" },
		{ "container.mount", NULL, -EINVAL, "the field 'container.mount' requires an argument" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_field_use use = { 0 };
		struct scd_error err = { 0 };
		int result = scd_field_resolve(scd_str_from(rows[i].name), rows[i].arg != NULL,
		                               scd_str_from(rows[i].arg), &use, &err);
		assert_int_equal(result, rows[i].code);
		assert_string_equal(err.what, rows[i].why);
		assert_null(use.field);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows__are_complete),
		cmocka_unit_test(test_flags__are_consistent),
		cmocka_unit_test(test_rows__are_those_of_falco),
		cmocka_unit_test(test_resolve__finds_fields_with_their_arguments),
		cmocka_unit_test(test_resolve__any_of_is_for_fields_without_argument),
		cmocka_unit_test(test_resolve__rawarg_has_the_type_of_its_parameter),
		cmocka_unit_test(test_resolve__refuses_with_a_reason),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
