/*
 * A misbehaving client beside a good one, under a daemon of its own: the good one is answered without delay, all its
 * messages are evaluated, and the daemon lives to its ordered end.
 */
#ifndef SCD_TESTS_SUPPORT_HOSTILE_H
#define SCD_TESTS_SUPPORT_HOSTILE_H

#include "tests/support/serve.h"

/* No decoded point has this type. */
#define HOSTILE_UNKNOWN_TYPE 40000

/* What the good client does: so many messages, each of which is an alert with this text in it. */
#define HOSTILE_GOOD_MESSAGES 50
#define HOSTILE_GOOD_ALERT    "Good program ran"

struct scene {
	struct serve serve;
	int open[128];
	size_t open_count;
	uint64_t sent; /* messages of the hostile side, behind handshakes that were answered */
};

/* One row of a table: who does what, and what the daemon counts of it. */
struct hostile {
	const char *name;
	void (*act)(struct scene *scene);
	uint64_t refused; /* by the keeper */
	uint64_t bad_frames, bad_payloads, unknown_types, resets;
	uint64_t bad_at_least; /* not 0: what is bad is random, but there are so many, frames and payloads together */
};

/* Setup and teardown of cmocka: the state is a scene without a daemon. */
int scene_set_up(void **state);
int scene_tear_down(void **state);

/* Starts the daemon of the scene. */
void scene_start(struct scene *scene);

/* One daemon for each row, with a good client that came before and one that came after. Fails the test. */
void scene_play(struct scene *scene, const struct hostile *rows, size_t count);

/* A new connection of the hostile side, closed at the end at the latest: without, and with the handshake done. */
int hostile_connect(struct scene *scene);
int hostile_join(struct scene *scene);
void hostile_close(struct scene *scene);

/* Behind a handshake. */
void hostile_send(struct scene *scene, int fd, const void *message, size_t len);
void hostile_send_header(struct scene *scene, int fd, uint16_t type);

/* A good client that joined: how it is answered is the test. Then, what it does. */
int good_join(const struct scene *scene);
void good_act(int fd);

#endif
