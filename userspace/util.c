// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages, memory, numbers, and "did you mean".
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#include "util.h"

static void message(const char *kind, const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "blkrepl: %s", kind);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void err(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("", fmt, ap);
	va_end(ap);
}

void warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	message("warning: ", fmt, ap);
	va_end(ap);
}

static void *check_mem(void *p)
{
	if (!p) {
		err("out of memory");
		exit(EX_SYSTEM);
	}
	return p;
}

void *xzalloc(size_t size)
{
	return check_mem(calloc(1, size));
}

char *xstrdup(const char *s)
{
	return check_mem(strdup(s));
}

char *xstrndup(const char *s, size_t len)
{
	return check_mem(strndup(s, len));
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return check_mem(s);
}

bool str_copy(char *dst, const char *src, size_t size)
{
	size_t len = strnlen(src, size);
	bool fits = len < size;

	if (!fits)
		len = size - 1;
	memcpy(dst, src, len);
	dst[len] = '\0';
	return fits;
}

bool parse_u64(const char *s, uint64_t *val)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (!isdigit((unsigned char)*s))
			return false;
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
			return false;
	}
	*val = v;
	return true;
}

/* Damerau's distance: insert, delete, replace, swap of two neighbours. */
static unsigned int distance(const char *a, const char *b)
{
	enum { MAX = 31 };
	unsigned int d[MAX + 1][MAX + 1];
	size_t la = strlen(a), lb = strlen(b), i, j;

	if (la > MAX || lb > MAX)
		return MAX;
	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			unsigned int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[la][lb];
}

const char *suggest(const char *word,
		    const char *(*next)(unsigned int i, const void *arg),
		    const void *arg)
{
	const char *best = NULL, *cand;
	unsigned int best_d = strlen(word) / 3 + 2, i;

	for (i = 0; (cand = next(i, arg)); i++) {
		unsigned int d = distance(word, cand);

		/* "resync-rate" means the one that begins so */
		if (strlen(word) >= 4 && !strncmp(word, cand, strlen(word)))
			d = 1;
		if (d < best_d && d < strlen(cand)) {
			best = cand;
			best_d = d;
		}
	}
	return best;
}
