/*
 * Descriptors as state remembers them, against what recorded messages say of them later: nearly all points can tell the
 * path behind their descriptor (fd_path), and it is the kernel's word.
 *
 * An open names a file as the program did, fd_path names it with all links resolved, so the two differ where a link is
 * on the way. Then the first one that is met is taken for the link's target, and every later one has to agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"
#include "seccheckd/state/sandbox.h"
#include "seccheckd/wire/frame.h"
#include "tests/support/trace.h"

#define OWN_TRACES    SCD_SOURCE_DIR "/tests/data/traces/"
#define SHARED_TRACES SCD_SOURCE_DIR "/../shared/traces/"

struct tally {
	size_t same;      /* the path that the message tells */
	size_t typed;     /* a pipe or a socket, which have no path before a message tells one */
	size_t linked;    /* the target of a link, as it was met before */
	size_t learned;   /* the target of a link, for the first time */
	size_t inherited; /* the container was started with it: nothing is known, as it should be */
	size_t unknown;   /* nothing is known */
	size_t wrong;
};

struct link {
	struct scd_str from, to;
};

static struct link links[1024];
static size_t link_count;
static struct scd_arena texts;

/* Where a path leads, by what was met before; learned when it was not. */
static struct scd_str target_of(struct scd_str path, struct scd_str told, bool *ret_learned)
{
	*ret_learned = false;
	for (size_t i = 0; i < link_count; i++)
		if (scd_str_eq(links[i].from, path))
			return links[i].to;
	assert_true(link_count < sizeof(links) / sizeof(links[0]));
	*ret_learned = true;
	links[link_count] = (struct link){ scd_arena_dup(&texts, path), scd_arena_dup(&texts, told) };
	return links[link_count++].to;
}

static bool is_socket_type(enum scd_fd_type type)
{
	return type == SCD_FD_IPV4 || type == SCD_FD_IPV6 || type == SCD_FD_UNIX || type == SCD_FD_NETLINK;
}

static bool is_typed(const struct scd_fd *fd, struct scd_str told)
{
	if (scd_str_starts_with(told, SCD_STR("socket:[")))
		return is_socket_type(fd->type);
	return fd->path.len == 0 && fd->type != SCD_FD_UNKNOWN && scd_fd_type_of_path(told) == fd->type;
}

/* A link that leads each process somewhere else. */
static bool is_own_folder(struct scd_str path, struct scd_str told, int32_t tgid)
{
	static const struct scd_str self = SCD_STR_INIT("/proc/self/");
	char text[256];
	if (!scd_str_starts_with(path, self))
		return false;
	snprintf(text, sizeof(text), "/proc/%d/" SCD_STR_FMT, tgid, (int)(path.len - self.len), path.data + self.len);
	return scd_str_is(told, text);
}

static size_t *verdict_on_path(struct tally *tally, struct scd_str path, struct scd_str told, int32_t tgid)
{
	bool learned;
	if (is_own_folder(path, told, tgid))
		return &tally->linked;
	if (!scd_str_eq(target_of(path, told, &learned), told))
		return &tally->wrong;
	return learned ? &tally->learned : &tally->linked;
}

static size_t *verdict(struct tally *tally, const struct scd_fd *fd, struct scd_str told, int32_t tgid)
{
	if (!fd)
		return scd_str_starts_with(told, SCD_STR("host:[")) ? &tally->inherited : &tally->unknown;
	if (scd_str_eq(fd->path, told))
		return &tally->same;
	if (is_typed(fd, told))
		return &tally->typed;
	if (fd->path.len == 0 || fd->path.data[0] != '/')
		return &tally->wrong;
	return verdict_on_path(tally, fd->path, told, tgid);
}

/* The message of a close that succeeded comes when the number is free again. */
static bool tells_path(const struct scd_event *event)
{
	bool closed = event->point == SCD_POINT_SYSCALL_CLOSE && event->has_exit;
	return !closed && event->fd >= 0 && scd_fd_told_path(event).len > 0;
}

static void look_and_feed(struct scd_sandbox *sandbox, const struct scd_event *event, struct tally *tally)
{
	int32_t tgid = event->context.thread_group_id;
	const struct scd_process *process = scd_sandbox_process(sandbox, scd_sandbox_find(sandbox, tgid));
	struct scd_process_ref ref;
	if (tells_path(event))
		(*verdict(tally, scd_sandbox_fd(sandbox, process, event->fd), scd_fd_told_path(event), tgid))++;
	assert_int_equal(scd_sandbox_apply(sandbox, event, &ref), 0);
	scd_sandbox_retire(sandbox, event, ref);
}

/* Every message of a trace, in order, as a process that starts with the container would see it. */
static void walk(struct trace *trace, struct tally *tally)
{
	struct scd_sandbox *sandbox = scd_sandbox_new(false);
	struct scd_arena scratch;
	assert_non_null(sandbox);
	scd_arena_init(&scratch, 65536, SCD_LIMIT_EVENT_ARENA_BYTES);
	for (size_t i = 0; i < trace->count; i++) {
		struct scd_frame frame;
		struct scd_event event;
		scd_arena_reset(&scratch);
		assert_int_equal(scd_frame_parse(trace->messages[i], &frame), 0);
		assert_int_equal(scd_decode_event(frame.message_type, frame.payload, 0, &scratch, &event), 0);
		look_and_feed(sandbox, &event, tally);
	}
	assert_false(scd_sandbox_tainted(sandbox));
	scd_sandbox_free(&sandbox);
	scd_arena_done(&scratch);
}

static void check_trace(const char *path)
{
	struct tally tally = { 0 };
	struct trace trace = trace_load(path);
	scd_arena_init(&texts, 65536, 1u << 24);
	link_count = 0;
	walk(&trace, &tally);
	trace_done(&trace);
	scd_arena_done(&texts);
	size_t agreed = tally.same + tally.typed + tally.linked + tally.learned;
	size_t all = agreed + tally.unknown + tally.wrong;
	print_message("%s: %zu of %zu agree (same %zu, typed %zu, by links %zu, %zu links); wrong %zu, unknown %zu, "
	              "inherited %zu\n",
	              strrchr(path, '/') + 1, agreed, all, tally.same, tally.typed, tally.linked + tally.learned,
	              link_count, tally.wrong, tally.unknown, tally.inherited);
	assert_true(all > 100);
	assert_int_equal(tally.wrong, 0);
	assert_true(agreed * 100 >= all * 99);
}

static void test_descriptors__agree_with_own_trace(void **state)
{
	(void)state;
	check_trace(OWN_TRACES "all-decoded-python");
}

static void test_descriptors__agree_with_shared_traces(void **state)
{
	(void)state;
	if (!trace_exists(SHARED_TRACES)) {
		print_message("skipped: there is no %s\n", SHARED_TRACES);
		skip();
	}
	check_trace(SHARED_TRACES "all-decoded-bash");
	check_trace(SHARED_TRACES "all-decoded-gcc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors__agree_with_own_trace),
		cmocka_unit_test(test_descriptors__agree_with_shared_traces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
