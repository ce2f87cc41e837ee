/*
 * The receiver that docs/control-plane.md shows, run as it stands there, against the output it is for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/emit_world.h"
#include "tests/support/run.h"
#include "tests/support/tempdir.h"

#define DOCUMENT  SCD_SOURCE_DIR "/docs/control-plane.md"
#define MAX_BYTES 65536

/* Writes the document's one Python block to a file. */
static void extract(const char *path)
{
	static char document[MAX_BYTES];
	FILE *from = fopen(DOCUMENT, "re"), *to = fopen(path, "we");
	char *start, *end;

	assert_non_null(from);
	assert_non_null(to);
	assert_true(fread(document, 1, sizeof(document) - 1, from) > 0);
	fclose(from);
	start = strstr(document, "```python\n");
	assert_non_null(start);
	start += strlen("```python\n");
	end = strstr(start, "```\n");
	assert_non_null(end);
	*end = '\0';
	assert_true(fputs(start, to) >= 0);
	assert_int_equal(fclose(to), 0);
}

/* Starts the receiver; returns its port. */
static unsigned start_receiver(struct run *run, const char *script, const char *database)
{
	const char *const argv[] = { "/usr/bin/env", "python3", script, "0", database, NULL };
	const struct run_options options = { .argv = argv };
	unsigned port = 0;

	run_start(run, &options);
	assert_true(run_until(run, "listening on port "));
	while (!port)
		if (sscanf(strstr(run->err.data, "port "), "port %u\n", &port) != 1)
			assert_true(run_until(run, "\n"));
	return port;
}

static void stop_receiver(struct run *run)
{
	kill(-run->pid, SIGKILL);
	run_finish(run);
	run_done(run);
}

/* Delivers alerts first… to the receiver, all of them. */
static void deliver(unsigned port, unsigned first, unsigned count)
{
	struct scd_control_plane_options options = { .encoding = SCD_BATCH_JSON };
	struct emit_world world;
	struct scd_error err;
	char url[80];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1/security-events", port);
	options.http.url = url;
	emit_open(&world);
	assert_int_equal(scd_emitter_add_control_plane(world.emitter, &options, &err), 0);
	emit_submit(&world, first, count);
	assert_int_equal(emit_drain(&world, LOOP_DEADLINE_MS), 0);
	assert_int_equal(emit_status(&world, 0).delivered, count);
	assert_int_equal(emit_status(&world, 0).retries, 0);
	emit_close(&world);
}

/* Asserts that the database holds the alerts 0…count-1, each once, in order, whole. */
static void check_events(const char *database, unsigned count)
{
	static const char query[] = "import json, sqlite3, sys\n"
	                            "for id, event in sqlite3.connect(sys.argv[1]).execute('SELECT * FROM events'):\n"
	                            "    assert json.loads(event)['rule']['name'] == 'Test rule'\n"
	                            "    print(id)\n";
	const char *const argv[] = { "/usr/bin/env", "python3", "-c", query, database, NULL };
	const struct run_options options = { .argv = argv };
	struct run run;
	char *line;

	assert_int_equal(run_program(&run, &options), 0);
	line = run.out.data;
	for (unsigned n = 0; n < count; n++, line += ALERT_ID_BYTES) {
		char id[ALERT_ID_BYTES];

		alert_id(n, id);
		assert_int_equal(strncmp(line, id, sizeof(id) - 1), 0);
	}
	assert_int_equal(*line, '\0');
	run_done(&run);
}

static void test_example__keeps_each_event_once_also_over_its_own_restart(void **state)
{
	char script[128], database[128];
	struct tempdir dir;
	struct run run;
	unsigned port;

	(void)state;
	if (system("python3 -c 'import sqlite3' 2>/dev/null") != 0) {
		print_message("python3 with its sqlite3 is missing\n");
		skip();
	}
	assert_int_equal(tempdir_make(&dir), 0);
	snprintf(script, sizeof(script), "%s", tempdir_join(&dir, "receiver.py"));
	snprintf(database, sizeof(database), "%s", tempdir_join(&dir, "events.db"));
	extract(script);
	port = start_receiver(&run, script, database);
	deliver(port, 0, 20);
	deliver(port, 10, 20); /* the first ten of them again */
	check_events(database, 30);
	stop_receiver(&run);
	port = start_receiver(&run, script, database);
	deliver(port, 0, 35);
	check_events(database, 35);
	stop_receiver(&run);
	tempdir_remove(&dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example__keeps_each_event_once_also_over_its_own_restart),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
