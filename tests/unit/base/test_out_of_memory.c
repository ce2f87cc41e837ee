/*
 * Everything of base that allocates, with the first, second, third … allocation failing until none fails any more;
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

#include "seccheckd/base/arena.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/base/idmap.h"
#include "seccheckd/base/pbjson.h"
#include "seccheckd/base/strmap.h"
#include "seccheckd/base/yaml.h"
#include "seccheckd/v1/security_event.pb-c.h"
#include "tests/support/failing_alloc.h"

#ifdef SCD_FAILING_ALLOC

/* Does its work and checks that it is done or undone. 0 or -ENOMEM. */
typedef int operation_fn(void);

static void fail_at_each_allocation(operation_fn *operation, unsigned long at_least)
{
	unsigned long n = 0;
	bool failed = true;

	while (failed) {
		long live = scd_failing_alloc_live();
		int r;

		scd_failing_alloc_arm(n);
		r = operation();
		failed = scd_failing_alloc_disarm();
		assert_int_equal(r, failed ? -ENOMEM : 0);
		assert_int_equal(scd_failing_alloc_live(), live);
		n++;
	}
	assert_true(n > at_least);
}

static int fill_arena(void)
{
	struct scd_arena arena;
	bool exhausted = false;

	scd_arena_init(&arena, 256, 0);
	for (size_t bytes = 1; bytes < 2000; bytes *= 2) {
		size_t before = arena.used_bytes;
		void *data = scd_arena_zalloc(&arena, 1, bytes);

		if (!data)
			assert_int_equal(arena.used_bytes, before);
		exhausted |= !data;
	}
	exhausted |= !scd_arena_dup(&arena, SCD_STR("text")).data;
	exhausted |= !scd_arena_printf(&arena, "%300d", 1).data;
	scd_arena_done(&arena);
	return exhausted ? -ENOMEM : 0;
}

static void test_arena__gives_null_and_goes_on(void **state)
{
	(void)state;
	fail_at_each_allocation(fill_arena, 3);
}

static int fill_buf(void)
{
	struct scd_buf buf;
	int r;

	scd_buf_init(&buf, 10000);
	for (unsigned i = 0; i < 100; i++) {
		size_t before = buf.len;

		scd_buf_append_str(&buf, SCD_STR("0123456789"));
		assert_int_equal(buf.len, before + (buf.failed ? 0 : 10));
	}
	scd_buf_printf(&buf, "%2000d", 1);
	if (buf.data)
		assert_int_equal(strlen(buf.data), buf.len);
	r = buf.failed ? -ENOMEM : 0;
	scd_buf_done(&buf);
	return r;
}

static void test_buf__fails_for_good_and_keeps_its_text(void **state)
{
	(void)state;
	fail_at_each_allocation(fill_buf, 4);
}

#define KEYS 200

static int fill_strmap(void)
{
	static char keys[KEYS][8];
	struct scd_strmap map;
	size_t count = 0;
	int result = 0;

	scd_strmap_init(&map);
	for (size_t i = 0; i < KEYS; i++) {
		int r;

		snprintf(keys[i], sizeof(keys[i]), "%zu", i);
		r = scd_strmap_put(&map, scd_str_from(keys[i]), keys[i]);
		assert_ptr_equal(scd_strmap_get(&map, scd_str_from(keys[i])), r < 0 ? NULL : keys[i]);
		count += r == 0;
		assert_int_equal(map.count, count);
		result = r < 0 ? r : result;
	}
	scd_strmap_done(&map);
	return result;
}

static void test_strmap__stays_as_it_was(void **state)
{
	(void)state;
	fail_at_each_allocation(fill_strmap, 4);
}

static int fill_idmap(void)
{
	struct scd_idmap map;
	uint32_t value;
	size_t count = 0;
	int result = 0;

	scd_idmap_init(&map);
	for (uint32_t i = 0; i < KEYS; i++) {
		int r = scd_idmap_put(&map, i, i);

		assert_int_equal(scd_idmap_get(&map, i, &value), r == 0);
		count += r == 0;
		assert_int_equal(map.count, count);
		result = r < 0 ? r : result;
	}
	scd_idmap_done(&map);
	return result;
}

static void test_idmap__stays_as_it_was(void **state)
{
	(void)state;
	fail_at_each_allocation(fill_idmap, 4);
}

static int read_yaml(void)
{
	struct scd_yaml *yaml = NULL;
	struct scd_error err = { 0 };
	int r = scd_yaml_read_text(SCD_STR("- &a {k: v, \"q\": [1, 2, 3]}\n"
	                                   "- *a\n"
	                                   "- >\n  folded\n  text\n"
	                                   "---\n"
	                                   "? !!str key\n: |\n  literal\n"),
	                           "text", &yaml, &err);

	if (r < 0) {
		assert_null(yaml);
		assert_int_equal(err.code, r);
		assert_string_equal(err.what, "out of memory");
		return r;
	}
	assert_int_equal(scd_yaml_document_count(yaml), 2);
	assert_int_equal(scd_yaml_root(yaml, 0)->count, 3);
	scd_yaml_free(&yaml);
	return 0;
}

static void test_yaml__reports_out_of_memory(void **state)
{
	(void)state;
	fail_at_each_allocation(read_yaml, 20);
}

static Seccheckd__V1__SecurityEventAck *ack;
static json_t *ack_json;

static int encode_ack(void)
{
	json_t *json = NULL;
	int r = scd_pbjson_encode(&ack->base, &json);

	assert_int_equal(json == NULL, r < 0);
	json_decref(json);
	return r;
}

static int decode_ack(void)
{
	ProtobufCMessage *message = NULL;
	int r = scd_pbjson_decode(&seccheckd__v1__security_event_ack__descriptor, ack_json, &message);

	assert_int_equal(message == NULL, r < 0);
	protobuf_c_message_free_unpacked(message, NULL);
	return r;
}

static void test_pbjson__undoes_what_it_began(void **state)
{
	ProtobufCMessage *message = NULL;

	(void)state;
	ack_json = json_loads("{\"acceptedIds\":[\"a\",\"b\"],\"rejected\":[{\"id\":\"c\",\"reason\":\"\\u00e4\"}],"
	                      "\"verdicts\":[{\"sandboxId\":\"s\",\"action\":\"VERDICT_ACTION_KILL\"}]}",
	                      0, NULL);
	assert_int_equal(scd_pbjson_decode(&seccheckd__v1__security_event_ack__descriptor, ack_json, &message), 0);
	ack = (Seccheckd__V1__SecurityEventAck *)message;
	fail_at_each_allocation(encode_ack, 10);
	fail_at_each_allocation(decode_ack, 8);
	seccheckd__v1__security_event_ack__free_unpacked(ack, NULL);
	json_decref(ack_json);
}

static int repair_text(void)
{
	json_t *json = scd_pbjson_text(SCD_STR("bad \xff byte"));

	if (!json)
		return -ENOMEM;
	json_decref(json);
	return 0;
}

static void test_pbjson_text__gives_null(void **state)
{
	(void)state;
	fail_at_each_allocation(repair_text, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena__gives_null_and_goes_on),
		cmocka_unit_test(test_buf__fails_for_good_and_keeps_its_text),
		cmocka_unit_test(test_strmap__stays_as_it_was),
		cmocka_unit_test(test_idmap__stays_as_it_was),
		cmocka_unit_test(test_yaml__reports_out_of_memory),
		cmocka_unit_test(test_pbjson__undoes_what_it_began),
		cmocka_unit_test(test_pbjson_text__gives_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
	puts("skipped: sanitizers bring their own allocator");
	return 77;
}

#endif
