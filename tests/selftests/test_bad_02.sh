#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Peers that do not fit: sizes and sectors that differ, data of another life.
. "$(dirname "$0")/lib.sh"

# says NODE PATTERN: in its status
says()
{
	repl "$1" status r0 | grep -qiE "$2" || {
		repl "$1" status r0
		return 1
	}
}

# another_disk SIZE LOSETUP_OPTION...: b gets another disk
another_disk()
{
	local size=$1 image loop

	shift
	image=$tmp/disks/other-$size-$#
	truncate -s "$size" "$image"
	loop=$(losetup --find --show "$@" "$image")
	must repl b down r0
	sed "/on b {/,/}/s,disk /dev/[^;]*,disk $loop," "$conf/r0.conf" >"$tmp/new"
	cat "$tmp/new" >"$conf/r0.conf"
	must repl b create-md --force r0
	# Before it meets the new one: what it says then is to stay.
	repl a connect r0 >/dev/null 2>&1
	must repl b up r0
}

setup_nodes a b
new_conf r0 16
up r0
synced r0
scribble "$(dev a)" 1024
size=$(bytes r0)
want=$(sum "$(dev a)" 1024)

another_disk 12M
check_soon "a smaller disk is not taken" 20 says a "smaller"
check "nothing has become of the data" is a r0 '.devices[0]."disk-state"' UpToDate
check_equal "nor of the size" "$(bytes r0)" "$size"
another_disk 16M --sector-size 4096
check_soon "nor one with larger sectors" 20 says a "block size"
check_equal "all the same" "$(sum "$(dev a)" 1024)" "$want"
another_disk 24M
check_soon "a larger one is" 30 in_step a r0
check_equal "of which a part is used" \
	"$(query b r0 '.devices[0]."size-bytes"')" "$size"

# A disk that has been the Primary of another cluster
must repl b down r0
must repl a down r0
must repl b create-md --force r0
must repl b up r0
must repl b primary --force r0
scribble "$(dev b)" 64
other=$(sum "$(dev b)" 64)
must repl b secondary r0
must repl a up r0
check_soon "data of another origin is not mixed in" 20 says a "data set|diverged"
must repl a down r0
must repl b down r0
check_equal "a has kept its own" "$(head -c 1M "$tmp/disks/r0-a" | sha256sum)" "$want"
check_equal "b, too" "$(head -c 64K "$tmp/disks/other-24M-0" | sha256sum)" "$other"
