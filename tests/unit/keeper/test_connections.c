/*
 * The table of connections: its limit, its lists, its ids; and against a plain model under random use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "keeper/connections.h"
#include "tests/support/peer.h"
#include "tests/support/rng.h"

static int some_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_connections_add__stops_at_the_limit(void **state)
{
	struct scd__connections table;
	struct scd__connection *first;
	int fd;

	(void)state;
	assert_int_equal(scd__connections_init(&table, 3), 0);
	first = scd__connections_add(&table, some_fd());
	assert_non_null(scd__connections_add(&table, some_fd()));
	assert_non_null(scd__connections_add(&table, some_fd()));
	fd = some_fd();
	assert_null(scd__connections_add(&table, fd));
	assert_true(fcntl(fd, F_GETFD) >= 0); /* still ours */
	scd__connections_remove(&table, first);
	assert_non_null(scd__connections_add(&table, fd));
	assert_int_equal(table.count, 3);
	scd__connections_done(&table);
}

static void test_connections_find__never_finds_one_that_is_gone(void **state)
{
	struct scd__connections table;
	struct scd__connection *connection;
	uint64_t first_id;

	(void)state;
	assert_int_equal(scd__connections_init(&table, 1), 0);
	connection = scd__connections_add(&table, some_fd());
	first_id = connection->id;
	assert_ptr_equal(scd__connections_find(&table, first_id), connection);
	scd__connections_remove(&table, connection);
	assert_null(scd__connections_find(&table, first_id));
	/* The same slot, another id. */
	assert_ptr_equal(scd__connections_add(&table, some_fd()), connection);
	assert_true(connection->id != first_id);
	assert_null(scd__connections_find(&table, first_id));
	assert_null(scd__connections_find(&table, 0));
	assert_null(scd__connections_find(&table, UINT64_MAX));
	scd__connections_done(&table);
}

static void test_connections_move__keeps_the_order_of_arrival(void **state)
{
	struct scd__connections table;
	struct scd__connection *c[3];

	(void)state;
	assert_int_equal(scd__connections_init(&table, 3), 0);
	for (size_t i = 0; i < 3; i++)
		c[i] = scd__connections_add(&table, some_fd());
	assert_ptr_equal(scd__connections_first(&table, SCD__CONNECTION_GREETING), c[0]);
	scd__connections_move(&table, c[1], SCD__CONNECTION_WAITING);
	scd__connections_move(&table, c[0], SCD__CONNECTION_WAITING);
	assert_ptr_equal(scd__connections_first(&table, SCD__CONNECTION_GREETING), c[2]);
	assert_ptr_equal(scd__connections_first(&table, SCD__CONNECTION_WAITING), c[1]);
	assert_null(scd__connections_first(&table, SCD__CONNECTION_HELD));
	scd__connections_remove_all(&table, SCD__CONNECTION_WAITING);
	assert_int_equal(table.count, 1);
	assert_null(scd__connections_first(&table, SCD__CONNECTION_WAITING));
	scd__connections_done(&table);
}

static void test_connections_done__closes_every_descriptor(void **state)
{
	size_t before = peer_open_descriptors();
	struct scd__connections table;

	(void)state;
	assert_int_equal(scd__connections_init(&table, 8), 0);
	for (size_t i = 0; i < 5; i++)
		scd__connections_add(&table, some_fd());
	scd__connections_remove(&table, scd__connections_first(&table, SCD__CONNECTION_GREETING));
	assert_int_equal(peer_open_descriptors(), before + 4);
	scd__connections_done(&table);
	assert_int_equal(peer_open_descriptors(), before);
	scd__connections_done(&table);
}

#define MODEL_LIMIT 20

/* The naive model: an array of what should be in the table. */
struct model {
	uint64_t id[MODEL_LIMIT];
	enum scd__connection_state state[MODEL_LIMIT];
	size_t count;
};

static size_t list_length(const struct scd__connections *table, enum scd__connection_state state)
{
	const struct scd__connection *connection;
	size_t count = 0;

	TAILQ_FOREACH(connection, &table->by_state[state], link)
	count += connection->state == state;
	return count;
}

static void check_model(const struct scd__connections *table, const struct model *model)
{
	size_t expected[SCD__CONNECTION_STATES] = { 0 };

	assert_int_equal(table->count, model->count);
	for (size_t i = 0; i < model->count; i++) {
		const struct scd__connection *connection = scd__connections_find(table, model->id[i]);

		assert_non_null(connection);
		assert_int_equal(connection->state, model->state[i]);
		expected[model->state[i]]++;
	}
	for (int state = SCD__CONNECTION_GREETING; state < SCD__CONNECTION_STATES; state++)
		assert_int_equal(list_length(table, (enum scd__connection_state)state), expected[state]);
}

static void model_add(struct scd__connections *table, struct model *model)
{
	int fd = some_fd();
	struct scd__connection *connection = scd__connections_add(table, fd);

	assert_int_equal(connection != NULL, model->count < MODEL_LIMIT);
	if (!connection) {
		close(fd);
		return;
	}
	model->id[model->count] = connection->id;
	model->state[model->count++] = SCD__CONNECTION_GREETING;
}

static void model_change(struct scd__connections *table, struct model *model, struct scd_rng *rng)
{
	size_t at = scd_rng_below(rng, model->count);
	struct scd__connection *connection = scd__connections_find(table, model->id[at]);
	enum scd__connection_state to = (enum scd__connection_state)scd_rng_below(rng, SCD__CONNECTION_STATES);

	if (to != SCD__CONNECTION_FREE) {
		scd__connections_move(table, connection, to);
		model->state[at] = to;
		return;
	}
	scd__connections_remove(table, connection);
	model->count--;
	model->id[at] = model->id[model->count];
	model->state[at] = model->state[model->count];
}

static void test_connections__agree_with_a_plain_model(void **state)
{
	struct scd_rng rng = scd_rng_start("connections");
	size_t before = peer_open_descriptors();
	struct scd__connections table;
	struct model model = { .count = 0 };

	(void)state;
	assert_int_equal(scd__connections_init(&table, MODEL_LIMIT), 0);
	for (int step = 0; step < 5000; step++) {
		if (model.count == 0 || scd_rng_below(&rng, 3) == 0)
			model_add(&table, &model);
		else
			model_change(&table, &model, &rng);
		check_model(&table, &model);
	}
	assert_int_equal(peer_open_descriptors(), before + model.count);
	scd__connections_done(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connections_add__stops_at_the_limit),
		cmocka_unit_test(test_connections_find__never_finds_one_that_is_gone),
		cmocka_unit_test(test_connections_move__keeps_the_order_of_arrival),
		cmocka_unit_test(test_connections_done__closes_every_descriptor),
		cmocka_unit_test(test_connections__agree_with_a_plain_model),
	};

	return cmocka_run_group_tests_name("keeper/connections", tests, NULL, NULL);
}
