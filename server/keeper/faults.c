/*
 * A signal handler, so: no lock, no memory, no library but what signal-safety(7) has.
 *
 * A stack that has run over leaves no room for it: then the kernel ends the process at once, and nobody knows where.
 */
#include "keeper/faults.h"

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

static struct scd_pulse *watched;
static size_t watched_count;

static void note(struct scd_pulse *pulse, enum scd_pulse_fault fault)
{
	atomic_store_explicit(&pulse->fault, (uint32_t)fault, memory_order_relaxed);
}

static void on_crash(int signal)
{
	uint32_t self = (uint32_t)gettid();
	bool here = false;

	for (size_t i = 0; i < watched_count; i++) {
		if (atomic_load_explicit(&watched[i].thread, memory_order_relaxed) != self)
			continue;
		note(&watched[i], SCD_PULSE_FAULT_HERE);
		here = true;
	}
	if (!here) /* a thread that is not known by its pulse yet has not read anything */
		note(&watched[0], SCD_PULSE_FAULT_ELSEWHERE);
	raise(signal); /* it is blocked until we return, and has its default action again */
}

void scd__faults_watch(struct scd_pulse *pulses, size_t count)
{
	static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS };
	const struct sigaction action = { .sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND };
	struct sigaction before;

	watched = pulses;
	watched_count = count;
	for (size_t i = 0; i < sizeof(crashes) / sizeof(crashes[0]); i++) {
		if (sigaction(crashes[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			sigaction(crashes[i], &action, NULL);
	}
}
