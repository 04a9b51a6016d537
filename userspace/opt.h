/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings that can be changed at run time: one table that the configuration
 * parser, the command line, the netlink encoder and decoder, "adjust" and
 * "dump" all read.  A new setting is one line in opt.c.
 */
#ifndef BLKREPL_OPT_H
#define BLKREPL_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct names;

enum opt_id {
	OPT_ACK_POLICY,
	OPT_QUORUM,
	OPT_FENCING,
	OPT_ON_NO_DATA,
	OPT_ON_BACKLOG,
	OPT_BACKLOG_MAX,
	OPT_BACKLOG_TIME,
	OPT_MIN_IN_SYNC,
	OPT_ON_NO_QUORUM,
	OPT_AFTER_SPLIT_BRAIN,
	OPT_AUTO_PROMOTE,
	OPT_ON_IO_ERROR,
	OPT_AL_EXTENTS,
	OPT_DISK_FLUSHES,
	OPT_SIZE,
	OPT_TIMEOUT,
	OPT_PING_INT,
	OPT_CONNECT_INT,
	OPT_DATA_CRC,
	OPT_SNDBUF,
	OPT_RCVBUF,
	OPT_MAX_BUFFERS,
	OPT_ASYNC,
	OPT_RESYNC_RATE_MAX,
	OPT_RESYNC_RATE_MIN,
	OPT_COUNT
};

/* The object that a setting belongs to, and so the netlink nest it is in. */
enum opt_group {
	GROUP_RES	= 1,
	GROUP_VOL	= 2,
	GROUP_PEER	= 4,
};

/* The section of a configuration file that a setting is written in. */
enum opt_section {
	SECT_OPTIONS,
	SECT_NET,
	SECT_DISK,
	SECT_NONE,	/* an argument of a verb only */
};

enum opt_type {
	TYPE_ENUM,
	TYPE_BOOL,
	TYPE_COUNT,
	TYPE_TIME,	/* in ms; a unit is required: "6s", "500ms", "2min" */
	TYPE_SIZE,	/* in bytes; a unit is required: "64K", "1G" */
	TYPE_RATE,	/* in bytes/s; a unit is required: "100M" */
};

struct opt_def {
	const char *name;
	enum opt_section section;
	enum opt_group group;
	enum opt_type type;
	bool wide;		/* u64 in netlink, else u32 */
	uint16_t attr;		/* in the group's nest */
	const struct names *names;
	uint64_t min, max;	/* 0 is always allowed where zero_ok */
	bool zero_ok;
	uint64_t def;
	const char *help;
};

extern const struct opt_def opt_defs[OPT_COUNT];

/* Values by enum opt_id; bit n of @set: val[n] was given. */
struct opt_set {
	uint32_t set;
	uint64_t val[OPT_COUNT];
};

static inline bool opt_is_set(const struct opt_set *s, enum opt_id id)
{
	return s->set & (1U << id);
}

static inline void opt_put(struct opt_set *s, enum opt_id id, uint64_t val)
{
	s->set |= 1U << id;
	s->val[id] = val;
}

/* The value, or the default, which may depend on other values. */
uint64_t opt_get(const struct opt_set *s, enum opt_id id);

/* What @over sets replaces what is in @s. */
void opt_merge(struct opt_set *s, const struct opt_set *over);

/* Return: OPT_COUNT if there is none of that name. */
enum opt_id opt_find(const char *name);

/**
 * opt_parse - read a value
 * @id: the setting
 * @word: the value as typed
 * @val: the result
 * @why: what is wrong and what is expected, in words
 * @size: size of @why
 */
bool opt_parse(enum opt_id id, const char *word, uint64_t *val,
	       char *why, size_t size);

/* The inverse of opt_parse(). */
void opt_format(enum opt_id id, uint64_t val, char *buf, size_t size);

/* The values that opt_parse() accepts, for help: "sync|async|quorum". */
void opt_values(enum opt_id id, char *buf, size_t size);

/* Return false, with the reason in @why, if settings contradict each other. */
bool opt_check(const struct opt_set *s, char *why, size_t size);

const char *section_name(enum opt_section s);

#endif
