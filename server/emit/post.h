/*
 * POSTs of one output to one URL, one at a time.
 *
 *   new → start → (on_done) → start … → (cancel) → close → (on_closed)
 *
 * Redirects are not followed, answers are capped (SCD_LIMIT_HTTP_ANSWER_BYTES), and each POST has a time-out that
 * covers all of it, the name look-up included.
 */
#ifndef SCD_SERVER_EMIT_POST_H
#define SCD_SERVER_EMIT_POST_H

#include "seccheckd/emit/emitter.h"

struct scd__post;

struct scd__answer {
	long status;            /* HTTP's, or 0 when no whole answer came */
	bool was_sent;          /* something of the body has left: what follows may be its doing */
	unsigned retry_after_s; /* 0: not said */
	struct scd_str body;    /* valid during the call */
	const char *why;        /* why no answer came; for status not 0 its number as text. Valid during the call */
};
typedef void scd__answer_fn(void *user, const struct scd__answer *answer);

/* options are only read. -EINVAL or -ENOMEM or what a certificate file could not be read for, with err. */
int scd__post_new(uv_loop_t *loop, const struct scd_http_options *options, const char *content_type,
                  scd__answer_fn *on_answer, void *user, struct scd__post **ret_post, struct scd_error *err);

/* The body stays the caller's and unchanged until on_answer or cancel. 0 or -ENOMEM (on_answer is not called). */
int scd__post_start(struct scd__post *post, struct scd_str body);

/* Ends the POST that is under way, if any, without an answer. Whether the server has seen it is not known. */
void scd__post_cancel(struct scd__post *post);

/* Nothing is under way. on_closed is called once, with the user of new, when the memory is freed. */
void scd__post_close(struct scd__post *post, void (*on_closed)(void *user));

#endif
