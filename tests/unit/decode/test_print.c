/*
 * Lines for single messages, written byte by byte: what is there, what is escaped how, what stands for the rest. That
 * the text is protobuf's for any message is tests/component/test_print_protoc.c, that the JSON is, test_print_json.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "decode/table.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/decode/print.h"

#define TYPE_OF(name) "{\"@type\":\"type.googleapis.com/gvisor." name "\""

static int set_up(void **state)
{
	static struct scd_buf line;

	scd_buf_init(&line, SCD_LIMIT_PRINT_BYTES);
	*state = &line;
	return 0;
}

static int tear_down(void **state)
{
	scd_buf_done(*state);
	return 0;
}

/* A payload as a string literal, without its NUL. */
#define BYTES(literal) SCD_STR_INIT(literal)

static const struct row {
	const char *name;
	unsigned type;
	struct scd_str payload;
	const char *text, *json;
} rows[] = {
	{ "a point that is no system call, empty", SCD_POINT_SENTRY_TASK_EXIT, BYTES(""), "TaskExit => ",
	  TYPE_OF("sentry.TaskExit") "}" },
	{ "a system call, empty", SCD_POINT_SYSCALL_FORK, BYTES(""), "E Fork ", TYPE_OF("syscall.Fork") "}" },
	{ "the exit of a system call, empty", SCD_POINT_SYSCALL_FORK, BYTES("\x12\x00"), "X Fork exit { } ",
	  TYPE_OF("syscall.Fork") ",\"exit\":{}}" },
	{ "a message in a message is indented", SCD_POINT_SENTRY_TASK_EXIT, BYTES("\x0a\x06\x3a\x02\x08\x07\x10\x02"),
	  "TaskExit => context_data {   thread_id: 2   credentials {     real_uid: 7   } } ",
	  TYPE_OF("sentry.TaskExit") ",\"contextData\":{\"threadId\":2,\"credentials\":{\"realUid\":7}}}" },
	{ "fields come in the order of their numbers", SCD_POINT_SYSCALL_OPEN, BYTES("\x38\x03\x20\x02\x18\x01"),
	  "E Open sysno: 1 fd: 2 flags: 3 ", TYPE_OF("syscall.Open") ",\"sysno\":\"1\",\"fd\":\"2\",\"flags\":3}" },
	{ "negative numbers", SCD_POINT_SYSCALL_FCNTL,
	  BYTES("\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x38\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
	  "E Fcntl fd: -1 args: -9223372036854775808 ",
	  TYPE_OF("syscall.Fcntl") ",\"fd\":-1,\"args\":\"-9223372036854775808\"}" },
	{ "numbers without a sign", SCD_POINT_SYSCALL_READ,
	  BYTES("\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x48\xff\xff\xff\xff\x0f"),
	  "E Read count: 18446744073709551615 flags: 4294967295 ",
	  TYPE_OF("syscall.Read") ",\"count\":\"18446744073709551615\",\"flags\":4294967295}" },
	{ "a number that is cut to the width of its field", SCD_POINT_SYSCALL_READ, BYTES("\x48\x81\x80\x80\x80\x10"),
	  "E Read flags: 1 ", TYPE_OF("syscall.Read") ",\"flags\":1}" },
	{ "default values are left out", SCD_POINT_SYSCALL_READ,
	  BYTES("\x20\x00\x2a\x00\x38\x00\x48\x80\x80\x80\x80\x10"), "E Read ", TYPE_OF("syscall.Read") "}" },
	{ "a bool of any number", SCD_POINT_SYSCALL_READ, BYTES("\x38\x80\x80\x80\x80\x80\x01"),
	  "E Read has_offset: true ", TYPE_OF("syscall.Read") ",\"hasOffset\":true}" },
	{ "repeated texts, also empty ones", SCD_POINT_CONTAINER_START, BYTES("\x22\x01x\x22\x00\x2a\x03K=v"),
	  "Start => args: \"x\" args: \"\" env: \"K=v\" ",
	  TYPE_OF("container.Start") ",\"args\":[\"x\",\"\"],\"env\":[\"K=v\"]}" },
	{ "the last of several values", SCD_POINT_SYSCALL_OPEN,
	  BYTES("\x20\x01\x32\x01"
	        "a\x20\x02\x32\x01"
	        "b\x20\x03"),
	  "E Open fd: 3 pathname: \"b\" ", TYPE_OF("syscall.Open") ",\"fd\":\"3\",\"pathname\":\"b\"}" },
	{ "the last of several values is the default", SCD_POINT_SYSCALL_OPEN, BYTES("\x20\x01\x20\x00"), "E Open ",
	  TYPE_OF("syscall.Open") "}" },
	{ "a message in two parts", SCD_POINT_SENTRY_TASK_EXIT, BYTES("\x0a\x02\x10\x01\x10\x05\x0a\x02\x20\x02"),
	  "TaskExit => context_data {   thread_id: 1   thread_group_id: 2 } exit_status: 5 ",
	  TYPE_OF("sentry.TaskExit") ",\"contextData\":{\"threadId\":1,\"threadGroupId\":2},\"exitStatus\":5}" },
	{ "escapes that have letters", SCD_POINT_SYSCALL_CHROOT, BYTES("\x22\x06\n\r\t\"'\\"),
	  "E Chroot pathname: \"\\n\\r\\t\\\"\\'\\\\\" ",
	  TYPE_OF("syscall.Chroot") ",\"pathname\":\"\\n\\r\\t\\\"'\\\\\"}" },
	{ "other controls", SCD_POINT_SYSCALL_CHROOT, BYTES("\x22\x05\0\a\x1b\x7f/"),
	  "E Chroot pathname: \"\\000\\007\\033\\177/\" ",
	  TYPE_OF("syscall.Chroot") ",\"pathname\":\"\\u0000\\u0007\\u001b\\u007f/\"}" },
	{ "text beyond ASCII", SCD_POINT_SYSCALL_CHROOT, BYTES("\x22\x06\xc3\xbc\xf0\x9f\x98\x80"),
	  "E Chroot pathname: \"\\303\\274\\360\\237\\230\\200\" ",
	  TYPE_OF("syscall.Chroot") ",\"pathname\":\"\xc3\xbc\xf0\x9f\x98\x80\"}" },
	{ "what a terminal obeys", SCD_POINT_SYSCALL_CHROOT, BYTES("\x22\x06\xc2\x9b\xe2\x80\xae/"),
	  "E Chroot pathname: \"\\302\\233\\342\\200\\256/\" ",
	  TYPE_OF("syscall.Chroot") ",\"pathname\":\"\\u009b\\u202e/\"}" },
	{ "text that is no UTF-8", SCD_POINT_SYSCALL_CHROOT,
	  BYTES("\x22\x03\xff\xc3"
	        "a"),
	  "E Chroot pathname: \"\\377\\303a\" ",
	  TYPE_OF("syscall.Chroot") ",\"pathname\":\"\xef\xbf\xbd\xef\xbf\xbd"
	                            "a\"}" },
	{ "bytes", SCD_POINT_SYSCALL_CONNECT, BYTES("\x32\x04\x02\x00\x1f\x90"),
	  "E Connect address: \"\\002\\000\\037\\220\" ", TYPE_OF("syscall.Connect") ",\"address\":\"AgAfkA==\"}" },
	{ "an unknown number", SCD_POINT_SYSCALL_FORK, BYTES("\x98\x06\x07"), "E Fork 99: 7 ",
	  TYPE_OF("syscall.Fork") "}" },
	{ "unknown numbers of fixed width", SCD_POINT_SYSCALL_FORK,
	  BYTES("\x9d\x06\x01\x02\x03\x04\xa1\x06\x01\x02\x03\x04\x05\x06\x07\x08"),
	  "E Fork 99: 0x04030201 100: 0x0807060504030201 ", TYPE_OF("syscall.Fork") "}" },
	{ "an unknown text", SCD_POINT_SYSCALL_FORK, BYTES("\x9a\x06\x02no"), "E Fork 99: \"no\" ",
	  TYPE_OF("syscall.Fork") "}" },
	{ "an unknown text that is empty", SCD_POINT_SYSCALL_FORK, BYTES("\x9a\x06\x00"), "E Fork 99: \"\" ",
	  TYPE_OF("syscall.Fork") "}" },
	{ "an unknown text that looks like a message", SCD_POINT_SYSCALL_FORK, BYTES("\x9a\x06\x04\x08\x01\x12\x00"),
	  "E Fork 99 {   1: 1   2: \"\" } ", TYPE_OF("syscall.Fork") "}" },
	{ "a guess takes tags that are longer than a tag may be", SCD_POINT_SYSCALL_FORK,
	  BYTES("\x9a\x06\x07\x88\x80\x80\x80\x80\x00\x05"), "E Fork 99 {   1: 5 } ", TYPE_OF("syscall.Fork") "}" },
	{ "an unknown group", SCD_POINT_SYSCALL_FORK, BYTES("\x9b\x06\x08\x01\x9c\x06"), "E Fork 99 {   1: 1 } ",
	  TYPE_OF("syscall.Fork") "}" },
	{ "unknown fields of a message inside", SCD_POINT_SYSCALL_FORK, BYTES("\x12\x05\x98\x06\x07\x08\x01\x18\x05"),
	  "X Fork exit {   result: 1   99: 7 } sysno: 5 ",
	  TYPE_OF("syscall.Fork") ",\"exit\":{\"result\":\"1\"},\"sysno\":\"5\"}" },
	{ "a known number with another wire type", SCD_POINT_SYSCALL_FORK, BYTES("\x1a\x01x\x10\x05\x18\x02"),
	  "E Fork sysno: 2 3: \"x\" 2: 5 ", TYPE_OF("syscall.Fork") ",\"sysno\":\"2\"}" },
};

static void test_print__writes_what_is_in_a_message(void **state)
{
	struct scd_buf *line = *state;

	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		assert_int_equal(scd_print_text(rows[i].type, rows[i].payload, line), SCD_PRINTED_MESSAGE);
		if (strcmp(line->data, rows[i].text) != 0)
			fail_msg("%s: %s", rows[i].name, line->data);
		assert_int_equal(scd_print_json(rows[i].type, rows[i].payload, line), SCD_PRINTED_MESSAGE);
		if (strcmp(line->data, rows[i].json) != 0)
			fail_msg("%s: %s", rows[i].name, line->data);
	}
}

/* Every byte, in bytes and in a text: as itself, as a letter, or in octal. */
static void test_text__escapes_every_byte_as_c_does(void **state)
{
	struct scd_buf *line = *state;

	for (unsigned byte = 0; byte < 256; byte++) {
		const char bytes[] = { 0x32, 1, (char)byte }, text[] = { 0x2a, 1, (char)byte };
		char value[8], expected[64];

		if (byte < 0x20 || byte > 0x7e)
			snprintf(value, sizeof(value), "\\%03o", byte);
		else
			snprintf(value, sizeof(value), "%s%c", strchr("\"'\\", (int)byte) ? "\\" : "", (char)byte);
		if (strchr("\n\r\t", (int)byte) && byte != 0)
			snprintf(value, sizeof(value), "\\%c", byte == '\n' ? 'n' : byte == '\r' ? 'r' : 't');
		snprintf(expected, sizeof(expected), "E Bind address: \"%s\" ", value);
		scd_print_text(SCD_POINT_SYSCALL_BIND, (struct scd_str){ bytes, 3 }, line);
		assert_string_equal(line->data, expected);
		snprintf(expected, sizeof(expected), "E Bind fd_path: \"%s\" ", value);
		scd_print_text(SCD_POINT_SYSCALL_BIND, (struct scd_str){ text, 3 }, line);
		assert_string_equal(line->data, expected);
	}
}

/* The names of the types, in the order of their numbers. */
static const char *const names[] = {
	"Start =>",
	"CloneInfo =>",
	"ExecveInfo =>",
	"ExitNotifyParentInfo =>",
	"TaskExit =>",
	"E Syscall",
	"E Open",
	"E Close",
	"E Read",
	"E Connect",
	"E Execve",
	"E Socket",
	"E Chdir",
	"E Setid",
	"E Setresid",
	"E Prlimit",
	"E Pipe",
	"E Fcntl",
	"E Dup",
	"E Signalfd",
	"E Chroot",
	"E Eventfd",
	"E Clone",
	"E Bind",
	"E Accept",
	"E TimerfdCreate",
	"E TimerfdSetTime",
	"E TimerfdGetTime",
	"E Fork",
	"E InotifyInit",
	"E InotifyAddWatch",
	"E InotifyRmWatch",
	"E SocketPair",
	"E Write",
	"MmapInfo =>",
	"E Mmap",
	"E Listen",
	"E Ptrace",
};

static void test_text__begins_with_the_name_of_the_type(void **state)
{
	struct scd_buf *line = *state;
	char expected[64];

	assert_int_equal(SCD_COUNT(names), SCD_POINT_COUNT - 1);
	for (unsigned type = 1; type < SCD_POINT_COUNT; type++) {
		assert_int_equal(scd_print_text(type, SCD_STR(""), line), SCD_PRINTED_MESSAGE);
		snprintf(expected, sizeof(expected), "%s ", names[type - 1]);
		assert_string_equal(line->data, expected);
	}
}

static const struct odd {
	const char *name;
	unsigned type;
	struct scd_str payload;
	enum scd_printed printed;
	const char *text, *json;
} odds[] = {
	{ "type 0", 0, BYTES("abc"), SCD_PRINTED_UNKNOWN, "? type 0, 3 bytes",
	  "{\"error\":\"unknown type\",\"messageType\":0,\"payloadBytes\":3}" },
	{ "the first type that there is not", SCD_POINT_COUNT, BYTES(""), SCD_PRINTED_UNKNOWN, "? type 39, 0 bytes",
	  "{\"error\":\"unknown type\",\"messageType\":39,\"payloadBytes\":0}" },
	{ "cut short in a tag", SCD_POINT_SYSCALL_OPEN, BYTES("\x98"), SCD_PRINTED_DAMAGED,
	  "? type 7 (Open), 1 bytes: damaged", "{\"error\":\"damaged\",\"messageType\":7,\"payloadBytes\":1}" },
	{ "cut short in a text", SCD_POINT_SYSCALL_OPEN, BYTES("\x20\x01\x32\x05/etc"), SCD_PRINTED_DAMAGED, NULL,
	  NULL },
	{ "cut short in a number", SCD_POINT_SYSCALL_OPEN, BYTES("\x20\x80"), SCD_PRINTED_DAMAGED, NULL, NULL },
	{ "cut short in 32 bits", SCD_POINT_SYSCALL_OPEN, BYTES("\x9d\x06\x01\x02\x03"), SCD_PRINTED_DAMAGED, NULL,
	  NULL },
	{ "a message inside is damaged", SCD_POINT_SYSCALL_OPEN, BYTES("\x0a\x01\x98"), SCD_PRINTED_DAMAGED, NULL,
	  NULL },
	{ "one part of a message inside is damaged", SCD_POINT_SYSCALL_OPEN, BYTES("\x12\x01\x08\x12\x01\x01"),
	  SCD_PRINTED_DAMAGED, NULL, NULL },
	{ "a tag of six bytes", SCD_POINT_SYSCALL_OPEN, BYTES("\xa0\x80\x80\x80\x80\x00\x01"), SCD_PRINTED_DAMAGED,
	  NULL, NULL },
	{ "a number of eleven bytes", SCD_POINT_SYSCALL_OPEN, BYTES("\x20\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
	  SCD_PRINTED_DAMAGED, NULL, NULL },
	{ "the field number 0", SCD_POINT_SYSCALL_OPEN, BYTES("\x00\x01"), SCD_PRINTED_DAMAGED, NULL, NULL },
	{ "a wire type that there is not", SCD_POINT_SYSCALL_OPEN, BYTES("\x26\x01"), SCD_PRINTED_DAMAGED, NULL, NULL },
	{ "a group without its end", SCD_POINT_SYSCALL_OPEN, BYTES("\x9b\x06\x08\x01"), SCD_PRINTED_DAMAGED, NULL,
	  NULL },
	{ "a group with the end of another", SCD_POINT_SYSCALL_OPEN, BYTES("\x9b\x06\xa4\x06"), SCD_PRINTED_DAMAGED,
	  NULL, NULL },
	{ "an end without its group", SCD_POINT_SYSCALL_OPEN, BYTES("\x9c\x06"), SCD_PRINTED_DAMAGED, NULL, NULL },
};

static void test_print__says_what_it_cannot_write(void **state)
{
	struct scd_buf *line = *state;

	for (size_t i = 0; i < SCD_COUNT(odds); i++) {
		if (scd_print_text(odds[i].type, odds[i].payload, line) != (int)odds[i].printed || *line->data != '?' ||
		    (odds[i].text && strcmp(line->data, odds[i].text) != 0))
			fail_msg("%s: %s", odds[i].name, line->data);
		if (scd_print_json(odds[i].type, odds[i].payload, line) != (int)odds[i].printed ||
		    (odds[i].json && strcmp(line->data, odds[i].json) != 0))
			fail_msg("%s: %s", odds[i].name, line->data);
	}
}

/* Groups of the field 1 in each other, around nothing. */
static void put_groups(struct scd_buf *payload, unsigned depth)
{
	for (unsigned i = 0; i < depth; i++)
		scd_buf_append_char(payload, 0x5b);
	for (unsigned i = 0; i < depth; i++)
		scd_buf_append_char(payload, 0x5c);
}

static void test_print__follows_groups_as_deep_as_protobuf_does(void **state)
{
	struct scd_buf *line = *state, payload;

	scd_buf_init(&payload, 1024);
	put_groups(&payload, SCD_LIMIT_PRINT_DEPTH);
	assert_int_equal(scd_print_text(SCD_POINT_SYSCALL_FORK, scd_buf_str(&payload), line), SCD_PRINTED_MESSAGE);
	assert_int_equal(strncmp(line->data, "E Fork 11 {   11 {     11 { ", 28), 0);
	scd_buf_reset(&payload);
	put_groups(&payload, SCD_LIMIT_PRINT_DEPTH + 1);
	assert_int_equal(scd_print_text(SCD_POINT_SYSCALL_FORK, scd_buf_str(&payload), line), SCD_PRINTED_DAMAGED);
	scd_buf_done(&payload);
}

/* Texts in texts: ten levels are messages, what is inside the tenth is a text. */
static void test_text__guesses_ten_levels_deep(void **state)
{
	struct scd_buf *line = *state;
	char payload[64];
	size_t len = 0;

	for (unsigned left = 11; left > 0; left--) {
		payload[len++] = 0x62;
		payload[len++] = (char)(2 * left);
	}
	payload[len++] = 0x08;
	payload[len++] = 0x01;
	assert_int_equal(scd_print_text(SCD_POINT_SYSCALL_FORK, (struct scd_str){ payload, len }, line),
	                 SCD_PRINTED_MESSAGE);
	assert_non_null(strstr(line->data, " 12 {                   12 {                     12: \"\\010\\001\" "));
}

/* A hundred levels of indentation around a field of two bytes. */
static void test_print__is_bounded_by_the_cap_of_the_line(void **state)
{
	struct scd_buf payload, line;

	(void)state;
	scd_buf_init(&payload, 1u << 20);
	scd_buf_init(&line, 1u << 16);
	for (unsigned i = 0; i < 90; i++)
		scd_buf_append_char(&payload, 0x5b);
	for (unsigned i = 0; i < 1000; i++)
		scd_buf_append(&payload, "\x08\x01", 2);
	for (unsigned i = 0; i < 90; i++)
		scd_buf_append_char(&payload, 0x5c);
	assert_int_equal(scd_print_text(SCD_POINT_SYSCALL_FORK, scd_buf_str(&payload), &line), SCD_PRINTED_TOO_LARGE);
	assert_string_equal(line.data, "? type 29 (Fork), 2180 bytes: too large");
	scd_buf_done(&line);
	scd_buf_init(&line, 80);
	assert_int_equal(scd_print_json(SCD_POINT_SYSCALL_CHROOT, SCD_STR("\x22\x10/a/path/too/long"), &line),
	                 SCD_PRINTED_TOO_LARGE);
	assert_string_equal(line.data, "{\"error\":\"too large\",\"messageType\":21,\"payloadBytes\":18}");
	scd_buf_done(&line);
	scd_buf_init(&line, 10);
	assert_int_equal(scd_print_text(SCD_POINT_SYSCALL_FORK, scd_buf_str(&payload), &line), -ENOMEM);
	scd_buf_done(&line);
	scd_buf_done(&payload);
}

/* The largest message of a sandbox that wants to see us work: empty arguments, every one a line of its own. */
static void test_print__takes_the_largest_message(void **state)
{
	struct scd_buf *line = *state, payload;

	scd_buf_init(&payload, SCD_LIMIT_MESSAGE_BYTES);
	while (payload.len + 2 <= SCD_LIMIT_MESSAGE_BYTES)
		scd_buf_append(&payload, "\x1a\x00", 2);
	assert_int_equal(scd_print_text(SCD_POINT_SENTRY_EXEC, scd_buf_str(&payload), line), SCD_PRINTED_MESSAGE);
	assert_int_equal(line->len, strlen("ExecveInfo => ") + payload.len / 2 * strlen("argv: \"\" "));
	assert_int_equal(scd_print_json(SCD_POINT_SENTRY_EXEC, scd_buf_str(&payload), line), SCD_PRINTED_MESSAGE);
	scd_buf_done(&payload);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_print__writes_what_is_in_a_message),
		TEST(test_text__escapes_every_byte_as_c_does),
		TEST(test_text__begins_with_the_name_of_the_type),
		TEST(test_print__says_what_it_cannot_write),
		TEST(test_print__follows_groups_as_deep_as_protobuf_does),
		TEST(test_text__guesses_ten_levels_deep),
		TEST(test_print__is_bounded_by_the_cap_of_the_line),
		TEST(test_print__takes_the_largest_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
