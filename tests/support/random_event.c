/*
 * One function for each point that has content of its own; the table says how often each happens.
 */
#include "tests/support/random_event.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "seccheckd/base/array.h"

#define START_NS INT64_C(1700000000123456789)
#define STEP_NS  INT64_C(1500000000)

static const struct scd_str words[] = {
	SCD_STR_INIT("sh"),
	SCD_STR_INIT("-c"),
	SCD_STR_INIT("xmrig"),
	SCD_STR_INIT("XMRig"),
	SCD_STR_INIT("curl"),
	SCD_STR_INIT("--donate-level=1"),
	SCD_STR_INIT("a b"),
	SCD_STR_INIT("pool:3333"),
	SCD_STR_INIT(""),
	SCD_STR_INIT("-o"),
	SCD_STR_INIT("*"),
	SCD_STR_INIT("quo\"te\\"),
	SCD_STR_INIT("x,y"),
	SCD_STR_INIT("(z)"),
	SCD_STR_INIT("HOME=/root"),
	SCD_STR_INIT("PATH=/bin"),
	SCD_STR_INIT("\xc3\xa4\xff"),
	SCD_STR_INIT("aaaaaaaaab"),
};

static const struct scd_str paths[] = {
	SCD_STR_INIT("/bin/sh"),
	SCD_STR_INIT("/tmp/xmrig"),
	SCD_STR_INIT("/usr/bin/curl"),
	SCD_STR_INIT("/etc/shadow"),
	SCD_STR_INIT("/etc/../etc//x"),
	SCD_STR_INIT("relative/file"),
	SCD_STR_INIT("../up"),
	SCD_STR_INIT("/"),
	SCD_STR_INIT("/tmp/a b"),
	SCD_STR_INIT("."),
	SCD_STR_INIT(""),
	SCD_STR_INIT("/proc/self/exe"),
};

static const struct scd_str ids[] = {
	SCD_STR_INIT(""),
	SCD_STR_INIT("0123456789abcdef0123"),
	SCD_STR_INIT("short"),
};

#define PICK(rng, array) ((array)[scd_rng_below((rng), SCD_COUNT(array))])

/* What one event is made with. */
struct maker {
	struct scd_rng *rng;
	struct scd_arena *arena;
	struct scd_event event;
};

struct scd_str random_word(struct scd_rng *rng)
{
	return PICK(rng, words);
}

static uint32_t below(struct maker *maker, uint32_t bound)
{
	return (uint32_t)scd_rng_below(maker->rng, bound);
}

static bool one_in(struct maker *maker, uint32_t count)
{
	return below(maker, count) == 0;
}

static struct scd_str path(struct maker *maker)
{
	return PICK(maker->rng, paths);
}

static void *allocate(struct maker *maker, size_t count, size_t size)
{
	void *memory = scd_arena_zalloc(maker->arena, count, size);

	if (!memory)
		abort();
	return memory;
}

static struct scd_strings some_words(struct maker *maker, uint32_t most)
{
	size_t count = below(maker, most + 1);
	struct scd_str *items = allocate(maker, count, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = random_word(maker->rng);
	return (struct scd_strings){ items, count };
}

static int32_t process_id(struct maker *maker)
{
	return (int32_t)below(maker, 5);
}

static void set_kind(struct maker *maker, const char *name)
{
	int kind = scd_kind_find(scd_str_from(name), 0);

	if (kind < 0)
		abort();
	maker->event.kind = (unsigned)kind;
	maker->event.sysno = (uint64_t)kind;
}

static void set_exit(struct maker *maker, int64_t result)
{
	static const int64_t errors[] = { 1, 2, 13, 115, 512, 9999 };
	bool failed = one_in(maker, 3);

	maker->event.has_exit = true;
	maker->event.exit_errorno = failed ? PICK(maker->rng, errors) : 0;
	maker->event.exit_result = failed ? 0 : result;
}

static struct scd_str sockaddr_text(struct maker *maker, const void *address, size_t size)
{
	char *bytes = allocate(maker, size, 1);

	memcpy(bytes, address, size);
	return (struct scd_str){ bytes, size };
}

static struct scd_str address(struct maker *maker)
{
	static const uint16_t ports[] = { 22, 80, 443, 3333, 0 };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(PICK(maker->rng, ports)) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(PICK(maker->rng, ports)) };
	struct sockaddr_un local = { .sun_family = AF_UNIX, .sun_path = "/run/x.sock" };

	v4.sin_addr.s_addr = htonl(0x0a000000 | below(maker, 4) << 16 | below(maker, 3));
	v6.sin6_addr.s6_addr[0] = 0x20;
	v6.sin6_addr.s6_addr[15] = (uint8_t)below(maker, 3);
	if (one_in(maker, 4)) {
		memset(&v6.sin6_addr, 0, sizeof(v6.sin6_addr));
		memset(v6.sin6_addr.s6_addr + 10, 0xff, 2);
		memcpy(v6.sin6_addr.s6_addr + 12, &v4.sin_addr, 4);
	}
	switch (below(maker, 5)) {
	case 0: return sockaddr_text(maker, &local, sizeof(local));
	case 1: return sockaddr_text(maker, &v6, sizeof(v6));
	case 2: return sockaddr_text(maker, &v4, below(maker, sizeof(v4)));
	default: return sockaddr_text(maker, &v4, sizeof(v4));
	}
}

/* ---- points ---- */

static void make_start(struct maker *maker)
{
	maker->event.kind = SCD_KIND_EXECVE;
	maker->event.u.start.id = PICK(maker->rng, ids);
	maker->event.u.start.cwd = path(maker);
	maker->event.u.start.args = some_words(maker, 4);
	maker->event.u.start.env = some_words(maker, 4);
	maker->event.u.start.terminal = one_in(maker, 2);
}

static void make_exec(struct maker *maker)
{
	struct scd_event *event = &maker->event;

	event->kind = one_in(maker, 4) ? SCD_KIND_EXECVEAT : SCD_KIND_EXECVE;
	event->u.exec.binary_path = path(maker);
	event->u.exec.execfn = path(maker);
	event->u.exec.argv = some_words(maker, 6);
	event->u.exec.env = some_words(maker, 4);
	event->u.exec.binary_overlayfs_upper = one_in(maker, 2);
	event->u.exec.binary_in_memfd = one_in(maker, 4);
	event->u.exec.binary_ino = below(maker, 3);
	event->u.exec.binary_ctime.sec = (int64_t)below(maker, 2000000000);
	event->u.exec.stdin_info = (struct scd_fd_info){ .present = one_in(maker, 2),
		                                         .mode = 0010000,
		                                         .path = path(maker) };
}

static void make_clone(struct maker *maker)
{
	maker->event.kind = SCD_KIND_CLONE;
	maker->event.u.clone_info.created_thread_id = process_id(maker);
	maker->event.u.clone_info.created_thread_group_id = maker->event.u.clone_info.created_thread_id;
	maker->event.u.clone_info.created_thread_start_time_ns = maker->event.context.time_ns;
	maker->event.u.clone_info.flags = below(maker, 1u << 20);
}

static void make_task_exit(struct maker *maker)
{
	maker->event.kind = SCD_KIND_PROCEXIT;
	maker->event.u.task_exit.exit_status = (int32_t)below(maker, 512);
}

static void make_open(struct maker *maker)
{
	static const char *const names[] = { "open", "openat", "openat", "creat" };

	set_kind(maker, PICK(maker->rng, names));
	set_exit(maker, below(maker, 10));
	maker->event.fd = one_in(maker, 2) ? -100 : (int64_t)below(maker, 10);
	maker->event.u.open.pathname = path(maker);
	maker->event.u.open.flags = below(maker, 1u << 17);
	maker->event.u.open.mode = below(maker, 01000);
}

static void make_connection(struct maker *maker)
{
	set_kind(maker, maker->event.point == SCD_POINT_SYSCALL_CONNECT ? "connect"
	                : maker->event.point == SCD_POINT_SYSCALL_BIND  ? "bind"
	                                                                : "accept");
	set_exit(maker, below(maker, 10));
	maker->event.fd = below(maker, 10);
	maker->event.u.connect.address = address(maker);
}

static void make_io(struct maker *maker)
{
	set_kind(maker, maker->event.point == SCD_POINT_SYSCALL_READ ? "read" : "write");
	set_exit(maker, below(maker, 5000));
	maker->event.fd = below(maker, 10);
	maker->event.fd_path = path(maker);
	maker->event.u.io.count = below(maker, 5000);
}

static void make_raw(struct maker *maker)
{
	static const char *const names[] = { "mkdir", "unlink", "kill", "nanosleep", "memfd_create", "clone3" };

	set_kind(maker, PICK(maker->rng, names));
	set_exit(maker, below(maker, 10));
	for (size_t i = 0; i < SCD_COUNT(maker->event.u.raw.args); i++)
		maker->event.u.raw.args[i] = one_in(maker, 5) ? UINT64_MAX : below(maker, 20);
}

static const struct point {
	enum scd_point point;
	void (*make)(struct maker *maker);
	unsigned weight;
} points[] = {
	{ SCD_POINT_CONTAINER_START, make_start, 1 },     { SCD_POINT_SENTRY_EXEC, make_exec, 5 },
	{ SCD_POINT_SENTRY_CLONE, make_clone, 3 },        { SCD_POINT_SENTRY_TASK_EXIT, make_task_exit, 1 },
	{ SCD_POINT_SYSCALL_OPEN, make_open, 4 },         { SCD_POINT_SYSCALL_CONNECT, make_connection, 2 },
	{ SCD_POINT_SYSCALL_ACCEPT, make_connection, 1 }, { SCD_POINT_SYSCALL_BIND, make_connection, 1 },
	{ SCD_POINT_SYSCALL_READ, make_io, 1 },           { SCD_POINT_SYSCALL_WRITE, make_io, 1 },
	{ SCD_POINT_SYSCALL_RAW, make_raw, 2 },
};

static const struct point *pick_point(struct maker *maker)
{
	uint32_t total = 0, at;

	for (size_t i = 0; i < SCD_COUNT(points); i++)
		total += points[i].weight;
	at = below(maker, total);
	for (size_t i = 0;; i++) {
		if (at < points[i].weight)
			return &points[i];
		at -= points[i].weight;
	}
}

static void fill_context(struct maker *maker, unsigned step)
{
	struct scd_context *context = &maker->event.context;

	context->has = SCD_HAS_CONTEXT | (one_in(maker, 2) ? SCD_HAS_CREDENTIALS : 0) |
	               (one_in(maker, 2) ? SCD_HAS_PARENT : 0);
	context->time_ns = one_in(maker, 8) ? 0 : START_NS + step * STEP_NS + below(maker, 1000);
	context->thread_group_id = process_id(maker);
	context->thread_id = one_in(maker, 4) ? process_id(maker) : context->thread_group_id;
	context->parent_thread_group_id = process_id(maker);
	context->credentials.effective_uid = below(maker, 3);
	context->credentials.effective_gid = below(maker, 3);
	context->container_id = PICK(maker->rng, ids);
	context->cwd = path(maker);
	context->process_name = random_word(maker->rng);
}

struct scd_event random_event(struct scd_rng *rng, unsigned step, struct scd_arena *arena)
{
	struct maker maker = { .rng = rng, .arena = arena, .event.fd = -1 };
	const struct point *point = pick_point(&maker);

	maker.event.point = point->point;
	maker.event.sequence = step + 1;
	fill_context(&maker, step);
	point->make(&maker);
	return maker.event;
}
