/*
 * Streams as the net sees them: which messages it has to look at the clock after.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/streams.h"
#include "tests/support/messages.h"
#include "tests/support/rules.h"

static const char rules[] = "- rule: Exec\n  desc: d\n  priority: WARNING\n  condition: proc.exepath = /bin/bad\n"
                            "  output: exec\n";

struct world {
	struct scd_diags diags;
	struct scd_ruleset *rules;
	struct scd_pipeline *pipeline;
	struct scd_net_sink sink;
	void *stream;
	unsigned alert_count;
};

static void on_alert(void *user, struct scd_alert *alert)
{
	struct world *world = user;

	world->alert_count++;
	scd_alert_unref(&alert);
}

static int set_up(void **state)
{
	static const struct scd_host host = { SCD_STR_INIT("host"), SCD_STR_INIT("boot") };
	static struct world world;
	const struct scd_custody connection = { .connection_id = 1, .sandbox_id = SCD_STR_INIT("box") };
	struct scd_pipeline_options options = {
		.host = &host, .on_alert = on_alert, .user = &world, .coverage_alerts = true
	};

	world = (struct world){ .alert_count = 0 };
	scd_diags_init(&world.diags);
	world.rules = rules_load(rules, &world.diags);
	options.rules = world.rules;
	world.pipeline = world.rules ? scd_pipeline_new(&options) : NULL;
	if (!world.pipeline)
		return -1;
	world.sink = scd__streams_sink(world.pipeline);
	world.stream = world.sink.ops->open(world.sink.user, &connection);
	*state = &world;
	return world.stream ? 0 : -1;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	world->sink.ops->close(world->sink.user, world->stream, SCD_NET_END_CLOSED);
	scd_pipeline_free(&world->pipeline);
	scd_ruleset_unref(&world->rules);
	scd_diags_done(&world->diags);
	return 0;
}

/* What the sink says of an execve. */
static int send_exec(struct world *world, const char *path, uint32_t dropped_count)
{
	const struct actor actor = {
		.tid = 1, .tgid = 1, .time_ns = 1, .container = "box", .name = "sh", .dropped_count = dropped_count
	};
	const char *const argv[] = { path, NULL };
	struct message message = { 0 };
	int r;

	message_exec(&message, &actor, path, argv);
	r = world->sink.ops->message(world->sink.user, world->stream,
	                             (struct scd_str){ (const char *)message.data, message.len });
	message_done(&message);
	return r;
}

static void test_streams__tell_of_messages_that_made_an_alert(void **state)
{
	struct world *world = *state;
	unsigned before;

	send_exec(world, "/bin/good", 0); /* the first of a stream may make one */
	assert_int_equal(send_exec(world, "/bin/good", 0), 0);
	before = world->alert_count;
	assert_int_equal(send_exec(world, "/bin/bad", 0), 1);
	assert_int_equal(world->alert_count, before + 1);
	/* One that no rule makes, as the sender has lost messages, costs the same. */
	assert_int_equal(send_exec(world, "/bin/good", 3), 1);
	assert_int_equal(world->alert_count, before + 2);
	assert_int_equal(send_exec(world, "/bin/good", 3), 0);
	assert_int_equal(world->alert_count, before + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_streams__tell_of_messages_that_made_an_alert, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("cli/streams", tests, NULL, NULL);
}
