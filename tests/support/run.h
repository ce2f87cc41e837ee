/*
 * Programs that a test starts: their output, their exit status, and a deadline for everything.
 *
 *   start → (until, signal)… → finish → done
 */
#ifndef SCD_TESTS_SUPPORT_RUN_H
#define SCD_TESTS_SUPPORT_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Far more than anything takes, also under a sanitizer on a busy machine: it only ends tests that hang. */
#define RUN_DEADLINE_MS 60000

/* What was built. */
#define RUN_SECCHECKD SCD_BINARY_DIR "/seccheckd"

struct run_text {
	char *data; /* NUL-terminated */
	size_t len;
};

struct run {
	pid_t pid; /* leads a process group of its own: kill(-pid, …) reaches its children too */
	int pid_fd, out_fd, err_fd;
	struct run_text out, err; /* what came so far */
	bool ended;
	int status; /* exit status once it has ended; -1: it was killed by a signal, or at the deadline */
};

struct run_options {
	const char *const *argv;        /* NULL-terminated; argv[0] is the path of the program */
	const char *const *environment; /* NULL-terminated NAME=VALUE beside what this process has; NULL: none */
	const char *stdout_path;        /* opened for standard output, whose text is empty then; NULL: a pipe to us */
	bool close_stdout;              /* standard output is a pipe that nobody reads */
};

/* Standard input is empty. Failure to start ends the test program. */
void run_start(struct run *run, const struct run_options *options);

/* Waits until standard error has the text. False when the program ended without it, or at the deadline. */
bool run_until(struct run *run, const char *text);

/* Waits until standard error has the text so often, or standard output so many bytes. False as above. */
bool run_until_count(struct run *run, const char *text, size_t count);
bool run_until_out(struct run *run, size_t len);

/* Waits for its end. At the deadline its process group is killed, and status is -1. Returns status. */
int run_finish(struct run *run);

/* Frees the texts; what still runs is killed. */
void run_done(struct run *run);

/* start and finish. */
int run_program(struct run *run, const struct run_options *options);

/* The number of times that needle is in the text. */
size_t run_count(const struct run_text *text, const char *needle);

/* The first child process of one that runs, or -1: the worker of a daemon. */
pid_t run_child(const struct run *run);

#endif
