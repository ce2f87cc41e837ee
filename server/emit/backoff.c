/*
 * Back-off. The generator is xorshift64*, which is good enough to spread retries.
 */
#include "backoff.h"

#include <stddef.h>

#include "seccheckd/base/defaults.h"
#include "seed.h"

void scd__backoff_init(struct scd__backoff *backoff, unsigned min_ms, unsigned max_ms, const uint64_t *seed)
{
	backoff->min_ms = min_ms ? min_ms : SCD_DEFAULT_BACKOFF_MIN_MS;
	backoff->max_ms = max_ms ? max_ms : SCD_DEFAULT_BACKOFF_MAX_MS;
	backoff->tries = 0;
	backoff->random = (seed ? *seed : scd__seed_draw()) | 1;
}

static uint64_t draw(struct scd__backoff *backoff)
{
	uint64_t x = backoff->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	backoff->random = x;
	return (x * UINT64_C(2685821657736338717)) >> 32;
}

unsigned scd__backoff_next_ms(struct scd__backoff *backoff)
{
	uint64_t ceiling = backoff->max_ms;

	if (backoff->tries < 32 && (uint64_t)backoff->min_ms << backoff->tries < ceiling)
		ceiling = (uint64_t)backoff->min_ms << backoff->tries;
	if (backoff->tries < 32)
		backoff->tries++;
	return (unsigned)(draw(backoff) % (ceiling + 1));
}

void scd__backoff_cap(struct scd__backoff *backoff, unsigned max_ms)
{
	if (backoff->max_ms > max_ms)
		backoff->max_ms = max_ms;
}

void scd__backoff_reset(struct scd__backoff *backoff)
{
	backoff->tries = 0;
}
