#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Dumps of more objects than one message holds: all of them, each once.
. "$(dirname "$0")/lib.sh"

load
genl=$tree/tests/selftests/genl.py
for r in 0 1 2; do
	must blkrepl new-resource "many$r" 0
	for v in $(seq 0 15); do
		must blkrepl new-volume "many$r/$v" $((r * 16 + v))
	done
	for p in $(seq 1 9); do
		must blkrepl new-peer "many$r" "$p" \
			--local-addr "127.0.0.1:$((7000 + r * 32))" \
			--peer-addr "127.0.0.1:$((7000 + r * 32 + p))" \
			--auth-none
	done
done
check_equal "resources" "$(python3 "$genl" dump RES_GET)" 3
check_equal "volumes" "$(python3 "$genl" dump VOL_GET)" 48
check_equal "peers" "$(python3 "$genl" dump PEER_GET)" 27
check_equal "volumes with peers" "$(python3 "$genl" dump PVOL_GET)" 432
check_equal "a dump during which objects come says so" \
	"$(python3 "$genl" dump PVOL_GET many0 | head -n 1)" "interrupted"
for r in 0 1 2; do
	check "remove $r with all that it has" blkrepl del-resource "many$r"
done
check_equal "none left" "$(python3 "$genl" dump VOL_GET)" 0
