/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Generic netlink transport: the family, requests, dumps, events.
 */
#ifndef BLKREPL_NL_H
#define BLKREPL_NL_H

#include <stdbool.h>
#include <stddef.h>

struct ctl;
struct nlmsghdr;
struct req;

/* What a failed request left: the kernel's words, for the admin as they are. */
struct ctl_error {
	int errnum;		/* positive errno, 0: no error */
	bool from_kernel;	/* an answer, not a failure of the transport */
	char text[512];		/* extack message, or strerror() */
};

/**
 * ctl_open - connect to the module
 * @err: filled in on failure
 *
 * The kernel loads the module if it is installed and may be loaded.
 *
 * Return: NULL on failure; err->errnum is ENOENT if there is no module.
 */
struct ctl *ctl_open(struct ctl_error *err);
void ctl_close(struct ctl *ctl);

/* Called for each message of a reply or of a dump. */
typedef void (*ctl_handler)(const struct nlmsghdr *nlh, void *arg);

/**
 * ctl_do - send a request and wait for its answer
 * @ctl: from ctl_open()
 * @r: the request
 * @err: filled in on failure; err->text also if the kernel warns on success
 *
 * Return: 0 or -1.
 */
int ctl_do(struct ctl *ctl, const struct req *r, struct ctl_error *err);

/**
 * ctl_dump - ask for all objects of a kind
 * @ctl: from ctl_open()
 * @cmd: a BLKREPL_CMD_*_GET
 * @handler: called for each object
 * @arg: for @handler
 * @err: filled in on failure; EINTR: changed meanwhile, ask again
 */
int ctl_dump(struct ctl *ctl, int cmd, ctl_handler handler, void *arg,
	    struct ctl_error *err);

/* Join the events group: from now on ctl_events() yields what changes. */
int ctl_subscribe(struct ctl *ctl, struct ctl_error *err);

/* For poll(). */
int ctl_fd(const struct ctl *ctl);

/**
 * ctl_events - handle the events that have arrived
 * @ctl: a subscribed connection, used for nothing else
 * @handler: called for each event
 * @arg: for @handler
 * @err: filled in on failure; ENOBUFS: events were lost
 */
int ctl_events(struct ctl *ctl, ctl_handler handler, void *arg, struct ctl_error *err);

#endif
