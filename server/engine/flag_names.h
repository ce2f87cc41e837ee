/*
 * Names of flags and constants in parameters of events, as Falco shows them. Inside server/engine only.
 */
#ifndef SCD_SERVER_ENGINE_FLAG_NAMES_H
#define SCD_SERVER_ENGINE_FLAG_NAMES_H

#include "seccheckd/base/arena.h"

/*
 * One name. `bits` are those of Linux on x86-64. `code` is Falco's own number for them, which evt.rawarg gives. A row
 * with bits 0 stands for "none of the others".
 */
struct scd__flag_name {
	const char *name;
	uint64_t bits;
	uint64_t code;
};

enum scd__flag_kind {
	SCD__FLAGS_SET,   /* several names may hold: those of all bits, joined with `|` */
	SCD__FLAGS_VALUE, /* the number is one constant, which may have several names */
	SCD__FLAGS_OPEN,  /* a set whose lowest two bits are the access mode */
};

struct scd__flag_names {
	enum scd__flag_kind kind;
	const struct scd__flag_name *names;
	size_t count;
};

extern const struct scd__flag_names scd__open_flags, scd__clone_flags, scd__exec_flags, scd__prot_flags,
        scd__mmap_flags, scd__file_modes, scd__socket_families, scd__ptrace_requests, scd__signals, scd__bpf_commands;

/* Falco's number for a number of Linux. */
uint64_t scd__flag_code(const struct scd__flag_names *flags, uint64_t bits);

/* The names in the arena, empty when there is none; data NULL when it is exhausted. */
struct scd_str scd__flag_text(const struct scd__flag_names *flags, uint64_t bits, struct scd_arena *arena);

#endif
