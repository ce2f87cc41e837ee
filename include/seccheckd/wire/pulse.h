/*
 * What a worker shows of itself while it works: one small record for each lane and one for its main thread, in memory
 * that it shares with the keeper.
 *
 * A crash or a hang leaves no time to say anything, so it stands here beforehand: that the thread's loop still turns,
 * and which connection it is reading; the main thread reads none. The keeper trusts nothing in it (the worker may have
 * been taken over): a beat that does not change is a worker to be replaced, and an id is looked up, never used as an
 * index.
 *
 * The worker writes, from the pulse's thread, and the keeper reads; nothing is ordered with anything else.
 */
#ifndef SECCHECKD_WIRE_PULSE_H
#define SECCHECKD_WIRE_PULSE_H

#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

/* Where a crash happens, said by its signal handler. */
enum scd_pulse_fault {
	SCD_PULSE_FAULT_NONE,      /* there was none, or nothing could be said */
	SCD_PULSE_FAULT_HERE,      /* in the thread of this pulse */
	SCD_PULSE_FAULT_ELSEWHERE, /* in a thread that has none; in the first pulse */
};

struct scd_pulse {
	_Alignas(64) _Atomic uint64_t beat; /* changes at least once a second while the thread's loop turns */
	_Atomic uint64_t connection_id;     /* being read at this moment; 0: none */
	_Atomic uint32_t thread;            /* gettid(2) */
	_Atomic uint32_t fault;             /* enum scd_pulse_fault */
};

/* Once it beats or reads, a thread is known by its pulse. */
static inline void scd_pulse_claim(struct scd_pulse *pulse)
{
	if (atomic_load_explicit(&pulse->thread, memory_order_relaxed) == 0)
		atomic_store_explicit(&pulse->thread, (uint32_t)gettid(), memory_order_relaxed);
}

static inline void scd_pulse_beat(struct scd_pulse *pulse)
{
	uint64_t beat = atomic_load_explicit(&pulse->beat, memory_order_relaxed);

	scd_pulse_claim(pulse);
	atomic_store_explicit(&pulse->beat, beat + 1, memory_order_relaxed);
}

/* Around the reading of a connection: its id before, 0 after. */
static inline void scd_pulse_read(struct scd_pulse *pulse, uint64_t connection_id)
{
	scd_pulse_claim(pulse);
	atomic_store_explicit(&pulse->connection_id, connection_id, memory_order_relaxed);
}

#endif
