/*
 * Descriptors over long streams of events: random ones against a model that copies whole tables, and hostile ones
 * against the bounds.
 */
#include "fd_world.h"

#include <stdlib.h>

#include "tests/support/rng.h"

/* The model: processes 1 to PIDS, descriptors 0 to FDS - 1, and open files that are never freed. */

#define PIDS  8
#define FDS   40
#define FILES 20000

struct file {
	char text[64]; /* as `check` expects it; without what is the descriptor's own */
	bool connected, is_socket;
};

struct slot {
	struct file *file;
	bool cloexec;
};

struct table {
	struct slot slots[FDS];
	unsigned refs;
};

struct model {
	struct table *tables[PIDS + 1]; /* by process id; NULL: there is no such process */
	struct file files[FILES];
	size_t file_count;
	struct scd_rng *rng;
};

static struct model model;

static size_t below(size_t bound)
{
	return scd_rng_below(model.rng, bound);
}

static void release(int32_t pid)
{
	if (model.tables[pid] && --model.tables[pid]->refs == 0)
		free(model.tables[pid]);
	model.tables[pid] = NULL;
}

static struct table *copy_of(const struct table *table)
{
	struct table *copy = calloc(1, sizeof(*copy));
	assert_non_null(copy);
	if (table)
		memcpy(copy, table, sizeof(*copy));
	copy->refs = 1;
	return copy;
}

static struct file *new_file(const char *text)
{
	struct file *file = &model.files[model.file_count++];
	assert_true(model.file_count <= FILES);
	snprintf(file->text, sizeof(file->text), "%s", text);
	return file;
}

static void set(int32_t pid, size_t number, struct file *file, bool cloexec)
{
	model.tables[pid]->slots[number] = (struct slot){ file, cloexec };
}

/* Steps: each feeds an event and does the same to the model. Sometimes the call fails, and does nothing. */

static bool fails(void)
{
	return below(8) == 0;
}

static void feed_or_fail(struct scd_event event, int32_t pid, bool fail)
{
	feed(by(fail ? failed(event, EINTR) : event, pid));
}

static void step_open(int32_t pid)
{
	char path[32], text[64];
	size_t number = below(FDS);
	bool fail = fails(), cloexec = below(2), writing = below(2);
	snprintf(path, sizeof(path), "/f%zu", below(1000));
	snprintf(text, sizeof(text), "file %s%s", path, writing ? " writing" : "");
	feed_or_fail(open_call((int64_t)number, path, (cloexec ? CLOEXEC : 0) | writing), pid, fail);
	if (!fail)
		set(pid, number, new_file(text), cloexec);
}

static void step_close(int32_t pid)
{
	size_t number = below(FDS);
	bool fail = fails();
	feed_or_fail(close_call((int64_t)number), pid, fail);
	if (!fail)
		set(pid, number, NULL, false);
}

static void step_dup(int32_t pid)
{
	size_t from = below(FDS), to = below(FDS);
	bool fail = fails(), by_fcntl = below(2), cloexec = below(2);
	struct scd_event event = by_fcntl ? fcntl_call((int64_t)from, cloexec ? 1030 : 0, 0, (int64_t)to)
	                                  : dup_call((int64_t)from, (int64_t)to, cloexec ? CLOEXEC : 0);
	feed_or_fail(event, pid, fail);
	if (!fail && from != to)
		set(pid, to, model.tables[pid]->slots[from].file, cloexec);
}

static void step_flag(int32_t pid)
{
	size_t number = below(FDS);
	bool fail = fails(), cloexec = below(2);
	feed_or_fail(fcntl_call((int64_t)number, 2, cloexec, 0), pid, fail);
	if (!fail)
		model.tables[pid]->slots[number].cloexec = cloexec;
}

static void step_socket(int32_t pid)
{
	size_t number = below(FDS);
	bool fail = fails(), cloexec = below(2);
	feed_or_fail(socket_call((int64_t)number, AF_INET, SOCK_STREAM | (cloexec ? SOCK_CLOEXEC : 0)), pid, fail);
	if (fail)
		return;
	set(pid, number, new_file("ipv4 (2,1,0)"), cloexec);
	model.tables[pid]->slots[number].file->is_socket = true;
}

/* Of known sockets only: of anything else it makes a socket whose flag is not known. */
static void step_connect(int32_t pid)
{
	static const struct scd_str address = SCD_STR_INIT("\2\0\0\120\12\0\0\1\0\0\0\0\0\0\0\0");
	size_t number = below(FDS);
	struct file *file = model.tables[pid]->slots[number].file;
	bool fail = fails();
	if (!file || !file->is_socket)
		return;
	feed_or_fail(address_call(SCD_POINT_SYSCALL_CONNECT, (int64_t)number, address), pid, fail);
	if (!fail)
		snprintf(file->text, sizeof(file->text), "ipv4 client remote 10.0.0.1:80 (2,1,0) connected");
}

static void step_pipe(int32_t pid)
{
	struct scd_event event = call_of(SCD_POINT_SYSCALL_PIPE, 0);
	size_t reader = below(FDS - 1), writer = reader + 1 + below(FDS - 1 - reader);
	bool fail = fails(), cloexec = below(2);
	event.u.pipe.reader = (int32_t)reader;
	event.u.pipe.writer = (int32_t)writer;
	event.u.pipe.flags = cloexec ? CLOEXEC : 0;
	feed_or_fail(event, pid, fail);
	if (fail)
		return;
	set(pid, reader, new_file("pipe"), cloexec);
	set(pid, writer, new_file("pipe writing"), cloexec);
}

static void step_close_range(int32_t pid)
{
	size_t first = below(FDS), last = first + below(FDS - first);
	bool fail = fails(), marks = below(2);
	feed_or_fail(raw_call(436, 0, first, last, marks ? 4 : 0), pid, fail);
	for (size_t number = first; !fail && number <= last; number++)
		if (marks)
			model.tables[pid]->slots[number].cloexec = true;
		else
			set(pid, number, NULL, false);
}

static void step_unshare(int32_t pid)
{
	struct table *copy = copy_of(model.tables[pid]);
	feed(by(raw_call(272, 0, CLONE_FILES_FLAG, 0, 0), pid));
	release(pid);
	model.tables[pid] = copy;
}

static void step_clone(int32_t pid)
{
	int32_t child = 1 + (int32_t)below(PIDS);
	bool shares = below(4) == 0;
	if (child == pid || model.tables[child])
		return;
	feed(clone_call(pid, child, shares ? CLONE_FILES_FLAG : 0));
	model.tables[child] = shares ? model.tables[pid] : copy_of(model.tables[pid]);
	model.tables[child]->refs = shares ? model.tables[child]->refs + 1 : 1;
}

static void step_exec(int32_t pid)
{
	struct table *copy = copy_of(model.tables[pid]);
	feed(exec_call(pid));
	release(pid);
	model.tables[pid] = copy;
	for (size_t number = 0; number < FDS; number++)
		if (copy->slots[number].cloexec)
			copy->slots[number].file = NULL;
}

static void step_exit(int32_t pid)
{
	feed(event_of(SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT, pid));
	release(pid);
}

static void step(void)
{
	typedef void step_fn(int32_t pid);
	static step_fn *const steps[] = {
		step_open, step_open,   step_open,    step_close,   step_close,       step_dup,     step_dup,
		step_flag, step_socket, step_connect, step_connect, step_pipe,        step_clone,   step_exec,
		step_exit, step_clone,  step_clone,   step_clone,   step_close_range, step_unshare,
	};
	int32_t pid = 1 + (int32_t)below(PIDS);
	if (model.tables[pid]) {
		steps[below(SCD_COUNT(steps))](pid);
	} else if (below(8) == 0) {
		feed(exec_call(pid));
		model.tables[pid] = copy_of(NULL);
	}
}

static void compare_all(void)
{
	for (int32_t pid = 1; pid <= PIDS; pid++)
		for (size_t number = 0; number < FDS; number++) {
			const struct table *table = model.tables[pid];
			const struct file *file = table ? table->slots[number].file : NULL;
			check("random stream", pid, (int64_t)number, file ? file->text : "-");
		}
}

static void test_random_streams__agree_with_the_model(void **state)
{
	(void)state;
	struct scd_rng rng = scd_rng_start("test_random_streams__agree_with_the_model");
	for (unsigned round = 0; round < 20; round++) {
		memset(&model, 0, sizeof(model));
		model.rng = &rng;
		sandbox = scd_sandbox_new(false);
		assert_non_null(sandbox);
		for (unsigned i = 0; i < 600; i++) {
			step();
			compare_all();
		}
		assert_false(scd_sandbox_tainted(sandbox));
		for (int32_t pid = 1; pid <= PIDS; pid++)
			release(pid);
		scd_sandbox_free(&sandbox);
	}
}

/* Bounds. Whatever comes, a sandbox costs no more than its cap, its processes and one table. */

#define MOST_BYTES (SCD_LIMIT_SANDBOX_STRING_BYTES + (8u << 20))

static void report(const char *what)
{
	const struct scd_sandbox_counters *counters = scd_sandbox_counters(sandbox);
	print_message("%s: %zu bytes, %llu descriptors forgotten, %llu processes evicted\n", what,
	              scd_sandbox_memory_bytes(sandbox), (unsigned long long)counters->descriptors_forgotten,
	              (unsigned long long)counters->processes_evicted);
	assert_true(scd_sandbox_memory_bytes(sandbox) < MOST_BYTES);
}

static void test_bounds__opens_without_end(void **state)
{
	(void)state;
	for (int64_t number = 0; number < 300000; number++)
		feed(open_call(number, "/etc/passwd", 0));
	report("opens without end");
	assert_true(scd_sandbox_memory_bytes(sandbox) < (2u << 20));
	assert_true(scd_sandbox_fd_count(sandbox, process_of(SHELL)) <= SCD_LIMIT_PROCESS_FDS);
	assert_true(scd_sandbox_tainted(sandbox));
	check("the last", SHELL, 299999, "file /etc/passwd");
	check("the first", SHELL, 0, "-");
}

static void test_bounds__long_paths(void **state)
{
	(void)state;
	static char path[SCD_LIMIT_PROCESS_PATH_BYTES];
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	for (int32_t pid = 1; pid < 6; pid++)
		for (int64_t number = 0; number < (int64_t)SCD_LIMIT_PROCESS_FDS; number++) {
			struct scd_event event = open_call(number, "", 0);
			event.u.open.pathname = (struct scd_str){ path, sizeof(path) };
			feed(by(event, pid));
		}
	report("long paths");
	assert_true(scd_sandbox_tainted(sandbox));
	assert_int_equal(scd_sandbox_counters(sandbox)->processes_evicted, 0);
	assert_int_equal(fd_of(5, 0)->path.len, sizeof(path));
	assert_null(fd_of(1, 0));
}

/* Each child has thousands of descriptors, and changes one of them. */
static void test_bounds__forks_without_end(void **state)
{
	(void)state;
	for (int64_t number = 0; number < (int64_t)SCD_LIMIT_PROCESS_FDS; number++)
		feed(open_call(number, "/etc/passwd", 0));
	size_t before = scd_sandbox_memory_bytes(sandbox);
	for (int32_t pid = 1000; pid < 1000 + 100; pid++)
		feed(clone_call(SHELL, pid, 0));
	size_t forked = scd_sandbox_memory_bytes(sandbox);
	assert_true(forked - before < 100 * 1024);
	for (int32_t pid = 1100; pid < 41000; pid++) {
		feed(clone_call(SHELL, pid, 0));
		feed(by(dup_call(3, (int64_t)(pid % 4000), 0), pid));
	}
	report("forks without end");
	assert_true(scd_sandbox_tainted(sandbox));
	check("the last", 40999, 40999 % 4000, "file /etc/passwd");
}

static void test_bounds__tables_of_their_own_without_end(void **state)
{
	(void)state;
	struct scd_rng rng = scd_rng_start("test_bounds__tables_of_their_own_without_end");
	for (int32_t i = 0; i < 400000; i++) {
		int32_t pid = 1 + (int32_t)scd_rng_below(&rng, 2000);
		feed(by(open_call((int64_t)scd_rng_below(&rng, 1u << 20), "/x", 0), pid));
	}
	report("tables of their own without end");
	assert_true(scd_sandbox_tainted(sandbox));
	assert_true(scd_sandbox_counters(sandbox)->descriptors_forgotten > 0);
	assert_int_equal(scd_sandbox_counters(sandbox)->processes_evicted, 0);
}

static void test_bounds__dups_without_end(void **state)
{
	(void)state;
	feed(open_call(0, "/a", 0));
	for (int64_t number = 1; number < 300000; number++)
		feed(dup_call(number - 1, number, 0));
	report("dups without end");
	assert_true(scd_sandbox_memory_bytes(sandbox) < (1u << 20));
	check("the last", SHELL, 299999, "file /a");
}

/* An evicted process that shares its table goes on changing it unseen: the other one's is void from then on. */
static void test_bounds__eviction_of_one_that_shares(void **state)
{
	(void)state;
	feed(open_call(3, "/a", 0));
	feed(clone_call(SHELL, 8, CLONE_FILES_FLAG));
	for (int32_t pid = 100; scd_sandbox_counters(sandbox)->processes_evicted == 0; pid++) {
		feed(by(exec_call(SHELL), pid));
		feed(by(fcntl_call(3, 3, 0, 0), 8));
	}
	assert_null(process_of(SHELL));
	assert_non_null(process_of(8));
	check("the other one's", 8, 3, "-");
}

static void test_steady_state__needs_no_more_memory(void **state)
{
	(void)state;
	size_t after_first = 0;
	for (unsigned round = 0; round < 1000; round++) {
		feed(open_call(3, "/lib/x86_64-linux-gnu/libc.so.6", CLOEXEC));
		feed(told(entered(close_call(3)), "/usr/lib/x86_64-linux-gnu/libc.so.6"));
		feed(close_call(3));
		feed(socket_call(3, AF_INET, SOCK_STREAM));
		feed(close_call(3));
		feed(clone_call(SHELL, 8, 0));
		feed(by(dup_call(1, 2, 0), 8));
		feed(exec_call(8));
		feed(event_of(SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT, 8));
		if (round == 0)
			after_first = scd_sandbox_memory_bytes(sandbox);
	}
	assert_int_equal(scd_sandbox_memory_bytes(sandbox), after_first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		cmocka_unit_test(test_random_streams__agree_with_the_model),
		TEST(test_bounds__opens_without_end),
		TEST(test_bounds__long_paths),
		TEST(test_bounds__forks_without_end),
		TEST(test_bounds__tables_of_their_own_without_end),
		TEST(test_bounds__dups_without_end),
		TEST(test_bounds__eviction_of_one_that_shares),
		TEST(test_steady_state__needs_no_more_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
