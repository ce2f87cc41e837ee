/*
 * The worker's life as the keeper sees it.
 *
 *                  fork             every lane is READY
 *    ABSENT ──────────────▶ LOADING ────────────────────▶ WORKING
 *      ▲                       │                             │
 *      │                       │ it ends, or is killed as    │ it ends, or is killed as it is silent, or left;
 *      │                       │ it does not get ready       │ STOP, and it ends, or its time is over
 *      │                       ▼                             │
 *      ╰─────── wait ─────── reaped ◀────────────────────────╯
 *         HELD goes back       │
 *         to WAITING           ▼
 *                           the daemon ends: the first worker never got ready, the worker says that another one
 *                           would have no more to do, or there was an order and nothing is left to read
 *
 * Once a worker was ready there is always another one: a daemon that gives up leaves sandboxes unwatched, and they do
 * not connect again. While there is none, connections are accepted, identified and answered all the same, and wait.
 *
 * The first end is followed by a new worker at once. While workers end soon after they were ready, the wait doubles up
 * to a quarter of a second, which costs little and lets no buffer of an ordinary sandbox run over; while they do not
 * get ready at all, up to some seconds.
 *
 * The order to stop needs a worker only if there is something to read: without one, and with connections that wait,
 * one is started at once for the last pass over them. One that dies in that pass is followed by another, as far as the
 * time for stopping goes. The exit status is that of the worker which stopped, but 1 if another one died since the
 * order, or if there was none to ask.
 *
 * The child keeps no descriptor of the keeper but its ends of the control sockets and the last good configuration. If
 * the keeper dies, those sockets end, which means the same as STOP; a parent-death signal would only cut short the
 * worker's last pass.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/custody.h"
#include "keeper/faults.h"
#include "keeper/internal.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"

/* A worker whose control socket has ended is about to end; this long it may take. */
#define FAREWELL_NS (1000 * SCD__MS_NS)

/* From the order to stop to SIGKILL: the last pass over the sockets, and 5 s for outputs. */
#define STOP_NS (10000 * SCD__MS_NS)

/* From a SIGKILL that the kernel does not allow to the next. */
#define KILL_AGAIN_NS (5000 * SCD__MS_NS)

/* A worker that lived for so long after READY did not end because of how it started. */
#define SETTLED_NS (10000 * SCD__MS_NS)

/* The wait before the third in a row of workers that end quickly, and the most it doubles to. */
#define FIRST_WAIT_NS     (10 * SCD__MS_NS)
#define MOST_WAIT_NS      (250 * SCD__MS_NS)
#define MOST_LOAD_WAIT_NS (5000 * SCD__MS_NS)

int scd__worker_init(struct scd__worker *worker, size_t lane_count)
{
	worker->lane_count = lane_count;
	worker->kill_at_ns = worker->look_at_ns = worker->restart_at_ns = SCD__NEVER_NS;
	worker->lanes = calloc(lane_count, sizeof(*worker->lanes));
	worker->seat_fds = calloc(lane_count, sizeof(*worker->seat_fds));
	if (!worker->lanes || !worker->seat_fds)
		return -ENOMEM;
	for (size_t i = 0; i < lane_count; i++) {
		worker->lanes[i].control = -1;
		worker->seat_fds[i] = -1;
	}
	return 0;
}

static void release_pulses(struct scd__worker *worker)
{
	if (worker->pulses)
		munmap(worker->pulses, scd__pulse_count(worker) * sizeof(*worker->pulses));
	worker->pulses = NULL;
}

static void close_fds(struct scd__worker *worker, bool ours)
{
	for (size_t i = 0; i < worker->lane_count; i++) {
		int *fd = ours ? &worker->lanes[i].control : &worker->seat_fds[i];

		if (*fd >= 0)
			close(*fd);
		*fd = -1;
	}
}

void scd__worker_done(struct scd__worker *worker)
{
	if (worker->lanes && worker->seat_fds) {
		close_fds(worker, true);
		close_fds(worker, false);
	}
	release_pulses(worker);
	free(worker->lanes);
	free(worker->seat_fds);
	*worker = (struct scd__worker){ .pid = 0 };
}

/* Sockets and memory of a worker that is about to be forked. New ones for each: what a dead one left may be in use. */
static int make_seat(struct scd__worker *worker)
{
	void *pulses = mmap(NULL, scd__pulse_count(worker) * sizeof(*worker->pulses), PROT_READ | PROT_WRITE,
	                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (pulses == MAP_FAILED)
		return -errno;
	worker->pulses = pulses;
	worker->main_sign = (struct scd__sign){ .beat = 0 };
	for (size_t i = 0; i < worker->lane_count; i++) {
		int pair[2];
		int r = scd__custody_pair(pair);

		if (r < 0)
			return r;
		worker->lanes[i] = (struct scd__lane){ .control = pair[0] };
		worker->seat_fds[i] = pair[1];
	}
	return 0;
}

/* What a child must not keep: connections held open here would never look closed to their sandboxes. */
static void let_go_in_child(struct scd_keeper *keeper)
{
	for (size_t i = 0; i < keeper->listener_count; i++)
		scd__listener_drop(&keeper->listeners[i]);
	scd__connections_done(&keeper->connections);
	scd__signals_child(&keeper->signals);
	close_fds(&keeper->worker, true);
	if (keeper->reserve_fd >= 0)
		close(keeper->reserve_fd);
}

static void become_worker(struct scd_keeper *keeper)
{
	struct scd__worker *worker = &keeper->worker;
	const struct scd_worker_seat seat = {
		.control_fds = worker->seat_fds,
		.pulses = worker->pulses,
		.lane_count = worker->lane_count,
		.good_fd = keeper->good.good_fd,
		.keep_fd = keeper->good.keep_fd,
		.is_later = keeper->was_ready,
	};

	let_go_in_child(keeper);
	scd__faults_watch(worker->pulses, scd__pulse_count(worker));
	exit(keeper->worker_main(keeper->user, &seat));
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

int scd__worker_start(struct scd_keeper *keeper, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;
	int r = make_seat(worker);
	pid_t pid = -1;

	scd__good_prepare(&keeper->good);
	fflush(NULL);
	if (r == 0) {
		pid = fork();
		r = pid < 0 ? -errno : 0;
	}
	if (pid == 0)
		become_worker(keeper);
	close_fds(worker, false);
	if (r < 0) {
		close_fds(worker, true);
		release_pulses(worker);
		return r;
	}
	worker->pid = pid;
	worker->ready = worker->left = false;
	worker->verdict = SCD__VERDICT_NONE;
	worker->restart_at_ns = worker->look_at_ns = SCD__NEVER_NS;
	/* The first one may take its time: what it loads may be large, and nobody waits but new sandboxes' messages. */
	worker->kill_at_ns = keeper->was_ready ? now_ns + SCD_LIMIT_WORKER_LOADING_MS * SCD__MS_NS : SCD__NEVER_NS;
	if (keeper->stopping)
		worker->kill_at_ns = earlier(worker->kill_at_ns, keeper->stop_by_ns);
	keeper->counters.workers_started++;
	return 0;
}

void scd__worker_ready(struct scd_keeper *keeper, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;

	scd_log(keeper->was_ready ? SCD_LOG_NOTICE : SCD_LOG_DEBUG, "the worker is ready%s",
	        keeper->was_ready ? " again" : "");
	worker->ready = keeper->was_ready = true;
	worker->ready_ns = now_ns;
	worker->kill_at_ns = keeper->stopping ? keeper->stop_by_ns : SCD__NEVER_NS;
	scd__pulses_start(worker, now_ns);
	scd__good_accept(&keeper->good);
}

void scd__worker_leave(struct scd_keeper *keeper, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;

	if (keeper->stopping || worker->left)
		return;
	worker->left = true;
	worker->kill_at_ns = earlier(worker->kill_at_ns, now_ns + FAREWELL_NS);
}

static void end(struct scd_keeper *keeper, int status)
{
	keeper->ended = true;
	keeper->status = status;
}

/* How long to wait before another one is started; one more end is noted. */
static int64_t next_wait_ns(struct scd__worker *worker, int64_t now_ns)
{
	int64_t most_ns = worker->ready ? MOST_WAIT_NS : MOST_LOAD_WAIT_NS, wait_ns = FIRST_WAIT_NS;

	if (worker->ready && now_ns - worker->ready_ns >= SETTLED_NS)
		worker->quick_ends = 0;
	if (worker->quick_ends++ == 0)
		return 0;
	for (unsigned i = 2; i < worker->quick_ends && wait_ns < most_ns; i++)
		wait_ns *= 2;
	return earlier(wait_ns, most_ns);
}

static void plan_restart(struct scd_keeper *keeper, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;

	worker->restart_at_ns = now_ns + next_wait_ns(worker, now_ns);
	worker->ready = false;
}

static bool exited_with(int wait_status, int code)
{
	return WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == code;
}

/* It says that another one would have no more to do, and that can be true. */
static bool is_final(const struct scd_keeper *keeper, int wait_status)
{
	return exited_with(wait_status, SCD_WORKER_EXIT_FINAL) && keeper->may_be_final && keeper->may_be_final();
}

static void log_no_start(int wait_status)
{
	if (WIFEXITED(wait_status))
		scd_log(SCD_LOG_ERROR, "not started, see the errors above (the worker's exit status: %d)",
		        WEXITSTATUS(wait_status));
	else
		scd_log(SCD_LOG_ERROR, "not started: the worker was ended by signal %d before it was ready",
		        WTERMSIG(wait_status));
}

/* Whether the daemon ends with this worker; then its status is set. */
static bool is_the_end(struct scd_keeper *keeper, int wait_status)
{
	const struct scd__worker *worker = &keeper->worker;
	bool ordered = keeper->stopping && scd__lanes_told_to_stop(worker) && WIFEXITED(wait_status);

	if (is_final(keeper, wait_status)) {
		scd_log(SCD_LOG_ERROR, "the worker ended, as another one would have no more to do: the daemon ends");
		end(keeper, 1);
	} else if (ordered) {
		scd_log(SCD_LOG_INFO, "the worker has stopped (exit status %d)", WEXITSTATUS(wait_status));
		end(keeper, keeper->stop_failed ? 1 : WEXITSTATUS(wait_status));
	} else if (!keeper->was_ready) {
		log_no_start(wait_status);
		end(keeper, 1);
	} else if (worker->verdict == SCD__VERDICT_LATE)
		end(keeper, 1);
	return keeper->ended;
}

/* is_last: no other one follows. */
static void log_death(const struct scd_keeper *keeper, int wait_status, bool is_last, int64_t now_ns)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(10);
	const struct scd__worker *worker = &keeper->worker;
	const size_t count = keeper->connections.count;
	bool exited = WIFEXITED(wait_status);
	char next[128] = "no connection is left to read, and no other one follows";

	if (!is_last)
		snprintf(next, sizeof(next), "another one follows in %" PRId64 " ms and gets its %zu connection%s",
		         (worker->restart_at_ns - now_ns) / SCD__MS_NS, count, count == 1 ? "" : "s");
	scd_log_gated(&gate, SCD_LOG_ERROR, "the worker ended %s (%s %d); %s",
	              keeper->stopping ? "while it stopped" : "without an order", exited ? "exit status" : "signal",
	              exited ? WEXITSTATUS(wait_status) : WTERMSIG(wait_status), next);
}

void scd__worker_reap(struct scd_keeper *keeper, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;
	int wait_status;
	bool is_last;

	if (worker->pid <= 0 || waitpid(worker->pid, &wait_status, WNOHANG) != worker->pid)
		return;
	scd__lanes_hear_last(keeper, now_ns);
	worker->pid = 0;
	if (is_the_end(keeper, wait_status))
		return;
	keeper->counters.workers_died++;
	keeper->stop_failed = keeper->stopping;
	scd__pulses_blame(keeper, wait_status, now_ns);
	scd__lanes_take_back(keeper);
	release_pulses(worker);
	worker->kill_at_ns = worker->look_at_ns = SCD__NEVER_NS;
	plan_restart(keeper, now_ns);
	is_last = keeper->stopping && !scd__connections_first(&keeper->connections, SCD__CONNECTION_WAITING);
	log_death(keeper, wait_status, is_last, now_ns);
	if (is_last)
		end(keeper, 1);
}

void scd__worker_begin_stop(struct scd_keeper *keeper, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;

	keeper->stop_by_ns = now_ns + STOP_NS;
	if (worker->pid > 0)
		worker->kill_at_ns = earlier(worker->kill_at_ns, keeper->stop_by_ns);
	else if (scd__connections_first(&keeper->connections, SCD__CONNECTION_WAITING))
		worker->restart_at_ns = now_ns;
	else
		end(keeper, 1);
}

static const char *reason_of(enum scd__verdict verdict)
{
	switch (verdict) {
	case SCD__VERDICT_SILENT: return "shows no sign of life";
	case SCD__VERDICT_UNREADY: return "does not get ready";
	case SCD__VERDICT_LEFT: return "closed its control socket";
	default: return "does not stop";
	}
}

/*
 * It lives on, so its connections stay its own: two must not read one socket. It is looked at again; one that comes
 * back to life is left alone. At the end of the stop there is nothing to wait for: it sees its control sockets end.
 */
static void spare(struct scd_keeper *keeper, enum scd__verdict verdict, int error, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;

	scd_log(SCD_LOG_ERROR, "the worker %s, and this process cannot kill it: %s%s", reason_of(verdict),
	        strerror(error), error == EPERM ? " (it takes CAP_KILL)" : "");
	if (verdict == SCD__VERDICT_LATE)
		end(keeper, 1);
	else if (verdict == SCD__VERDICT_SILENT)
		worker->look_at_ns = now_ns + KILL_AGAIN_NS;
	else
		worker->kill_at_ns = now_ns + KILL_AGAIN_NS;
}

void scd__worker_kill(struct scd_keeper *keeper, enum scd__verdict verdict, int64_t now_ns)
{
	struct scd__worker *worker = &keeper->worker;

	if (kill(worker->pid, SIGKILL) < 0 && errno != ESRCH) {
		spare(keeper, verdict, errno, now_ns);
		return;
	}
	scd_log(SCD_LOG_ERROR, "the worker %s: it is killed", reason_of(verdict));
	worker->verdict = verdict;
	worker->kill_at_ns = worker->look_at_ns = SCD__NEVER_NS;
	keeper->counters.workers_killed++;
}

/* Its patience is over. */
static void run_out(struct scd_keeper *keeper, int64_t now_ns)
{
	if (keeper->stopping && now_ns >= keeper->stop_by_ns)
		scd__worker_kill(keeper, SCD__VERDICT_LATE, now_ns);
	else
		scd__worker_kill(keeper, keeper->worker.left ? SCD__VERDICT_LEFT : SCD__VERDICT_UNREADY, now_ns);
}

static void restart(struct scd_keeper *keeper, int64_t now_ns)
{
	static struct scd_log_gate gate = SCD_LOG_GATE(1);
	int r = scd__worker_start(keeper, now_ns);

	if (r == 0)
		return;
	scd_log_gated(&gate, SCD_LOG_ERROR, "cannot start a worker: %s", strerror(-r));
	plan_restart(keeper, now_ns);
}

void scd__worker_keep_time(struct scd_keeper *keeper, int64_t now_ns)
{
	const struct scd__worker *worker = &keeper->worker;

	if (keeper->ended)
		return;
	if (worker->pid > 0 && now_ns >= worker->kill_at_ns)
		run_out(keeper, now_ns);
	else if (worker->pid > 0 && now_ns >= worker->look_at_ns)
		scd__pulses_look(keeper, now_ns);
	else if (worker->pid <= 0 && keeper->stopping && now_ns >= keeper->stop_by_ns)
		end(keeper, 1);
	else if (worker->pid <= 0 && now_ns >= worker->restart_at_ns)
		restart(keeper, now_ns);
}

int64_t scd__worker_due_ns(const struct scd_keeper *keeper)
{
	const struct scd__worker *worker = &keeper->worker;

	if (worker->pid > 0)
		return earlier(worker->kill_at_ns, worker->look_at_ns);
	return keeper->stopping ? earlier(worker->restart_at_ns, keeper->stop_by_ns) : worker->restart_at_ns;
}
