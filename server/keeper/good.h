/*
 * The last good configuration, in a form that only workers read: two memfds that outlive them. Inside server/keeper
 * only.
 *
 *    prepare → (start of a worker) → accept, when it is ready, or abandon, when it ends without
 *
 * The keeper does not look into it. What makes it good is that the worker which wrote it became ready with it, before
 * any connection was given to it; what keeps it good is that the worker sealed it, so that nothing a sandbox does to
 * that worker later can change it.
 */
#ifndef SCD_SERVER_KEEPER_GOOD_H
#define SCD_SERVER_KEEPER_GOOD_H

struct scd__good {
	int good_fd; /* sealed; -1: there is none yet */
	int keep_fd; /* the worker of now may write it; -1: it has nothing to write */
};

void scd__good_init(struct scd__good *good);

/* Closes both. */
void scd__good_done(struct scd__good *good);

/* Before a worker is started: without a good one, there is an empty one to write. A failure is logged. */
void scd__good_prepare(struct scd__good *good);

/* What was written is good from now on, if it is sealed; if not, the next worker writes again. */
void scd__good_accept(struct scd__good *good);

/* What was written is forgotten. */
void scd__good_abandon(struct scd__good *good);

#endif
