#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Taken down while something hangs below or beside: a disk that doesn't answer,
# an interface that is gone, strangers on the port.  No command hangs for ever.
. "$(dirname "$0")/lib.sh"

disk='.devices[0]."disk-state"'

hang()
{
	must dmsetup suspend --noflush --nolockfs --noudevsync "$1"
}

go_on()
{
	dmsetup resume --noudevsync "$1"
}

# killable DESCRIPTION NODE ARGUMENT...: the tool waits, and ends when it has to
killable()
{
	local what=$1 out="$tmp/out"

	shift
	start "$1" blkrepl "${@:2}" >"$out" 2>&1
	sleep $((2 * slowness))
	check "$what: it waits" kill -0 "$started" || diag "$(cat "$out")"
	kill -KILL "$started"
	check_soon "... until it is killed" 5 sh -c "! kill -0 $started 2>/dev/null"
	wait "$started" 2>/dev/null
}

make_disk=dm_disk
setup_nodes a b
new_conf r0 24
up r0
synced r0

# The Secondary's disk hangs in a write; the writer waits for it.
hang r0-b
dd if=/dev/urandom of="$(dev a)" bs=64k count=1 oflag=direct status=none &
writer=$!
killable "detach" b detach r0
check "status answers" repl b status r0
check "so does the other node" repl a status r0
check_refused "another one says so" "just changing" repl b detach r0
must repl b disconnect r0
check_ends "disconnected from it, the writer gets through" "$writer"
check_refused "it is not removed with I/O below" "detach" repl b del-resource r0
go_on r0-b
check_soon "the detach ends when the disk answers" 20 is b r0 "$disk" Diskless
must repl b attach r0
must repl b connect r0
check_soon "in step" 30 in_step a r0

# The Primary's own: reads wait, and can be had from the peer.
hang r0-a
dd if="$(dev a)" of=/dev/null bs=64k count=1 iflag=direct status=none &
reader=$!
sleep $slowness
killable "detach of a disk that hangs" a detach r0
check "status answers" repl a status r0
go_on r0-a
check_ends "the reader gets its data" "$reader"
check_soon "the disk is let go of" 20 is a r0 "$disk" Diskless
must repl a attach r0
check_soon "in step" 30 in_step a r0

# The namespace goes while a disk hangs: it ends when the disk does.
must repl b down r0
must repl b up r0
must busywait 30 in_step a r0
hang r0-b
dd if=/dev/urandom of="$(dev a)" bs=64k count=1 oflag=direct status=none &
writer=$!
sleep $slowness
must ip netns del b
check "the peer's namespace is gone, the writer gets through" \
	timeout $((60 * slowness)) tail --pid=$writer -f /dev/null
check_ends "written" "$writer"
go_on r0-b
check_soon "its volumes have gone" 30 test ! -e /sys/block/blkrepl10
must repl a secondary r0
must repl a down r0
check_soon "the module unloads" 20 unload
