/*
 * libcurl's multi interface on a libuv loop.
 *
 *   new → start… / cancel… → close → (on_closed)
 *
 * libcurl says which sockets it waits for and until when; those become uv_poll handles and one uv_timer. Name look-ups
 * run in libcurl's own threads. Everything is called on the loop's thread.
 */
#ifndef SCD_SERVER_EMIT_CURL_LOOP_H
#define SCD_SERVER_EMIT_CURL_LOOP_H

#include <curl/curl.h>
#include <uv.h>

struct scd__curl_loop;

/* A transfer has ended, with or without success. It may start the next one, or close the loop. */
typedef void scd__curl_done_fn(void *user, CURL *easy, CURLcode code);

/* NULL on exhaustion. */
struct scd__curl_loop *scd__curl_loop_new(uv_loop_t *loop, scd__curl_done_fn *on_done, void *user);

/* 0 or -ENOMEM. The handle stays the caller's and lives until the transfer has ended or is cancelled. */
int scd__curl_loop_start(struct scd__curl_loop *curl, CURL *easy);

/* Takes back a transfer that was started and has not ended; on_done is not called for it. */
void scd__curl_loop_cancel(struct scd__curl_loop *curl, CURL *easy);

/* No transfer is under way. on_closed is called once, when the memory is freed, with the user of new. */
void scd__curl_loop_close(struct scd__curl_loop *curl, void (*on_closed)(void *user));

#endif
