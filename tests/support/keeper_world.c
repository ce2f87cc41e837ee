/*
 * The keeper is forked off the test program, and the worker off the keeper; what they report comes over one socket.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/child.h"
#include "tests/support/keeper_world.h"
#include "tests/support/peer.h"

void keeper_world_report(const struct keeper_world *world, const struct keeper_report *report)
{
	(void)peer_send(world->reports[1], report, sizeof(*report));
}

void keeper_world_say(const struct keeper_world *world, uint64_t value)
{
	keeper_world_report(world, &(struct keeper_report){ .from = 'W', .value = value });
}

struct keeper_report keeper_world_next(struct keeper_world *world, char from)
{
	struct keeper_report report = { 0 };

	while (report.from != from) {
		assert_int_equal(peer_wait(world->reports[0], POLLIN, PEER_DEADLINE_MS), 0);
		assert_int_equal(recv(world->reports[0], &report, sizeof(report), 0), sizeof(report));
	}
	return report;
}

static int keeper_main(void *user)
{
	struct keeper_world *world = user;
	const struct scd_keeper_options options = {
		.listen_paths = &world->path,
		.listen_count = 1,
		.lane_count = world->lane_count,
		.may_be_final = world->may_be_final,
	};
	const struct rlimit limit = { world->descriptors, world->descriptors };
	struct keeper_report report = { .from = 'L' };
	struct scd_keeper *keeper = NULL;
	struct scd_error err;
	int status;

	close(world->reports[0]);
	if (world->descriptors)
		setrlimit(RLIMIT_NOFILE, &limit);
	if (scd_keeper_new(&options, &keeper, &err) < 0)
		return 99;
	for (int i = 0; i < world->wasted; i++)
		fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	keeper_world_report(world, &report);
	status = scd_keeper_run(keeper, world->worker_main, world);
	report = (struct keeper_report){ .from = 'K',
		                         .value = (uint64_t)status,
		                         .counters = *scd_keeper_counters(keeper) };
	keeper_world_report(world, &report);
	scd_keeper_free(&keeper);
	return status;
}

void keeper_world_start(struct keeper_world *world, scd_worker_main_fn *worker_main)
{
	world->worker_main = worker_main;
	world->pid = child_start(keeper_main, world);
	assert_true(world->pid > 0);
	keeper_world_next(world, 'L');
}

struct scd_keeper_counters keeper_world_finish(struct keeper_world *world, int status)
{
	struct keeper_report report = keeper_world_next(world, 'K');
	struct stat file;

	assert_int_equal(report.value, status);
	assert_int_equal(child_wait(world->pid, PEER_DEADLINE_MS), status);
	world->pid = 0;
	assert_int_equal(lstat(world->path, &file), -1);
	return report.counters;
}

struct scd_keeper_counters keeper_world_stop(struct keeper_world *world, int status)
{
	kill(world->pid, SIGTERM);
	return keeper_world_finish(world, status);
}

int keeper_world_set_up(void **state)
{
	struct keeper_world *world = calloc(1, sizeof(*world));

	*state = world;
	if (!world || tempdir_make(&world->dir) < 0)
		return -1;
	world->shared = mmap(NULL, sizeof(*world->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	world->path = tempdir_join(&world->dir, "sink.sock");
	if (world->shared == MAP_FAILED)
		return -1;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, world->reports);
}

int keeper_world_tear_down(void **state)
{
	struct keeper_world *world = *state;

	if (world->pid > 0) {
		kill(world->pid, SIGKILL);
		child_wait(world->pid, PEER_DEADLINE_MS);
	}
	close(world->reports[0]);
	close(world->reports[1]);
	munmap(world->shared, sizeof(*world->shared));
	tempdir_remove(&world->dir);
	free(world);
	return 0;
}

unsigned keeper_world_enter(const struct keeper_world *world)
{
	return atomic_fetch_add(&world->shared->starts, 1) + 1;
}

/* The descriptor that came with a message, or -1. */
static int passed_fd(struct msghdr *header)
{
	struct cmsghdr *part = CMSG_FIRSTHDR(header);
	int fd = -1;

	if (part && part->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(part), sizeof(fd));
	return fd;
}

bool keeper_world_hear(int control_fd, struct scd_custody *ret_message, int *ret_fd)
{
	static _Thread_local uint8_t bytes[SCD_CUSTODY_MAX_BYTES]; /* the message borrows from it until the next call */
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { bytes, sizeof(bytes) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control };
	ssize_t received;
	int fd;

	header.msg_controllen = sizeof(control.room);
	if (peer_wait(control_fd, POLLIN, PEER_DEADLINE_MS) < 0)
		return false;
	received = recvmsg(control_fd, &header, 0);
	if (received <= 0)
		return false;
	fd = passed_fd(&header);
	if (ret_fd)
		*ret_fd = fd;
	else if (fd >= 0)
		close(fd);
	return scd_custody_parse((struct scd_str){ (char *)bytes, (size_t)received }, ret_message) == 0;
}

void keeper_world_tell(int control_fd, enum scd_custody_kind kind, uint64_t id)
{
	const struct scd_custody message = { .kind = kind, .connection_id = id };
	uint8_t bytes[SCD_CUSTODY_MAX_BYTES];

	(void)peer_send(control_fd, bytes, scd_custody_format(&message, bytes));
}

void keeper_world_tell_ready(const struct scd_worker_seat *seat)
{
	for (size_t i = 0; i < seat->lane_count; i++)
		keeper_world_tell(seat->control_fds[i], SCD_CUSTODY_READY, 0);
}

int keeper_world_hang(void)
{
	alarm(60);
	pause();
	return 9;
}
