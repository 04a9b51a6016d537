# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# DRBD 8.4, its resync's controller held open.

name=drbd-open minor=20 port=7720
disk_options="--c-plan-ahead=0 --resync-rate=4194304k"
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/drbd-c.sh
. "$bench_dir/contenders/drbd-c.sh"
