/*
 * The decoder's tables: what each field of a protobuf message does to the event.
 *
 *    rows (written by hand)                     shapes (built once)
 *    Open.fd_path → event.fd_path, a span  +    shape SYSCALL_OPEN: actions[5] = { span, offset 176 }
 *    protoc-c's descriptor of Open         =
 *
 * A shape is a protobuf message together with the place it is decoded into. The shapes of the points have the numbers
 * of the points, so that a frame's message type is an index; those of the messages inside follow. A message that is
 * decoded into two kinds of places has two shapes (PipeProcInfo keeps one number of a whole context).
 *
 * Built under pthread_once, read-only after that. A row that names no field, does not fit its field's type, or is
 * missing is a bug: the build of the table prints it and aborts, in every program and test that decodes anything.
 */
#ifndef SCD_SERVER_DECODE_TABLE_H
#define SCD_SERVER_DECODE_TABLE_H

#include <protobuf-c/protobuf-c.h>

#include "seccheckd/event/event.h"

enum scd__shape_id {
	/* 0 is unused, 1..SCD_POINT_COUNT-1 are the points. */
	SCD__SHAPE_CONTEXT = SCD_POINT_COUNT, /* into struct scd_context */
	SCD__SHAPE_CREDENTIALS,               /* into struct scd_credentials */
	SCD__SHAPE_EXIT,                      /* into struct scd_event */
	SCD__SHAPE_ITIMER,                    /* into two struct scd_timespec: interval, value */
	SCD__SHAPE_TIMESPEC,                  /* into struct scd_timespec */
	SCD__SHAPE_RLIMIT,                    /* into two uint64_t: cur, max */
	SCD__SHAPE_FD_INFO,                   /* into struct scd_fd_info, as the next one */
	SCD__SHAPE_SOCKET_INFO,
	SCD__SHAPE_SOCKET_IP,        /* into struct scd_socket_ip */
	SCD__SHAPE_PEER,             /* PipeProcInfo, into an int32_t: its thread group id, as the next two */
	SCD__SHAPE_PEER_CONTEXT,     /* ContextData */
	SCD__SHAPE_PEER_CREDENTIALS, /* Credentials: checked, kept nowhere */
	SCD__SHAPE_COUNT
};

/* What a row writes: the type of the member it names. */
enum scd__dest {
	SCD__DEST_I32,
	SCD__DEST_U32,
	SCD__DEST_I64,
	SCD__DEST_U64,
	SCD__DEST_BOOL,
	SCD__DEST_STR,
	SCD__DEST_STRINGS,
	SCD__DEST_ENV,     /* struct scd_strings, filled only with SCD_DECODE_ENV */
	SCD__DEST_MESSAGE, /* another shape */
};

struct scd__row {
	uint8_t shape;
	const char *field; /* as in the .proto file */
	enum scd__dest dest;
	uint16_t offset;  /* of the member, in what the shape is decoded into */
	uint8_t inner;    /* shape of a message */
	uint16_t mark_at; /* byte that gets the bits of `mark` when the message is there */
	uint8_t mark;     /* 0: its presence is not kept */
};

/* What the decoder does when it meets a field. */
enum scd__how {
	SCD__HOW_SKIP,  /* a field we do not know, of any wire type */
	SCD__HOW_CHECK, /* known and not kept: its wire type must be right all the same */
	SCD__HOW_32,
	SCD__HOW_64,
	SCD__HOW_WIDEN, /* int32 into int64_t */
	SCD__HOW_BOOL,
	SCD__HOW_STR,
	SCD__HOW_STRINGS,
	SCD__HOW_ENV,
	SCD__HOW_MESSAGE,
};

/* A wire type that no field has. */
#define SCD__WIRE_NONE 0xffu

struct scd__action {
	uint8_t how;  /* enum scd__how */
	uint8_t wire; /* the wire type that the field has; of a field that is not known, none */
	uint8_t inner;
	uint8_t mark;
	uint16_t offset;
	uint16_t mark_at;
};

/* One more than the largest field number of any message; a test of the build. */
#define SCD__FIELD_NUMBERS 24u

struct scd__shape {
	const ProtobufCMessageDescriptor *descriptor;
	size_t union_bytes;                             /* of a point: of its member of scd_event.u */
	bool has_fd;                                    /* of a point: some field is scd_event.fd */
	struct scd__action actions[SCD__FIELD_NUMBERS]; /* by field number; [0] is SCD__HOW_SKIP */
};

/* The table, SCD__SHAPE_COUNT long; built at the first call. Any thread. */
const struct scd__shape *scd__decode_shapes(void);

/* The rows it is built from. */
const struct scd__row *scd__decode_rows(size_t *ret_count);

#endif
