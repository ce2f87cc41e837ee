/*
 * Random numbers for property tests: splitmix64, reproducible from a seed that is printed.
 *
 * SCD_TEST_SEED=N in the environment repeats a run. A fuzzer puts its input in front: two bytes are a number, so that
 * what it changes changes one choice, and when they have run out the seed goes on.
 */
#ifndef SCD_TESTS_SUPPORT_RNG_H
#define SCD_TESTS_SUPPORT_RNG_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct scd_rng {
	uint64_t state;
	const uint8_t *bytes; /* of a fuzzer, borrowed */
	size_t bytes_left;
};

static inline uint64_t scd_rng_next(struct scd_rng *rng)
{
	uint64_t z;

	if (rng->bytes_left >= 2) {
		z = (uint64_t)rng->bytes[0] | (uint64_t)rng->bytes[1] << 8;
		rng->bytes += 2;
		rng->bytes_left -= 2;
		return z;
	}
	z = rng->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A number below bound, which is not 0. */
static inline uint64_t scd_rng_below(struct scd_rng *rng, uint64_t bound)
{
	return scd_rng_next(rng) % bound;
}

/* Draws a seed, and prints it under the name of the test. */
static inline struct scd_rng scd_rng_start(const char *test)
{
	const char *given = getenv("SCD_TEST_SEED");
	struct timespec now;
	uint64_t seed;

	clock_gettime(CLOCK_REALTIME, &now);
	seed = given ? strtoull(given, NULL, 0) : (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	printf("%s: SCD_TEST_SEED=%" PRIu64 "\n", test, seed);
	return (struct scd_rng){ .state = seed };
}

#endif
