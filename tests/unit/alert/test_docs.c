/*
 * docs/security-event.md names every field of SecurityEvent and every key of the alert object, docs/control-plane.md
 * every field of the answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/v1/security_event.pb-c.h"
#include "tests/support/alerts.h"

static char document[65536];

static void read_document(const char *path)
{
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	memset(document, 0, sizeof(document));
	assert_true(fread(document, 1, sizeof(document) - 1, file) > 0);
	fclose(file);
}

static void check_name(const char *format, const char *outer, const char *name)
{
	char text[128];

	snprintf(text, sizeof(text), format, outer, name);
	if (!strstr(document, text))
		fail_msg("%s is not in the document", text);
}

static void check_message(const ProtobufCMessageDescriptor *type, const char *format, const char *outer)
{
	for (unsigned i = 0; i < type->n_fields; i++)
		check_name(format, outer, type->fields[i].name);
}

static void test_docs__name_every_field_of_an_event(void **state)
{
	(void)state;
	read_document(SCD_SOURCE_DIR "/docs/security-event.md");
	for (unsigned i = 0; i < seccheckd__v1__security_event__descriptor.n_fields; i++) {
		const char *name = seccheckd__v1__security_event__descriptor.fields[i].name;

		if (strcmp(name, "sandbox") && strcmp(name, "rule") && strcmp(name, "coverage") &&
		    strcmp(name, "event"))
			check_name("| %s`%s` |", "", name);
	}
	check_message(&seccheckd__v1__sandbox__descriptor, "| `%s.%s` |", "sandbox");
	check_message(&seccheckd__v1__rule__descriptor, "| `%s.%s` |", "rule");
	check_message(&seccheckd__v1__coverage__descriptor, "| `%s.%s` |", "coverage");
	check_message(&seccheckd__v1__event__descriptor, "| `%s.%s` |", "event");
	check_message(&seccheckd__v1__process__descriptor, "%s`%s`", "");
	check_message(&seccheckd__v1__output_field__descriptor, "%s`%s`", "");
	check_message(&seccheckd__v1__text_list__descriptor, "%s`%s`", "");
	check_message(&seccheckd__v1__key_value__descriptor, "%s`%s`", "");
}

static void test_docs__name_every_key_of_the_alert_object(void **state)
{
	struct scd_alert *alert = alert_make(0);
	struct scd_buf text;
	const char *key;
	json_t *json, *value;

	(void)state;
	read_document(SCD_SOURCE_DIR "/docs/security-event.md");
	scd_buf_init(&text, SIZE_MAX);
	assert_int_equal(scd_alert_json(alert, &text), 0);
	json = json_loadb(text.data, text.len, 0, NULL);
	json_object_foreach(json, key, value) if (strcmp(key, "seccheckd") != 0) check_name("%s`%s`", "| ", key);
	json_object_foreach(json_object_get(json, "seccheckd"), key, value) check_name("`%s.%s`", "seccheckd", key);
	json_decref(json);
	scd_buf_done(&text);
	scd_alert_unref(&alert);
}

/* In canonical JSON: lowerCamelCase, which the names of protobuf-c are not. */
static void test_docs__name_every_field_of_an_answer(void **state)
{
	(void)state;
	read_document(SCD_SOURCE_DIR "/docs/control-plane.md");
	assert_int_equal(seccheckd__v1__security_event_ack__descriptor.n_fields, 3);
	check_name("%s`%s`", "", "acceptedIds");
	check_name("%s`%s`", "", "rejected");
	check_name("%s`%s`", "", "verdicts");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_docs__name_every_field_of_an_event),
		cmocka_unit_test(test_docs__name_every_key_of_the_alert_object),
		cmocka_unit_test(test_docs__name_every_field_of_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
