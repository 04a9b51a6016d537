#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Random netlink messages, and several at a time: the module lives, nothing
# hangs, nothing leaks.
. "$(dirname "$0")/lib.sh"

setup_nodes a b
genl=$tree/tests/selftests/genl.py
count=${COUNT:-400}
disks=()
for i in 1 2 3; do
	for node in a b; do
		disk=$(new_disk "fuzz-$node-$i" 16)
		must blkrepl create-md --force "$disk" >/dev/null
		disks+=("$disk")
	done
done

# fuzz NODE SEED
fuzz()
{
	local id

	id=$(node_id "$1")
	on "$1" python3 "$genl" fuzz "$2" "$count" "$id" "$(node_addr "$1")" \
		"10.11.0.$((2 - id))" "${disks[@]}"
}

for seed in ${SEEDS:-1 2 3}; do
	pids=()
	for node in a b; do
		fuzz "$node" "$seed$(node_id "$node")1" &
		pids+=($!)
		fuzz "$node" "$seed$(node_id "$node")2" &
		pids+=($!)
	done
	status=0
	for pid in "${pids[@]}"; do
		wait "$pid" || status=1
	done
	check "random messages, seed $seed" [ "$status" -eq 0 ]
	for node in a b; do
		check "$node can be cleaned up" on "$node" python3 "$genl" clean
	done
done
check "module unused afterwards" unload
