# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# blkrepl, synchronous, three nodes.

name=blkrepl-3 nodes=3 minor=10
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
