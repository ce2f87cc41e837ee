/*
 * A net whose sink only counts, with the keeper's part played by the test: for tests of when sessions are read.
 *
 *    net_world_open → net_world_connect …, drive the loop → net_world_close
 */
#ifndef SCD_TESTS_SUPPORT_NET_WORLD_H
#define SCD_TESTS_SUPPORT_NET_WORLD_H

#include "seccheckd/net/net.h"

#define NET_WORLD_STREAMS 16u

struct net_world {
	uv_loop_t loop;
	struct scd_pulse pulse;
	struct scd_net *net;
	int keeper; /* our end of the control socket */
	/* Of the connection with this id, which is also its place: */
	unsigned messages[NET_WORLD_STREAMS];
	unsigned silents[NET_WORLD_STREAMS];
	unsigned unwatched[NET_WORLD_STREAMS];
	int answer;                          /* of the sink to every message */
	uint64_t reading[NET_WORLD_STREAMS]; /* what the pulse said that is being read while its last message came */
	bool stopped;
};

/* Fails the test when it cannot. */
void net_world_open(struct net_world *world);

/* Fails the test when the loop does not close clean. */
void net_world_close(struct net_world *world);

/* A connection of this id (below NET_WORLD_STREAMS) as the keeper hands it over; the peer's end. */
int net_world_connect(struct net_world *world, uint64_t id, uint32_t sndbuf_bytes);

/* Says of a connection that it is in quarantine, as the keeper would. */
void net_world_say_quarantined(struct net_world *world, uint64_t id);

/* Says stop, as the keeper would. */
void net_world_say_stop(struct net_world *world);

#endif
