#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Nodes whose configurations do not fit: status names the reason, both wait,
# and they connect when it has been put right.
. "$(dirname "$0")/lib.sh"

state='.connections[0]."connection-state"'

# says NODE PATTERN [RESOURCE]: why it is not connected
says()
{
	query "$1" "${3:-r0}" '.connections[0]."last-error"' | grep -qiE "$2" || {
		repl "$1" status "${3:-r0}"
		return 1
	}
}

# ids NODE OWN PEER: a resource without disks, which takes itself for one node
# and the other of a and b for another
ids()
{
	local other=a

	[ "$1" != a ] || other=b
	must repl "$1" new-resource ids "$2"
	must repl "$1" new-peer ids "$3" --auth-none --connect-int 500ms \
		--local-addr "$(node_addr "$1"):7799" \
		--peer-addr "$(node_addr "$other"):7799"
	must repl "$1" connect ids
}

no_ids()
{
	must repl a down ids
	must repl b down ids
}

# other_conf NODE SED [VERB]: it is configured differently from now on
other_conf()
{
	mkdir -p "$tmp/conf-$1"
	sed "$2" "$conf/r0.conf" >"$tmp/conf-$1/r0.conf"
	chmod 600 "$tmp/conf-$1/r0.conf"
	must repl "$1" --config-dir "$tmp/conf-$1" "${3:-adjust}" r0
}

setup_nodes a b c
nodes=(a b)
new_conf r0 16
up r0
synced r0
nodes=(a b c)

must repl b down r0
other_conf b 's/secret ".*"/secret "another one altogether"/' up
check_soon "another secret" 15 says a "secret|authent|proof|refused"
check_soon "on both sides" 15 says b "secret|authent|proof"
other_conf b 's/secret ".*"/auth none/'
check_soon "a secret on one side only" 15 says b "secret|authent"
check_soon "on both sides" 15 says a "secret|authent"
must repl b disconnect r0
other_conf b '/on b/,/}/s/7789/7790/'
check_soon "another port" 15 says a "doesn't listen"
check_equal "nobody is connected by mistake" "$(query a r0 "$state")" Connecting
must repl b disconnect r0
other_conf b ''
check_soon "right again, it connects" 20 connected a r0
check_soon "in step" 20 in_step a r0

# c calls itself node 0, as a does, and has b for a peer.
disk=$(new_disk r0-c 16)
other_conf c "/on a {/,/}/{ s/on a/on c/; s/10.11.0.1:/10.11.0.3:/
	s,disk /.*,disk $disk;,; s/minor 0/minor 20/ }" create-md
must repl c --config-dir "$tmp/conf-c" up r0
before=$(streams b)
check_soon "a second node 0 is refused" 15 says c "refused"
check "the log says why" sh -c 'dmesg | grep -q "from 10.11.0.3.*no peer has that address"'
check "the first one has noticed nothing" in_step a r0
check_equal "its connection is the same" "$(streams b)" "$before"
must repl c --config-dir "$tmp/conf-c" down r0

# Nodes that don't agree which of them is which, all ways: who connects?
ids a 0 1
ids b 0 1
check_soon "both call themselves node 0: a says so" 15 says a "our own node id" ids
check_soon "and b" 15 says b "our own node id" ids
no_ids
ids a 1 0
ids b 1 0
check_soon "both call themselves node 1: a waits, and says so" 30 \
	says a "nothing heard from 10.11.0.2: node 0 is to connect" ids
check_soon "and b" 30 says b "nothing heard from 10.11.0.1: node 0" ids
no_ids
ids a 0 1
ids b 1 2
check_soon "b expects a node 2: a says so" 15 says a "wants another node id" ids
check_soon "and b" 15 says b "has another node id" ids
no_ids
ids a 1 2
ids b 1 0
check_soon "a connects, and takes itself for b" 15 says a "our own node id" ids
check_soon "so does b" 15 says b "our own node id" ids
no_ids
ids a 0 1
ids b 1 0
check_soon "with the right ids they connect" 15 connected a ids
no_ids

# A node id that is not the one of the metadata
must repl b down r0
mkdir -p "$tmp/conf-x"
sed '/on b/,/}/s/node-id 1/node-id 5/' "$conf/r0.conf" >"$tmp/conf-x/r0.conf"
chmod 600 "$tmp/conf-x/r0.conf"
check_refused "not with another node's metadata" "another node id" \
	repl b --config-dir "$tmp/conf-x" up r0
repl b --config-dir "$tmp/conf-x" down r0 >/dev/null 2>&1
must repl b up r0
must busywait 20 connected a r0

# Two volumes here, one there
must repl b disconnect r0
must repl a new-volume r0/1 5
must repl b connect r0
check_soon "a volume that only one has: the other one is in step" 20 is a r0 \
	'.connections[0].peer_devices[0]."peer-disk-state"' UpToDate
check_refused "is not removed from a connection" "disconnect" repl a del-volume r0/1
must repl a disconnect r0
check "but without it" repl a del-volume r0/1
must repl a connect r0
check_soon "in step" 20 in_step a r0
size=$(bytes r0)
nodes=(a b)
down r0
check "the same bits" same r0 "$size"
nodes=(a b c)
