/*
 * Properties of event kinds, after Falco's event table: category, reading or writing, use of descriptors.
 */
#ifndef SCD_SERVER_ENGINE_EVENT_INFO_H
#define SCD_SERVER_ENGINE_EVENT_INFO_H

#include <stdint.h>

#include "seccheckd/state/fd.h"

/*
 * X(ENUM, "name as evt.category shows it"). The three of input and output have none of their own: they show what the
 * descriptor is.
 */
#define SCD__CATEGORY_TABLE(X) \
	X(OTHER, "other")      \
	X(FILE, "file")        \
	X(NET, "net")          \
	X(IPC, "IPC")          \
	X(MEMORY, "memory")    \
	X(PROCESS, "process")  \
	X(SLEEP, "sleep")      \
	X(SYSTEM, "system")    \
	X(SIGNAL, "signal")    \
	X(USER, "user")        \
	X(TIME, "time")        \
	X(WAIT, "wait")        \
	X(IO_READ, NULL)       \
	X(IO_WRITE, NULL)      \
	X(IO_OTHER, NULL)

enum scd__category {
#define X(id, name) SCD__CATEGORY_##id,
	SCD__CATEGORY_TABLE(X)
};
#undef X

enum {
	SCD__EVENT_READS = 1 << 0,
	SCD__EVENT_WRITES = 1 << 1,
	SCD__EVENT_FD = 1 << 2,
	SCD__EVENT_WAITS = 1 << 3,
};

struct scd__event_info {
	uint8_t category; /* enum scd__category */
	uint8_t flags;
	uint8_t creates; /* enum scd_fd_type */
};

/* Never NULL: a kind without a row has category OTHER and nothing else. */
const struct scd__event_info *scd__event_info(unsigned kind);

/* NULL for the three IO categories. */
const char *scd__category_name(enum scd__category category);

/* NULL for UNKNOWN. */
const char *scd__fd_type_name(enum scd_fd_type type);
/* One character. */
const char *scd__fd_type_letter(enum scd_fd_type type);

#endif
