// SPDX-License-Identifier: GPL-2.0
/*
 * The trace: the last lines before a violation, and names for what they show.
 */
#include <setjmp.h>

#include "sim.h"

#define LINES	400
#define WIDTH	220

bool trace_on;
char violation_checker[64];
char violation_text[1024];
extern jmp_buf violation_jump;

static char ring[LINES][WIDTH];
static u32 at;
static FILE *live_out;

u64 cov[C_COUNT];
const char *const cov_name[C_COUNT] = {
	"writes", "reads", "flushes", "crashes", "promotions", "connections",
	"resets", "resync writes", "resync equal", "syncs done",
	"members packets", "divergences", "disk errors", "metadata writes",
	"torn metadata", "total losses", "forced", "quiet checks", "settled",
	"refused votes", "remote reads", "no memory", "set back",
	"disks replaced", "deposed", "resized", "own promotions",
	"roles moved", "victims", "suspended", "direct reads", "no end direct", "lags",
	"fenced",
	"edits", "refused edits",
	"far promoted", "async changed",
};

void trace_reset(bool on, FILE *live)
{
	trace_on = on;
	live_out = live;
	at = 0;
	memset(ring, 0, sizeof(ring));
}

void trace_line(const char *fmt, ...)
{
	char *l = ring[at++ % LINES];
	va_list ap;
	int n;

	n = snprintf(l, WIDTH, "%9.3f ", (double)W.now / 1000.0);
	va_start(ap, fmt);
	vsnprintf(l + n, WIDTH - (size_t)n, fmt, ap);
	va_end(ap);
	if (live_out)
		fprintf(live_out, "%s\n", l);
}

void trace_dump(FILE *f)
{
	u32 n = min(at, 200u);

	if (live_out)
		return;
	for (u32 i = at - n; i != at; i++)
		fprintf(f, "%s\n", ring[i % LINES]);
}

void violation(const char *checker, const char *fmt, ...)
{
	va_list ap;

	snprintf(violation_checker, sizeof(violation_checker), "%s", checker);
	va_start(ap, fmt);
	vsnprintf(violation_text, sizeof(violation_text), fmt, ap);
	va_end(ap);
	longjmp(violation_jump, 1);
}

#define NAME(fn, table, unknown) \
	const char *fn(u32 i) \
	{ \
		return i < ARRAY_SIZE(table) && table[i] ? table[i] : unknown; \
	}

static const char *const disks[] = {
	"Unknown", "Diskless", "Attaching", "Failed", "Witness", "Inconsistent",
	"Outdated", "Consistent", "UpToDate",
};
NAME(disk_name, disks, "?")

static const char *const states[] = {
	"Off", "Established", "SyncSource", "SyncTarget", "VerifySource",
	"VerifyTarget", "PausedSource", "PausedTarget", "Behind",
};
NAME(rs_name, states, "?")

static const char *const kinds[] = {
	"app", "peer-write", "peer-flush", "peer-read", "rs-read", "rs-req",
	"rs-write", "rs-flush", "read-data",
};
NAME(kind_name, kinds, "?")

static const char *const ops[] = {
	"read", "write", "discard", "zeroes", "flush",
};
NAME(op_name, ops, "?")

static const char *const pkts[] = {
	"NONE", "RES_STATE", "VOL_STATE", "WRITE", "DISCARD", "ZEROES",
	"FLUSH", "ACK", "NACK", "READ", "READ_DATA", "READ_ERROR", "MEMBERS",
	"MEMBERS_ACK", "VOTE_REQ", "VOTE", "SYNC_BEGIN",
	"SYNC_READY", "SYNC_START", "SYNC_ACCEPT",
	"SYNC_REFUSE", "MAP", "MAP_ACK", "RS_REQ", "RS_DATA", "RS_EQUAL",
	"RS_ZEROES", "RS_ERROR", "RS_CLEAR", "SYNC_DONE", "SYNC_STOP",
	"INVALIDATE", "NEW_DATASET", "PING", "PONG", "STEP_DOWN", "STAYS",
	"HOT",
};
static_assert(ARRAY_SIZE(pkts) == PKT_TYPES, "packet names");

const char *pkt_name(u8 i)
{
	return i < ARRAY_SIZE(pkts) ? pkts[i] : "?";
}
