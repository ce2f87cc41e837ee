/*
 * The worker's life as the keeper sees it, and connections on their way to it and back.
 *
 *    start ──▶ READY ──▶ CONNECTION… ⇄ CLOSED… ──▶ STOP ──▶ it ends, or is killed ──▶ reap
 *
 * Connections are answered before the worker is ready and wait; the order to stop lifts that gate, so that what has
 * been answered reaches the worker before STOP, in one queue, whatever the worker does at that moment.
 *
 * A worker that ends without an order ends the daemon in this version. What it held is all here (HELD): to go on with
 * another one is to move HELD back to WAITING and to start again.
 *
 * The child keeps no descriptor of the keeper but its end of the control socket. If the keeper dies, that socket ends,
 * which means the same as STOP; a parent-death signal would only cut short the worker's last pass.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/custody.h"
#include "keeper/internal.h"
#include "seccheckd/base/log.h"

/* Control messages handled before others have their turn. */
#define HEAR_BATCH 64

/* A worker whose control socket has ended is about to end; this long it may take. */
#define FAREWELL_NS (INT64_C(1000000000))

/* What a child must not keep: connections held open here would never look closed to their sandboxes. */
static void let_go_in_child(struct scd_keeper *keeper)
{
	for (size_t i = 0; i < keeper->listener_count; i++)
		scd__listener_drop(&keeper->listeners[i]);
	scd__connections_done(&keeper->connections);
	scd__signals_child(&keeper->signals);
	if (keeper->reserve_fd >= 0)
		close(keeper->reserve_fd);
}

int scd__keeper_start_worker(struct scd_keeper *keeper, scd_worker_main_fn *worker_main, void *user)
{
	static struct scd_pulse pulse;
	int control[2];
	int r = scd__custody_pair(control);
	pid_t pid;

	if (r < 0)
		return r;
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		r = -errno;
		close(control[0]);
		close(control[1]);
		return r;
	}
	if (pid == 0) {
		close(control[0]);
		let_go_in_child(keeper);
		exit(worker_main(user, &(struct scd_worker_seat){
		                               .control_fds = &control[1],
		                               .pulses = &pulse,
		                               .lane_count = 1,
		                               .good_fd = -1,
		                               .keep_fd = -1,
		                       }));
	}
	close(control[1]);
	keeper->worker = (struct scd__worker){ .pid = pid, .control = control[0] };
	return 0;
}

/* Notes why nothing more can be sent now. */
static void hold_back(struct scd_keeper *keeper, int error, int64_t now_ns)
{
	if (error == -EAGAIN)
		keeper->worker.full = true;
	else /* too many descriptors in flight, no memory; or the worker is gone, which poll will tell */
		keeper->hand_over_after_ns = now_ns + SCD__RETRY_NS;
}

static int give(struct scd_keeper *keeper, struct scd__connection *connection)
{
	struct scd_custody message = {
		.kind = SCD_CUSTODY_CONNECTION,
		.connection_id = connection->id,
		.peer_pid = connection->pid,
		.peer_uid = connection->uid,
		.sndbuf_bytes = connection->sndbuf_bytes,
		.sandbox_id = scd_str_from(connection->sandbox_id),
		.listener = scd_str_from(connection->listener),
	};

	memcpy(message.nonce, connection->nonce, sizeof(message.nonce));
	return scd__custody_send(keeper->worker.control, &message, connection->fd);
}

/* 0 when no connection is waiting any more. */
static int give_waiting(struct scd_keeper *keeper)
{
	struct scd__connection *connection;

	while ((connection = scd__connections_first(&keeper->connections, SCD__CONNECTION_WAITING))) {
		int r = give(keeper, connection);

		if (r < 0)
			return r;
		keeper->counters.handed_over++;
		scd__connections_move(&keeper->connections, connection, SCD__CONNECTION_HELD);
	}
	return 0;
}

void scd__keeper_hand_over(struct scd_keeper *keeper, int64_t now_ns)
{
	const struct scd_custody stop = { .kind = SCD_CUSTODY_STOP };
	int r;

	if (keeper->worker.control < 0 || !(keeper->worker.ready || keeper->stopping))
		return;
	keeper->worker.full = false;
	keeper->hand_over_after_ns = 0;
	r = give_waiting(keeper);
	if (!r && keeper->stopping && !keeper->stop_sent) {
		r = scd__custody_send(keeper->worker.control, &stop, -1);
		keeper->stop_sent = !r;
	}
	if (r < 0)
		hold_back(keeper, r, now_ns);
}

/* What a worker says is not trusted: it is ready once, and an id that it does not hold is refused. */
static bool obey(struct scd_keeper *keeper, const struct scd_custody *message)
{
	struct scd__connection *connection;

	switch (message->kind) {
	case SCD_CUSTODY_READY:
		if (keeper->worker.ready)
			return false;
		keeper->worker.ready = true;
		scd_log(SCD_LOG_DEBUG, "the worker is ready");
		return true;
	case SCD_CUSTODY_CLOSED:
		connection = scd__connections_find(&keeper->connections, message->connection_id);
		if (!connection || connection->state != SCD__CONNECTION_HELD)
			return false;
		keeper->counters.released++;
		scd__keeper_forget(keeper, connection);
		return true;
	default: return false;
	}
}

static void lose_control(struct scd_keeper *keeper, int64_t now_ns)
{
	close(keeper->worker.control);
	keeper->worker.control = -1;
	if (!keeper->stopping)
		keeper->kill_at_ns = now_ns + FAREWELL_NS;
}

void scd__keeper_hear(struct scd_keeper *keeper, int64_t now_ns)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(1);
	uint8_t buffer[SCD_CUSTODY_MAX_BYTES];
	struct scd_custody message;

	for (int i = 0; i < HEAR_BATCH; i++) {
		int r = scd__custody_receive(keeper->worker.control, buffer, &message);

		if (r == -EAGAIN)
			return;
		if (r != -EBADMSG && r <= 0) {
			lose_control(keeper, now_ns);
			return;
		}
		if (r == -EBADMSG || !obey(keeper, &message)) {
			keeper->counters.control_errors++;
			scd_log_gated(&gate, SCD_LOG_WARNING, "the worker sent a message that makes no sense");
		}
	}
}

static int judge_end(const struct scd_keeper *keeper, int wait_status)
{
	bool exited = WIFEXITED(wait_status);
	int code = exited ? WEXITSTATUS(wait_status) : WTERMSIG(wait_status);
	const char *how = exited ? "exit status" : "signal";

	if (keeper->stopping && exited) {
		scd_log(SCD_LOG_INFO, "the worker has stopped (exit status %d)", code);
		return code;
	}
	if (!keeper->worker.ready && !keeper->stopping)
		scd_log(SCD_LOG_ERROR, "not started, see the errors above (the worker's %s: %d)", how, code);
	else
		scd_log(SCD_LOG_ERROR, "the worker ended %s (%s %d); the daemon ends, its sandboxes go on unseen",
		        keeper->stopping ? "while it stopped" : "without an order", how, code);
	return 1;
}

void scd__keeper_reap(struct scd_keeper *keeper)
{
	int wait_status;

	if (keeper->worker.pid <= 0 || waitpid(keeper->worker.pid, &wait_status, WNOHANG) != keeper->worker.pid)
		return;
	keeper->worker.pid = 0;
	keeper->status = judge_end(keeper, wait_status);
}

void scd__keeper_enforce_stop(struct scd_keeper *keeper, int64_t now_ns)
{
	if (now_ns < keeper->kill_at_ns || keeper->worker.pid <= 0)
		return;
	scd_log(SCD_LOG_ERROR, "the worker does not end: killing it");
	kill(keeper->worker.pid, SIGKILL);
	keeper->kill_at_ns = SCD__NEVER_NS;
}
