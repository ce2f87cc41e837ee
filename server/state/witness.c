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

/* The numbers of a message as a hidden call: its strings, if it had any, do not outlive it. */
static void copy(const struct scd_event *event, struct scd_event *ret_hidden)
{
	static const struct scd_str none = { NULL, 0 };

	*ret_hidden = *event;
	ret_hidden->kind = SCD_KIND_HIDDEN;
	ret_hidden->context.container_id = ret_hidden->context.cwd = ret_hidden->context.process_name = none;
	ret_hidden->fd_path = none;
	if (event->point == SCD_POINT_SENTRY_EXEC)
		memset(&ret_hidden->u, 0, sizeof(ret_hidden->u));
}

/* A free place; without one, that of anybody. */
static unsigned take_place(struct scd__witnesses *witnesses)
{
	unsigned place = witnesses->next++ % SCD__WITNESSES;

	if (witnesses->count == SCD__WITNESSES)
		return place;
	while (witnesses->tids[place] != 0)
		place = (place + 1) % SCD__WITNESSES;
	witnesses->count++;
	return place;
}

static void keep(struct scd__witnesses *witnesses, const struct scd_event *event)
{
	unsigned place;

	if (!witnesses->first)
		witnesses->first = calloc(SCD__WITNESSES, sizeof(*witnesses->first));
	if (!witnesses->first)
		return;
	place = take_place(witnesses);
	witnesses->tids[place] = event->context.thread_id;
	copy(event, &witnesses->first[place]);
}

/* What the thread's first message and this one say together. */
enum verdict { VERDICT_NONE, VERDICT_PAIRED, VERDICT_HIDDEN };

static enum verdict judge(const struct scd_event *first, const struct scd_event *event)
{
	if (first->point == SCD_POINT_SENTRY_EXEC)
		return is_witness(event) && is_success(event) ? VERDICT_PAIRED : VERDICT_NONE;
	return is_sibling(first, event) ? VERDICT_PAIRED : VERDICT_HIDDEN;
}

/* A message that may begin a pair; true when it is known already that it does not. */
static bool begin(struct scd__witnesses *witnesses, const struct scd_event *event, bool may_tell)
{
	if (event->context.thread_id == 0 || (!is_witness(event) && event->point != SCD_POINT_SENTRY_EXEC))
		return false;
	if (is_witness(event) && is_success(event) && witnesses->image_first && may_tell)
		return true;
	keep(witnesses, event);
	return false;
}

bool scd__witnesses_note(struct scd__witnesses *witnesses, const struct scd_event *event, struct scd_event *ret_hidden)
{
	unsigned place = find(witnesses, event->context.thread_id);
	enum verdict verdict = VERDICT_NONE;

	if (place < SCD__WITNESSES) {
		const struct scd_event *first = &witnesses->first[place];

		if (says_nothing(first, event))
			return false;
		verdict = judge(first, event);
		if (verdict == VERDICT_HIDDEN)
			*ret_hidden = *first;
		if (verdict == VERDICT_PAIRED && first->point == SCD_POINT_SENTRY_EXEC)
			witnesses->image_first = true;
		witnesses->tids[place] = 0;
		witnesses->count--;
	}
	if (verdict != VERDICT_PAIRED && begin(witnesses, event, verdict == VERDICT_NONE)) {
		copy(event, ret_hidden);
		verdict = VERDICT_HIDDEN;
	}
	return verdict == VERDICT_HIDDEN;
}
