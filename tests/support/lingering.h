/*
 * A socket that is slow to go: TCP over loopback with data that its other end does not read, and SO_LINGER, so that
 * closing its last descriptor waits for LINGERING_S.
 */
#ifndef SCD_TESTS_SUPPORT_LINGERING_H
#define SCD_TESTS_SUPPORT_LINGERING_H

#define LINGERING_S 60

/* The lingering end first. 0 or negative errno. */
int lingering_pair(int ret_fds[2]);

#endif
