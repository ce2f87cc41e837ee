/*
 * What is remembered of one sandbox: containers, processes, lineage, descriptors.
 *
 * One connection is one sandbox; nothing here is shared between sandboxes or threads. Everything is bounded
 * (limits.h); when a bound is hit, the least recently used goes, a counter counts it, and the sandbox is tainted: a
 * rule that says "no parent is X" must know that the parent may have been forgotten.
 *
 *   new → apply(event) → (rules look) → retire(event) → … → free
 *
 * apply makes the state what it is *after* the event; retire takes away what the event ended (a process, a descriptor),
 * after rules saw it. Processes are addressed by handles that stay safe when the process is gone (a slot number and a
 * generation): lineage may point to what was evicted, and finds nothing.
 */
#ifndef SECCHECKD_STATE_SANDBOX_H
#define SECCHECKD_STATE_SANDBOX_H

#include "seccheckd/event/event.h"
#include "seccheckd/state/fd.h"

struct scd_sandbox;

/*
 * Why what is remembered may be incomplete. X(NAME, "word", "what it means, as alerts say it"). Never taken back: what
 * was missed stays missed. The order is that of security_event.proto.
 */
#define SCD_TAINTS(X)                                                               \
	X(DROPPED, "dropped", "the sandbox dropped messages")                       \
	X(UNUSABLE, "unusable", "a message could not be used")                      \
	X(EVICTED, "evicted", "something was forgotten for want of room")           \
	X(EXHAUSTED, "exhausted", "there was no memory for what a message told")    \
	X(ID_CUT, "id_cut", "a container's id was too long to be told from others") \
	X(RESUMED, "resumed", "an earlier worker had the connection, and ended")    \
	X(UNSEEDED, "unseeded", "the start of the container was not seen")

enum scd_taint {
	SCD_TAINT_NONE, /* no reason: values of the others are those of security_event.proto */
#define X(name, word, help) SCD_TAINT_##name,
	SCD_TAINTS(X)
#undef X
	        SCD_TAINT_END /* one behind the last */
};

/* A set of them. */
#define SCD_TAINT_BIT(taint) (1u << (taint))

/* Its word and its meaning. taint is one of the table. */
const char *scd_taint_word(enum scd_taint taint);
const char *scd_taint_help(enum scd_taint taint);

/* Zero is "none". */
struct scd_process_ref {
	uint32_t slot;
	uint32_t generation;
};

/* Where a process's image came from. */
enum scd_image_origin {
	SCD_IMAGE_UNKNOWN, /* the process was first seen in the middle of its life, or its exec was hidden */
	SCD_IMAGE_START,   /* container/start: arguments known, the executable's path only if args[0] is absolute */
	SCD_IMAGE_EXEC,    /* sentry/execve */
};

/*
 * An executed image: immutable, shared by a process and the children it forks. Strings live as long as the image.
 * args are argv[0..], each followed by a NUL: text of args_bytes bytes; args_cut when the middle was left out for its
 * length.
 */
struct scd_image {
	enum scd_image_origin origin;
	struct scd_str exe_path; /* binary_path; empty: not known */
	struct scd_str args;     /* NUL-separated, argv[0] included */
	uint32_t args_count;     /* of the original argv */
	bool args_cut;
	bool exe_path_cut; /* exe_path is the head of a longer one */
	bool upper_layer, lower_layer, from_memfd;
	uint64_t exe_ino;
	int64_t exe_ctime_ns; /* 0: not known */
	int64_t exec_time_ns;
	struct scd_str env; /* NUL-separated; empty unless the session keeps environments */
};

/* Read-only outside server/state. */
struct scd_process {
	int32_t tgid;
	int64_t start_time_ns; /* 0: no message has said it yet */
	int64_t first_seen_ns;
	struct scd_process_ref parent; /* the creator as clone told, or parent_thread_group_id */
	int32_t parent_tgid;           /* the last that a message said; 0 unknown */
	const struct scd_image *image; /* never NULL */
	struct scd_str name;           /* comm: at most 15 bytes; empty: not known */
	struct scd_str cwd;            /* the last one seen; empty: not known */
	struct scd_str container_id;
	struct scd_credentials credentials;
	bool has_credentials;
	bool exited;           /* kept for the lineage of those it left behind */
	bool exec_pending;     /* an execve entered and nothing has yet shown its result */
	bool hidden_exec;      /* it executed something that was not seen: what it runs is not known */
	bool texts_cut;        /* name, cwd or container_id is the head of a longer one */
	uint32_t thread_count; /* those known to live, at least 1 */
};

struct scd_container {
	struct scd_str id; /* full id */
	bool started;      /* its container/start was seen */
	int64_t start_ns;  /* container/start; 0: not seen, or without a time */
	int32_t init_tgid; /* 0: not known */
};

/* X(member, "help") — one counter each; names become metrics. */
#define SCD_SANDBOX_COUNTERS(X)                                                        \
	X(processes_evicted, "Processes forgotten for want of room.")                  \
	X(arguments_dropped, "Images whose arguments were given up for want of room.") \
	X(descriptors_forgotten, "Descriptors forgotten for want of room.")            \
	X(containers_refused, "Messages that name a container over the cap.")          \
	X(strings_cut, "Arguments, names, paths and ids longer than what is kept.")    \
	X(calls_hidden, "System calls that only their raw point told.")                \
	X(pid_reused, "Process ids that came back under another start time: an exit was missed.")

struct scd_sandbox_counters {
#define X(member, help) uint64_t member;
	SCD_SANDBOX_COUNTERS(X)
#undef X
};

/* keep_env: environments are stored (only when a rule reads them). NULL on exhaustion. */
struct scd_sandbox *scd_sandbox_new(bool keep_env);
void scd_sandbox_free(struct scd_sandbox **sandbox);

/*
 * Whether a point changes what is remembered. Only these do, whatever else is decoded for the rules: what a sandbox's
 * memory holds must not depend on which rules are loaded.
 */
bool scd_sandbox_needs(unsigned point);

/*
 * To be called with each event before it is applied. True when it shows that earlier system calls, of its thread or of
 * others, were told by their raw points only: these are to be taken, applied and judged first. Why that is a sign:
 * server/state/witness.h.
 */
bool scd_sandbox_witness(struct scd_sandbox *sandbox, const struct scd_event *event);

/* The sandbox has ended: the same of all calls that still wait for their sibling. */
bool scd_sandbox_end(struct scd_sandbox *sandbox);

/*
 * The next hidden call (kind SCD_KIND_HIDDEN, no strings; sequence and ids of the raw message), in the order of their
 * messages. False: there is none.
 */
bool scd_sandbox_take_hidden(struct scd_sandbox *sandbox, struct scd_event *ret_hidden);

/*
 * Applies an event. *ret_process is the process that the event belongs to (for sentry/execve after the exec), or none
 * for an event that carries no thread group. -ENOMEM when nothing could be remembered (the event can still be
 * evaluated; the sandbox is tainted).
 */
int scd_sandbox_apply(struct scd_sandbox *sandbox, const struct scd_event *event, struct scd_process_ref *ret_process);

/* What the event ended: call once after the rules saw the event that apply gave `process` for. */
void scd_sandbox_retire(struct scd_sandbox *sandbox, const struct scd_event *event, struct scd_process_ref process);

/*
 * Something was missed, for a reason that state does not find by itself. What it finds: EVICTED, EXHAUSTED, ID_CUT, and
 * UNSEEDED when a message names a container whose start did not come before (unless it was RESUMED, which says why).
 */
void scd_sandbox_taint(struct scd_sandbox *sandbox, enum scd_taint taint);
bool scd_sandbox_tainted(const struct scd_sandbox *sandbox);

/* The reasons so far, as SCD_TAINT_BITs. */
unsigned scd_sandbox_taints(const struct scd_sandbox *sandbox);

/* The latest event when the first of them was noted; 0: none had come, or it is not tainted. */
int64_t scd_sandbox_tainted_since_ns(const struct scd_sandbox *sandbox);

/* NULL when the process is gone. Valid until the next apply or retire. */
const struct scd_process *scd_sandbox_process(const struct scd_sandbox *sandbox, struct scd_process_ref ref);

/* The live process of a thread group id. */
struct scd_process_ref scd_sandbox_find(const struct scd_sandbox *sandbox, int32_t tgid);

/*
 * What is behind a descriptor of a process. NULL: not known (never seen, closed, forgotten, or no number of one), and
 * for process NULL. Valid until the next apply or retire.
 */
const struct scd_fd *scd_sandbox_fd(const struct scd_sandbox *sandbox, const struct scd_process *process,
                                    int64_t number);

/* Whether an exec closed a known descriptor if it was to be closed on exec, which is not known. */
bool scd_sandbox_fd_maybe_closed(const struct scd_sandbox *sandbox, const struct scd_process *process, int64_t number);

/* How many descriptors of a process are known, and of which types: bits of 1 << enum scd_fd_type. */
size_t scd_sandbox_fd_count(const struct scd_sandbox *sandbox, const struct scd_process *process);
uint32_t scd_sandbox_fd_types(const struct scd_sandbox *sandbox, const struct scd_process *process);

/* The container with this id, or NULL. An empty id gives the only container, if there is but one. */
const struct scd_container *scd_sandbox_container(const struct scd_sandbox *sandbox, struct scd_str id);

/*
 * The first container whose start or id was seen: gVisor's sandbox id is the id of its first container. Empty before
 * any.
 */
struct scd_str scd_sandbox_claimed_id(const struct scd_sandbox *sandbox);

/*
 * Later times of events do not count from now on: times are the sandbox's word, and one in the far future would be the
 * time of all events behind it that carry none. 0: all count.
 */
void scd_sandbox_limit_time(struct scd_sandbox *sandbox, int64_t limit_ns);

/* The latest time of any event: the time of an event that carries none. */
int64_t scd_sandbox_time_ns(const struct scd_sandbox *sandbox);
/* The time of the first event that had one. */
int64_t scd_sandbox_first_time_ns(const struct scd_sandbox *sandbox);

size_t scd_sandbox_process_count(const struct scd_sandbox *sandbox);
size_t scd_sandbox_memory_bytes(const struct scd_sandbox *sandbox);
const struct scd_sandbox_counters *scd_sandbox_counters(const struct scd_sandbox *sandbox);

#endif
