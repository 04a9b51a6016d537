// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening, reading and writing the devices that hold metadata.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mddev.h"
#include "util.h"

static bool measure(struct md_dev *dev)
{
	struct stat st;
	int lbs = 512;

	if (fstat(dev->fd, &st))
		return false;
	if (S_ISREG(st.st_mode)) {
		dev->bytes = st.st_size;
	} else if (!S_ISBLK(st.st_mode)) {
		errno = ENOTBLK;
		return false;
	} else if (ioctl(dev->fd, BLKGETSIZE64, &dev->bytes) ||
		   ioctl(dev->fd, BLKSSZGET, &lbs)) {
		return false;
	}
	dev->lbs = lbs;
	return true;
}

/* Opening a read-only device for writing succeeds; the writes would not. */
static bool writable(int fd)
{
	int read_only = 0;

	if (ioctl(fd, BLKROGET, &read_only) || !read_only)
		return true;
	errno = EROFS;
	return false;
}

static bool open_one(struct md_dev *dev, const char *what, const char *path, bool write)
{
	/* O_EXCL: refused while mounted, attached or part of another device */
	int flags = write ? O_RDWR | O_EXCL : O_RDONLY;

	dev->path = path;
	dev->fd = open(path, flags | O_CLOEXEC);
	if (dev->fd >= 0 && measure(dev) && (!write || writable(dev->fd)))
		return true;
	if (errno == EBUSY)
		err("%s: %s is in use: mounted, attached, or part of another device",
		    what, path);
	else if (errno == ENOTBLK || errno == EISDIR)
		err("%s: %s is no block device: name a disk, a partition or a logical volume, like /dev/vg0/data",
		    what, path);
	else if (errno == EROFS)
		err("%s: %s is read-only: see blockdev --setrw", what, path);
	else
		err("%s: %s: %s", what, path, strerror(errno));
	if (dev->fd >= 0)
		close(dev->fd);
	return false;
}

/* By whatever path: metadata would go over the end of the data. */
static bool same_device(const struct md_dev *data, const char *meta_disk)
{
	struct stat a, b;

	if (fstat(data->fd, &a) || stat(meta_disk, &b))
		return false;
	if (S_ISBLK(a.st_mode) && S_ISBLK(b.st_mode))
		return a.st_rdev == b.st_rdev;
	return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool md_open(struct md_pair *p, const char *what, const char *disk,
	     const char *meta_disk, bool write)
{
	memset(p, 0, sizeof(*p));
	p->external = meta_disk;
	/* nothing is written to the data disk of external metadata, but its user
	 * must not be somebody else either
	 */
	if (!open_one(&p->data, what, disk, write))
		return false;
	p->meta = p->data;
	p->data_bytes = p->data.bytes;
	if (meta_disk && same_device(&p->data, meta_disk))
		err("%s: meta-disk %s is the disk itself: leave it out for internal metadata, or name another device",
		    what, meta_disk);
	else if (!meta_disk || open_one(&p->meta, what, meta_disk, write))
		return true;
	close(p->data.fd);
	return false;
}

void md_close(struct md_pair *p)
{
	close(p->data.fd);
	if (p->meta.fd != p->data.fd)
		close(p->meta.fd);
}

bool md_read(const struct md_dev *dev, void *buf, size_t len, uint64_t at)
{
	char *p = buf;

	/* the kernel module writes past the page cache: do not read old pages */
	posix_fadvise(dev->fd, at, len, POSIX_FADV_DONTNEED);
	while (len) {
		ssize_t n = pread(dev->fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : EIO;
			return false;
		}
		p += n;
		at += n;
		len -= n;
	}
	return true;
}

bool md_write(const struct md_dev *dev, const void *buf, size_t len, uint64_t at)
{
	const char *p = buf;

	while (len) {
		ssize_t n = pwrite(dev->fd, p, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : ENOSPC;
			return false;
		}
		p += n;
		at += n;
		len -= n;
	}
	return true;
}

bool md_sync(const struct md_dev *dev)
{
	return !fsync(dev->fd);
}
