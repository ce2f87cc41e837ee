/*
 * `seccheckd rules explain`: of the events of a trace, which parts of a rule's condition were true.
 *
 * The trace goes through the pipeline with that rule alone switched on, so what the condition reads is what it reads in
 * the daemon. It goes twice: the first time to learn how near the nearest miss is, the second time to print.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "rules_clauses.h"
#include "rules_command.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/format.h"
#include "seccheckd/pipeline/pipeline.h"
#include "seccheckd/wire/trace.h"
#include "stdout.h"

#define DEFAULT_LIMIT 10u
#define HEAD_BYTES    256u

static const struct scd__flag flags[] = {
	SCD__FLAG_RULES_OF_TOOL,
	{ .name = "all", .help = "Show every event of a type that the rule looks at, not only the nearest." },
	{ .name = "limit", .value = "N", .help = "Show at most so many events; 10 unless --all is given." },
	{ .name = "json", .help = "Print JSON lines: an object for each event shown, and one of the numbers." },
};

static const struct scd__command command = {
	.name = "rules explain",
	.summary = "Says, for the events of a trace, which parts of a rule's condition were true, false or absent.",
	.operands = "RULE TRACE",
	.operands_min = 2,
	.flags = flags,
	.flag_count = SCD_COUNT(flags),
	.details = "RULE is the name of a rule, which is looked at even if it is switched off. Shown are the events "
	           "that it "
	           "matches, and the nearest misses: those for which the fewest checks would have to turn out "
	           "otherwise, of "
	           "several that failed alike only the first. An event's number is that of its message in the trace, "
	           "which "
	           "is also its line in 'seccheckd show'. absent: the check is false because a value is missing. "
	           "Values are "
	           "not masked. Without --rules, the bundled rules are used.",
	.examples = "  seccheckd rules explain 'Crypto miner executed' sandbox.trace\n"
	            "  seccheckd rules explain --rules my.yaml --all 'My rule' sandbox.trace\n",
};

#define HEADS(X)                    \
	X(TIME, "evt.time.iso8601") \
	X(TYPE, "evt.type") X(PID, "proc.pid") X(PROCESS, "proc.name") X(CONTAINER, "container.id")

enum {
#define X(id, name) HEAD_##id,
	HEADS(X) HEAD_COUNT
#undef X
};

struct explain {
	struct scd__explainer explainer;
	const struct scd_rule *rule;
	struct scd_field_use heads[HEAD_COUNT];
	bool as_json, all, printing, stopped;
	uint64_t limit;

	/* Of the trace. */
	uint64_t messages, events, matched, nearest_count, shown, alike, left_out;
	size_t nearest; /* the least distance of an event that is not matched; SIZE_MAX: there is none */
	uint64_t *patterns;
	size_t pattern_count, pattern_room;
};

/* What an event is. */

/* False: missing. */
static bool put_head(const struct explain *explain, unsigned head, struct scd_buf *out)
{
	struct scd_value value;
	struct scd_buf text;
	bool present = scd_field_get(&explain->heads[head], explain->explainer.view, &value);

	scd_buf_init(&text, SCD_LIMIT_OUTPUT_BYTES);
	if (present)
		scd_format_value(&value, &text);
	scd__put_shown(out, present ? scd_buf_str(&text) : SCD_STR("-"), HEAD_BYTES);
	scd_buf_done(&text);
	return present;
}

static void put_outcome(size_t distance, struct scd_buf *out)
{
	if (distance == 0)
		scd_buf_append_str(out, SCD_STR("matches"));
	else
		scd_buf_printf(out, "does not match, for want of %zu check%s", distance, distance == 1 ? "" : "s");
}

static void print_text(const struct explain *explain, size_t distance)
{
	struct scd_buf out;

	scd_buf_init(&out, SCD_LIMIT_PRINT_BYTES);
	scd_buf_printf(&out, "event %" PRIu64 "  ", explain->explainer.view->event->sequence);
	put_head(explain, HEAD_TIME, &out);
	scd_buf_append_str(&out, SCD_STR("  "));
	put_head(explain, HEAD_TYPE, &out);
	scd_buf_append_str(&out, SCD_STR("  process "));
	put_head(explain, HEAD_PID, &out);
	scd_buf_append_char(&out, ' ');
	put_head(explain, HEAD_PROCESS, &out);
	scd_buf_append_str(&out, SCD_STR(": "));
	put_outcome(distance, &out);
	scd_buf_append_char(&out, '\n');
	scd__explained_text(&explain->explainer, &out);
	scd_buf_append_char(&out, '\n');
	scd__stdout_write(out.data, out.len);
	scd_buf_done(&out);
}

static bool print_line(json_t *json)
{
	char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	bool written = text && scd__stdout_write(text, strlen(text)) && scd__stdout_write("\n", 1);

	if (!text)
		fprintf(stderr, "seccheckd rules explain: out of memory\n");
	json_decref(json);
	free(text);
	return written;
}

static bool print_json(const struct explain *explain, size_t distance)
{
	static const char *const keys[] = { "time", "type", "pid", "process", "container" };
	json_t *json = json_pack("{s:I, s:b, s:I}", "event", (json_int_t)explain->explainer.view->event->sequence,
	                         "matches", distance == 0, "checks_missing", (json_int_t)distance);

	for (unsigned i = 0; i < HEAD_COUNT; i++) {
		struct scd_buf text;
		bool present;

		scd_buf_init(&text, SCD_LIMIT_OUTPUT_BYTES);
		present = put_head(explain, i, &text);
		json_object_set_new(json, keys[i], present ? scd__json_text(scd_buf_str(&text)) : json_null());
		scd_buf_done(&text);
	}
	json_object_set_new(json, "condition", scd__explained_json(&explain->explainer));
	return print_line(json);
}

/* Which are shown. */

/* Whether none of the events shown so far had these truths; it then has. */
static bool is_new_pattern(struct explain *explain)
{
	uint64_t pattern = scd__explained_pattern(&explain->explainer), *patterns;

	for (size_t i = 0; i < explain->pattern_count; i++)
		if (explain->patterns[i] == pattern)
			return false;
	patterns = scd_array_grow(explain->patterns, explain->pattern_count, &explain->pattern_room, sizeof(*patterns));
	if (!patterns)
		return true;
	explain->patterns = patterns;
	patterns[explain->pattern_count++] = pattern;
	return true;
}

static void print_event(struct explain *explain, size_t distance)
{
	if (!explain->all && distance > explain->nearest)
		return;
	if (!explain->all && distance > 0 && !is_new_pattern(explain)) {
		explain->alike++;
		return;
	}
	if (explain->shown == explain->limit) {
		explain->left_out++;
		return;
	}
	explain->shown++;
	if (explain->as_json)
		explain->stopped |= !print_json(explain, distance);
	else
		print_text(explain, distance);
}

static void count_event(struct explain *explain, size_t distance)
{
	explain->events++;
	if (distance == 0) {
		explain->matched++;
		return;
	}
	if (distance < explain->nearest) {
		explain->nearest = distance;
		explain->nearest_count = 0;
	}
	explain->nearest_count += distance == explain->nearest;
}

static void look_at(void *user, const struct scd_view *view)
{
	struct explain *explain = user;
	size_t distance;

	scd__explain(&explain->explainer, explain->rule, view);
	distance = scd__explained_distance(&explain->explainer);
	if (explain->printing)
		print_event(explain, distance);
	else
		count_event(explain, distance);
}

/* The trace. */

static void drop_alert(void *user, struct scd_alert *alert)
{
	(void)user;
	scd_alert_unref(&alert);
}

static int feed_trace(struct explain *explain, struct scd_ruleset *set, const char *path, struct scd_error *err)
{
	const struct scd_pipeline_options options = {
		.rules = set, .host = scd__host_get(), .on_alert = drop_alert, .on_view = look_at, .user = explain
	};
	struct scd_pipeline *pipeline = scd_pipeline_new(&options);
	struct scd_stream *stream = pipeline ? scd_stream_new(
	                                               pipeline,
	                                               &(struct scd_stream_info){ .identity = SCD_IDENTITY_UNKNOWN })
	                                     : NULL;
	struct scd_trace_reader *reader = NULL;
	struct scd_str message;
	int r = stream ? scd_trace_reader_open(path, &reader, err) : scd_error_set(err, -ENOMEM, "out of memory");

	explain->messages = 0;
	while (r == 0 && !explain->stopped && (r = scd_trace_reader_next(reader, &message, err)) > 0) {
		explain->messages++;
		scd_pipeline_feed(stream, message); /* a bad message is no event */
		r = 0;
	}
	if (stream && !explain->stopped)
		scd_stream_end(stream);
	scd_trace_reader_close(&reader);
	scd_stream_free(&stream);
	scd_pipeline_free(&pipeline);
	return r;
}

static void print_summary(const struct explain *explain)
{
	printf("%" PRIu64 " message%s, %" PRIu64 " event%s that the rule looks at: %" PRIu64 " match",
	       explain->messages, explain->messages == 1 ? "" : "s", explain->events, explain->events == 1 ? "" : "s",
	       explain->matched);
	if (explain->nearest_count > 0)
		printf(", %" PRIu64 " miss by %zu check%s, %" PRIu64 " by more", explain->nearest_count,
		       explain->nearest, explain->nearest == 1 ? "" : "s",
		       explain->events - explain->matched - explain->nearest_count);
	printf("; %" PRIu64 " shown", explain->shown);
	if (explain->alike > 0)
		printf(", %" PRIu64 " failed like one of these", explain->alike);
	if (explain->left_out > 0)
		printf(", %" PRIu64 " left out (--limit)", explain->left_out);
	putchar('\n');
	if (explain->events > 0)
		return;
	if (scd_kind_set_count(&explain->rule->kinds) == 0)
		printf("the rule looks at no event type: its checks of evt.type exclude each other\n");
	else
		printf("no message of the trace is an event of a type that the rule can match: 'seccheckd rules check' "
		       "says which those are, and which points tell them\n");
}

static void print_numbers(const struct explain *explain)
{
	print_line(json_pack("{s:{s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}}", "summary", "rule",
	                     scd__json_text(explain->rule->name), "messages", (json_int_t)explain->messages, "events",
	                     (json_int_t)explain->events, "matched", (json_int_t)explain->matched, "nearest_misses",
	                     (json_int_t)explain->nearest_count, "shown", (json_int_t)explain->shown, "alike",
	                     (json_int_t)explain->alike, "left_out", (json_int_t)explain->left_out));
}

static int explain_trace(struct explain *explain, struct scd_ruleset *set, const char *path)
{
	struct scd_error err = { 0 };
	int r;

	feed_trace(explain, set, path, &err);
	explain->printing = true;
	r = feed_trace(explain, set, path, &err);
	if (explain->messages > 0 && explain->as_json)
		print_numbers(explain);
	else if (explain->messages > 0)
		print_summary(explain);
	if (!scd__stdout_flush() || explain->stopped)
		return SCD__EXIT_FAILURE;
	if (r < 0)
		scd_error_print(&err, stderr);
	return r < 0 ? SCD__EXIT_FAILURE : SCD__EXIT_SUCCESS;
}

/* The rule. */

static const struct scd_rule *find_rule(const struct scd_ruleset *set, const char *name)
{
	const struct scd_rule *rule = scd__rules_find(set, scd_str_from(name));
	struct scd_str nearest;

	if (rule)
		return rule;
	fprintf(stderr, "seccheckd rules explain: there is no rule '%s'", name);
	if (scd__rules_nearest(set, scd_str_from(name), &nearest))
		fprintf(stderr, ", did you mean '" SCD_STR_FMT "'?", SCD_STR_ARG(nearest));
	fprintf(stderr, "\n'seccheckd rules list' prints the names of rules\n");
	return NULL;
}

static int explain_in_set(struct explain *explain, struct scd_ruleset *set, const struct scd__args *args)
{
	static const char *const heads[] = {
#define X(id, name) name,
		HEADS(X)
#undef X
	};
	int status;

	explain->rule = find_rule(set, args->operands[0]);
	if (!explain->rule)
		return SCD__EXIT_FAILURE;
	if (!explain->rule->clauses) {
		fprintf(stderr, "seccheckd rules explain: the condition of '%s' is too large to be explained\n",
		        args->operands[0]);
		return SCD__EXIT_FAILURE;
	}
	for (unsigned i = 0; i < HEAD_COUNT; i++)
		scd_field_resolve(scd_str_from(heads[i]), false, SCD_STR(""), &explain->heads[i], NULL);
	if (scd__explainer_init(&explain->explainer, set) < 0) {
		fprintf(stderr, "seccheckd rules explain: out of memory\n");
		return SCD__EXIT_FAILURE;
	}
	status = explain_trace(explain, set, args->operands[1]);
	scd__explainer_done(&explain->explainer);
	free(explain->patterns);
	return status;
}

/* That rule alone, whatever its file says. */
static int explain_rule(struct explain *explain, const struct scd__args *args)
{
	const struct scd_rule_switch switches[] = {
		{ false, SCD_RULE_SWITCH_NAME, SCD_STR("*") },
		{ true, SCD_RULE_SWITCH_NAME, scd_str_from(args->operands[0]) },
	};
	const struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG,
		                                     .keep_clauses = true,
		                                     .switches = switches,
		                                     .switch_count = SCD_COUNT(switches) };
	struct scd__rules_loaded loaded;
	int status = SCD__EXIT_FAILURE;

	if (scd__rules_load_args(args, &options, &loaded) < 0)
		fprintf(stderr, "seccheckd rules explain: out of memory\n");
	else if (!loaded.set)
		scd_diags_print(&loaded.diags, stderr);
	else
		status = explain_in_set(explain, loaded.set, args);
	scd__rules_unload(&loaded);
	return status;
}

int scd__rules_explain(int argc, char **argv)
{
	struct explain explain = { .limit = DEFAULT_LIMIT, .nearest = SIZE_MAX };
	struct scd__args args;
	const char *limit;
	int status;

	if (!scd__args_parse(&command, argc, argv, &args, &status))
		return status;
	explain.as_json = scd__args_has(&args, "json");
	explain.all = scd__args_has(&args, "all");
	if (explain.all)
		explain.limit = UINT64_MAX;
	limit = scd__args_value(&args, "limit");
	if (limit && (scd_str_to_u64(scd_str_from(limit), &explain.limit) < 0 || explain.limit == 0))
		status = scd__args_usage_error(&command, "--limit: '%s' is not a number from 1", limit);
	else if (args.operand_count > 2)
		status = scd__args_usage_error(&command, "unexpected argument '%s'", args.operands[2]);
	else
		status = explain_rule(&explain, &args);
	scd__args_done(&args);
	return status;
}
