/*
 * Keeper and worker together: what alerts say of who connected, and who is not let in.
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
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/child.h"
#include "tests/support/fake_runsc.h"
#include "tests/support/messages.h"
#include "tests/support/peer.h"
#include "tests/support/serve.h"

static const char rules[] = "- rule: Program ran\n"
                            "  desc: Every program.\n"
                            "  condition: evt.type = execve and proc.exepath startswith /bin/\n"
                            "  output: container=%container.id path=%proc.exepath\n"
                            "  priority: NOTICE\n";

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct serve));
	return *state ? serve_start(*state, rules) : -1;
}

static int tear_down(void **state)
{
	serve_done(*state);
	free(*state);
	return 0;
}

static void run_program(int fd, const char *container)
{
	const struct actor actor = { .tid = 7, .tgid = 7, .time_ns = 1, .container = container };
	const char *const argv[] = { "/bin/true", NULL };
	struct message message = { 0 };

	message_exec(&message, &actor, argv[0], argv);
	assert_int_equal(peer_send(fd, message.data, message.len), 0);
	message_done(&message);
}

/* Watched all the same; and nobody believes its name more than it is worth. */
static void test_serve__says_that_a_stranger_is_not_verified(void **state)
{
	struct serve *serve = *state;
	int named = peer_join(serve->path), nameless = peer_join(serve->path);

	assert_true(named >= 0 && nameless >= 0);
	run_program(named, "who-i-say");
	run_program(nameless, NULL);
	assert_int_equal(serve_stop(serve), 0);
	close(named);
	close(nameless);
	assert_int_equal(serve_count_alerts(serve, NULL, NULL), 2);
	assert_int_equal(serve_count_alerts(serve, "\"identity\":\"claimed\"", "\"sandbox_id\":\"who-i-say\""), 1);
	assert_int_equal(serve_count_alerts(serve, "\"identity\":\"unknown\"", NULL), 1);
	assert_int_equal(serve->result.keeper.verified, 0);
	assert_int_equal(serve->result.keeper.unverified, 2);
	assert_int_equal(serve->result.keeper.sndbufs_unchanged, 0);
}

/* A payload may name any container: the sandbox is the one that the host's side knows. */
static void test_serve__does_not_believe_a_sandbox_that_names_another(void **state)
{
	static const char *const claims[] = { "pod", "victim" };
	struct serve *serve = *state;
	struct fake_runsc fake = { .arguments = "--root /r create --bundle b pod", .socket_path = serve->path };
	char lock[128], byte;
	int done[2];
	pid_t pids[2];

	assert_int_equal(pipe(done), 0);
	fake.done_fd = done[1];
	snprintf(lock, sizeof(lock), "%s", tempdir_join(&serve->dir, "pod_sandbox:pod.lock"));
	fake.lock = lock;
	for (size_t i = 0; i < 2; i++) {
		fake.claim = claims[i];
		pids[i] = fake_runsc_start(&serve->dir, &fake);
		assert_true(pids[i] > 0);
		assert_int_equal(peer_wait(done[0], POLLIN, PEER_DEADLINE_MS), 0);
		assert_int_equal(read(done[0], &byte, 1), 1);
	}
	assert_int_equal(serve_stop(serve), 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(child_wait(pids[i], PEER_DEADLINE_MS), 0);
	close(done[0]);
	close(done[1]);
	assert_int_equal(serve->result.keeper.verified, 2);
	assert_int_equal(serve_count_alerts(serve, NULL, NULL), 2);
	assert_int_equal(serve_count_alerts(serve, "\"identity\":\"verified\"", "\"sandbox_id\":\"pod\""), 2);
	assert_int_equal(serve_count_alerts(serve, "\"sandbox_id\":\"victim\"", NULL), 0);
}

struct visitor {
	const char *path;
	uid_t uid;
};

static int visit_as(void *user)
{
	const struct visitor *visitor = user;
	int fd;

	if (setgid(visitor->uid) < 0 || setuid(visitor->uid) < 0)
		return 90;
	fd = peer_connect(visitor->path);
	return fd < 0 ? 91 : -peer_greet(fd, PEER_DEADLINE_MS);
}

/* Others cannot even connect, as the socket is ours; an operator may have given it away. */
static void test_serve__refuses_other_users(void **state)
{
	struct serve *serve = *state;
	struct visitor visitor = { serve->path, 65534 };
	int status;

	if (geteuid() != 0) {
		print_message("skipped: only root can become another user\n");
		skip();
	}
	assert_int_equal(chmod(serve->dir.path, 0755), 0);
	assert_int_equal(chmod(serve->path, 0666), 0);
	status = child_wait(child_start(visit_as, &visitor), PEER_DEADLINE_MS);
	assert_true(status == EPIPE || status == ECONNRESET);
	visitor.uid = 0;
	assert_int_equal(child_wait(child_start(visit_as, &visitor), PEER_DEADLINE_MS), 0);
	assert_int_equal(serve_stop(serve), 0);
	assert_int_equal(serve->result.keeper.refused_user, 1);
	assert_int_equal(serve->result.keeper.answered, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_serve__says_that_a_stranger_is_not_verified, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_serve__does_not_believe_a_sandbox_that_names_another, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(test_serve__refuses_other_users, set_up, tear_down),
	};
	const char *why = fake_runsc_unavailable();

	if (why) {
		print_message("skipped: %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests_name("serve/identity", tests, NULL, NULL);
}
