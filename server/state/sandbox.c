/*
 * What each event does to the memory of a sandbox.
 *
 * Identity. A process is (tgid, start time), but most messages carry no start time, so an event without one belongs
 * to the live process of its tgid; clone, exec and exit make and retire generations. A start time that differs from
 * the live process's means that an exit was not seen: the old one is retired first. Events that carry no thread group
 * id are taken as the thread's own (a session configured without it); an exec or start without any id gets a process
 * of its own that ends with the event.
 *
 * Exec. `sentry/execve` alone proves an exec: the system call's exit reports 0 before the image is loaded. Its
 * context is that of before, so the new name comes from the file. Between the entry of an execve and the next message
 * of the process, two things can have happened without a sentry/execve: the exec failed (the name is as before), or
 * it succeeded and the sink lost the message (the name changed): then what is known of the image is void, and the
 * process is marked hidden_exec.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"
#include "state/fd_calls.h"
#include "state/internal.h"

#define CLONE_THREAD 0x10000u /* linux/sched.h */

struct scd_sandbox *scd_sandbox_new(bool keep_env)
{
	struct scd_sandbox *sandbox = calloc(1, sizeof(*sandbox));
	if (!sandbox)
		return NULL;
	sandbox->keep_env = keep_env;
	scd__process_table_init(&sandbox->processes);
	return sandbox;
}

void scd_sandbox_free(struct scd_sandbox **sandbox)
{
	if (!*sandbox)
		return;
	scd__containers_done(&(*sandbox)->containers);
	scd__witnesses_done(&(*sandbox)->witnesses);
	scd__process_table_done(&(*sandbox)->processes);
	free(*sandbox);
	*sandbox = NULL;
}

/* What was missed. */

void scd_sandbox_taint(struct scd_sandbox *sandbox, enum scd_taint taint)
{
	if (!sandbox->taints)
		sandbox->tainted_since_ns = sandbox->time_ns;
	sandbox->taints |= SCD_TAINT_BIT(taint);
}

/* The head of a text that is too long to be kept; counted. */
static struct scd_str cut(struct scd_sandbox *sandbox, struct scd_str text, size_t most)
{
	if (text.len <= most)
		return text;
	sandbox->counters.strings_cut++;
	return (struct scd_str){ text.data, most };
}

/* Containers. Ids are names to tell apart by: one that is cut may be another's, so it taints. */

static struct scd_str cut_id(struct scd_sandbox *sandbox, struct scd_str id)
{
	if (id.len > SCD_LIMIT_CONTAINER_ID_BYTES)
		scd_sandbox_taint(sandbox, SCD_TAINT_ID_CUT);
	return cut(sandbox, id, SCD_LIMIT_CONTAINER_ID_BYTES);
}

static struct scd_container *container_note(struct scd_sandbox *sandbox, struct scd_str id)
{
	struct scd_container *container;

	if (id.len == 0)
		return NULL;
	container = scd__containers_last(&sandbox->containers, id);
	if (container)
		return container;
	container = scd__containers_note(&sandbox->containers, cut_id(sandbox, id));
	if (sandbox->containers.refused > sandbox->counters.containers_refused)
		scd_sandbox_taint(sandbox, SCD_TAINT_EVICTED);
	else if (!container)
		scd_sandbox_taint(sandbox, SCD_TAINT_EXHAUSTED);
	sandbox->counters.containers_refused = sandbox->containers.refused;
	return container;
}

/* gVisor tells the start of a container in front of everything else of it. NULL: the message names none. */
static const struct scd_container *container_seen(struct scd_sandbox *sandbox, struct scd_str id)
{
	const struct scd_container *container = container_note(sandbox, id);

	if (container && !container->started && !(sandbox->taints & SCD_TAINT_BIT(SCD_TAINT_RESUMED)))
		scd_sandbox_taint(sandbox, SCD_TAINT_UNSEEDED);
	return container;
}

static void container_start(struct scd_sandbox *sandbox, const struct scd_event *event)
{
	struct scd_str id = event->u.start.id.len ? event->u.start.id : event->context.container_id;
	struct scd_container *container = container_note(sandbox, id);

	if (!container)
		return;
	container->started = true;
	container->start_ns = event->context.time_ns ? event->context.time_ns : sandbox->time_ns;
	container->init_tgid = event->context.thread_group_id;
}

/* Processes. */

/* Falls back on the thread's id when the session was not asked for the thread group's. */
static int32_t event_tgid(const struct scd_event *event)
{
	return event->context.thread_group_id ? event->context.thread_group_id : event->context.thread_id;
}

static bool is_exec_call(const struct scd_event *event)
{
	return event->point == SCD_POINT_SYSCALL_EXECVE;
}

static int set_name(struct scd_sandbox *sandbox, struct scd__process *process, struct scd_str name)
{
	process->pub.texts_cut = process->pub.texts_cut || name.len > SCD_LIMIT_PROCESS_NAME_BYTES;
	return scd__text_set(&sandbox->processes, &process->name, &process->pub.name,
	                     cut(sandbox, name, SCD_LIMIT_PROCESS_NAME_BYTES));
}

static int set_cwd(struct scd_sandbox *sandbox, struct scd__process *process, struct scd_str cwd)
{
	process->pub.texts_cut = process->pub.texts_cut || cwd.len > SCD_LIMIT_PROCESS_PATH_BYTES;
	return scd__text_set(&sandbox->processes, &process->cwd, &process->pub.cwd,
	                     cut(sandbox, cwd, SCD_LIMIT_PROCESS_PATH_BYTES));
}

static int set_container(struct scd_sandbox *sandbox, struct scd__process *process, struct scd_str id)
{
	process->container = NULL;
	process->pub.texts_cut = process->pub.texts_cut || id.len > SCD_LIMIT_CONTAINER_ID_BYTES;
	return scd__text_set(&sandbox->processes, &process->container_id, &process->pub.container_id,
	                     cut_id(sandbox, id));
}

/*
 * The process is in this container, which has the id that the message names (NULL: there was no room for it). A
 * container stays where it is, so that which one it is need not be found out by its text with every message.
 */
static int note_container(struct scd_sandbox *sandbox, struct scd__process *process, struct scd_str id,
                          const struct scd_container *container)
{
	int r;

	if (container && process->container == container && id.len <= SCD_LIMIT_CONTAINER_ID_BYTES)
		return 0;
	r = set_container(sandbox, process, id);
	if (r == 0 && id.len <= SCD_LIMIT_CONTAINER_ID_BYTES)
		process->container = container;
	return r;
}

static struct scd__process *process_create(struct scd_sandbox *sandbox, int32_t tgid)
{
	struct scd__process *process = scd__process_create(&sandbox->processes, tgid);
	if (process)
		process->pub.first_seen_ns = sandbox->time_ns;
	return process;
}

/* The live process of a tgid and start time (0: not told), made if there is none. NULL on exhaustion. */
static struct scd__process *process_ensure(struct scd_sandbox *sandbox, int32_t tgid, int64_t start_ns)
{
	struct scd__process *process = tgid ? scd__process_find(&sandbox->processes, tgid) : NULL;
	if (process && start_ns && process->pub.start_time_ns && process->pub.start_time_ns != start_ns) {
		sandbox->counters.pid_reused++;
		scd__process_exit(&sandbox->processes, process);
		process = NULL;
	}
	if (!process)
		process = process_create(sandbox, tgid);
	if (process && start_ns)
		process->pub.start_time_ns = start_ns;
	return process;
}

/* It has executed something that was not seen. */
static void image_drop(struct scd_sandbox *sandbox, struct scd__process *process)
{
	struct scd__process_table *table = &sandbox->processes;
	table->unknown_image.refs++;
	scd__process_set_image(table, process, &table->unknown_image);
	if (scd__fd_calls_exec(table, process) < 0)
		scd_sandbox_taint(sandbox, SCD_TAINT_EXHAUSTED);
}

/* The exec that was entered: did the name change without a sentry/execve? */
static void settle_pending_exec(struct scd_sandbox *sandbox, struct scd__process *process, struct scd_str name_now)
{
	if (!process->pub.exec_pending || name_now.len == 0)
		return;
	process->pub.exec_pending = false;
	if (process->pub.name.len == 0 || scd_str_eq(process->pub.name, name_now))
		return;
	process->pub.hidden_exec = true;
	image_drop(sandbox, process);
}

static void note_parent(struct scd_sandbox *sandbox, struct scd__process *process, int32_t parent_tgid)
{
	process->pub.parent_tgid = parent_tgid;
	if (scd__process_get(&sandbox->processes, process->pub.parent) || parent_tgid == 0)
		return;
	struct scd__process *parent = scd__process_find(&sandbox->processes, parent_tgid);
	if (parent)
		scd__process_adopt(&sandbox->processes, process, scd__process_ref(&sandbox->processes, parent));
}

/*
 * What the context of a message says about its process. Nearly always that is what is known: a text that is the one
 * that is kept (never longer than the limit, so nothing is cut of it) changes nothing.
 */
static int note_context(struct scd_sandbox *sandbox, struct scd__process *process, const struct scd_event *event,
                        const struct scd_container *container)
{
	const struct scd_context *context = &event->context;
	bool leader = context->thread_id == 0 || context->thread_id == process->pub.tgid;
	int result = 0;
	if (leader && context->process_name.len && !is_exec_call(event)) {
		settle_pending_exec(sandbox, process, context->process_name);
		if (!scd__text_is(process->name, context->process_name))
			result |= set_name(sandbox, process, context->process_name);
	}
	if (context->cwd.len && !scd__text_is(process->cwd, context->cwd))
		result |= set_cwd(sandbox, process, context->cwd);
	if (context->container_id.len)
		result |= note_container(sandbox, process, context->container_id, container);
	if (context->has & SCD_HAS_CREDENTIALS) {
		process->pub.credentials = context->credentials;
		process->pub.has_credentials = true;
	}
	if (context->has & SCD_HAS_PARENT)
		note_parent(sandbox, process, context->parent_thread_group_id);
	return result ? -ENOMEM : 0;
}

/* A new image for a process; the strings are those of the message. */
static struct scd__image *image_give(struct scd_sandbox *sandbox, struct scd__process *process,
                                     enum scd_image_origin origin, struct scd_str exe_path,
                                     const struct scd_strings *argv, const struct scd_strings *env)
{
	struct scd_str path = cut(sandbox, exe_path, SCD_LIMIT_PROCESS_PATH_BYTES);
	struct scd__image *image = scd__image_new(&sandbox->processes, path, argv, sandbox->keep_env ? env : NULL);
	if (!image)
		return NULL;
	sandbox->counters.strings_cut += image->pub.args_cut;
	image->pub.origin = origin;
	image->pub.exe_path_cut = path.len < exe_path.len;
	image->pub.exec_time_ns = sandbox->time_ns;
	process->pub.exec_pending = false;
	process->pub.hidden_exec = false;
	process->leader_exited = false;
	scd__process_set_image(&sandbox->processes, process, image);
	return image;
}

/* comm: the name of a file as it was called, at most 15 bytes. */
static struct scd_str comm_of(struct scd_str path)
{
	struct scd_str name = scd_str_basename(path);
	if (name.len > SCD__COMM_BYTES)
		name.len = SCD__COMM_BYTES;
	return name;
}

static void note_pending_exec(struct scd__process *process, struct scd_str pathname)
{
	struct scd_str name = comm_of(pathname);
	process->pub.exec_pending = true;
	process->pending_name_len = (uint8_t)name.len;
	if (name.len)
		memcpy(process->pending_name, name.data, name.len);
}

/*
 * The name after an exec is that of the file as the program was called: a link's, not its target's. The message says
 * it (execfn) since 2026; before, the entry of the call does, if the session has that point.
 */
static int name_after_exec(struct scd_sandbox *sandbox, struct scd__process *process, const struct scd_event *event)
{
	struct scd_str called = comm_of(event->u.exec.execfn);
	struct scd_str pending = { process->pending_name, process->pending_name_len };
	struct scd_str name = called.len ? called : pending.len ? pending : comm_of(event->u.exec.binary_path);
	process->pending_name_len = 0;
	return name.len ? set_name(sandbox, process, name) : 0;
}

static int apply_exec(struct scd_sandbox *sandbox, struct scd__process *process, const struct scd_event *event)
{
	struct scd__image *image = image_give(sandbox, process, SCD_IMAGE_EXEC, event->u.exec.binary_path,
	                                      &event->u.exec.argv, &event->u.exec.env);
	if (!image)
		return -ENOMEM;
	image->pub.upper_layer = event->u.exec.binary_overlayfs_upper;
	image->pub.lower_layer = event->u.exec.binary_overlayfs_lower;
	image->pub.from_memfd = scd_event_is_from_memfd(event);
	image->pub.exe_ino = event->u.exec.binary_ino;
	image->pub.exe_ctime_ns = scd_timespec_ns(event->u.exec.binary_ctime);
	return name_after_exec(sandbox, process, event);
}

static int apply_start(struct scd_sandbox *sandbox, struct scd__process *process, const struct scd_event *event)
{
	struct scd_str first = event->u.start.args.count ? event->u.start.args.items[0] : (struct scd_str){ NULL, 0 };
	struct scd_str path = first.len && first.data[0] == '/' ? first : (struct scd_str){ NULL, 0 };
	if (!image_give(sandbox, process, SCD_IMAGE_START, path, &event->u.start.args, &event->u.start.env))
		return -ENOMEM;
	int result = 0;
	if (event->u.start.cwd.len)
		result |= set_cwd(sandbox, process, event->u.start.cwd);
	if (event->u.start.id.len)
		result |= set_container(sandbox, process, event->u.start.id);
	struct scd_str name = comm_of(first);
	if (event->context.process_name.len == 0 && name.len)
		result |= set_name(sandbox, process, name);
	return result;
}

/* A child is its parent's copy until it execs. */
static void inherit(struct scd_sandbox *sandbox, struct scd__process *child, const struct scd__process *parent)
{
	struct scd__process_table *table = &sandbox->processes;
	scd__text_share(table, &child->name, &child->pub.name, parent->name);
	scd__text_share(table, &child->cwd, &child->pub.cwd, parent->cwd);
	scd__text_share(table, &child->container_id, &child->pub.container_id, parent->container_id);
	child->container = parent->container;
	parent->image->refs++;
	scd__process_set_image(table, child, parent->image);
	child->pub.credentials = parent->pub.credentials;
	child->pub.has_credentials = parent->pub.has_credentials;
	child->pub.hidden_exec = parent->pub.hidden_exec;
}

/*
 * Whether a live process may be the one that a clone reports only now: it was met before, and nothing is known of its
 * origin.
 */
static bool is_early_child(const struct scd__process *process, int64_t start_ns)
{
	bool same_start = !start_ns || !process->pub.start_time_ns || process->pub.start_time_ns == start_ns;
	return same_start && process->pub.parent.slot == 0 && process->pub.image->origin == SCD_IMAGE_UNKNOWN;
}

static int apply_clone(struct scd_sandbox *sandbox, struct scd_process_ref parent_ref, const struct scd_event *event)
{
	struct scd__process_table *table = &sandbox->processes;
	int32_t tgid = event->u.clone_info.created_thread_group_id, tid = event->u.clone_info.created_thread_id;
	int64_t start_ns = event->u.clone_info.created_thread_start_time_ns;
	struct scd__process *child = tgid ? scd__process_find(table, tgid) : NULL;
	if ((event->u.clone_info.flags & CLONE_THREAD) || (tid != tgid && tid != 0)) {
		if (!child)
			return 0;
		child->pub.thread_count++;
		return scd__fd_calls_thread(table, child, event->u.clone_info.flags);
	}
	if (tgid == 0)
		return 0;
	if (child && !is_early_child(child, start_ns)) {
		sandbox->counters.pid_reused++;
		scd__process_exit(table, child);
		child = NULL;
	}
	if (!child)
		child = process_create(sandbox, tgid);
	if (!child)
		return -ENOMEM;
	child->pub.start_time_ns = start_ns;
	struct scd__process *parent = scd__process_get(table, parent_ref);
	if (!parent || parent == child)
		return 0;
	child->pub.parent_tgid = parent->pub.tgid;
	inherit(sandbox, child, parent);
	scd__process_adopt(table, child, parent_ref);
	return scd__fd_calls_fork(table, child, parent, event->u.clone_info.flags);
}

/* An exec that succeeded and was not told: what the process runs is not known any more. */
static void apply_hidden(struct scd_sandbox *sandbox, struct scd__process *process, const struct scd_event *event)
{
	if (event->sysno == SCD_KIND_CONNECT || event->exit_errorno != 0)
		return;
	process->pub.hidden_exec = true;
	image_drop(sandbox, process);
}

static int apply_by_point(struct scd_sandbox *sandbox, struct scd__process *process, const struct scd_event *event)
{
	if (event->kind == SCD_KIND_HIDDEN) {
		apply_hidden(sandbox, process, event);
		return 0;
	}
	switch (event->point) {
	case SCD_POINT_CONTAINER_START: return apply_start(sandbox, process, event);
	case SCD_POINT_SENTRY_EXEC: return apply_exec(sandbox, process, event);
	case SCD_POINT_SENTRY_CLONE: return apply_clone(sandbox, scd__process_ref(&sandbox->processes, process), event);
	default: break;
	}
	if (is_exec_call(event) && !event->has_exit) {
		note_pending_exec(process, event->u.execve.pathname);
	} else if (is_exec_call(event) && event->exit_errorno != 0) {
		process->pub.exec_pending = false;
		process->pending_name_len = 0;
	}
	return 0;
}

void scd_sandbox_limit_time(struct scd_sandbox *sandbox, int64_t limit_ns)
{
	sandbox->time_limit_ns = limit_ns;
}

/* The sandbox's time when there is an event of this time. */
static int64_t latest_ns(const struct scd_sandbox *sandbox, int64_t time_ns)
{
	if (sandbox->time_limit_ns && time_ns > sandbox->time_limit_ns)
		return sandbox->time_ns;
	return time_ns > sandbox->time_ns ? time_ns : sandbox->time_ns;
}

static void note_time(struct scd_sandbox *sandbox, int64_t time_ns)
{
	sandbox->time_ns = latest_ns(sandbox, time_ns);
	if (sandbox->first_time_ns == 0)
		sandbox->first_time_ns = sandbox->time_ns;
}

static bool starts_image(const struct scd_event *event)
{
	return event->point == SCD_POINT_CONTAINER_START || event->point == SCD_POINT_SENTRY_EXEC;
}

static void account_evictions(struct scd_sandbox *sandbox)
{
	struct scd_sandbox_counters *counters = &sandbox->counters;
	struct scd__process_table *table = &sandbox->processes;
	counters->strings_cut += table->fd_pool.dropped_count;
	table->fd_pool.dropped_count = 0;
	if (table->evicted_count == counters->processes_evicted &&
	    table->dropped_count == counters->arguments_dropped &&
	    table->fd_pool.forgotten_count == counters->descriptors_forgotten)
		return;
	counters->processes_evicted = table->evicted_count;
	counters->arguments_dropped = table->dropped_count;
	counters->descriptors_forgotten = table->fd_pool.forgotten_count;
	scd_sandbox_taint(sandbox, SCD_TAINT_EVICTED);
}

bool scd_sandbox_witness(struct scd_sandbox *sandbox, const struct scd_event *event)
{
	return scd__witnesses_care(&sandbox->witnesses, event) &&
	       scd__witnesses_note(&sandbox->witnesses, event, latest_ns(sandbox, event->context.time_ns));
}

bool scd_sandbox_end(struct scd_sandbox *sandbox)
{
	return scd__witnesses_end(&sandbox->witnesses);
}

bool scd_sandbox_take_hidden(struct scd_sandbox *sandbox, struct scd_event *ret_hidden)
{
	bool taken = scd__witnesses_take(&sandbox->witnesses, ret_hidden);

	sandbox->counters.calls_hidden += taken;
	return taken;
}

/* A hidden call may be found late, and its process's id then be another's. */
static bool is_of_another(const struct scd_sandbox *sandbox, int32_t tgid, const struct scd_event *event)
{
	int64_t start_ns = event->context.thread_group_start_time_ns;
	const struct scd__process *process = NULL;

	if (event->kind == SCD_KIND_HIDDEN && tgid)
		process = scd__process_find(&sandbox->processes, tgid);
	return process && start_ns && process->pub.start_time_ns && process->pub.start_time_ns != start_ns;
}

int scd_sandbox_apply(struct scd_sandbox *sandbox, const struct scd_event *event, struct scd_process_ref *ret_process)
{
	struct scd__process_table *table = &sandbox->processes;
	int32_t tgid = event_tgid(event);
	if (!scd_sandbox_needs(event->point)) {
		*ret_process = scd_sandbox_find(sandbox, tgid);
		return 0;
	}
	*ret_process = (struct scd_process_ref){ 0, 0 };
	note_time(sandbox, event->context.time_ns);
	if (event->point == SCD_POINT_CONTAINER_START)
		container_start(sandbox, event);
	const struct scd_container *container = container_seen(sandbox, event->context.container_id);
	if ((tgid == 0 && !starts_image(event)) || is_of_another(sandbox, tgid, event))
		return 0;
	struct scd__process *process = process_ensure(sandbox, tgid, event->context.thread_group_start_time_ns);
	if (!process) {
		scd_sandbox_taint(sandbox, SCD_TAINT_EXHAUSTED);
		return -ENOMEM;
	}
	scd__process_touch(table, process);
	struct scd_process_ref ref = scd__process_ref(table, process);
	int result = note_context(sandbox, process, event, container);
	if (apply_by_point(sandbox, process, event) < 0)
		result = -ENOMEM;
	process = scd__process_get(table, ref); /* a clone moves slots */
	if (process && scd__fd_calls_apply(table, process, event) < 0)
		result = -ENOMEM;
	if (result < 0)
		scd_sandbox_taint(sandbox, SCD_TAINT_EXHAUSTED);
	if (scd__process_table_is_over(table))
		scd__process_table_shrink(table, process);
	account_evictions(sandbox);
	*ret_process = ref;
	return result;
}

/*
 * Threads end one by one, and the others may go on. After an exec the siblings of the thread that made it end too,
 * *behind* the sentry/execve that started the new image, so a count of threads must not be taken for the end of the
 * process: that is its first thread's exit with no other known to live, or sentry/exit_notify_parent.
 */
static bool thread_ends_process(struct scd__process *process, int32_t tid)
{
	if (tid == 0 || tid == process->pub.tgid)
		process->leader_exited = true;
	else if (process->pub.thread_count > 1)
		process->pub.thread_count--;
	return process->leader_exited && process->pub.thread_count == 1;
}

/* Whether a message may end something: the two that start an image may have made a process that ends with them. */
static bool may_end(const struct scd_event *event)
{
	switch (event->point) {
	case SCD_POINT_CONTAINER_START:
	case SCD_POINT_SENTRY_EXEC:
	case SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT:
	case SCD_POINT_SENTRY_TASK_EXIT:
	case SCD_POINT_SYSCALL_CLOSE:
	case SCD_POINT_SYSCALL_RAW: return true;
	default: return false;
	}
}

void scd_sandbox_retire(struct scd_sandbox *sandbox, const struct scd_event *event, struct scd_process_ref ref)
{
	struct scd__process *process = may_end(event) ? scd__process_get(&sandbox->processes, ref) : NULL;
	if (!process)
		return;
	if (scd__fd_calls_retire(&sandbox->processes, process, event) < 0)
		scd_sandbox_taint(sandbox, SCD_TAINT_EXHAUSTED);
	bool ended = process->pub.tgid == 0 || event->point == SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT;
	if (event->point == SCD_POINT_SENTRY_TASK_EXIT)
		ended = thread_ends_process(process, event->context.thread_id);
	if (ended)
		scd__process_exit(&sandbox->processes, process);
}
