/*
 * A pipeline with one stream, for tests.
 */
#include "tests/support/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "seccheckd/wire/trace.h"

#define JSON_BYTES (1u << 20)

static const struct scd_host test_host = { SCD_STR_INIT("test-host"), SCD_STR_INIT("test-boot") };

static void on_alert(void *user, struct scd_alert *alert)
{
	struct feed *feed = user;
	struct scd_buf text;
	scd_buf_init(&text, JSON_BYTES);
	assert_int_equal(scd_alert_json(alert, &text), 0);
	scd_alert_unref(&alert);
	assert_true(feed->alert_count < FEED_ALERTS);
	json_t *json = json_loadb(text.data, text.len, 0, NULL);
	assert_non_null(json);
	feed->alerts[feed->alert_count++] = json;
	scd_buf_done(&text);
}

static void start(struct feed *feed, const struct scd_stream_info *info, bool coverage_alerts)
{
	const struct scd_pipeline_options options = { .rules = feed->rules,
		                                      .host = &test_host,
		                                      .on_alert = on_alert,
		                                      .user = feed,
		                                      .coverage_alerts = coverage_alerts,
		                                      .wall_ns = feed->wall_ns };

	feed->pipeline = scd_pipeline_new(&options);
	assert_non_null(feed->pipeline);
	feed->stream = scd_stream_new(feed->pipeline, info);
	assert_non_null(feed->stream);
}

void feed_restart(struct feed *feed, const struct scd_stream_info *info, bool coverage_alerts)
{
	scd_stream_free(&feed->stream);
	scd_pipeline_free(&feed->pipeline);
	start(feed, info, coverage_alerts);
}

static void open_with(struct feed *feed, struct scd_loader *loader, struct scd_diags *diags)
{
	struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG };
	struct scd_stream_info info = { .nonce = { 1, 2, 3 } };
	if (scd_loader_build(loader, &options, &feed->rules) < 0) {
		scd_diags_print(diags, stderr);
		fail_msg("the rules do not load");
	}
	scd_loader_free(&loader);
	scd_diags_done(diags);
	start(feed, &info, false);
}

void feed_open(struct feed *feed, const char *const *paths)
{
	struct scd_diags diags;
	scd_diags_init(&diags);
	memset(feed, 0, sizeof(*feed));
	struct scd_loader *loader = scd_loader_new(&diags);
	for (; *paths; paths++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", SCD_SOURCE_DIR, *paths);
		scd_loader_add_path(loader, path);
	}
	open_with(feed, loader, &diags);
}

void feed_open_text(struct feed *feed, const char *yaml)
{
	struct scd_diags diags;
	scd_diags_init(&diags);
	memset(feed, 0, sizeof(*feed));
	struct scd_loader *loader = scd_loader_new(&diags);
	scd_loader_add_text(loader, scd_str_from(yaml), "test.yaml");
	open_with(feed, loader, &diags);
}

void feed_forget(struct feed *feed)
{
	for (size_t i = 0; i < feed->alert_count; i++)
		json_decref(feed->alerts[i]);
	feed->alert_count = 0;
}

void feed_close(struct feed *feed)
{
	feed_forget(feed);
	scd_stream_free(&feed->stream);
	scd_pipeline_free(&feed->pipeline);
	scd_ruleset_unref(&feed->rules);
}

int feed_message(struct feed *feed, const struct message *message)
{
	return scd_pipeline_feed(feed->stream, message_str(message));
}

json_t *feed_alert(const struct feed *feed, const char *rule)
{
	for (size_t i = 0; i < feed->alert_count; i++)
		if (strcmp(json_string_value(json_object_get(feed->alerts[i], "rule")), rule) == 0)
			return feed->alerts[i];
	return NULL;
}

size_t feed_trace(struct feed *feed, const char *path)
{
	struct scd_trace_reader *reader;
	struct scd_error err = { 0 };
	struct scd_str message;
	size_t count = 0;
	int result = scd_trace_reader_open(path, &reader, &err);
	if (result < 0)
		fail_msg("%s: %s", path, err.what);
	while ((result = scd_trace_reader_next(reader, &message, &err)) > 0) {
		assert_int_equal(scd_pipeline_feed(feed->stream, message), 0);
		count++;
	}
	if (result < 0)
		fail_msg("%s: %s", path, err.what);
	scd_trace_reader_close(&reader);
	return count;
}
