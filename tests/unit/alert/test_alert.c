/*
 * From a match to a SecurityEvent: what is told, what is cut, what is masked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "match.h"
#include "seccheckd/alert/batch.h"

static int open_match(void **state)
{
	struct match *match = malloc(sizeof(*match));

	assert_non_null(match);
	match_open(match);
	*state = match;
	return 0;
}

static int close_match(void **state)
{
	match_close(*state);
	free(*state);
	return 0;
}

/* Process 2, child of 1, executes a miner. */
static void run_miner(struct match *match)
{
	static const struct scd_str sh[] = { SCD_STR_INIT("sh"), SCD_STR_INIT("-c"), SCD_STR_INIT("./miner") };
	static const struct scd_str miner[] = { SCD_STR_INIT("./miner"),     SCD_STR_INIT("-u"),
		                                SCD_STR_INIT("48edf"),       SCD_STR_INIT("--password"),
		                                SCD_STR_INIT("hunter2 x"),   SCD_STR_INIT("--token=s3cr3t d"),
		                                SCD_STR_INIT("http://a:b@c") };

	match_exec(match, 1, SCD_STR("/bin/dash"), sh, 3);
	match_clone(match, 1, 2);
	match_exec(match, 2, SCD_STR("/tmp/miner"), miner, 7);
}

static const Seccheckd__V1__OutputField *find_field(const Seccheckd__V1__SecurityEvent *message, const char *name)
{
	for (size_t i = 0; i < message->n_output_fields; i++)
		if (strcmp(message->output_fields[i]->name, name) == 0)
			return message->output_fields[i];
	fail_msg("no field %s", name);
	return NULL;
}

static void test_id__is_the_hash_of_nonce_sequence_and_rule(void **state)
{
	struct match *match = *state;
	unsigned char key[16 + 8 + 6] = { 1, 2, 3 };
	Seccheckd__V1__SecurityEvent *message;
	XXH128_canonical_t hash;
	char expected[33];

	match_output(match, "x");
	run_miner(match);
	key[16] = (unsigned char)match->event.sequence;
	memcpy(key + 24, "A rule", 6);
	XXH128_canonicalFromHash(&hash, XXH3_128bits(key, sizeof(key)));
	for (size_t i = 0; i < 16; i++)
		snprintf(expected + 2 * i, 3, "%02x", hash.digest[i]);
	message = match_message(match);
	assert_string_equal(message->id, expected);
	match_free(message);
}

static void test_id__differs_by_rule_message_and_connection(void **state)
{
	struct match *match = *state;
	struct scd_alert *alerts[5];

	match_output(match, "x");
	run_miner(match);
	alerts[0] = match_alert(match);
	alerts[1] = match_alert(match);
	match->rule.name = SCD_STR("Another rule");
	alerts[2] = match_alert(match);
	match->event.sequence++;
	alerts[3] = match_alert(match);
	match->origin.nonce[15] = 1;
	alerts[4] = match_alert(match);
	assert_string_equal(scd_alert_id(alerts[0]), scd_alert_id(alerts[1]));
	for (size_t i = 1; i < 5; i++)
		for (size_t j = 1; j < i; j++)
			assert_string_not_equal(scd_alert_id(alerts[i]), scd_alert_id(alerts[j]));
	for (size_t i = 0; i < 5; i++)
		scd_alert_unref(&alerts[i]);
}

static void test_alert__tells_where_and_why(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;

	match_output(match, "x");
	run_miner(match);
	match->origin.received_ns = MATCH_TIME_NS + 3;
	match->origin.watched = SCD_WATCHED_TAINTED;
	match->origin.taints = SCD_TAINT_BIT(SCD_TAINT_UNSEEDED) | SCD_TAINT_BIT(SCD_TAINT_DROPPED);
	match->origin.tainted_since_ns = 12;
	message = match_message(match);
	assert_int_equal(message->time_ns, MATCH_TIME_NS);
	assert_int_equal(message->received_ns, MATCH_TIME_NS + 3);
	assert_string_equal(message->hostname, "node-1");
	assert_string_equal(message->boot_id, "b00t");
	assert_string_equal(message->sandbox->id, "sandbox-1");
	assert_int_equal(message->sandbox->identity, SECCHECKD__V1__IDENTITY__IDENTITY_VERIFIED);
	assert_string_equal(message->container_id, "c0ffee");
	assert_string_equal(message->rule->name, "A rule");
	assert_int_equal(message->rule->priority, SECCHECKD__V1__PRIORITY__PRIORITY_CRITICAL);
	assert_int_equal(message->rule->n_tags, 2);
	assert_string_equal(message->rule->tags[1], "mining");
	assert_string_equal(message->rule->description, "What it is for");
	assert_string_equal(message->rule->generation, "0123456789abcdef");
	assert_int_equal(message->coverage->dropped_count, 7);
	assert_true(message->coverage->tainted);
	assert_int_equal(message->coverage->watched, SECCHECKD__V1__WATCHED__WATCHED_TAINTED);
	assert_int_equal(message->coverage->n_taint_reasons, 2);
	assert_int_equal(message->coverage->taint_reasons[0], SECCHECKD__V1__TAINT_REASON__TAINT_REASON_DROPPED);
	assert_int_equal(message->coverage->taint_reasons[1], SECCHECKD__V1__TAINT_REASON__TAINT_REASON_UNSEEDED);
	assert_int_equal(message->coverage->tainted_since_ns, 12);
	assert_string_equal(message->event->type, "execve");
	assert_string_equal(message->event->point, "sentry/execve");
	assert_int_equal(message->event->sequence, 3);
	assert_int_equal(message->event->thread_id, 2);
	match_free(message);
}

/* As a control plane with `format: json` gets it. */
static void test_alert__tells_coverage_in_canonical_json(void **state)
{
	static const char expected[] =
	        "\"coverage\":{\"droppedCount\":\"7\",\"tainted\":true,\"watched\":\"WATCHED_TAINTED\","
	        "\"taintReasons\":[\"TAINT_REASON_EVICTED\",\"TAINT_REASON_RESUMED\"],\"taintedSinceNs\":\"12\"}";
	struct match *match = *state;
	struct scd_alert *alert;
	struct scd_buf body;

	match_output(match, "x");
	run_miner(match);
	match->origin.watched = SCD_WATCHED_TAINTED;
	match->origin.taints = SCD_TAINT_BIT(SCD_TAINT_RESUMED) | SCD_TAINT_BIT(SCD_TAINT_EVICTED);
	match->origin.tainted_since_ns = 12;
	alert = match_alert(match);
	scd_buf_init(&body, SIZE_MAX);
	assert_int_equal(scd_batch_encode(SCD_BATCH_JSON, &alert, 1, &body), 0);
	if (!strstr(body.data, expected))
		fail_msg("%s", body.data);
	scd_buf_done(&body);
	scd_alert_unref(&alert);
}

/* What the daemon tells by itself has no rule's output, no process and no event. */
static void test_notice__has_its_text_and_no_process(void **state)
{
	struct match *match = *state;
	const struct scd_event nothing = { .kind = SCD_KIND_NONE, .sequence = 5 };
	Seccheckd__V1__SecurityEvent *message;
	struct scd_alert *alert;
	struct scd_str packed;

	run_miner(match);
	match->view.event = &nothing;
	match->view.process = NULL;
	alert = scd_alert_new_notice(&match->origin, &match->rule, &match->view, SCD_STR("something %proc.name\xff"));
	assert_non_null(alert);
	packed = scd_alert_protobuf(alert);
	message = seccheckd__v1__security_event__unpack(NULL, packed.len, (const uint8_t *)packed.data);
	assert_non_null(message);
	assert_string_equal(message->output, "22:13:20.123456789: Critical something %proc.name\xef\xbf\xbd");
	assert_null(message->process);
	assert_int_equal(message->n_lineage, 0);
	assert_false(message->lineage_truncated);
	assert_string_equal(message->event->type, "");
	assert_string_equal(message->event->point, "");
	assert_int_equal(message->event->sequence, 5);
	assert_int_equal(message->n_output_fields, 1);
	match_free(message);
	scd_alert_unref(&alert);
}

static void test_alert__answers_for_queues_without_unpacking(void **state)
{
	struct match *match = *state;
	struct scd_alert *alert, *other;

	match_output(match, "x");
	run_miner(match);
	alert = match_alert(match);
	other = scd_alert_ref(alert);
	assert_int_equal(scd_alert_priority(alert), SCD_PRIORITY_CRITICAL);
	assert_string_equal(scd_alert_rule(alert), "A rule");
	assert_true(scd_str_is(scd_alert_sandbox(alert), "sandbox-1"));
	assert_int_equal(strlen(scd_alert_id(alert)), 32);
	scd_alert_unref(&alert);
	assert_string_equal(scd_alert_rule(other), "A rule");
	scd_alert_unref(&other);
	scd_alert_unref(&other);
}

static void test_output__is_falcos_line_in_utc(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;

	match_output(match, "ran %proc.exepath for %user.uid");
	run_miner(match);
	message = match_message(match);
	assert_string_equal(message->output, "22:13:20.123456789: Critical ran /tmp/miner for 0");
	assert_false(message->output_truncated);
	match_free(message);
}

static void test_fields__have_their_types(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;

	match_output(match, "%proc.exepath %proc.vpid %user.uid %proc.is_exe_upper_layer %fd.name %evt.datetime");
	run_miner(match);
	message = match_message(match);
	assert_int_equal(message->n_output_fields, 7);
	assert_int_equal(find_field(message, "evt.time")->value_case,
	                 SECCHECKD__V1__OUTPUT_FIELD__VALUE_SIGNED_INTEGER);
	assert_int_equal(find_field(message, "evt.time")->signed_integer, MATCH_TIME_NS);
	assert_int_equal(find_field(message, "evt.datetime")->signed_integer, MATCH_TIME_NS);
	assert_int_equal(find_field(message, "proc.exepath")->value_case, SECCHECKD__V1__OUTPUT_FIELD__VALUE_TEXT);
	assert_string_equal(find_field(message, "proc.exepath")->text, "/tmp/miner");
	assert_int_equal(find_field(message, "proc.vpid")->signed_integer, 2);
	assert_int_equal(find_field(message, "user.uid")->value_case,
	                 SECCHECKD__V1__OUTPUT_FIELD__VALUE_UNSIGNED_INTEGER);
	assert_int_equal(find_field(message, "proc.is_exe_upper_layer")->value_case,
	                 SECCHECKD__V1__OUTPUT_FIELD__VALUE_BOOLEAN);
	assert_int_equal(find_field(message, "fd.name")->value_case, SECCHECKD__V1__OUTPUT_FIELD__VALUE__NOT_SET);
	match_free(message);
}

static void test_fields__have_the_time_once(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;

	match_output(match, "at %evt.time, %evt.time");
	run_miner(match);
	message = match_message(match);
	assert_int_equal(message->n_output_fields, 1);
	assert_int_equal(find_field(message, "evt.time")->signed_integer, MATCH_TIME_NS);
	assert_string_equal(message->output, "22:13:20.123456789: Critical at 22:13:20.123456789, 22:13:20.123456789");
	match_free(message);
}

static void test_process__is_told_with_its_ancestors_nearest_first(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;

	match_output(match, "x");
	run_miner(match);
	message = match_message(match);
	assert_int_equal(message->process->pid, 2);
	assert_int_equal(message->process->start_time_ns, MATCH_TIME_NS + 2);
	assert_int_equal(message->process->parent_pid, 1);
	assert_string_equal(message->process->exe, "./miner");
	assert_string_equal(message->process->exe_path, "/tmp/miner");
	assert_string_equal(message->process->cwd, "/work");
	assert_int_equal(message->process->optional_uid_case, SECCHECKD__V1__PROCESS__OPTIONAL_UID_UID);
	assert_int_equal(message->process->uid, 0);
	assert_false(message->process->args_truncated);
	assert_int_equal(message->n_lineage, 1);
	assert_string_equal(message->lineage[0]->exe, "sh");
	assert_int_equal(message->lineage[0]->n_args, 2);
	assert_string_equal(message->lineage[0]->args[1], "./miner");
	assert_false(message->lineage_truncated);
	match_free(message);
}

static void test_process__without_credentials_has_no_uid(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;

	match_output(match, "x");
	match_event(match, SCD_POINT_SYSCALL_OPEN, 5)->context.has = SCD_HAS_CONTEXT;
	match_apply(match);
	message = match_message(match);
	assert_int_equal(message->process->optional_uid_case, SECCHECKD__V1__PROCESS__OPTIONAL_UID__NOT_SET);
	match_free(message);
}

static void test_process__is_left_out_of_an_event_that_belongs_to_none(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;

	match_output(match, "x");
	match_event(match, SCD_POINT_SYSCALL_OPEN, 0)->context.has = 0;
	match_apply(match);
	message = match_message(match);
	assert_null(message->process);
	assert_int_equal(message->n_lineage, 0);
	match_free(message);
}

static void test_lineage__says_that_a_parent_was_never_seen(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;
	struct scd_event *event;

	match_output(match, "x");
	event = match_event(match, SCD_POINT_SYSCALL_OPEN, 5);
	event->context.parent_thread_group_id = 4;
	event->context.has |= SCD_HAS_PARENT;
	match_apply(match);
	message = match_message(match);
	assert_int_equal(message->n_lineage, 0);
	assert_true(message->lineage_truncated);
	match_free(message);
}

static void test_lineage__ends_at_its_limit(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;
	const int32_t depth = (int32_t)SCD_LIMIT_LINEAGE_DEPTH;

	match_output(match, "x");
	for (int32_t pid = 1; pid <= depth + 1; pid++)
		match_clone(match, pid, pid + 1);
	match_event(match, SCD_POINT_SYSCALL_OPEN, depth + 1);
	match_apply(match);
	message = match_message(match);
	assert_int_equal(message->n_lineage, SCD_LIMIT_LINEAGE_DEPTH);
	assert_false(message->lineage_truncated);
	match_free(message);
	match_event(match, SCD_POINT_SYSCALL_OPEN, depth + 2);
	match_apply(match);
	message = match_message(match);
	assert_int_equal(message->n_lineage, SCD_LIMIT_LINEAGE_DEPTH);
	assert_int_equal(message->lineage[0]->pid, depth + 1);
	assert_true(message->lineage_truncated);
	match_free(message);
}

static void test_secrets__are_masked_wherever_they_are_told(void **state)
{
	static const char *const secrets[] = { "hunter2", "s3cr3t", "a:b" };
	struct match *match = *state;
	struct scd_alert *alert;
	struct scd_buf json;

	match_output(match, "%proc.args and %proc.cmdline");
	run_miner(match);
	alert = match_alert(match);
	scd_buf_init(&json, SIZE_MAX);
	assert_int_equal(scd_alert_json(alert, &json), 0);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
		assert_false(scd_str_contains(scd_alert_protobuf(alert), scd_str_from(secrets[i])));
		assert_null(strstr(json.data, secrets[i]));
	}
	assert_non_null(strstr(json.data, "-u 48edf --password <redacted>"));
	assert_non_null(strstr(json.data, "\"--token=<redacted>\""));
	scd_buf_done(&json);
	scd_alert_unref(&alert);
}

static void test_text__that_is_not_utf8_is_replaced(void **state)
{
	static const struct scd_str argv[] = { SCD_STR_INIT("a\xff"), SCD_STR_INIT("b\xc3\xa4"),
		                               SCD_STR_INIT("\xed\xa0\x80") };
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;

	match_output(match, "%proc.exepath");
	match_exec(match, 1, SCD_STR("/x\0y\x80"), argv, 3);
	message = match_message(match);
	assert_string_equal(message->process->exe_path, "/x\xef\xbf\xbdy\xef\xbf\xbd");
	assert_string_equal(message->process->exe, "a\xef\xbf\xbd");
	assert_string_equal(message->process->args[0], "b\xc3\xa4");
	assert_string_equal(message->process->args[1], "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(find_field(message, "proc.exepath")->text, "/x\xef\xbf\xbdy\xef\xbf\xbd");
	match_free(message);
}

/* ---- limits ---- */

static struct scd_str long_text(struct match *match, char byte, size_t len)
{
	char *data = scd_arena_alloc(&match->arena, len);

	assert_non_null(data);
	memset(data, byte, len);
	return (struct scd_str){ data, len };
}

static void test_limits__a_long_field_cuts_itself_and_no_other(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;
	struct scd_str argv[] = { SCD_STR("a") };

	match_output(match, "%proc.exepath %proc.exe");
	match_exec(match, 1, long_text(match, 'x', 1u << 20), argv, 1);
	message = match_message(match);
	assert_int_equal(strlen(find_field(message, "proc.exepath")->text), SCD_LIMIT_OUTPUT_BYTES / 3);
	assert_true(find_field(message, "proc.exepath")->truncated);
	assert_string_equal(find_field(message, "proc.exe")->text, "a");
	assert_false(find_field(message, "proc.exe")->truncated);
	assert_true(message->output_truncated);
	assert_string_equal(message->output + strlen(message->output) - 3, "x a");
	assert_int_equal(strlen(message->process->exe_path), SCD_LIMIT_ALERT_TEXT_BYTES);
	assert_true(message->process->text_truncated);
	match_free(message);
}

static void test_limits__a_cut_does_not_split_a_character(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;
	struct scd_str argv[] = { SCD_STR("a") };
	struct scd_str path = long_text(match, 'x', SCD_LIMIT_FIELD_TEXT_BYTES);
	const size_t share = SCD_LIMIT_OUTPUT_BYTES / 2;

	memcpy((char *)(uintptr_t)path.data + share - 1, "\xc3\xa4", 2);
	match_output(match, "%proc.exepath");
	match_exec(match, 1, path, argv, 1);
	message = match_message(match);
	assert_int_equal(strlen(find_field(message, "proc.exepath")->text), share - 1);
	match_free(message);
}

static void test_limits__an_ancestor_tells_less_than_the_process(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;
	struct scd_str argv[] = { SCD_STR("a"), SCD_STR("b"), long_text(match, 'x', 2000), SCD_STR("c") };

	match_output(match, "x");
	match_exec(match, 1, SCD_STR("/bin/a"), argv, 4);
	match_clone(match, 1, 2);
	match_exec(match, 2, SCD_STR("/bin/a"), argv, 4);
	message = match_message(match);
	assert_int_equal(message->process->n_args, 3);
	assert_int_equal(strlen(message->process->args[1]), 2000);
	assert_false(message->process->args_truncated);
	assert_int_equal(message->lineage[0]->n_args, 2);
	assert_int_equal(strlen(message->lineage[0]->args[1]), SCD_LIMIT_ANCESTOR_ARGS_BYTES - 3);
	assert_true(message->lineage[0]->args_truncated);
	match_free(message);
}

/* As many arguments as fit, everywhere, all of them secret. */
static void test_limits__the_worst_message_still_gives_an_alert(void **state)
{
	struct match *match = *state;
	const size_t argc = SCD_LIMIT_PROCESS_ARGS_BYTES;
	struct scd_str *argv = calloc(argc, sizeof(*argv));
	struct scd_alert *alert;

	assert_non_null(argv);
	for (size_t i = 0; i < argc; i++)
		argv[i] = i % 2 ? SCD_STR("") : SCD_STR("p");
	match_output(match, "%proc.args %proc.cmdline %proc.exepath %proc.acmdline[1] %proc.pcmdline");
	for (int32_t pid = 1; pid <= (int32_t)SCD_LIMIT_LINEAGE_DEPTH + 1; pid++) {
		match_exec(match, pid, long_text(match, '\xff', 100000), argv, argc);
		match_clone(match, pid, pid + 1);
	}
	match_exec(match, (int32_t)SCD_LIMIT_LINEAGE_DEPTH + 2, long_text(match, '\xff', 100000), argv, argc);
	alert = match_alert(match);
	print_message("%zu bytes\n", scd_alert_protobuf(alert).len);
	assert_true(scd_alert_protobuf(alert).len < SCD_LIMIT_ALERT_ARENA_BYTES / 4);
	scd_alert_unref(&alert);
	free(argv);
}

static void test_limits__an_exhausted_scratch_arena_takes_no_alert_away(void **state)
{
	struct match *match = *state;
	Seccheckd__V1__SecurityEvent *message;

	match_output(match, "%proc.cmdline");
	run_miner(match);
	while (scd_arena_alloc(&match->scratch, 64))
		continue;
	message = match_message(match);
	assert_string_equal(message->process->exe_path, "/tmp/miner");
	match_free(message);
}

#define MATCH_TEST(name) cmocka_unit_test_setup_teardown(name, open_match, close_match)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MATCH_TEST(test_id__is_the_hash_of_nonce_sequence_and_rule),
		MATCH_TEST(test_id__differs_by_rule_message_and_connection),
		MATCH_TEST(test_alert__tells_where_and_why),
		MATCH_TEST(test_alert__tells_coverage_in_canonical_json),
		MATCH_TEST(test_notice__has_its_text_and_no_process),
		MATCH_TEST(test_alert__answers_for_queues_without_unpacking),
		MATCH_TEST(test_output__is_falcos_line_in_utc),
		MATCH_TEST(test_fields__have_their_types),
		MATCH_TEST(test_fields__have_the_time_once),
		MATCH_TEST(test_process__is_told_with_its_ancestors_nearest_first),
		MATCH_TEST(test_process__without_credentials_has_no_uid),
		MATCH_TEST(test_process__is_left_out_of_an_event_that_belongs_to_none),
		MATCH_TEST(test_lineage__says_that_a_parent_was_never_seen),
		MATCH_TEST(test_lineage__ends_at_its_limit),
		MATCH_TEST(test_secrets__are_masked_wherever_they_are_told),
		MATCH_TEST(test_text__that_is_not_utf8_is_replaced),
		MATCH_TEST(test_limits__a_long_field_cuts_itself_and_no_other),
		MATCH_TEST(test_limits__a_cut_does_not_split_a_character),
		MATCH_TEST(test_limits__an_ancestor_tells_less_than_the_process),
		MATCH_TEST(test_limits__the_worst_message_still_gives_an_alert),
		MATCH_TEST(test_limits__an_exhausted_scratch_arena_takes_no_alert_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
