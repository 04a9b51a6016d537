#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Random netlink messages: the module lives, and leaks nothing.
. "$(dirname "$0")/lib.sh"

load
ip link set lo up
for seed in ${SEEDS:-1 2 3}; do
	check "random messages, seed $seed" \
		python3 "$tree/tests/selftests/genl.py" fuzz "$seed" "${COUNT:-2000}"
done
check "module unused afterwards" unload
