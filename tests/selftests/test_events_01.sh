#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every change of state arrives as an event, the last one with the last state.
. "$(dirname "$0")/lib.sh"

setup_nodes a b
new_conf r0 16
start a blkrepl events >"$tmp/events" 2>&1
sleep 1
up r0

seen()
{
	grep -qE -- "$1" "$tmp/events"
}

check_soon "the resource" 10 seen 'resource .*r0'
check_soon "the disk" 10 seen 'Inconsistent'
check_soon "the connection" 20 seen 'Connected'
must repl a primary --force r0
check_soon "the role" 10 seen 'role:Primary'
check_soon "the resync" 10 seen 'SyncSource'
check_soon "its end" 60 seen 'peer-disk:UpToDate'
must repl b down r0
check_soon "a lost peer" 10 seen 'connection:Connecting'
must repl a secondary r0
must repl a down r0
check_soon "removed" 10 seen 'destroy.*resource|resource.*destroy'
diag "$(tail -n 40 "$tmp/events")"
