/*
 * Processes that look like runsc to the keeper, for tests of who connects where no real one can run, or where a real
 * one would not misbehave.
 */
#ifndef SCD_TESTS_SUPPORT_FAKE_RUNSC_H
#define SCD_TESTS_SUPPORT_FAKE_RUNSC_H

#include <stdbool.h>
#include <sys/types.h>

#include "tests/support/tempdir.h"

/* NULL when the keeper can look at processes that this one starts, or at itself, else why not. */
const char *fake_runsc_unavailable(void);

struct fake_runsc {
	const char *name;        /* of its executable; NULL: runsc */
	mode_t mode;             /* of its executable; 0: 0755 */
	const char *arguments;   /* behind the program, parted by single blanks */
	const char *socket_path; /* where it connects to */
	const char *lock;        /* a file that it makes and holds open; NULL: none */
	const char *other_lock;  /* another one */
	const char *claim;       /* when it is answered, it reports a /bin/claimed in a container of this id */
	int done_fd;             /* it writes a byte there when it was answered and has said all; 0: it does not */
	unsigned descriptors;    /* that it has open in front of everything else */
	bool confined;           /* by a seccomp filter */
	bool apart;              /* with mounts of its own; needs root */
	bool gone;               /* it removes its executable */
	uid_t uid;               /* of its user and group; 0: ours. Others need root, and folders that let them in */
};

/*
 * Copies the executable into the folder and starts it; its id, or negative errno. It ends with 0 when its connection,
 * once answered, is closed, and with 1 when that happens before.
 */
pid_t fake_runsc_start(struct tempdir *dir, const struct fake_runsc *fake);

#endif
