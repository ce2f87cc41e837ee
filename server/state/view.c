/*
 * What others ask of a sandbox: which points it needs, what is missing from its memory, and who is in it. Nothing here
 * changes anything.
 */
#include "seccheckd/base/limits.h"
#include "state/internal.h"

bool scd_sandbox_needs(unsigned point)
{
	switch (point) {
	case SCD_POINT_CONTAINER_START:
	case SCD_POINT_SENTRY_CLONE:
	case SCD_POINT_SENTRY_EXEC:
	case SCD_POINT_SENTRY_EXIT_NOTIFY_PARENT:
	case SCD_POINT_SENTRY_TASK_EXIT:
	case SCD_POINT_SYSCALL_RAW: /* witnesses; descriptors */
	case SCD_POINT_SYSCALL_EXECVE:
	case SCD_POINT_SYSCALL_OPEN:
	case SCD_POINT_SYSCALL_CONNECT:
	case SCD_POINT_SYSCALL_CHDIR:
	case SCD_POINT_SYSCALL_SETID:
	case SCD_POINT_SYSCALL_SETRESID:
	case SCD_POINT_SYSCALL_CLOSE: /* from here on: descriptors */
	case SCD_POINT_SYSCALL_SOCKET:
	case SCD_POINT_SYSCALL_PIPE:
	case SCD_POINT_SYSCALL_FCNTL:
	case SCD_POINT_SYSCALL_DUP:
	case SCD_POINT_SYSCALL_SIGNALFD:
	case SCD_POINT_SYSCALL_EVENTFD:
	case SCD_POINT_SYSCALL_BIND:
	case SCD_POINT_SYSCALL_ACCEPT:
	case SCD_POINT_SYSCALL_TIMERFD_CREATE:
	case SCD_POINT_SYSCALL_INOTIFY_INIT:
	case SCD_POINT_SYSCALL_SOCKETPAIR:
	case SCD_POINT_SYSCALL_LISTEN: return true;
	default: return false;
	}
}

bool scd_sandbox_tainted(const struct scd_sandbox *sandbox)
{
	return sandbox->taints != 0;
}

unsigned scd_sandbox_taints(const struct scd_sandbox *sandbox)
{
	return sandbox->taints;
}

int64_t scd_sandbox_tainted_since_ns(const struct scd_sandbox *sandbox)
{
	return sandbox->tainted_since_ns;
}

const struct scd_process *scd_sandbox_process(const struct scd_sandbox *sandbox, struct scd_process_ref ref)
{
	const struct scd__process *process = scd__process_get(&sandbox->processes, ref);
	return process ? &process->pub : NULL;
}

struct scd_process_ref scd_sandbox_find(const struct scd_sandbox *sandbox, int32_t tgid)
{
	const struct scd__process *process = tgid ? scd__process_find(&sandbox->processes, tgid) : NULL;
	return process ? scd__process_ref(&sandbox->processes, process) : (struct scd_process_ref){ 0, 0 };
}

const struct scd_container *scd_sandbox_container(const struct scd_sandbox *sandbox, struct scd_str id)
{
	if (id.len == 0)
		return sandbox->containers.count == 1 ? scd__containers_first(&sandbox->containers) : NULL;
	if (id.len > SCD_LIMIT_CONTAINER_ID_BYTES)
		id.len = SCD_LIMIT_CONTAINER_ID_BYTES;
	return scd__containers_find(&sandbox->containers, id);
}

struct scd_str scd_sandbox_claimed_id(const struct scd_sandbox *sandbox)
{
	const struct scd_container *first = scd__containers_first(&sandbox->containers);

	return first ? first->id : (struct scd_str){ NULL, 0 };
}

int64_t scd_sandbox_time_ns(const struct scd_sandbox *sandbox)
{
	return sandbox->time_ns;
}

int64_t scd_sandbox_first_time_ns(const struct scd_sandbox *sandbox)
{
	return sandbox->first_time_ns;
}

size_t scd_sandbox_process_count(const struct scd_sandbox *sandbox)
{
	return sandbox->processes.count;
}

size_t scd_sandbox_memory_bytes(const struct scd_sandbox *sandbox)
{
	return sizeof(*sandbox) + scd__witnesses_memory_bytes(&sandbox->witnesses) +
	       scd__containers_memory_bytes(&sandbox->containers) +
	       sandbox->processes.room * sizeof(struct scd__process) + sandbox->processes.string_bytes +
	       sandbox->processes.fd_pool.bytes;
}

const struct scd_sandbox_counters *scd_sandbox_counters(const struct scd_sandbox *sandbox)
{
	return &sandbox->counters;
}
