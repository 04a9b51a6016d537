# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# blkrepl, synchronous, two replicas and thirty witnesses: every node has 31 peers, all
# connected, of which one at most gets data.

name=blkrepl-wide minor=80 nodes=32 witnesses=30 bridged=yes
# shellcheck disable=SC2154 # bench_dir: lib.sh
# shellcheck source=tests/bench/contenders/blkrepl.sh
. "$bench_dir/contenders/blkrepl.sh"
