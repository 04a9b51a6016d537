// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of settings, and how their values are read and written.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "names.h"
#include "opt.h"
#include "uapi/blkrepl.h"
#include "util.h"

#define KIB	(UINT64_C(1) << 10)
#define MIB	(UINT64_C(1) << 20)
#define GIB	(UINT64_C(1) << 30)
#define TIB	(UINT64_C(1) << 40)
#define PIB	(UINT64_C(1) << 50)

const struct opt_def opt_defs[OPT_COUNT] = {
	[OPT_ACK_POLICY] = {
		"ack-policy", SECT_OPTIONS, GROUP_RES, TYPE_ENUM, false,
		BLKREPL_RC_ACK_POLICY, &names_ack_policy,
		.def = BLKREPL_ACK_SYNC,
		.help = "when a write is complete: every replica in step has it, the local disk has it, a majority has it",
	},
	[OPT_QUORUM] = {
		"quorum", SECT_OPTIONS, GROUP_RES, TYPE_ENUM, false,
		BLKREPL_RC_QUORUM, &names_quorum,
		.def = BLKREPL_QUORUM_OFF,
		.help = "who may be Primary: whom you say, or whom a majority of the nodes elects; ack-policy quorum implies it",
	},
	[OPT_FENCING] = {
		"fencing", SECT_OPTIONS, GROUP_RES, TYPE_ENUM, false,
		BLKREPL_RC_FENCING, &names_fencing,
		.def = BLKREPL_FENCING_OFF,
		.help = "without votes: go on without a lost peer, or wait until it is back or was fenced; the same on all nodes",
	},
	[OPT_ON_NO_DATA] = {
		"on-no-data", SECT_OPTIONS, GROUP_RES, TYPE_ENUM, false,
		BLKREPL_RC_ON_NO_DATA, &names_on_no_data,
		.def = BLKREPL_NO_DATA_SUSPEND,
		.help = "what I/O meets while no good replica is reachable",
	},
	[OPT_ON_BACKLOG] = {
		"on-backlog", SECT_OPTIONS, GROUP_RES, TYPE_ENUM, false,
		BLKREPL_RC_ON_BACKLOG, &names_on_backlog,
		.def = BLKREPL_BACKLOG_BEHIND,
		.help = "a peer that lacks too much: it resyncs later, or writes wait for it",
	},
	[OPT_BACKLOG_MAX] = {
		"backlog-max", SECT_OPTIONS, GROUP_RES, TYPE_SIZE, true,
		BLKREPL_RC_BACKLOG_MAX, NULL, 64 * KIB, GIB, .def = 32 * MIB,
		.help = "data that a peer may lack of what is complete without it",
	},
	[OPT_BACKLOG_TIME] = {
		"backlog-time", SECT_OPTIONS, GROUP_RES, TYPE_TIME, false,
		BLKREPL_RC_BACKLOG_TIME, NULL, 1, 3600000, true, .def = 0,
		.help = "time for which it may lack a complete write; 0: no limit",
	},
	[OPT_MIN_IN_SYNC] = {
		"min-in-sync", SECT_OPTIONS, GROUP_RES, TYPE_COUNT, false,
		BLKREPL_RC_MIN_IN_SYNC, NULL, 1, 32, true, .def = 0,
		.help = "replicas in step, our own included, without which I/O is suspended",
	},
	[OPT_ON_NO_QUORUM] = {
		"on-no-quorum", SECT_OPTIONS, GROUP_RES, TYPE_ENUM, false,
		BLKREPL_RC_ON_NO_QUORUM, &names_on_no_quorum,
		.def = BLKREPL_NO_QUORUM_SUSPEND,
		.help = "what I/O meets while too few are in step: it waits, or it fails after timeout",
	},
	[OPT_AFTER_SPLIT_BRAIN] = {
		"after-split-brain", SECT_OPTIONS, GROUP_RES, TYPE_ENUM, false,
		BLKREPL_RC_AFTER_SPLIT_BRAIN, &names_after_split_brain,
		.def = BLKREPL_SPLIT_ASK,
		.help = "who gives up its data once it has diverged; the same on all nodes",
	},
	[OPT_AUTO_PROMOTE] = {
		"auto-promote", SECT_OPTIONS, GROUP_RES, TYPE_BOOL, false,
		BLKREPL_RC_AUTO_PROMOTE, NULL, .def = 0,
		.help = "take the place of a Primary that is gone; needs quorum majority",
	},
	[OPT_ON_IO_ERROR] = {
		"on-io-error", SECT_DISK, GROUP_VOL, TYPE_ENUM, false,
		BLKREPL_VC_ON_IO_ERROR, &names_on_io_error,
		.def = BLKREPL_IO_ERROR_DETACH,
		.help = "when the backing disk fails: carry on from a peer's, or report the error",
	},
	[OPT_AL_EXTENTS] = {
		"al-extents", SECT_DISK, GROUP_VOL, TYPE_COUNT, false,
		BLKREPL_VC_AL_EXTENTS, NULL, 7, 1000, .def = 1000,
		.help = "hot extents in the activity log: fewer resync less after a crash, more write metadata less often",
	},
	[OPT_DISK_FLUSHES] = {
		"disk-flushes", SECT_DISK, GROUP_VOL, TYPE_BOOL, false,
		BLKREPL_VC_DISK_FLUSHES, NULL, .def = 1,
		.help = "send FLUSH to the backing disk; no only with a battery-backed cache",
	},
	[OPT_SIZE] = {
		"size", SECT_NONE, GROUP_VOL, TYPE_SIZE, true,
		BLKREPL_VC_SIZE, NULL, MIB, 8 * PIB, true, .def = 0,
		.help = "of the volume; 0: all that every disk can hold",
	},
	[OPT_TIMEOUT] = {
		"timeout", SECT_NET, GROUP_PEER, TYPE_TIME, false,
		BLKREPL_PC_TIMEOUT, NULL, 500, 60000, .def = 6000,
		.help = "a peer that acknowledges nothing for so long is taken for dead",
	},
	[OPT_PING_INT] = {
		"ping-int", SECT_NET, GROUP_PEER, TYPE_TIME, false,
		BLKREPL_PC_PING_INT, NULL, 100, 120000, .def = 1000,
		.help = "time between heartbeats",
	},
	[OPT_CONNECT_INT] = {
		"connect-int", SECT_NET, GROUP_PEER, TYPE_TIME, false,
		BLKREPL_PC_CONNECT_INT, NULL, 100, 120000, .def = 1000,
		.help = "time between attempts to connect",
	},
	[OPT_DATA_CRC] = {
		"data-crc", SECT_NET, GROUP_PEER, TYPE_BOOL, false,
		BLKREPL_PC_DATA_CRC, NULL, .def = 1,
		.help = "checksum of the data in every packet",
	},
	[OPT_SNDBUF] = {
		"sndbuf-size", SECT_NET, GROUP_PEER, TYPE_SIZE, false,
		BLKREPL_PC_SNDBUF, NULL, 4 * KIB, GIB, true, .def = 0,
		.help = "send buffer of the sockets; 0: the system decides",
	},
	[OPT_RCVBUF] = {
		"rcvbuf-size", SECT_NET, GROUP_PEER, TYPE_SIZE, false,
		BLKREPL_PC_RCVBUF, NULL, 4 * KIB, GIB, true, .def = 0,
		.help = "receive buffer of the sockets; 0: the system decides",
	},
	[OPT_MAX_BUFFERS] = {
		"max-buffers", SECT_NET, GROUP_PEER, TYPE_COUNT, false,
		BLKREPL_PC_MAX_BUFFERS, NULL, 32, 131072, .def = 8192,
		.help = "4 KiB pages that may hold data received from this peer",
	},
	[OPT_ASYNC] = {
		"async", SECT_NET, GROUP_PEER, TYPE_BOOL, false,
		BLKREPL_PC_ASYNC, NULL, .def = 0,
		.help = "never wait for this peer (a distant site)",
	},
	[OPT_RESYNC_RATE_MAX] = {
		"resync-rate-max", SECT_DISK, GROUP_PEER, TYPE_RATE, true,
		BLKREPL_PC_RESYNC_RATE_MAX, NULL, 4 * KIB, TIB, true, .def = 0,
		.help = "resync never takes more per second; 0: no limit",
	},
	[OPT_RESYNC_RATE_MIN] = {
		"resync-rate-min", SECT_DISK, GROUP_PEER, TYPE_RATE, true,
		BLKREPL_PC_RESYNC_RATE_MIN, NULL, 4 * KIB, TIB, true, .def = MIB,
		.help = "resync keeps so much per second even when applications write",
	},
};

_Static_assert(OPT_COUNT <= 32, "struct opt_set has 32 bits");

const char *section_name(enum opt_section s)
{
	static const char * const name[] = {
		[SECT_OPTIONS] = "options",
		[SECT_NET] = "net",
		[SECT_DISK] = "disk",
	};

	return name[s];
}

uint64_t opt_get(const struct opt_set *s, enum opt_id id)
{
	if (opt_is_set(s, id))
		return s->val[id];
	/* A majority that acknowledges elects, too. */
	if (id == OPT_QUORUM && opt_get(s, OPT_ACK_POLICY) == BLKREPL_ACK_QUORUM)
		return BLKREPL_QUORUM_MAJORITY;
	return opt_defs[id].def;
}

void opt_merge(struct opt_set *s, const struct opt_set *over)
{
	unsigned int i;

	for (i = 0; i < OPT_COUNT; i++)
		if (opt_is_set(over, i))
			opt_put(s, i, over->val[i]);
}

enum opt_id opt_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < OPT_COUNT; i++)
		if (!strcmp(name, opt_defs[i].name))
			break;
	return i;
}

struct unit {
	const char *word;
	uint64_t factor;
};

/* Largest first: opt_format() takes the first that divides evenly. */
static const struct unit time_units[] = {
	{ "min", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 }
};

static const struct unit size_units[] = {
	{ "T", TIB }, { "G", GIB }, { "M", MIB }, { "K", KIB }, { "B", 1 },
	{ NULL, 0 }
};

static const struct unit no_units[] = { { "", 1 }, { NULL, 0 } };

static const struct unit *units_of(const struct opt_def *d)
{
	switch (d->type) {
	case TYPE_TIME:
		return time_units;
	case TYPE_SIZE:
	case TYPE_RATE:
		return size_units;
	default:
		return no_units;
	}
}

static const char *expected_unit(const struct opt_def *d)
{
	return d->type == TYPE_TIME ? "ms, s or min" : "B, K, M, G or T";
}

/* DRBD's units differ from word to word (tenths of seconds, KiB): insist. */
static bool parse_number(const struct opt_def *d, const char *word,
			 uint64_t *val, char *why, size_t size)
{
	const struct unit *u = units_of(d);
	size_t digits = strspn(word, "0123456789");
	char *number;
	bool ok;

	number = xstrndup(word, digits);
	ok = parse_u64(number, val);
	free(number);
	if (!ok) {
		snprintf(why, size, "\"%s\" is not a number", word);
		return false;
	}
	if (!*val && !word[digits])
		return true;
	for (; u->word; u++)
		if (!strcasecmp(u->word, word + digits))
			break;
	if (!u->word && d->type != TYPE_COUNT) {
		if (word[digits])
			snprintf(why, size, "unit \"%s\" is not known, expected %s",
				 word + digits, expected_unit(d));
		else
			snprintf(why, size, "\"%s\" lacks its unit, expected %s",
				 word, expected_unit(d));
		return false;
	}
	if (!u->word) {
		snprintf(why, size, "\"%s\" is not a number", word);
		return false;
	}
	if (__builtin_mul_overflow(*val, u->factor, val)) {
		snprintf(why, size, "\"%s\" is too large", word);
		return false;
	}
	return true;
}

static bool parse_ranged(enum opt_id id, const char *word, uint64_t *val,
			 char *why, size_t size)
{
	const struct opt_def *d = &opt_defs[id];
	char min[32], max[32];

	if (!parse_number(d, word, val, why, size))
		return false;
	if ((d->zero_ok && !*val) || (*val >= d->min && *val <= d->max))
		return true;
	opt_format(id, d->min, min, sizeof(min));
	opt_format(id, d->max, max, sizeof(max));
	snprintf(why, size, "%s is out of range, expected %s%s to %s", word,
		 d->zero_ok ? "0 or " : "", min, max);
	return false;
}

static bool parse_enum(const struct names *n, const char *word, uint64_t *val,
		       char *why, size_t size)
{
	const char *hint = suggest(word, name_next, n);
	uint32_t v, len, i;

	if (name_lookup(n, word, &v)) {
		*val = v;
		return true;
	}
	if (hint) {
		snprintf(why, size, "\"%s\" is not known, did you mean \"%s\"?",
			 word, hint);
		return false;
	}
	len = snprintf(why, size, "\"%s\" is not known, expected ", word);
	for (i = 0; i < n->count && len < size; i++)
		len += snprintf(why + len, size - len, "%s%s", n->word[i],
				i + 2 < n->count ? ", " :
				i + 1 < n->count ? " or " : "");
	return false;
}

bool opt_parse(enum opt_id id, const char *word, uint64_t *val,
	       char *why, size_t size)
{
	const struct opt_def *d = &opt_defs[id];

	switch (d->type) {
	case TYPE_ENUM:
		return parse_enum(d->names, word, val, why, size);
	case TYPE_BOOL:
		*val = !strcmp(word, "yes");
		if (*val || !strcmp(word, "no"))
			return true;
		snprintf(why, size, "\"%s\" is neither yes nor no", word);
		return false;
	default:
		return parse_ranged(id, word, val, why, size);
	}
}

void opt_format(enum opt_id id, uint64_t val, char *buf, size_t size)
{
	const struct opt_def *d = &opt_defs[id];
	const struct unit *u = units_of(d);

	if (d->type == TYPE_ENUM) {
		str_copy(buf, name_of(d->names, val), size);
		return;
	}
	if (d->type == TYPE_BOOL) {
		str_copy(buf, val ? "yes" : "no", size);
		return;
	}
	if (!val) {
		str_copy(buf, "0", size);
		return;
	}
	while (val % u->factor)
		u++;
	snprintf(buf, size, "%" PRIu64 "%s", val / u->factor, u->word);
}

void opt_values(enum opt_id id, char *buf, size_t size)
{
	const struct opt_def *d = &opt_defs[id];
	char min[32], max[32];
	size_t len = 0;
	uint32_t i;

	switch (d->type) {
	case TYPE_ENUM:
		for (i = 0; i < d->names->count && len < size; i++)
			len += snprintf(buf + len, size - len, "%s%s",
					i ? "|" : "", d->names->word[i]);
		break;
	case TYPE_BOOL:
		str_copy(buf, "yes|no", size);
		break;
	default:
		opt_format(id, d->min, min, sizeof(min));
		opt_format(id, d->max, max, sizeof(max));
		snprintf(buf, size, "%s%s..%s", d->zero_ok ? "0|" : "", min, max);
	}
}

bool opt_check(const struct opt_set *s, char *why, size_t size)
{
	uint64_t max = opt_get(s, OPT_RESYNC_RATE_MAX);

	bool votes = opt_get(s, OPT_QUORUM) == BLKREPL_QUORUM_MAJORITY;

	if (opt_get(s, OPT_ACK_POLICY) == BLKREPL_ACK_QUORUM && !votes) {
		snprintf(why, size, "\"quorum off\" contradicts \"ack-policy quorum\", which elects primaries: choose sync or async with it");
		return false;
	}
	if (opt_get(s, OPT_AUTO_PROMOTE) && !votes) {
		snprintf(why, size, "auto-promote needs \"quorum majority\" (or \"ack-policy quorum\"): nobody promotes itself without the votes of a majority");
		return false;
	}
	if (opt_get(s, OPT_FENCING) == BLKREPL_FENCING_WAIT && votes) {
		snprintf(why, size, "\"fencing wait\" is for \"quorum off\" and \"ack-policy sync\" or \"async\": where primaries are elected nobody has to be fenced");
		return false;
	}
	if (2 * opt_get(s, OPT_PING_INT) > opt_get(s, OPT_TIMEOUT)) {
		snprintf(why, size,
			 "ping-int (%" PRIu64 "ms) must be at most half of timeout (%" PRIu64 "ms), or one lost heartbeat looks like a dead peer",
			 opt_get(s, OPT_PING_INT), opt_get(s, OPT_TIMEOUT));
		return false;
	}
	if (max && max < opt_get(s, OPT_RESYNC_RATE_MIN)) {
		snprintf(why, size, "resync-rate-max is lower than resync-rate-min");
		return false;
	}
	return true;
}
