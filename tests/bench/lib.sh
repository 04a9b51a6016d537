# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the guest side of the benchmark and its contenders share.

set -u

bench_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
tree=${VM_TREE:-$(cd "$bench_dir/../.." && pwd -P)}
# shellcheck disable=SC2034 # for contenders
module=${BLKREPL_KO:-$tree/build/modules/${VM_KERNEL:-$(uname -r)}/blkrepl.ko}
PATH=$tree/build/userspace:$tree/build/bench:$PATH
work=/run/bench

# MiB of every replica.
disk_mib=${BENCH_DISK_MIB:-256}

die()
{
	echo "bench: $*" >&2
	exit 1
}

# must COMMAND...: or the contender can't take part
must()
{
	local out

	out=$("$@" 2>&1) || die "$* failed: $out"
}

# wait_for SECONDS COMMAND...: seconds of the host may be many of the guest
wait_for()
{
	local end=$((SECONDS + $1)) out

	shift
	until out=$("$@" 2>&1); do
		[ "$SECONDS" -lt "$end" ] || die "$* not in time: $out"
		sleep 0.05
	done
}

# ram NAME: a ramdisk of that name, the same whenever it is asked for; with
# BENCH_DELAY_MS its writes take so long
ram()
{
	local number size

	if [ ! -e "$work/ram/$1" ]; then
		number=$(cat "$work/ram.next")
		echo $((number + 1)) >"$work/ram.next"
		[ -b "/dev/ram$number" ] || die "no more ramdisks"
		if [ -n "${BENCH_DELAY_MS:-}" ]; then
			size=$(blockdev --getsz "/dev/ram$number")
			must dmsetup create --noudevsync "$1" --table \
				"0 $size delay /dev/ram$number 0 0 /dev/ram$number 0 $BENCH_DELAY_MS"
			must dmsetup mknodes "$1"
			ln -s "/dev/mapper/$1" "$work/ram/$1"
		else
			ln -s "/dev/ram$number" "$work/ram/$1"
		fi
	fi
	readlink "$work/ram/$1"
}

# filled NAME: the same, and all of it is there: none is to be allocated while we measure
filled()
{
	local disk

	disk=$(ram "$1")
	if [ ! -e "$work/ram/$1.filled" ]; then
		dd if=/dev/zero of="$disk" bs=1M oflag=direct status=none \
			count="$disk_mib"
		touch "$work/ram/$1.filled"
	fi
	echo "$disk"
}

# data NAME: a ramdisk for data
data()
{
	if [ -n "${BENCH_SPARSE:-}" ]; then
		ram "$1"
	else
		filled "$1"
	fi
}

# meta NAME: one for metadata: it takes no memory but what is used
meta()
{
	if [ -n "${BENCH_FILLED:-}" ]; then
		filled "$1"
	else
		ram "$1"
	fi
}

# node NAME: a network namespace, with a host name of its own
node()
{
	must ip netns add "$1"
	must ip -n "$1" link set lo up
	touch "$work/uts-$1"
	must unshare --uts="$work/uts-$1" hostname "$1"
}

# on NODE COMMAND...
on()
{
	local node=$1

	shift
	nsenter --net="/run/netns/$node" --uts="$work/uts-$node" \
		env BLKREPL_NODE="$node" "$@"
}

# wire NODE ADDRESS NODE ADDRESS: a link between two nodes, with frames as large
# as the loopback device has them
wire()
{
	# names of interfaces are short
	local here=to-${3##*-} there=to-${1##*-}

	must ip link add "$here" netns "$1" mtu 65535 type veth \
		peer name "$there" netns "$3" mtu 65535
	must ip -n "$1" addr add "$2" peer "$4" dev "$here"
	must ip -n "$3" addr add "$4" peer "$2" dev "$there"
	must ip -n "$1" link set "$here" up
	must ip -n "$3" link set "$there" up
}

# bridge NAME: what nodes are plugged into
bridge()
{
	must ip link add "$1" mtu 65535 type bridge
	must ip link set "$1" up
}

# plug BRIDGE NODE ADDRESS
plug()
{
	local port=port-${2##*-}

	must ip link add "$port" mtu 65535 type veth peer name eth0 netns "$2" mtu 65535
	must ip link set "$port" master "$1" up
	must ip -n "$2" addr add "$3" dev eth0
	must ip -n "$2" link set eth0 up
}

# kernel_module NAME [PARAMETER...]
kernel_module()
{
	grep -q "^$1 " /proc/modules || must modprobe "$@"
}

# clock COMMAND...: run it; nanoseconds that it took
clock()
{
	local begin

	begin=$(date +%s%N)
	must "$@"
	echo $(($(date +%s%N) - begin))
}

# rate BYTES NANOSECONDS: JSON with a value in MB/s
rate()
{
	jq -nc --argjson b "$1" --argjson ns "$2" '($b / $ns * 1000) as $v | {value: $v, mbs: $v}'
}

prepare()
{
	mkdir -p "$work/ram" "$work/results"
	echo 0 >"$work/ram.next"
	[ -z "${BENCH_DELAY_MS:-}" ] || must modprobe dm-delay
	must modprobe brd rd_nr="${BENCH_RAMDISKS:-40}" rd_size=$((disk_mib * 1024))
}
