#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Two replicas and a witness: either replica goes on with its vote, and the one
# that was left out is not promoted.
. "$(dirname "$0")/lib.sh"

# in_step_here NODE: its disk and the other replica's are UpToDate, the witness
# is there
in_step_here()
{
	is "$1" r0 '| ([.devices[]."disk-state"] + [.connections[].peer_devices[]."peer-disk-state"])
		| sort | join(" ")' "UpToDate UpToDate Witness"
}

refuses_it()
{
	repl a status r0 | grep -q "last error: .*witness" || {
		repl a status r0
		return 1
	}
}

setup_nodes a b w
new_conf r0 32 'options { ack-policy quorum; }' a b
loop=$(new_disk r0-w 1)
sed -i '$d' "$conf/r0.conf"
cat >>"$conf/r0.conf" <<END
	on w {
		node-id 2;
		address $(node_addr w):7789;
		witness yes;
		volume 0 {
			device minor 20;
			meta-disk $loop;
		}
	}
}
END
up r0
check_soon "connected" 20 connected a r0
check "blank, they are declared equal" repl a new-data-set r0
check "one is promoted" repl a primary r0
check_soon "all are in step" 20 in_step_here a
check "status calls it a witness" is a r0 '.connections[] | select(.name == "w") | .witness' true
check "it says so itself" is w r0 .witness true
check "it has no data" is w r0 '.devices[0]."disk-state"' Witness
check "all is well with it" explains w r0 0 "w is a witness"
check_refused "it is never promoted" "witness: it votes and has no data" repl w primary r0
check_refused "not even by force" "witness: it votes and has no data" repl w primary --force r0
check_refused "nor has it a disk" "is a witness" repl w attach r0/0 /dev/null --meta-disk "$loop"
scribble "$(dev a)" 1024

# The witness is away: the replicas do without it.
brisk r0
cut a w
cut b w
check_soon "the witness is gone" 20 is a r0 '.connections[] | select(.name == "w") | ."connection-state"' Connecting
check "the replicas go on" timeout 60 dd if=/dev/urandom of="$(dev a)" bs=4k count=20 oflag=direct status=none
heal a w
heal b w
check_soon "it is back" 20 in_step_here a

# A replica is away: the other one goes on with the witness.
cut a b
cut b w
work_on "$(dev a)" --offset=16M --rate=256k
work=$started
check_soon "the set is the primary alone" 20 set_is a 0x1
check_soon "the witness keeps it" 10 set_is w 0x1
check "it goes on" timeout 60 dd if=/dev/urandom of="$(dev a)" bs=4k count=20 oflag=direct status=none
sum_a=$(sum "$(dev a)" 1024)

# Then it loses the witness too: nothing is acknowledged that nobody would know.
cut a w
check_soon "alone it has no majority" 20 no_quorum a
check "its program waits" kill -0 "$work"

# The replica that was left out has the witness now, and is not promoted.
heal b w
check_soon "b reaches the witness" 20 is b r0 '.connections[] | select(.name == "w") | ."connection-state"' Connected
check_refused "who was left out is not promoted" "acknowledged|newer data" repl b primary r0
heal a w
check_soon "with the witness the primary goes on" 20 quorum_again a
check "its program has gone on" kill -0 "$work"
heal a b
check_soon "the other replica is filled" 60 in_step_here a
check_soon "the set is both" 10 set_is w 0x3
check_equal "with what was written meanwhile" "$(sum "$(dev a)" 1024)" "$sum_a"

# The primary is cut off under load: the other is promoted by the witness's vote.
# (Were the replica lost first, the primary might go on without it.)
cut a w
cut a b
check_soon "the other one is promoted" 30 repl b primary r0
check_equal "with every acknowledged write" "$(sum "$(dev b)" 1024)" "$sum_a"
check "and writes" write_some b 20
check_soon "the old one has no majority" 20 no_quorum a
check_soon "the witness keeps the new set" 10 set_is w 0x2
heal a b
heal a w
check_soon "it steps down" 60 is a r0 .role Secondary
check_soon "and is filled" 60 in_step_here b

# The witness's metadata is made anew: it learns of the set from those that have it.
must repl w down r0
must repl w create-md --force r0
must repl w up r0
check_soon "a blank witness joins" 20 in_step_here b
check_soon "and keeps the set" 10 set_is w 0x3

# Both ends have to agree on who is a witness.
must repl w down r0
sed 's/witness yes;/witness no;/; s/meta-disk \/dev/disk \/dev/' "$conf/r0.conf" >"$tmp/other.conf"
mkdir -p "$tmp/conf2"
install -m 600 "$tmp/other.conf" "$tmp/conf2/r0.conf"
check_refused "it is not taken for a replica" "metadata of a witness" \
	repl w --config-dir "$tmp/conf2" up r0
check_soon "the others say so" 20 refuses_it
must repl w down r0
must repl w up r0
check_soon "as a witness it is welcome" 20 in_step_here b
must repl b secondary r0
size=$(bytes r0)
down r0
nodes=(a b)
check "the same bits" same r0 "$size"
nodes=(a b w)
