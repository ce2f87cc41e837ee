/*
 * The decoder on messages written byte by byte: what goes where, what is kept apart, what is refused. That it agrees
 * with protobuf-c on everything else is tests/component/test_decode_*.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"

#define SMALL_ARENA_BYTES 65536u

static int set_up(void **state)
{
	static struct scd_arena scratch;

	scd_arena_init(&scratch, 4096, SCD_LIMIT_EVENT_ARENA_BYTES);
	*state = &scratch;
	return 0;
}

static int tear_down(void **state)
{
	scd_arena_done(*state);
	return 0;
}

/* A payload as a string literal, without its NUL. */
#define DECODE(state, point, want, bytes, event) \
	scd_decode_event(SCD_POINT_##point, SCD_STR(bytes), (want), *(state), (event))

static void test_decode__lays_out_an_openat_exit(void **state)
{
	static const char payload[] = "\x0a\x1b"     /* context_data */
	                              "\x08\xe8\x07" /*   time_ns 1000 */
	                              "\x10\x05"     /*   thread_id 5 */
	                              "\x20\x04"     /*   thread_group_id 4 */
	                              "\x32\x03"     /*   container_id */
	                              "abc"
	                              "\x3a\x04"         /*   credentials */
	                              "\x08\x07\x10\x08" /*     real_uid 7, effective_uid 8 */
	                              "\x42\x01/"        /*   cwd */
	                              "\x4a\x02sh"       /*   process_name */
	                              "\x50\x01"         /*   parent_thread_group_id 1 */
	                              "\x12\x02\x10\x02" /* exit: errorno 2 */
	                              "\x18\x81\x02"     /* sysno 257 */
	                              "\x20\x9c\xff\xff\xff\xff\xff\xff\xff\xff\x01" /* fd -100 */
	                              "\x32\x04/etc"                                 /* pathname */
	                              "\x38\x80\x80\x20"                             /* flags O_CLOEXEC */
	                              "\x40\xa4\x03";                                /* mode 0644 */
	struct scd_str span = { payload, sizeof(payload) - 1 };
	struct scd_event event;

	assert_int_equal(scd_decode_event(SCD_POINT_SYSCALL_OPEN, span, 0, *state, &event), 0);
	assert_int_equal(event.point, SCD_POINT_SYSCALL_OPEN);
	assert_int_equal(event.kind, SCD_KIND_OPENAT);
	assert_int_equal(event.sequence, 0);
	assert_int_equal(event.context.time_ns, 1000);
	assert_int_equal(event.context.thread_id, 5);
	assert_int_equal(event.context.thread_group_id, 4);
	assert_int_equal(event.context.parent_thread_group_id, 1);
	assert_int_equal(event.context.has, SCD_HAS_CONTEXT | SCD_HAS_CREDENTIALS | SCD_HAS_PARENT);
	assert_int_equal(event.context.credentials.real_uid, 7);
	assert_int_equal(event.context.credentials.effective_uid, 8);
	assert_true(scd_str_is(event.context.container_id, "abc"));
	assert_true(scd_str_is(event.context.cwd, "/"));
	assert_true(scd_str_is(event.context.process_name, "sh"));
	assert_true(event.has_exit);
	assert_int_equal(event.exit_errorno, 2);
	assert_int_equal(event.sysno, 257);
	assert_int_equal(event.fd, -100);
	assert_true(scd_str_is(event.u.open.pathname, "/etc"));
	assert_int_equal(event.u.open.flags, 02000000);
	assert_int_equal(event.u.open.mode, 0644);
	assert_false(event.truncated);
}

static void test_decode__does_not_copy_strings(void **state)
{
	static const char payload[] = "\x32\x05/\xff\0/x";
	struct scd_str span = { payload, sizeof(payload) - 1 };
	struct scd_event event;

	assert_int_equal(scd_decode_event(SCD_POINT_SYSCALL_OPEN, span, 0, *state, &event), 0);
	assert_ptr_equal(event.u.open.pathname.data, payload + 2);
	assert_int_equal(event.u.open.pathname.len, 5);
}

static void test_decode__accepts_an_empty_message_of_every_type(void **state)
{
	for (unsigned type = 1; type < SCD_POINT_COUNT; type++) {
		struct scd_event event;

		memset(&event, 0xff, sizeof(event));
		assert_int_equal(scd_decode_event(type, (struct scd_str){ 0 }, 0, *state, &event), 0);
		assert_int_equal(event.point, type);
		assert_int_equal(event.context.has, 0);
		assert_false(event.has_exit);
		assert_false(event.truncated);
	}
}

static void test_decode__says_nothing_of_an_unknown_type(void **state)
{
	static const unsigned types[] = { 0, SCD_POINT_COUNT, 0xffff, UINT32_MAX };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct scd_event event;

		memset(&event, 0xff, sizeof(event));
		assert_int_equal(scd_decode_event(types[i], SCD_STR("\xff\xff"), 0, *state, &event), 1);
		assert_int_equal(event.point, SCD_POINT_UNKNOWN);
		assert_int_equal(event.kind, SCD_KIND_NONE);
	}
}

static void test_decode__fd_is_minus_one_only_where_there_is_none(void **state)
{
	struct scd_event event;

	assert_int_equal(DECODE(state, SYSCALL_SOCKET, 0, "", &event), 0);
	assert_int_equal(event.fd, -1);
	assert_int_equal(DECODE(state, SENTRY_CLONE, 0, "", &event), 0);
	assert_int_equal(event.fd, -1);
	assert_int_equal(DECODE(state, SYSCALL_CLOSE, 0, "", &event), 0);
	assert_int_equal(event.fd, 0);
	assert_int_equal(DECODE(state, SYSCALL_DUP, 0, "\x20\x03\x28\x09", &event), 0);
	assert_int_equal(event.fd, 3);
	assert_int_equal(event.u.dup.new_fd, 9);
}

static void test_decode__widens_negative_descriptors(void **state)
{
	struct scd_event event;

	assert_int_equal(DECODE(state, SYSCALL_BIND, 0, "\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", &event), 0);
	assert_int_equal(event.fd, -1);
	assert_int_equal(DECODE(state, SYSCALL_BIND, 0, "\x20\xff\xff\xff\xff\x0f", &event), 0);
	assert_int_equal(event.fd, -1);
}

static void test_decode__takes_the_last_value_of_a_field(void **state)
{
	struct scd_event event;

	assert_int_equal(DECODE(state, SYSCALL_OPEN, 0, "\x32\x01x\x38\x05\x32\x01y\x38\x00", &event), 0);
	assert_true(scd_str_is(event.u.open.pathname, "y"));
	assert_int_equal(event.u.open.flags, 0);
}

static void test_decode__merges_a_message_that_comes_in_parts(void **state)
{
	struct scd_event event;

	/* context_data { thread_id 5, credentials { real_uid 1 } }, and { cwd "/", credentials { saved_uid 3 } } */
	assert_int_equal(DECODE(state, SYSCALL_OPEN, 0,
	                        "\x0a\x06\x10\x05\x3a\x02\x08\x01"
	                        "\x0a\x07\x42\x01/\x3a\x02\x18\x03",
	                        &event),
	                 0);
	assert_int_equal(event.context.thread_id, 5);
	assert_true(scd_str_is(event.context.cwd, "/"));
	assert_int_equal(event.context.credentials.real_uid, 1);
	assert_int_equal(event.context.credentials.saved_uid, 3);
}

static void test_decode__skips_fields_it_does_not_know(void **state)
{
	struct scd_event event;

	/* numbers 100 (varint), 101 (64 bit), 102 (text), 103 (32 bit), then flags 5 */
	assert_int_equal(DECODE(state, SYSCALL_OPEN, 0,
	                        "\xa0\x06\x01"
	                        "\xa9\x06"
	                        "12345678"
	                        "\xb2\x06\x02hi"
	                        "\xbd\x06"
	                        "1234"
	                        "\x38\x05",
	                        &event),
	                 0);
	assert_int_equal(event.u.open.flags, 5);
}

static void test_decode__refuses(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
	} rows[] = {
#define ROW(name, literal) { name, literal, sizeof(literal) - 1 }
		ROW("a tag without a value", "\x38"),
		ROW("a number that does not end", "\x38\x80\x80"),
		ROW("a number of eleven bytes", "\x38\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
		ROW("a text longer than the message", "\x32\x05/etc"),
		ROW("a text of nearly 2^35 bytes", "\x32\xff\xff\xff\xff\x7f/"),
		ROW("a length of six bytes", "\x32\x81\x80\x80\x80\x80\x00/"),
		ROW("a tag of six bytes", "\xb8\x80\x80\x80\x80\x00\x01"),
		ROW("field number 0", "\x00\x01"),
		ROW("a group", "\xa3\x06\xa4\x06"),
		ROW("the end of a group", "\xa4\x06"),
		ROW("wire type 6", "\xa6\x06"),
		ROW("wire type 7", "\xa7\x06"),
		ROW("a text where a number belongs", "\x3a\x01x"),
		ROW("a number where a text belongs", "\x30\x01"),
		ROW("32 bits where a number belongs", "\x3d\x01\x02\x03\x04"),
		ROW("a number where a message belongs", "\x08\x01"),
		ROW("a message inside that is cut", "\x0a\x02\x10\x80"),
		ROW("damage inside a message inside a message", "\x0a\x04\x3a\x02\x08\x80"),
		ROW("an unknown text that is cut", "\xb2\x06\x03hi"),
		ROW("unknown 64 bits that are cut", "\xa9\x06"
		                                    "1234567"),
		ROW("unknown 32 bits that are cut", "\xbd\x06"
		                                    "123"),
#undef ROW
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scd_str payload = { rows[i].bytes, rows[i].len };
		struct scd_event event;

		if (scd_decode_event(SCD_POINT_SYSCALL_OPEN, payload, 0, *state, &event) != -EBADMSG)
			fail_msg("accepted: %s", rows[i].name);
	}
}

/* args and env in turns. */
#define START "\x22\x02ls\x2a\x03K=V\x22\x02-l\x2a\x03L=W\x22\x00"

static void test_decode__gathers_repeated_strings(void **state)
{
	struct scd_event event;

	assert_int_equal(DECODE(state, CONTAINER_START, SCD_DECODE_ENV, START, &event), 0);
	assert_int_equal(event.u.start.args.count, 3);
	assert_true(scd_str_is(event.u.start.args.items[0], "ls"));
	assert_true(scd_str_is(event.u.start.args.items[1], "-l"));
	assert_true(scd_str_is(event.u.start.args.items[2], ""));
	assert_int_equal(event.u.start.env.count, 2);
	assert_true(scd_str_is(event.u.start.env.items[0], "K=V"));
	assert_true(scd_str_is(event.u.start.env.items[1], "L=W"));
}

static void test_decode__leaves_environments_alone_unless_asked(void **state)
{
	struct scd_event event;

	assert_int_equal(DECODE(state, CONTAINER_START, 0, START, &event), 0);
	assert_int_equal(event.u.start.args.count, 3);
	assert_int_equal(event.u.start.env.count, 0);
	assert_int_equal(DECODE(state, SENTRY_EXEC, 0, "\x22\x03K=V", &event), 0);
	assert_int_equal(event.u.exec.env.count, 0);
	assert_int_equal(DECODE(state, SYSCALL_EXECVE, 0, "\x42\x03K=V", &event), 0);
	assert_int_equal(event.u.execve.envv.count, 0);
	assert_int_equal(DECODE(state, SENTRY_EXEC, 0, "\x20\x03", &event), -EBADMSG);
}

/* `count` arguments of one byte each: their index modulo 256. */
static struct scd_str many_args(size_t count)
{
	char *data = malloc(count * 3);

	assert_non_null(data);
	for (size_t i = 0; i < count; i++) {
		data[3 * i] = 0x1a;
		data[3 * i + 1] = 1;
		data[3 * i + 2] = (char)i;
	}
	return (struct scd_str){ data, count * 3 };
}

static void free_args(struct scd_str args)
{
	union {
		const char *in;
		char *out;
	} cast = { args.data };

	free(cast.out);
}

static void test_decode__keeps_head_and_tail_of_too_many_strings(void **state)
{
	enum { limit = SCD_LIMIT_EVENT_STRINGS };
	static const size_t rows[] = { 1, 1001, limit / 2 - 1, limit / 2, limit / 2 + 1, limit, 2 * limit + 7 };

	for (size_t row = 0; row < SCD_COUNT(rows); row++) {
		const size_t more = rows[row];
		struct scd_str payload = many_args(limit + more);
		struct scd_event event;

		assert_int_equal(scd_decode_event(SCD_POINT_SENTRY_EXEC, payload, 0, *state, &event), 0);
		assert_true(event.truncated);
		assert_int_equal(event.u.exec.argv.count, limit);
		for (size_t i = 0; i < limit; i++) {
			size_t from = i < limit / 2 ? i : i + more;

			assert_ptr_equal(event.u.exec.argv.items[i].data, payload.data + 3 * from + 2);
		}
		free_args(payload);
		scd_arena_reset(*state);
	}
}

/* Long ones, other fields and other forms of the tag between short ones. */
static void test_decode__collects_strings_wherever_they_are(void **state)
{
	static const char start[] = "\x1a\x01"
	                            "a"
	                            "\x1a\x00"
	                            "\x12\x02/b"
	                            "\x1a\x01"
	                            "c"
	                            "\x9a\x00\x01"
	                            "d"
	                            "\x1a\x80\x01";
	static const char *const expected[] = { "a", "", "c", "d", NULL, "e" };
	char payload[sizeof(start) - 1 + 128 + 3];
	struct scd_event event;
	char *end = mempcpy(payload, start, sizeof(start) - 1);

	memset(end, 'x', 128);
	memcpy(end + 128,
	       "\x1a\x01"
	       "e",
	       3);
	assert_int_equal(scd_decode_event(SCD_POINT_SENTRY_EXEC, (struct scd_str){ payload, sizeof(payload) }, 0,
	                                  *state, &event),
	                 0);
	assert_int_equal(event.u.exec.argv.count, SCD_COUNT(expected));
	for (size_t i = 0; i < SCD_COUNT(expected); i++) {
		struct scd_str item = event.u.exec.argv.items[i];

		if (expected[i])
			assert_true(scd_str_eq(item, scd_str_from(expected[i])));
		else
			assert_int_equal(item.len, 128);
	}
	assert_true(scd_str_eq(event.u.exec.binary_path, SCD_STR("/b")));
	scd_arena_reset(*state);
}

static void test_decode__keeps_as_many_strings_as_the_limit(void **state)
{
	struct scd_str payload = many_args(SCD_LIMIT_EVENT_STRINGS);
	struct scd_event event;

	assert_int_equal(scd_decode_event(SCD_POINT_SENTRY_EXEC, payload, 0, *state, &event), 0);
	assert_false(event.truncated);
	assert_int_equal(event.u.exec.argv.count, SCD_LIMIT_EVENT_STRINGS);
	free_args(payload);
	scd_arena_reset(*state);
}

static void test_decode__says_so_when_the_arena_is_full(void **state)
{
	struct scd_str payload = many_args(SMALL_ARENA_BYTES);
	struct scd_arena small;
	struct scd_event event;

	(void)state;
	scd_arena_init(&small, 4096, SMALL_ARENA_BYTES);
	assert_int_equal(scd_decode_event(SCD_POINT_SENTRY_EXEC, payload, 0, &small, &event), -ENOMEM);
	scd_arena_done(&small);
	free_args(payload);
}

static void test_decode__reads_the_inner_messages_of_an_exec(void **state)
{
	struct scd_event event;

	/*
	 * binary_ctime { sec 9, nsec 8 }
	 * stdin { mode 1, ino 2, path "/p", socket { family 2, remote { ip, port } } }
	 * stderr { }
	 * pipe_input_proc { context_data { thread_id 6, thread_group_id 5, credentials { real_uid 1 } } }
	 */
	assert_int_equal(
	        DECODE(state, SENTRY_EXEC, 0,
	               "\x5a\x04\x08\x09\x10\x08"
	               "\x62\x17\x08\x01\x10\x02\x1a\x02/p\x22\x0d\x08\x02\x1a\x09\x12\x04\x01\x02\x03\x04\x18\xd2\x09"
	               "\x72\x00"
	               "\xaa\x01\x0a\x0a\x08\x10\x06\x20\x05\x3a\x02\x08\x01",
	               &event),
	        0);
	assert_int_equal(event.u.exec.binary_ctime.sec, 9);
	assert_int_equal(event.u.exec.binary_ctime.nsec, 8);
	assert_true(event.u.exec.stdin_info.present);
	assert_int_equal(event.u.exec.stdin_info.mode, 1);
	assert_int_equal(event.u.exec.stdin_info.ino, 2);
	assert_true(scd_str_is(event.u.exec.stdin_info.path, "/p"));
	assert_true(event.u.exec.stdin_info.has_socket);
	assert_int_equal(event.u.exec.stdin_info.socket_family, 2);
	assert_true(scd_str_is(event.u.exec.stdin_info.remote.ip, "\x01\x02\x03\x04"));
	assert_int_equal(event.u.exec.stdin_info.remote.port, 1234);
	assert_int_equal(event.u.exec.stdin_info.local.ip.len, 0);
	assert_false(event.u.exec.stdout_info.present);
	assert_true(event.u.exec.stderr_info.present);
	assert_false(event.u.exec.stderr_info.has_socket);
	assert_int_equal(event.u.exec.pipe_input_tgid, 5);
	assert_int_equal(event.u.exec.pipe_output_tgid, 0);
	assert_int_equal(event.context.has, 0);
}

static void test_decode__checks_also_what_it_does_not_keep(void **state)
{
	struct scd_event event;

	/* In pipe_input_proc.context_data: a damaged cwd; a text for thread_id; a text for credentials.real_uid. */
	assert_int_equal(DECODE(state, SENTRY_EXEC, 0, "\xaa\x01\x05\x0a\x03\x42\x05/", &event), -EBADMSG);
	assert_int_equal(DECODE(state, SENTRY_EXEC, 0, "\xaa\x01\x05\x0a\x03\x12\x01x", &event), -EBADMSG);
	assert_int_equal(DECODE(state, SENTRY_EXEC, 0, "\xaa\x01\x07\x0a\x05\x3a\x03\x0a\x01x", &event), -EBADMSG);
}

static void test_decode__fills_pairs_of_limits_and_timers(void **state)
{
	struct scd_event event;

	/* old_limit { cur 3, max 4 } alone; then new_value { interval { sec 1 }, value { nsec 2 } } */
	assert_int_equal(DECODE(state, SYSCALL_PRLIMIT64, 0, "\x3a\x04\x08\x03\x10\x04", &event), 0);
	assert_false(event.u.prlimit.has_new_limit);
	assert_true(event.u.prlimit.has_old_limit);
	assert_int_equal(event.u.prlimit.old_cur, 3);
	assert_int_equal(event.u.prlimit.old_max, 4);
	assert_int_equal(DECODE(state, SYSCALL_TIMERFD_SETTIME, 0, "\x3a\x08\x0a\x02\x08\x01\x12\x02\x10\x02", &event),
	                 0);
	assert_int_equal(event.u.timerfd.new_interval.sec, 1);
	assert_int_equal(event.u.timerfd.new_value.nsec, 2);
	assert_int_equal(event.u.timerfd.old_value.nsec, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode__lays_out_an_openat_exit),
		cmocka_unit_test(test_decode__does_not_copy_strings),
		cmocka_unit_test(test_decode__accepts_an_empty_message_of_every_type),
		cmocka_unit_test(test_decode__says_nothing_of_an_unknown_type),
		cmocka_unit_test(test_decode__fd_is_minus_one_only_where_there_is_none),
		cmocka_unit_test(test_decode__widens_negative_descriptors),
		cmocka_unit_test(test_decode__takes_the_last_value_of_a_field),
		cmocka_unit_test(test_decode__merges_a_message_that_comes_in_parts),
		cmocka_unit_test(test_decode__skips_fields_it_does_not_know),
		cmocka_unit_test(test_decode__refuses),
		cmocka_unit_test(test_decode__gathers_repeated_strings),
		cmocka_unit_test(test_decode__leaves_environments_alone_unless_asked),
		cmocka_unit_test(test_decode__keeps_head_and_tail_of_too_many_strings),
		cmocka_unit_test(test_decode__collects_strings_wherever_they_are),
		cmocka_unit_test(test_decode__keeps_as_many_strings_as_the_limit),
		cmocka_unit_test(test_decode__says_so_when_the_arena_is_full),
		cmocka_unit_test(test_decode__reads_the_inner_messages_of_an_exec),
		cmocka_unit_test(test_decode__checks_also_what_it_does_not_keep),
		cmocka_unit_test(test_decode__fills_pairs_of_limits_and_timers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
