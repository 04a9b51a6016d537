/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Latencies, for people and for programs.
 */
#ifndef BLKREPL_LATENCY_H
#define BLKREPL_LATENCY_H

#include <stdint.h>

struct out;
struct st_latency;

/**
 * latency_percentile - so long at most took so many of them
 * @l: the histogram
 * @percent: of all, 1..100
 *
 * Durations are taken for evenly spread inside a bucket.
 *
 * Return: ns; 0 if there was none.
 */
uint64_t latency_percentile(const struct st_latency *l, unsigned int percent);

/**
 * latency_print - a table of stages, or an object that has an object of each
 * @o: printer
 * @l: the first of a list
 * @indent: goes before each line of the table
 *
 * The table has no stage without a duration; without any there is no table.
 */
void latency_print(struct out *o, const struct st_latency *l, const char *indent);

#endif
