/*
 * Falco's alert object, byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "alert/json.h"
#include "alert/message.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A message with its parts; the strings are literals that nobody writes to. */
struct parts {
	Seccheckd__V1__SecurityEvent event;
	Seccheckd__V1__Sandbox sandbox;
	Seccheckd__V1__Rule rule;
	Seccheckd__V1__Coverage coverage;
	Seccheckd__V1__Event origin;
	Seccheckd__V1__Process process, parent, *lineage[1];
	Seccheckd__V1__OutputField fields[8], *field_list[8];
	Seccheckd__V1__KeyValue label, *labels[1];
};

/* Protobuf-c's strings are not const. */
static char *text(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

static void fill_parts(struct parts *parts)
{
	memset(parts, 0, sizeof(*parts));
	seccheckd__v1__security_event__init(&parts->event);
	seccheckd__v1__sandbox__init(&parts->sandbox);
	seccheckd__v1__rule__init(&parts->rule);
	seccheckd__v1__coverage__init(&parts->coverage);
	seccheckd__v1__event__init(&parts->origin);
	parts->event.id = text("00112233445566778899aabbccddeeff");
	parts->event.time_ns = 1700000000000000042;
	parts->event.hostname = text("node-1");
	parts->event.output = text("22:13:20.000000042: Notice a \"quoted\"\ttext \xc3\xa4");
	parts->event.sandbox = &parts->sandbox;
	parts->event.rule = &parts->rule;
	parts->event.coverage = &parts->coverage;
	parts->event.event = &parts->origin;
	parts->rule.name = text("A rule");
	parts->rule.source = text("syscall");
	parts->rule.priority = SECCHECKD__V1__PRIORITY__PRIORITY_NOTICE;
}

static Seccheckd__V1__OutputField *add_field(struct parts *parts, const char *name)
{
	Seccheckd__V1__OutputField *field = &parts->fields[parts->event.n_output_fields];

	seccheckd__v1__output_field__init(field);
	field->name = text(name);
	parts->field_list[parts->event.n_output_fields++] = field;
	parts->event.output_fields = parts->field_list;
	return field;
}

static void assert_json(const struct parts *parts, const char *expected)
{
	struct scd_alert *alert = scd__alert_pack(&parts->event);
	struct scd_buf json;

	assert_non_null(alert);
	scd_buf_init(&json, SIZE_MAX);
	assert_int_equal(scd_alert_json(alert, &json), 0);
	assert_string_equal(json.data, expected);
	scd_buf_done(&json);
	scd_alert_unref(&alert);
}

static void test_json__has_falcos_keys_and_ours_sorted_on_one_line(void **state)
{
	struct parts parts;

	(void)state;
	fill_parts(&parts);
	assert_json(
	        &parts,
	        "{\"hostname\":\"node-1\",\"output\":\"22:13:20.000000042: Notice a \\\"quoted\\\"\\ttext \xc3\xa4\","
	        "\"output_fields\":{},\"priority\":\"Notice\",\"rule\":\"A rule\",\"seccheckd\":{\"boot_id\":\"\","
	        "\"container_id\":\"\",\"dropped\":0,\"event_id\":\"00112233445566778899aabbccddeeff\","
	        "\"event_point\":\"\",\"event_truncated\":false,\"event_type\":\"\",\"identity\":\"unknown\","
	        "\"labels\":{},\"lineage\":[],\"lineage_truncated\":false,\"output_truncated\":false,"
	        "\"rules_generation\":\"\",\"sandbox_id\":\"\",\"sequence\":0,\"taint_reasons\":[],"
	        "\"tainted\":false,\"tainted_since_ns\":0,\"thread_id\":0,\"watched\":\"\"},"
	        "\"source\":\"syscall\",\"tags\":[],\"time\":\"2023-11-14T22:13:20.000000042Z\"}");
}

static json_t *parse(const struct parts *parts)
{
	struct scd_alert *alert = scd__alert_pack(&parts->event);
	struct scd_buf text_json;
	json_t *json;

	assert_non_null(alert);
	scd_buf_init(&text_json, SIZE_MAX);
	assert_int_equal(scd_alert_json(alert, &text_json), 0);
	json = json_loadb(text_json.data, text_json.len, 0, NULL);
	assert_non_null(json);
	scd_buf_done(&text_json);
	scd_alert_unref(&alert);
	return json;
}

/* A replay has none, and its alerts have no member for it. */
static void test_json__has_the_hosts_time_where_it_is_known(void **state)
{
	struct parts parts;
	json_t *json;

	(void)state;
	fill_parts(&parts);
	json = parse(&parts);
	assert_null(json_object_get(json_object_get(json, "seccheckd"), "received_ns"));
	json_decref(json);
	parts.event.received_ns = 1700000000000000043;
	json = parse(&parts);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(json, "seccheckd"), "received_ns")),
	                 1700000000000000043);
	json_decref(json);
}

static void test_json__escapes_what_a_terminal_obeys(void **state)
{
	static const struct {
		const char *name, *shown, *written;
	} rows[] = {
		{ "escape", "\x1b[2J", "\\u001B[2J" },
		{ "delete", "a\x7f", "a\\u007F" },
		{ "first of C1", "\xc2\x80!", "\\u0080!" },
		{ "CSI of C1", "\xc2\x9bJ", "\\u009BJ" },
		{ "right-to-left override", "x\xe2\x80\xaey", "x\\u202Ey" },
		{ "isolates", "\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069" },
		{ "marks", "\xe2\x80\x8e\xe2\x80\x8f", "\\u200E\\u200F" },
		{ "text", "gr\xc3\xbc\xc2\xa0\xe2\x82\xac \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc2\xa0\xe2\x82\xac \xf0\x9f\x98\x80" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct scd_buf written;
		json_t *json = json_string(rows[i].shown), *read;

		scd_buf_init(&written, SIZE_MAX);
		assert_int_equal(scd__json_write(json, JSON_ENCODE_ANY, &written), 0);
		if (written.len != strlen(rows[i].written) + 2 ||
		    memcmp(written.data + 1, rows[i].written, written.len - 2) != 0)
			fail_msg("%s: %s", rows[i].name, written.data);
		read = json_loadb(written.data, written.len, JSON_DECODE_ANY, NULL);
		assert_true(json_equal(read, json));
		json_decref(read);
		json_decref(json);
		scd_buf_done(&written);
	}
}

struct value_case {
	const char *name;
	Seccheckd__V1__OutputField field; /* its value */
	const char *expected;
};

static char *list_items[] = { (char[]){ "a" }, (char[]){ "b" } };
static Seccheckd__V1__TextList list;

static const struct value_case values[] = {
	{ "missing", { .value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE__NOT_SET }, "null" },
	{ "negative",
	  { .value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_SIGNED_INTEGER, .signed_integer = INT64_MIN },
	  "-9223372036854775808" },
	{ "largest that is a number",
	  { .value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_UNSIGNED_INTEGER, .unsigned_integer = INT64_MAX },
	  "9223372036854775807" },
	{ "larger",
	  { .value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_UNSIGNED_INTEGER, .unsigned_integer = UINT64_MAX },
	  "\"18446744073709551615\"" },
	{ "real", { .value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_REAL, .real = 0.5 }, "0.5" },
	{ "not a number", { .value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_REAL, .real = NAN }, "\"NaN\"" },
	{ "infinity", { .value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_REAL, .real = -HUGE_VAL }, "\"-Infinity\"" },
	{ "boolean", { .value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_BOOLEAN, .boolean = 1 }, "true" },
	{ "list", { .value_case = SECCHECKD__V1__OUTPUT_FIELD__VALUE_LIST, .list = &list }, "[\"a\",\"b\"]" },
};

static void test_json__fields_keep_their_types(void **state)
{
	(void)state;
	seccheckd__v1__text_list__init(&list);
	list.n_items = 2;
	list.items = list_items;
	for (size_t i = 0; i < COUNT(values); i++) {
		struct parts parts;
		Seccheckd__V1__OutputField *field;
		json_t *json;
		char *got;

		fill_parts(&parts);
		field = add_field(&parts, "x");
		field->value_case = values[i].field.value_case;
		field->unsigned_integer = values[i].field.unsigned_integer;
		if (field->value_case == SECCHECKD__V1__OUTPUT_FIELD__VALUE_REAL)
			field->real = values[i].field.real;
		if (field->value_case == SECCHECKD__V1__OUTPUT_FIELD__VALUE_LIST)
			field->list = &list;
		json = parse(&parts);
		got = json_dumps(json_object_get(json_object_get(json, "output_fields"), "x"),
		                 JSON_COMPACT | JSON_ENCODE_ANY);
		if (strcmp(got, values[i].expected) != 0)
			fail_msg("%s: %s", values[i].name, got);
		free(got);
		json_decref(json);
	}
}

static void test_json__tells_process_lineage_and_labels(void **state)
{
	char *args[] = { text("-u"), text("x") };
	const char *identity, *name, *label, *argument;
	json_t *json, *uid, *parent_uid;
	struct parts parts;
	int pid;

	(void)state;
	fill_parts(&parts);
	seccheckd__v1__process__init(&parts.process);
	seccheckd__v1__process__init(&parts.parent);
	seccheckd__v1__key_value__init(&parts.label);
	parts.process.pid = 42;
	parts.process.optional_uid_case = SECCHECKD__V1__PROCESS__OPTIONAL_UID_UID;
	parts.process.uid = UINT32_MAX;
	parts.process.args = args;
	parts.process.n_args = 2;
	parts.parent.name = text("sh");
	parts.lineage[0] = &parts.parent;
	parts.labels[0] = &parts.label;
	parts.label.key = text("team");
	parts.label.value = text("blue");
	parts.event.process = &parts.process;
	parts.event.lineage = parts.lineage;
	parts.event.n_lineage = 1;
	parts.event.labels = parts.labels;
	parts.event.n_labels = 1;
	parts.sandbox.identity = SECCHECKD__V1__IDENTITY__IDENTITY_CLAIMED;
	json = parse(&parts);
	assert_int_equal(json_unpack(json, "{s:{s:s, s:{s:i, s:[s]}, s:[{s:s}], s:{s:s}}}", "seccheckd", "identity",
	                             &identity, "process", "pid", &pid, "args", &argument, "lineage", "name", &name,
	                             "labels", "team", &label),
	                 0);
	assert_string_equal(identity, "claimed");
	assert_int_equal(pid, 42);
	assert_string_equal(argument, "-u");
	assert_string_equal(name, "sh");
	assert_string_equal(label, "blue");
	uid = json_object_get(json_object_get(json_object_get(json, "seccheckd"), "process"), "uid");
	assert_true(json_integer_value(uid) == UINT32_MAX);
	parent_uid = json_object_get(json_array_get(json_object_get(json_object_get(json, "seccheckd"), "lineage"), 0),
	                             "uid");
	assert_null(parent_uid);
	json_decref(json);
}

static void test_json__a_full_buffer_is_an_error(void **state)
{
	struct scd_alert *alert;
	struct parts parts;
	struct scd_buf json;

	(void)state;
	fill_parts(&parts);
	alert = scd__alert_pack(&parts.event);
	scd_buf_init(&json, 100);
	assert_int_equal(scd_alert_json(alert, &json), -ENOMEM);
	scd_buf_done(&json);
	scd_alert_unref(&alert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json__has_falcos_keys_and_ours_sorted_on_one_line),
		cmocka_unit_test(test_json__has_the_hosts_time_where_it_is_known),
		cmocka_unit_test(test_json__escapes_what_a_terminal_obeys),
		cmocka_unit_test(test_json__fields_keep_their_types),
		cmocka_unit_test(test_json__tells_process_lineage_and_labels),
		cmocka_unit_test(test_json__a_full_buffer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
