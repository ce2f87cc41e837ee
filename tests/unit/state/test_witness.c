/*
 * Which calls were hidden from the trace: in what order messages of a thread come, and which of them are missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "state/witness.h"

#define THREAD 7

/*
 * A message of the thread, by a letter:
 *
 *    E X   raw execve: enter, exit      e x   syscall/execve: enter, exit      s   sentry/execve
 *    F     raw execve that failed       f     syscall/execve that failed       m   sentry/mmap
 *    C     raw connect: exit            c     syscall/connect: exit            o   another call
 */
static struct scd_event message(char letter, int32_t thread)
{
	struct scd_event event;

	memset(&event, 0, sizeof(event));
	event.context.thread_id = event.context.thread_group_id = thread;
	event.has_exit = !strchr("Eesm", letter);
	event.exit_errorno = strchr("Ff", letter) ? 2 : 0;
	event.sysno = strchr("Cc", letter) ? SCD_KIND_CONNECT : SCD_KIND_EXECVE;
	if (strchr("EXFC", letter))
		event.point = SCD_POINT_SYSCALL_RAW;
	else if (strchr("exf", letter))
		event.point = SCD_POINT_SYSCALL_EXECVE;
	else if (letter == 's')
		event.point = SCD_POINT_SENTRY_EXEC;
	else if (letter == 'm')
		event.point = SCD_POINT_SENTRY_MMAP;
	else
		event.point = letter == 'c' ? SCD_POINT_SYSCALL_CONNECT : SCD_POINT_SYSCALL_OPEN;
	return event;
}

static void test_witness__tells_of(void **state)
{
	static const struct {
		const char *name, *messages;
		unsigned hidden;
	} rows[] = {
		{ "an exec as gVisor tells it", "EesXxo", 0 },
		{ "many of them", "EesXxoEesXxooEesXxEesXx", 0 },
		{ "an exec without its system call's points", "EsXo", 0 },
		{ "an exec whose image is told at the end", "EeXxso", 0 },
		{ "an exec with mappings in between", "EesmXxo", 0 },
		{ "an exec that failed", "EeFfo", 0 },
		{ "an exec of which nothing is told", "EXo", 1 },
		{ "an exec of which only the image is not told", "EeXxo", 1 },
		{ "one after an exec that is told", "EesXxoEeXxo", 1 },
		{ "one after an exec whose exits were lost", "EesEeXxo", 1 },
		{ "an exec that failed and is not told", "EFo", 1 },
		{ "the first call of all", "Xo", 1 },
		{ "two of them", "EeXxEeXxo", 2 },
		{ "a connect that is told", "Cco", 0 },
		{ "a connect that is not", "Co", 1 },
		{ "a connect behind an exec, both not told", "EeXxCo", 2 },
		{ "the same the other way round, without enters", "EesXxoCXo", 2 },
	};

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd__witnesses witnesses = { .count = 0 };
		struct scd_event hidden;
		unsigned count = 0;

		for (const char *letter = rows[i].messages; *letter; letter++) {
			struct scd_event event = message(*letter, THREAD), other = message('o', THREAD + 1);

			scd__witnesses_note(&witnesses, &event, 0);
			while (scd__witnesses_take(&witnesses, &hidden))
				count++;
			assert_false(scd__witnesses_note(&witnesses, &other, 0));
		}
		if (count != rows[i].hidden)
			fail_msg("%s: %u", rows[i].name, count);
		assert_int_equal(witnesses.count, 0);
		scd__witnesses_done(&witnesses);
	}
}

/* Programs start at the same time on many processors. */
static void test_witness__threads_do_not_mix(void **state)
{
	struct scd__witnesses witnesses = { .count = 0 };

	(void)state;
	for (const char *letter = "EesXxo"; *letter; letter++) {
		for (int32_t thread = 1; thread <= (int32_t)SCD__WITNESSES; thread++) {
			struct scd_event event = message(*letter, thread);

			assert_false(scd__witnesses_note(&witnesses, &event, 0));
		}
	}
	scd__witnesses_done(&witnesses);
}

static bool note(struct scd__witnesses *witnesses, char letter, int32_t thread)
{
	struct scd_event event = message(letter, thread);

	return scd__witnesses_note(witnesses, &event, 0);
}

/* A message at this number and this time; which threads' calls it shows to be hidden, as "7 8 ". */
static void note_at(struct scd__witnesses *witnesses, char letter, int32_t thread, uint64_t sequence, int64_t now_ns,
                    char *ret_hidden)
{
	struct scd_event event = message(letter, thread), hidden;

	event.sequence = sequence;
	scd__witnesses_note(witnesses, &event, now_ns);
	*ret_hidden = 0;
	while (scd__witnesses_take(witnesses, &hidden)) {
		assert_int_equal(hidden.kind, SCD_KIND_HIDDEN);
		ret_hidden += sprintf(ret_hidden, "%d ", hidden.context.thread_id);
	}
}

/* A program that then only computes would never say anything else. */
static void test_witness__tells_at_once_where_the_image_comes_first(void **state)
{
	struct scd__witnesses witnesses = { .count = 0 };
	struct scd_event hidden;

	(void)state;
	for (const char *letter = "EesXxoEe"; *letter; letter++)
		assert_false(note(&witnesses, *letter, THREAD));
	assert_true(note(&witnesses, 'X', THREAD));
	assert_true(scd__witnesses_take(&witnesses, &hidden));
	assert_false(note(&witnesses, 'x', THREAD));
	assert_false(note(&witnesses, 'o', THREAD));
	scd__witnesses_done(&witnesses);
}

/* However many calls others make in between. */
static void test_witness__waits_for_a_thread_that_takes_its_time(void **state)
{
	struct scd__witnesses witnesses = { .count = 0 };

	(void)state;
	assert_false(note(&witnesses, 'C', THREAD));
	for (int32_t thread = THREAD + 1; thread < 1000; thread++) {
		assert_false(note(&witnesses, 'C', thread));
		assert_false(note(&witnesses, 'c', thread));
	}
	assert_true(note(&witnesses, 'o', THREAD));
	scd__witnesses_done(&witnesses);
}

/* A thread that then computes, or sleeps, says nothing more: time tells, where there is one, or what others say. */
static void test_witness__of_a_quiet_thread_is_told_later(void **state)
{
	static const struct {
		const char *name;
		uint64_t messages;
		int64_t ms;
		const char *hidden;
	} rows[] = {
		{ "soon", 1000, 500, "" },
		{ "some time later", 1000, SCD_LIMIT_WITNESS_MS + 1, "7 8 " },
		{ "some messages later", SCD_LIMIT_WITNESS_MESSAGES + 2, 0, "7 8 " },
	};
	const int64_t start_ns = INT64_C(1700000000000000000);

	(void)state;
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		struct scd__witnesses witnesses = { .count = 0 };
		char hidden[64];

		print_message("%s\n", rows[i].name);
		note_at(&witnesses, 'C', THREAD, 1, start_ns, hidden);
		note_at(&witnesses, 'X', THREAD + 1, 2, start_ns, hidden);
		note_at(&witnesses, 's', THREAD + 2, 3, start_ns,
		        hidden); /* waits for its raw exit, and is no witness */
		note_at(&witnesses, 'o', THREAD + 3, 3 + rows[i].messages, start_ns + rows[i].ms * 1000000, hidden);
		assert_string_equal(hidden, rows[i].hidden);
		scd__witnesses_done(&witnesses);
	}
}

static void test_witness__that_gives_way_is_told(void **state)
{
	struct scd__witnesses witnesses = { .count = 0 };
	unsigned told = 0;

	(void)state;
	for (int32_t thread = 1; thread <= (int32_t)SCD__WITNESSES + 6; thread++) {
		char hidden[64], expected[16] = "";

		note_at(&witnesses, 'C', thread, (uint64_t)thread, 0, hidden);
		if (thread > (int32_t)SCD__WITNESSES)
			snprintf(expected, sizeof(expected), "%d ", thread - (int32_t)SCD__WITNESSES);
		assert_string_equal(hidden, expected);
		told += *hidden != 0;
	}
	assert_int_equal(told, 6);
	scd__witnesses_done(&witnesses);
}

static void test_witness__all_are_told_at_the_end(void **state)
{
	struct scd__witnesses witnesses = { .count = 0 };
	struct scd_event hidden;
	char none[64];

	(void)state;
	assert_false(scd__witnesses_end(&witnesses));
	note_at(&witnesses, 'C', 9, 1, 0, none);
	note_at(&witnesses, 'X', 8, 2, 0, none);
	note_at(&witnesses, 's', 7, 3, 0, none);
	assert_true(scd__witnesses_end(&witnesses));
	assert_true(scd__witnesses_take(&witnesses, &hidden));
	assert_int_equal(hidden.context.thread_id, 9);
	assert_true(scd__witnesses_take(&witnesses, &hidden));
	assert_int_equal(hidden.context.thread_id, 8);
	assert_false(scd__witnesses_take(&witnesses, &hidden));
	assert_false(scd__witnesses_end(&witnesses));
	scd__witnesses_done(&witnesses);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_witness__tells_of),
		cmocka_unit_test(test_witness__threads_do_not_mix),
		cmocka_unit_test(test_witness__tells_at_once_where_the_image_comes_first),
		cmocka_unit_test(test_witness__waits_for_a_thread_that_takes_its_time),
		cmocka_unit_test(test_witness__of_a_quiet_thread_is_told_later),
		cmocka_unit_test(test_witness__that_gives_way_is_told),
		cmocka_unit_test(test_witness__all_are_told_at_the_end),
	};

	return cmocka_run_group_tests_name("state/witness", tests, NULL, NULL);
}
