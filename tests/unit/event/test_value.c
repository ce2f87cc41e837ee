/*
 * Types and addresses: classes of types, text to address and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "seccheckd/event/value.h"

static void test_type_name__is_falcos(void **state)
{
	(void)state;
	assert_string_equal(scd_type_name(SCD_TYPE_BOOL), "BOOL");
	assert_string_equal(scd_type_name(SCD_TYPE_STRING), "CHARBUF");
	assert_string_equal(scd_type_name(SCD_TYPE_PATH), "FSPATH");
	assert_string_equal(scd_type_name(SCD_TYPE_BYTES), "BYTEBUF");
	assert_string_equal(scd_type_name(SCD_TYPE_DYN), "DYN");
}

/* Each type has at most one class, and these have one. */
static void test_type__classes_do_not_overlap(void **state)
{
	unsigned signed_count = 0, unsigned_count = 0, text_count = 0;

	(void)state;
	for (unsigned i = 0; i < SCD_TYPE_COUNT; i++) {
		enum scd_type type = (enum scd_type)i;
		bool is_signed = scd_type_is_signed(type), is_unsigned = scd_type_is_unsigned(type);
		bool is_text = scd_type_is_text(type);

		assert_true(is_signed + is_unsigned + is_text <= 1);
		signed_count += is_signed;
		unsigned_count += is_unsigned;
		text_count += is_text;
	}
	assert_int_equal(signed_count, 3);
	assert_int_equal(unsigned_count, 5);
	assert_int_equal(text_count, 2);
	assert_true(scd_type_is_unsigned(SCD_TYPE_PORT));
	assert_true(scd_type_is_unsigned(SCD_TYPE_ABSTIME));
	assert_false(scd_type_is_text(SCD_TYPE_BYTES));
}

static void test_ip_parse__gives_the_address_or_refuses(void **state)
{
	static const struct {
		const char *text;
		int rc;
		uint8_t family;
		const char *canonical;
	} rows[] = {
		{ "127.0.0.1", 0, 4, "127.0.0.1" },
		{ "255.255.255.255", 0, 4, "255.255.255.255" },
		{ "::1", 0, 6, "::1" },
		{ "::", 0, 6, "::" },
		{ "2001:DB8:0:0:0:0:0:1", 0, 6, "2001:db8::1" },
		{ "::ffff:192.0.2.1", 0, 6, "::ffff:192.0.2.1" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888", 0, 6, "1111:2222:3333:4444:5555:6666:7777:8888" },
		{ "", -EINVAL, 0, NULL },
		{ "127.0.0", -EINVAL, 0, NULL },
		{ "127.0.0.256", -EINVAL, 0, NULL },
		{ "127.0.0.1 ", -EINVAL, 0, NULL },
		{ "127.0.0.1/8", -EINVAL, 0, NULL },
		{ "localhost", -EINVAL, 0, NULL },
		{ "pool.example", -EINVAL, 0, NULL },
		{ "1::2::3", -EINVAL, 0, NULL },
		{ "11111111111111111111111111111111111111111111111111", -EINVAL, 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_ip ip = { .family = 77 };
		char text[SCD_IP_TEXT_BYTES];

		if (scd_ip_parse(scd_str_from(rows[i].text), &ip) != rows[i].rc)
			fail_msg("wrong verdict: '%s'", rows[i].text);
		assert_int_equal(ip.family, rows[i].rc == 0 ? rows[i].family : 77);
		if (rows[i].rc != 0)
			continue;
		assert_int_equal(scd_ip_format(&ip, text), strlen(rows[i].canonical));
		assert_string_equal(text, rows[i].canonical);
	}
}

static void test_ip_parse__refuses_a_nul_inside(void **state)
{
	struct scd_ip ip;

	(void)state;
	assert_int_equal(scd_ip_parse(SCD_STR("127.0.0.1\0"), &ip), -EINVAL);
	assert_int_equal(scd_ip_parse(SCD_STR("127.0.0.1\0.1"), &ip), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_type_name__is_falcos),
		cmocka_unit_test(test_type__classes_do_not_overlap),
		cmocka_unit_test(test_ip_parse__gives_the_address_or_refuses),
		cmocka_unit_test(test_ip_parse__refuses_a_nul_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
