/*
 * The table of connections: an array of slots that never moves, one list for each state, a map from ids to slots.
 * The array is allocated once for the limit; the kernel gives pages to the slots that are used.
 */
#include "keeper/connections.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "seccheckd/base/peer_socket.h"

int scd__connections_init(struct scd__connections *table, size_t limit)
{
	*table = (struct scd__connections){ .limit = limit };
	for (size_t i = 0; i < SCD__CONNECTION_STATES; i++)
		TAILQ_INIT(&table->by_state[i]);
	scd_idmap_init(&table->by_id);
	table->slots = calloc(limit, sizeof(*table->slots));
	return table->slots ? 0 : -ENOMEM;
}

void scd__connections_done(struct scd__connections *table)
{
	for (size_t i = 0; i < table->used; i++) {
		if (table->slots[i].state != SCD__CONNECTION_FREE)
			close(table->slots[i].fd);
	}
	scd_idmap_done(&table->by_id);
	free(table->slots);
	*table = (struct scd__connections){ 0 };
}

/* A slot that is in no list, or NULL. */
static struct scd__connection *take_slot(struct scd__connections *table)
{
	struct scd__connection *slot = TAILQ_FIRST(&table->by_state[SCD__CONNECTION_FREE]);

	if (slot)
		TAILQ_REMOVE(&table->by_state[SCD__CONNECTION_FREE], slot, link);
	else if (table->used < table->limit)
		slot = &table->slots[table->used++];
	return slot;
}

static void put_slot(struct scd__connections *table, struct scd__connection *slot, enum scd__connection_state state)
{
	slot->state = state;
	TAILQ_INSERT_TAIL(&table->by_state[state], slot, link);
}

struct scd__connection *scd__connections_add(struct scd__connections *table, int fd)
{
	struct scd__connection *slot = take_slot(table);

	if (!slot)
		return NULL;
	*slot = (struct scd__connection){ .fd = fd, .id = table->last_id + 1 };
	if (scd_idmap_put(&table->by_id, slot->id, (uint32_t)(slot - table->slots)) < 0) {
		put_slot(table, slot, SCD__CONNECTION_FREE);
		return NULL;
	}
	table->last_id++;
	table->count++;
	put_slot(table, slot, SCD__CONNECTION_GREETING);
	return slot;
}

struct scd__connection *scd__connections_find(const struct scd__connections *table, uint64_t id)
{
	uint32_t slot;

	return scd_idmap_get(&table->by_id, id, &slot) ? &table->slots[slot] : NULL;
}

struct scd__connection *scd__connections_first(const struct scd__connections *table, enum scd__connection_state state)
{
	return TAILQ_FIRST(&table->by_state[state]);
}

void scd__connections_move(struct scd__connections *table, struct scd__connection *connection,
                           enum scd__connection_state state)
{
	TAILQ_REMOVE(&table->by_state[connection->state], connection, link);
	put_slot(table, connection, state);
}

void scd__connections_take_back(struct scd__connections *table)
{
	struct scd__connection_list *held = &table->by_state[SCD__CONNECTION_HELD];
	struct scd__connection_list *waiting = &table->by_state[SCD__CONNECTION_WAITING];
	struct scd__connection *connection;

	TAILQ_FOREACH(connection, held, link)
	connection->state = SCD__CONNECTION_WAITING;
	TAILQ_CONCAT(held, waiting, link);
	TAILQ_CONCAT(waiting, held, link);
}

void scd__connections_remove(struct scd__connections *table, struct scd__connection *connection)
{
	scd_peer_socket_close(connection->fd);
	scd_idmap_remove(&table->by_id, connection->id);
	scd__connections_move(table, connection, SCD__CONNECTION_FREE);
	table->count--;
}

void scd__connections_remove_all(struct scd__connections *table, enum scd__connection_state state)
{
	struct scd__connection *connection;

	while ((connection = scd__connections_first(table, state)))
		scd__connections_remove(table, connection);
}
