#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Swap on the device, while memory runs out: whatever is swapped comes back.
. "$(dirname "$0")/lib.sh"

# hog: touches argv[1] MiB, or less once argv[3] pages were swapped out; then argv[2]
# pages of it in any order
hog()
{
	cat <<-'END'
		import mmap, random, sys
		size, page = int(sys.argv[1]) << 20, 4096
		hog = mmap.mmap(-1, size)
		def value(i): return (i * 7919 + 1).to_bytes(8, "little")
		def swapped():
		    with open("/proc/vmstat") as f:
		        return next(int(l.split()[1]) for l in f if l.startswith("pswpout "))
		end = swapped() + int(sys.argv[3])
		places = []
		for i in range(0, size, page):
		    hog[i:i + 8] = value(i)
		    places.append(i)
		    if i % (1 << 20) == 0 and swapped() >= end:
		        break
		random.seed(1)
		random.shuffle(places)
		for i in places[:int(sys.argv[2])]:
		    assert hog[i:i + 8] == value(i), i
	END
}

# ballast: argv[1] MiB that stay in memory
ballast()
{
	cat <<-'END'
		import ctypes, sys, time
		MCL_FUTURE = 2
		assert ctypes.CDLL(None).mlockall(MCL_FUTURE) == 0
		keep = bytearray(int(sys.argv[1]) << 20)
		print("here", flush=True)
		time.sleep(1000)
	END
}

swapped()
{
	awk '$1 == "pswpout" { print $2 }' /proc/vmstat
}

# machine_disk NAME: not in memory, as new_disk's are, which is to run out
machine_disk()
{
	case $1 in
	*-a) echo /dev/vda ;;
	*-b) echo /dev/vdb ;;
	esac
}

modprobe -q virtio_blk
[ -b /dev/vdb ] || {
	fail "two disks that may be overwritten: tests/vm/run --disk 256M --disk 256M"
	exit 1
}
make_disk=machine_disk
setup_nodes a b
# Who may not swap waits for memory, and a heartbeat with them.
new_conf r0 256 "net { timeout 30s; }"
up r0
must busywait 20 connected a r0
must repl a new-data-set r0
must repl a primary r0
must mkswap "$(dev a)" >/dev/null
check "swap on it" swapon "$(dev a)"
defer sh -c "swapoff $(dev a) 2>/dev/null; true"
check_refused "no demotion under swap" "opened for writing" repl a secondary r0
hog >"$tmp/hog.py"

group=/sys/fs/cgroup/blkrepl-test
must mkdir "$group"
echo +memory >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null
must sh -c "echo 24M >$group/memory.max"
before=$(swapped)
connection=$(streams b)
check "a process has twice the memory that it may use, and all of it is right" \
	timeout $((100 * slowness)) sh -c "echo \$\$ >$group/cgroup.procs
		exec python3 $tmp/hog.py 40 1000 100000"
count=$(($(swapped) - before))
check "$count pages were swapped out" [ "$count" -gt 2000 ]
must rmdir "$group"

# All of the machine: nothing is left for writing pages out but what was put
# aside for it.
ballast >"$tmp/ballast.py"
# compaction would take an emulated CPU more seconds than the watchdog allows
echo 0 >/proc/sys/vm/compaction_proactiveness
echo 60 >/proc/sys/kernel/watchdog_thresh
# What is cached only could be given up instead: programs, to be read again and
# again while nothing is swapped.
echo 200 >/proc/sys/vm/swappiness
sync
echo 3 >/proc/sys/vm/drop_caches
free=$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
start a python3 "$tmp/ballast.py" $((free - 96)) >"$tmp/ballast"
must busywait 60 grep -q here "$tmp/ballast"
before=$(swapped)
check "$free MiB were free, 96 are left, and a process wants more" \
	timeout $((300 * slowness)) python3 "$tmp/hog.py" 160 50 1000
stop "$started"
count=$(($(swapped) - before))
check "$count pages were swapped out" [ "$count" -ge 1000 ]
check_soon "in step" 30 in_step a r0
check_equal "the connection has lasted" "$(streams b)" "$connection"
check "swap off" swapoff "$(dev a)"
size=$(bytes r0)
down r0
check "the same bits" cmp -n "$size" /dev/vda /dev/vdb
