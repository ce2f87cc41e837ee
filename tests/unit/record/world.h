/*
 * A recorder for tests, on a real loop, with a folder of its own and a pool of one thread, which a test can hold up.
 */
#ifndef SCD_TESTS_UNIT_RECORD_WORLD_H
#define SCD_TESTS_UNIT_RECORD_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "seccheckd/record/record.h"
#include "tests/support/loop.h"
#include "tests/support/tempdir.h"

struct fixture {
	struct tempdir dir;
	int folder_fd;
	uv_loop_t loop;
	struct scd_recorder *recorder;
	uv_work_t blocker;
	uv_sem_t unblock, blocked;
	/* Written by the one thread of the pool, read when the loop has ended. */
	unsigned finished_count;
	char finished_names[256]; /* each with a blank behind it */
};

static inline void on_finished(void *user, const struct scd_recording_result *result)
{
	struct fixture *fixture = user;
	size_t len = strlen(fixture->finished_names);

	fixture->finished_count++;
	snprintf(fixture->finished_names + len, sizeof(fixture->finished_names) - len, "%s ", result->name);
}

static inline void open_recorder(struct fixture *fixture, uint64_t max_bytes)
{
	static const struct scd_recorder_ops ops = { .finished = on_finished };
	const struct scd_recorder_options options = {
		.loop = &fixture->loop,
		.folder_fd = fixture->folder_fd,
		.max_bytes = max_bytes,
		.hostname = SCD_STR_INIT("test-host"),
		.boot_id = SCD_STR_INIT("test-boot"),
	};

	scd_recorder_free(&fixture->recorder);
	fixture->recorder = scd_recorder_new(&options, &ops, fixture);
	assert_non_null(fixture->recorder);
}

static inline int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	*state = fixture;
	if (!fixture || tempdir_make(&fixture->dir) < 0)
		return -1;
	fixture->folder_fd = open(fixture->dir.path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	uv_loop_init(&fixture->loop);
	uv_sem_init(&fixture->unblock, 0);
	uv_sem_init(&fixture->blocked, 0);
	open_recorder(fixture, 0);
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *fixture = *state;
	int r;

	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	scd_recorder_free(&fixture->recorder);
	r = uv_loop_close(&fixture->loop);
	uv_sem_destroy(&fixture->unblock);
	uv_sem_destroy(&fixture->blocked);
	close(fixture->folder_fd);
	tempdir_remove(&fixture->dir);
	free(fixture);
	return r;
}

static inline void block(uv_work_t *work)
{
	struct fixture *fixture = work->data;

	uv_sem_post(&fixture->blocked);
	uv_sem_wait(&fixture->unblock);
}

static inline void on_unblocked(uv_work_t *work, int status)
{
	(void)work;
	(void)status;
}

/* From here to release, the disk is so slow that nothing is written. */
static inline void hold_up(struct fixture *fixture)
{
	fixture->blocker.data = fixture;
	uv_queue_work(&fixture->loop, &fixture->blocker, block, on_unblocked);
	uv_sem_wait(&fixture->blocked);
}

static inline void release(struct fixture *fixture)
{
	uv_sem_post(&fixture->unblock);
}

static inline struct scd_recording *start(struct fixture *fixture)
{
	const struct scd_recording_info info = { .peer_pid = 42, .peer_uid = 7, .listener = SCD_STR_INIT("/run/s") };
	struct scd_recording *recording = scd_recording_start(fixture->recorder, &info);

	assert_non_null(recording);
	return recording;
}

/* Lets all jobs end. */
static inline void settle(struct fixture *fixture)
{
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

static inline const struct scd_recorder_counters *counters(const struct fixture *fixture)
{
	return scd_recorder_counters(fixture->recorder);
}

static inline void add_zeros(struct scd_recording *recording, size_t len)
{
	char *bytes = calloc(1, len);

	assert_non_null(bytes);
	scd_recording_add(recording, (struct scd_str){ bytes, len });
	free(bytes);
}

static inline json_t *load_meta(struct fixture *fixture, const char *name)
{
	json_error_t error;
	json_t *meta = json_load_file(tempdir_join(&fixture->dir, name), 0, &error);

	if (!meta)
		fail_msg("%s: %s", name, error.text);
	return meta;
}

static inline void expect_text(const json_t *meta, const char *key, const char *expected)
{
	const char *text = json_string_value(json_object_get(meta, key));

	assert_non_null(text);
	assert_string_equal(text, expected);
}

static inline void expect_count(const json_t *meta, const char *key, json_int_t expected)
{
	assert_true(json_is_integer(json_object_get(meta, key)));
	assert_int_equal(json_integer_value(json_object_get(meta, key)), expected);
}

/* The description says so many messages in the file, so many not, and why. */
static inline void expect_meta(struct fixture *fixture, const char *name, json_int_t messages, json_int_t dropped,
                               const char *reason)
{
	json_t *meta = load_meta(fixture, name);

	expect_count(meta, "messages", messages);
	expect_count(meta, "dropped", dropped);
	assert_true(json_is_boolean(json_object_get(meta, "complete")));
	assert_int_equal(json_is_true(json_object_get(meta, "complete")), !reason);
	if (reason)
		expect_text(meta, "reason", reason);
	else
		assert_null(json_object_get(meta, "reason"));
	json_decref(meta);
}

/* One thread, so that a test can hold it up, and errors instead of the signal of a file over its limit. */
static inline int prepare(void **state)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)state;
	return setenv("UV_THREADPOOL_SIZE", "1", 1) < 0 ? -1 : sigaction(SIGXFSZ, &ignore, NULL);
}

#endif
