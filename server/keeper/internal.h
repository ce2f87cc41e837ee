/*
 * The keeper's own struct, and the parts of its life. Inside server/keeper only.
 *
 *    keeper.c   opens, polls, closes
 *    greet.c    from the listener to the end of the handshake
 *    worker.c   the worker's life: started, ended, started again
 *    lanes.c    connections on their way to the worker and back
 *    pulses.c   signs of life, and who is to blame for a worker's end
 *    faults.c   in the worker: which thread it is that crashes
 *    good.c     the last good configuration, kept for the next worker
 */
#ifndef SCD_SERVER_KEEPER_INTERNAL_H
#define SCD_SERVER_KEEPER_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "keeper/connections.h"
#include "keeper/good.h"
#include "keeper/inspect.h"
#include "keeper/listener.h"
#include "keeper/signals.h"
#include "seccheckd/keeper/keeper.h"

#define SCD__NEVER_NS INT64_MAX

#define SCD__MS_NS INT64_C(1000000)

/* Want of kernel memory or descriptors ends without telling us: look again after this time. */
#define SCD__RETRY_NS (100 * SCD__MS_NS)

/* What is seen of a pulse. */
struct scd__sign {
	uint64_t beat;   /* when we last looked */
	int64_t beat_ns; /* when we first saw that */
	bool silent;     /* it has been the same for too long */
};

/* One of the worker's threads that read, as the keeper sees it. */
struct scd__lane {
	int control;             /* our end of its control socket; -1: closed */
	bool ready;              /* it said so */
	bool full;               /* the control socket took no more: poll it for room */
	bool stop_sent;          /* it was told */
	size_t connection_count; /* that it holds */
	struct scd__sign sign;
};

/* Why we killed it. */
enum scd__verdict {
	SCD__VERDICT_NONE,    /* we did not */
	SCD__VERDICT_SILENT,  /* a thread showed no sign of life */
	SCD__VERDICT_UNREADY, /* it did not get ready */
	SCD__VERDICT_LEFT,    /* it closed a control socket and did not end */
	SCD__VERDICT_LATE,    /* it did not stop in time */
};

struct scd__worker {
	pid_t pid; /* 0: there is none */
	struct scd__lane *lanes;
	size_t lane_count;
	int *seat_fds; /* the worker's ends of the control sockets, while it is forked; -1: closed */
	struct scd_pulse
	        *pulses; /* in memory that is shared: of the lanes, and last of the main thread. NULL: no worker */
	struct scd__sign main_sign;
	bool ready; /* every lane said so */
	bool left;  /* a control socket has ended without an order: nothing is given to it any more */
	enum scd__verdict verdict;
	int64_t ready_ns;      /* when it became ready */
	int64_t kill_at_ns;    /* when its patience is over */
	int64_t look_at_ns;    /* when its pulses are looked at again */
	int64_t restart_at_ns; /* while there is none: when another one is started */
	unsigned quick_ends;   /* in a row: ends soon after READY, or before it */
};

struct scd_keeper {
	char **paths; /* outlive listeners and connections */
	struct scd__listener *listeners;
	size_t listener_count;
	int reserve_fd; /* given up to accept, and refuse, when there are no descriptors left; -1: gone */
	struct scd__connections connections;
	struct scd__inspector inspector;
	struct scd__signals signals;
	bool (*may_be_final)(void);
	scd_worker_main_fn *worker_main;
	void *user; /* its */
	struct scd__worker worker;
	struct scd__good good;
	bool was_ready;             /* some worker was: from then on there is always another one */
	bool stopping;              /* no connection is accepted any more */
	bool stop_failed;           /* a worker died since then */
	bool ended;                 /* nothing is left to do, and status is set */
	int status;                 /* the exit status */
	int64_t stop_by_ns;         /* when what still stops is killed */
	int64_t accept_after_ns;    /* accepting is suspended until then; 0: it is not */
	int64_t hand_over_after_ns; /* the same for giving to the worker */
	struct scd_keeper_counters counters;
};

/* greet.c */

/* Accepts what waits at a listener, a bounded number of connections, and greets each at once. */
void scd__keeper_accept(struct scd_keeper *keeper, const struct scd__listener *listener, int64_t now_ns);

/* The peer may have sent its handshake: afterwards the connection is GREETING, WAITING or gone. */
void scd__keeper_greet(struct scd_keeper *keeper, struct scd__connection *connection);

/* Closes a connection and gives back what it has. */
void scd__keeper_forget(struct scd_keeper *keeper, struct scd__connection *connection);

/* Ends the handshakes whose time is over. */
void scd__keeper_expire(struct scd_keeper *keeper, int64_t now_ns);

/* worker.c */

/* An all-zero worker becomes one that is not there. 0 or -ENOMEM; done is due in both cases. */
int scd__worker_init(struct scd__worker *worker, size_t lane_count);
void scd__worker_done(struct scd__worker *worker);

/* Forks. 0 or negative errno. In the child it does not return. */
int scd__worker_start(struct scd_keeper *keeper, int64_t now_ns);

/* Collects the worker if it has ended, and decides what follows: another one, later, or the end of the daemon. */
void scd__worker_reap(struct scd_keeper *keeper, int64_t now_ns);

/* The keeper was told to stop: what becomes of the worker, or of its absence. */
void scd__worker_begin_stop(struct scd_keeper *keeper, int64_t now_ns);

/* Kills the worker if its time is over; starts another one if it is time to. */
void scd__worker_keep_time(struct scd_keeper *keeper, int64_t now_ns);

/* When keep_time is due next; SCD__NEVER_NS: not before something else happens. */
int64_t scd__worker_due_ns(const struct scd_keeper *keeper);

/* A control socket has ended. */
void scd__worker_leave(struct scd_keeper *keeper, int64_t now_ns);

/* Kills it, and says why. Where the kernel does not allow that, says so, and tries again later. */
void scd__worker_kill(struct scd_keeper *keeper, enum scd__verdict verdict, int64_t now_ns);

/* The last lane said READY. */
void scd__worker_ready(struct scd_keeper *keeper, int64_t now_ns);

/* pulses.c */

/* How many pulses a worker has. */
static inline size_t scd__pulse_count(const struct scd__worker *worker)
{
	return worker->lane_count + 1;
}

/* The worker is ready: its threads are watched from now on. */
void scd__pulses_start(struct scd__worker *worker, int64_t now_ns);

/* It is look_at_ns: a worker of which a thread is silent is killed. */
void scd__pulses_look(struct scd_keeper *keeper, int64_t now_ns);

/* The worker has ended without an order: who may have caused it gets a strike, and is quarantined at the last one. */
void scd__pulses_blame(struct scd_keeper *keeper, int wait_status, int64_t now_ns);

/* lanes.c */

/* Gives the lanes what they take, and the order to stop behind the last connection. */
void scd__lanes_hand_over(struct scd_keeper *keeper, int64_t now_ns);

/* Reads a control socket, a bounded number of messages. */
void scd__lane_hear(struct scd_keeper *keeper, size_t lane, int64_t now_ns);

/* The worker has ended: what it said before is heard. */
void scd__lanes_hear_last(struct scd_keeper *keeper, int64_t now_ns);

/* Behind that: its control sockets are closed, and what it held is WAITING. */
void scd__lanes_take_back(struct scd_keeper *keeper);

/* Whether every lane has the order to stop. */
bool scd__lanes_told_to_stop(const struct scd__worker *worker);

#endif
