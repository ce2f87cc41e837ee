/*
 * How long to wait before the next try: exponential, with full jitter.
 *
 * The n-th wait in a row is drawn evenly from 0 to min·2ⁿ, at most max: after an outage a fleet of senders does not
 * come back as one.
 */
#ifndef SCD_SERVER_EMIT_BACKOFF_H
#define SCD_SERVER_EMIT_BACKOFF_H

#include <stdint.h>

struct scd__backoff {
	unsigned min_ms, max_ms;
	unsigned tries;  /* failures in a row */
	uint64_t random; /* state of the generator; not 0 */
};

/* min_ms and max_ms 0 are the defaults (base/defaults.h). seed NULL: from the kernel. */
void scd__backoff_init(struct scd__backoff *backoff, unsigned min_ms, unsigned max_ms, const uint64_t *seed);

/* The wait after one more failure. */
unsigned scd__backoff_next_ms(struct scd__backoff *backoff);

/* From now on no wait is longer than this. */
void scd__backoff_cap(struct scd__backoff *backoff, unsigned max_ms);

/* It worked: the next failure is the first again. */
void scd__backoff_reset(struct scd__backoff *backoff);

#endif
