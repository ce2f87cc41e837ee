/*
 * A fake sandbox: the sending end of a seccheck remote sink, for tests that want it well-behaved or not.
 *
 * Nothing here waits longer than PEER_DEADLINE_MS (or the time given), and nothing asserts: results are 0 or a count,
 * or negative errno (-ETIMEDOUT), so that the functions may be used in forked processes and other threads too.
 */
#ifndef SCD_TESTS_SUPPORT_PEER_H
#define SCD_TESTS_SUPPORT_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Far more than anything takes, also under a sanitizer on a busy machine: it only ends tests that hang. */
#define PEER_DEADLINE_MS 20000

/* A connected, non-blocking SEQPACKET socket, or negative errno. */
int peer_connect(const char *path);

/* Sends the handshake that gVisor sends and waits for the answer. 0; -EPIPE: closed without one; -EBADMSG: another. */
int peer_greet(int fd, int timeout_ms);

/* Both. The socket, or negative errno. */
int peer_join(const char *path);

/* Sends one message, waiting for room in the socket. 0 or negative errno. */
int peer_send(int fd, const void *message, size_t len);

/* Sends a message that is a frame header alone: legal, as an all-default protobuf has no bytes. */
int peer_send_header(int fd, uint16_t message_type, uint32_t dropped_count);

/* Sends one message with descriptors behind it. The bytes sent, or negative errno at once. */
int peer_send_descriptors(int fd, const void *message, size_t len, const int *passed, size_t count);

/* Sends all messages of a trace file. Their number, or negative errno. */
long peer_replay(int fd, const char *trace_path);

/* Room for messages of this size on the way: SO_SNDBUF, by force if we may. False when the kernel gives less. */
bool peer_enlarge(int fd, int bytes);

/* Waits until one of the events of poll(2) is there, or an error. 0 or negative errno. */
int peer_wait(int fd, short events, int timeout_ms);

/* Waits until the other end has closed. 0 or negative errno. */
int peer_wait_closed(int fd, int timeout_ms);

/* Descriptors that this process has open. */
size_t peer_open_descriptors(void);

#endif
