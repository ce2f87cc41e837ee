/*
 * The language of conditions in one-liners: whole conditions over constants and the fields of an empty event, compiled
 * and run as those of rules are.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/condition.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "tests/support/failing_alloc.h"

struct bench {
	struct scd_arena arena, scratch;
	struct scd_event event;
	struct scd_sandbox *sandbox;
	struct scd_view view;
};

static void set_up(struct bench *bench)
{
	*bench = (struct bench){
		.event = { .sequence = 1, .kind = SCD_KIND_EXECVE, .has_exit = true, .exit_errorno = 2, .fd = -1 }
	};
	scd_arena_init(&bench->arena, 65536, 16u << 20);
	scd_arena_init(&bench->scratch, 65536, 1u << 20);
	bench->sandbox = scd_sandbox_new(false);
	assert_non_null(bench->sandbox);
	bench->view = (struct scd_view){ .event = &bench->event,
		                         .sandbox = bench->sandbox,
		                         .scratch = &bench->scratch };
}

static void tear_down(struct bench *bench)
{
	scd_sandbox_free(&bench->sandbox);
	scd_arena_done(&bench->scratch);
	scd_arena_done(&bench->arena);
}

static int compile(struct bench *bench, const char *text, struct scd__condition **ret_condition,
                   struct scd__compile_error *ret_error)
{
	struct scd_ast_error error;
	const struct scd_ast *ast;
	int r = scd_ast_parse(scd_str_from(text), SCD_LIMIT_RULE_PARSE_DEPTH, &bench->arena, &ast, &error);

	if (r == -EINVAL)
		fail_msg("%s: %s", text, error.what);
	if (r < 0)
		return r;
	return scd__condition_new(ast, NULL, ret_condition, ret_error);
}

static bool holds(const char *text)
{
	struct scd__compile_error error = { 0 };
	struct scd__condition *condition;
	struct bench bench;
	bool result;

	set_up(&bench);
	if (compile(&bench, text, &condition, &error) < 0)
		fail_msg("%s: %s", text, error.what);
	result = scd__condition_holds(condition, &bench.view);
	assert_int_equal(scd__condition_holds(condition, &bench.view), result);
	scd__condition_free(&condition);
	assert_null(condition);
	tear_down(&bench);
	return result;
}

static void check_all(const char *const *conditions, size_t count, bool expected)
{
	for (size_t i = 0; i < count; i++)
		if (holds(conditions[i]) != expected)
			fail_msg("%s is %s", conditions[i], expected ? "false" : "true");
}

#define HOLD(...)                                                  \
	do {                                                       \
		static const char *const list[] = { __VA_ARGS__ }; \
		check_all(list, SCD_COUNT(list), true);            \
	} while (0)
#define FAIL(...)                                                  \
	do {                                                       \
		static const char *const list[] = { __VA_ARGS__ }; \
		check_all(list, SCD_COUNT(list), false);           \
	} while (0)

static void test_transformers__of_one_text(void **state)
{
	(void)state;
	HOLD("toupper(\"aZ1{\\xe4\") = \"AZ1{\\xe4\"", "tolower(\"Az[@\") = \"az[@\"", "tolower(\"\") = \"\"",
	     "basename(\"/a/b\") = b", "basename(\"b\") = b", "basename(\"/a/\") = \"\"", "basename(\"\") = \"\"",
	     "len(\"abc\") = 3", "len(\"\") = 0", "len(\"a\\x00b\") = 3", "toupper(basename(tolower(\"/A/b\"))) = B");
}

static void test_b64__takes_padding_whole_or_not_at_all(void **state)
{
	(void)state;
	HOLD("b64(\"YWJj\") = abc", "b64(\"YWI=\") = ab", "b64(\"YWI\") = ab", "b64(\"YQ==\") = a", "b64(\"YQ\") = a",
	     "b64(\"\") = \"\"", "b64(\"/+8=\") = \"\\xff\\xef\"", "len(b64(\"AAAA\")) = 3",
	     "b64(b64(\"WVdKag==\")) = abc");
	FAIL("b64(\"YQ=\") exists", "b64(\"Y\") exists", "b64(\"YWJjZ\") exists", "b64(\"Y===\") exists",
	     "b64(\"YW J\") exists", "b64(\"YW-_\") exists", "b64(\"=\") exists", "b64(\"a=bc\") exists",
	     "b64(\"!\") != x", "toupper(b64(\"!\")) != x", "concat(b64(\"!\"), \"a\") exists");
}

static void test_join_and_concat(void **state)
{
	(void)state;
	HOLD("join(\",\", ()) = \"\"", "join(\", \", (\"a\", 1, -2.5)) = \"a, 1, -2.5\"",
	     "join(\"\", (\"a\", \"b\")) = ab", "join(\"-\", (evt.num, evt.failed, evt.type)) = 1-true-execve",
	     "concat(\"a\", 1, \"\") = a1", "len((\"a\", \"bc\", evt.num)) = 3", "len(()) = 0",
	     "tolower((\"A\", \"B\")) in (a, b)", "concat(\"a\", concat(\"b\", join(\"c\", (\"d\", \"e\")))) = abdce");
	FAIL("join(\"-\", (\"a\", proc.name)) exists", "concat(proc.name, \"a\") != x",
	     "concat(\"fd.name\", \"\") = val(fd.name)");
}

static void test_getopt__reads_short_options(void **state)
{
	(void)state;
	HOLD("getopt((\"-a\", \"-bx\", \"-cd\", \"y\"), \"ab:cd:\") in (a, b, x, c, d, y)",
	     "len(getopt((\"-a\", \"-bx\"), \"ab:\")) = 3", "getopt((\"-z\"), \"a\") in (?)",
	     "getopt((\"-b\"), \"b:\") in (\"\")", "len(getopt((\"-a\", \"--long\", \"-a\"), \"a\")) = 2",
	     "len(getopt((\"-a\", \"--\", \"-a\"), \"a\")) = 1", "len(getopt((\"-a\", \"x\", \"-a\"), \"a\")) = 1",
	     "len(getopt((\"-\", \"-a\"), \"a\")) = 0", "len(getopt((), \"a\")) = 0",
	     "getopt((\"-bx\", \"-by\"), \"b:\")[b] = y", "getopt((\"-a\"), \"a\")[a] = a",
	     "getopt((\"-b\", \"--\"), \"b:\")[b] = --", "getopt((\"-:\"), \":a\") in (?)",
	     "getopt((\"-b\", \"\"), \"b:\") intersects (b)");
	FAIL("getopt((\"-a\"), \"ab:\")[b] exists", "getopt((\"-z\"), \"a\")[z] exists",
	     "getopt((\"-b\"), \"b:\")[b] != \"\"");
}

static void test_modifiers__count_constants(void **state)
{
	(void)state;
	HOLD("evt.type == oneof (execve, open)", "evt.type != allof (open, close)", "evt.type != anyof (execve, open)",
	     "evt.type startswith allof (e, ex, exec)", "evt.type glob oneof (e*, x*)",
	     "evt.type iglob anyof (X*, EXEC*)", "evt.type regex allof (e.*, .*e)", "evt.num == anyof (0, 1)",
	     "evt.failed = oneof (true, false)", "evt.type icontains anyof (X, EC)",
	     "evt.type endswith oneof (ve, open)");
	FAIL("evt.type == oneof (execve, execve)", "evt.type == allof (execve, open)", "evt.type != oneof ()",
	     "evt.type = anyof ()", "evt.type != allof ()", "proc.name != anyof (a, b)",
	     "evt.type regex oneof (e.*, .*e)");
}

static void test_fields_on_the_right(void **state)
{
	(void)state;
	HOLD("evt.type = val(syscall.type) or not evt.type = val(syscall.type)", "evt.num in val(evt.num)",
	     "toupper(syscall.type) = toupper(syscall.type)", "concat(\"a*\", \"c\") glob concat(\"a[*\", \"]c\")",
	     "evt.num <= val(evt.num)", "len(\"abc\") > val(evt.num)", "evt.failed = val(evt.failed)",
	     "(tolower((\"A\", \"B\")) in tolower((\"b\", \"a\", \"c\")))",
	     "tolower((\"A\", \"B\")) intersects tolower((\"b\", \"x\"))",
	     "concat(\"ab\", \"c\") contains concat(\"b\", \"c\")");
	FAIL("proc.name = val(proc.pname)", "proc.name != val(proc.pname)", "syscall.type = val(proc.name)",
	     "syscall.type != val(proc.name)", "evt.num < val(evt.num)", "tolower((\"A\")) in tolower((\"b\"))");
}

static void test_lists__with_no_values(void **state)
{
	(void)state;
	HOLD("getopt((), \"a\") in (a)", "getopt((), \"a\") in ()", "getopt((), \"a\") exists");
	FAIL("getopt((), \"a\") intersects (a)", "fd.types in (file)", "len(fd.types) = 0", "fd.types exists");
}

static void test_operators__on_texts(void **state)
{
	(void)state;
	HOLD("evt.type regex e[a-z]+e", "evt.type iglob EX*VE", "evt.type intersects (open, execve)",
	     "evt.num intersects (1)", "concat(\"A\\nB\", \"\") iglob \"a*b\"", "evt.num = +1",
	     "evt.num < 18446744073709551615", "concat(\"a\", \"b\") > 5");
	FAIL("evt.type regex xecv", "evt.type glob EX*VE", "evt.num > -1", "concat(\"a\\nb\", \"\") regex a.b");
}

static void test_contains__of_several_texts_in_one_field(void **state)
{
	(void)state;
	HOLD("evt.res contains EN and evt.res contains NOENT and not evt.res contains ENT2 and evt.res contains \"\"",
	     "evt.res contains oneof (EN, XX) and not evt.res contains oneof (EN, OE) and not evt.res contains allof "
	     "(EN, XX)",
	     "evt.res contains allof (EN, OE, ENOENT) and evt.res contains anyof (XX, T)",
	     "evt.res icontains en and evt.res icontains EnT and not evt.res contains en and not evt.res icontains "
	     "entx",
	     "evt.res contains anyof (EN, EN) and not evt.res contains oneof (EN, EN)",
	     "tolower(evt.res) contains en and tolower(evt.res) contains nt and not tolower(evt.res) contains EN");
	FAIL("proc.name contains a or proc.name contains b", "evt.res contains anyof ()", "evt.res contains allof ()");
}

static void check_refused(const char *text, const char *reason)
{
	struct scd__condition *condition = NULL;
	struct scd__compile_error error = { 0 };
	struct bench bench;
	int r;

	set_up(&bench);
	r = compile(&bench, text, &condition, &error);
	if (r != -EINVAL || !strstr(error.what, reason))
		fail_msg("%s: %d, %s", text, r, error.what);
	assert_null(condition);
	tear_down(&bench);
}

static void test_type_errors__are_refused(void **state)
{
	static const struct {
		const char *condition, *reason;
	} rows[] = {
		{ "evt.num contains 1", "not supported" },
		{ "evt.num regex 1", "not supported" },
		{ "evt.num == oneof (x)", "not a valid value" },
		{ "evt.num contains anyof (1)", "not supported" },
		{ "fd.types = file", "not supported for a list" },
		{ "fd.types == anyof (file)", "not supported for a list" },
		{ "len(proc.name) = abc", "not a valid value" },
		{ "len(evt.num) = 1", "does not take a value of type 'UINT64'" },
		{ "tolower(proc.aname) = x", "does not support transformers" },
		{ "concat(proc.name) = x", "two arguments or more" },
		{ "concat(proc.name, evt.num) = x", "no single string" },
		{ "tolower(proc.name, fd.name) = x", "one argument" },
		{ "join(\"-\", proc.name) = x", "is a list" },
		{ "join(\"-\", (fd.types)) = x", "single values" },
		{ "getopt((evt.num), \"a\") exists", "list of strings" },
		{ "getopt((\"-a\"), \"a\")[aa] = x", "letter of an option" },
		{ "toupper(proc.name)[a] = x", "does not support field arguments" },
		{ "proc.name = val(evt.num)", "cannot be compared" },
		{ "proc.name = len(proc.name)", "cannot be compared" },
		{ "fd.types in val(proc.name)", "cannot be compared" },
		{ "proc.name in val(proc.aname)", "cannot be compared" },
		{ "fd.net = val(fd.snet)", "cannot be compared" },
		{ "proc.name regex val(proc.pname)", "does not take a field" },
		{ "proc.name pmatch val(proc.pname)", "does not take a field" },
		{ "proc.name regex \"a(\"", "missing )" },
		{ "evt.buffer bcontains 1", "hexadecimal" },
		{ "evt.type == oneof (open, nix)", "unknown event type nix" },
		{ "evt.type intersects (nix)", "unknown event type nix" },
		{ "proc.nix = a", "nonexistent field" },
		{ "tolower(proc.nix) = a", "nonexistent field" },
		{ "proc.name = val(proc.nix)", "nonexistent field" },
		{ "proc.name contains \"a\\x00\"", "NUL" },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++)
		check_refused(rows[i].condition, rows[i].reason);
}

/* What reads alike is one predicate, and what only prints alike is not. */
static void test_checks_that_print_alike__are_told_apart(void **state)
{
	(void)state;
	HOLD("concat(\"evt.type\", \"\") = evt.type and not concat(evt.type, \"\") = evt.type",
	     "evt.res != \"val(evt.res)\" and not toupper(evt.res) = \"toupper(evt.res)\" and toupper(evt.res) = "
	     "toupper(evt.res)",
	     "evt.res in (ENOENT) and not evt.res in () and not evt.res in (\"\")",
	     "getopt((\"-b1\"), \"b:\")[b] = 1 and not getopt((\"-b1\"), \"b:c\")[c] = 1",
	     "concat(\"a\\x00\", \"b\") exists and len(concat(\"a\\x00c\", \"b\")) = 4 and len(concat(\"a\\x00\", "
	     "\"b\")) = 3");
}

#ifdef SCD_FAILING_ALLOC

static void test_exhaustion__is_an_error_when_compiling(void **state)
{
	static const char text[] = "toupper(join(\"-\", (evt.type, \"b\"))) in (a, b) and evt.num == oneof (1, 2) and "
	                           "evt.type pmatch (/a, /b*) and not evt.res = val(syscall.type)";
	struct scd__compile_error error = { 0 };
	struct scd__condition *condition = NULL;
	struct bench bench;
	long live;
	int r;

	(void)state;
	live = scd_failing_alloc.live;
	for (unsigned long n = 0;; n++) {
		set_up(&bench);
		scd_failing_alloc_arm(n);
		r = compile(&bench, text, &condition, &error);
		if (!scd_failing_alloc_disarm())
			break;
		assert_int_equal(r, -ENOMEM);
		tear_down(&bench);
		assert_int_equal(scd_failing_alloc.live, live);
	}
	assert_int_equal(r, 0);
	scd__condition_free(&condition);
	tear_down(&bench);
}

/* All that evaluation needs is in the scratch arena; a regex has met the text before. */
static void test_evaluation__allocates_nothing(void **state)
{
	static const char text[] =
	        "toupper(evt.type) = x or join(\"-\", (evt.num, evt.type)) = x or evt.type regex x.* or "
	        "getopt((\"-a\", evt.type), \"a:\") intersects (x) or b64(evt.type) = x or "
	        "evt.type iglob X* or evt.type contains anyof (x1, x2) or evt.res in (a, b, c)";
	struct scd__compile_error error = { 0 };
	struct scd__condition *condition;
	struct bench bench;

	(void)state;
	set_up(&bench);
	assert_int_equal(compile(&bench, text, &condition, &error), 0);
	assert_false(scd__condition_holds(condition, &bench.view));
	for (unsigned i = 0; i < 100; i++) {
		scd_arena_reset(&bench.scratch);
		scd_failing_alloc_arm(0);
		assert_false(scd__condition_holds(condition, &bench.view));
		assert_false(scd_failing_alloc_disarm());
	}
	scd__condition_free(&condition);
	tear_down(&bench);
}

#endif

static void test_scratch_exhaustion__is_a_missing_value_that_is_counted(void **state)
{
	struct scd_field_losses losses = { 0 };
	struct scd__compile_error error = { 0 };
	struct scd__condition *condition;
	struct bench bench;

	(void)state;
	set_up(&bench);
	bench.view.losses = &losses;
	assert_int_equal(compile(&bench, "not toupper(evt.type) exists", &condition, &error), 0);
	scd_arena_done(&bench.scratch);
	scd_arena_init(&bench.scratch, 64, 32);
	assert_true(scd__condition_holds(condition, &bench.view));
	assert_int_equal(losses.exhausted, 1);
	scd__condition_free(&condition);
	tear_down(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transformers__of_one_text),
		cmocka_unit_test(test_b64__takes_padding_whole_or_not_at_all),
		cmocka_unit_test(test_join_and_concat),
		cmocka_unit_test(test_getopt__reads_short_options),
		cmocka_unit_test(test_modifiers__count_constants),
		cmocka_unit_test(test_fields_on_the_right),
		cmocka_unit_test(test_lists__with_no_values),
		cmocka_unit_test(test_operators__on_texts),
		cmocka_unit_test(test_contains__of_several_texts_in_one_field),
		cmocka_unit_test(test_type_errors__are_refused),
		cmocka_unit_test(test_checks_that_print_alike__are_told_apart),
#ifdef SCD_FAILING_ALLOC
		cmocka_unit_test(test_exhaustion__is_an_error_when_compiling),
		cmocka_unit_test(test_evaluation__allocates_nothing),
#endif
		cmocka_unit_test(test_scratch_exhaustion__is_a_missing_value_that_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
