/*
 * The keeper's life: open, poll, close.
 *
 *    poll ─▶ handshakes ─▶ worker's messages ─▶ listeners ─▶ signals ─▶ deadlines ─▶ hand over ─▶ poll …
 *
 * One array for poll(2) is filled anew in each turn:
 *
 *    0         1 …                  1 + lanes …    1 + lanes + listeners …
 *    signals   control of lanes     listeners      connections in GREETING, then QUARANTINED, as in their lists
 *
 * Connections that were answered are not polled: their sockets are the worker's to read, and would be readable all
 * the time. So a turn costs what is in flight, not what is connected. Of those in quarantine, only the end of the peer
 * is waited for.
 *
 * SIGTERM and SIGINT stop: listeners close, handshakes under way are dropped, the worker gets its last connections
 * and STOP. SIGUSR1 logs the counters, also those of the worker. SIGHUP and SIGUSR2 are logged and otherwise ignored;
 * their default would end the daemon, which sandboxes never get over: they do not connect again.
 */
#include "seccheckd/keeper/keeper.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "keeper/internal.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/counters.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/base/log.h"
#include "seccheckd/base/peer_socket.h"

/*
 * Descriptors of keeper and worker that are not connections, for each of the two. The worker has more of them: about 20
 * with all its outputs, and what name look-ups take.
 */
#define OTHER_DESCRIPTORS 64u

/* Of the worker, for each lane but the first: its control socket, its loop, its timers. */
#define LANE_DESCRIPTORS 12u

enum { POLL_SIGNALS, POLL_LANES };

/*
 * How many connections the limit on descriptors allows; a shell's usual soft limit of 1024 is raised. Keeper and worker
 * have one of each, so that who was answered is also served. 0 or negative errno.
 */
static int find_connection_limit(const struct scd_keeper_options *options, size_t *ret_count, struct scd_error *err)
{
	const size_t more_lanes = options->lane_count > 1 ? options->lane_count - 1 : 0;
	const rlim_t others = OTHER_DESCRIPTORS + options->listen_count + LANE_DESCRIPTORS * more_lanes;
	const rlim_t wanted = SCD_LIMIT_CONNECTIONS + others;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return scd_error_set(err, -errno, "cannot ask for the limit on descriptors: %s", strerror(errno));
	if (limit.rlim_cur < wanted) {
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur <= others) {
		scd_error_set(err, -EMFILE, "the limit of %ju descriptors leaves none for connections",
		              (uintmax_t)limit.rlim_cur);
		scd_error_hint(err, "raise it (ulimit -Hn, or LimitNOFILE of the service) to %ju", (uintmax_t)wanted);
		return -EMFILE;
	}
	*ret_count = limit.rlim_cur < wanted ? limit.rlim_cur - others : SCD_LIMIT_CONNECTIONS;
	if (*ret_count < SCD_LIMIT_CONNECTIONS)
		scd_log(SCD_LOG_NOTICE, "the limit of %ju descriptors allows %zu connections",
		        (uintmax_t)limit.rlim_cur, *ret_count);
	return 0;
}

/* The table of connections, as large as it may be. */
static int open_table(struct scd_keeper *keeper, const struct scd_keeper_options *options, struct scd_error *err)
{
	size_t limit = 0;
	int r = find_connection_limit(options, &limit, err);

	if (r < 0)
		return r;
	r = scd__connections_init(&keeper->connections, limit);
	return r < 0 ? scd_error_set(err, r, "out of memory") : 0;
}

static void close_listeners(struct scd_keeper *keeper)
{
	for (size_t i = 0; i < keeper->listener_count; i++)
		scd__listener_close(&keeper->listeners[i]);
}

static int open_listeners(struct scd_keeper *keeper, const struct scd_keeper_options *options, struct scd_error *err)
{
	keeper->paths = calloc(options->listen_count, sizeof(*keeper->paths));
	keeper->listeners = calloc(options->listen_count, sizeof(*keeper->listeners));
	if (options->listen_count && (!keeper->paths || !keeper->listeners))
		return scd_error_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < options->listen_count; i++) {
		int r;

		keeper->paths[i] = strdup(options->listen_paths[i]);
		if (!keeper->paths[i])
			return scd_error_set(err, -ENOMEM, "out of memory");
		keeper->listeners[i].fd = -1;
		keeper->listener_count = i + 1;
		r = scd__listener_open(&keeper->listeners[i], keeper->paths[i], err);
		if (r == 0 && options->allowed_uid_count)
			r = scd__listener_admit(&keeper->listeners[i], options->allowed_uids,
			                        options->allowed_uid_count, err);
		if (r < 0)
			return r;
		scd_log(SCD_LOG_INFO, "listening on %s", keeper->paths[i]);
	}
	if (keeper->listener_count && !scd_peer_socket_refuses_descriptors(keeper->listeners[0].fd))
		scd_log(SCD_LOG_NOTICE, "this kernel does not refuse descriptors that senders pass along (Linux 6.16 "
		                        "does): they are closed when they come, and their connections with them");
	return 0;
}

int scd_keeper_new(const struct scd_keeper_options *options, struct scd_keeper **ret_keeper, struct scd_error *err)
{
	struct scd_keeper *keeper = calloc(1, sizeof(*keeper));
	int r;

	if (!keeper)
		return scd_error_set(err, -ENOMEM, "out of memory");
	keeper->may_be_final = options->may_be_final;
	keeper->reserve_fd = -1;
	keeper->stop_by_ns = SCD__NEVER_NS;
	scd__good_init(&keeper->good);
	r = scd__signals_open(&keeper->signals);
	if (r < 0) {
		free(keeper);
		return scd_error_set(err, r, "cannot receive signals: %s", strerror(-r));
	}
	r = scd__inspector_init(&keeper->inspector, options);
	if (!r)
		r = scd__worker_init(&keeper->worker, options->lane_count ? options->lane_count : 1);
	if (r < 0)
		scd_error_set(err, r, "out of memory");
	if (!r)
		r = open_table(keeper, options, err);
	if (!r)
		r = open_listeners(keeper, options, err);
	if (r < 0) {
		scd_keeper_free(&keeper);
		return r;
	}
	*ret_keeper = keeper;
	return 0;
}

void scd_keeper_free(struct scd_keeper **keeper)
{
	struct scd_keeper *k = keeper ? *keeper : NULL;

	if (!k)
		return;
	close_listeners(k);
	for (size_t i = 0; i < k->listener_count; i++)
		free(k->paths[i]);
	free(k->paths);
	free(k->listeners);
	scd__connections_done(&k->connections);
	scd__inspector_done(&k->inspector);
	scd__worker_done(&k->worker);
	scd__good_done(&k->good);
	if (k->reserve_fd >= 0)
		close(k->reserve_fd);
	scd__signals_close(&k->signals);
	free(k);
	*keeper = NULL;
}

const struct scd_keeper_counters *scd_keeper_counters(const struct scd_keeper *keeper)
{
	return &keeper->counters;
}

static void log_counters(const struct scd_keeper *keeper, bool asked)
{
	const struct scd_counter rows[] = {
#define X(member, help) { #member, help, keeper->counters.member },
		SCD_KEEPER_COUNTERS(X)
#undef X
	};

	scd_counters_log("keeper", rows, SCD_COUNT(rows), asked);
}

/* The worker does the same when it gets the signal. */
static void log_all_counters(const struct scd_keeper *keeper)
{
	log_counters(keeper, true);
	if (keeper->worker.pid > 0)
		kill(keeper->worker.pid, SIGUSR1);
}

static void begin_stop(struct scd_keeper *keeper, int64_t now_ns)
{
	if (keeper->stopping)
		return;
	scd_log(SCD_LOG_NOTICE, "stopping");
	keeper->stopping = true;
	close_listeners(keeper);
	scd__connections_remove_all(&keeper->connections, SCD__CONNECTION_GREETING);
	scd__worker_begin_stop(keeper, now_ns);
}

static void on_signals(struct scd_keeper *keeper, int64_t now_ns)
{
	int signal;

	while ((signal = scd__signals_next(&keeper->signals))) {
		switch (signal) {
		case SIGCHLD: scd__worker_reap(keeper, now_ns); break;
		case SIGHUP: scd_log(SCD_LOG_WARNING, "SIGHUP is ignored: rules are read at start only"); break;
		case SIGUSR1: log_all_counters(keeper); break;
		case SIGUSR2: scd_log(SCD_LOG_WARNING, "SIGUSR2 is ignored"); break;
		default: begin_stop(keeper, now_ns);
		}
	}
}

/* One entry for each connection of a state. */
static nfds_t fill_connections(const struct scd_keeper *keeper, struct pollfd *polls, enum scd__connection_state state,
                               short events)
{
	const struct scd__connection *connection = scd__connections_first(&keeper->connections, state);
	nfds_t count = 0;

	for (; connection; connection = TAILQ_NEXT(connection, link))
		polls[count++] = (struct pollfd){ .fd = connection->fd, .events = events };
	return count;
}

/* Fills the array; the number of entries. An entry with a negative descriptor is skipped by poll(2). */
static nfds_t fill_polls(const struct scd_keeper *keeper, struct pollfd *polls, int64_t now_ns)
{
	const struct scd__worker *worker = &keeper->worker;
	bool accepting = !keeper->stopping && keeper->accept_after_ns <= now_ns;
	nfds_t count = POLL_LANES;

	polls[POLL_SIGNALS] = (struct pollfd){ .fd = keeper->signals.fd, .events = POLLIN };
	for (size_t i = 0; i < worker->lane_count; i++)
		polls[count++] = (struct pollfd){ .fd = worker->lanes[i].control,
			                          .events = worker->lanes[i].full ? POLLIN | POLLOUT : POLLIN };
	for (size_t i = 0; i < keeper->listener_count; i++)
		polls[count++] = (struct pollfd){ .fd = accepting ? keeper->listeners[i].fd : -1, .events = POLLIN };
	count += fill_connections(keeper, polls + count, SCD__CONNECTION_GREETING, POLLIN);
	/* The end of a peer is reported unasked. */
	return count + fill_connections(keeper, polls + count, SCD__CONNECTION_QUARANTINED, 0);
}

static int64_t earlier(int64_t a_ns, int64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

/* Milliseconds until something is due, rounded up; -1 for never. */
static int timeout_ms(const struct scd_keeper *keeper, int64_t now_ns)
{
	const struct scd__connection *oldest = scd__connections_first(&keeper->connections, SCD__CONNECTION_GREETING);
	int64_t due_ns = scd__worker_due_ns(keeper);

	if (oldest)
		due_ns = earlier(due_ns, oldest->deadline_ns);
	if (keeper->accept_after_ns > now_ns)
		due_ns = earlier(due_ns, keeper->accept_after_ns);
	if (keeper->hand_over_after_ns > now_ns)
		due_ns = earlier(due_ns, keeper->hand_over_after_ns);
	if (due_ns == SCD__NEVER_NS)
		return -1;
	return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns + 999999) / 1000000);
}

/* Connections first: the lists must still be those that the array was filled from. */
static void look_at_connections(struct scd_keeper *keeper, const struct pollfd *polls)
{
	struct scd__connection *greeting = scd__connections_first(&keeper->connections, SCD__CONNECTION_GREETING);
	struct scd__connection *quiet = scd__connections_first(&keeper->connections, SCD__CONNECTION_QUARANTINED);
	struct scd__connection *next;

	for (; greeting; greeting = next, polls++) {
		next = TAILQ_NEXT(greeting, link);
		if (polls->revents)
			scd__keeper_greet(keeper, greeting);
	}
	for (; quiet; quiet = next, polls++) {
		next = TAILQ_NEXT(quiet, link);
		if (polls->revents)
			scd__keeper_forget(keeper, quiet);
	}
}

static void dispatch(struct scd_keeper *keeper, const struct pollfd *polls, int64_t now_ns)
{
	const size_t lane_count = keeper->worker.lane_count;
	const struct pollfd *of_listeners = polls + POLL_LANES + lane_count;

	look_at_connections(keeper, of_listeners + keeper->listener_count);
	for (size_t i = 0; i < lane_count; i++) {
		if (polls[POLL_LANES + i].revents)
			scd__lane_hear(keeper, i, now_ns);
	}
	for (size_t i = 0; i < keeper->listener_count; i++) {
		if (of_listeners[i].revents)
			scd__keeper_accept(keeper, &keeper->listeners[i], now_ns);
	}
	if (polls[POLL_SIGNALS].revents)
		on_signals(keeper, now_ns);
}

static void serve(struct scd_keeper *keeper, struct pollfd *polls)
{
	while (!keeper->ended) {
		int64_t now_ns = scd_clock_mono_ns();
		nfds_t count = fill_polls(keeper, polls, now_ns);
		int ready = poll(polls, count, timeout_ms(keeper, now_ns));

		now_ns = scd_clock_mono_ns();
		if (ready > 0)
			dispatch(keeper, polls, now_ns);
		scd__keeper_expire(keeper, now_ns);
		scd__worker_keep_time(keeper, now_ns);
		scd__lanes_hand_over(keeper, now_ns);
	}
}

static void finish(struct scd_keeper *keeper)
{
	close_listeners(keeper);
	scd__lanes_take_back(keeper);
	for (int state = SCD__CONNECTION_GREETING; state < SCD__CONNECTION_STATES; state++)
		scd__connections_remove_all(&keeper->connections, (enum scd__connection_state)state);
}

int scd_keeper_run(struct scd_keeper *keeper, scd_worker_main_fn *worker_main, void *user)
{
	size_t poll_count = POLL_LANES + keeper->worker.lane_count + keeper->listener_count + keeper->connections.limit;
	struct pollfd *polls = calloc(poll_count, sizeof(*polls));
	int r = -ENOMEM;

	keeper->worker_main = worker_main;
	keeper->user = user;
	keeper->status = 1;
	if (polls)
		r = scd__worker_start(keeper, scd_clock_mono_ns());
	if (r < 0)
		scd_log(SCD_LOG_ERROR, "cannot start the worker: %s", strerror(-r));
	else
		serve(keeper, polls);
	finish(keeper);
	log_counters(keeper, false);
	free(polls);
	return keeper->status;
}
