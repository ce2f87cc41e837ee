/*
 * A program that looks like a miner to a watcher and mines nothing: the demo copies it to the name of a real one.
 *
 *    fake_miner -o stratum+tcp://127.0.0.1:3333 -u WALLET [-p PASSWORD]
 *
 * It does what a miner does first, once each: looks for config.json, looks at the processor's registers (a device
 * that no sandbox has), connects to its pool. Then it ends. It sends nothing, computes nothing, and connects to
 * loopback addresses only, whatever its arguments say. It includes no header of the project, so that it can be built
 * statically and alone.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* SCHEME://A.B.C.D:PORT with a loopback address; -1 for anything else. */
static int parse_pool(const char *url, struct sockaddr_in *ret_address)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	char host[INET_ADDRSTRLEN];
	unsigned port;

	const char *rest = strstr(url, "://");
	if (!rest || sscanf(rest + 3, "%15[0-9.]:%u", host, &port) != 2 || port == 0 || port > 65535)
		return -1;
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
	    (ntohl(address.sin_addr.s_addr) >> 24) != IN_LOOPBACKNET)
		return -1;
	address.sin_port = htons((uint16_t)port);
	*ret_address = address;
	return 0;
}

/* Opens for reading and closes; what a watcher sees is the attempt. */
static void look_at(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
}

static int connect_to(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	int result = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : -errno;
	close(fd);
	return result;
}

int main(int argc, char **argv)
{
	const char *url = NULL, *wallet = NULL;
	struct sockaddr_in pool;

	for (int option; (option = getopt(argc, argv, "o:u:p:")) != -1;) {
		if (option == 'o')
			url = optarg;
		else if (option == 'u')
			wallet = optarg;
		else if (option != 'p')
			return 2;
	}
	if (!url || !wallet || parse_pool(url, &pool) < 0) {
		fprintf(stderr, "usage: %s -o stratum+tcp://127.X.Y.Z:PORT -u WALLET [-p PASSWORD]\n", argv[0]);
		return 2;
	}

	look_at("config.json");
	look_at("/dev/cpu/0/msr");
	int result = connect_to(&pool);
	printf("pool %s: %s\n", url, result < 0 ? strerror(-result) : "connected");
	return 0;
}
