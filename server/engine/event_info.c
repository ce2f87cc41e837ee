/*
 * The table of event_info.def by kind. Names become kinds at the first look-up, since a name may belong to several.
 */
#include "engine/event_info.h"

#include <assert.h>
#include <pthread.h>

#include "seccheckd/base/array.h"
#include "seccheckd/event/kind.h"

struct row {
	struct scd_str name;
	struct scd__event_info info;
};

enum {
	NONE = 0,
	READS = SCD__EVENT_READS,
	WRITES = SCD__EVENT_WRITES,
	FD = SCD__EVENT_FD,
	WAITS = SCD__EVENT_WAITS,
};

static const struct row rows[] = {
#define EVENT(name, category, flags, creates) \
	{ SCD_STR_INIT(#name), { SCD__CATEGORY_##category, (flags), SCD_FD_##creates } },
#include "engine/event_info.def"
#undef EVENT
};

static struct scd__event_info by_kind[SCD_KIND_COUNT];
static pthread_once_t by_kind_once = PTHREAD_ONCE_INIT;

static void fill_by_kind(void)
{
	for (size_t i = 0; i < SCD_COUNT(rows); i++) {
		int kind = scd_kind_find(rows[i].name, 0);
		assert(kind >= 0);
		for (; kind >= 0; kind = scd_kind_find(rows[i].name, (unsigned)kind + 1))
			by_kind[kind] = rows[i].info;
	}
}

const struct scd__event_info *scd__event_info(unsigned kind)
{
	static const struct scd__event_info other = { SCD__CATEGORY_OTHER, 0, SCD_FD_UNKNOWN };
	pthread_once(&by_kind_once, fill_by_kind);
	return kind < SCD_KIND_COUNT ? &by_kind[kind] : &other;
}

const char *scd__category_name(enum scd__category category)
{
	static const char *const names[] = {
#define X(id, name) [SCD__CATEGORY_##id] = (name),
		SCD__CATEGORY_TABLE(X)
#undef X
	};
	return names[category];
}

const char *scd__fd_type_name(enum scd_fd_type type)
{
	static const char *const names[] = {
#define X(id, name, letter) [SCD_FD_##id] = (name),
		SCD_FD_TYPE_TABLE(X)
#undef X
	};
	return names[type];
}

const char *scd__fd_type_letter(enum scd_fd_type type)
{
	static const char *const letters[] = {
#define X(id, name, letter) [SCD_FD_##id] = (letter),
		SCD_FD_TYPE_TABLE(X)
#undef X
	};
	return letters[type];
}
