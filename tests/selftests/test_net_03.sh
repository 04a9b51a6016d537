#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Nodes whose configurations do not fit: status names the reason, both wait,
# and they connect when it has been put right.
. "$(dirname "$0")/lib.sh"

state='.connections[0]."connection-state"'

# says NODE PATTERN: why it is not connected
says()
{
	query "$1" r0 '.connections[0]."last-error"' | grep -qiE "$2" || {
		repl "$1" status r0
		return 1
	}
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
