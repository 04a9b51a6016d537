#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is told: status in JSON, events, sysfs.
. "$(dirname "$0")/lib.sh"

seen()
{
	grep -qE "$1" "$tmp/events" || {
		tail -n 20 "$tmp/events"
		return 1
	}
}

setup_nodes a b
new_conf r0 8
start a blkrepl events --json >"$tmp/events"
watcher=$started
up r0
check_soon "a resource comes" 10 seen '"event": ?"(create|exists)".*"object": ?"resource"|"object": ?"resource".*"event": ?"(create|exists)"'
check_soon "it connects" 20 seen '"connection-state": ?"Connected"'
must repl a primary --force r0
check_soon "the role changes" 10 seen '"role": ?"Primary"'
check_soon "data goes to the peer, by resync or by each write" 20 seen '"replication-state": ?"(SyncSource|Established)"'
must busywait 30 in_step a r0
check_soon "until it has all" 10 seen '"peer-disk-state": ?"UpToDate"'
must repl b disconnect r0
check_soon "the peer leaves" 10 seen '"connection-state": ?"Connecting"'
must repl a secondary r0
must repl a down r0
check_soon "the resource goes" 10 seen '"event": ?"destroy"'
check "each line is an object" jq -es 'all(type == "object")' "$tmp/events"
check "events go on without a resource" kill -0 "$watcher"

must repl a up r0
must repl b connect r0
must busywait 20 connected a r0
repl a status --json --statistics r0 >"$tmp/json"
check "status is JSON" jq -e '.[0] | .name == "r0" and ."node-id" == 0
	and .role == "Secondary" and (.devices[0] | .minor == 0)
	and .connections[0].name == "b"' "$tmp/json"
check "Python reads it as well" python3 -m json.tool "$tmp/json"
check "without a name all resources are told, here one" sh -c "$(declare -f on repl); tmp=$tmp; repl a status --json | jq -e length==1"
check_equal "a node sees only its own" "$(repl b status --json | jq -r '.[0]."node-id"')" 1
check_equal "sysfs: resource" "$(cat /sys/block/blkrepl10/blkrepl/resource)" r0
check_equal "sysfs: volume" "$(cat /sys/block/blkrepl10/blkrepl/volume)" 0
check_equal "sysfs: node" "$(cat /sys/block/blkrepl10/blkrepl/node)" 1
check "the text has statistics" sh -c "$(declare -f on repl); tmp=$tmp
	repl a status --statistics r0 | grep -q dirty-map-memory"
check_equal "cstate is one word" "$(repl a cstate r0)" Connected
check "what the tool configures is what runs" test -z "$(repl a adjust --dry-run r0)"
down r0
