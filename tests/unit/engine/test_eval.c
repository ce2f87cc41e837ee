/*
 * What conditions say of events: one line each. The events are hand-made; how fields get their values has its own
 * tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/rules.h"

/* The three events that conditions are asked about. */
static struct scd_event exec_event, connect_event, open_event;
static struct sockaddr_in pool_address;
static const struct scd_str xmrig_argv[] = { SCD_STR_INIT("./xmrig"), SCD_STR_INIT("-o"),
	                                     SCD_STR_INIT("stratum+tcp://pool:3333"),
	                                     SCD_STR_INIT("--Donate-Level=1") };
static const struct scd_str shell_argv[] = { SCD_STR_INIT("sh") };

static struct scd_context context_of(int32_t tgid, const char *name)
{
	return (struct scd_context){
		.time_ns = 1700000000123456789,
		.thread_id = tgid,
		.thread_group_id = tgid,
		.has = SCD_HAS_CONTEXT | SCD_HAS_CREDENTIALS,
		.credentials = { .effective_uid = 1000 },
		.container_id = SCD_STR("0123456789abcdef"),
		.cwd = SCD_STR("/work"),
		.process_name = scd_str_from(name),
	};
}

static void make_events(void)
{
	exec_event.point = SCD_POINT_SENTRY_EXEC;
	exec_event.kind = SCD_KIND_EXECVE;
	exec_event.context = context_of(2, "sh");
	exec_event.u.exec.binary_path = SCD_STR("/tmp/xmrig");
	exec_event.u.exec.argv = (struct scd_strings){ xmrig_argv, 4 };

	pool_address.sin_family = AF_INET;
	pool_address.sin_port = htons(3333);
	inet_pton(AF_INET, "198.51.100.7", &pool_address.sin_addr);
	connect_event.point = SCD_POINT_SYSCALL_CONNECT;
	connect_event.kind = SCD_KIND_CONNECT;
	connect_event.context = context_of(2, "xmrig");
	connect_event.has_exit = true;
	connect_event.exit_errorno = 115; /* EINPROGRESS */
	connect_event.fd = 5;
	connect_event.u.connect.address = (struct scd_str){ (const char *)&pool_address, sizeof(pool_address) };

	open_event.point = SCD_POINT_SYSCALL_OPEN;
	open_event.kind = SCD_KIND_OPENAT;
	open_event.sysno = SCD_KIND_OPENAT;
	open_event.context = context_of(2, "xmrig");
	open_event.has_exit = true;
	open_event.exit_result = 7;
	open_event.fd = -100;
	open_event.u.open.pathname = SCD_STR("sub/../config.json");
}

/* A sandbox with a shell (1) and its child (2). */
static struct scd_sandbox *make_sandbox(void)
{
	struct scd_sandbox *sandbox = scd_sandbox_new(false);
	struct scd_process_ref ignored;
	struct scd_event shell = { .point = SCD_POINT_SENTRY_EXEC, .context = context_of(1, "init") };
	shell.u.exec.binary_path = SCD_STR("/bin/sh");
	shell.u.exec.argv = (struct scd_strings){ shell_argv, 1 };
	struct scd_event clone = { .point = SCD_POINT_SENTRY_CLONE, .context = context_of(1, "sh") };
	clone.u.clone_info.created_thread_id = clone.u.clone_info.created_thread_group_id = 2;
	assert_int_equal(scd_sandbox_apply(sandbox, &shell, &ignored), 0);
	assert_int_equal(scd_sandbox_apply(sandbox, &clone, &ignored), 0);
	return sandbox;
}

static size_t matches(const char *condition, const struct scd_event *event)
{
	struct scd_diags diags;
	scd_diags_init(&diags);
	struct scd_ruleset *set = rules_load_condition(condition, &diags);
	if (!set) {
		scd_diags_print(&diags, stderr);
		fail_msg("does not load: %s", condition);
	}
	struct scd_sandbox *sandbox = make_sandbox();
	if (event == &connect_event || event == &open_event)
		rules_run(set, sandbox, &exec_event);
	size_t count = rules_run(set, sandbox, event);
	scd_sandbox_free(&sandbox);
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
	return count;
}

struct row {
	const char *condition;
	bool expected;
};

static void check_rows(const struct row *rows, size_t count, const struct scd_event *event)
{
	for (size_t i = 0; i < count; i++) {
		size_t got = matches(rows[i].condition, event);
		if (got != rows[i].expected)
			fail_msg("%s: %zu matches, expected %d", rows[i].condition, got, rows[i].expected);
	}
}

#define CHECK(rows, event) check_rows(rows, sizeof(rows) / sizeof((rows)[0]), event)

static void test_text__operators(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "proc.name = xmrig", true },
		{ "proc.name == xmrig", true },
		{ "proc.name = XMRIG", false },
		{ "proc.name = xmri", false },
		{ "proc.name != bash", true },
		{ "proc.name != xmrig", false },
		{ "proc.name contains mri", true },
		{ "proc.name contains MRI", false },
		{ "proc.name icontains MRI", true },
		{ "proc.cmdline icontains --donate-level", true },
		{ "proc.name startswith xm", true },
		{ "proc.name startswith mr", false },
		{ "proc.name endswith rig", true },
		{ "proc.name endswith xmrig0", false },
		{ "proc.name startswith \"\"", true },
		{ "proc.name in (bash, xmrig)", true },
		{ "proc.name in (bash, sh)", false },
		{ "proc.name in ()", false },
		{ "proc.exepath glob /tmp*", true },
		{ "proc.exepath glob *rig", true },
		{ "proc.exepath glob /t?p/[xy]mrig", true },
		{ "proc.exepath glob /opt*", false },
		{ "proc.exepath pmatch (/tmp)", true },
		{ "proc.exepath pmatch (/opt, /tm)", false },
		{ "proc.exepath pmatch (/opt, /t*)", true },
		{ "proc.exepath exists", true },
		{ "proc.cmdline contains \"stratum+tcp://\"", true },
		{ "proc.exe = ./xmrig", true },
		{ "proc.args contains \"-o stratum\"", true },
		{ "proc.args startswith \"-o\"", true },
	};
	CHECK(rows, &exec_event);
}

static void test_missing__every_comparison_is_false_and_its_negation_true(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "fd.name = x", false },
		{ "fd.name != x", false },
		{ "not fd.name = x", true },
		{ "not fd.name != x", true },
		{ "fd.name exists", false },
		{ "not fd.name exists", true },
		{ "fd.name in (x)", false },
		{ "not fd.name in (x)", true },
		{ "fd.name pmatch (/)", false },
		{ "fd.sport > 0", false },
		{ "not fd.sport > 0", true },
		{ "fd.name contains \"\"", false },
		{ "proc.vmsize > 0", false },
		{ "not proc.vmsize > 0", true },
		{ "evt.cpu exists", false },
		{ "proc.vmsize exists or proc.name = xmrig", true },
		{ "proc.vmsize exists and proc.name = xmrig", false },
	};
	CHECK(rows, &exec_event);
}

/* A path of no parts is the beginning of every path; no path at all is not. */
static void test_lists__of_nothing_and_of_an_empty_text_are_two(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "proc.exepath pmatch ()", false },
		{ "proc.exepath pmatch (\"\")", true },
		{ "proc.exepath pmatch (\"\") and not proc.exepath pmatch ()", true },
		{ "not proc.exepath pmatch () and proc.exepath pmatch (\"\")", true },
		{ "proc.exepath in () or proc.exepath in (\"\")", false },
	};
	CHECK(rows, &exec_event);
}

static void test_logic__and_or_not(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "proc.name = xmrig and proc.vpid = 2", true },
		{ "proc.name = xmrig and proc.vpid = 3", false },
		{ "proc.name = a or proc.name = b or proc.name = xmrig", true },
		{ "proc.name = a or proc.name = b", false },
		{ "not proc.name = a", true },
		{ "not not proc.name = a", false },
		{ "not (proc.name = a or proc.name = xmrig)", false },
		{ "not (proc.name = a and proc.name = xmrig)", true },
		{ "proc.name = a and proc.name = b or proc.name = xmrig", true },
		{ "proc.name = a and (proc.name = b or proc.name = xmrig)", false },
		{ "(proc.name = xmrig or proc.name = a) and not (proc.vpid = 3 or not proc.vpid = 2)", true },
		{ "proc.name = xmrig and proc.name = xmrig and proc.name = xmrig", true },
	};
	CHECK(rows, &exec_event);
}

static void test_numbers__compare_by_type(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "proc.vpid = 2", true },       { "proc.vpid != 2", false },     { "proc.vpid < 3", true },
		{ "proc.vpid <= 2", true },      { "proc.vpid > 2", false },      { "proc.vpid >= 2", true },
		{ "proc.vpid in (1, 2)", true }, { "proc.vpid > -1", true },      { "user.uid = 1000", true },
		{ "user.uid != 0", true },       { "user.uid in (0, 1)", false }, { "thread.ismain = true", true },
		{ "evt.failed = false", true },  { "evt.failed != true", true },
	};
	CHECK(rows, &exec_event);
}

static void test_lineage__parents_and_any_ancestor(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "proc.pname = sh", true },         { "proc.pname = xmrig", false },
		{ "proc.aname = sh", true },         { "proc.aname = xmrig", false },
		{ "proc.aname[0] = xmrig", true },   { "proc.aname[1] = sh", true },
		{ "proc.aname[2] exists", false },   { "proc.aname in (bash, sh)", true },
		{ "proc.pexepath = /bin/sh", true }, { "not proc.aname in (bash)", true },
	};
	CHECK(rows, &exec_event);
}

static void test_network__addresses_ports_and_nets(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "fd.sip = 198.51.100.7", true },
		{ "fd.sip = \"198.51.100.7\"", true },
		{ "fd.sip != 198.51.100.8", true },
		{ "fd.sip in (198.51.100.7, 10.0.0.1)", true },
		{ "fd.sip = ::1", false },
		{ "fd.sip != ::1", true },
		{ "fd.snet = \"198.51.100.0/24\"", true },
		{ "fd.snet in (\"10.0.0.0/8\", \"198.51.0.0/16\")", true },
		{ "fd.snet in (\"10.0.0.0/8\", \"192.168.0.0/16\")", false },
		{ "fd.snet = \"0.0.0.0/0\"", true },
		{ "fd.snet = \"198.51.100.6/31\"", true },
		{ "fd.snet = \"198.51.100.8/29\"", false },
		{ "fd.sport = 3333", true },
		{ "fd.rport in (3333, 4444)", true },
		{ "fd.sport > 1024", true },
		{ "fd.sport = http", false },
		{ "fd.sport in (mysql, ms-wbt-server)", false },
		{ "fd.sport in (http, 3333)", true },
		{ "fd.ip = 198.51.100.7", true },
		{ "fd.ip != 198.51.100.7", false },
		{ "fd.port != 80", true },
		{ "fd.net in (\"198.51.100.0/24\")", true },
		{ "evt.type = connect", true },
		{ "evt.res = EINPROGRESS", true },
		{ "evt.failed = true", true },
		{ "proc.exepath startswith /tmp/", true },
	};
	CHECK(rows, &connect_event);
}

static void test_ports__have_the_usual_names(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "fd.sport = https", true },
		{ "fd.sport = http", false },
		{ "fd.sport in (ssh, https)", true },
	};
	pool_address.sin_port = htons(443);
	CHECK(rows, &connect_event);
	make_events();
}

static void test_open__path_is_resolved(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "fd.name = /work/config.json", true }, { "fd.nameraw = sub/../config.json", true },
		{ "fd.directory = /work", true },        { "fd.filename = config.json", true },
		{ "evt.type in (open, openat)", true },  { "fd.num = 7", true },
	};
	CHECK(rows, &open_event);
}

static void test_kinds__decide_before_anything_else(void **state)
{
	(void)state;
	static const struct row on_exec[] = {
		{ "evt.type = execve", true },
		{ "evt.type != execve", false },
		{ "evt.type in (open, openat)", false },
		{ "not evt.type in (open, openat)", true },
		{ "evt.type exists", true },
		{ "evt.type startswith exec", true },
	};
	CHECK(on_exec, &exec_event);
}

static void test_kinds__what_is_no_system_call_has_no_syscall_type(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ "syscall.type = procexit", false },    { "syscall.type != openat", false },
		{ "not syscall.type = procexit", true }, { "syscall.type exists", false },
		{ "evt.type = procexit", true },
	};
	struct scd_event event = { .point = SCD_POINT_SENTRY_TASK_EXIT, .kind = SCD_KIND_PROCEXIT, .fd = -1 };
	CHECK(rows, &event);
}

static void test_kinds__static_analysis_narrows_the_buckets(void **state)
{
	(void)state;
	static const struct {
		const char *condition;
		unsigned kind;
		bool in;
	} rows[] = {
		{ "evt.type = execve and proc.name = x", SCD_KIND_EXECVE, true },
		{ "evt.type = execve and proc.name = x", SCD_KIND_OPENAT, false },
		{ "evt.type = execve or proc.name = x", SCD_KIND_OPENAT, true },
		{ "not (evt.type = execve or evt.type = openat)", SCD_KIND_OPENAT, false },
		{ "not (evt.type != execve)", SCD_KIND_OPENAT, false },
		{ "not (evt.type != execve)", SCD_KIND_EXECVE, true },
		{ "evt.type = execve and evt.type = openat", SCD_KIND_EXECVE, false },
		{ "proc.name = x", SCD_KIND_PROCEXIT, true },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_diags diags;
		scd_diags_init(&diags);
		struct scd_ruleset *set = rules_load_condition(rows[i].condition, &diags);
		assert_non_null(set);
		assert_int_equal(scd_kind_set_has(scd_ruleset_kinds(set), rows[i].kind), rows[i].in);
		scd_ruleset_unref(&set);
		scd_diags_done(&diags);
	}
}

static void test_run__reports_every_rule_in_order_or_the_first_only(void **state)
{
	(void)state;
	static const char yaml[] =
	        "- rule: A\n  desc: d\n  priority: INFO\n  output: o\n  condition: evt.type = execve\n"
	        "- rule: B\n  desc: d\n  priority: INFO\n  output: o\n  condition: evt.type = execve\n"
	        "- rule: C\n  desc: d\n  priority: INFO\n  output: o\n  condition: evt.type = execve\n  enabled: "
	        "false\n";
	for (int first = 0; first < 2; first++) {
		struct scd_diags diags;
		struct scd_ruleset *set;
		struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG,
			                               .match_first = first != 0 };
		scd_diags_init(&diags);
		struct scd_loader *loader = scd_loader_new(&diags);
		assert_int_equal(scd_loader_add_text(loader, SCD_STR(yaml), "t"), 0);
		assert_int_equal(scd_loader_build(loader, &options, &set), 0);
		struct scd_sandbox *sandbox = make_sandbox();
		assert_int_equal(rules_run(set, sandbox, &exec_event), first ? 1 : 2);
		scd_sandbox_free(&sandbox);
		scd_ruleset_unref(&set);
		scd_loader_free(&loader);
		scd_diags_done(&diags);
	}
}

static void test_run__less_urgent_rules_are_never_enabled(void **state)
{
	(void)state;
	struct scd_diags diags;
	struct scd_ruleset *set;
	struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_ERROR };
	scd_diags_init(&diags);
	struct scd_loader *loader = scd_loader_new(&diags);
	static const char yaml[] =
	        "- rule: A\n  desc: d\n  priority: WARNING\n  output: o\n  condition: evt.type = execve\n";
	assert_int_equal(scd_loader_add_text(loader, SCD_STR(yaml), "t"), 0);
	assert_int_equal(scd_loader_build(loader, &options, &set), 0);
	assert_false(scd_ruleset_rule(set, 0)->enabled);
	assert_int_equal(scd_kind_set_count(scd_ruleset_kinds(set)), 0);
	scd_ruleset_unref(&set);
	scd_loader_free(&loader);
	scd_diags_done(&diags);
}

static void test_macro__is_a_node_and_not_text(void **state)
{
	(void)state;
	static const char yaml[] =
	        "- macro: m\n  condition: proc.name = a or proc.name = xmrig\n"
	        "- list: names\n  items: [xmrig, other]\n"
	        "- macro: n\n  condition: proc.name in (names) and m\n"
	        "- rule: R\n  desc: d\n  priority: INFO\n  output: o\n  condition: m and proc.vpid = 3\n"
	        "- rule: S\n  desc: d\n  priority: INFO\n  output: o\n  condition: not n or not m\n"
	        "- rule: T\n  desc: d\n  priority: INFO\n  output: o\n  condition: n and m\n";
	struct scd_diags diags;
	scd_diags_init(&diags);
	struct scd_ruleset *set = rules_load(yaml, &diags);
	assert_non_null(set);
	struct scd_sandbox *sandbox = make_sandbox();
	assert_int_equal(rules_run(set, sandbox, &exec_event), 1);
	scd_sandbox_free(&sandbox);
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
}

static int make(void **state)
{
	(void)state;
	make_events();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text__operators),
		cmocka_unit_test(test_missing__every_comparison_is_false_and_its_negation_true),
		cmocka_unit_test(test_lists__of_nothing_and_of_an_empty_text_are_two),
		cmocka_unit_test(test_logic__and_or_not),
		cmocka_unit_test(test_numbers__compare_by_type),
		cmocka_unit_test(test_lineage__parents_and_any_ancestor),
		cmocka_unit_test(test_network__addresses_ports_and_nets),
		cmocka_unit_test(test_ports__have_the_usual_names),
		cmocka_unit_test(test_open__path_is_resolved),
		cmocka_unit_test(test_kinds__decide_before_anything_else),
		cmocka_unit_test(test_kinds__what_is_no_system_call_has_no_syscall_type),
		cmocka_unit_test(test_kinds__static_analysis_narrows_the_buckets),
		cmocka_unit_test(test_run__reports_every_rule_in_order_or_the_first_only),
		cmocka_unit_test(test_run__less_urgent_rules_are_never_enabled),
		cmocka_unit_test(test_macro__is_a_node_and_not_text),
	};
	return cmocka_run_group_tests(tests, make, NULL);
}
