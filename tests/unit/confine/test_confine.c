/*
 * What a confinement says of itself, and when it fails. What it denies is in test_attempts.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine/layers.h"
#include "tests/support/child.h"
#include "tests/support/failing_alloc.h"
#include "tests/support/peer.h"

#define OTHER_USER 65534u

static int landlock_abi(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
}

struct report {
	struct scd_confinement wanted;
	bool drop_root;     /* first */
	int hidden;         /* a system call that fails from the start; 0: none */
	int error;          /* with this; 0: ENOSYS */
	int out;            /* where the texts are written */
	bool poor;          /* an allocation fails: */
	unsigned long pass; /* the one behind so many */
};

/* A kernel that does not have a system call, or refuses it. */
static int hide(int call, int error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int r = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint16_t)(error ? error : ENOSYS)), call, 0);

	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

static void arm(const struct report *wanted)
{
#ifdef SCD_FAILING_ALLOC
	if (wanted->poor)
		scd_failing_alloc_arm(wanted->pass);
#else
	(void)wanted;
#endif
}

static int report(void *user)
{
	const struct report *wanted = user;
	struct scd_confined done;
	struct scd_error err = { 0 };
	char text[512];

	if (wanted->drop_root &&
	    (setresgid(OTHER_USER, OTHER_USER, OTHER_USER) < 0 || setresuid(OTHER_USER, OTHER_USER, OTHER_USER) < 0))
		return 90;
	if (wanted->hidden && hide(wanted->hidden, wanted->error) < 0)
		return 91;
	arm(wanted);
	if (scd_confine(&wanted->wanted, &done, &err) < 0) {
		dprintf(wanted->out, "%s; %s", err.what, err.hint);
		return 1;
	}
	scd_confined_describe(&done, false, text, sizeof(text));
	dprintf(wanted->out, "done: %s\n", text);
	scd_confined_describe(&done, true, text, sizeof(text));
	dprintf(wanted->out, "missing: %s\n", text);
	return 0;
}

static int report_of(struct report *wanted, char text[1024])
{
	int fds[2], status;
	ssize_t len;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	wanted->out = fds[1];
	status = child_wait(child_start(report, wanted), PEER_DEADLINE_MS);
	close(fds[1]);
	len = read(fds[0], text, 1023);
	close(fds[0]);
	text[len > 0 ? len : 0] = '\0';
	return status;
}

static void test_confine__says_what_holds(void **state)
{
	struct report wanted = { .wanted = { .user_name = "other", .uid = OTHER_USER, .gid = OTHER_USER } };
	char text[1024], landlock[32];

	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: only root can become another user\n");
		skip();
	}
	assert_int_equal(report_of(&wanted, text), 0);
	assert_non_null(strstr(text, "done: user other (65534), no capability"));
	if (landlock_abi() >= 6) {
		snprintf(landlock, sizeof(landlock), "Landlock %d", landlock_abi());
		assert_non_null(strstr(text, landlock));
	}
	if (SCD__CONFINE_SANITIZED)
		assert_non_null(strstr(text, "missing: seccomp (this build has a sanitizer)\n"));
	else if (landlock_abi() >= 6)
		assert_non_null(strstr(text, ", seccomp\nmissing: \n"));
}

static void test_confine__says_what_is_missing_without_root(void **state)
{
	struct report wanted = { .wanted.same_user_because = "not started as root", .drop_root = geteuid() == 0 };
	char text[1024];

	(void)state;
	assert_int_equal(report_of(&wanted, text), 0);
	assert_non_null(strstr(text, "no capability"));
	assert_non_null(strstr(text, "missing: a user of its own (not started as root)"));
	assert_null(strstr(text, "bounding set"));
}

static void test_confine__says_what_the_kernel_does_not_have(void **state)
{
	struct report wanted = { .hidden = SYS_landlock_create_ruleset };
	char text[1024];

	(void)state;
	assert_int_equal(report_of(&wanted, text), 0);
	assert_non_null(strstr(text, "missing: "));
	assert_non_null(strstr(text, "Landlock (the kernel has none)"));
	assert_null(strstr(text, ", Landlock 7"));
	if (SCD__CONFINE_SANITIZED)
		return;
	assert_non_null(strstr(text, ", seccomp\n"));
	wanted.hidden = SYS_seccomp;
	assert_int_equal(report_of(&wanted, text), 0);
	assert_non_null(strstr(text, "seccomp ("));
	assert_null(strstr(text, ", seccomp\n"));
}

/* What the kernel has, and does not give: that is a mistake, here or in how the daemon is run. */
static void test_confine__fails_when_seccomp_is_refused(void **state)
{
	static const int errors[] = { EPERM, ENOMEM, EACCES };
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]) && !SCD__CONFINE_SANITIZED; i++) {
		struct report wanted = { .hidden = SYS_seccomp, .error = errors[i] };

		assert_int_equal(report_of(&wanted, text), 1);
		if (!strstr(text, "seccomp takes no filter: ") || !strstr(text, strerror(errors[i])))
			fail_msg("%s: %s", strerror(errors[i]), text);
	}
}

/* A filter that was not made is no missing one: nobody would see the warning. */
static void test_confine__fails_without_memory(void **state)
{
	static const unsigned long passes[] = { 0, 1, 2, 3, 4, 5, 6, 8, 12, 20, 100, 500, 1000 };
	size_t failed_count = 0;
	char text[1024];

	(void)state;
#ifndef SCD_FAILING_ALLOC
	print_message("skipped: a sanitizer brings its own allocator\n");
	skip();
#endif
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		struct report wanted = { .poor = true, .pass = passes[i] };
		bool failed = report_of(&wanted, text) == 1;

		failed_count += failed;
		/* libseccomp can do without some. */
		if (!failed && !strstr(text, ", seccomp\n"))
			fail_msg("allocation %lu failed, and it went on: %s", passes[i], text);
	}
	assert_true(failed_count >= 2);
}

/* By design, as the recorder does: then it is not missing. */
static void test_confine__may_leave_the_user(void **state)
{
	struct report wanted = { .wanted.same_user_because = NULL };
	char text[1024], user[32];

	(void)state;
	snprintf(user, sizeof(user),
	         geteuid() == 0 ? "done: user root (%u), no capability" : "done: user %u, no capability",
	         (unsigned)geteuid());
	assert_int_equal(report_of(&wanted, text), 0);
	assert_non_null(strstr(text, user));
	assert_null(strstr(text, "of its own"));
}

static void test_confine__fails_when_it_cannot_become_the_user(void **state)
{
	struct report wanted = { .wanted = { .user_name = "root", .uid = 0, .gid = 0 }, .drop_root = geteuid() == 0 };
	char text[1024];

	(void)state;
	assert_int_equal(report_of(&wanted, text), 1);
	assert_non_null(strstr(text, "cannot become user root (0, group 0): Operation not permitted"));
	assert_non_null(strstr(text, "CAP_SETUID"));
}

static void test_confine__fails_without_its_folder(void **state)
{
	const char *const folders[] = { "/nowhere/to/write" };
	struct report wanted = { .wanted = { .write_folders = folders, .write_folder_count = 1 } };
	char text[1024];

	(void)state;
	if (landlock_abi() <= 0) {
		print_message("skipped: this kernel has no Landlock\n");
		skip();
	}
	assert_int_equal(report_of(&wanted, text), 1);
	assert_non_null(strstr(text, "/nowhere/to/write: No such file or directory"));
}

static void *wait_for_end(void *mutex)
{
	pthread_mutex_lock(mutex);
	pthread_mutex_unlock(mutex);
	return NULL;
}

static void test_confine__refuses_a_process_with_threads(void **state)
{
	const struct scd_confinement wanted = { .user_name = NULL };
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	struct scd_confined done;
	struct scd_error err = { 0 };
	pthread_t thread;

	(void)state;
	if (SCD__CONFINE_SANITIZED) {
		print_message("skipped: a sanitizer may have threads of its own\n");
		skip();
	}
	pthread_mutex_lock(&mutex);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_end, &mutex), 0);
	assert_int_equal(scd_confine(&wanted, &done, &err), -EBUSY);
	pthread_mutex_unlock(&mutex);
	pthread_join(thread, NULL);
	assert_non_null(strstr(err.what, "2 threads"));
}

static void test_describe__cuts_to_its_room(void **state)
{
	struct scd_confined confined = { .layers = { { .done = "one" }, { .done = "two", .missing = "three" } } };
	char text[9];

	(void)state;
	scd_confined_describe(&confined, false, text, sizeof(text));
	assert_string_equal(text, "one, two");
	scd_confined_describe(&confined, false, text, 6);
	assert_string_equal(text, "one, ");
	scd_confined_describe(&confined, true, text, sizeof(text));
	assert_string_equal(text, "three");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_confine__says_what_holds),
		cmocka_unit_test(test_confine__says_what_is_missing_without_root),
		cmocka_unit_test(test_confine__says_what_the_kernel_does_not_have),
		cmocka_unit_test(test_confine__fails_when_seccomp_is_refused),
		cmocka_unit_test(test_confine__fails_without_memory),
		cmocka_unit_test(test_confine__may_leave_the_user),
		cmocka_unit_test(test_confine__fails_when_it_cannot_become_the_user),
		cmocka_unit_test(test_confine__fails_without_its_folder),
		cmocka_unit_test(test_confine__refuses_a_process_with_threads),
		cmocka_unit_test(test_describe__cuts_to_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
