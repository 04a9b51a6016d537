/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Metadata on disks: making, reading and moving it.  What is where, and what is valid,
 * is decided by the core's metadata code alone.
 */
#ifndef BLKREPL_MDTOOL_H
#define BLKREPL_MDTOOL_H

#include <stdbool.h>
#include <stdint.h>

#define MD_NODE_UNKNOWN	0xff

/**
 * struct md_job - a disk and what is to be done with it
 * @what: the object, for messages: "resource r0: volume 0"
 * @disk: the backing device; of a witness that of its metadata
 * @meta_disk: device of the metadata; NULL: internal
 * @witness: there is no data, see META_F_WITNESS
 * @node: own node id, or MD_NODE_UNKNOWN
 * @volume: volume number
 * @max_peers: peers to make room for
 * @force: overwrite what is there
 */
struct md_job {
	const char *what;
	const char *disk;
	const char *meta_disk;
	bool witness;
	unsigned int node;
	unsigned int volume;
	unsigned int max_peers;
	bool force;
};

struct md_dev;
struct md_pair;
struct out;

/*
 * All return an exit code.  md_create() writes nothing unless all of it can
 * be done; without @force it asks on a terminal before it overwrites anything.
 * md_grow() moves internal metadata to the end of a disk that has grown.
 */
int md_create(const struct md_job *job);
int md_show(const struct md_job *job, struct out *o);
int md_grow(const struct md_job *job);

/* False after an error message; md_close() ends it. */
bool md_open_job(const struct md_job *job, struct md_pair *p, bool write);

/* Both superblock copies, to be freed; NULL, with an error said, if unreadable. */
char *md_need_sb(const struct md_job *job, const struct md_dev *dev);

#endif
