/*
 * Values of fields, as rules see them.
 *
 * Types are Falco's (PT_* of libs, without those that gVisor has no field for). A value that is missing is no value
 * at all: getters return false for ABSENT, and every operator has one answer for it.
 */
#ifndef SECCHECKD_EVENT_VALUE_H
#define SECCHECKD_EVENT_VALUE_H

#include "seccheckd/base/str.h"

/* X(ENUM, name): the name is that of Falco's type, as in its field documentation. */
#define SCD_TYPE_TABLE(X)                                                               \
	X(BOOL, "BOOL")   /* .boolean */                                                \
	X(INT16, "INT16") /* .i64, also for the other signed ones */                    \
	X(INT32, "INT32")                                                               \
	X(INT64, "INT64")                                                               \
	X(UINT32, "UINT32") /* .u64, also for the other unsigned ones */                \
	X(UINT64, "UINT64")                                                             \
	X(DOUBLE, "DOUBLE")   /* .real */                                               \
	X(RELTIME, "RELTIME") /* .u64: nanoseconds */                                   \
	X(ABSTIME, "ABSTIME") /* .u64: nanoseconds since the epoch */                   \
	X(PORT, "PORT")       /* .u64: 0..65535 */                                      \
	X(STRING, "CHARBUF")  /* .text */                                               \
	X(PATH, "FSPATH")     /* .text */                                               \
	X(BYTES, "BYTEBUF")   /* .text */                                               \
	X(IPADDR, "IPADDR")   /* .ip */                                                 \
	X(IPNET, "IPNET")     /* .ip: an address; only constants have prefix lengths */ \
	X(DYN, "DYN")         /* type depends on the argument (evt.rawarg) */

enum scd_type {
#define X(id, name) SCD_TYPE_##id,
	SCD_TYPE_TABLE(X) SCD_TYPE_COUNT
};
#undef X

/* An address: family 4 uses the first 4 bytes, 6 all 16; network order. */
struct scd_ip {
	uint8_t family;
	uint8_t bytes[16];
};

/*
 * A text that is longer than a field may be, as its parts: head, and each item with `between` in front of it. They
 * borrow from the message.
 */
struct scd_pieces {
	struct scd_str head, between;
	const struct scd_str *items;
	size_t count;
};

/*
 * One value, or a list of values of one type (is_list: items and count; the scalar members are then unused). Strings
 * and items borrow from the message, the event's scratch arena or the sandbox's state. A text that was cut may have
 * what it was beside it, in which `contains` looks, too: padding hides nothing from it.
 */
struct scd_value {
	enum scd_type type;
	bool is_list;
	union {
		bool boolean;
		int64_t i64;
		uint64_t u64;
		double real;
		struct {
			struct scd_str text;
			const struct scd_pieces *whole; /* of a text that was cut, where it is known; else NULL */
		};
		struct scd_ip ip;
		struct {
			const struct scd_value *items;
			size_t count;
		} list;
	};
};

/* Falco's name of a type ("CHARBUF"). */
const char *scd_type_name(enum scd_type type);

bool scd_type_is_signed(enum scd_type type);   /* .i64 holds it */
bool scd_type_is_unsigned(enum scd_type type); /* .u64 holds it */
bool scd_type_is_text(enum scd_type type);     /* STRING or PATH */

/* Room for an address as text, NUL included (INET6_ADDRSTRLEN). */
#define SCD_IP_TEXT_BYTES 46

/* Dotted quad, or inet_ntop's form of IPv6. Returns the length. */
size_t scd_ip_format(const struct scd_ip *ip, char ret_text[SCD_IP_TEXT_BYTES]);

/* Text with '.' and without ':' is IPv4, else IPv6 (Falco's rule). -EINVAL if it is no address. */
int scd_ip_parse(struct scd_str text, struct scd_ip *ret_ip);

#endif
