/* Alerts of little content, all different. */
#include "tests/support/alerts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "alert/message.h"

void alert_id(unsigned n, char ret_id[ALERT_ID_BYTES])
{
	snprintf(ret_id, ALERT_ID_BYTES, "a1e27000%024x", n);
}

long alert_number(const char *id)
{
	return strncmp(id, "a1e27000", 8) == 0 ? strtol(id + 8, NULL, 16) : -1;
}

static struct scd_alert *pack(const char *sandbox_id, unsigned n, char *output)
{
	Seccheckd__V1__SecurityEvent event;
	Seccheckd__V1__Sandbox sandbox;
	Seccheckd__V1__Rule rule;
	Seccheckd__V1__Coverage coverage;
	Seccheckd__V1__Event origin;
	char id[ALERT_ID_BYTES], name[] = "Test rule", *own_sandbox_id = strdup(sandbox_id);
	struct scd_alert *alert;

	assert_non_null(own_sandbox_id);

	seccheckd__v1__security_event__init(&event);
	seccheckd__v1__sandbox__init(&sandbox);
	seccheckd__v1__rule__init(&rule);
	seccheckd__v1__coverage__init(&coverage);
	seccheckd__v1__event__init(&origin);
	alert_id(n, id);
	event.id = id;
	event.time_ns = 1700000000000000000 + n;
	event.output = output;
	sandbox.id = own_sandbox_id;
	event.sandbox = &sandbox;
	event.rule = &rule;
	event.coverage = &coverage;
	event.event = &origin;
	rule.name = name;
	rule.priority = SECCHECKD__V1__PRIORITY__PRIORITY_WARNING;
	origin.sequence = n;
	alert = scd__alert_pack(&event);
	free(own_sandbox_id);
	assert_non_null(alert);
	return alert;
}

struct scd_alert *alert_make(unsigned n)
{
	char output[] = "something happened";

	return pack("", n, output);
}

struct scd_alert *alert_make_long(unsigned n, size_t output_bytes)
{
	return alert_make_of("", n, output_bytes);
}

struct scd_alert *alert_make_of(const char *sandbox, unsigned n, size_t output_bytes)
{
	char *output = malloc(output_bytes + 1);
	struct scd_alert *alert;

	assert_non_null(output);
	memset(output, 'x', output_bytes);
	output[output_bytes] = '\0';
	alert = pack(sandbox, n, output);
	free(output);
	return alert;
}
