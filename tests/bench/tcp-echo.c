// SPDX-License-Identifier: GPL-2.0-only
/*
 * tcp-echo SIZE DEPTH COUNT: what TCP over the loopback device can do.
 *
 * One process sends messages of SIZE bytes, the other one answers each with 16
 * bytes; DEPTH messages are under way at a time.  Prints JSON: messages and
 * bytes a second, and how long one takes.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER	16

static void move_all(int fd, char *buf, size_t len, int out)
{
	ssize_t n;

	while (len) {
		n = out ? send(fd, buf, len, MSG_NOSIGNAL) : recv(fd, buf, len, MSG_WAITALL);
		if (n <= 0)
			err(1, out ? "send" : "recv");
		buf += n;
		len -= n;
	}
}

static void serve(int fd, char *buf, size_t size, unsigned long count)
{
	while (count--) {
		move_all(fd, buf, size, 0);
		move_all(fd, buf, ANSWER, 1);
	}
}

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void set_nodelay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	unsigned long depth, count, sent, got;
	socklen_t len = sizeof(addr);
	int listener, fd, status;
	uint64_t begin;
	double seconds;
	size_t size;
	char *buf;

	if (argc != 4)
		errx(2, "usage: tcp-echo SIZE DEPTH COUNT");
	size = strtoul(argv[1], NULL, 0);
	depth = strtoul(argv[2], NULL, 0);
	count = strtoul(argv[3], NULL, 0);
	buf = malloc(size > ANSWER ? size : ANSWER);
	if (!buf || !size || !depth || !count)
		errx(2, "bad size, depth or count");
	memset(buf, 0x5a, size);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (void *)&addr, len) || listen(listener, 1) ||
	    getsockname(listener, (void *)&addr, &len))
		err(1, "cannot listen");
	if (!fork()) {
		fd = accept(listener, NULL, NULL);
		if (fd < 0)
			err(1, "accept");
		set_nodelay(fd);
		serve(fd, buf, size, count);
		return 0;
	}
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, (void *)&addr, len))
		err(1, "cannot connect");
	set_nodelay(fd);

	begin = now();
	sent = 0;
	for (got = 0; got < count; got++) {
		for (; sent < count && sent < got + depth; sent++)
			move_all(fd, buf, size, 1);
		move_all(fd, buf, ANSWER, 0);
	}
	seconds = (now() - begin) / 1e9;
	if (wait(&status) < 0 || status)
		errx(1, "the other end failed");
	printf("{\"iops\": %.2f, \"bw\": %.0f, \"us\": %.3f}\n", count / seconds,
	       count * size / seconds, seconds * 1e6 * depth / count);
	return 0;
}
