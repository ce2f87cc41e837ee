/*
 * Parameters of events: what Falco calls evt.arg. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_EVT_PARAMS_H
#define SCD_SERVER_ENGINE_EVT_PARAMS_H

#include "engine/flag_names.h"
#include "seccheckd/engine/field.h"

/* How a parameter reads as text. */
enum scd__param_form {
	SCD__PARAM_DECIMAL,
	SCD__PARAM_OCTAL,
	SCD__PARAM_HEX,
	SCD__PARAM_ERRNO, /* a number; negative: the error's name */
	SCD__PARAM_FD,    /* a number, and what is behind it */
	SCD__PARAM_PID,   /* a number, and the process's name */
	SCD__PARAM_USER,  /* a user or group: a number, and its name */
	SCD__PARAM_FLAGS, /* Falco's number, and names */
	SCD__PARAM_TIME,  /* nanoseconds since the epoch */
	SCD__PARAM_TEXT,
	SCD__PARAM_PATH,     /* as given, and made absolute */
	SCD__PARAM_BYTES,    /* what cannot be printed is a dot */
	SCD__PARAM_SOCKADDR, /* a raw address */
	SCD__PARAM_TUPLE,    /* both ends of a connection, as fd.name has them */
};

enum scd__param_source {
	SCD__SOURCE_NONE,   /* gVisor does not tell */
	SCD__SOURCE_GETTER, /* as a field */
	SCD__SOURCE_I32,    /* a member of struct scd_event, at offset */
	SCD__SOURCE_U32,
	SCD__SOURCE_I64,
	SCD__SOURCE_U64,
	SCD__SOURCE_STR,
};

struct scd__param {
	const char *name;
	enum scd__param_form form;
	const struct scd__flag_names *flags; /* of FLAGS */
	enum scd__param_source source;
	scd_field_get_fn *get;
	size_t offset;
};

/* The parameters of an event, as one message tells them. */
struct scd__param_list {
	unsigned point;
	const char *event; /* its name */
	const struct scd__param *params;
	size_t count;
};

/* evt_param_lists.c */
extern const struct scd__param_list scd__param_lists[];
extern const size_t scd__param_list_count;

struct scd__params {
	const struct scd__param *items;
	size_t count;
};

/* In Falco's order. count 0: none are known for this event. */
struct scd__params scd__params_of(const struct scd_event *event);

/*
 * A number (INT64 or UINT64, also where Falco's type is narrower; flags as Linux has them) or a text. False: the
 * parameter is empty.
 */
bool scd__param_value(const struct scd__param *param, const struct scd_view *view, struct scd_value *ret_value);

/* Whether some event of Falco has a parameter of this name, and the type of evt.rawarg for it. */
bool scd__param_type(struct scd_str name, enum scd_type *ret_type);

#endif
