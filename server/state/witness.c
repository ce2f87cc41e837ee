/*
 * Which raw exits are still waiting for their sibling: a few, one for each thread at most.
 */
#include "state/witness.h"

#include <stdlib.h>
#include <string.h>

void scd__witnesses_done(struct scd__witnesses *witnesses)
{
	free(witnesses->items);
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

static bool tells_exec(const struct scd_event *event)
{
	return event->point == SCD_POINT_SYSCALL_EXECVE || event->point == SCD_POINT_SENTRY_EXEC;
}

static bool is_sibling(const struct scd_event *witness, const struct scd_event *event)
{
	if (is_exec_number(witness->sysno))
		return tells_exec(event);
	return event->point == SCD_POINT_SYSCALL_CONNECT && event->has_exit;
}

static struct scd__witness *find(struct scd__witnesses *witnesses, int32_t tid)
{
	for (unsigned i = 0; witnesses->count && i < SCD__WITNESSES; i++)
		if (witnesses->items[i].tid == tid)
			return &witnesses->items[i];
	return NULL;
}

/* Keeps the numbers of a witness: its strings, if it had any, do not outlive their message. */
static void keep(struct scd__witnesses *witnesses, const struct scd_event *event)
{
	static const struct scd_str none = { NULL, 0 };
	struct scd__witness *slot;

	if (!witnesses->items)
		witnesses->items = calloc(SCD__WITNESSES, sizeof(*witnesses->items));
	if (!witnesses->items)
		return;
	slot = &witnesses->items[witnesses->next++ % SCD__WITNESSES];
	witnesses->count += slot->tid == 0;
	slot->tid = event->context.thread_id;
	slot->event = *event;
	slot->event.kind = SCD_KIND_HIDDEN;
	slot->event.context.container_id = slot->event.context.cwd = slot->event.context.process_name = none;
	slot->event.fd_path = none;
}

/* Whether the session has the sibling's point at all. */
static bool is_told(const struct scd__witnesses *witnesses, const struct scd_event *witness)
{
	return is_exec_number(witness->sysno) ? witnesses->exec_told : witnesses->connect_told;
}

bool scd__witnesses_note(struct scd__witnesses *witnesses, const struct scd_event *event, struct scd_event *ret_hidden)
{
	struct scd__witness *witness = find(witnesses, event->context.thread_id);
	bool hidden = false;

	witnesses->exec_told = witnesses->exec_told || tells_exec(event);
	witnesses->connect_told = witnesses->connect_told || event->point == SCD_POINT_SYSCALL_CONNECT;
	if (witness) {
		hidden = !is_sibling(&witness->event, event) && is_told(witnesses, &witness->event);
		if (hidden)
			*ret_hidden = witness->event;
		witness->tid = 0;
		witnesses->count--;
	}
	if (is_witness(event) && event->context.thread_id != 0)
		keep(witnesses, event);
	return hidden;
}
