// SPDX-License-Identifier: GPL-2.0-only
/*
 * first-write DEVICE...: wait until one of the devices takes a write.
 *
 * Each is tried again and again, by a process of its own, as a service does that
 * waits for its disk.  Prints the time at which the first write was acknowledged
 * (CLOCK_REALTIME, nanoseconds) and the device.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK		4096
#define PAUSE_US	1000

static int try_write(const char *path, void *block)
{
	int fd = open(path, O_WRONLY | O_DIRECT);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = pwrite(fd, block, BLOCK, 0);
	close(fd);
	return n == BLOCK;
}

static void attempt(const char *path)
{
	struct timespec t;
	void *block;

	if (posix_memalign(&block, BLOCK, BLOCK))
		errx(1, "out of memory");
	while (!try_write(path, block))
		usleep(PAUSE_US);
	clock_gettime(CLOCK_REALTIME, &t);
	printf("%llu %s\n", t.tv_sec * 1000000000ULL + t.tv_nsec, path);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	int i, status;
	pid_t pid;

	if (argc < 2)
		errx(1, "usage: first-write DEVICE...");
	/* Those that are still waiting go when the first is through. */
	setpgid(0, 0);
	for (i = 1; i < argc; i++) {
		pid = fork();
		if (pid < 0)
			err(1, "fork");
		if (!pid)
			attempt(argv[i]);
	}
	if (wait(&status) < 0)
		err(1, "wait");
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}
