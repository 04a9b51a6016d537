# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # disk_mib: lib.sh
# DRBD 8.4, as it comes with the kernel: both ends in one kernel, over the
# loopback device.  It lives in the first network namespace only.
#
# net_options, disk_options: more settings; the defaults are DRBD's own.  resources:
# so many of them.

: "${protocol:=C}" "${name:=drbd-c}" "${minor:=0}" "${port:=7700}"
: "${net_options:=}" "${disk_options:=}" "${resources:=1}"

drbd()
{
	# /lib/drbd has the tools for the kernel's version
	/lib/drbd/drbdsetup-84 "$@"
}

# pair NUMBER: minors and ports of the two ends
pair()
{
	echo $((minor + 2 * $1)) $((port + 2 * $1)) $((port + 2 * $1 + 1))
	echo $((minor + 2 * $1 + 1)) $((port + 2 * $1 + 1)) $((port + 2 * $1))
}

pairs()
{
	local r

	for ((r = 0; r < resources; r++)); do
		pair "$r"
	done
}

# end MINOR PORT PEER_PORT
end()
{
	local res=$name-$1

	must drbd new-resource "$res"
	must drbd new-minor "$res" "$1" 0
	# shellcheck disable=SC2086 # lists of options
	must drbd attach "$1" "$(data "$res")" "$(meta "$res-meta")" flexible $disk_options
	# shellcheck disable=SC2086
	must drbd connect "$res" "127.0.0.1:$2" "127.0.0.1:$3" \
		--protocol="$protocol" $net_options
}

# up_to_date MINOR
up_to_date()
{
	[ "$(drbd dstate "$1")" = UpToDate/UpToDate ]
}

in_step()
{
	up_to_date "$minor"
}

# All that is not the module's own.
ground()
{
	local m

	kernel_module drbd usermode_helper=disabled
	mkdir -p /run/lock /var/lib/drbd
	while read -r m _; do
		data "$name-$m" >/dev/null
		must drbdmeta --force "$m" v08 "$(meta "$name-$m-meta")" flex-external create-md
	done < <(pairs)
}

rise()
{
	local m r

	while read -r m r; do
		# shellcheck disable=SC2086 # two ports
		end "$m" $r
	done < <(pairs)
	for ((r = 0; r < resources; r++)); do
		m=$((minor + 2 * r))
		wait_for 60 paired "$m"
		must drbd new-current-uuid --clear-bitmap=yes "$m"
		wait_for 60 up_to_date "$m"
		must drbd primary "$m"
	done
}

start()
{
	ground
	rise
}

paired()
{
	[ "$(drbd cstate "$1")" = Connected ]
}

stop()
{
	local m

	while read -r m _; do
		[ $(((m - minor) % 2)) -ne 0 ] || drbd secondary "$m"
		drbd down "$name-$m"
	done < <(pairs)
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

# those of all resources, as fio has its list of files
devices()
{
	seq -s : -f "/dev/drbd%g" "$minor" 2 $((minor + 2 * (resources - 1)))
}
