/*
 * Room for bursts: how many messages really fit, that the right socket gets it, and that the account holds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper/enlarge.h"
#include "tests/support/child.h"
#include "tests/support/fake_runsc.h"
#include "tests/support/peer.h"
#include "tests/support/rng.h"

/* Most messages of real sandboxes are not longer. */
#define MESSAGE_BYTES 192

struct fixture {
	struct tempdir dir;
	struct sockaddr_un address;
	int listener;
	struct scd__peer peer;
};

static const struct scd__identity_options any_runsc;

static int open_listener(struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	address->sun_family = AF_UNIX;
	assert_int_equal(bind(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (!fixture || tempdir_make(&fixture->dir) < 0)
		return -1;
	snprintf(fixture->address.sun_path, sizeof(fixture->address.sun_path), "%s",
	         tempdir_join(&fixture->dir, "sink.sock"));
	fixture->listener = open_listener(&fixture->address);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	close(fixture->listener);
	tempdir_remove(&fixture->dir);
	free(fixture);
	return 0;
}

/* A connection of this process with itself: [0] the peer's end, [1] ours. */
static void connect_self(struct fixture *fixture, int fds[2])
{
	fds[0] = peer_connect(fixture->address.sun_path);
	assert_true(fds[0] >= 0);
	fds[1] = accept4(fixture->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fds[1] >= 0);
}

static void close_both(const int fds[2])
{
	close(fds[0]);
	close(fds[1]);
}

static int64_t enlarge(struct fixture *fixture, int fd, uint32_t wanted)
{
	int64_t got;

	scd__peer_identify(fd, &any_runsc, &fixture->peer);
	got = scd__enlarge(&fixture->peer, fd, fixture->address.sun_path, wanted);
	scd__peer_done(&fixture->peer);
	return got;
}

static int buffer_of(int fd)
{
	int bytes = 0;
	socklen_t len = sizeof(bytes);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &len), 0);
	return bytes;
}

static int count_that_fit(int fd)
{
	char message[MESSAGE_BYTES] = { 0 };
	int count = 0;

	while (send(fd, message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(message))
		count++;
	assert_int_equal(errno, EAGAIN);
	return count;
}

/* What the kernel gives without CAP_NET_ADMIN is twice net.core.wmem_max. */
static int allowed_to_us(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), bytes = SCD_LIMIT_SNDBUF_BYTES / 2;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
	bytes = buffer_of(fd);
	close(fd);
	return bytes;
}

static void test_enlarge__makes_room_for_thousands_of_messages(void **state)
{
	struct fixture *fixture = *state;
	int plain[2], enlarged[2], fit, fit_enlarged, before;
	int64_t got;

	connect_self(fixture, plain);
	connect_self(fixture, enlarged);
	before = buffer_of(enlarged[0]);
	got = enlarge(fixture, enlarged[1], SCD_LIMIT_SNDBUF_BYTES);
	assert_int_equal(got, allowed_to_us());
	assert_int_equal(buffer_of(enlarged[0]), got);
	assert_int_equal(buffer_of(plain[0]), before);
	fit = count_that_fit(plain[0]);
	fit_enlarged = count_that_fit(enlarged[0]);
	print_message("%d messages of %d bytes fit into %d bytes, %d into %d\n", fit, MESSAGE_BYTES, before,
	              fit_enlarged, (int)got);
	/* The same number of bytes for each. */
	assert_in_range(fit_enlarged, (int64_t)fit * got / before * 9 / 10, (int64_t)fit * got / before * 11 / 10);
	close_both(plain);
	close_both(enlarged);
}

/* Among more sockets than are tried one by one, and among some that all lead to the listener. */
static void test_enlarge__finds_the_right_one_of_many(void **state)
{
	enum { MANY = 12 };
	struct fixture *fixture = *state;
	int fds[MANY][2], before, stranger[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, stranger), 0);
	for (int i = 0; i < MANY; i++)
		connect_self(fixture, fds[i]);
	before = buffer_of(fds[0][0]);
	for (int at = 0; at < MANY; at += 5) {
		assert_true(enlarge(fixture, fds[at][1], SCD_LIMIT_SNDBUF_BYTES) > before);
		for (int i = 0; i < MANY; i++)
			assert_int_equal(buffer_of(fds[i][0]) > before, i % 5 == 0 && i <= at);
	}
	assert_int_equal(buffer_of(stranger[0]), before);
	for (int i = 0; i < MANY; i++)
		close_both(fds[i]);
	close_both(stranger);
}

static void test_enlarge__leaves_larger_ones_alone(void **state)
{
	struct fixture *fixture = *state;
	int fds[2], before;

	connect_self(fixture, fds);
	before = buffer_of(fds[0]);
	assert_int_equal(enlarge(fixture, fds[1], (uint32_t)before / 2), before);
	assert_int_equal(buffer_of(fds[0]), before);
	close_both(fds);
}

static void test_enlarge__reaches_into_another_process(void **state)
{
	struct fixture *fixture = *state;
	struct fake_runsc fake = { .arguments = "create pod", .socket_path = fixture->address.sun_path };
	char lock[128];
	int64_t got;
	pid_t pid;
	int fd;

	snprintf(lock, sizeof(lock), "%s", tempdir_join(&fixture->dir, "pod_sandbox:pod.lock"));
	fake.lock = lock;
	pid = fake_runsc_start(&fixture->dir, &fake);
	assert_true(pid > 0);
	assert_int_equal(peer_wait(fixture->listener, POLLIN, PEER_DEADLINE_MS), 0);
	fd = accept4(fixture->listener, NULL, NULL, SOCK_CLOEXEC);
	scd__peer_identify(fd, &any_runsc, &fixture->peer);
	assert_true(fixture->peer.verified);
	got = scd__enlarge(&fixture->peer, fd, fixture->address.sun_path, SCD_LIMIT_SNDBUF_BYTES);
	scd__peer_done(&fixture->peer);
	close(fd);
	child_wait(pid, PEER_DEADLINE_MS);
	if (got == -EPERM) {
		print_message("skipped: %s\n", scd__enlarge_reason((int)got));
		skip();
	}
	assert_int_equal(got, allowed_to_us());
}

static void test_enlarge__says_why_not(void **state)
{
	enum { OTHERS = SCD_LIMIT_PEER_DESCRIPTORS };
	struct fixture *fixture = *state;
	int fds[2], elsewhere[2], others[OTHERS], accepted, kept;
	struct sockaddr_un address;

	connect_self(fixture, fds);
	assert_int_equal(enlarge(fixture, fds[1], 0), -EDQUOT);

	/* A connection to somebody else. */
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", tempdir_join(&fixture->dir, "other.sock"));
	elsewhere[0] = open_listener(&address);
	elsewhere[1] = peer_connect(address.sun_path);
	accepted = accept4(elsewhere[0], NULL, NULL, SOCK_CLOEXEC);
	close_both(fds);
	assert_int_equal(enlarge(fixture, accepted, SCD_LIMIT_SNDBUF_BYTES), -ENOENT);
	close(accepted);
	close_both(elsewhere);

	/* Behind all descriptors that are looked at. */
	connect_self(fixture, fds);
	for (int i = 0; i < OTHERS; i++)
		others[i] = dup(fixture->listener);
	kept = dup(fds[0]);
	close(fds[0]);
	assert_int_equal(enlarge(fixture, fds[1], SCD_LIMIT_SNDBUF_BYTES), -ENOENT);
	for (int i = 0; i < OTHERS; i++)
		close(others[i]);
	close(kept);
	close(fds[1]);
}

/* A sandbox's own processes: nothing of theirs is touched. */
static void test_enlarge__leaves_confined_processes_alone(void **state)
{
	struct fixture *fixture = *state;
	struct fake_runsc fake = { .name = "other", .socket_path = fixture->address.sun_path, .confined = true };
	pid_t pid = fake_runsc_start(&fixture->dir, &fake);
	int fd;

	assert_true(pid > 0);
	assert_int_equal(peer_wait(fixture->listener, POLLIN, PEER_DEADLINE_MS), 0);
	fd = accept4(fixture->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_equal(enlarge(fixture, fd, SCD_LIMIT_SNDBUF_BYTES), -EACCES);
	close(fd);
	child_wait(pid, PEER_DEADLINE_MS);
	assert_int_equal(enlarge(fixture, -1, SCD_LIMIT_SNDBUF_BYTES), -ESRCH);
}

static void test_enlarge_reason__names_every_result(void **state)
{
	static const int errors[] = { -EDQUOT, -ESRCH, -EACCES, -EPERM, -ENOENT, -ENOTUNIQ, -ENOSYS, -EMFILE };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		const char *reason = scd__enlarge_reason(errors[i]);

		assert_true(strlen(reason) > 10);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(reason, scd__enlarge_reason(errors[k]));
	}
}

static void test_sndbuf_offer__is_a_share_of_what_is_left(void **state)
{
	static const uint64_t mib = 1 << 20, limit = 4096 * mib;
	static const struct {
		const char *name;
		uint64_t limit, used;
		uint32_t offer;
	} rows[] = {
		{ "all is left", limit, 0, 8 * mib },
		{ "just enough", limit, limit - 512 * mib, 8 * mib },
		{ "a byte less", limit, limit - 512 * mib + 1, 4 * mib },
		{ "a quarter of it", limit, limit - 128 * mib, 2 * mib },
		{ "the least", limit, limit - 32 * mib, mib / 2 },
		{ "too little", limit, limit - 32 * mib + 1, 0 },
		{ "nothing", limit, limit, 0 },
		{ "less than nothing", limit, limit + 1, 0 },
		{ "a small host", 64 * mib, 0, mib },
		{ "no account", 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct scd__sndbuf_account account = { rows[i].limit, rows[i].used };

		print_message("%s\n", rows[i].name);
		assert_int_equal(scd__sndbuf_offer(&account), rows[i].offer);
	}
}

/* Connections come and go at random, and the kernel gives less than it was asked for. */
static void test_sndbuf_account__is_never_overdrawn(void **state)
{
	enum { MANY = 2000 };
	struct scd_rng rng = scd_rng_start("account");
	struct scd__sndbuf_account account = { .limit_bytes = (uint64_t)4 << 30 };
	static uint32_t held[MANY];
	uint64_t sum = 0;

	(void)state;
	for (int step = 0; step < 100000; step++) {
		uint32_t *at = &held[scd_rng_below(&rng, MANY)];

		if (*at) {
			scd__sndbuf_give_back(&account, *at);
			sum -= *at;
			*at = 0;
			continue;
		}
		*at = scd__sndbuf_offer(&account);
		if (*at && scd_rng_below(&rng, 4) == 0)
			*at = 425984;
		scd__sndbuf_take(&account, *at);
		sum += *at;
		assert_int_equal(account.used_bytes, sum);
		assert_true(account.used_bytes <= account.limit_bytes);
	}
	for (int i = 0; i < MANY; i++)
		scd__sndbuf_give_back(&account, held[i]);
	assert_int_equal(account.used_bytes, 0);
}

/* How many get how much, which limits.h and docs/operating.md tell. */
static void test_sndbuf_account__serves_a_thousand(void **state)
{
	struct scd__sndbuf_account account = { .limit_bytes = SCD_LIMIT_SNDBUF_TOTAL_BYTES };
	int full = 0, served = 0;
	uint32_t offer;

	(void)state;
	while ((offer = scd__sndbuf_offer(&account))) {
		full += offer == SCD_LIMIT_SNDBUF_BYTES;
		served++;
		scd__sndbuf_take(&account, offer);
	}
	print_message("%d connections have all, %d have more than the default\n", full, served);
	assert_int_equal(full, 961);
	assert_int_equal(served, 961 + 252);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_enlarge__makes_room_for_thousands_of_messages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_enlarge__finds_the_right_one_of_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_enlarge__leaves_larger_ones_alone, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_enlarge__reaches_into_another_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_enlarge__says_why_not, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_enlarge__leaves_confined_processes_alone, set_up, tear_down),
		cmocka_unit_test(test_enlarge_reason__names_every_result),
		cmocka_unit_test(test_sndbuf_offer__is_a_share_of_what_is_left),
		cmocka_unit_test(test_sndbuf_account__is_never_overdrawn),
		cmocka_unit_test(test_sndbuf_account__serves_a_thousand),
	};
	const char *why = fake_runsc_unavailable();

	if (why) {
		print_message("skipped: %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests_name("keeper/enlarge", tests, NULL, NULL);
}
