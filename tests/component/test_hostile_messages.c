/*
 * Clients that misbehave behind their handshake, each beside a good one: what ended, blocked or confused other engines.
 *
 * A message over the limit is not among them: no kernel that we know takes one (test_inbox.c has it, with less room).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "seccheckd/base/array.h"
#include "tests/support/hostile.h"
#include "tests/support/messages.h"
#include "tests/support/peer.h"
#include "tests/support/rng.h"
#include "tests/support/trace.h"

/* Types from 0 to beyond the last that is known. */
#define ALL_TYPES 64

/* Closing with the answer unread makes it a reset, with frames still in flight. */
static void reset_with_data_in_flight(struct scene *scene)
{
	int fd = hostile_connect(scene);

	assert_int_equal(peer_send(fd, "\x08\x01", 2), 0);
	assert_int_equal(peer_wait(fd, POLLIN, PEER_DEADLINE_MS), 0);
	for (int i = 0; i < 10; i++)
		hostile_send_header(scene, fd, HOSTILE_UNKNOWN_TYPE);
	hostile_close(scene);
}

static void send_an_unknown_type_first(struct scene *scene)
{
	hostile_send_header(scene, hostile_join(scene), HOSTILE_UNKNOWN_TYPE);
}

/* Headers alone are legal, of every type: container/start without arguments among them. */
static void send_headers_alone(struct scene *scene)
{
	int fd = hostile_join(scene);

	for (uint16_t type = 0; type < ALL_TYPES; type++)
		hostile_send_header(scene, fd, type);
}

static void send_empty_then_good(struct scene *scene)
{
	int fd = hostile_join(scene);

	hostile_send(scene, fd, "", 0);
	for (int i = 0; i < 10; i++)
		hostile_send_header(scene, fd, HOSTILE_UNKNOWN_TYPE);
}

static void send_empty_then_good_and_leave(struct scene *scene)
{
	send_empty_then_good(scene);
	hostile_close(scene);
}

static void send_garbage(struct scene *scene)
{
	struct scd_rng rng = scd_rng_start("garbage");
	int fd = hostile_join(scene);
	uint64_t words[32];

	for (int i = 0; i < 10000; i++) {
		for (size_t k = 0; k < 32; k++)
			words[k] = scd_rng_next(&rng);
		/* Half of them with a good header of a known type: the payload is what does not decode. */
		if (i % 2)
			memcpy(words, (uint16_t[4]){ 8, (uint16_t)(1 + i % 39) }, 8);
		hostile_send(scene, fd, words, 1 + scd_rng_below(&rng, sizeof(words)));
	}
}

static void send_four_megabytes(struct scene *scene)
{
	const size_t len = 4 << 20;
	uint8_t *message = calloc(1, len);
	int fd = hostile_join(scene);

	assert_non_null(message);
	message[0] = 8;
	message[2] = 3; /* sentry/execve, and a payload of zeros: a tag that protobuf does not have */
	if (peer_enlarge(fd, 8 << 20))
		hostile_send(scene, fd, message, len);
	else
		print_message("left out: the kernel gives no buffer for a message of 4 MiB\n");
	free(message);
}

static void send_descriptors(struct scene *scene)
{
	int fd = hostile_join(scene);
	int passed[] = { 0, 1, 2 };
	uint8_t header[8] = { 8, 0, 1 };
	int r = peer_send_descriptors(fd, header, sizeof(header), passed, 3);

	/* Where the kernel knows how, they are refused at the sender; elsewhere they end the connection. */
	assert_true(r == sizeof(header) || r == -EPERM);
	if (r > 0)
		assert_int_equal(peer_wait_closed(fd, PEER_DEADLINE_MS), 0);
}

/* Too short for a header, larger than the message, and, which a newer runsc may do, larger than ours. */
static void lie_about_the_header(struct scene *scene)
{
	int fd = hostile_join(scene);
	uint8_t message[16] = { 0, 0, HOSTILE_UNKNOWN_TYPE & 0xff, HOSTILE_UNKNOWN_TYPE >> 8 };

	for (uint8_t size = 0; size < 8; size++) {
		message[0] = size;
		hostile_send(scene, fd, message, sizeof(message));
	}
	message[0] = sizeof(message) + 1;
	hostile_send(scene, fd, message, sizeof(message));
	message[0] = message[1] = 0xff;
	hostile_send(scene, fd, message, sizeof(message));
	for (uint8_t size = 8; size <= sizeof(message); size++) {
		message[0] = size;
		message[1] = 0;
		hostile_send(scene, fd, message, sizeof(message));
	}
}

/* Recorded messages of a real sandbox, each with a few bytes that are not what they were. */
static void send_mutations(struct scene *scene)
{
	struct scd_rng rng = scd_rng_start("mutations");
	struct trace trace = trace_load(SCD_SOURCE_DIR "/tests/data/traces/all-decoded-python");
	int fd = hostile_join(scene);
	uint8_t bytes[4096];

	for (size_t i = 0; i < 10000; i++) {
		struct scd_str message = trace.messages[i % trace.count];

		if (message.len > sizeof(bytes))
			continue;
		memcpy(bytes, message.data, message.len);
		for (uint64_t changes = 1 + scd_rng_below(&rng, 4); changes > 0; changes--)
			bytes[scd_rng_below(&rng, message.len)] = (uint8_t)scd_rng_next(&rng);
		hostile_send(scene, fd, bytes, 1 + scd_rng_below(&rng, message.len));
	}
	trace_done(&trace);
}

static void test_serve__good_client_is_served_beside_one_that(void **state)
{
	static const struct hostile rows[] = {
		{ "resets with data in flight", reset_with_data_in_flight, 0, 0, 0, 10, 1, 0 },
		{ "sends an unknown type first", send_an_unknown_type_first, 0, 0, 0, 1, 0, 0 },
		{ "sends headers alone", send_headers_alone, 0, 0, 0, ALL_TYPES - (SCD_POINT_COUNT - 1), 0, 0 },
		{ "lies about the header", lie_about_the_header, 0, 10, 0, 9, 0, 0 },
		{ "sends an empty message, then good ones", send_empty_then_good, 0, 1, 0, 10, 0, 0 },
		{ "sends an empty message, then good ones, and leaves", send_empty_then_good_and_leave, 0, 1, 0, 10, 0,
		  0 },
		{ "sends descriptors", send_descriptors, 0, 0, 0, 0, 0, 0 },
		{ "sends four megabytes", send_four_megabytes, 0, 0, 1, 0, 0, 0 },
		{ "sends garbage", send_garbage, 0, 0, 0, 0, 0, 5000 },
		{ "sends mutated messages", send_mutations, 0, 0, 0, 0, 0, 1000 },
	};

	scene_play(*state, rows, SCD_COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_serve__good_client_is_served_beside_one_that, scene_set_up,
		                                scene_tear_down),
	};

	return cmocka_run_group_tests_name("hostile/messages", tests, NULL, NULL);
}
