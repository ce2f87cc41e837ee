/*
 * Batches, and the answers to them, in both encodings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "seccheckd/alert/batch.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/pbjson.h"
#include "seccheckd/v1/security_event.pb-c.h"
#include "tests/support/alerts.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ALERTS       3u

static Seccheckd__V1__SecurityEventBatch *decode(enum scd_batch_encoding encoding, struct scd_str body)
{
	ProtobufCMessage *message = NULL;
	json_t *json;

	if (encoding == SCD_BATCH_PROTOBUF)
		return seccheckd__v1__security_event_batch__unpack(NULL, body.len, (const uint8_t *)body.data);
	json = json_loadb(body.data, body.len, 0, NULL);
	assert_non_null(json);
	assert_int_equal(scd_pbjson_decode(&seccheckd__v1__security_event_batch__descriptor, json, &message), 0);
	json_decref(json);
	return (Seccheckd__V1__SecurityEventBatch *)message;
}

/* What comes out, packed again, is what went in. */
static void check_batch(enum scd_batch_encoding encoding)
{
	/* Lengths of one, two and three bytes. */
	struct scd_alert *alerts[ALERTS] = { alert_make(0), alert_make_long(1, 1000), alert_make_long(2, 100000) };
	Seccheckd__V1__SecurityEventBatch *batch;
	struct scd_buf body;

	scd_buf_init(&body, SIZE_MAX);
	assert_int_equal(scd_batch_encode(encoding, alerts, ALERTS, &body), 0);
	batch = decode(encoding, scd_buf_str(&body));
	assert_non_null(batch);
	assert_int_equal(batch->n_events, ALERTS);
	for (size_t i = 0; i < ALERTS; i++) {
		struct scd_str packed = scd_alert_protobuf(alerts[i]);
		size_t len = seccheckd__v1__security_event__get_packed_size(batch->events[i]);
		uint8_t *again = malloc(len);

		assert_int_equal(len, packed.len);
		seccheckd__v1__security_event__pack(batch->events[i], again);
		assert_memory_equal(again, packed.data, len);
		free(again);
		scd_alert_unref(&alerts[i]);
	}
	seccheckd__v1__security_event_batch__free_unpacked(batch, NULL);
	scd_buf_done(&body);
}

static void test_batch__as_protobuf_holds_its_events(void **state)
{
	(void)state;
	check_batch(SCD_BATCH_PROTOBUF);
	assert_string_equal(scd_batch_content_type(SCD_BATCH_PROTOBUF), "application/x-protobuf");
}

static void test_batch__as_json_holds_its_events(void **state)
{
	(void)state;
	check_batch(SCD_BATCH_JSON);
	assert_string_equal(scd_batch_content_type(SCD_BATCH_JSON), "application/json");
}

static void test_batch__of_nothing_is_an_empty_batch(void **state)
{
	struct scd_buf body;

	(void)state;
	scd_buf_init(&body, SIZE_MAX);
	assert_int_equal(scd_batch_encode(SCD_BATCH_PROTOBUF, NULL, 0, &body), 0);
	assert_int_equal(body.len, 0);
	assert_int_equal(scd_batch_encode(SCD_BATCH_JSON, NULL, 0, &body), 0);
	assert_string_equal(body.data, "{\"events\":[]}");
	scd_buf_done(&body);
}

static void test_batch__that_does_not_fit_is_an_error(void **state)
{
	struct scd_alert *alert = alert_make(0);
	struct scd_buf body;

	(void)state;
	scd_buf_init(&body, 20);
	assert_int_equal(scd_batch_encode(SCD_BATCH_PROTOBUF, &alert, 1, &body), -ENOMEM);
	scd_buf_reset(&body);
	assert_int_equal(scd_batch_encode(SCD_BATCH_JSON, &alert, 1, &body), -ENOMEM);
	scd_buf_done(&body);
	scd_alert_unref(&alert);
}

/* ---- answers ---- */

struct answer_case {
	const char *name;
	enum scd_batch_encoding encoding;
	struct scd_str body;
	int result;
	size_t count;
};

#define PROTOBUF SCD_BATCH_PROTOBUF
#define JSON     SCD_BATCH_JSON

static const struct answer_case answers[] = {
	{ "nothing", PROTOBUF, SCD_STR_INIT(""), 0, 0 },
	{ "nothing as JSON", JSON, SCD_STR_INIT(""), 0, 0 },
	{ "blanks as JSON", JSON, SCD_STR_INIT(" \r\n"), 0, 0 },
	{ "empty object", JSON, SCD_STR_INIT("{}"), 0, 0 },
	{ "null lists", JSON, SCD_STR_INIT("{\"acceptedIds\":null}"), 0, 0 },
	{ "one accepted", PROTOBUF, SCD_STR_INIT("\x0a\x02id"), 0, 1 },
	{ "one rejected", PROTOBUF, SCD_STR_INIT("\x12\x07\x0a\x02id\x12\x01r"), 0, 1 },
	{ "a field from the future", PROTOBUF, SCD_STR_INIT("\x0a\x02id\xa2\x06\x01x"), 0, 1 },
	{ "a key from the future", JSON, SCD_STR_INIT("{\"accepted_ids\":[\"id\"],\"x\":{}}"), 0, 1 },
	{ "a verdict", JSON, SCD_STR_INIT("{\"verdicts\":[{\"sandboxId\":\"s\",\"action\":\"VERDICT_ACTION_KILL\"}]}"),
	  0, 0 },
	{ "a verdict that is none", JSON, SCD_STR_INIT("{\"verdicts\":[1]}"), -EBADMSG, 0 },
	{ "cut short", PROTOBUF, SCD_STR_INIT("\x0a\x05id"), -EBADMSG, 0 },
	{ "a length beyond all", PROTOBUF, SCD_STR_INIT("\x0a\xff\xff\xff\xff\x7fid"), -EBADMSG, 0 },
	{ "JSON where protobuf is due", PROTOBUF, SCD_STR_INIT("{\"acceptedIds\":[]}"), -EBADMSG, 0 },
	{ "protobuf where JSON is due", JSON, SCD_STR_INIT("\x0a\x02id"), -EBADMSG, 0 },
	{ "a page", JSON, SCD_STR_INIT("<html>ok</html>"), -EBADMSG, 0 },
	{ "a list", JSON, SCD_STR_INIT("[\"id\"]"), -EBADMSG, 0 },
	{ "a word", JSON, SCD_STR_INIT("\"ok\""), -EBADMSG, 0 },
	{ "ids that are numbers", JSON, SCD_STR_INIT("{\"acceptedIds\":[1]}"), -EBADMSG, 0 },
	{ "more ids than asked for", PROTOBUF, SCD_STR_INIT("\x0a\x02id\x0a\x02ie"), -EBADMSG, 0 },
	{ "more rejected than asked for", PROTOBUF, SCD_STR_INIT("\x12\x00\x12\x00"), -EBADMSG, 0 },
	{ "more ids than asked for, as JSON", JSON, SCD_STR_INIT("{\"acceptedIds\":[\"a\",\"b\"]}"), -EBADMSG, 0 },
	{ "a reason full of brackets", JSON,
	  SCD_STR_INIT("{\"rejected\":[{\"id\":\"a\",\"reason\":\"[[[[\\\",,,,\"}]}"), 0, 1 },
	{ "two objects", JSON, SCD_STR_INIT("{}{}"), -EBADMSG, 0 },
};

static void test_ack__bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct scd_ack *ack = NULL;
		int r = scd_ack_parse(answers[i].encoding, answers[i].body, 1, &ack);

		if (r != answers[i].result)
			fail_msg("%s: %d", answers[i].name, r);
		if (r == 0 && scd_ack_count(ack) != answers[i].count)
			fail_msg("%s: %zu entries", answers[i].name, scd_ack_count(ack));
		assert_true(r == 0 || !ack);
		scd_ack_free(&ack);
		assert_null(ack);
	}
}

static long peak_kilobytes(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* The longest body that is read, made of the shortest things that become much: hundreds of megabytes, some of them. */
static void test_ack__what_swells_is_refused_before_it_does(void **state)
{
	static const struct {
		const char *name;
		enum scd_batch_encoding encoding;
		const char *begin, *unit;
		size_t unit_len;
		const char *end;
	} rows[] = {
		{ "empty rejections", PROTOBUF, "", "\x12\x00", 2, "" },
		{ "empty ids", PROTOBUF, "", "\x0a\x00", 2, "" },
		{ "empty verdicts", PROTOBUF, "", "\x1a\x00", 2, "" },
		{ "fields from the future", PROTOBUF, "", "\x20\x00", 2, "" },
		{ "objects", JSON, "{\"rejected\":[{}", ",{}", 3, "]}" },
		{ "ids", JSON, "{\"acceptedIds\":[\"\"", ",\"\"", 3, "]}" },
		{ "lists in lists", JSON, "", "[", 1, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		long before = peak_kilobytes();
		struct scd_ack *ack = NULL;
		struct scd_buf body;

		scd_buf_init(&body, SIZE_MAX);
		scd_buf_append_str(&body, scd_str_from(rows[i].begin));
		while (body.len < SCD_LIMIT_HTTP_ANSWER_BYTES)
			scd_buf_append(&body, rows[i].unit, rows[i].unit_len);
		scd_buf_append_str(&body, scd_str_from(rows[i].end));
		if (scd_ack_parse(rows[i].encoding, scd_buf_str(&body), 256, &ack) != -EBADMSG)
			fail_msg("%s", rows[i].name);
		scd_buf_done(&body);
		if (peak_kilobytes() - before > 32 << 10)
			fail_msg("%s: %ld KiB", rows[i].name, peak_kilobytes() - before);
	}
}

static void test_ack__names_accepted_and_rejected_ids_with_reasons(void **state)
{
	static const char body[] = "{\"acceptedIds\":[\"a\",\"b\"],\"rejected\":[{\"id\":\"c\",\"reason\":\"why\"}]}";
	struct scd_ack *ack;

	(void)state;
	assert_int_equal(scd_ack_parse(SCD_BATCH_JSON, scd_str_from(body), 3, &ack), 0);
	assert_int_equal(scd_ack_count(ack), 3);
	assert_true(scd_str_is(scd_ack_entry(ack, 1)->id, "b"));
	assert_true(scd_ack_entry(ack, 1)->accepted);
	assert_true(scd_str_is(scd_ack_entry(ack, 2)->id, "c"));
	assert_true(scd_str_is(scd_ack_entry(ack, 2)->reason, "why"));
	assert_false(scd_ack_entry(ack, 2)->accepted);
	scd_ack_free(&ack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_batch__as_protobuf_holds_its_events),
		cmocka_unit_test(test_batch__as_json_holds_its_events),
		cmocka_unit_test(test_batch__of_nothing_is_an_empty_batch),
		cmocka_unit_test(test_batch__that_does_not_fit_is_an_error),
		cmocka_unit_test(test_ack__bodies),
		cmocka_unit_test(test_ack__what_swells_is_refused_before_it_does),
		cmocka_unit_test(test_ack__names_accepted_and_rejected_ids_with_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
