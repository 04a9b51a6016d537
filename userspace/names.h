/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Enums of the netlink interface and the words that admins know them by.
 */
#ifndef BLKREPL_NAMES_H
#define BLKREPL_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct names - the words of one enum
 * @what: what the enum is, for messages
 * @count: number of words
 * @word: the word of each value, from 0 on
 */
struct names {
	const char *what;
	unsigned int count;
	const char *word[16];
};

extern const struct names names_role;
extern const struct names names_disk;
extern const struct names names_conn;
extern const struct names names_repl;
extern const struct names names_ack_policy;
extern const struct names names_quorum;
extern const struct names names_fencing;
extern const struct names names_fence_state;
extern const struct names names_on_io_error;
extern const struct names names_on_no_data;
extern const struct names names_on_no_quorum;
extern const struct names names_after_split_brain;
extern const struct names names_on_backlog;
extern const struct names names_stage;

/* The word for a value; for one this tool does not know yet, "?". */
const char *name_of(const struct names *n, uint32_t value);
bool name_lookup(const struct names *n, const char *word, uint32_t *value);
/* For suggest(): @arg is a struct names. */
const char *name_next(unsigned int i, const void *arg);

/**
 * suspend_reason - one reason why I/O is held, in words
 * @i: bit number
 *
 * Return: NULL past the last reason known.
 */
const char *suspend_reason(unsigned int i);

/* The attribute that an extack message points at, by path, for people. */
const char *attr_name(int type);

#endif
