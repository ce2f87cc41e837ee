/*
 * What events leave behind in a sandbox's memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "seccheckd/state/sandbox.h"

#define CLONE_THREAD_FLAG 0x10000u
#define EPERM_VALUE       1

static int setup(void **state)
{
	*state = scd_sandbox_new(false);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct scd_sandbox *sandbox = *state;
	scd_sandbox_free(&sandbox);
	assert_null(sandbox);
	return 0;
}

/* Events. */

static struct scd_event event_of(enum scd_point point, int32_t tgid)
{
	struct scd_event event;
	memset(&event, 0, sizeof(event));
	event.point = point;
	event.kind = SCD_KIND_NONE;
	event.context.thread_id = event.context.thread_group_id = tgid;
	event.context.has = SCD_HAS_CONTEXT;
	return event;
}

static struct scd_process_ref apply(struct scd_sandbox *sandbox, const struct scd_event *event)
{
	struct scd_process_ref ref;
	assert_int_equal(scd_sandbox_apply(sandbox, event, &ref), 0);
	return ref;
}

/* Applies and retires: a whole event. */
static void feed(struct scd_sandbox *sandbox, const struct scd_event *event)
{
	scd_sandbox_retire(sandbox, event, apply(sandbox, event));
}

static void feed_exec(struct scd_sandbox *sandbox, int32_t tgid, const char *path, const struct scd_str *argv,
                      size_t argc)
{
	struct scd_event event = event_of(SCD_POINT_SENTRY_EXEC, tgid);
	event.u.exec.binary_path = scd_str_from(path);
	event.u.exec.argv = (struct scd_strings){ argv, argc };
	feed(sandbox, &event);
}

static void feed_clone(struct scd_sandbox *sandbox, int32_t parent, int32_t child, int64_t start_ns)
{
	struct scd_event event = event_of(SCD_POINT_SENTRY_CLONE, parent);
	event.u.clone_info.created_thread_id = event.u.clone_info.created_thread_group_id = child;
	event.u.clone_info.created_thread_start_time_ns = start_ns;
	feed(sandbox, &event);
}

static void feed_exit(struct scd_sandbox *sandbox, int32_t tgid, int32_t tid)
{
	struct scd_event event = event_of(SCD_POINT_SENTRY_TASK_EXIT, tgid);
	event.context.thread_id = tid;
	feed(sandbox, &event);
}

/* Any other message of a process with this name. */
static void feed_named(struct scd_sandbox *sandbox, int32_t tgid, const char *name)
{
	struct scd_event event = event_of(SCD_POINT_SYSCALL_CONNECT, tgid);
	event.context.process_name = scd_str_from(name);
	feed(sandbox, &event);
}

static const struct scd_process *live(struct scd_sandbox *sandbox, int32_t tgid)
{
	return scd_sandbox_process(sandbox, scd_sandbox_find(sandbox, tgid));
}

static void assert_text(struct scd_str actual, const char *expected)
{
	if (!scd_str_is(actual, expected))
		fail_msg("expected '%s', got '" SCD_STR_FMT "'", expected, SCD_STR_ARG(actual));
}

static const struct scd_str ls_argv[] = { SCD_STR_INIT("ls"), SCD_STR_INIT("-l") };

/* Exec. */

static void test_exec__sets_image_and_name(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 7, "/usr/bin/ls", ls_argv, 2);
	const struct scd_process *process = live(sandbox, 7);
	assert_non_null(process);
	assert_text(process->name, "ls");
	assert_text(process->image->exe_path, "/usr/bin/ls");
	assert_int_equal(process->image->args_count, 2);
	assert_memory_equal(process->image->args.data, "ls\0-l\0", 6);
	assert_int_equal(process->image->args.len, 6);
	assert_int_equal(process->image->origin, SCD_IMAGE_EXEC);
}

static void test_exec__context_is_of_before(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event event = event_of(SCD_POINT_SENTRY_EXEC, 7);
	event.context.process_name = SCD_STR("sh");
	event.context.cwd = SCD_STR("/root");
	event.u.exec.binary_path = SCD_STR("/opt/very-long-program-name");
	feed(sandbox, &event);
	assert_text(live(sandbox, 7)->name, "very-long-progr");
	assert_text(live(sandbox, 7)->cwd, "/root");
}

static void test_exec__execfn_names_the_process(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event event = event_of(SCD_POINT_SENTRY_EXEC, 7);
	event.u.exec.binary_path = SCD_STR("/usr/bin/busybox");
	event.u.exec.execfn = SCD_STR("./ash");
	feed(sandbox, &event);
	assert_text(live(sandbox, 7)->name, "ash");
	assert_text(live(sandbox, 7)->image->exe_path, "/usr/bin/busybox");
}

static struct scd_event exec_call(int32_t tgid, bool has_exit, int64_t errorno)
{
	struct scd_event event = event_of(SCD_POINT_SYSCALL_EXECVE, tgid);
	event.context.process_name = SCD_STR("sh");
	event.sysno = SCD_KIND_EXECVE;
	event.has_exit = has_exit;
	event.exit_errorno = errorno;
	return event;
}

static void test_exec__a_link_names_the_process(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event enter = exec_call(7, false, 0);
	enter.u.execve.pathname = SCD_STR("/opt/xmrig");
	feed(sandbox, &enter);
	feed_exec(sandbox, 7, "/usr/bin/busybox", ls_argv, 1);
	assert_text(live(sandbox, 7)->name, "xmrig");
	assert_text(live(sandbox, 7)->image->exe_path, "/usr/bin/busybox");
	feed_exec(sandbox, 7, "/usr/bin/busybox", ls_argv, 1); /* without an entry: nothing left over */
	assert_text(live(sandbox, 7)->name, "busybox");
}

static void test_exec__failed_call_changes_nothing(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event enter = exec_call(7, false, 0), failed = exec_call(7, true, EPERM_VALUE);
	feed_exec(sandbox, 7, "/bin/sh", ls_argv, 1);
	feed(sandbox, &enter);
	feed(sandbox, &failed);
	feed_named(sandbox, 7, "renamed"); /* prctl, not exec */
	assert_text(live(sandbox, 7)->image->exe_path, "/bin/sh");
	assert_false(live(sandbox, 7)->hidden_exec);
	assert_text(live(sandbox, 7)->name, "renamed");
}

static void test_exec__result_zero_that_fails_later_changes_nothing(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event enter = exec_call(7, false, 0), zero = exec_call(7, true, 0);
	feed_exec(sandbox, 7, "/bin/sh", ls_argv, 1);
	feed(sandbox, &enter);
	feed(sandbox, &zero);
	feed_named(sandbox, 7, "sh"); /* still the shell: the image could not be loaded */
	assert_text(live(sandbox, 7)->image->exe_path, "/bin/sh");
	assert_false(live(sandbox, 7)->hidden_exec);
}

static void test_exec__hidden_one_voids_the_image(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event enter = exec_call(7, false, 0), zero = exec_call(7, true, 0);
	feed_exec(sandbox, 7, "/bin/sh", ls_argv, 1);
	feed(sandbox, &enter);
	feed(sandbox, &zero);
	feed_named(sandbox, 7, "other"); /* the sink lost the sentry/execve */
	assert_true(live(sandbox, 7)->hidden_exec);
	assert_int_equal(live(sandbox, 7)->image->exe_path.len, 0);
	assert_int_equal(live(sandbox, 7)->image->origin, SCD_IMAGE_UNKNOWN);
	feed_exec(sandbox, 7, "/bin/ls", ls_argv, 1);
	assert_false(live(sandbox, 7)->hidden_exec);
}

static void test_exec__seen_one_is_not_hidden(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event enter = exec_call(7, false, 0), zero = exec_call(7, true, 0);
	feed_exec(sandbox, 7, "/bin/sh", ls_argv, 1);
	feed(sandbox, &enter);
	feed_exec(sandbox, 7, "/bin/ls", ls_argv, 1);
	feed(sandbox, &zero); /* its context still says "sh" */
	feed_named(sandbox, 7, "ls");
	assert_false(live(sandbox, 7)->hidden_exec);
	assert_text(live(sandbox, 7)->name, "ls");
	assert_text(live(sandbox, 7)->image->exe_path, "/bin/ls");
}

static void test_exec__without_any_id_lives_for_its_event(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event event = event_of(SCD_POINT_SENTRY_EXEC, 0);
	event.u.exec.binary_path = SCD_STR("/bin/ls");
	struct scd_process_ref ref = apply(sandbox, &event);
	assert_non_null(scd_sandbox_process(sandbox, ref));
	scd_sandbox_retire(sandbox, &event, ref);
	assert_null(scd_sandbox_process(sandbox, ref));
	assert_int_equal(scd_sandbox_process_count(sandbox), 0);
}

static void test_exec__keeps_head_and_tail_of_long_arguments(void **state)
{
	struct scd_sandbox *sandbox = *state;
	size_t len = 3 * SCD_LIMIT_PROCESS_ARGS_BYTES;
	char *padding = malloc(len);
	assert_non_null(padding);
	memset(padding, 'x', len);
	struct scd_str argv[] = { SCD_STR("xmrig"), { padding, len }, SCD_STR("-o"), SCD_STR("pool:3333") };
	feed_exec(sandbox, 7, "/tmp/a", argv, 4);
	const struct scd_image *image = live(sandbox, 7)->image;
	assert_true(image->args_cut);
	assert_int_equal(image->args.len, SCD_LIMIT_PROCESS_ARGS_BYTES / 2 + 13); /* the padding's tail is dropped */
	assert_memory_equal(image->args.data, "xmrig\0xx", 8);
	assert_memory_equal(image->args.data + image->args.len - 13, "-o\0pool:3333", 13);
	assert_int_equal(image->args.data[SCD_LIMIT_PROCESS_ARGS_BYTES / 2 - 1], '\0');
	assert_int_equal(scd_sandbox_counters(sandbox)->strings_cut, 1);
	free(padding);
}

/* Witnesses. */

static struct scd_event raw_exit(int32_t tid, uint64_t sysno, int64_t errorno)
{
	struct scd_event event = event_of(SCD_POINT_SYSCALL_RAW, tid);
	event.sysno = sysno;
	event.has_exit = true;
	event.exit_errorno = errorno;
	return event;
}

/* Feeds an event as the pipeline does; whether it showed a hidden call. */
static bool feed_watched(struct scd_sandbox *sandbox, const struct scd_event *event, struct scd_event *ret_hidden)
{
	bool shown = scd_sandbox_witness(sandbox, event);
	while (scd_sandbox_take_hidden(sandbox, ret_hidden))
		feed(sandbox, ret_hidden);
	feed(sandbox, event);
	return shown;
}

static void test_witness__with_its_sibling_shows_nothing(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event hidden, raw = raw_exit(7, SCD_KIND_CONNECT, 0), raw_exec = raw_exit(7, SCD_KIND_EXECVE, 0);
	struct scd_event connect = event_of(SCD_POINT_SYSCALL_CONNECT, 7), exec = exec_call(7, true, 0);
	struct scd_event other = event_of(SCD_POINT_SYSCALL_OPEN, 8), image = event_of(SCD_POINT_SENTRY_EXEC, 7);
	connect.has_exit = true;
	for (int i = 0; i < 3; i++) {
		assert_false(feed_watched(sandbox, &raw, &hidden));
		assert_false(feed_watched(sandbox, &other, &hidden)); /* another thread's message may come between */
		assert_false(feed_watched(sandbox, &connect, &hidden));
		assert_false(feed_watched(sandbox, &image, &hidden));
		assert_false(feed_watched(sandbox, &raw_exec, &hidden));
		assert_false(feed_watched(sandbox, &exec, &hidden));
	}
}

static void test_witness__without_its_sibling_is_a_hidden_call(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event hidden, raw = raw_exit(7, SCD_KIND_EXECVE, 0), next = event_of(SCD_POINT_SYSCALL_OPEN, 7);
	raw.sequence = 42;
	feed_exec(sandbox, 7, "/bin/sh", ls_argv, 1);
	struct scd_event seen = exec_call(7, true, 0);
	assert_false(feed_watched(sandbox, &seen, &hidden));
	assert_false(feed_watched(sandbox, &raw, &hidden));
	assert_true(feed_watched(sandbox, &next, &hidden));
	assert_int_equal(hidden.kind, SCD_KIND_HIDDEN);
	assert_int_equal(hidden.sysno, SCD_KIND_EXECVE);
	assert_int_equal(hidden.sequence, 42);
	assert_true(live(sandbox, 7)->hidden_exec);
	assert_int_equal(live(sandbox, 7)->image->exe_path.len, 0);
	assert_int_equal(scd_sandbox_counters(sandbox)->calls_hidden, 1);
}

static void test_witness__of_a_failed_exec_keeps_the_image(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event hidden, raw = raw_exit(7, SCD_KIND_EXECVE, 2), seen = exec_call(7, true, 2);
	feed_exec(sandbox, 7, "/bin/sh", ls_argv, 1);
	assert_false(feed_watched(sandbox, &seen, &hidden));
	assert_false(feed_watched(sandbox, &raw, &hidden));
	assert_true(feed_watched(sandbox, &raw, &hidden));
	assert_text(live(sandbox, 7)->image->exe_path, "/bin/sh");
}

/* Whoever never lets a sibling be told would be hidden for ever. */
static void test_witness__is_judged_although_no_sibling_was_ever_seen(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event hidden, raw = raw_exit(7, SCD_KIND_CONNECT, 0), next = event_of(SCD_POINT_SYSCALL_OPEN, 7);
	assert_false(feed_watched(sandbox, &raw, &hidden));
	assert_true(feed_watched(sandbox, &next, &hidden));
}

static void test_witness__of_more_threads_than_are_remembered_is_told(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event hidden;
	for (int32_t tid = 1; tid < 1000; tid++) {
		struct scd_event raw = raw_exit(tid, SCD_KIND_CONNECT, 0);
		feed_watched(sandbox, &raw, &hidden);
	}
	assert_true(scd_sandbox_end(sandbox));
	while (scd_sandbox_take_hidden(sandbox, &hidden))
		feed(sandbox, &hidden);
	assert_int_equal(scd_sandbox_counters(sandbox)->calls_hidden, 999);
}

/* A call that is found late, when its process's id has come back: the one that has it now is left alone. */
static void test_witness__of_a_process_that_is_gone_changes_no_other(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event raw = raw_exit(5, SCD_KIND_EXECVE, 0), hidden, other;
	struct scd_process_ref ref;
	raw.context.thread_group_start_time_ns = 100;
	assert_false(feed_watched(sandbox, &raw, &hidden));
	other = event_of(SCD_POINT_SENTRY_EXEC, 5);
	other.context.thread_id = 77; /* no message of the thread that waits */
	other.context.thread_group_start_time_ns = 200;
	other.u.exec.binary_path = SCD_STR("/bin/ls");
	assert_false(feed_watched(sandbox, &other, &hidden));
	assert_true(scd_sandbox_end(sandbox));
	assert_true(scd_sandbox_take_hidden(sandbox, &hidden));
	assert_int_equal(scd_sandbox_apply(sandbox, &hidden, &ref), 0);
	assert_null(scd_sandbox_process(sandbox, ref));
	assert_false(live(sandbox, 5)->hidden_exec);
	assert_text(live(sandbox, 5)->image->exe_path, "/bin/ls");
}

/* Clone and lineage. */

static void test_clone__child_is_its_parents_copy(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 1, "/bin/sh", ls_argv, 1);
	feed_clone(sandbox, 1, 2, 500);
	const struct scd_process *child = live(sandbox, 2);
	assert_text(child->image->exe_path, "/bin/sh");
	assert_text(child->name, "sh");
	assert_int_equal(child->start_time_ns, 500);
	assert_int_equal(scd_sandbox_process(sandbox, child->parent)->tgid, 1);
	feed_exec(sandbox, 2, "/bin/ls", ls_argv, 1);
	assert_text(live(sandbox, 1)->image->exe_path, "/bin/sh");
}

static void test_clone__thread_is_no_process(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event event = event_of(SCD_POINT_SENTRY_CLONE, 1);
	event.u.clone_info.created_thread_id = 2;
	event.u.clone_info.created_thread_group_id = 1;
	event.u.clone_info.flags = CLONE_THREAD_FLAG;
	feed(sandbox, &event);
	assert_int_equal(scd_sandbox_process_count(sandbox), 1);
	assert_int_equal(live(sandbox, 1)->thread_count, 2);
	feed_exit(sandbox, 1, 2);
	assert_non_null(live(sandbox, 1));
	feed_exit(sandbox, 1, 1);
	assert_null(live(sandbox, 1));
}

static void add_thread(struct scd_sandbox *sandbox, int32_t tgid, int32_t tid)
{
	struct scd_event event = event_of(SCD_POINT_SENTRY_CLONE, tgid);
	event.u.clone_info.created_thread_id = tid;
	event.u.clone_info.created_thread_group_id = tgid;
	event.u.clone_info.flags = CLONE_THREAD_FLAG;
	feed(sandbox, &event);
}

/* gVisor tells the exec first, and then the ends of the threads that it killed. */
static void test_exec__of_a_process_with_threads_is_not_its_end(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 1, "/bin/dropper", ls_argv, 1);
	for (int32_t tid = 2; tid < 5; tid++)
		add_thread(sandbox, 1, tid);
	feed_exec(sandbox, 1, "/dev/shm/miner", ls_argv, 1);
	for (int32_t tid = 2; tid < 5; tid++)
		feed_exit(sandbox, 1, tid);
	assert_non_null(live(sandbox, 1));
	assert_text(live(sandbox, 1)->image->exe_path, "/dev/shm/miner");
	feed_exit(sandbox, 1, 1);
	assert_null(live(sandbox, 1));
}

/* The thread that execs takes over the id of the first, whose end is told under that id. */
static void test_exec__by_another_thread_is_not_its_end(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 1, "/bin/dropper", ls_argv, 1);
	add_thread(sandbox, 1, 2);
	feed_exec(sandbox, 1, "/dev/shm/miner", ls_argv, 1);
	feed_exit(sandbox, 1, 1);
	assert_text(live(sandbox, 1)->image->exe_path, "/dev/shm/miner");
}

static void test_exit__of_a_thread_never_met_is_not_the_process(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 1, "/bin/x", ls_argv, 1);
	feed_exit(sandbox, 1, 7);
	assert_non_null(live(sandbox, 1));
}

static void test_clone__child_seen_first_is_adopted(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 1, "/bin/sh", ls_argv, 1);
	feed_named(sandbox, 2, "sh");
	feed_clone(sandbox, 1, 2, 500);
	assert_int_equal(scd_sandbox_process(sandbox, live(sandbox, 2)->parent)->tgid, 1);
	assert_text(live(sandbox, 2)->image->exe_path, "/bin/sh");
	assert_int_equal(scd_sandbox_counters(sandbox)->pid_reused, 0);
}

static void test_lineage__survives_the_parents_exit(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 1, "/sbin/init", ls_argv, 1);
	feed_clone(sandbox, 1, 2, 10);
	feed_exec(sandbox, 2, "/tmp/dropper", ls_argv, 1);
	feed_clone(sandbox, 2, 3, 20);
	feed_exit(sandbox, 2, 2);
	assert_null(live(sandbox, 2));
	const struct scd_process *parent = scd_sandbox_process(sandbox, live(sandbox, 3)->parent);
	assert_non_null(parent);
	assert_true(parent->exited);
	assert_text(parent->image->exe_path, "/tmp/dropper");
	assert_int_equal(scd_sandbox_process(sandbox, parent->parent)->tgid, 1);
	feed_exit(sandbox, 3, 3);
	assert_int_equal(scd_sandbox_process_count(sandbox), 1); /* the dropper went with its last child */
}

static void test_lineage__parent_from_the_message(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 1, "/bin/sh", ls_argv, 1);
	struct scd_event event = event_of(SCD_POINT_SYSCALL_CONNECT, 5);
	event.context.has |= SCD_HAS_PARENT;
	event.context.parent_thread_group_id = 1;
	feed(sandbox, &event);
	assert_int_equal(scd_sandbox_process(sandbox, live(sandbox, 5)->parent)->tgid, 1);
	assert_int_equal(live(sandbox, 5)->parent_tgid, 1);
}

/* Identity. */

static void test_identity__other_start_time_is_another_process(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event first = event_of(SCD_POINT_SYSCALL_CONNECT, 7), second = first;
	first.context.thread_group_start_time_ns = 100;
	second.context.thread_group_start_time_ns = 200;
	feed_exec(sandbox, 7, "/bin/old", ls_argv, 1);
	struct scd_process_ref old = apply(sandbox, &first);
	struct scd_process_ref fresh = apply(sandbox, &second);
	assert_null(scd_sandbox_process(sandbox, old));
	assert_int_equal(scd_sandbox_process(sandbox, fresh)->image->origin, SCD_IMAGE_UNKNOWN);
	assert_int_equal(scd_sandbox_counters(sandbox)->pid_reused, 1);
}

static void test_identity__clone_of_a_live_id_replaces_it(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 1, "/bin/sh", ls_argv, 1);
	feed_exec(sandbox, 2, "/bin/old", ls_argv, 1);
	feed_clone(sandbox, 1, 2, 300);
	assert_text(live(sandbox, 2)->image->exe_path, "/bin/sh");
	assert_int_equal(scd_sandbox_counters(sandbox)->pid_reused, 1);
}

static void test_identity__exit_notify_ends_the_process(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 7, "/bin/sh", ls_argv, 1);
	struct scd_event event = event_of(SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT, 7);
	struct scd_process_ref ref = apply(sandbox, &event);
	assert_non_null(scd_sandbox_process(sandbox, ref)); /* rules still see it */
	scd_sandbox_retire(sandbox, &event, ref);
	assert_null(live(sandbox, 7));
}

static void test_identity__thread_id_alone_is_taken_as_the_process(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event event = event_of(SCD_POINT_SYSCALL_CONNECT, 0);
	event.context.thread_id = 9;
	apply(sandbox, &event);
	assert_non_null(live(sandbox, 9));
}

static void test_context__another_threads_name_is_not_the_processs(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 7, "/usr/bin/node", ls_argv, 1);
	struct scd_event event = event_of(SCD_POINT_SYSCALL_CONNECT, 7);
	event.context.thread_id = 8;
	event.context.process_name = SCD_STR("worker");
	feed(sandbox, &event);
	assert_text(live(sandbox, 7)->name, "node");
}

static void test_context__credentials_are_kept_from_the_last_that_had_some(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event event = event_of(SCD_POINT_SYSCALL_CONNECT, 7);
	event.context.has |= SCD_HAS_CREDENTIALS;
	event.context.credentials.effective_uid = 1000;
	feed(sandbox, &event);
	feed_named(sandbox, 7, "x");
	assert_true(live(sandbox, 7)->has_credentials);
	assert_int_equal(live(sandbox, 7)->credentials.effective_uid, 1000);
}

/* Containers. */

static void feed_start(struct scd_sandbox *sandbox, const char *id, int32_t tgid, const char *arg0)
{
	struct scd_event event = event_of(SCD_POINT_CONTAINER_START, tgid);
	struct scd_str args[] = { scd_str_from(arg0), SCD_STR("-c") };
	event.context.time_ns = 1000 + tgid;
	event.u.start.id = scd_str_from(id);
	event.u.start.cwd = SCD_STR("/work");
	event.u.start.args = (struct scd_strings){ args, 2 };
	feed(sandbox, &event);
}

static void test_container__start_makes_container_and_first_process(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_start(sandbox, "abc", 1, "/bin/sh");
	const struct scd_container *container = scd_sandbox_container(sandbox, SCD_STR("abc"));
	assert_non_null(container);
	assert_int_equal(container->start_ns, 1001);
	assert_int_equal(container->init_tgid, 1);
	assert_text(live(sandbox, 1)->image->exe_path, "/bin/sh");
	assert_text(live(sandbox, 1)->name, "sh");
	assert_text(live(sandbox, 1)->container_id, "abc");
	assert_text(live(sandbox, 1)->cwd, "/work");
	assert_text(scd_sandbox_claimed_id(sandbox), "abc");
}

static void test_container__relative_program_has_no_path(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_start(sandbox, "abc", 1, "sh");
	assert_int_equal(live(sandbox, 1)->image->exe_path.len, 0);
	assert_text(live(sandbox, 1)->name, "sh");
}

static void test_container__several_in_one_sandbox(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_start(sandbox, "pause", 1, "/pause");
	feed_start(sandbox, "app", 2, "/app");
	assert_int_equal(scd_sandbox_container(sandbox, SCD_STR("app"))->init_tgid, 2);
	assert_text(scd_sandbox_claimed_id(sandbox), "pause");
	assert_null(scd_sandbox_container(sandbox, SCD_STR("")));
}

static void test_container__number_is_bounded(void **state)
{
	struct scd_sandbox *sandbox = *state;
	char id[32];
	for (unsigned i = 0; i < SCD_LIMIT_SANDBOX_CONTAINERS + 10; i++) {
		struct scd_event event = event_of(SCD_POINT_SYSCALL_CONNECT, 1);
		snprintf(id, sizeof(id), "container-%u", i);
		event.context.container_id = scd_str_from(id);
		feed(sandbox, &event);
	}
	assert_int_equal(scd_sandbox_counters(sandbox)->containers_refused, 10);
	assert_non_null(scd_sandbox_container(sandbox, SCD_STR("container-0")));
}

/* Bounds. */

static void test_bounds__processes_are_evicted_and_taint(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 1, "/sbin/init", ls_argv, 1);
	for (int32_t i = 2; i < (int32_t)SCD_LIMIT_SANDBOX_PROCESSES + 100; i++)
		feed_named(sandbox, i, "p");
	assert_int_equal(scd_sandbox_process_count(sandbox), SCD_LIMIT_SANDBOX_PROCESSES);
	assert_true(scd_sandbox_tainted(sandbox));
	assert_int_equal(scd_sandbox_counters(sandbox)->processes_evicted, 99);
	assert_null(live(sandbox, 1)); /* the least recently used */
}

static void test_bounds__a_chain_of_daemons_does_not_grow_without_end(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_exec(sandbox, 1, "/bin/sh", ls_argv, 1);
	for (int32_t i = 1; i < 3 * (int32_t)SCD_LIMIT_SANDBOX_PROCESSES; i++) {
		feed_clone(sandbox, i, i + 1, i);
		feed_exit(sandbox, i, i);
	}
	assert_true(scd_sandbox_process_count(sandbox) <= SCD_LIMIT_SANDBOX_PROCESSES);
	assert_non_null(live(sandbox, 3 * (int32_t)SCD_LIMIT_SANDBOX_PROCESSES));
}

static void test_bounds__strings_are_bounded(void **state)
{
	struct scd_sandbox *sandbox = *state;
	size_t len = 1 << 20;
	char *cwd = malloc(len);
	assert_non_null(cwd);
	for (int32_t i = 1; i < 100; i++) {
		struct scd_event event = event_of(SCD_POINT_SYSCALL_CONNECT, i);
		memset(cwd, 'a' + i % 26, len);
		event.context.cwd = (struct scd_str){ cwd, len };
		feed(sandbox, &event);
	}
	assert_true(scd_sandbox_memory_bytes(sandbox) < 99 * 2 * SCD_LIMIT_PROCESS_PATH_BYTES);
	assert_int_equal(live(sandbox, 99)->cwd.len, SCD_LIMIT_PROCESS_PATH_BYTES);
	assert_int_equal(scd_sandbox_counters(sandbox)->strings_cut, 99);
	free(cwd);
}

static void test_bounds__arguments_of_many_processes_are_bounded(void **state)
{
	struct scd_sandbox *sandbox = *state;
	size_t len = SCD_LIMIT_PROCESS_ARGS_BYTES;
	char *text = malloc(len);
	assert_non_null(text);
	memset(text, 'x', len);
	struct scd_str argv[] = { { text, len } };
	for (int32_t i = 1; i < 6000; i++)
		feed_exec(sandbox, i, "/bin/x", argv, 1);
	assert_true(scd_sandbox_memory_bytes(sandbox) < SCD_LIMIT_SANDBOX_STRING_BYTES + (4 << 20));
	assert_true(scd_sandbox_tainted(sandbox));
	assert_int_equal(live(sandbox, 5999)->image->args.len, SCD_LIMIT_PROCESS_ARGS_BYTES / 2);
	assert_text(live(sandbox, 1)->image->exe_path, "/bin/x"); /* arguments go first */
	assert_int_equal(live(sandbox, 1)->image->args.len, 0);
	assert_true(live(sandbox, 1)->image->args_cut);
	assert_true(scd_sandbox_counters(sandbox)->arguments_dropped > 0);
	assert_int_equal(scd_sandbox_counters(sandbox)->processes_evicted, 0);
	free(text);
}

static void test_bounds__container_ids_are_bounded_and_a_cut_one_taints(void **state)
{
	struct scd_sandbox *sandbox = *state;
	size_t len = 1 << 20;
	char *id = malloc(len);
	assert_non_null(id);
	for (int i = 0; i < 100; i++) {
		struct scd_event event = event_of(SCD_POINT_SYSCALL_CONNECT, 1);
		memset(id, 'a' + i % 26, len);
		event.context.container_id = (struct scd_str){ id, len };
		feed(sandbox, &event);
	}
	assert_int_equal(scd_sandbox_claimed_id(sandbox).len, SCD_LIMIT_CONTAINER_ID_BYTES);
	assert_true(scd_sandbox_memory_bytes(sandbox) < (1 << 20));
	assert_true(scd_sandbox_tainted(sandbox));
	free(id);
}

/* What is remembered must not depend on which rules are loaded, so only the points of scd_sandbox_needs change it. */
static void test_needs__another_point_changes_nothing(void **state)
{
	struct scd_sandbox *sandbox = *state;
	struct scd_event event = event_of(SCD_POINT_SYSCALL_READ, 7);
	event.context.process_name = SCD_STR("x");
	event.context.time_ns = 5;
	event.context.container_id = SCD_STR("c");
	struct scd_process_ref ref = apply(sandbox, &event);
	assert_null(scd_sandbox_process(sandbox, ref));
	assert_int_equal(scd_sandbox_process_count(sandbox), 0);
	assert_int_equal(scd_sandbox_time_ns(sandbox), 0);
	assert_int_equal(scd_sandbox_claimed_id(sandbox).len, 0);
	feed_exec(sandbox, 7, "/bin/ls", ls_argv, 1);
	assert_text(scd_sandbox_process(sandbox, apply(sandbox, &event))->name, "ls");
}

static void test_bounds__an_idle_sandbox_is_small(void **state)
{
	struct scd_sandbox *sandbox = *state;
	feed_start(sandbox, "abc", 1, "/bin/sh");
	assert_true(scd_sandbox_memory_bytes(sandbox) < 16384);
}

/* Time. */

static void test_time__latest_and_first(void **state)
{
	struct scd_sandbox *sandbox = *state;
	int64_t times[] = { 0, 50, 40, 0, 60 };
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct scd_event event = event_of(SCD_POINT_SYSCALL_CONNECT, 1);
		event.context.time_ns = times[i];
		feed(sandbox, &event);
	}
	assert_int_equal(scd_sandbox_time_ns(sandbox), 60);
	assert_int_equal(scd_sandbox_first_time_ns(sandbox), 50);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_exec__sets_image_and_name),
		TEST(test_exec__context_is_of_before),
		TEST(test_exec__execfn_names_the_process),
		TEST(test_exec__a_link_names_the_process),
		TEST(test_exec__failed_call_changes_nothing),
		TEST(test_exec__result_zero_that_fails_later_changes_nothing),
		TEST(test_exec__hidden_one_voids_the_image),
		TEST(test_exec__seen_one_is_not_hidden),
		TEST(test_exec__without_any_id_lives_for_its_event),
		TEST(test_exec__keeps_head_and_tail_of_long_arguments),
		TEST(test_witness__with_its_sibling_shows_nothing),
		TEST(test_witness__without_its_sibling_is_a_hidden_call),
		TEST(test_witness__of_a_failed_exec_keeps_the_image),
		TEST(test_witness__is_judged_although_no_sibling_was_ever_seen),
		TEST(test_witness__of_more_threads_than_are_remembered_is_told),
		TEST(test_witness__of_a_process_that_is_gone_changes_no_other),
		TEST(test_clone__child_is_its_parents_copy),
		TEST(test_clone__thread_is_no_process),
		TEST(test_exec__of_a_process_with_threads_is_not_its_end),
		TEST(test_exec__by_another_thread_is_not_its_end),
		TEST(test_exit__of_a_thread_never_met_is_not_the_process),
		TEST(test_clone__child_seen_first_is_adopted),
		TEST(test_lineage__survives_the_parents_exit),
		TEST(test_lineage__parent_from_the_message),
		TEST(test_identity__other_start_time_is_another_process),
		TEST(test_identity__clone_of_a_live_id_replaces_it),
		TEST(test_identity__exit_notify_ends_the_process),
		TEST(test_identity__thread_id_alone_is_taken_as_the_process),
		TEST(test_context__another_threads_name_is_not_the_processs),
		TEST(test_context__credentials_are_kept_from_the_last_that_had_some),
		TEST(test_container__start_makes_container_and_first_process),
		TEST(test_container__relative_program_has_no_path),
		TEST(test_container__several_in_one_sandbox),
		TEST(test_container__number_is_bounded),
		TEST(test_bounds__processes_are_evicted_and_taint),
		TEST(test_bounds__a_chain_of_daemons_does_not_grow_without_end),
		TEST(test_bounds__strings_are_bounded),
		TEST(test_bounds__arguments_of_many_processes_are_bounded),
		TEST(test_bounds__container_ids_are_bounded_and_a_cut_one_taints),
		TEST(test_needs__another_point_changes_nothing),
		TEST(test_bounds__an_idle_sandbox_is_small),
		TEST(test_time__latest_and_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
