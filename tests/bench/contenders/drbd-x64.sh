# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# DRBD 8.4, protocol C, 64 resources.

name=drbd-x64 minor=256 port=7900 resources=64
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/drbd-c.sh
. "$bench_dir/contenders/drbd-c.sh"
