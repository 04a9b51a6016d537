# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Library of the one-machine tests: several nodes in one kernel.
#
#          +-------- bridge br0 in the namespace "switch" --------+
#          |                      |                               |
#     vswitch-a              vswitch-b                       vswitch-c
#          |                      |                               |
#       eth0 10.11.0.1         eth0 10.11.0.2                  eth0 10.11.0.3
#   +------+-------+       +------+-------+                +------+-------+
#   | node a, id 0 |       | node b, id 1 |                | node c, id 2 |
#   | minors 0..9  |       | minors 10..19|                | minors 20..29|
#   +--------------+       +--------------+                +--------------+
#
# A node is a network namespace and a UTS namespace (so that it has a host name
# of its own).  All share /dev: minors are numbered so that nodes don't meet.
#
# A test is a file test_<group>_<nn>.sh that says what it shows, sources this,
# and calls check functions.  The rest happens on exit, whatever went wrong:
# everything is taken down, the module unloaded, and leaks and kernel warnings
# make the test fail.
#
# Output is TAP; exit status 0 pass, 1 fail, 4 skip, as kselftest has them.

set -u

test_name=$(basename "$0" .sh)
tree=${VM_TREE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)}
module=${BLKREPL_KO:-$tree/build/modules/${VM_KERNEL:-$(uname -r)}/blkrepl.ko}
PATH=$tree/build/userspace:$PATH
tmp=/run/blkrepl-test
conf=$tmp/conf.d
export BLKREPL_CONFIG_DIR=$conf

tap_count=0
tap_failed=0
nodes=()
deferred=()

# --- TAP ------------------------------------------------------------------

diag()
{
	printf '%s\n' "$*" | sed 's/^/# /'
}

pass()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $*"
}

fail()
{
	tap_count=$((tap_count + 1))
	tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $*"
	kmsg "failed: $*"
}

# Something that this kernel doesn't have; a missing tool is never skipped.
skip()
{
	echo "1..0 # SKIP $*"
	trap - EXIT
	cleanup >/dev/null
	exit 4
}

# A step without which the rest makes no sense.
must()
{
	local out

	if ! out=$("$@" 2>&1); then
		fail "$*"
		diag "$out"
		exit 1
	fi
	[ -z "$out" ] || printf '%s\n' "$out"
}

# check DESCRIPTION COMMAND...: must succeed
check()
{
	local what=$1 out status

	shift
	out=$("$@" 2>&1)
	status=$?
	if [ "$status" -eq 0 ]; then
		pass "$what"
	else
		fail "$what"
		diag "$* returned $status: $out"
		return 1
	fi
}

# check_ends DESCRIPTION PID: a child of this shell ends, with success.  (check
# runs its command in a subshell, which can't wait for it.)
check_ends()
{
	local status

	wait "$2"
	status=$?
	if [ "$status" -eq 0 ]; then
		pass "$1"
	else
		fail "$1"
		diag "it ended with status $status"
		return 1
	fi
}

# check_refused DESCRIPTION PATTERN COMMAND...: must fail, with such a message
check_refused()
{
	local what=$1 pattern=$2 out

	shift 2
	if out=$("$@" 2>&1); then
		fail "$what"
		diag "$* did not fail: $out"
	elif ! grep -qiE -- "$pattern" <<<"$out"; then
		fail "$what"
		diag "$* failed without /$pattern/: $out"
	else
		pass "$what"
	fi
}

# check_equal DESCRIPTION GOT WANTED
check_equal()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1"
		diag "got '$2', wanted '$3'"
	fi
}

# Kernels that check everything are slow.
slowness=1
[ ! -e /proc/lockdep ] || slowness=5

# busywait SECONDS COMMAND...: until it succeeds; the last output on failure
busywait()
{
	local end=$((SECONDS + $1 * slowness)) out

	shift
	until out=$("$@" 2>&1); do
		if [ "$SECONDS" -ge "$end" ]; then
			printf '%s\n' "$out"
			return 1
		fi
		sleep 0.1
	done
}

# check_soon DESCRIPTION SECONDS COMMAND...
check_soon()
{
	local what=$1

	shift
	check "$what" busywait "$@"
}

# --- nodes ----------------------------------------------------------------

kmsg()
{
	echo "blkrepl-test: $test_name: $*" >/dev/kmsg
}

# setup_nodes NAME...: the network as drawn above, and the module loaded
setup_nodes()
{
	local node number=0

	must ip netns add switch
	must ip -n switch link add br0 type bridge
	must ip -n switch link set br0 up
	for node in "$@"; do
		number=$((number + 1))
		nodes+=("$node")
		must ip netns add "$node"
		must ip link add "vswitch-$node" netns switch type veth \
			peer name eth0 netns "$node"
		must ip -n switch link set "vswitch-$node" master br0 up
		must ip -n "$node" addr add "10.11.0.$number/24" dev eth0
		must ip -n "$node" link set eth0 up
		must ip -n "$node" link set lo up
		touch "$tmp/uts-$node"
		must unshare --uts="$tmp/uts-$node" hostname "$node"
	done
	load
}

# on NODE COMMAND...
on()
{
	local node=$1

	shift
	BLKREPL_NODE="$node" \
		nsenter --net="/run/netns/$node" --uts="$tmp/uts-$node" "$@"
}

# start NODE COMMAND...: in the background, until the test ends; $started is it
start()
{
	local node=$1

	shift
	BLKREPL_NODE="$node" \
		nsenter --net="/run/netns/$node" --uts="$tmp/uts-$node" "$@" &
	started=$!
	defer stop "$started"
}

# work_on DEVICE [OPTION...]: it is written to until the test ends; $started does
work_on()
{
	fio --name=work --filename="$1" --rw=randwrite --direct=1 --bs=4k \
		--size=8M --time_based --runtime=1000 --ioengine=libaio \
		--iodepth=8 --minimal "${@:2}" >/dev/null 2>&1 &
	started=$!
	defer stop "$started"
}

# stop PID: of a child, which may have ended already
stop()
{
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	true
}

# repl NODE ARGUMENT...: the tool on a node
repl()
{
	local node=$1

	shift
	on "$node" blkrepl "$@"
}

node_id()
{
	local i

	for i in "${!nodes[@]}"; do
		if [ "${nodes[i]}" = "$1" ]; then
			echo "$i"
			return
		fi
	done
	return 1
}

node_addr()
{
	echo "10.11.0.$(($(node_id "$1") + 1))"
}

# dev NODE [VOLUME]: its replicated device
dev()
{
	echo "/dev/blkrepl$(($(node_id "$1") * 10 + ${2:-0}))"
}

# cut A B: no packet passes between two nodes, and nobody is told
cut()
{
	cut_one "$1" "$(node_addr "$2")" add
	cut_one "$2" "$(node_addr "$1")" add
}

heal()
{
	cut_one "$1" "$(node_addr "$2")" delete
	cut_one "$2" "$(node_addr "$1")" delete
}

cut_one()
{
	on "$1" nft list table inet cut >/dev/null 2>&1 || on "$1" nft -f - <<-END
		table inet cut {
			set peers { type ipv4_addr; }
			chain in { type filter hook input priority 0;
				ip saddr @peers counter drop; }
			chain out { type filter hook output priority 0;
				ip daddr @peers counter drop; }
		}
	END
	on "$1" nft "$3" element inet cut peers "{ $2 }"
}

# slow NODE NETEM...: like "delay 20ms loss 1%", on what the node sends
slow()
{
	local node=$1

	shift
	must on "$node" tc qdisc replace dev eth0 root netem "$@"
}

# streams NODE: far ends of the connections to its port; a reconnect changes them
streams()
{
	on "$1" ss -tnH state established "sport = :7789" |
		awk '{ print $4 }' | sort
}

# --- backing devices ------------------------------------------------------

# new_disk NAME MIB: a loop device over a sparse file in memory; prints it.
# Direct I/O, so that what it completed isn't held back in a page cache.
new_disk()
{
	truncate -s "${2}M" "$tmp/disks/$1" &&
		losetup --direct-io=on --find --show "$tmp/disks/$1" 2>/dev/null ||
		losetup --find --show "$tmp/disks/$1"
}

# new_dm NAME TABLE: a device-mapper device; table lines from stdin if "-"
new_dm()
{
	if [ "$2" = - ]; then
		must dmsetup create --noudevsync "$1"
	else
		must dmsetup create --noudevsync "$1" --table "$2"
	fi
	echo "$1" >>"$tmp/dm"
	dmsetup mknodes "$1"
	echo "/dev/mapper/$1"
}

# dm_disk NAME MIB: like new_disk, with device-mapper above, to make it fail
dm_disk()
{
	local loop

	loop=$(new_disk "$1" "$2") || return
	new_dm "$1" "0 $(($2 * 2048)) linear $loop 0"
}

# dm_table NAME TABLE: what the device does from now on; I/O waits meanwhile
dm_table()
{
	must dmsetup suspend --noflush --nolockfs --noudevsync "$1"
	must dmsetup load "$1" --table "$2"
	must dmsetup resume --noudevsync "$1"
}

# break_disk NAME, mend_disk NAME: one of dm_disk fails, or works again
break_disk()
{
	dmsetup table "$1" >"$tmp/table-$1"
	dm_table "$1" "0 $(blockdev --getsz "/dev/mapper/$1") error"
}

mend_disk()
{
	dm_table "$1" "$(cat "$tmp/table-$1")"
}

# Which of these makes the disks of new_conf.
make_disk=new_disk

# new_conf RESOURCE MIB [EXTRA [NODE...]]: the same resource file for all
# nodes, one volume on a new disk each; EXTRA is put into the resource.
new_conf()
{
	local res=$1 size=$2 extra=${3:-} node disk

	shift $(($# > 3 ? 3 : $#))
	{
		echo "resource $res {"
		echo "	net { secret \"not a secret at all\"; }"
		printf '\t%s\n' "$extra"
		for node in "${@:-${nodes[@]}}"; do
			disk=$("$make_disk" "$res-$node" "$size")
			cat <<-END
				on $node {
					node-id $(node_id "$node");
					address $(node_addr "$node"):7789;
					volume 0 {
						device minor $(($(node_id "$node") * 10));
						disk $disk;
						meta-disk internal;
					}
				}
			END
		done
		echo "}"
	} >"$conf/$res.conf"
	chmod 600 "$conf/$res.conf"
}

# up RESOURCE: metadata on every node, then up
up()
{
	local node

	for node in "${nodes[@]}"; do
		must repl "$node" create-md --force "$1"
		must repl "$node" up "$1"
	done
}

# query NODE RESOURCE JQ: something from the status, by a path of jq
query()
{
	repl "$1" status --json --statistics "$2" | jq -r ".[0]$3"
}

# is NODE RESOURCE JQ WANTED; fails with what it is instead
is()
{
	local got

	got=$(query "$1" "$2" "$3")
	[ "$got" = "$4" ] || {
		echo "$1: $3 is '$got', not '$4'"
		repl "$1" status "$2"
		return 1
	}
}

# connected NODE RESOURCE: to all its peers
connected()
{
	is "$1" "$2" '.connections | all(."connection-state" == "Connected")' true
}

# in_step NODE RESOURCE: its disks and its peers' are all UpToDate
in_step()
{
	is "$1" "$2" '| ([.devices[]."disk-state"] + [.connections[].peer_devices[]."peer-disk-state"])
		| all(. == "UpToDate")' true
}

# no_quorum NODE, quorum_again NODE: r0's I/O waits there; it goes on
no_quorum()
{
	is "$1" r0 .suspended true
}

quorum_again()
{
	is "$1" r0 .suspended false
}

# set_is NODE MASK: the in-sync set of r0 that it knows
set_is()
{
	is "$1" r0 '."in-sync-set"' "$2"
}

# synced RESOURCE [SECONDS]: the first sync is through, from the first node
synced()
{
	must busywait 20 connected "${nodes[0]}" "$1"
	must repl "${nodes[0]}" primary --force "$1"
	must busywait "${2:-60}" in_step "${nodes[0]}" "$1"
}

# down RESOURCE: on all nodes, so that their disks can be compared
down()
{
	local node

	for node in "${nodes[@]}"; do
		must repl "$node" down "$1"
	done
}

# brisk RESOURCE: a lost connection is noticed soon
brisk()
{
	local node

	for node in "${nodes[@]}"; do
		must repl "$node" net-options "$1" --timeout 1500ms \
			--ping-int 300ms --connect-int 300ms
	done
}

# explains NODE RESOURCE STATUS PATTERN...: it ends so, and says all of these
explains()
{
	local node=$1 res=$2 want=$3 status pattern

	shift 3
	repl "$node" explain "$res" >"$tmp/explained"
	status=$?
	[ "$status" -eq "$want" ] || {
		echo "status $status"
		cat "$tmp/explained"
		return 1
	}
	for pattern in "$@"; do
		grep -qE -- "$pattern" "$tmp/explained" || {
			echo "without /$pattern/:"
			cat "$tmp/explained"
			return 1
		}
	done
}

# explains_first NODE RESOURCE PATTERN: in its first line
explains_first()
{
	repl "$1" explain "$2" | head -n 1 | grep -E -- "$3" >/dev/null || {
		repl "$1" explain "$2"
		return 1
	}
}

# refused_so NODE RESOURCE: a promotion is refused in the words of explain
refused_so()
{
	local out words

	out=$(repl "$1" primary "$2" 2>&1) && {
		echo "it was promoted"
		return 1
	}
	repl "$1" explain "$2" >"$tmp/explained"
	# who says it comes first
	words=$(sed -E 's/^[^ ]+ \(node [0-9]+\): //' <<<"${out#*"resource $2: "}")
	grep -qF -- "$words" "$tmp/explained" || {
		echo "refused with '$words', explained as"
		cat "$tmp/explained"
		return 1
	}
}

# stretch DISK SIZE: its file, and the loop device above
stretch()
{
	truncate -s "$2" "$tmp/disks/$1"
	losetup -c "$(losetup -n -O NAME -j "$tmp/disks/$1")"
}

# size_is DEVICE BYTES
size_is()
{
	[ "$(blockdev --getsize64 "$1")" -eq "$2" ] || {
		blockdev --getsize64 "$1"
		return 1
	}
}

# bytes RESOURCE: the size of its volume, on the first node
bytes()
{
	query "${nodes[0]}" "$1" '.devices[0]."size-bytes"'
}

# direct FILE: a device is to be read and written past the cache; tmpfs
# knows nothing of that
direct()
{
	[ ! -b "$1" ] || echo ",direct"
}

# write_some NODE COUNT: one after another, 4 KiB each
write_some()
{
	dd if=/dev/urandom of="$(dev "$1")" bs=4k count="$2" oflag=direct \
		conv=notrunc status=none
}

# begin_write NODE: a block, in the background; $writer is it
begin_write()
{
	write_some "$1" 1 &
	writer=$!
}

# scribble FILE KIB [AT_KIB]: random data
scribble()
{
	dd if=/dev/urandom of="$1" bs=64k iflag=fullblock,count_bytes \
		oflag="seek_bytes$(direct "$1")" conv=notrunc status=none \
		count="${2}K" seek="${3:-0}K"
}

# sum FILE KIB [AT_KIB]: its checksum
sum()
{
	dd if="$1" bs=64k iflag="count_bytes,skip_bytes$(direct "$1")" \
		status=none count="${2}K" skip="${3:-0}K" | sha256sum
}

# same RESOURCE BYTES: the backing disks hold the same data.  Only
# when all nodes are down: with internal metadata the data is at the start.
same()
{
	local node

	[ "$2" -gt 0 ] || return
	for node in "${nodes[@]:1}"; do
		cmp -n "$2" "$tmp/disks/$1-${nodes[0]}" "$tmp/disks/$1-$node" ||
			return
	done
}

# --- module ---------------------------------------------------------------

loaded()
{
	grep -q '^blkrepl ' /proc/modules
}

# insmod knows no dependencies, and depmod is slow on an emulated CPU.
load()
{
	local dep

	[ -f "$module" ] || {
		fail "no $module: run tests/vm/kernel build ${VM_KERNEL:-NAME}"
		exit 1
	}
	if [ -z "${depends+known}" ]; then
		depends=$(modinfo -F depends "$module" | tr , ' ')
		for dep in $depends; do
			must modprobe "$dep"
		done
	fi
	must insmod "$module" "$@"
}

unload()
{
	loaded || return 0
	rmmod blkrepl
}

# --- before and after -----------------------------------------------------

# What must never be in a kernel log.  Lockdep and KASAN don't use WARN().
bad=$tree/tests/vm/bad-messages

warnings()
{
	dmesg | grep -cEf "$bad"
}

# defer COMMAND...: run on exit, last first
defer()
{
	deferred+=("$(printf '%q ' "$@")")
}

take_down()
{
	local i node

	for ((i = ${#deferred[@]} - 1; i >= 0; i--)); do
		eval "${deferred[i]}" || diag "cleanup: ${deferred[i]} failed"
	done
	deferred=()
	# nothing can be closed above a disk that hangs
	[ ! -f "$tmp/dm" ] || while read -r dir; do
		dmsetup resume --noudevsync "$dir"
	done <"$tmp/dm"
	awk '{ print $2 }' /proc/mounts | grep "^$tmp/" |
		grep -vE "^$tmp/(uts-.*|disks)$" | sort -r |
		while read -r dir; do umount "$dir"; done
	if loaded; then
		for node in "${nodes[@]}"; do
			ls "$conf"/*.conf >/dev/null 2>&1 || continue
			# a failed test may leave I/O that waits for a disk
			[ "$tap_failed" -eq 0 ] || repl "$node" \
				resource-options --on-no-data io-error all \
				>/dev/null 2>&1
			timeout $((20 * slowness)) nsenter --net="/run/netns/$node" \
				--uts="$tmp/uts-$node" env BLKREPL_NODE="$node" \
				blkrepl down all 2>&1 | sed 's/^/# /'
		done
	fi
}

cleanup()
{
	local node

	take_down
	for node in "${nodes[@]}" switch; do
		[ ! -e "/run/netns/$node" ] || ip netns del "$node"
		[ ! -e "$tmp/uts-$node" ] || umount "$tmp/uts-$node"
	done
	if loaded && ! unload_soon; then
		fail "the module unloads"
		diag "$(lsmod | head -n 3)"
	fi
	[ ! -f "$tmp/dm" ] || tac "$tmp/dm" | while read -r node; do
		dmsetup remove --noudevsync --retry "$node"
	done
	losetup -a | awk -F: -v dir="$tmp/" 'index($0, dir) { print $1 }' |
		while read -r loop; do losetup -d "$loop"; done
	busywait 10 umount "$tmp/disks" || fail "the disks are free again"
	rm -rf "$tmp"
	leaks
}

# A namespace's end is asynchronous, and holds the module until it is through.
unload_soon()
{
	busywait 20 unload
}

leaks()
{
	local found

	found=$(ls /dev/blkrepl[0-9]* 2>/dev/null; grep -s ^blkrepl /proc/slabinfo)
	loaded || [ -z "$found" ] || {
		fail "nothing is left after unloading"
		diag "$found"
	}
}

finish()
{
	local status=$? now

	trap - EXIT INT TERM
	cleanup
	now=$(warnings)
	if [ "$now" -gt "$warnings_before" ]; then
		fail "no warnings in the kernel log"
		diag "$(dmesg | grep -Ef "$bad" | tail -n $((now - warnings_before)))"
	fi
	[ "$status" -eq 0 ] || [ "$tap_failed" -gt 0 ] ||
		fail "the test ended with status $status"
	[ "$tap_count" -gt 0 ] || fail "the test checked something"
	kmsg "end, $tap_failed failed"
	echo "1..$tap_count"
	[ "$tap_failed" -eq 0 ] || exit 1
	exit 0
}

begin()
{
	local tool

	[ "$(id -u)" -eq 0 ] || {
		echo "1..0 # tests need root: use make selftests, which boots a machine" >&2
		exit 1
	}
	for tool in ip ss nft nsenter losetup dmsetup insmod; do
		command -v "$tool" >/dev/null || {
			echo "not ok 1 - $tool is missing: run .ci/install-deps"
			exit 1
		}
	done
	kmsg "begin"
	# built in or not there, if modprobe doesn't find one
	modprobe -qa loop dm-mod
	warnings_before=$(warnings)
	mkdir -p "$conf" "$tmp/disks"
	mount -t tmpfs disks "$tmp/disks"
	trap finish EXIT
	trap 'exit 1' INT TERM
}

begin
