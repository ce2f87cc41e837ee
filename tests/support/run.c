/*
 * Running programs. One poll loop reads both outputs and watches the process by a pidfd, so that nothing is waited for
 * without a deadline.
 */
#include "tests/support/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"

#define CHUNK_BYTES 65536

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void redirect(const char *path, int flags, int to)
{
	int fd = open(path, flags);

	if (fd < 0 || dup2(fd, to) < 0)
		die(path);
	close(fd);
}

static void become(const struct run_options *options, int out_fd, int err_fd)
{
	setpgid(0, 0);
	redirect("/dev/null", O_RDONLY, STDIN_FILENO);
	dup2(err_fd, STDERR_FILENO);
	if (options->stdout_path)
		redirect(options->stdout_path, O_WRONLY, STDOUT_FILENO);
	else
		dup2(out_fd, STDOUT_FILENO);
	for (size_t i = 0; options->environment && options->environment[i]; i++)
		putenv(strdup(options->environment[i]));
	execv(options->argv[0], (char *const *)(uintptr_t)options->argv);
	die(options->argv[0]);
}

static void make_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) < 0)
		die("pipe2");
}

static int nobody(int fd)
{
	close(fd);
	return -1;
}

void run_start(struct run *run, const struct run_options *options)
{
	int out[2], err[2];

	memset(run, 0, sizeof(*run));
	run->out.data = calloc(1, 1);
	run->err.data = calloc(1, 1);
	make_pipe(out);
	make_pipe(err);
	fflush(NULL);
	if (options->close_stdout)
		out[0] = nobody(out[0]);
	run->pid = fork();
	if (run->pid < 0)
		die("fork");
	if (run->pid == 0)
		become(options, out[1], err[1]);
	setpgid(run->pid, run->pid); /* whoever comes first */
	close(out[1]);
	close(err[1]);
	run->out_fd = out[0];
	run->err_fd = err[0];
	run->pid_fd = (int)syscall(SYS_pidfd_open, run->pid, 0);
	if (run->pid_fd < 0)
		die("pidfd_open");
}

/* Appends what a descriptor has; closes it at the end. */
static void take_in(int *fd, struct run_text *text)
{
	ssize_t got;

	text->data = realloc(text->data, text->len + CHUNK_BYTES + 1);
	if (!text->data)
		die("realloc");
	got = read(*fd, text->data + text->len, CHUNK_BYTES);
	if (got > 0)
		text->len += (size_t)got;
	else
		*fd = nobody(*fd);
	text->data[text->len] = '\0';
}

static void reap(struct run *run)
{
	int status;

	if (waitpid(run->pid, &status, 0) != run->pid)
		die("waitpid");
	run->pid_fd = nobody(run->pid_fd);
	run->ended = true;
	run->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Waits for one of the three; a descriptor of -1 is not waited for. False at the deadline, or if nothing is left. */
static bool step(struct run *run, int64_t deadline_ns)
{
	struct pollfd fds[] = {
		{ .fd = run->out_fd, .events = POLLIN },
		{ .fd = run->err_fd, .events = POLLIN },
		{ .fd = run->pid_fd, .events = POLLIN },
	};
	int64_t left_ms = (deadline_ns - scd_clock_mono_ns()) / 1000000;
	int r;

	if (run->out_fd < 0 && run->err_fd < 0 && run->pid_fd < 0)
		return false;
	r = poll(fds, 3, left_ms > 0 ? (int)left_ms : 0);
	if (r <= 0)
		return r < 0 && errno == EINTR;
	if (fds[0].revents)
		take_in(&run->out_fd, &run->out);
	if (fds[1].revents)
		take_in(&run->err_fd, &run->err);
	if (fds[2].revents)
		reap(run);
	return true;
}

static int64_t deadline(void)
{
	return scd_clock_mono_ns() + RUN_DEADLINE_MS * INT64_C(1000000);
}

bool run_until(struct run *run, const char *text)
{
	const int64_t deadline_ns = deadline();

	while (!strstr(run->err.data, text)) {
		if (!step(run, deadline_ns))
			return false;
	}
	return true;
}

bool run_until_count(struct run *run, const char *text, size_t count)
{
	const int64_t deadline_ns = deadline();

	while (run_count(&run->err, text) < count) {
		if (!step(run, deadline_ns))
			return false;
	}
	return true;
}

bool run_until_out(struct run *run, size_t len)
{
	const int64_t deadline_ns = deadline();

	while (run->out.len < len) {
		if (!step(run, deadline_ns))
			return false;
	}
	return true;
}

int run_finish(struct run *run)
{
	const int64_t deadline_ns = deadline();

	while (step(run, deadline_ns))
		;
	if (!run->ended || run->out_fd >= 0 || run->err_fd >= 0) {
		kill(-run->pid, SIGKILL);
		if (!run->ended)
			reap(run);
		run->status = -1;
	}
	return run->status;
}

void run_done(struct run *run)
{
	if (!run->ended) {
		kill(-run->pid, SIGKILL);
		reap(run);
	}
	if (run->out_fd >= 0)
		close(run->out_fd);
	if (run->err_fd >= 0)
		close(run->err_fd);
	free(run->out.data);
	free(run->err.data);
	memset(run, 0, sizeof(*run));
}

int run_program(struct run *run, const struct run_options *options)
{
	run_start(run, options);
	return run_finish(run);
}

size_t run_count(const struct run_text *text, const char *needle)
{
	size_t count = 0;

	for (const char *at = text->data; (at = strstr(at, needle)); at += strlen(needle))
		count++;
	return count;
}

pid_t run_child(const struct run *run)
{
	char path[64];
	FILE *file;
	int pid = -1;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)run->pid, (int)run->pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%d", &pid) != 1)
		pid = -1;
	fclose(file);
	return pid;
}
