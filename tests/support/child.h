/*
 * Forked processes of a test, with deadlines.
 */
#ifndef SCD_TESTS_SUPPORT_CHILD_H
#define SCD_TESTS_SUPPORT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Its result is the exit status. Runs in the child; a cmocka assertion there would end up in the parent's tests. */
typedef int child_main_fn(void *user);

/* The child's id, or negative errno. The child ends with its parent, by SIGKILL. */
pid_t child_start(child_main_fn *child_main, void *user);

/*
 * Waits for the end: the exit status, or 1000 + the signal that killed it. -ETIMEDOUT: it was killed by us, as the
 * time was over.
 */
int child_wait(pid_t pid, int timeout_ms);

/* Whether it runs (a zombie does not). */
bool child_is_alive(pid_t pid);

#endif
