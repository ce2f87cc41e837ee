/*
 * A keeper in a process of its own, with worker mains that are not the real one.
 *
 *    set_up → keeper_world_start → (test, worker and keeper tell each other things) → …_stop or …_finish → tear_down
 *
 * The test program, the keeper and its workers see one struct keeper_shared.
 */
#ifndef SCD_TESTS_SUPPORT_KEEPER_WORLD_H
#define SCD_TESTS_SUPPORT_KEEPER_WORLD_H

#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "seccheckd/keeper/keeper.h"
#include "seccheckd/wire/custody.h"
#include "tests/support/tempdir.h"

/* In memory that all of them share. */
struct keeper_shared {
	_Atomic unsigned starts; /* of workers: each main calls keeper_world_enter */
	_Atomic unsigned order;  /* for the test and the worker mains, as they like */
};

/* What the keeper and its worker tell the test. */
struct keeper_report {
	char from; /* 'L' the keeper listens, 'W' the worker, 'K' the keeper at its end; others as tests like */
	uint64_t value;
	uint64_t id;
	bool resumed;
	uint8_t nonce[SCD_CUSTODY_NONCE_BYTES];
	struct scd_keeper_counters counters; /* with K */
};

struct keeper_world {
	struct tempdir dir;
	const char *path;
	scd_worker_main_fn *worker_main; /* its user is this struct */
	struct keeper_shared *shared;
	size_t lane_count; /* 0: as the keeper has it */
	bool (*may_be_final)(void);
	rlim_t descriptors; /* its limit; 0: as it is */
	int wasted;         /* descriptors that it opens besides */
	int reports[2];     /* SEQPACKET: [0] the test's, [1] theirs */
	pid_t pid;
};

/* For cmocka: state becomes the struct keeper_world. */
int keeper_world_set_up(void **state);
int keeper_world_tear_down(void **state);

/* Starts it; returns when it listens. Asserts. */
void keeper_world_start(struct keeper_world *world, scd_worker_main_fn *worker_main);

/* Waits for the keeper's end with this exit status; its counters. Asserts that its socket is gone. */
struct scd_keeper_counters keeper_world_finish(struct keeper_world *world, int status);

/* The same after SIGTERM. */
struct scd_keeper_counters keeper_world_stop(struct keeper_world *world, int status);

/* Waits for the next report of this kind; asserts that it comes. Others are skipped. */
struct keeper_report keeper_world_next(struct keeper_world *world, char from);

/* In worker mains; nothing asserts there. */

/* Which worker this is: 1 for the first. */
unsigned keeper_world_enter(const struct keeper_world *world);

void keeper_world_report(const struct keeper_world *world, const struct keeper_report *report);

/* A report W with this value. */
void keeper_world_say(const struct keeper_world *world, uint64_t value);

/*
 * Waits for the next control message; false at the end of the socket. Its descriptor is in ret_fd, for the caller to
 * close; NULL: it is closed.
 */
bool keeper_world_hear(int control_fd, struct scd_custody *ret_message, int *ret_fd);

void keeper_world_tell(int control_fd, enum scd_custody_kind kind, uint64_t id);

/* READY on every lane. */
void keeper_world_tell_ready(const struct scd_worker_seat *seat);

/* Longer than any deadline of a test, but not for ever: a test that fails leaves no process behind. */
int keeper_world_hang(void);

#endif
