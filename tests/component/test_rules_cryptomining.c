/*
 * The bundled pack: what each rule must catch and must leave alone, on made messages and on recorded traces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/feed.h"

static const char *const pack[] = { "rules", NULL };

static const struct actor shell = { .tid = 1, .tgid = 1, .time_ns = 1, .container = "c", .cwd = "/", .name = "sh" };
static const struct actor worker = { .tid = 2, .tgid = 2, .time_ns = 2, .container = "c", .cwd = "/", .name = "sh" };

#define MOST_RULES 4

/* A program that is started, and the rules that must fire, by name; no others may. */
struct exec_row {
	const char *name, *path;
	const char *argv[8];
	const char *rules[MOST_RULES];
};

#define MINER         "Crypto miner executed"
#define OPTIONS       "Program started with mining pool options"
#define MINER_OPTIONS "Program started with miner options"
#define MENTION       "Mining pool in a command line"
#define TEMPORARY     "Program executed from a temporary folder"
#define SHARED        "Program executed from shared memory"
#define MEMORY        "Program executed from memory"
#define NODE          "Monero node executed"

static void start_shell(struct feed *feed)
{
	struct message message = { 0 };
	message_start(&message, &shell, "c", (const char *[]){ "/bin/sh", NULL });
	assert_int_equal(feed_message(feed, &message), 0);
	message_clone(&message, &shell, 2, 2, 0);
	assert_int_equal(feed_message(feed, &message), 0);
	message_done(&message);
	feed_forget(feed);
}

/* Exactly these rules fired. */
static void assert_rules(const struct feed *feed, const char *name, const char *const *rules)
{
	size_t expected = 0;
	for (; expected < MOST_RULES && rules[expected]; expected++)
		if (!feed_alert(feed, rules[expected]))
			fail_msg("%s: '%s' did not fire", name, rules[expected]);
	for (size_t i = 0; feed->alert_count != expected && i < feed->alert_count; i++)
		print_message("  fired: %s\n", json_string_value(json_object_get(feed->alerts[i], "rule")));
	if (feed->alert_count != expected)
		fail_msg("%s: %zu alerts, expected %zu", name, feed->alert_count, expected);
}

static void test_exec__fires_what_it_should_and_nothing_else(void **state)
{
	(void)state;
	static const struct exec_row rows[] = {
		{ "xmrig", "/opt/xmrig", { "xmrig" }, { MINER } },
		{ "a variant of xmrig", "/opt/xmrig-6.21", { "xmrig-6.21" }, { MINER } },
		{ "a name cut at 15 bytes", "/opt/xmrig-cuda-plugin-loader", { "x" }, { MINER } },
		{ "malware", "/usr/local/bin/kinsing", { "kinsing" }, { MINER } },
		{ "xmrig from /tmp with options",
		  "/tmp/xmrig",
		  { "xmrig", "-o", "stratum+tcp://p:3333", "-u", "w" },
		  { MINER, OPTIONS, TEMPORARY } },
		{ "renamed, with options",
		  "/usr/bin/python3x",
		  { "worker", "-o", "stratum+ssl://p:443", "-u", "w" },
		  { OPTIONS } },
		{ "renamed, options first",
		  "/usr/bin/job",
		  { "job", "-u", "w", "-o", "stratum+tcp://p:3333" },
		  { OPTIONS } },
		{ "renamed, xmrig's own option",
		  "/usr/bin/job",
		  { "job", "--donate-level=1" },
		  { MINER_OPTIONS, MENTION } },
		{ "algorithm as option value", "/usr/bin/job", { "job", "-a", "rx/0" }, { MINER_OPTIONS } },
		{ "echo of a pool", "/usr/bin/echo", { "echo", "-o", "stratum+tcp://p", "-u", "w" }, { MENTION } },
		{ "grep for a pool", "/usr/bin/grep", { "grep", "-r", "stratum+tcp://", "/src" }, { MENTION } },
		{ "shell that passes it on",
		  "/usr/bin/sh",
		  { "sh", "-c", "job -o stratum+tcp://p -u w" },
		  { MENTION } },
		{ "a miner called python3",
		  "/tmp/python3",
		  { "python3", "-o", "stratum+tcp://p", "-u", "w", "--donate-level=1" },
		  { OPTIONS, MINER_OPTIONS, TEMPORARY } },
		{ "pool without account", "/usr/bin/curl", { "curl", "stratum+tcp://p:3333" }, { MENTION } },
		{ "node", "/usr/bin/monerod", { "monerod" }, { NODE } },
		{ "compiler's result", "/tmp/hello", { "/tmp/hello" }, { TEMPORARY } },
		{ "shared memory", "/dev/shm/x", { "x" }, { SHARED } },
		{ "memfd", "/memfd:x (deleted)", { "x" }, { MEMORY } },
		{ "descriptor", "/proc/self/fd/3", { "x" }, { MEMORY } },
		{ "plain ls", "/usr/bin/ls", { "ls", "-la", "/tmp" }, { NULL } },
		{ "a program with tmp in its path", "/opt/tmp/run", { "run" }, { NULL } },
		{ "ssh user option", "/usr/bin/mysql", { "mysql", "-u", "root", "-p", "x" }, { NULL } },
		{ "name that ordinary programs have", "/usr/bin/excavator", { "excavator" }, { NULL } },
		{ "python that computes", "/usr/bin/python3", { "python3", "-c", "print(2**64)" }, { NULL } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct feed feed;
		struct message message = { 0 };
		feed_open(&feed, pack);
		start_shell(&feed);
		message_exec(&message, &worker, rows[i].path, rows[i].argv);
		assert_int_equal(feed_message(&feed, &message), 0);
		assert_rules(&feed, rows[i].name, rows[i].rules);
		message_done(&message);
		feed_close(&feed);
	}
}

static void test_start__the_containers_own_program_is_judged(void **state)
{
	(void)state;
	struct feed feed;
	struct message message = { 0 };
	struct actor first = shell;
	first.name = "xmrig";
	feed_open(&feed, pack);
	message_start(&message, &first, "c",
	              (const char *[]){ "/opt/xmrig", "-o", "stratum+tcp://p:3333", "-u", "w", NULL });
	assert_int_equal(feed_message(&feed, &message), 0);
	assert_rules(&feed, "entry point", (const char *const[MOST_RULES]){ MINER, OPTIONS });
	message_done(&message);
	feed_close(&feed);
}

static void test_start__is_judged_without_any_context(void **state)
{
	(void)state;
	struct feed feed;
	struct message message = { 0 };
	struct actor nobody = { 0 };
	feed_open(&feed, pack);
	message_start(&message, &nobody, "c", (const char *[]){ "xmrig", NULL });
	assert_int_equal(feed_message(&feed, &message), 0);
	assert_rules(&feed, "no context", (const char *const[MOST_RULES]){ MINER });
	message_done(&message);
	feed_close(&feed);
}

#define POOL       "Connection to a mining pool port"
#define MINER_POOL "Miner connected to a pool port"

static void test_connect__port_alone_is_a_notice(void **state)
{
	(void)state;
	static const struct {
		const char *name, *exe, *address;
		uint16_t port;
		const char *rules[MOST_RULES];
	} rows[] = {
		{ "any program, pool port", "/usr/bin/curl", "198.51.100.1", 3333, { POOL } },
		{ "any program, Monero port", "/usr/bin/curl", "2001:db8::1", 18080, { POOL } },
		{ "any program, loopback", "/usr/bin/curl", "127.0.0.1", 3333, { NULL } },
		{ "any program, loopback v6", "/usr/bin/curl", "::1", 3333, { NULL } },
		{ "any program, web", "/usr/bin/curl", "198.51.100.1", 443, { NULL } },
		{ "miner by name", "/opt/xmrig", "127.0.0.1", 3333, { MINER_POOL } },
		{ "from /tmp", "/tmp/a", "198.51.100.1", 3333, { MINER_POOL, POOL } },
		{ "from /tmp, loopback", "/tmp/a", "127.0.0.1", 3333, { NULL } },
		{ "from /tmp, web", "/tmp/a", "198.51.100.1", 443, { NULL } },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct feed feed;
		struct message message = { 0 };
		struct actor actor = worker;
		feed_open(&feed, pack);
		start_shell(&feed);
		message_exec(&message, &worker, rows[i].exe, (const char *[]){ "x", NULL });
		assert_int_equal(feed_message(&feed, &message), 0);
		feed_forget(&feed);
		actor.name = strrchr(rows[i].exe, '/') + 1;
		message_connect(&message, &actor, rows[i].address, rows[i].port, 115);
		assert_int_equal(feed_message(&feed, &message), 0);
		assert_rules(&feed, rows[i].name, rows[i].rules);
		message_done(&message);
		feed_close(&feed);
	}
}

static void test_open__processor_registers(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		size_t alerts;
	} rows[] = { { "/dev/cpu/0/msr", 1 },
		     { "/dev/cpu/17/msr", 1 },
		     { "/sys/module/msr/parameters/allow_writes", 1 },
		     { "/dev/cpu/0/cpuid", 0 },
		     { "/dev/null", 0 } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct feed feed;
		struct message message = { 0 };
		feed_open(&feed, pack);
		message_open(&message, &worker, rows[i].path, O_RDWR, 0, 2);
		assert_int_equal(feed_message(&feed, &message), 0);
		assert_int_equal(feed.alert_count, rows[i].alerts);
		message_done(&message);
		feed_close(&feed);
	}
}

/* Recorded traces. */

#define SHARED_TRACES SCD_SOURCE_DIR "/../shared/traces/"

static bool is_warning_or_above(const json_t *alert)
{
	const char *priority = json_string_value(json_object_get(alert, "priority"));
	return strcmp(priority, "Notice") != 0 && strcmp(priority, "Informational") != 0 &&
	       strcmp(priority, "Debug") != 0;
}

static void test_traces__ordinary_programs_raise_no_warning(void **state)
{
	(void)state;
	static const char *const names[] = { "detect-gcc",      "detect-python",        "detect-bash",
		                             "all-decoded-gcc", "all-decoded-bash",     "all-decoded-python",
		                             "benign-node-v8",  "benign-python-256mib", "probe-report-do" };
	if (access(SHARED_TRACES, R_OK) != 0) {
		print_message("skipped: the recorded traces are not here (" SHARED_TRACES ")\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct feed feed;
		char path[4096];
		snprintf(path, sizeof(path), SHARED_TRACES "%s", names[i]);
		feed_open(&feed, pack);
		assert_true(feed_trace(&feed, path) > 0);
		for (size_t a = 0; a < feed.alert_count; a++)
			if (is_warning_or_above(feed.alerts[a]))
				fail_msg("%s: %s", names[i],
				         json_string_value(json_object_get(feed.alerts[a], "output")));
		assert_int_equal(scd_pipeline_counters(feed.pipeline)->bad_payloads, 0);
		assert_int_equal(scd_pipeline_counters(feed.pipeline)->unknown_types, 0);
		feed_close(&feed);
	}
}

static void test_traces__compiled_program_in_tmp_is_noticed(void **state)
{
	(void)state;
	struct feed feed;
	feed_open(&feed, pack);
	assert_true(feed_trace(&feed, SCD_SOURCE_DIR "/tests/data/traces/detect-gcc") > 0);
	json_t *alert = feed_alert(&feed, TEMPORARY);
	assert_non_null(alert);
	assert_string_equal(json_string_value(json_object_get(json_object_get(alert, "output_fields"), "proc.exepath")),
	                    "/tmp/hello");
	assert_int_equal(feed.alert_count, 1);
	feed_close(&feed);
}

/* The sample rule of the article that Falco users start with. */
static void test_article__sample_rule_loads_unchanged_and_fires(void **state)
{
	(void)state;
	struct feed feed;
	struct message message = { 0 };
	char text[16384];
	FILE *file = fopen(SCD_SOURCE_DIR "/../shared/seeds/004_d66090ba5c41b54a.txt", "r");
	if (!file) {
		print_message("skipped: the article is not here\n");
		skip();
	}
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	char *rule = strstr(text, "- rule:"), *end = rule ? strstr(rule, "\n\nThis rule") : NULL;
	assert_non_null(end);
	*end = '\0';
	feed_open_text(&feed, rule);
	start_shell(&feed);
	message_exec(&message, &worker, "/tmp/xmrig", (const char *[]){ "xmrig", "-o", "pool.example.com:3333", NULL });
	assert_int_equal(feed_message(&feed, &message), 0);
	json_t *alert = feed_alert(&feed, "Suspicious crypto miner process");
	assert_non_null(alert);
	assert_string_equal(json_string_value(json_object_get(alert, "priority")), "Critical");
	assert_non_null(strstr(json_string_value(json_object_get(alert, "output")),
	                       "(name=xmrig, cmdline=xmrig -o pool.example.com:3333, pid=2)"));
	message_done(&message);
	feed_close(&feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec__fires_what_it_should_and_nothing_else),
		cmocka_unit_test(test_start__the_containers_own_program_is_judged),
		cmocka_unit_test(test_start__is_judged_without_any_context),
		cmocka_unit_test(test_connect__port_alone_is_a_notice),
		cmocka_unit_test(test_open__processor_registers),
		cmocka_unit_test(test_traces__ordinary_programs_raise_no_warning),
		cmocka_unit_test(test_traces__compiled_program_in_tmp_is_noticed),
		cmocka_unit_test(test_article__sample_rule_loads_unchanged_and_fires),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
