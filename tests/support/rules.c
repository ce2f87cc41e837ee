/*
 * Rule sets for tests.
 */
#include "tests/support/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/buf.h"

#define SCRATCH_BYTES 65536u
#define YAML_BYTES    (16u << 20)

struct scd_ruleset *rules_load(const char *yaml, struct scd_diags *diags)
{
	struct scd_ruleset_options options = { .minimum_priority = SCD_PRIORITY_DEBUG };
	struct scd_ruleset *set = NULL;
	struct scd_loader *loader = scd_loader_new(diags);
	if (!loader)
		abort();
	scd_loader_add_text(loader, scd_str_from(yaml), "test.yaml");
	scd_loader_build(loader, &options, &set);
	scd_loader_free(&loader);
	return set;
}

struct scd_ruleset *rules_load_condition(const char *condition, struct scd_diags *diags)
{
	struct scd_buf yaml;
	scd_buf_init(&yaml, YAML_BYTES);
	scd_buf_printf(&yaml, "- rule: R\n  desc: d\n  priority: WARNING\n  output: o\n  condition: >-\n    %s\n",
	               condition);
	struct scd_ruleset *set = rules_load(yaml.data, diags);
	scd_buf_done(&yaml);
	return set;
}

static void ignore_match(void *user, const struct scd_rule *rule, const struct scd_view *view)
{
	(void)user;
	(void)rule;
	(void)view;
}

size_t rules_run(struct scd_ruleset *set, struct scd_sandbox *sandbox, const struct scd_event *event)
{
	static const struct scd_host host = { SCD_STR_INIT("test-host"), SCD_STR_INIT("test-boot") };
	struct scd_evaluator *evaluator = scd_evaluator_new(set);
	struct scd_process_ref process;
	struct scd_arena scratch;
	if (!evaluator || scd_sandbox_apply(sandbox, event, &process) < 0)
		abort();
	scd_arena_init(&scratch, SCRATCH_BYTES, 0);
	struct scd_view view = {
		.event = event,
		.sandbox = sandbox,
		.process = scd_sandbox_process(sandbox, process),
		.host = &host,
		.scratch = &scratch,
		.time_ns = event->context.time_ns,
	};
	size_t matches = scd_evaluator_run(evaluator, &view, ignore_match, NULL);
	scd_sandbox_retire(sandbox, event, process);
	scd_evaluator_free(&evaluator);
	scd_arena_done(&scratch);
	return matches;
}
