/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The least that a test needs: TAP, and a program's exit code.
 */
#ifndef BLKREPL_TAP_H
#define BLKREPL_TAP_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_run, tap_failed;

static inline bool tap_ok(bool good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++tap_run, name);
	tap_failed += !good;
	return good;
}

static inline void tap_text(const char *what, const char *text)
{
	const char *end;

	printf("# %s:\n", what);
	for (; *text; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		printf("#   %.*s\n", (int)(end - text), text);
	}
}

static inline bool tap_is(const char *got, const char *want, const char *name)
{
	if (tap_ok(!strcmp(got, want), name))
		return true;
	tap_text("got", got);
	tap_text("want", want);
	return false;
}

static inline bool tap_has(const char *got, const char *want, const char *name)
{
	if (tap_ok(strstr(got, want), name))
		return true;
	tap_text("got", got);
	tap_text("which lacks", want);
	return false;
}

static inline int tap_end(void)
{
	printf("1..%d\n", tap_run);
	return tap_failed ? 1 : 0;
}

#endif
