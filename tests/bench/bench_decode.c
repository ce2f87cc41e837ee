/*
 * What decoding costs: `bench_decode TRACE [ROUNDS]` decodes every message of a trace in memory, once a round, in
 * four ways that take turns, and prints the median of each in nanoseconds a message and as a ratio to ours.
 *
 *    ours     scd_decode_event
 *    skim     only the tags: the least that any decoder must do
 *    arena    protobuf-c, with an allocator that only moves a pointer
 *    malloc   protobuf-c as it is, and free
 *
 * The absolute figures drift with the machine; the ratios are what counts.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decode/table.h"
#include "seccheckd/base/clock.h"
#include "seccheckd/base/limits.h"
#include "seccheckd/decode/decode.h"
#include "seccheckd/wire/frame.h"
#include "tests/support/trace.h"

#define ROUNDS_DEFAULT 51
#define ROUNDS_MAX     1001

struct input {
	struct scd_frame *frames;
	size_t count, bytes;
	struct scd_arena scratch;
};

/* Keeps the compiler from leaving work out. */
static volatile uint64_t sink;

static void run_ours(struct input *input)
{
	struct scd_event event;

	for (size_t i = 0; i < input->count; i++) {
		int rc = scd_decode_event(input->frames[i].message_type, input->frames[i].payload, 0, &input->scratch,
		                          &event);

		assert(rc == 0);
		sink += event.kind;
		scd_arena_reset(&input->scratch);
	}
}

static uint64_t skim_varint(const uint8_t **at)
{
	uint64_t value = 0;
	unsigned shift = 0;

	for (; **at >= 0x80; shift += 7)
		value |= (uint64_t)(*(*at)++ & 0x7f) << shift;
	return value | (uint64_t) * (*at)++ << shift;
}

static void run_skim(struct input *input)
{
	for (size_t i = 0; i < input->count; i++) {
		const uint8_t *at = (const uint8_t *)input->frames[i].payload.data;
		const uint8_t *end = at + input->frames[i].payload.len;

		while (at < end) {
			uint64_t tag = skim_varint(&at), value = skim_varint(&at);

			if ((tag & 7) == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
				at += value;
			sink += tag;
		}
	}
}

static void *arena_alloc(void *user, size_t bytes)
{
	return scd_arena_alloc(user, bytes);
}

static void arena_free(void *user, void *pointer)
{
	(void)user;
	(void)pointer;
}

static ProtobufCMessage *unpack(const struct scd_frame *frame, ProtobufCAllocator *allocator)
{
	const ProtobufCMessageDescriptor *descriptor = scd__decode_shapes()[frame->message_type].descriptor;

	return protobuf_c_message_unpack(descriptor, allocator, frame->payload.len,
	                                 (const uint8_t *)frame->payload.data);
}

static void run_arena(struct input *input)
{
	ProtobufCAllocator allocator = { arena_alloc, arena_free, &input->scratch };

	for (size_t i = 0; i < input->count; i++) {
		sink += unpack(&input->frames[i], &allocator) != NULL;
		scd_arena_reset(&input->scratch);
	}
}

static void run_malloc(struct input *input)
{
	for (size_t i = 0; i < input->count; i++) {
		ProtobufCMessage *message = unpack(&input->frames[i], NULL);

		sink += message != NULL;
		protobuf_c_message_free_unpacked(message, NULL);
	}
}

static const struct {
	const char *name;
	void (*run)(struct input *input);
} ways[] = {
	{ "ours", run_ours },
	{ "skim", run_skim },
	{ "arena", run_arena },
	{ "malloc", run_malloc },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double median_ns(int64_t *times, size_t rounds, size_t messages)
{
	qsort(times, rounds, sizeof(times[0]), compare_times);
	return (double)times[rounds / 2] / (double)messages;
}

static struct input parse_frames(const struct trace *trace)
{
	struct input input = { .frames = calloc(trace->count, sizeof(struct scd_frame)) };

	assert(input.frames != NULL);
	for (size_t i = 0; i < trace->count; i++) {
		struct scd_frame frame;

		if (scd_frame_parse(trace->messages[i], &frame) < 0 || frame.message_type >= SCD_POINT_COUNT)
			continue;
		input.frames[input.count++] = frame;
		input.bytes += frame.payload.len;
	}
	scd_arena_init(&input.scratch, 65536, SCD_LIMIT_EVENT_ARENA_BYTES);
	return input;
}

int main(int argc, char **argv)
{
	static int64_t times[WAYS][ROUNDS_MAX];
	size_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS_DEFAULT;
	struct trace trace;
	struct input input;
	double ours;

	if (argc < 2 || rounds == 0 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: bench_decode TRACE [ROUNDS]\n");
		return 2;
	}
	trace = trace_load(argv[1]);
	input = parse_frames(&trace);
	for (size_t round = 0; round < rounds; round++) {
		for (size_t way = 0; way < WAYS; way++) {
			int64_t start = scd_clock_mono_ns();

			ways[way].run(&input);
			times[way][round] = scd_clock_mono_ns() - start;
		}
	}
	printf("%zu messages of %.0f bytes, median of %zu rounds\n", input.count,
	       (double)input.bytes / (double)input.count, rounds);
	ours = median_ns(times[0], rounds, input.count);
	for (size_t way = 0; way < WAYS; way++) {
		double ns = median_ns(times[way], rounds, input.count);

		printf("%-7s %7.1f ns/message  ratio %.2f\n", ways[way].name, ns, ns / ours);
	}
	scd_arena_done(&input.scratch);
	free(input.frames);
	trace_done(&trace);
	return 0;
}
