/*
 * Running one test: each event through the compiled rules; of every match, which expectations it fits; of every rule
 * that should match and has not, the event that came nearest to it.
 *
 * Matches are judged as they come and not kept, so a long trace needs no more memory than a short one.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "rules_test.h"
#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/format.h"
#include "seccheckd/pipeline/pipeline.h"
#include "seccheckd/wire/trace.h"

#define SCRATCH_BYTES 65536u
#define SHOWN_BYTES   400u /* of an output in a failure */
#define UNEXPECTED    3u   /* matches that should not have come that are told of, of one test */

/* What is known of one expectation so far. */
struct watch {
	uint64_t fired, fits;
	struct scd_str misfit; /* of the first match that does not fit: why */
	size_t nearest;        /* the least distance of an event */
	struct scd_str why;    /* what that event lacked */
};

struct run {
	const struct scd__test *test;
	struct scd__test_rules *rules;
	struct scd_arena *arena; /* of the result */
	struct scd__test_result *result;
	struct watch *watches; /* of the expectations */
	uint64_t event;        /* its number, from 1 */
	size_t unexpected;
	bool failed; /* no memory */
};

static struct scd_str keep(struct run *run, const struct scd_buf *text)
{
	struct scd_str kept = scd_arena_dup(run->arena, scd_buf_str(text));

	run->failed |= !kept.data;
	return kept.data ? kept : SCD_STR("");
}

static void add_failure(struct run *run, const struct scd_yaml_node *node, struct scd_str what, struct scd_str why)
{
	struct scd__test_result *result = run->result;
	struct scd__test_failure *failures = scd_array_grow_in(run->arena, result->failures, result->count,
	                                                       &result->room, sizeof(*failures));

	run->failed |= !failures || !what.data;
	if (run->failed)
		return;
	result->failures = failures;
	failures[result->count++] = (struct scd__test_failure){ node, what, why };
}

/* Matches. */

static struct scd_str text_at(const struct scd_yaml_node *node, size_t index)
{
	return node->kind == SCD_YAML_SEQUENCE ? node->items[index]->text : node->text;
}

static bool fits_output(const struct scd__test_expect *expect, struct scd_str output, struct scd_buf *misfit)
{
	const struct scd_yaml_node *contains = expect->contains;
	size_t count = !contains ? 0 : contains->kind == SCD_YAML_SEQUENCE ? contains->count : 1;

	for (size_t i = 0; i < count; i++) {
		if (scd_str_contains(output, text_at(contains, i)))
			continue;
		scd_buf_printf(misfit,
		               "its output has no '" SCD_STR_FMT "' in it: ", SCD_STR_ARG(text_at(contains, i)));
		scd__put_shown(misfit, output, SHOWN_BYTES);
		return false;
	}
	return true;
}

static size_t find_field(const struct scd_format *format, struct scd_str name)
{
	size_t i = 0;

	while (i < scd_format_field_count(format) && !scd_str_eq(scd_format_field_name(format, i), name))
		i++;
	return i;
}

/* One of `fields`: what alerts show as the value of a field. */
static bool fits_field(const struct scd_format *format, const struct scd_view *view, struct scd_str name,
                       const struct scd_yaml_node *wanted, struct scd_buf *misfit)
{
	size_t index = find_field(format, name);
	struct scd_value value;
	struct scd_buf shown;
	bool present, fits;

	if (index == scd_format_field_count(format)) {
		scd_buf_printf(misfit, "its output has no field " SCD_STR_FMT, SCD_STR_ARG(name));
		return false;
	}
	scd_buf_init(&shown, SCD_LIMIT_OUTPUT_BYTES);
	present = scd_format_field_value(format, index, view, &value);
	if (present)
		scd_format_value(&value, &shown);
	fits = present ? scd_str_eq(scd_buf_str(&shown), wanted->text) : scd_yaml_is_null(wanted);
	if (!fits) {
		scd_buf_printf(misfit, SCD_STR_FMT " is ", SCD_STR_ARG(name));
		scd__put_shown(misfit, present ? scd_buf_str(&shown) : SCD_STR("missing"), SHOWN_BYTES);
	}
	scd_buf_done(&shown);
	return fits;
}

static bool fits(const struct scd__test_expect *expect, const struct scd_rule *rule, const struct scd_view *view,
                 struct scd_str output, struct scd_buf *misfit)
{
	const struct scd_yaml_node *fields = expect->fields;

	if (expect->has_priority && expect->priority != rule->priority) {
		scd_buf_printf(misfit, "its priority is %s", scd_priority_name(rule->priority));
		return false;
	}
	for (size_t i = 0; fields && i < fields->count; i++)
		if (!fits_field(rule->output, view, fields->keys[i]->text, fields->items[i], misfit))
			return false;
	return fits_output(expect, output, misfit);
}

static void judge_match(struct run *run, size_t index, const struct scd_rule *rule, const struct scd_view *view,
                        struct scd_str output)
{
	struct watch *watch = &run->watches[index];
	struct scd_buf misfit;

	scd_buf_init(&misfit, SCD_LIMIT_OUTPUT_BYTES);
	watch->fired++;
	if (fits(&run->test->expects[index], rule, view, output, &misfit))
		watch->fits++;
	else if (!watch->misfit.len)
		watch->misfit = keep(run, &misfit);
	scd_buf_done(&misfit);
}

/* Of a match that nobody expects: the node that forbids it, or NULL. */
static const struct scd_yaml_node *find_silence(const struct run *run, const struct scd_rule *rule, bool is_expected)
{
	const struct scd__test *test = run->test;

	for (size_t i = 0; i < test->silence_count; i++)
		if (test->silences[i].rule == rule->index)
			return test->silences[i].node;
	return test->is_else_silent && !is_expected ? scd_yaml_get(test->node, "expect_silence") : NULL;
}

static void tell_unexpected(struct run *run, const struct scd_yaml_node *node, const struct scd_rule *rule,
                            struct scd_str output)
{
	struct scd_buf why;

	if (run->unexpected++ >= UNEXPECTED)
		return;
	scd_buf_init(&why, SCD_LIMIT_OUTPUT_BYTES);
	scd_buf_printf(&why, "event %" PRIu64 ": ", run->event);
	scd__put_shown(&why, output, SHOWN_BYTES);
	add_failure(run, node,
	            scd_arena_printf(run->arena, "expected silence of '" SCD_STR_FMT "', and it matched",
	                             SCD_STR_ARG(rule->name)),
	            keep(run, &why));
	scd_buf_done(&why);
}

static void on_match(void *user, const struct scd_rule *rule, const struct scd_view *view)
{
	const struct scd_yaml_node *silence;
	struct run *run = user;
	struct scd_buf output;
	bool is_expected = false;

	scd_buf_init(&output, SCD_LIMIT_OUTPUT_BYTES);
	scd_format_render(rule->output, view, NULL, NULL, &output);
	run->failed |= output.failed;
	for (size_t i = 0; i < run->test->expect_count; i++) {
		if (run->test->expects[i].rule != rule->index)
			continue;
		is_expected = true;
		judge_match(run, i, rule, view, scd_buf_str(&output));
	}
	silence = find_silence(run, rule, is_expected);
	if (silence)
		tell_unexpected(run, silence, rule, scd_buf_str(&output));
	scd_buf_done(&output);
}

/* Misses. */

static void note_miss(struct run *run, struct watch *watch, const struct scd_rule *rule, const struct scd_view *view)
{
	struct scd__explainer *explainer = &run->rules->explainer;
	struct scd_buf why;
	size_t distance;

	scd__explain(explainer, rule, view);
	distance = scd__explained_distance(explainer);
	if (distance == 0 || (watch->why.len && distance >= watch->nearest))
		return;
	scd_buf_init(&why, SCD_LIMIT_OUTPUT_BYTES);
	scd_buf_printf(&why, "event %" PRIu64 " is nearest, and this does not hold: ", run->event);
	scd__explained_brief(explainer, &why);
	watch->nearest = distance;
	watch->why = keep(run, &why);
	scd_buf_done(&why);
}

static void look_at(struct run *run, const struct scd_view *view)
{
	scd_kind_set_add(&run->result->kinds, view->event->kind);
	scd_evaluator_run(run->rules->explainer.evaluator, view, on_match, run);
	for (size_t i = 0; i < run->test->expect_count; i++) {
		const struct scd_rule *rule = scd_ruleset_rule(run->rules->set, run->test->expects[i].rule);

		if (rule->clauses && run->watches[i].fits == 0 && scd_kind_set_has(&rule->kinds, view->event->kind))
			note_miss(run, &run->watches[i], rule, view);
	}
}

/* Why a rule has not matched, where no event came near. */
static struct scd_str why_not(const struct run *run, const struct watch *watch, const struct scd_rule *rule)
{
	if (!rule->enabled)
		return SCD_STR("the rule is switched off (enabled: false)");
	if (watch->fired > 0)
		return SCD_STR("");
	if (watch->why.len)
		return watch->why;
	return run->event == 0 ? SCD_STR("there was no event of a type that some rule looks at")
	                       : SCD_STR("there was no event of a type that the rule looks at");
}

static void settle(struct run *run, size_t index)
{
	const struct scd__test_expect *expect = &run->test->expects[index];
	const struct scd_rule *rule = scd_ruleset_rule(run->rules->set, expect->rule);
	const struct watch *watch = &run->watches[index];
	struct scd_buf what;

	if (expect->has_count ? watch->fits == expect->count : watch->fits > 0)
		return;
	scd_buf_init(&what, SCD_LIMIT_OUTPUT_BYTES);
	scd_buf_printf(&what, "expected '" SCD_STR_FMT "' to match", SCD_STR_ARG(rule->name));
	if (expect->has_count)
		scd_buf_printf(&what, " %" PRIu64 " time%s", expect->count, expect->count == 1 ? "" : "s");
	if (watch->fired == watch->fits)
		scd_buf_printf(&what, ", and it matched %" PRIu64 " time%s", watch->fits, watch->fits == 1 ? "" : "s");
	else
		scd_buf_printf(&what, ", and it matched as expected %" PRIu64 " of %" PRIu64 " time%s", watch->fits,
		               watch->fired, watch->fired == 1 ? "" : "s");
	add_failure(run, expect->node, keep(run, &what), watch->misfit.len ? watch->misfit : why_not(run, watch, rule));
	scd_buf_done(&what);
}

/* Events and traces. */

static void run_events(struct run *run)
{
	struct scd_arena scratch;

	scd_arena_init(&scratch, SCRATCH_BYTES, (size_t)SCD_LIMIT_EVENT_ARENA_BYTES);
	for (size_t i = 0; i < run->test->event_count; i++) {
		struct scd__test_view view;

		scd_arena_reset(&scratch);
		scd__test_view_init(&view, &run->test->events[i], &scratch);
		run->event = i + 1;
		look_at(run, &view.view);
	}
	scd_arena_done(&scratch);
}

static void drop_alert(void *user, struct scd_alert *alert)
{
	(void)user;
	scd_alert_unref(&alert);
}

static void on_view(void *user, const struct scd_view *view)
{
	struct run *run = user;

	run->event = view->event->sequence;
	look_at(run, view);
}

static int run_trace(struct run *run, struct scd_error *err)
{
	const struct scd_pipeline_options options = { .rules = run->rules->set,
		                                      .host = scd__host_get(),
		                                      .on_alert = drop_alert,
		                                      .on_view = on_view,
		                                      .user = run };
	const struct scd_stream_info info = { .identity = SCD_IDENTITY_UNKNOWN };
	struct scd_pipeline *pipeline = scd_pipeline_new(&options);
	struct scd_stream *stream = pipeline ? scd_stream_new(pipeline, &info) : NULL;
	struct scd_trace_reader *reader = NULL;
	struct scd_str message;
	int r = stream ? scd_trace_reader_open(run->test->trace, &reader, err) : -ENOMEM;

	while (r == 0 && (r = scd_trace_reader_next(reader, &message, err)) > 0) {
		scd_pipeline_feed(stream, message); /* a bad message is no event */
		r = 0;
	}
	if (stream)
		scd_stream_end(stream);
	scd_trace_reader_close(&reader);
	scd_stream_free(&stream);
	scd_pipeline_free(&pipeline);
	return r;
}

int scd__test_run(const struct scd__test *test, struct scd__test_rules *rules, struct scd_arena *arena,
                  struct scd__test_result *ret_result, struct scd_error *err)
{
	struct run run = { .test = test, .rules = rules, .arena = arena, .result = ret_result };
	int r = 0;

	*ret_result = (struct scd__test_result){ .count = 0 };
	run.watches = scd_arena_zalloc(arena, test->expect_count + 1, sizeof(*run.watches));
	if (!run.watches)
		return -ENOMEM;
	if (test->trace)
		r = run_trace(&run, err);
	else
		run_events(&run);
	for (size_t i = 0; r == 0 && i < test->expect_count; i++)
		settle(&run, i);
	return r == 0 && run.failed ? -ENOMEM : r;
}
