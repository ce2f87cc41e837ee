/*
 * paced SOCKET TRACE COUNT RATE SECONDS PID: so many connections that each send so many messages of a trace in a
 * second, a few each millisecond, as a sandbox with `retries: 0` does: a message that finds no room is dropped. Real
 * sandboxes are only as busy as their machine lets them; these are as busy as they are told. Prints the CPU time of PID
 * and its descendants.
 *
 *    messages=1200000 dropped=0 late=0.01 cpu_per_million=0.412
 *
 * late is the part of the time by which it could not keep its own pace.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "seccheckd/base/clock.h"
#include "tests/support/peer.h"
#include "tests/support/trace.h"
#include "tests/support/usage.h"

#define COUNT_MAX 1000u
#define STEP_NS   INT64_C(1000000)
#define SECOND_NS INT64_C(1000000000)

struct sender {
	int fd;
	size_t at; /* in the trace */
};

static struct sender senders[COUNT_MAX];
static uint64_t sent_count, dropped_count;

static void send_next(struct sender *sender, const struct trace *trace)
{
	struct scd_str message = trace->messages[sender->at];

	sender->at = (sender->at + 1) % trace->count;
	if (send(sender->fd, message.data, message.len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		dropped_count++;
	else
		sent_count++;
}

static void wait_until(int64_t time_ns)
{
	const struct timespec until = { .tv_sec = time_ns / SECOND_NS, .tv_nsec = time_ns % SECOND_NS };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* How long it took. */
static int64_t run(const struct trace *trace, unsigned count, double rate, double seconds)
{
	const int64_t start_ns = scd_clock_mono_ns(), steps = (int64_t)(seconds * (double)SECOND_NS) / STEP_NS;
	double due = 0;

	for (int64_t step = 0; step < steps; step++) {
		for (due += rate * (double)STEP_NS / (double)SECOND_NS; due >= 1; due -= 1) {
			for (unsigned i = 0; i < count; i++)
				send_next(&senders[i], trace);
		}
		wait_until(start_ns + (step + 1) * STEP_NS);
	}
	return scd_clock_mono_ns() - start_ns;
}

int main(int argc, char **argv)
{
	unsigned count = argc == 7 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
	double rate, seconds, late, cpu_s;
	struct trace trace;
	struct usage before;
	pid_t sink;

	if (count == 0 || count > COUNT_MAX) {
		fprintf(stderr, "usage: paced SOCKET TRACE COUNT RATE SECONDS PID, at most %u connections\n",
		        COUNT_MAX);
		return 2;
	}
	trace = trace_load(argv[2]);
	rate = strtod(argv[4], NULL);
	seconds = strtod(argv[5], NULL);
	sink = (pid_t)strtol(argv[6], NULL, 10);
	for (unsigned i = 0; i < count; i++) {
		senders[i].fd = peer_join(argv[1]);
		if (senders[i].fd < 0) {
			fprintf(stderr, "%s: cannot connect\n", argv[1]);
			return 1;
		}
	}
	before = usage_at_rest(sink);
	late = (double)run(&trace, count, rate, seconds) / (double)SECOND_NS / seconds - 1;
	cpu_s = (double)(usage_at_rest(sink).cpu_ns - before.cpu_ns) / (double)SECOND_NS;
	printf("messages=%" PRIu64 " dropped=%" PRIu64 " late=%.2f cpu_per_million=%.3f\n", sent_count, dropped_count,
	       late, sent_count ? cpu_s * 1e6 / (double)sent_count : 0.0);
	trace_done(&trace);
	return 0;
}
