/*
 * Event kinds: what rules call evt.type.
 *
 * A kind is an x86-64 system call number (0..SCD_KIND_SYSCALL_COUNT-1), or one of the few kinds behind them that are
 * no system call. Names are Falco's (pread64 is `pread`, prlimit64 is `prlimit`; the end of a thread is `procexit`),
 * so that upstream rules mean the same here. The table is server/event/syscalls.def. On arm64 gVisor reports other
 * numbers, which would get wrong names: only x86-64 hosts are supported.
 */
#ifndef SECCHECKD_EVENT_KIND_H
#define SECCHECKD_EVENT_KIND_H

#include "seccheckd/base/str.h"

#define SCD_KIND_SYSCALL_COUNT 512

enum scd_kind {
	/* The system calls that code here names; the others are reached by number. */
	SCD_KIND_READ = 0,
	SCD_KIND_OPEN = 2,
	SCD_KIND_CONNECT = 42,
	SCD_KIND_CLONE = 56,
	SCD_KIND_EXECVE = 59,
	SCD_KIND_CREAT = 85,
	SCD_KIND_OPENAT = 257,
	SCD_KIND_EXECVEAT = 322,
	/* Not system calls. */
	SCD_KIND_PROCEXIT = SCD_KIND_SYSCALL_COUNT, /* the end of a thread: sentry/task_exit */
	SCD_KIND_HIDDEN,                            /* a numeric witness without its decoded sibling */
	/*
	 * From here to the end: Falco's names of what never happens here (`switch`, `container`, `pread64`). Rules
	 * may name them; no event has one of these kinds.
	 */
	SCD_KIND_FOREIGN,
	SCD_KIND_COUNT = SCD_KIND_FOREIGN + 23,
	SCD_KIND_NONE = 0xffff, /* a message that is no event for rules (an enter point, sentry/exit_notify_parent) */
};

/*
 * The name, e.g. "openat". A number without a name is "syscall_N" in Falco; here such kinds do not exist and the name
 * is empty.
 */
struct scd_str scd_kind_name(unsigned kind);

/*
 * Kind of a name. -ENOENT. Several kinds may share a name; then `next` enumerates them: start with 0, go on with the
 * result + 1.
 */
int scd_kind_find(struct scd_str name, unsigned next);

/* A set of kinds. All zero bytes is the empty set. Adding what is no kind (SCD_KIND_NONE) changes nothing. */
struct scd_kind_set {
	uint64_t words[(SCD_KIND_COUNT + 63) / 64];
};

static inline bool scd_kind_set_has(const struct scd_kind_set *set, unsigned kind)
{
	return kind < SCD_KIND_COUNT && (set->words[kind / 64] >> (kind % 64) & 1) != 0;
}
void scd_kind_set_add(struct scd_kind_set *set, unsigned kind);
void scd_kind_set_fill(struct scd_kind_set *set); /* every kind that has a name */
void scd_kind_set_unite(struct scd_kind_set *set, const struct scd_kind_set *other);
void scd_kind_set_intersect(struct scd_kind_set *set, const struct scd_kind_set *other);
void scd_kind_set_invert(struct scd_kind_set *set); /* the kinds with a name that were not in it */
size_t scd_kind_set_count(const struct scd_kind_set *set);

#endif
