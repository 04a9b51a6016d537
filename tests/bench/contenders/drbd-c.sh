# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # disk_mib: lib.sh
# DRBD 8.4, as it comes with the kernel: both ends in one kernel, over the
# loopback device.  It lives in the first network namespace only.
#
# net_options, disk_options: more settings; the defaults are DRBD's own.

: "${protocol:=C}" "${name:=drbd-c}" "${minor:=0}" "${port:=7700}"
: "${net_options:=}" "${disk_options:=}"

drbd()
{
	# /lib/drbd has the tools for the kernel's version
	/lib/drbd/drbdsetup-84 "$@"
}

# end MINOR PORT PEER_PORT
end()
{
	local res=$name-$1 disk meta

	disk=$(data "$res")
	meta=$(ram "$res-meta")
	must drbdmeta --force "$1" v08 "$meta" flex-external create-md
	must drbd new-resource "$res"
	must drbd new-minor "$res" "$1" 0
	# shellcheck disable=SC2086 # lists of options
	must drbd attach "$1" "$disk" "$meta" flexible $disk_options
	# shellcheck disable=SC2086
	must drbd connect "$res" "127.0.0.1:$2" "127.0.0.1:$3" \
		--protocol="$protocol" $net_options
}

in_step()
{
	[ "$(drbd dstate "$minor")" = UpToDate/UpToDate ]
}

start()
{
	kernel_module drbd usermode_helper=disabled
	mkdir -p /run/lock /var/lib/drbd
	end "$minor" "$port" $((port + 1))
	end $((minor + 1)) $((port + 1)) "$port"
	wait_for 60 paired
	must drbd new-current-uuid --clear-bitmap=yes "$minor"
	wait_for 60 in_step
	must drbd primary "$minor"
}

paired()
{
	[ "$(drbd cstate "$minor")" = Connected ]
}

stop()
{
	drbd secondary "$minor"
	drbd down "$name-$minor"
	drbd down "$name-$((minor + 1))"
}

# resync: all of the second end, from the first
resync()
{
	must drbd invalidate $((minor + 1))
	rate $((disk_mib << 20)) "$(clock drbd wait-sync $((minor + 1)))"
	wait_for 60 in_step
}

device()
{
	echo "/dev/drbd$minor"
}
