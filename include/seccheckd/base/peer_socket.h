/*
 * Unix sockets whose peer may send descriptors along with its messages (SCM_RIGHTS). They are never wanted.
 *
 * A plain recv(2), or close(2) of a socket with messages unread, has the kernel release them in our name, and that
 * takes as long as the peer likes: a TCP socket with unsent data and SO_LINGER waits. Linux 6.16 and later refuse
 * them at the sender; on older ones they are received here, and closed in a way that does not linger. What is left
 * there are descriptors whose release waits for something else, as a file system of the peer's own.
 *
 * Nothing here blocks.
 */
#ifndef SECCHECKD_BASE_PEER_SOCKET_H
#define SECCHECKD_BASE_PEER_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Asks the kernel to refuse them; connections inherit it from their listener. False where it cannot. */
bool scd_peer_socket_refuse_descriptors(int fd);

/* Whether the kernel does. */
bool scd_peer_socket_refuses_descriptors(int fd);

/*
 * One message of a SEQPACKET socket: its length, which may be more than room (the rest is lost), 0 for an empty one
 * and at the end; negative errno: -EAGAIN; -EPROTO: descriptors came with it, they are closed, and the message is
 * lost.
 */
ssize_t scd_peer_socket_receive(int fd, void *buffer, size_t room);

/* Closes the last descriptor of a SEQPACKET socket, with all that is unread in it. */
void scd_peer_socket_close(int fd);

#endif
