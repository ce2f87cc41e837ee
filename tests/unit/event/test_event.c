/*
 * Points: their numbers are those of gVisor's MessageType, and each has a name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gvisor/common.pb-c.h"
#include "seccheckd/event/event.h"

static void test_point__numbers_are_gvisors(void **state)
{
	(void)state;
#define X(number, id, name) assert_int_equal(SCD_POINT_##id, GVISOR__COMMON__MESSAGE_TYPE__MESSAGE_##id);
	SCD_POINT_TABLE(X)
#undef X
	assert_int_equal(gvisor__common__message_type__descriptor.n_values, SCD_POINT_COUNT);
}

static void test_point_name__is_unknown_for_what_is_none(void **state)
{
	(void)state;
	assert_string_equal(scd_point_name(SCD_POINT_SYSCALL_OPEN), "syscall/openat");
	assert_string_equal(scd_point_name(SCD_POINT_UNKNOWN), "unknown");
	assert_string_equal(scd_point_name(SCD_POINT_COUNT), "unknown");
	assert_string_equal(scd_point_name(UINT32_MAX), "unknown");
	for (unsigned point = 1; point < SCD_POINT_COUNT; point++)
		assert_string_not_equal(scd_point_name(point), "unknown");
}

static void test_event__is_from_memfd_by_flag_or_path(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		bool flag, expected;
	} rows[] = {
		{ "/usr/bin/ls", false, false },
		{ "/usr/bin/ls", true, true },
		{ "/memfd:x (deleted)", false, true },
		{ "/memfd: (deleted)", false, true },
		{ "/memfd:x", false, false },
		{ "/tmp/x (deleted)", false, false },
		{ "/tmp/memfd:x (deleted)", false, false },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_event event = { .point = SCD_POINT_SENTRY_EXEC };
		event.u.exec.binary_path = scd_str_from(rows[i].path);
		event.u.exec.binary_in_memfd = rows[i].flag;
		assert_int_equal(scd_event_is_from_memfd(&event), rows[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_point__numbers_are_gvisors),
		cmocka_unit_test(test_point_name__is_unknown_for_what_is_none),
		cmocka_unit_test(test_event__is_from_memfd_by_flag_or_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
