/*
 * The fixed parts of a trace file, for its reader and its writer. Inside server/wire only.
 */
#ifndef SCD_SERVER_WIRE_TRACE_HEAD_H
#define SCD_SERVER_WIRE_TRACE_HEAD_H

#define SCD__TRACE_MAGIC       "tracereplay file"
#define SCD__TRACE_MAGIC_BYTES (sizeof(SCD__TRACE_MAGIC) - 1)

/* The configuration object as Go's encoder writes it. */
#define SCD__TRACE_CONFIG "{\"version\":1}"

#endif
