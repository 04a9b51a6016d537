# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# DRBD 8.4, protocol C, 8 resources.

name=drbd-x8 minor=128 port=7800 resources=8
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/drbd-c.sh
. "$bench_dir/contenders/drbd-c.sh"
