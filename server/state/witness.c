/*
 * Which messages are still waiting for their sibling: a few, one for each thread at most.
 */
#include "state/witness.h"

#include <stdlib.h>
#include <string.h>

void scd__witnesses_done(struct scd__witnesses *witnesses)
{
	free(witnesses->first);
	memset(witnesses, 0, sizeof(*witnesses));
}

static bool is_exec_number(uint64_t sysno)
{
	return sysno == SCD_KIND_EXECVE || sysno == SCD_KIND_EXECVEAT;
}

/* Raw exits that have a sibling with strings. */
static bool is_witness(const struct scd_event *event)
{
	return event->point == SCD_POINT_SYSCALL_RAW && event->has_exit &&
	       (is_exec_number(event->sysno) || event->sysno == SCD_KIND_CONNECT);
}

static bool is_success(const struct scd_event *witness)
{
	return is_exec_number(witness->sysno) && witness->exit_errorno == 0;
}

static bool is_sibling(const struct scd_event *witness, const struct scd_event *event)
{
	if (is_success(witness))
		return event->point == SCD_POINT_SENTRY_EXEC;
	if (is_exec_number(witness->sysno))
		return event->point == SCD_POINT_SYSCALL_EXECVE;
	return event->point == SCD_POINT_SYSCALL_CONNECT && event->has_exit;
}

/* Whether the thread's next message decides nothing about the first: it belongs to the same call. */
static bool says_nothing(const struct scd_event *first, const struct scd_event *event)
{
	if (first->point == SCD_POINT_SENTRY_EXEC)
		return event->point == SCD_POINT_SENTRY_MMAP;
	return is_success(first) && event->point == SCD_POINT_SYSCALL_EXECVE && event->has_exit;
}

/* The place of a thread; SCD__WITNESSES: it has none. */
static unsigned find(const struct scd__witnesses *witnesses, int32_t tid)
{
	unsigned i = 0;

	if (witnesses->count == 0 || tid == 0)
		return SCD__WITNESSES;
	while (i < SCD__WITNESSES && witnesses->tids[i] != tid)
		i++;
	return i;
}

/* Keeps the numbers of a message: its strings, if it had any, do not outlive it. */
static void keep(struct scd__witnesses *witnesses, const struct scd_event *event)
{
	static const struct scd_str none = { NULL, 0 };
	unsigned place = witnesses->next % SCD__WITNESSES;
	struct scd_event *first;

	if (!witnesses->first)
		witnesses->first = calloc(SCD__WITNESSES, sizeof(*witnesses->first));
	if (!witnesses->first)
		return;
	witnesses->next++;
	witnesses->count += witnesses->tids[place] == 0;
	witnesses->tids[place] = event->context.thread_id;
	first = &witnesses->first[place];
	*first = *event;
	first->kind = SCD_KIND_HIDDEN;
	first->context.container_id = first->context.cwd = first->context.process_name = none;
	first->fd_path = none;
	if (event->point == SCD_POINT_SENTRY_EXEC)
		memset(&first->u, 0, sizeof(first->u));
}

bool scd__witnesses_note(struct scd__witnesses *witnesses, const struct scd_event *event, struct scd_event *ret_hidden)
{
	unsigned place = find(witnesses, event->context.thread_id);
	bool hidden = false, paired = false;

	if (place < SCD__WITNESSES) {
		const struct scd_event *first = &witnesses->first[place];

		if (says_nothing(first, event))
			return false;
		if (first->point == SCD_POINT_SENTRY_EXEC)
			paired = is_witness(event) && is_success(event);
		else
			paired = is_sibling(first, event);
		hidden = first->point == SCD_POINT_SYSCALL_RAW && !paired;
		if (hidden)
			*ret_hidden = *first;
		witnesses->tids[place] = 0;
		witnesses->count--;
	}
	if (!paired && event->context.thread_id != 0 && (is_witness(event) || event->point == SCD_POINT_SENTRY_EXEC))
		keep(witnesses, event);
	return hidden;
}
