/*
 * Real gVisor sandboxes under a real daemon, for end-to-end tests.
 */
#ifndef SCD_TESTS_SUPPORT_SANDBOX_H
#define SCD_TESTS_SUPPORT_SANDBOX_H

#include <jansson.h>

#include "tests/support/run.h"
#include "tests/support/tempdir.h"

/* NULL when a sandbox can be run here, else why not. Runs one to find out, once per program. */
const char *sandbox_unavailable(void);

/* A daemon of its own folder: socket, configuration, rules. */
struct daemon {
	struct tempdir dir;
	struct run run;
	json_t *alerts; /* after daemon_stop: array of the objects on its standard output */
};

/*
 * rules: text of a rule file. config: more lines of the configuration file, or "". Fails the test when it does not
 * start.
 */
void daemon_start(struct daemon *daemon, const char *rules, const char *config);

/* SIGTERM, wait, parse. Returns the exit status. */
int daemon_stop(struct daemon *daemon);
void daemon_done(struct daemon *daemon);

/*
 * A recorder in place of the daemon: traces go to the folder `out` of its own. stop: SIGTERM, wait; the exit status.
 * daemon_done as above.
 */
void recorder_start(struct daemon *daemon);
int recorder_stop(struct daemon *daemon);

/* The first alert of a rule whose process has this name; NULL: none. */
const json_t *daemon_alert(const struct daemon *daemon, const char *rule, const char *process_name);

/* A sandbox that runs a shell script under a daemon. Output is collected in run; start, then finish. */
void sandbox_start(struct run *run, struct daemon *daemon, const char *script);
/* The same with a name for the functions below; no two under one daemon have the same. */
void sandbox_start_named(struct run *run, struct daemon *daemon, const char *name, const char *script);
/* Runs another script in it, which is up; its exit status. */
int sandbox_exec(struct daemon *daemon, const char *name, const char *script);
/* Ends it from outside, and waits for runsc, whatever it says. */
void sandbox_kill(struct run *run, struct daemon *daemon, const char *name);
/* Fails the test when the script's exit status is not 0. */
void sandbox_finish(struct run *run);

#endif
