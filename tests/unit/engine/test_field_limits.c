/*
 * Fields over messages as large as they may be: how long a text can get, what stays of a longer one, how much memory
 * all of them together take, and what is said when it does not suffice.
 */
#include "field_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "seccheckd/base/array.h"
#include "tests/support/rules.h"

#define LIMIT ((size_t)SCD_LIMIT_FIELD_TEXT_BYTES)

/* Where a text is cut: so much stays at either end. */
#define HALF ((LIMIT - strlen(SCD_FIELD_CUT)) / 2)

enum { PADDING_WORDS = 30000, PADDING_BYTES = 100 };

static struct world world;
static char padding[PADDING_BYTES + 1];
static char *giant; /* 4 MB of letters */
static const size_t giant_len = 4000000;

static int set_up(void **state)
{
	(void)state;
	world_open(&world, true);
	memset(padding, 'p', PADDING_BYTES);
	giant = malloc(giant_len);
	assert_non_null(giant);
	memset(giant, 'g', giant_len);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	world_close(&world);
	free(giant);
	return 0;
}

static struct scd_str long_argv[PADDING_WORDS + 4], long_env[PADDING_WORDS + 4];

/* 3 MB of words, between `FIRST second` and `last-but-one LAST`. */
static struct scd_strings pad(struct scd_str words[PADDING_WORDS + 4], const char *first, const char *last)
{
	for (size_t i = 0; i < PADDING_WORDS + 4; i++)
		words[i] = (struct scd_str){ padding, PADDING_BYTES };
	words[0] = scd_str_from(first);
	words[1] = SCD_STR("second");
	words[PADDING_WORDS + 2] = SCD_STR("last-but-one");
	words[PADDING_WORDS + 3] = scd_str_from(last);
	return (struct scd_strings){ words, PADDING_WORDS + 4 };
}

static struct scd_event padded_exec(void)
{
	struct scd_event event = exec_event(7, "/usr/bin/miner", NULL, 0);
	event.u.exec.argv = pad(long_argv, "miner", "--donate-level=1");
	event.u.exec.env = pad(long_env, "HOME=/root", "POOL=pool.example");
	return event;
}

static void check_ends(const char *field, const char *head, const char *tail)
{
	const char *text = world_get(&world, field);
	if (!text)
		fail_msg("%s is ABSENT", field);
	size_t len = strlen(text);
	const char *cut = strstr(text, SCD_FIELD_CUT);
	if (len > LIMIT || strncmp(text, head, strlen(head)) != 0 || strcmp(text + len - strlen(tail), tail) != 0)
		fail_msg("%s has %zu bytes: %.40s ... %s", field, len, text, text + len - strlen(tail));
	if (!cut || (size_t)(cut - text) != HALF || strstr(cut + 1, SCD_FIELD_CUT))
		fail_msg("%s is not cut once in its middle", field);
}

static void test_command_lines__keep_head_and_tail(void **state)
{
	(void)state;
	static const struct {
		const char *field, *head, *tail;
	} rows[] = {
		{ "proc.cmdline", "miner second ppp", "p last-but-one --donate-level=1" },
		{ "proc.exeline", "miner second ppp", "p last-but-one --donate-level=1" },
		{ "proc.args", "second ppp", "p last-but-one --donate-level=1" },
		{ "proc.acmdline[0]", "miner second ppp", "p last-but-one --donate-level=1" },
		{ "proc.aargs[0]", "second ppp", "p last-but-one --donate-level=1" },
		{ "proc.env", "HOME=/root second ppp", "p last-but-one POOL=pool.example" },
		{ "evt.arg.args", "second.ppp", "p.last-but-one.--donate-level=1." },
		{ "evt.rawarg.args", "second.ppp", "p.last-but-one.--donate-level=1." },
		{ "evt.arg.env", "HOME=/root.second.ppp", "p.last-but-one.POOL=pool.example." },
	};
	struct scd_event event = padded_exec();
	world_apply(&world, &event);
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		uint64_t before = world.losses.truncated;
		check_ends(rows[i].field, rows[i].head, rows[i].tail);
		assert_true(world.losses.truncated > before);
	}
	assert_int_equal(world.losses.exhausted, 0);
	assert_string_equal(world_get(&world, "proc.cmdnargs"), "30003");
	assert_string_equal(world_get(&world, "proc.args[30002]"), "--donate-level=1");
	assert_string_equal(world_get(&world, "proc.env[POOL]"), "pool.example");
}

static void test_text__is_cut_only_when_it_is_too_long(void **state)
{
	(void)state;
	for (size_t len = LIMIT - 1; len <= LIMIT + 1; len++) {
		struct scd_str argv[] = { SCD_STR("x"), { giant, len - 100 }, { giant, 99 } };
		struct scd_event event = exec_event(7, "/x", argv, SCD_COUNT(argv));
		world_apply(&world, &event);
		const char *text = world_get(&world, "proc.args");
		assert_int_equal(strlen(text), len <= LIMIT ? len : 2 * HALF + strlen(SCD_FIELD_CUT));
		assert_int_equal(strstr(text, SCD_FIELD_CUT) != NULL, len > LIMIT);
		assert_int_equal(world.losses.truncated, len > LIMIT);
	}
}

/* `-o` is no word of `-output`, and `xmrig` none of `notxmrig`, wherever they are cut. */
static void test_text__has_no_word_that_only_the_cut_made(void **state)
{
	(void)state;
	static const char word[] = "and-notxmrig-output";
	for (size_t i = 0; i < sizeof(word); i++) {
		struct scd_str argv[] = { SCD_STR("x"),     { giant, HALF - i - 2 },    { word, sizeof(word) - 1 },
			                  { giant, LIMIT }, { word, sizeof(word) - 1 }, { giant, HALF - i - 1 } };
		struct scd_event event = exec_event(7, "/x", argv, SCD_COUNT(argv));
		world_apply(&world, &event);
		const char *text = world_get(&world, "proc.cmdline");
		assert_non_null(strstr(text, SCD_FIELD_CUT));
		for (size_t j = 1; j < sizeof(word) - 1; j++) {
			char part[sizeof(word) + 2];
			snprintf(part, sizeof(part), " %.*s ", (int)j, word);
			assert_null(strstr(text, part));
			snprintf(part, sizeof(part), " %s ", word + j);
			assert_null(strstr(text, part));
		}
	}
}

/* Single texts that come straight from a message, and those that are made of them. */

static void check_limits(const char *name)
{
	static const char *const tails[] = { "evt.arg", "evt.rawarg", "evt.type.is", "thread.cgroup" };
	static const char *const params[] = { "args",     "env",  "exe", "cwd",  "comm",
		                              "filename", "name", "fd",  "path", "addr" };
	char written[128];
	for (size_t i = 0; i < scd_field_count(); i++) {
		const struct scd_field *field = scd_field_at(i);
		snprintf(written, sizeof(written), "%s", field->name.data);
		for (size_t t = 0; t < SCD_COUNT(tails); t++)
			if (scd_str_is(field->name, tails[t]))
				snprintf(written, sizeof(written), "%s.open", tails[t]);
		if (field->flags & SCD_FIELD_ARG_REQUIRED && !strstr(written, ".open"))
			snprintf(written, sizeof(written), "%s[1]", field->name.data);
		if (scd_str_is(field->name, "evt.arg") || scd_str_is(field->name, "evt.rawarg") ||
		    scd_str_is(field->name, "evt.abspath"))
			continue;
		const char *text = world_get(&world, written);
		if (text && strlen(text) > LIMIT)
			fail_msg("%s: %s has %zu bytes", name, written, strlen(text));
	}
	for (size_t i = 0; i < SCD_COUNT(params); i++) {
		snprintf(written, sizeof(written), "evt.arg.%s", params[i]);
		const char *text = world_get(&world, written);
		if (text && strlen(text) > LIMIT)
			fail_msg("%s: %s has %zu bytes", name, written, strlen(text));
	}
	if (world.scratch.used_bytes > 64 * LIMIT)
		fail_msg("%s: all fields together take %zu bytes", name, world.scratch.used_bytes);
	assert_int_equal(world.losses.exhausted, 0);
	assert_true(world.losses.truncated > 0);
}

static void test_all_fields__are_bounded_for_an_exec(void **state)
{
	(void)state;
	struct scd_event event = padded_exec();
	event.u.exec.binary_path = event.u.exec.execfn = (struct scd_str){ giant, giant_len };
	event.context.cwd = event.context.process_name = event.context.container_id = event.u.exec.binary_path;
	event.u.exec.stdin_info = (struct scd_fd_info){ .present = true, .path = event.u.exec.binary_path };
	world_apply(&world, &event);
	check_limits("exec");
}

static void test_all_fields__are_bounded_for_one_giant_argument(void **state)
{
	(void)state;
	struct scd_str argv[] = { { giant, giant_len }, { giant, giant_len } };
	struct scd_event event = exec_event(7, "/x", argv, SCD_COUNT(argv));
	event.u.exec.env = (struct scd_strings){ argv, SCD_COUNT(argv) };
	world_apply(&world, &event);
	check_limits("arguments");
	assert_int_equal(strlen(world_get(&world, "proc.exe")), 2 * HALF + strlen(SCD_FIELD_CUT));
}

static void test_all_fields__are_bounded_for_a_start(void **state)
{
	(void)state;
	struct scd_event event = { .point = SCD_POINT_CONTAINER_START, .kind = SCD_KIND_EXECVE, .fd = -1 };
	event.context = context_of(1, "");
	event.u.start.id = event.u.start.cwd = (struct scd_str){ giant, giant_len };
	event.u.start.args = event.u.start.env = pad(long_argv, "init", "--last");
	world_apply(&world, &event);
	check_limits("start");
	assert_int_equal(strlen(world_get(&world, "container.id")), 12);
}

static void test_all_fields__are_bounded_for_an_open(void **state)
{
	(void)state;
	static const char *const names[] = { "absolute", "relative", "many slashes" };
	static const char *const beginnings[] = { "/a/..", "a", "//" };
	for (size_t i = 0; i < SCD_COUNT(names); i++) {
		struct scd_event event = plain_event();
		memset(giant, i == 2 ? '/' : 'g', giant_len);
		memcpy(giant, beginnings[i], strlen(beginnings[i]));
		event.u.open.pathname = event.fd_path = (struct scd_str){ giant, giant_len };
		event.context.cwd = SCD_STR("/home");
		event.fd = i == 1 ? 3 : -100;
		world_apply(&world, &event);
		check_limits(names[i]);
	}
}

static void test_all_fields__are_bounded_for_a_connect(void **state)
{
	(void)state;
	struct scd_event event = call_event(SCD_POINT_SYSCALL_CONNECT, "connect", 0, 0);
	sa_family_t family = AF_UNIX;
	memcpy(giant, &family, sizeof(family));
	giant[sizeof(family)] = '\0';
	event.u.connect.address = event.fd_path = (struct scd_str){ giant, giant_len };
	event.context.cwd = event.u.connect.address;
	world_apply(&world, &event);
	check_limits("connect");
}

static void test_path__of_megabytes_keeps_head_and_tail(void **state)
{
	(void)state;
	struct scd_event event = plain_event();
	memcpy(giant, "/etc/", 5);
	memcpy(giant + giant_len - 7, "/shadow", 7);
	event.u.open.pathname = (struct scd_str){ giant, giant_len };
	world_apply(&world, &event);
	check_ends("fd.name", "/etc/", "g/shadow");
	check_ends("evt.arg.name", "/etc/", "g/shadow");
	assert_string_equal(world_get(&world, "fd.filename"), "shadow");
}

/* Memory. */

static void test_exhaustion__is_absent_and_counted(void **state)
{
	(void)state;
	struct scd_event event = padded_exec();
	struct scd_field_use line = field_use("proc.cmdline"), name = field_use("proc.name");
	struct scd_value value = { .type = SCD_TYPE_COUNT };
	struct scd_arena small;
	world_apply(&world, &event);
	scd_arena_init(&small, 256, LIMIT / 2);
	world.view.scratch = &small;
	assert_false(scd_field_get(&line, &world.view, &value));
	assert_int_equal(value.type, SCD_TYPE_COUNT);
	assert_int_equal(world.losses.exhausted, 1);
	assert_true(scd_field_get(&name, &world.view, &value));
	assert_int_equal(world.losses.exhausted, 1);
	world.view.losses = NULL;
	assert_false(scd_field_get(&line, &world.view, &value));
	world.view.scratch = &world.scratch;
	assert_true(scd_field_get(&line, &world.view, &value));
	scd_arena_done(&small);
}

/* Rules. */

#define RULE(name, condition) \
	"- rule: " name "\n  desc: d\n  priority: INFO\n  output: o\n  condition: evt.type = execve and " condition "\n"

static const char one_rule[] = RULE("A", "evt.arg.args contains \"--donate-level=1\"");

static const char more_rules[] = RULE("B", "proc.cmdline contains \"--donate-level=1\"")
        RULE("C", "proc.args endswith \"--donate-level=1\"") RULE("D", "proc.exeline icontains \"--DONATE-LEVEL=1\"")
                RULE("E", "evt.args contains \"--donate-level=1\"");

static void note_rule(void *user, const struct scd_rule *rule, const struct scd_view *view)
{
	(void)view;
	strncat(user, rule->name.data, 1);
}

static void check_matches(const char *yaml, const char *expected)
{
	struct scd_diags diags;
	char matched[16] = "";
	scd_diags_init(&diags);
	struct scd_ruleset *set = rules_load(yaml, &diags);
	assert_non_null(set);
	struct scd_evaluator *evaluator = scd_evaluator_new(set);
	assert_non_null(evaluator);
	struct scd_event event = padded_exec();
	world_apply(&world, &event);
	assert_int_equal(scd_evaluator_run(evaluator, &world.view, note_rule, matched), strlen(expected));
	assert_string_equal(matched, expected);
	assert_true(world.losses.truncated > 0);
	assert_int_equal(world.losses.exhausted, 0);
	scd_evaluator_free(&evaluator);
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
}

static void test_rules__see_an_option_behind_megabytes_however_many_look(void **state)
{
	(void)state;
	char all[sizeof(one_rule) + sizeof(more_rules)];
	check_matches(one_rule, "A");
	snprintf(all, sizeof(all), "%s%s", more_rules, one_rule);
	check_matches(all, "BCDEA");
}

/* An alert takes what it needs from the same memory, and all of it. */
static void take_all(void *user, const struct scd_rule *rule, const struct scd_view *view)
{
	note_rule(user, rule, view);
	for (size_t bytes = LIMIT; bytes > 0; bytes /= 2)
		while (scd_arena_alloc(view->scratch, bytes))
			;
}

static void test_rules__are_not_blinded_by_the_alerts_of_others(void **state)
{
	(void)state;
	struct scd_diags diags;
	char matched[16] = "";
	scd_diags_init(&diags);
	struct scd_ruleset *set = rules_load(more_rules, &diags);
	assert_non_null(set);
	struct scd_evaluator *evaluator = scd_evaluator_new(set);
	struct scd_event event = padded_exec();
	world_apply(&world, &event);
	scd_evaluator_run(evaluator, &world.view, take_all, matched);
	assert_string_equal(matched, "BCDE");
	scd_evaluator_free(&evaluator);
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
}

/* What stands between two blocks of padding is in the cut-out middle of each of these. */
static void test_contains__sees_what_was_cut(void **state)
{
	(void)state;
	static const char *const conditions[] = {
		"proc.cmdline contains --donate-level",
		"proc.cmdline icontains --DONATE-level",
		"proc.cmdline contains \"pool.example -u wallet --donate-level=1 gg\"",
		"proc.exeline contains \"/x ggg\" and proc.exeline contains \" wallet \"",
		"proc.args contains anyof (nosuch, \"-u wallet\")",
		"proc.args[2] contains pool and proc.args[1] contains ginside",
		"proc.acmdline[0] contains wallet and proc.aargs[0] contains wallet",
		"evt.arg.args contains wallet.--donate-level",
		"evt.rawarg.args bcontains 77616c6c657400",
		"proc.env contains pool.example",
		"evt.is_truncated = true and not proc.cmdline contains walletg",
	};
	memcpy(giant + 90000, "inside", 6);
	struct scd_str argv[] = {
		SCD_STR("/x"), { giant, 70000 },  { giant, 200000 },           SCD_STR("pool.example"),
		SCD_STR("-u"), SCD_STR("wallet"), SCD_STR("--donate-level=1"), { giant, 70000 }
	};
	struct scd_event event = exec_event(7, "/x", argv, SCD_COUNT(argv));
	event.u.exec.env = (struct scd_strings){ argv, SCD_COUNT(argv) };
	for (size_t i = 0; i < SCD_COUNT(conditions); i++) {
		struct scd_diags diags;
		scd_diags_init(&diags);
		struct scd_ruleset *set = rules_load_condition(conditions[i], &diags);
		if (!set)
			fail_msg("%s does not load", conditions[i]);
		if (rules_run(set, world.sandbox, &event) != 1)
			fail_msg("%s does not match", conditions[i]);
		scd_ruleset_unref(&set);
		scd_diags_done(&diags);
	}
}

static void test_truncation__can_be_matched(void **state)
{
	(void)state;
	for (size_t len = LIMIT - 4; len <= LIMIT + 1; len++) {
		struct scd_str argv[] = { SCD_STR("/x"), { giant, len } };
		struct scd_event event = exec_event(7, "/x", argv, SCD_COUNT(argv));
		world_apply(&world, &event);
		assert_string_equal(world_get(&world, "evt.is_truncated"), len + 4 > LIMIT ? "true" : "false");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_command_lines__keep_head_and_tail),
		TEST(test_text__is_cut_only_when_it_is_too_long),
		TEST(test_text__has_no_word_that_only_the_cut_made),
		TEST(test_all_fields__are_bounded_for_an_exec),
		TEST(test_all_fields__are_bounded_for_one_giant_argument),
		TEST(test_all_fields__are_bounded_for_a_start),
		TEST(test_all_fields__are_bounded_for_an_open),
		TEST(test_all_fields__are_bounded_for_a_connect),
		TEST(test_path__of_megabytes_keeps_head_and_tail),
		TEST(test_exhaustion__is_absent_and_counted),
		TEST(test_rules__see_an_option_behind_megabytes_however_many_look),
		TEST(test_contains__sees_what_was_cut),
		TEST(test_truncation__can_be_matched),
		TEST(test_rules__are_not_blinded_by_the_alerts_of_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
