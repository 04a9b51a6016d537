#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Bad input by netlink: a clear error, nothing changed, nothing leaked.
. "$(dirname "$0")/lib.sh"

load
genl=$tree/tests/selftests/genl.py

blank=$(new_disk blank 64)
tiny=$(new_disk tiny 0 2>/dev/null)
used=$(new_disk used 64)
ro=$(new_disk ro 64)
new_dm user "0 131072 linear $used 0" >/dev/null
blockdev --setro "$ro"

out=$(python3 "$genl" refuse "$blank:61:no blkrepl metadata" "$used:16:in use" \
	"$ro:13:read-only" "$tiny:6:no size" 2>&1)
status=$?
diag "$out"
check "malformed requests are refused with a reason" [ "$status" -eq 0 ]
check_refused "create-md on a read-only disk" "read-only: see blockdev" \
	blkrepl create-md --force "$ro"
# It would be the flag of whatever this loop device is used for next.
blockdev --setrw "$ro"
check "module unused afterwards" unload
