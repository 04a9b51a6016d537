# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# blkrepl, 64 resources between the same two nodes.

name=blkrepl-x64 minor=256 resources=64
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
