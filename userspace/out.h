/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One printer for people and for programs: every value is printed by one
 * call that knows its JSON key and its label in the text.
 */
#ifndef BLKREPL_OUT_H
#define BLKREPL_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "util.h"

struct out;

/* How a word is coloured on a terminal. */
enum tone {
	TONE_PLAIN,
	TONE_GOOD,
	TONE_WARN,
	TONE_BAD,
	TONE_BOLD,
};

struct out *out_new(FILE *file, bool json, bool color);
/* Prints what is still to print. */
void out_free(struct out *o);
bool out_is_json(const struct out *o);
/* Is it a terminal, and are colours welcome? */
bool out_want_color(FILE *file);

/*
 * Objects and arrays of JSON; nothing in the text.  @key is NULL in an array
 * and for the outermost one.
 */
void out_object(struct out *o, const char *key);
void out_array(struct out *o, const char *key);
void out_end(struct out *o);

/* Print what there is as one line of JSON, or flush the text. */
void out_record(struct out *o);

/*
 * Values.  @label goes before the value in the text; NULL: JSON only.
 * @key NULL with a label: text only, except in an array.
 */
void out_str(struct out *o, const char *key, const char *label, const char *val);
void out_word(struct out *o, const char *key, const char *label,
	      const char *val, enum tone tone);
void out_num(struct out *o, const char *key, const char *label, uint64_t val);
void out_bool(struct out *o, const char *key, bool val);
/* Bytes: "1.0 GiB" in the text, the number in JSON; rates with "/s". */
void out_bytes(struct out *o, const char *key, const char *label, uint64_t val);
void out_rate(struct out *o, const char *key, const char *label, uint64_t val);
/* Per mille as "45.1 %" in the text, as 45.1 in JSON. */
void out_percent(struct out *o, const char *key, const char *label, unsigned int val);
/* Milliseconds as "1:02:03" in the text, as seconds in JSON; or as they are. */
void out_time(struct out *o, const char *key, const char *label, uint64_t ms);
void out_time_ms(struct out *o, const char *key, const char *label, uint64_t ms);
/* Nanoseconds as " 1.23 ms" in the text, a column of a table; the number in JSON. */
void out_ns(struct out *o, const char *key, uint64_t ns);
void out_text(struct out *o, const char *fmt, ...) __printf(2, 3);

void format_bytes(uint64_t val, char *buf, size_t size);
/* Nanoseconds as "1.23 ms". */
void format_ns(uint64_t ns, char *buf, size_t size);
/* Milliseconds as "1:02:03", or "3d 1:02:03". */
void format_time(uint64_t ms, char *buf, size_t size);

#endif
