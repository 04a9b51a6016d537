#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Latencies: every write is counted in each of its stages, and what is slow shows
# in the stage in which it is, and in no other.
. "$(dirname "$0")/lib.sh"

# ask NODE HOW: of the stages of a write on the primary, own disk first, then the
# acks of the peers; or of those of the own disk for the primary
ask()
{
	local stages='.write, ."write-held", ."write-disk"'

	[ "$1" = a ] || stages='."peer-write-disk"'
	query "$1" r0 "| [(.devices[0].latency | $stages), .connections[].latency.ack]
		| map($2) | join(\" \")"
}

# counts NODE: how often each stage was seen
counts()
{
	ask "$1" .count
}

# slow_ones NODE: of these, those that took more than 268 ms
slow_ones()
{
	ask "$1" '[.buckets[] | select(."from-ns" >= 268e6).count] | add // 0'
}

# whole NODE: the buckets of each stage have all of it, up to the longest
whole()
{
	query "$1" r0 '| [.devices[].latency[], .connections[].latency[]] | all(
		(.count == ([.buckets[].count] | add // 0)) and
		(.count == 0 or (.buckets[-1] | ."from-ns") <= ."max-ns") and
		."p50-ns" <= ."p99-ns" and ."p99-ns" <= ."max-ns")' | grep -qx true
}

make_disk=dm_disk
setup_nodes a b c
new_conf r0 16
up r0
synced r0
write_some a 40
check_equal "stages of 40 writes: all, held, own disk, two peers" "$(counts a)" \
	"40 40 40 40 40"
check_equal "the disk of a peer, who has no acks of others" "$(counts b)" "40 0 0"
check_equal "that of the other" "$(counts c)" "40 0 0"
check_equal "a write, then a flush" \
	"$(dd if=/dev/zero of="$(dev a)" bs=4k count=1 conv=notrunc,fsync status=none
	query a r0 '.devices[0] | [.writes, .flushes] ==
		[.latency.write.count, .latency.flush.count]
		and .flushes > 0')" true
check "the buckets have them all" whole a
check "on a peer as well" whole b
before=$(slow_ones a)
disk_b=$(slow_ones b)
disk_c=$(slow_ones c)
diag "slow already: a $before, b $disk_b, c $disk_c"

# added BEFORE AFTER: how much more each is
added()
{
	paste -d' ' <(tr ' ' '\n' <<<"$1") <(tr ' ' '\n' <<<"$2") |
		awk '{ printf "%s%d", sep, $2 - $1; sep = " " }'
}

slow b delay 400ms
write_some a 5
on b tc qdisc del dev eth0 root
now=$(slow_ones a)
check_equal "a slow link: the writes, and the acks of this peer" \
	"$(added "$before" "$now")" "5 0 0 5 0"
check_equal "not its disk" "$(added "$disk_b" "$(slow_ones b)")" "0 0 0"

before=$now
table=$(dmsetup table r0-c)
read -r _ size _ disk _ <<<"$table"
must modprobe dm-delay
dm_table r0-c "0 $size delay $disk 0 0 $disk 0 400"
write_some a 5
dm_table r0-c "$table"
now=$(slow_ones a)
check_equal "a peer's slow disk: the acks of this peer" \
	"$(added "$before" "$now")" "5 0 0 0 5"
check_equal "and there the disk" "$(added "$disk_c" "$(slow_ones c)")" "5 0 0"

before=$now
must repl a resource-options r0 --min-in-sync 3
must repl c disconnect r0
write_some a 1 &
sleep 1
must repl c connect r0
check_ends "a write that was held ends" $!
check_equal "which is all that was slow with it" \
	"$(added "$before" "$(slow_ones a)")" "1 1 0 0 0"
repl a status --statistics r0 >"$tmp/text"
check "people get a table" grep -Eq '^ +ack +[0-9]+( +[0-9.]+ (us|ms|s)){4}$' "$tmp/text" ||
	diag "$(cat "$tmp/text")"
must repl a secondary r0
down r0
