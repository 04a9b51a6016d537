// SPDX-License-Identifier: GPL-2.0-only
/*
 * Enums of the netlink interface and the words that admins know them by.
 */
#include <string.h>

#include "names.h"
#include "uapi/blkrepl.h"
#include "util.h"

const struct names names_role = {
	.what = "role",
	.count = 3,
	.word = {
		[BLKREPL_ROLE_UNKNOWN] = "Unknown",
		[BLKREPL_ROLE_SECONDARY] = "Secondary",
		[BLKREPL_ROLE_PRIMARY] = "Primary",
	},
};

const struct names names_disk = {
	.what = "disk state",
	.count = 9,
	.word = {
		[BLKREPL_DISK_UNKNOWN] = "Unknown",
		[BLKREPL_DISK_DISKLESS] = "Diskless",
		[BLKREPL_DISK_ATTACHING] = "Attaching",
		[BLKREPL_DISK_FAILED] = "Failed",
		[BLKREPL_DISK_WITNESS] = "Witness",
		[BLKREPL_DISK_INCONSISTENT] = "Inconsistent",
		[BLKREPL_DISK_OUTDATED] = "Outdated",
		[BLKREPL_DISK_CONSISTENT] = "Consistent",
		[BLKREPL_DISK_UPTODATE] = "UpToDate",
	},
};

const struct names names_conn = {
	.what = "connection state",
	.count = 4,
	.word = {
		[BLKREPL_CONN_STANDALONE] = "StandAlone",
		[BLKREPL_CONN_CONNECTING] = "Connecting",
		[BLKREPL_CONN_HANDSHAKE] = "Handshake",
		[BLKREPL_CONN_CONNECTED] = "Connected",
	},
};

const struct names names_repl = {
	.what = "replication state",
	.count = 9,
	.word = {
		[BLKREPL_REPL_OFF] = "Off",
		[BLKREPL_REPL_ESTABLISHED] = "Established",
		[BLKREPL_REPL_SYNC_SOURCE] = "SyncSource",
		[BLKREPL_REPL_SYNC_TARGET] = "SyncTarget",
		[BLKREPL_REPL_VERIFY_SOURCE] = "VerifySource",
		[BLKREPL_REPL_VERIFY_TARGET] = "VerifyTarget",
		[BLKREPL_REPL_PAUSED_SOURCE] = "PausedSource",
		[BLKREPL_REPL_PAUSED_TARGET] = "PausedTarget",
		[BLKREPL_REPL_BEHIND] = "Behind",
	},
};

const struct names names_ack_policy = {
	.what = "ack-policy",
	.count = 3,
	.word = {
		[BLKREPL_ACK_SYNC] = "sync",
		[BLKREPL_ACK_ASYNC] = "async",
		[BLKREPL_ACK_QUORUM] = "quorum",
	},
};

const struct names names_quorum = {
	.what = "quorum",
	.count = 2,
	.word = {
		[BLKREPL_QUORUM_OFF] = "off",
		[BLKREPL_QUORUM_MAJORITY] = "majority",
	},
};

const struct names names_on_io_error = {
	.what = "on-io-error",
	.count = 2,
	.word = {
		[BLKREPL_IO_ERROR_DETACH] = "detach",
		[BLKREPL_IO_ERROR_PASS_ON] = "pass-on",
	},
};

const struct names names_on_backlog = {
	.what = "on-backlog",
	.count = 2,
	.word = {
		[BLKREPL_BACKLOG_BEHIND] = "fall-behind",
		[BLKREPL_BACKLOG_HOLD] = "hold-writes",
	},
};

const struct names names_fencing = {
	.what = "fencing",
	.count = 2,
	.word = {
		[BLKREPL_FENCING_OFF] = "off",
		[BLKREPL_FENCING_WAIT] = "wait",
	},
};

const struct names names_fence_state = {
	.what = "fence state",
	.count = 3,
	.word = {
		[BLKREPL_FENCE_NONE] = "none",
		[BLKREPL_FENCE_WANTED] = "wanted",
		[BLKREPL_FENCE_DONE] = "done",
	},
};

const struct names names_on_no_data = {
	.what = "on-no-data",
	.count = 2,
	.word = {
		[BLKREPL_NO_DATA_SUSPEND] = "suspend-io",
		[BLKREPL_NO_DATA_IO_ERROR] = "io-error",
	},
};

const struct names names_on_no_quorum = {
	.what = "on-no-quorum",
	.count = 2,
	.word = {
		[BLKREPL_NO_QUORUM_SUSPEND] = "suspend-io",
		[BLKREPL_NO_QUORUM_IO_ERROR] = "io-error",
	},
};

const struct names names_after_split_brain = {
	.what = "after-split-brain",
	.count = 4,
	.word = {
		[BLKREPL_SPLIT_ASK] = "ask",
		[BLKREPL_SPLIT_UNCHANGED] = "discard-unchanged",
		[BLKREPL_SPLIT_YOUNGER] = "discard-younger-primary",
		[BLKREPL_SPLIT_SECONDARY] = "discard-secondary",
	},
};

const struct names names_stage = {
	.what = "stage",
	.count = 6,
	.word = {
		[BLKREPL_STAGE_WRITE] = "write",
		[BLKREPL_STAGE_WRITE_HELD] = "write-held",
		[BLKREPL_STAGE_WRITE_DISK] = "write-disk",
		[BLKREPL_STAGE_FLUSH] = "flush",
		[BLKREPL_STAGE_PEER_WRITE_DISK] = "peer-write-disk",
		[BLKREPL_STAGE_ACK] = "ack",
	},
};

const char *name_of(const struct names *n, uint32_t value)
{
	return value < n->count ? n->word[value] : "?";
}

bool name_lookup(const struct names *n, const char *word, uint32_t *value)
{
	uint32_t i;

	for (i = 0; i < n->count; i++) {
		if (!strcmp(word, n->word[i])) {
			*value = i;
			return true;
		}
	}
	return false;
}

const char *name_next(unsigned int i, const void *arg)
{
	const struct names *n = arg;

	return i < n->count ? n->word[i] : NULL;
}

/* By bit number of BLKREPL_SUSP_*. */
static const char * const reasons[] = {
	"a metadata write is under way",
	"waiting for peers to confirm a new generation",
	"no replica with good data is reachable",
	"no quorum: a majority of the nodes is not reachable",
	"a peer that is lost may be Primary (fencing wait)",
};

_Static_assert(BLKREPL_SUSP_FENCING == 1U << (ARRAY_SIZE(reasons) - 1),
	       "every BLKREPL_SUSP_ bit needs its reason in words");

const char *suspend_reason(unsigned int i)
{
	return i < ARRAY_SIZE(reasons) ? reasons[i] : NULL;
}

static const char * const attrs[__BLKREPL_A_MAX] = {
	[BLKREPL_A_RES] = "resource name",
	[BLKREPL_A_VOL] = "volume number",
	[BLKREPL_A_PEER] = "peer's node id",
	[BLKREPL_A_ROLE] = "role",
	[BLKREPL_A_FORCE] = "force",
	[BLKREPL_A_REMOTE] = "remote",
	[BLKREPL_A_DISCARD_MY_DATA] = "discard-my-data",
	[BLKREPL_A_RES_CFG] = "resource settings",
	[BLKREPL_A_VOL_CFG] = "volume settings",
	[BLKREPL_A_PEER_CFG] = "peer settings",
};

const char *attr_name(int type)
{
	if (type <= 0 || type >= __BLKREPL_A_MAX || !attrs[type])
		return "unknown attribute";
	return attrs[type];
}
