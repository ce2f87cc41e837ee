/* Good and hostile clients are this process; keeper and worker are others. */
#include "tests/support/hostile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "seccheckd/base/array.h"
#include "seccheckd/base/clock.h"
#include "tests/support/child.h"
#include "tests/support/messages.h"
#include "tests/support/peer.h"

/* In which a container's start may be held up by us, beside anybody. */
#define ANSWER_MS 250

static const char rules[] = "- rule: " HOSTILE_GOOD_ALERT "\n"
                            "  desc: What the good client reports.\n"
                            "  condition: evt.type = execve and proc.exepath = /bin/good\n"
                            "  output: ran in %container.id\n"
                            "  priority: NOTICE\n";

int hostile_connect(struct scene *scene)
{
	int fd = peer_connect(scene->serve.path);

	assert_true(fd >= 0);
	assert_true(scene->open_count < SCD_COUNT(scene->open));
	scene->open[scene->open_count++] = fd;
	return fd;
}

int hostile_join(struct scene *scene)
{
	int fd = hostile_connect(scene);

	assert_int_equal(peer_greet(fd, PEER_DEADLINE_MS), 0);
	return fd;
}

void hostile_close(struct scene *scene)
{
	while (scene->open_count)
		close(scene->open[--scene->open_count]);
}

void hostile_send(struct scene *scene, int fd, const void *message, size_t len)
{
	assert_int_equal(peer_send(fd, message, len), 0);
	scene->sent++;
}

void hostile_send_header(struct scene *scene, int fd, uint16_t type)
{
	assert_int_equal(peer_send_header(fd, type, 0), 0);
	scene->sent++;
}

/* The best of some tries: another process may have the processor, a blocked daemon would fail them all. */
int good_join(const struct scene *scene)
{
	int fd = -1;
	int64_t best_ns = INT64_MAX;

	for (int i = 0; i < 5 && best_ns > ANSWER_MS * INT64_C(1000000); i++) {
		int64_t start_ns = scd_clock_mono_ns(), took_ns;

		if (fd >= 0)
			close(fd);
		fd = peer_join(scene->serve.path);
		assert_true(fd >= 0);
		took_ns = scd_clock_mono_ns() - start_ns;
		best_ns = took_ns < best_ns ? took_ns : best_ns;
	}
	assert_in_range(best_ns, 0, ANSWER_MS * INT64_C(1000000));
	return fd;
}

void good_act(int fd)
{
	const struct actor actor = { .tid = 7, .tgid = 7, .time_ns = 1, .container = "good" };
	const char *const argv[] = { "/bin/good", NULL };
	struct message message = { 0 };

	message_exec(&message, &actor, "/bin/good", argv);
	for (int i = 0; i < HOSTILE_GOOD_MESSAGES; i++)
		assert_int_equal(peer_send(fd, message.data, message.len), 0);
	message_done(&message);
}

static void check(const struct scene *scene, const struct hostile *hostile)
{
	const struct serve_result *result = &scene->serve.result;

	assert_int_equal(result->status, 0);
	assert_int_equal(serve_count_alerts(&scene->serve, HOSTILE_GOOD_ALERT, NULL), 2 * HOSTILE_GOOD_MESSAGES);
	assert_int_equal(result->pipeline.messages, 2 * HOSTILE_GOOD_MESSAGES + scene->sent);
	assert_int_equal(result->keeper.refused_handshake, hostile->refused);
	assert_int_equal(result->net.resets, hostile->resets);
	if (hostile->bad_at_least) {
		assert_true(result->pipeline.bad_frames + result->pipeline.bad_payloads >= hostile->bad_at_least);
		return;
	}
	assert_int_equal(result->pipeline.bad_frames, hostile->bad_frames);
	assert_int_equal(result->pipeline.bad_payloads, scene->sent ? hostile->bad_payloads : 0);
	assert_int_equal(result->pipeline.unknown_types, hostile->unknown_types);
}

void scene_start(struct scene *scene)
{
	scene->sent = 0;
	assert_int_equal(serve_start(&scene->serve, rules), 0);
}

static void play_one(struct scene *scene, const struct hostile *hostile)
{
	int early, late;

	print_message("one that %s\n", hostile->name);
	scene_start(scene);
	early = good_join(scene);
	hostile->act(scene);
	late = good_join(scene);
	assert_true(child_is_alive(scene->serve.pid));
	good_act(early);
	good_act(late);
	serve_stop(&scene->serve);
	check(scene, hostile);
	close(early);
	close(late);
	hostile_close(scene);
	serve_done(&scene->serve);
}

void scene_play(struct scene *scene, const struct hostile *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		play_one(scene, &rows[i]);
}

int scene_set_up(void **state)
{
	*state = calloc(1, sizeof(struct scene));
	return *state ? 0 : -1;
}

int scene_tear_down(void **state)
{
	struct scene *scene = *state;

	hostile_close(scene);
	serve_done(&scene->serve);
	free(scene);
	return 0;
}
