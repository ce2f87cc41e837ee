/*
 * The seed of back-offs, so that senders do not come back as one, and of the queues' hashes, so that no sandbox can
 * choose a name that shares another's place.
 */
#include "seed.h"

#include <sys/random.h>
#include <sys/types.h>

#include "seccheckd/base/clock.h"

uint64_t scd__seed_draw(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint64_t)scd_clock_mono_ns();
	return seed;
}
