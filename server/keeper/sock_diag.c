/*
 * NETLINK_SOCK_DIAG for the family AF_UNIX: one request, one answer, which is there when the request has been sent.
 *
 *    request   nlmsghdr | unix_diag_req  { our inode, show: peer }
 *    answer    nlmsghdr | unix_diag_msg  | rtattr UNIX_DIAG_PEER: u32, the peer's inode
 *              nlmsghdr | nlmsgerr
 */
#include "keeper/sock_diag.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* An answer has about 40 bytes; an error repeats the request. */
#define ANSWER_BYTES 512u

struct request {
	struct nlmsghdr header;
	struct unix_diag_req body;
};

static int send_request(int diag_fd, uint32_t inode)
{
	const struct request request = {
		.header = { .nlmsg_len = sizeof(request),
		            .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		            .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = AF_UNIX,
		          .udiag_states = UINT32_MAX,
		          .udiag_ino = inode,
		          .udiag_show = UDIAG_SHOW_PEER,
		          .udiag_cookie = { UINT32_MAX, UINT32_MAX } },
	};

	return send(diag_fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* The peer's inode from the attributes behind an answer's fixed part. */
static int find_peer(const char *attributes, size_t len, ino_t *ret_inode)
{
	struct rtattr attribute;
	uint32_t inode;

	for (size_t at = 0; at + sizeof(attribute) <= len; at += RTA_ALIGN(attribute.rta_len)) {
		memcpy(&attribute, attributes + at, sizeof(attribute));
		if (attribute.rta_len < sizeof(attribute) || attribute.rta_len > len - at)
			return -EBADMSG;
		if (attribute.rta_type == UNIX_DIAG_PEER && attribute.rta_len == RTA_LENGTH(sizeof(inode))) {
			memcpy(&inode, attributes + at + RTA_LENGTH(0), sizeof(inode));
			*ret_inode = inode;
			return 0;
		}
	}
	return -ENOENT;
}

static int parse_answer(const char *answer, size_t len, ino_t *ret_inode)
{
	const size_t fixed = NLMSG_LENGTH(sizeof(struct unix_diag_msg));
	struct nlmsghdr header;
	struct nlmsgerr failure;

	if (len < NLMSG_HDRLEN)
		return -EBADMSG;
	memcpy(&header, answer, sizeof(header));
	if (header.nlmsg_len > len)
		return -EBADMSG;
	if (header.nlmsg_type == NLMSG_ERROR && header.nlmsg_len >= NLMSG_LENGTH(sizeof(failure))) {
		memcpy(&failure, answer + NLMSG_HDRLEN, sizeof(failure));
		return failure.error < 0 ? failure.error : -EBADMSG;
	}
	if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY || header.nlmsg_len < fixed)
		return -EBADMSG;
	return find_peer(answer + fixed, header.nlmsg_len - fixed, ret_inode);
}

static int ask(int diag_fd, uint32_t inode, ino_t *ret_inode)
{
	char answer[ANSWER_BYTES];
	int r = send_request(diag_fd, inode);
	ssize_t len;

	if (r < 0)
		return r;
	len = recv(diag_fd, answer, sizeof(answer), MSG_DONTWAIT);
	return len < 0 ? -errno : parse_answer(answer, (size_t)len, ret_inode);
}

int scd__sock_diag_peer(int fd, ino_t *ret_inode)
{
	struct stat status;
	int diag_fd, r;

	if (fstat(fd, &status) < 0)
		return -errno;
	diag_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	if (diag_fd < 0)
		return -errno;
	r = ask(diag_fd, (uint32_t)status.st_ino, ret_inode);
	close(diag_fd);
	return r;
}
