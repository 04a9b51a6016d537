/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration: what the files say (struct conf), and what that means for
 * one node (struct view).
 */
#ifndef BLKREPL_CONF_H
#define BLKREPL_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "opt.h"
#include "uapi/blkrepl.h"

#define CONF_DIR	"/etc/blkrepl.d"
#define CONF_FILE_MAX	(1U << 20)	/* bytes of one file */

struct conf_error {
	char text[1024];	/* "file:line: what, and what is expected" */
};

/* Where something was written; @file belongs to the struct conf. */
struct conf_loc {
	const char *file;
	int line;
};

struct conf_addr {
	bool set;
	struct conf_loc loc;
	struct sockaddr_storage sa;
};

/**
 * struct conf_settings - the sections options, net and disk of one object
 * @loc: where the first of them begins
 * @opts: the settings
 * @secret: shared secret, or NULL
 * @auth_set: "auth" was given
 * @auth_none: "auth none" was given
 */
struct conf_settings {
	struct conf_loc loc;
	struct opt_set opts;
	char *secret;
	bool auth_set;
	bool auth_none;
};

/**
 * struct conf_volume - a volume section, of a resource or of a host in it
 * @minor: -1 if not given
 * @disk: NULL if not given
 * @diskless: "disk none"
 * @meta_disk: NULL if not given or internal
 * @meta_set: meta-disk was given
 */
struct conf_volume {
	struct conf_volume *next;
	struct conf_loc loc;
	unsigned int nr;
	int minor;
	char *disk;
	bool diskless;
	char *meta_disk;
	bool meta_set;
	struct conf_settings set;
};

struct conf_host {
	struct conf_host *next;
	struct conf_loc loc;
	char *name;
	int node_id;		/* -1 if not given */
	bool witness, witness_set;
	struct conf_addr addr;
	struct conf_volume *volumes;
};

/* A connection section: what is special between two hosts. */
struct conf_conn {
	struct conf_conn *next;
	struct conf_loc loc;
	char *host[2];
	struct conf_addr addr[2];
	struct conf_settings set;
};

struct conf_res {
	struct conf_res *next;
	struct conf_loc loc;
	char *name;
	struct conf_settings set;
	struct conf_volume *volumes;
	struct conf_host *hosts;
	struct conf_conn *conns;
};

/* One file that was read. */
struct conf_file {
	struct conf_file *next;
	char *name;
	bool has_secret;
};

struct conf {
	struct conf_file *files;
	struct conf_settings common;
	struct conf_res *resources;
};

struct conf *conf_new(void);
void conf_free(struct conf *conf);

/**
 * conf_parse_into - read one file's text into a configuration
 * @conf: where the resources are added
 * @name: name of the file, for messages
 * @buf: the text, need not end with a NUL
 * @len: bytes of @buf
 * @err: filled in on failure
 *
 * Return: 0, or -1; @conf is then good for conf_free() only.
 */
int conf_parse_into(struct conf *conf, const char *name, const char *buf,
		    size_t len, struct conf_error *err);

/**
 * conf_check - is a whole configuration complete and free of contradictions?
 * @conf: all files that belong together
 * @err: filled in on failure
 */
int conf_check(const struct conf *conf, struct conf_error *err);

/**
 * conf_parse_buffer - parse and check a configuration that is one text
 * @name: name for messages
 * @buf: the text
 * @len: its bytes
 * @out: the configuration on success, to be freed with conf_free()
 * @err: filled in on failure
 *
 * No input makes it crash, write to stderr, or use other files.
 */
int conf_parse_buffer(const char *name, const char *buf, size_t len,
		      struct conf **out, struct conf_error *err);

/**
 * conf_load - read all files of a directory
 * @dir: the directory; *.conf are read, in the order of their names
 * @out: the configuration on success
 * @err: filled in on failure
 *
 * Warns on stderr about a file with a secret that others can read.
 */
int conf_load(const char *dir, struct conf **out, struct conf_error *err);

struct conf_res *conf_find(const struct conf *conf, const char *name);
struct conf_host *conf_host(const struct conf_res *res, const char *name);

/* Words that resource and node names may be made of. */
bool conf_name_ok(const char *name, char *why, size_t size);

/* "10.0.0.1:7789", "[fd00::1]:7789" */
bool addr_parse(const char *word, struct sockaddr_storage *sa,
		char *why, size_t size);
void addr_format(const struct sockaddr_storage *sa, char *buf, size_t size);
bool addr_equal(const struct sockaddr_storage *a,
		const struct sockaddr_storage *b);
size_t addr_len(const struct sockaddr_storage *sa);

/* A resource as one node sees it: all sections merged, nothing left open. */
struct view_volume {
	unsigned int nr;
	uint32_t minor;
	const char *disk;	/* NULL: diskless, or a witness */
	const char *meta_disk;	/* NULL: internal */
	struct opt_set opts;
};

struct view_peer {
	uint32_t node_id;
	bool witness;
	const char *name;
	struct sockaddr_storage local, peer;
	const char *secret;	/* NULL: auth none */
	struct opt_set opts;
};

struct view {
	const struct conf_res *res;
	const char *node;
	uint32_t node_id;
	bool witness;
	struct opt_set opts;
	unsigned int n_volumes, n_peers;
	struct view_volume volume[BLKREPL_MAX_VOLUMES];
	struct view_peer peer[BLKREPL_MAX_NODES];
};

/**
 * conf_view - what a checked configuration means for one node
 * @conf: the configuration
 * @res: a resource of it
 * @node: name of the node
 * @view: filled in; its strings belong to @conf
 *
 * Return: false if the node is no host of the resource.
 */
bool conf_view(const struct conf *conf, const struct conf_res *res,
	       const char *node, struct view *view);

/* What holds between two hosts, with nothing of the hosts' volumes. */
void conf_pair(const struct conf *conf, const struct conf_res *res,
	       const char *a, const char *b, struct conf_settings *set,
	       const struct conf_conn **conn);

#endif
