/*
 * The keeper's own struct, and the three parts of its life. Inside server/keeper only.
 *
 *    keeper.c   opens, polls, closes
 *    greet.c    from the listener to the end of the handshake
 *    worker.c   the worker's life, and connections on their way to it and back
 */
#ifndef SCD_SERVER_KEEPER_INTERNAL_H
#define SCD_SERVER_KEEPER_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "keeper/connections.h"
#include "keeper/inspect.h"
#include "keeper/listener.h"
#include "keeper/signals.h"
#include "seccheckd/keeper/keeper.h"

#define SCD__NEVER_NS INT64_MAX

/* Want of kernel memory or descriptors ends without telling us: look again after this time. */
#define SCD__RETRY_NS (100 * INT64_C(1000000))

struct scd__worker {
	pid_t pid;   /* 0: there is none */
	int control; /* our end of the control socket; -1: closed */
	bool ready;  /* it said so */
	bool full;   /* the control socket took no more: poll it for room */
};

struct scd_keeper {
	char **paths; /* outlive listeners and connections */
	struct scd__listener *listeners;
	size_t listener_count;
	int reserve_fd; /* given up to accept, and refuse, when there are no descriptors left; -1: gone */
	struct scd__connections connections;
	struct scd__inspector inspector;
	struct scd__signals signals;
	struct scd__worker worker;
	bool stopping;              /* no connection is accepted any more */
	bool stop_sent;             /* the worker was told */
	int status;                 /* the exit status, once the worker is gone */
	int64_t accept_after_ns;    /* accepting is suspended until then; 0: it is not */
	int64_t hand_over_after_ns; /* the same for giving to the worker */
	int64_t kill_at_ns;         /* when a worker that was told to stop is killed */
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

/* Forks. 0 or negative errno. In the child it does not return. */
int scd__keeper_start_worker(struct scd_keeper *keeper, scd_worker_main_fn *worker_main, void *user);

/* Gives the worker what it takes, and the order to stop behind the last connection. */
void scd__keeper_hand_over(struct scd_keeper *keeper, int64_t now_ns);

/* Reads the control socket. */
void scd__keeper_hear(struct scd_keeper *keeper, int64_t now_ns);

/* Collects the worker if it has ended: then worker.pid is 0 and status is set. */
void scd__keeper_reap(struct scd_keeper *keeper);

/* Kills the worker if its time is over. */
void scd__keeper_enforce_stop(struct scd_keeper *keeper, int64_t now_ns);

#endif
