/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A test program in a few lines: each named test is one TAP line.  A check
 * that fails says where, and only the first few times: what is checked for
 * millions of combinations tends to fail for thousands of them.
 */
#ifndef UNIT_TAP_H
#define UNIT_TAP_H

#include <stdio.h>
#include <string.h>

#define TAP_SHOWN	5

static int tap_count, tap_failed, tap_bad;

#define CHECK(cond, ...) do {						\
	if (!(cond)) {							\
		if (tap_bad++ < TAP_SHOWN) {				\
			printf("# %s:%d: %s", __FILE__, __LINE__, #cond); \
			printf(" " __VA_ARGS__);			\
			printf("\n");					\
		}							\
	}								\
} while (0)

#define RUN(test) do {							\
	tap_bad = 0;							\
	test();								\
	tap_failed += !!tap_bad;					\
	printf("%sok %d - %s\n", tap_bad ? "not " : "", ++tap_count, #test); \
	fflush(stdout);							\
} while (0)

static inline int tap_end(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
