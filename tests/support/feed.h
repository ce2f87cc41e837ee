/*
 * A pipeline with one stream, for tests: messages in, the alerts' JSON objects out.
 */
#ifndef SCD_TESTS_SUPPORT_FEED_H
#define SCD_TESTS_SUPPORT_FEED_H

#include <jansson.h>

#include "seccheckd/pipeline/pipeline.h"
#include "tests/support/messages.h"

#define FEED_ALERTS 256

struct feed {
	struct scd_ruleset *rules;
	struct scd_pipeline *pipeline;
	struct scd_stream *stream;
	json_t *alerts[FEED_ALERTS]; /* in the order they came */
	size_t alert_count;
	int64_t (*wall_ns)(void); /* of the next pipeline; NULL: no clock */
};

/*
 * paths: NULL-terminated rule files or folders, relative to the source folder. Fails the test when they do not load.
 */
void feed_open(struct feed *feed, const char *const *paths);
void feed_open_text(struct feed *feed, const char *yaml);
void feed_close(struct feed *feed);

/* Starts over with another pipeline and stream over the same rules. The alerts that came so far stay. */
void feed_restart(struct feed *feed, const struct scd_stream_info *info, bool coverage_alerts);

/* Feeds one message; its alerts are added. The message stays the caller's. */
int feed_message(struct feed *feed, const struct message *message);

/* Forgets the alerts that came so far. */
void feed_forget(struct feed *feed);

/* The first alert of a rule, or NULL. */
json_t *feed_alert(const struct feed *feed, const char *rule);

/*
 * Feeds every message of a trace file; fails the test when it cannot be read to its end. Returns the number of
 * messages.
 */
size_t feed_trace(struct feed *feed, const char *path);

#endif
