#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The module loads and unloads, again and again.
# shellcheck source=tests/selftests/lib.sh
. "$(dirname "$0")/lib.sh"

for i in 1 2 3 4 5 6 7 8 9 10; do
	load
	check "unload $i" unload
done
