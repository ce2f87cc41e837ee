/*
 * What the host side says about a sandbox in text: arguments of runsc, and names of its state files. Inside
 * server/keeper only. Pure: text in, spans out, which borrow from it.
 */
#ifndef SCD_SERVER_KEEPER_CMDLINE_H
#define SCD_SERVER_KEEPER_CMDLINE_H

#include "seccheckd/base/str.h"

/* How a runsc process that connects to a sink can be asked for its sandbox. */
enum scd__naming {
	SCD__NAMING_NONE,     /* its command is not one that connects */
	SCD__NAMING_LOCK,     /* create, run, do, restore: by the state lock that it holds */
	SCD__NAMING_ARGUMENT, /* trace create: by its last argument */
};

struct scd__cmdline {
	enum scd__naming naming;
	struct scd_str subcommand;   /* as written, without the second word of `trace create`; empty: there is none */
	struct scd_str root;         /* the value of --root; empty: not given */
	struct scd_str container_id; /* with SCD__NAMING_ARGUMENT */
};

/*
 * The arguments of a process as /proc/PID/cmdline has them, each ended by a NUL; a last one without NUL was cut off
 * and does not count. Text that says nothing gives SCD__NAMING_NONE, and so does a `trace create` that does not name
 * exactly one id.
 */
void scd__cmdline_parse(struct scd_str text, struct scd__cmdline *ret_cmdline);

/* The parts of ROOT/CONTAINER_sandbox:SANDBOX.lock. */
struct scd__lock_name {
	struct scd_str root;
	struct scd_str container_id, sandbox_id;
};

/* False for every other path. */
bool scd__lock_name_parse(struct scd_str path, struct scd__lock_name *ret_name);

/* What runsc takes for an id: letters, digits and _ + - . , and not longer than a file name. */
bool scd__is_container_id(struct scd_str text);

#endif
