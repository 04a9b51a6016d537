# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # work: lib.sh
# md raid1 over a local ramdisk and one over the network (nbd).  It acknowledges
# when the server has the data in its page cache, which is less than the others
# promise; the array has no bitmap, so it remembers nothing about a lost half.

start()
{
	local far near

	near=$(data md-near)
	far=$(data md-far)
	kernel_module nbd max_part=0 nbds_max=1
	kernel_module raid1
	printf '[generic]\nallowlist = false\n[bench]\nexportname = %s\n' "$far" \
		>"$work/nbd.conf"
	nbd-server -C "$work/nbd.conf" -p "$work/nbd.pid" 127.0.0.1@10809 >"$work/nbd.log" 2>&1
	wait_for 60 test -s "$work/nbd.pid"
	wait_for 60 nbd-client -N bench 127.0.0.1 10809 /dev/nbd0
	must mdadm --create /dev/md100 --run --assume-clean --level=1 --metadata=1.2 \
		--raid-devices=2 --bitmap=none "$near" /dev/nbd0
}

stop()
{
	mdadm --stop /dev/md100
	nbd-client -d /dev/nbd0
	kill "$(cat "$work/nbd.pid")"
}

device()
{
	echo /dev/md100
}
