/* Streams are the places of the array `messages`. */
#include "tests/support/net_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/loop.h"
#include "tests/support/peer.h"

static size_t id_of(const struct net_world *world, const void *stream)
{
	return (size_t)((const unsigned *)stream - world->messages);
}

static void *open_stream(void *user, const struct scd_custody *connection)
{
	struct net_world *world = user;

	return connection->connection_id < NET_WORLD_STREAMS ? &world->messages[connection->connection_id] : NULL;
}

static int take_message(void *user, void *stream, struct scd_str message)
{
	struct net_world *world = user;

	(void)message;
	++*(unsigned *)stream;
	world->reading[id_of(world, stream)] = atomic_load(&world->pulse.connection_id);
	return world->answer;
}

static void lose_message(void *user, void *stream)
{
	(void)user;
	(void)stream;
}

static void be_silent(void *user, void *stream)
{
	struct net_world *world = user;

	world->silents[id_of(world, stream)]++;
}

static void summarize(void *user, void *stream, struct scd_net_summary *ret_summary)
{
	(void)user;
	(void)stream;
	(void)ret_summary;
}

static void close_stream(void *user, void *stream, enum scd_net_end end)
{
	(void)user;
	(void)stream;
	(void)end;
}

static void count_unwatched(void *user, const struct scd_custody *connection)
{
	struct net_world *world = user;

	if (connection->connection_id < NET_WORLD_STREAMS)
		world->unwatched[connection->connection_id]++;
}

static void on_stopped(void *user)
{
	((struct net_world *)user)->stopped = true;
}

void net_world_open(struct net_world *world)
{
	static const struct scd_net_sink_ops sink_ops = {
		.open = open_stream,
		.message = take_message,
		.lost = lose_message,
		.silent = be_silent,
		.summarize = summarize,
		.close = close_stream,
		.unwatched = count_unwatched,
	};
	static const struct scd_net_ops ops = { .stopped = on_stopped };
	const struct scd_net_sink sink = { &sink_ops, world };
	int control[2];

	memset(world, 0, sizeof(*world));
	assert_int_equal(uv_loop_init(&world->loop), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, control), 0);
	world->keeper = control[0];
	assert_int_equal(scd_net_new(&world->loop, control[1], &world->pulse, &sink, &ops, world, &world->net), 0);
}

void net_world_close(struct net_world *world)
{
	scd_net_free(&world->net);
	loop_finish(&world->loop);
	close(world->keeper);
}

int net_world_connect(struct net_world *world, uint64_t id, uint32_t sndbuf_bytes)
{
	const struct scd_custody message = {
		.kind = SCD_CUSTODY_CONNECTION,
		.connection_id = id,
		.sndbuf_bytes = sndbuf_bytes,
	};
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];
	size_t len = scd_custody_format(&message, bytes);
	int fds[2];

	assert_true(id < NET_WORLD_STREAMS);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(peer_send_descriptors(world->keeper, bytes, len, &fds[1], 1), (int)len);
	close(fds[1]);
	return fds[0];
}

void net_world_say_quarantined(struct net_world *world, uint64_t id)
{
	const struct scd_custody message = { .kind = SCD_CUSTODY_QUARANTINED, .connection_id = id };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];

	assert_int_equal(peer_send(world->keeper, bytes, scd_custody_format(&message, bytes)), 0);
}

void net_world_say_stop(struct net_world *world)
{
	const struct scd_custody message = { .kind = SCD_CUSTODY_STOP };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];

	assert_int_equal(peer_send(world->keeper, bytes, scd_custody_format(&message, bytes)), 0);
}
