/*
 * The daemon's heart in processes of its own: keeper and worker with the real pipeline, without command line and
 * outputs. Alerts and counters are told at the end.
 *
 *    serve_start → peers do what they do → serve_stop → look at the result → serve_done
 */
#ifndef SCD_TESTS_SUPPORT_SERVE_H
#define SCD_TESTS_SUPPORT_SERVE_H

#include <sys/types.h>

#include "seccheckd/keeper/keeper.h"
#include "seccheckd/net/net.h"
#include "seccheckd/pipeline/pipeline.h"
#include "tests/support/tempdir.h"

struct serve_result {
	int status; /* exit status of the keeper process, or 1000 + signal, or -ETIMEDOUT */
	struct scd_keeper_counters keeper;
	struct scd_net_counters net;
	struct scd_pipeline_counters pipeline;
	char *alerts; /* JSON lines, NUL-terminated; serve_done frees it */
};

struct serve {
	struct tempdir dir;
	char path[128]; /* of the socket */
	const char *rules;
	pid_t pid; /* the keeper; 0: ended */
	struct serve_result result;
};

/* Starts the daemon with a text of rules; returns when it listens. 0 or negative errno. */
int serve_start(struct serve *serve, const char *rules_yaml);

/* SIGTERM, then waits for the end and fills result. The exit status, as in result. */
int serve_stop(struct serve *serve);

/* Kills what still runs, and cleans up. Accepts an all-zero struct. */
void serve_done(struct serve *serve);

/* Lines of the alerts in which both texts occur; NULL stands for any. */
size_t serve_count_alerts(const struct serve *serve, const char *text, const char *other_text);

#endif
