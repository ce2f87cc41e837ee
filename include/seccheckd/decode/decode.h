/*
 * One frame to one event.
 *
 * The decoder walks the protobuf bytes once and lays strings out as spans into the message: nothing is copied and
 * nothing is allocated but the arrays of repeated strings (in the scratch arena). What it writes where comes from one
 * table row per field, matched at start-up against the descriptors that protoc-c generated from proto/, so that a
 * field number or a type stands in one place only. tests/ compare it with protobuf-c's own unpacking on recorded,
 * mutated and random messages.
 *
 * Unknown message types and unknown fields are not errors: a newer runsc has them.
 */
#ifndef SECCHECKD_DECODE_DECODE_H
#define SECCHECKD_DECODE_DECODE_H

#include "seccheckd/base/arena.h"
#include "seccheckd/event/event.h"

/* What the caller needs of a message; the rest may be left out. */
enum {
	SCD_DECODE_ENV = 1 << 0, /* environments (secrets): only when a rule reads proc.env */
};

/*
 * Decodes a payload. message_type is the frame's; scratch lives as long as the event.
 * 0: *ret_event is filled completely (also its kind; sequence is 0).
 * 1: the type is one we do not know; *ret_event has point SCD_POINT_UNKNOWN and kind SCD_KIND_NONE, nothing else.
 * -EBADMSG: the bytes are no message of that type (cut short, wrong wire type for a known field, too deep);
 * *ret_event is undefined.
 * -ENOMEM: the scratch arena's cap.
 */
int scd_decode_event(unsigned message_type, struct scd_str payload, unsigned want, struct scd_arena *scratch,
                     struct scd_event *ret_event);

/*
 * Falco's event kind for a point and system call number, exit or enter. See docs/ARCHITECTURE.md, "What is an event".
 */
unsigned scd_decode_kind(unsigned point, uint64_t sysno, bool has_exit, int64_t exit_errorno);

/*
 * An address out of a raw sockaddr (as connect's `address`): Linux x86-64 layout, checked against its length. family
 * AF_INET/AF_INET6: ip and port; AF_UNIX: path (borrowed; abstract names begin with NUL, shown as '@' by fields).
 * -EBADMSG: too short for its family; -EAFNOSUPPORT: another family (ret_address->family is set all the same).
 */
struct scd_address {
	uint16_t family;
	uint16_t port;
	uint8_t ip[16]; /* 4 or 16 bytes */
	struct scd_str path;
};
int scd_decode_address(struct scd_str sockaddr, struct scd_address *ret_address);

#endif
