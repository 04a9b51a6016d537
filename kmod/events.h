/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a resource keeps of its changes until they are multicast (events.c).
 * The letters are explained in blkrepl.h.
 */
#ifndef BLKREPL_EVENTS_H
#define BLKREPL_EVENTS_H

#include <linux/ratelimit_types.h>
#include <linux/workqueue.h>

#include "core/core.h"
#include "uapi/blkrepl.h"

#define BLKREPL_ERROR_LEN	128	/* texts for people */
#define BLKREPL_EVENT_TEXTS	16

/**
 * struct blkrepl_events - what has changed and is not multicast yet (events.c)
 * A bit for each object: a burst of changes becomes one event with the last
 * state.  Only texts are events of their own; the oldest one gives way.
 */
struct blkrepl_events {
	struct delayed_work work;
	bool res;				/* L */
	u64 vols;				/* L: by volume number */
	u32 peers;				/* L: by node id */
	u32 pvols[BLKREPL_MAX_VOLUMES];		/* L: by node id */
	struct blkrepl_text {
		enum repl_note note;
		int vol;			/* -1: none */
		int peer;			/* -1: none */
		char text[BLKREPL_ERROR_LEN];
	} texts[BLKREPL_EVENT_TEXTS];		/* L: a ring */
	unsigned int first;			/* L */
	unsigned int nr;			/* L */
	/* what the log was told last; the work's */
	struct ratelimit_state limit;
	u8 logged_role;
	u8 logged_disk[BLKREPL_MAX_VOLUMES];
	u64 readable;				/* volumes, as udev knows */
	u8 logged_conn[BLKREPL_MAX_NODES];
};

#endif
