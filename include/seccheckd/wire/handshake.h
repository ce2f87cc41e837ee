/*
 * The handshake: a bare protobuf `Handshake { uint32 version = 1; }` in each direction, before the first frame.
 *
 * The peer speaks first and then blocks in read(2) without a time-out until we answer. Version 0 (or no version) is
 * refused by closing; a version newer than ours is accepted and answered with ours (source: gVisor remote.go,
 * setupSink).
 */
#ifndef SECCHECKD_WIRE_HANDSHAKE_H
#define SECCHECKD_WIRE_HANDSHAKE_H

#include "seccheckd/base/str.h"

#define SCD_HANDSHAKE_VERSION 1u

/* Room for our answer. */
#define SCD_HANDSHAKE_ANSWER_BYTES 8u

/* -EBADMSG: not a Handshake message; -EPROTONOSUPPORT: version 0. Unknown fields are skipped. */
int scd_handshake_parse(struct scd_str message, uint32_t *ret_version);

/* Writes our handshake; returns its length. */
size_t scd_handshake_format(uint8_t ret_message[SCD_HANDSHAKE_ANSWER_BYTES]);

#endif
