/* SPDX-License-Identifier: GPL-2.0 */
/* Who may have what was acknowledged, where primaries are elected. */
#ifndef REPL_ELECT_H
#define REPL_ELECT_H

#include "core.h"

bool last_primary(const struct repl_pv *pv);
bool vouches(const struct repl_res *res);
bool vouches_on_disk(const struct repl_res *res);
bool electable(const struct repl_vol *vol);
bool by_position(const struct repl_pv *pv);
u32 elect_set(const struct repl_vol *vol);
u32 elect_not_told(const struct repl_vol *vol, u64 version);
u32 elect_unheard(const struct repl_res *res, u32 heard);
bool elect_has_all(const struct repl_res *res);
bool elect_in_newest(const struct repl_pv *pv);
bool elect_good_without_us(const struct repl_pv *pv);
u32 elect_all_needed(const struct repl_res *res, u32 heard);
bool elect_all_have_all(const struct repl_vol *vol);
bool elect_heard_enough(const struct repl_res *res, u32 heard, u32 vouching);
bool elect_among_all(const struct repl_vol *vol);

#endif
