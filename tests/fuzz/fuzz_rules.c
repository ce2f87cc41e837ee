/*
 * Any bytes as a rule file. Loading it gives a set or a reason; a set judges events, and what it says of them can be
 * rendered. What is kept of its conditions can be looked at and printed.
 */
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/engine/audit.h"
#include "seccheckd/engine/eval.h"
#include "seccheckd/engine/format.h"
#include "seccheckd/lang/ast.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lists and macros grow with every use: what a larger file teaches is only that this takes time. */
#define INPUT_BYTES 4096u

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void render(void *user, const struct scd_rule *rule, const struct scd_view *view)
{
	struct scd_buf text;

	(*(size_t *)user)++;
	scd_buf_init(&text, SCD_LIMIT_OUTPUT_BYTES);
	scd_format_render(rule->output, view, NULL, NULL, &text);
	require(!text.failed);
	scd_buf_done(&text);
}

static void judge(struct scd_evaluator *evaluator, struct scd_sandbox *sandbox, const struct scd_event *event,
                  struct scd_arena *scratch)
{
	static const struct scd_host host = { SCD_STR_INIT("host"), SCD_STR_INIT("boot") };
	struct scd_process_ref process;
	size_t told = 0;

	require(scd_sandbox_apply(sandbox, event, &process) == 0);
	struct scd_view view = {
		.event = event,
		.sandbox = sandbox,
		.process = scd_sandbox_process(sandbox, process),
		.host = &host,
		.scratch = scratch,
		.time_ns = event->context.time_ns,
	};
	require(scd_evaluator_run(evaluator, &view, render, &told) == told);
	scd_sandbox_retire(sandbox, event, process);
	scd_arena_reset(scratch);
}

/* A shell that opens a file: one event that looks back at nothing, and one that has a past. */
static void judge_events(struct scd_ruleset *set)
{
	static const struct scd_str argv[] = { SCD_STR_INIT("sh"), SCD_STR_INIT("-c"), SCD_STR_INIT("xmrig -o pool") };
	struct scd_event events[] = {
		{ .point = SCD_POINT_SENTRY_EXEC, .kind = SCD_KIND_EXECVE, .fd = -1 },
		{ .point = SCD_POINT_SYSCALL_OPEN, .kind = SCD_KIND_OPENAT, .fd = -100, .has_exit = true },
	};
	struct scd_evaluator *evaluator = scd_evaluator_new(set);
	struct scd_sandbox *sandbox = scd_sandbox_new(true);
	struct scd_arena scratch;

	require(evaluator && sandbox);
	scd_arena_init(&scratch, 65536, SCD_LIMIT_EVENT_ARENA_BYTES);
	events[0].u.exec.binary_path = SCD_STR("/bin/sh");
	events[0].u.exec.argv = (struct scd_strings){ argv, SCD_COUNT(argv) };
	events[1].u.open.pathname = SCD_STR("etc/../shadow");
	for (size_t i = 0; i < SCD_COUNT(events); i++) {
		events[i].sequence = i + 1;
		events[i].context.time_ns = 1700000000123456789 + (int64_t)i;
		events[i].context.thread_group_id = events[i].context.thread_id = 7;
		events[i].context.process_name = SCD_STR("sh");
		events[i].context.cwd = SCD_STR("/root");
		judge(evaluator, sandbox, &events[i], &scratch);
	}
	scd_arena_done(&scratch);
	scd_sandbox_free(&sandbox);
	scd_evaluator_free(&evaluator);
}

/* What is too large to be kept is reported as such, and is no matter here: inputs are small. */
static void look_at_rules(const struct scd_ruleset *set)
{
	struct scd_kind_set decoded = { 0 };
	struct scd_arena arena;
	struct scd_str text;

	scd_kind_set_add(&decoded, SCD_KIND_OPEN);
	scd_arena_init(&arena, 65536, 64u << 20);
	for (size_t i = 0; i < scd_ruleset_rule_count(set); i++) {
		const struct scd_rule *rule = scd_ruleset_rule(set, i);
		struct scd_audit audit;

		require(scd_audit_rule(rule, &decoded, &arena, &audit) == 0 && audit.verdict < SCD_AUDIT_COUNT);
		require(scd_ast_print(rule->condition, &arena, &text) == 0);
		scd_arena_reset(&arena);
	}
	scd_arena_done(&arena);
}

static void check_diags(const struct scd_diags *diags)
{
	for (size_t i = 0; i < diags->count; i++)
		require(scd_diag_code_name(diags->items[i].code) && diags->items[i].what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct scd_rule_switch switches[] = { { true, SCD_RULE_SWITCH_NAME, SCD_STR_INIT("*A*") } };
	static const struct scd_extra_output extras[] = { { .text = SCD_STR_INIT("%toupper(proc.name)") } };
	struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG,
		                               .keep_conditions = true,
		                               .switches = switches,
		                               .switch_count = SCD_COUNT(switches),
		                               .extra_outputs = extras,
		                               .extra_output_count = SCD_COUNT(extras) };
	struct scd_ruleset *set = NULL;
	struct scd_loader *loader;
	struct scd_diags diags;
	int result;

	if (size > INPUT_BYTES)
		return 0;
	scd_diags_init(&diags);
	loader = scd_loader_new(&diags);
	require(loader);
	result = scd_loader_add_text(loader, (struct scd_str){ (const char *)data, size }, "fuzz.yaml");
	if (result == 0)
		result = scd_loader_build(loader, &options, &set);
	require((result == 0) == (set != NULL) && (result == 0 || diags.error_count > 0));
	check_diags(&diags);
	scd_loader_free(&loader);
	if (set) {
		judge_events(set);
		look_at_rules(set);
	}
	scd_ruleset_unref(&set);
	scd_diags_done(&diags);
	return 0;
}
