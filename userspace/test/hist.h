/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A histogram of the module's.  Its own header and those of libnl define the
 * same types.
 */
#ifndef BLKREPL_TEST_HIST_H
#define BLKREPL_TEST_HIST_H

#include <stdbool.h>
#include <stdint.h>

void hist_clear(void);
void hist_add(uint64_t ns);
uint64_t hist_count(void);
uint64_t hist_sum(void);
uint64_t hist_max(void);
/* Its bucket @i, @below 0: no limit.  Return: false past the last. */
bool hist_bucket(unsigned int i, uint64_t *from, uint64_t *below, uint64_t *count);

#endif
