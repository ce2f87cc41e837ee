/*
 * The parameters of an event, and their values: as a field's getter or a member of the event has them.
 */
#include "engine/evt_params.h"

#include "engine/field_getters.h"
#include "seccheckd/base/array.h"

struct scd__params scd__params_of(const struct scd_event *event)
{
	struct scd_str name = scd_kind_name(event->kind);
	for (size_t i = 0; i < scd__param_list_count; i++)
		if (scd__param_lists[i].point == event->point && scd_str_is(name, scd__param_lists[i].event))
			return (struct scd__params){ scd__param_lists[i].params, scd__param_lists[i].count };
	return (struct scd__params){ NULL, 0 };
}

bool scd__param_value(const struct scd__param *param, const struct scd_view *view, struct scd_value *ret_value)
{
	static const struct scd_field_arg no_arg = { 0 };
	const char *member = (const char *)view->event + param->offset;
	switch (param->source) {
	case SCD__SOURCE_NONE: return false;
	case SCD__SOURCE_GETTER: return param->get(view, &no_arg, ret_value);
	case SCD__SOURCE_I32: return scd__give_i64(*(const int32_t *)(const void *)member, ret_value);
	case SCD__SOURCE_U32:
		return scd__give_unsigned(SCD_TYPE_UINT64, *(const uint32_t *)(const void *)member, ret_value);
	case SCD__SOURCE_I64: return scd__give_i64(*(const int64_t *)(const void *)member, ret_value);
	case SCD__SOURCE_U64:
		return scd__give_unsigned(SCD_TYPE_UINT64, *(const uint64_t *)(const void *)member, ret_value);
	case SCD__SOURCE_STR: return scd__give_told(*(const struct scd_str *)(const void *)member, ret_value);
	}
	return false;
}

/* Names. */

static const struct known {
	struct scd_str name;
	enum scd_type type;
} known[] = {
#define PARAM(name, type) { SCD_STR_INIT(#name), SCD_TYPE_##type },
#include "engine/evt_params.def"
#undef PARAM
};

bool scd__param_type(struct scd_str name, enum scd_type *ret_type)
{
	for (size_t i = 0; i < SCD_COUNT(known); i++) {
		if (!scd_str_eq(known[i].name, name))
			continue;
		*ret_type = known[i].type;
		return true;
	}
	return false;
}
