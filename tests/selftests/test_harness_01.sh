#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The library itself: nodes reach each other, links are cut and healed, and a
# disk of a node can be written.
# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$0")/lib.sh"

reach()
{
	on "$1" ping -qc 1 -W 2 "$(node_addr "$2")"
}

setup_nodes a b c
check "a reaches b" reach a b
check "a has its name" test "$(on a hostname)" = a
cut a b
check_refused "a does not reach b when cut" "100% packet loss" reach a b
check "a still reaches c" reach a c
heal a b
check "a reaches b again" reach a b
slow b delay 100ms
check "a slow node is reached" reach b c
disk=$(new_disk d0 64)
check "a disk takes direct writes" \
	dd if=/dev/zero of="$disk" bs=64k count=16 oflag=direct,dsync status=none
