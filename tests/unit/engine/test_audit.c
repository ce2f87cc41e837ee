/*
 * What is said of rules on gVisor: verdicts, and the event types and fields behind them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/buf.h"
#include "seccheckd/engine/audit.h"
#include "seccheckd/engine/ruleset.h"

static struct scd_arena arena;
static struct scd_buf yaml;
static struct scd_ruleset *set; /* the last one: names of an audit may be parts of it */

static int set_up(void **state)
{
	(void)state;
	scd_arena_init(&arena, 4096, 1u << 24);
	scd_buf_init(&yaml, 1u << 16);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scd_ruleset_unref(&set);
	scd_arena_done(&arena);
	scd_buf_done(&yaml);
	return 0;
}

/* Of the calls that these tests name, the first ones have messages of their own. */
static struct scd_kind_set decoded_kinds(void)
{
	static const char *const names[] = { "open", "openat", "connect", "execve", "procexit" };
	struct scd_kind_set kinds = { 0 };

	for (size_t i = 0; i < SCD_COUNT(names); i++)
		scd_kind_set_add(&kinds, (unsigned)scd_kind_find(scd_str_from(names[i]), 0));
	return kinds;
}

static struct scd_audit audit(const char *condition, const char *output)
{
	const struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG, .keep_conditions = true };
	const struct scd_kind_set decoded = decoded_kinds();
	struct scd_loader *loader;
	struct scd_audit result;
	struct scd_diags diags;

	scd_ruleset_unref(&set);
	scd_buf_reset(&yaml);
	scd_buf_printf(&yaml, "- rule: R\n  desc: d\n  priority: INFO\n  output: o %s\n  condition: %s\n", output,
	               condition);
	scd_diags_init(&diags);
	loader = scd_loader_new(&diags);
	assert_non_null(loader);
	scd_loader_add_text(loader, scd_buf_str(&yaml), "test.yaml");
	scd_loader_build(loader, &options, &set);
	scd_loader_free(&loader);
	if (!set)
		scd_diags_print(&diags, stderr);
	assert_non_null(set);
	assert_int_equal(scd_audit_rule(scd_ruleset_rule(set, 0), &decoded, &arena, &result), 0);
	scd_diags_done(&diags);
	return result;
}

static const struct {
	const char *condition;
	enum scd_audit_verdict verdict;
	size_t kinds, deaf, absent, failing;
} rows[] = {
	{ "evt.type in (open, openat) and fd.name = /x", SCD_AUDIT_FULL, 2, 0, 0, 0 },
	{ "evt.type in (open, openat, openat2) and fd.num >= 0", SCD_AUDIT_FULL, 2, 0, 0, 1 },
	{ "evt.type = symlink and evt.arg.target = /x", SCD_AUDIT_NEVER, 0, 1, 0, 0 },
	{ "evt.type = symlink and not evt.arg.target = /x", SCD_AUDIT_PARTIAL, 1, 0, 0, 0 },
	{ "evt.type in (open, rename) and (fd.name = /x or evt.arg.oldpath = /x)", SCD_AUDIT_PARTIAL, 1, 1, 0, 0 },
	{ "evt.type in (connect, sendto) and fd.sport = 1", SCD_AUDIT_PARTIAL, 2, 0, 0, 0 },
	{ "evt.type in (connect, execve) and fd.sport = 1", SCD_AUDIT_FULL, 1, 0, 0, 0 },
	{ "evt.type = open and not fd.name = /x and container.id != host", SCD_AUDIT_FULL, 1, 0, 0, 0 },
	{ "evt.type = open and container.id = host", SCD_AUDIT_NEVER, 0, 1, 0, 0 },
	{ "evt.type = open and not container.id != host", SCD_AUDIT_NEVER, 0, 1, 0, 0 },
	{ "evt.type = open and evt.cpu = 1", SCD_AUDIT_NEVER, 0, 1, 0, 0 },
	{ "evt.type = open and tolower(evt.plugininfo) = x", SCD_AUDIT_NEVER, 0, 1, 0, 0 },
	{ "evt.type = open and user.loginuid = -1", SCD_AUDIT_PARTIAL, 1, 0, 0, 0 },
	{ "evt.type = userfaultfd and evt.rawres >= 0", SCD_AUDIT_NEVER, 0, 0, 1, 0 },
	{ "evt.type = userfaultfd and evt.failed = false", SCD_AUDIT_NEVER, 0, 0, 1, 0 },
	{ "evt.type = userfaultfd and evt.failed = true", SCD_AUDIT_PARTIAL, 0, 0, 0, 1 },
	{ "evt.type = switch", SCD_AUDIT_NEVER, 0, 0, 1, 0 },
	{ "evt.type = bpf and evt.arg.cmd = BPF_PROG_LOAD", SCD_AUDIT_FULL, 1, 0, 0, 0 },
	/* In Falco an openat has the flags, and a creat has none either. */
	{ "evt.type in (creat, open) and evt.arg.flags contains O_CREAT", SCD_AUDIT_FULL, 1, 0, 0, 0 },
};

static void test_audit__tells_what_can_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd_audit got = audit(rows[i].condition, "");

		if (got.verdict != rows[i].verdict || scd_kind_set_count(&got.kinds) != rows[i].kinds ||
		    scd_kind_set_count(&got.deaf) != rows[i].deaf ||
		    scd_kind_set_count(&got.absent) != rows[i].absent ||
		    scd_kind_set_count(&got.failing) != rows[i].failing)
			fail_msg("%s: %s, %zu match, %zu deaf, %zu absent, %zu failing", rows[i].condition,
			         scd_audit_name(got.verdict), scd_kind_set_count(&got.kinds),
			         scd_kind_set_count(&got.deaf), scd_kind_set_count(&got.absent),
			         scd_kind_set_count(&got.failing));
	}
}

static bool has(const struct scd_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (scd_str_is(names->items[i], name))
			return true;
	return false;
}

static void test_audit__names_fields(void **state)
{
	struct scd_audit got = audit("evt.type = open and (proc.aname[2] = x or evt.cpu = 1 or user.loginuid = 0)", "");

	(void)state;
	assert_true(has(&got.fields, "proc.aname[2]") && has(&got.fields, "evt.cpu"));
	assert_true(has(&got.never, "evt.cpu") && has(&got.never, "user.loginuid"));
	assert_false(has(&got.never, "proc.aname[2]"));
}

/* The condition is whole, but what the rule prints of it is not. */
static void test_audit__looks_at_parameters_of_outputs(void **state)
{
	struct scd_audit got = audit("evt.type = chmod and evt.arg.mode contains S_ISUID", "%evt.arg.filename");

	(void)state;
	assert_true(has(&got.params, "evt.arg.filename"));
	assert_int_equal(got.verdict, SCD_AUDIT_PARTIAL);
	got = audit("evt.type = chmod and evt.arg.mode contains S_ISUID", "%evt.arg.mode %user.loginuid");
	assert_int_equal(got.verdict, SCD_AUDIT_FULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_audit__tells_what_can_match),
		cmocka_unit_test(test_audit__names_fields),
		cmocka_unit_test(test_audit__looks_at_parameters_of_outputs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
