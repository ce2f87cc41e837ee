/*
 * The outputs that a configuration asks for.
 *
 *   check → open, once, in the process that all workers are children of → add, in each worker → … → close
 *
 * What outputs need of the disk is opened and read before the first worker is there, and inherited: a worker that
 * follows another one depends on no file that may have been broken since.
 */
#ifndef SCD_SERVER_CLI_WANTED_OUTPUTS_H
#define SCD_SERVER_CLI_WANTED_OUTPUTS_H

#include "seccheckd/config/config.h"
#include "seccheckd/emit/emitter.h"

/*
 * Checks what only the outputs can tell of a configuration: whether its URLs can be posted to. 0, or -EINVAL with err,
 * at the place of the key when it came from the file.
 */
int scd__wanted_outputs_check(const struct scd_config *config, struct scd_error *err);

/* Of one section. */
struct scd__tls_texts {
	struct scd_pem ca_cert, client_cert, client_key;
};

struct scd__open_outputs {
	int file_fd; /* -1: there is none */
	struct scd__tls_texts http_output, control_plane;
};

/* 0, or negative errno with err: which file and why; nothing is open then. The configuration has been checked. */
int scd__wanted_outputs_open(const struct scd_config *config, struct scd__open_outputs *ret_open,
                             struct scd_error *err);

/* Accepts one of zeros but for file_fd. */
void scd__wanted_outputs_close(struct scd__open_outputs *open);

/*
 * Adds them to an emitter, which takes over this process's copy of what is open: it is closed afterwards, also on
 * failure. 0, or negative errno with err: which output and why.
 */
int scd__wanted_outputs_add(struct scd_emitter *emitter, const struct scd_config *config,
                            struct scd__open_outputs *open, struct scd_error *err);

/*
 * Logs how many alerts were lost, for each output and on the way to them. Returns how many were dropped, in all these
 * places together.
 */
uint64_t scd__wanted_outputs_report(struct scd_emitter *emitter);

#endif
