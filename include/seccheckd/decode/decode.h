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
 * -EBADMSG: the bytes are no message of that type (cut short, or the wrong wire type for a known field; the verdict
 * is always that of protobuf-c); *ret_event is undefined.
 * -ENOMEM: the scratch arena's cap.
 */
int scd_decode_event(unsigned message_type, struct scd_str payload, unsigned want, struct scd_arena *scratch,
                     struct scd_event *ret_event);

/*
 * The kind of event (evt.type) that a message is for rules: the exit-only model of Falco.
 *
 *    container/start          execve: the first image of a container begins
 *    sentry/execve            execve: the image is loaded, the call can no longer fail
 *    sentry/clone             clone: the creator's side, with the ids of what it made
 *    sentry/task_exit         procexit; sentry/exit_notify_parent tells nothing beyond it: NONE
 *    sentry/mmap              mmap (of executable memory; syscall/mmap is all of them)
 *    a system call's enter    NONE: what was asked for is in the exit message too, with what came of it
 *    a system call's exit     the call by its number
 *
 * An exit of execve or execveat is an event only when it failed. A result of 0 is reported as soon as the arguments
 * are read, before the image is loaded, so it proves nothing; sentry/execve is the success. Raw exits of execve,
 * execveat and connect are no events: they are witnesses, which show that a decoded message is missing (evt.type
 * hidden; scd_sandbox_witness).
 *
 * A decoded point's message says by its type what it is; the number only tells apart the calls that share a message
 * (open, openat, creat). A number that is missing (proto3 sends no 0, old runsc none at all) or does not belong to
 * the message gets the first of them, which the point is named after (setuid for setid), so that no decoded call goes
 * unseen. A raw point has nothing but its number: without a name it is NONE.
 *
 * The kind does not say which member of scd_event.u holds: only the point does.
 */
unsigned scd_decode_kind(unsigned point, uint64_t sysno, bool has_exit, int64_t exit_errorno);

#endif
