/*
 * Clocks and times as text. The calendar is computed here and not by gmtime_r, which reads the zone files under a
 * lock although UTC needs none.
 */
#include "seccheckd/base/clock.h"

#include <stdio.h>
#include <time.h>

#define NS_PER_SECOND   1000000000
#define SECONDS_PER_DAY 86400

static int64_t read_clock(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

int64_t scd_clock_mono_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t scd_clock_wall_ns(void)
{
	return read_clock(CLOCK_REALTIME);
}

/* Quotient rounded down and a remainder that is not negative, also for times before 1970. */
static int64_t divide_floor(int64_t value, int64_t by, int64_t *ret_rest)
{
	int64_t rest = value % by;

	*ret_rest = rest < 0 ? rest + by : rest;
	return value / by - (rest < 0);
}

struct civil_date {
	uint16_t year;
	uint8_t month, day; /* from 1 */
};

/*
 * Year, month and day of a count of days since 1970-01-01. Years begin in March here, so that the leap day is the
 * last of its year, and are counted in eras of 400 years, which have 146097 days each. The days before month m of
 * such a year are (153 m + 2) / 5. An int64_t of nanoseconds reaches from 1677 to 2262.
 */
static struct civil_date civil_from_days(int64_t days)
{
	int64_t day_of_era, year_of_era, day_of_year, month;
	int64_t era = divide_floor(days + 719468, 146097, &day_of_era);

	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	month = (5 * day_of_year + 2) / 153;
	return (struct civil_date){
		.year = (uint16_t)(era * 400 + year_of_era + (month >= 10)),
		.month = (uint8_t)(month < 10 ? month + 3 : month - 9),
		.day = (uint8_t)(day_of_year - (153 * month + 2) / 5 + 1),
	};
}

void scd_clock_format_time(int64_t wall_ns, char ret_text[SCD_CLOCK_TEXT_BYTES])
{
	int64_t ns, of_day;

	divide_floor(divide_floor(wall_ns, NS_PER_SECOND, &ns), SECONDS_PER_DAY, &of_day);
	snprintf(ret_text, SCD_CLOCK_TEXT_BYTES, "%02d:%02d:%02d.%09d", (int)(of_day / 3600), (int)(of_day / 60 % 60),
	         (int)(of_day % 60), (int)ns);
}

void scd_clock_format_iso8601(int64_t wall_ns, const char *suffix, char ret_text[SCD_CLOCK_TEXT_BYTES])
{
	char time_text[SCD_CLOCK_TEXT_BYTES];
	struct civil_date date;
	int64_t ns, of_day;

	date = civil_from_days(divide_floor(divide_floor(wall_ns, NS_PER_SECOND, &ns), SECONDS_PER_DAY, &of_day));
	scd_clock_format_time(wall_ns, time_text);
	snprintf(ret_text, SCD_CLOCK_TEXT_BYTES, "%04d-%02d-%02dT%.18s%.6s", date.year, date.month, date.day, time_text,
	         suffix);
}
