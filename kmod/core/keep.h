/* SPDX-License-Identifier: GPL-2.0 */
/* Who keeps an in-sync set, how many have to, and which version it has. */
#ifndef REPL_KEEP_H
#define REPL_KEEP_H

#include "core.h"

u32 voters(const struct repl_res *res);
u32 majority(const struct repl_res *res);
u32 majority_of(const struct repl_res *res, u32 list, u32 set);
u32 keepers_now(const struct repl_vol *vol);
bool keeper_untold(const struct repl_vol *vol);
void keepers_told(struct repl_vol *vol);
bool keeper_knows_later(const struct repl_vol *vol, u64 version);
bool keeper_can_confirm(const struct repl_pv *pv);
bool keeper_outreigns(const struct repl_pv *pv);
bool keeper_would_forget(const struct repl_pv *pv);
bool keeper_objects(const struct repl_peer *p);
u32 keepers_lacking(const struct repl_vol *vol, u32 members);
bool set_kept(const struct repl_vol *vol);
bool set_names(const struct repl_peer *p);
/* Where primaries are elected: would a majority keep the set as it is now? */
bool members_suffice(const struct repl_res *res);
bool members_possible(const struct repl_res *res);
void keep_set(struct repl_vol *vol, u32 in_sync, u32 keepers, u64 version);
bool set_force_ends(const struct repl_res *res);
u64 elected_version(const struct repl_res *res, u64 known);
u64 set_next_version(struct repl_res *res);
u64 set_own_version(const struct repl_res *res, u64 version);

#endif
