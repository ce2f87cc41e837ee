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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_point__numbers_are_gvisors),
		cmocka_unit_test(test_point_name__is_unknown_for_what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
