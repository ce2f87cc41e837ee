/*
 * Getters of the event's time. All text is in UTC: what a daemon says must not depend on the zone of its host. An
 * event of a sandbox that never told a time has none.
 */
#include <string.h>

#include "engine/field_getters.h"
#include "seccheckd/base/clock.h"

#define NS_PER_S INT64_C(1000000000)

enum {
	DATE_LEN = sizeof("YYYY-MM-DD") - 1,
	DATE_TIME_LEN = sizeof("YYYY-MM-DDTHH:MM:SS") - 1,
	TIME_LEN = sizeof("HH:MM:SS") - 1,
};

static bool give_copy(const struct scd_view *view, const char *text, size_t len, struct scd_value *ret_value)
{
	struct scd_str copy = scd_arena_dup(view->scratch, (struct scd_str){ text, len });
	return copy.data && scd__give_text(copy, ret_value);
}

SCD__GETTER(scd__get_evt_time)
{
	char text[SCD_CLOCK_TEXT_BYTES];
	if (view->time_ns <= 0)
		return false;
	scd_clock_format_time(view->time_ns, text);
	return give_copy(view, text, strlen(text), ret_value);
}

SCD__GETTER(scd__get_evt_time_s)
{
	return scd__get_evt_time(view, arg, ret_value) &&
	       scd__give_text((struct scd_str){ ret_value->text.data, TIME_LEN }, ret_value);
}

SCD__GETTER(scd__get_evt_time_iso8601)
{
	char text[SCD_CLOCK_TEXT_BYTES];
	if (view->time_ns <= 0)
		return false;
	scd_clock_format_iso8601(view->time_ns, "+0000", text);
	return give_copy(view, text, strlen(text), ret_value);
}

SCD__GETTER(scd__get_evt_datetime)
{
	char text[SCD_CLOCK_TEXT_BYTES];
	if (view->time_ns <= 0)
		return false;
	scd_clock_format_iso8601(view->time_ns, "", text);
	text[DATE_LEN] = ' ';
	return give_copy(view, text, strlen(text), ret_value);
}

SCD__GETTER(scd__get_evt_datetime_s)
{
	return scd__get_evt_datetime(view, arg, ret_value) &&
	       scd__give_text((struct scd_str){ ret_value->text.data, DATE_TIME_LEN }, ret_value);
}

SCD__GETTER(scd__get_evt_rawtime)
{
	return scd__give_ns(SCD_TYPE_ABSTIME, view->time_ns, ret_value);
}

SCD__GETTER(scd__get_evt_rawtime_s)
{
	if (view->time_ns <= 0)
		return false;
	return scd__give_unsigned(SCD_TYPE_ABSTIME, (uint64_t)(view->time_ns / NS_PER_S), ret_value);
}

SCD__GETTER(scd__get_evt_rawtime_ns)
{
	if (view->time_ns <= 0)
		return false;
	return scd__give_unsigned(SCD_TYPE_ABSTIME, (uint64_t)(view->time_ns % NS_PER_S), ret_value);
}

SCD__GETTER(scd__get_evt_reltime)
{
	int64_t first_ns = scd_sandbox_first_time_ns(view->sandbox);
	return scd__give_span(SCD_TYPE_RELTIME, first_ns, view->time_ns, ret_value);
}

SCD__GETTER(scd__get_evt_reltime_s)
{
	if (!scd__get_evt_reltime(view, arg, ret_value))
		return false;
	ret_value->u64 /= (uint64_t)NS_PER_S;
	return true;
}

SCD__GETTER(scd__get_evt_reltime_ns)
{
	if (!scd__get_evt_reltime(view, arg, ret_value))
		return false;
	ret_value->u64 %= (uint64_t)NS_PER_S;
	return true;
}
