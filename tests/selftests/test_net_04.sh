#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A network that changes bytes behind TCP's back (its checksum is weak, and
# network cards get it wrong): headers and data have checksums of their own.
. "$(dirname "$0")/lib.sh"

# bend NODE BYTE: 4 bytes in a full segment that it sends, once (a slow machine
# may never send longer ones)
bend()
{
	must on "$1" nft -f - <<-END
		table inet bent {
			chain out { type filter hook output priority 0;
				tcp dport 7789 meta length > 1400 limit rate 1/hour burst 1 packets @th,$(($2 * 8)),32 set 0x12345678 counter; }
		}
	END
}

# bent NODE: has it happened? The network is good again.
bent()
{
	local list

	list=$(on "$1" nft list table inet bent)
	must on "$1" nft delete table inet bent
	grep -q 'packets [1-9]' <<<"$list" || {
		echo "$list"
		return 1
	}
}

noticed()
{
	dmesg | tail -n +"$seen" | grep -qE 'blkrepl.*(checksum|not a blkrepl packet)' || {
		dmesg | tail -n +"$seen"
		return 1
	}
}

setup_nodes a b
new_conf r0 24
up r0
synced r0

# 32 bytes of TCP header come first, with its time stamps.
for at in 36 100 200; do
	seen=$(dmesg | wc -l)
	bend a "$at"
	check "a write, byte $at is changed on its way" scribble "$(dev a)" 256 $((at * 4))
	check "it was" bent a
	check_soon "b has noticed" 10 noticed
	check_soon "in step" 30 in_step a r0
done

# Neither does a resync copy what has been changed.
must repl a disconnect r0
must scribble "$(dev a)" 1024 8192
seen=$(dmesg | wc -l)
bend a 200
must repl a connect r0
check_soon "in step after a resync" 30 in_step a r0
check "of which something was changed" bent a
check "b has noticed" noticed
size=$(bytes r0)
down r0
check "the same bits" same r0 "$size"
