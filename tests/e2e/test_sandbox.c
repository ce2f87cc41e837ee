/*
 * Real sandboxes, the real daemon, a real HTTP receiver: the right SecurityEvents of the right processes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/v1/security_event.pb-c.h"
#include "tests/support/http_server.h"
#include "tests/support/sandbox.h"

static const char rules[] = "- rule: Exec\n  desc: d\n  priority: WARNING\n  output: exec %proc.cmdline in %proc.cwd\n"
                            "  condition: evt.type = execve and evt.failed = false and proc.name startswith probe\n"
                            "- rule: Connect\n  desc: d\n  priority: WARNING\n  output: connect to %fd.sip %fd.sport\n"
                            "  condition: evt.type = connect and fd.sport = 4242\n"
                            "- rule: Open\n  desc: d\n  priority: WARNING\n  output: open of %fd.name\n"
                            "  condition: evt.type in (open, openat) and fd.name = /etc/hostname\n"
                            "- rule: Failed exec\n  desc: d\n  priority: WARNING\n  output: failed exec by %proc.name\n"
                            "  condition: evt.type = execve and evt.failed = true\n"
                            "- rule: Hidden\n  desc: d\n  priority: NOTICE\n  output: hidden call of %proc.name\n  "
                            "condition: evt.type = hidden\n";

static void require_runsc(void)
{
	const char *why = sandbox_unavailable();
	if (why) {
		print_message("skipped: %s\n", why);
		skip();
	}
}

static const json_t *process_of(const json_t *alert)
{
	return json_object_get(json_object_get(alert, "seccheckd"), "process");
}

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));
	return value ? value : "(none)";
}

static const char *container_of(const json_t *alert)
{
	return text(json_object_get(alert, "seccheckd"), "container_id");
}

static const json_t *expect_alert(const struct daemon *daemon, const char *rule, const char *name)
{
	const json_t *alert = daemon_alert(daemon, rule, name);
	if (!alert)
		fail_msg("no alert '%s' of %s; log: %s", rule, name, daemon->run.err.data);
	return alert;
}

static void test_sandbox__exec_connect_and_open_are_told_with_process_cwd_and_lineage(void **state)
{
	(void)state;
	struct daemon daemon;
	struct run sandbox;
	require_runsc();
	daemon_start(&daemon, rules, "");
	sandbox_start(&sandbox, &daemon,
	              "mkdir /tmp/work && cd /tmp/work && cp /bin/cat probe-cat && cp /bin/bash probe-bash && "
	              "./probe-cat ../../etc/hostname && ./probe-bash -c 'exec 3<>/dev/tcp/127.0.0.1/4242' || true");
	sandbox_finish(&sandbox);
	assert_int_equal(daemon_stop(&daemon), 0);

	const json_t *exec = expect_alert(&daemon, "Exec", "probe-cat"), *process = process_of(exec);
	assert_string_equal(text(process, "exe_path"), "/tmp/work/probe-cat");
	assert_string_equal(text(process, "exe"), "./probe-cat");
	assert_string_equal(text(process, "cwd"), "/tmp/work");
	assert_string_equal(json_string_value(json_array_get(json_object_get(process, "args"), 0)),
	                    "../../etc/hostname");
	assert_int_equal(json_integer_value(json_object_get(process, "uid")), 0);
	assert_true(json_integer_value(json_object_get(process, "start_time_ns")) > 0);
	assert_non_null(strstr(text(exec, "output"), "exec probe-cat ../../etc/hostname in /tmp/work/"));
	const json_t *lineage = json_object_get(json_object_get(exec, "seccheckd"), "lineage");
	assert_int_equal(json_array_size(lineage), 1);
	assert_string_equal(text(json_array_get(lineage, 0), "name"), "sh");
	assert_int_equal(json_integer_value(json_object_get(json_array_get(lineage, 0), "pid")), 1);

	const json_t *open = expect_alert(&daemon, "Open", "probe-cat");
	assert_string_equal(text(json_object_get(open, "output_fields"), "fd.name"), "/etc/hostname");
	assert_string_equal(text(process_of(open), "exe_path"), "/tmp/work/probe-cat");

	const json_t *connect = expect_alert(&daemon, "Connect", "probe-bash");
	assert_string_equal(text(json_object_get(connect, "output_fields"), "fd.sip"), "127.0.0.1");
	assert_string_equal(text(process_of(connect), "exe_path"), "/tmp/work/probe-bash");

	assert_string_equal(container_of(exec), container_of(connect));
	assert_string_equal(container_of(exec), text(json_object_get(exec, "seccheckd"), "sandbox_id"));
	assert_string_equal(text(json_object_get(exec, "seccheckd"), "identity"), "verified");
	assert_string_equal(text(json_object_get(connect, "seccheckd"), "watched"), "covered");
	daemon_done(&daemon);
}

/* What a program is called is what it was called as, not where a link led to. */
static void test_sandbox__a_link_names_the_process(void **state)
{
	(void)state;
	struct daemon daemon;
	struct run sandbox;
	require_runsc();
	daemon_start(&daemon, rules, "");
	sandbox_start(&sandbox, &daemon, "ln -s /bin/true /tmp/probe-link && /tmp/probe-link");
	sandbox_finish(&sandbox);
	assert_int_equal(daemon_stop(&daemon), 0);
	const json_t *exec = expect_alert(&daemon, "Exec", "probe-link");
	assert_string_equal(text(process_of(exec), "exe_path"), "/usr/bin/true");
	daemon_done(&daemon);
}

/* gVisor tells nothing of an exec with an argument that is not UTF-8, but for its numbers. */
static void test_sandbox__an_exec_that_is_not_told_is_hidden(void **state)
{
	(void)state;
	struct daemon daemon;
	struct run sandbox;
	require_runsc();
	daemon_start(&daemon, rules, "");
	sandbox_start(
	        &sandbox, &daemon,
	        "printf 'exec -a \"$(printf \"bad\\\\377\")\" /bin/sh -c true' >/tmp/x && cat /tmp/x && bash /tmp/x");
	sandbox_finish(&sandbox);
	assert_int_equal(daemon_stop(&daemon), 0);
	const json_t *hidden = NULL, *alert;
	size_t i;
	json_array_foreach(daemon.alerts, i, alert) if (strcmp(text(alert, "rule"), "Hidden") == 0) hidden = alert;
	assert_non_null(hidden);
	assert_true(json_is_true(json_object_get(process_of(hidden), "hidden_exec")));
	daemon_done(&daemon);
}

static void test_sandbox__failed_exec_is_no_start(void **state)
{
	(void)state;
	struct daemon daemon;
	struct run sandbox;
	require_runsc();
	daemon_start(&daemon, rules, "");
	sandbox_start(&sandbox, &daemon, "/bin/bash -c 'exec /nowhere/probe-x' 2>/dev/null || true");
	sandbox_finish(&sandbox);
	assert_int_equal(daemon_stop(&daemon), 0);
	assert_null(daemon_alert(&daemon, "Exec", "probe-x"));
	daemon_done(&daemon);
}

static void test_sandbox__two_at_once_are_not_mixed(void **state)
{
	(void)state;
	struct daemon daemon;
	struct run one, two;
	require_runsc();
	daemon_start(&daemon, rules, "");
	const char *script = "mkdir /tmp/%1$s && cd /tmp/%1$s && cp /bin/true probe-%1$s && for i in 1 2 3 4 5; do "
	                     "./probe-%1$s $i; done";
	char first[256], second[256];
	snprintf(first, sizeof(first), script, "one");
	snprintf(second, sizeof(second), script, "two");
	sandbox_start(&one, &daemon, first);
	sandbox_start(&two, &daemon, second);
	sandbox_finish(&one);
	sandbox_finish(&two);
	assert_int_equal(daemon_stop(&daemon), 0);
	const char *of_one = container_of(expect_alert(&daemon, "Exec", "probe-one"));
	const char *of_two = container_of(expect_alert(&daemon, "Exec", "probe-two"));
	assert_string_not_equal(of_one, of_two);
	size_t i, counts[2] = { 0, 0 };
	const json_t *alert;
	json_array_foreach(daemon.alerts, i, alert)
	{
		if (strcmp(text(alert, "rule"), "Exec") != 0)
			continue;
		bool is_one = strcmp(text(process_of(alert), "name"), "probe-one") == 0;
		counts[is_one]++;
		assert_string_equal(container_of(alert), is_one ? of_one : of_two);
		assert_string_equal(text(process_of(alert), "cwd"), is_one ? "/tmp/one" : "/tmp/two");
	}
	assert_int_equal(counts[0], 5);
	assert_int_equal(counts[1], 5);
	daemon_done(&daemon);
}

/* Finds an event of the batches that a receiver got. */
static bool received(struct http_server *server, const char *id)
{
	for (unsigned r = 0; r < http_server_request_count(server); r++) {
		const struct http_request *request = http_server_request(server, r);
		Seccheckd__V1__SecurityEventBatch *batch = seccheckd__v1__security_event_batch__unpack(
		        NULL, request->body.len, (const uint8_t *)request->body.data);
		assert_non_null(batch);
		bool found = false;
		for (size_t i = 0; i < batch->n_events; i++)
			found = found || strcmp(batch->events[i]->id, id) == 0;
		seccheckd__v1__security_event_batch__free_unpacked(batch, NULL);
		if (found)
			return true;
	}
	return false;
}

static void accept_all(void *user, const struct http_request *request, unsigned index, struct http_reply *reply)
{
	(void)user;
	(void)request;
	(void)index;
	(void)reply;
}

static void test_sandbox__control_plane_gets_protobuf_of_every_alert(void **state)
{
	(void)state;
	struct daemon daemon;
	struct run sandbox;
	char config[256];
	require_runsc();
	struct http_server *server = http_server_start(
	        &(struct http_server_options){ .listen_fd = -1, .respond = accept_all });
	snprintf(config, sizeof(config), "control_plane:\n  url: http://127.0.0.1:%u/events\n  ack: status\n",
	         http_server_port(server));
	daemon_start(&daemon, rules, config);
	sandbox_start(&sandbox, &daemon, "cp /bin/true /tmp/probe && /tmp/probe && cat /etc/hostname");
	sandbox_finish(&sandbox);
	assert_int_equal(daemon_stop(&daemon), 0);
	assert_true(json_array_size(daemon.alerts) >= 2);
	size_t i;
	const json_t *alert;
	json_array_foreach(daemon.alerts, i, alert)
	        assert_true(received(server, text(json_object_get(alert, "seccheckd"), "event_id")));
	assert_string_equal(http_server_request(server, 0)->content_type, "application/x-protobuf");
	assert_string_equal(http_server_request(server, 0)->path, "/events");
	http_server_stop(server);
	daemon_done(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sandbox__exec_connect_and_open_are_told_with_process_cwd_and_lineage),
		cmocka_unit_test(test_sandbox__a_link_names_the_process),
		cmocka_unit_test(test_sandbox__an_exec_that_is_not_told_is_hidden),
		cmocka_unit_test(test_sandbox__failed_exec_is_no_start),
		cmocka_unit_test(test_sandbox__two_at_once_are_not_mixed),
		cmocka_unit_test(test_sandbox__control_plane_gets_protobuf_of_every_alert),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed == 0 && sandbox_unavailable() ? 77 : failed;
}
