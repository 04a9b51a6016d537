/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only header of the core that knows where the core is compiled: in the
 * kernel module, or in a program (simulator, unit tests, the tool).
 */
#ifndef REPL_PLATFORM_H
#define REPL_PLATFORM_H

#ifdef __KERNEL__

#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>

/* May sleep: used while a volume is attached or a resource is made only. */
static inline void *repl_zalloc(size_t size)
{
	return kvzalloc(size, GFP_KERNEL);
}

static inline void repl_free(void *p)
{
	kvfree(p);
}

#else

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int16_t s16;
typedef int64_t s64;
typedef u16 __le16;
typedef u32 __le32;
typedef u64 __le64;

#define noinline	__attribute__((__noinline__))

#define cpu_to_le16(x)	htole16(x)
#define cpu_to_le32(x)	htole32(x)
#define cpu_to_le64(x)	htole64(x)
#define le16_to_cpu(x)	le16toh(x)
#define le32_to_cpu(x)	le32toh(x)
#define le64_to_cpu(x)	le64toh(x)

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define DIV_ROUND_UP_ULL(n, d)	DIV_ROUND_UP((u64)(n), (u64)(d))
#define round_up(x, y)		((((x) - 1) | ((__typeof__(x))(y) - 1)) + 1)
#define round_down(x, y)	((x) & ~((__typeof__(x))(y) - 1))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define min_t(t, a, b)		((t)(a) < (t)(b) ? (t)(a) : (t)(b))
#define max_t(t, a, b)		((t)(a) > (t)(b) ? (t)(a) : (t)(b))
#define div_u64(a, b)		((a) / (b))
#define hweight32(x)		((unsigned int)__builtin_popcount(x))
#define fls64(x)		((x) ? 64 - __builtin_clzll(x) : 0)
#define hweight8(x)		((unsigned int)__builtin_popcount((u8)(x)))
#define BIT(n)			(1U << (n))
#define __printf(f, a)		__attribute__((__format__(printf, f, a)))
#define fallthrough		__attribute__((__fallthrough__))
#ifndef static_assert
#define static_assert		_Static_assert
#endif
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))

/* A rule of the core was broken: stop where the trace is fresh. */
#define WARN_ON_ONCE(cond) \
	({ bool __w = !!(cond); assert(!__w); __w; })

#include "list_user.h"

static inline void *repl_zalloc(size_t size)
{
	return calloc(1, size);
}

static inline void repl_free(void *p)
{
	free(p);
}

#endif /* __KERNEL__ */

/* crc32c as in iSCSI, seed ~0, final inversion; both shells supply it. */
u32 repl_crc32c(const void *data, size_t len);

/*
 * Mutation switches: test builds turn single safety rules off to prove that
 * a checker notices.  Compiled out everywhere else.
 */
#ifdef REPL_MUTATIONS
extern int repl_mutation;
#define MUTATED(m)	(repl_mutation == (m))
#else
#define MUTATED(m)	(false)
#endif

enum repl_mutations {
	MUT_NONE,
	MUT_CLEAR_BEFORE_FLUSH,		/* dirty bit cleared before stable media */
	MUT_SKIP_ACTLOG,		/* write before its extent is logged */
	MUT_ACK_BEFORE_PEER,		/* complete before the peer's write is done */
	MUT_LINEAGE_ORDER,		/* older and newer taken for each other */
	MUT_AL_EVICT_NO_FLUSH,		/* evict a hot extent without a flush */
	MUT_NO_TAIL,			/* survivors forget unconfirmed writes */
	MUT_SHRINK_NOT_DURABLE,		/* complete before the shrink is durable */
	MUT_GEN_NOT_BEGUN,		/* no new generation when the set shrinks */
	MUT_NO_SUPERSEDE,		/* resync data overwrites a newer write */
	MUT_RS_READ_NO_WAIT,		/* resync reads under a write in flight */
	MUT_FLUSH_NOT_FORWARDED,	/* FLUSH stays local */
	MUT_UNACKED_NOT_DIRTY,		/* writes a lost peer never acked are clean */
	MUT_ABSENT_NOT_DIRTY,		/* writes while a peer is away are clean */
	MUT_OVERLAP_ANY_ORDER,		/* overlapping writes run side by side */
	MUT_TARGET_STAYS_UPTODATE,	/* sync target not marked Inconsistent */
	MUT_CRASHED_IS_UPTODATE,	/* crashed replica promotable unreconciled */
	MUT_SB_ONE_COPY,		/* superblock copies do not alternate */
	MUT_AL_NO_CHECK,		/* torn activity log blocks are believed */
	MUT_MERGE_SKIPPED,		/* discarded branch may be reborn as newer */
	MUT_READ_IN_FLIGHT,		/* reads see writes not yet acknowledged */
	MUT_DIRECT_ALWAYS,		/* reads go to a good disk whatever stands against it */
	MUT_SINCE_IGNORED,		/* partial resync though the map is not complete */
	MUT_SHARED_NOT_NOTED,		/* a map is believed that lacks shared writes */
	MUT_TWO_PRIMARIES,		/* promotion does not ask the peers */
	MUT_DEP_IGNORED,		/* writes applied before what they depend on */
	MUT_QUORUM_IGNORED,		/* a minority acknowledges and promotes */
	MUT_POSITION_IGNORED,		/* a candidate's position does not matter */
	MUT_VOTE_NOT_DURABLE,		/* a vote is given before it is on the disk */
	MUT_TERM_IGNORED,		/* a voter still serves a primary that is over */
	MUT_LEASE_IGNORED,		/* a Primary reads though it may be deposed */
	MUT_DRIFT_IGNORED,		/* ... or votes for others may be given */
	MUT_BOUND_IGNORED,		/* a peer may lack any amount */
	MUT_SIZE_NOT_FOLLOWED,		/* the smaller of two equals does not grow */
	MUT_GROWTH_CLEAN,		/* what was added is taken for equal */
	MUT_GROWTH_FORGOTTEN,		/* ... after a crash */
	MUT_OPEN_IGNORED,		/* the role moves though a device is open */
	MUT_WITNESS_FORGETS,		/* a witness confirms a set and does not keep it */
	MUT_WITNESS_ACKS,		/* a witness counts as if it had data */
	MUT_WRONG_VICTIM,		/* after a split brain the other side gives up */
	MUT_PRIMARY_IS_VICTIM,		/* ... or a Primary may have to */
	MUT_VOTE_TWICE,			/* a voter votes for all who ask in a term */
	MUT_COPY_SKIPPED,		/* writes are done from the caller's pages */
	MUT_STEP_DOWN_EARLY,		/* a Primary gives up before its writes are everywhere */
	MUT_SUCCESSION_UNELECTED,	/* who stands by itself asks for no votes */
	MUT_ACKED_ERROR_PASSED,		/* a disk stays that lacks what was acknowledged */
	MUT_SYNC_UNKEPT,		/* sync: acknowledged under a set of a minority */
	MUT_UNVOTED_SET_COUNTS,		/* elections rely on sets made without votes */
	MUT_NEEDED_DROPPED,		/* one that lags is left out though too few remain */
	MUT_ALL_CONFIRM,		/* a set waits for those that it leaves out */
	MUT_LOG_FILLED,			/* one that lags may fill the activity log */
	MUT_SLOW_AWAITED,		/* ... and for members, however slow */
	MUT_FENCING_IGNORED,		/* a Primary goes on without a lost peer's fencing */
	MUT_OWN_POLICY_COUNTS,		/* elections rely on this node's own settings */
	MUT_EDITS_UNCHECKED,		/* nodes are added and removed whoever knows of it */
	MUT_ASYNC_ACKS,			/* who is not waited for counts for a majority */
	MUT_ASYNC_MEMBER,		/* ... and is in the set all the same */
	MUT_COUNT,
};

#endif /* REPL_PLATFORM_H */
