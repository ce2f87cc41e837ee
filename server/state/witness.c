/*
 * Which messages are still waiting for their sibling: a few, one for each thread at most.
 *
 *             its sibling, or an image's raw exit
 *           ┌────────────────────────────────────▶ free
 *    WAITING┤  the thread's next message; too old; another needs the place; the end
 *           └────────────────────────────────────▶ DUE ──── take ────▶ free
 */
#include "state/witness.h"

#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/limits.h"

#define PLACES (SCD__WITNESSES + 1) /* one more: for what is due at once while all others wait */

/* The first message of two, as the hidden call that it is if there is no second. */
struct scd__witness {
	bool due;
	int64_t since_ns; /* the sandbox's time when it came; 0: not known */
	struct scd_event event;
};

void scd__witnesses_done(struct scd__witnesses *witnesses)
{
	free(witnesses->places);
	memset(witnesses, 0, sizeof(*witnesses));
}

size_t scd__witnesses_memory_bytes(const struct scd__witnesses *witnesses)
{
	return witnesses->places ? PLACES * sizeof(*witnesses->places) : 0;
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

/* The place where a thread waits; PLACES: it does not. */
static unsigned find(const struct scd__witnesses *witnesses, int32_t tid)
{
	unsigned i = 0;

	if (witnesses->count == 0 || tid == 0)
		return PLACES;
	while (i < PLACES && witnesses->tids[i] != tid)
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

static void make_due(struct scd__witnesses *witnesses, unsigned place)
{
	witnesses->places[place].due = true;
	witnesses->due_count++;
}

/* The thread waits no longer, and its first message is hidden or not. An image whose raw exit is missing is not. */
static void settle(struct scd__witnesses *witnesses, unsigned place, bool is_hidden)
{
	witnesses->tids[place] = 0;
	witnesses->count--;
	if (is_hidden && witnesses->places[place].event.point != SCD_POINT_SENTRY_EXEC)
		make_due(witnesses, place);
}

/* Who has waited longest, among those who wait or, with `due`, those who are due. There is one. */
static unsigned oldest(const struct scd__witnesses *witnesses, bool due)
{
	unsigned found = PLACES;

	for (unsigned i = 0; i < PLACES; i++) {
		const struct scd__witness *place = &witnesses->places[i];
		bool is_meant = due ? place->due : witnesses->tids[i] != 0;

		if (is_meant && (found == PLACES || place->event.sequence < witnesses->places[found].event.sequence))
			found = i;
	}
	return found;
}

/* A free place; who has waited longest gives way if there is none. */
static unsigned take_place(struct scd__witnesses *witnesses)
{
	unsigned place = 0;

	if (witnesses->count == SCD__WITNESSES)
		settle(witnesses, oldest(witnesses, false), true);
	while (place < PLACES && (witnesses->tids[place] != 0 || witnesses->places[place].due))
		place++;
	return place;
}

static bool is_old(const struct scd__witnesses *witnesses, unsigned place, uint64_t sequence, int64_t now_ns)
{
	const struct scd__witness *first = &witnesses->places[place];

	if (first->event.point == SCD_POINT_SENTRY_EXEC) /* loading the image takes as long as it takes */
		return false;
	return sequence - first->event.sequence > SCD_LIMIT_WITNESS_MESSAGES ||
	       (first->since_ns && now_ns - first->since_ns > SCD_LIMIT_WITNESS_MS * INT64_C(1000000));
}

/* Those who have waited for too long; looked for now and then. */
static void settle_old(struct scd__witnesses *witnesses, uint64_t sequence, int64_t now_ns)
{
	bool was_checked = sequence - witnesses->checked_sequence < SCD_LIMIT_WITNESS_MESSAGES / 16 &&
	                   now_ns - witnesses->checked_ns < SCD_LIMIT_WITNESS_MS * INT64_C(1000000) / 16;

	if (witnesses->count == 0 || was_checked)
		return;
	witnesses->checked_sequence = sequence;
	witnesses->checked_ns = now_ns;
	for (unsigned i = 0; i < PLACES; i++)
		if (witnesses->tids[i] != 0 && is_old(witnesses, i, sequence, now_ns))
			settle(witnesses, i, true);
}

/* What the thread's first message and this one say together. */
enum verdict { VERDICT_NONE, VERDICT_PAIRED, VERDICT_HIDDEN };

static enum verdict judge(const struct scd_event *first, const struct scd_event *event)
{
	if (first->point == SCD_POINT_SENTRY_EXEC)
		return is_witness(event) && is_success(event) ? VERDICT_PAIRED : VERDICT_NONE;
	return is_sibling(first, event) ? VERDICT_PAIRED : VERDICT_HIDDEN;
}

/* A message that may begin a pair. Of some it is known already that they do not. */
static void begin(struct scd__witnesses *witnesses, const struct scd_event *event, int64_t now_ns)
{
	bool has_none = is_witness(event) && is_success(event) && witnesses->image_first;
	unsigned place;

	if (event->context.thread_id == 0 || (!is_witness(event) && event->point != SCD_POINT_SENTRY_EXEC))
		return;
	if (!witnesses->places)
		witnesses->places = calloc(PLACES, sizeof(*witnesses->places));
	place = witnesses->places ? take_place(witnesses) : PLACES;
	if (place == PLACES)
		return;
	witnesses->places[place].since_ns = now_ns;
	copy(event, &witnesses->places[place].event);
	if (has_none) {
		make_due(witnesses, place);
		return;
	}
	witnesses->tids[place] = event->context.thread_id;
	witnesses->count++;
}

/* What a message says of the first of its thread, if that waits. False when it belongs to the first. */
static bool decide(struct scd__witnesses *witnesses, const struct scd_event *event, unsigned place)
{
	const struct scd_event *first = &witnesses->places[place].event;
	enum verdict verdict;

	if (says_nothing(first, event))
		return false;
	verdict = judge(first, event);
	if (verdict == VERDICT_PAIRED && first->point == SCD_POINT_SENTRY_EXEC)
		witnesses->image_first = true;
	settle(witnesses, place, verdict == VERDICT_HIDDEN);
	return verdict != VERDICT_PAIRED;
}

bool scd__witnesses_note(struct scd__witnesses *witnesses, const struct scd_event *event, int64_t now_ns)
{
	unsigned place = find(witnesses, event->context.thread_id);

	if (place == PLACES || decide(witnesses, event, place))
		begin(witnesses, event, now_ns);
	settle_old(witnesses, event->sequence, now_ns);
	return witnesses->due_count > 0;
}

bool scd__witnesses_end(struct scd__witnesses *witnesses)
{
	for (unsigned i = 0; witnesses->count > 0 && i < PLACES; i++)
		if (witnesses->tids[i] != 0)
			settle(witnesses, i, true);
	return witnesses->due_count > 0;
}

bool scd__witnesses_take(struct scd__witnesses *witnesses, struct scd_event *ret_hidden)
{
	unsigned place;

	if (witnesses->due_count == 0)
		return false;
	place = oldest(witnesses, true);
	*ret_hidden = witnesses->places[place].event;
	witnesses->places[place].due = false;
	witnesses->due_count--;
	return true;
}
