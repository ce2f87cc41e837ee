/*
 * Kinds: the names of all system calls, finding them, and sets.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "seccheckd/event/kind.h"

static const char *const unistd_paths[] = {
	"/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
	"/usr/include/asm/unistd_64.h",
};

/* Where Falco's name is not the kernel's. */
static const char *falco_name(const char *name)
{
	static const char *const renamed[][2] = {
		{ "pread64", "pread" },
		{ "pwrite64", "pwrite" },
		{ "prlimit64", "prlimit" },
	};

	for (size_t i = 0; i < sizeof(renamed) / sizeof(renamed[0]); i++) {
		if (strcmp(renamed[i][0], name) == 0)
			return renamed[i][1];
	}
	return name;
}

static FILE *open_unistd(void)
{
	for (size_t i = 0; i < sizeof(unistd_paths) / sizeof(unistd_paths[0]); i++) {
		FILE *file = fopen(unistd_paths[i], "r");

		if (file)
			return file;
	}
	return NULL;
}

static void test_kind_name__has_every_system_call_of_the_kernels_header(void **state)
{
	FILE *file = open_unistd();
	char line[256], name[64];
	unsigned number, count = 0;

	(void)state;
	if (!file) {
		print_message("skipped: no asm/unistd_64.h on this machine\n");
		skip();
	}
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "#define __NR_%63s %u", name, &number) != 2)
			continue;
		if (!scd_str_is(scd_kind_name(number), falco_name(name)))
			fail_msg("%u is %s", number, name);
		count++;
	}
	fclose(file);
	assert_true(count > 300);
}

static void test_kind_name__is_falcos(void **state)
{
	static const struct {
		unsigned kind;
		const char *name;
	} rows[] = {
		{ 0, "read" },
		{ 17, "pread" },
		{ 18, "pwrite" },
		{ SCD_KIND_OPEN, "open" },
		{ SCD_KIND_CONNECT, "connect" },
		{ SCD_KIND_CLONE, "clone" },
		{ SCD_KIND_EXECVE, "execve" },
		{ 60, "exit" },
		{ SCD_KIND_CREAT, "creat" },
		{ 231, "exit_group" },
		{ SCD_KIND_OPENAT, "openat" },
		{ 302, "prlimit" },
		{ SCD_KIND_EXECVEAT, "execveat" },
		{ 461, "lsm_list_modules" },
		{ SCD_KIND_PROCEXIT, "procexit" },
		{ SCD_KIND_HIDDEN, "hidden" },
		{ SCD_KIND_FOREIGN, "switch" },
		{ 400, "" },
		{ SCD_KIND_SYSCALL_COUNT - 1, "" },
		{ SCD_KIND_COUNT, "" },
		{ SCD_KIND_NONE, "" },
		{ UINT32_MAX, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!scd_str_is(scd_kind_name(rows[i].kind), rows[i].name))
			fail_msg("%u is not '%s'", rows[i].kind, rows[i].name);
	}
}

static void test_kind_find__is_the_inverse_of_the_name(void **state)
{
	unsigned named = 0;

	(void)state;
	for (unsigned kind = 0; kind < SCD_KIND_COUNT; kind++) {
		struct scd_str name = scd_kind_name(kind);

		if (name.len == 0)
			continue;
		named++;
		assert_int_equal(scd_kind_find(name, 0), kind);
		assert_int_equal(scd_kind_find(name, kind), kind);
		assert_int_equal(scd_kind_find(name, kind + 1), -ENOENT);
	}
	assert_true(named > 380);
}

static void test_kind_find__knows_names_that_never_happen_here(void **state)
{
	static const char *const names[] = { "switch", "container", "umount", "pread64", "prlimit64" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_in_range(scd_kind_find(scd_str_from(names[i]), 0), SCD_KIND_FOREIGN, SCD_KIND_COUNT - 1);
}

static void test_kind_find__refuses_what_is_no_name(void **state)
{
	static const char *const names[] = { "", "rea", "readd", "READ", "openat ", "zzz", "syscall_400" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(scd_kind_find(scd_str_from(names[i]), 0), -ENOENT);
}

static void test_kind_set__add_and_has(void **state)
{
	struct scd_kind_set set = { 0 };

	(void)state;
	assert_int_equal(scd_kind_set_count(&set), 0);
	scd_kind_set_add(&set, SCD_KIND_READ);
	scd_kind_set_add(&set, SCD_KIND_EXECVE);
	scd_kind_set_add(&set, SCD_KIND_COUNT - 1);
	scd_kind_set_add(&set, SCD_KIND_NONE);
	assert_int_equal(scd_kind_set_count(&set), 3);
	assert_true(scd_kind_set_has(&set, SCD_KIND_READ));
	assert_true(scd_kind_set_has(&set, SCD_KIND_COUNT - 1));
	assert_false(scd_kind_set_has(&set, SCD_KIND_OPEN));
	assert_false(scd_kind_set_has(&set, SCD_KIND_NONE));
}

static void test_kind_set__obeys_de_morgan(void **state)
{
	struct scd_kind_set a = { 0 }, b = { 0 }, left, right, not_b;

	(void)state;
	for (unsigned kind = 0; kind < 300; kind += 2)
		scd_kind_set_add(&a, kind);
	for (unsigned kind = 0; kind < 300; kind += 3)
		scd_kind_set_add(&b, kind);
	left = a;
	scd_kind_set_unite(&left, &b);
	assert_int_equal(scd_kind_set_count(&left), 150 + 100 - 50);
	scd_kind_set_invert(&left);
	right = a;
	scd_kind_set_invert(&right);
	not_b = b;
	scd_kind_set_invert(&not_b);
	scd_kind_set_intersect(&right, &not_b);
	assert_memory_equal(&left, &right, sizeof(left));
}

static void test_kind_set_invert__knows_only_kinds_with_a_name(void **state)
{
	struct scd_kind_set all, set = { 0 };

	(void)state;
	scd_kind_set_fill(&all);
	assert_false(scd_kind_set_has(&all, 400));
	assert_true(scd_kind_set_has(&all, SCD_KIND_PROCEXIT));
	scd_kind_set_invert(&set);
	assert_memory_equal(&set, &all, sizeof(set));
	scd_kind_set_invert(&set);
	assert_int_equal(scd_kind_set_count(&set), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kind_name__has_every_system_call_of_the_kernels_header),
		cmocka_unit_test(test_kind_name__is_falcos),
		cmocka_unit_test(test_kind_find__is_the_inverse_of_the_name),
		cmocka_unit_test(test_kind_find__knows_names_that_never_happen_here),
		cmocka_unit_test(test_kind_find__refuses_what_is_no_name),
		cmocka_unit_test(test_kind_set__add_and_has),
		cmocka_unit_test(test_kind_set__obeys_de_morgan),
		cmocka_unit_test(test_kind_set_invert__knows_only_kinds_with_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
