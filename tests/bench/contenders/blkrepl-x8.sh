# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# blkrepl, 8 resources between the same two nodes.

name=blkrepl-x8 minor=128 resources=8
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
