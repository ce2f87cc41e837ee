/*
 * Which event a message is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "seccheckd/decode/decode.h"

static void test_decode_kind__of_a_point(void **state)
{
	static const struct {
		const char *name;
		unsigned point;
		uint64_t sysno;
		bool has_exit;
		int64_t errorno;
		unsigned kind;
	} rows[] = {
		{ "a container's start", SCD_POINT_CONTAINER_START, 0, false, 0, SCD_KIND_EXECVE },
		{ "a loaded image", SCD_POINT_SENTRY_EXEC, 0, false, 0, SCD_KIND_EXECVE },
		{ "a created task", SCD_POINT_SENTRY_CLONE, 0, false, 0, SCD_KIND_CLONE },
		{ "the end of a task", SCD_POINT_SENTRY_TASK_EXIT, 0, false, 0, SCD_KIND_PROCEXIT },
		{ "the parent is told", SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT, 0, false, 0, SCD_KIND_NONE },
		{ "an executable mapping", SCD_POINT_SENTRY_MMAP, 0, false, 0, 9 },
		{ "openat's enter", SCD_POINT_SYSCALL_OPEN, 257, false, 0, SCD_KIND_NONE },
		{ "openat's exit", SCD_POINT_SYSCALL_OPEN, 257, true, 0, SCD_KIND_OPENAT },
		{ "a failed openat's exit", SCD_POINT_SYSCALL_OPEN, 257, true, 2, SCD_KIND_OPENAT },
		{ "open's exit", SCD_POINT_SYSCALL_OPEN, 2, true, 0, SCD_KIND_OPEN },
		{ "creat's exit", SCD_POINT_SYSCALL_OPEN, 85, true, 0, SCD_KIND_CREAT },
		{ "open without its number", SCD_POINT_SYSCALL_OPEN, 0, true, 0, SCD_KIND_OPENAT },
		{ "read", SCD_POINT_SYSCALL_READ, 0, true, 0, SCD_KIND_READ },
		{ "pread", SCD_POINT_SYSCALL_READ, 17, true, 0, 17 },
		{ "connect without its number", SCD_POINT_SYSCALL_CONNECT, 0, true, 0, SCD_KIND_CONNECT },
		{ "connect with a number that is none", SCD_POINT_SYSCALL_CONNECT, 400, true, 0, SCD_KIND_CONNECT },
		{ "connect with a huge number", SCD_POINT_SYSCALL_CONNECT, UINT64_MAX, true, 0, SCD_KIND_CONNECT },
		{ "connect with the number of procexit", SCD_POINT_SYSCALL_CONNECT, SCD_KIND_PROCEXIT, true, 0,
		  SCD_KIND_CONNECT },
		{ "read with the number of open", SCD_POINT_SYSCALL_READ, 2, true, 0, SCD_KIND_READ },
		{ "an arm64 openat", SCD_POINT_SYSCALL_OPEN, 56, true, 0, SCD_KIND_OPENAT },
		{ "pwritev2", SCD_POINT_SYSCALL_WRITE, 328, true, 0, 328 },
		{ "dup3", SCD_POINT_SYSCALL_DUP, 292, true, 0, 292 },
		{ "execve's enter", SCD_POINT_SYSCALL_EXECVE, 59, false, 0, SCD_KIND_NONE },
		{ "an execve that may yet fail", SCD_POINT_SYSCALL_EXECVE, 59, true, 0, SCD_KIND_NONE },
		{ "an execve that failed", SCD_POINT_SYSCALL_EXECVE, 59, true, 14, SCD_KIND_EXECVE },
		{ "an execve that failed, without its number", SCD_POINT_SYSCALL_EXECVE, 0, true, 14, SCD_KIND_EXECVE },
		{ "an execveat that may yet fail", SCD_POINT_SYSCALL_EXECVE, 322, true, 0, SCD_KIND_NONE },
		{ "an execveat that failed", SCD_POINT_SYSCALL_EXECVE, 322, true, 2, SCD_KIND_EXECVEAT },
		{ "a raw enter", SCD_POINT_SYSCALL_RAW, 157, false, 0, SCD_KIND_NONE },
		{ "a raw exit", SCD_POINT_SYSCALL_RAW, 157, true, 0, 157 },
		{ "a raw exit of read", SCD_POINT_SYSCALL_RAW, 0, true, 0, SCD_KIND_READ },
		{ "a raw exit without a name", SCD_POINT_SYSCALL_RAW, 400, true, 0, SCD_KIND_NONE },
		{ "a raw exit of a number that is none", SCD_POINT_SYSCALL_RAW, UINT64_MAX, true, 0, SCD_KIND_NONE },
		{ "a raw exit with the number of procexit", SCD_POINT_SYSCALL_RAW, SCD_KIND_PROCEXIT, true, 0,
		  SCD_KIND_NONE },
		{ "a raw exit of execve that may yet fail", SCD_POINT_SYSCALL_RAW, 59, true, 0, SCD_KIND_NONE },
		{ "a raw exit of execve that failed", SCD_POINT_SYSCALL_RAW, 59, true, 2, SCD_KIND_NONE },
		{ "a raw exit of connect", SCD_POINT_SYSCALL_RAW, 42, true, 0, SCD_KIND_NONE },
		{ "a point that is none", SCD_POINT_UNKNOWN, 1, true, 0, SCD_KIND_NONE },
		{ "a point of a newer runsc", SCD_POINT_COUNT, 1, true, 0, SCD_KIND_NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned kind = scd_decode_kind(rows[i].point, rows[i].sysno, rows[i].has_exit, rows[i].errorno);

		if (kind != rows[i].kind)
			fail_msg("%s: %u", rows[i].name, kind);
	}
}

/* Every system call point without a number is the call it is named after; syscall/setid is named after none. */
static void test_decode_kind__of_a_point_without_a_number_is_its_name(void **state)
{
	(void)state;
	for (unsigned point = SCD_POINT_SYSCALL_OPEN; point < SCD_POINT_COUNT; point++) {
		struct scd_str name = scd_str_from(scd_point_name(point)), kind;

		if (!scd_str_starts_with(name, SCD_STR("syscall/")) || point == SCD_POINT_SYSCALL_SETID ||
		    point == SCD_POINT_SYSCALL_SETRESID)
			continue;
		if (point == SCD_POINT_SYSCALL_PRLIMIT64)
			name = SCD_STR("syscall/prlimit");
		kind = scd_kind_name(scd_decode_kind(point, 0, true, 1));
		if (!scd_str_eq(kind, scd_str_basename(name)))
			fail_msg("%s is " SCD_STR_FMT, scd_point_name(point), SCD_STR_ARG(kind));
	}
	assert_true(scd_str_is(scd_kind_name(scd_decode_kind(SCD_POINT_SYSCALL_SETID, 0, true, 0)), "setuid"));
	assert_true(scd_str_is(scd_kind_name(scd_decode_kind(SCD_POINT_SYSCALL_SETRESID, 0, true, 0)), "setresuid"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_kind__of_a_point),
		cmocka_unit_test(test_decode_kind__of_a_point_without_a_number_is_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
