#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A backing device that doesn't answer: commands can be killed, status answers,
# and when the device comes back everything is as it should be.
. "$(dirname "$0")/lib.sh"

load
loop=$(new_disk slow 32)
new_dm slow "0 65536 linear $loop 0" >/dev/null
disk=/dev/mapper/slow
must blkrepl create-md --force "$disk" >/dev/null
must blkrepl new-resource r0 0
must blkrepl new-volume r0/0 0

hang()
{
	must dmsetup suspend --nolockfs --noflush slow
}

wake()
{
	must dmsetup resume slow
}

# killed SECONDS COMMAND...: ends when it is killed, and not before
killed()
{
	local seconds=$1 pid

	shift
	"$@" &
	pid=$!
	sleep "$seconds"
	kill -0 "$pid" || return 1
	kill -KILL "$pid"
	busywait 5 gone "$pid"
}

gone()
{
	! grep -qs '^State:.*[^Z] (' "/proc/$1/status" ||
		grep -q '^State:.Z' "/proc/$1/status"
}

hang
check "attach waits for the device, and can be killed" \
	killed 2 blkrepl attach r0/0 "$disk"
check "status answers" timeout $((5 * slowness)) blkrepl status r0
check_equal "no disk" "$(blkrepl dstate r0)" "Diskless"
check_refused "the device is still held" "busy" dmsetup remove slow
wake
check_soon "then it is free again" 10 blkrepl attach r0/0 "$disk"
must blkrepl primary --force r0

hang
dd if=/dev/zero of=/dev/blkrepl0 bs=4k count=1 oflag=direct 2>/dev/null &
writer=$!
sleep 1
check "detach waits for I/O, and can be killed" \
	killed 2 blkrepl detach --force r0/0
check "status answers meanwhile" timeout $((5 * slowness)) blkrepl status r0
check_refused "no demotion meanwhile" "opened for writing" blkrepl secondary r0
wake
check_soon "the detach went on by itself" 10 \
	sh -c 'blkrepl dstate r0 | grep -qx Diskless'
check_soon "no data: I/O is held, and status says why" 10 \
	sh -c 'blkrepl status r0 | grep -i suspended'
check "until told otherwise" blkrepl resource-options r0 --on-no-data io-error
check_soon "then it fails" 10 gone "$writer"
check "attach after that" blkrepl attach r0/0 "$disk"
must blkrepl secondary r0
must blkrepl detach r0/0
must blkrepl del-resource r0
