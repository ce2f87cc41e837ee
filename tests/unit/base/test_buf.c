/*
 * Growing buffers: the cap, the sticky failure, the NUL behind the text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/buf.h"

static void test_buf_append__keeps_every_byte_and_ends_with_nul(void **state)
{
	struct scd_buf buf;

	(void)state;
	scd_buf_init(&buf, 100000);
	for (int i = 0; i < 10000; i++) {
		scd_buf_append_char(&buf, (char)(i % 251));
		assert_int_equal(buf.data[buf.len], '\0');
	}
	scd_buf_append_str(&buf, SCD_STR("end"));
	assert_int_equal(scd_buf_str(&buf).len, 10003);
	for (int i = 0; i < 10000; i++)
		assert_int_equal((unsigned char)buf.data[i], i % 251);
	assert_string_equal(buf.data + 10000, "end");
	assert_false(buf.failed);
	scd_buf_done(&buf);
}

static void test_buf_append__of_nothing_makes_an_empty_text(void **state)
{
	struct scd_buf buf;

	(void)state;
	scd_buf_init(&buf, 0);
	assert_int_equal(scd_buf_str(&buf).len, 0);
	scd_buf_append(&buf, NULL, 0);
	assert_false(buf.failed);
	assert_string_equal(buf.data, "");
	scd_buf_done(&buf);
}

static void test_buf_append__past_the_cap_fails_for_good_and_keeps_what_was_there(void **state)
{
	struct scd_buf buf;

	(void)state;
	scd_buf_init(&buf, 5);
	scd_buf_append_str(&buf, SCD_STR("abc"));
	scd_buf_append_str(&buf, SCD_STR("def"));
	assert_true(buf.failed);
	scd_buf_append_char(&buf, 'x');
	scd_buf_printf(&buf, "%d", 1);
	assert_true(scd_str_is(scd_buf_str(&buf), "abc"));
	assert_string_equal(buf.data, "abc");
	scd_buf_reset(&buf);
	assert_false(buf.failed);
	scd_buf_append_str(&buf, SCD_STR("12345"));
	assert_true(scd_str_is(scd_buf_str(&buf), "12345"));
	assert_false(buf.failed);
	scd_buf_done(&buf);
}

static void test_buf_append__refuses_a_length_that_would_wrap(void **state)
{
	struct scd_buf buf;

	(void)state;
	scd_buf_init(&buf, SIZE_MAX);
	scd_buf_append_char(&buf, 'a');
	scd_buf_append(&buf, "never read", SIZE_MAX);
	assert_true(buf.failed);
	scd_buf_reset(&buf);
	scd_buf_append(&buf, "never read", SIZE_MAX);
	assert_true(buf.failed);
	scd_buf_done(&buf);
}

static void test_buf_printf__appends_and_respects_the_cap(void **state)
{
	struct scd_buf buf;

	(void)state;
	scd_buf_init(&buf, 1000);
	scd_buf_printf(&buf, "%s:", "port");
	scd_buf_printf(&buf, "%*d", 500, 7);
	assert_int_equal(buf.len, 505);
	assert_int_equal(buf.data[504], '7');
	assert_int_equal(buf.data[505], '\0');
	scd_buf_printf(&buf, "%*d", 500, 7);
	assert_true(buf.failed);
	assert_int_equal(buf.len, 505);
	scd_buf_done(&buf);
}

static void test_buf_take__hands_over_the_block_and_starts_anew(void **state)
{
	struct scd_buf buf;
	size_t len = 99;
	char *data;

	(void)state;
	scd_buf_init(&buf, 10);
	assert_null(scd_buf_take(&buf, &len));
	assert_int_equal(len, 99);
	scd_buf_append_str(&buf, SCD_STR("abc"));
	data = scd_buf_take(&buf, &len);
	assert_int_equal(len, 3);
	assert_string_equal(data, "abc");
	free(data);
	assert_null(buf.data);
	scd_buf_append_str(&buf, SCD_STR("de"));
	assert_true(scd_str_is(scd_buf_str(&buf), "de"));
	scd_buf_append_str(&buf, SCD_STR("longer than ten"));
	assert_null(scd_buf_take(&buf, &len));
	scd_buf_done(&buf);
}

static void test_buf_done__accepts_zero_bytes_and_a_second_call(void **state)
{
	struct scd_buf buf = { 0 };

	(void)state;
	scd_buf_done(&buf);
	scd_buf_reset(&buf);
	scd_buf_done(&buf);
	assert_null(buf.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_append__keeps_every_byte_and_ends_with_nul),
		cmocka_unit_test(test_buf_append__of_nothing_makes_an_empty_text),
		cmocka_unit_test(test_buf_append__past_the_cap_fails_for_good_and_keeps_what_was_there),
		cmocka_unit_test(test_buf_append__refuses_a_length_that_would_wrap),
		cmocka_unit_test(test_buf_printf__appends_and_respects_the_cap),
		cmocka_unit_test(test_buf_take__hands_over_the_block_and_starts_anew),
		cmocka_unit_test(test_buf_done__accepts_zero_bytes_and_a_second_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
