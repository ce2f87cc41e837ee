/*
 * Real gVisor sandboxes under a real daemon.
 *
 * The session is that of docker/session.json, which the documentation recommends, with the test's socket in it. The
 * sandbox's root is the host's file system behind an overlay, as `runsc do` has it; the environment is empty but for
 * PATH.
 */
#include "tests/support/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
#define FLAGS "--network=none --platform=ptrace --ignore-cgroups"

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fputs(text, file) < 0, 0);
	assert_int_equal(fclose(file), 0);
}

/* docker/session.json with another endpoint. */
static void write_session(const char *path, const char *socket_path)
{
	json_error_t error;
	json_t *session = json_load_file(SCD_SOURCE_DIR "/docker/session.json", 0, &error);
	if (!session)
		fail_msg("session.json: %s", error.text);
	json_t *sink = json_array_get(json_object_get(json_object_get(session, "trace_session"), "sinks"), 0);
	assert_int_equal(json_object_set_new(json_object_get(sink, "config"), "endpoint", json_string(socket_path)), 0);
	assert_int_equal(json_dump_file(session, path, 0), 0);
	json_decref(session);
}

/*
 * A shell keeps runsc off our pipes' descriptors, and `cat` is what it writes to. `do` keeps the state of its sandbox
 * not below --root but in a folder that it makes in TMPDIR.
 */
static void start_runsc(struct run *run, const char *root, const char *session, const char *script)
{
	char command[4096];
	snprintf(command, sizeof(command),
	         "mkdir -p '%s' && env -i " PATHS " TMPDIR='%s' runsc --root '%s' " FLAGS
	         " %s%s%s do /bin/sh -c \"$1\" </dev/null 2>&1 | cat; exit ${PIPESTATUS[0]}",
	         root, root, root, session ? "--pod-init-config='" : "", session ? session : "", session ? "'" : "");
	const char *const argv[] = { "/bin/bash", "-c", command, "sandbox", script, NULL };
	run_start(run, &(struct run_options){ .argv = argv });
}

/* A folder in which the sandbox's own process, which runs as nobody, finds what runsc put there. */
static int make_open_folder(struct tempdir *dir)
{
	int r = tempdir_make(dir);
	return r == 0 && chmod(dir->path, 0711) < 0 ? -errno : r;
}

const char *sandbox_unavailable(void)
{
	static char reason[512];
	static bool known;
	if (known)
		return reason[0] ? reason : NULL;
	known = true;
	if (geteuid() != 0) {
		snprintf(reason, sizeof(reason), "runsc needs root");
		return reason;
	}
	struct tempdir dir;
	struct run run;
	assert_int_equal(make_open_folder(&dir), 0);
	start_runsc(&run, tempdir_join(&dir, "runsc"), NULL, "true");
	if (run_finish(&run) != 0)
		snprintf(reason, sizeof(reason), "runsc cannot run a sandbox here: %.400s", run.out.data);
	run_done(&run);
	tempdir_remove(&dir);
	return reason[0] ? reason : NULL;
}

/* The folder, with a session that leads to the socket in it; the path of that. */
static const char *make_folder(struct daemon *daemon)
{
	assert_int_equal(make_open_folder(&daemon->dir), 0);
	daemon->alerts = NULL;
	const char *socket_path = tempdir_join(&daemon->dir, "s");
	write_session(tempdir_join(&daemon->dir, "session.json"), socket_path);
	return socket_path;
}

void daemon_start(struct daemon *daemon, const char *rules, const char *config)
{
	char text[4096];
	const char *socket_path = make_folder(daemon);
	write_file(tempdir_join(&daemon->dir, "rules.yaml"), rules);
	snprintf(text, sizeof(text), "listen: [%s]\nrules_files: [%s]\nstdout_output: {enabled: true}\n%s", socket_path,
	         tempdir_join(&daemon->dir, "rules.yaml"), config);
	write_file(tempdir_join(&daemon->dir, "config.yaml"), text);
	const char *const argv[] = { RUN_SECCHECKD, "serve", "--config", tempdir_join(&daemon->dir, "config.yaml"),
		                     NULL };
	run_start(&daemon->run, &(struct run_options){ .argv = argv });
	if (!run_until(&daemon->run, "ready: "))
		fail_msg("the daemon did not start: %s", daemon->run.err.data);
}

void recorder_start(struct daemon *daemon)
{
	const char *socket_path = make_folder(daemon);
	const char *const argv[] = { RUN_SECCHECKD, "record", "--listen",
		                     socket_path,   "--out",  tempdir_join(&daemon->dir, "out"),
		                     NULL };
	run_start(&daemon->run, &(struct run_options){ .argv = argv });
	if (!run_until(&daemon->run, "ready: "))
		fail_msg("the recorder did not start: %s", daemon->run.err.data);
}

int recorder_stop(struct daemon *daemon)
{
	kill(daemon->run.pid, SIGTERM);
	return run_finish(&daemon->run);
}

int daemon_stop(struct daemon *daemon)
{
	kill(daemon->run.pid, SIGTERM);
	int status = run_finish(&daemon->run);
	daemon->alerts = json_array();
	for (char *rest, *line = strtok_r(daemon->run.out.data, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		json_error_t error;
		json_t *alert = json_loads(line, 0, &error);
		if (!alert)
			fail_msg("not JSON: %s (%s)", line, error.text);
		json_array_append_new(daemon->alerts, alert);
	}
	return status;
}

void daemon_done(struct daemon *daemon)
{
	json_decref(daemon->alerts);
	run_done(&daemon->run);
	tempdir_remove(&daemon->dir);
}

const json_t *daemon_alert(const struct daemon *daemon, const char *rule, const char *process_name)
{
	size_t i;
	const json_t *alert;
	json_array_foreach(daemon->alerts, i, alert)
	{
		const json_t *process = json_object_get(json_object_get(alert, "seccheckd"), "process");
		const char *name = json_string_value(json_object_get(process, "name"));
		if (strcmp(json_string_value(json_object_get(alert, "rule")), rule) == 0 && name &&
		    strcmp(name, process_name) == 0)
			return alert;
	}
	return NULL;
}

void sandbox_start_named(struct run *run, struct daemon *daemon, const char *name, const char *script)
{
	start_runsc(run, tempdir_join(&daemon->dir, name), tempdir_join(&daemon->dir, "session.json"), script);
}

void sandbox_start(struct run *run, struct daemon *daemon, const char *script)
{
	static unsigned number;
	char name[32];
	snprintf(name, sizeof(name), "runsc-%u", number++);
	sandbox_start_named(run, daemon, name, script);
}

/* A subcommand of runsc about the sandbox of this name: the exit status. */
static int ask_runsc(struct daemon *daemon, const char *name, const char *subcommand, const char *rest,
                     const char *script)
{
	char command[1024];
	struct run run;
	snprintf(command, sizeof(command),
	         "root=$(echo '%s'/runsc-do*) && id=$(runsc --root \"$root\" list -quiet) && "
	         "exec runsc --root \"$root\" " FLAGS " %s \"$id\" %s </dev/null",
	         tempdir_join(&daemon->dir, name), subcommand, rest);
	const char *const argv[] = { "/bin/bash", "-c", command, "sandbox", script, NULL };
	int status = run_program(&run, &(struct run_options){ .argv = argv });
	if (status != 0)
		print_message("runsc %s: %s%s", subcommand, run.out.data, run.err.data);
	run_done(&run);
	return status;
}

int sandbox_exec(struct daemon *daemon, const char *name, const char *script)
{
	return ask_runsc(daemon, name, "exec", "/bin/sh -c \"$1\"", script);
}

void sandbox_kill(struct run *run, struct daemon *daemon, const char *name)
{
	ask_runsc(daemon, name, "kill", "KILL", "");
	run_finish(run);
	run_done(run);
}

void sandbox_finish(struct run *run)
{
	int status = run_finish(run);
	if (status != 0)
		fail_msg("the sandbox ended with %d: %s", status, run->out.data);
	run_done(run);
}
