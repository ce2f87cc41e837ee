/*
 * What the worker's pulses tell: that a thread hangs, and whose message ended the worker.
 *
 * The keeper looks five times as often as a thread may be silent. If it comes late itself, by as much as the time
 * between two looks, the whole machine, or all of us, did not run meanwhile, and every thread's time begins anew; a
 * worker that is held by a debugger is never silent. A lane is watched from its first beat on, and until it is told to
 * stop; the main thread, which writes the outputs, likewise, until every lane is told.
 *
 * Strikes: a connection gets one when the worker ends while it is being read, and there is reason to say that reading
 * it was the cause:
 *
 *    it was killed as silent           the connections that the silent lanes were reading
 *    it crashed, in a lane's thread    what that lane was reading (faults.h)
 *    it crashed in another thread,     nobody: the main thread has alerts of many in hand, and tells of none
 *    or that was silent
 *    it crashed, and nobody knows      whatever was being read, in any lane
 *    where; or it exited
 *    SIGKILL that is not ours          nobody: it comes from outside (an operator, the kernel's want of memory)
 *
 * So somebody else's crash strikes only in the one case in which it cannot be told apart, and then once: from there on
 * the suspects share a lane (lanes.c). Strikes are forgotten after
 * an hour without another. With SCD_LIMIT_CONNECTION_STRIKES of them a connection is quarantined: no worker reads it
 * any more, and it costs the others nothing more.
 *
 * All this is the worker's word, which may have been taken over: it can blame whom it likes of those that it holds. It
 * could as well let go of them.
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/internal.h"
#include "keeper/procfs.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"

#define SILENT_NS (SCD_LIMIT_WORKER_SILENT_MS * SCD__MS_NS)
#define LOOK_NS   (SILENT_NS / 5)

/* After so long without another one, a connection's strikes are forgotten. */
#define FORGIVEN_NS (INT64_C(3600000) * SCD__MS_NS)

void scd__pulses_start(struct scd__worker *worker, int64_t now_ns)
{
	for (size_t i = 0; i < worker->lane_count; i++)
		worker->lanes[i].sign.beat_ns = now_ns;
	worker->main_sign.beat_ns = now_ns;
	worker->look_at_ns = now_ns + LOOK_NS;
}

/* Whether a debugger holds it. */
static bool is_traced(pid_t pid)
{
	static const char line[] = "\nTracerPid:\t";
	char status[4096] = "";
	int proc_fd = scd__procfs_open(pid);
	ssize_t len = proc_fd < 0 ? -1 : scd__procfs_read(proc_fd, "status", status, sizeof(status) - 1);
	const char *found;

	if (proc_fd >= 0)
		close(proc_fd);
	if (len <= 0)
		return false;
	found = strstr(status, line);
	return found && found[sizeof(line) - 1] != '0';
}

/* Notes the beat of a thread; true when it has been silent for too long. excused: it may be. */
static bool note_beat(struct scd__sign *sign, struct scd_pulse *pulse, bool excused, int64_t now_ns)
{
	uint64_t beat = atomic_load_explicit(&pulse->beat, memory_order_relaxed);

	if (beat != sign->beat || beat == 0 || excused) {
		sign->beat = beat;
		sign->beat_ns = now_ns;
	}
	sign->silent = now_ns - sign->beat_ns >= SILENT_NS;
	return sign->silent;
}

/* Notes all of them; true when one has been silent for too long. */
static bool note_beats(struct scd__worker *worker, int64_t now_ns)
{
	bool silent = note_beat(&worker->main_sign, &worker->pulses[worker->lane_count],
	                        scd__lanes_told_to_stop(worker), now_ns);

	for (size_t i = 0; i < worker->lane_count; i++) {
		struct scd__lane *lane = &worker->lanes[i];

		silent |= note_beat(&lane->sign, &worker->pulses[i], lane->stop_sent, now_ns);
	}
	return silent;
}

/* What it is reading, if it holds that, or NULL. */
static struct scd__connection *being_read(const struct scd_keeper *keeper, size_t lane)
{
	uint64_t id = atomic_load_explicit(&keeper->worker.pulses[lane].connection_id, memory_order_relaxed);
	struct scd__connection *connection = id ? scd__connections_find(&keeper->connections, id) : NULL;

	return connection && connection->state == SCD__CONNECTION_HELD && connection->lane == lane ? connection : NULL;
}

static const char *name_of(const struct scd__connection *connection)
{
	return connection->sandbox_id[0] ? connection->sandbox_id : "(no name)";
}

static void log_silence_of_lane(const struct scd_keeper *keeper, size_t lane)
{
	const struct scd__connection *connection = being_read(keeper, lane);

	if (connection)
		scd_log(SCD_LOG_ERROR,
		        "thread %zu of the worker has shown no sign of life for %u ms, reading connection %" PRIu64
		        " of sandbox %s",
		        lane, SCD_LIMIT_WORKER_SILENT_MS, connection->id, name_of(connection));
	else
		scd_log(SCD_LOG_ERROR,
		        "thread %zu of the worker has shown no sign of life for %u ms, reading no connection", lane,
		        SCD_LIMIT_WORKER_SILENT_MS);
}

static void log_silence(const struct scd_keeper *keeper)
{
	const struct scd__worker *worker = &keeper->worker;

	for (size_t i = 0; i < worker->lane_count; i++) {
		if (worker->lanes[i].sign.silent)
			log_silence_of_lane(keeper, i);
	}
	if (worker->main_sign.silent)
		scd_log(SCD_LOG_ERROR,
		        "the main thread of the worker, which writes the outputs, has shown no sign of life for %u ms",
		        SCD_LIMIT_WORKER_SILENT_MS);
}

void scd__pulses_look(struct scd_keeper *keeper, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;

	if (now_ns - worker->look_at_ns >= LOOK_NS) /* we are late ourselves */
		scd__pulses_start(worker, now_ns);
	worker->look_at_ns = now_ns + LOOK_NS;
	if (!note_beats(worker, now_ns))
		return;
	if (is_traced(worker->pid)) {
		scd__pulses_start(worker, now_ns);
		return;
	}
	log_silence(keeper);
	scd__worker_kill(keeper, SCD__VERDICT_SILENT, now_ns);
}

static void strike(struct scd_keeper *keeper, struct scd__connection *connection, int64_t now_ns)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(10);

	if (connection->strikes && now_ns - connection->struck_ns >= FORGIVEN_NS)
		connection->strikes = 0;
	connection->strikes++;
	connection->struck_ns = now_ns;
	keeper->counters.strikes++;
	if (connection->strikes < SCD_LIMIT_CONNECTION_STRIKES) {
		scd_log_gated(&gate, SCD_LOG_WARNING,
		              "the worker ended while it read connection %" PRIu64 " of sandbox %s: strike %" PRIu32
		              " of %u",
		              connection->id, name_of(connection), connection->strikes, SCD_LIMIT_CONNECTION_STRIKES);
		return;
	}
	scd_log(SCD_LOG_ERROR,
	        "sandbox %s: connection %" PRIu64 " of pid %" PRIu32 " is quarantined, as %" PRIu32
	        " workers ended while they read it: the sandbox is not watched any more",
	        name_of(connection), connection->id, connection->pid, connection->strikes);
	keeper->counters.quarantined++;
	scd__connections_move(&keeper->connections, connection, SCD__CONNECTION_QUARANTINED);
}

/* Where it crashed, as far as the worker could still say. */
static enum scd_pulse_fault fault_of(const struct scd__worker *worker, size_t pulse)
{
	return (enum scd_pulse_fault)atomic_load_explicit(&worker->pulses[pulse].fault, memory_order_relaxed);
}

static bool knows_where(const struct scd__worker *worker)
{
	for (size_t i = 0; i < scd__pulse_count(worker); i++) {
		if (fault_of(worker, i) != SCD_PULSE_FAULT_NONE)
			return true;
	}
	return false;
}

/* Whether its end may be somebody's doing at all. */
static bool is_suspicious(const struct scd__worker *worker, int wait_status)
{
	if (worker->verdict != SCD__VERDICT_NONE)
		return worker->verdict == SCD__VERDICT_SILENT;
	return !(WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL);
}

void scd__pulses_blame(struct scd_keeper *keeper, int wait_status, int64_t now_ns)
{
	const struct scd__worker *worker = &keeper->worker;
	bool was_silent = worker->verdict == SCD__VERDICT_SILENT, knows = knows_where(worker);

	if (!is_suspicious(worker, wait_status))
		return;
	for (size_t i = 0; i < worker->lane_count; i++) {
		struct scd__connection *connection = being_read(keeper, i);
		bool to_blame = was_silent ? worker->lanes[i].sign.silent
		                : knows    ? fault_of(worker, i) == SCD_PULSE_FAULT_HERE
		                           : true;

		if (connection && to_blame)
			strike(keeper, connection, now_ns);
	}
}
