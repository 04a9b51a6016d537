#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Sizes: the smallest disk counts; a larger one in its place lets the device
# grow, in use; nothing shrinks.
. "$(dirname "$0")/lib.sh"

# First a's disk is the larger one.
sized_disk()
{
	[ "$1" = r0-a ] && new_disk "$1" 32 || new_disk "$1" "$2"
}

make_disk=sized_disk
setup_nodes a b
new_conf r0 16
up r0
synced r0
old=$(bytes r0)
check "$old bytes: the smaller disk counts" [ "$old" -lt $((16 << 20)) ]
scribble "$(dev a)" 1024

check "nothing to do yet" repl a resize r0
check_equal "and nothing done" "$(bytes r0)" "$old"
stretch r0-b 40M
check_refused "a disk that has grown needs metadata that covers it" "metadata" \
	repl b resize r0
check_equal "nothing has changed" "$(bytes r0)" "$old"

# Its device is in use all the while.
work_on "$(dev a)" --offset=4M --rate=512k
work=$started
must repl b detach r0
must repl b create-md --force r0
check "attached with room for more" repl b attach r0
check_soon "synced" 60 in_step a r0
conns=$(streams a)
total='.connections[0].peer_devices[0]."resync-total-bytes"'
# Slow enough to be looked at.
for node in a b; do
	must repl "$node" net-options --resync-rate-min 16K --resync-rate-max 96K r0
done
check "it grows" repl a resize r0
size=$(bytes r0)
check "to $size bytes" [ "$size" -gt $((30 << 20)) ]
check_soon "so does the device" 10 size_is "$(dev a)" "$size"
check_soon "on the peer, too" 10 is b r0 '.devices[0]."size-bytes"' "$size"
check_soon "the new part is synced" 20 is a r0 "$total > 0" true
bytes=$(query a r0 "$total")
# What was written just then is part of it.
check "$bytes bytes, what was there is not" \
	[ "$bytes" -ge $((size - old)) -a "$bytes" -le $((size - old + (2 << 20))) ]
for node in a b; do
	must repl "$node" net-options --resync-rate-max 0 r0
done
check "the writer has not been disturbed" kill "$work"
wait "$work"
check_soon "in step again" 60 in_step a r0
check_soon "the peer's device can be read, and is as large" 10 \
	size_is "$(dev b)" "$size"
check_equal "over the same connection" "$(streams a)" "$conns"
check_equal "what was there has stayed" "$(sum "$(dev a)" 1024)" \
	"$(sum "$(dev b)" 1024)"
check "the new part can be used" scribble "$(dev a)" 4096 24576
check_soon "and is in step" 30 in_step a r0
check_refused "it does not get smaller" "smaller" repl a resize --size 8M r0
check_refused "nor larger than its disks" "too small" repl a resize --size 64M r0
check_equal "by no byte" "$(bytes r0)" "$size"

down r0
must repl a up r0
must repl b up r0
check_soon "the size is remembered" 20 is a r0 '.devices[0]."size-bytes"' "$size"
check_soon "and they are in step" 30 in_step a r0
down r0
check "the same bits" same r0 "$size"

# A disk that has become smaller is not taken, and not touched.
stretch r0-b 36M
check_refused "shrunk, its metadata cut off" "no blkrepl metadata" repl b up r0
stretch r0-b 40M
meta=$(new_disk meta 4)
disk=$(new_disk r1 16)
cat >"$conf/r1.conf" <<END
resource r1 {
	net { secret "not a secret at all"; }
	volume 0 { device minor 1; disk $disk; meta-disk $meta; }
	on a { node-id 0; address 10.11.0.1:7790; }
	on b { node-id 1; address 10.11.0.2:7790; }
}
END
chmod 600 "$conf/r1.conf"
must repl a create-md r1
must repl a up r1
must repl a down r1
before=$(sha256sum <"$tmp/disks/meta")
stretch r1 12M
check_refused "shrunk, with metadata elsewhere" "smaller than" repl a up r1
check_equal "the metadata is as it was" "$(sha256sum <"$tmp/disks/meta")" "$before"
repl a down r1 >/dev/null 2>&1
stretch r1 16M
check "with its old size it is" repl a up r1
must repl a down r1
