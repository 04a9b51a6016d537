/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Print a configuration as a file that means the same.
 */
#ifndef BLKREPL_DUMP_H
#define BLKREPL_DUMP_H

#include <stdbool.h>
#include <stdio.h>

struct conf;
struct conf_res;

/* @secrets: print the shared secrets too. */
void dump_common(FILE *f, const struct conf *conf, bool secrets);
void dump_resource(FILE *f, const struct conf_res *res, bool secrets);

#endif
