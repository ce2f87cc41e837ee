/*
 * What a connection gets before its answer, and gives back at its end; who may connect at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper/inspect.h"
#include "tests/support/child.h"
#include "tests/support/fake_runsc.h"
#include "tests/support/peer.h"

struct fixture {
	struct tempdir dir;
	struct sockaddr_un address;
	int listener;
	struct scd__inspector inspector;
	struct scd_keeper_counters counters;
};

static int set_up(void **state)
{
	static const struct scd_keeper_options options = { .listen_count = 0 };
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (!fixture || tempdir_make(&fixture->dir) < 0 || scd__inspector_init(&fixture->inspector, &options) < 0)
		return -1;
	fixture->address.sun_family = AF_UNIX;
	snprintf(fixture->address.sun_path, sizeof(fixture->address.sun_path), "%s",
	         tempdir_join(&fixture->dir, "sink.sock"));
	fixture->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (bind(fixture->listener, (const struct sockaddr *)&fixture->address, sizeof(fixture->address)) < 0)
		return -1;
	return listen(fixture->listener, 16);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	scd__inspector_done(&fixture->inspector);
	scd__inspector_done(&fixture->inspector);
	close(fixture->listener);
	tempdir_remove(&fixture->dir);
	free(fixture);
	return 0;
}

/* The connection at the head of the queue, as it is inspected. */
static void take(struct fixture *fixture, struct scd__connection *ret_connection)
{
	assert_int_equal(peer_wait(fixture->listener, POLLIN, PEER_DEADLINE_MS), 0);
	*ret_connection = (struct scd__connection){ .id = 1, .listener = fixture->address.sun_path };
	ret_connection->fd = accept4(fixture->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(ret_connection->fd >= 0);
}

static void inspect(struct fixture *fixture, struct scd__connection *connection)
{
	scd__inspector_inspect(&fixture->inspector, connection, &fixture->counters);
}

static void end(struct fixture *fixture, const struct scd__connection *connection)
{
	scd__inspector_forget(&fixture->inspector, connection);
	close(connection->fd);
}

/* Connections of this process, which is not runsc. */
static void test_inspect__watches_a_stranger_and_enlarges_its_buffer(void **state)
{
	struct fixture *fixture = *state;
	struct scd__connection connection;
	int peer = peer_connect(fixture->address.sun_path), bytes = 0;
	socklen_t len = sizeof(bytes);

	take(fixture, &connection);
	inspect(fixture, &connection);
	assert_string_equal(connection.sandbox_id, "");
	assert_int_equal(getsockopt(peer, SOL_SOCKET, SO_SNDBUF, &bytes, &len), 0);
	assert_int_equal(connection.sndbuf_bytes, bytes);
	assert_true(bytes > 212992);
	assert_int_equal(fixture->counters.unverified, 1);
	assert_int_equal(fixture->counters.sndbufs_enlarged + fixture->counters.sndbufs_partly_enlarged, 1);
	assert_int_equal(fixture->inspector.all.used_bytes, bytes);
	assert_int_equal(fixture->inspector.strangers.used_bytes, bytes);
	end(fixture, &connection);
	close(peer);
	assert_int_equal(fixture->inspector.all.used_bytes, 0);
	assert_int_equal(fixture->inspector.strangers.used_bytes, 0);
}

static void test_inspect__names_a_sandbox_and_does_not_charge_strangers_for_it(void **state)
{
	struct fixture *fixture = *state;
	struct fake_runsc fake = { .arguments = "create pod", .socket_path = fixture->address.sun_path };
	struct scd__connection connection;
	char lock[128];
	pid_t pid;

	snprintf(lock, sizeof(lock), "%s", tempdir_join(&fixture->dir, "pod_sandbox:pod.lock"));
	fake.lock = lock;
	pid = fake_runsc_start(&fixture->dir, &fake);
	assert_true(pid > 0);
	take(fixture, &connection);
	inspect(fixture, &connection);
	assert_string_equal(connection.sandbox_id, "pod");
	assert_int_equal(fixture->counters.verified, 1);
	assert_int_equal(fixture->inspector.all.used_bytes, connection.sndbuf_bytes);
	assert_int_equal(fixture->inspector.strangers.used_bytes, 0);
	end(fixture, &connection);
	child_wait(pid, PEER_DEADLINE_MS);
	assert_int_equal(fixture->inspector.all.used_bytes, 0);
	assert_int_equal(fixture->inspector.strangers.used_bytes, 0);
}

/* What is not had is not charged. */
static void expect_unchanged(struct fixture *fixture)
{
	uint64_t used_bytes = fixture->inspector.all.used_bytes, before = fixture->counters.sndbufs_unchanged;
	int peer = peer_connect(fixture->address.sun_path);
	struct scd__connection connection;

	take(fixture, &connection);
	inspect(fixture, &connection);
	assert_int_equal(connection.sndbuf_bytes, 0);
	assert_int_equal(fixture->counters.sndbufs_unchanged, before + 1);
	assert_int_equal(fixture->inspector.all.used_bytes, used_bytes);
	end(fixture, &connection);
	close(peer);
}

static void test_inspect__leaves_buffers_alone_when_the_account_is_spent(void **state)
{
	struct fixture *fixture = *state;
	struct scd__inspector *inspector = &fixture->inspector;

	inspector->strangers.used_bytes = inspector->strangers.limit_bytes;
	expect_unchanged(fixture);
	inspector->strangers.used_bytes = 0;
	inspector->all.used_bytes = inspector->all.limit_bytes;
	expect_unchanged(fixture);
}

/* A crowd of strangers: they are answered at once, and looked at no more in this second. */
static void test_inspect__bounds_the_time_for_strangers(void **state)
{
	struct fixture *fixture = *state;
	struct scd__inspector *inspector = &fixture->inspector;

	inspector->window_end_ns = INT64_MAX;
	inspector->strangers_ns = INT64_MAX;
	expect_unchanged(fixture);
	inspector->window_end_ns = 0;
	fixture->counters = (struct scd_keeper_counters){ 0 };
	test_inspect__watches_a_stranger_and_enlarges_its_buffer(state);
}

static void test_allows__root_and_ourselves_unless_told_otherwise(void **state)
{
	static const uint32_t uids[] = { 1000, 1001 };
	const struct scd_keeper_options options = { .allowed_uids = uids, .allowed_uid_count = 2 };
	struct fixture *fixture = *state;
	struct scd__inspector listed = { 0 };

	assert_true(scd__inspector_allows(&fixture->inspector, 0));
	assert_true(scd__inspector_allows(&fixture->inspector, geteuid()));
	assert_false(scd__inspector_allows(&fixture->inspector, geteuid() + 1));
	assert_false(scd__inspector_allows(&fixture->inspector, UINT32_MAX)); /* the kernel does not tell */
	assert_int_equal(scd__inspector_init(&listed, &options), 0);
	assert_true(scd__inspector_allows(&listed, 1000));
	assert_true(scd__inspector_allows(&listed, 1001));
	assert_false(scd__inspector_allows(&listed, 0));
	scd__inspector_done(&listed);
}

/* How many connections a user gets, of so many. */
static size_t take_all(struct scd__inspector *inspector, uint32_t uid, size_t limit)
{
	size_t count = 0;

	while (count < limit && scd__inspector_has_share(inspector, uid, limit)) {
		scd__inspector_take_share(inspector, uid);
		count++;
	}
	return count;
}

static void test_share__nobody_takes_the_connections_of_others(void **state)
{
	static const uint32_t uids[] = { 0, 1000, 1001, 1002 };
	const struct scd_keeper_options options = { .allowed_uids = uids, .allowed_uid_count = 4 };
	const struct scd__connection theirs = { .uid = 1000, .sandbox_id = "x" };
	struct scd__inspector inspector = { 0 };

	(void)state;
	if (geteuid() > 0 && geteuid() <= 1002)
		skip();
	assert_int_equal(scd__inspector_init(&inspector, &options), 0);
	assert_false(scd__inspector_has_share(&inspector, 4711, 80)); /* it may not connect at all */
	assert_int_equal(take_all(&inspector, 1000, 80), 30);
	assert_int_equal(take_all(&inspector, 1001, 80), 30);
	assert_int_equal(take_all(&inspector, 1002, 80), 0); /* the last quarter is root's */
	assert_int_equal(take_all(&inspector, 0, 80), 80);
	scd__inspector_forget(&inspector, &theirs);
	assert_int_equal(take_all(&inspector, 1002, 80), 1);
	assert_false(scd__inspector_has_share(&inspector, 1000, 80));
	scd__inspector_done(&inspector);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_inspect__watches_a_stranger_and_enlarges_its_buffer, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_inspect__names_a_sandbox_and_does_not_charge_strangers_for_it,
		                                set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_inspect__leaves_buffers_alone_when_the_account_is_spent, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_inspect__bounds_the_time_for_strangers, set_up, tear_down),
		cmocka_unit_test(test_share__nobody_takes_the_connections_of_others),
		cmocka_unit_test_setup_teardown(test_allows__root_and_ourselves_unless_told_otherwise, set_up,
		                                tear_down),
	};
	const char *why = fake_runsc_unavailable();

	if (why) {
		print_message("skipped: %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests_name("keeper/inspect", tests, NULL, NULL);
}
