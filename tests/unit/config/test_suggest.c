/*
 * "Did you mean": which slips are forgiven, and which words are too far off.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/config/suggest.h"

static const char *const names[] = { "listen", "rules_files", "url", "ack", "enabled", "", "priority" };

static const struct row {
	const char *word, *expected;
} rows[] = {
	{ "listen", "listen" },
	{ "lisen", "listen" },
	{ "lisstem", "listen" },
	{ "rule_files", "rules_files" },
	{ "rulesfiles", "rules_files" },
	{ "rules-file", "rules_files" },
	{ "ulr", "url" },
	{ "urll", "url" },
	{ "rl", "url" },
	{ "akc", "ack" },
	{ "zzz", NULL },
	{ "enable", "enabled" },
	{ "enalbed", "enabled" },
	{ "disabled", NULL },
	{ "proirity", "priority" },
	{ "priorities", "priority" },
	{ "Priority", "priority" },
	{ "", "" },
};

static void test_nearest__forgives_a_slip_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		const char *nearest = scd_suggest_nearest(scd_str_from(rows[i].word), names, SCD_COUNT(names));

		if (!nearest != !rows[i].expected || (nearest && strcmp(nearest, rows[i].expected) != 0))
			fail_msg("%s: %s", rows[i].word, nearest ? nearest : "nothing");
	}
}

static void test_nearest__takes_the_first_of_equals(void **state)
{
	const char *const equals[] = { "bat", "cat", "rat" };

	(void)state;
	assert_string_equal(scd_suggest_nearest(SCD_STR("hat"), equals, 3), "bat");
}

static void test_nearest__has_nothing_for_a_long_word_or_an_empty_list(void **state)
{
	char word[100];
	const char *const listed[] = { word };

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_null(scd_suggest_nearest(scd_str_from(word), listed, 1));
	assert_null(scd_suggest_nearest(SCD_STR("xxx"), listed, 1));
	assert_null(scd_suggest_nearest(SCD_STR("xxx"), listed, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest__forgives_a_slip_and_no_more),
		cmocka_unit_test(test_nearest__takes_the_first_of_equals),
		cmocka_unit_test(test_nearest__has_nothing_for_a_long_word_or_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
