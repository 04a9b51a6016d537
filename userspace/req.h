/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request to the kernel, as data: what a verb on the command line becomes,
 * what "adjust" plans, what is encoded into a netlink message, and what
 * --dry-run prints as the command line that would do the same.
 */
#ifndef BLKREPL_REQ_H
#define BLKREPL_REQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "opt.h"
#include "uapi/blkrepl.h"

struct nl_msg;

/* -1 in a number, NULL in a string: not in the message. */
struct req {
	enum blkrepl_cmd cmd;
	char res[BLKREPL_NAME_MAX];
	int vol;
	int peer;
	int role;
	bool force;
	bool remote;
	bool discard_my_data;

	struct opt_set opts;		/* those of the object's group are sent */
	int node_id;			/* RES_NEW */
	bool witness;			/* RES_NEW, PEER_NEW */
	int minor;			/* VOL_NEW */
	char node_name[BLKREPL_NAME_MAX];	/* RES_NEW: own, PEER_NEW: peer's */
	const char *disk;		/* ATTACH */
	const char *meta_disk;		/* ATTACH */
	struct sockaddr_storage local, addr;	/* PEER_NEW, PEER_SET */
	bool has_local, has_addr;
	const uint8_t *secret;		/* PEER_NEW, PEER_SET */
	size_t secret_len;
	bool auth_none;			/* PEER_SET: take the secret away */
	bool refresh;			/* cannot be compared with what runs */
};

void req_init(struct req *r, enum blkrepl_cmd cmd, const char *res);

/**
 * req_encode - the attributes of a request
 * @r: the request
 * @msg: a message with its genetlink header
 *
 * Return: false if the message is too small.
 */
bool req_encode(const struct req *r, struct nl_msg *msg);

/**
 * req_format - the command line that does the same
 * @r: the request
 * @buf: the text, one line without its end
 * @size: size of @buf
 */
void req_format(const struct req *r, char *buf, size_t size);

#endif
