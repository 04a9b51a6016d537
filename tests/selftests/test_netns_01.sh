#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A network namespace takes its resources with it, but not an open device.
. "$(dirname "$0")/lib.sh"

setup_nodes a b
new_conf r0 32
up r0
check_soon "connected" 20 sh -c "$(declare -f on repl); tmp=$tmp; repl a cstate r0 | grep -qx Connected"
must repl a primary --force r0

check_refused "the module is in use" "in use" unload

# A namespace lives as long as a device in it is open.
exec 9>"$(dev a)"
check_refused "no demotion under a writer" "opened for writing" \
	repl a secondary r0
ip netns del a
sleep 2
check "an open device outlives the name of its namespace" \
	dd if=/dev/zero of="$(dev a)" bs=4k count=16 oflag=direct
check "its peer is still connected" \
	sh -c "$(declare -f on repl); tmp=$tmp; repl b cstate r0 | grep -qx Connected"
exec 9>&-
check_soon "when closed, it goes" 20 test ! -e /sys/block/blkrepl0
check_soon "the peer notices" 20 \
	sh -c "$(declare -f on repl); tmp=$tmp; ! repl b cstate r0 | grep -qx Connected"

ip netns del b
check_soon "a namespace takes its devices with it" 20 \
	test ! -e /sys/block/blkrepl10
check_soon "and the module unloads" 20 unload
