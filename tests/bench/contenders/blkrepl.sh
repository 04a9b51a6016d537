# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# blkrepl, synchronous, two nodes: a network namespace each, a veth pair between
# them.
#
# nodes: how many; res_options, net_settings, disk_settings: of the configuration;
# resources: so many of them, between the same nodes; witnesses: so many of the nodes,
# the last ones, have no data; bridged: all nodes on one bridge, instead of a wire for
# every two
#
# What is wrong with the last node, from worsen to recover: far_ms: packets to and from
# it take so much longer; stalled: its disk does nothing; away: it is not there

# shellcheck disable=SC2154 # work, module: lib.sh

: "${name:=blkrepl}" "${nodes:=2}" "${minor:=0}"
: "${res_options:=}" "${net_settings:=}" "${disk_settings:=}"
: "${far_ms:=0}" "${stalled:=}" "${away:=}"
: "${resources:=1}" "${witnesses:=0}" "${bridged:=}"

export BLKREPL_CONFIG_DIR=$work/conf-$name

node_name()
{
	echo "$name-$1"
}

repl()
{
	local node

	node=$(node_name "$1")
	shift
	on "$node" blkrepl "$@"
}

# Where a node listens.
address()
{
	if [ -n "$bridged" ]; then
		echo "10.12.0.$((1 + $1)):7789"
	else
		echo "10.12.$1.$1:7789"
	fi
}

# resource NUMBER: its name
resource()
{
	if [ "$1" -eq 0 ]; then
		echo "$name"
	else
		echo "$name.$1"
	fi
}

net_config()
{
	local i j

	[ -z "$bridged" ] || bridge "$name"
	for ((i = 0; i < nodes; i++)); do
		node "$(node_name "$i")"
		if [ -n "$bridged" ]; then
			plug "$name" "$(node_name "$i")" "10.12.0.$((1 + i))/24"
			continue
		fi
		for ((j = 0; j < i; j++)); do
			wire "$(node_name "$j")" "10.12.$j.$i" "$(node_name "$i")" "10.12.$i.$j"
		done
	done
}

# lazy_disk NODE RESOURCE: the last node's can be made to stand still
lazy_disk()
{
	local disk

	disk=$(data "$2-disk$1")
	if [ -z "$stalled" ] || [ "$1" -ne $((nodes - 1)) ]; then
		echo "$disk"
		return
	fi
	[ -b "/dev/mapper/$name-lazy" ] ||
		must dmsetup create --noudevsync "$name-lazy" --table \
			"0 $(blockdev --getsz "$disk") linear $disk 0"
	must dmsetup mknodes "$name-lazy"
	echo "/dev/mapper/$name-lazy"
}

# backing NODE RESOURCE: what stands in the configuration about its disks
backing()
{
	echo "meta-disk $(meta "$2-meta$1");"
	[ "$1" -ge $((nodes - witnesses)) ] || echo "disk $(lazy_disk "$1" "$2");"
}

# config_resource NUMBER
config_resource()
{
	local i j res

	res=$(resource "$1")
	echo "resource $res {"
	echo "	net { secret \"not a secret at all\"; $net_settings }"
	echo "	$res_options"
	for ((i = 0; i < nodes; i++)); do
		cat <<-END
			on $(node_name "$i") {
				node-id $i;
				address $(address "$i");
				$([ "$i" -lt $((nodes - witnesses)) ] || echo "witness yes;")
				volume 0 {
					device minor $((minor + $1 * nodes + i));
					$(backing "$i" "$res")
					$disk_settings
				}
			}
		END
	done
	for ((i = 0; i < nodes; i++)); do
		for ((j = 0; j < i; j++)); do
			[ -z "$bridged" ] || continue
			cat <<-END
				connection {
					host $(node_name "$j") address 10.12.$j.$i:7789;
					host $(node_name "$i") address 10.12.$i.$j:7789;
				}
			END
		done
	done
	echo "}"
}

config()
{
	local r

	for ((r = 0; r < resources; r++)); do
		config_resource "$r"
	done
}

query()
{
	repl "$1" status --json "$name" | jq -r ".[0]$2"
}

# every FILTER: is it true for all resources, as the first node sees them?
every()
{
	[ "$(repl 0 status --json all | jq "all(.[]; $1)")" = true ]
}

all_connected()
{
	every '.connections | all(."connection-state" == "Connected")'
}

in_step()
{
	every '([.devices[]."disk-state"] + [.connections[].peer_devices[]."peer-disk-state"]) |
		all(. == "UpToDate" or . == "Witness")'
}

# All that is not the module's own: network, configuration, metadata.
ground()
{
	local i r

	if ! grep -q '^blkrepl ' /proc/modules; then
		for i in $(modinfo -F depends "$module" | tr , ' '); do
			must modprobe "$i"
		done
		must insmod "$module"
	fi
	mkdir -p "$BLKREPL_CONFIG_DIR"
	net_config
	(umask 077; config >"$BLKREPL_CONFIG_DIR/$name.conf")
	for ((i = 0; i < nodes; i++)); do
		for ((r = 0; r < resources; r++)); do
			must repl "$i" create-md --force "$(resource "$r")"
		done
	done
}

rise()
{
	local i r

	for ((i = 0; i < nodes; i++)); do
		must repl "$i" up all
	done
	wait_for 60 all_connected
	for ((r = 0; r < resources; r++)); do
		must repl 0 new-data-set "$(resource "$r")"
	done
	wait_for 60 in_step
	must repl 0 primary all
}

start()
{
	ground
	rise
}

# Every end of a link of the last node's, one a line: its node, and its name there.
ends_of_last()
{
	local last=$((nodes - 1)) i

	for ((i = 0; i < last; i++)); do
		echo "$(node_name "$i") to-$last"
		echo "$(node_name "$last") to-$i"
	done
}

# From now on something is wrong with the last node.
worsen()
{
	local node dev

	[ -z "$stalled" ] || must dmsetup suspend --noflush --nolockfs "$name-lazy"
	[ -z "$away" ] || must repl $((nodes - 1)) down all
	[ "$far_ms" -gt 0 ] || return 0
	while read -r node dev; do
		must ip netns exec "$node" tc qdisc add dev "$dev" \
			root netem delay "${far_ms}ms" limit 100000
	done < <(ends_of_last)
}

# Nothing is, and it has caught up.
recover()
{
	local node dev

	[ -z "$stalled" ] || must dmsetup resume --noudevsync "$name-lazy"
	[ -z "$away" ] || must repl $((nodes - 1)) up all
	if [ "$far_ms" -gt 0 ]; then
		while read -r node dev; do
			must ip netns exec "$node" tc qdisc del dev "$dev" root
		done < <(ends_of_last)
	fi
	wait_for 60 all_connected
	wait_for 60 in_step
}

# What the first node makes of the last one.
last_state()
{
	query 0 ".connections[] | select(.\"peer-node-id\" == $((nodes - 1))) |
		.\"connection-state\" + \" \" + .peer_devices[0].\"replication-state\" +
		\", lacks \" + (.\"lag-bytes\" | tostring) + \", out of sync \" +
		(.peer_devices[0].\"out-of-sync-bytes\" | tostring)"
}

stop()
{
	local i

	for ((i = 0; i < nodes; i++)); do
		repl "$i" down all
		ip netns del "$(node_name "$i")"
	done
	[ -z "$bridged" ] || ip link del "$name"
}

# resync: all of the second node, from the first
resync()
{
	must repl 1 invalidate "$name"
	rate $((disk_mib << 20)) "$(clock repl 1 wait-sync "$name")"
	wait_for 60 in_step
}

device()
{
	echo "/dev/blkrepl$minor"
}

# those of all resources, as fio has its list of files
devices()
{
	seq -s : -f "/dev/blkrepl%g" "$minor" "$nodes" $((minor + (resources - 1) * nodes))
}

# power NODE up|down: its links, all at once for those that it talks to
power()
{
	local i

	for ((i = 0; i < nodes; i++)); do
		[ "$i" -eq "$1" ] || must ip -n "$(node_name "$1")" link set "to-$i" "$2"
	done
}

one_primary()
{
	[ "$(for ((i = 0; i < nodes; i++)); do query "$i" .role; done | grep -c Primary)" = 1 ]
}

# failover: the Primary is gone from one moment to the next; milliseconds until a
# write has been acknowledged elsewhere
failover()
{
	local old=0 i begin end others=()

	for ((i = 0; i < nodes; i++)); do
		if [ "$(query "$i" .role)" = Primary ]; then
			old=$i
		else
			others+=("/dev/blkrepl$((minor + i))")
		fi
	done
	begin=${EPOCHREALTIME/./}
	power "$old" down
	read -r end _ < <(first-write "${others[@]}")
	power "$old" up
	jq -nc --argjson ms $(((end / 1000 - begin) / 1000)) '{value: $ms}'
	wait_for 300 one_primary
	wait_for 300 all_in_step
}

# seen from every node
all_in_step()
{
	local i

	for ((i = 0; i < nodes; i++)); do
		[ "$(query "$i" '| ([.devices[]."disk-state"] +
			[.connections[].peer_devices[]."peer-disk-state"]) |
			all(. == "UpToDate")')" = true ] || return 1
	done
}
