/*
 * Everything of alert that allocates, with the first, second, third … allocation failing until none fails any more;
 * and nothing leaks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "match.h"
#include "seccheckd/alert/batch.h"
#include "tests/support/failing_alloc.h"

#ifdef SCD_FAILING_ALLOC

static struct match match;

static int open_match(void **state)
{
	static const struct scd_str sh[] = { SCD_STR_INIT("sh"), SCD_STR_INIT("--password"), SCD_STR_INIT("x") };

	(void)state;
	match_open(&match);
	match_output(&match, "ran %proc.cmdline for %user.uid %fd.types");
	match_exec(&match, 1, SCD_STR("/bin/sh"), sh, 3);
	match_clone(&match, 1, 2);
	match_exec(&match, 2, SCD_STR("/bin/sh"), sh, 3);
	return 0;
}

static int close_match(void **state)
{
	(void)state;
	match_close(&match);
	return 0;
}

/* Does its work and checks that it is done or undone. 0, or less when memory was exhausted. */
typedef int operation_fn(void *user);

/* Memory may be lacking where less is told (a field is missing then): a failure that is passed over is no error. */
static void fail_at_each_allocation(operation_fn *operation, void *user, unsigned long at_least)
{
	unsigned long n = 0;
	bool failed = true;

	for (; failed; n++) {
		long live = scd_failing_alloc_live();
		int r;

		scd_failing_alloc_arm(n);
		r = operation(user);
		failed = scd_failing_alloc_disarm();
		assert_true(failed || r == 0);
		assert_int_equal(scd_failing_alloc_live(), live);
	}
	assert_true(n > at_least);
}

static int make_alert(void *user)
{
	struct scd_alert_who who = { 0 };
	struct scd_alert *alert = scd_alert_new(&match.origin, &match.rule, &match.view, &who);
	int r = alert ? 0 : -ENOMEM;

	(void)user;
	scd_alert_unref(&alert);
	scd_alert_who_done(&who);
	scd_arena_done(&match.scratch);
	return r;
}

static void test_alert__is_made_or_is_not(void **state)
{
	(void)state;
	fail_at_each_allocation(make_alert, NULL, 2);
}

static int write_json(void *user)
{
	struct scd_buf json;
	int r;

	scd_buf_init(&json, SIZE_MAX);
	r = scd_alert_json(user, &json);
	scd_buf_done(&json);
	assert_true(r == 0 || r == -ENOMEM);
	return r;
}

static int encode(void *user, enum scd_batch_encoding encoding)
{
	struct scd_alert *alert = user;
	struct scd_buf body;
	int r;

	scd_buf_init(&body, SIZE_MAX);
	r = scd_batch_encode(encoding, &alert, 1, &body);
	scd_buf_done(&body);
	assert_true(r == 0 || r == -ENOMEM);
	return r;
}

static int encode_protobuf(void *user)
{
	return encode(user, SCD_BATCH_PROTOBUF);
}

static int encode_json(void *user)
{
	return encode(user, SCD_BATCH_JSON);
}

static void test_encodings__are_whole_or_an_error(void **state)
{
	struct scd_alert *alert = match_alert(&match);

	(void)state;
	fail_at_each_allocation(write_json, alert, 50);
	fail_at_each_allocation(encode_protobuf, alert, 1);
	fail_at_each_allocation(encode_json, alert, 50);
	scd_alert_unref(&alert);
}

static int parse(enum scd_batch_encoding encoding, struct scd_str body)
{
	struct scd_ack *ack = NULL;
	int r = scd_ack_parse(encoding, body, 2, &ack);

	assert_true((r == 0) == (ack != NULL));
	scd_ack_free(&ack);
	return r;
}

static int parse_protobuf(void *user)
{
	(void)user;
	return parse(SCD_BATCH_PROTOBUF, SCD_STR("\x0a\x02id\x12\x07\x0a\x02ie\x12\x01r"));
}

static int parse_json(void *user)
{
	(void)user;
	return parse(SCD_BATCH_JSON, SCD_STR("{\"acceptedIds\":[\"a\"],\"rejected\":[{\"id\":\"c\"}]}"));
}

static void test_ack__is_parsed_or_an_error(void **state)
{
	(void)state;
	fail_at_each_allocation(parse_protobuf, NULL, 4);
	fail_at_each_allocation(parse_json, NULL, 10);
}

#define MATCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_match, close_match)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MATCH_TEST(test_alert__is_made_or_is_not),
		MATCH_TEST(test_encodings__are_whole_or_an_error),
		MATCH_TEST(test_ack__is_parsed_or_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	puts("a sanitizer brings its own allocator, which does not fail");
	return 77;
}

#endif
