/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every file of the tool needs: exit codes, messages, memory.
 */
#ifndef BLKREPL_UTIL_H
#define BLKREPL_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* kmod/core/platform.h has them too. */
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#endif
#ifndef __printf
#define __printf(f, a)	__attribute__((__format__(printf, f, a)))
#endif

/* Documented in blkrepl(8): scripts rely on them. */
enum exit_code {
	EX_DONE		= 0,	/* done, or nothing was to do */
	EX_USAGE	= 1,	/* the command line is wrong */
	EX_CONFIG	= 2,	/* the configuration is wrong */
	EX_NO_OBJECT	= 3,	/* no such resource, volume or peer */
	EX_TIMED_OUT	= 4,	/* wait-*: not reached in time */
	EX_TROUBLE	= 5,	/* explain: something is not as it should be */
	EX_REFUSED	= 10,	/* the kernel refused, and said why */
	EX_NO_MODULE	= 11,	/* the kernel module is not loaded */
	EX_DISK		= 12,	/* a disk or its metadata is not fit */
	EX_SYSTEM	= 13,	/* no memory, no permission, ... */
};

void err(const char *fmt, ...) __printf(1, 2);
void warn(const char *fmt, ...) __printf(1, 2);

/* Out of memory ends the program: nothing is half done at that point. */
void *xzalloc(size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) __printf(1, 2);

/**
 * str_copy - copy a string into an array, cutting what does not fit
 * @dst: the array
 * @src: the string
 * @size: size of the array, with the NUL
 *
 * Return: true if all of it fitted.
 */
bool str_copy(char *dst, const char *src, size_t size);

/**
 * parse_u64 - read a decimal number that is the whole string
 * @s: the string
 * @val: the result
 */
bool parse_u64(const char *s, uint64_t *val);

/**
 * suggest - the candidate that a mistyped word most probably meant
 * @word: what was typed
 * @next: returns the candidate number @i, NULL after the last
 * @arg: for @next
 *
 * Return: NULL if nothing is similar enough to be helpful.
 */
const char *suggest(const char *word,
		    const char *(*next)(unsigned int i, const void *arg),
		    const void *arg);

#endif
