/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A backing device and the device of its metadata, opened.
 */
#ifndef BLKREPL_MDDEV_H
#define BLKREPL_MDDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct md_dev {
	const char *path;
	int fd;
	uint64_t bytes;
	uint32_t lbs;		/* logical block size */
};

/* With internal metadata both are the same; a witness has no data. */
struct md_pair {
	struct md_dev data, meta;
	uint64_t data_bytes;
	bool external;
};

/**
 * md_open - open the devices of a volume
 * @p: filled in
 * @what: the object, for messages
 * @disk: the backing device
 * @meta_disk: device of the metadata; NULL: internal
 * @write: for writing, and nobody else may use them
 *
 * Return: false after an error message.
 */
bool md_open(struct md_pair *p, const char *what, const char *disk,
	     const char *meta_disk, bool write);
void md_close(struct md_pair *p);

/* errno is set on failure. */
bool md_read(const struct md_dev *dev, void *buf, size_t len, uint64_t at);
bool md_write(const struct md_dev *dev, const void *buf, size_t len, uint64_t at);
bool md_sync(const struct md_dev *dev);

#endif
