/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that stand for disks. */
#ifndef BLKREPL_TEST_DISK_H
#define BLKREPL_TEST_DISK_H

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "out.h"

static inline void make_disk(const char *path, off_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, size))
		exit(1);
	close(fd);
}

static inline void poke(const char *path, off_t at, const void *data, size_t len)
{
	int fd = open(path, O_RDWR);

	if (fd < 0 || pwrite(fd, data, len, at) != (ssize_t)len)
		exit(1);
	close(fd);
}

static inline char *slurp(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY);
	off_t size = lseek(fd, 0, SEEK_END);
	char *buf = xzalloc(size);

	if (pread(fd, buf, size, 0) != size)
		exit(1);
	close(fd);
	*len = size;
	return buf;
}

#endif
