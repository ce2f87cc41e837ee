/*
 * A program that looks like runsc to the keeper, when it is copied to that name: it holds state locks, connects to a
 * sink, says its handshake and waits for the answer. What it is to do comes in its environment, so that its arguments
 * can be any (tests/support/fake_runsc.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/messages.h"
#include "tests/support/peer.h"

/* Under a filter that lets everything pass, which is all that /proc tells of one. */
static int confine(void)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &pass };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		return -errno;
	return 0;
}

static int hold(const char *path)
{
	return !path || open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) >= 0 ? 0 : -errno;
}

static int hold_descriptors(const char *count)
{
	for (long left = count ? strtol(count, NULL, 10) : 0; left > 0; left--) {
		if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
			return -errno;
	}
	return 0;
}

/* One start of a program, in a container of this id. */
static int claim(int fd, const char *container)
{
	const struct actor actor = { .tid = 7, .tgid = 7, .time_ns = 1, .container = container };
	const char *const argv[] = { "/bin/claimed", NULL };
	struct message message = { 0 };
	int r;

	if (!container)
		return 0;
	message_exec(&message, &actor, argv[0], argv);
	r = peer_send(fd, message.data, message.len);
	message_done(&message);
	return r;
}

/* Whoever started it may go on. */
static int tell(const char *fd)
{
	return !fd || write((int)strtol(fd, NULL, 10), "!", 1) == 1 ? 0 : -errno;
}

int main(void)
{
	int fd, r = hold_descriptors(getenv("FAKE_DESCRIPTORS"));

	if (!r)
		r = hold(getenv("FAKE_LOCK"));
	if (!r)
		r = hold(getenv("FAKE_OTHER_LOCK"));
	if (!r && getenv("FAKE_GONE"))
		r = unlink(getenv("FAKE_GONE")) < 0 ? -errno : 0;
	if (!r && getenv("FAKE_CONFINED"))
		r = confine();
	fd = r < 0 ? r : peer_connect(getenv("FAKE_SOCKET"));
	if (fd < 0) {
		fprintf(stderr, "fake_runsc: %s\n", strerror(-fd));
		return 99;
	}
	r = peer_greet(fd, PEER_DEADLINE_MS);
	if (!r)
		r = claim(fd, getenv("FAKE_CLAIM"));
	if (!r)
		r = tell(getenv("FAKE_DONE"));
	if (r < 0)
		return 1;
	return peer_wait_closed(fd, PEER_DEADLINE_MS) == 0 ? 0 : 2;
}
