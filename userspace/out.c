// SPDX-License-Identifier: GPL-2.0-only
/*
 * One printer for people and for programs.
 */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <unistd.h>

#include "out.h"

#define DEPTH	8

struct out {
	FILE *file;
	bool json, color;
	unsigned int depth;		/* of open objects and arrays */
	struct json_object *open[DEPTH];
};

struct out *out_new(FILE *file, bool json, bool color)
{
	struct out *o = xzalloc(sizeof(*o));

	o->file = file;
	o->json = json;
	o->color = color && !json;
	return o;
}

bool out_want_color(FILE *file)
{
	return isatty(fileno(file)) && !getenv("NO_COLOR");
}

bool out_is_json(const struct out *o)
{
	return o->json;
}

static void print_json(struct out *o, int flags)
{
	if (!o->open[0])
		return;
	fprintf(o->file, "%s\n",
		json_object_to_json_string_ext(o->open[0], flags |
					       JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o->open[0]);
	o->open[0] = NULL;
	o->depth = 0;
}

void out_free(struct out *o)
{
	print_json(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED);
	fflush(o->file);
	free(o);
}

void out_record(struct out *o)
{
	print_json(o, JSON_C_TO_STRING_PLAIN);
	fflush(o->file);
}

/* Put a value under @key, or at the end of the open array. */
static void put(struct out *o, const char *key, struct json_object *val)
{
	struct json_object *parent;

	if (!o->depth) {
		o->open[0] = val;
		return;
	}
	parent = o->open[o->depth - 1];
	if (json_object_is_type(parent, json_type_array))
		json_object_array_add(parent, val);
	else if (key)
		json_object_object_add(parent, key, val);
	else
		json_object_put(val);
}

static void open_container(struct out *o, const char *key, struct json_object *val)
{
	put(o, key, val);
	if (o->depth < DEPTH)
		o->open[o->depth++] = val;
}

void out_object(struct out *o, const char *key)
{
	if (o->json)
		open_container(o, key, json_object_new_object());
}

void out_array(struct out *o, const char *key)
{
	if (o->json)
		open_container(o, key, json_object_new_array());
}

void out_end(struct out *o)
{
	if (o->json && o->depth)
		o->depth--;
}

static bool in_array(const struct out *o)
{
	return o->depth && json_object_is_type(o->open[o->depth - 1], json_type_array);
}

/* Does this value go into JSON? */
static bool to_json(const struct out *o, const char *key)
{
	return o->json && (key || in_array(o));
}

void out_word(struct out *o, const char *key, const char *label,
	      const char *val, enum tone tone)
{
	static const char * const code[] = {
		[TONE_PLAIN] = NULL,
		[TONE_GOOD] = "\033[32m",
		[TONE_WARN] = "\033[33m",
		[TONE_BAD] = "\033[1;31m",
		[TONE_BOLD] = "\033[1m",
	};

	if (to_json(o, key))
		put(o, key, json_object_new_string(val));
	if (o->json || !label)
		return;
	if (o->color && code[tone])
		fprintf(o->file, "%s%s%s\033[0m", label, code[tone], val);
	else
		fprintf(o->file, "%s%s", label, val);
}

void out_str(struct out *o, const char *key, const char *label, const char *val)
{
	out_word(o, key, label, val, TONE_PLAIN);
}

void out_num(struct out *o, const char *key, const char *label, uint64_t val)
{
	if (to_json(o, key))
		put(o, key, json_object_new_uint64(val));
	if (!o->json && label)
		fprintf(o->file, "%s%" PRIu64, label, val);
}

void out_bool(struct out *o, const char *key, bool val)
{
	if (to_json(o, key))
		put(o, key, json_object_new_boolean(val));
}

void format_bytes(uint64_t val, char *buf, size_t size)
{
	static const char * const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	unsigned int u = 0;
	double v = val;

	while (v >= 1024 && u + 1 < ARRAY_SIZE(unit)) {
		v /= 1024;
		u++;
	}
	if (u)
		snprintf(buf, size, "%.1f %s", v, unit[u]);
	else
		snprintf(buf, size, "%" PRIu64 " B", val);
}

static void number_as(struct out *o, const char *key, const char *label,
		      uint64_t val, const char *text, const char *suffix)
{
	if (to_json(o, key))
		put(o, key, json_object_new_uint64(val));
	if (!o->json && label)
		fprintf(o->file, "%s%s%s", label, text, suffix);
}

void out_bytes(struct out *o, const char *key, const char *label, uint64_t val)
{
	char buf[32];

	format_bytes(val, buf, sizeof(buf));
	number_as(o, key, label, val, buf, "");
}

void out_rate(struct out *o, const char *key, const char *label, uint64_t val)
{
	char buf[32];

	format_bytes(val, buf, sizeof(buf));
	number_as(o, key, label, val, buf, "/s");
}

void out_percent(struct out *o, const char *key, const char *label, unsigned int val)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%u.%u", val / 10, val % 10);
	if (to_json(o, key))
		put(o, key, json_object_new_double_s(val / 10.0, buf));
	if (!o->json && label)
		fprintf(o->file, "%s%s %%", label, buf);
}

void format_time(uint64_t ms, char *buf, size_t size)
{
	uint64_t s = ms / 1000;

	if (s >= 86400)
		snprintf(buf, size, "%" PRIu64 "d %" PRIu64 ":%02u:%02u",
			 s / 86400, s / 3600 % 24, (unsigned int)(s / 60 % 60),
			 (unsigned int)(s % 60));
	else if (s >= 3600)
		snprintf(buf, size, "%" PRIu64 ":%02u:%02u", s / 3600,
			 (unsigned int)(s / 60 % 60), (unsigned int)(s % 60));
	else
		snprintf(buf, size, "%" PRIu64 ":%02u", s / 60,
			 (unsigned int)(s % 60));
}

/* @ms as a clock shows them in the text, @val in JSON. */
static void time_as(struct out *o, const char *key, const char *label,
		    uint64_t ms, uint64_t val)
{
	char buf[48];

	format_time(ms, buf, sizeof(buf));
	number_as(o, key, label, val, buf, "");
}

void out_time(struct out *o, const char *key, const char *label, uint64_t ms)
{
	time_as(o, key, label, ms, ms / 1000);
}

void out_time_ms(struct out *o, const char *key, const char *label, uint64_t ms)
{
	time_as(o, key, label, ms, ms);
}

void format_ns(uint64_t ns, char *buf, size_t size)
{
	static const char * const unit[] = { "ns", "us", "ms", "s" };
	unsigned int u = 0;
	double v = ns;

	while (v >= 1000 && u + 1 < ARRAY_SIZE(unit)) {
		v /= 1000;
		u++;
	}
	snprintf(buf, size, "%.*f %s", !u || v >= 100 ? 0 : v >= 10 ? 1 : 2, v,
		 unit[u]);
}

void out_ns(struct out *o, const char *key, uint64_t ns)
{
	char buf[32];

	format_ns(ns, buf, sizeof(buf));
	if (to_json(o, key))
		put(o, key, json_object_new_uint64(ns));
	out_text(o, "%10s", buf);
}

void out_text(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->json)
		return;
	va_start(ap, fmt);
	vfprintf(o->file, fmt, ap);
	va_end(ap);
}
